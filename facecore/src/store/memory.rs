//! A store in memory: sorted maps behind one lock.
//!
//! A write changes the maps in place and keeps what it replaced, to put it back if it is dropped. That
//! makes small commits cheap, which is what a gallery in memory sees most; the price is that a write
//! waits for all reads to end. Holding a read while waiting for a write on the same thread never ends.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Durability, Read, RowIter, Store, Table, Write, count_commit};
use crate::error::{Result, fail};

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// One map for each table.
#[derive(Default)]
struct Tables([Map; Table::ALL.len()]);

impl Tables {
    fn map(&self, table: Table) -> &Map {
        &self.0[table as usize]
    }

    fn map_mut(&mut self, table: Table) -> &mut Map {
        &mut self.0[table as usize]
    }

    fn get(&self, table: Table, key: &[u8]) -> Option<Vec<u8>> {
        self.map(table).get(key).cloned()
    }

    fn range(&self, table: Table, from: &[u8], to: Option<&[u8]>) -> RowIter<'_> {
        if to.is_some_and(|to| to <= from) {
            return Box::new(std::iter::empty());
        }
        let bounds = (Bound::Included(from), to.map_or(Bound::Unbounded, Bound::Excluded));
        let rows = self.map(table).range::<[u8], _>(bounds);
        Box::new(rows.map(|(key, value)| Ok((key.clone(), value.clone()))))
    }
}

/// A store that ends with the process.
#[derive(Default)]
pub(crate) struct Memory {
    tables: RwLock<Tables>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Memory::default()
    }
}

impl Store for Memory {
    fn read(&self) -> Result<Box<dyn Read + '_>> {
        // A writer that panicked has put everything back before its guard was dropped.
        Ok(Box::new(Reading(self.tables.read().unwrap_or_else(PoisonError::into_inner))))
    }

    fn write(&self) -> Result<Box<dyn Write + '_>> {
        let tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(Writing { tables, replaced: Vec::new() }))
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn keeps_vectors(&self) -> bool {
        false
    }

    fn compact(&self) -> Result<()> {
        Ok(())
    }

    fn copy_to(&self, file: &Path) -> Result<()> {
        fail!(
            InvalidArgument,
            "a gallery in memory has no file to copy to {}; export it, or open the gallery in a folder",
            file.display()
        )
    }

    fn size(&self) -> Result<u64> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let bytes = |map: &Map| map.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum::<u64>();
        Ok(tables.0.iter().map(bytes).sum())
    }
}

struct Reading<'a>(RwLockReadGuard<'a, Tables>);

impl Read for Reading<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(table, key))
    }

    fn range(&self, table: Table, from: &[u8], to: Option<&[u8]>) -> Result<RowIter<'_>> {
        Ok(self.0.range(table, from, to))
    }
}

struct Writing<'a> {
    tables: RwLockWriteGuard<'a, Tables>,
    /// What each change replaced, in the order of the changes.
    replaced: Vec<(Table, Vec<u8>, Option<Vec<u8>>)>,
}

impl Read for Writing<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.tables.get(table, key))
    }

    fn range(&self, table: Table, from: &[u8], to: Option<&[u8]>) -> Result<RowIter<'_>> {
        Ok(self.tables.range(table, from, to))
    }
}

impl Write for Writing<'_> {
    fn put(&mut self, table: Table, key: &[u8], value: Vec<u8>) -> Result<()> {
        let old = self.tables.map_mut(table).insert(key.to_vec(), value);
        self.replaced.push((table, key.to_vec(), old));
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<bool> {
        let Some((key, old)) = self.tables.map_mut(table).remove_entry(key) else { return Ok(false) };
        self.replaced.push((table, key, Some(old)));
        Ok(true)
    }

    fn commit(mut self: Box<Self>, _: Durability) -> Result<()> {
        count_commit(&mut *self)?;
        self.replaced.clear();
        Ok(())
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        while let Some((table, key, old)) = self.replaced.pop() {
            let map = self.tables.map_mut(table);
            match old {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
    }
}
