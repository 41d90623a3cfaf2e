//! Many changes in one commit.

use super::change::Editor;
use super::{FaceId, Metadata, NewFace, PersonId};
use crate::embedding::Embedding;
use crate::error::{Context, Error, ErrorKind, Result};

/// Changes to a namespace that become durable and visible together, with one commit.
///
/// ```
/// # use facecore::{Embedding, EmbeddingSpace, ErrorKind, Gallery};
/// # use facecore::gallery::Batch;
/// # fn main() -> facecore::Result<()> {
/// # let face = Embedding::from_raw(vec![1.0; 64], EmbeddingSpace::new("example-64", 0.4))?;
/// let staff = Gallery::in_memory().namespace("staff")?;
/// let mut batch = Batch::new();
/// batch.enrol("ada", vec![face.into()]).remove_person("nobody");
/// let outcomes = staff.apply(&batch)?;
/// assert_eq!(outcomes[0].as_ref().unwrap().faces().len(), 1);
/// assert_eq!(outcomes[1].as_ref().unwrap_err().kind(), ErrorKind::PersonNotFound);
/// assert_eq!(staff.person_count(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Batch {
    items: Vec<Item>,
    all_or_nothing: bool,
}

#[derive(Debug, Clone)]
enum Item {
    Enrol(PersonId, Vec<NewFace>),
    ReplaceFace(FaceId, Embedding),
    SetFaceMetadata(FaceId, Metadata),
    RemoveFace(FaceId),
    RemovePerson(PersonId),
    Rename(PersonId, PersonId),
    Merge(PersonId, PersonId),
    SetName(PersonId, Option<String>),
    SetMetadata(PersonId, Metadata),
}

/// What an item of a [`Batch`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Done {
    /// The ids of the faces enrolled, in their order; of a face that the person had already, that one's id.
    Enrolled(Vec<FaceId>),
    /// The id that the new vector has; another one if the person had that vector already.
    Replaced(FaceId),
    /// It was done and there is nothing to tell.
    Changed,
}

impl Done {
    /// The ids of the faces that were enrolled or replaced.
    pub fn faces(&self) -> &[FaceId] {
        match self {
            Done::Enrolled(faces) => faces,
            Done::Replaced(face) => std::slice::from_ref(face),
            Done::Changed => &[],
        }
    }
}

/// Each adds the change that the method of [`Namespace`](super::Namespace) with the same name makes.
impl Batch {
    /// No changes yet.
    pub fn new() -> Self {
        Batch::default()
    }

    /// Makes the whole batch fail if any of its items does.
    pub fn all_or_nothing(&mut self) -> &mut Self {
        self.all_or_nothing = true;
        self
    }

    /// Adds faces to a person, who is created if absent. If one of them cannot be added, none is; give each
    /// face an item of its own to have good ones added beside bad ones.
    pub fn enrol(&mut self, person: impl Into<PersonId>, faces: Vec<NewFace>) -> &mut Self {
        self.push(Item::Enrol(person.into(), faces))
    }

    /// Gives a face another embedding.
    pub fn replace_face(&mut self, id: FaceId, embedding: Embedding) -> &mut Self {
        self.push(Item::ReplaceFace(id, embedding))
    }

    /// Replaces what the application stored with a face.
    pub fn set_face_metadata(&mut self, id: FaceId, metadata: Metadata) -> &mut Self {
        self.push(Item::SetFaceMetadata(id, metadata))
    }

    /// Removes a face.
    pub fn remove_face(&mut self, id: FaceId) -> &mut Self {
        self.push(Item::RemoveFace(id))
    }

    /// Removes a person with all faces.
    pub fn remove_person(&mut self, person: impl Into<PersonId>) -> &mut Self {
        self.push(Item::RemovePerson(person.into()))
    }

    /// Gives a person another id.
    pub fn rename(&mut self, person: impl Into<PersonId>, new_id: impl Into<PersonId>) -> &mut Self {
        self.push(Item::Rename(person.into(), new_id.into()))
    }

    /// Gives all faces of `from` to `into`, and removes `from`.
    pub fn merge(&mut self, from: impl Into<PersonId>, into: impl Into<PersonId>) -> &mut Self {
        self.push(Item::Merge(from.into(), into.into()))
    }

    /// Sets the name to show for a person, or removes it.
    pub fn set_name(&mut self, person: impl Into<PersonId>, name: Option<&str>) -> &mut Self {
        self.push(Item::SetName(person.into(), name.map(str::to_owned)))
    }

    /// Replaces what the application stored with a person.
    pub fn set_metadata(&mut self, person: impl Into<PersonId>, metadata: Metadata) -> &mut Self {
        self.push(Item::SetMetadata(person.into(), metadata))
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn push(&mut self, item: Item) -> &mut Self {
        self.items.push(item);
        self
    }

    /// Makes the changes. An error means that the transaction cannot be committed.
    pub(super) fn apply(&self, editor: &mut Editor<'_, '_>) -> Result<Vec<Result<Done>>> {
        let mut outcomes = Vec::with_capacity(self.items.len());
        for (at, item) in self.items.iter().enumerate() {
            match item.apply(editor) {
                Err(error) if self.all_or_nothing || is_of_the_store(&error) => {
                    return Err(error).context_with(|| format!("item {at} of the batch"));
                }
                outcome => outcomes.push(outcome),
            }
        }
        Ok(outcomes)
    }
}

/// Whether it is not the item that is wrong: what was written so far cannot be relied on.
fn is_of_the_store(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io | ErrorKind::GalleryCorrupt | ErrorKind::GalleryLocked | ErrorKind::Internal)
}

impl Item {
    fn apply(&self, editor: &mut Editor<'_, '_>) -> Result<Done> {
        match self {
            Item::Enrol(person, faces) => {
                let enrolled = editor.enrol(person, faces).context_with(|| format!("enrolling {person}"));
                return enrolled.map(Done::Enrolled);
            }
            Item::ReplaceFace(id, embedding) => return editor.replace(*id, embedding).map(Done::Replaced),
            Item::SetFaceMetadata(id, metadata) => editor.set_face_metadata(*id, metadata),
            Item::RemoveFace(id) => editor.remove_face(*id),
            Item::RemovePerson(person) => editor.remove_person(person.as_str()),
            Item::Rename(person, new_id) => editor.rename(person.as_str(), new_id),
            Item::Merge(from, into) => editor.merge(from.as_str(), into.as_str()),
            Item::SetName(person, name) => editor.set_name(person.as_str(), name.as_deref()),
            Item::SetMetadata(person, metadata) => editor.set_metadata(person.as_str(), metadata),
        }?;
        Ok(Done::Changed)
    }
}
