//! What has to be known of a model beyond its ONNX file: preparation of the image, alignment,
//! thresholds.

use serde::Deserialize;

use super::onnx::OnnxModel;
use super::{ModelSource, catalog};
use crate::error::{Result, fail};
use crate::geometry::Point;

/// The order of the three colour planes in a model's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorOrder {
    /// Red first.
    Rgb,
    /// Blue first, as OpenCV keeps images.
    Bgr,
}

/// How a channel value 0 to 255 becomes a model's input: `(value - mean) / std`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalization {
    /// The order of the planes.
    pub color: ColorOrder,
    /// Subtracted, by plane in the order of `color`.
    pub mean: [f32; 3],
    /// Divided by, by plane in the order of `color`; never zero.
    pub std: [f32; 3],
}

impl Normalization {
    /// The same mean and divisor for every plane.
    pub const fn uniform(color: ColorOrder, mean: f32, std: f32) -> Self {
        Normalization { color, mean: [mean; 3], std: [std; 3] }
    }

    fn check(&self) -> Result<()> {
        if self.mean.iter().any(|mean| !mean.is_finite()) || self.std.iter().any(|std| !std.is_normal()) {
            fail!(InvalidArgument, "mean {:?} and std {:?} must be finite, and std not zero", self.mean, self.std);
        }
        Ok(())
    }
}

/// The families of detectors whose outputs can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DetectorKind {
    /// SCRFD of insightface (6, 9, 10 or 15 outputs).
    Scrfd,
    /// YuNet of libfacedetection and OpenCV (12 outputs).
    YuNet,
}

/// The families of embedders whose preparation is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EmbedderKind {
    /// insightface's `w600k_*`, `glintr100` and the like.
    ArcFace,
    /// AdaFace: blue first; the norm of the raw output measures the image's quality.
    AdaFace,
    /// OpenCV's SFace: normalises inside the graph.
    SFace,
    /// MobileFaceNet with ArcFace preparation.
    MobileFaceNet,
}

impl DetectorKind {
    /// Every kind.
    pub const ALL: &'static [DetectorKind] = &[DetectorKind::Scrfd, DetectorKind::YuNet];

    /// The name used in `pack.toml` and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            DetectorKind::Scrfd => "scrfd",
            DetectorKind::YuNet => "yunet",
        }
    }

    /// The kind called `name`, in any case.
    pub fn from_name(name: &str) -> Result<Self> {
        match Self::ALL.iter().find(|kind| kind.name().eq_ignore_ascii_case(name)) {
            Some(kind) => Ok(*kind),
            None => {
                fail!(ModelKindUnknown, "`{name}` is no kind of detector; known are {}", names(Self::ALL, Self::name))
            }
        }
    }
}

impl EmbedderKind {
    /// Every kind.
    pub const ALL: &'static [EmbedderKind] =
        &[EmbedderKind::ArcFace, EmbedderKind::AdaFace, EmbedderKind::SFace, EmbedderKind::MobileFaceNet];

    /// The name used in `pack.toml` and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            EmbedderKind::ArcFace => "arcface",
            EmbedderKind::AdaFace => "adaface",
            EmbedderKind::SFace => "sface",
            EmbedderKind::MobileFaceNet => "mobilefacenet",
        }
    }

    /// The kind called `name`, in any case.
    pub fn from_name(name: &str) -> Result<Self> {
        match Self::ALL.iter().find(|kind| kind.name().eq_ignore_ascii_case(name)) {
            Some(kind) => Ok(*kind),
            None => {
                fail!(ModelKindUnknown, "`{name}` is no kind of embedder; known are {}", names(Self::ALL, Self::name))
            }
        }
    }
}

fn within(name: &str, value: f32, low: f32, high: f32) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    fail!(InvalidArgument, "{name} = {value} is out of the range {low} to {high}");
}

pub(super) fn names<K: Copy>(kinds: &[K], name: fn(K) -> &'static str) -> String {
    kinds.iter().map(|kind| name(*kind)).collect::<Vec<_>>().join(", ")
}

/// The longest side of a crop, in pixels: far beyond what embedders take, short of what exhausts memory.
const MAX_CROP: usize = 1024;

/// Where the five landmarks of a face lie in the crop that an embedder takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Names the template in embedding-space ids.
    pub name: String,
    /// Width and height of the crop in pixels.
    pub size: (usize, usize),
    /// The landmarks' places, in the order of [`crate::Landmarks`].
    pub points: [Point; 5],
}

impl Template {
    /// The 112 x 112 template of insightface (`arcface_dst` of its `face_align.py`), on which
    /// ArcFace, AdaFace, SFace and MobileFaceNet models are trained.
    pub fn arcface_112() -> Self {
        let points =
            [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)];
        Template { name: "arcface-112".into(), size: (112, 112), points: points.map(|(x, y)| Point::new(x, y)) }
    }

    /// The template scaled to a square crop of `side` pixels, a multiple of 112 or of 128.
    ///
    /// As insightface does: multiples of 112 scale it; multiples of 128 scale it by `side / 128` and
    /// move it right by 8 pixels of the 128 crop.
    pub fn arcface(side: usize) -> Result<Self> {
        let mut template = Self::arcface_112();
        let (scale, shift) = match side {
            0 => (0.0, 0.0),
            _ if side > MAX_CROP => (0.0, 0.0),
            _ if side.is_multiple_of(112) => (side as f32 / 112.0, 0.0),
            _ if side.is_multiple_of(128) => (side as f32 / 128.0, 8.0 * side as f32 / 128.0),
            _ => (0.0, 0.0),
        };
        if scale == 0.0 {
            fail!(
                InvalidArgument,
                "the ArcFace template exists for multiples of 112 or 128 up to {MAX_CROP} pixels, not for {side}"
            );
        }
        template.name = format!("arcface-{side}");
        template.size = (side, side);
        template.points = template.points.map(|p| Point::new(p.x * scale + shift, p.y * scale));
        Ok(template)
    }

    /// The template called `name`: `arcface-112`, `arcface-128`, and multiples of these sizes.
    pub fn named(name: &str) -> Result<Self> {
        match name.strip_prefix("arcface-").map(str::parse) {
            Some(Ok(side)) => Self::arcface(side),
            _ => fail!(
                InvalidArgument,
                "there is no template `{name}`; known are arcface-112, arcface-128 and multiples of them"
            ),
        }
    }
}

impl Template {
    /// Errors with `InvalidArgument` if a side is not 1 to 1024 pixels or a point is not finite.
    pub(crate) fn check(&self) -> Result<()> {
        let (width, height) = self.size;
        if !(1..=MAX_CROP).contains(&width) || !(1..=MAX_CROP).contains(&height) {
            fail!(InvalidArgument, "a crop of {width} x {height} pixels is out of the range 1 to {MAX_CROP}");
        }
        if self.points.iter().any(|point| !(point.x + point.y).is_finite()) {
            fail!(InvalidArgument, "the points of template `{}` are not all finite", self.name);
        }
        Ok(())
    }
}

/// How a detector is fed and read.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectorSpec {
    /// Decides how outputs are decoded.
    pub kind: DetectorKind,
    /// How pixels become input.
    pub normalization: Normalization,
    /// Faces scored lower are not reported, 0 to 1.
    pub score_threshold: f32,
    /// Of two boxes overlapping more than this (intersection over union), the better stays.
    pub nms_iou: f32,
    /// The smallest face, in pixels of the model's input, that is found reliably.
    pub smallest_face: f32,
    /// Name of the input port; `None` takes the only one.
    pub input: Option<String>,
    /// Names of the output ports in the kind's order; empty finds them by shape or name.
    pub outputs: Vec<String>,
    /// Width and height of the input; `None` takes what the file says.
    pub size: Option<(usize, usize)>,
}

impl DetectorSpec {
    /// What is usual for models of `kind`.
    pub fn of(kind: DetectorKind) -> Self {
        catalog::detector(kind)
    }

    /// The spec of a bare file whose kind its ports tell.
    ///
    /// Errors with `ModelKindUnknown` if they are those of no known kind, `ModelMismatch` if the file is
    /// evidently no detector.
    pub fn evident(model: &OnnxModel, source: &ModelSource) -> Result<Self> {
        catalog::evident_detector(model, source).map(Self::of)
    }

    /// Errors with `InvalidArgument` if a number is out of its range.
    pub(crate) fn check(&self) -> Result<()> {
        self.normalization.check()?;
        within("score_threshold", self.score_threshold, 0.0, 1.0)?;
        within("nms_iou", self.nms_iou, 0.0, 1.0)?;
        within("smallest_face", self.smallest_face, 1.0, 4096.0)
    }
}

/// How an embedder is fed and read.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedderSpec {
    /// The family.
    pub kind: EmbedderKind,
    /// How pixels become input.
    pub normalization: Normalization,
    /// How faces are cropped for it.
    pub template: Template,
    /// The cosine from which on two faces are taken for the same person, -1 to 1.
    pub threshold: f32,
    /// Length of the embedding; `None` takes what the file says.
    pub dimension: Option<usize>,
    /// The embedding space, without test-time augmentation. `None` derives it from the file's SHA-256
    /// and the template.
    pub space: Option<String>,
    /// Name of the input port; `None` takes the only one.
    pub input: Option<String>,
    /// Name of the output port; `None` takes the only one that can be an embedding.
    pub output: Option<String>,
}

impl EmbedderSpec {
    /// What is usual for models of `kind`.
    pub fn of(kind: EmbedderKind) -> Self {
        catalog::embedder(kind)
    }

    /// What is usual for models of `kind`, adapted to a graph that normalises its input itself.
    pub fn of_file(kind: EmbedderKind, model: &OnnxModel) -> Self {
        catalog::embedder_of_file(kind, model)
    }

    /// The spec of a bare file whose name tells its kind.
    ///
    /// Errors with `ModelKindUnknown` if it does not, `ModelMismatch` if the file is evidently no embedder.
    pub fn evident(model: &OnnxModel, source: &ModelSource) -> Result<Self> {
        catalog::evident_embedder(model, source)
    }

    /// Errors with `InvalidArgument` if a number is out of its range.
    pub(crate) fn check(&self) -> Result<()> {
        self.normalization.check()?;
        self.template.check()?;
        within("threshold", self.threshold, -1.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_scale_as_insightface_scales_them() {
        let template = Template::named("arcface-256").unwrap();
        assert_eq!(template.size, (256, 256));
        assert_eq!(template.points[0], Point::new(38.2946 * 2.0 + 16.0, 51.6963 * 2.0));
        assert_eq!(Template::named("arcface-112").unwrap(), Template::arcface_112());
        for bad in ["arcface-0", "arcface-100", "arcface-1120", "arcface-112000000000", "arcface-", "dlib"] {
            assert!(Template::named(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn kinds_are_found_by_name() {
        for kind in EmbedderKind::ALL {
            assert_eq!(EmbedderKind::from_name(kind.name()).unwrap(), *kind);
        }
        assert_eq!(DetectorKind::from_name("YuNet").unwrap(), DetectorKind::YuNet);
        let message = DetectorKind::from_name("dlib").unwrap_err().to_string();
        assert!(message.contains("scrfd, yunet"), "{message}");
    }
}
