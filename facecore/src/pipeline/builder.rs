//! Choosing a recognizer's models and options.

use std::path::{Path, PathBuf};

use super::Recognizer;
use crate::backend::RuntimeOptions;
use crate::detect::{Detector, DetectorOptions};
use crate::embed::{Embedder, EmbedderOptions};
use crate::error::{Result, fail};
use crate::image::DecodeOptions;
use crate::model::onnx::OnnxModel;
use crate::model::{DetectorKind, DetectorSpec, EmbedderKind, EmbedderSpec, ModelSource, Pack, PackPolicy};

/// Builds a [`Recognizer`], or only its [`Detector`] or [`Embedder`], from a pack or from single files.
///
/// A file given by itself wins over the pack's.
#[derive(Debug, Clone, Default)]
pub struct RecognizerBuilder {
    pack: Option<GivenPack>,
    policy: PackPolicy,
    detector: Option<Bare>,
    detector_kind: Option<DetectorKind>,
    embedder: Option<Bare>,
    embedder_kind: Option<EmbedderKind>,
    runtime: RuntimeOptions,
    many_photos: bool,
    detector_options: DetectorOptions,
    embedder_options: EmbedderOptions,
    decode: DecodeOptions,
}

/// A pack as it was given.
#[derive(Debug, Clone)]
enum GivenPack {
    /// By its folder or its name.
    Named(PathBuf),
    Opened(Box<Pack>),
}

/// A model given by itself.
#[derive(Debug, Clone)]
enum Bare {
    File(PathBuf),
    Model(ModelSource),
}

impl Bare {
    fn open(&self) -> Result<ModelSource> {
        match self {
            Bare::File(path) => ModelSource::open(path),
            Bare::Model(source) => Ok(source.clone()),
        }
    }
}

impl RecognizerBuilder {
    /// A folder with `pack.toml`, or the name of an installed pack: see [`Pack::open`].
    #[must_use]
    pub fn pack(mut self, named: impl AsRef<Path>) -> Self {
        self.pack = Some(GivenPack::Named(named.as_ref().to_path_buf()));
        self
    }

    /// Which packs are let in, by what their licences allow. A pack that is not fails with `LicenceRefused`. Single
    /// files have no licence that is known, and are not asked for one.
    #[must_use]
    pub fn pack_policy(mut self, policy: PackPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// A pack that was opened before, for example to look at its licence, or `Pack::lite()`.
    #[must_use]
    pub fn opened_pack(mut self, pack: Pack) -> Self {
        self.pack = Some(GivenPack::Opened(Box::new(pack)));
        self
    }

    /// A bare ONNX file; its kind is found by its ports.
    #[must_use]
    pub fn detector(mut self, file: impl AsRef<Path>) -> Self {
        self.detector = Some(Bare::File(file.as_ref().to_path_buf()));
        self
    }

    /// A bare ONNX model in memory; its kind is found by its ports.
    #[must_use]
    pub fn detector_model(mut self, model: ModelSource) -> Self {
        self.detector = Some(Bare::Model(model));
        self
    }

    /// The kind of the bare detector, where it is not evident. A pack names its own.
    #[must_use]
    pub fn detector_kind(mut self, kind: DetectorKind) -> Self {
        self.detector_kind = Some(kind);
        self
    }

    /// A bare ONNX file; its kind is found by its name.
    #[must_use]
    pub fn embedder(mut self, file: impl AsRef<Path>) -> Self {
        self.embedder = Some(Bare::File(file.as_ref().to_path_buf()));
        self
    }

    /// A bare ONNX model in memory; its kind is found by its name.
    #[must_use]
    pub fn embedder_model(mut self, model: ModelSource) -> Self {
        self.embedder = Some(Bare::Model(model));
        self
    }

    /// The kind of the bare embedder, where it is not evident. A pack names its own.
    #[must_use]
    pub fn embedder_kind(mut self, kind: EmbedderKind) -> Self {
        self.embedder_kind = Some(kind);
        self
    }

    /// Which runtime, provider, precision and how many threads.
    #[must_use]
    pub fn runtime(mut self, options: RuntimeOptions) -> Self {
        self.runtime = options;
        self
    }

    /// Sessions of one thread each and as many photos at once as there were threads: the best use of the
    /// CPUs where many photos are worked at, or many callers share the recognizer.
    #[must_use]
    pub fn for_many_photos(mut self) -> Self {
        self.many_photos = true;
        self
    }

    /// What to look for.
    #[must_use]
    pub fn detector_options(mut self, options: DetectorOptions) -> Self {
        self.detector_options = options;
        self
    }

    /// How to embed.
    #[must_use]
    pub fn embedder_options(mut self, options: EmbedderOptions) -> Self {
        self.embedder_options = options;
        self
    }

    /// Limits on photo files, and whether EXIF orientation is applied.
    #[must_use]
    pub fn decode_options(mut self, options: DecodeOptions) -> Self {
        self.decode = options;
        self
    }

    /// Loads both models.
    ///
    /// Errors with `InvalidArgument` if one was not named, and as [`Pack::open`], [`Detector::load`] and
    /// [`Embedder::load`] do.
    pub fn build(&self) -> Result<Recognizer> {
        let pack = self.open_pack()?;
        let detector = self.load_detector(pack.as_ref())?;
        let embedder = self.load_embedder(pack.as_ref())?;
        let session = self.runtime_options().session;
        // With several threads a call, as many calls as there are CPUs would get in each other's way.
        let mut recognizer = Recognizer::from_parts(detector, embedder, session.concurrency / session.threads);
        recognizer.decode = self.decode;
        Ok(recognizer)
    }

    /// Loads the detector alone.
    pub fn build_detector(&self) -> Result<Detector> {
        self.load_detector(self.open_pack()?.as_ref())
    }

    /// Loads the embedder alone.
    pub fn build_embedder(&self) -> Result<Embedder> {
        self.load_embedder(self.open_pack()?.as_ref())
    }

    /// The runtime options with [`RecognizerBuilder::for_many_photos`] applied, in whatever order they were set.
    fn runtime_options(&self) -> RuntimeOptions {
        let mut runtime = self.runtime.clone();
        if self.many_photos {
            runtime.session.concurrency = runtime.session.concurrency.max(runtime.session.threads);
            runtime.session.threads = 1;
        }
        runtime
    }

    fn open_pack(&self) -> Result<Option<Pack>> {
        let open = |given: &GivenPack| match given {
            GivenPack::Named(named) => Pack::open(named),
            GivenPack::Opened(pack) => Ok(Pack::clone(pack)),
        };
        let pack = self.pack.as_ref().map(open).transpose()?;
        if let Some(pack) = &pack {
            self.policy.check(&pack.name, &pack.licence, pack.licence_class)?;
        }
        Ok(pack)
    }

    fn load_detector(&self, pack: Option<&Pack>) -> Result<Detector> {
        let (source, spec) = match (&self.detector, pack.and_then(|pack| pack.detector.as_ref())) {
            (Some(bare), _) => {
                let source = bare.open()?;
                let spec = match self.detector_kind {
                    Some(kind) => DetectorSpec::of(kind),
                    None => DetectorSpec::evident(&parse(&source)?, &source)?,
                };
                (source, spec)
            }
            (None, Some(_)) if self.detector_kind.is_some() => {
                fail!(
                    InvalidArgument,
                    "the pack says which kind its detector is; a kind can be named only for a bare file"
                )
            }
            (None, Some(part)) => (part.source.clone(), part.spec.clone()),
            (None, None) => {
                fail!(InvalidArgument, "no detector was named: give a pack that has one, or a detector's file")
            }
        };
        Detector::load(&source, spec, &self.runtime_options(), self.detector_options.clone())
    }

    fn load_embedder(&self, pack: Option<&Pack>) -> Result<Embedder> {
        let (source, spec) = match (&self.embedder, pack.and_then(|pack| pack.embedder.as_ref())) {
            (Some(bare), _) => {
                let source = bare.open()?;
                let graph = parse(&source)?;
                let spec = match self.embedder_kind {
                    Some(kind) => EmbedderSpec::of_file(kind, &graph),
                    None => EmbedderSpec::evident(&graph, &source)?,
                };
                (source, spec)
            }
            (None, Some(_)) if self.embedder_kind.is_some() => {
                fail!(
                    InvalidArgument,
                    "the pack says which kind its embedder is; a kind can be named only for a bare file"
                )
            }
            (None, Some(part)) => (part.source.clone(), part.spec.clone()),
            (None, None) => {
                fail!(InvalidArgument, "no embedder was named: give a pack that has one, or an embedder's file")
            }
        };
        Embedder::load(&source, spec, &self.runtime_options(), self.embedder_options.clone())
    }
}

fn parse(source: &ModelSource) -> Result<OnnxModel> {
    OnnxModel::parse(source.bytes()).map_err(|error| error.context(source.name()))
}
