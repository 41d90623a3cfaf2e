//! Galleries: the people one knows, and who a face belongs to.
//!
//! A [`Gallery`] holds namespaces, a [`Namespace`] holds people, and a person has any number of
//! faces. A search compares a probe with every face and answers with people.
//!
//! A gallery lives in memory, or in a folder ([`Gallery::open`]): then a change is on disk when the call
//! returns, whatever becomes of the process or the power after it.
//!
//! ```
//! use facecore::embedding::{Embedding, EmbeddingSpace};
//! use facecore::gallery::Gallery;
//!
//! # fn main() -> facecore::Result<()> {
//! let space = EmbeddingSpace::new("example-64", 0.4);
//! let face = |angle: f32| {
//!     Embedding::from_raw((0..64).map(|i| (i as f32 * angle).cos()).collect::<Vec<_>>(), space.clone())
//! };
//!
//! let staff = Gallery::in_memory().namespace("staff")?;
//! staff.add("ada", &face(0.10)?)?;
//! staff.add("bo", &face(0.50)?)?;
//!
//! let found = staff.identify(&face(0.101)?)?.expect("ada is near");
//! assert_eq!(found.person, "ada");
//! assert!(found.score > 0.95 && found.margin > 0.5);
//! assert!(staff.identify(&face(0.9)?)?.is_none());
//! # Ok(())
//! # }
//! ```

mod batch;
mod change;
mod directory;
mod exchange;
mod health;
mod namespace;
mod open;
mod person;
mod search;
mod snapshot;
#[cfg(test)]
mod tests;
mod upkeep;
mod view;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use arc_swap::ArcSwapOption;

pub use batch::{Batch, Done};
#[cfg(feature = "exchange")]
#[doc(hidden)]
pub use exchange::read_npz;
#[cfg(feature = "exchange")]
pub use exchange::{CsvPeople, CsvRow, read_csv};
pub use exchange::{ExportOptions, ExportReport, Format, ImportFailure, ImportOptions, ImportReport, Progress, Step};
pub use health::{NamespaceStats, Stats, VerifyReport};
pub use namespace::Namespace;
pub use open::GalleryOptions;
pub use person::{EnrolledFace, FaceId, Metadata, NewFace, Person, PersonId};
pub use search::{Match, PersonFilter, Reach, SearchOptions, Vote};

pub use crate::index::IndexKind;
pub use crate::store::Durability;

use crate::error::{Error, ErrorKind, Result, fail};
use crate::store::Store;
use crate::store::folder::Folder;
use change::Change;
use upkeep::Upkeep;
use view::View;

/// Namespaces of people. Cloning is cheap and gives another handle to the same gallery; handles may
/// be used on any number of threads.
///
/// A gallery in a folder is closed when its last handle and the last of its namespaces are gone.
#[derive(Clone)]
pub struct Gallery {
    shared: Arc<Closing>,
}

/// Closes the gallery when the last handle is gone: then and there, though a thread that makes a snapshot has a part
/// in what is shared.
struct Closing(Arc<Shared>);

/// What the handles of a gallery and of its namespaces have in common.
struct Shared {
    store: Box<dyn Store>,
    /// `None` in memory. Held, it keeps other writers out.
    folder: Option<Folder>,
    options: GalleryOptions,
    namespaces: RwLock<BTreeMap<String, Arc<Slot>>>,
    /// Held by the one who changes something, from before the transaction until its result is published.
    writer: Mutex<Upkeep>,
    /// Signalled when a snapshot is no longer in the making.
    saved: Condvar,
    /// The number in the name of the index's next file.
    next_file: AtomicU64,
    /// Set when the last handle is gone.
    closing: AtomicBool,
}

/// A namespace's place in the gallery.
struct Slot {
    name: String,
    /// What searches see; `None` once the namespace is dropped.
    view: ArcSwapOption<View>,
}

impl Gallery {
    /// An empty gallery that is gone when its last handle and the last of its namespaces are.
    pub fn in_memory() -> Self {
        Gallery::in_memory_with(&GalleryOptions::default())
    }

    /// As [`Gallery::in_memory`]. Of the options only those matter that are not about files:
    /// [`GalleryOptions::index`] and [`GalleryOptions::snapshot_every`].
    pub fn in_memory_with(options: &GalleryOptions) -> Self {
        open::in_memory(options)
    }

    /// The gallery in a folder, which is made if it is not there; see [`GalleryOptions`] for other wishes.
    ///
    /// Errors with `GalleryLocked` if another process has it open, `GalleryCorrupt` if it is damaged beyond what
    /// is repaired by itself or was made by a newer version, and `Io`.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        Gallery::open_with(folder, &GalleryOptions::default())
    }

    /// The gallery in a folder.
    ///
    /// Errors as [`Gallery::open`] does, and with `GalleryNotFound` if there is none and none is to be made.
    pub fn open_with(folder: impl AsRef<Path>, options: &GalleryOptions) -> Result<Self> {
        open::open(folder.as_ref(), options)
    }

    /// The folder it lives in; `None` in memory.
    pub fn folder(&self) -> Option<&Path> {
        self.shared.folder.as_ref().map(Folder::path)
    }

    /// The namespace called `name`, created if absent.
    ///
    /// Errors with `InvalidArgument` if the name is empty or longer than 512 bytes, and as every change does.
    pub fn namespace(&self, name: &str) -> Result<Namespace> {
        if let Some(slot) = self.shared.slot(name) {
            return Ok(self.handle(slot));
        }
        person::check_name("the name of a namespace", name)?;
        if self.shared.options.read_only {
            return Err(no_namespace(name, &self.namespaces()));
        }
        let mut writer = self.shared.lock()?;
        // Somebody else may have been faster.
        if let Some(slot) = self.shared.slot(name) {
            return Ok(self.handle(slot));
        }
        let mut change = self.shared.begin(&mut writer)?;
        let number = change.add_namespace(name)?;
        self.shared.commit(change, &mut writer)?;
        Ok(self.handle(self.shared.add_slot(name, View { number, ..View::default() })))
    }

    /// The namespace called `name`. Errors with `NamespaceNotFound`, naming those that exist.
    pub fn existing_namespace(&self, name: &str) -> Result<Namespace> {
        match self.shared.slot(name) {
            Some(slot) => Ok(self.handle(slot)),
            None => Err(no_namespace(name, &self.namespaces())),
        }
    }

    /// The names of all namespaces, sorted.
    pub fn namespaces(&self) -> Vec<String> {
        self.shared.slots().iter().map(|slot| slot.name.clone()).collect()
    }

    /// Removes a namespace with everybody in it. Handles to it stay behind but give
    /// `NamespaceNotFound`, also when a namespace of that name is made again.
    ///
    /// Errors with `NamespaceNotFound`, naming those that exist.
    pub fn drop_namespace(&self, name: &str) -> Result<()> {
        let mut writer = self.shared.lock()?;
        let Some(slot) = self.shared.slot(name) else {
            return Err(no_namespace(name, &self.namespaces()));
        };
        let mut change = self.shared.begin(&mut writer)?;
        change.drop_namespace(&slot)?;
        self.shared.commit(change, &mut writer)?;
        self.shared.remove_slot(&slot);
        self.shared.keep_up(&mut writer);
        Ok(())
    }

    fn handle(&self, slot: Arc<Slot>) -> Namespace {
        Namespace::new(slot, self.shared.clone())
    }

    /// Makes durable what was changed so far. Of use with [`Durability::Relaxed`] only.
    pub fn flush(&self) -> Result<()> {
        if self.shared.options.read_only { Ok(()) } else { self.shared.store.flush() }
    }
}

impl Shared {
    /// Keeps others from changing anything. The holder must not wait for the thread pool, whose threads may all be
    /// waiting for the holder. Errors with `GalleryReadOnly`.
    fn lock(&self) -> Result<MutexGuard<'_, Upkeep>> {
        if self.options.read_only {
            let name = self.folder.as_ref().map(|folder| folder.name()).unwrap_or_default();
            fail!(GalleryReadOnly, "gallery `{name}` was opened for reading only; open it for writing to change it");
        }
        Ok(self.hold_still())
    }

    /// Keeps others from changing anything for a moment.
    fn hold_still(&self) -> MutexGuard<'_, Upkeep> {
        // Poison can be ignored: a transaction that was not committed has changed nothing.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a transaction, commits it, and lets searches see the outcome.
    fn transact<T>(self: &Arc<Self>, make: impl FnOnce(&mut Change<'_>) -> Result<T>) -> Result<T> {
        let mut upkeep = self.lock()?;
        let mut change = self.begin(&mut upkeep)?;
        let made = make(&mut change)?;
        self.commit(change, &mut upkeep)?;
        self.keep_up(&mut upkeep);
        Ok(made)
    }

    /// Begins a transaction on what searches see. After an error of the disk the store may be elsewhere: then
    /// searches follow first.
    fn begin(&self, upkeep: &mut Upkeep) -> Result<Change<'_>> {
        self.catch_up(upkeep)?;
        Change::begin(self)
    }

    fn commit(&self, change: Change<'_>, upkeep: &mut Upkeep) -> Result<()> {
        match change.commit(self) {
            Ok(outcome) => {
                for (slot, view) in outcome.published {
                    slot.view.store(Some(Arc::new(view)));
                }
                upkeep.committed(outcome.changes);
                Ok(())
            }
            Err(error) => {
                if let Err(worse) = self.catch_up(upkeep) {
                    tracing::error!("the gallery cannot be read after an error: {worse}");
                }
                Err(error)
            }
        }
    }

    fn slot(&self, name: &str) -> Option<Arc<Slot>> {
        // Poison can be ignored here and below: the map changes by single inserts and removals only.
        self.namespaces.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn slots(&self) -> Vec<Arc<Slot>> {
        self.namespaces.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn add_slot(&self, name: &str, view: View) -> Arc<Slot> {
        let slot = Arc::new(Slot { name: name.to_owned(), view: ArcSwapOption::from_pointee(view) });
        self.insert_slot(slot.clone());
        slot
    }

    fn remove_slot(&self, slot: &Slot) {
        slot.view.store(None);
        self.namespaces.write().unwrap_or_else(PoisonError::into_inner).remove(&slot.name);
    }

    fn insert_slot(&self, slot: Arc<Slot>) {
        self.namespaces.write().unwrap_or_else(PoisonError::into_inner).insert(slot.name.clone(), slot);
    }
}

impl Deref for Closing {
    type Target = Arc<Shared>;

    fn deref(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.close();
    }
}

impl Slot {
    /// Errors with `NamespaceNotFound` if the namespace was dropped.
    fn view(&self) -> Result<Arc<View>> {
        match self.view.load_full() {
            Some(view) => Ok(view),
            None => fail!(NamespaceNotFound, "namespace `{}` was dropped", self.name),
        }
    }
}

fn no_namespace(name: &str, existing: &[String]) -> Error {
    let message = if existing.is_empty() {
        format!("there is no namespace `{name}`; the gallery has none yet")
    } else {
        let names: Vec<String> = existing.iter().map(|name| format!("`{name}`")).collect();
        format!("there is no namespace `{name}`; the gallery has {}", names.join(", "))
    };
    Error::new(ErrorKind::NamespaceNotFound, message)
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gallery").field(&self.namespaces()).finish()
    }
}
