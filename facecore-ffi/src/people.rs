//! Looking at people and faces, and going through them.

use std::ffi::{CString, c_char};

use facecore::gallery::{EnrolledFace, FaceId, Metadata, Person, PersonId};
use facecore::{Embedding, Error, ErrorKind, Result};

use crate::embedding::facecore_embedding;
use crate::handle::{Out, free, handle, peek, value};
use crate::input::{OutStruct, no_item, optional_text, text, versioned};
use crate::namespace::facecore_namespace;
use crate::status::guard;
use crate::text::{c_string, pointer};

/// People, in the order of their ids, as of one moment.
pub struct facecore_persons(Vec<PersonTexts>);
handle!(facecore_persons, Vec<PersonTexts>, "list of persons");

/// A person. The pointers live as long as the list.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_person {
    /// `sizeof(facecore_person)`.
    pub struct_size: usize,
    /// The id it is enrolled under.
    pub id: *const c_char,
    /// A name to show; NULL if none was set.
    pub name: *const c_char,
    /// What the application stored with the person, a JSON object.
    pub metadata: *const c_char,
    /// The ids of the faces, oldest first; NULL if there are none.
    pub faces: *const u64,
    /// How many faces there are.
    pub face_count: usize,
}

/// An enrolled face.
pub struct facecore_enrolled_face(FaceTexts);
handle!(facecore_enrolled_face, FaceTexts, "enrolled face");

/// What is known of an enrolled face. The pointers live as long as the handle.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_enrolled_face_info {
    /// `sizeof(facecore_enrolled_face_info)`.
    pub struct_size: usize,
    /// Whose face it is.
    pub person: *const c_char,
    /// 1 if `quality` was said, else 0.
    pub has_quality: i32,
    /// How good the image is.
    pub quality: f32,
    /// Where it came from; NULL if that was not said.
    pub source: *const c_char,
    /// What the application stored with the face, a JSON object.
    pub metadata: *const c_char,
    /// The id it got when it was enrolled.
    pub id: u64,
}

versioned!(facecore_person, facecore_enrolled_face_info);

/// A person as C reads it.
pub(crate) struct PersonTexts {
    id: CString,
    name: Option<CString>,
    metadata: CString,
    faces: Vec<u64>,
}

/// A face as C reads it.
pub(crate) struct FaceTexts {
    id: u64,
    person: CString,
    embedding: Embedding,
    quality: Option<f32>,
    source: Option<CString>,
    metadata: CString,
}

fn json(metadata: &Metadata) -> Result<CString> {
    let text = serde_json::to_string(metadata);
    text.map(|text| c_string(&text)).map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))
}

impl PersonTexts {
    fn of(person: Person) -> Result<PersonTexts> {
        Ok(PersonTexts {
            id: c_string(person.id.as_str()),
            name: person.name.as_deref().map(c_string),
            metadata: json(&person.metadata)?,
            faces: person.faces.iter().map(|face| face.get()).collect(),
        })
    }
}

impl FaceTexts {
    fn of(face: EnrolledFace) -> Result<FaceTexts> {
        Ok(FaceTexts {
            id: face.id.get(),
            person: c_string(face.person.as_str()),
            quality: face.quality,
            source: face.source.as_deref().map(c_string),
            metadata: json(&face.metadata)?,
            embedding: face.embedding,
        })
    }
}

/// A person: a list of one.
///
/// Errors: `FACECORE_PERSON_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_get(
    namespace: *const facecore_namespace,
    person_id: *const c_char,
    persons: *mut *mut facecore_persons,
) -> i32 {
    guard(|| {
        let out = Out::new(persons, "persons")?;
        let person = value(namespace)?.people().get(text(person_id, "person's id")?)?;
        out.give(vec![PersonTexts::of(person)?]);
        Ok(())
    })
}

/// At most `limit` people whose ids come after `after` (by bytes), in the order of the ids; `after` is NULL for the first.
/// A namespace is gone through by giving the last id of one list as `after` of the next, until a list is empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_persons(
    namespace: *const facecore_namespace,
    after: *const c_char,
    limit: usize,
    persons: *mut *mut facecore_persons,
) -> i32 {
    guard(|| {
        let out = Out::new(persons, "persons")?;
        let after = optional_text(after, "id to go on after")?.map(PersonId::from);
        let found = value(namespace)?.people().persons_after(after.as_ref(), limit)?;
        out.give(found.into_iter().map(PersonTexts::of).collect::<Result<_>>()?);
        Ok(())
    })
}

/// How many people are in the list; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_persons_count(persons: *const facecore_persons) -> usize {
    peek(persons).map_or(0, Vec::len)
}

/// The person at `index`, from 0.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_persons_get(
    persons: *const facecore_persons,
    index: usize,
    person: *mut facecore_person,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(person)?;
        let persons = value(persons)?;
        let person = persons.get(index).ok_or_else(|| no_item("person", index, persons.len()))?;
        out.write(&facecore_person {
            struct_size: 0,
            id: person.id.as_ptr(),
            name: pointer(&person.name),
            metadata: person.metadata.as_ptr(),
            faces: if person.faces.is_empty() { std::ptr::null() } else { person.faces.as_ptr() },
            face_count: person.faces.len(),
        });
        Ok(())
    })
}

/// Frees the list. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_persons_free(persons: *mut facecore_persons) {
    free(persons);
}

/// An enrolled face.
///
/// Errors: `FACECORE_FACE_NOT_FOUND`, `FACECORE_GALLERY_CORRUPT` if what is stored of it is damaged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_face(
    namespace: *const facecore_namespace,
    face: u64,
    enrolled: *mut *mut facecore_enrolled_face,
) -> i32 {
    guard(|| {
        let out = Out::new(enrolled, "enrolled face")?;
        out.give(FaceTexts::of(value(namespace)?.people().face(FaceId::from(face))?)?);
        Ok(())
    })
}

/// What is known of the face.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_enrolled_face_get_info(
    enrolled: *const facecore_enrolled_face,
    info: *mut facecore_enrolled_face_info,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(info)?;
        let face = value(enrolled)?;
        out.write(&facecore_enrolled_face_info {
            struct_size: 0,
            id: face.id,
            person: face.person.as_ptr(),
            has_quality: i32::from(face.quality.is_some()),
            quality: face.quality.unwrap_or(0.0),
            source: pointer(&face.source),
            metadata: face.metadata.as_ptr(),
        });
        Ok(())
    })
}

/// The face's embedding, bit for bit as it was enrolled, as a handle of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_enrolled_face_embedding(
    enrolled: *const facecore_enrolled_face,
    embedding: *mut *mut facecore_embedding,
) -> i32 {
    guard(|| {
        let out = Out::new(embedding, "embedding")?;
        out.give(value(enrolled)?.embedding.clone());
        Ok(())
    })
}

/// Frees the handle; the face stays enrolled. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_enrolled_face_free(enrolled: *mut facecore_enrolled_face) {
    free(enrolled);
}
