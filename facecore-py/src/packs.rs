//! What packs say of themselves.

use std::path::PathBuf;

use facecore::model::PackPart;
use facecore::{Pack, Result};
use pyo3::prelude::*;

use crate::process::work;

/// File, licence, bytes, the SHA-256 if it is declared.
type PartParts = (String, String, usize, Option<String>);

/// Name, version, licence, folder (`None`: built in), detector, embedder.
pub type PackParts = (String, String, String, Option<PathBuf>, Option<PartParts>, Option<PartParts>);

fn part_parts<S>(part: &PackPart<S>) -> PartParts {
    (part.source.name().to_owned(), part.licence.clone(), part.source.bytes().len(), part.sha256.clone())
}

pub fn pack_parts(pack: &Pack) -> PackParts {
    (
        pack.name.clone(),
        pack.version.clone(),
        pack.licence.clone(),
        pack.folder.clone(),
        pack.detector.as_ref().map(part_parts),
        pack.embedder.as_ref().map(part_parts),
    )
}

/// The pack in `folder`, or the built-in one.
pub fn open(folder: Option<&PathBuf>) -> Result<Pack> {
    folder.map_or_else(Pack::lite, Pack::open)
}

/// Reads and verifies a pack, by default the built-in one, without loading its models.
#[pyfunction]
pub fn read_pack(py: Python<'_>, folder: Option<PathBuf>) -> PyResult<PackParts> {
    work(py, || open(folder.as_ref()).map(|pack| pack_parts(&pack)))
}
