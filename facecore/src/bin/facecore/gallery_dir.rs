//! A gallery in a folder: `faces.jsonl`, which is replaced as a whole, and `lock`, which a writer holds.
//!
//! Faces are biometric data: what is made here only its owner may read.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, ErrorKind as IoErrorKind, Write};
use std::path::{Path, PathBuf};

use facecore::{Error, ErrorKind, Gallery, Result};

const FACES: &str = "faces.jsonl";
const NEW_FACES: &str = "faces.jsonl.new";
const LOCK: &str = "lock";

/// Reads the gallery in `folder`. Needs no lock: the file is always whole.
///
/// Errors with `Io` if there is none, `GalleryCorrupt` if it is damaged.
pub fn open(folder: &Path) -> Result<Gallery> {
    let gallery = Gallery::in_memory();
    if !load(folder, &gallery)? {
        let message = format!("there is no gallery in {}; `facecore enrol` makes one", folder.display());
        return Err(Error::new(ErrorKind::Io, message));
    }
    Ok(gallery)
}

/// Whether there was anything to load.
fn load(folder: &Path, gallery: &Gallery) -> Result<bool> {
    let path = folder.join(FACES);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io(&path, "read", error)),
    };
    gallery.import(BufReader::new(file)).map_err(|error| error.context(path.display().to_string()))?;
    Ok(true)
}

/// A gallery that nobody else writes to as long as this lives.
pub struct Writer {
    folder: PathBuf,
    gallery: Gallery,
    /// The lock ends with the file, or with the process.
    _lock: File,
}

impl Writer {
    /// Opens the gallery in `folder` for writing; makes one if there is none.
    ///
    /// Errors with `GalleryLocked` if another process is writing it.
    pub fn open(folder: &Path) -> Result<Writer> {
        make_folder(folder).map_err(|error| Error::io(folder, "make the folder", error))?;
        let lock = lock(folder)?;
        let gallery = Gallery::in_memory();
        load(folder, &gallery)?;
        Ok(Writer { folder: folder.to_path_buf(), gallery, _lock: lock })
    }

    pub fn gallery(&self) -> &Gallery {
        &self.gallery
    }

    /// Makes what the gallery holds durable: after a crash at any moment there is the old file or the
    /// new one.
    pub fn save(&self) -> Result<()> {
        let new = self.folder.join(NEW_FACES);
        let written = self.write(&new);
        if written.is_err() {
            // The error that led here says more than one about the remains could.
            std::fs::remove_file(&new).unwrap_or_default();
        }
        written
    }

    fn write(&self, new: &Path) -> Result<()> {
        let failed = |error| Error::io(new, "write", error);
        // What an interrupted writer left may not be ours alone to read.
        match std::fs::remove_file(new) {
            Err(error) if error.kind() != IoErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let file = private(OpenOptions::new().write(true).create_new(true)).open(new).map_err(failed)?;
        self.gallery.export(&file).map_err(|error| error.context(new.display().to_string()))?;
        file.sync_all().map_err(failed)?;
        let path = self.folder.join(FACES);
        std::fs::rename(new, &path).map_err(|error| Error::io(&path, "replace", error))?;
        sync_folder(&self.folder).map_err(|error| Error::io(&self.folder, "sync", error))
    }
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let failed = |error| Error::io(&path, "lock", error);
    let mut options = OpenOptions::new();
    let mut file = private(options.read(true).write(true).create(true).truncate(false)).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(failed(error)),
        Err(TryLockError::WouldBlock) => {
            let holder = std::fs::read_to_string(&path).unwrap_or_default();
            let who = match holder.trim() {
                "" => "another process".to_string(),
                pid => format!("process {pid}"),
            };
            let message = format!(
                "gallery `{}` is being written by {who}; wait until it is done (reading is possible meanwhile)",
                name(folder)
            );
            return Err(Error::new(ErrorKind::GalleryLocked, message));
        }
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
    Ok(file)
}

/// What the folder is called, also where it is given as `.` or `office/`.
fn name(folder: &Path) -> String {
    let real = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    real.file_name().unwrap_or(real.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// A rename is durable once the folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use facecore::{Embedding, EmbeddingSpace};

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("facecore-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&folder).unwrap_or_default();
        folder
    }

    #[test]
    fn what_is_saved_is_there_again_and_private() {
        let folder = folder("gallery-saved");
        assert_eq!(open(&folder).unwrap_err().kind(), ErrorKind::Io);
        let face = Embedding::from_raw([0.5; 64], EmbeddingSpace::new("test", 0.4)).unwrap();
        for person in ["ada", "bo"] {
            let writer = Writer::open(&folder).unwrap();
            writer.gallery().namespace("people").unwrap().add(person, &face).unwrap();
            writer.save().unwrap();
        }
        assert_eq!(open(&folder).unwrap().existing_namespace("people").unwrap().person_count(), 2);
        assert!(!folder.join(NEW_FACES).exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&folder), mode(&folder.join(FACES))), (0o700, 0o600));
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_second_writer_is_told_who_the_first_is() {
        let folder = folder("gallery-locked");
        let first = Writer::open(&folder).unwrap();
        let Err(error) = Writer::open(&folder) else { panic!("two writers") };
        assert_eq!(error.kind(), ErrorKind::GalleryLocked);
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        assert!(Writer::open(&folder).is_ok());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
