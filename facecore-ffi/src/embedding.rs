//! Embeddings, and the spaces in which they can be compared.

use std::ffi::{CString, c_char};

use facecore::{Embedding, EmbeddingSpace, Error, ErrorKind};

use crate::handle::{Out, free, handle, null, peek, value};
use crate::input::{slice, text, too_small};
use crate::status::guard;
use crate::text::c_string;

/// Names what makes two embeddings comparable (weights, preprocessing, alignment, augmentation), and says from which
/// cosine on two faces are taken for the same person.
pub struct facecore_space(Space);
handle!(facecore_space, Space, "embedding space");

/// A space, and its name as C reads it.
pub(crate) struct Space {
    space: EmbeddingSpace,
    id: CString,
}

impl From<EmbeddingSpace> for Space {
    fn from(space: EmbeddingSpace) -> Space {
        Space { id: c_string(space.id()), space }
    }
}

impl Space {
    pub fn get(&self) -> &EmbeddingSpace {
        &self.space
    }
}

/// A face as a point on the unit sphere.
pub struct facecore_embedding(Embedding);
handle!(facecore_embedding, Embedding, "embedding");

/// The space called `id`, in which a cosine of `threshold` or more means "the same person" unless a search says otherwise.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if the id is empty or the threshold not within -1 to 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_space_new(id: *const c_char, threshold: f32, space: *mut *mut facecore_space) -> i32 {
    guard(|| {
        let out = Out::new(space, "space")?;
        let id = text(id, "id of the space")?;
        // `contains` is false for NaN too.
        if id.is_empty() || !(-1.0..=1.0).contains(&threshold) {
            let message =
                format!("a space has an id and a cosine, -1 to 1, for its threshold, not {id:?} and {threshold}");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        out.give(EmbeddingSpace::new(id, threshold).into());
        Ok(())
    })
}

/// The name of the space, which lives as long as it; NULL of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_space_id(space: *const facecore_space) -> *const c_char {
    peek(space).map_or(std::ptr::null(), |space| space.id.as_ptr())
}

/// The cosine from which on two faces are taken for the same person; NaN of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_space_threshold(space: *const facecore_space) -> f32 {
    peek(space).map_or(f32::NAN, |space| space.space.threshold())
}

/// Frees a space. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_space_free(space: *mut facecore_space) {
    free(space);
}

/// An embedding of a model's raw output: it is copied, and scaled to length 1.
///
/// Errors: `FACECORE_INVALID_EMBEDDING` if a value is not finite, or all are zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedding_from_raw(
    values: *const f32,
    dimension: usize,
    space: *const facecore_space,
    embedding: *mut *mut facecore_embedding,
) -> i32 {
    guard(|| {
        let out = Out::new(embedding, "embedding")?;
        let values = slice(values, dimension, "values of the embedding")?;
        out.give(Embedding::from_raw(values, value(space)?.space.clone())?);
        Ok(())
    })
}

/// An embedding whose values were kept from one made before, with the `norm` it had (see `facecore_embedding_norm`): it
/// is copied bit for bit.
///
/// Errors: `FACECORE_INVALID_EMBEDDING` if the length of the values differs from 1 by more than 1e-3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedding_from_stored(
    values: *const f32,
    dimension: usize,
    norm: f32,
    space: *const facecore_space,
    embedding: *mut *mut facecore_embedding,
) -> i32 {
    guard(|| {
        let out = Out::new(embedding, "embedding")?;
        let values = slice(values, dimension, "values of the embedding")?;
        out.give(Embedding::from_stored(values, norm, value(space)?.space.clone())?);
        Ok(())
    })
}

/// Another handle to the same embedding, for somebody else to free; the values are shared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedding_clone(
    embedding: *const facecore_embedding,
    clone: *mut *mut facecore_embedding,
) -> i32 {
    guard(|| {
        let out = Out::new(clone, "clone")?;
        out.give(value(embedding)?.clone());
        Ok(())
    })
}

/// How many values the embedding has; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedding_dimension(embedding: *const facecore_embedding) -> usize {
    peek(embedding).map_or(0, Embedding::dimension)
}

/// The values, of length 1 together: the embedding's own memory, to be read as long as the embedding lives; NULL of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedding_data(embedding: *const facecore_embedding) -> *const f32 {
    peek(embedding).map_or(std::ptr::null(), |embedding| embedding.values().as_ptr())
}

/// Copies the values into the caller's memory, which takes `capacity` of them. `dimension` may be NULL; else how many
/// there are is written, also if they do not fit.
///
/// Errors: `FACECORE_BUFFER_TOO_SMALL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedding_copy(
    embedding: *const facecore_embedding,
    values: *mut f32,
    capacity: usize,
    dimension: *mut usize,
) -> i32 {
    guard(|| {
        let found = value(embedding)?.values();
        let fits = found.len() <= capacity;
        if fits && values.is_null() {
            return Err(null("values"));
        }
        if !dimension.is_null() {
            dimension.write(found.len());
        }
        if !fits {
            return Err(too_small(capacity, found.len(), "values"));
        }
        std::ptr::copy_nonoverlapping(found.as_ptr(), values, found.len());
        Ok(())
    })
}

/// The length that the model gave the vector before it was normalised; NaN of NULL. For AdaFace models it rises with the
/// quality of the image.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedding_norm(embedding: *const facecore_embedding) -> f32 {
    peek(embedding).map_or(f32::NAN, Embedding::norm)
}

/// What the embedding may be compared with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedding_space(
    embedding: *const facecore_embedding,
    space: *mut *mut facecore_space,
) -> i32 {
    guard(|| {
        let out = Out::new(space, "space")?;
        out.give(value(embedding)?.space().clone().into());
        Ok(())
    })
}

/// Cosine of the angle between two embeddings, -1 to 1; higher is more alike.
///
/// Errors: `FACECORE_EMBEDDING_SPACE_MISMATCH` and `FACECORE_DIMENSION_MISMATCH` if they cannot be compared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedding_cosine(
    a: *const facecore_embedding,
    b: *const facecore_embedding,
    cosine: *mut f32,
) -> i32 {
    guard(|| {
        let out = Out::new(cosine, "cosine")?;
        out.write(value(a)?.cosine(value(b)?)?);
        Ok(())
    })
}

/// Euclidean distance of two embeddings, 0 to 2; lower is more alike. It equals `sqrt(2 - 2 cosine)`.
///
/// Errors: as `facecore_embedding_cosine`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedding_euclidean(
    a: *const facecore_embedding,
    b: *const facecore_embedding,
    distance: *mut f32,
) -> i32 {
    guard(|| {
        let out = Out::new(distance, "distance")?;
        out.write(value(a)?.euclidean(value(b)?)?);
        Ok(())
    })
}

/// Frees an embedding. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedding_free(embedding: *mut facecore_embedding) {
    free(embedding);
}
