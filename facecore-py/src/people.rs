//! The people of a namespace: changing and reading them.

use std::path::PathBuf;

use facecore::gallery::{Batch, Done, FaceId, Metadata, Person, PersonId};
use facecore::pipeline::FolderPhotos;
use facecore::{EmbeddingSpace, Error, ErrorKind, NewFace, Result};
use pyo3::prelude::*;

use crate::embedding::{Embedding, as_written};
use crate::errors::raise;
use crate::gallery::Gallery;
use crate::process::work;

/// A face to enrol: embedding, quality, source, metadata as JSON.
type FaceToEnrol<'py> = (PyRef<'py, Embedding>, Option<f32>, Option<String>, Option<String>);

fn new_face(face: &FaceToEnrol<'_>) -> Result<NewFace> {
    let (embedding, quality, source, metadata) = face;
    Ok(NewFace {
        embedding: embedding.inner.clone(),
        quality: *quality,
        source: source.clone(),
        metadata: metadata_of(metadata.as_deref())?,
    })
}

fn metadata_of(json: Option<&str>) -> Result<Metadata> {
    serde_json::from_str(json.unwrap_or("{}")).map_err(|error| {
        Error::new(ErrorKind::InvalidArgument, format!("metadata is a JSON object: {error}")).with_source(error)
    })
}

pub fn json_of(metadata: &Metadata) -> String {
    if metadata.is_empty() { String::new() } else { serde_json::Value::Object(metadata.clone()).to_string() }
}

/// Id, name, metadata as JSON (empty if there is none), faces.
type PersonParts = (String, Option<String>, String, Vec<u64>);

fn person_parts(person: &Person) -> PersonParts {
    let faces = person.faces.iter().map(|face| face.get()).collect();
    (person.id.as_str().to_owned(), person.name.clone(), json_of(&person.metadata), faces)
}

/// Id, person, embedding, quality, source, metadata as JSON.
type EnrolledParts = (u64, String, Embedding, Option<f32>, Option<String>, String);

/// A change of a batch: what it is, and its operands.
#[derive(FromPyObject)]
enum Item<'py> {
    #[pyo3(transparent)]
    Enrol((String, String, Vec<FaceToEnrol<'py>>)),
    #[pyo3(transparent)]
    Replace((String, u64, PyRef<'py, Embedding>)),
    #[pyo3(transparent)]
    Face((String, u64, Option<String>)),
    #[pyo3(transparent)]
    Person((String, String, Option<String>)),
}

fn batch_of(items: &[Item<'_>], all_or_nothing: bool) -> Result<Batch> {
    let mut batch = Batch::new();
    for item in items {
        match item {
            Item::Enrol((_, person, faces)) => batch.enrol(person, faces.iter().map(new_face).collect::<Result<_>>()?),
            Item::Replace((_, face, embedding)) => batch.replace_face(FaceId::from(*face), embedding.inner.clone()),
            Item::Face((what, face, operand)) => match (what.as_str(), operand) {
                ("set_face_metadata", json) => {
                    batch.set_face_metadata(FaceId::from(*face), metadata_of(json.as_deref())?)
                }
                ("remove_face", _) => batch.remove_face(FaceId::from(*face)),
                (other, _) => return Err(unknown(other)),
            },
            Item::Person((what, person, operand)) => match (what.as_str(), operand) {
                ("remove_person", _) => batch.remove_person(person),
                ("rename", Some(new_id)) => batch.rename(person, new_id),
                ("merge", Some(into)) => batch.merge(person, into),
                ("set_name", name) => batch.set_name(person, name.as_deref()),
                ("set_metadata", json) => batch.set_metadata(person, metadata_of(json.as_deref())?),
                (other, _) => return Err(unknown(other)),
            },
        };
    }
    if all_or_nothing {
        batch.all_or_nothing();
    }
    Ok(batch)
}

fn unknown(what: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("the package passed an unknown change `{what}`"))
}

#[pymethods]
impl Gallery {
    /// Space, threshold and dimension, if they are pinned.
    fn pinned(&self, py: Python<'_>, namespace: &str) -> PyResult<Option<(String, f64, usize)>> {
        self.on(py, namespace, |people| {
            let pinned = people.space().zip(people.dimension());
            Ok(pinned.map(|(space, dimension)| (space.id().to_owned(), as_written(space.threshold()), dimension)))
        })
    }

    fn pin(&self, py: Python<'_>, namespace: &str, space: &str, threshold: f32, dimension: usize) -> PyResult<()> {
        self.adding_to(py, namespace, |people| people.pin(&EmbeddingSpace::new(space, threshold), dimension))
    }

    /// Persons and faces.
    fn counts(&self, py: Python<'_>, namespace: &str) -> PyResult<(usize, usize)> {
        self.on(py, namespace, |people| Ok((people.person_count(), people.face_count())))
    }

    fn enrol(&self, py: Python<'_>, namespace: &str, person: &str, faces: Vec<FaceToEnrol<'_>>) -> PyResult<Vec<u64>> {
        let faces = faces.iter().map(new_face).collect::<Result<Vec<_>>>().map_err(|error| raise(py, &error))?;
        let ids = self.adding_to(py, namespace, |people| people.enrol(person, &faces))?;
        Ok(ids.into_iter().map(FaceId::get).collect())
    }

    /// For each change the ids it gave, or the error.
    fn apply(
        &self,
        py: Python<'_>,
        namespace: &str,
        items: Vec<Item<'_>>,
        all_or_nothing: bool,
    ) -> PyResult<Vec<(Vec<u64>, Option<PyErr>)>> {
        let batch = batch_of(&items, all_or_nothing).map_err(|error| raise(py, &error))?;
        let outcomes = self.adding_to(py, namespace, |people| people.apply(&batch))?;
        let parts = |outcome: Result<Done>| match outcome {
            Ok(done) => (done.faces().iter().map(|face| face.get()).collect(), None),
            Err(error) => (Vec::new(), Some(raise(py, &error))),
        };
        Ok(outcomes.into_iter().map(parts).collect())
    }

    fn replace_face(&self, py: Python<'_>, namespace: &str, face: u64, embedding: &Embedding) -> PyResult<u64> {
        self.on(py, namespace, |people| people.replace_face(FaceId::from(face), &embedding.inner).map(FaceId::get))
    }

    fn remove_face(&self, py: Python<'_>, namespace: &str, face: u64) -> PyResult<()> {
        self.on(py, namespace, |people| people.remove_face(FaceId::from(face)))
    }

    fn remove_person(&self, py: Python<'_>, namespace: &str, person: &str) -> PyResult<()> {
        self.on(py, namespace, |people| people.remove_person(person))
    }

    fn rename(&self, py: Python<'_>, namespace: &str, person: &str, new_id: &str) -> PyResult<()> {
        self.on(py, namespace, |people| people.rename(person, new_id))
    }

    fn set_name(&self, py: Python<'_>, namespace: &str, person: &str, name: Option<&str>) -> PyResult<()> {
        self.on(py, namespace, |people| people.set_name(person, name))
    }

    fn set_metadata(&self, py: Python<'_>, namespace: &str, person: &str, json: &str) -> PyResult<()> {
        self.on(py, namespace, |people| people.set_metadata(person, metadata_of(Some(json))?))
    }

    fn set_face_metadata(&self, py: Python<'_>, namespace: &str, face: u64, json: &str) -> PyResult<()> {
        self.on(py, namespace, |people| people.set_face_metadata(FaceId::from(face), metadata_of(Some(json))?))
    }

    fn merge(&self, py: Python<'_>, namespace: &str, from_: &str, into: &str) -> PyResult<()> {
        self.on(py, namespace, |people| people.merge(from_, into))
    }

    fn move_person(&self, py: Python<'_>, namespace: &str, person: &str, to: &str) -> PyResult<()> {
        self.handle
            .with(py, |gallery| gallery.existing_namespace(namespace)?.move_person(person, &gallery.namespace(to)?))
    }

    fn clear(&self, py: Python<'_>, namespace: &str) -> PyResult<()> {
        self.on(py, namespace, |people| people.clear())
    }

    fn person(&self, py: Python<'_>, namespace: &str, person: &str) -> PyResult<PersonParts> {
        self.on(py, namespace, |people| Ok(person_parts(&people.get(person)?)))
    }

    fn persons_after(
        &self,
        py: Python<'_>,
        namespace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Vec<PersonParts>> {
        self.on(py, namespace, |people| {
            let after = after.map(PersonId::from);
            Ok(people.persons_after(after.as_ref(), limit)?.iter().map(person_parts).collect())
        })
    }

    fn face(&self, py: Python<'_>, namespace: &str, face: u64) -> PyResult<EnrolledParts> {
        let face = self.on(py, namespace, |people| people.face(FaceId::from(face)))?;
        let (person, metadata) = (face.person.as_str().to_owned(), json_of(&face.metadata));
        Ok((face.id.get(), person, face.embedding.into(), face.quality, face.source, metadata))
    }
}

/// The photos of a folder of people as `(person, path)`, and what cannot be tried as `(person, path, error)`.
#[pyfunction]
pub fn photos_by_person(py: Python<'_>, folder: PathBuf) -> PyResult<(Vec<Photo>, Vec<Skipped>)> {
    Ok(found_parts(py, work(py, || facecore::pipeline::photos_by_person(folder))?))
}

pub fn found_parts(py: Python<'_>, found: FolderPhotos) -> (Vec<Photo>, Vec<Skipped>) {
    let photos = found.photos.into_iter().map(|(person, path)| (person.as_str().to_owned(), path)).collect();
    let skipped = found.skipped.into_iter().filter_map(|photo| {
        let error = photo.outcome.err()?;
        Some((photo.person.as_str().to_owned(), photo.path, raise(py, &error)))
    });
    (photos, skipped.collect())
}

pub type Photo = (String, PathBuf);
pub type Skipped = (String, PathBuf, PyErr);
