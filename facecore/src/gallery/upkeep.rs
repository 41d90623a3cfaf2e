//! Work that is due now and then: fewer segments, and snapshots of them.
//!
//! A thread of its own makes a snapshot while changes go on. Under the writer's lock it only takes what searches see
//! as of a commit. Merging, writing and mapping need no lock, and nor does the manifest, which is true of that
//! commit whatever follows. Under the lock again, what was made takes the place of what it was made from, as far as
//! that is still there, and what the snapshot made needless is removed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::snapshot::{gallery_id, rebuild, write_manifest};
use super::view::View;
use super::{Shared, Slot};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::index::IndexKind;
use crate::store::folder::Folder;
use crate::store::schema::{Rows, RowsMut};
use crate::store::{Durability, sequence};

/// Fewer changes are left to be replayed when a gallery is closed.
const SNAPSHOT_AT_CLOSE: usize = 1000;

/// What the writer keeps account of.
pub(super) struct Upkeep {
    /// Faces and persons changed since the last snapshot.
    changed: usize,
    /// The number of the commit that searches see.
    sequence: u64,
    /// Whether a snapshot is being made.
    saving: bool,
    /// Who made the last one, or makes it.
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    pub fn new(sequence: u64) -> Upkeep {
        Upkeep { changed: 0, sequence, saving: false, thread: None }
    }

    /// A snapshot is of no use and is to be replaced.
    pub fn distrust(&mut self, of: &str, error: &Error) {
        tracing::warn!("the snapshot of {of} is built anew: {error}");
        self.changed = usize::MAX;
    }

    /// Changes that no snapshot has were found when the gallery was opened.
    pub fn committed_before(&mut self, changes: usize) {
        self.changed = self.changed.saturating_add(changes);
    }

    /// A graph is to be made, as soon as a thread can be started for it.
    pub fn lacks_graph(&mut self) {
        self.changed = usize::MAX;
    }

    pub fn committed(&mut self, changes: usize) {
        self.changed = self.changed.saturating_add(changes);
        self.sequence += 1;
    }
}

/// The number in the name of the next file: names are not used twice.
pub(super) fn next_file(folder: &Folder) -> Result<AtomicU64> {
    let numbers = folder.index_files()?.into_iter().filter_map(|name| name.split_once('.')?.0.parse().ok());
    Ok(AtomicU64::new(numbers.max().map_or(0, |number: u64| number + 1)))
}

/// A snapshot in the making.
pub(super) struct Saving {
    /// The gallery's random id, in hexadecimal.
    pub gallery: String,
    /// The commit that this is a snapshot of.
    pub sequence: u64,
    pub next_namespace: u32,
    parts: Vec<Part>,
}

/// How it is to be made.
pub(super) struct Wish<'a> {
    /// Nothing that was removed is left in it.
    pub whole: bool,
    /// Which indexes it has.
    pub kind: IndexKind,
    /// Set when somebody waits for the end: no graph is made then of whom it would take minutes.
    pub stop: &'a AtomicBool,
}

impl Shared {
    /// A snapshot in which removed rows may be left.
    pub(super) fn partial(&self) -> Wish<'_> {
        Wish { whole: false, kind: self.options.index, stop: &self.closing }
    }

    /// One in which none is.
    pub(super) fn whole(&self) -> Wish<'_> {
        Wish { whole: true, ..self.partial() }
    }
}

/// A namespace in it.
struct Part {
    slot: Arc<Slot>,
    /// What searches saw as of the commit, sealed.
    from: View,
    /// The same in fewer segments and, in a folder, mapped.
    to: View,
}

impl Saving {
    /// Tidies every index and, in a folder, writes the snapshot.
    pub fn make(&mut self, shared: &Shared, wish: &Wish<'_>) -> Result<()> {
        for Part { slot, to, .. } in &mut self.parts {
            let tidied = to.tidy(wish, &self.gallery, shared.folder.as_ref(), &shared.next_file);
            tidied.context_with(|| slot.name.clone())?;
        }
        shared.folder.as_ref().map_or(Ok(()), |folder| write_manifest(folder, self))
    }

    /// Lets go of what it was made from: not every system removes files that are mapped.
    fn forget_sources(&mut self) {
        self.parts.iter_mut().for_each(|part| part.from = View::default());
    }

    /// What it holds.
    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.parts.iter().map(|part| &part.to)
    }
}

impl Shared {
    /// Work that is due now and then after a commit. The commit stands whatever becomes of it.
    pub(super) fn keep_up(self: &Arc<Self>, upkeep: &mut Upkeep) {
        if upkeep.saving || upkeep.changed < self.options.snapshot_every {
            return;
        }
        upkeep.changed = 0;
        warn_of(self.begin_saving(upkeep).and_then(|saving| self.save_aside(saving, upkeep)));
    }

    /// Has a snapshot made by a thread.
    fn save_aside(self: &Arc<Self>, mut saving: Saving, upkeep: &mut Upkeep) -> Result<()> {
        let shared = self.clone();
        let work = move || {
            let _over = Over(&shared);
            warn_of(saving.make(&shared, &shared.partial()).and_then(|()| {
                shared.install(&saving, &mut shared.hold_still());
                // Much may be freed here, without the lock.
                saving.forget_sources();
                shared.clean_up(&saving, &mut shared.hold_still())
            }));
        };
        let thread = thread::Builder::new().name("facecore-snapshot".into()).spawn(work);
        let thread = thread.map_err(|error| Error::new(ErrorKind::Io, format!("cannot start a thread: {error}")))?;
        upkeep.saving = true;
        if let Some(before) = upkeep.thread.replace(thread) {
            join(before);
        }
        Ok(())
    }

    /// Makes a snapshot if one is due, without graphs that would have to be made. None may be in the making.
    pub(super) fn keep_up_at_once(&self, upkeep: &mut Upkeep) {
        if upkeep.changed >= self.options.snapshot_every {
            warn_of(self.save(upkeep, &Wish { stop: &AtomicBool::new(true), ..self.partial() }));
        }
    }

    /// When the last handle is gone.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        let mut upkeep = self.wait_for_snapshot(self.hold_still());
        if let Some(thread) = upkeep.thread.take() {
            join(thread);
        }
        if self.folder.is_none() || self.options.read_only {
            return;
        }
        if upkeep.changed >= SNAPSHOT_AT_CLOSE {
            warn_of(self.save(&mut upkeep, &self.partial()));
        }
        if let Err(error) = self.store.flush() {
            tracing::error!("the last changes may not be on disk: {error}");
        }
    }

    /// Waits until no snapshot is being made. Others may make changes meanwhile.
    pub(super) fn wait_for_snapshot<'a>(&self, upkeep: MutexGuard<'a, Upkeep>) -> MutexGuard<'a, Upkeep> {
        self.saved.wait_while(upkeep, |upkeep| upkeep.saving).unwrap_or_else(PoisonError::into_inner)
    }

    /// Tidies every index and, in a folder, makes a snapshot, while changes wait. None other may be in the making.
    pub(super) fn save(&self, upkeep: &mut Upkeep, wish: &Wish<'_>) -> Result<()> {
        let mut saving = self.begin_saving(upkeep)?;
        saving.make(self, wish)?;
        self.install(&saving, upkeep);
        saving.forget_sources();
        self.clean_up(&saving, upkeep)
    }

    /// Takes what a snapshot is to hold.
    pub(super) fn begin_saving(&self, upkeep: &mut Upkeep) -> Result<Saving> {
        // A snapshot must not be of a commit that a loss of power undoes, and of none but what searches see.
        self.store.flush()?;
        self.catch_up(upkeep)?;
        let read = self.store.read()?;
        let (gallery, next_namespace) = (gallery_id(&*read)?, Rows(&*read).next_namespace()?);
        let mut parts = Vec::new();
        for slot in self.slots() {
            let Some(view) = slot.view.load_full() else { continue };
            let from = view.sealed();
            slot.view.store(Some(Arc::new(from.clone())));
            parts.push(Part { slot, to: from.clone(), from });
        }
        upkeep.changed = 0;
        Ok(Saving { gallery, sequence: upkeep.sequence, next_namespace, parts })
    }

    /// Lets searches use what was made.
    pub(super) fn install(&self, saving: &Saving, _: &mut Upkeep) {
        for Part { slot, from, to } in &saving.parts {
            // A namespace that was dropped or cleared meanwhile is left as it is.
            let view = slot.view.load_full().and_then(|now| now.rebased(from, to));
            if let Some(view) = view {
                slot.view.store(Some(Arc::new(view)));
            }
        }
    }

    /// Removes what a snapshot made needless. After a crash what is left of it does no harm.
    pub(super) fn clean_up(&self, saving: &Saving, upkeep: &mut Upkeep) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        folder.keep_index_files(&saving.file_names())?;
        self.catch_up(upkeep)?;
        let mut write = self.store.write()?;
        RowsMut(&mut *write).trim_log(saving.sequence)?;
        write.commit(Durability::Relaxed)?;
        upkeep.sequence += 1;
        Ok(())
    }

    /// Lets searches see what the store has, should they have come apart: after an error of the disk relaxed
    /// commits may be lost, or a commit be there that seemed to have failed.
    pub(super) fn catch_up(&self, upkeep: &mut Upkeep) -> Result<()> {
        let read = self.store.read()?;
        let found = sequence(&*read)?;
        if found == upkeep.sequence {
            return Ok(());
        }
        tracing::warn!("the store is at commit {found}, searches were at {}: they follow", upkeep.sequence);
        let rows = Rows(&*read);
        let mut gone = self.slots();
        for (name, row) in rows.namespaces()? {
            gone.retain(|slot| slot.name != name);
            let view = rebuild(rows, &row)?;
            match self.slot(&name) {
                Some(slot) => slot.view.store(Some(Arc::new(view))),
                None => drop(self.add_slot(&name, view)),
            }
        }
        gone.iter().for_each(|slot| self.remove_slot(slot));
        (upkeep.sequence, upkeep.changed) = (found, usize::MAX);
        Ok(())
    }
}

/// Says when it is dropped, also by a panic, that the snapshot is no longer in the making.
struct Over<'a>(&'a Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.hold_still().saving = false;
        self.0.saved.notify_all();
    }
}

/// Waits for a thread that has said that it is done.
fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("the thread that wrote a snapshot panicked");
    }
}

fn warn_of(saved: Result<()>) {
    if let Err(error) = saved {
        tracing::warn!("no snapshot was written; opening the gallery will take longer: {error}");
    }
}
