//! What a gallery holds, kept durably: an ordered byte key-value store with a few tables, and typed rows
//! over it. Search is somebody else's business; what is here is true, and an index is made from it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `memory.rs` | a store that is gone when it is dropped |
//! | `local/` | a store in one file |
//! | `schema/`, `record.rs` | the rows of a gallery, and their bytes |
//! | `sections/`, `mapped.rs` | immutable files of checked sections, for snapshots of an index |
//! | `folder/` | a gallery's folder: names, modes, the lock |

pub(crate) mod folder;
#[doc(hidden)]
pub mod fuzz;
pub(crate) mod local;
mod mapped;
pub(crate) mod memory;
mod record;
pub(crate) mod schema;
pub(crate) mod sections;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::error::{Result, fail};

/// The tables of a gallery. Keys sort by their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    /// Single values under fixed names.
    Meta,
    /// What is known of a namespace, by its name.
    Namespaces,
    /// What is known of a person, by namespace and id.
    Persons,
    /// A person's id, by namespace and number.
    Numbers,
    /// What is known of a face, by its id.
    Faces,
    /// Whose face it is, by namespace, person and vector.
    Owned,
    /// What changed, by the sequence number of the commit.
    Log,
}

impl Table {
    /// Every table, in the order of its discriminant.
    pub const ALL: [Table; 7] =
        [Table::Meta, Table::Namespaces, Table::Persons, Table::Numbers, Table::Faces, Table::Owned, Table::Log];

    /// What the table is called in a file. Part of the format.
    pub const fn name(self) -> &'static str {
        match self {
            Table::Meta => "meta",
            Table::Namespaces => "namespaces",
            Table::Persons => "persons",
            Table::Numbers => "numbers",
            Table::Faces => "faces",
            Table::Owned => "owned",
            Table::Log => "log",
        }
    }
}

/// When a commit survives the loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Once `commit` has returned.
    Full,
    /// Once the next full commit or `flush` has returned; readers see it at once.
    Relaxed,
}

/// A key with its value.
pub(crate) type Row = (Vec<u8>, Vec<u8>);

/// Rows in the order of their keys.
pub(crate) type RowIter<'a> = Box<dyn Iterator<Item = Result<Row>> + 'a>;

/// One consistent state, however long this lives and whatever is written meanwhile.
pub(crate) trait Read {
    /// The value of `key`.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// The rows from `from` (inclusive) to `to` (exclusive; `None` is the table's end).
    fn range(&self, table: Table, from: &[u8], to: Option<&[u8]>) -> Result<RowIter<'_>>;
}

/// Changes that become visible together. It reads its own changes; dropped without a commit, also by a
/// panic, it changes nothing.
pub(crate) trait Write: Read {
    /// Sets the value of `key`.
    fn put(&mut self, table: Table, key: &[u8], value: Vec<u8>) -> Result<()>;

    /// Removes `key`; tells whether it was there.
    fn delete(&mut self, table: Table, key: &[u8]) -> Result<bool>;

    /// Makes the changes visible and counts [`SEQUENCE`] up by one.
    ///
    /// An error means that nothing was changed, unless its message says that this could not be found
    /// out. A file that had to be opened again after an error of its disk may also have lost relaxed
    /// commits that were not flushed; this error says so, or the one of the next `write` or `flush` does.
    /// Whoever keeps a copy of the state compares [`sequence`] after an error.
    fn commit(self: Box<Self>, durability: Durability) -> Result<()>;
}

/// A key-value store. Any number of threads may read while one writes.
pub(crate) trait Store: Send + Sync {
    /// The state as of the last commit.
    fn read(&self) -> Result<Box<dyn Read + '_>>;

    /// Begins to change; waits until no other thread does.
    fn write(&self) -> Result<Box<dyn Write + '_>>;

    /// Makes relaxed commits durable.
    fn flush(&self) -> Result<()>;

    /// Whether faces are to be stored with their vectors. Where nothing survives the process, the
    /// index's copy is enough.
    fn keeps_vectors(&self) -> bool;

    /// Gives unused space back. Afterwards nothing of deleted rows is left in the store's file. Reads go
    /// on meanwhile; writers wait.
    fn compact(&self) -> Result<()>;

    /// Writes the state as of the last commit to a new file, while readers and writers go on.
    fn copy_to(&self, file: &Path) -> Result<()>;

    /// Bytes in use: of the file, or of keys and values in memory.
    fn size(&self) -> Result<u64>;
}

/// The key in [`Table::Meta`] of the number of commits so far: 8 bytes, little endian.
pub(crate) const SEQUENCE: &[u8] = b"sequence";

/// The number of commits so far, relaxed ones included.
pub(crate) fn sequence(read: &(impl Read + ?Sized)) -> Result<u64> {
    let Some(value) = read.get(Table::Meta, SEQUENCE)? else { return Ok(0) };
    match value.try_into() {
        Ok(bytes) => Ok(u64::from_le_bytes(bytes)),
        Err(_) => fail!(GalleryCorrupt, "the gallery's `sequence` is damaged; restore it from a backup"),
    }
}

/// Counts the commit that is about to be made; gives its number.
fn count_commit(write: &mut impl Write) -> Result<u64> {
    let next = sequence(write)? + 1;
    write.put(Table::Meta, SEQUENCE, next.to_le_bytes().into())?;
    Ok(next)
}
