//! Errors of the library as Python exceptions.

use facecore::{Error, ErrorKind};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// `facecore._errors.exception`, which makes the exception of a code.
static EXCEPTION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception for an error of the library.
pub fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let made = EXCEPTION
        .get_or_try_init(py, || Ok::<_, PyErr>(py.import("facecore._errors")?.getattr("exception")?.unbind()))
        .and_then(|exception| exception.bind(py).call1((error.kind().code(), error.to_string(), os_error(error))));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        // While the package itself is being imported.
        Err(_) => PyRuntimeError::new_err(error.to_string()),
    }
}

/// The exception for what the caller did wrong.
pub fn invalid(py: Python<'_>, message: impl Into<String>) -> PyErr {
    raise(py, &Error::new(ErrorKind::InvalidArgument, message))
}

/// The operating system's number of an error underneath.
fn os_error(error: &Error) -> Option<i32> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return io.raw_os_error();
        }
        source = error.source();
    }
    None
}

/// Number, name and meaning of every kind, as `(code, name)`.
#[pyfunction]
pub fn error_kinds() -> Vec<(i32, &'static str)> {
    ErrorKind::ALL.iter().map(|kind| (kind.code(), kind.name())).collect()
}

/// Raises the exception of a code, as the library would.
#[pyfunction]
pub fn raise_error(py: Python<'_>, code: i32, message: &str) -> PyResult<()> {
    match ErrorKind::ALL.iter().find(|kind| kind.code() == code) {
        Some(kind) => Err(raise(py, &Error::new(*kind, message))),
        None => Err(invalid(py, format!("there is no error {code}"))),
    }
}
