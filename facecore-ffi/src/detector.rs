//! Finding faces.

use std::ffi::c_char;
use std::time::Instant;

use facecore::{Detector, Result, Timings};

use crate::faces::{Faces, facecore_faces};
use crate::handle::{Out, free, handle, value};
use crate::image::{facecore_image, view};
use crate::input::OutStruct;
use crate::models::{builder, detector_options, facecore_detector_options, facecore_options, with_pack};
use crate::placement::{PlacementTexts, facecore_placement};
use crate::status::guard;

/// Finds faces.
pub struct facecore_detector(Loaded);
handle!(facecore_detector, Loaded, "detector");

/// A detector, and where it runs, as C reads it.
pub(crate) struct Loaded {
    detector: Detector,
    placement: PlacementTexts,
}

impl From<Detector> for Loaded {
    fn from(detector: Detector) -> Loaded {
        Loaded { placement: detector.placement().into(), detector }
    }
}

/// Loads the detector of a pack: a folder, the name of an installed pack, or `FACECORE_LITE`. `options` may be NULL; a pack that
/// they name is passed over.
///
/// Errors: 3xx if the model is not there or not what it should be, 4xx if it cannot run as asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_detector_open(
    pack: *const c_char,
    options: *const facecore_options,
    detector: *mut *mut facecore_detector,
) -> i32 {
    guard(|| {
        let out = Out::new(detector, "detector")?;
        out.give(with_pack(pack, options)?.build_detector()?.into());
        Ok(())
    })
}

/// Loads a detector as the options say.
///
/// Errors: as `facecore_detector_open`, and `FACECORE_INVALID_ARGUMENT` if none is named.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_detector_new(
    options: *const facecore_options,
    detector: *mut *mut facecore_detector,
) -> i32 {
    guard(|| {
        let out = Out::new(detector, "detector")?;
        out.give(builder(options)?.build_detector()?.into());
        Ok(())
    })
}

/// The faces in an image, best first; none is an empty list. `options` is for this call, in place of all those that the
/// detector was made with; NULL takes these.
///
/// Errors: `FACECORE_IMAGE_LAYOUT`, `FACECORE_MODEL_OUTPUT`, `FACECORE_INFERENCE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_detector_detect(
    detector: *const facecore_detector,
    image: *const facecore_image,
    options: *const facecore_detector_options,
    faces: *mut *mut facecore_faces,
) -> i32 {
    guard(|| {
        let out = Out::new(faces, "faces")?;
        let detector = &value(detector)?.detector;
        let image = view(image)?;
        let start = Instant::now();
        let found = if options.is_null() {
            detector.detect(image)?
        } else {
            detector.detect_with(image, &detector_options(options)?)?
        };
        let timings = Timings { detect: start.elapsed(), ..Timings::default() };
        out.give(Faces::detected(found, (image.width(), image.height()), timings));
        Ok(())
    })
}

/// What really runs the detector.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_detector_get_placement(
    detector: *const facecore_detector,
    placement: *mut facecore_placement,
) -> i32 {
    guard(|| write_placement(placement, &value(detector)?.placement))
}

pub(crate) unsafe fn write_placement(place: *mut facecore_placement, texts: &PlacementTexts) -> Result<()> {
    OutStruct::new(place)?.write(&texts.read());
    Ok(())
}

/// Frees a detector. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_detector_free(detector: *mut facecore_detector) {
    free(detector);
}
