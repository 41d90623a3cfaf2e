//! Stages of detection by themselves, for benchmarks.

use super::scrfd::Scrfd;
use super::yunet::YuNet;
use super::{Decoder, Face, nms};
use crate::backend::Outputs;
use crate::error::Result;
use crate::model::{DetectorKind, DetectorSpec, PortInfo};

/// Reads a model's numbers.
pub struct Decode(Box<dyn Decoder>);

impl Decode {
    /// For a model with these outputs.
    pub fn new(spec: &DetectorSpec, outputs: &[PortInfo]) -> Result<Decode> {
        Ok(Decode(match spec.kind {
            DetectorKind::Scrfd => Box::new(Scrfd::bind(outputs, &spec.outputs, None)?),
            DetectorKind::YuNet => Box::new(YuNet::bind(outputs, &spec.outputs, None)?),
        }))
    }

    /// The faces for an input of `canvas` pixels, in place of what is in `faces`.
    pub fn run(&self, outputs: &Outputs, canvas: (usize, usize), threshold: f32, faces: &mut Vec<Face>) -> Result<()> {
        faces.clear();
        self.0.decode(outputs, canvas, threshold, faces)
    }
}

/// Non-maximum suppression of `candidates` into `kept`.
pub fn suppress(candidates: &[Face], iou: f32, order: &mut Vec<u32>, kept: &mut Vec<Face>) {
    nms::suppress(candidates, iou, false, order, kept);
}
