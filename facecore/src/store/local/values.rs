//! How values lie in the file.
//!
//! A page of the database has 4 KiB: a row with a vector of 2 KiB would fill one alone, and be written with
//! a call of its own. So the large values of a commit are bundled, and their rows say where they are. A
//! bundle goes when its last value does; what is left of others is given back by compaction, which bundles
//! anew.
//!
//! | first byte | the rest of a row's value |
//! | --- | --- |
//! | 0 | the value |
//! | 1 | bundle u64, offset u32, length u32, little endian |

use std::collections::BTreeMap;

use redb::{ReadableTable as _, TableDefinition, WriteTransaction};

use super::transaction::definition;
use crate::store::Table;

/// Values end to end.
pub(super) const BUNDLES: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("bundles");
/// How many values of a bundle are in use.
const IN_USE: TableDefinition<'static, u64, u32> = TableDefinition::new("bundles_in_use");

/// Values from this length on are bundled.
const LARGE: usize = 512;
/// A bundle has at most so many bytes, unless it is a single value: with the database's own it fills 64 KiB,
/// the next power of two.
const BUNDLE: usize = 65_000;

const INLINE: u8 = 0;
const BUNDLED: u8 = 1;

/// Where a large value is.
#[derive(Clone, Copy)]
struct Place {
    bundle: u64,
    offset: u32,
    length: u32,
}

impl Place {
    /// After the first byte.
    fn put(self, stored: &mut Vec<u8>) {
        stored.extend_from_slice(&self.bundle.to_le_bytes());
        stored.extend_from_slice(&self.offset.to_le_bytes());
        stored.extend_from_slice(&self.length.to_le_bytes());
    }

    /// Of what is stored in a row after its first byte.
    fn from_bytes(bytes: &[u8]) -> Option<Place> {
        let (bundle, rest) = bytes.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let (length, []) = rest.split_first_chunk()? else { return None };
        let (offset, length) = (u32::from_le_bytes(*offset), u32::from_le_bytes(*length));
        Some(Place { bundle: u64::from_le_bytes(*bundle), offset, length })
    }

    fn of(stored: &[u8]) -> Option<Place> {
        Place::from_bytes(stored.strip_prefix(&[BUNDLED])?)
    }
}

/// The value of a row, of which `stored` is in the table; `bundle` looks one up. `None` if that makes no sense.
pub(super) fn value<E>(
    stored: &[u8],
    bundle: impl FnOnce(u64) -> Result<Option<redb::AccessGuard<'static, &'static [u8]>>, E>,
) -> Result<Option<Vec<u8>>, E> {
    if let Some(value) = stored.strip_prefix(&[INLINE]) {
        return Ok(Some(value.to_vec()));
    }
    let Some(place) = Place::of(stored) else { return Ok(None) };
    let Some(bundle) = bundle(place.bundle)? else { return Ok(None) };
    let start = place.offset as usize;
    let value = start.checked_add(place.length as usize).and_then(|end| bundle.value().get(start..end));
    Ok(value.map(<[u8]>::to_vec))
}

/// Writes rows in a transaction.
pub(super) struct Writer<'t> {
    transaction: &'t WriteTransaction,
    /// The bundle being filled, its number, and how many values it has.
    bundle: Vec<u8>,
    number: u64,
    values: u32,
    /// How many values that older bundles have lost.
    released: BTreeMap<u64, u32>,
}

impl<'t> Writer<'t> {
    pub fn new(transaction: &'t WriteTransaction) -> Result<Self, redb::Error> {
        transaction.open_table(IN_USE)?;
        let last = transaction.open_table(BUNDLES)?.last()?.map(|(number, _)| number.value());
        let number = last.map_or(0, |last| last + 1);
        Ok(Writer { transaction, bundle: Vec::new(), number, values: 0, released: BTreeMap::new() })
    }

    /// Writes rows of a table, in the order of their keys; removes those without a value.
    pub fn write<K: AsRef<[u8]>, V: AsRef<[u8]>, E: From<redb::Error>>(
        &mut self,
        table: Table,
        rows: impl Iterator<Item = Result<(K, Option<V>), E>>,
    ) -> Result<(), E> {
        let mut open = self.transaction.open_table(definition(table)).map_err(redb::Error::from)?;
        let mut stored = Vec::new();
        for row in rows {
            let (key, value) = row?;
            let old = match value {
                Some(value) => {
                    self.store(value.as_ref(), &mut stored)?;
                    open.insert(key.as_ref(), &stored[..]).map(|old| old.and_then(|old| Place::of(old.value())))
                }
                None => open.remove(key.as_ref()).map(|old| old.and_then(|old| Place::of(old.value()))),
            };
            if let Some(place) = old.map_err(redb::Error::from)? {
                *self.released.entry(place.bundle).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Makes of `stored` what the table is to hold for a value.
    fn store(&mut self, value: &[u8], stored: &mut Vec<u8>) -> Result<(), redb::Error> {
        stored.clear();
        if value.len() < LARGE {
            stored.push(INLINE);
            stored.extend_from_slice(value);
            return Ok(());
        }
        if !self.bundle.is_empty() && self.bundle.len() + value.len() > BUNDLE {
            self.end_bundle()?;
        }
        let place = Place { bundle: self.number, offset: self.bundle.len() as u32, length: value.len() as u32 };
        self.bundle.extend_from_slice(value);
        self.values += 1;
        stored.push(BUNDLED);
        place.put(stored);
        Ok(())
    }

    fn end_bundle(&mut self) -> Result<(), redb::Error> {
        self.transaction.open_table(BUNDLES)?.insert(self.number, &self.bundle[..])?;
        self.transaction.open_table(IN_USE)?.insert(self.number, self.values)?;
        self.bundle.clear();
        (self.number, self.values) = (self.number + 1, 0);
        Ok(())
    }

    /// To be called after the last row.
    pub fn finish(mut self) -> Result<(), redb::Error> {
        if !self.bundle.is_empty() {
            self.end_bundle()?;
        }
        let mut bundles = self.transaction.open_table(BUNDLES)?;
        let mut in_use = self.transaction.open_table(IN_USE)?;
        for (number, released) in self.released {
            let before = in_use.get(number)?.map_or(0, |values| values.value());
            match before.checked_sub(released).filter(|left| *left > 0) {
                Some(left) => drop(in_use.insert(number, left)?),
                None => {
                    in_use.remove(number)?;
                    bundles.remove(number)?;
                }
            }
        }
        Ok(())
    }
}
