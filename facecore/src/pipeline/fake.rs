//! A recognizer without models, for the tests of bindings, and to measure what they add to a call.

use std::sync::Arc;

use super::Recognizer;
use crate::backend::fake::FakeBackend;
use crate::backend::{Runtime, RuntimeOptions};
use crate::detect::{Detector, DetectorOptions};
use crate::embed::{Embedder, EmbedderOptions};
use crate::error::Result;
use crate::model::{DetectorKind, DetectorSpec, EmbedderKind, EmbedderSpec, ModelSource};

/// Finds so many small faces, at most 16, in any image of 256 x 256 pixels, with embeddings of `dimension` values that
/// do not depend on what the image shows.
pub fn recognizer(faces: usize, dimension: usize) -> Result<Recognizer> {
    let model = ModelSource::from_bytes("fake", Vec::new());
    let on = |backend| RuntimeOptions { runtime: Runtime::Custom(Arc::new(backend)), ..RuntimeOptions::default() };
    let detector = Detector::load(
        &model,
        DetectorSpec::of(DetectorKind::Scrfd),
        &on(FakeBackend::scrfd(faces)),
        DetectorOptions { close_ups: false, ..DetectorOptions::default() },
    )?;
    let embedder = Embedder::load(
        &model,
        EmbedderSpec::of(EmbedderKind::ArcFace),
        &on(FakeBackend::embedder(dimension)),
        EmbedderOptions::default(),
    )?;
    Ok(Recognizer::from_parts(detector, embedder, 1))
}
