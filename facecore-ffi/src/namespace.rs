//! Namespaces: enrolling people, and changing what is known of them.

use std::ffi::{CString, c_char};

use facecore::gallery::{FaceId, IndexKind, NewFace};
use facecore::{Error, ErrorKind, Gallery, Namespace, Result};

use crate::embedding::{facecore_embedding, facecore_space};
use crate::gallery::{FACECORE_INDEX_FLAT, FACECORE_INDEX_HNSW};
use crate::handle::{Out, free, handle, peek, value};
use crate::input::{OutStruct, metadata, optional_text, read_structs, text, versioned};
use crate::status::guard;
use crate::text::c_string;

/// A set of people within a gallery, with the faces that each is known by. The first face pins the embedding space and
/// dimension.
///
/// What a function changes is durable when it returns, unless the gallery is `relaxed`. Beside the errors named, every
/// function that changes something gives `FACECORE_GALLERY_READ_ONLY` in a gallery opened for reading and `FACECORE_IO`
/// if the disk fails, and then changes nothing; and `FACECORE_NAMESPACE_NOT_FOUND` if the namespace was dropped.
pub struct facecore_namespace(People);
handle!(facecore_namespace, People, "namespace");

/// A face to enrol.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_new_face {
    /// `sizeof(facecore_new_face)`.
    pub struct_size: usize,
    /// The face itself; it is shared, not copied, and may be freed after the call.
    pub embedding: *const facecore_embedding,
    /// 1 keeps `quality`, 0 has none.
    pub has_quality: i32,
    /// How good the image is, on whatever scale the application uses.
    pub quality: f32,
    /// Where it came from, such as a file's path; NULL if that is not to be kept.
    pub source: *const c_char,
    /// What the application wants stored with the face, a JSON object; NULL for nothing.
    pub metadata: *const c_char,
}

/// What a namespace takes up.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_namespace_stats {
    /// `sizeof(facecore_namespace_stats)`.
    pub struct_size: usize,
    /// Values an embedding; 0 until it is pinned.
    pub dimension: usize,
    /// People.
    pub persons: usize,
    /// Faces.
    pub faces: usize,
    /// Removed faces that searches still step over. 0 does not mean that there is nothing left to be erased: compact after
    /// removals.
    pub removed_faces: usize,
    /// Bytes of exact vectors that searches use.
    pub vector_bytes: u64,
    /// Bytes in memory, or mapped, beside the exact vectors.
    pub search_bytes: u64,
    /// What faces are found with now: `FACECORE_INDEX_FLAT` or `FACECORE_INDEX_HNSW`.
    pub index: i64,
}

versioned!(facecore_new_face, facecore_namespace_stats);

/// A namespace and its gallery.
pub(crate) struct People {
    gallery: Gallery,
    namespace: Namespace,
    name: CString,
}

impl People {
    pub fn new(gallery: &Gallery, namespace: Namespace) -> People {
        People { gallery: gallery.clone(), name: c_string(namespace.name()), namespace }
    }

    pub fn people(&self) -> &Namespace {
        &self.namespace
    }
}

unsafe fn people<'a>(namespace: *const facecore_namespace) -> Result<&'a Namespace> {
    value(namespace).map(People::people)
}

unsafe fn person<'a>(person: *const c_char) -> Result<&'a str> {
    text(person, "person's id")
}

/// Faces as the caller gives them.
pub(crate) unsafe fn new_faces(faces: *const facecore_new_face, count: usize) -> Result<Vec<NewFace>> {
    let face = |face: &facecore_new_face| {
        Ok(NewFace {
            quality: (face.has_quality != 0).then_some(face.quality),
            source: optional_text(face.source, "source of the face")?.map(str::to_owned),
            metadata: metadata(face.metadata)?,
            ..NewFace::from(value(face.embedding)?)
        })
    };
    read_structs(faces, count)?.iter().map(face).collect()
}

/// The name of the namespace, which lives as long as the handle; NULL of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_name(namespace: *const facecore_namespace) -> *const c_char {
    peek(namespace).map_or(std::ptr::null(), |people| people.name.as_ptr())
}

/// How many people are enrolled, those without faces included; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_person_count(namespace: *const facecore_namespace) -> usize {
    peek(namespace).map_or(0, |people| people.namespace.person_count())
}

/// How many faces are enrolled; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_face_count(namespace: *const facecore_namespace) -> usize {
    peek(namespace).map_or(0, |people| people.namespace.face_count())
}

/// How many values the embeddings here have; 0 until it is pinned, and of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_dimension(namespace: *const facecore_namespace) -> usize {
    peek(namespace).and_then(|people| people.namespace.dimension()).unwrap_or(0)
}

/// The embedding space of the faces here; NULL is written as long as it is not pinned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_space(
    namespace: *const facecore_namespace,
    space: *mut *mut facecore_space,
) -> i32 {
    guard(|| {
        let out = Out::new(space, "space")?;
        match people(namespace)?.space() {
            Some(space) => out.give(space.into()),
            None => out.write(std::ptr::null_mut()),
        }
        Ok(())
    })
}

/// Pins the embedding space and the dimension (64 to 1024) before the first face does. As long as there are no faces, they
/// can be pinned anew.
///
/// Errors: `FACECORE_EMBEDDING_SPACE_MISMATCH` or `FACECORE_DIMENSION_MISMATCH` if the faces here are others,
/// `FACECORE_INVALID_ARGUMENT` if the threshold of the space is no cosine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_pin(
    namespace: *const facecore_namespace,
    space: *const facecore_space,
    dimension: usize,
) -> i32 {
    guard(|| people(namespace)?.pin(value(space)?.get(), dimension))
}

/// Whether embeddings of a space and dimension can be compared with the faces here, or be the first: `FACECORE_OK`, or an
/// error as of `facecore_namespace_pin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_check(
    namespace: *const facecore_namespace,
    space: *const facecore_space,
    dimension: usize,
) -> i32 {
    guard(|| people(namespace)?.check(value(space)?.get(), dimension))
}

/// Adds a face to a person, who is created if absent. `face` may be NULL; else it gets the face's id, or that of a face of
/// the person with exactly the same values.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` for an id that is empty or longer than 512 bytes,
/// `FACECORE_EMBEDDING_SPACE_MISMATCH`, `FACECORE_DIMENSION_MISMATCH`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_add(
    namespace: *const facecore_namespace,
    person_id: *const c_char,
    embedding: *const facecore_embedding,
    face: *mut u64,
) -> i32 {
    guard(|| write_face(face, people(namespace)?.add(person(person_id)?, value(embedding)?)?))
}

/// Writes an id, if it is wanted.
unsafe fn write_face(place: *mut u64, face: FaceId) -> Result<()> {
    if !place.is_null() {
        place.write(face.get());
    }
    Ok(())
}

/// Adds `count` faces to a person, who is created if absent, also if `count` is 0: all or, on error, none. `face_ids` may
/// be NULL; else it takes `count` ids.
///
/// Errors: as `facecore_namespace_add`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_enrol(
    namespace: *const facecore_namespace,
    person_id: *const c_char,
    faces: *const facecore_new_face,
    count: usize,
    face_ids: *mut u64,
) -> i32 {
    guard(|| {
        let ids = people(namespace)?.enrol(person(person_id)?, &new_faces(faces, count)?)?;
        if ids.len() != count {
            return Err(Error::new(ErrorKind::Internal, "there is not one id for each face"));
        }
        if !face_ids.is_null() {
            for (at, id) in ids.iter().enumerate() {
                face_ids.add(at).write(id.get());
            }
        }
        Ok(())
    })
}

/// Gives a face another embedding; source and metadata stay. `new_id` may be NULL; else it gets `face`, or, if another
/// face of the person has exactly these values, that one's id, and `face` is removed.
///
/// Errors: `FACECORE_FACE_NOT_FOUND`, `FACECORE_EMBEDDING_SPACE_MISMATCH`, `FACECORE_DIMENSION_MISMATCH`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_replace_face(
    namespace: *const facecore_namespace,
    face: u64,
    embedding: *const facecore_embedding,
    new_id: *mut u64,
) -> i32 {
    guard(|| write_face(new_id, people(namespace)?.replace_face(FaceId::from(face), value(embedding)?)?))
}

/// Removes a face; its person stays.
///
/// Errors: `FACECORE_FACE_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_remove_face(namespace: *const facecore_namespace, face: u64) -> i32 {
    guard(|| people(namespace)?.remove_face(FaceId::from(face)))
}

/// Removes a person with all faces. `facecore_gallery_compact` erases them from the files.
///
/// Errors: `FACECORE_PERSON_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_remove_person(
    namespace: *const facecore_namespace,
    person_id: *const c_char,
) -> i32 {
    guard(|| people(namespace)?.remove_person(person(person_id)?))
}

/// Gives a person another id; faces, name and metadata stay.
///
/// Errors: `FACECORE_PERSON_NOT_FOUND`, `FACECORE_PERSON_EXISTS`, `FACECORE_INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_rename(
    namespace: *const facecore_namespace,
    person_id: *const c_char,
    new_id: *const c_char,
) -> i32 {
    guard(|| people(namespace)?.rename(person(person_id)?, text(new_id, "new id")?))
}

/// Sets the name to show for a person; NULL removes it.
///
/// Errors: `FACECORE_PERSON_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_set_name(
    namespace: *const facecore_namespace,
    person_id: *const c_char,
    name: *const c_char,
) -> i32 {
    guard(|| people(namespace)?.set_name(person(person_id)?, optional_text(name, "name")?))
}

/// Replaces what the application stored with a person, a JSON object; NULL for nothing.
///
/// Errors: `FACECORE_PERSON_NOT_FOUND`, `FACECORE_INVALID_ARGUMENT` if it is no JSON object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_set_metadata(
    namespace: *const facecore_namespace,
    person_id: *const c_char,
    metadata: *const c_char,
) -> i32 {
    guard(|| people(namespace)?.set_metadata(person(person_id)?, crate::input::metadata(metadata)?))
}

/// Replaces what the application stored with a face, a JSON object; NULL for nothing.
///
/// Errors: `FACECORE_FACE_NOT_FOUND`, `FACECORE_INVALID_ARGUMENT` if it is no JSON object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_set_face_metadata(
    namespace: *const facecore_namespace,
    face: u64,
    metadata: *const c_char,
) -> i32 {
    guard(|| people(namespace)?.set_face_metadata(FaceId::from(face), crate::input::metadata(metadata)?))
}

/// Makes one person of two: all faces of `from` become faces of `into`, with their ids, and `from` is removed.
///
/// Errors: `FACECORE_PERSON_NOT_FOUND`, `FACECORE_INVALID_ARGUMENT` if both are the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_merge(
    namespace: *const facecore_namespace,
    from: *const c_char,
    into: *const c_char,
) -> i32 {
    guard(|| people(namespace)?.merge(person(from)?, person(into)?))
}

/// Moves a person with everything into another namespace of the same gallery.
///
/// Errors: `FACECORE_PERSON_NOT_FOUND`, `FACECORE_PERSON_EXISTS`, `FACECORE_EMBEDDING_SPACE_MISMATCH`,
/// `FACECORE_DIMENSION_MISMATCH`, `FACECORE_INVALID_ARGUMENT` if the namespaces are the same, or of two galleries.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_move_person(
    namespace: *const facecore_namespace,
    person_id: *const c_char,
    to: *const facecore_namespace,
) -> i32 {
    guard(|| people(namespace)?.move_person(person(person_id)?, people(to)?))
}

/// Removes everybody and forgets the pinned space, as if the namespace were new.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_clear(namespace: *const facecore_namespace) -> i32 {
    guard(|| people(namespace)?.clear())
}

/// What the namespace takes up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_get_stats(
    namespace: *const facecore_namespace,
    stats: *mut facecore_namespace_stats,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(stats)?;
        let people = value(namespace)?;
        // Tells if it was dropped, also when there is another one of its name by now.
        people.namespace.persons_after(None, 0)?;
        let all = people.gallery.stats()?.namespaces;
        let Some(found) = all.iter().find(|found| found.name == people.namespace.name()) else {
            let message = format!("the namespace `{}` was dropped", people.namespace.name());
            return Err(Error::new(ErrorKind::NamespaceNotFound, message));
        };
        out.write(&facecore_namespace_stats {
            struct_size: 0,
            dimension: found.dimension.unwrap_or(0),
            persons: found.persons,
            faces: found.faces,
            removed_faces: found.removed_faces,
            vector_bytes: found.vector_bytes as u64,
            search_bytes: found.search_bytes as u64,
            index: i64::from(if found.index == IndexKind::Hnsw { FACECORE_INDEX_HNSW } else { FACECORE_INDEX_FLAT }),
        });
        Ok(())
    })
}

/// Frees a namespace. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_free(namespace: *mut facecore_namespace) {
    free(namespace);
}
