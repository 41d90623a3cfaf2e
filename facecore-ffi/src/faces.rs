//! The faces of an image.

use facecore::{Embedding, Error, ErrorKind, Face, Landmarks, Point, Recognition, RecognizedFace, Result, Timings};

use crate::embedding::facecore_embedding;
use crate::handle::{Out, free, handle, null, peek, value};
use crate::input::{OutStruct, no_item, too_small, versioned};
use crate::status::guard;

/// A position in pixels of the upright image.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// A face that was found. Positions are in pixels of the upright image.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_face {
    /// `sizeof(facecore_face)`.
    pub struct_size: usize,
    /// The left edge of the box around it, which may reach over the image's edges.
    pub x1: f32,
    /// The upper edge.
    pub y1: f32,
    /// The right edge.
    pub x2: f32,
    /// The lower edge.
    pub y2: f32,
    /// How sure the detector is, 0 to 1; not comparable between models.
    pub score: f32,
    /// Whether `landmarks` are there (1), or the model gives none (0).
    pub has_landmarks: i32,
    /// Image-left eye, image-right eye, tip of the nose, image-left mouth corner, image-right mouth corner.
    pub landmarks: [facecore_point; 5],
}

/// What is to be told of an image as a whole.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_faces_info {
    /// `sizeof(facecore_faces_info)`.
    pub struct_size: usize,
    /// Width of the upright image in pixels.
    pub width: usize,
    /// Height of the upright image in pixels.
    pub height: usize,
    /// Seconds for reading and decoding the file; 0 for pixels that were in memory.
    pub decode_seconds: f64,
    /// Seconds for detection, scaling included.
    pub detect_seconds: f64,
    /// Seconds for cutting the crops.
    pub align_seconds: f64,
    /// Seconds for embedding the crops.
    pub embed_seconds: f64,
}

versioned!(facecore_face, facecore_faces_info);

/// The faces of an image, best first.
pub struct facecore_faces(Faces);
handle!(facecore_faces, Faces, "list of faces");

/// Faces, with embeddings if they were recognised.
#[derive(Clone)]
pub(crate) struct Faces {
    faces: Vec<(Face, Option<Embedding>)>,
    size: (usize, usize),
    timings: Timings,
}

impl Faces {
    pub fn detected(faces: Vec<Face>, size: (usize, usize), timings: Timings) -> Faces {
        Faces { faces: faces.into_iter().map(|face| (face, None)).collect(), size, timings }
    }

    pub fn one(found: RecognizedFace, size: (usize, usize)) -> Faces {
        Faces { faces: vec![(found.face, Some(found.embedding))], size, timings: Timings::default() }
    }

    fn get(&self, index: usize) -> Result<&(Face, Option<Embedding>)> {
        self.faces.get(index).ok_or_else(|| no_item("face", index, self.faces.len()))
    }
}

impl From<Recognition> for Faces {
    fn from(found: Recognition) -> Faces {
        let faces = found.faces.into_iter().map(|face| (face.face, Some(face.embedding))).collect();
        Faces { faces, size: (found.width, found.height), timings: found.timings }
    }
}

fn not_embedded() -> Error {
    let message = "these faces were detected only, and have no embeddings: use facecore_recognizer_recognize";
    Error::new(ErrorKind::InvalidArgument, message)
}

/// Eyes, nose and mouth corners, as the caller gives them.
pub(crate) fn landmarks_of(points: &[facecore_point]) -> Result<Landmarks> {
    let points = points.iter().map(|point| Point::new(point.x, point.y)).collect::<Vec<_>>();
    points.try_into().map(Landmarks).map_err(|_| null("landmarks"))
}

/// How many faces there are; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_faces_count(faces: *const facecore_faces) -> usize {
    peek(faces).map_or(0, |faces| faces.faces.len())
}

/// The face at `index`, from 0.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_faces_get(
    faces: *const facecore_faces,
    index: usize,
    face: *mut facecore_face,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(face)?;
        let (face, _) = value(faces)?.get(index)?;
        let points = face.landmarks.map_or([[0.0; 2]; 5], |landmarks| landmarks.to_pairs());
        out.write(&facecore_face {
            struct_size: 0,
            x1: face.rect.x1,
            y1: face.rect.y1,
            x2: face.rect.x2,
            y2: face.rect.y2,
            score: face.score,
            has_landmarks: i32::from(face.landmarks.is_some()),
            landmarks: points.map(|[x, y]| facecore_point { x, y }),
        });
        Ok(())
    })
}

/// The embedding of the face at `index`, as a handle of its own, which outlives the list and shares its memory.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if there is no such face, or the faces were only detected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_faces_embedding(
    faces: *const facecore_faces,
    index: usize,
    embedding: *mut *mut facecore_embedding,
) -> i32 {
    guard(|| {
        let out = Out::new(embedding, "embedding")?;
        let (_, found) = value(faces)?.get(index)?;
        out.give(found.clone().ok_or_else(not_embedded)?);
        Ok(())
    })
}

/// How many values the embeddings of the faces have; 0 if there is no face, or they were only detected, and of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_faces_dimension(faces: *const facecore_faces) -> usize {
    peek(faces).and_then(|faces| faces.faces.first()?.1.as_ref()).map_or(0, Embedding::dimension)
}

/// The values of the embedding of the face at `index`, from 0, of length 1 together, as many as
/// `facecore_faces_dimension` says: the list's own memory, to be read as long as it lives. NULL if there is no such face,
/// or it was only detected, and of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_faces_embedding_data(faces: *const facecore_faces, index: usize) -> *const f32 {
    let found = peek(faces).and_then(|faces| faces.faces.get(index)?.1.as_ref());
    found.map_or(std::ptr::null(), |embedding| embedding.values().as_ptr())
}

/// Copies the embeddings of all faces into the caller's memory, face by face: as many rows as there are faces, each of
/// `dimension` values, of length 1. `capacity` is how many values fit. `dimension` (0 if there is no face) is also
/// written if they do not.
///
/// Errors: `FACECORE_BUFFER_TOO_SMALL`, `FACECORE_INVALID_ARGUMENT` if the faces were only detected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_faces_copy_embeddings(
    faces: *const facecore_faces,
    values: *mut f32,
    capacity: usize,
    dimension: *mut usize,
) -> i32 {
    guard(|| {
        let out = Out::new(dimension, "dimension")?;
        let faces = &value(faces)?.faces;
        let embeddings = faces.iter().map(|face| face.1.as_ref().ok_or_else(not_embedded));
        let embeddings = embeddings.collect::<Result<Vec<_>>>()?;
        let each = embeddings.first().map_or(0, |embedding| embedding.dimension());
        let needed = each * embeddings.len();
        if needed > capacity {
            out.write(each);
            return Err(too_small(capacity, needed, "values"));
        }
        if needed > 0 && values.is_null() {
            return Err(null("values"));
        }
        for (row, embedding) in embeddings.iter().enumerate() {
            std::ptr::copy_nonoverlapping(embedding.values().as_ptr(), values.add(row * each), each);
        }
        out.write(each);
        Ok(())
    })
}

/// The image's size, and what each stage took.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_faces_get_info(faces: *const facecore_faces, info: *mut facecore_faces_info) -> i32 {
    guard(|| {
        let out = OutStruct::new(info)?;
        let faces = value(faces)?;
        out.write(&facecore_faces_info {
            struct_size: 0,
            width: faces.size.0,
            height: faces.size.1,
            decode_seconds: faces.timings.decode.as_secs_f64(),
            detect_seconds: faces.timings.detect.as_secs_f64(),
            align_seconds: faces.timings.align.as_secs_f64(),
            embed_seconds: faces.timings.embed.as_secs_f64(),
        });
        Ok(())
    })
}

/// Frees the list. Embeddings that were taken out of it stay. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_faces_free(faces: *mut facecore_faces) {
    free(faces);
}
