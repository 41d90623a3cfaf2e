//! One set of people that are compared with each other.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rayon::prelude::*;

use super::state::{Pinned, State};
use super::{EnrolledFace, FaceId, FaceIds, Match, Metadata, NewFace, Person, PersonId, SearchOptions};
use crate::embedding::{Embedding, EmbeddingSpace};
use crate::error::{Context, Error, ErrorKind, Result};

/// A set of people within a [`Gallery`](super::Gallery), with the faces that each is known by.
///
/// The first face pins the embedding space and dimension: adding or searching with another gives
/// `EmbeddingSpaceMismatch` or `DimensionMismatch`.
///
/// Cloning is cheap and gives another handle to the same namespace; handles may be used on any
/// number of threads. A search runs over a snapshot: it delays neither other searches nor writers,
/// and sees each write wholly or not at all.
///
/// After [`Gallery::drop_namespace`](super::Gallery::drop_namespace) every method of the handles
/// that remain gives `NamespaceNotFound`, and counts are 0.
#[derive(Clone)]
pub struct Namespace {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub name: String,
    pub ids: Arc<FaceIds>,
    /// `None` once the namespace is dropped.
    ///
    /// The lock is held for look-ups and changes only, never for scans and callers' functions: a
    /// thread that waits in the thread pool may be given another caller's task, and that one may
    /// want the same lock.
    pub state: RwLock<Option<State>>,
}

impl Namespace {
    pub(super) fn new(name: &str, ids: Arc<FaceIds>) -> Self {
        let state = RwLock::new(Some(State::default()));
        Namespace { shared: Arc::new(Shared { name: name.to_owned(), ids, state }) }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The embedding space of the faces here; `None` until it is pinned.
    pub fn space(&self) -> Option<EmbeddingSpace> {
        self.snapshot().ok().flatten().map(|pinned| pinned.space)
    }

    /// How many coordinates the embeddings here have, 64 to 1024; `None` until it is pinned.
    pub fn dimension(&self) -> Option<usize> {
        self.snapshot().ok().flatten().map(|pinned| pinned.vectors.dimension())
    }

    /// How many people are enrolled, those without faces included.
    pub fn person_count(&self) -> usize {
        self.read(|state| Ok(state.people.len())).unwrap_or(0)
    }

    /// How many faces are enrolled.
    pub fn face_count(&self) -> usize {
        self.read(|state| Ok(state.faces.len())).unwrap_or(0)
    }

    /// Whether nobody is enrolled.
    pub fn is_empty(&self) -> bool {
        self.person_count() == 0
    }

    /// Pins the embedding space and the dimension (64 to 1024) before the first face does. As long
    /// as there are no faces, they can be pinned anew.
    ///
    /// Errors with `EmbeddingSpaceMismatch` or `DimensionMismatch` if the faces here are others,
    /// and `InvalidArgument` if the threshold of `space` is no cosine.
    pub fn pin(&self, space: &EmbeddingSpace, dimension: usize) -> Result<()> {
        self.write(|state| state.pin(self.name(), space, dimension))
    }

    /// Adds a face to a person, who is created if absent, and returns the face's id.
    ///
    /// If the person has a face with exactly the same values, that one's id is returned. Errors as
    /// [`Namespace::enrol`] does.
    pub fn add(&self, person: impl Into<PersonId>, face: &Embedding) -> Result<FaceId> {
        let (person, face) = (person.into(), NewFace::from(face));
        let added = self.enrol(&person, std::slice::from_ref(&face))?;
        added.first().copied().ok_or_else(|| Error::new(ErrorKind::Internal, "a face was enrolled without an id"))
    }

    /// Adds faces to a person, who is created if absent (also if `faces` is empty), and returns
    /// their ids in the same order. All faces are added or, on error, none, and no search ever
    /// sees some of them only.
    ///
    /// A face with exactly the values of another of the same person is not added again: its place
    /// in the answer has the other's id, which keeps its source and metadata.
    ///
    /// Errors with `InvalidArgument` for a person id that is empty or too long,
    /// `EmbeddingSpaceMismatch`, and `DimensionMismatch`, which is also given if these are the
    /// first faces and have fewer than 64 or more than 1024 dimensions.
    pub fn enrol(&self, person: impl Into<PersonId>, faces: &[NewFace]) -> Result<Vec<FaceId>> {
        let person = person.into();
        self.write(|state| state.enrol(self.name(), &person, faces, &self.shared.ids))
            .context_with(|| format!("enrolling {person}"))
    }

    /// Gives a face another embedding, such as one from a better crop of the same photo. Id, source
    /// and metadata stay.
    ///
    /// Returns `id`, unless another face of the person has exactly these values: then `id` is
    /// removed and the other's id is returned. Errors with `FaceNotFound`,
    /// `EmbeddingSpaceMismatch` or `DimensionMismatch`.
    pub fn replace_face(&self, id: FaceId, embedding: &Embedding) -> Result<FaceId> {
        self.write(|state| state.replace(self.name(), id, embedding))
    }

    /// Removes a face. Its person stays, even without any face. Errors with `FaceNotFound`.
    pub fn remove_face(&self, id: FaceId) -> Result<()> {
        self.write(|state| state.remove_face(self.name(), id))
    }

    /// Removes a person with all faces. Errors with `PersonNotFound`.
    pub fn remove_person(&self, person: impl AsRef<str>) -> Result<()> {
        self.write(|state| state.remove_person(self.name(), person.as_ref()))
    }

    /// Gives a person another id. Faces, their ids, name and metadata stay.
    ///
    /// Errors with `PersonNotFound`, `PersonExists` if `new_id` is taken, and `InvalidArgument` if
    /// it is empty or too long.
    pub fn rename(&self, person: impl AsRef<str>, new_id: impl Into<PersonId>) -> Result<()> {
        self.write(|state| state.rename(self.name(), person.as_ref(), new_id.into()))
    }

    /// Sets the name to show for a person, or removes it. Errors with `PersonNotFound`.
    pub fn set_name(&self, person: impl AsRef<str>, name: Option<&str>) -> Result<()> {
        self.write(|state| {
            state.person_mut(self.name(), person.as_ref())?.name = name.map(str::to_owned);
            Ok(())
        })
    }

    /// Replaces what the application stored with a person. Errors with `PersonNotFound`.
    pub fn set_metadata(&self, person: impl AsRef<str>, metadata: Metadata) -> Result<()> {
        self.write(|state| {
            state.person_mut(self.name(), person.as_ref())?.metadata = metadata;
            Ok(())
        })
    }

    /// Removes everybody and forgets the pinned space, as if the namespace were new.
    pub fn clear(&self) -> Result<()> {
        self.write(|state| {
            *state = State::default();
            Ok(())
        })
    }

    /// A person. Errors with `PersonNotFound`.
    pub fn get(&self, person: impl AsRef<str>) -> Result<Person> {
        self.read(|state| state.person(self.name(), person.as_ref()).cloned())
    }

    /// Everybody, in the order of the ids, as of one moment.
    pub fn persons(&self) -> Result<Vec<Person>> {
        self.read(|state| Ok(state.people.values().map(|entry| entry.person.clone()).collect()))
    }

    /// A face. Errors with `FaceNotFound`.
    pub fn face(&self, id: FaceId) -> Result<EnrolledFace> {
        self.read(|state| state.face(self.name(), id))
    }

    /// The people whose best face is at least as near to `probe` as the threshold, best first;
    /// equal scores in the order of the ids. An unknown face gives an empty list.
    ///
    /// The search is exact. Errors with `EmbeddingSpaceMismatch` or `DimensionMismatch` if the
    /// probe cannot be compared with the faces here, and `InvalidArgument` if the threshold is NaN.
    pub fn search(&self, probe: &Embedding, options: &SearchOptions) -> Result<Vec<Match>> {
        match self.snapshot()? {
            Some(pinned) => pinned.search(self.name(), probe, options),
            None => Ok(Vec::new()),
        }
    }

    /// Searches for many probes at once, spread over the processor's cores; the answers are in the
    /// order of the probes, and all see the namespace as of one moment.
    ///
    /// Errors as [`Namespace::search`] does, for the whole batch, naming the first bad probe.
    pub fn search_batch(&self, probes: &[Embedding], options: &SearchOptions) -> Result<Vec<Vec<Match>>> {
        let Some(pinned) = self.snapshot()? else {
            return Ok(vec![Vec::new(); probes.len()]);
        };
        let found: Vec<_> = probes.par_iter().map(|probe| pinned.search(self.name(), probe, options)).collect();
        let numbered = found.into_iter().enumerate();
        numbered.map(|(at, matches)| matches.context_with(|| format!("probe {at}"))).collect()
    }

    /// Who this is: the best match at or above the threshold of the probe's embedding space, or
    /// `None` if it is nobody enrolled here. Errors as [`Namespace::search`] does.
    pub fn identify(&self, probe: &Embedding) -> Result<Option<Match>> {
        let best = SearchOptions { top_k: 1, ..SearchOptions::default() };
        Ok(self.search(probe, &best)?.pop())
    }

    fn snapshot(&self) -> Result<Option<Pinned>> {
        self.read(|state| Ok(state.pinned.clone()))
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> Result<T>) -> Result<T> {
        // Poison is ignored here and below: changes check first and then run code that does not
        // fail, so a panic elsewhere under the lock leaves nothing half done.
        let guard = self.shared.state.read().unwrap_or_else(PoisonError::into_inner);
        guard.as_ref().ok_or_else(|| self.dropped()).and_then(look)
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut guard = self.shared.state.write().unwrap_or_else(PoisonError::into_inner);
        guard.as_mut().ok_or_else(|| self.dropped()).and_then(change)
    }

    /// Reads for an export; `None` if the namespace was dropped.
    pub(super) fn read_for_export<T>(&self, look: impl FnOnce(&State) -> T) -> Option<T> {
        self.read(|state| Ok(look(state))).ok()
    }

    fn dropped(&self) -> Error {
        Error::new(ErrorKind::NamespaceNotFound, format!("namespace `{}` was dropped", self.name()))
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Namespace({:?}, {} persons, {} faces)", self.name(), self.person_count(), self.face_count())
    }
}
