//! Whether a gallery is sound, what it takes up, and giving back what it does not need.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::search::MISS;
use super::view::View;
use super::{Gallery, GalleryOptions, PersonId};
use crate::embedding::Embedding;
use crate::error::{Error, ErrorKind, Result, fail};
use crate::index::{Index as _, IndexKind, Query, Reach};
use crate::store::folder::Folder;
use crate::store::schema::{FaceRow, NamespaceRow, Rows, vector_hash};

/// Probes of the recall check, a namespace.
const PROBES: usize = 200;
/// Cosine of such a probe with the face it is made from: an ordinary second photo.
const PROBE_COSINE: f32 = 0.6;

/// What a gallery takes up.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Each namespace, sorted by name.
    pub namespaces: Vec<NamespaceStats>,
    /// Bytes of the store: its file, or keys and values in memory.
    pub store_bytes: u64,
    /// Bytes of the files that searching structures are mapped from; 0 in memory.
    pub index_bytes: u64,
}

/// What a namespace takes up.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NamespaceStats {
    /// Its name.
    pub name: String,
    /// The id of its embedding space, if it is pinned.
    pub space: Option<String>,
    /// Values an embedding; `None` until it is pinned.
    pub dimension: Option<usize>,
    /// People.
    pub persons: usize,
    /// Faces.
    pub faces: usize,
    /// Removed faces that searches still step over; [`Gallery::compact`] drops them. What the store keeps of removed
    /// data until then is not counted here.
    pub removed_faces: usize,
    /// Bytes of exact vectors that searches use; mapped from files as far as a snapshot has them.
    pub vector_bytes: usize,
    /// Bytes in memory, or mapped, beside the exact vectors.
    pub search_bytes: usize,
    /// What faces are found with, never `Auto`. Where a graph is wanted, it is `Flat` until there is one.
    pub index: IndexKind,
    /// Why that is wanted, in words.
    pub index_reason: String,
}

/// What [`Gallery::verify`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct VerifyReport {
    /// People looked at.
    pub persons: usize,
    /// Faces looked at.
    pub faces: usize,
    /// What is wrong, in words; empty if the gallery is sound.
    pub problems: Vec<String>,
    /// Probes made from faces, at a cosine of 0.6 with them, to compare the default search with the exact one.
    pub probes: usize,
    /// For how many of these both found the same person.
    pub agreeing: usize,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Gallery {
    /// What the gallery takes up.
    pub fn stats(&self) -> Result<Stats> {
        let slots = self.shared.slots();
        let namespaces = slots.iter().filter_map(|slot| Some((slot, slot.view.load_full()?)));
        let namespaces = namespaces.map(|(slot, view)| {
            let memory = view.pinned.as_ref().map(|pinned| pinned.index.memory());
            let pin = view.pin();
            let index = view.pinned.as_ref().map_or(IndexKind::Flat, |pinned| pinned.index.kind());
            let choice = self.shared.options.index.choose(view.faces(), index);
            let is_awaited = choice.index != IndexKind::Flat && choice.index != index;
            let awaited = if is_awaited { "; no graph is there yet" } else { "" };
            NamespaceStats {
                name: slot.name.clone(),
                space: pin.as_ref().map(|(space, _)| space.id().to_owned()),
                dimension: pin.map(|(_, dimension)| dimension),
                persons: view.directory.len(),
                faces: view.faces(),
                removed_faces: memory.map_or(0, |memory| memory.dead),
                vector_bytes: memory.map_or(0, |memory| memory.vectors),
                search_bytes: memory.map_or(0, |memory| memory.rest) + view.directory.bytes(),
                index,
                index_reason: format!("{}{awaited}", choice.why),
            }
        });
        Ok(Stats {
            namespaces: namespaces.collect(),
            store_bytes: self.shared.store.size()?,
            index_bytes: self.shared.folder.as_ref().map_or(Ok(0), Folder::index_bytes)?,
        })
    }

    /// Gives back the space of what was removed. Searches go on meanwhile; changes wait.
    ///
    /// Afterwards no file of the gallery holds anything of faces and people that were removed before: live rows
    /// are copied to new files, which replace the old ones. (What a disk or file system keeps of deleted files
    /// is beyond reach.) It needs as much free space as the gallery takes up.
    pub fn compact(&self) -> Result<()> {
        let mut upkeep = self.shared.wait_for_snapshot(self.shared.lock()?);
        self.shared.save(&mut upkeep, &self.shared.whole())?;
        self.shared.store.compact()
    }

    /// Writes a copy of the gallery to another folder, which is made, or empty. The copy is of one moment;
    /// changes and searches go on meanwhile.
    ///
    /// The copy is verified. Errors with `InvalidArgument` if the folder is not empty or this gallery lives in
    /// memory (see [`Gallery::export`] for that), `GalleryCorrupt` if what was copied is damaged, and `Io`.
    pub fn backup(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        if self.shared.folder.is_none() {
            fail!(InvalidArgument, "a gallery in memory has no files to copy; export it instead");
        }
        if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            fail!(InvalidArgument, "{} is not empty; a backup goes to a folder of its own", folder.display());
        }
        let target = Folder::create(folder)?;
        self.shared.store.copy_to(&target.database())?;
        drop(target);
        // Closing it leaves a snapshot, without the graph: whoever opens the copy to use it has one made aside.
        let options = GalleryOptions::default().create(false).index(IndexKind::Flat);
        let copy = Gallery::open_with(folder, &options)?;
        match copy.verify()?.problems.as_slice() {
            [] => Ok(()),
            [first, others @ ..] => fail!(
                GalleryCorrupt,
                "the gallery was copied to {}, but it is damaged: {first} (and {} more problems)",
                folder.display(),
                others.len()
            ),
        }
    }

    /// Reads everything and checks it: checksums, references between people and faces, that searches see exactly
    /// what is stored, and that the default search finds the same people as the exact one.
    ///
    /// Changes wait meanwhile. Errors if the gallery cannot be read at all; what is wrong with its contents is in
    /// the report.
    pub fn verify(&self) -> Result<VerifyReport> {
        let mut report = VerifyReport { persons: 0, faces: 0, problems: Vec::new(), probes: 0, agreeing: 0 };
        let samples = self.check_rows(&mut report)?;
        // Searches use the thread pool, so nobody may be waiting for this.
        for sample in samples {
            sample.check_recall(&mut report);
        }
        Ok(report)
    }

    /// Checks what is stored against itself and against what searches see; returns faces to search for.
    fn check_rows(&self, report: &mut VerifyReport) -> Result<Vec<Sample>> {
        let _still = self.shared.hold_still();
        let read = self.shared.store.read()?;
        let rows = Rows(&*read);
        let (mut listed, mut samples) = (HashSet::new(), Vec::new());
        for (name, row) in rows.namespace_entries()? {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    report.problems.push(error.to_string());
                    continue;
                }
            };
            let Some(view) = self.shared.slot(&name).and_then(|slot| slot.view.load_full()) else {
                report.problems.push(format!("namespace `{name}` is stored, but cannot be searched"));
                continue;
            };
            let mut check = Check { rows, namespace: &row, name: &name, view: &view, report };
            check.persons()?;
            let faces = check.faces(self.shared.store.keeps_vectors())?;
            let step = faces.len().div_ceil(PROBES).max(1);
            let sample = faces.iter().step_by(step).copied().collect();
            listed.extend(faces);
            samples.push(Sample { namespace: name, view, faces: sample });
        }
        let nobodys = rows.face_ids()?.filter(|id| id.as_ref().map_or(true, |id| !listed.contains(id)));
        let nobodys = nobodys.collect::<Result<Vec<u64>>>()?;
        if let Some(first) = nobodys.first() {
            let count = nobodys.len();
            report.problems.push(format!("{count} faces are stored, but are no person's, the first is face {first}"));
        }
        if let Some(folder) = &self.shared.folder {
            report.problems.extend(super::snapshot::damaged_files(folder)?);
        }
        Ok(samples)
    }
}

/// Faces of a namespace, spread over it, to be searched for.
struct Sample {
    namespace: String,
    view: Arc<View>,
    faces: Vec<u64>,
}

impl Sample {
    /// Compares the default search with the exact one, by probes near the faces.
    fn check_recall(&self, report: &mut VerifyReport) {
        let Some(pinned) = &self.view.pinned else { return };
        let (dimension, space) = (pinned.index.dimension(), &pinned.space);
        let (mut probes, mut agreeing) = (0, 0);
        for id in &self.faces {
            let Some((_, values)) = pinned.index.get(*id) else { continue };
            let probe = near(values, *id, dimension);
            // Under a higher threshold the default search would rightly not look for it.
            let threshold = space.threshold().min(PROBE_COSINE);
            let query = |reach| Query { probe: &probe, owners: 1, threshold, reach, allowed: None };
            let best = |reach| pinned.index.search(&[query(reach)]).pop()?.first().map(|hit| hit.owner);
            probes += 1;
            agreeing += usize::from(best(Reach::Exact) == best(Reach::Within { miss: MISS }));
        }
        // What is promised is far more.
        if agreeing * 20 < probes * 19 {
            let what = format!("of {probes} searches only {agreeing} agree with the exact search");
            report.problems.push(format!("namespace `{}`: {what}", self.namespace));
        }
        report.probes += probes;
        report.agreeing += agreeing;
    }
}

/// The check of one namespace.
struct Check<'a> {
    rows: Rows<'a>,
    namespace: &'a NamespaceRow,
    name: &'a str,
    view: &'a View,
    report: &'a mut VerifyReport,
}

impl Check<'_> {
    fn problem(&mut self, what: String) {
        self.report.problems.push(format!("namespace `{}`: {what}", self.name));
    }

    fn persons(&mut self) -> Result<()> {
        let mut found = 0;
        for entry in self.rows.person_entries(self.namespace.number, "")? {
            found += 1;
            let (id, row) = entry?;
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    self.damaged(error)?;
                    continue;
                }
            };
            if self.rows.person_id(self.namespace.number, row.number).ok().flatten().as_deref() != Some(&*id) {
                self.problem(format!("person `{id}` is not found by number"));
            }
            if self.view.directory.get(row.number) != Some(PersonId::from(&id)) {
                self.problem(format!("searches know person `{id}` by another id"));
            }
        }
        if self.view.directory.len() != found {
            self.problem(format!("{found} persons are stored, searches know {}", self.view.directory.len()));
        }
        self.report.persons += found;
        Ok(())
    }

    /// Checks the faces that persons have, and returns their ids.
    fn faces(&mut self, with_vectors: bool) -> Result<Vec<u64>> {
        let faces = self.rows.faces_of_namespace(self.namespace.number)?;
        for (id, owner) in &faces {
            match self.rows.face(*id) {
                Ok(Some(row)) => self.face(*id, *owner, &row, with_vectors),
                Ok(None) => self.problem(format!("face {id} is listed, but not stored")),
                Err(error) => self.damaged(error)?,
            }
        }
        if self.view.faces() != faces.len() {
            self.problem(format!("{} faces are stored, searches see {}", faces.len(), self.view.faces()));
        }
        self.report.faces += faces.len();
        Ok(faces.into_iter().map(|(id, _)| id).collect())
    }

    fn face(&mut self, id: u64, owner: u32, row: &FaceRow, with_vectors: bool) {
        if (row.namespace, row.person) != (self.namespace.number, owner) {
            self.problem(format!("face {id} is listed for another person than it says"));
        }
        if self.view.directory.get(owner).is_none() {
            self.problem(format!("face {id} belongs to a person that is not there"));
        }
        let Some((seen, values)) = self.view.pinned.as_ref().and_then(|pinned| pinned.index.get(id)) else {
            return self.problem(format!("searches do not see face {id}"));
        };
        if seen != owner {
            self.problem(format!("searches see face {id} as another person's"));
        }
        if (with_vectors && *values != *row.values) || vector_hash(values) != row.hash {
            self.problem(format!("searches see face {id} with other values than are stored"));
        }
        let space = self.view.pin().map(|(space, _)| space);
        if let Some(Err(error)) = space.map(|space| Embedding::from_stored(values, row.norm, space)) {
            self.problem(format!("face {id}: {error}"));
        }
    }

    fn damaged(&mut self, error: Error) -> Result<()> {
        if error.kind() != ErrorKind::GalleryCorrupt {
            return Err(error);
        }
        self.problem(error.to_string());
        Ok(())
    }
}

/// A unit vector whose cosine with `values` is `PROBE_COSINE`, the same for the same seed.
fn near(values: &[f32], seed: u64, dimension: usize) -> Vec<f32> {
    // A pseudo-random direction (splitmix64), made perpendicular to the face.
    let mut state = seed;
    let mut noise: Vec<f32> = (0..dimension)
        .map(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut bits = state;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (bits >> 40) as f32 / (1u32 << 23) as f32 - 1.0
        })
        .collect();
    let along = crate::embedding::dot(&noise, values);
    noise.iter_mut().zip(values).for_each(|(noise, value)| *noise -= along * value);
    let length = crate::embedding::dot(&noise, &noise).sqrt().max(f32::MIN_POSITIVE);
    let across = (1.0 - PROBE_COSINE * PROBE_COSINE).sqrt() / length;
    values.iter().zip(&noise).map(|(value, noise)| PROBE_COSINE * value + across * noise).collect()
}
