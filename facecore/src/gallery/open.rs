//! Opening galleries.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, RwLock};

use super::upkeep::{self, Upkeep};
use super::{Closing, Durability, Gallery, IndexKind, Shared, snapshot};
use crate::error::{Error, Result, fail};
use crate::store::folder::{Access, Folder, OLD_FACES};
use crate::store::local::{self, Local};
use crate::store::memory::Memory;
use crate::store::schema::{self, Rows};
use crate::store::{Store, sequence};

/// What older versions of the command line kept a gallery in.
const OLD_UNFINISHED: &str = "faces.jsonl.new";

/// How a gallery is opened. By default it is made if it is not there, may be changed, and every change is on
/// disk when the call returns.
#[derive(Debug, Clone)]
pub struct GalleryOptions {
    pub(super) create: bool,
    pub(super) read_only: bool,
    pub(super) durability: Durability,
    pub(super) cache_bytes: usize,
    pub(super) snapshot_every: usize,
    pub(super) index: IndexKind,
}

impl Default for GalleryOptions {
    fn default() -> Self {
        GalleryOptions {
            create: true,
            read_only: false,
            durability: Durability::Full,
            cache_bytes: 64 << 20,
            snapshot_every: 32_768,
            index: IndexKind::Auto,
        }
    }
}

impl GalleryOptions {
    /// Whether the gallery is made if it is not there; if not, `GalleryNotFound` is given.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Opens the gallery for reading: any number of processes may do so at a time, as long as none has it open
    /// for writing. Nothing is made or changed on disk, except what a crashed writer left to be repaired.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// When changes are on disk. [`Durability::Relaxed`] is for loading much at once that could be loaded again:
    /// a loss of power or a crash may then cost the last changes, but never leaves one half done.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// After how many changed faces and people what searches need is written to files; 32,768 by default. A gallery
    /// that was not closed has to replay that many when it is opened (0.2 s for 32,000 faces of 512 dimensions), and so
    /// many vectors stay on the heap instead of being mapped. A thread writes them while changes go on.
    #[must_use]
    pub fn snapshot_every(mut self, changes: usize) -> Self {
        self.snapshot_every = changes.max(1);
        self
    }

    /// What faces are found with; [`IndexKind::Auto`] by default. It may be another one each time a gallery is opened.
    #[must_use]
    pub fn index(mut self, index: IndexKind) -> Self {
        self.index = index;
        self
    }

    /// Memory for the rows read last, in bytes; 64 MiB by default. Searches do not need it.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }
}

pub(super) fn in_memory(options: &GalleryOptions) -> Gallery {
    let store = Memory::new();
    let prepared = schema::prepare(&store).and_then(|()| sequence(&*store.read()?));
    let sequence = prepared.expect("a store in memory cannot fail");
    let shared = Shared {
        store: Box::new(store),
        folder: None,
        // What is not on disk cannot be opened for reading only.
        options: GalleryOptions { read_only: false, ..options.clone() },
        namespaces: RwLock::new(BTreeMap::new()),
        writer: Mutex::new(Upkeep::new(sequence)),
        saved: Condvar::new(),
        next_file: AtomicU64::new(0),
        closing: AtomicBool::new(false),
    };
    Gallery { shared: Arc::new(Closing(Arc::new(shared))) }
}

pub(super) fn open(path: &Path, options: &GalleryOptions) -> Result<Gallery> {
    let old = path.join(OLD_FACES);
    let exists = Folder::holds_gallery(path)?;
    if options.read_only && old.exists() {
        fail!(GalleryNotFound, "{} was made by an older version: open it for writing once", path.display());
    }
    if !exists && (options.read_only || !(options.create || old.exists())) {
        fail!(GalleryNotFound, "there is no gallery in {}", path.display());
    }
    let folder = if options.read_only { Folder::open(path, Access::Read)? } else { Folder::create(path)? };
    let gallery = assemble(folder, options).map_err(|error| error.context(format!("gallery {}", path.display())))?;
    // Also after an attempt that failed: a face that was imported is not imported again.
    if !options.read_only && old.exists() {
        take_over(&gallery, &old)?;
    }
    Ok(gallery)
}

fn assemble(folder: Folder, options: &GalleryOptions) -> Result<Gallery> {
    let local = local::Options { cache_bytes: options.cache_bytes, read_only: options.read_only };
    let store = Local::open(&folder.database(), local)?;
    if options.read_only {
        Rows(&*store.read()?).check_format()?;
    } else {
        schema::prepare(&store)?;
    }
    let upkeep = Upkeep::new(sequence(&*store.read()?)?);
    let shared = Shared {
        store: Box::new(store),
        next_file: upkeep::next_file(&folder)?,
        folder: Some(folder),
        options: options.clone(),
        namespaces: RwLock::new(BTreeMap::new()),
        writer: Mutex::new(upkeep),
        saved: Condvar::new(),
        closing: AtomicBool::new(false),
    };
    snapshot::load(&shared)?;
    let shared = Arc::new(shared);
    if !options.read_only {
        shared.keep_up(&mut shared.hold_still());
    }
    Ok(Gallery { shared: Arc::new(Closing(shared)) })
}

/// Imports what an older version wrote, and removes it: nobody would look there for biometric data.
fn take_over(gallery: &Gallery, old: &Path) -> Result<()> {
    let file = File::open(old).map_err(|error| Error::io(old, "read", error))?;
    gallery.import(BufReader::new(file)).map_err(|error| error.context(old.display().to_string()))?;
    [OLD_FACES, OLD_UNFINISHED].iter().try_for_each(|name| match &gallery.shared.folder {
        Some(folder) => folder.remove(name),
        None => Ok(()),
    })
}
