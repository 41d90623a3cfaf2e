//! Reads and writes of one state of the file.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, MutexGuard};

use redb::{ReadOnlyTable, ReadTransaction, TableDefinition, WriteTransaction};

use super::failure::corrupt;
use super::values::{self, BUNDLES, Writer};
use super::{Local, Opened};
use crate::error::{Error, Result};
use crate::store::{Durability, Read, RowIter, Table, Write, count_commit, sequence};

/// How redb knows a table.
pub(super) fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

/// Runs what redb may panic in when the file holds what it never wrote.
pub(super) fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    // Nothing that the closure leaves half-done is used again but the handle, which is checked anew.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(corrupt(path, "its structure makes no sense")))
}

/// A state of the file. The fields are dropped in order: the handle last.
pub(super) struct Reading<'a> {
    path: &'a Path,
    tables: [OnceCell<ReadOnlyTable<&'static [u8], &'static [u8]>>; Table::ALL.len()],
    bundles: OnceCell<ReadOnlyTable<u64, &'static [u8]>>,
    transaction: ReadTransaction,
    opened: Arc<Opened>,
}

impl<'a> Reading<'a> {
    pub fn begin(path: &'a Path, opened: Arc<Opened>) -> Result<Self> {
        let transaction = guarded(path, || opened.begin_read().map_err(|error| opened.failure(path, "read", error)))?;
        Ok(Reading { path, tables: Default::default(), bundles: OnceCell::new(), transaction, opened })
    }

    fn failed(&self, error: impl Into<redb::Error>) -> Error {
        self.opened.failure(self.path, "read", error)
    }

    fn table(&self, table: Table) -> Result<&ReadOnlyTable<&'static [u8], &'static [u8]>> {
        let cell = &self.tables[table as usize];
        if let Some(open) = cell.get() {
            return Ok(open);
        }
        let open = self.transaction.open_table(definition(table)).map_err(|error| self.failed(error))?;
        Ok(cell.get_or_init(|| open))
    }

    /// The value of a row, of which `stored` is in the table.
    fn value(&self, stored: &[u8]) -> Result<Vec<u8>> {
        let bundle = |number| {
            let bundles = match self.bundles.get() {
                Some(open) => open,
                None => {
                    let open = self.transaction.open_table(BUNDLES).map_err(|error| self.failed(error))?;
                    self.bundles.get_or_init(|| open)
                }
            };
            bundles.get(number).map_err(|error| self.failed(error))
        };
        values::value(stored, bundle)?.ok_or_else(|| corrupt(self.path, "a row is not where it is said to be"))
    }
}

impl Read for Reading<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        guarded(self.path, || {
            let stored = self.table(table)?.get(key).map_err(|error| self.failed(error))?;
            stored.map(|stored| self.value(stored.value())).transpose()
        })
    }

    fn range(&self, table: Table, from: &[u8], to: Option<&[u8]>) -> Result<RowIter<'_>> {
        if to.is_some_and(|to| to <= from) {
            return Ok(Box::new(std::iter::empty()));
        }
        let mut rows = guarded(self.path, || {
            let table = self.table(table)?;
            let rows = match to {
                Some(to) => table.range::<&[u8]>(from..to),
                None => table.range::<&[u8]>(from..),
            };
            rows.map_err(|error| self.failed(error))
        })?;
        let mut next = move || {
            guarded(self.path, || match rows.next() {
                None => Ok(None),
                Some(Ok((key, stored))) => Ok(Some((key.value().to_vec(), self.value(stored.value())?))),
                Some(Err(error)) => Err(self.failed(error)),
            })
            .transpose()
        };
        let mut over = false;
        Ok(Box::new(std::iter::from_fn(move || {
            let row = if over { None } else { next() };
            over = !matches!(row, Some(Ok(_)));
            row
        })))
    }
}

/// Changes to the file: gathered in memory, and written with the commit, table by table in the order of their
/// keys, which is several times as fast as one by one.
pub(super) struct Writing<'a> {
    store: &'a Local,
    /// What is changed.
    base: Reading<'a>,
    /// For each table the new values; `None` for a row that is removed.
    changes: [Changes; Table::ALL.len()],
    _turn: MutexGuard<'a, ()>,
}

type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

impl<'a> Writing<'a> {
    pub fn begin(store: &'a Local, opened: Arc<Opened>, turn: MutexGuard<'a, ()>) -> Result<Self> {
        let base = Reading::begin(store.path(), opened)?;
        Ok(Writing { store, base, changes: Default::default(), _turn: turn })
    }

    /// A transaction with all the changes, which are freed on the way: while they are at hand that is cheap.
    fn transaction(&mut self) -> Result<WriteTransaction> {
        let changes = std::mem::take(&mut self.changes);
        let (path, opened) = (self.store.path(), &self.base.opened);
        guarded(path, || {
            let failed = |error| opened.failure(path, "write", error);
            let transaction = opened.begin_write().map_err(failed)?;
            write_all(&transaction, changes).map_err(failed)?;
            Ok(transaction)
        })
    }
}

fn write_all(transaction: &WriteTransaction, changes: [Changes; Table::ALL.len()]) -> Result<(), redb::Error> {
    let mut writer = Writer::new(transaction)?;
    for (table, changes) in Table::ALL.into_iter().zip(changes) {
        if !changes.is_empty() {
            writer.write(table, changes.into_iter().map(Ok::<_, redb::Error>))?;
        }
    }
    writer.finish()
}

impl Read for Writing<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.changes[table as usize].get(key) {
            Some(value) => Ok(value.clone()),
            None => self.base.get(table, key),
        }
    }

    fn range(&self, table: Table, from: &[u8], to: Option<&[u8]>) -> Result<RowIter<'_>> {
        if to.is_some_and(|to| to <= from) {
            return Ok(Box::new(std::iter::empty()));
        }
        let bounds = (Bound::Included(from), to.map_or(Bound::Unbounded, Bound::Excluded));
        let mut changes = self.changes[table as usize].range::<[u8], _>(bounds).peekable();
        let mut base = self.base.range(table, from, to)?.peekable();
        Ok(Box::new(std::iter::from_fn(move || {
            loop {
                let changed = match (base.peek(), changes.peek()) {
                    (Some(Ok((key, _))), Some((changed, _))) => key >= *changed,
                    (None, Some(_)) => true,
                    _ => false,
                };
                if !changed {
                    return base.next();
                }
                let (key, value) = changes.next()?;
                base.next_if(|row| matches!(row, Ok((old, _)) if old == key));
                if let Some(value) = value {
                    return Some(Ok((key.clone(), value.clone())));
                }
            }
        })))
    }
}

impl Write for Writing<'_> {
    fn put(&mut self, table: Table, key: &[u8], value: Vec<u8>) -> Result<()> {
        self.changes[table as usize].insert(key.to_vec(), Some(value));
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<bool> {
        let found = self.get(table, key)?.is_some();
        if found {
            self.changes[table as usize].insert(key.to_vec(), None);
        }
        Ok(found)
    }

    fn commit(mut self: Box<Self>, durability: Durability) -> Result<()> {
        let number = count_commit(&mut *self)?;
        let transaction = self.transaction()?;
        self.store.commit(transaction, durability, number, &self.base.opened)
    }
}

/// The number of commits in the state that `opened` shows.
pub(super) fn commits(path: &Path, opened: &Arc<Opened>) -> Result<u64> {
    sequence(&Reading::begin(path, Arc::clone(opened))?)
}
