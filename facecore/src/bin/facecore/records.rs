//! The objects that `--json` writes. Their fields are a contract: see docs/command-line.md.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use facecore::packs::{Checksum, InstalledFile, InstalledPack, KnownPack, ListedFile, ListedPack, RemovedPack};
use facecore::{Embedding, Error, Face, Match, PersonId, Placement, Recognizer, Rect};
use serde::Serialize;

use crate::stages::Stages;

#[derive(Serialize)]
pub struct PhotoError<'a> {
    pub image: Cow<'a, str>,
    pub error: ErrorRecord,
}

#[derive(Serialize)]
pub struct ErrorRecord {
    code: i32,
    kind: &'static str,
    message: String,
}

impl fmt::Display for ErrorRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (error {}, {})", self.message, self.code, self.kind)
    }
}

impl From<&Error> for ErrorRecord {
    fn from(error: &Error) -> Self {
        ErrorRecord { code: error.kind().code(), kind: error.kind().name(), message: error.to_string() }
    }
}

/// A photo with its faces: as detected, with embeddings, or with matches.
#[derive(Serialize)]
pub struct PhotoRecord<'a, F> {
    pub image: Cow<'a, str>,
    pub width: usize,
    pub height: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space: Option<&'a str>,
    pub faces: Vec<F>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timings_ms: Option<TimingsRecord>,
}

#[derive(Serialize)]
pub struct FaceRecord {
    #[serde(rename = "box")]
    rect: [f32; 4],
    score: f32,
    landmarks: Option<[[f32; 2]; 5]>,
}

impl From<&Face> for FaceRecord {
    fn from(face: &Face) -> Self {
        FaceRecord {
            rect: corners(&face.rect),
            score: face.score,
            landmarks: face.landmarks.map(|points| points.to_pairs()),
        }
    }
}

pub fn corners(rect: &Rect) -> [f32; 4] {
    [rect.x1, rect.y1, rect.x2, rect.y2]
}

#[derive(Serialize)]
pub struct EmbeddedFaceRecord<'a> {
    #[serde(flatten)]
    pub face: FaceRecord,
    pub embedding: &'a [f32],
    pub norm: f32,
}

impl<'a> EmbeddedFaceRecord<'a> {
    pub fn new(face: &Face, embedding: &'a Embedding) -> Self {
        EmbeddedFaceRecord { face: face.into(), embedding: embedding.values(), norm: embedding.norm() }
    }
}

#[derive(Serialize)]
pub struct IdentifiedFaceRecord<'a> {
    #[serde(flatten)]
    pub face: FaceRecord,
    pub matches: &'a [Match],
    pub best: Option<NearestRecord<'a>>,
}

/// The nearest person, whether near enough or not.
#[derive(Serialize)]
pub struct NearestRecord<'a> {
    person: &'a PersonId,
    score: f32,
    margin: f32,
}

impl<'a> From<&'a Match> for NearestRecord<'a> {
    fn from(nearest: &'a Match) -> Self {
        NearestRecord { person: &nearest.person, score: nearest.score, margin: nearest.margin }
    }
}

/// Wall-clock time of each stage that was run.
#[derive(Serialize)]
pub struct TimingsRecord {
    decode: f64,
    detect: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    align: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embed: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<f64>,
    total: f64,
}

impl From<Stages> for TimingsRecord {
    fn from(stages: Stages) -> Self {
        TimingsRecord {
            decode: milliseconds(stages.decode),
            detect: milliseconds(stages.detect),
            align: stages.align.map(milliseconds),
            embed: stages.embed.map(milliseconds),
            search: stages.search.map(milliseconds),
            total: milliseconds(stages.total()),
        }
    }
}

/// Milliseconds to the microsecond.
pub fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}

/// Where a model really runs.
#[derive(Serialize)]
pub struct PlacementRecord {
    runtime: String,
    provider: String,
    device: String,
    precision: String,
    threads: usize,
    pub notes: Vec<String>,
}

impl From<&Placement> for PlacementRecord {
    fn from(placement: &Placement) -> Self {
        let Placement { runtime, provider, device, precision, threads, notes } = placement.clone();
        PlacementRecord { runtime, provider, device, precision, threads, notes }
    }
}

/// Where both models of a recognizer run.
#[derive(Serialize)]
pub struct PlacementsRecord {
    detector: PlacementRecord,
    embedder: PlacementRecord,
}

impl From<&Recognizer> for PlacementsRecord {
    fn from(recognizer: &Recognizer) -> Self {
        PlacementsRecord {
            detector: recognizer.detector().placement().into(),
            embedder: recognizer.embedder().placement().into(),
        }
    }
}

/// A pack as `models list` tells of it.
#[derive(Serialize)]
pub struct ListedRecord<'a> {
    name: &'a str,
    state: &'static str,
    about: Option<&'static str>,
    version: &'a str,
    licence: &'a str,
    licence_class: &'static str,
    folder: Option<Cow<'a, str>>,
    origin: Option<&'a str>,
    archive_sha256: Option<&'a str>,
    installed: Option<u64>,
    files: Vec<PackFileRecord<'a>>,
    download_bytes: Option<u64>,
    sources: &'a [&'static str],
    unfinished_bytes: u64,
}

/// A model of a pack.
#[derive(Serialize)]
pub struct PackFileRecord<'a> {
    part: &'static str,
    file: &'a str,
    /// As in `pack.toml`; `null` where only that says it.
    kind: Option<&'static str>,
    bytes: Option<u64>,
    sha256: Option<&'a str>,
    checksum: Option<&'static str>,
}

impl<'a> From<&'a ListedPack> for ListedRecord<'a> {
    fn from(pack: &'a ListedPack) -> Self {
        let file = |file: &'a ListedFile| PackFileRecord {
            part: file.part.name(),
            file: &file.name,
            kind: file.kind,
            bytes: file.bytes,
            sha256: file.sha256.as_deref(),
            checksum: file.checksum.map(Checksum::name),
        };
        ListedRecord {
            name: &pack.name,
            state: pack.state.name(),
            about: pack.about,
            version: &pack.version,
            licence: &pack.licence,
            licence_class: pack.licence_class.name(),
            folder: pack.folder.as_ref().map(|folder| folder.to_string_lossy()),
            origin: pack.origin.as_deref(),
            archive_sha256: pack.archive_sha256.as_deref(),
            installed: pack.installed,
            files: pack.files.iter().map(file).collect(),
            download_bytes: pack.download_bytes,
            sources: &pack.sources,
            unfinished_bytes: pack.unfinished_bytes,
        }
    }
}

/// A pack that was installed or verified.
#[derive(Serialize)]
pub struct InstalledRecord<'a> {
    name: &'a str,
    version: &'a str,
    licence: &'a str,
    licence_class: &'static str,
    folder: Cow<'a, str>,
    origin: &'a str,
    archive_sha256: Option<&'a str>,
    installed: u64,
    files: Vec<PackFileRecord<'a>>,
}

impl<'a> From<&'a InstalledPack> for InstalledRecord<'a> {
    fn from(pack: &'a InstalledPack) -> Self {
        let file = |file: &'a InstalledFile| PackFileRecord {
            part: file.part.name(),
            file: &file.name,
            kind: KnownPack::named(&pack.name).and_then(|known| known.file(&file.name)).map(|known| known.kind),
            bytes: Some(file.bytes),
            sha256: Some(&file.sha256),
            checksum: Some(file.checksum.name()),
        };
        InstalledRecord {
            name: &pack.name,
            version: &pack.version,
            licence: &pack.licence,
            licence_class: pack.licence_class.name(),
            folder: pack.folder.to_string_lossy(),
            origin: &pack.origin,
            archive_sha256: pack.archive_sha256.as_deref(),
            installed: pack.installed,
            files: pack.files.iter().map(file).collect(),
        }
    }
}

/// A pack that was removed.
#[derive(Serialize)]
pub struct RemovedRecord<'a> {
    removed: &'a str,
    bytes: u64,
}

impl<'a> From<&'a RemovedPack> for RemovedRecord<'a> {
    fn from(pack: &'a RemovedPack) -> Self {
        RemovedRecord { removed: &pack.name, bytes: pack.bytes }
    }
}
