//! `facecore doctor`

use std::path::{Path, PathBuf};

use facecore::backend::{self, RuntimeReport};
use facecore::model::PackPart;
use facecore::{ModelSource, Pack, Placement, Result};
use serde::Serialize;

use crate::args::{CommonArgs, Load};
use crate::hardware::Hardware;
use crate::models::{Chosen, Needs};
use crate::output::Output;
use crate::records::{ErrorRecord, PlacementRecord};
use crate::stages::count;

const EXAMPLES: &str = "\
Examples:
  facecore doctor
  facecore doctor --pack packs/office --provider openvino --precision fast
  facecore doctor --library ~/onnxruntime/lib --json
  facecore doctor --licence

Works with nothing installed. The exit code is 1 if something that was asked for does not
work: a library, a provider, a pack or a model that was named, or if nothing can run models.
The models are those that the other commands would use with the same options.";

/// Show which runtimes, providers and models are here, and what runs where
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub common: CommonArgs,

    /// Print what may be done with the weights of the built-in pack, and why, instead
    #[arg(long, conflicts_with = "json")]
    pub licence: bool,
}

#[derive(Serialize)]
struct Report {
    version: &'static str,
    onnxruntime: Availability,
    looked: Vec<Place>,
    providers: Vec<ProviderState>,
    builtin: Option<String>,
    hardware: Hardware,
    #[serde(skip_serializing_if = "Option::is_none")]
    pack: Option<Asked<PackReport>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detector: Option<Asked<ModelReport>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedder: Option<Asked<ModelReport>>,
}

#[derive(Serialize)]
struct Availability {
    /// Version and path.
    found: Option<String>,
    missing: Option<String>,
}

#[derive(Serialize)]
struct Place {
    place: String,
    found: Vec<PathBuf>,
    missing: Option<String>,
}

#[derive(Serialize)]
struct ProviderState {
    name: String,
    available: bool,
    missing: Option<String>,
}

/// Something that was asked for: what it is, or why it does not work.
#[derive(Serialize)]
#[serde(untagged)]
enum Asked<T> {
    Works(T),
    Fails { error: ErrorRecord },
}

#[derive(Serialize)]
struct PackReport {
    name: String,
    version: String,
    licence: String,
    /// Whether it is part of the program.
    embedded: bool,
    folder: Option<PathBuf>,
    /// The option, or the environment variable.
    named_by: Option<&'static str>,
}

/// A model that was loaded.
#[derive(Serialize)]
struct ModelReport {
    file: String,
    bytes: usize,
    sha256: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    licence: Option<String>,
    /// The least score of a face, or the least cosine of one person's faces.
    threshold: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimension: Option<usize>,
    placement: PlacementRecord,
    #[serde(skip)]
    runs_on: String,
}

pub fn run(args: &Args, output: &mut Output) -> Result<()> {
    if args.licence {
        return output.line(Pack::LITE_LICENCE.trim_end());
    }
    let report = Report::make(&args.common);
    if report.anything_asked_for_fails(&args.common) {
        output.fail();
    }
    if output.json() { output.object(&report) } else { output.line(report.in_words()) }
}

impl Report {
    fn make(common: &CommonArgs) -> Report {
        let RuntimeReport { onnxruntime, looked, providers, builtin, .. } = backend::report(&common.runtime_options());
        let chosen = common.models.pack(Needs::DetectorAndEmbedder);
        let opened = chosen.as_ref().ok().and_then(Option::as_ref).map(|chosen| &chosen.pack);
        let detector = common.models.detector.is_some() || opened.is_some_and(|pack| pack.detector.is_some());
        let embedder = common.models.embedder.is_some() || opened.is_some_and(|pack| pack.embedder.is_some());
        let (found, missing) = (onnxruntime.clone().ok(), onnxruntime.err());
        Report {
            version: env!("CARGO_PKG_VERSION"),
            onnxruntime: Availability { found, missing },
            looked: looked
                .into_iter()
                .map(|place| Place { place: place.place, found: place.found, missing: place.missing })
                .collect(),
            providers: providers
                .into_iter()
                .map(|(name, here)| ProviderState { name, available: here.is_ok(), missing: here.err() })
                .collect(),
            builtin,
            hardware: Hardware::look(),
            detector: detector.then(|| asked(detector_report(common, opened))),
            embedder: embedder.then(|| asked(embedder_report(common, opened))),
            pack: match &chosen {
                Ok(None) => None,
                Ok(Some(chosen)) => Some(Asked::Works(chosen.into())),
                Err(error) => Some(Asked::Fails { error: error.into() }),
            },
        }
    }

    fn anything_asked_for_fails(&self, common: &CommonArgs) -> bool {
        let wanted = common.runtime.provider.0.as_ref().filter(|_| !common.runtime.allow_fallback);
        let provider_missing = wanted.is_some_and(|wanted| {
            // With the built-in runtime the list is empty, and the CPU is there all the same.
            self.providers.iter().any(|provider| provider.name == wanted.name() && !provider.available)
        });
        let library_missing = common.runtime.library.is_some() && self.onnxruntime.found.is_none();
        let nothing_runs = self.onnxruntime.found.is_none() && self.builtin.is_none();
        let fails = |model: &Option<Asked<ModelReport>>| matches!(model, Some(Asked::Fails { .. }));
        provider_missing
            || library_missing
            || nothing_runs
            || matches!(self.pack, Some(Asked::Fails { .. }))
            || fails(&self.detector)
            || fails(&self.embedder)
    }

    fn in_words(&self) -> String {
        let mut lines = vec![format!("  facecore   {}", self.version)];
        match (&self.onnxruntime.found, &self.onnxruntime.missing) {
            (Some(found), _) => lines.push(format!("  runtime    onnxruntime {found}")),
            // The places follow, and say where it is missing.
            (None, _) if self.looked.iter().all(|place| place.found.is_empty()) => {
                lines.push("  runtime    no onnxruntime in the places below; `make runtime` in a checkout, `pip install onnxruntime` in an active environment, or --library PATH".into());
            }
            (None, why) => lines.push(format!("  runtime    no onnxruntime: {}", why.as_deref().unwrap_or_default())),
        }
        for Place { place, found, missing } in &self.looked {
            let found: Vec<String> = found.iter().map(|path| path.display().to_string()).collect();
            let what = if found.is_empty() { missing.clone().unwrap_or_default() } else { found.join(", ") };
            lines.push(format!("             looked at {place}: {what}"));
        }
        lines.push(format!("  built-in   {}", self.builtin.as_deref().unwrap_or("none")));
        if !self.providers.is_empty() {
            lines.push(format!("  providers  {}", self.providers_in_words()));
        }
        lines.push(format!("  processor  {}", self.hardware.in_words()));
        match &self.pack {
            None => {}
            Some(Asked::Fails { error }) => lines.push(format!("  pack       fails: {error}")),
            Some(Asked::Works(pack)) => lines.push(format!("  pack       {}", pack.in_words())),
        }
        let said = match &self.pack {
            Some(Asked::Works(pack)) => Some(pack.licence.as_str()),
            _ => None,
        };
        for (what, model) in [("detector", &self.detector), ("embedder", &self.embedder)] {
            match model {
                None => {}
                Some(Asked::Fails { error }) => lines.push(format!("  {what}   fails: {error}")),
                Some(Asked::Works(model)) => lines.push(format!("  {what}   {}", self.model_in_words(model, said))),
            }
        }
        lines.join("\n")
    }

    /// `said`: the pack's licence, which is not said again; nor is why there is no ONNX Runtime.
    fn model_in_words(&self, model: &ModelReport, said: Option<&str>) -> String {
        let ModelReport { file, kind, bytes, sha256, .. } = model;
        let mut lines = vec![format!("{file} ({kind}), {bytes} bytes, SHA-256 {sha256}")];
        match (&model.space, model.dimension) {
            (Some(space), Some(dimension)) => {
                lines.push(format!("space {space}, {dimension} dimensions, same person from {} on", model.threshold));
            }
            _ => lines.push(format!("faces from score {} on", model.threshold)),
        }
        if let Some(licence) = model.licence.as_deref().filter(|licence| Some(*licence) != said) {
            lines.push(format!("licence {}", licence_or_not(licence)));
        }
        lines.push(model.runs_on.clone());
        let missing = self.onnxruntime.missing.as_deref();
        let news = |note: &&String| missing.is_none_or(|missing| !note.contains(missing));
        lines.extend(model.placement.notes.iter().filter(news).map(|note| format!("note: {note}")));
        lines.join("\n             ")
    }

    fn providers_in_words(&self) -> String {
        let has = |feature: &str| self.hardware.features.contains(&feature);
        let here = self.providers.iter().filter(|provider| provider.available).map(|provider| {
            match (provider.name.as_str(), has("bf16"), has("amx-bf16")) {
                ("OpenVINO", true, true) => "OpenVINO (CPU bf16 AMX)".to_string(),
                ("OpenVINO", true, false) => "OpenVINO (CPU bf16)".to_string(),
                (name, ..) => name.to_string(),
            }
        });
        let here: Vec<String> = here.collect();
        let not = self.providers.iter().filter_map(|provider| {
            provider.missing.as_ref().map(|why| format!("\n             not here: {} ({why})", provider.name))
        });
        here.join("  ") + &not.collect::<String>()
    }
}

impl From<&Chosen> for PackReport {
    fn from(chosen: &Chosen) -> Self {
        let Pack { name, version, licence, folder, .. } = &chosen.pack;
        PackReport {
            name: name.clone(),
            version: version.clone(),
            licence: licence.clone(),
            embedded: folder.is_none(),
            folder: folder.clone(),
            named_by: chosen.named_by.name(),
        }
    }
}

impl PackReport {
    fn in_words(&self) -> String {
        let place = match (&self.folder, self.named_by) {
            (Some(folder), Some(named_by)) => format!("{}, named by {named_by}", folder.display()),
            (Some(folder), None) => folder.display().to_string(),
            (None, _) => "built in; --pack DIR or FACECORE_PACK names another".into(),
        };
        let licence = licence_or_not(&self.licence);
        let more = if self.embedded { "; the whole of it: facecore doctor --licence" } else { "" };
        format!("{} {} ({place})\n             licence {licence}{more}", self.name, self.version)
    }
}

fn detector_report(common: &CommonArgs, pack: Option<&Pack>) -> Result<ModelReport> {
    let detector = common.builder(Load::OnePhoto, pack.cloned()).build_detector()?;
    let part = pack.and_then(|pack| pack.detector.as_ref()).filter(|_| common.models.detector.is_none());
    let (source, licence) = source(part, common.models.detector.as_deref())?;
    Ok(ModelReport {
        file: source.name().to_string(),
        bytes: source.bytes().len(),
        sha256: source.sha256(),
        kind: detector.spec().kind.name(),
        licence,
        threshold: detector.options().score_threshold.unwrap_or(detector.spec().score_threshold),
        space: None,
        dimension: None,
        placement: detector.placement().into(),
        runs_on: runs_on(detector.placement()),
    })
}

fn embedder_report(common: &CommonArgs, pack: Option<&Pack>) -> Result<ModelReport> {
    let embedder = common.builder(Load::OnePhoto, pack.cloned()).build_embedder()?;
    let part = pack.and_then(|pack| pack.embedder.as_ref()).filter(|_| common.models.embedder.is_none());
    let (source, licence) = source(part, common.models.embedder.as_deref())?;
    Ok(ModelReport {
        file: source.name().to_string(),
        bytes: source.bytes().len(),
        sha256: source.sha256(),
        kind: embedder.spec().kind.name(),
        licence,
        threshold: embedder.space().threshold(),
        space: Some(embedder.space().id().to_string()),
        dimension: Some(embedder.dimension()),
        placement: embedder.placement().into(),
        runs_on: runs_on(embedder.placement()),
    })
}

/// The model itself, with its licence if a pack says one.
fn source<S>(part: Option<&PackPart<S>>, file: Option<&Path>) -> Result<(ModelSource, Option<String>)> {
    match part {
        Some(part) => Ok((part.source.clone(), Some(part.licence.clone()))),
        None => Ok((ModelSource::open(file.unwrap_or(Path::new("")))?, None)),
    }
}

fn asked<T>(result: Result<T>) -> Asked<T> {
    match result {
        Ok(works) => Asked::Works(works),
        Err(error) => Asked::Fails { error: (&error).into() },
    }
}

fn runs_on(placement: &Placement) -> String {
    let Placement { device, threads, .. } = placement;
    format!("runs on {placement}, device {device}, {}", count(*threads, "thread"))
}

fn licence_or_not(licence: &str) -> &str {
    if licence.is_empty() { "no licence stated" } else { licence }
}
