//! What a pack must do before it counts as installed: both models load and run, and answer what they should.

use super::Part;
use super::report::{Listener, Stage, tell};
use crate::align::AlignedFace;
use crate::backend::RuntimeOptions;
use crate::detect::{Detector, DetectorOptions};
use crate::embed::{Embedder, EmbedderOptions};
use crate::error::{Context, Result, fail};
use crate::image::Image;
use crate::model::{Golden, Pack};

/// The side of the blank picture in which the detector looks.
const BLANK: usize = 320;

/// The crop that a pack's golden embedding is of: in packed RGB of `width` x `height` pixels, the channel `c` of the
/// pixel in column `x` and row `y` is `(37 x + 91 y + 151 c + x y) mod 256`.
///
/// Errors with `ImageLayout` if a side is zero.
pub fn test_crop(width: usize, height: usize) -> Result<AlignedFace> {
    let value = |x: usize, y: usize, c: usize| ((37 * x + 91 * y + 151 * c + x * y) % 256) as u8;
    let pixels = (0..width * height * 3).map(|at| value(at / 3 % width, at / 3 / width, at % 3)).collect();
    AlignedFace::from_rgb(width, height, pixels)
}

/// Loads the pack's models and runs each once.
///
/// Errors as [`Detector::load`], [`Detector::detect`], [`Embedder::load`] and [`Embedder::embed`] do, and with
/// `ModelOutput` if the embedding is not as long as the pack says, or not the golden one.
pub(super) fn run(pack: &Pack, name: &str, runtime: &RuntimeOptions, listener: &mut Listener) -> Result<()> {
    tell(listener, Stage::Testing, name, 0, None)?;
    if let Some(part) = &pack.detector {
        let test = || -> Result<()> {
            let detector = Detector::load(&part.source, part.spec.clone(), runtime, DetectorOptions::default())?;
            let blank = Image::from_rgb(BLANK, BLANK, vec![127; BLANK * BLANK * 3])?;
            detector.detect(&blank).map(drop)
        };
        test().context_with(|| format!("self-test of the {}", Part::Detector.name()))?;
    }
    tell(listener, Stage::Testing, name, 0, None)?;
    if let Some(part) = &pack.embedder {
        let test = || -> Result<()> {
            let embedder = Embedder::load(&part.source, part.spec.clone(), runtime, EmbedderOptions::default())?;
            let (width, height) = part.spec.template.size;
            let answers = embedder.embed(&[test_crop(width, height)?])?;
            let values = answers.first().map_or(&[][..], |answer| answer.values());
            match part.spec.dimension {
                Some(dimension) if dimension != values.len() => {
                    fail!(ModelOutput, "it gives {} values, the pack says {dimension}", values.len())
                }
                _ => pack.golden.as_ref().map_or(Ok(()), |golden| compare(values, golden)),
            }
        };
        test().context_with(|| format!("self-test of the {}", Part::Embedder.name()))?;
    }
    Ok(())
}

/// Holds an embedding to the golden one.
fn compare(values: &[f32], golden: &Golden) -> Result<()> {
    if values.len() != golden.embedding.len() {
        fail!(ModelOutput, "it gives {} values, the golden embedding has {}", values.len(), golden.embedding.len());
    }
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let lengths = (dot(values, values) * dot(&golden.embedding, &golden.embedding)).sqrt();
    let cosine = dot(values, &golden.embedding) / lengths;
    // Also false for NaN.
    if cosine >= f64::from(golden.least_cosine) {
        return Ok(());
    }
    fail!(
        ModelOutput,
        "its answer has a cosine of {cosine:.4} with the pack's golden embedding, {} is the least; the model or its \
         preparation is another",
        golden.least_cosine
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crop_is_as_documented() {
        let crop = test_crop(112, 112).unwrap();
        let at = |x: usize, y: usize, c: usize| crop.image().pixels()[(y * 112 + x) * 3 + c];
        assert_eq!((at(0, 0, 0), at(1, 0, 0), at(0, 1, 1), at(3, 5, 2)), (0, 37, 242, 115));
    }

    #[test]
    fn golden_embeddings_are_compared_by_their_direction() {
        let golden = Golden { embedding: vec![2.0, 0.0], least_cosine: 0.9 };
        assert!(compare(&[1.0, 0.1], &golden).is_ok());
        for other in [&[0.0, 1.0][..], &[1.0], &[f32::NAN, 0.0]] {
            assert_eq!(compare(other, &golden).unwrap_err().kind(), crate::ErrorKind::ModelOutput);
        }
    }
}
