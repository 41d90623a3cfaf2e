//! Galleries: what concerns all of one. What concerns the people of a namespace is in `people.rs`.

use std::path::PathBuf;

use facecore::gallery::{Durability, GalleryOptions, IndexKind};
use facecore::{Namespace, Result};
use pyo3::prelude::*;

use crate::errors::invalid;
use crate::process::Handle;

/// A gallery in a folder, or in memory. Every method that concerns people takes the name of a namespace first.
#[pyclass(frozen, module = "facecore._native")]
pub struct Gallery {
    pub handle: Handle<facecore::Gallery>,
}

impl Gallery {
    /// Runs `task`, which adds to a namespace, and makes the namespace if it is not there yet.
    pub fn adding_to<T: Send>(
        &self,
        py: Python<'_>,
        namespace: &str,
        task: impl FnOnce(Namespace) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.handle.with(py, |gallery| task(gallery.namespace(namespace)?))
    }

    /// Runs `task` on a namespace that is there, without the interpreter's lock.
    pub fn on<T: Send>(
        &self,
        py: Python<'_>,
        namespace: &str,
        task: impl FnOnce(Namespace) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.handle.with(py, |gallery| task(gallery.existing_namespace(namespace)?))
    }
}

/// Name, space, dimension, persons, faces, removed faces, bytes of vectors, bytes beside them, index, reason for it.
type NamespaceStats = (String, Option<String>, Option<usize>, usize, usize, usize, usize, usize, String, String);

#[pymethods]
impl Gallery {
    #[new]
    fn new(
        py: Python<'_>,
        folder: Option<PathBuf>,
        create: bool,
        read_only: bool,
        durability: &str,
        cache_bytes: Option<usize>,
        index: &str,
    ) -> PyResult<Self> {
        let durability = match durability {
            "full" => Durability::Full,
            "relaxed" => Durability::Relaxed,
            other => return Err(invalid(py, format!("durability is full or relaxed, not `{other}`"))),
        };
        let index = match index {
            "auto" => IndexKind::Auto,
            "flat" => IndexKind::Flat,
            "hnsw" => IndexKind::Hnsw,
            other => return Err(invalid(py, format!("index is auto, flat or hnsw, not `{other}`"))),
        };
        let options = GalleryOptions::default().create(create).read_only(read_only);
        let mut options = options.durability(durability).index(index);
        if let Some(bytes) = cache_bytes {
            options = options.cache_bytes(bytes);
        }
        let handle = Handle::new(py, "gallery", || match folder {
            Some(folder) => facecore::Gallery::open_with(folder, &options),
            None => Ok(facecore::Gallery::in_memory_with(&options)),
        })?;
        Ok(Gallery { handle })
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.handle.close(py)
    }

    fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    fn namespaces(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.handle.with(py, |gallery| Ok(gallery.namespaces()))
    }

    fn create_namespace(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.handle.with(py, |gallery| gallery.namespace(name).map(drop))
    }

    fn drop_namespace(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.handle.with(py, |gallery| gallery.drop_namespace(name))
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.handle.with(py, |gallery| gallery.flush())
    }

    fn compact(&self, py: Python<'_>) -> PyResult<()> {
        self.handle.with(py, |gallery| gallery.compact())
    }

    fn backup(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        self.handle.with(py, |gallery| gallery.backup(folder))
    }

    /// Persons, faces, problems, probes, agreeing probes.
    fn verify(&self, py: Python<'_>) -> PyResult<(usize, usize, Vec<String>, usize, usize)> {
        let report = self.handle.with(py, |gallery| gallery.verify())?;
        Ok((report.persons, report.faces, report.problems, report.probes, report.agreeing))
    }

    /// Each namespace, bytes of the store, bytes of the index.
    fn stats(&self, py: Python<'_>) -> PyResult<(Vec<NamespaceStats>, u64, u64)> {
        let stats = self.handle.with(py, |gallery| gallery.stats())?;
        let namespaces = stats.namespaces.into_iter().map(|it| {
            let (persons, faces, removed) = (it.persons, it.faces, it.removed_faces);
            let (vectors, beside, index) = (it.vector_bytes, it.search_bytes, it.index.to_string());
            (it.name, it.space, it.dimension, persons, faces, removed, vectors, beside, index, it.index_reason)
        });
        Ok((namespaces.collect(), stats.store_bytes, stats.index_bytes))
    }
}
