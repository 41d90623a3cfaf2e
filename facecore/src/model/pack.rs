//! Packs: a folder with `pack.toml` beside the ONNX files it describes, or the same within the program.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::onnx::OnnxModel;
use super::spec::{ColorOrder, DetectorKind, DetectorSpec, EmbedderKind, EmbedderSpec, Normalization, Template};
use super::{LicenceClass, ModelSource};
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::geometry::Point;

/// The file that makes a folder a pack.
pub(crate) const MANIFEST: &str = "pack.toml";
/// The version of the manifest's layout that this build reads.
const FORMAT: u32 = 1;

/// A pack's manifest, read and checked, with each part's spec completed from its kind.
///
/// The format is described in `docs/packs.md`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pack {
    /// What the pack calls itself.
    pub name: String,
    /// Its version, as its author counts.
    pub version: String,
    /// Under which terms the pack as a whole may be used.
    pub licence: String,
    /// What the licence allows, as the pack states it.
    pub licence_class: LicenceClass,
    /// The folder it was read from; `None` for one that is part of the program.
    pub folder: Option<PathBuf>,
    /// The detector, if the pack has one.
    pub detector: Option<PackPart<DetectorSpec>>,
    /// The embedder, if the pack has one.
    pub embedder: Option<PackPart<EmbedderSpec>>,
    /// What its embedder must answer on the crop of the self-test, if the pack says so.
    pub golden: Option<Golden>,
}

/// The embedding that a pack's embedder gives for the generated crop of the self-test ([`crate::packs::test_crop`]).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// The embedding, of any length but zero.
    pub embedding: Vec<f32>,
    /// The cosine that an answer must reach, 0 to 1: runtimes round differently.
    #[serde(default = "usual_cosine")]
    pub least_cosine: f32,
}

fn usual_cosine() -> f32 {
    0.99
}

/// One model of a pack.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PackPart<S> {
    /// The model, its SHA-256 verified where the pack declares one.
    pub source: ModelSource,
    /// How it is fed and read.
    pub spec: S,
    /// The licence of its weights.
    pub licence: String,
    /// The file's SHA-256 as the pack declares it, which it was found to have; `None` if it declares none
    /// ([`ModelSource::sha256`] has it in any case).
    pub sha256: Option<String>,
}

impl Pack {
    /// Reads a pack from a folder and loads its model files.
    ///
    /// Errors with `ModelNotFound` if the folder or a file is missing, `PackInvalid` if `pack.toml` is missing,
    /// malformed or names a file outside the folder, `ChecksumMismatch` if one was changed.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Pack> {
        let folder = folder.as_ref();
        let path = folder.join(MANIFEST);
        let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            _ if !folder.exists() => Error::new(
                ErrorKind::ModelNotFound,
                format!("there is no pack {}: a folder with {MANIFEST} and models", folder.display()),
            ),
            _ if folder.is_file() => Error::new(
                ErrorKind::PackInvalid,
                format!(
                    "{} is a file and no pack; a single model is named as the detector or the embedder",
                    folder.display()
                ),
            ),
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Error::new(
                ErrorKind::PackInvalid,
                format!("{} is no pack: there is no {MANIFEST} in it", folder.display()),
            ),
            _ => Error::io(&path, "read", error),
        })?;
        let pack = Manifest::parse(&text).and_then(|manifest| manifest.load(|file| open_inside(folder, file)));
        let pack = pack.context_with(|| path.display().to_string())?;
        Ok(Pack { folder: Some(folder.to_path_buf()), ..pack })
    }

    /// What a manifest says, without the files that it names.
    ///
    /// Errors with `PackInvalid` if the manifest is malformed.
    pub(crate) fn outline(manifest: &str) -> Result<Outline> {
        let Manifest { name, version, licence, licence_class, detector, embedder, .. } = Manifest::parse(manifest)?;
        let detector = detector.map(|entry| ("detector", entry.file, entry.sha256, entry.licence));
        let embedder = embedder.map(|entry| ("embedder", entry.file, entry.sha256, entry.licence));
        let parts: Vec<_> = detector.into_iter().chain(embedder).collect();
        let mut licences: Vec<&str> = parts.iter().filter_map(|part| part.3.as_deref()).collect();
        licences.insert(0, &licence);
        licences.retain(|licence| !licence.is_empty());
        licences.dedup();
        Ok(Outline {
            name,
            version,
            licence: licences.join("; "),
            licence_class,
            files: parts.iter().map(|(part, file, sha256, _)| (*part, file.clone(), sha256.clone())).collect(),
        })
    }

    /// A pack that is in memory, such as one within the program or an app's assets: the text of its `pack.toml`, and
    /// its models, found by their [`ModelSource::name`].
    ///
    /// Errors with `PackInvalid` if the manifest is malformed, `ModelNotFound` if it names a file that is not among
    /// `files`, `ChecksumMismatch` if one is not what it declares.
    pub fn from_memory(manifest: &str, files: &[ModelSource]) -> Result<Pack> {
        Manifest::parse(manifest)?.load(|name| match files.iter().find(|file| file.name() == name) {
            Some(file) => Ok(file.clone()),
            None => fail!(ModelNotFound, "the manifest names {name}, which is not among the files given"),
        })
    }
}

/// What a manifest says of a pack and which files it names.
pub(crate) struct Outline {
    pub name: String,
    pub version: String,
    /// The licences of the pack and of its parts.
    pub licence: String,
    pub licence_class: LicenceClass,
    /// `detector` or `embedder`, the file, and its SHA-256 if it is declared.
    pub files: Vec<(&'static str, String, Option<String>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    licence: String,
    #[serde(default)]
    licence_class: LicenceClass,
    detector: Option<DetectorEntry>,
    embedder: Option<EmbedderEntry>,
    selftest: Option<Golden>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DetectorEntry {
    file: String,
    sha256: Option<String>,
    licence: Option<String>,
    kind: DetectorKind,
    color: Option<ColorOrder>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
    input: Option<String>,
    #[serde(default)]
    outputs: Vec<String>,
    size: Option<(usize, usize)>,
    score_threshold: Option<f32>,
    nms_iou: Option<f32>,
    smallest_face: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmbedderEntry {
    file: String,
    sha256: Option<String>,
    licence: Option<String>,
    kind: EmbedderKind,
    color: Option<ColorOrder>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
    input: Option<String>,
    output: Option<String>,
    template: Option<TemplateEntry>,
    dimension: Option<usize>,
    threshold: Option<f32>,
    space: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TemplateEntry {
    Named(String),
    Points { name: String, size: (usize, usize), points: [[f32; 2]; 5] },
}

impl Manifest {
    fn parse(text: &str) -> Result<Manifest> {
        // The layout's version is looked at first, so that a newer file is not called malformed.
        #[derive(Deserialize)]
        struct Version {
            format: Option<u32>,
        }
        let invalid = |error: toml::de::Error| Error::new(ErrorKind::PackInvalid, error.to_string()).with_source(error);
        let version: Version = toml::from_str(text).map_err(invalid)?;
        let manifest: Manifest = match version.format {
            Some(FORMAT) => toml::from_str(text).map_err(invalid)?,
            Some(other) => fail!(PackInvalid, "its format is {other}; this build reads format {FORMAT}"),
            None => fail!(PackInvalid, "it has no `format = {FORMAT}`"),
        };
        if let Some(text) = manifest.shown().find(|text| text.chars().any(misleads)) {
            fail!(PackInvalid, "{text:?} has characters that are not seen, and could show another text than is meant");
        }
        Ok(manifest)
    }

    /// What people are shown of it, such as the licence that they are asked to accept.
    fn shown(&self) -> impl Iterator<Item = &str> {
        let detector = self.detector.iter().map(|entry| (&entry.file, &entry.licence));
        let embedder = self.embedder.iter().map(|entry| (&entry.file, &entry.licence));
        let parts = detector.chain(embedder).flat_map(|(file, licence)| std::iter::once(file).chain(licence));
        [&self.name, &self.version, &self.licence].into_iter().chain(parts).map(String::as_str)
    }

    /// Completes the specs, and loads the files by way of `open`.
    fn load(self, open: impl Fn(&str) -> Result<ModelSource>) -> Result<Pack> {
        debug_assert_eq!(self.format, FORMAT);
        let licence_of = |own: &Option<String>| own.clone().unwrap_or_else(|| self.licence.clone());
        let detector = match self.detector {
            Some(entry) => {
                let source = verified(open(&entry.file)?, entry.sha256.as_deref())?;
                let (licence, sha256) = (licence_of(&entry.licence), entry.sha256.clone());
                Some(PackPart { source, spec: entry.spec().context_with(|| "[detector]".into())?, licence, sha256 })
            }
            None => None,
        };
        let embedder = match self.embedder {
            Some(entry) => {
                let source = verified(open(&entry.file)?, entry.sha256.as_deref())?;
                let (licence, sha256) = (licence_of(&entry.licence), entry.sha256.clone());
                let spec = entry.spec(&source).context_with(|| "[embedder]".into())?;
                Some(PackPart { source, spec, licence, sha256 })
            }
            None => None,
        };
        if detector.is_none() && embedder.is_none() {
            fail!(PackInvalid, "it has neither a [detector] nor an [embedder]");
        }
        let golden = self.selftest.map(Golden::checked).transpose().context_with(|| "[selftest]".into())?;
        if golden.is_some() && embedder.is_none() {
            fail!(PackInvalid, "it has a [selftest], but no [embedder] to test");
        }
        Ok(Pack {
            name: self.name,
            version: self.version,
            licence: self.licence,
            licence_class: self.licence_class,
            folder: None,
            detector,
            embedder,
            golden,
        })
    }
}

impl Golden {
    fn checked(self) -> Result<Golden> {
        let squares: f32 = self.embedding.iter().map(|value| value * value).sum();
        if !(squares.is_finite() && squares > 0.0) {
            fail!(PackInvalid, "its embedding is empty, all zeros or not finite");
        }
        if !(0.0..=1.0).contains(&self.least_cosine) {
            fail!(PackInvalid, "least_cosine = {} is out of the range 0 to 1", self.least_cosine);
        }
        Ok(self)
    }
}

impl DetectorEntry {
    fn spec(self) -> Result<DetectorSpec> {
        let usual = DetectorSpec::of(self.kind);
        let spec = DetectorSpec {
            kind: self.kind,
            normalization: overridden(usual.normalization, self.color, self.mean, self.std),
            score_threshold: self.score_threshold.unwrap_or(usual.score_threshold),
            nms_iou: self.nms_iou.unwrap_or(usual.nms_iou),
            smallest_face: self.smallest_face.unwrap_or(usual.smallest_face),
            input: self.input,
            outputs: self.outputs,
            size: self.size,
        };
        spec.check().map_err(as_pack_error)?;
        Ok(spec)
    }
}

impl EmbedderEntry {
    fn spec(self, source: &ModelSource) -> Result<EmbedderSpec> {
        let usual = EmbedderSpec::of_file(self.kind, &OnnxModel::parse(source.bytes())?);
        let template = match self.template {
            None => usual.template,
            Some(TemplateEntry::Named(name)) => Template::named(&name).map_err(as_pack_error)?,
            Some(TemplateEntry::Points { name, size, points }) => {
                Template { name, size, points: points.map(|[x, y]| Point::new(x, y)) }
            }
        };
        let spec = EmbedderSpec {
            kind: self.kind,
            normalization: overridden(usual.normalization, self.color, self.mean, self.std),
            template,
            threshold: self.threshold.unwrap_or(usual.threshold),
            dimension: self.dimension,
            space: self.space,
            input: self.input,
            output: self.output,
        };
        spec.check().map_err(as_pack_error)?;
        Ok(spec)
    }
}

/// What is a wrong argument in a caller's spec is a wrong manifest in a pack.
fn as_pack_error(error: Error) -> Error {
    Error::new(ErrorKind::PackInvalid, error.message())
}

/// Whether a character moves a terminal's cursor, or turns the direction of what is around it.
fn misleads(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn overridden(
    usual: Normalization,
    color: Option<ColorOrder>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
) -> Normalization {
    Normalization {
        color: color.unwrap_or(usual.color),
        mean: mean.unwrap_or(usual.mean),
        std: std.unwrap_or(usual.std),
    }
}

fn open_inside(folder: &Path, file: &str) -> Result<ModelSource> {
    // A pack may come from anywhere: it must not reach outside its own folder, not by a link either.
    let relative = Path::new(file);
    let named_inside = relative.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let leads_inside = match (folder.canonicalize(), folder.join(relative).canonicalize()) {
        (Ok(folder), Ok(path)) => path.starts_with(folder),
        // What is not there is reported by `ModelSource::open`.
        _ => true,
    };
    if !named_inside || !leads_inside || file.is_empty() {
        fail!(PackInvalid, "the file `{file}`, or what it links to, is not inside the pack's folder; copy it there");
    }
    ModelSource::open(folder.join(relative))
}

/// The file, if it has the SHA-256 that is declared.
fn verified(source: ModelSource, sha256: Option<&str>) -> Result<ModelSource> {
    if let Some(declared) = sha256 {
        if declared.len() != 64 || !declared.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            fail!(PackInvalid, "`{declared}` is no SHA-256, which has 64 hexadecimal digits");
        }
        let actual = source.sha256();
        if !actual.eq_ignore_ascii_case(declared) {
            fail!(
                ChecksumMismatch,
                "{} was changed or is incomplete: its SHA-256 is {actual}, the pack declares {declared}",
                source.name()
            );
        }
    }
    Ok(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(text: &str) -> ErrorKind {
        match Manifest::parse(text).and_then(|manifest| manifest.load(|file| open_inside(Path::new("/nowhere"), file)))
        {
            Ok(_) => panic!("taken: {text}"),
            Err(error) => error.kind(),
        }
    }

    #[test]
    fn malformed_manifests_are_refused() {
        assert_eq!(kind_of("name = "), ErrorKind::PackInvalid);
        assert_eq!(kind_of("name = 'x'"), ErrorKind::PackInvalid);
        assert_eq!(kind_of("format = 2\nname = 'x'\nfuture = true"), ErrorKind::PackInvalid);
        assert_eq!(kind_of("format = 1\nname = 'x'"), ErrorKind::PackInvalid);
        assert_eq!(
            kind_of("format = 1\nname = 'x'\n[detector]\nfile='a'\nkind='scrfd'\ncolour='rgb'"),
            ErrorKind::PackInvalid
        );
        assert_eq!(kind_of("format = 1\nname = 'x'\n[detector]\nfile='a'\nkind='dlib'"), ErrorKind::PackInvalid);
    }

    #[test]
    fn what_is_shown_is_what_is_meant() {
        for text in [
            r"licence = 'MIT'",
            r#"licence = "research only\u001b[2K\rMIT""#,
            r#"version = "1\u202e""#,
            r#"[embedder]
kind = 'arcface'
file = 'a'
licence = "a\nb""#,
        ] {
            let parsed = Manifest::parse(&format!("format = 1\nname = 'x'\n{text}"));
            assert_eq!(parsed.is_ok(), text.contains("'MIT'"), "{text}");
        }
    }

    #[test]
    fn files_outside_the_folder_are_refused() {
        for file in ["../a.onnx", "/etc/passwd", "sub/../../a.onnx", ""] {
            let text = format!("format = 1\nname = 'x'\n[detector]\nfile = '{file}'\nkind = 'scrfd'");
            assert_eq!(kind_of(&text), ErrorKind::PackInvalid, "{file}");
        }
        let text = "format = 1\nname = 'x'\n[detector]\nfile = 'sub/a.onnx'\nkind = 'scrfd'";
        assert_eq!(kind_of(text), ErrorKind::ModelNotFound);
    }

    #[test]
    fn a_class_of_licences_and_a_self_test_are_read_and_checked() {
        let parse = |text: &str| Manifest::parse(&format!("format = 1\nname = 'x'\n{text}"));
        assert_eq!(parse("").unwrap().licence_class, LicenceClass::Unknown);
        assert_eq!(parse("licence_class = 'research-only'").unwrap().licence_class, LicenceClass::ResearchOnly);
        assert_eq!(parse("licence_class = 'free'").err().map(|error| error.kind()), Some(ErrorKind::PackInvalid));
        let golden = |text: &str| parse(&format!("[selftest]\n{text}")).unwrap().selftest.unwrap().checked();
        assert_eq!(golden("embedding = [3, 4]").unwrap(), Golden { embedding: vec![3.0, 4.0], least_cosine: 0.99 });
        for bad in ["embedding = []", "embedding = [0.0]", "embedding = [nan]", "embedding = [1]\nleast_cosine = 2"] {
            assert_eq!(golden(bad).unwrap_err().kind(), ErrorKind::PackInvalid, "{bad}");
        }
    }

    #[test]
    fn overrides_are_checked() {
        let entry = |std: f32, threshold: f32| {
            let text = format!("file='a'\nkind='yunet'\nstd=[{std:?},1.0,1.0]\nscore_threshold={threshold:?}");
            toml::from_str::<DetectorEntry>(&text).unwrap().spec()
        };
        assert_eq!(entry(0.0, 0.5).unwrap_err().kind(), ErrorKind::PackInvalid);
        assert_eq!(entry(1.0, 1.5).unwrap_err().kind(), ErrorKind::PackInvalid);
        assert_eq!(entry(2.0, 0.5).unwrap().normalization.std, [2.0, 1.0, 1.0]);
    }
}
