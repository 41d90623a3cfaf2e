//! Cutting faces.

use std::ffi::c_char;

use facecore::{Aligner, Template};

use crate::faces::{facecore_point, landmarks_of};
use crate::handle::{Out, free, handle, value};
use crate::image::{facecore_image, facecore_picture, view};
use crate::input::{slice, text};
use crate::status::guard;

/// Cuts faces so that their landmarks come to lie where an embedder wants them.
pub struct facecore_aligner(Aligner);
handle!(facecore_aligner, Aligner, "aligner");

/// An aligner for the template called `name`: `arcface-112` (ArcFace, AdaFace, SFace, MobileFaceNet), `arcface-128`, and
/// multiples of these sizes. `facecore_embedder_aligner` gives the one that an embedder wants.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if there is no such template.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_aligner_new(
    template_name: *const c_char,
    aligner: *mut *mut facecore_aligner,
) -> i32 {
    guard(|| {
        let out = Out::new(aligner, "aligner")?;
        out.give(Aligner::new(Template::named(text(template_name, "name of the template")?)?));
        Ok(())
    })
}

/// Width and height in pixels of the crops that the aligner cuts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_aligner_get_size(
    aligner: *const facecore_aligner,
    width: *mut usize,
    height: *mut usize,
) -> i32 {
    guard(|| {
        let (width, height) = (Out::new(width, "width")?, Out::new(height, "height")?);
        let size = value(aligner)?.template().size;
        width.write(size.0);
        height.write(size.1);
        Ok(())
    })
}

/// Cuts the face whose five landmarks are given, in pixels of the upright image and in the order of `facecore_face`; they
/// may come from any detector. What lies outside the image is black.
///
/// Errors: `FACECORE_LANDMARKS` if they are not finite or all in one place, `FACECORE_IMAGE_LAYOUT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_aligner_align(
    aligner: *const facecore_aligner,
    image: *const facecore_image,
    landmarks: *const facecore_point,
    crop: *mut *mut facecore_picture,
) -> i32 {
    guard(|| {
        let out = Out::new(crop, "crop")?;
        let landmarks = landmarks_of(slice(landmarks, 5, "landmarks")?)?;
        out.give(value(aligner)?.align(view(image)?, &landmarks)?.into_image());
        Ok(())
    })
}

/// Frees an aligner. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_aligner_free(aligner: *mut facecore_aligner) {
    free(aligner);
}
