//! What lies between the interpreter and the library: its lock, panics, and processes that fork.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};

use facecore::{Error, ErrorKind, Result};
use pyo3::prelude::*;

use crate::errors::raise;

/// Runs `work` without the interpreter's lock. A panic becomes an `Internal` error.
pub fn work<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    // Nothing that a panic leaves half-done is seen again: the library's own state is behind locks that it checks.
    let done = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    done.unwrap_or_else(|panic| Err(panicked(&*panic))).map_err(|error| raise(py, &error))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::new(ErrorKind::Internal, format!("a fault of facecore: {}", text.unwrap_or("it panicked")))
}

/// The process that used the library first; 0 as long as none did.
static FIRST: AtomicU32 = AtomicU32::new(0);

/// Errors with `Forked` in a child of a process that used the library: the child has its memory, but none of its
/// threads, and would wait for them for ever.
fn check_process() -> Result<()> {
    let here = std::process::id();
    match FIRST.compare_exchange(0, here, Ordering::Relaxed, Ordering::Relaxed) {
        Err(first) if first != here => Err(Error::new(
            ErrorKind::Forked,
            format!(
                "process {first} used facecore before it forked this one, which lacks its threads; start workers \
                 with multiprocessing.get_context(\"spawn\"), or use facecore only after forking"
            ),
        )),
        _ => Ok(()),
    }
}

/// Something of the library that can be closed, and that a forked child leaves alone.
pub struct Handle<T: Send> {
    what: &'static str,
    value: RwLock<Option<T>>,
    /// Asked without waiting for anybody.
    closed: AtomicBool,
    process: u32,
}

impl<T: Clone + Send + Sync> Handle<T> {
    /// What `make` makes, without the interpreter's lock. `what` names it in messages.
    pub fn new(py: Python<'_>, what: &'static str, make: impl FnOnce() -> Result<T> + Send) -> PyResult<Self> {
        let value = work(py, || check_process().and_then(|()| make()))?;
        Ok(Handle {
            what,
            value: RwLock::new(Some(value)),
            closed: AtomicBool::new(false),
            process: std::process::id(),
        })
    }

    /// The value, to be used without the interpreter's lock.
    ///
    /// Errors with `Forked`, and with `InvalidArgument` if it was closed.
    pub fn get(&self) -> Result<T> {
        check_process()?;
        let value = self.value.read().unwrap_or_else(PoisonError::into_inner);
        value.clone().ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, format!("the {} was closed; make another", self.what))
        })
    }

    /// Runs `task` with the value, without the interpreter's lock.
    pub fn with<R: Send>(&self, py: Python<'_>, task: impl FnOnce(T) -> Result<R> + Send) -> PyResult<R> {
        work(py, || task(self.get()?))
    }

    /// Gives the value up. Calls that are on their way end as usual.
    pub fn close(&self, py: Python<'_>) -> PyResult<()> {
        work(py, || {
            check_process()?;
            self.closed.store(true, Ordering::Relaxed);
            // Closing takes its time: the lock is given back before.
            let taken = self.value.write().unwrap_or_else(PoisonError::into_inner).take();
            drop(taken);
            Ok(())
        })
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

impl<T: Send> Drop for Handle<T> {
    fn drop(&mut self) {
        let Some(value) = self.value.get_mut().unwrap_or_else(PoisonError::into_inner).take() else { return };
        if self.process != std::process::id() {
            // A child must not write the parent's gallery, nor wait for its threads.
            std::mem::forget(value);
            return;
        }
        // Others need not wait for it; when the interpreter ends there are none.
        let mut value = Some(value);
        Python::try_attach(|py| {
            let value = value.take();
            py.detach(|| drop(value));
        });
        drop(value);
    }
}
