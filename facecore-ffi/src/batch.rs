//! Many changes with one commit.

use std::ffi::{CString, c_char};
use std::sync::{Mutex, PoisonError};

use facecore::Result;
use facecore::gallery::{Batch, Done, FaceId};

use crate::embedding::facecore_embedding;
use crate::handle::{Out, free, handle, peek, value};
use crate::input::{OutStruct, metadata, no_item, optional_text, text, versioned};
use crate::namespace::{facecore_namespace, facecore_new_face, new_faces};
use crate::status::{FACECORE_OK, guard};
use crate::text::{c_string, pointer};

/// Changes to a namespace that become durable and visible together, with one commit. Each function adds the change that
/// the function of `facecore_namespace` with the same name makes. An argument that makes no sense by itself (NULL, text
/// that is not UTF-8, metadata that is no JSON object) is refused at once, and nothing is added; what is wrong in view of
/// the namespace is told by the outcomes.
pub struct facecore_batch(Mutex<Batch>);
handle!(facecore_batch, Mutex<Batch>, "batch");

/// What became of the items of a batch.
pub struct facecore_outcomes(Vec<Outcome>);
handle!(facecore_outcomes, Vec<Outcome>, "list of outcomes");

/// What became of an item. The pointers live as long as the outcomes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_outcome {
    /// `sizeof(facecore_outcome)`.
    pub struct_size: usize,
    /// Why the item was refused, in words; NULL if it was not.
    pub message: *const c_char,
    /// The ids of the faces that it enrolled or replaced, in their order; NULL if there are none.
    pub faces: *const u64,
    /// How many ids there are.
    pub face_count: usize,
    /// `FACECORE_OK`, or why the item was refused.
    pub status: i32,
    /// 0.
    pub reserved: i32,
}

versioned!(facecore_outcome);

/// An outcome as C reads it.
pub(crate) struct Outcome {
    status: i32,
    message: Option<CString>,
    faces: Vec<u64>,
}

impl From<Result<Done>> for Outcome {
    fn from(done: Result<Done>) -> Outcome {
        let (status, message) = match &done {
            Ok(_) => (FACECORE_OK, None),
            Err(error) => (error.kind().code(), Some(c_string(&error.to_string()))),
        };
        let faces = done.iter().flat_map(Done::faces).map(|face| face.get()).collect();
        Outcome { status, message, faces }
    }
}

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
        out.give(value(namespace)?.people().apply(&batch)?.into_iter().map(Outcome::from).collect());
        Ok(())
    })
}

/// How many outcomes there are: one for each item; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_outcomes_count(outcomes: *const facecore_outcomes) -> usize {
    peek(outcomes).map_or(0, Vec::len)
}

/// What became of the item at `index`, from 0.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_outcomes_get(
    outcomes: *const facecore_outcomes,
    index: usize,
    outcome: *mut facecore_outcome,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(outcome)?;
        let outcomes = value(outcomes)?;
        let outcome = outcomes.get(index).ok_or_else(|| no_item("outcome", index, outcomes.len()))?;
        out.write(&facecore_outcome {
            struct_size: 0,
            message: pointer(&outcome.message),
            faces: if outcome.faces.is_empty() { std::ptr::null() } else { outcome.faces.as_ptr() },
            face_count: outcome.faces.len(),
            status: outcome.status,
            reserved: 0,
        });
        Ok(())
    })
}

/// Frees the outcomes. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_outcomes_free(outcomes: *mut facecore_outcomes) {
    free(outcomes);
}
