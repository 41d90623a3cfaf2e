//! Files that only their owner may read, and folders whose entries survive the loss of power.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

/// What the name of a file that is not complete ends with.
pub(crate) const UNFINISHED: &str = ".new";

/// Makes a folder, and those above it, for its owner alone (mode 0700).
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Options for a file that, if it is made, is its owner's alone (mode 0600).
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes an empty private file at `path`. What an interrupted writer left there goes first: it may not
/// be ours alone to read.
pub(crate) fn make_new(path: &Path) -> Result<File> {
    remove(path)?;
    private().read(true).write(true).create_new(true).open(path)
}

/// Removes a file if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the entries of the folder that `path` is in durable: files made, renamed and removed.
pub(crate) fn sync_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the path is no file's"))?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    sync_folder(folder)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a rename is as durable as the system makes it.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

/// Where a file is written before it is renamed to `path`.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    PathBuf::from(name)
}

/// What a failure to do something with `path` is reported as. `doing` is a verb, such as "read".
pub(crate) fn failure(path: &Path, doing: &str, error: &Error) -> crate::error::Error {
    if !matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        return crate::error::Error::io(path, doing, same(error));
    }
    let message = format!("cannot {doing} {}: {error}; free some space and try again", path.display());
    crate::error::Error::new(crate::error::ErrorKind::Io, message).with_source(same(error))
}

/// Whether what [`failure`] reported is that there is no space left.
#[cfg(feature = "download")]
pub(crate) fn is_full(error: &crate::error::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Error>());
    source.is_some_and(|source| matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
}

/// The error again, for one more who asks.
pub(crate) fn same(error: &Error) -> Error {
    match error.raw_os_error() {
        Some(code) => Error::from_raw_os_error(code),
        None => Error::new(error.kind(), error.to_string()),
    }
}
