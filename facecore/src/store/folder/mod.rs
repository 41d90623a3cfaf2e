//! The folder of a gallery: `gallery.redb` with what is true, `index/` with what can be made from it
//! again, and `lock`, which a writer holds alone and readers share.
//!
//! Faces are biometric data: what is made here only its owner may read.

#[cfg(test)]
mod tests;

use std::fs::{File, TryLockError};
use std::io::{ErrorKind as IoErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result, fail};
use crate::files;

const DATABASE: &str = "gallery.redb";
const LOCK: &str = "lock";
const INDEX: &str = "index";
/// What galleries of an older version consist of.
pub(crate) const OLD_FACES: &str = "faces.jsonl";

/// What a folder is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading, together with other readers.
    Read,
    /// Reading and writing, alone.
    Write,
}

/// The folder of a gallery, locked as long as this lives.
pub(crate) struct Folder {
    path: PathBuf,
    access: Access,
    /// The lock ends with the file, or with the process. `None` where nobody can write anyway.
    lock: Option<File>,
}

impl Folder {
    /// Opens the folder at `path` for writing; makes it if there is none.
    ///
    /// Errors with `GalleryLocked` if it is open elsewhere, `InvalidArgument` if it is a folder of other things,
    /// `Io` if it cannot be made or written.
    pub fn create(path: &Path) -> Result<Folder> {
        if path.as_os_str().is_empty() {
            fail!(InvalidArgument, "the name of a gallery's folder cannot be empty");
        }
        if !Folder::holds_gallery(path)?
            && let Some(other) = first_of_others(path)?
        {
            fail!(
                InvalidArgument,
                "{} holds other files (such as `{other}`) and no gallery; name a new or empty folder",
                path.display()
            );
        }
        files::make_folder(path).map_err(|error| files::failure(path, "make", &error))?;
        let folder = Folder { path: path.to_path_buf(), access: Access::Write, lock: Some(lock_alone(path)?) };
        let index = folder.index();
        let made = files::make_folder(&index).and_then(|()| files::sync_folder_of(&index));
        made.and_then(|()| files::sync_folder_of(path)).map_err(|error| files::failure(&index, "make", &error))?;
        Ok(folder)
    }

    /// Opens a folder that has a gallery.
    ///
    /// Errors with `Io` if it has none, `GalleryLocked` if another process is writing it (or, to write,
    /// reading it).
    pub fn open(path: &Path, access: Access) -> Result<Folder> {
        let database = path.join(DATABASE);
        if !database.try_exists().map_err(|error| files::failure(&database, "read", &error))? {
            fail!(Io, "there is no gallery in {}", path.display());
        }
        match access {
            Access::Write => Folder::create(path),
            Access::Read => Ok(Folder { path: path.to_path_buf(), access, lock: lock_shared(path)? }),
        }
    }

    /// Whether there is a gallery in the folder at `path`. Errors with `Io` if that may not be known.
    pub fn holds_gallery(path: &Path) -> Result<bool> {
        let database = path.join(DATABASE);
        database.try_exists().map_err(|error| files::failure(&database, "read", &error))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is called.
    pub fn name(&self) -> String {
        name(&self.path)
    }

    /// Bytes of the index's files.
    pub fn index_bytes(&self) -> Result<u64> {
        let bytes = |name: &String| {
            let path = self.index_file(name);
            match std::fs::metadata(&path) {
                Ok(file) => Ok(file.len()),
                // It was renamed or removed meanwhile.
                Err(error) if error.kind() == IoErrorKind::NotFound => Ok(0),
                Err(error) => Err(files::failure(&path, "read", &error)),
            }
        };
        self.index_names()?.iter().map(bytes).sum()
    }

    /// Removes a file of the folder, if it is there, for good.
    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        let removed = files::remove(&path).and_then(|()| files::sync_folder_of(&path));
        removed.map_err(|error| files::failure(&path, "remove", &error))
    }

    /// The file of the gallery's rows.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The file called `name` of the index.
    pub fn index_file(&self, name: &str) -> PathBuf {
        self.index().join(name)
    }

    /// The names of the index's files, sorted; without those that a crash left unfinished.
    pub fn index_files(&self) -> Result<Vec<String>> {
        let mut names = self.index_names()?;
        names.retain(|name| !name.ends_with(files::UNFINISHED));
        Ok(names)
    }

    /// Removes all files of the index but those called as in `keep`.
    ///
    /// Errors with `InvalidArgument` if the folder is open for reading only.
    pub fn keep_index_files(&self, keep: &[&str]) -> Result<()> {
        if self.access == Access::Read {
            fail!(
                InvalidArgument,
                "{} is open for reading only; open it for writing to change it",
                self.path.display()
            );
        }
        for name in self.index_names()?.iter().filter(|name| !keep.contains(&name.as_str())) {
            let path = self.index_file(name);
            files::remove(&path).map_err(|error| files::failure(&path, "remove", &error))?;
        }
        Ok(())
    }

    fn index(&self) -> PathBuf {
        self.path.join(INDEX)
    }

    /// Names that are no UTF-8 are not ours.
    fn index_names(&self) -> Result<Vec<String>> {
        let failed = |error| files::failure(&self.index(), "read", &error);
        let entries = match std::fs::read_dir(self.index()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry.map_err(failed)?.file_name().into_string().ok());
        }
        names.sort_unstable();
        Ok(names)
    }
}

impl Drop for Folder {
    /// A lock file without a process says that the writer closed the gallery. Unlocking what is closed
    /// anyway matters to a process that is being started meanwhile, which has a copy of the handle.
    fn drop(&mut self) {
        let Some(lock) = &self.lock else { return };
        if self.access == Access::Write {
            lock.set_len(0).unwrap_or_default();
        }
        lock.unlock().unwrap_or_default();
    }
}

/// A file in the folder, if it is there, that a gallery does not bring; hidden ones do not count.
fn first_of_others(path: &Path) -> Result<Option<String>> {
    let failed = |error| files::failure(path, "read", &error);
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        let ours = [LOCK, INDEX, OLD_FACES, "lost+found"].contains(&&*name) || name.starts_with(DATABASE);
        if !ours && !name.starts_with('.') {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Locks a folder for one writer, whose process is then named in the lock file.
fn lock_alone(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let failed = |error: std::io::Error| {
        if !is_refusal(&error) {
            return files::failure(&path, "lock", &error);
        }
        let remedy = "open the gallery read-only, or as a user who may write it";
        Error::new(ErrorKind::Io, format!("cannot write {}: {error}; {remedy}", path.display())).with_source(error)
    };
    let mut file = files::private().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(failed(error)),
        Err(TryLockError::WouldBlock) => return Err(locked(folder, &file)),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
    Ok(file)
}

/// Locks a folder together with other readers. There is no lock where the folder has no lock file and
/// this user cannot make one: on a read-only medium.
fn lock_shared(folder: &Path) -> Result<Option<File>> {
    let path = folder.join(LOCK);
    let opened = match File::open(&path) {
        Err(error) if error.kind() == IoErrorKind::NotFound => {
            files::private().read(true).write(true).create(true).truncate(false).open(&path)
        }
        opened => opened,
    };
    let file = match opened {
        Ok(file) => file,
        Err(error) if !path.exists() && is_refusal(&error) => return Ok(None),
        Err(error) => return Err(files::failure(&path, "lock", &error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(locked(folder, &file)),
        Err(TryLockError::Error(error)) => Err(files::failure(&path, "lock", &error)),
    }
}

fn is_refusal(error: &std::io::Error) -> bool {
    matches!(error.kind(), IoErrorKind::PermissionDenied | IoErrorKind::ReadOnlyFilesystem)
}

/// Who has the lock that `file` did not get.
fn locked(folder: &Path, file: &File) -> Error {
    let name = name(folder);
    // Readers share it: what was refused to us alone is then granted.
    let message = if file.try_lock_shared().is_ok() {
        file.unlock().unwrap_or_default();
        format!("gallery `{name}` is open for reading elsewhere; close it there, or wait")
    } else {
        let holder = std::fs::read_to_string(folder.join(LOCK)).unwrap_or_default();
        if holder.trim() == std::process::id().to_string() {
            let message = format!("gallery `{name}` is open in this process already; use that one, or close it first");
            return Error::new(ErrorKind::GalleryLocked, message);
        }
        let (who, that) = match holder.trim() {
            "" => ("another process".to_owned(), "it"),
            pid => (format!("process {pid}"), "that process"),
        };
        format!("gallery `{name}` is being written by {who}; open it read-only when {that} has closed it, or wait")
    };
    Error::new(ErrorKind::GalleryLocked, message)
}

/// What the folder is called, also where it is given as `.` or `office/`.
fn name(folder: &Path) -> String {
    let real = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    real.file_name().unwrap_or(real.as_os_str()).to_string_lossy().into_owned()
}
