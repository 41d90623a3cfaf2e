//! How a pack gets into the cache: it is put together and tested beside it, and then renamed, so that it is there
//! wholly or not at all.

use std::fs::{File, TryLockError};
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cache::{Packs, RECORD, make_folder};
use super::report::{Listener, Stage, tell};
use super::{InstalledPack, names};
use crate::error::{Result, fail};
use crate::files;

/// Where the locks are: no name of a pack begins with a dot.
const LOCKS: &str = ".locks";
/// The pack that another takes the place of, until it has.
const OLD: &str = "old";
/// What the name of a file that is being downloaded ends with.
const PART: &str = ".part";
/// How often a process looks whether the one that it waits for is done.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The place where a pack is put together, and the right to change the one in the cache: no other process has it
/// meanwhile. Dropped, it leaves the cache as it was, and of the work what a download can go on from.
pub(super) struct Staging {
    target: PathBuf,
    work: PathBuf,
    /// The lock ends with the process, if not before.
    lock: File,
}

impl Staging {
    /// Waits until nobody else changes the pack, and clears away what an interrupted run left.
    ///
    /// Errors with `Cancelled`, and with `Io`.
    pub fn begin(packs: &Packs, name: &str, listener: &mut Listener) -> Result<Staging> {
        names::check(name)?;
        if let Some(other) = packs.named_alike(name)? {
            fail!(
                InvalidArgument,
                "there is a pack {other} already, from whose name {name} differs only in upper and lower case, which not \
                 every disk tells apart; take another name"
            );
        }
        let above = packs.work_folder();
        let locks = above.join(LOCKS);
        make_folder(&locks)?;
        let path = locks.join(name);
        let failed = |error: std::io::Error| files::failure(&path, "lock", &error);
        let lock = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => tell(listener, Stage::Waiting, name, 0, None)?,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        let staging = Staging { target: packs.pack_folder(name), work: above.join(name), lock };
        make_folder(&staging.work)?;
        if !staging.target.exists() && staging.old().join(RECORD).exists() {
            // A run ended between taking the old pack away and putting the new one in its place.
            rename(&staging.old(), &staging.target)?;
        }
        for left in [staging.new_pack(), staging.old(), staging.removed()] {
            clear(&left)?;
        }
        Ok(staging)
    }

    /// The folder in which the pack is put together; made if it is not there.
    pub fn new_folder(&self) -> Result<PathBuf> {
        let folder = self.new_pack();
        make_folder(&folder)?;
        Ok(folder)
    }

    /// Where a file called `name` is downloaded to.
    #[cfg(feature = "download")]
    pub fn download(&self, name: &str) -> PathBuf {
        self.work.join(format!("{name}{PART}"))
    }

    /// Puts what is in the new folder in the place of the pack, with its record.
    pub fn publish(&self, mut pack: InstalledPack) -> Result<InstalledPack> {
        let new = self.new_pack();
        write(&new.join(RECORD), pack.to_json()?.as_bytes())?;
        pack.folder = new.clone();
        if !pack.is_whole() {
            fail!(Internal, "the pack {} was not put together as it was recorded", pack.name);
        }
        sync(&new)?;
        if self.target.exists() {
            rename(&self.target, &self.old())?;
        }
        if let Err(error) = rename(&new, &self.target) {
            // What was there before is put back.
            let _ = std::fs::rename(self.old(), &self.target);
            return Err(error);
        }
        if let Err(error) = files::sync_folder_of(&self.target) {
            // It is in its place, if perhaps not after a loss of power: then the one before is.
            tracing::warn!("cannot sync {}: {error}", self.target.display());
        }
        pack.folder = self.target.clone();
        // The pack is in place; what is left of the work is cleared by the next run, if not now.
        let _ = std::fs::remove_dir_all(&self.work);
        Ok(pack)
    }

    /// Removes the pack, and all that is on its way.
    pub fn take_away(&self) -> Result<()> {
        if self.target.symlink_metadata().is_ok() {
            rename(&self.target, &self.removed())?;
            files::sync_folder_of(&self.target).map_err(|error| files::failure(&self.target, "sync", &error))?;
        }
        clear(&self.work)
    }

    fn new_pack(&self) -> PathBuf {
        self.work.join("new")
    }

    fn old(&self) -> PathBuf {
        self.work.join(OLD)
    }

    fn removed(&self) -> PathBuf {
        self.work.join("removed")
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = clear(&self.new_pack());
        // Goes only if nothing is left that a download could go on from.
        let _ = std::fs::remove_dir(&self.work);
        // A process that was forked meanwhile has the file too, and would keep the lock.
        let _ = self.lock.unlock();
    }
}

/// What an interrupted download left in a work folder, in bytes.
pub(super) fn unfinished(work: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(work) else { return 0 };
    let parts = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().ends_with(PART));
    parts.filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
}

/// Whether a pack is being replaced, or its replacing was cut short: for a moment neither is in its place.
pub(super) fn is_between(work: &Path) -> bool {
    work.join(OLD).symlink_metadata().is_ok()
}

/// Writes a file and makes its content durable.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<()> {
    let written = File::create(path).and_then(|mut file| {
        std::io::Write::write_all(&mut file, content)?;
        file.sync_all()
    });
    written.map_err(|error| files::failure(path, "write", &error))
}

/// Makes the entries of a folder durable, and of those below it.
fn sync(folder: &Path) -> Result<()> {
    let failed = |error: std::io::Error| files::failure(folder, "sync", &error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            sync(&path)?;
        }
    }
    // Of the folder that a file within it would be in.
    files::sync_folder_of(&folder.join("file")).map_err(failed)
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|error| files::failure(from, "rename", &error))
}

/// Removes a folder, or whatever is there by its name.
fn clear(path: &Path) -> Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != IoErrorKind::NotFound => Err(files::failure(path, "remove", &error)),
        _ => Ok(()),
    }
}
