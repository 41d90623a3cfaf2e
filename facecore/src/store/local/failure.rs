//! What redb reports, as our errors.

use std::io;
use std::path::Path;

use super::gate::Gate;
use crate::error::{Error, ErrorKind};
use crate::files;

/// What a failed operation on `path` is to be reported as. `doing` is a verb, such as "read".
pub(super) fn failure(path: &Path, doing: &str, error: impl Into<redb::Error>, gate: &Gate) -> Error {
    match error.into() {
        redb::Error::Io(error) => io_failure(path, doing, &error),
        error @ (redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::LockPoisoned(_)) => {
            match gate.cause() {
                Some(cause) => io_failure(path, doing, &cause),
                None => Error::new(ErrorKind::Io, format!("cannot {doing} {}: {error}", path.display())),
            }
        }
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => locked(path),
        error @ redb::Error::ValueTooLarge(_) => {
            Error::new(ErrorKind::InvalidArgument, format!("cannot {doing} {}: {error}", path.display()))
        }
        error => corrupt(path, &error.to_string()),
    }
}

/// A failure of the disk or of the rights to it.
pub(super) fn io_failure(path: &Path, doing: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => locked(path),
        // How redb says that a file ends before its contents do, or is of another kind.
        io::ErrorKind::UnexpectedEof => corrupt(path, "the file is cut off"),
        io::ErrorKind::InvalidData => corrupt(path, &error.to_string()),
        _ => files::failure(path, doing, error),
    }
}

/// The file is not what was written.
pub(super) fn corrupt(path: &Path, how: &str) -> Error {
    let message = format!("{} is damaged ({how}); restore the gallery from a backup", path.display());
    Error::new(ErrorKind::GalleryCorrupt, message)
}

fn locked(path: &Path) -> Error {
    let message = format!("{} is open elsewhere; close it there, or wait", path.display());
    Error::new(ErrorKind::GalleryLocked, message)
}
