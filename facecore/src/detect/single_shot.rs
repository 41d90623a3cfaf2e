//! Detectors that answer in one run of one model.

use crate::backend::{Outputs, Placement, RuntimeOptions, Session, TensorView, open_session};
use crate::error::{Context, Result, fail};
use crate::geometry::{Landmarks, Point, Rect};
use crate::image::ImageView;
use crate::model::{DetectorKind, DetectorSpec, ModelSource, PortInfo};
use crate::preprocess::Letterbox;
use crate::scratch::{Memory, ScratchPool};

use super::scale::{MAX_SIDE, Pass, Request, plan};
use super::scrfd::Scrfd;
use super::yunet::YuNet;
use super::{Decoder, Face, InputSize, close_ups, nms};

/// What to look for, and how thoroughly.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectorOptions {
    /// Faces scored lower are not reported, 0 to 1. `None` takes the model's usual threshold.
    pub score_threshold: Option<f32>,
    /// Of two boxes that overlap more than this (intersection over union, 0 to 1) the better stays.
    /// `None` takes the model's usual value.
    pub nms_iou: Option<f32>,
    /// Report at most this many faces, the best.
    pub max_faces: Option<usize>,
    /// Length in pixels of the image of the smallest face to be found: chooses how far the image may be
    /// shrunk. Only for models that take any size. `None` shrinks as [`InputSize`] says.
    pub smallest_face: Option<f32>,
    /// How the image is scaled.
    pub input_size: InputSize,
    /// Look a second time at a coarse copy of the image, for faces that fill the frame, where the first look finds
    /// nobody or leaves it open whether there is one. Default true.
    pub close_ups: bool,
}

impl Default for DetectorOptions {
    fn default() -> Self {
        DetectorOptions {
            score_threshold: None,
            nms_iou: None,
            max_faces: None,
            smallest_face: None,
            input_size: InputSize::Auto,
            close_ups: true,
        }
    }
}

/// Finds faces with an SCRFD or YuNet model. May be shared by any number of threads.
pub struct Detector {
    session: Box<dyn Session>,
    decoder: Box<dyn Decoder>,
    spec: DetectorSpec,
    options: DetectorOptions,
    /// Width and height of the input, if the model takes no other.
    fixed: Option<(usize, usize)>,
    scratch: ScratchPool<Scratch>,
}

/// What a call needs in memory beside its answer.
#[derive(Default)]
struct Scratch {
    letterbox: Letterbox,
    outputs: Outputs,
    candidates: Vec<Face>,
    order: Vec<u32>,
}

impl Memory for Scratch {
    fn bytes(&self) -> usize {
        let Scratch { letterbox, outputs, candidates, order } = self;
        letterbox.memory()
            + outputs.memory()
            + size_of::<Face>() * candidates.capacity()
            + size_of::<u32>() * order.capacity()
    }
}

impl Detector {
    /// Loads a detector.
    ///
    /// Errors with `ModelMismatch` naming the port that differs if the file is not what `spec` says, and
    /// as [`open_session`] does.
    pub fn load(
        model: &ModelSource,
        spec: DetectorSpec,
        runtime: &RuntimeOptions,
        options: DetectorOptions,
    ) -> Result<Detector> {
        options.check()?;
        spec.check()?;
        let session = open_session(model, runtime)?;
        Self::bind(session, spec, options).context_with(|| model.name().to_string())
    }

    fn bind(session: Box<dyn Session>, spec: DetectorSpec, options: DetectorOptions) -> Result<Detector> {
        let fixed = input_size(session.inputs(), &spec)?;
        let (ports, names) = (session.outputs(), &spec.outputs);
        let decoder: Box<dyn Decoder> = match spec.kind {
            DetectorKind::Scrfd => Box::new(Scrfd::bind(ports, names, fixed)?),
            DetectorKind::YuNet => Box::new(YuNet::bind(ports, names, fixed)?),
        };
        if let Some((width, height)) = fixed
            && (width % decoder.stride() != 0 || height % decoder.stride() != 0 || width == 0 || height == 0)
        {
            fail!(ModelMismatch, "the input of {width} x {height} pixels is no multiple of {}", decoder.stride());
        }
        Ok(Detector { session, decoder, spec, options, fixed, scratch: ScratchPool::new() })
    }

    /// How the model is fed and read.
    pub fn spec(&self) -> &DetectorSpec {
        &self.spec
    }

    /// The options it was loaded with.
    pub fn options(&self) -> &DetectorOptions {
        &self.options
    }

    /// What really runs where.
    pub fn placement(&self) -> &Placement {
        self.session.placement()
    }

    /// The faces in an image, best first; none is an empty list.
    ///
    /// Errors with `ModelOutput` if the model gives NaN, and with `Inference`.
    pub fn detect<'a>(&self, image: impl Into<ImageView<'a>>) -> Result<Vec<Face>> {
        self.detect_with(image, &self.options)
    }

    /// As [`Detector::detect`] with other options for this call.
    pub fn detect_with<'a>(&self, image: impl Into<ImageView<'a>>, options: &DetectorOptions) -> Result<Vec<Face>> {
        let mut faces = Vec::new();
        self.detect_into(image, options, &mut faces)?;
        Ok(faces)
    }

    /// As [`Detector::detect_with`], in place of what is in `faces`: with a list that is used again nothing is
    /// allocated for an image of a size seen before, but for what the runtime does, and for working memory beyond 64 MiB.
    /// After an error `faces` means nothing.
    pub fn detect_into<'a>(
        &self,
        image: impl Into<ImageView<'a>>,
        options: &DetectorOptions,
        faces: &mut Vec<Face>,
    ) -> Result<()> {
        let image = image.into();
        let span = tracing::debug_span!("detect", width = image.width(), height = image.height());
        let _entered = span.enter();
        options.check()?;
        let (main, coarse) = plan(&Request {
            image: (image.width(), image.height()),
            fixed: self.fixed,
            stride: self.decoder.stride(),
            size: options.input_size,
            smallest_face: options.smallest_face.map(|wanted| (wanted, self.spec.smallest_face)),
            close_ups: options.close_ups,
            few_shapes: self.session.compiles_shapes(),
        })?;
        let threshold = options.score_threshold.unwrap_or(self.spec.score_threshold);
        self.scratch.with(|scratch| {
            scratch.candidates.clear();
            let iou = options.nms_iou.unwrap_or(self.spec.nms_iou);
            match coarse {
                None => self.run(&image, &main, threshold, scratch)?,
                Some(coarse) => {
                    self.run(&image, &main, threshold.min(close_ups::TRACE_SCORE), scratch)?;
                    let sure = threshold.max(self.spec.score_threshold);
                    let long_side = image.long_side() as f32;
                    let possible = !main.leaves_traces()
                        || close_ups::possible(&scratch.candidates, sure, self.spec.nms_iou, long_side);
                    scratch.candidates.retain(|face| face.score >= threshold);
                    if possible {
                        self.run(&image, &coarse, threshold, scratch)?;
                    }
                }
            }
            let pixel_areas = self.spec.kind == DetectorKind::Scrfd;
            nms::suppress(&scratch.candidates, iou, pixel_areas, &mut scratch.order, faces);
            faces.truncate(options.max_faces.unwrap_or(usize::MAX));
            Ok(())
        })
    }

    /// One pass; its faces are added to the candidates, in pixels of the upright image.
    fn run(&self, image: &ImageView<'_>, pass: &Pass, threshold: f32, scratch: &mut Scratch) -> Result<()> {
        let Scratch { letterbox, outputs, candidates, .. } = scratch;
        let data = letterbox.fill(image, pass.content, pass.canvas, &self.spec.normalization)?;
        let shape = [1, 3, pass.canvas.1, pass.canvas.0];
        self.session.run(&[TensorView { shape: &shape, data }], outputs)?;
        let first = candidates.len();
        self.decoder.decode(outputs, pass.canvas, threshold, candidates)?;
        let (scale_x, scale_y) = pass.pixel;
        for face in &mut candidates[first..] {
            let rect = face.rect;
            face.rect = Rect::new(rect.x1 * scale_x, rect.y1 * scale_y, rect.x2 * scale_x, rect.y2 * scale_y);
            face.landmarks = face.landmarks.map(|Landmarks(points)| {
                Landmarks(points.map(|point| Point::new(point.x * scale_x, point.y * scale_y)))
            });
        }
        // Decoders check what the model gave; scaling can still overflow.
        let sum = |face: &Face| {
            let points = face.landmarks.map_or(0.0, |Landmarks(points)| points.iter().map(|p| p.x + p.y).sum());
            face.rect.x1 + face.rect.y1 + face.rect.x2 + face.rect.y2 + points
        };
        if !candidates[first..].iter().all(|face| sum(face).is_finite()) {
            fail!(ModelOutput, "the model gave a face beyond all numbers; the model file or the runtime is faulty");
        }
        let mut at = 0;
        candidates.retain(|face| {
            at += 1;
            at <= first || face.rect.width().max(face.rect.height()) >= pass.smallest
        });
        Ok(())
    }
}

impl DetectorOptions {
    fn check(&self) -> Result<()> {
        for (name, value) in [("score threshold", self.score_threshold), ("NMS overlap", self.nms_iou)] {
            if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
                fail!(InvalidArgument, "the {name} must be 0 to 1, not {}", value.unwrap_or_default());
            }
        }
        if self.smallest_face.is_some_and(|pixels| !(1.0..=1e6).contains(&pixels)) {
            fail!(InvalidArgument, "the smallest face must be 1 pixel or more");
        }
        if let InputSize::Letterbox(width, height) = self.input_size
            && (width == 0 || height == 0)
        {
            fail!(InvalidArgument, "an input of {width} x {height} pixels shows nothing");
        }
        Ok(())
    }
}

/// Width and height of an input that takes no other size; checks the input port against `spec`.
fn input_size(inputs: &[PortInfo], spec: &DetectorSpec) -> Result<Option<(usize, usize)>> {
    let [port] = inputs else {
        fail!(ModelMismatch, "a detector has one input, this model has {}", inputs.len());
    };
    if spec.input.as_ref().is_some_and(|name| *name != port.name) {
        fail!(ModelMismatch, "the input is called {port}, not `{}`", spec.input.as_deref().unwrap_or_default());
    }
    let [batch, channels, height, width] = port.shape.as_slice() else {
        fail!(ModelMismatch, "input {port} is not [1, 3, height, width]");
    };
    if batch.is_some_and(|batch| batch != 1) || channels.is_some_and(|channels| channels != 3) {
        fail!(ModelMismatch, "input {port} is not [1, 3, height, width]");
    }
    let declared = match (*width, *height) {
        (Some(width), Some(height)) => Some((width, height)),
        (None, None) => None,
        _ => fail!(ModelMismatch, "input {port} fixes one side but not the other"),
    };
    if let Some((width, height)) = declared.or(spec.size)
        && (width > MAX_SIDE || height > MAX_SIDE)
    {
        fail!(
            ModelMismatch,
            "an input of {width} x {height} pixels is beyond the {MAX_SIDE} a side that are supported"
        );
    }
    match (spec.size, declared) {
        (Some(size), Some(declared)) if size != declared => {
            fail!(ModelMismatch, "input {port} does not take the {} x {} of the spec", size.0, size.1)
        }
        (size, declared) => Ok(declared.or(size)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Runtime;
    use crate::backend::fake::FakeBackend;
    use crate::image::PixelFormat;

    /// How often the model runs for an image of `size` pixels in which it finds so many small faces.
    fn looks(faces: usize, size: (usize, usize), options: DetectorOptions) -> usize {
        let backend = FakeBackend::scrfd(faces);
        let runtime =
            RuntimeOptions { runtime: Runtime::Custom(Arc::new(backend.clone())), ..RuntimeOptions::default() };
        let source = ModelSource::from_bytes("fake", Vec::new());
        let detector = Detector::load(&source, DetectorSpec::of(DetectorKind::Scrfd), &runtime, options).unwrap();
        let pixels = vec![90; size.0 * size.1];
        detector.detect(ImageView::packed(&pixels, size.0, size.1, PixelFormat::Gray).unwrap()).unwrap();
        backend.runs()
    }

    #[test]
    fn a_second_look_is_taken_where_there_may_be_a_close_up() {
        let usual = DetectorOptions::default;
        assert_eq!(looks(4, (640, 480), usual()), 1);
        assert_eq!(looks(0, (640, 480), usual()), 2, "nobody was found");
        assert_eq!(looks(0, (250, 250), usual()), 1, "the first look is coarse enough");
        assert_eq!(looks(0, (640, 480), DetectorOptions { close_ups: false, ..usual() }), 1);
        assert_eq!(looks(4, (640, 480), DetectorOptions { score_threshold: Some(0.95), ..usual() }), 2);
        assert_eq!(looks(4, (640, 480), DetectorOptions { score_threshold: Some(0.0), ..usual() }), 1);
        let native = DetectorOptions { input_size: InputSize::Native, ..usual() };
        assert_eq!(looks(4, (1000, 600), native), 2, "a large copy shows no traces");
    }
}
