//! Many changes with one commit.

use std::ffi::c_char;
use std::sync::{Mutex, PoisonError};

use facecore::gallery::{Batch, Done, FaceId};
use facecore::{Error, Result};

use crate::embedding::facecore_embedding;
use crate::handle::{Out, free, handle, null, peek, value};
use crate::input::{metadata, no_item, optional_text, text, too_small};
use crate::namespace::{facecore_namespace, facecore_new_face, new_faces};
use crate::status::guard;

/// Changes to a namespace that become durable and visible together, with one commit. Each function adds the change that
/// the function of `facecore_namespace` with the same name makes. An argument that makes no sense by itself (NULL, text
/// that is not UTF-8, metadata that is no JSON object) is refused at once, and nothing is added; what is wrong in view of
/// the namespace is told by the outcomes.
pub struct facecore_batch(Mutex<Batch>);
handle!(facecore_batch, Mutex<Batch>, "batch");

/// What became of the items of a batch.
pub struct facecore_outcomes(Vec<Result<Done>>);
handle!(facecore_outcomes, Vec<Result<Done>>, "list of outcomes");

/// Adds a change.
unsafe fn add(batch: *const facecore_batch, change: impl FnOnce(&mut Batch)) -> Result<()> {
    change(&mut value(batch)?.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(())
}

/// Makes a batch without changes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_new(batch: *mut *mut facecore_batch) -> i32 {
    guard(|| {
        let out = Out::new(batch, "batch")?;
        out.give(Mutex::new(Batch::new()));
        Ok(())
    })
}

/// Makes the whole batch fail if any of its items does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_all_or_nothing(batch: *mut facecore_batch) -> i32 {
    guard(|| {
        add(batch, |batch| {
            batch.all_or_nothing();
        })
    })
}

/// Adds `count` faces to a person. If one of them cannot be added, none is; give each face an item of its own to have good
/// ones added beside bad ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_enrol(
    batch: *mut facecore_batch,
    person_id: *const c_char,
    faces: *const facecore_new_face,
    count: usize,
) -> i32 {
    guard(|| {
        let (person, faces) = (text(person_id, "person's id")?, new_faces(faces, count)?);
        add(batch, |batch| {
            batch.enrol(person, faces);
        })
    })
}

/// Gives a face another embedding.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_replace_face(
    batch: *mut facecore_batch,
    face: u64,
    embedding: *const facecore_embedding,
) -> i32 {
    guard(|| {
        let embedding = value(embedding)?.clone();
        add(batch, |batch| {
            batch.replace_face(FaceId::from(face), embedding);
        })
    })
}

/// Replaces what the application stored with a face.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_set_face_metadata(
    batch: *mut facecore_batch,
    face: u64,
    metadata: *const c_char,
) -> i32 {
    guard(|| {
        let metadata = self::metadata(metadata)?;
        add(batch, |batch| {
            batch.set_face_metadata(FaceId::from(face), metadata);
        })
    })
}

/// Removes a face.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_remove_face(batch: *mut facecore_batch, face: u64) -> i32 {
    guard(|| {
        add(batch, |batch| {
            batch.remove_face(FaceId::from(face));
        })
    })
}

/// Removes a person with all faces.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_remove_person(batch: *mut facecore_batch, person_id: *const c_char) -> i32 {
    guard(|| {
        let person = text(person_id, "person's id")?;
        add(batch, |batch| {
            batch.remove_person(person);
        })
    })
}

/// Gives a person another id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_rename(
    batch: *mut facecore_batch,
    person_id: *const c_char,
    new_id: *const c_char,
) -> i32 {
    guard(|| {
        let (person, new_id) = (text(person_id, "person's id")?, text(new_id, "new id")?);
        add(batch, |batch| {
            batch.rename(person, new_id);
        })
    })
}

/// Gives all faces of `from` to `into`, and removes `from`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_merge(
    batch: *mut facecore_batch,
    from: *const c_char,
    into: *const c_char,
) -> i32 {
    guard(|| {
        let (from, into) = (text(from, "person's id")?, text(into, "person's id")?);
        add(batch, |batch| {
            batch.merge(from, into);
        })
    })
}

/// Sets the name to show for a person; NULL removes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_set_name(
    batch: *mut facecore_batch,
    person_id: *const c_char,
    name: *const c_char,
) -> i32 {
    guard(|| {
        let (person, name) = (text(person_id, "person's id")?, optional_text(name, "name")?);
        add(batch, |batch| {
            batch.set_name(person, name);
        })
    })
}

/// Replaces what the application stored with a person.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_set_metadata(
    batch: *mut facecore_batch,
    person_id: *const c_char,
    metadata: *const c_char,
) -> i32 {
    guard(|| {
        let (person, metadata) = (text(person_id, "person's id")?, self::metadata(metadata)?);
        add(batch, |batch| {
            batch.set_metadata(person, metadata);
        })
    })
}

/// How many changes there are; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_count(batch: *const facecore_batch) -> usize {
    peek(batch).map_or(0, |batch| batch.lock().unwrap_or_else(PoisonError::into_inner).len())
}

/// Frees a batch. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_batch_free(batch: *mut facecore_batch) {
    free(batch);
}

/// Makes all changes of a batch with one commit. The outcomes tell for each item, in order, what it did or why it was
/// refused; a refused item changes nothing and does not hinder the others, unless `facecore_batch_all_or_nothing` was
/// asked for. Searches see all changes of the batch or none.
///
/// Errors if the whole batch could not be committed; then nothing was changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_apply(
    namespace: *const facecore_namespace,
    batch: *const facecore_batch,
    outcomes: *mut *mut facecore_outcomes,
) -> i32 {
    guard(|| {
        let out = Out::new(outcomes, "outcomes")?;
        let batch = value(batch)?.lock().unwrap_or_else(PoisonError::into_inner).clone();
        out.give(value(namespace)?.people().apply(&batch)?);
        Ok(())
    })
}

/// How many outcomes there are: one for each item; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_outcomes_count(outcomes: *const facecore_outcomes) -> usize {
    peek(outcomes).map_or(0, Vec::len)
}

/// What became of the item at `index`, from 0: `FACECORE_OK`, or why it was refused; then its message is the last error.
/// With arguments that are right, every status but `FACECORE_BUFFER_TOO_SMALL` is the item's.
/// Of an item that enrolled or replaced faces, `face_ids` gets their ids, as many as `capacity` must take, and `count` how
/// many there are, also if they do not fit. Both may be NULL if the ids are not wanted.
///
/// Errors: those of the item, `FACECORE_BUFFER_TOO_SMALL`, and `FACECORE_INVALID_ARGUMENT` if there is none at `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_outcomes_get(
    outcomes: *const facecore_outcomes,
    index: usize,
    face_ids: *mut u64,
    capacity: usize,
    count: *mut usize,
) -> i32 {
    guard(|| {
        let outcomes = value(outcomes)?;
        let outcome = outcomes.get(index).ok_or_else(|| no_item("outcome", index, outcomes.len()))?;
        let faces = match outcome {
            Ok(done) => done.faces(),
            Err(error) => return Err(Error::new(error.kind(), error.to_string())),
        };
        if face_ids.is_null() && capacity > 0 {
            return Err(null("array of face ids"));
        }
        if !count.is_null() {
            count.write(faces.len());
        }
        if face_ids.is_null() {
            return Ok(());
        }
        if faces.len() > capacity {
            return Err(too_small(capacity, faces.len(), "ids"));
        }
        for (at, face) in faces.iter().enumerate() {
            face_ids.add(at).write(face.get());
        }
        Ok(())
    })
}

/// Frees the outcomes. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_outcomes_free(outcomes: *mut facecore_outcomes) {
    free(outcomes);
}
