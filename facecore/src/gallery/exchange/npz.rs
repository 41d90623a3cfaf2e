//! NumPy's archives (`.npz`, a ZIP of `.npy`) with the vectors of a gallery, and JSON Lines beside them with all else.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Take, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;
use zip::read::ZipFile;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::jsonl::{self, VectorRows};
use super::npy::{self, Element, Header, Order};
use super::plan::Contents;
use super::walk::{Of, Sink, Stored, Walk};
use super::{ExportReport, ImportOptions, NewFile, Step, Teller, open, write_failed};
use crate::embedding::Embedding;
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::gallery::view::{check_dimension, check_pin};
use crate::gallery::{FaceId, NewFace, Person, PersonId};

/// The arrays, each with a row for a face.
const EMBEDDINGS: &str = "embeddings";
const FACE_IDS: &str = "face_ids";
const NAMESPACES: &str = "namespaces";
const PERSONS: &str = "persons";

/// Bytes of arrays that may come of one byte of an archive, over all of it: a megabyte of zeros packs into a kilobyte, and
/// so do texts that repeat, but vectors hardly pack at all.
const MOST_PACKED: u64 = 100;

/// The JSON Lines of `NAME.npz`, `NAME.jsonl`; `None` of a name that does not end with `.npz`.
pub(super) fn lines_beside(path: &Path) -> Option<PathBuf> {
    let suffix = path.extension().filter(|suffix| suffix.eq_ignore_ascii_case("npz"));
    suffix.map(|_| path.with_extension("jsonl"))
}

/// Writes both files.
pub(super) fn export(walk: &Walk<'_>, path: &Path, teller: &mut Teller<'_>) -> Result<ExportReport> {
    let Some(lines) = lines_beside(path) else {
        fail!(
            InvalidArgument,
            "{} is to be called NAME.npz: what is no vector goes to NAME.jsonl beside it",
            path.display()
        );
    };
    let mut dimensions = walk.pins().map(|(_, dimension)| dimension);
    let dimension = dimensions.next().unwrap_or(0);
    if let Some(other) = dimensions.find(|other| *other != dimension) {
        fail!(
            InvalidArgument,
            "one array cannot hold embeddings of {dimension} and of {other} dimensions; export the namespaces one by one, or as JSON Lines"
        );
    }
    let (lines, arrays) = (NewFile::make(&lines)?, NewFile::make(path)?);
    teller.begin(Step::Writing, 2 * walk.items())?;
    let report = jsonl::write_with_rows(walk, &lines.file, teller)?;
    let hash = write_arrays(walk, &arrays.file, report.faces, dimension, teller)?;
    jsonl::write_hash(&lines.file, hash)?;
    teller.end()?;
    // An NPZ without lines would be taken for one that somebody made.
    NewFile::keep([lines, arrays])?;
    Ok(report)
}

/// Writes the arrays of `faces` faces, in the order of the lines. Gives the hash of the embeddings.
fn write_arrays(
    walk: &Walk<'_>,
    file: &File,
    faces: usize,
    dimension: usize,
    teller: &mut Teller<'_>,
) -> Result<String> {
    let mut arrays = Arrays {
        zip: ZipWriter::new(BufWriter::new(file)),
        namespaces: Vec::new(),
        persons: Vec::new(),
        ids: Vec::new(),
        hash: Xxh3::new(),
    };
    arrays.begin(EMBEDDINGS, Element::F32, vec![faces as u64, dimension as u64])?;
    walk.go(&mut arrays, teller)?;
    let Arrays { namespaces, persons, ids, .. } = &mut arrays;
    let (namespaces, persons, ids) = (std::mem::take(namespaces), std::mem::take(persons), std::mem::take(ids));
    arrays.texts(PERSONS, persons.iter().map(PersonId::as_str))?;
    arrays.texts(NAMESPACES, namespaces.iter().map(|name| &**name))?;
    let hash = text_of(&arrays.hash);
    arrays.begin(FACE_IDS, Element::I64, vec![ids.len() as u64])?;
    for id in ids {
        arrays.zip.write_all(&id.to_le_bytes()).map_err(write_failed)?;
    }
    let out = arrays.zip.finish().map_err(|error| write_failed(error.into()))?;
    out.into_inner().map_err(|error| write_failed(error.into_error()))?;
    Ok(hash)
}

fn text_of(hash: &Xxh3) -> String {
    format!("{:032x}", hash.digest128())
}

/// An archive on its way out.
struct Arrays<W: Write + Seek> {
    zip: ZipWriter<W>,
    namespaces: Vec<Arc<str>>,
    persons: Vec<PersonId>,
    ids: Vec<u64>,
    /// Of the embeddings.
    hash: Xxh3,
}

impl<W: Write + Seek> Arrays<W> {
    fn begin(&mut self, name: &str, element: Element, shape: Vec<u64>) -> Result<()> {
        // Vectors do not pack, and may take more than 4 GB.
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
        self.zip.start_file(format!("{name}.npy"), options).map_err(|error| write_failed(error.into()))?;
        Header { element, shape }.write(&mut self.zip).map_err(write_failed)
    }

    fn texts<'t>(&mut self, name: &str, texts: impl ExactSizeIterator<Item = &'t str> + Clone) -> Result<()> {
        let length = texts.clone().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
        self.begin(name, Element::Unicode(length), vec![texts.len() as u64])?;
        for text in texts {
            let codes = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(length);
            let bytes: Vec<u8> = codes.flat_map(u32::to_le_bytes).collect();
            self.zip.write_all(&bytes).map_err(write_failed)?;
        }
        Ok(())
    }
}

impl<W: Write + Seek> Sink for Arrays<W> {
    fn namespace(&mut self, _: &Of<'_>) -> Result<()> {
        Ok(())
    }

    fn person(&mut self, _: &Of<'_>, _: &Person) -> Result<()> {
        Ok(())
    }

    fn face(&mut self, of: &Of<'_>, person: &Person, face: Stored<'_>) -> Result<()> {
        let name = match self.namespaces.last() {
            Some(name) if **name == *of.namespace => name.clone(),
            _ => Arc::from(of.namespace),
        };
        self.namespaces.push(name);
        self.persons.push(person.id.clone());
        self.ids.push(face.id.get());
        let bytes: Vec<u8> = face.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.hash.update(&bytes);
        self.zip.write_all(&bytes).map_err(write_failed)
    }
}

/// Reads an archive and the JSON Lines that go with it.
pub(super) fn import(path: &Path, lines: &Path, contents: &mut Contents, teller: &mut Teller<'_>) -> Result<()> {
    let mut archive = Archive::open(path)?;
    let (lines, size) = open(lines)?;
    archive.dimension(&[FACE_IDS])?;
    teller.begin(Step::Reading, size + archive.bytes(&[EMBEDDINGS, FACE_IDS])?)?;
    let mut hash = Xxh3::new();
    let read = |element, order, bytes: &[u8]| {
        hash.update(bytes);
        npy::floats(element, order, bytes)
    };
    let vectors = archive.need(EMBEDDINGS, 2, read, teller)?;
    let vectors = vectors.into_iter().map(|values| Some(values.into())).collect();
    let ids = archive.rows(FACE_IDS, 1, npy::ids, teller)?.map(|ids| ids.concat());
    let mut rows = Rows { vectors, ids, hash: text_of(&hash), compared: false };
    jsonl::read(lines, contents, &mut rows, teller)?;
    if !rows.compared {
        fail!(
            GalleryCorrupt,
            "no line has the hash of its `{EMBEDDINGS}`: the two files are of different exports, or one was changed; export both again, or, if the NPZ is your own, give it another name"
        );
    }
    let left = rows.vectors.iter().flatten().count();
    // A line that is bad may be that of one of them.
    if left > contents.failures() {
        fail!(GalleryCorrupt, "no line tells of {left} rows of the NPZ: the two files are of different exports");
    }
    Ok(())
}

/// The vectors that lines name, as long as they were not taken.
struct Rows {
    vectors: Vec<Option<Arc<[f32]>>>,
    ids: Option<Vec<u64>>,
    hash: String,
    /// Whether a line has that hash.
    compared: bool,
}

impl VectorRows for Rows {
    fn take(&mut self, row: u64, face: Option<FaceId>) -> Result<Arc<[f32]>> {
        let (at, count) = (usize::try_from(row).unwrap_or(usize::MAX), self.vectors.len());
        let Some(vector) = self.vectors.get_mut(at) else {
            fail!(
                GalleryCorrupt,
                "it is in row {row}, and the NPZ has {count}: the two files are of different exports"
            );
        };
        let id = self.ids.as_ref().and_then(|ids| ids.get(at));
        if let (Some(id), Some(face)) = (id, face.filter(|face| id != Some(&face.get()))) {
            fail!(GalleryCorrupt, "row {row} is of face {id}, not {face}: the two files are of different exports");
        }
        match vector.take() {
            Some(vector) => Ok(vector),
            None => fail!(GalleryCorrupt, "row {row} is named twice"),
        }
    }

    fn compare(&mut self, hash: &str) -> Result<()> {
        if hash != self.hash {
            fail!(GalleryCorrupt, "the NPZ has other `{EMBEDDINGS}`: the two files are of different exports");
        }
        self.compared = true;
        Ok(())
    }
}

/// Reads an archive that tells of people by itself.
pub(super) fn import_arrays(
    path: &Path,
    options: &ImportOptions,
    contents: &mut Contents,
    teller: &mut Teller<'_>,
) -> Result<()> {
    let Some(space) = &options.space else {
        let beside = lines_beside(path)
            .map_or(String::new(), |lines| format!("there is no {} beside it, and ", lines.display()));
        fail!(
            InvalidArgument,
            "{beside}vectors do not tell which model they are of; say which embedding space they belong to and its threshold"
        );
    };
    let mut archive = Archive::open(path)?;
    // What is wrong with all of them is said once.
    if let Some(dimension) = archive.dimension(&[PERSONS, NAMESPACES])? {
        check_pin(space, dimension)?;
        if let Some(wanted) = options.dimension.filter(|wanted| *wanted != dimension) {
            fail!(DimensionMismatch, "`{EMBEDDINGS}` has {dimension} dimensions, where {wanted} are wanted");
        }
    }
    teller.begin(Step::Reading, archive.bytes(&[EMBEDDINGS, PERSONS, NAMESPACES])?)?;
    let vectors = archive.need(EMBEDDINGS, 2, npy::floats, teller)?;
    let persons = archive.need(PERSONS, 1, text, teller)?;
    let namespaces = archive.rows(NAMESPACES, 1, text, teller)?;
    teller.end()?;
    if let (None, Some(first)) = (&namespaces, vectors.first()) {
        contents.check(&options.namespace, Some((space, first.len())))?;
    }
    let mut namespaces = namespaces.map(Vec::into_iter);
    for (row, (values, person)) in vectors.into_iter().zip(persons).enumerate() {
        let namespace = namespaces.as_mut().and_then(Iterator::next).unwrap_or_else(|| Ok(options.namespace.clone()));
        let id = person.as_ref().ok().map(PersonId::from);
        let taken = namespace.and_then(|namespace| {
            let face = NewFace::from(Embedding::from_raw(values, space.clone())?);
            contents.face(&namespace, PersonId::from(person?), None, None, face)
        });
        if let Err(error) = taken {
            contents.refuse(row as u64, id, error.context(format!("row {row}")))?;
        }
    }
    Ok(())
}

/// A text, or why there is none: that concerns its row alone.
fn text(element: Element, order: Order, bytes: &[u8]) -> Result<Result<String>> {
    match element {
        Element::Unicode(_) | Element::Bytes(_) => Ok(npy::text(element, order, bytes)),
        _ => npy::text(element, order, bytes).map(Ok),
    }
}

/// An archive that is read. Anything may be in it.
struct Archive<R> {
    zip: ZipArchive<R>,
    /// Bytes of arrays that may still come of it.
    left: u64,
}

/// An array of it whose rows are to be read.
struct Array<'a, R: Read> {
    rest: BufReader<Take<ZipFile<'a, R>>>,
    left: &'a mut u64,
    header: Header,
    order: Order,
    /// Rows, and bytes of each.
    rows: u64,
    length: usize,
}

impl Archive<BufReader<File>> {
    fn open(path: &Path) -> Result<Self> {
        let (file, size) = open(path)?;
        Archive::new(file, size)
    }
}

impl<R: Read + Seek> Archive<R> {
    fn new(from: R, size: u64) -> Result<Self> {
        let zip = ZipArchive::new(from).map_err(damaged)?;
        Ok(Archive { zip, left: size.saturating_mul(MOST_PACKED) })
    }

    /// How many bytes some arrays have together.
    fn bytes(&mut self, names: &[&str]) -> Result<u64> {
        let mut bytes = 0u64;
        for name in names {
            match self.zip.by_name(&format!("{name}.npy")) {
                Ok(entry) => bytes = bytes.saturating_add(entry.size()),
                Err(ZipError::FileNotFound) => {}
                Err(error) => return Err(damaged(error)),
            }
        }
        Ok(bytes)
    }

    /// An array, if it is there.
    fn array(&mut self, name: &str, axes: usize) -> Result<Option<Array<'_, R>>> {
        let (entry, left) = match self.zip.by_name(&format!("{name}.npy")) {
            Ok(entry) => (entry, &mut self.left),
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(damaged(error)),
        };
        if entry.size() > *left {
            fail!(
                GalleryCorrupt,
                "it has {} bytes, and the arrays more than {MOST_PACKED} times those of the NPZ: vectors do not pack like that; save them with numpy.savez",
                entry.size()
            );
        }
        // Not by what the archive says, but by what comes of it.
        let mut rest = BufReader::new(entry.take(*left));
        let (header, order) = Header::read(&mut rest)?;
        let (rows, length) = header.rows(axes)?;
        Ok(Some(Array { rest, left, header, order, rows, length }))
    }

    /// Checks the shapes, before anything is read by them: how many dimensions the embeddings have, and that `others` have a
    /// row for each of them where they are there. `None` if there are no embeddings.
    fn dimension(&mut self, others: &[&str]) -> Result<Option<usize>> {
        let embeddings = self.array(EMBEDDINGS, 2).context_with(|| format!("array `{EMBEDDINGS}`"))?;
        let Some((rows, header)) = embeddings.map(|array| (array.rows, array.header)) else {
            return Err(no_array(EMBEDDINGS));
        };
        let dimension = header.shape.last().map_or(0, |width| usize::try_from(*width).unwrap_or(usize::MAX));
        if rows > 0 {
            check_dimension(dimension).context_with(|| format!("array `{EMBEDDINGS}`"))?;
        }
        for name in others {
            let other = self.array(name, 1).context_with(|| format!("array `{name}`"))?;
            if let Some(other) = other.filter(|other| other.rows != rows) {
                fail!(InvalidArgument, "`{EMBEDDINGS}` has {rows} rows, and `{name}` {}", other.rows);
            }
        }
        Ok((rows > 0).then_some(dimension))
    }

    /// As [`Archive::rows`], of an array that has to be there.
    fn need<T>(
        &mut self,
        name: &str,
        axes: usize,
        read: impl FnMut(Element, Order, &[u8]) -> Result<T>,
        teller: &mut Teller<'_>,
    ) -> Result<Vec<T>> {
        self.rows(name, axes, read, teller)?.ok_or_else(|| no_array(name))
    }

    /// The rows of an array, if it is there. No memory is reserved before there is something to fill it.
    fn rows<T>(
        &mut self,
        name: &str,
        axes: usize,
        read: impl FnMut(Element, Order, &[u8]) -> Result<T>,
        teller: &mut Teller<'_>,
    ) -> Result<Option<Vec<T>>> {
        let array = self.array(name, axes).and_then(|array| array.map(|array| array.read(read, teller)).transpose());
        array.context_with(|| format!("array `{name}`"))
    }
}

impl<R: Read> Array<'_, R> {
    fn read<T>(
        mut self,
        mut read: impl FnMut(Element, Order, &[u8]) -> Result<T>,
        teller: &mut Teller<'_>,
    ) -> Result<Vec<T>> {
        let (mut rows, mut bytes) = (Vec::new(), vec![0; self.length]);
        for _ in 0..self.rows {
            npy::fill(&mut self.rest, &mut bytes)?;
            rows.push(read(self.header.element, self.order, &bytes)?);
            teller.add(self.length as u64)?;
        }
        // At the end the checksum is compared.
        match self.rest.read(&mut [0]) {
            Ok(0) => {
                *self.left = self.rest.get_ref().limit();
                Ok(rows)
            }
            Ok(_) => fail!(GalleryCorrupt, "it is longer than its shape {:?}", self.header.shape),
            Err(error) => fail!(GalleryCorrupt, "it is damaged: {error}"),
        }
    }
}

fn no_array(name: &str) -> Error {
    let message = format!("the NPZ has no array `{name}`; save it with numpy.savez(file, {name}=...)");
    Error::new(ErrorKind::InvalidArgument, message)
}

fn damaged(error: ZipError) -> Error {
    match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => {
            Error::new(ErrorKind::Io, format!("cannot read the NPZ: {error}")).with_source(error)
        }
        error => {
            let message = format!("it is no NPZ, or damaged, or cut short: {error}");
            Error::new(ErrorKind::GalleryCorrupt, message).with_source(error)
        }
    }
}

/// Reads any bytes as an archive, for fuzzing: how many rows there are.
pub fn read_npz(bytes: &[u8]) -> usize {
    let mut nobody = |_| Ok(());
    let mut teller = Teller::new(&mut nobody);
    let Ok(mut archive) = Archive::new(std::io::Cursor::new(bytes), bytes.len() as u64) else { return 0 };
    let vectors = archive.dimension(&[]).and_then(|_| archive.need(EMBEDDINGS, 2, npy::floats, &mut teller));
    let vectors = vectors.map(|rows| rows.len());
    let texts = archive.rows(PERSONS, 1, text, &mut teller).map(|rows| rows.map_or(0, |rows| rows.len()));
    let ids = archive.rows(FACE_IDS, 1, npy::ids, &mut teller).map(|rows| rows.map_or(0, |rows| rows.len()));
    [vectors, texts, ids].into_iter().flatten().sum()
}
