//! A recognizer without models, and loops without Python: what this layer adds to a call is the difference.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use facecore::backend::fake::FakeBackend;
use facecore::gallery::SearchOptions;
use facecore::model::{ElementType, PortInfo};
use facecore::{
    DecodeOptions, Detector, DetectorKind, DetectorOptions, DetectorSpec, Embedder, EmbedderKind, EmbedderOptions,
    EmbedderSpec, ModelSource, Result, Runtime, RuntimeOptions,
};
use pyo3::prelude::*;

use crate::embedding::Embedding;
use crate::gallery::Gallery;
use crate::input::Source;
use crate::models::Recognizer;
use crate::process::{Handle, work};

/// Values a fake embedding.
const DIMENSION: usize = 512;

pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(fake_recognizer, module)?)?;
    module.add_function(wrap_pyfunction!(seconds_of_recognize, module)?)?;
    module.add_function(wrap_pyfunction!(seconds_of_search, module)?)
}

fn port(name: &str, shape: &[Option<usize>]) -> PortInfo {
    PortInfo { name: name.into(), element: ElementType::F32, shape: shape.to_vec() }
}

/// Finds so many small faces, at most 16, in any image of 256 x 256 pixels.
#[pyfunction]
fn fake_recognizer(py: Python<'_>, faces: usize) -> PyResult<Recognizer> {
    let handle = Handle::new(py, "recognizer", || {
        let detector = Detector::load(
            &ModelSource::from_bytes("fake", Vec::new()),
            DetectorSpec::of(DetectorKind::Scrfd),
            &on(detector_of(faces)),
            DetectorOptions { close_ups: false, ..DetectorOptions::default() },
        )?;
        let embedder = Embedder::load(
            &ModelSource::from_bytes("fake", Vec::new()),
            EmbedderSpec::of(EmbedderKind::ArcFace),
            &on(embedder()),
            EmbedderOptions::default(),
        )?;
        Ok(Arc::new(facecore::Recognizer::from_parts(detector, embedder, 1)))
    })?;
    Ok(Recognizer { handle, decode: DecodeOptions::default(), pack: None })
}

fn on(backend: FakeBackend) -> RuntimeOptions {
    RuntimeOptions { runtime: Runtime::Custom(Arc::new(backend)), ..RuntimeOptions::default() }
}

/// SCRFD's outputs: scores, boxes and points at the strides 8, 16 and 32, two anchors a cell.
fn detector_of(faces: usize) -> FakeBackend {
    const WIDTHS: [usize; 9] = [1, 1, 1, 4, 4, 4, 10, 10, 10];
    let outputs = (0..9).map(|at| port(&format!("out{at}"), &[None, Some(WIDTHS[at])])).collect();
    FakeBackend::new(vec![port("input", &[Some(1), Some(3), None, None])], outputs, move |inputs, outputs| {
        let cells = inputs[0].shape[2] * inputs[0].shape[3];
        for (at, (tensor, width)) in outputs.prepare(9).iter_mut().zip(WIDTHS).enumerate() {
            let rows = cells / (64 << (2 * (at % 3))) * 2;
            tensor.data.clear();
            tensor.data.resize(rows * width, 0.0);
            // Faces two strides wide, far enough apart, from the cells of the first stride.
            for row in (0..faces).map(|face| face * 8).filter(|_| at % 3 == 0) {
                let value = [0.9, 1.0, 0.0][at / 3];
                let points = [-0.5, -0.5, 0.5, -0.5, 0.0, 0.0, -0.4, 0.5, 0.4, 0.5];
                let cells = tensor.data[row * width..][..width].iter_mut();
                for (cell, point) in cells.zip(points) {
                    *cell = if width == 10 { point } else { value };
                }
            }
            tensor.shape.clear();
            tensor.shape.extend([rows, width]);
        }
        Ok(())
    })
}

fn embedder() -> FakeBackend {
    let input = port("input", &[None, Some(3), Some(112), Some(112)]);
    FakeBackend::new(vec![input], vec![port("output", &[None, Some(DIMENSION)])], |inputs, outputs| {
        let count = inputs[0].shape[0];
        let values: Vec<f32> = (0..count * DIMENSION).map(|at| (at % 97) as f32 + 1.0).collect();
        outputs.prepare(1)[0].assign([count, DIMENSION], &values);
        Ok(())
    })
}

/// Seconds that a call takes in Rust, the median of so many.
fn median(calls: usize, mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut took = Vec::with_capacity(calls);
    for _ in 0..calls {
        let start = Instant::now();
        call()?;
        took.push(start.elapsed().as_secs_f64());
    }
    took.sort_by(f64::total_cmp);
    Ok(took[calls / 2])
}

/// `Recognizer::recognize` without Python.
#[pyfunction]
fn seconds_of_recognize(recognizer: &Recognizer, image: &Bound<'_, PyAny>, calls: usize) -> PyResult<f64> {
    let source = Source::of(image, Some("rgb"), true)?;
    recognizer.handle.with(image.py(), move |recognizer| {
        source.view(&DecodeOptions::default(), |view, _| {
            median(calls, || recognizer.recognize(view).map(|found| drop(black_box(found))))
        })
    })
}

/// `Namespace::search` without Python.
#[pyfunction]
fn seconds_of_search(
    py: Python<'_>,
    gallery: &Gallery,
    namespace: &str,
    probe: &Embedding,
    calls: usize,
) -> PyResult<f64> {
    let gallery = gallery.handle.with(py, Ok)?;
    work(py, || {
        let people = gallery.existing_namespace(namespace)?;
        let options = SearchOptions::default();
        median(calls, || people.search(&probe.inner, &options).map(|found| drop(black_box(found))))
    })
}
