//! Recognizers and their parts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use facecore::backend::Placement;
use facecore::{
    AlignedFace, DecodeOptions, DetectorKind, DetectorOptions, EmbedderKind, EmbedderOptions, FaceChoice,
    FlipAugmentation, InputSize, Landmarks, PackPolicy, Precision, Provider, ProviderRequest, RecognizerBuilder,
    Result, Runtime, RuntimeOptions,
};
use pyo3::prelude::*;

use crate::embedding::{Embedding, as_written};
use crate::errors::{invalid, raise};
use crate::image::Image;
use crate::input::Source;
use crate::packs::{self, PackParts, pack_parts};
use crate::process::{Handle, work};

/// What the package passes on of a constructor's arguments; `None` is the library's default.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Options {
    pack: Option<PathBuf>,
    /// Whether the built-in pack serves where no other was named.
    lite: bool,
    pack_policy: String,
    detector: Option<PathBuf>,
    detector_kind: Option<String>,
    embedder: Option<PathBuf>,
    embedder_kind: Option<String>,
    runtime: String,
    library: Option<PathBuf>,
    look_first: Vec<PathBuf>,
    provider: String,
    allow_fallback: bool,
    precision: String,
    threads: Option<usize>,
    concurrency: Option<usize>,
    many_photos: bool,
    flip: String,
    threshold: Option<f32>,
    score_threshold: Option<f32>,
    nms_iou: Option<f32>,
    max_faces: Option<usize>,
    smallest_face: Option<f32>,
    input_size: InputSizeOption,
    close_ups: bool,
    apply_exif: bool,
    max_pixels: Option<u64>,
    max_bytes: Option<u64>,
}

#[derive(FromPyObject)]
enum InputSizeOption {
    Named(String),
    Letterbox((usize, usize)),
}

impl Options {
    fn decode(&self) -> DecodeOptions {
        let usual = DecodeOptions::default();
        DecodeOptions {
            apply_exif: self.apply_exif,
            max_pixels: self.max_pixels.unwrap_or(usual.max_pixels),
            max_bytes: self.max_bytes.unwrap_or(usual.max_bytes),
        }
    }

    fn runtime(&self) -> Result<RuntimeOptions> {
        let mut runtime = RuntimeOptions {
            runtime: Runtime::from_name(&self.runtime)?,
            library: self.library.clone(),
            look_first: self.look_first.clone(),
            ..RuntimeOptions::default()
        };
        let session = &mut runtime.session;
        session.provider = match self.provider.as_str() {
            "auto" => ProviderRequest::Auto,
            name if self.allow_fallback => ProviderRequest::Prefer(vec![Provider::from_name(name)?]),
            name => ProviderRequest::Strict(Provider::from_name(name)?),
        };
        session.precision = Precision::from_name(&self.precision)?;
        session.threads = self.threads.unwrap_or(session.threads);
        session.concurrency = self.concurrency.unwrap_or(session.concurrency);
        Ok(runtime)
    }

    fn builder(&self, py: Python<'_>) -> PyResult<RecognizerBuilder> {
        let input_size = match &self.input_size {
            InputSizeOption::Letterbox((width, height)) => InputSize::Letterbox(*width, *height),
            InputSizeOption::Named(name) if name == "auto" => InputSize::Auto,
            InputSizeOption::Named(name) if name == "native" => InputSize::Native,
            InputSizeOption::Named(name) => {
                return Err(invalid(py, format!("an input size is auto, native or (width, height), not `{name}`")));
            }
        };
        let flip = match self.flip.as_str() {
            "none" => FlipAugmentation::None,
            "sum" => FlipAugmentation::Sum,
            "concat" => FlipAugmentation::Concat,
            name => return Err(invalid(py, format!("flip is none, sum or concat, not `{name}`"))),
        };
        let policy = PackPolicy::from_name(&self.pack_policy).map_err(|error| raise(py, &error))?;
        let mut builder = facecore::Recognizer::builder()
            .pack_policy(policy)
            .runtime(self.runtime().map_err(|error| raise(py, &error))?)
            .decode_options(self.decode())
            .embedder_options(EmbedderOptions { flip, threshold: self.threshold })
            .detector_options(DetectorOptions {
                score_threshold: self.score_threshold,
                nms_iou: self.nms_iou,
                max_faces: self.max_faces,
                smallest_face: self.smallest_face,
                input_size,
                close_ups: self.close_ups,
            });
        if let Some(file) = &self.detector {
            builder = builder.detector(file);
        }
        if let Some(file) = &self.embedder {
            builder = builder.embedder(file);
        }
        if let Some(kind) = &self.detector_kind {
            builder = builder.detector_kind(DetectorKind::from_name(kind).map_err(|error| raise(py, &error))?);
        }
        if let Some(kind) = &self.embedder_kind {
            builder = builder.embedder_kind(EmbedderKind::from_name(kind).map_err(|error| raise(py, &error))?);
        }
        Ok(if self.many_photos { builder.for_many_photos() } else { builder })
    }

    /// Gives the pack to a builder, if there is one, and tells what it says of itself.
    fn give_pack(&self, builder: RecognizerBuilder, told: &mut Option<PackParts>) -> Result<RecognizerBuilder> {
        if self.pack.is_none() && !self.lite {
            return Ok(builder);
        }
        let pack = packs::open(self.pack.as_ref())?;
        *told = Some(pack_parts(&pack));
        Ok(builder.opened_pack(pack))
    }
}

/// Left, top, right, bottom.
type Corners = (f32, f32, f32, f32);
type Points = [(f32, f32); 5];
/// Box, score, landmarks as a tuple of pairs.
type FaceParts<'py> = (Corners, f32, Option<Bound<'py, PyAny>>);

fn face_parts<'py>(py: Python<'py>, face: &facecore::Face) -> PyResult<FaceParts<'py>> {
    let rect = face.rect;
    let points = |landmarks: Landmarks| {
        let [a, b, c, d, e] = landmarks.0.map(|point| (point.x, point.y));
        (a, b, c, d, e).into_pyobject(py).map(Bound::into_any)
    };
    Ok(((rect.x1, rect.y1, rect.x2, rect.y2), face.score, face.landmarks.map(points).transpose()?))
}

/// Runtime, provider, device, precision, threads, notes.
type PlacementParts = (String, String, String, String, usize, Vec<String>);

fn placement_parts(placement: &Placement) -> PlacementParts {
    let Placement { runtime, provider, device, precision, threads, notes } = placement.clone();
    (runtime, provider, device, precision, threads, notes)
}

pub fn choice_of(py: Python<'_>, name: &str) -> PyResult<FaceChoice> {
    match name {
        "only" => Ok(FaceChoice::Only),
        "largest" => Ok(FaceChoice::Largest),
        "central" => Ok(FaceChoice::Central),
        _ => Err(invalid(py, format!("a choice is only, largest or central, not `{name}`"))),
    }
}

/// Detector, aligner and embedder together.
#[pyclass(frozen, module = "facecore._native")]
pub struct Recognizer {
    pub handle: Handle<Arc<facecore::Recognizer>>,
    pub decode: DecodeOptions,
    pub pack: Option<PackParts>,
}

/// Width, height, faces with embeddings, and seconds for decoding, detection, alignment and embedding.
type RecognitionParts<'py> = (usize, usize, Vec<(FaceParts<'py>, Embedding)>, (f64, f64, f64, f64));

fn recognition_parts<'py>(
    py: Python<'py>,
    found: facecore::Recognition,
    decode: Duration,
) -> PyResult<RecognitionParts<'py>> {
    let timings = found.timings;
    let seconds = (decode, timings.detect, timings.align, timings.embed);
    let seconds = (seconds.0.as_secs_f64(), seconds.1.as_secs_f64(), seconds.2.as_secs_f64(), seconds.3.as_secs_f64());
    let faces = found.faces.into_iter().map(|face| Ok((face_parts(py, &face.face)?, Embedding::from(face.embedding))));
    Ok((found.width, found.height, faces.collect::<PyResult<_>>()?, seconds))
}

#[pymethods]
impl Recognizer {
    #[new]
    fn new(py: Python<'_>, options: Options) -> PyResult<Self> {
        let builder = options.builder(py)?;
        let mut pack = None;
        let handle = Handle::new(py, "recognizer", || options.give_pack(builder, &mut pack)?.build().map(Arc::new))?;
        Ok(Recognizer { handle, decode: options.decode(), pack })
    }

    fn recognize<'py>(&self, image: &Bound<'py, PyAny>, color: Option<&str>) -> PyResult<RecognitionParts<'py>> {
        let decode = self.decode;
        let source = Source::of(image, color, decode.apply_exif)?;
        let (found, took) = self.handle.with(image.py(), move |recognizer| {
            source.view(&decode, |view, took| Ok((recognizer.recognize(view)?, took)))
        })?;
        recognition_parts(image.py(), found, took)
    }

    fn recognize_one<'py>(
        &self,
        image: &Bound<'py, PyAny>,
        color: Option<&str>,
        choice: &str,
    ) -> PyResult<(FaceParts<'py>, Embedding)> {
        let decode = self.decode;
        let (source, choice) = (Source::of(image, color, decode.apply_exif)?, choice_of(image.py(), choice)?);
        let face = self.handle.with(image.py(), move |recognizer| {
            source.view(&decode, |view, _| recognizer.recognize_one(view, choice))
        })?;
        Ok((face_parts(image.py(), &face.face)?, face.embedding.into()))
    }

    /// Id, threshold and dimension of the embeddings.
    fn space(&self, py: Python<'_>) -> PyResult<(String, f64, usize)> {
        self.handle.with(py, |recognizer| Ok(space_of(recognizer.embedder())))
    }

    fn placements(&self, py: Python<'_>) -> PyResult<(PlacementParts, PlacementParts)> {
        self.handle.with(py, |recognizer| {
            Ok((placement_parts(recognizer.detector().placement()), placement_parts(recognizer.embedder().placement())))
        })
    }

    fn pack(&self) -> Option<PackParts> {
        self.pack.clone()
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.handle.close(py)
    }

    fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }
}

fn space_of(embedder: &facecore::Embedder) -> (String, f64, usize) {
    (embedder.space().id().to_owned(), as_written(embedder.space().threshold()), embedder.dimension())
}

/// Finds faces.
#[pyclass(frozen, module = "facecore._native")]
pub struct Detector {
    handle: Handle<Arc<facecore::Detector>>,
    decode: DecodeOptions,
    pack: Option<PackParts>,
}

#[pymethods]
impl Detector {
    #[new]
    fn new(py: Python<'_>, options: Options) -> PyResult<Self> {
        let builder = options.builder(py)?;
        let mut pack = None;
        let handle =
            Handle::new(py, "detector", || options.give_pack(builder, &mut pack)?.build_detector().map(Arc::new))?;
        Ok(Detector { handle, decode: options.decode(), pack })
    }

    fn detect<'py>(&self, image: &Bound<'py, PyAny>, color: Option<&str>) -> PyResult<Vec<FaceParts<'py>>> {
        let decode = self.decode;
        let source = Source::of(image, color, decode.apply_exif)?;
        let faces =
            self.handle.with(image.py(), move |detector| source.view(&decode, |view, _| detector.detect(view)))?;
        faces.iter().map(|face| face_parts(image.py(), face)).collect()
    }

    fn placement(&self, py: Python<'_>) -> PyResult<PlacementParts> {
        self.handle.with(py, |detector| Ok(placement_parts(detector.placement())))
    }

    fn pack(&self) -> Option<PackParts> {
        self.pack.clone()
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.handle.close(py)
    }

    fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }
}

/// Makes embeddings of aligned crops.
#[pyclass(frozen, module = "facecore._native")]
pub struct Embedder {
    handle: Handle<Arc<facecore::Embedder>>,
    pack: Option<PackParts>,
}

#[pymethods]
impl Embedder {
    #[new]
    fn new(py: Python<'_>, options: Options) -> PyResult<Self> {
        let builder = options.builder(py)?;
        let mut pack = None;
        let handle =
            Handle::new(py, "embedder", || options.give_pack(builder, &mut pack)?.build_embedder().map(Arc::new))?;
        Ok(Embedder { handle, pack })
    }

    fn embed(&self, py: Python<'_>, crops: Vec<Bound<'_, PyAny>>, color: Option<&str>) -> PyResult<Vec<Embedding>> {
        let crops = crops.iter().map(|crop| Source::of(crop, color, true)).collect::<PyResult<Vec<_>>>()?;
        let embeddings = self.handle.with(py, move |embedder| {
            let crop = |source| match source {
                Source::Image(image) => image.get().as_crop(),
                source => {
                    let image = source.into_image(&DecodeOptions::default())?;
                    AlignedFace::from_rgb(image.width(), image.height(), image.into_pixels())
                }
            };
            embedder.embed(&crops.into_iter().map(crop).collect::<Result<Vec<_>>>()?)
        })?;
        Ok(embeddings.into_iter().map(Embedding::from).collect())
    }

    fn aligner(&self, py: Python<'_>) -> PyResult<Aligner> {
        let template = self.handle.with(py, |embedder| Ok(embedder.spec().template.clone()))?;
        Ok(Aligner { inner: facecore::Aligner::new(template) })
    }

    fn space(&self, py: Python<'_>) -> PyResult<(String, f64, usize)> {
        self.handle.with(py, |embedder| Ok(space_of(&embedder)))
    }

    fn placement(&self, py: Python<'_>) -> PyResult<PlacementParts> {
        self.handle.with(py, |embedder| Ok(placement_parts(embedder.placement())))
    }

    fn pack(&self) -> Option<PackParts> {
        self.pack.clone()
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.handle.close(py)
    }

    fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }
}

/// Cuts faces.
#[pyclass(frozen, module = "facecore._native")]
pub struct Aligner {
    inner: facecore::Aligner,
}

#[pymethods]
impl Aligner {
    #[new]
    fn new(py: Python<'_>, template: &str) -> PyResult<Self> {
        let template = facecore::Template::named(template).map_err(|error| raise(py, &error))?;
        Ok(Aligner { inner: facecore::Aligner::new(template) })
    }

    fn align(&self, image: &Bound<'_, PyAny>, landmarks: [(f32, f32); 5], color: Option<&str>) -> PyResult<Image> {
        let source = Source::of(image, color, true)?;
        let landmarks = Landmarks::from_pairs(landmarks.map(|(x, y)| [x, y]));
        let crop = work(image.py(), move || {
            source.view(&DecodeOptions::default(), |view, _| self.inner.align(view, &landmarks))
        })?;
        Ok(crop.image().clone().into())
    }

    fn template(&self) -> (String, (usize, usize), Points) {
        let template = self.inner.template();
        (template.name.clone(), template.size, template.points.map(|point| (point.x, point.y)))
    }
}
