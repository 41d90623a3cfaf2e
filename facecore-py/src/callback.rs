//! Functions of Python that the library calls.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

/// The first exception that a callback raised. After it, nobody is called any more.
#[derive(Default)]
pub struct FirstError {
    raised: AtomicBool,
    error: Mutex<Option<PyErr>>,
}

impl FirstError {
    /// Calls, and keeps the error if it is one; then, and after an error, the answer is no.
    pub fn ask(&self, call: impl FnOnce() -> PyResult<bool>) -> bool {
        if self.raised.load(Ordering::Relaxed) {
            return false;
        }
        call().unwrap_or_else(|error| {
            self.raised.store(true, Ordering::Relaxed);
            self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            false
        })
    }

    /// Raises what was kept.
    pub fn take(&self) -> PyResult<()> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}
