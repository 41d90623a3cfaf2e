//! Faces in images: boxes, scores and landmarks.
//!
//! Decoders are pure arithmetic on a model's outputs; [`Detector`] feeds models and merges passes.

mod anchors;
mod close_ups;
mod nms;
#[doc(hidden)]
pub mod parts;
mod scale;
mod scrfd;
mod single_shot;
mod yunet;

use serde::Serialize;

pub use scale::InputSize;
pub use single_shot::{Detector, DetectorOptions};

use crate::backend::Tensor;
use crate::error::Result;
use crate::geometry::{Landmarks, Rect};

/// A detected face, in pixels of the upright image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Face {
    /// The box around it; it may reach over the image's edges.
    #[serde(rename = "box")]
    pub rect: Rect,
    /// How sure the detector is, 0 to 1; not comparable between models.
    pub score: f32,
    /// Eyes, nose and mouth corners; `None` if the model gives no points.
    pub landmarks: Option<Landmarks>,
}

/// Turns a model's outputs into faces in pixels of its input.
trait Decoder: Send + Sync {
    /// The input's sides must be multiples of this.
    fn stride(&self) -> usize;

    /// Appends the faces scored `threshold` or better for an input of `canvas` (width, height) pixels.
    ///
    /// Errors with `ModelOutput` if an output has a wrong size or holds NaN or infinity.
    fn decode(&self, outputs: &[Tensor], canvas: (usize, usize), threshold: f32, faces: &mut Vec<Face>) -> Result<()>;
}
