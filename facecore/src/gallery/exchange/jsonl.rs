//! JSON Lines.
//!
//! A line is an object, of one of five kinds:
//! - the arrays, beside an NPZ: `embeddings` alone, the hash of all rows (XXH3, 128 bits, in hexadecimal digits), so that
//!   files of different exports are told apart;
//! - the gallery: `next_face` alone, the lowest face id that was never given out;
//! - a namespace: `namespace`, and `space`, `threshold` and `dimension` if it is pinned;
//! - a person: `namespace`, `person`, and `name` and `metadata` if there are any;
//! - a face: `namespace`, `person`, `space`, `threshold`, `norm`, `embedding`, and `face` (its id),
//!   `name` (the person's), `quality`, `source` and `metadata` (the face's) if there are any. Beside an NPZ it has `row`
//!   instead of `embedding`: where that is in the arrays, from 0.
//!
//! Lines may come in any order, and a face line alone suffices: its namespace and person are made.
//! Floats have as many digits as it takes to read the same bits again.

use std::io::{BufRead, BufWriter, Read as _, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::plan::Contents;
use super::walk::{Of, Sink, Stored, Walk};
use super::{ExportReport, Step, Teller, write_failed};
use crate::embedding::{Embedding, EmbeddingSpace};
use crate::error::{Error, ErrorKind, Result, fail};
use crate::gallery::{FaceId, Metadata, NewFace, Person, PersonId};

/// Bytes of a line of an import, at most. A face of 1024 dimensions takes 12 kB beside its metadata; something that
/// never ends a line is no export.
const LONGEST_LINE: u64 = 64 << 20;

#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    embeddings: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_face: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    face: Option<FaceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimension: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    norm: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<Vec<f32>>,
}

/// Vectors that are kept elsewhere than in the lines.
pub(super) trait VectorRows {
    /// The vector of a row, which is `face`'s if it says whose it is. It is asked for once.
    fn take(&mut self, row: u64, face: Option<FaceId>) -> Result<Arc<[f32]>>;

    /// The lines go with vectors of this hash.
    fn compare(&mut self, hash: &str) -> Result<()>;

    /// Whether there are such vectors.
    fn are_there(&self) -> bool {
        true
    }
}

/// For lines that hold their vectors themselves.
pub(super) struct NoRows;

impl VectorRows for NoRows {
    fn take(&mut self, row: u64, _: Option<FaceId>) -> Result<Arc<[f32]>> {
        fail!(GalleryCorrupt, "its vector is in row {row} of an NPZ; import that file, with this one beside it");
    }

    fn compare(&mut self, _: &str) -> Result<()> {
        fail!(GalleryCorrupt, "its vectors are in an NPZ; import that file, with this one beside it");
    }

    fn are_there(&self) -> bool {
        false
    }
}

/// Writes a gallery as lines.
pub(super) fn write(walk: &Walk<'_>, out: impl Write, teller: &mut Teller<'_>) -> Result<ExportReport> {
    teller.begin(Step::Writing, walk.items())?;
    let report = write_lines(walk, out, None, teller)?;
    teller.end()?;
    Ok(report)
}

/// Writes a gallery as lines whose faces name their rows: part of a larger work.
#[cfg(feature = "exchange")]
pub(super) fn write_with_rows(walk: &Walk<'_>, out: impl Write, teller: &mut Teller<'_>) -> Result<ExportReport> {
    write_lines(walk, out, Some(0), teller)
}

/// Writes the line that tells which vectors the rows are of.
#[cfg(feature = "exchange")]
pub(super) fn write_hash(out: impl Write, hash: String) -> Result<()> {
    let mut lines = Lines { to: BufWriter::new(out), row: None };
    lines.line(&Line { embeddings: Some(hash), ..Line::default() })?;
    lines.to.flush().map_err(write_failed)
}

fn write_lines(walk: &Walk<'_>, out: impl Write, row: Option<u64>, teller: &mut Teller<'_>) -> Result<ExportReport> {
    let mut lines = Lines { to: BufWriter::new(out), row };
    let report = walk.go(&mut lines, teller)?;
    if walk.next_face > 1 {
        lines.line(&Line { next_face: Some(walk.next_face), ..Line::default() })?;
    }
    lines.to.flush().map_err(write_failed)?;
    Ok(report)
}

struct Lines<W: Write> {
    to: BufWriter<W>,
    /// The next face's, if vectors are elsewhere.
    row: Option<u64>,
}

impl<W: Write> Lines<W> {
    fn line(&mut self, line: &Line) -> Result<()> {
        let written = serde_json::to_writer(&mut self.to, line).map_err(std::io::Error::from);
        written.and_then(|()| self.to.write_all(b"\n")).map_err(write_failed)
    }
}

impl<W: Write> Sink for Lines<W> {
    fn namespace(&mut self, of: &Of<'_>) -> Result<()> {
        let (space, threshold) = space_of(of);
        let dimension = of.pin.as_ref().map(|(_, dimension)| *dimension);
        self.line(&Line { namespace: of.namespace.to_owned(), space, threshold, dimension, ..Line::default() })
    }

    fn person(&mut self, of: &Of<'_>, person: &Person) -> Result<()> {
        self.line(&Line { metadata: person.metadata.clone(), ..line_of(of, person) })
    }

    fn face(&mut self, of: &Of<'_>, person: &Person, face: Stored<'_>) -> Result<()> {
        let Stored { id, norm, quality, source, metadata, values } = face;
        let (space, threshold) = space_of(of);
        let embedding = self.row.is_none().then(|| values.to_vec());
        let (face, norm, row) = (Some(id), Some(norm), self.row);
        self.row = row.map(|row| row + 1);
        let of_person = line_of(of, person);
        self.line(&Line { face, space, threshold, norm, quality, source, metadata, row, embedding, ..of_person })
    }
}

fn space_of(of: &Of<'_>) -> (Option<String>, Option<f32>) {
    of.pin.as_ref().map(|(space, _)| (space.id().to_owned(), space.threshold())).unzip()
}

fn line_of(of: &Of<'_>, person: &Person) -> Line {
    let (namespace, person, name) = (of.namespace.to_owned(), Some(person.id.clone()), person.name.clone());
    Line { namespace, person, name, ..Line::default() }
}

/// Reads lines into `contents`; vectors that are not in them come from `rows`.
pub(super) fn read(
    mut input: impl BufRead,
    contents: &mut Contents,
    rows: &mut impl VectorRows,
    teller: &mut Teller<'_>,
) -> Result<()> {
    let mut text = Vec::new();
    for number in 1u64.. {
        text.clear();
        let read = input.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut text).map_err(|error| {
            Error::new(ErrorKind::Io, format!("cannot read line {number} of the import: {error}")).with_source(error)
        })?;
        if read == 0 {
            break;
        }
        if read as u64 > LONGEST_LINE {
            fail!(GalleryCorrupt, "line {number} of the import has more than {LONGEST_LINE} bytes");
        }
        teller.add(read as u64)?;
        if text.trim_ascii().is_empty() {
            continue;
        }
        let json = if number == 1 { text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text) } else { &text };
        if number == 1 && json.trim_ascii_start().first() != Some(&b'{') {
            fail!(
                GalleryCorrupt,
                "line 1 of the import does not begin with `{{`: it is no JSON Lines; say which format it has, npz or csv"
            );
        }
        let line: Result<Line, _> = serde_json::from_slice(json);
        if let (Ok(Line { row: Some(row), embedding: None, .. }), false) = (&line, rows.are_there()) {
            // All of it is half a file.
            let refused = rows.take(*row, None).map(drop);
            return refused.map_err(|error| error.context(format!("line {number} of the import")));
        }
        let about = line.as_ref().map(|line| (line.namespace.clone(), line.person.clone()));
        let (namespace, person) = about.unwrap_or_default();
        let taken = line.map_err(malformed).and_then(|line| take(line, contents, rows));
        if let Err(error) = taken {
            let kind = match error.kind() {
                kind @ (ErrorKind::EmbeddingSpaceMismatch | ErrorKind::DimensionMismatch)
                    if contents.is_pinned(&namespace) =>
                {
                    kind
                }
                // Whatever else is wrong, it is the file that is damaged.
                _ => ErrorKind::GalleryCorrupt,
            };
            let message = format!("line {number} of the import: {error}");
            contents.refuse(number, person, Error::new(kind, message).with_source(error))?;
        }
    }
    teller.end()
}

fn malformed(error: serde_json::Error) -> Error {
    // The line is JSON's line 1 always; only the column says anything.
    let message = error.to_string().replace(" at line 1 column ", ", at column ");
    Error::new(ErrorKind::GalleryCorrupt, message).with_source(error)
}

/// Takes a line in. On error it is as if it had not been there.
fn take(line: Line, contents: &mut Contents, rows: &mut impl VectorRows) -> Result<()> {
    if let Some(hash) = &line.embeddings {
        if line != (Line { embeddings: Some(hash.clone()), ..Line::default() }) {
            fail!(GalleryCorrupt, "`embeddings` is alone on its line");
        }
        return rows.compare(hash);
    }
    if let Some(next) = line.next_face {
        if next == 0 || line != (Line { next_face: Some(next), ..Line::default() }) {
            fail!(GalleryCorrupt, "`next_face` is 1 or more, and alone on its line");
        }
        contents.follow(next);
        return Ok(());
    }
    let Line { namespace, person, name, face, space, threshold, dimension, norm, quality, source, metadata, .. } = line;
    let space = match (space, threshold) {
        (Some(id), Some(threshold)) => Some(EmbeddingSpace::new(id, threshold)),
        (None, None) => None,
        _ => fail!(GalleryCorrupt, "`space` and `threshold` come together"),
    };
    if face.is_some_and(|id| id.get() == 0) {
        fail!(GalleryCorrupt, "face ids begin at 1");
    }
    let about_face = face.is_some() || norm.is_some() || quality.is_some() || source.is_some();
    let values = match (line.embedding, line.row) {
        (Some(_), Some(_)) => fail!(GalleryCorrupt, "a face has an `embedding` or the `row` where it is, not both"),
        (Some(values), None) => Some(values.into()),
        (None, Some(row)) => Some(rows.take(row, face)?),
        (None, None) => None,
    };
    match (person, values) {
        (Some(person), Some(values)) => {
            let (Some(space), Some(norm), None) = (space, norm, dimension) else {
                fail!(GalleryCorrupt, "a face has `space`, `threshold`, `norm` and `embedding`, and no `dimension`");
            };
            let embedding = Embedding::from_stored(values, norm, space)?;
            contents.face(&namespace, person, name, face, NewFace { embedding, quality, source, metadata })
        }
        (Some(person), None) => {
            if about_face || space.is_some() || dimension.is_some() {
                fail!(GalleryCorrupt, "a face has an `embedding`, and a person only `name` and `metadata`");
            }
            contents.person(&namespace, person, name, Some(metadata).filter(|metadata| !metadata.is_empty()))
        }
        (None, Some(_)) => fail!(GalleryCorrupt, "a face has a `person`"),
        (None, None) => {
            if about_face || name.is_some() || !metadata.is_empty() {
                fail!(GalleryCorrupt, "a namespace has only `space`, `threshold` and `dimension`");
            }
            match (space, dimension) {
                (Some(space), Some(dimension)) => contents.namespace(&namespace, Some((&space, dimension))),
                (None, None) => contents.namespace(&namespace, None),
                _ => fail!(GalleryCorrupt, "a namespace has `space`, `threshold` and `dimension`, or none of them"),
            }
        }
    }
}
