//! What packs say of themselves, and which there are by name.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use facecore::model::{LicenceClass, PackPart};
use facecore::packs::{
    InstallOptions, InstalledFile, InstalledPack, KnownPack, ListedFile, ListedPack, Network, PackState, Packs,
    Progress,
};
use facecore::{Pack, PackPolicy, Result};
use pyo3::exceptions::PyValueError;
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

/// The pack that is named, by its folder or its name, or the built-in one.
pub fn open(named: Option<&PathBuf>) -> Result<Pack> {
    named.map_or_else(Pack::lite, Pack::open)
}

/// Reads and verifies a pack, by default the built-in one, without loading its models.
#[pyfunction]
pub fn read_pack(py: Python<'_>, pack: Option<PathBuf>) -> PyResult<PackParts> {
    work(py, || open(pack.as_ref()).map(|pack| pack_parts(&pack)))
}

/// Part, name, kind, bytes, SHA-256, how it is known.
type FileParts = (&'static str, String, Option<&'static str>, Option<u64>, Option<String>, Option<&'static str>);

/// Name, version, licence, its class, folder, origin, SHA-256 of the archive, seconds since 1970, files.
type InstalledParts = (String, String, String, &'static str, PathBuf, String, Option<String>, u64, Vec<FileParts>);

/// Name, state, what it is, version, licence, its class, folder, origin, files, bytes of the download, bytes of an
/// unfinished one, addresses.
type ListedParts = (
    String,
    &'static str,
    Option<&'static str>,
    String,
    String,
    &'static str,
    Option<PathBuf>,
    Option<String>,
    Vec<FileParts>,
    Option<u64>,
    u64,
    Vec<&'static str>,
);

fn installed_parts(pack: InstalledPack) -> InstalledParts {
    let file = |file: InstalledFile| {
        let InstalledFile { part, name, bytes, sha256, checksum, .. } = file;
        let kind = KnownPack::named(&pack.name).and_then(|known| known.file(&name)).map(|known| known.kind);
        (part.name(), name, kind, Some(bytes), Some(sha256), Some(checksum.name()))
    };
    let files = pack.files.into_iter().map(file).collect();
    let InstalledPack { name, version, licence, licence_class, folder, origin, archive_sha256, installed, .. } = pack;
    (name, version, licence, licence_class.name(), folder, origin, archive_sha256, installed, files)
}

fn listed_parts(pack: ListedPack) -> ListedParts {
    let file = |file: ListedFile| {
        let ListedFile { part, name, kind, bytes, sha256, checksum, .. } = file;
        (part.name(), name, kind, bytes, sha256, checksum.map(|checksum| checksum.name()))
    };
    let files = pack.files.into_iter().map(file).collect();
    let ListedPack { name, state, about, version, licence, licence_class, folder, origin, .. } = pack;
    let (state, class): (PackState, LicenceClass) = (state, licence_class);
    let (download, unfinished) = (pack.download_bytes, pack.unfinished_bytes);
    (
        name,
        state.name(),
        about,
        version,
        licence,
        class.name(),
        folder,
        origin,
        files,
        download,
        unfinished,
        pack.sources,
    )
}

/// The cache in a folder, by default the user's, for a policy that is named.
fn packs_in(cache: Option<PathBuf>, policy: &str) -> Result<Packs> {
    let policy = PackPolicy::from_name(policy)?;
    Ok(cache.map_or_else(Packs::of_user, |folder| Ok(Packs::at(folder)))?.with_policy(policy))
}

/// Works at a pack without the interpreter's lock. `progress` is called with stage, file, bytes done and bytes in all;
/// an exception of it, or a signal's such as `KeyboardInterrupt`, ends the work and is raised, and so does `False`.
fn watched<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    task: impl FnOnce(&mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Result<T> + Send,
) -> PyResult<T> {
    let mut raised = None;
    let done = work(py, || {
        task(&mut |now: &Progress| {
            let answer = Python::attach(|py| {
                py.check_signals()?;
                let Some(progress) = &progress else { return Ok(true) };
                let answer = progress.bind(py).call1((now.stage.name(), now.file, now.done, now.total))?;
                Ok(answer.is_none() || answer.is_truthy()?)
            });
            match answer {
                Ok(true) => ControlFlow::Continue(()),
                Ok(false) => ControlFlow::Break(()),
                Err(error) => {
                    raised = Some(error);
                    ControlFlow::Break(())
                }
            }
        })
    });
    match raised {
        Some(error) => Err(error),
        None => done,
    }
}

/// Every pack.
#[pyfunction]
pub fn packs_list(py: Python<'_>, cache: Option<PathBuf>) -> PyResult<Vec<ListedParts>> {
    work(py, || Ok(packs_in(cache, "any")?.list()?.into_iter().map(listed_parts).collect()))
}

/// Downloads and installs a known pack.
#[pyfunction]
#[pyo3(signature = (name, accept_licence, policy, mirrors, mirrors_only, certificates, timeouts, cache, progress))]
#[expect(clippy::too_many_arguments, reason = "Python's half has names and defaults for them")]
pub fn packs_pull(
    py: Python<'_>,
    name: String,
    accept_licence: bool,
    policy: String,
    mirrors: Vec<String>,
    mirrors_only: bool,
    certificates: Option<PathBuf>,
    timeouts: (f64, f64),
    cache: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> PyResult<InstalledParts> {
    let seconds = |seconds: f64| {
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| PyValueError::new_err("a timeout is a positive number of seconds"))
    };
    let (connect_timeout, stall_timeout) = (seconds(timeouts.0)?, seconds(timeouts.1)?);
    let network = Network { mirrors, mirrors_only, certificates, connect_timeout, stall_timeout, ..Network::default() };
    let options = InstallOptions { accept_licence, network, ..InstallOptions::default() };
    watched(py, progress, |listener| packs_in(cache, &policy)?.pull(&name, &options, listener)).map(installed_parts)
}

/// Installs a pack from a folder or an archive.
#[pyfunction]
#[pyo3(signature = (path, name, accept_licence, policy, cache, progress))]
pub fn packs_import(
    py: Python<'_>,
    path: PathBuf,
    name: Option<String>,
    accept_licence: bool,
    policy: String,
    cache: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> PyResult<InstalledParts> {
    let options = InstallOptions { accept_licence, ..InstallOptions::default() };
    let import = |listener: &mut dyn FnMut(&Progress) -> ControlFlow<()>| {
        packs_in(cache, &policy)?.import(&path, name.as_deref(), &options, listener)
    };
    watched(py, progress, import).map(installed_parts)
}

/// What would be imported: name, licence, its class.
#[pyfunction]
#[pyo3(signature = (path, name, cache))]
pub fn packs_find_in(
    py: Python<'_>,
    path: PathBuf,
    name: Option<String>,
    cache: Option<PathBuf>,
) -> PyResult<(String, String, &'static str)> {
    let found = work(py, || packs_in(cache, "any")?.find_in(&path, name.as_deref()))?;
    Ok((found.name, found.licence, found.licence_class.name()))
}

/// Holds an installed pack to its checksums, and runs its self-test.
#[pyfunction]
#[pyo3(signature = (name, cache, progress))]
pub fn packs_verify(
    py: Python<'_>,
    name: String,
    cache: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> PyResult<InstalledParts> {
    let options = InstallOptions::default();
    watched(py, progress, |listener| packs_in(cache, "any")?.verify(&name, &options, listener)).map(installed_parts)
}

/// Removes an installed pack; gives the bytes that it had.
#[pyfunction]
#[pyo3(signature = (name, cache))]
pub fn packs_remove(py: Python<'_>, name: String, cache: Option<PathBuf>) -> PyResult<u64> {
    watched(py, None, |listener| packs_in(cache, "any")?.remove(&name, listener)).map(|removed| removed.bytes)
}
