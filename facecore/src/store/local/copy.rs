//! New files with the rows of a state: to begin with, for compaction, and for copies.
//!
//! A file is complete and durable under another name before it is renamed, so that a crash leaves the
//! old file or the new one.

use std::path::Path;

use super::Options;
use super::disk::Disk;
use super::failure::io_failure;
use super::opened::Opened;
use super::transaction::definition;
use super::values::Writer;
use crate::error::{Error, Result};
use crate::files::unfinished;
use crate::store::{Read, Table};

/// Makes the file at `path`, with the rows of `source` if there is one.
pub(super) fn make(disk: &dyn Disk, path: &Path, source: Option<&dyn Read>, options: Options) -> Result<()> {
    let new = unfinished(path);
    let made = write(disk, &new, source, options).and_then(|()| {
        let renamed = disk.rename(&new, path).and_then(|()| disk.sync_folder_of(path));
        renamed.map_err(|error| io_failure(path, "make", &error))
    });
    made.inspect_err(|_| discard(disk, &new))
}

/// Writes the rows of `source` to a new file at `path` and opens it.
pub(super) fn write_and_open(disk: &dyn Disk, path: &Path, source: &dyn Read, options: Options) -> Result<Opened> {
    let opened = write(disk, path, Some(source), options).and_then(|()| Opened::open(disk, path, options));
    opened.inspect_err(|_| discard(disk, path))
}

/// Removes an unfinished file. The error that led here says more than one about the remains could.
pub(super) fn discard(disk: &dyn Disk, path: &Path) {
    disk.remove(path).unwrap_or_default();
}

fn write(disk: &dyn Disk, path: &Path, source: Option<&dyn Read>, options: Options) -> Result<()> {
    let opened = Opened::create(disk, path, options)?;
    fill(&opened, path, source)?;
    // Closing trims the file to what it needs, and syncs it.
    opened.close(path)
}

/// All rows in one transaction: in the order of keys, so that pages are written once.
fn fill(opened: &Opened, path: &Path, source: Option<&dyn Read>) -> Result<()> {
    let failed = |error: redb::Error| opened.failure(path, "write", error);
    let transaction = opened.begin_write().map_err(failed)?;
    for table in Table::ALL {
        transaction.open_table(definition(table)).map_err(|error| failed(error.into()))?;
    }
    let mut writer = Writer::new(&transaction).map_err(failed)?;
    if let Some(source) = source {
        for table in Table::ALL {
            let rows = source.range(table, &[], None)?;
            let rows = rows.map(|row| row.map(|(key, value)| (key, Some(value))).map_err(Failure::Source));
            writer.write(table, rows).map_err(|failure| match failure {
                Failure::Source(error) => error,
                Failure::Copy(error) => failed(error),
            })?;
        }
    }
    writer.finish().map_err(failed)?;
    transaction.commit().map_err(|error| failed(error.into()))
}

/// Which side of a copy failed.
enum Failure {
    Source(Error),
    Copy(redb::Error),
}

impl From<redb::Error> for Failure {
    fn from(error: redb::Error) -> Self {
        Failure::Copy(error)
    }
}
