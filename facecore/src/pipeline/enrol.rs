//! Enrolling a folder of photos.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::many::Choice;
use super::{FaceChoice, Recognition, Recognizer};
use crate::error::{Context as _, Error, Result, fail};
use crate::gallery::{Batch, FaceId, Namespace, NewFace, PersonId};

/// Folders within folders deeper than this are not entered: a link may lead in a circle.
const MAX_DEPTH: usize = 9;

/// Photos whose faces are stored with one commit: what a crash costs at most, and few enough commits not to
/// matter beside the recognition.
const PHOTOS_A_COMMIT: usize = 256;

/// What became of one photo.
#[derive(Debug)]
pub struct EnrolledPhoto {
    /// The file.
    pub path: PathBuf,
    /// Whom it was to be enrolled as. Of a name that is not UTF-8, what can be shown of it.
    pub person: PersonId,
    /// The new face, or why there is none: `NoFace`, `SeveralFaces`, or what was wrong with the file or its
    /// name.
    pub outcome: Result<FaceId>,
}

/// What became of a folder of photos.
#[derive(Debug, Default)]
pub struct Enrolment {
    /// Every photo, in the order of persons and files; after them what could not be tried at all.
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

/// What a folder of people holds.
#[derive(Debug, Default)]
pub struct FolderPhotos {
    /// Each photo with the person it shows, sorted by person, then file.
    pub photos: Vec<(PersonId, PathBuf)>,
    /// What cannot be tried, with the reason, sorted likewise.
    pub skipped: Vec<EnrolledPhoto>,
}

/// The photos of a folder with the person each shows, and what there is beside them that cannot be enrolled:
/// a file or folder that cannot be read, or whose name can name nobody because it is not UTF-8.
///
/// A sub-folder is a person and all files below it are theirs; a file directly in the folder is a person
/// named as the file without its suffix. Hidden files and what is no regular file (nor a link to one) are
/// left out. Errors with `Io` if the folder itself cannot be read.
pub fn photos_by_person(folder: impl AsRef<Path>) -> Result<FolderPhotos> {
    let (mut photos, mut skipped) = (Vec::new(), Vec::new());
    for path in entries(folder.as_ref())? {
        let name = if path.is_dir() { path.file_name() } else { path.file_stem() }.unwrap_or_default();
        let mut files = Vec::new();
        files_below(path.clone(), MAX_DEPTH, &mut files);
        for (path, readable) in files {
            match readable.and_then(|()| person_named(name, &path)) {
                Ok(person) => photos.push((person, path)),
                Err(error) => {
                    let person = PersonId::from(name.to_string_lossy().as_ref());
                    skipped.push(EnrolledPhoto { path, person, outcome: Err(error) });
                }
            }
        }
    }
    photos.sort();
    skipped.sort_by(|a, b| (&a.person, &a.path).cmp(&(&b.person, &b.path)));
    Ok(FolderPhotos { photos, skipped })
}

fn person_named(name: &OsStr, path: &Path) -> Result<PersonId> {
    match name.to_str() {
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

/// The regular files at `path`: itself, or all below it; and what cannot be read, with the reason.
fn files_below(path: PathBuf, depth: usize, files: &mut Vec<(PathBuf, Result<()>)>) {
    match std::fs::metadata(&path) {
        Err(error) => {
            let error = Error::io(&path, "read", error);
            files.push((path, Err(error)));
        }
        Ok(found) if found.is_file() => files.push((path, Ok(()))),
        Ok(found) if found.is_dir() && depth > 0 => match entries(&path) {
            Err(error) => files.push((path, Err(error))),
            Ok(paths) => paths.into_iter().for_each(|path| files_below(path, depth - 1, files)),
        },
        // To open a pipe is to wait for whoever writes to it.
        Ok(_) => {}
    }
}

impl Recognizer {
    /// Enrols every photo of a folder (see [`photos_by_person`]) into `namespace`, working at photos in
    /// parallel. A photo that shows no face, or several where `choice` wants one, or cannot be read is
    /// skipped with its reason and loses nobody else's. `each` is called as photos are finished, from many
    /// threads.
    ///
    /// Errors with `Io` if the folder cannot be read, and if the gallery cannot be written. Faces are stored in the
    /// order of the report, those of 256 photos with one commit.
    pub fn enrol_folder(
        &self,
        folder: impl AsRef<Path>,
        namespace: &Namespace,
        choice: FaceChoice,
        each: impl Fn(&Path) + Send + Sync,
    ) -> Result<Enrolment> {
        self.enrol_photos(photos_by_person(folder)?, namespace, choice, each)
    }

    /// As [`Recognizer::enrol_folder`], with photos that were found before.
    pub fn enrol_photos(
        &self,
        FolderPhotos { photos, skipped }: FolderPhotos,
        namespace: &Namespace,
        choice: FaceChoice,
        each: impl Fn(&Path) + Send + Sync,
    ) -> Result<Enrolment> {
        let mut enrolment = Enrolment::default();
        for some in photos.chunks(PHOTOS_A_COMMIT) {
            let paths: Vec<&Path> = some.iter().map(|(_, path)| path.as_path()).collect();
            let found = self.files(&paths, Choice::One(choice), |index, _| each(paths[index]))?;
            let stored = enrolment.photos.len();
            store(some, found, namespace, &mut enrolment).context_with(|| match stored {
                0 => "storing what was found".to_owned(),
                stored => format!("{stored} photos were done before, and enrolling again goes on after them"),
            })?;
        }
        enrolment.photos.extend(skipped);
        Ok(enrolment)
    }
}

/// Enrols the faces found in some photos with one commit.
fn store(
    photos: &[(PersonId, PathBuf)],
    found: Vec<Result<Recognition>>,
    namespace: &Namespace,
    enrolment: &mut Enrolment,
) -> Result<()> {
    let mut batch = Batch::new();
    for ((person, path), found) in photos.iter().zip(&found) {
        for found in found.iter().flat_map(|found| &found.faces) {
            let source = Some(path.display().to_string());
            batch.enrol(person, vec![NewFace { source, ..NewFace::from(&found.embedding) }]);
        }
    }
    let mut done = namespace.apply(&batch)?.into_iter();
    for ((person, path), found) in photos.iter().zip(found) {
        let outcome = found.and_then(|_| match done.next() {
            Some(done) => done.and_then(|done| match done.faces() {
                [face] => Ok(*face),
                _ => fail!(Internal, "one face was enrolled, and another number of ids came back"),
            }),
            None => fail!(Internal, "a face was enrolled, and no id came back"),
        });
        enrolment.photos.push(EnrolledPhoto { path: path.clone(), person: person.clone(), outcome });
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn what_cannot_be_enrolled_loses_nobody_else() {
        let folder = std::env::temp_dir().join(format!("facecore-by-person-{}", std::process::id()));
        fs::create_dir_all(folder.join("ada/more")).unwrap();
        for file in ["ada/2.jpg", "ada/more/1.jpg", "bo.jpg", ".hidden.jpg"] {
            fs::write(folder.join(file), "").unwrap();
        }
        std::os::unix::fs::symlink("../bo.jpg", folder.join("ada/link.jpg")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.join("lost.jpg")).unwrap();
        // Where names must be UTF-8, there are no others.
        let unnamable = fs::write(folder.join(OsStr::from_bytes(b"\xFF.jpg")), "").is_ok();
        // Where there is no such command, no pipe is tested.
        std::process::Command::new("mkfifo").arg(folder.join("pipe.jpg")).status().ok();

        let FolderPhotos { photos, skipped } = photos_by_person(&folder).unwrap();
        let found: Vec<(&str, &str)> = photos
            .iter()
            .map(|(person, path)| (person.as_str(), path.strip_prefix(&folder).unwrap().to_str().unwrap()))
            .collect();
        let ada = ["ada/2.jpg", "ada/link.jpg", "ada/more/1.jpg"].map(|file| ("ada", file));
        assert_eq!(found, [&ada[..], &[("bo", "bo.jpg")]].concat());
        let kinds: Vec<(&str, ErrorKind)> =
            skipped.iter().map(|photo| (photo.person.as_str(), photo.outcome.as_ref().unwrap_err().kind())).collect();
        let lost = [("lost", ErrorKind::Io), ("\u{FFFD}", ErrorKind::InvalidArgument)];
        assert_eq!(kinds, lost[..1 + usize::from(unnamable)]);

        assert_eq!(photos_by_person(folder.join("none")).unwrap_err().kind(), ErrorKind::Io);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_reported() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = std::env::temp_dir().join(format!("facecore-unreadable-{}", std::process::id()));
        fs::create_dir_all(folder.join("ada")).unwrap();
        fs::write(folder.join("bo.jpg"), "").unwrap();
        fs::set_permissions(folder.join("ada"), fs::Permissions::from_mode(0o0)).unwrap();
        // An administrator reads everything.
        let unreadable = fs::read_dir(folder.join("ada")).is_err();
        let FolderPhotos { photos, skipped } = photos_by_person(&folder).unwrap();
        assert_eq!(photos.len(), 1);
        assert_eq!(
            skipped.iter().map(|photo| photo.person.as_str()).collect::<Vec<_>>(),
            ["ada"][..usize::from(unreadable)]
        );
        fs::set_permissions(folder.join("ada"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}
