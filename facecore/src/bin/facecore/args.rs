//! Options that every command takes, and what they mean to the library.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use facecore::{
    DecodeOptions, Detector, DetectorKind, DetectorOptions, EmbedderKind, FaceChoice, FlipAugmentation, Pack,
    Placement, Precision, Provider, ProviderRequest, Recognizer, RecognizerBuilder, Result, Runtime, RuntimeOptions,
};

use crate::models::Needs;
use crate::output::Output;

/// The options of every command.
#[derive(clap::Args)]
pub struct CommonArgs {
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub models: ModelArgs,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
    #[command(flatten)]
    pub detection: DetectionArgs,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Write one JSON object a line, for programs
    #[arg(long)]
    pub json: bool,
    /// Say what took how long
    #[arg(long)]
    pub timings: bool,
    /// Trace every stage on standard error (-vv: more; RUST_LOG overrides)
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Models")]
pub struct ModelArgs {
    /// A folder with pack.toml and the models it describes, or the name of an installed pack [default: what
    /// FACECORE_PACK names, else the built-in pack]
    #[arg(long, value_name = "DIR|NAME")]
    pub pack: Option<PathBuf>,
    /// A detector's ONNX file (wins over the pack's)
    #[arg(long, value_name = "FILE")]
    pub detector: Option<PathBuf>,
    /// What the detector file is, where it is not evident
    #[arg(long, value_name = "KIND", value_parser = detector_kind())]
    pub detector_kind: Option<DetectorKind>,
    /// An embedder's ONNX file (wins over the pack's)
    #[arg(long, value_name = "FILE")]
    pub embedder: Option<PathBuf>,
    /// What the embedder file is, where it is not evident
    #[arg(long, value_name = "KIND", value_parser = embedder_kind())]
    pub embedder_kind: Option<EmbedderKind>,
    /// Embed the mirrored face too; part of the embedding space
    #[arg(long, default_value = "none", value_parser = flip())]
    pub flip: FlipAugmentation,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Runtime")]
pub struct RuntimeArgs {
    /// What executes the models; auto: ONNX Runtime if one is found, else the built-in rten
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = runtime())]
    pub runtime: Runtime,
    /// The ONNX Runtime library, or a folder that holds it
    #[arg(long, value_name = "PATH")]
    pub library: Option<PathBuf>,
    /// ONNX Runtime's provider; one that is named must run the models, or it is an error
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = provider())]
    pub provider: NamedProvider,
    /// Let the CPU stand in where the named provider is not available
    #[arg(long)]
    pub allow_fallback: bool,
    /// full: 32-bit arithmetic; fast: 16-bit where the hardware is good at it
    #[arg(long, default_value = "full", value_parser = precision())]
    pub precision: Precision,
    /// CPU threads [default: the CPUs this process may use]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Detection")]
pub struct DetectionArgs {
    /// Leave out faces scored lower, 0 to 1 [default: the detector's usual]
    #[arg(long, value_name = "SCORE")]
    pub score: Option<f32>,
    /// Length of the smallest face to be found, in pixels of the photo; small ones take time
    #[arg(long, value_name = "PIXELS")]
    pub smallest_face: Option<f32>,
    /// Take at most so many faces of a photo, the best scored
    #[arg(long, value_name = "N")]
    pub max_faces: Option<usize>,
    /// Do not look a second time for faces that fill the frame
    #[arg(long)]
    pub no_close_ups: bool,
    /// Take photos as they are stored, whatever EXIF says of their orientation
    #[arg(long)]
    pub no_exif: bool,
    /// Refuse photos of more pixels (width times height) [default: 128000000]
    #[arg(long, value_name = "N")]
    pub max_pixels: Option<u64>,
}

/// Which face stands for a photo of one person.
#[derive(clap::Args)]
pub struct ChoiceArgs {
    /// Of several faces in a photo take the largest
    #[arg(long, conflicts_with = "central")]
    largest: bool,
    /// Of several faces in a photo take the one that is both large and near the centre
    #[arg(long)]
    central: bool,
}

impl ChoiceArgs {
    /// What was asked for; without a word several faces are an error.
    pub fn choice(&self) -> FaceChoice {
        match (self.largest, self.central) {
            (true, _) => FaceChoice::Largest,
            (_, true) => FaceChoice::Central,
            _ => FaceChoice::Only,
        }
    }
}

/// `auto`, or a provider by its name.
#[derive(Clone)]
pub struct NamedProvider(pub Option<Provider>);

/// How the CPUs are shared out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// All threads work at one photo.
    OnePhoto,
    /// A thread each for as many photos as there are threads.
    ManyPhotos,
}

impl Load {
    /// The better one for `photos` photos.
    pub fn of(photos: usize) -> Load {
        if photos > 1 { Load::ManyPhotos } else { Load::OnePhoto }
    }
}

impl CommonArgs {
    /// How to answer, and on how many threads.
    pub fn general(&self) -> (&OutputArgs, Option<u16>) {
        (&self.output, self.runtime.threads)
    }

    /// A builder with everything that was asked for, and the pack that gives what single files do not.
    pub fn builder(&self, load: Load, pack: Option<Pack>) -> RecognizerBuilder {
        let ModelArgs { pack: _, detector, detector_kind, embedder, embedder_kind, flip } = &self.models;
        let mut builder = Recognizer::builder()
            .runtime(self.runtime_options())
            .detector_options(self.detector_options())
            .decode_options(self.decode_options())
            .embedder_options(facecore::EmbedderOptions { flip: *flip, ..Default::default() });
        if let Some(pack) = pack {
            builder = builder.opened_pack(pack);
        }
        if let Some(file) = detector {
            builder = builder.detector(file);
        }
        if let Some(kind) = detector_kind {
            builder = builder.detector_kind(*kind);
        }
        if let Some(file) = embedder {
            builder = builder.embedder(file);
        }
        if let Some(kind) = embedder_kind {
            builder = builder.embedder_kind(*kind);
        }
        match load {
            Load::OnePhoto => builder,
            Load::ManyPhotos => builder.for_many_photos(),
        }
    }

    /// The detector alone.
    pub fn open_detector(&self, load: Load, output: &Output) -> Result<Detector> {
        let pack = self.pack(Needs::Detector, output)?;
        let detector = self.builder(load, pack).build_detector()?;
        self.note_fallback(detector.placement(), output);
        Ok(detector)
    }

    /// Detector and embedder.
    pub fn open_recognizer(&self, load: Load, output: &Output) -> Result<Recognizer> {
        let pack = self.pack(Needs::DetectorAndEmbedder, output)?;
        let recognizer = self.builder(load, pack).build()?;
        let (detector, embedder) = (recognizer.detector().placement(), recognizer.embedder().placement());
        self.note_fallback(detector, output);
        if embedder.notes != detector.notes {
            self.note_fallback(embedder, output);
        }
        Ok(recognizer)
    }

    /// The pack that gives what single files do not. People hear of it if they did not choose it.
    fn pack(&self, needs: Needs, output: &Output) -> Result<Option<Pack>> {
        let chosen = self.models.pack(needs)?;
        if let Some(note) = chosen.as_ref().and_then(|chosen| self.models.note_of_default(chosen, needs)) {
            output.note(note);
        }
        Ok(chosen.map(|chosen| chosen.pack))
    }

    /// Whoever names a provider hears of it when another one runs, fallback allowed or not.
    fn note_fallback(&self, placement: &Placement, output: &Output) {
        if self.runtime.provider.0.is_some() && !placement.notes.is_empty() {
            output.note(format!("running on {placement}: {}", placement.notes.join("; ")));
        }
    }

    pub fn runtime_options(&self) -> RuntimeOptions {
        let RuntimeArgs { runtime, library, provider, allow_fallback, precision, threads } = &self.runtime;
        let mut options =
            RuntimeOptions { runtime: runtime.clone(), library: library.clone(), ..RuntimeOptions::default() };
        options.session.precision = *precision;
        options.session.provider = match (&provider.0, allow_fallback) {
            (None, _) => ProviderRequest::Auto,
            (Some(provider), false) => ProviderRequest::Strict(provider.clone()),
            (Some(provider), true) => ProviderRequest::Prefer(vec![provider.clone()]),
        };
        if let Some(threads) = threads {
            options.session.threads = usize::from(*threads);
            options.session.concurrency = usize::from(*threads);
        }
        options
    }

    /// How many photos are worked at side by side.
    pub fn parallel_photos(&self, load: Load) -> usize {
        match load {
            Load::OnePhoto => 1,
            Load::ManyPhotos => self.runtime_options().session.threads,
        }
    }

    pub fn decode_options(&self) -> DecodeOptions {
        let mut options = DecodeOptions::default();
        if self.detection.no_exif {
            options.apply_exif = false;
        }
        if let Some(most) = self.detection.max_pixels {
            options.max_pixels = most;
        }
        options
    }

    fn detector_options(&self) -> DetectorOptions {
        let DetectionArgs { score, smallest_face, max_faces, no_close_ups, .. } = self.detection;
        DetectorOptions {
            score_threshold: score,
            smallest_face,
            max_faces,
            close_ups: !no_close_ups,
            ..DetectorOptions::default()
        }
    }
}

fn detector_kind() -> impl TypedValueParser<Value = DetectorKind> {
    PossibleValuesParser::new(DetectorKind::ALL.iter().map(|kind| kind.name()))
        .try_map(|name| DetectorKind::from_name(&name))
}

fn embedder_kind() -> impl TypedValueParser<Value = EmbedderKind> {
    PossibleValuesParser::new(EmbedderKind::ALL.iter().map(|kind| kind.name()))
        .try_map(|name| EmbedderKind::from_name(&name))
}

fn runtime() -> impl TypedValueParser<Value = Runtime> {
    PossibleValuesParser::new(["auto", "onnxruntime", "rten"]).try_map(|name| Runtime::from_name(&name))
}

fn provider() -> impl TypedValueParser<Value = NamedProvider> {
    PossibleValuesParser::new(["auto", "cpu", "openvino", "cuda", "tensorrt"]).try_map(|name| match name.as_str() {
        "auto" => Ok(NamedProvider(None)),
        name => Provider::from_name(name).map(|provider| NamedProvider(Some(provider))),
    })
}

fn precision() -> impl TypedValueParser<Value = Precision> {
    PossibleValuesParser::new(["full", "fast"]).try_map(|name| Precision::from_name(&name))
}

fn flip() -> impl TypedValueParser<Value = FlipAugmentation> {
    PossibleValuesParser::new(["none", "sum", "concat"]).map(|name| match name.as_str() {
        "sum" => FlipAugmentation::Sum,
        "concat" => FlipAugmentation::Concat,
        _ => FlipAugmentation::None,
    })
}
