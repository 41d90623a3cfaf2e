//! Enrolling a folder of photos.

use std::path::{Path, PathBuf};

use super::{FaceChoice, Recognizer};
use crate::error::{Error, Result, fail};
use crate::gallery::{FaceId, Namespace, NewFace, PersonId};

/// Folders within folders deeper than this are not entered: a link may lead in a circle.
const MAX_DEPTH: usize = 8;

/// What became of one photo.
#[derive(Debug)]
pub struct EnrolledPhoto {
    /// The file.
    pub path: PathBuf,
    /// Whom it was to be enrolled as.
    pub person: PersonId,
    /// The new face, or why there is none: `NoFace`, `SeveralFaces`, or what was wrong with the file.
    pub outcome: Result<FaceId>,
}

/// What became of a folder of photos.
#[derive(Debug, Default)]
pub struct Enrolment {
    /// Every photo, in the order of persons and files.
    pub photos: Vec<EnrolledPhoto>,
}

impl Enrolment {
    /// How many faces were enrolled.
    pub fn faces(&self) -> usize {
        self.photos.iter().filter(|photo| photo.outcome.is_ok()).count()
    }

    /// How many persons got at least one face.
    pub fn persons(&self) -> usize {
        let mut persons: Vec<&PersonId> =
            self.photos.iter().filter(|photo| photo.outcome.is_ok()).map(|photo| &photo.person).collect();
        persons.dedup();
        persons.len()
    }

    /// The photos that were not enrolled.
    pub fn skipped(&self) -> impl Iterator<Item = (&EnrolledPhoto, &Error)> {
        self.photos.iter().filter_map(|photo| photo.outcome.as_ref().err().map(|error| (photo, error)))
    }
}

/// The photos of a folder with the person each shows: a sub-folder is a person and all files below it are
/// theirs; a file directly in the folder is a person named as the file without its suffix.
///
/// Hidden files are left out. Sorted by person, then file. Errors with `Io` if a folder cannot be read.
pub fn photos_by_person(folder: impl AsRef<Path>) -> Result<Vec<(PersonId, PathBuf)>> {
    let mut photos = Vec::new();
    for path in entries(folder.as_ref())? {
        if path.is_dir() {
            let person = person_named(&path, path.file_name())?;
            let mut files = Vec::new();
            files_below(&path, MAX_DEPTH, &mut files)?;
            photos.extend(files.into_iter().map(|file| (person.clone(), file)));
        } else {
            photos.push((person_named(&path, path.file_stem())?, path));
        }
    }
    photos.sort();
    Ok(photos)
}

fn person_named(path: &Path, name: Option<&std::ffi::OsStr>) -> Result<PersonId> {
    match name.and_then(|name| name.to_str()) {
        Some(name) => Ok(PersonId::from(name)),
        None => fail!(InvalidArgument, "the name of {} is not UTF-8 and cannot name a person", path.display()),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error| Error::io(folder, "read the folder", error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

fn files_below(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    for path in entries(folder)? {
        if !path.is_dir() {
            files.push(path);
        } else if depth > 0 {
            files_below(&path, depth - 1, files)?;
        }
    }
    Ok(())
}

impl Recognizer {
    /// Enrols every photo of a folder (see [`photos_by_person`]) into `namespace`, working at photos in
    /// parallel. A photo that shows no face, or several where `choice` wants one, or cannot be read is
    /// skipped with its reason and loses nobody else's. `each` is called as photos are finished, from many
    /// threads.
    ///
    /// Errors with `Io` if the folder cannot be read. Faces are stored in the order of the report.
    pub fn enrol_folder(
        &self,
        folder: impl AsRef<Path>,
        namespace: &Namespace,
        choice: FaceChoice,
        each: impl Fn(&Path) + Send + Sync,
    ) -> Result<Enrolment> {
        let photos = photos_by_person(folder)?;
        let found = self.in_parallel(photos.len(), |index| {
            let path = &photos[index].1;
            let result = self.recognize_one_file(path, choice);
            each(path);
            result
        })?;
        let enrol = |((person, path), found): ((PersonId, PathBuf), Result<super::RecognizedFace>)| {
            let outcome = found.and_then(|found| {
                let mut face = NewFace::from(found.embedding);
                face.source = Some(path.display().to_string());
                let added = namespace.enrol(person.clone(), &[face])?;
                Ok(added[0])
            });
            EnrolledPhoto { path, person, outcome }
        };
        Ok(Enrolment { photos: photos.into_iter().zip(found).map(enrol).collect() })
    }
}
