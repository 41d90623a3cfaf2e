//! A handle to redb.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{
    Builder, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase as _, TransactionError, WriteTransaction,
};

use super::Options;
use super::disk::{Access, Disk};
use super::failure::{failure, io_failure};
use super::gate::{Gate, Passage};
use super::transaction::guarded;
use crate::error::{Error, Result};

/// A file that redb has open.
pub(super) struct Opened {
    database: Handle,
    gate: Arc<Gate>,
    condemned: AtomicBool,
}

enum Handle {
    Writable(Database),
    ReadOnly(ReadOnlyDatabase),
}

impl Opened {
    /// Opens an existing file, and repairs it if its last writer did not close it.
    pub fn open(disk: &dyn Disk, path: &Path, options: Options) -> Result<Opened> {
        if !options.read_only {
            return Opened::writable(disk, path, Access::Write, options);
        }
        match Opened::read_only(disk, path, options)? {
            Some(opened) => return Ok(opened),
            None => repair(disk, path, options)?,
        }
        Opened::read_only(disk, path, options)?.ok_or_else(|| super::failure::corrupt(path, "it cannot be repaired"))
    }

    /// Makes an empty file.
    pub fn create(disk: &dyn Disk, path: &Path, options: Options) -> Result<Opened> {
        Opened::writable(disk, path, Access::Create, options)
    }

    fn writable(disk: &dyn Disk, path: &Path, access: Access, options: Options) -> Result<Opened> {
        let gate = gate(disk, path, access)?;
        let database = guarded(path, || {
            let opened = builder(options).create_with_backend(Passage(Arc::clone(&gate)));
            opened.map_err(|error| failure(path, "open", error, &gate))
        })
        .inspect_err(|_| release(&gate))?;
        Ok(Opened { database: Handle::Writable(database), gate, condemned: AtomicBool::new(false) })
    }

    /// `None` if the file needs repair.
    fn read_only(disk: &dyn Disk, path: &Path, options: Options) -> Result<Option<Opened>> {
        let gate = gate(disk, path, Access::Read)?;
        let database =
            guarded(path, || match builder(options).open_read_only_with_backend(Passage(Arc::clone(&gate))) {
                Ok(database) => Ok(Some(database)),
                Err(redb::DatabaseError::RepairAborted) => Ok(None),
                Err(error) => Err(failure(path, "open", error, &gate)),
            })
            .inspect_err(|_| release(&gate))?;
        let opened =
            |database| Opened { database: Handle::ReadOnly(database), gate, condemned: AtomicBool::new(false) };
        Ok(database.map(opened))
    }

    pub fn begin_read(&self) -> Result<ReadTransaction, TransactionError> {
        match &self.database {
            Handle::Writable(database) => database.begin_read(),
            Handle::ReadOnly(database) => database.begin_read(),
        }
    }

    /// Errors with `Unsupported` if the file is open for reading only.
    pub fn begin_write(&self) -> Result<WriteTransaction, redb::Error> {
        match &self.database {
            Handle::Writable(database) => Ok(database.begin_write()?),
            Handle::ReadOnly(_) => Err(redb::Error::Unsupported),
        }
    }

    /// Closes the file in good order, so that it needs no repair.
    pub fn close(self, path: &Path) -> Result<()> {
        let Opened { database, gate, .. } = self;
        let closed = match database {
            Handle::Writable(database) => database.close(),
            Handle::ReadOnly(database) => database.close(),
        };
        closed.map_err(|error| failure(path, "close", error, &gate))
    }

    /// Cuts the file off from this handle.
    pub fn shut(&self) {
        release(&self.gate);
    }

    /// Whether the file is to be opened again before it is used.
    pub fn has_failed(&self) -> bool {
        if !self.condemned.load(Ordering::Acquire) && self.gate.take_failed() && self.refuses_work() {
            self.condemn();
        }
        self.condemned.load(Ordering::Acquire)
    }

    /// Whether redb gave up on the file. It goes on after some failures: of writing early what would be
    /// written again, for one.
    fn refuses_work(&self) -> bool {
        match &self.database {
            Handle::Writable(database) => matches!(database.try_begin_write(), Err(TransactionError::Storage(_))),
            Handle::ReadOnly(_) => true,
        }
    }

    /// Has the file opened again before the next use.
    pub fn condemn(&self) {
        self.condemned.store(true, Ordering::Release);
    }

    /// Bytes of the file.
    pub fn size(&self) -> io::Result<u64> {
        redb::StorageBackend::len(&Passage(Arc::clone(&self.gate)))
    }

    /// What a failed operation is to be reported as.
    pub fn failure(&self, path: &Path, doing: &str, error: impl Into<redb::Error>) -> Error {
        failure(path, doing, error, &self.gate)
    }
}

fn builder(options: Options) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    builder
}

fn gate(disk: &dyn Disk, path: &Path, access: Access) -> Result<Arc<Gate>> {
    let doing = if access == Access::Create { "make" } else { "open" };
    disk.open(path, access).map(Gate::new).map_err(|error| io_failure(path, doing, &error))
}

/// Unlocks a file whose handle is given up. That it cannot be unlocked shows when it is opened again.
fn release(gate: &Gate) {
    gate.shut().unwrap_or_default();
}

/// Opens a file for writing once, which repairs it.
fn repair(disk: &dyn Disk, path: &Path, options: Options) -> Result<()> {
    let opened = Opened::writable(disk, path, Access::Write, options).map_err(|error| {
        error.context(format!(
            "{} was not closed properly and must be repaired, which needs to write it",
            path.display()
        ))
    })?;
    opened.close(path)
}
