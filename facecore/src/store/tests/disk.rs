//! A disk in memory that can lose power, fail, and be full.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use super::Random;
use crate::store::local::{Access, Disk};

const BLOCK: u64 = 4096;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// The n-th sync from the beginning, counted from 1, and all after it are never made.
    PowerAtSync(u64),
    /// The n-th operation of any kind fails, once.
    ErrorAt(u64),
    /// From the n-th operation on, there are no blocks for data where none were before.
    FullFrom(u64),
}

type Names = BTreeMap<PathBuf, Arc<Mutex<SimFile>>>;

#[derive(Debug, Default)]
struct SimFile {
    bytes: Vec<u8>,
    /// What survives for certain, and what came after it.
    synced: Vec<u8>,
    unsynced: Vec<Change>,
    /// Blocks that have a place on the disk.
    blocks: BTreeSet<u64>,
}

#[derive(Debug, Clone)]
enum Change {
    Length(usize),
    Write(usize, Vec<u8>),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::Length(length) => bytes.resize(*length, 0),
            Change::Write(at, data) => {
                bytes.resize(bytes.len().max(at + data.len()), 0);
                bytes[*at..at + data.len()].copy_from_slice(data);
            }
        }
    }
}

#[derive(Debug)]
struct State {
    names: Names,
    /// What the folder may be after power was lost: the first for certain if nothing else is.
    possible_names: Vec<Names>,
    fault: Fault,
    operations: u64,
    syncs: u64,
    off: bool,
    hit: bool,
}

/// Files in memory.
#[derive(Debug, Clone)]
pub(super) struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    pub fn new(fault: Fault) -> Self {
        SimDisk::with(Names::new(), fault)
    }

    fn with(names: Names, fault: Fault) -> Self {
        let possible_names = vec![names.clone()];
        SimDisk(Arc::new(Mutex::new(State {
            names,
            possible_names,
            fault,
            operations: 0,
            syncs: 0,
            off: false,
            hit: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Whether the fault has occurred.
    pub fn was_hit(&self) -> bool {
        self.state().hit
    }

    /// Takes the fault away.
    pub fn heal(&self) {
        self.state().fault = Fault::None;
    }

    /// What is on the disk when power is back: a random part of what was not synced, or nothing of it
    /// for an even seed.
    pub fn after_power_loss(&self, seed: u64) -> SimDisk {
        let mut random = Random(seed);
        let mut keep = |n: u64| !seed.is_multiple_of(2) && random.below(n) > 0;
        let state = self.state();
        let names = state.possible_names.iter().rev().find(|_| keep(2)).unwrap_or(&state.possible_names[0]);
        let restarted = names.iter().map(|(path, file)| {
            let file = file.lock().unwrap();
            let mut bytes = file.synced.clone();
            file.unsynced.iter().filter(|_| keep(3)).for_each(|change| change.apply(&mut bytes));
            let blocks = (0..=bytes.len() as u64 / BLOCK).collect();
            let file = SimFile { synced: bytes.clone(), bytes, unsynced: Vec::new(), blocks };
            (path.clone(), Arc::new(Mutex::new(file)))
        });
        SimDisk::with(restarted.collect(), Fault::None)
    }

    /// Counts an operation and gives what it fails with. `new_blocks`: whether it needs any.
    fn operation(&self, new_blocks: bool) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.operations += 1;
        match state.fault {
            _ if state.off => Err(Error::other("the power is off")),
            Fault::ErrorAt(at) if state.operations == at => {
                state.hit = true;
                Err(Error::other("injected"))
            }
            Fault::FullFrom(at) if state.operations >= at && new_blocks => {
                state.hit = true;
                Err(ErrorKind::StorageFull.into())
            }
            _ => Ok(state),
        }
    }

    /// Counts a sync too.
    fn sync(&self) -> Result<MutexGuard<'_, State>> {
        let mut state = self.operation(false)?;
        state.syncs += 1;
        state.off = state.fault == Fault::PowerAtSync(state.syncs);
        state.hit |= state.off;
        if state.off { Err(Error::other("the power is off")) } else { Ok(state) }
    }

    fn change_names(&self, new_blocks: bool, change: impl FnOnce(&mut Names)) -> Result<()> {
        let mut state = self.operation(new_blocks)?;
        change(&mut state.names);
        let names = state.names.clone();
        state.possible_names.push(names);
        Ok(())
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, access: Access) -> Result<Box<dyn StorageBackend>> {
        if access == Access::Create {
            self.change_names(true, |names| drop(names.insert(path.to_owned(), Arc::default())))?;
        }
        let state = self.operation(false)?;
        let file = state.names.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(OpenFile { disk: self.clone(), file: Arc::clone(file) }))
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        Ok(self.operation(false)?.names.contains_key(path))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.change_names(false, |names| drop(names.remove(path)))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.change_names(false, |names| {
            let file = names.remove(from).expect("renamed files exist");
            names.insert(to.to_owned(), file);
        })
    }

    fn sync_folder_of(&self, _: &Path) -> Result<()> {
        let mut state = self.sync()?;
        state.possible_names = vec![state.names.clone()];
        Ok(())
    }
}

#[derive(Debug)]
struct OpenFile {
    disk: SimDisk,
    file: Arc<Mutex<SimFile>>,
}

impl OpenFile {
    fn file(&self) -> MutexGuard<'_, SimFile> {
        self.file.lock().unwrap()
    }

    fn change(&self, change: Change) {
        let mut file = self.file();
        change.apply(&mut file.bytes);
        file.unsynced.push(change);
    }
}

impl StorageBackend for OpenFile {
    fn len(&self) -> Result<u64> {
        drop(self.disk.operation(false)?);
        Ok(self.file().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        drop(self.disk.operation(false)?);
        let file = self.file();
        let bytes = file.bytes.get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        drop(self.disk.operation(false)?);
        self.file().blocks.retain(|block| *block <= len / BLOCK);
        self.change(Change::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        drop(self.disk.sync()?);
        let mut file = self.file();
        for change in std::mem::take(&mut file.unsynced) {
            change.apply(&mut file.synced);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let blocks = offset / BLOCK..(offset + data.len() as u64).div_ceil(BLOCK);
        let new = blocks.clone().any(|block| !self.file().blocks.contains(&block));
        drop(self.disk.operation(new)?);
        self.file().blocks.extend(blocks);
        self.change(Change::Write(offset as usize, data.to_vec()));
        Ok(())
    }
}
