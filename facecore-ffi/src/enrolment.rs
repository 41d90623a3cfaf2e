//! Enrolling photographs.

use std::ffi::{CString, c_char, c_void};

use facecore::pipeline::{EnrolledPhoto, FolderPhotos};
use facecore::{Enrolment, PersonId, Result};

use crate::handle::{Out, free, handle, peek, value};
use crate::input::{OutStruct, no_item, path, slice, texts, versioned};
use crate::namespace::facecore_namespace;
use crate::recognizer::{Done, face_choice, facecore_photo_done, facecore_recognizer};
use crate::status::{FACECORE_OK, guard};
use crate::text::{c_string, path_text, pointer};

/// What became of photos that were to be enrolled.
pub struct facecore_enrolment(Photos);
handle!(facecore_enrolment, Photos, "enrolment");

/// What became of one photo. The strings live as long as the enrolment.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_enrolled_photo {
    /// `sizeof(facecore_enrolled_photo)`.
    pub struct_size: usize,
    /// The file.
    pub path: *const c_char,
    /// Whom it was to be enrolled as.
    pub person: *const c_char,
    /// `FACECORE_OK`, or why there is no face: `FACECORE_NO_FACE`, `FACECORE_SEVERAL_FACES`, what was wrong with
    /// the file or its name, or why the namespace refused it.
    pub status: i32,
    /// The reason in words; NULL if there is a face.
    pub message: *const c_char,
    /// The face: a new one, or one with the same values that the person had before; 0 if there is none.
    pub face: u64,
}

versioned!(facecore_enrolled_photo);

/// An enrolment as C reads it.
pub(crate) struct Photos {
    photos: Vec<Photo>,
    faces: usize,
}

struct Photo {
    path: CString,
    person: CString,
    status: i32,
    message: Option<CString>,
    face: u64,
}

impl From<Enrolment> for Photos {
    fn from(enrolment: Enrolment) -> Photos {
        let faces = enrolment.faces();
        Photos { photos: enrolment.photos.into_iter().map(Photo::from).collect(), faces }
    }
}

impl From<EnrolledPhoto> for Photo {
    fn from(photo: EnrolledPhoto) -> Photo {
        let (status, message, face) = match photo.outcome {
            Ok(face) => (FACECORE_OK, None, face.get()),
            Err(error) => (error.kind().code(), Some(c_string(&error.to_string())), 0),
        };
        let (path, person) = (path_text(&photo.path), c_string(photo.person.as_str()));
        Photo { path, person, status, message, face }
    }
}

/// Enrols every photo of a folder into a namespace, working at photos in parallel. A sub-folder is a person and all files
/// below it are theirs; a file directly in the folder is a person named as the file without its suffix. A photo that shows
/// no face, or several where `choice` (`FACECORE_CHOICE_ONLY` and so on) wants one, or cannot be read is skipped with its
/// reason and loses nobody else's.
///
/// Errors: `FACECORE_IO` if the folder cannot be read or the gallery not be written, and 5xx.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_enrol_folder(
    recognizer: *const facecore_recognizer,
    folder: *const c_char,
    namespace: *const facecore_namespace,
    choice: i32,
    done: facecore_photo_done,
    context: *mut c_void,
    enrolment: *mut *mut facecore_enrolment,
) -> i32 {
    guard(|| {
        let out = Out::new(enrolment, "enrolment")?;
        let done = Done { tell: done, context };
        let (recognizer, people) = (value(recognizer)?.recognizer(), value(namespace)?.people());
        out.give(
            recognizer
                .enrol_folder(path(folder, "folder")?, people, face_choice(choice)?, |path| done.tell(path))?
                .into(),
        );
        Ok(())
    })
}

/// Enrols `count` photos, `paths[i]` as a photo of `persons[i]`, as `facecore_recognizer_enrol_folder` does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_recognizer_enrol_photos(
    recognizer: *const facecore_recognizer,
    persons: *const *const c_char,
    paths: *const *const c_char,
    count: usize,
    namespace: *const facecore_namespace,
    choice: i32,
    done: facecore_photo_done,
    context: *mut c_void,
    enrolment: *mut *mut facecore_enrolment,
) -> i32 {
    guard(|| {
        let out = Out::new(enrolment, "enrolment")?;
        let done = Done { tell: done, context };
        let (recognizer, people) = (value(recognizer)?.recognizer(), value(namespace)?.people());
        let persons = texts(persons, count, "persons")?.into_iter().map(PersonId::from);
        let paths = slice(paths, count, "paths")?.iter().map(|one| Ok(path(*one, "path")?.to_path_buf()));
        let photos = persons.zip(paths).map(|(person, path)| Ok((person, path?))).collect::<Result<Vec<_>>>()?;
        let photos = FolderPhotos { photos, ..FolderPhotos::default() };
        out.give(recognizer.enrol_photos(photos, people, face_choice(choice)?, |path| done.tell(path))?.into());
        Ok(())
    })
}

/// How many photos there are, enrolled or not; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_enrolment_count(enrolment: *const facecore_enrolment) -> usize {
    peek(enrolment).map_or(0, |enrolment| enrolment.photos.len())
}

/// Of how many photos the face is enrolled now, also if it was before; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_enrolment_faces(enrolment: *const facecore_enrolment) -> usize {
    peek(enrolment).map_or(0, |enrolment| enrolment.faces)
}

/// What became of the photo at `index`, from 0.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_enrolment_get(
    enrolment: *const facecore_enrolment,
    index: usize,
    photo: *mut facecore_enrolled_photo,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(photo)?;
        let photos = &value(enrolment)?.photos;
        let photo = photos.get(index).ok_or_else(|| no_item("photo", index, photos.len()))?;
        out.write(&facecore_enrolled_photo {
            struct_size: 0,
            path: photo.path.as_ptr(),
            person: photo.person.as_ptr(),
            status: photo.status,
            message: pointer(&photo.message),
            face: photo.face,
        });
        Ok(())
    })
}

/// Frees an enrolment. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_enrolment_free(enrolment: *mut facecore_enrolment) {
    free(enrolment);
}
