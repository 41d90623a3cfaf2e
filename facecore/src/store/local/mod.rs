//! A store in one file: redb, opened again after an I/O error, and compacted by copying.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `disk.rs` | files, behind a trait |
//! | `gate.rs` | what lets a file be opened again under readers |
//! | `opened.rs` | a handle to redb, for writing or only for reading |
//! | `transaction.rs` | reads and writes |
//! | `copy.rs` | compaction and copies |
//! | `failure.rs` | redb's errors as ours |

mod copy;
mod disk;
mod failure;
mod gate;
mod opened;
mod transaction;
mod values;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

#[cfg(test)]
pub(in crate::store) use disk::Access;
pub(in crate::store) use disk::Disk;
use disk::SystemDisk;
use failure::io_failure;
use opened::Opened;
use redb::WriteTransaction;
use transaction::{Reading, Writing, commits};

use super::{Durability, Read, Store, Write};
use crate::error::{Error, Result, fail};
use crate::files::unfinished;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    /// Bytes of the file that are kept in memory, and twice as much as a large write gathers.
    pub cache_bytes: usize,
    /// Whether the file is left as it is.
    pub read_only: bool,
}

impl Default for Options {
    /// A cache of 64 MiB, for writing.
    fn default() -> Self {
        Options { cache_bytes: 64 << 20, read_only: false }
    }
}

/// A store in a file.
pub(crate) struct Local {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    options: Options,
    opened: RwLock<Arc<Opened>>,
    /// Held by the one who writes, and while the file is replaced.
    turn: Mutex<()>,
    /// The number of the last commit that is in the file or will be with the next flush. Changed under
    /// a lock on `opened`.
    last: AtomicU64,
    /// How many commits were found missing when the file was opened again, until a writer is told.
    lost: AtomicU64,
}

impl Local {
    /// Opens the store in the file at `path`; makes it if there is none, unless only reading is asked
    /// for. Its folder must exist.
    ///
    /// After a crash the file is repaired first, which reads all of it; where only reading is asked for,
    /// that needs the right to write it.
    ///
    /// Errors with `GalleryLocked` if it is open elsewhere, `GalleryCorrupt` if it is damaged or of
    /// another kind, `Io` if it cannot be read or written.
    pub fn open(path: &Path, options: Options) -> Result<Local> {
        Local::open_on(Arc::new(SystemDisk), path, options)
    }

    /// [`Local::open`] with the file on `disk`.
    pub(in crate::store) fn open_on(disk: Arc<dyn Disk>, path: &Path, options: Options) -> Result<Local> {
        if !options.read_only {
            let failed = |error| io_failure(path, "make", &error);
            disk.remove(&unfinished(path)).map_err(failed)?;
            if !disk.exists(path).map_err(failed)? {
                copy::make(&*disk, path, None, options)?;
            }
        }
        let opened = Arc::new(Opened::open(&*disk, path, options)?);
        let last = AtomicU64::new(commits(path, &opened)?);
        Ok(Local {
            path: path.to_path_buf(),
            disk,
            options,
            opened: RwLock::new(opened),
            turn: Mutex::new(()),
            last,
            lost: AtomicU64::new(0),
        })
    }

    pub(in crate::store) fn path(&self) -> &Path {
        &self.path
    }

    /// The handle to use: the one there is, or after an I/O error a new one.
    fn current(&self) -> Result<Arc<Opened>> {
        let opened = Arc::clone(&self.opened.read().unwrap_or_else(PoisonError::into_inner));
        if opened.has_failed() { self.reopen(&opened) } else { Ok(opened) }
    }

    /// Opens the file again in place of `failed`, unless another thread has done so. Reads that are
    /// under way fail when they need more of the file.
    fn reopen(&self, failed: &Arc<Opened>) -> Result<Arc<Opened>> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&opened, failed) {
            return Ok(Arc::clone(&opened));
        }
        failed.shut();
        // A compaction may have renamed the file without learning whether that lasts.
        self.disk.sync_folder_of(&self.path).map_err(|error| io_failure(&self.path, "open", &error))?;
        let again = Arc::new(Opened::open(&*self.disk, &self.path, self.options)?);
        let found = commits(&self.path, &again)?;
        let missing = self.last.swap(found, Ordering::Relaxed).saturating_sub(found);
        self.lost.fetch_add(missing, Ordering::Relaxed);
        *opened = again;
        Ok(Arc::clone(&opened))
    }

    fn take_turn(&self, what: &str) -> Result<std::sync::MutexGuard<'_, ()>> {
        if self.options.read_only {
            fail!(
                InvalidArgument,
                "{} is open for reading only; open it for writing to {what} it",
                self.path.display()
            );
        }
        Ok(self.turn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Commits commit number `number`. After an error it is looked up in the file whether it is in.
    fn commit(
        &self,
        mut transaction: WriteTransaction,
        durability: Durability,
        number: u64,
        opened: &Arc<Opened>,
    ) -> Result<()> {
        let durability = match durability {
            Durability::Full => redb::Durability::Immediate,
            Durability::Relaxed => redb::Durability::None,
        };
        // Nobody opens the file again before the outcome is noted.
        let in_use = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        let done = match transaction.set_durability(durability) {
            Ok(()) => transaction.commit().map_err(redb::Error::from),
            Err(error) => Err(error.into()),
        };
        if done.is_ok() {
            self.last.store(number, Ordering::Relaxed);
        }
        drop(in_use);
        done.or_else(|error| {
            let failed = opened.failure(&self.path, "write", error);
            self.settle(number, opened, failed)
        })
    }

    /// Whether the commit that failed with `failed` is in the file after all.
    fn settle(&self, number: u64, opened: &Arc<Opened>, failed: Error) -> Result<()> {
        opened.condemn();
        let found = self.reopen(opened).and_then(|opened| commits(&self.path, &opened));
        let outcome = match (found, self.lost.swap(0, Ordering::Relaxed)) {
            (Err(error), _) => format!("whether the change was made could not be found out: {error}"),
            (Ok(last), 0) if last >= number => return Ok(()),
            (Ok(_), 0) => "nothing was changed".to_owned(),
            (Ok(_), lost) => format!("nothing was changed, and {lost} earlier changes that were not flushed are lost"),
        };
        let message = format!("{} ({outcome})", failed.message());
        Err(Error::new(failed.kind(), message).with_source(failed))
    }

    /// Tells a writer, once, that commits before it are gone.
    fn tell_of_losses(&self) -> Result<()> {
        match self.lost.swap(0, Ordering::Relaxed) {
            0 => Ok(()),
            lost => fail!(
                Io,
                "{lost} changes to {} that were not flushed are lost after an error of its disk; make them again",
                self.path.display()
            ),
        }
    }
}

impl Store for Local {
    fn read(&self) -> Result<Box<dyn Read + '_>> {
        Ok(Box::new(Reading::begin(&self.path, self.current()?)?))
    }

    fn write(&self) -> Result<Box<dyn Write + '_>> {
        let turn = self.take_turn("change")?;
        let opened = self.current()?;
        self.tell_of_losses()?;
        Ok(Box::new(Writing::begin(self, opened, turn)?))
    }

    fn flush(&self) -> Result<()> {
        let _turn = self.take_turn("flush")?;
        let opened = self.current()?;
        self.tell_of_losses()?;
        let number = commits(&self.path, &opened)?;
        let begun = opened.begin_write().map_err(|error| opened.failure(&self.path, "write", error))?;
        self.commit(begun, Durability::Full, number, &opened)
    }

    fn keeps_vectors(&self) -> bool {
        true
    }

    fn compact(&self) -> Result<()> {
        let _turn = self.take_turn("compact")?;
        self.tell_of_losses()?;
        let new = unfinished(&self.path);
        let replacement = copy::write_and_open(&*self.disk, &new, &*self.read()?, self.options)?;
        let failed = |error| io_failure(&self.path, "replace", &error);
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.disk.rename(&new, &self.path) {
            copy::discard(&*self.disk, &new);
            return Err(failed(error));
        }
        *opened = Arc::new(replacement);
        self.disk.sync_folder_of(&self.path).map_err(|error| {
            // Until the folder is synced the old file might come back: the next use syncs it first.
            opened.condemn();
            failed(error)
        })
    }

    fn copy_to(&self, file: &Path) -> Result<()> {
        if self.disk.exists(file).map_err(|error| io_failure(file, "write", &error))? {
            fail!(InvalidArgument, "{} exists already; name a new file for the copy", file.display());
        }
        copy::make(&*self.disk, file, Some(&*self.read()?), self.options)
    }

    fn size(&self) -> Result<u64> {
        self.current()?.size().map_err(|error| io_failure(&self.path, "read", &error))
    }
}
