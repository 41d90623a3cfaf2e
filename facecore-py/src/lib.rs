//! The native module of the Python package `facecore`.
//!
//! So far it tells its version; detection, recognition and galleries follow in `0.2`.

/// The native half of the package `facecore`.
#[pymodule(name = "_native")]
pub mod native {
    use pyo3::prelude::*;

    /// The version of the library, for example `0.1.0`.
    #[pyfunction]
    fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", version())
    }
}
