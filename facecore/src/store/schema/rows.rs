//! Reading rows.

use super::values::{Change, FaceRow, NamespaceRow, PersonRow, Value};
use super::{FORMAT, keys};
use crate::error::{Error, ErrorKind, Result};
use crate::store::record::Damage;
use crate::store::{Read, RowIter, Table, sequence};

pub(super) const FORMAT_KEY: &str = "format";
pub(super) const GALLERY: &str = "gallery";
pub(super) const NEXT_FACE: &str = "next_face";
pub(super) const NEXT_NAMESPACE: &str = "next_namespace";
pub(super) const SNAPSHOT: &str = "snapshot";

/// The rows of a state. Every record's checksum is verified as it is read; a damaged one gives
/// `GalleryCorrupt`, naming it.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a>(pub &'a dyn Read);

impl<'a> Rows<'a> {
    /// The gallery's random id, which a copy keeps.
    pub fn gallery(self) -> Result<u128> {
        self.meta(GALLERY).map(u128::from_le_bytes)
    }

    /// The number of commits so far.
    pub fn sequence(self) -> Result<u64> {
        sequence(self.0)
    }

    /// The id that the next face gets.
    pub fn next_face(self) -> Result<u64> {
        self.meta(NEXT_FACE).map(u64::from_le_bytes)
    }

    /// The number that the next namespace gets.
    pub fn next_namespace(self) -> Result<u32> {
        self.meta(NEXT_NAMESPACE).map(u32::from_le_bytes)
    }

    /// The sequence number up to which (inclusive) the log was trimmed.
    pub fn snapshot(self) -> Result<u64> {
        self.meta(SNAPSHOT).map(u64::from_le_bytes)
    }

    /// The namespace called `name`.
    pub fn namespace(self, name: &str) -> Result<Option<NamespaceRow>> {
        self.value(Table::Namespaces, name.as_bytes(), || format!("namespace `{name}`"))
    }

    /// Every namespace with its name, sorted by it.
    pub fn namespaces(self) -> Result<Vec<(String, NamespaceRow)>> {
        self.namespace_entries()?.into_iter().map(|(name, row)| Ok((name, row?))).collect()
    }

    /// As [`Rows::namespaces`], with those whose record is damaged.
    pub fn namespace_entries(self) -> Result<Vec<(String, Result<NamespaceRow>)>> {
        let rows = self.0.range(Table::Namespaces, &[], None)?;
        rows.map(|row| {
            let (key, value) = row?;
            let name = text(&key, || "a namespace's name".to_owned())?;
            let row = read(&key, &value, || format!("namespace `{name}`"));
            Ok((name, row))
        })
        .collect()
    }

    /// The person whose id is `id`.
    pub fn person(self, namespace: u32, id: &str) -> Result<Option<PersonRow>> {
        self.value(Table::Persons, &keys::person(namespace, id), || format!("person `{id}`"))
    }

    /// The persons of a namespace whose ids sort from `first` on (inclusive).
    pub fn persons_from(
        self,
        namespace: u32,
        first: &str,
    ) -> Result<impl Iterator<Item = Result<(String, PersonRow)>> + use<'a>> {
        let entries = self.person_entries(namespace, first)?;
        Ok(entries.map(|entry| entry.and_then(|(id, row)| Ok((id, row?)))))
    }

    /// As [`Rows::persons_from`], with those whose record is damaged.
    pub fn person_entries(
        self,
        namespace: u32,
        first: &str,
    ) -> Result<impl Iterator<Item = Result<(String, Result<PersonRow>)>> + use<'a>> {
        let prefix = keys::namespace(namespace);
        let rows = self.0.range(Table::Persons, &keys::person(namespace, first), keys::after(&prefix).as_deref())?;
        Ok(rows.map(move |row| {
            let (key, value) = row?;
            let id = text(&key[prefix.len()..], || "a person's id".to_owned())?;
            let row = read(&key, &value, || format!("person `{id}`"));
            Ok((id, row))
        }))
    }

    /// The number of every person of a namespace with the id, in the order of the numbers.
    pub fn numbers(self, namespace: u32) -> Result<impl Iterator<Item = Result<(u32, String)>> + 'a> {
        let rows = self.starting_with(Table::Numbers, &keys::namespace(namespace))?;
        Ok(rows.map(|row| {
            let (key, id) = row?;
            let Some(number) = key.last_chunk().copied().map(u32::from_be_bytes) else {
                return Err(damaged("a person's number"));
            };
            Ok((number, text(&id, || format!("the id of person number {number}"))?))
        }))
    }

    /// The id of the person whose number is `number`.
    pub fn person_id(self, namespace: u32, number: u32) -> Result<Option<String>> {
        let id = self.0.get(Table::Numbers, &keys::number(namespace, number))?;
        id.map(|id| text(&id, || format!("the id of person number {number}"))).transpose()
    }

    /// The face whose id is `id`.
    pub fn face(self, id: u64) -> Result<Option<FaceRow>> {
        self.value(Table::Faces, &keys::face(id), || format!("face {id}"))
    }

    /// The id of every face that is stored, damaged ones included.
    pub fn face_ids(self) -> Result<impl Iterator<Item = Result<u64>> + 'a> {
        let rows = self.0.range(Table::Faces, &[], None)?;
        Ok(rows.map(|row| row?.0[..].try_into().map(u64::from_be_bytes).map_err(|_| damaged("a face's id"))))
    }

    /// The ids of a person's faces, sorted.
    pub fn faces_of(self, namespace: u32, person: u32) -> Result<Vec<u64>> {
        let faces = self.owned(&keys::number(namespace, person))?;
        let mut faces = faces.map(|face| face.map(|(_, face)| face)).collect::<Result<Vec<_>>>()?;
        faces.sort_unstable();
        Ok(faces)
    }

    /// The id of every face of a namespace with its person's number, sorted by id.
    pub fn faces_of_namespace(self, namespace: u32) -> Result<Vec<(u64, u32)>> {
        let faces = self.owned(&keys::namespace(namespace))?;
        let mut faces = faces.map(|face| face.map(|(person, face)| (face, person))).collect::<Result<Vec<_>>>()?;
        faces.sort_unstable();
        Ok(faces)
    }

    /// A face of the person with the same vector: the one of the lowest id.
    pub fn same_face(self, namespace: u32, person: u32, hash: u128) -> Result<Option<u64>> {
        let mut faces = self.owned(&keys::vector(namespace, person, hash))?;
        faces.next().transpose().map(|face| face.map(|(_, face)| face))
    }

    /// What the commits after `sequence` changed, with their sequence numbers, oldest first. A commit
    /// that changed several namespaces gives a change for each.
    pub fn log_since(self, sequence: u64) -> Result<Vec<(u64, Change)>> {
        let Some(first) = sequence.checked_add(1) else { return Ok(Vec::new()) };
        let rows = self.0.range(Table::Log, &keys::log(first, 0), None)?;
        rows.map(|row| {
            let (key, value) = row?;
            let Some(sequence) = key.first_chunk().copied().map(u64::from_be_bytes) else {
                return Err(damaged("an entry of the log"));
            };
            Ok((sequence, read(&key, &value, || format!("entry {sequence} of the log"))?))
        })
        .collect()
    }

    /// The rows whose keys begin with `prefix`.
    pub(super) fn starting_with(self, table: Table, prefix: &[u8]) -> Result<RowIter<'a>> {
        self.0.range(table, prefix, keys::after(prefix).as_deref())
    }

    /// Person and face of the keys of Owned that begin with `prefix`.
    fn owned(self, prefix: &[u8]) -> Result<impl Iterator<Item = Result<(u32, u64)>> + 'a> {
        let rows = self.starting_with(Table::Owned, prefix)?;
        Ok(rows.map(|row| keys::owner_and_face(&row?.0).ok_or_else(|| damaged("the list of a person's faces"))))
    }

    fn value<V: Value>(self, table: Table, key: &[u8], what: impl Fn() -> String) -> Result<Option<V>> {
        let value = self.0.get(table, key)?;
        value.map(|value| read(key, &value, what)).transpose()
    }

    /// The number under `name` in Meta.
    fn meta<const N: usize>(self, name: &str) -> Result<[u8; N]> {
        let value = self.0.get(Table::Meta, name.as_bytes())?;
        value.and_then(|value| value.try_into().ok()).ok_or_else(|| damaged(&format!("the gallery's `{name}`")))
    }

    /// The gallery's format, if anything was ever written.
    pub(super) fn format(self) -> Result<Option<u32>> {
        match self.0.get(Table::Meta, FORMAT_KEY.as_bytes())? {
            None => Ok(None),
            Some(_) => self.meta(FORMAT_KEY).map(u32::from_le_bytes).map(Some),
        }
    }

    /// That this version can read the gallery.
    ///
    /// Errors with `GalleryCorrupt` if it was made by a newer one, or holds no gallery at all.
    pub fn check_format(self) -> Result<()> {
        match self.format()? {
            Some(1..=FORMAT) => Ok(()),
            Some(newer) => Err(Error::new(
                ErrorKind::GalleryCorrupt,
                format!("made by a newer facecore (format {newer}; this one reads up to {FORMAT}); update facecore"),
            )),
            None => Err(Error::new(ErrorKind::GalleryCorrupt, "there is no gallery in this file")),
        }
    }
}

fn read<V: Value>(key: &[u8], value: &[u8], what: impl Fn() -> String) -> Result<V> {
    V::from_bytes(key, value).map_err(|damage| match damage {
        Damage::Version(version) => Error::new(
            ErrorKind::GalleryCorrupt,
            format!("{} was written by a newer facecore (record version {version}); update facecore", what()),
        ),
        Damage::Checksum | Damage::Form => damaged(&what()),
    })
}

fn text(bytes: &[u8], what: impl Fn() -> String) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| damaged(&what()))
}

fn damaged(what: &str) -> Error {
    let message = format!("{what} is damaged in the gallery's file; restore the gallery from a backup");
    Error::new(ErrorKind::GalleryCorrupt, message)
}
