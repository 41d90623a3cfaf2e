//! Transactions: what each operation does to the rows of the store, and what the index has to do after.
//!
//! An operation first checks everything that can be wrong with it and only then touches a row. So a bad item
//! of a batch leaves the others as they are, and what can fail later is the store itself: then nothing of the
//! transaction is committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::view::{Delta, Placed, View, check_fits, check_pin};
use super::{FaceId, Metadata, NewFace, PersonId, Shared, Slot};
use crate::embedding::{Embedding, EmbeddingSpace};
use crate::error::{Error, ErrorKind, Result, fail};
use crate::store::Write;
use crate::store::schema::{self, FaceRow, NamespaceRow, PersonRow, Rows, RowsMut, vector_hash};

/// Ids stay below 2^53; this leaves room for imports.
pub(super) const HIGHEST_FACE: u64 = 1 << 52;

/// So many changed faces keep an index busy for as long as it takes to start a thread several times over.
const WORTH_A_THREAD: usize = 64;

/// A transaction in the making.
pub(super) struct Change<'a> {
    write: Box<dyn Write + 'a>,
    keeps_vectors: bool,
    pub next_face: u64,
    /// Faces of namespaces that are dropped.
    gone: usize,
    /// What was touched, by name.
    touched: BTreeMap<String, Touched>,
}

struct Touched {
    slot: Arc<Slot>,
    before: Arc<View>,
    row: NamespaceRow,
    delta: Delta,
}

/// What is to be published after the commit.
pub(super) struct Outcome {
    pub published: Vec<(Arc<Slot>, View)>,
    /// How many faces and persons the indexes got or lost.
    pub changes: usize,
}

impl<'a> Change<'a> {
    pub fn begin(shared: &'a Shared) -> Result<Change<'a>> {
        let write = shared.store.write()?;
        let next_face = Rows(&*write).next_face()?;
        let keeps_vectors = shared.store.keeps_vectors();
        Ok(Change { write, keeps_vectors, next_face, gone: 0, touched: BTreeMap::new() })
    }

    /// The namespace, to be changed. Errors with `NamespaceNotFound` if it was dropped.
    pub fn of<'c>(&'c mut self, slot: &Arc<Slot>) -> Result<Editor<'c, 'a>> {
        let name = &*slot.name;
        if !self.touched.contains_key(name) {
            let before = slot.view()?;
            let Some(row) = Rows(&*self.write).namespace(name)? else {
                fail!(GalleryCorrupt, "namespace `{name}` is not in the store any more");
            };
            let (number, pin, known_below) = (row.number, pin_of(&row), self.next_face);
            let delta = Delta { number, pin, known_below, ..Delta::default() };
            self.touched.insert(name.to_owned(), Touched { slot: slot.clone(), before, row, delta });
        }
        match self.touched.get_mut(name) {
            Some(on) => Ok(Editor {
                write: &mut *self.write,
                next_face: &mut self.next_face,
                keeps_vectors: self.keeps_vectors,
                on,
            }),
            None => fail!(Internal, "a namespace that was just touched is gone"),
        }
    }

    /// Adds a namespace that is not there yet, and returns its number.
    pub fn add_namespace(&mut self, name: &str) -> Result<u32> {
        if Rows(&*self.write).namespace(name)?.is_some() {
            fail!(Internal, "namespace `{name}` is in the store already, and was not opened");
        }
        let number = take_namespace_number(&mut *self.write)?;
        RowsMut(&mut *self.write).put_namespace(name, &empty_namespace(number))?;
        Ok(number)
    }

    /// Removes a namespace with everybody in it.
    pub fn drop_namespace(&mut self, slot: &Arc<Slot>) -> Result<()> {
        self.gone += slot.view()?.faces();
        RowsMut(&mut *self.write).delete_namespace(&slot.name)?;
        Ok(())
    }

    /// Makes everything durable and tells what to publish.
    pub fn commit(mut self, shared: &Shared) -> Result<Outcome> {
        let touched = std::mem::take(&mut self.touched);
        let mut rows = RowsMut(&mut *self.write);
        for (name, Touched { row, delta, .. }) in &touched {
            rows.put_namespace(name, row)?;
            if self.keeps_vectors && !(delta.faces.is_empty() && delta.persons.is_empty()) {
                let faces = delta.faces.keys().copied().collect();
                let persons = delta.persons.keys().copied().collect();
                rows.put_log(&schema::Change { namespace: row.number, faces, persons })?;
            }
        }
        rows.set_next_face(self.next_face)?;

        let changes: usize = touched.values().map(Touched::changes).sum();
        let views = || touched.values().map(|on| (on.slot.clone(), on.before.after(&on.delta))).collect::<Vec<_>>();
        let write = self.write;
        // The index works on what is to be published while the disk works.
        let published = std::thread::scope(|scope| {
            let views =
                if self.keeps_vectors && changes >= WORTH_A_THREAD { Err(scope.spawn(views)) } else { Ok(views) };
            write.commit(shared.options.durability)?;
            match views {
                Ok(views) => Ok(views()),
                Err(thread) => Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
            }
        })?;
        Ok(Outcome { published, changes: changes + self.gone })
    }
}

impl Touched {
    fn changes(&self) -> usize {
        // Cleared, it has another number.
        let cleared = if self.before.number == self.delta.number { 0 } else { self.before.faces() };
        cleared + self.delta.faces.len() + self.delta.persons.len()
    }
}

fn empty_namespace(number: u32) -> NamespaceRow {
    NamespaceRow { number, space: None, dimension: 0, next_person: 0 }
}

fn take_namespace_number(write: &mut dyn Write) -> Result<u32> {
    let number = Rows(write).next_namespace()?;
    RowsMut(write).set_next_namespace(following(number)?)?;
    Ok(number)
}

/// The number after one that is given out.
fn following(number: u32) -> Result<u32> {
    match number.checked_add(1) {
        Some(next) => Ok(next),
        None => fail!(Internal, "all {number} numbers were given out; export the gallery and import it into a new one"),
    }
}

/// Space and dimension of a namespace's faces.
pub(super) fn pin_of(row: &NamespaceRow) -> Option<(EmbeddingSpace, usize)> {
    let (id, threshold) = row.space.as_ref()?;
    Some((EmbeddingSpace::new(id, *threshold), row.dimension as usize))
}

/// One namespace within a transaction.
pub(super) struct Editor<'c, 'a> {
    write: &'c mut (dyn Write + 'a),
    next_face: &'c mut u64,
    keeps_vectors: bool,
    on: &'c mut Touched,
}

impl Editor<'_, '_> {
    fn name(&self) -> &str {
        &self.on.slot.name
    }

    fn number(&self) -> u32 {
        self.on.row.number
    }

    fn rows(&self) -> Rows<'_> {
        Rows(&*self.write)
    }

    fn rows_mut(&mut self) -> RowsMut<'_> {
        RowsMut(&mut *self.write)
    }

    /// Whether a face is here.
    fn has_faces(&self) -> bool {
        let Delta { faces, number, .. } = &self.on.delta;
        if faces.values().any(Option::is_some) {
            return true;
        }
        let before = if self.on.before.number == *number { self.on.before.faces() } else { 0 };
        // What is left of those that were here before.
        before > faces.keys().filter(|face| self.on.before.values(**face).is_some()).count()
    }

    /// Pins the space and dimension, or checks them if faces are here already.
    pub fn pin(&mut self, space: &EmbeddingSpace, dimension: usize) -> Result<()> {
        if self.has_faces() { self.check(space, dimension) } else { self.set_pin(space, dimension) }
    }

    /// Pins if nothing is pinned yet, and checks else.
    pub fn pin_if_free(&mut self, space: &EmbeddingSpace, dimension: usize) -> Result<()> {
        self.check(space, dimension)?;
        if self.on.delta.pin.is_none() { self.set_pin(space, dimension) } else { Ok(()) }
    }

    fn set_pin(&mut self, space: &EmbeddingSpace, dimension: usize) -> Result<()> {
        check_pin(space, dimension)?;
        self.on.row.space = Some((space.id().to_owned(), space.threshold()));
        self.on.row.dimension = dimension as u32;
        self.on.delta.pin = Some((space.clone(), dimension));
        Ok(())
    }

    fn check(&self, space: &EmbeddingSpace, dimension: usize) -> Result<()> {
        match &self.on.delta.pin {
            Some((pinned, size)) => check_fits(self.name(), (pinned, *size), space, dimension),
            None => check_pin(space, dimension),
        }
    }

    /// Checks a face to be added; the first pins.
    fn admit(&mut self, embeddings: &mut dyn Iterator<Item = &Embedding>) -> Result<()> {
        let mut first: Option<&Embedding> = None;
        for embedding in embeddings {
            let (space, dimension) = (embedding.space(), embedding.dimension());
            self.check(space, dimension)?;
            let leader = *first.get_or_insert(embedding);
            check_fits(self.name(), (leader.space(), leader.dimension()), space, dimension)?;
        }
        match first {
            Some(first) if self.on.delta.pin.is_none() => self.set_pin(first.space(), first.dimension()),
            _ => Ok(()),
        }
    }

    pub fn enrol(&mut self, person: &PersonId, faces: &[NewFace]) -> Result<Vec<FaceId>> {
        person.check()?;
        if faces.iter().any(|face| face.quality.is_some_and(|quality| !quality.is_finite())) {
            fail!(InvalidArgument, "the quality of a face is a finite number");
        }
        self.admit(&mut faces.iter().map(|face| &face.embedding))?;
        let (number, is_new) = self.ensure_person(person)?;
        let add = |(at, face): (usize, &NewFace)| match at {
            // Somebody new has no face that it could be.
            0 if is_new => self.place(number, face, vector_hash(face.embedding.values()), None),
            _ => self.insert(number, face, None).map(|added| added.id),
        };
        faces.iter().enumerate().map(add).collect()
    }

    /// The person's number, and whether it was given only now, to a new person.
    pub fn ensure_person(&mut self, person: &PersonId) -> Result<(u32, bool)> {
        if let Some(row) = self.rows().person(self.number(), person.as_str())? {
            return Ok((row.number, false));
        }
        let number = self.on.row.next_person;
        self.on.row.next_person = following(number)?;
        let row = PersonRow { number, name: None, metadata: text_of(&Metadata::new()) };
        self.put_person(person, &row)?;
        Ok((number, true))
    }

    fn put_person(&mut self, person: &PersonId, row: &PersonRow) -> Result<()> {
        let namespace = self.number();
        self.rows_mut().put_person(namespace, person.as_str(), row)?;
        self.on.delta.persons.insert(row.number, Some(person.clone()));
        Ok(())
    }

    /// Adds an admitted face, under an id of its own or a given one. A person that has the same vector
    /// keeps the face it has.
    pub fn insert(&mut self, owner: u32, face: &NewFace, id: Option<FaceId>) -> Result<Added> {
        let hash = vector_hash(face.embedding.values());
        if let Some(same) = self.rows().same_face(self.number(), owner, hash)? {
            return Ok(Added { id: FaceId::from(same), is_new: false });
        }
        Ok(Added { id: self.place(owner, face, hash, id)?, is_new: true })
    }

    fn place(&mut self, owner: u32, face: &NewFace, hash: u128, id: Option<FaceId>) -> Result<FaceId> {
        let id = match id {
            Some(id) => id.get(),
            None => self.new_id()?,
        };
        let row = FaceRow {
            namespace: self.number(),
            person: owner,
            norm: face.embedding.norm(),
            quality: face.quality,
            source: face.source.clone(),
            metadata: text_of(&face.metadata),
            hash,
            values: Arc::default(),
        };
        self.put_face(id, row, face.embedding.shared_values().clone())?;
        Ok(FaceId::from(id))
    }

    fn new_id(&mut self) -> Result<u64> {
        let id = *self.next_face;
        if id >= 2 * HIGHEST_FACE {
            fail!(Internal, "the gallery has given out all face ids below 2^53");
        }
        *self.next_face += 1;
        Ok(id)
    }

    fn put_face(&mut self, id: u64, mut row: FaceRow, values: Arc<[f32]>) -> Result<()> {
        row.values = if self.keeps_vectors { values.clone() } else { Arc::default() };
        self.rows_mut().put_face(id, &row)?;
        let placed = Placed { owner: row.person, values };
        self.on.delta.faces.insert(id, Some(placed));
        Ok(())
    }

    /// Gives a face another vector, and returns the id that vector now has.
    pub fn replace(&mut self, id: FaceId, embedding: &Embedding) -> Result<FaceId> {
        let mut row = self.face(id)?;
        self.check(embedding.space(), embedding.dimension())?;
        let hash = vector_hash(embedding.values());
        let same = self.rows().same_face(row.namespace, row.person, hash)?;
        if same == Some(id.get()) {
            return Ok(id);
        }
        self.forget(id.get())?;
        if let Some(other) = same {
            return Ok(FaceId::from(other));
        }
        (row.norm, row.hash) = (embedding.norm(), hash);
        self.put_face(id.get(), row, embedding.shared_values().clone())?;
        Ok(id)
    }

    pub fn remove_face(&mut self, id: FaceId) -> Result<()> {
        match self.face(id) {
            Ok(_) => self.forget(id.get()),
            Err(error) if error.kind() == ErrorKind::GalleryCorrupt => self.forget_damaged(id.get()),
            Err(error) => Err(error),
        }
    }

    pub fn set_face_metadata(&mut self, id: FaceId, metadata: &Metadata) -> Result<()> {
        let row = self.face(id)?;
        self.rows_mut().put_face(id.get(), &FaceRow { metadata: text_of(metadata), ..row })
    }

    pub fn remove_person(&mut self, person: &str) -> Result<()> {
        let number = match self.person(person) {
            Ok(row) => row.number,
            Err(error) if error.kind() == ErrorKind::GalleryCorrupt => self.number_of_damaged(person, error)?,
            Err(error) => return Err(error),
        };
        let faces = self.rows().faces_of(self.number(), number)?;
        self.on.delta.faces.extend(faces.into_iter().map(|face| (face, None)));
        self.forget_person(person, number)
    }

    fn forget_person(&mut self, person: &str, number: u32) -> Result<()> {
        let namespace = self.number();
        self.rows_mut().delete_person(namespace, person, number)?;
        self.on.delta.persons.insert(number, None);
        Ok(())
    }

    /// The number of a person whose record cannot be read, so that damage stands in nobody's way.
    fn number_of_damaged(&self, person: &str, error: Error) -> Result<u32> {
        let found = self.rows().numbers(self.number())?.find(|row| matches!(row, Ok((_, id)) if id == person));
        found.and_then(Result::ok).map(|(number, _)| number).ok_or(error)
    }

    pub fn rename(&mut self, person: &str, new_id: &PersonId) -> Result<()> {
        new_id.check()?;
        let row = self.person(person)?;
        if *new_id == *person {
            return Ok(());
        }
        self.refuse_existing(new_id)?;
        let namespace = self.number();
        self.rows_mut().rename_person(namespace, person, new_id.as_str())?;
        self.on.delta.persons.insert(row.number, Some(new_id.clone()));
        Ok(())
    }

    fn refuse_existing(&self, person: &PersonId) -> Result<()> {
        if self.rows().person(self.number(), person.as_str())?.is_some() {
            fail!(
                PersonExists,
                "namespace `{}` has a person `{person}` already; merge the two, remove one, or take another id",
                self.name()
            );
        }
        Ok(())
    }

    /// Gives all faces of `from` to `into`, and removes `from`. What `into` has of name and metadata stays;
    /// what it lacks is taken over.
    pub fn merge(&mut self, from: &str, into: &str) -> Result<()> {
        let (source, mut target) = (self.person(from)?, self.person(into)?);
        if from == into {
            fail!(InvalidArgument, "a person cannot be merged with itself (`{from}`)");
        }
        target.name = target.name.or(source.name);
        let mut metadata = metadata_of(&source.metadata)?;
        metadata.extend(metadata_of(&target.metadata)?);
        target.metadata = text_of(&metadata);
        self.put_person(&PersonId::from(into), &target)?;
        for (id, row, values) in self.take_faces(source.number)? {
            if self.rows().same_face(row.namespace, target.number, row.hash)?.is_none() {
                self.put_face(id, FaceRow { person: target.number, ..row }, values)?;
            }
        }
        self.forget_person(from, source.number)
    }

    /// Removes a person and hands out all there was.
    pub fn take_person(&mut self, person: &str) -> Result<(PersonRow, Vec<TakenFace>)> {
        let row = self.person(person)?;
        let faces = self.take_faces(row.number)?;
        self.forget_person(person, row.number)?;
        Ok((row, faces))
    }

    fn take_faces(&mut self, owner: u32) -> Result<Vec<TakenFace>> {
        let faces = self.rows().faces_of(self.number(), owner)?;
        let mut take = |face| {
            let row = self.face(FaceId::from(face))?;
            let values = self.values(face, &row)?;
            self.forget(face)?;
            Ok((face, row, values))
        };
        faces.into_iter().map(&mut take).collect()
    }

    /// Checks that a person of another namespace could come here, and with which pin.
    pub fn check_newcomer(&mut self, person: &str, pin: Option<&(EmbeddingSpace, usize)>) -> Result<()> {
        self.refuse_existing(&PersonId::from(person))?;
        pin.map_or(Ok(()), |(space, dimension)| self.pin(space, *dimension))
    }

    /// What a namespace must hold that takes a person in; `None` if the person has no faces.
    pub fn pin_of_person(&self, person: &str) -> Result<Option<(EmbeddingSpace, usize)>> {
        let row = self.person(person)?;
        let faces = self.rows().faces_of(self.number(), row.number)?;
        Ok(if faces.is_empty() { None } else { self.on.delta.pin.clone() })
    }

    /// Takes in a person of another namespace, checked before.
    pub fn settle(&mut self, person: &str, taken: PersonRow, faces: Vec<TakenFace>) -> Result<()> {
        let (number, _) = self.ensure_person(&PersonId::from(person))?;
        self.put_person(&PersonId::from(person), &PersonRow { number, ..taken })?;
        for (id, row, values) in faces {
            self.put_face(id, FaceRow { namespace: self.number(), person: number, ..row }, values)?;
        }
        Ok(())
    }

    pub fn set_name(&mut self, person: &str, name: Option<&str>) -> Result<()> {
        let row = self.person(person)?;
        let name = name.map(str::to_owned);
        let namespace = self.number();
        self.rows_mut().put_person(namespace, person, &PersonRow { name, ..row })
    }

    pub fn set_metadata(&mut self, person: &str, metadata: &Metadata) -> Result<()> {
        let row = self.person(person)?;
        let namespace = self.number();
        self.rows_mut().put_person(namespace, person, &PersonRow { metadata: text_of(metadata), ..row })
    }

    /// Removes everybody and the pin. The namespace gets another number, so that whatever is known of the
    /// old one is void.
    pub fn clear(&mut self) -> Result<()> {
        let slot = self.on.slot.clone();
        self.rows_mut().delete_namespace(&slot.name)?;
        let number = take_namespace_number(&mut *self.write)?;
        self.on.row = empty_namespace(number);
        self.on.delta = Delta { number, known_below: self.on.delta.known_below, ..Delta::default() };
        Ok(())
    }

    pub fn person(&self, person: &str) -> Result<PersonRow> {
        match self.rows().person(self.number(), person)? {
            Some(row) => Ok(row),
            None => Err(no_person(self.name(), person)),
        }
    }

    fn face(&self, id: FaceId) -> Result<FaceRow> {
        match self.rows().face(id.get())? {
            Some(row) if row.namespace == self.number() => Ok(row),
            _ => Err(no_face(self.name(), id)),
        }
    }

    /// Removes a face from everything.
    fn forget(&mut self, id: u64) -> Result<()> {
        self.rows_mut().delete_face(id)?;
        self.on.delta.faces.insert(id, None);
        Ok(())
    }

    /// Removes a face whose row cannot be read, so that damage stands in nobody's way.
    fn forget_damaged(&mut self, id: u64) -> Result<()> {
        let namespace = self.number();
        if !self.rows_mut().delete_damaged_face(namespace, id)? {
            return Err(no_face(self.name(), FaceId::from(id)));
        }
        self.on.delta.faces.insert(id, None);
        Ok(())
    }

    /// The vector of a face: kept in the store, placed in this transaction, or known to the index.
    fn values(&self, id: u64, row: &FaceRow) -> Result<Arc<[f32]>> {
        if !row.values.is_empty() {
            return Ok(row.values.clone());
        }
        let placed = match self.on.delta.faces.get(&id) {
            Some(placed) => placed.as_ref().map(|placed| placed.values.clone()),
            None => self.on.before.values(id).map(Arc::from),
        };
        match placed {
            Some(values) => Ok(values),
            None => fail!(Internal, "face {id} has no vector"),
        }
    }
}

/// What became of a face to be added.
pub(super) struct Added {
    pub id: FaceId,
    /// Whether the person did not have it already.
    pub is_new: bool,
}

/// Id, row and vector of a face on its way to somebody else.
pub(super) type TakenFace = (u64, FaceRow, Arc<[f32]>);

/// The JSON text that is stored.
pub(super) fn text_of(metadata: &Metadata) -> String {
    if metadata.is_empty() {
        return String::new();
    }
    serde_json::Value::Object(metadata.clone()).to_string()
}

/// What [`text_of`] wrote.
pub(super) fn metadata_of(text: &str) -> Result<Metadata> {
    if text.is_empty() {
        return Ok(Metadata::new());
    }
    serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::GalleryCorrupt, format!("stored metadata is no JSON object: {error}")).with_source(error)
    })
}

pub(super) fn no_person(namespace: &str, person: &str) -> Error {
    Error::new(ErrorKind::PersonNotFound, format!("namespace `{namespace}` has no person `{person}`"))
}

pub(super) fn no_face(namespace: &str, id: FaceId) -> Error {
    Error::new(ErrorKind::FaceNotFound, format!("namespace `{namespace}` has no face {id}"))
}
