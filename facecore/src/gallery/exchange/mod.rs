//! Galleries as files, out and in.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `walk.rs` | going through everything that is to be written |
//! | `plan.rs` | what a file wants, gathered before anything is changed |
//! | `jsonl.rs` | JSON Lines |
//! | `npz.rs`, `npy.rs` | NumPy's archives, and the arrays in them |
//! | `csv.rs` | tables of people |

#[cfg(feature = "exchange")]
mod csv;
mod jsonl;
#[cfg(feature = "exchange")]
mod npy;
#[cfg(feature = "exchange")]
mod npz;
mod plan;
mod walk;

use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use super::{Gallery, PersonId};
use crate::embedding::EmbeddingSpace;
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::files;
use plan::Contents;
use walk::Walk;

#[cfg(feature = "exchange")]
pub use csv::{CsvPeople, CsvRow, read_csv};
#[cfg(feature = "exchange")]
pub use npz::read_npz;

/// How a gallery is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Everything, as text: a JSON object a line, see [`Gallery::export`].
    JsonLines,
    /// Everything, in two files: `NAME.npz`, which NumPy reads and writes, with the vectors, and `NAME.jsonl` beside it with
    /// all else, whose faces name their row. See [`Gallery::export_with`].
    Npz,
    /// Who there is, as a table for spreadsheets: `namespace`, `person`, `name`, `faces` (how many), `metadata` (JSON).
    /// No faces. A name that is empty comes back as none.
    ///
    /// Cells are written as they are, so that they come back: one that begins with `=`, `+`, `-` or `@` is a formula to a
    /// spreadsheet, which carries it out. If strangers chose ids or names, import the table as text.
    Csv,
}

impl Format {
    /// What the name of a file says: `.npz`, `.csv`, and anything else is JSON Lines.
    pub fn of(path: impl AsRef<Path>) -> Format {
        let suffix = path.as_ref().extension().and_then(|suffix| suffix.to_str()).unwrap_or_default();
        match suffix.to_ascii_lowercase().as_str() {
            "npz" => Format::Npz,
            "csv" => Format::Csv,
            _ => Format::JsonLines,
        }
    }
}

/// What to export, and how.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    /// By default what the name of the file says, [`Format::of`].
    pub format: Option<Format>,
    /// This namespace alone; all by default.
    pub namespace: Option<String>,
}

/// How to import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// By default what the name of the file says, [`Format::of`].
    pub format: Option<Format>,
    /// Where people go for whom a CSV, or an NPZ made with NumPy, names no namespace: `people` by default. It is made if it
    /// is not there. JSON Lines name theirs on each line.
    pub namespace: String,
    /// The space of embeddings that come without one, as in an NPZ made with NumPy, or in a CSV: vectors do not tell
    /// which model they are of.
    pub space: Option<EmbeddingSpace>,
    /// How many dimensions such embeddings have to have; by default as many as the first of them has.
    pub dimension: Option<usize>,
    /// Imports what is good, and tells of each item that is not. By default one bad item keeps out all.
    pub skip_errors: bool,
}

impl Default for ImportOptions {
    fn default() -> Self {
        ImportOptions { format: None, namespace: "people".to_owned(), space: None, dimension: None, skip_errors: false }
    }
}

/// What an export or import is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reads a file; counted in bytes.
    Reading,
    /// Adds to the gallery; counted in people and faces. Nothing is visible yet.
    Storing,
    /// Writes a file; counted in people and faces.
    Writing,
}

/// How far an export or import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// How much of it is done.
    pub done: u64,
    /// How much there is; 0 if that is not known.
    pub total: u64,
}

/// Tells somebody how far things have come, now and then.
struct Teller<'a> {
    tell: &'a mut dyn FnMut(Progress) -> Result<()>,
    told: Progress,
}

impl<'a> Teller<'a> {
    fn new(tell: &'a mut dyn FnMut(Progress) -> Result<()>) -> Self {
        Teller { tell, told: Progress { step: Step::Reading, done: 0, total: 0 } }
    }

    fn begin(&mut self, step: Step, total: u64) -> Result<()> {
        self.told = Progress { step, done: 0, total };
        (self.tell)(self.told)
    }

    /// `more` items are done.
    fn add(&mut self, more: u64) -> Result<()> {
        let (before, between) = (self.told.done, self.between());
        self.told.done += more;
        if before / between == self.told.done / between { Ok(()) } else { (self.tell)(self.told) }
    }

    fn end(&mut self) -> Result<()> {
        if self.told.done.is_multiple_of(self.between()) { Ok(()) } else { (self.tell)(self.told) }
    }

    /// Bytes or items between two calls: often enough for a bar to move, and rarely enough not to matter.
    fn between(&self) -> u64 {
        if self.told.step == Step::Reading { 1 << 20 } else { 1 << 10 }
    }
}

/// What an export wrote.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ExportReport {
    /// People written.
    pub persons: usize,
    /// Faces written.
    pub faces: usize,
    /// What is damaged in the store and was left out: faces, and names and metadata of persons.
    pub damaged: Vec<Error>,
}

/// What an import added.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ImportReport {
    /// People that were not in the gallery before.
    pub persons: usize,
    /// Faces that were not in the gallery before.
    pub faces: usize,
    /// Faces that their person had already, value for value; these were not added again.
    pub duplicates: usize,
    /// Whether the faces have the ids they had where they were exported.
    pub kept_ids: bool,
    /// What was left out, in the order of the file; empty unless [`ImportOptions::skip_errors`] was asked for.
    pub failed: Vec<ImportFailure>,
}

/// An item of a file that was not imported.
#[derive(Debug)]
#[non_exhaustive]
pub struct ImportFailure {
    /// The line of the file, from 1; in an NPZ without JSON Lines the row, from 0.
    pub at: u64,
    /// Whom it is about, if that can be told.
    pub person: Option<PersonId>,
    /// What is wrong with it; names the line or row too.
    pub error: Error,
}

impl Gallery {
    /// Writes everything the gallery holds, as JSON Lines, sorted by namespace and person. All of it is of one moment;
    /// changes to a gallery in memory wait meanwhile, so `out` must not use the gallery.
    ///
    /// What is damaged in the store is left out and reported. Errors with `Io` if writing fails.
    pub fn export(&self, out: impl Write) -> Result<ExportReport> {
        let mut nobody = |_| Ok(());
        self.walk(None, |walk| jsonl::write(walk, out, &mut Teller::new(&mut nobody)))
    }

    /// As [`Gallery::export_with`], all of the gallery in the format that the name of the file says.
    pub fn export_to(&self, path: impl AsRef<Path>) -> Result<ExportReport> {
        self.export_with(path, &ExportOptions::default(), |_| Ok(()))
    }

    /// Writes what the gallery holds to a new file that only its owner may read (mode 0600): it holds biometric data.
    /// All of it is of one moment, as with [`Gallery::export`]. `progress` is called now and then, and must not use the
    /// gallery, whose changes may be waiting for it; an error that it returns ends the export and is returned.
    ///
    /// A file has its name once it is complete, until then it is `NAME.new`; one that was left by an export that was killed is
    /// replaced. Of an NPZ and its JSON Lines the NPZ comes last: if it is there, both are.
    ///
    /// The arrays of an NPZ have a row for each of its n faces, in the order of the lines beside it: `embeddings` (float32,
    /// n x dimension, of length 1), `persons` and `namespaces` (text), and `face_ids` (int64). NumPy reads them without
    /// `allow_pickle`.
    ///
    /// Errors with `Io` if there is a file of that name or it cannot be written, `NamespaceNotFound`, and
    /// `InvalidArgument` if an NPZ is to hold embeddings of different dimensions or its name has another suffix.
    pub fn export_with(
        &self,
        path: impl AsRef<Path>,
        options: &ExportOptions,
        mut progress: impl FnMut(Progress) -> Result<()>,
    ) -> Result<ExportReport> {
        let (path, namespace) = (path.as_ref(), options.namespace.as_deref());
        if let Some(name) = namespace {
            self.existing_namespace(name)?;
        }
        let mut teller = Teller::new(&mut progress);
        self.walk(namespace, |walk| match options.format.unwrap_or_else(|| Format::of(path)) {
            Format::JsonLines => NewFile::make(path)?.fill(|file| jsonl::write(walk, file, &mut teller)),
            #[cfg(feature = "exchange")]
            Format::Npz => npz::export(walk, path, &mut teller),
            #[cfg(feature = "exchange")]
            Format::Csv => NewFile::make(path)?.fill(|file| csv::write(walk, file, &mut teller)),
            #[cfg(not(feature = "exchange"))]
            format => Err(not_built(format)),
        })
    }

    fn walk<T>(&self, namespace: Option<&str>, task: impl FnOnce(&Walk<'_>) -> Result<T>) -> Result<T> {
        // In memory the vectors are the index's alone: rows and index must be of one moment.
        let _still = (!self.shared.store.keeps_vectors()).then(|| self.shared.hold_still());
        let read = self.shared.store.read()?;
        task(&Walk::new(&self.shared, &*read, namespace)?)
    }

    /// Adds everything that [`Gallery::export`] wrote, with one commit, or, on error, nothing.
    ///
    /// People that exist already keep their faces and get those of the file too; a name or metadata
    /// in the file replaces theirs. The file's face ids are kept if every face has one and all are
    /// above those this gallery ever gave out, as when a backup is restored into an empty gallery;
    /// else all faces get new ids. Ids of faces that were removed before the export are not given out
    /// again either. Embeddings come back bit for bit.
    ///
    /// Errors with `GalleryCorrupt` if the file is malformed or contradicts itself, `EmbeddingSpaceMismatch` or
    /// `DimensionMismatch` if a namespace of the gallery holds other embeddings, all naming the line, and `Io` if reading
    /// fails.
    pub fn import(&self, input: impl BufRead) -> Result<ImportReport> {
        let mut nobody = |_| Ok(());
        let (mut contents, mut teller) = (Contents::new(&self.shared, false), Teller::new(&mut nobody));
        jsonl::read(input, &mut contents, &mut jsonl::NoRows, &mut teller)?;
        contents.store(&self.shared, &mut teller)
    }

    /// As [`Gallery::import_with`], all or nothing, in the format that the name of the file says.
    pub fn import_from(&self, path: impl AsRef<Path>) -> Result<ImportReport> {
        self.import_with(path, &ImportOptions::default(), |_| Ok(()))
    }

    /// Adds what is in a file as [`Gallery::import`] does: with one commit everything, or with
    /// [`ImportOptions::skip_errors`] all that is good. `progress` is called now and then, and must not use the gallery,
    /// whose changes may be waiting for it; an error that it returns ends the import, of which then nothing is there, and is
    /// returned.
    ///
    /// An NPZ has the people that the JSON Lines of the same name beside it tell of. Without such a file it may be made
    /// with NumPy: `embeddings` (float32, float64 or float16, n x dimension) and `persons` (n texts), and `namespaces` (n
    /// texts) if they are not all to go to [`ImportOptions::namespace`]. The vectors are normalised, and
    /// [`ImportOptions::space`] says of which model they are. A CSV is read as [`read_csv`] tells; without a column
    /// `embedding` it makes people, or names them.
    ///
    /// Errors as [`Gallery::import`] does, with `InvalidEmbedding` for a vector that is none, and with `InvalidArgument` if
    /// a space is wanting or a CSV tells of photos, which want a recognizer.
    pub fn import_with(
        &self,
        path: impl AsRef<Path>,
        options: &ImportOptions,
        mut progress: impl FnMut(Progress) -> Result<()>,
    ) -> Result<ImportReport> {
        let path = path.as_ref();
        let tells_itself = |what: &str| match &options.space {
            Some(_) => fail!(InvalidArgument, "{what} which embedding space its faces are of; leave out the space"),
            None => Ok(()),
        };
        let (mut contents, mut teller) = (Contents::new(&self.shared, options.skip_errors), Teller::new(&mut progress));
        let read = match options.format.unwrap_or_else(|| Format::of(path)) {
            Format::JsonLines => tells_itself("the file says").and_then(|()| open(path)).and_then(|(file, size)| {
                teller.begin(Step::Reading, size)?;
                jsonl::read(file, &mut contents, &mut jsonl::NoRows, &mut teller)
            }),
            #[cfg(feature = "exchange")]
            Format::Npz => match npz::lines_beside(path).filter(|lines| lines.is_file()) {
                Some(lines) => tells_itself("the file of lines beside it says")
                    .and_then(|()| npz::import(path, &lines, &mut contents, &mut teller)),
                None => {
                    contents.want(options.dimension);
                    npz::import_arrays(path, options, &mut contents, &mut teller)
                }
            },
            #[cfg(feature = "exchange")]
            Format::Csv => {
                contents.want(options.dimension);
                csv::import(path, options, &mut contents, &mut teller)
            }
            #[cfg(not(feature = "exchange"))]
            format => Err(not_built(format)),
        };
        read.and_then(|()| contents.store(&self.shared, &mut teller)).context_with(|| path.display().to_string())
    }
}

#[cfg(not(feature = "exchange"))]
fn not_built(format: Format) -> Error {
    let message =
        format!("this build has no {format:?}; build facecore with the feature `exchange`, or use JSON Lines");
    Error::new(ErrorKind::InvalidArgument, message)
}

/// A file to be read, and its bytes.
fn open(path: &Path) -> Result<(BufReader<File>, u64)> {
    let open = || {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok((BufReader::new(file), size))
    };
    open().map_err(|error| files::failure(path, "read", &error))
}

/// A file on its way, for its owner alone: it has another name until it is complete, and is gone unless it is kept.
struct NewFile {
    path: PathBuf,
    /// Where it is now.
    at: PathBuf,
    file: File,
    kept: bool,
}

impl NewFile {
    fn make(path: &Path) -> Result<NewFile> {
        check_free(path)?;
        let at = files::unfinished(path);
        // What is there and not locked was left by somebody who was interrupted.
        let others = File::open(&at).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
        if others {
            fail!(Io, "cannot write {}: another export is writing it; wait for that one", path.display());
        }
        let file = files::make_new(&at).map_err(|error| files::failure(&at, "write", &error))?;
        // Where there are no locks, nobody is kept out.
        file.try_lock().unwrap_or_default();
        Ok(NewFile { path: path.to_owned(), at, file, kept: false })
    }

    /// Lets `task` write it, and keeps it if that succeeds.
    fn fill<T>(self, task: impl FnOnce(&File) -> Result<T>) -> Result<T> {
        let done = task(&self.file)?;
        NewFile::keep([self])?;
        Ok(done)
    }

    /// Gives complete files of a folder their names, in this order, for good.
    fn keep<const N: usize>(mut files: [NewFile; N]) -> Result<()> {
        let failure = |file: &NewFile, error| files::failure(&file.path, "write", &error);
        for file in &files {
            file.file.sync_all().map_err(|error| failure(file, error))?;
        }
        for file in &mut files {
            check_free(&file.path)?;
            std::fs::rename(&file.at, &file.path).map_err(|error| failure(file, error))?;
            file.at.clone_from(&file.path);
        }
        for file in &mut files {
            files::sync_folder_of(&file.path).map_err(|error| failure(file, error))?;
        }
        files.iter_mut().for_each(|file| file.kept = true);
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // The error that kept it from being complete is the one to tell.
            std::fs::remove_file(&self.at).unwrap_or_default();
        }
    }
}

/// No file is written over.
fn check_free(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(_) => {
            fail!(Io, "cannot write {}: it is there already; remove it, or choose another name", path.display())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(files::failure(path, "write", &error)),
    }
}

fn write_failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot write the export: {error}")).with_source(error)
}
