//! Enrolling photos that a table lists.

use std::path::Path;

use super::{EnrolledPhoto, Enrolment, FaceChoice, FolderPhotos, Recognizer};
use crate::error::{Error, ErrorKind, Result};
use crate::gallery::{Batch, CsvRow, Namespace, PersonId, read_csv};

/// What a table of photos lists.
#[derive(Debug, Default)]
pub struct ListedPhotos {
    /// The photos with the persons they show, and the rows that cannot be tried, as those of a folder.
    pub photos: FolderPhotos,
    /// The rows that are right, with names and metadata.
    pub people: Vec<CsvRow>,
}

/// The photos that a CSV lists, as [`read_csv`] reads it, to be enrolled into the namespace called `namespace`. A row that
/// is wrong, has no photo or names another namespace is among the skipped, with the table as its path.
///
/// Errors with `Io` if the table cannot be read, and with `InvalidArgument` if it has no columns `person` and `photo`.
pub fn photos_in_csv(table: impl AsRef<Path>, namespace: &str) -> Result<ListedPhotos> {
    let table = table.as_ref();
    let read = read_csv(table)?;
    if !read.has_photos {
        let message = format!("{} has no column `photo`, which names the photo of each row", table.display());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let mut listed = ListedPhotos::default();
    let skip = |person: PersonId, error: Error| EnrolledPhoto {
        path: table.to_owned(),
        person,
        outcome: Err(error.context(table.display().to_string())),
    };
    let nobody = || PersonId::from("");
    let skipped = &mut listed.photos.skipped;
    skipped.extend(read.failed.into_iter().map(|failed| skip(failed.person.unwrap_or_else(nobody), failed.error)));
    for row in read.rows {
        let wrong = match (&row.photo, row.namespace.as_deref().filter(|of| *of != namespace)) {
            (_, Some(other)) => Some(format!("it is of namespace `{other}`, and `{namespace}` is enrolled into")),
            (None, _) => Some("it names no photo".to_owned()),
            (Some(photo), None) => {
                listed.photos.photos.push((row.person.clone(), photo.clone()));
                None
            }
        };
        match wrong {
            Some(message) => {
                let error = Error::new(ErrorKind::InvalidArgument, message).context(format!("line {}", row.line));
                skipped.push(skip(row.person, error));
            }
            None => listed.people.push(row),
        }
    }
    listed.photos.photos.sort();
    Ok(listed)
}

impl ListedPhotos {
    /// Stores the names and metadata of the table with those of its people who are in `namespace`, with one commit.
    ///
    /// Errors if the gallery cannot be written.
    pub fn describe(people: &[CsvRow], namespace: &Namespace) -> Result<()> {
        let mut batch = Batch::new();
        for row in people {
            if row.name.is_some() {
                batch.set_name(&row.person, row.name.as_deref());
            }
            if let Some(metadata) = &row.metadata {
                batch.set_metadata(&row.person, metadata.clone());
            }
        }
        // Who has no face of theirs enrolled is not there, and the photos tell why.
        if batch.is_empty() { Ok(()) } else { namespace.apply(&batch).map(drop) }
    }
}

impl Recognizer {
    /// Enrols the photos that a CSV lists (see [`photos_in_csv`]) into `namespace`, as [`Recognizer::enrol_folder`] does those
    /// of a folder, and then stores names and metadata of the table with those who are there.
    ///
    /// Errors as [`photos_in_csv`], and if the gallery cannot be written.
    pub fn enrol_csv(
        &self,
        table: impl AsRef<Path>,
        namespace: &Namespace,
        choice: FaceChoice,
        each: impl Fn(&Path) + Send + Sync,
    ) -> Result<Enrolment> {
        let ListedPhotos { photos, people } = photos_in_csv(table, namespace.name())?;
        let enrolment = self.enrol_photos(photos, namespace, choice, each)?;
        ListedPhotos::describe(&people, namespace)?;
        Ok(enrolment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lists_photos_and_what_is_wrong_with_its_rows() {
        let folder = std::env::temp_dir().join(format!("facecore-listed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let table = folder.join("people.csv");
        let absolute = std::env::temp_dir().join("2.jpg");
        let text = format!(
            "person,name,photo,namespace,floor\nbo,,b.jpg,,\nada,Ada,a/1.jpg,staff,2\nada,,{},,\ncy,Cy,,,\n\
             dee,,d.jpg,guests,\n,,e.jpg,,\n",
            absolute.display()
        );
        std::fs::write(&table, text).unwrap();
        let ListedPhotos { photos, people } = photos_in_csv(&table, "staff").unwrap();
        let found: Vec<_> = photos.photos.iter().map(|(person, path)| (person.as_str(), path.clone())).collect();
        assert_eq!(found, [("ada", absolute), ("ada", folder.join("a/1.jpg")), ("bo", folder.join("b.jpg"))]);
        let reasons = [
            ("", "line 7: it names no person"),
            ("cy", "line 5: it names no photo"),
            ("dee", "line 6: it is of namespace `guests`"),
        ];
        for (skipped, (person, reason)) in photos.skipped.iter().zip(reasons) {
            let error = skipped.outcome.as_ref().unwrap_err();
            assert_eq!((skipped.person.as_str(), error.kind()), (person, ErrorKind::InvalidArgument));
            assert!(error.to_string().contains(reason), "{error}");
        }
        assert_eq!((photos.skipped.len(), people.len()), (3, 3));

        let staff = crate::Gallery::in_memory().namespace("staff").unwrap();
        staff.enrol("ada", &[]).unwrap();
        ListedPhotos::describe(&people, &staff).unwrap();
        let ada = staff.get("ada").unwrap();
        assert_eq!((ada.name.as_deref(), &ada.metadata["floor"]), (Some("Ada"), &"2".into()));
        assert_eq!(staff.person_count(), 1);

        std::fs::write(&table, "person,name\nada,Ada\n").unwrap();
        assert_eq!(photos_in_csv(&table, "staff").unwrap_err().kind(), ErrorKind::InvalidArgument);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
