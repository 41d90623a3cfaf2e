//! A recognizer without models, and loops without Python: what this layer adds to a call is the difference.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use facecore::gallery::SearchOptions;
use facecore::{DecodeOptions, Result};
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

/// Finds so many small faces, at most 16, in any image of 256 x 256 pixels.
#[pyfunction]
fn fake_recognizer(py: Python<'_>, faces: usize) -> PyResult<Recognizer> {
    let handle =
        Handle::new(py, "recognizer", || facecore::pipeline::fake::recognizer(faces, DIMENSION).map(Arc::new))?;
    Ok(Recognizer { handle, decode: DecodeOptions::default(), pack: None })
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
