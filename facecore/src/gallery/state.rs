//! What a namespace holds, and how it changes. One lock guards all of it (see `namespace.rs`).
//!
//! Every change first checks everything that can fail and only then touches anything, so that an
//! error leaves the state as it was.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{EnrolledFace, FaceId, FaceIds, Metadata, NewFace, Person, PersonId};
use crate::embedding::{Embedding, EmbeddingSpace};
use crate::error::{Error, ErrorKind, Result, fail};
use crate::index::flat::Flat;

/// Dimensions a namespace takes.
const DIMENSIONS: std::ops::RangeInclusive<usize> = 64..=1024;

/// The people and faces of one namespace.
#[derive(Default)]
pub(super) struct State {
    pub pinned: Option<Pinned>,
    pub people: BTreeMap<PersonId, Entry>,
    pub faces: HashMap<FaceId, FaceEntry>,
    /// Numbers below `people.len() + free.len()` that no person has.
    free: Vec<usize>,
}

/// The embedding space and the vectors. Cloning it takes a snapshot to search without the lock.
#[derive(Clone)]
pub(super) struct Pinned {
    pub space: EmbeddingSpace,
    pub vectors: Arc<Flat<Owner>>,
}

/// Whose vector is in a slot.
#[derive(Clone)]
pub(super) struct Owner {
    pub face: FaceId,
    pub person: PersonId,
    /// A small number that stands for the person, so that a search can group by table look-up.
    pub number: usize,
}

pub(super) struct Entry {
    pub person: Person,
    number: usize,
}

/// What the index does not know of a face.
#[derive(Clone)]
pub(super) struct FaceEntry {
    pub slot: usize,
    pub norm: f32,
    pub source: Option<String>,
    pub metadata: Metadata,
}

impl Pinned {
    pub fn new(space: &EmbeddingSpace, dimension: usize) -> Result<Pinned> {
        if !DIMENSIONS.contains(&dimension) {
            let (least, most) = (DIMENSIONS.start(), DIMENSIONS.end());
            fail!(DimensionMismatch, "a namespace holds embeddings of {least} to {most} dimensions, not {dimension}");
        }
        if !(-1.0..=1.0).contains(&space.threshold()) {
            fail!(InvalidArgument, "the threshold of {space} is {}, but a cosine is -1 to 1", space.threshold());
        }
        Ok(Pinned { space: space.clone(), vectors: Arc::new(Flat::new(dimension)) })
    }

    /// Whether embeddings of `space` and `dimension` can be compared with the ones here.
    pub fn check(&self, namespace: &str, space: &EmbeddingSpace, dimension: usize) -> Result<()> {
        if self.space != *space {
            fail!(
                EmbeddingSpaceMismatch,
                "namespace `{namespace}` holds embeddings of {}; this recognizer makes {space}",
                self.space
            );
        }
        if self.vectors.dimension() != dimension {
            fail!(
                DimensionMismatch,
                "namespace `{namespace}` holds embeddings of {} dimensions, not {dimension}",
                self.vectors.dimension()
            );
        }
        Ok(())
    }
}

impl State {
    /// Pins the space and dimension, or checks them if faces are there already.
    pub fn pin(&mut self, namespace: &str, space: &EmbeddingSpace, dimension: usize) -> Result<()> {
        match &self.pinned {
            Some(pinned) if !self.faces.is_empty() => pinned.check(namespace, space, dimension),
            // Without faces nothing is lost by pinning anew.
            _ => {
                self.pinned = Some(Pinned::new(space, dimension)?);
                Ok(())
            }
        }
    }

    /// Enrols all of `faces`, or none. A person that has exactly the same vector keeps the face it has.
    pub fn enrol(
        &mut self,
        namespace: &str,
        person: &PersonId,
        faces: &[NewFace],
        ids: &FaceIds,
    ) -> Result<Vec<FaceId>> {
        person.check()?;
        if let Some(first) = faces.first() {
            let fresh = match &self.pinned {
                Some(_) => None,
                None => Some(Pinned::new(first.embedding.space(), first.embedding.dimension())?),
            };
            if let Some(pinned) = fresh.as_ref().or(self.pinned.as_ref()) {
                for NewFace { embedding, .. } in faces {
                    pinned.check(namespace, embedding.space(), embedding.dimension())?;
                }
            }
            self.pinned = fresh.or(self.pinned.take());
        }
        self.ensure_person(person);
        Ok(faces.iter().map(|face| self.insert(person, face, || ids.next())).collect())
    }

    /// The person, created if absent.
    pub fn ensure_person(&mut self, id: &PersonId) -> &mut Person {
        // The numbers given out are 0 to people + free.
        let next = self.people.len();
        let free = &mut self.free;
        let entry = self.people.entry(id.clone()).or_insert_with(|| Entry {
            person: Person { id: id.clone(), name: None, metadata: Metadata::new(), faces: Vec::new() },
            number: free.pop().unwrap_or(next),
        });
        &mut entry.person
    }

    /// Adds a face that was checked against the pin to a person that exists.
    pub fn insert(&mut self, person: &PersonId, face: &NewFace, new_id: impl FnOnce() -> FaceId) -> FaceId {
        let values = face.embedding.values();
        if let Some(id) = self.same_face(person, values) {
            return id;
        }
        let id = new_id();
        if let (Some(entry), Some(pinned)) = (self.people.get_mut(person), &mut self.pinned) {
            let owner = Owner { face: id, person: entry.person.id.clone(), number: entry.number };
            let slot = Arc::make_mut(&mut pinned.vectors).push(values, owner);
            entry.person.faces.push(id);
            let (norm, source, metadata) = (face.embedding.norm(), face.source.clone(), face.metadata.clone());
            self.faces.insert(id, FaceEntry { slot, norm, source, metadata });
        }
        id
    }

    /// Gives a face another vector, and returns the id that vector now has: if the person holds it
    /// already in another face, that one remains and `id` is removed.
    pub fn replace(&mut self, namespace: &str, id: FaceId, embedding: &Embedding) -> Result<FaceId> {
        let owner = self.owner(namespace, id)?.clone();
        if let Some(pinned) = &self.pinned {
            pinned.check(namespace, embedding.space(), embedding.dimension())?;
        }
        if let Some(same) = self.same_face(&owner.person, embedding.values()).filter(|same| *same != id) {
            self.remove_face(namespace, id)?;
            return Ok(same);
        }
        if let (Some(face), Some(pinned)) = (self.faces.get_mut(&id), &mut self.pinned) {
            face.norm = embedding.norm();
            Arc::make_mut(&mut pinned.vectors).set_values(face.slot, embedding.values());
        }
        Ok(id)
    }

    pub fn remove_face(&mut self, namespace: &str, id: FaceId) -> Result<()> {
        let person = self.owner(namespace, id)?.person.clone();
        if let Some(entry) = self.people.get_mut(&person) {
            entry.person.faces.retain(|face| *face != id);
        }
        self.forget(id);
        Ok(())
    }

    pub fn remove_person(&mut self, namespace: &str, person: &str) -> Result<()> {
        let Some(entry) = self.people.remove(person) else {
            return Err(no_person(namespace, person));
        };
        entry.person.faces.iter().for_each(|face| self.forget(*face));
        self.free.push(entry.number);
        Ok(())
    }

    pub fn rename(&mut self, namespace: &str, person: &str, new_id: PersonId) -> Result<()> {
        new_id.check()?;
        self.person(namespace, person)?;
        if new_id == *person {
            return Ok(());
        }
        if self.people.contains_key(&new_id) {
            fail!(
                PersonExists,
                "namespace `{namespace}` has a person `{new_id}` already; remove one, or take another id"
            );
        }
        if let Some(mut entry) = self.people.remove(person) {
            entry.person.id = new_id.clone();
            if let Some(pinned) = &mut self.pinned {
                let vectors = Arc::make_mut(&mut pinned.vectors);
                for face in &entry.person.faces {
                    let owner = Owner { face: *face, person: new_id.clone(), number: entry.number };
                    vectors.set_label(self.faces[face].slot, owner);
                }
            }
            self.people.insert(new_id, entry);
        }
        Ok(())
    }

    pub fn person(&self, namespace: &str, person: &str) -> Result<&Person> {
        self.people.get(person).map(|entry| &entry.person).ok_or_else(|| no_person(namespace, person))
    }

    pub fn person_mut(&mut self, namespace: &str, person: &str) -> Result<&mut Person> {
        self.people.get_mut(person).map(|entry| &mut entry.person).ok_or_else(|| no_person(namespace, person))
    }

    pub fn face(&self, namespace: &str, id: FaceId) -> Result<EnrolledFace> {
        let (Some(face), Some(pinned)) = (self.faces.get(&id), &self.pinned) else {
            return Err(no_face(namespace, id));
        };
        let embedding = Embedding::from_stored(pinned.vectors.values(face.slot), face.norm, pinned.space.clone())?;
        let person = pinned.vectors.label(face.slot).person.clone();
        Ok(EnrolledFace { id, person, embedding, source: face.source.clone(), metadata: face.metadata.clone() })
    }

    fn owner(&self, namespace: &str, id: FaceId) -> Result<&Owner> {
        match (self.faces.get(&id), &self.pinned) {
            (Some(face), Some(pinned)) => Ok(pinned.vectors.label(face.slot)),
            _ => Err(no_face(namespace, id)),
        }
    }

    /// The face of `person` that has exactly these values.
    fn same_face(&self, person: &PersonId, values: &[f32]) -> Option<FaceId> {
        let (entry, pinned) = (self.people.get(person)?, self.pinned.as_ref()?);
        entry.person.faces.iter().copied().find(|face| pinned.vectors.values(self.faces[face].slot) == values)
    }

    /// Removes a face from everything but its person's list.
    fn forget(&mut self, id: FaceId) {
        let (Some(face), Some(pinned)) = (self.faces.remove(&id), &mut self.pinned) else { return };
        let vectors = Arc::make_mut(&mut pinned.vectors);
        vectors.swap_remove(face.slot);
        if face.slot < vectors.len()
            && let Some(moved) = self.faces.get_mut(&vectors.label(face.slot).face)
        {
            moved.slot = face.slot;
        }
    }
}

fn no_person(namespace: &str, person: &str) -> Error {
    Error::new(ErrorKind::PersonNotFound, format!("namespace `{namespace}` has no person `{person}`"))
}

fn no_face(namespace: &str, id: FaceId) -> Error {
    Error::new(ErrorKind::FaceNotFound, format!("namespace `{namespace}` has no face {id}"))
}
