//! The way from redb to a file, which can be shut.
//!
//! After an I/O error redb's handle is of no more use, and the file is opened anew while readers may
//! still have the old handle. What they read must not be what the new one writes, and nothing of the old
//! one may reach the file: the gate is shut before the file is opened again.

use std::fmt;
use std::io::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use redb::StorageBackend;

use crate::files::same;

/// A file that remembers its failures.
pub(super) struct Gate {
    file: Box<dyn StorageBackend>,
    /// Every operation holds it for reading, so that none is on its way once the gate is shut.
    open: RwLock<bool>,
    /// Whether an operation failed since this was last asked.
    failed: AtomicBool,
    cause: Mutex<Option<Error>>,
}

impl Gate {
    pub fn new(file: Box<dyn StorageBackend>) -> Arc<Gate> {
        Arc::new(Gate { file, open: RwLock::new(true), failed: AtomicBool::new(false), cause: Mutex::default() })
    }

    /// Whether an operation failed since this was last asked.
    pub fn take_failed(&self) -> bool {
        // The flag alone: what follows from it is found out under locks.
        self.failed.load(Ordering::Relaxed) && self.failed.swap(false, Ordering::Relaxed)
    }

    /// How an operation failed last, if any did.
    pub fn cause(&self) -> Option<Error> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(same)
    }

    fn note(&self, error: &Error) {
        *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = Some(same(error));
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Lets nothing through any more, waits for what is on its way, and unlocks the file.
    pub fn shut(&self) -> Result<()> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *open, false) {
            return Ok(());
        }
        self.file.close()
    }

    fn pass<T>(&self, operation: impl FnOnce(&dyn StorageBackend) -> Result<T>) -> Result<T> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if !*open {
            return Err(self.cause().unwrap_or_else(|| Error::other("the file was closed")));
        }
        operation(&*self.file).inspect_err(|error| self.note(error))
    }
}

/// What redb is given. It and the store's handle share the gate.
#[derive(Clone)]
pub(super) struct Passage(pub Arc<Gate>);

impl fmt::Debug for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.file.fmt(f)
    }
}

impl StorageBackend for Passage {
    fn len(&self) -> Result<u64> {
        self.0.pass(|file| file.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.0.pass(|file| file.read(offset, out))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.0.pass(|file| file.set_len(len))
    }

    fn sync_data(&self) -> Result<()> {
        self.0.pass(|file| file.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.0.pass(|file| file.write(offset, data))
    }

    fn close(&self) -> Result<()> {
        self.0.shut()
    }
}
