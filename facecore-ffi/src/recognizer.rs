//! From an image to faces with embeddings.

use std::ffi::{c_char, c_void};
use std::path::Path;

use facecore::{Error, FaceChoice, RecognizedFace, Recognizer, Result};

use crate::detector::write_placement;
use crate::embedding::facecore_space;
use crate::faces::{Faces, facecore_faces};
use crate::handle::{Out, free, handle, peek, value};
use crate::image::{encoded, facecore_image, view};
use crate::input::{OutStruct, choice, no_item, path, slice, versioned};
use crate::models::{builder, detector_options, facecore_detector_options, facecore_options, with_pack};
use crate::placement::{PlacementTexts, facecore_placement};
use crate::status::guard;
use crate::text::path_text;

/// The only face; several are an error, because taking the wrong person is worse than asking.
pub const FACECORE_CHOICE_ONLY: i32 = 0;
/// The face with the largest box.
pub const FACECORE_CHOICE_LARGEST: i32 = 1;
/// The face that is both large and near the centre.
pub const FACECORE_CHOICE_CENTRAL: i32 = 2;

/// Told of each photo as it is finished, in any order and on several threads at once: for showing progress. `context` is the
/// caller's. It must return, not jump or throw.
pub type facecore_photo_done = Option<unsafe extern "C" fn(context: *mut c_void, path: *const c_char)>;

/// Whom to tell of finished photos.
pub(crate) struct Done {
    pub tell: facecore_photo_done,
    pub context: *mut c_void,
}

// SAFETY: the header says that the function may be called on several threads at once.
unsafe impl Send for Done {}
// SAFETY: as above.
unsafe impl Sync for Done {}

impl Done {
    pub fn tell(&self, path: &Path) {
        if let Some(tell) = self.tell {
            let path = path_text(path);
            // SAFETY: the call that was given the function has not returned; the path lives as long as this call.
            unsafe { tell(self.context, path.as_ptr()) };
        }
    }
}

/// Detector, aligner and embedder together: an image in, faces with embeddings out.
pub struct facecore_recognizer(Loaded);
handle!(facecore_recognizer, Loaded, "recognizer");

/// The faces of many photos, or why there are none.
pub struct facecore_recognitions(Vec<Result<Faces>>);
handle!(facecore_recognitions, Vec<Result<Faces>>, "list of recognitions");

/// Whether two photos show the same person.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_comparison {
    /// `sizeof(facecore_comparison)`.
    pub struct_size: usize,
    /// Cosine of the two embeddings, -1 to 1; higher is more alike.
    pub cosine: f32,
    /// The cosine from which on two faces are taken for the same person.
    pub threshold: f32,
    /// 1 if `cosine` is at least `threshold`, else 0.
    pub same: i32,
    /// 0.
    pub reserved: i32,
}

versioned!(facecore_comparison);

/// A recognizer, and where its models run, as C reads it.
pub(crate) struct Loaded {
    recognizer: Recognizer,
    detector: PlacementTexts,
    embedder: PlacementTexts,
}

impl From<Recognizer> for Loaded {
    fn from(recognizer: Recognizer) -> Loaded {
        Loaded {
            detector: recognizer.detector().placement().into(),
            embedder: recognizer.embedder().placement().into(),
            recognizer,
        }
    }
}

impl Loaded {
    pub fn recognizer(&self) -> &Recognizer {
        &self.recognizer
    }
}

/// Which face of a photo is meant.
pub(crate) fn face_choice(number: i32) -> Result<FaceChoice> {
    choice(number, &[FaceChoice::Only, FaceChoice::Largest, FaceChoice::Central], "choice of a face")
}

/// Loads a recognizer from a pack: a folder, the name of an installed pack, or `FACECORE_LITE`. `options` may be NULL; a pack that
/// they name is passed over.
///
/// Errors: 3xx if a model is not there or not what it should be, 4xx if it cannot run as asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_open(
    pack: *const c_char,
    options: *const facecore_options,
    recognizer: *mut *mut facecore_recognizer,
) -> i32 {
    guard(|| {
        let out = Out::new(recognizer, "recognizer")?;
        out.give(with_pack(pack, options)?.build()?.into());
        Ok(())
    })
}

/// Loads a recognizer as the options say.
///
/// Errors: as `facecore_recognizer_open`, and `FACECORE_INVALID_ARGUMENT` if a model is not named.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_new(
    options: *const facecore_options,
    recognizer: *mut *mut facecore_recognizer,
) -> i32 {
    guard(|| {
        let out = Out::new(recognizer, "recognizer")?;
        out.give(builder(options)?.build()?.into());
        Ok(())
    })
}

/// The faces of an image with their embeddings, best first; none is an empty list. `options` is for this call, in place
/// of all those that the recognizer was made with; NULL takes these.
///
/// Errors: `FACECORE_IMAGE_LAYOUT`, `FACECORE_LANDMARKS` if the detector gives none, `FACECORE_MODEL_OUTPUT`,
/// `FACECORE_INFERENCE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_recognize(
    recognizer: *const facecore_recognizer,
    image: *const facecore_image,
    options: *const facecore_detector_options,
    faces: *mut *mut facecore_faces,
) -> i32 {
    guard(|| {
        let out = Out::new(faces, "faces")?;
        let recognizer = value(recognizer)?.recognizer();
        let image = view(image)?;
        let found = if options.is_null() {
            recognizer.recognize(image)?
        } else {
            recognizer.recognize_with(image, &detector_options(options)?)?
        };
        out.give(found.into());
        Ok(())
    })
}

/// The faces of a picture file, as `facecore_recognizer_recognize` gives them.
///
/// Errors: as that function and `facecore_picture_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_recognize_file(
    recognizer: *const facecore_recognizer,
    path: *const c_char,
    faces: *mut *mut facecore_faces,
) -> i32 {
    guard(|| {
        let out = Out::new(faces, "faces")?;
        out.give(value(recognizer)?.recognizer.recognize_file(crate::input::path(path, "path")?)?.into());
        Ok(())
    })
}

/// The faces of an encoded picture that is in memory, as `facecore_recognizer_recognize` gives them.
///
/// Errors: as that function and `facecore_picture_decode`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_recognize_encoded(
    recognizer: *const facecore_recognizer,
    bytes: *const u8,
    len: usize,
    faces: *mut *mut facecore_faces,
) -> i32 {
    guard(|| {
        let out = Out::new(faces, "faces")?;
        out.give(value(recognizer)?.recognizer.recognize_encoded(encoded(bytes, len)?)?.into());
        Ok(())
    })
}

/// The faces of `count` picture files, worked at in parallel: a list of as many recognitions, in the order of `paths`. A
/// file that fails loses nobody else's; `facecore_recognitions_get` tells. Recognizers for this are best made with
/// `many_photos`. `done` may be NULL; else it is called with `context` as files are finished.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_recognize_files(
    recognizer: *const facecore_recognizer,
    paths: *const *const c_char,
    count: usize,
    done: facecore_photo_done,
    context: *mut c_void,
    recognitions: *mut *mut facecore_recognitions,
) -> i32 {
    guard(|| {
        let out = Out::new(recognitions, "recognitions")?;
        let recognizer = value(recognizer)?.recognizer();
        let paths = slice(paths, count, "paths")?.iter().map(|one| path(*one, "path"));
        let paths: Vec<&Path> = paths.collect::<Result<_>>()?;
        let done = Done { tell: done, context };
        let found = recognizer.recognize_files(&paths, |at, _| done.tell(paths[at]))?;
        out.give(found.into_iter().map(|found| found.map(Faces::from)).collect());
        Ok(())
    })
}

/// How many recognitions there are; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognitions_count(recognitions: *const facecore_recognitions) -> usize {
    peek(recognitions).map_or(0, Vec::len)
}

/// The faces of the photo at `index`, from 0, as a handle of its own. If the photo failed, its status is returned and its
/// message becomes the last error: with arguments that are right, every status is the photo's.
///
/// Errors: those of the photo; `FACECORE_INVALID_ARGUMENT` if an argument is NULL or there is no photo at `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognitions_get(
    recognitions: *const facecore_recognitions,
    index: usize,
    faces: *mut *mut facecore_faces,
) -> i32 {
    guard(|| {
        let out = Out::new(faces, "faces")?;
        let recognitions = value(recognitions)?;
        let found = recognitions.get(index).ok_or_else(|| no_item("recognition", index, recognitions.len()))?;
        out.give(again(found)?);
        Ok(())
    })
}

/// Frees the list; faces that were taken out of it stay. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognitions_free(recognitions: *mut facecore_recognitions) {
    free(recognitions);
}

/// A result once more: errors are not cloned, but their kind and words are.
pub(crate) fn again<T: Clone>(result: &Result<T>) -> Result<T> {
    match result {
        Ok(value) => Ok(value.clone()),
        Err(error) => Err(Error::new(error.kind(), error.to_string())),
    }
}

/// The one face that an image stands for, as `choice` (`FACECORE_CHOICE_ONLY`, `FACECORE_CHOICE_LARGEST` or
/// `FACECORE_CHOICE_CENTRAL`) says: a list of one, without what each stage took.
///
/// Errors: `FACECORE_NO_FACE`, `FACECORE_SEVERAL_FACES`, and as `facecore_recognizer_recognize`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_recognize_one(
    recognizer: *const facecore_recognizer,
    image: *const facecore_image,
    choice: i32,
    faces: *mut *mut facecore_faces,
) -> i32 {
    guard(|| {
        let out = Out::new(faces, "faces")?;
        let recognizer = value(recognizer)?.recognizer();
        let image = view(image)?;
        let found = recognizer.recognize_one(image, face_choice(choice)?)?;
        out.give(Faces::one(found, (image.width(), image.height())));
        Ok(())
    })
}

/// Whether two images show the same person, as the model's threshold has it; `choice` says which face of each is meant. A
/// photo and an embedding kept from before are compared by `facecore_recognizer_recognize_one` and
/// `facecore_embedding_cosine`.
///
/// Errors: as `facecore_recognizer_recognize_one`; the message says which image it is about.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_compare(
    recognizer: *const facecore_recognizer,
    first: *const facecore_image,
    second: *const facecore_image,
    choice: i32,
    comparison: *mut facecore_comparison,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(comparison)?;
        let recognizer = value(recognizer)?.recognizer();
        let choice = face_choice(choice)?;
        let look = |image, which: &str| {
            let found: Result<RecognizedFace> = view(image).and_then(|image| recognizer.recognize_one(image, choice));
            found.map_err(|error| error.context(which))
        };
        let (a, b) = (look(first, "the first image")?, look(second, "the second image")?);
        let (cosine, threshold) = (a.embedding.cosine(&b.embedding)?, a.embedding.space().threshold());
        let same = i32::from(cosine >= threshold);
        out.write(&facecore_comparison { struct_size: 0, cosine, threshold, same, reserved: 0 });
        Ok(())
    })
}

/// How many values an embedding has; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_dimension(recognizer: *const facecore_recognizer) -> usize {
    peek(recognizer).map_or(0, |loaded| loaded.recognizer.embedder().dimension())
}

/// The space of the embeddings, with its threshold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_space(
    recognizer: *const facecore_recognizer,
    space: *mut *mut facecore_space,
) -> i32 {
    guard(|| {
        let out = Out::new(space, "space")?;
        out.give(value(recognizer)?.recognizer.embedder().space().clone().into());
        Ok(())
    })
}

/// What really runs the detector.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_get_detector_placement(
    recognizer: *const facecore_recognizer,
    placement: *mut facecore_placement,
) -> i32 {
    guard(|| write_placement(placement, &value(recognizer)?.detector))
}

/// What really runs the embedder.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_get_embedder_placement(
    recognizer: *const facecore_recognizer,
    placement: *mut facecore_placement,
) -> i32 {
    guard(|| write_placement(placement, &value(recognizer)?.embedder))
}

/// Frees a recognizer. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_free(recognizer: *mut facecore_recognizer) {
    free(recognizer);
}
