//! One set of people that are compared with each other.

use std::fmt;
use std::sync::Arc;

use super::change::{Editor, metadata_of, no_face, no_person};
use super::view::{View, check_fits, check_pin};
use super::{
    Batch, Closing, Done, EnrolledFace, FaceId, Match, Metadata, NewFace, Person, PersonId, SearchOptions, Slot, Vote,
};
use crate::embedding::{Embedding, EmbeddingSpace};
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::store::schema::{PersonRow, Rows};

/// A set of people within a [`Gallery`](super::Gallery), with the faces that each is known by.
///
/// The first face pins the embedding space and dimension: adding or searching with another gives
/// `EmbeddingSpaceMismatch` or `DimensionMismatch`.
///
/// Cloning is cheap and gives another handle to the same namespace; handles may be used on any
/// number of threads. A search runs over a snapshot and takes no lock: it delays neither other searches nor
/// writers, and sees each write wholly or not at all. Writes wait for each other.
///
/// What a method changes is durable when it returns, unless the gallery was opened with
/// [`Durability::Relaxed`](super::Durability). Beside the errors named, every method that changes something
/// gives `GalleryReadOnly` in a gallery that was opened for reading, and `Io` if the disk fails; then
/// nothing was changed.
///
/// After [`Gallery::drop_namespace`](super::Gallery::drop_namespace) every method of the handles
/// that remain gives `NamespaceNotFound`, and counts are 0.
#[derive(Clone)]
pub struct Namespace {
    slot: Arc<Slot>,
    gallery: Arc<Closing>,
}

impl Namespace {
    pub(super) fn new(slot: Arc<Slot>, gallery: Arc<Closing>) -> Self {
        Namespace { slot, gallery }
    }

    fn view(&self) -> Result<Arc<View>> {
        self.slot.view()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.slot.name
    }

    /// The embedding space of the faces here; `None` until it is pinned.
    pub fn space(&self) -> Option<EmbeddingSpace> {
        Some(self.view().ok()?.pin()?.0)
    }

    /// How many coordinates the embeddings here have, 64 to 1024; `None` until it is pinned.
    pub fn dimension(&self) -> Option<usize> {
        Some(self.view().ok()?.pin()?.1)
    }

    /// How many people are enrolled, those without faces included.
    pub fn person_count(&self) -> usize {
        self.view().map_or(0, |view| view.directory.len())
    }

    /// How many faces are enrolled.
    pub fn face_count(&self) -> usize {
        self.view().map_or(0, |view| view.faces())
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
        self.write(|editor| editor.pin(space, dimension))
    }

    /// Whether embeddings of a space and dimension can be compared with the faces here, or be the first.
    ///
    /// Errors as [`Namespace::pin`] does.
    pub fn check(&self, space: &EmbeddingSpace, dimension: usize) -> Result<()> {
        match self.view()?.pin() {
            Some((pinned, size)) => check_fits(self.name(), (&pinned, size), space, dimension),
            None => check_pin(space, dimension),
        }
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
        self.write(|editor| editor.enrol(&person, faces)).context_with(|| format!("enrolling {person}"))
    }

    /// Gives a face another embedding, such as one from a better crop of the same photo. Id, source
    /// and metadata stay.
    ///
    /// Returns `id`, unless another face of the person has exactly these values: then `id` is
    /// removed and the other's id is returned. Errors with `FaceNotFound`,
    /// `EmbeddingSpaceMismatch` or `DimensionMismatch`.
    pub fn replace_face(&self, id: FaceId, embedding: &Embedding) -> Result<FaceId> {
        self.write(|editor| editor.replace(id, embedding))
    }

    /// Removes a face. Its person stays, even without any face. Errors with `FaceNotFound`.
    pub fn remove_face(&self, id: FaceId) -> Result<()> {
        self.write(|editor| editor.remove_face(id))
    }

    /// Removes a person with all faces. Errors with `PersonNotFound`.
    pub fn remove_person(&self, person: impl AsRef<str>) -> Result<()> {
        self.write(|editor| editor.remove_person(person.as_ref()))
    }

    /// Gives a person another id. Faces, their ids, name and metadata stay.
    ///
    /// Errors with `PersonNotFound`, `PersonExists` if `new_id` is taken, and `InvalidArgument` if
    /// it is empty or too long.
    pub fn rename(&self, person: impl AsRef<str>, new_id: impl Into<PersonId>) -> Result<()> {
        let (person, new_id) = (person.as_ref(), new_id.into());
        self.write(|editor| editor.rename(person, &new_id))
    }

    /// Sets the name to show for a person, or removes it. Errors with `PersonNotFound`.
    pub fn set_name(&self, person: impl AsRef<str>, name: Option<&str>) -> Result<()> {
        self.write(|editor| editor.set_name(person.as_ref(), name))
    }

    /// Replaces what the application stored with a person. Errors with `PersonNotFound`.
    pub fn set_metadata(&self, person: impl AsRef<str>, metadata: Metadata) -> Result<()> {
        self.write(|editor| editor.set_metadata(person.as_ref(), &metadata))
    }

    /// Replaces what the application stored with a face. Errors with `FaceNotFound`.
    pub fn set_face_metadata(&self, id: FaceId, metadata: Metadata) -> Result<()> {
        self.write(|editor| editor.set_face_metadata(id, &metadata))
    }

    /// Makes one person of two: all faces of `from` become faces of `into`, with their ids, and `from` is
    /// removed. Name and metadata of `into` stay; what it lacks is taken from `from`. A face whose values
    /// `into` has already is removed.
    ///
    /// Errors with `PersonNotFound`, and `InvalidArgument` if the two are the same person.
    pub fn merge(&self, from: impl AsRef<str>, into: impl AsRef<str>) -> Result<()> {
        self.write(|editor| editor.merge(from.as_ref(), into.as_ref()))
    }

    /// Moves a person with everything into another namespace of the same gallery. Id and face ids stay.
    ///
    /// Nothing is ever half moved on disk; a search in the other namespace may see the person a moment
    /// before searches here cease to.
    ///
    /// Errors with `PersonNotFound`, `PersonExists` if the id is taken there, `EmbeddingSpaceMismatch` or
    /// `DimensionMismatch` if the other namespace holds other embeddings, and `InvalidArgument` if it is of
    /// another gallery or this very namespace.
    pub fn move_person(&self, person: impl AsRef<str>, to: &Namespace) -> Result<()> {
        let (person, gallery) = (person.as_ref(), &self.gallery);
        if !Arc::ptr_eq(gallery, &to.gallery) || self.name() == to.name() {
            fail!(InvalidArgument, "a person is moved between two namespaces of one gallery; export and import else");
        }
        gallery.transact(|change| {
            let pin = change.of(&self.slot)?.pin_of_person(person)?;
            change.of(&to.slot)?.check_newcomer(person, pin.as_ref())?;
            let (row, faces) = change.of(&self.slot)?.take_person(person)?;
            change.of(&to.slot)?.settle(person, row, faces)
        })
    }

    /// Makes all changes of a batch with one commit, and tells for each item, in order, what it did or why it
    /// was refused. A refused item changes nothing and does not hinder the others, unless
    /// [`Batch::all_or_nothing`] was asked for. Searches see all changes of the batch or none.
    ///
    /// Errors if the whole batch could not be committed; then nothing was changed.
    pub fn apply(&self, batch: &Batch) -> Result<Vec<Result<Done>>> {
        self.write(|editor| batch.apply(editor))
    }

    /// Removes everybody and forgets the pinned space, as if the namespace were new.
    pub fn clear(&self) -> Result<()> {
        self.write(|editor| editor.clear())
    }

    /// A person. Errors with `PersonNotFound`.
    pub fn get(&self, person: impl AsRef<str>) -> Result<Person> {
        let person = person.as_ref();
        self.read(|rows, namespace| match rows.person(namespace, person)? {
            Some(row) => person_of(rows, namespace, person, row),
            None => Err(no_person(self.name(), person)),
        })
    }

    /// Everybody, in the order of the ids, as of one moment.
    pub fn persons(&self) -> Result<Vec<Person>> {
        self.persons_after(None, usize::MAX)
    }

    /// At most `limit` persons whose ids come after `after` (by bytes), in the order of the ids: for going
    /// through a large namespace in steps.
    pub fn persons_after(&self, after: Option<&PersonId>, limit: usize) -> Result<Vec<Person>> {
        self.read(|rows, namespace| {
            let found = rows.persons_from(namespace, after.map_or("", PersonId::as_str))?;
            let found = found.filter(|row| !matches!((row, after), (Ok((id, _)), Some(after)) if *after == **id));
            let person = |row: Result<(String, PersonRow)>| {
                let (id, row) = row?;
                person_of(rows, namespace, &id, row)
            };
            found.take(limit).map(person).collect()
        })
    }

    /// A face. Errors with `FaceNotFound`, and `GalleryCorrupt` if what is stored of it is damaged.
    pub fn face(&self, id: FaceId) -> Result<EnrolledFace> {
        // In memory the vector is the index's alone: row and vector must be of one moment.
        let _still = (!self.gallery.store.keeps_vectors()).then(|| self.gallery.hold_still());
        self.read_with_view(|rows, view| {
            let Some(row) = rows.face(id.get())?.filter(|row| row.namespace == view.number) else {
                return Err(no_face(self.name(), id));
            };
            let Some(person) = rows.person_id(row.namespace, row.person)? else {
                fail!(GalleryCorrupt, "face {id} belongs to a person that is not there");
            };
            let kept = Some(&*row.values).filter(|values| !values.is_empty());
            let (Some((space, _)), Some(values)) = (view.pin(), kept.or_else(|| view.values(id.get()))) else {
                return Err(no_face(self.name(), id));
            };
            Ok(EnrolledFace {
                id,
                person: PersonId::from(person),
                embedding: Embedding::from_stored(values, row.norm, space)?,
                quality: row.quality,
                source: row.source,
                metadata: metadata_of(&row.metadata)?,
            })
        })
    }

    /// The people whose best face is at least as near to `probe` as the threshold, best first;
    /// equal scores in the order of the ids. An unknown face gives an empty list.
    ///
    /// How sure it is that nobody is overlooked is said by [`SearchOptions::reach`]. Errors with
    /// `EmbeddingSpaceMismatch` or `DimensionMismatch` if the probe cannot be compared with the faces here,
    /// and `InvalidArgument` if an option is out of range.
    pub fn search(&self, probe: &Embedding, options: &SearchOptions) -> Result<Vec<Match>> {
        let view = self.view()?;
        let Some(pinned) = &view.pinned else { return Ok(Vec::new()) };
        let query = pinned.query(self.name(), probe, options)?;
        Ok(pinned.search(&view.directory, &[query], options).pop().unwrap_or_default())
    }

    /// Searches for many probes at once, which costs less than one at a time: they share the way through
    /// memory. The answers are in the order of the probes, each as [`Namespace::search`] gives it, and all see
    /// the namespace as of one moment.
    ///
    /// Errors as [`Namespace::search`] does, for the whole batch, naming the first bad probe.
    pub fn search_batch(&self, probes: &[Embedding], options: &SearchOptions) -> Result<Vec<Vec<Match>>> {
        let view = self.view()?;
        let Some(pinned) = &view.pinned else { return Ok(vec![Vec::new(); probes.len()]) };
        let numbered = probes.iter().enumerate();
        let query = |(at, probe)| pinned.query(self.name(), probe, options).context_with(|| format!("probe {at}"));
        let queries = numbered.map(query).collect::<Result<Vec<_>>>()?;
        Ok(pinned.search(&view.directory, &queries, options))
    }

    /// Who this is: the best match at or above the threshold of the probe's embedding space, or
    /// `None` if it is nobody enrolled here. Errors as [`Namespace::search`] does.
    pub fn identify(&self, probe: &Embedding) -> Result<Option<Match>> {
        let best = SearchOptions { top_k: 1, ..SearchOptions::default() };
        Ok(self.search(probe, &best)?.pop())
    }

    /// Lets the `faces` nearest faces vote: those under the threshold are dropped, and the person with the
    /// most of the rest is the answer; of several, the one with the nearest face. `None` if no face reaches the
    /// threshold. `top_k` of the options has no meaning here.
    ///
    /// Errors as [`Namespace::search`] does, and with `InvalidArgument` if `faces` is 0.
    pub fn vote(&self, probe: &Embedding, faces: usize, options: &SearchOptions) -> Result<Option<Vote>> {
        if faces == 0 {
            fail!(InvalidArgument, "somebody has to vote: the number of faces is at least 1");
        }
        let view = self.view()?;
        let Some(pinned) = &view.pinned else { return Ok(None) };
        let query = pinned.query(self.name(), probe, options)?;
        Ok(pinned.vote(&view.directory, &query, faces, options))
    }

    /// Looks things up, all as of one moment.
    fn read<T>(&self, look: impl FnOnce(&Rows<'_>, u32) -> Result<T>) -> Result<T> {
        self.read_with_view(|rows, view| look(rows, view.number))
    }

    fn read_with_view<T>(&self, look: impl FnOnce(&Rows<'_>, &View) -> Result<T>) -> Result<T> {
        let view = self.view()?;
        let read = self.gallery.store.read()?;
        look(&Rows(&*read), &view)
    }

    fn write<T>(&self, change: impl FnOnce(&mut Editor<'_, '_>) -> Result<T>) -> Result<T> {
        self.gallery.transact(|transaction| change(&mut transaction.of(&self.slot)?))
    }
}

/// A person with the ids of its faces.
pub(super) fn person_of(rows: &Rows<'_>, namespace: u32, id: &str, row: PersonRow) -> Result<Person> {
    let faces = rows.faces_of(namespace, row.number)?.into_iter().map(FaceId::from).collect();
    Ok(Person { id: PersonId::from(id), name: row.name, metadata: metadata_of(&row.metadata)?, faces })
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Namespace({:?}, {} persons, {} faces)", self.name(), self.person_count(), self.face_count())
    }
}
