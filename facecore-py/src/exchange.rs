//! Galleries as files, out and in.

use std::path::PathBuf;

use facecore::gallery::{ExportOptions, Format, ImportFailure, ImportOptions, Progress, Step};
use facecore::pipeline::{ListedPhotos, photos_in_csv as list};
use facecore::{EmbeddingSpace, Error, ErrorKind, Result};
use pyo3::prelude::*;

use crate::callback::FirstError;
use crate::errors::{invalid, raise};
use crate::gallery::Gallery;
use crate::people::{Photo, Skipped, found_parts, json_of};
use crate::process::work;

fn format_of(py: Python<'_>, name: Option<&str>) -> PyResult<Option<Format>> {
    match name {
        None => Ok(None),
        Some("jsonl") => Ok(Some(Format::JsonLines)),
        Some("npz") => Ok(Some(Format::Npz)),
        Some("csv") => Ok(Some(Format::Csv)),
        Some(other) => Err(invalid(py, format!("a format is jsonl, npz or csv, not `{other}`"))),
    }
}

/// Passes progress on to a function of Python. What that raises ends the work, and is kept.
fn teller<'a>(
    progress: Option<&'a Py<PyAny>>,
    raised: &'a FirstError,
) -> impl FnMut(Progress) -> Result<()> + Send + 'a {
    move |told| {
        let step = match told.step {
            Step::Reading => "reading",
            Step::Storing => "storing",
            Step::Writing => "writing",
        };
        let tell = |function: &Py<PyAny>| {
            Python::attach(|py| function.bind(py).call1((step, told.done, told.total)).map(|_| true))
        };
        match progress {
            Some(function) if !raised.ask(|| tell(function)) => {
                Err(Error::new(ErrorKind::Internal, "the function that is told of progress raised an exception"))
            }
            _ => Ok(()),
        }
    }
}

/// Line or row, person, error.
type FailureParts = (u64, Option<String>, PyErr);

#[pymethods]
impl Gallery {
    /// Persons, faces, and what is damaged and was left out.
    fn export_to(
        &self,
        py: Python<'_>,
        file: PathBuf,
        format: Option<&str>,
        namespace: Option<String>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(usize, usize, Vec<PyErr>)> {
        let options = ExportOptions { format: format_of(py, format)?, namespace };
        let raised = FirstError::default();
        let tell = teller(progress.as_ref(), &raised);
        let done = self.handle.with(py, |gallery| gallery.export_with(file, &options, tell));
        raised.take()?;
        let report = done?;
        Ok((report.persons, report.faces, report.damaged.iter().map(|error| raise(py, error)).collect()))
    }

    /// Persons, faces, duplicates, whether the faces kept their ids, and what was left out. The space is an id, a
    /// threshold and a dimension.
    #[allow(clippy::too_many_arguments, reason = "they are Python's keyword arguments")]
    fn import_from(
        &self,
        py: Python<'_>,
        file: PathBuf,
        format: Option<&str>,
        namespace: String,
        space: Option<(String, f32, usize)>,
        skip_errors: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(usize, usize, usize, bool, Vec<FailureParts>)> {
        let dimension = space.as_ref().map(|(_, _, dimension)| *dimension);
        let space = space.map(|(id, threshold, _)| EmbeddingSpace::new(id, threshold));
        let options = ImportOptions { format: format_of(py, format)?, namespace, space, dimension, skip_errors };
        let raised = FirstError::default();
        let tell = teller(progress.as_ref(), &raised);
        let done = self.handle.with(py, |gallery| gallery.import_with(file, &options, tell));
        raised.take()?;
        let report = done?;
        let parts = |failure: &ImportFailure| {
            let person = failure.person.as_ref().map(|person| person.as_str().to_owned());
            (failure.at, person, raise(py, &failure.error))
        };
        let failed = report.failed.iter().map(parts).collect();
        Ok((report.persons, report.faces, report.duplicates, report.kept_ids, failed))
    }
}

/// Person, name, metadata as JSON.
type ListedParts = (String, Option<String>, Option<String>);

/// The photos that a CSV lists and what cannot be tried, as of a folder, and what it tells of the people.
#[pyfunction]
pub fn photos_in_csv(
    py: Python<'_>,
    table: PathBuf,
    namespace: &str,
) -> PyResult<(Vec<Photo>, Vec<Skipped>, Vec<ListedParts>)> {
    let ListedPhotos { photos, people } = work(py, || list(table, namespace))?;
    let (photos, skipped) = found_parts(py, photos);
    let people =
        people.into_iter().map(|row| (row.person.as_str().to_owned(), row.name, row.metadata.as_ref().map(json_of)));
    Ok((photos, skipped, people.collect()))
}
