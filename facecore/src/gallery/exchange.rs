//! Galleries as text: JSON Lines out and in.
//!
//! A line is an object, of one of four kinds:
//! - the gallery: `next_face` alone, the lowest face id that was never given out;
//! - a namespace: `namespace`, and `space`, `threshold` and `dimension` if it is pinned;
//! - a person: `namespace`, `person`, and `name` and `metadata` if there are any;
//! - a face: `namespace`, `person`, `space`, `threshold`, `norm`, `embedding`, and `face` (its id),
//!   `name` (the person's), `source` and `metadata` (the face's) if there are any.
//!
//! Lines may come in any order, and a face line alone suffices: its namespace and person are made.
//! Floats have as many digits as it takes to read the same bits again.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufWriter, Write};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::namespace::Namespace;
use super::state::{FaceEntry, Pinned, State};
use super::{FaceId, Gallery, Metadata, NewFace, Person, PersonId, person};
use crate::embedding::{Embedding, EmbeddingSpace};
use crate::error::{Error, ErrorKind, Result, fail};

/// A file that has come further with its ids than this is not followed: ids must stay below 2^53.
const HIGHEST_NEXT: u64 = 1 << 52;

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
    pinned: Option<Pinned>,
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
    /// were given out already.
    ///
    /// Each namespace is written as of one moment; nothing is locked while writing, so `out` may be
    /// slow. Errors with `Io` if it fails.
    pub fn export(&self, out: impl Write) -> Result<()> {
        let mut out = BufWriter::new(out);
        let namespaces: Vec<Namespace> = self.read().values().cloned().collect();
        let mut write = |line: &Line| -> std::io::Result<()> {
            serde_json::to_writer(&mut out, line)?;
            out.write_all(b"\n")
        };
        for namespace in namespaces {
            if let Some((pinned, people)) = namespace.read_for_export(snapshot) {
                write_namespace(namespace.name(), pinned.as_ref(), people, &mut write).map_err(write_failed)?;
            }
        }
        // Read only now, when it is above all ids that were written.
        let next = self.shared.ids.0.load(Ordering::Relaxed);
        if next > 1 {
            write(&Line { next_face: Some(next), ..Line::default() }).map_err(write_failed)?;
        }
        out.flush().map_err(write_failed)
    }

    /// Adds everything in a file that [`Gallery::export`] wrote, or, on error, nothing.
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

        // From here on nobody else may open or drop namespaces. They are locked in the order of
        // their names, and by nobody else more than one at a time, so nothing can deadlock.
        let mut namespaces = self.write();
        let opened: Vec<(Plan, Namespace)> = plans
            .into_iter()
            .map(|(name, plan)| {
                let namespace = namespaces.get(&name).cloned().unwrap_or_else(|| self.new_namespace(&name));
                (plan, namespace)
            })
            .collect();
        let mut targets = Vec::with_capacity(opened.len());
        for (plan, namespace) in &opened {
            let guard = namespace.shared().state.write().unwrap_or_else(PoisonError::into_inner);
            if let (Some(wanted), Some(state)) = (&plan.pinned, guard.as_ref())
                && let Some(pinned) = &state.pinned
            {
                pinned.check(namespace.name(), &wanted.space, wanted.vectors.dimension())?;
            }
            targets.push((plan, guard));
        }

        // Nothing below fails.
        let kept_ids = ids.is_some_and(|(from, to)| self.shared.ids.take(from, to));
        if let Some(next) = next_face.filter(|next| *next <= HIGHEST_NEXT) {
            self.shared.ids.0.fetch_max(next, Ordering::Relaxed);
        }
        let mut report = ImportReport { persons: 0, faces: 0, duplicates: 0, kept_ids };
        for (plan, guard) in &mut targets {
            if let Some(state) = guard.as_mut() {
                plan.apply(state, &mut report, |face| match face {
                    Some(id) if kept_ids => id,
                    _ => self.shared.ids.next(),
                });
            }
        }
        drop(targets);
        namespaces.extend(opened.into_iter().map(|(_, namespace)| (namespace.name().to_owned(), namespace)));
        Ok(report)
    }
}

/// A person with its faces, copied so that the lock can be released before writing.
type Exported = (Person, Vec<(FaceId, FaceEntry)>);

fn snapshot(state: &State) -> (Option<Pinned>, Vec<Exported>) {
    let people = state.people.values().map(|entry| {
        let faces = entry.person.faces.iter().map(|id| (*id, state.faces[id].clone()));
        (entry.person.clone(), faces.collect())
    });
    (state.pinned.clone(), people.collect())
}

fn write_namespace(
    name: &str,
    pinned: Option<&Pinned>,
    people: Vec<Exported>,
    write: &mut impl FnMut(&Line) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let line = || Line { namespace: name.to_owned(), ..Line::default() };
    let space = pinned.map(|pinned| pinned.space.id().to_owned());
    let threshold = pinned.map(|pinned| pinned.space.threshold());
    let dimension = pinned.map(|pinned| pinned.vectors.dimension());
    write(&Line { space: space.clone(), threshold, dimension, ..line() })?;
    for (person, faces) in people {
        let named = || Line { person: Some(person.id.clone()), name: person.name.clone(), ..line() };
        write(&Line { metadata: person.metadata, ..named() })?;
        for (id, FaceEntry { slot, norm, source, metadata }) in faces {
            let embedding = pinned.map(|pinned| pinned.vectors.values(slot).to_vec());
            let (space, face, norm) = (space.clone(), Some(id), Some(norm));
            write(&Line { face, space, threshold, norm, source, metadata, embedding, ..named() })?;
        }
    }
    Ok(())
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
            let read = input.read_until(b'\n', &mut text).map_err(|error| {
                Error::new(ErrorKind::Io, format!("cannot read line {number} of the import: {error}"))
                    .with_source(error)
            })?;
            if read == 0 {
                break;
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
        let about_face = face.is_some() || norm.is_some() || source.is_some();
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
                planned.faces.push((face, NewFace { embedding, source, metadata }));
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
        match &self.pinned {
            Some(pinned) => pinned.check(namespace, space, dimension),
            None => {
                self.pinned = Some(Pinned::new(space, dimension)?);
                Ok(())
            }
        }
    }

    fn apply(&self, state: &mut State, report: &mut ImportReport, new_id: impl Fn(Option<FaceId>) -> FaceId) {
        if state.pinned.is_none() {
            state.pinned = self.pinned.clone();
        }
        let (persons, faces) = (state.people.len(), state.faces.len());
        for (id, planned) in &self.people {
            let person = state.ensure_person(id);
            if planned.name.is_some() {
                person.name.clone_from(&planned.name);
            }
            if let Some(metadata) = &planned.metadata {
                person.metadata.clone_from(metadata);
            }
            for (face, new) in &planned.faces {
                state.insert(id, new, || new_id(*face));
            }
        }
        let added = state.faces.len() - faces;
        report.persons += state.people.len() - persons;
        report.faces += added;
        report.duplicates += self.people.values().map(|planned| planned.faces.len()).sum::<usize>() - added;
    }
}
