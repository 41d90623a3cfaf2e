//! Who is in a gallery, and changes by hand.

use std::collections::BTreeSet;
use std::path::PathBuf;

use facecore::gallery::{EnrolledFace, Person};
use facecore::{Error, FaceId, Gallery, PersonId, Result};
use serde::Serialize;
use serde_json::json;

use super::{namespace_to_change, open_to_change, open_to_read};
use crate::args::OutputArgs;
use crate::output::Output;
use crate::stages::count;

/// Make an empty gallery, or a namespace in one
#[derive(clap::Args)]
pub struct Create {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    /// A set of people to make in it; may be given several times
    #[arg(long = "namespace", value_name = "NAME")]
    namespaces: Vec<String>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// List the namespaces of a gallery
#[derive(clap::Args)]
pub struct List {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Show everybody in a namespace, or some people with all their faces
#[derive(clap::Args)]
pub struct Show {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    /// Whom to show in detail
    #[arg(value_name = "PERSON")]
    persons: Vec<String>,
    /// Which set of people
    #[arg(long, value_name = "NAME", default_value = "people")]
    namespace: String,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Give a person another id
#[derive(clap::Args)]
pub struct Rename {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    /// Who
    #[arg(value_name = "PERSON")]
    person: String,
    /// The id from now on
    #[arg(value_name = "NEW")]
    new_id: String,
    /// Which set of people
    #[arg(long, value_name = "NAME", default_value = "people")]
    namespace: String,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Make one person of two: all faces of FROM become INTO's
#[derive(clap::Args)]
pub struct Merge {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    /// Who ceases to be
    #[arg(value_name = "FROM")]
    from: String,
    /// Who remains
    #[arg(value_name = "INTO")]
    into: String,
    /// Which set of people
    #[arg(long, value_name = "NAME", default_value = "people")]
    namespace: String,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Remove people, single faces, or a whole namespace; `compact` then erases them from the disk
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
#[command(override_usage = "facecore gallery remove [OPTIONS] <DIR> <PERSON...|--face <ID>|--everybody>")]
pub struct Remove {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    /// Whom to remove
    #[arg(value_name = "PERSON", group = "what")]
    persons: Vec<PersonId>,
    /// A face to remove, by its number; may be given several times
    #[arg(long = "face", value_name = "ID", group = "what")]
    faces: Vec<u64>,
    /// Remove the namespace with everybody in it
    #[arg(long, group = "what", conflicts_with_all = ["persons", "faces"])]
    everybody: bool,
    /// Which set of people
    #[arg(long, value_name = "NAME", default_value = "people")]
    namespace: String,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Serialize)]
struct FaceDetails {
    face: FaceId,
    source: Option<String>,
    quality: Option<f32>,
    norm: f32,
    metadata: facecore::gallery::Metadata,
}

impl Create {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        let gallery = Gallery::open(&self.gallery)?;
        for name in &self.namespaces {
            gallery.namespace(name)?;
        }
        list(&gallery, output)
    }
}

impl List {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        list(&open_to_read(&self.gallery)?, output)
    }
}

fn list(gallery: &Gallery, output: &mut Output) -> Result<()> {
    let mut lines = Vec::new();
    for name in gallery.namespaces() {
        let namespace = gallery.existing_namespace(&name)?;
        let (persons, faces) = (namespace.person_count(), namespace.face_count());
        let (space, dimension) = (namespace.space(), namespace.dimension());
        if output.json() {
            let space = space.as_ref().map(|space| space.id());
            output.object(&json!({
                "namespace": name, "persons": persons, "faces": faces, "space": space, "dimension": dimension,
            }))?;
        }
        let holds = match (space, dimension) {
            (Some(space), Some(dimension)) => format!("  {space}, {dimension} dimensions"),
            _ => String::new(),
        };
        lines.push(format!("  {name}  {}{}{holds}", people(persons), count(faces, "face")));
    }
    match (output.json(), lines.is_empty()) {
        (true, _) => Ok(()),
        (false, true) => output.line("  no namespaces yet"),
        (false, false) => output.line(lines.join("\n")),
    }
}

fn people(persons: usize) -> String {
    if persons == 1 { "1 person, ".into() } else { format!("{persons} people, ") }
}

impl Show {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        let gallery = open_to_read(&self.gallery)?;
        let namespace = gallery.existing_namespace(&self.namespace)?;
        for person in &self.persons {
            let person = namespace.get(person)?;
            let faces = person.faces.iter().map(|id| namespace.face(*id)).collect::<Result<Vec<_>>>()?;
            show_details(&person, faces, output)?;
        }
        if !self.persons.is_empty() {
            return Ok(());
        }
        // In steps: there may be many.
        let mut after = None;
        loop {
            let page = namespace.persons_after(after.as_ref(), 1000)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for person in &page {
                show(person, output)?;
            }
        }
    }
}

fn show(person: &Person, output: &mut Output) -> Result<()> {
    if output.json() {
        return output.object(person);
    }
    let name = person.name.as_ref().map_or(String::new(), |name| format!("  {name}"));
    output.line(format!("  {}{name}  {}", person.id, count(person.faces.len(), "face")))
}

fn show_details(person: &Person, faces: Vec<EnrolledFace>, output: &mut Output) -> Result<()> {
    let details = |face: EnrolledFace| FaceDetails {
        face: face.id,
        source: face.source,
        quality: face.quality,
        norm: face.embedding.norm(),
        metadata: face.metadata,
    };
    let faces: Vec<FaceDetails> = faces.into_iter().map(details).collect();
    if output.json() {
        let (id, name, metadata) = (&person.id, &person.name, &person.metadata);
        return output.object(&json!({ "id": id, "name": name, "metadata": metadata, "faces": faces }));
    }
    show(person, output)?;
    if !person.metadata.is_empty() {
        output.line(format!("    {}", json!(person.metadata)))?;
    }
    for face in faces {
        let quality = face.quality.map_or(String::new(), |quality| format!("  quality {quality:.2}"));
        let metadata = if face.metadata.is_empty() { String::new() } else { format!("  {}", json!(face.metadata)) };
        let source = face.source.unwrap_or_default();
        output.line(format!("    face {}  {source}  norm {:.2}{quality}{metadata}", face.face, face.norm))?;
    }
    Ok(())
}

impl Rename {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        let namespace = namespace_to_change(&self.gallery, &self.namespace)?;
        namespace.rename(&self.person, &self.new_id)?;
        show(&namespace.get(&self.new_id)?, output)
    }
}

impl Merge {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        let namespace = namespace_to_change(&self.gallery, &self.namespace)?;
        namespace.merge(&self.from, &self.into)?;
        show(&namespace.get(&self.into)?, output)
    }
}

impl Remove {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        let gallery = open_to_change(&self.gallery)?;
        let namespace = gallery.existing_namespace(&self.namespace)?;
        let before = (namespace.person_count(), namespace.face_count());
        if self.everybody {
            gallery.drop_namespace(&self.namespace)?;
        } else {
            // All of them or, if one is not there, nobody.
            let mut batch = facecore::gallery::Batch::new();
            batch.all_or_nothing();
            // Named twice, somebody is removed once.
            for id in BTreeSet::from_iter(&self.faces) {
                batch.remove_face(FaceId::from(*id));
            }
            for person in BTreeSet::from_iter(&self.persons) {
                batch.remove_person(person);
            }
            // Which item of the batch it was says nothing to whoever typed names.
            namespace.apply(&batch).map_err(|error| Error::new(error.kind(), error.message()))?;
        }
        let removed = (before.0 - namespace.person_count(), before.1 - namespace.face_count());
        if output.json() {
            return output.object(&json!({ "removed": { "persons": removed.0, "faces": removed.1 } }));
        }
        let hint = format!("`facecore gallery compact {}` erases them from the disk", self.gallery.display());
        output.line(format!("  removed {}{}; {hint}", people(removed.0), count(removed.1, "face")))
    }
}
