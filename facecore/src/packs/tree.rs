//! Where a pack is imported from, a folder or an archive, as one kind of thing: files with paths, which can be copied.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::report::{Listener, Stage, tell};
use super::unpack::{Archive, MAX_FILE};
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::files;

/// How deep a folder is looked through. A clone of OpenCV's model zoo has its files three levels down.
const DEEPEST: usize = 4;
/// The most files that a folder of models has.
const MAX_FILES: usize = 10_000;
/// The longest text, such as `pack.toml`.
const MAX_TEXT: u64 = 1 << 20;

/// Files to import from.
pub(super) enum Tree {
    Folder(PathBuf, Vec<TreeFile>),
    /// Single files, each under a name that is not its own.
    #[cfg(feature = "download")]
    Files(Vec<(String, PathBuf)>),
    Zip(PathBuf, Box<Archive<BufReader<File>>>),
}

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TreeFile {
    /// Its path within the tree, with `/` between names.
    pub path: String,
}

/// A file that was copied.
pub(super) struct Copied {
    pub bytes: u64,
    pub sha256: String,
}

impl Tree {
    /// Looks at a folder, or at a zip archive.
    ///
    /// Errors with `ModelNotFound` if there is nothing, `ArchiveInvalid` if a file is no archive or a hostile one,
    /// `InvalidArgument` if a folder has too many files to be one of models, and with `Io`.
    pub fn open(path: &Path) -> Result<Tree> {
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::new(ErrorKind::ModelNotFound, format!("there is no folder and no archive {}", path.display()))
            }
            _ => Error::io(path, "read", error),
        };
        let found = std::fs::metadata(path).map_err(failed)?;
        if found.is_dir() {
            let mut files = Vec::new();
            walk(path, "", 0, &mut files)?;
            return Ok(Tree::Folder(path.to_path_buf(), files));
        }
        if !found.is_file() {
            fail!(InvalidArgument, "{} is neither a folder nor a file", path.display());
        }
        let archive = Archive::open(BufReader::new(File::open(path).map_err(failed)?));
        Ok(Tree::Zip(path.to_path_buf(), Box::new(archive.context_with(|| path.display().to_string())?)))
    }

    /// All files, in an order that does not depend on the system.
    pub fn files(&self) -> Vec<TreeFile> {
        let mut files = match self {
            Tree::Folder(_, files) => files.clone(),
            #[cfg(feature = "download")]
            Tree::Files(files) => files.iter().map(|(name, _)| TreeFile { path: name.clone() }).collect(),
            Tree::Zip(_, archive) => {
                let file = |entry: &super::unpack::Entry| TreeFile { path: entry.path.clone() };
                archive.entries().iter().map(file).collect()
            }
        };
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        files
    }

    /// The name of the folder or the archive, without `.zip`.
    pub fn stem(&self) -> String {
        let path = match self {
            Tree::Folder(path, _) | Tree::Zip(path, _) => path,
            #[cfg(feature = "download")]
            Tree::Files(_) => return String::new(),
        };
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.strip_suffix(".zip").map(str::to_owned).unwrap_or(name)
    }

    /// SHA-256 of the archive, if it is one.
    pub fn archive_sha256(&self) -> Result<Option<String>> {
        match self {
            Tree::Zip(path, _) => sha256_of(path).map(Some),
            _ => Ok(None),
        }
    }

    /// The text of a file.
    pub fn text(&mut self, path: &str) -> Result<String> {
        let mut bytes = Vec::new();
        let too_long = || Error::new(ErrorKind::PackInvalid, format!("{path} is longer than {MAX_TEXT} bytes"));
        match self {
            #[cfg(feature = "download")]
            Tree::Files(_) => fail!(ModelNotFound, "{path} was not downloaded"),
            Tree::Folder(root, _) => {
                let path = root.join(path);
                let file = File::open(&path).map_err(|error| Error::io(&path, "read", error))?;
                let read = file.take(MAX_TEXT + 1).read_to_end(&mut bytes);
                read.map_err(|error| Error::io(&path, "read", error))?;
            }
            Tree::Zip(archive_path, archive) => {
                let entry = entry_of(archive, path)?;
                if entry.bytes > MAX_TEXT {
                    return Err(too_long());
                }
                let written = |error: std::io::Error| Error::new(ErrorKind::Internal, error.to_string());
                let read = archive.unpack(&entry, &mut bytes, &written, &mut |_| Ok(()));
                read.context_with(|| archive_path.display().to_string())?;
            }
        }
        if bytes.len() as u64 > MAX_TEXT {
            return Err(too_long());
        }
        String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::PackInvalid, format!("{path} is no text in UTF-8")))
    }

    /// Copies a file to a new one, and makes it durable.
    pub fn copy(&mut self, path: &str, to: &Path, listener: &mut Listener) -> Result<Copied> {
        if let Some(folder) = to.parent() {
            super::cache::make_folder(folder)?;
        }
        let written = |error: std::io::Error| files::failure(to, "write", &error);
        let mut out = Hashing { file: File::create_new(to).map_err(written)?, hash: Sha256::new(), bytes: 0 };
        match self {
            #[cfg(feature = "download")]
            Tree::Files(files) => match files.iter().find(|(name, _)| name == path) {
                Some((_, from)) => copy_file(from, path, &mut out, &written, listener)?,
                None => fail!(ModelNotFound, "{path} was not downloaded"),
            },
            Tree::Folder(root, _) => copy_file(&root.join(path), path, &mut out, &written, listener)?,
            Tree::Zip(archive_path, archive) => {
                let entry = entry_of(archive, path)?;
                let mut progress = |done| tell(listener, Stage::Unpacking, path, done, Some(entry.bytes));
                let unpacked = archive.unpack(&entry, &mut out, &written, &mut progress);
                unpacked.context_with(|| archive_path.display().to_string())?;
            }
        }
        out.file.sync_all().map_err(written)?;
        Ok(Copied { bytes: out.bytes, sha256: hex(out.hash) })
    }
}

fn entry_of(archive: &Archive<BufReader<File>>, path: &str) -> Result<super::unpack::Entry> {
    match archive.entries().iter().find(|entry| entry.path == path) {
        Some(entry) => Ok(entry.clone()),
        None => fail!(ModelNotFound, "the archive has no {path}"),
    }
}

fn copy_file(
    from: &Path,
    name: &str,
    out: &mut Hashing,
    written: &dyn Fn(std::io::Error) -> Error,
    listener: &mut Listener,
) -> Result<()> {
    let read = |error: std::io::Error| Error::io(from, "read", error);
    let mut file = File::open(from).map_err(read)?;
    let total = file.metadata().map_err(read)?.len();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(read(error)),
        };
        out.write_all(&buffer[..count]).map_err(written)?;
        if out.bytes > MAX_FILE {
            fail!(InvalidArgument, "{} is larger than {MAX_FILE} bytes, which no model is", from.display());
        }
        tell(listener, Stage::Unpacking, name, out.bytes, Some(total))?;
    }
}

/// The files below a folder, hidden ones excepted.
fn walk(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<TreeFile>) -> Result<()> {
    let failed = |error: std::io::Error| Error::io(folder, "read", error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // What is no UTF-8 is no model that is known by its name.
        let Ok(name) = entry.file_name().into_string() else { continue };
        // A link that leads nowhere is no file.
        let Ok(what) = std::fs::metadata(entry.path()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        if what.is_dir() && depth + 1 < DEEPEST {
            walk(&entry.path(), &format!("{prefix}{name}/"), depth + 1, found)?;
        } else if what.is_file() {
            found.push(TreeFile { path: format!("{prefix}{name}") });
        }
        if found.len() > MAX_FILES {
            fail!(InvalidArgument, "{} has too many files; name the folder that the models are in", folder.display());
        }
    }
    Ok(())
}

/// A file, the hash of what was written to it, and how much that was.
struct Hashing {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of a file, in lower-case hexadecimal.
pub(super) fn sha256_of(path: &Path) -> Result<String> {
    let failed = |error: std::io::Error| Error::io(path, "read", error);
    let mut file = File::open(path).map_err(failed)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(hash)),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}
