//! Galleries: the people one knows, and who a face belongs to.
//!
//! A [`Gallery`] holds namespaces, a [`Namespace`] holds people, and a person has any number of
//! faces. A search compares a probe with every face and answers with people.
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

mod exchange;
mod namespace;
mod person;
mod search;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use exchange::ImportReport;
pub use namespace::Namespace;
pub use person::{EnrolledFace, FaceId, Metadata, NewFace, Person, PersonId};
pub use search::{Match, PersonFilter, SearchOptions};

use crate::error::{Result, fail};

/// Namespaces of people. Cloning is cheap and gives another handle to the same gallery; handles may
/// be used on any number of threads.
#[derive(Clone)]
pub struct Gallery {
    shared: Arc<Shared>,
}

struct Shared {
    ids: Arc<FaceIds>,
    namespaces: RwLock<BTreeMap<String, Namespace>>,
}

impl Gallery {
    /// An empty gallery that is gone when its last handle and the last of its namespaces are.
    pub fn in_memory() -> Self {
        let ids = Arc::new(FaceIds(AtomicU64::new(1)));
        Gallery { shared: Arc::new(Shared { ids, namespaces: RwLock::default() }) }
    }

    /// The namespace called `name`, created if absent.
    ///
    /// Errors with `InvalidArgument` if the name is empty or longer than 512 bytes.
    pub fn namespace(&self, name: &str) -> Result<Namespace> {
        if let Some(namespace) = self.read().get(name) {
            return Ok(namespace.clone());
        }
        person::check_name("the name of a namespace", name)?;
        let mut namespaces = self.write();
        let namespace = namespaces.entry(name.to_owned()).or_insert_with(|| self.new_namespace(name));
        Ok(namespace.clone())
    }

    /// The namespace called `name`. Errors with `NamespaceNotFound`, naming those that exist.
    pub fn existing_namespace(&self, name: &str) -> Result<Namespace> {
        let namespaces = self.read();
        match namespaces.get(name) {
            Some(namespace) => Ok(namespace.clone()),
            None => no_namespace(name, &namespaces),
        }
    }

    /// The names of all namespaces, sorted.
    pub fn namespaces(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    /// Removes a namespace with everybody in it. Handles to it stay behind but give
    /// `NamespaceNotFound`, also when a namespace of that name is made again.
    ///
    /// Errors with `NamespaceNotFound`, naming those that exist.
    pub fn drop_namespace(&self, name: &str) -> Result<()> {
        let mut namespaces = self.write();
        match namespaces.remove(name) {
            Some(namespace) => {
                *namespace.shared().state.write().unwrap_or_else(PoisonError::into_inner) = None;
                Ok(())
            }
            None => no_namespace(name, &namespaces),
        }
    }

    fn new_namespace(&self, name: &str) -> Namespace {
        Namespace::new(name, self.shared.ids.clone())
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Namespace>> {
        // Poison can be ignored: the map changes by single inserts and removals only.
        self.shared.namespaces.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Namespace>> {
        self.shared.namespaces.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_namespace<T>(name: &str, namespaces: &BTreeMap<String, Namespace>) -> Result<T> {
    if namespaces.is_empty() {
        fail!(NamespaceNotFound, "there is no namespace `{name}`; the gallery has none yet");
    }
    let names: Vec<String> = namespaces.keys().map(|name| format!("`{name}`")).collect();
    fail!(NamespaceNotFound, "there is no namespace `{name}`; the gallery has {}", names.join(", "))
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gallery").field(&self.namespaces()).finish()
    }
}

/// Gives out face ids: the next one to use.
struct FaceIds(AtomicU64);

impl FaceIds {
    fn next(&self) -> FaceId {
        // Only uniqueness matters; the faces themselves are published by locks.
        FaceId::from(self.0.fetch_add(1, Ordering::Relaxed))
    }

    /// Takes the ids `from..=to`, if none of them was ever given out, and if they leave enough room
    /// above for ids to stay below 2^53.
    fn take(&self, from: u64, to: u64) -> bool {
        let free = |next| (next <= from && to < 1 << 52).then(|| to + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).is_ok()
    }
}
