//! Archives of models, which may come from anywhere: what is taken out of them, and what is refused.
//!
//! Only files that somebody asked for are unpacked, each to a place that the caller opened. So no name in an archive
//! is ever a path here; archives with names that only make sense as an attack are refused all the same, whole.

use std::cell::Cell;
use std::io::{Read, Seek, SeekFrom, Write};
use std::rc::Rc;

use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::error::{Context, Error, ErrorKind, Result, fail};

/// The most entries of an archive. Those that are known have eight at most.
const MAX_ENTRIES: usize = 1000;
/// The most bytes that are read to find out what is in an archive: the directory of `MAX_ENTRIES` entries, and what is
/// looked through to find it.
const MAX_DIRECTORY: u64 = 4 << 20;
/// The largest file that is unpacked. An ArcFace ResNet-100 has 261 MB.
pub(super) const MAX_FILE: u64 = 1 << 30;
/// By how much a file may shrink by compression. Weights shrink by a tenth; what shrinks more is a bomb.
const MAX_RATIO: u64 = 100;
/// Compressed files of fewer bytes may shrink by any ratio.
const SMALL: u64 = 1 << 20;

/// An archive whose directory was read and found harmless.
pub struct Archive<R: Read + Seek> {
    zip: ZipArchive<Budgeted<R>>,
    entries: Vec<Entry>,
}

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    index: usize,
    /// Its path within the archive, with `/` between names.
    pub path: String,
    /// How long it says that it is, unpacked.
    pub bytes: u64,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the archive's directory.
    ///
    /// Errors with `ArchiveInvalid` if it is no zip archive, damaged, encrypted, or has links, two entries of one name,
    /// names that lead out of a folder, more than 1,000 entries, or entries larger than models are or compressed more
    /// than they can be.
    pub fn open(reader: R) -> Result<Archive<R>> {
        let left = Rc::new(Cell::new(MAX_DIRECTORY));
        let reader = Budgeted { reader, left: Rc::clone(&left) };
        let zip = match ZipArchive::with_config(Config { archive_offset: ArchiveOffset::Known(0) }, reader) {
            Ok(zip) => zip,
            Err(_) if left.get() == 0 => {
                fail!(ArchiveInvalid, "its directory is longer than {MAX_DIRECTORY} bytes")
            }
            Err(error) => return Err(refusal(error)),
        };
        left.set(u64::MAX);
        if zip.has_duplicate_names() {
            fail!(ArchiveInvalid, "it has two entries of one name");
        }
        if zip.len() > MAX_ENTRIES {
            fail!(ArchiveInvalid, "it has {} entries; archives of models have a few", zip.len());
        }
        let mut entries = Vec::new();
        for index in 0..zip.len() {
            entries.extend(look_at(&zip, index)?);
        }
        Ok(Archive { zip, entries })
    }

    /// Its files, in its order; without folders.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Unpacks a file of [`Archive::entries`]. `progress` hears how many of its bytes are done.
    ///
    /// Errors with `ArchiveInvalid` if it is damaged or not as long as it says, and with those of `progress` and
    /// of `written`, which tells what a failure to write is.
    pub fn unpack(
        &mut self,
        entry: &Entry,
        to: &mut dyn Write,
        written: &dyn Fn(std::io::Error) -> Error,
        progress: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let in_entry = || entry.path.clone();
        let mut file = self.zip.by_index(entry.index).map_err(refusal).context_with(in_entry)?;
        let mut buffer = vec![0; 256 << 10];
        let mut done = 0;
        loop {
            let read = match file.read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(refusal(ZipError::Io(error))).context_with(in_entry),
            };
            done += read as u64;
            if read == 0 && done == entry.bytes {
                return Ok(());
            }
            if read == 0 || done > entry.bytes {
                fail!(ArchiveInvalid, "{}: it says that it has {} bytes, and has others", entry.path, entry.bytes);
            }
            to.write_all(&buffer[..read]).map_err(written)?;
            progress(done)?;
        }
    }
}

/// What an entry is, if it is a file.
fn look_at<R: Read + Seek>(zip: &ZipArchive<R>, index: usize) -> Result<Option<Entry>> {
    let entry = zip.by_index_data(index).map_err(refusal)?;
    let name = entry.name().map_err(refusal)?.into_owned();
    // A name is shown to people: without what would move the cursor of a terminal.
    let shown: String = name.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).take(200).collect();
    if shown != name || name.contains('\\') || name.starts_with('/') || name.contains(':') {
        fail!(ArchiveInvalid, "an entry is called `{shown}`, which is no path within an archive");
    }
    let mut parts = name.trim_end_matches('/').split('/');
    if name.is_empty() || parts.any(|part| matches!(part, "" | "." | "..")) {
        fail!(ArchiveInvalid, "the entry `{shown}` leads out of the archive's folder");
    }
    if entry.is_symlink()
        || entry.unix_mode().is_some_and(|mode| !matches!(mode & 0o170_000, 0 | 0o100_000 | 0o040_000))
    {
        fail!(ArchiveInvalid, "the entry `{shown}` is a link or a device, and no file");
    }
    if entry.encrypted() {
        fail!(ArchiveInvalid, "the entry `{shown}` is encrypted; unpack the archive and import the folder");
    }
    if entry.is_dir() {
        return Ok(None);
    }
    if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        fail!(ArchiveInvalid, "the entry `{shown}` is compressed by {}, not by deflate", entry.compression());
    }
    let (bytes, compressed) = (entry.size(), entry.compressed_size());
    if bytes > MAX_FILE || (bytes > SMALL && bytes / MAX_RATIO > compressed) {
        fail!(ArchiveInvalid, "the entry `{shown}` would unpack to {bytes} bytes, from {compressed}: no model does");
    }
    Ok(Some(Entry { index, path: name, bytes }))
}

fn refusal(error: ZipError) -> Error {
    let kind = match &error {
        // The reader's own failures, as opposed to those of what was read.
        ZipError::Io(io) if io.raw_os_error().is_some() => ErrorKind::Io,
        _ => ErrorKind::ArchiveInvalid,
    };
    let message = match &error {
        ZipError::Io(io) if kind == ErrorKind::Io => format!("the archive cannot be read: {io}"),
        ZipError::Io(io) => format!("it is damaged or cut short: {io}"),
        ZipError::InvalidArchive(why) => {
            format!(
                "it is no zip archive, or damaged ({why}); single files are imported by the folder that they are in"
            )
        }
        other => other.to_string(),
    };
    Error::new(kind, message).with_source(error)
}

/// A reader that gives up after so many bytes.
struct Budgeted<R> {
    reader: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Budgeted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.left.get();
        if left == 0 && !buffer.is_empty() {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "more is read than an archive needs"));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.reader.read(&mut buffer[..most])?;
        if left != u64::MAX {
            self.left.set(left - read as u64);
        }
        Ok(read)
    }
}

impl<R: Seek> Seek for Budgeted<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.reader.seek(to)
    }
}
