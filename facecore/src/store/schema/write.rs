//! Writing rows.

use std::hash::{BuildHasher as _, RandomState};

use super::rows::{FORMAT_KEY, GALLERY, NEXT_FACE, NEXT_NAMESPACE, Rows, SNAPSHOT};
use super::values::{Change, FaceRow, NamespaceRow, PersonRow, Value};
use super::{FORMAT, keys};
use crate::error::Result;
use crate::store::{Durability, Store, Table, Write};

/// Makes an empty store a gallery's; checks that a store that is one can be read.
///
/// Errors with `GalleryCorrupt` if it was made by a newer version.
pub(crate) fn prepare(store: &dyn Store) -> Result<()> {
    let read = store.read()?;
    if Rows(&*read).format()?.is_some() {
        return Rows(&*read).check_format();
    }
    drop(read);
    let mut write = store.write()?;
    let mut rows = RowsMut(&mut *write);
    rows.put_meta(FORMAT_KEY, &FORMAT.to_le_bytes())?;
    rows.put_meta(GALLERY, &random_id().to_le_bytes())?;
    rows.put_meta(SNAPSHOT, &0u64.to_le_bytes())?;
    rows.set_next_face(1)?;
    rows.set_next_namespace(1)?;
    write.commit(Durability::Full)
}

/// 128 bits that no other gallery has: SipHash under a key that the standard library takes from the
/// operating system's random numbers.
fn random_id() -> u128 {
    let state = RandomState::new();
    (u128::from(state.hash_one(0)) << 64) | u128::from(state.hash_one(1))
}

/// The rows of a write, to be changed.
pub(crate) struct RowsMut<'a>(pub &'a mut (dyn Write + 'a));

impl RowsMut<'_> {
    /// The rows as changed so far.
    pub fn rows(&self) -> Rows<'_> {
        Rows(self.0)
    }

    /// Sets the id that the next face gets.
    pub fn set_next_face(&mut self, id: u64) -> Result<()> {
        self.put_meta(NEXT_FACE, &id.to_le_bytes())
    }

    /// Sets the number that the next namespace gets.
    pub fn set_next_namespace(&mut self, number: u32) -> Result<()> {
        self.put_meta(NEXT_NAMESPACE, &number.to_le_bytes())
    }

    /// Adds or changes a namespace.
    pub fn put_namespace(&mut self, name: &str, row: &NamespaceRow) -> Result<()> {
        self.put(Table::Namespaces, name.as_bytes(), row)
    }

    /// Removes a namespace with everybody in it; tells whether there was one.
    pub fn delete_namespace(&mut self, name: &str) -> Result<bool> {
        let Some(NamespaceRow { number, .. }) = self.rows().namespace(name)? else { return Ok(false) };
        for (face, _) in self.rows().faces_of_namespace(number)? {
            self.0.delete(Table::Faces, &keys::face(face))?;
        }
        for table in [Table::Owned, Table::Numbers, Table::Persons] {
            self.delete_starting_with(table, &keys::namespace(number))?;
        }
        self.0.delete(Table::Namespaces, name.as_bytes())
    }

    /// Adds or changes a person, who keeps the number for life.
    pub fn put_person(&mut self, namespace: u32, id: &str, row: &PersonRow) -> Result<()> {
        self.0.put(Table::Numbers, &keys::number(namespace, row.number), id.into())?;
        self.put(Table::Persons, &keys::person(namespace, id), row)
    }

    /// Gives a person another id, which nobody has.
    pub fn rename_person(&mut self, namespace: u32, id: &str, new_id: &str) -> Result<()> {
        if let Some(row) = self.rows().person(namespace, id)? {
            self.0.delete(Table::Persons, &keys::person(namespace, id))?;
            self.put_person(namespace, new_id, &row)?;
        }
        Ok(())
    }

    /// Removes a person with all faces, whose records need not be readable; tells whether there was one.
    pub fn delete_person(&mut self, namespace: u32, id: &str, number: u32) -> Result<bool> {
        for face in self.rows().faces_of(namespace, number)? {
            self.0.delete(Table::Faces, &keys::face(face))?;
        }
        self.delete_starting_with(Table::Owned, &keys::number(namespace, number))?;
        self.0.delete(Table::Numbers, &keys::number(namespace, number))?;
        self.0.delete(Table::Persons, &keys::person(namespace, id))
    }

    /// Adds a face, or changes one that keeps its owner and vector; to change those, delete it first.
    pub fn put_face(&mut self, id: u64, row: &FaceRow) -> Result<()> {
        self.0.put(Table::Owned, &keys::owned(row.namespace, row.person, row.hash, id), Vec::new())?;
        self.put(Table::Faces, &keys::face(id), row)
    }

    /// Removes a face; tells whether there was one.
    pub fn delete_face(&mut self, id: u64) -> Result<bool> {
        let Some(row) = self.rows().face(id)? else { return Ok(false) };
        self.0.delete(Table::Owned, &keys::owned(row.namespace, row.person, row.hash, id))?;
        self.0.delete(Table::Faces, &keys::face(id))
    }

    /// Removes a face whose record cannot be read; tells whether it was a face of the namespace.
    pub fn delete_damaged_face(&mut self, namespace: u32, id: u64) -> Result<bool> {
        let rows = self.rows().starting_with(Table::Owned, &keys::namespace(namespace))?;
        let keys_of_face = rows.map(|row| row.map(|(key, _)| key));
        let is_of_face = |key: &Vec<u8>| keys::owner_and_face(key).is_some_and(|(_, face)| face == id);
        let found = keys_of_face.filter(|key| key.as_ref().map_or(true, is_of_face)).collect::<Result<Vec<_>>>()?;
        if found.is_empty() {
            return Ok(false);
        }
        for key in found {
            self.0.delete(Table::Owned, &key)?;
        }
        self.0.delete(Table::Faces, &keys::face(id))
    }

    /// Notes what this write changes in a namespace, under the sequence number that its commit gets.
    /// A second note for the same namespace replaces the first.
    pub fn put_log(&mut self, change: &Change) -> Result<()> {
        let sequence = self.rows().sequence()? + 1;
        self.put(Table::Log, &keys::log(sequence, change.namespace), change)
    }

    /// Forgets what the commits up to `sequence` (inclusive) changed: a snapshot has it.
    pub fn trim_log(&mut self, sequence: u64) -> Result<()> {
        let rows =
            self.0.range(Table::Log, &[], sequence.checked_add(1).map(u64::to_be_bytes).as_ref().map(|k| &k[..]))?;
        let old = rows.map(|row| row.map(|(key, _)| key)).collect::<Result<Vec<_>>>()?;
        for key in old {
            self.0.delete(Table::Log, &key)?;
        }
        self.put_meta(SNAPSHOT, &sequence.to_le_bytes())
    }

    fn put(&mut self, table: Table, key: &[u8], row: &impl Value) -> Result<()> {
        self.0.put(table, key, row.to_bytes(key))
    }

    fn put_meta(&mut self, name: &str, value: &[u8]) -> Result<()> {
        self.0.put(Table::Meta, name.as_bytes(), value.to_vec())
    }

    fn delete_starting_with(&mut self, table: Table, prefix: &[u8]) -> Result<()> {
        let rows = self.rows().starting_with(table, prefix)?;
        let found = rows.map(|row| row.map(|(key, _)| key)).collect::<Result<Vec<_>>>()?;
        for key in found {
            self.0.delete(table, &key)?;
        }
        Ok(())
    }
}
