//! The disk under a store's file, behind a trait so that tests can put a failing one in its place.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Result};
use std::path::Path;

use redb::StorageBackend;

use crate::files;

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Access {
    /// Reading an existing file, together with other readers.
    Read,
    /// Reading and writing an existing file, alone.
    Write,
    /// Writing a new file, alone, in place of one that an interrupted writer left.
    Create,
}

/// Files by path. Errors are the operating system's; `WouldBlock` means that somebody else has the file.
pub(in crate::store) trait Disk: Send + Sync {
    fn open(&self, path: &Path, access: Access) -> Result<Box<dyn StorageBackend>>;

    fn exists(&self, path: &Path) -> Result<bool>;

    /// Removes a file if it is there.
    fn remove(&self, path: &Path) -> Result<()>;

    /// Puts one file in place of another. Whether it stays so is certain after `sync_folder_of`.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Makes the entries of the folder that `path` is in durable.
    fn sync_folder_of(&self, path: &Path) -> Result<()>;
}

/// The operating system's files.
pub(in crate::store) struct SystemDisk;

impl Disk for SystemDisk {
    fn open(&self, path: &Path, access: Access) -> Result<Box<dyn StorageBackend>> {
        let file = match access {
            Access::Read => File::open(path)?,
            Access::Write => OpenOptions::new().read(true).write(true).open(path)?,
            Access::Create => files::make_new(path)?,
        };
        let locked = if access == Access::Read { file.try_lock_shared() } else { file.try_lock() };
        match locked {
            Ok(()) => Ok(Box::new(LockedFile(file))),
            Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
            // Some network file systems have no locks; the folder's lock file says so first.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(Box::new(LockedFile(file))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        path.try_exists()
    }

    fn remove(&self, path: &Path) -> Result<()> {
        files::remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_folder_of(&self, path: &Path) -> Result<()> {
        files::sync_folder_of(path)
    }
}

/// A file that is locked until `close`.
struct LockedFile(File);

impl fmt::Debug for LockedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StorageBackend for LockedFile {
    fn len(&self) -> Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        at::read(&self.0, offset, out)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        at::write(&self.0, offset, data)
    }

    fn close(&self) -> Result<()> {
        match self.0.unlock() {
            Err(error) if error.kind() != ErrorKind::Unsupported => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(unix)]
mod at {
    use std::fs::File;
    use std::io::Result;
    use std::os::unix::fs::FileExt as _;

    pub fn read(file: &File, offset: u64, out: &mut [u8]) -> Result<()> {
        file.read_exact_at(out, offset)
    }

    pub fn write(file: &File, offset: u64, data: &[u8]) -> Result<()> {
        file.write_all_at(data, offset)
    }
}

#[cfg(windows)]
mod at {
    use std::fs::File;
    use std::io::{ErrorKind, Result};
    use std::os::windows::fs::FileExt as _;

    pub fn read(file: &File, mut offset: u64, mut out: &mut [u8]) -> Result<()> {
        while !out.is_empty() {
            match file.seek_read(out, offset)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                read => (out, offset) = (&mut out[read..], offset + read as u64),
            }
        }
        Ok(())
    }

    pub fn write(file: &File, mut offset: u64, mut data: &[u8]) -> Result<()> {
        while !data.is_empty() {
            match file.seek_write(data, offset)? {
                0 => return Err(ErrorKind::WriteZero.into()),
                written => (data, offset) = (&data[written..], offset + written as u64),
            }
        }
        Ok(())
    }
}
