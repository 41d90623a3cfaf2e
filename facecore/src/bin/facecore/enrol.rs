//! `facecore enrol`

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use facecore::pipeline::{FolderPhotos, ListedPhotos, photos_by_person, photos_in_csv};
use facecore::{Enrolment, Error, ErrorKind, FaceId, Gallery, Namespace, PersonId, Recognizer, Result};
use serde::Serialize;

use crate::args::{ChoiceArgs, CommonArgs, Load};
use crate::output::Output;
use crate::records::{ErrorRecord, PlacementsRecord};
use crate::stages::count;

const EXAMPLES: &str = "\
Examples:
  facecore enrol people/ --gallery office
  facecore enrol people/ --gallery office --namespace visitors --largest --pack packs/office
  facecore enrol --csv people.csv --gallery office

A sub-folder is a person, and every photo in it shows that person; a photo directly in
FOLDER is a person called as the file without its suffix. A CSV has a line for each photo:
the columns person and photo (relative to the CSV), and name and metadata (JSON) if wanted;
other columns become metadata. A photo that shows no face, or several without --largest or
--central, is skipped and reported. Enrolling a photo again
changes nothing. The exit code is 1 if nobody could be enrolled.";

/// Learn people from a folder of photos, or from a table
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("photos").required(true))]
#[command(override_usage = "facecore enrol [OPTIONS] --gallery <DIR> <FOLDER|--csv <FILE>>")]
pub struct Args {
    /// A folder with a sub-folder, or a photo, for each person
    #[arg(value_name = "FOLDER", group = "photos")]
    folder: Option<PathBuf>,
    /// A table that lists the photos, with names and metadata
    #[arg(long, value_name = "FILE", group = "photos")]
    csv: Option<PathBuf>,
    /// The folder that keeps the gallery; made if it is not there
    #[arg(long, value_name = "DIR")]
    gallery: PathBuf,
    /// Which set of people of the gallery
    #[arg(long, value_name = "NAME", default_value = "people")]
    namespace: String,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Forget the earlier faces of every person who gets a new one
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Serialize)]
struct Report<'a> {
    gallery: &'a Path,
    namespace: &'a str,
    space: &'a str,
    persons: usize,
    faces: usize,
    /// Those that were not there before, value for value.
    new_faces: usize,
    skipped: Vec<Skipped<'a>>,
    /// What the namespace holds now.
    total: Total,
    placement: PlacementsRecord,
}

#[derive(Serialize)]
struct Skipped<'a> {
    image: Cow<'a, str>,
    person: &'a PersonId,
    error: ErrorRecord,
}

#[derive(Serialize)]
struct Total {
    persons: usize,
    faces: usize,
}

pub fn run(args: &Args, output: &mut Output) -> Result<()> {
    // The gallery's folder is made last, so that a mistyped name leaves nothing behind.
    let ListedPhotos { photos: found, people } = match (&args.folder, &args.csv) {
        (_, Some(table)) => photos_in_csv(table, &args.namespace)?,
        (Some(folder), None) => ListedPhotos { photos: find_photos(folder)?, ..ListedPhotos::default() },
        (None, None) => crate::usage_error("a folder or --csv says where the photos are"),
    };
    let recognizer = args.common.open_recognizer(Load::ManyPhotos, output)?;
    let namespace = Gallery::open(&args.gallery)?.namespace(&args.namespace)?;
    let earlier = if args.replace { earlier_faces(&namespace)? } else { BTreeMap::new() };
    let before = namespace.face_count();
    let enrolment = enrol(found, &recognizer, &namespace, &args.choice, output)?;
    ListedPhotos::describe(&people, &namespace)?;
    let new = namespace.face_count() - before;
    if args.replace {
        forget(earlier, &enrolment, &namespace)?;
    }
    if enrolment.faces() == 0 {
        output.fail();
    }

    if !output.json() {
        let known = match enrolment.faces() - new {
            0 => String::new(),
            known => format!("; {} known before", count(known, "face")),
        };
        return output.line(format!("  {}{known}", in_words(&enrolment)));
    }
    let skipped = enrolment.skipped();
    output.object(&Report {
        gallery: &args.gallery,
        namespace: &args.namespace,
        space: recognizer.embedder().space().id(),
        persons: enrolment.persons(),
        faces: enrolment.faces(),
        new_faces: new,
        skipped: skipped
            .map(|(photo, error)| Skipped {
                image: photo.path.to_string_lossy(),
                person: &photo.person,
                error: error.into(),
            })
            .collect(),
        total: Total { persons: namespace.person_count(), faces: namespace.face_count() },
        placement: (&recognizer).into(),
    })
}

/// The photos there are to enrol. Errors with `InvalidArgument` if there is nothing at all.
pub fn find_photos(folder: &Path) -> Result<FolderPhotos> {
    let found = photos_by_person(folder)?;
    if found.photos.is_empty() && found.skipped.is_empty() {
        let message = format!("there is no photo in {}", folder.display());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(found)
}

/// Enrols the photos found, showing progress.
///
/// Errors with `EmbeddingSpaceMismatch` if the namespace has faces of another model.
pub fn enrol(
    found: FolderPhotos,
    recognizer: &Recognizer,
    namespace: &Namespace,
    choice: &ChoiceArgs,
    output: &mut Output,
) -> Result<Enrolment> {
    // Said once here, instead of once for each photo.
    namespace.pin(recognizer.embedder().space(), recognizer.embedder().dimension())?;
    let bar = output.progress(found.photos.len());
    let enrolment = recognizer.enrol_photos(found, namespace, choice.choice(), |_| bar.inc(1));
    output.progress_done();
    enrolment
}

fn earlier_faces(namespace: &Namespace) -> Result<BTreeMap<PersonId, Vec<FaceId>>> {
    Ok(namespace.persons()?.into_iter().map(|person| (person.id, person.faces)).collect())
}

/// Removes the earlier faces of those who got new ones. Removed only now, so that nobody is lost whose
/// new photos are all useless.
fn forget(mut earlier: BTreeMap<PersonId, Vec<FaceId>>, enrolment: &Enrolment, namespace: &Namespace) -> Result<()> {
    let enrolled = || enrolment.photos.iter().filter_map(|photo| Some((&photo.person, *photo.outcome.as_ref().ok()?)));
    let kept: Vec<FaceId> = enrolled().map(|(_, face)| face).collect();
    for (person, _) in enrolled() {
        for face in earlier.remove(person).unwrap_or_default() {
            if !kept.contains(&face) {
                namespace.remove_face(face)?;
            }
        }
    }
    Ok(())
}

/// `enrolled 41 people, 117 faces (1 photo skipped: no face in people/ada/03.jpg)`
pub fn in_words(enrolment: &Enrolment) -> String {
    let people = match enrolment.persons() {
        0 => "nobody".to_string(),
        1 => "1 person".to_string(),
        persons => format!("{persons} people"),
    };
    let text = format!("enrolled {people}, {}", count(enrolment.faces(), "face"));
    let reasons: Vec<String> = enrolment.skipped().map(|(photo, error)| reason(&photo.path, error)).collect();
    let skipped = format!("{} skipped", count(reasons.len(), "photo"));
    match reasons.len() {
        0 => text,
        1..=3 => format!("{text} ({skipped}: {})", reasons.join("; ")),
        _ => format!("{text}; {skipped}:\n    {}", reasons.join("\n    ")),
    }
}

fn reason(photo: &Path, error: &Error) -> String {
    match error.kind() {
        ErrorKind::NoFace => format!("no face in {}", photo.display()),
        ErrorKind::SeveralFaces => format!("several faces in {}, use --largest or --central", photo.display()),
        _ => error.to_string(),
    }
}
