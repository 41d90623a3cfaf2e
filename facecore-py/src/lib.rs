//! The native half of the Python package `facecore`: the library's objects as Python can hold them, and their
//! results as plain tuples. What users see, with its names, types and documentation, is in `python/facecore`.

mod buffers;
mod callback;
mod embedding;
mod errors;
mod exchange;
#[cfg(feature = "fake")]
mod fake;
mod gallery;
mod image;
mod input;
mod models;
mod packs;
mod people;
mod process;
mod report;
mod search;

use pyo3::prelude::*;

/// `facecore._native`.
#[pymodule(name = "_native")]
pub fn native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<embedding::Embedding>()?;
    module.add_class::<image::Image>()?;
    module.add_class::<models::Recognizer>()?;
    module.add_class::<models::Detector>()?;
    module.add_class::<models::Aligner>()?;
    module.add_class::<models::Embedder>()?;
    module.add_class::<gallery::Gallery>()?;
    module.add_function(wrap_pyfunction!(errors::error_kinds, module)?)?;
    module.add_function(wrap_pyfunction!(errors::raise_error, module)?)?;
    module.add_function(wrap_pyfunction!(packs::read_pack, module)?)?;
    module.add_function(wrap_pyfunction!(packs::packs_find_in, module)?)?;
    module.add_function(wrap_pyfunction!(packs::packs_import, module)?)?;
    module.add_function(wrap_pyfunction!(packs::packs_list, module)?)?;
    module.add_function(wrap_pyfunction!(packs::packs_pull, module)?)?;
    module.add_function(wrap_pyfunction!(packs::packs_remove, module)?)?;
    module.add_function(wrap_pyfunction!(packs::packs_verify, module)?)?;
    module.add_function(wrap_pyfunction!(people::photos_by_person, module)?)?;
    module.add_function(wrap_pyfunction!(exchange::photos_in_csv, module)?)?;
    module.add_function(wrap_pyfunction!(report::available_cpus, module)?)?;
    module.add_function(wrap_pyfunction!(report::runtime_report, module)?)?;
    #[cfg(feature = "fake")]
    fake::add(module)?;
    Ok(())
}
