//! The objects that `--json` writes. Their fields are a contract: see docs/command-line.md.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

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
