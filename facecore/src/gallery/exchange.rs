//! Galleries as text: JSON Lines out and in.
//!
//! A line is an object, of one of four kinds:
//! - the gallery: `next_face` alone, the lowest face id that was never given out;
//! - a namespace: `namespace`, and `space`, `threshold` and `dimension` if it is pinned;
//! - a person: `namespace`, `person`, and `name` and `metadata` if there are any;
//! - a face: `namespace`, `person`, `space`, `threshold`, `norm`, `embedding`, and `face` (its id),
//!   `name` (the person's), `quality`, `source` and `metadata` (the face's) if there are any.
//!
//! Lines may come in any order, and a face line alone suffices: its namespace and person are made.
//! Floats have as many digits as it takes to read the same bits again.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader, BufWriter, Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use serde::{Deserialize, Serialize};

use super::change::{Editor, HIGHEST_FACE, metadata_of, pin_of};
use super::namespace::person_of;
use super::view::{View, check_fits, check_pin};
use super::{FaceId, Gallery, Metadata, NewFace, Person, PersonId, Slot, person};
use crate::embedding::{Embedding, EmbeddingSpace};
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::files;
use crate::store::schema::{NamespaceRow, PersonRow, Rows};

/// Bytes of a line of an import, at most. A face of 1024 dimensions takes 12 kB beside its metadata; something that
/// never ends a line is no export.
const LONGEST_LINE: u64 = 64 << 20;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// People that were not in the gallery before.
    pub persons: usize,
    /// Faces that were not in the gallery before.
    pub faces: usize,
    /// Faces that their person had already, value for value; these were not added again.
    pub duplicates: usize,
    /// Whether the faces have the ids they had where they were exported.
    pub kept_ids: bool,
}

#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Line {
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
    embedding: Option<Vec<f32>>,
}

/// What a file holds.
struct Contents {
    /// By the name of the namespace.
    plans: BTreeMap<String, Plan>,
    /// The lowest and highest face id, if every face has one.
    ids: Option<(u64, u64)>,
    /// The lowest id that was never given out where the file was written, as far as it says so.
    next_face: Option<u64>,
}

/// What a file wants in one namespace.
#[derive(Default)]
struct Plan {
    pin: Option<(EmbeddingSpace, usize)>,
    people: BTreeMap<PersonId, PlannedPerson>,
}

#[derive(Default)]
struct PlannedPerson {
    name: Option<String>,
    metadata: Option<Metadata>,
    faces: Vec<(Option<FaceId>, NewFace)>,
}

impl Gallery {
    /// Writes everything the gallery holds as JSON Lines, sorted by namespace and person, and which face ids
    /// were given out already. All of it is of one moment; changes to a gallery in memory wait meanwhile.
    ///
    /// What is damaged in the store is left out and reported. Errors with `Io` if writing fails.
    pub fn export(&self, out: impl Write) -> Result<ExportReport> {
        // In memory the vectors are the index's alone: rows and index must be of one moment.
        let _still = (!self.shared.store.keeps_vectors()).then(|| self.shared.hold_still());
        let read = self.shared.store.read()?;
        let rows = Rows(&*read);
        let mut out = Out { to: BufWriter::new(out), report: ExportReport::default() };
        for (name, row) in rows.namespace_entries()? {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    out.report.damaged.push(error);
                    continue;
                }
            };
            let view = self.shared.slot(&name).and_then(|slot| slot.view.load_full()).unwrap_or_default();
            out.namespace(rows, &name, &row, &view)?;
        }
        let next = rows.next_face()?;
        if next > 1 {
            out.line(&Line { next_face: Some(next), ..Line::default() })?;
        }
        out.to.flush().map_err(write_failed)?;
        Ok(out.report)
    }

    /// As [`Gallery::export`], into a new file that only its owner may read (mode 0600): it holds biometric data.
    ///
    /// Errors with `Io` if there is a file of that name or it cannot be written; a part of one is not left.
    pub fn export_to(&self, path: impl AsRef<Path>) -> Result<ExportReport> {
        let path = path.as_ref();
        let file = files::private().write(true).create_new(true).open(path);
        let file = file.map_err(|error| files::failure(path, "write", &error))?;
        let export = || {
            let report = self.export(&file)?;
            file.sync_all().map_err(|error| files::failure(path, "write", &error))?;
            Ok(report)
        };
        export().inspect_err(|_| drop(std::fs::remove_file(path)))
    }

    /// As [`Gallery::import`], from a file. Errors with `Io` if it cannot be read.
    pub fn import_from(&self, path: impl AsRef<Path>) -> Result<ImportReport> {
        let path = path.as_ref();
        let file = std::fs::File::open(path).map_err(|error| files::failure(path, "read", &error))?;
        self.import(BufReader::new(file)).context_with(|| path.display().to_string())
    }

    /// Adds everything in a file that [`Gallery::export`] wrote, with one commit, or, on error, nothing.
    ///
    /// People that exist already keep their faces and get those of the file too; a name or metadata
    /// in the file replaces theirs. The file's face ids are kept if every face has one and all are
    /// above those this gallery ever gave out, as when a backup is restored into an empty gallery;
    /// else all faces get new ids. Ids of faces that were removed before the export are not given out
    /// again either. Embeddings come back bit for bit.
    ///
    /// Errors with `GalleryCorrupt`, naming the line, if the file is malformed or contradicts itself,
    /// `EmbeddingSpaceMismatch` or `DimensionMismatch` if a namespace holds other embeddings, and
    /// `Io` if reading fails.
    pub fn import(&self, input: impl BufRead) -> Result<ImportReport> {
        let Contents { plans, ids, next_face } = Contents::read(input)?;
        let mut upkeep = self.shared.lock()?;
        let mut change = self.shared.begin(&mut upkeep)?;
        let free = ids.filter(|(lowest, highest)| *lowest >= change.next_face && *highest < HIGHEST_FACE);
        if let Some((_, highest)) = free {
            change.next_face = highest + 1;
        }
        // A file that has come further with its ids is not followed: ids must stay below 2^53.
        change.next_face = change.next_face.max(next_face.filter(|next| *next <= HIGHEST_FACE).unwrap_or(0));

        let mut report = ImportReport { persons: 0, faces: 0, duplicates: 0, kept_ids: free.is_some() };
        let mut made = Vec::new();
        for (name, plan) in plans {
            let slot = match self.shared.slot(&name) {
                Some(slot) => slot,
                None => {
                    let view = View { number: change.add_namespace(&name)?, ..View::default() };
                    let slot = Arc::new(Slot { name, view: ArcSwapOption::from_pointee(view) });
                    made.push(slot.clone());
                    slot
                }
            };
            plan.apply(&mut change.of(&slot)?, &mut report)?;
        }
        self.shared.commit(change, &mut upkeep)?;
        made.into_iter().for_each(|slot| self.shared.insert_slot(slot));
        self.shared.keep_up(&mut upkeep);
        Ok(report)
    }
}

/// An export on its way out.
struct Out<W: Write> {
    to: BufWriter<W>,
    report: ExportReport,
}

impl<W: Write> Out<W> {
    fn line(&mut self, line: &Line) -> Result<()> {
        let written = serde_json::to_writer(&mut self.to, line).map_err(std::io::Error::from);
        written.and_then(|()| self.to.write_all(b"\n")).map_err(write_failed)
    }

    fn namespace(&mut self, rows: Rows<'_>, name: &str, row: &NamespaceRow, view: &View) -> Result<()> {
        let pin = pin_of(row);
        let line = || Line { namespace: name.to_owned(), ..Line::default() };
        let space = pin.as_ref().map(|(space, _)| space.id().to_owned());
        let threshold = pin.as_ref().map(|(space, _)| space.threshold());
        let dimension = pin.as_ref().map(|(_, dimension)| *dimension);
        self.line(&Line { space: space.clone(), threshold, dimension, ..line() })?;
        for entry in rows.person_entries(row.number, "")? {
            let (id, found) = entry?;
            let found = match found {
                Ok(found) => found,
                Err(error) if error.kind() == ErrorKind::GalleryCorrupt => {
                    self.report.damaged.push(error);
                    let Some(number) = view.directory.number_of(&id) else { continue };
                    PersonRow { number, name: None, metadata: String::new() }
                }
                Err(error) => return Err(error),
            };
            let Person { id, name, metadata, faces } = person_of(&rows, row.number, &id, found)?;
            let named = || Line { person: Some(id.clone()), name: name.clone(), ..line() };
            self.line(&Line { metadata, ..named() })?;
            self.report.persons += 1;
            for face in faces {
                match face_line(rows, view, face) {
                    Ok(face) => {
                        let Line { namespace, person, name, .. } = named();
                        self.line(&Line { namespace, person, name, space: space.clone(), threshold, ..face })?;
                        self.report.faces += 1;
                    }
                    Err(error) if error.kind() == ErrorKind::GalleryCorrupt => self.report.damaged.push(error),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// The line of a face, without what it has from its person and namespace.
fn face_line(rows: Rows<'_>, view: &View, id: FaceId) -> Result<Line> {
    let Some(row) = rows.face(id.get())? else {
        fail!(GalleryCorrupt, "face {id} is listed, but not stored");
    };
    let values = if row.values.is_empty() { view.values(id.get()) } else { Some(&*row.values) };
    let values = values.map(<[f32]>::to_vec);
    let metadata = metadata_of(&row.metadata)?;
    let (face, norm, quality, source) = (Some(id), Some(row.norm), row.quality, row.source);
    Ok(Line { face, norm, quality, source, metadata, embedding: values, ..Line::default() })
}

fn write_failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot write the export: {error}")).with_source(error)
}

impl Contents {
    fn read(mut input: impl BufRead) -> Result<Contents> {
        let mut plans: BTreeMap<String, Plan> = BTreeMap::new();
        let (mut ids, mut all_have_ids) = (HashSet::new(), true);
        let mut next_face = None;
        let mut text = Vec::new();
        for number in 1u64.. {
            text.clear();
            let read = input.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut text).map_err(|error| {
                Error::new(ErrorKind::Io, format!("cannot read line {number} of the import: {error}"))
                    .with_source(error)
            })?;
            if read == 0 {
                break;
            }
            if read as u64 > LONGEST_LINE {
                fail!(GalleryCorrupt, "line {number} of the import has more than {LONGEST_LINE} bytes");
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            // Whatever is wrong, it is the file that is damaged.
            let corrupt = |error: Error| {
                Error::new(ErrorKind::GalleryCorrupt, format!("line {number} of the import: {error}"))
                    .with_source(error)
            };
            let line: Line = serde_json::from_slice(&text).map_err(|error| {
                // The line is JSON's line 1 always; only the column says anything.
                let message = error.to_string().replace(" at line 1 column ", ", at column ");
                Error::new(ErrorKind::GalleryCorrupt, format!("line {number} of the import: {message}"))
                    .with_source(error)
            })?;
            if let Some(next) = line.next_face {
                if next == 0 || line != (Line { next_face: Some(next), ..Line::default() }) {
                    let message = "`next_face` is 1 or more, and alone on its line";
                    return Err(corrupt(Error::new(ErrorKind::GalleryCorrupt, message)));
                }
                next_face = next_face.max(Some(next));
                continue;
            }
            if line.embedding.is_some() {
                match line.face {
                    Some(id) if !ids.insert(id.get()) => {
                        return Err(corrupt(Error::new(
                            ErrorKind::GalleryCorrupt,
                            format!("face {id} was there before"),
                        )));
                    }
                    id => all_have_ids &= id.is_some(),
                }
            }
            person::check_name("the name of a namespace", &line.namespace).map_err(corrupt)?;
            let plan = plans.entry(line.namespace.clone()).or_default();
            plan.read(line).map_err(corrupt)?;
        }
        let range = ids.iter().min().copied().zip(ids.iter().max().copied());
        Ok(Contents { plans, ids: range.filter(|_| all_have_ids), next_face })
    }
}

impl Plan {
    /// Takes a line in. An error leaves the plan unusable.
    fn read(&mut self, line: Line) -> Result<()> {
        let Line {
            next_face: _,
            namespace,
            person,
            name,
            face,
            space,
            threshold,
            dimension,
            norm,
            quality,
            source,
            metadata,
            embedding,
        } = line;
        let space = match (space, threshold) {
            (Some(id), Some(threshold)) => Some(EmbeddingSpace::new(id, threshold)),
            (None, None) => None,
            _ => fail!(GalleryCorrupt, "`space` and `threshold` come together"),
        };
        if face.is_some_and(|id| id.get() == 0) {
            fail!(GalleryCorrupt, "face ids begin at 1");
        }
        let about_face = face.is_some() || norm.is_some() || quality.is_some() || source.is_some();
        match (person, embedding) {
            (Some(person), Some(values)) => {
                person.check()?;
                let (Some(space), Some(norm), None) = (space, norm, dimension) else {
                    fail!(
                        GalleryCorrupt,
                        "a face has `space`, `threshold`, `norm` and `embedding`, and no `dimension`"
                    );
                };
                self.pin(&namespace, &space, values.len())?;
                let embedding = Embedding::from_stored(values, norm, space)?;
                let planned = self.people.entry(person).or_default();
                planned.name = name.or(planned.name.take());
                planned.faces.push((face, NewFace { embedding, quality, source, metadata }));
            }
            (Some(person), None) => {
                person.check()?;
                if about_face || space.is_some() || dimension.is_some() {
                    fail!(GalleryCorrupt, "a face has an `embedding`, and a person only `name` and `metadata`");
                }
                let planned = self.people.entry(person).or_default();
                planned.name = name.or(planned.name.take());
                if !metadata.is_empty() {
                    planned.metadata = Some(metadata);
                }
            }
            (None, Some(_)) => fail!(GalleryCorrupt, "a face has a `person`"),
            (None, None) => {
                if about_face || name.is_some() || !metadata.is_empty() {
                    fail!(GalleryCorrupt, "a namespace has only `space`, `threshold` and `dimension`");
                }
                match (space, dimension) {
                    (Some(space), Some(dimension)) => self.pin(&namespace, &space, dimension)?,
                    (None, None) => {}
                    _ => fail!(GalleryCorrupt, "a namespace has `space`, `threshold` and `dimension`, or none of them"),
                }
            }
        }
        Ok(())
    }

    fn pin(&mut self, namespace: &str, space: &EmbeddingSpace, dimension: usize) -> Result<()> {
        match &self.pin {
            Some((pinned, size)) => check_fits(namespace, (pinned, *size), space, dimension),
            None => {
                check_pin(space, dimension)?;
                self.pin = Some((space.clone(), dimension));
                Ok(())
            }
        }
    }

    fn apply(self, editor: &mut Editor<'_, '_>, report: &mut ImportReport) -> Result<()> {
        if let Some((space, dimension)) = &self.pin {
            editor.pin_if_free(space, *dimension)?;
        }
        for (id, planned) in self.people {
            let (number, is_new) = editor.ensure_person(&id)?;
            report.persons += usize::from(is_new);
            if planned.name.is_some() {
                editor.set_name(id.as_str(), planned.name.as_deref())?;
            }
            if let Some(metadata) = &planned.metadata {
                editor.set_metadata(id.as_str(), metadata)?;
            }
            for (face, new) in &planned.faces {
                let added = editor.insert(number, new, face.filter(|_| report.kept_ids))?;
                *(if added.is_new { &mut report.faces } else { &mut report.duplicates }) += 1;
            }
        }
        Ok(())
    }
}
