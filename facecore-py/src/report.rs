//! What `facecore.doctor()` tells.

use std::path::PathBuf;

use facecore::RuntimeOptions;
use facecore::backend::report;
use pyo3::prelude::*;

use crate::process::work;

/// Looked-at place, the libraries found there, why there is none.
type Looked = (String, Vec<PathBuf>, Option<String>);

/// ONNX Runtime in use, why there is none, places, providers with what they lack, the built-in runtime.
type Report = (Option<String>, Option<String>, Vec<Looked>, Vec<(String, Option<String>)>, Option<String>);

/// Looks for runtimes; loads ONNX Runtime if there is one.
#[pyfunction]
pub fn runtime_report(py: Python<'_>, library: Option<PathBuf>, look_first: Vec<PathBuf>) -> PyResult<Report> {
    let options = RuntimeOptions { library, look_first, ..RuntimeOptions::default() };
    let found = work(py, || Ok(report(&options)))?;
    let (runtime, why) = match found.onnxruntime {
        Ok(runtime) => (Some(runtime), None),
        Err(why) => (None, Some(why)),
    };
    let looked = found.looked.into_iter().map(|it| (it.place, it.found, it.missing)).collect();
    let providers = found.providers.into_iter().map(|(name, state)| (name, state.err())).collect();
    Ok((runtime, why, looked, providers, found.builtin))
}

/// The CPUs that this process may use, quotas respected.
#[pyfunction]
pub fn available_cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
