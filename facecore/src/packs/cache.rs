//! The cache: where packs are kept, what is there, and how one is removed.
//!
//! ```text
//! packs/NAME/             an installed pack: pack.toml, its models, and installed.json, which says from where
//! packs/.work/NAME/       what is on its way in or out; the next run goes on with it or clears it away
//! packs/.work/NAME.lock   held by whoever changes the pack
//! ```

use std::io::ErrorKind as IoErrorKind;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::report::Listener;
use super::staging::Staging;
use super::{
    Checksum, InstallOptions, InstalledPack, KnownPack, LITE, ListedFile, ListedPack, PackState, RemovedPack, names,
    selftest,
};
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::files;
use crate::model::{ModelSource, Pack, PackPolicy};

/// The environment variable that names the cache's folder.
pub const CACHE_VARIABLE: &str = "FACECORE_CACHE";

/// What makes a folder of the cache an installed pack: it is written last.
pub(super) const RECORD: &str = "installed.json";
/// The version of the record's layout.
const FORMAT: u32 = 1;
/// What is on its way in or out.
const WORK: &str = ".work";

/// The packs in a cache, and those that could be there.
///
/// Any number of processes may use one cache: whoever changes a pack holds a lock, and others that want to change it
/// wait. Reading takes no lock.
#[derive(Debug, Clone)]
pub struct Packs {
    folder: PathBuf,
    policy: PackPolicy,
}

#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    #[serde(flatten)]
    pack: InstalledPack,
}

impl Packs {
    /// The user's cache: the folder that `FACECORE_CACHE` names, else `$XDG_CACHE_HOME/facecore`, else
    /// `~/.cache/facecore` (on Windows `%LOCALAPPDATA%\facecore`).
    ///
    /// Errors with `InvalidArgument` if the environment names none of these.
    pub fn of_user() -> Result<Packs> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let system = || {
            if cfg!(windows) {
                return set("LOCALAPPDATA");
            }
            // Relative paths are to be ignored there, as the XDG specification says.
            let cache = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
            cache.or_else(|| set("HOME").map(|home| home.join(".cache")))
        };
        match set(CACHE_VARIABLE).or_else(|| system().map(|cache| cache.join("facecore"))) {
            Some(folder) => Ok(Packs::at(folder)),
            None => fail!(
                InvalidArgument,
                "there is no place for packs: neither {CACHE_VARIABLE}, XDG_CACHE_HOME nor HOME is set"
            ),
        }
    }

    /// The cache in a folder, which is made when something is installed.
    pub fn at(folder: impl Into<PathBuf>) -> Packs {
        Packs { folder: folder.into(), policy: PackPolicy::Any }
    }

    /// The same cache, for an application that lets in only some packs. It neither installs nor opens others.
    #[must_use]
    pub fn with_policy(mut self, policy: PackPolicy) -> Packs {
        self.policy = policy;
        self
    }

    /// Which packs are let in.
    pub fn policy(&self) -> PackPolicy {
        self.policy
    }

    /// The folder in which packs are.
    pub fn folder(&self) -> PathBuf {
        self.folder.join("packs")
    }

    pub(super) fn pack_folder(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(super) fn work_folder(&self) -> PathBuf {
        self.folder().join(WORK)
    }

    /// What is installed under `name`; `None` if nothing is.
    ///
    /// Errors with `InvalidArgument` if it is no name, `PackInvalid` if the record of it is damaged, and with `Io`.
    pub fn installed(&self, name: &str) -> Result<Option<InstalledPack>> {
        names::check(name)?;
        let folder = self.pack_folder(name);
        let path = folder.join(RECORD);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), IoErrorKind::NotFound | IoErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(Error::io(&path, "read", error)),
        };
        let damaged = |why: &str| {
            let message = format!("{} is damaged: {why}; remove the pack and install it again", path.display());
            Error::new(ErrorKind::PackInvalid, message)
        };
        let Record { format, mut pack } =
            serde_json::from_str(&text).map_err(|error| damaged(&error.to_string()).with_source(error))?;
        if format != FORMAT || pack.name != name || !pack.files.iter().all(|file| stays_inside(&file.name)) {
            return Err(damaged("it is another pack's, of another format, or names files outside the folder"));
        }
        pack.folder = folder;
        Ok(Some(pack))
    }

    /// Every pack: the one within the program, those that are known by name, and what else is installed, by name.
    ///
    /// Looks at the sizes of files only; [`Packs::verify`] reads them. Errors with `Io` if the cache cannot be read.
    pub fn list(&self) -> Result<Vec<ListedPack>> {
        let mut listed: Vec<ListedPack> = lite().into_iter().collect();
        for known in KnownPack::ALL {
            listed.push(self.listed(known.name, Some(known))?);
        }
        let entries = match std::fs::read_dir(self.folder()) {
            Ok(entries) => entries.collect::<std::io::Result<Vec<_>>>(),
            Err(error) if error.kind() == IoErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let entries = entries.map_err(|error| Error::io(&self.folder(), "read", error))?;
        let names = entries.iter().filter_map(|entry| entry.file_name().into_string().ok());
        let mut others: Vec<String> =
            names.filter(|name| names::is_name(name) && KnownPack::named(name).is_none() && name != LITE).collect();
        others.sort_unstable();
        for name in others.iter().filter(|name| self.pack_folder(name).join(RECORD).exists()) {
            listed.push(self.listed(name, None)?);
        }
        listed.iter_mut().for_each(|pack| pack.permitted = self.policy.permits(pack.licence_class));
        Ok(listed)
    }

    fn listed(&self, name: &str, known: Option<&'static KnownPack>) -> Result<ListedPack> {
        let (installed, damaged) = match self.installed(name) {
            Ok(installed) => (installed, false),
            Err(error) if error.kind() == ErrorKind::PackInvalid => (None, true),
            Err(error) => return Err(error),
        };
        let state = match &installed {
            Some(pack) if pack.is_whole() => PackState::Installed,
            None if !damaged => PackState::Available,
            _ => PackState::Damaged,
        };
        let kind = |name: &str| known?.files.iter().find(|file| file.name == name).map(|file| file.kind);
        let files = match (&installed, known) {
            (Some(pack), _) => pack
                .files
                .iter()
                .map(|file| ListedFile {
                    part: file.part,
                    name: file.name.clone(),
                    kind: kind(&file.name),
                    bytes: Some(file.bytes),
                    sha256: Some(file.sha256.clone()),
                    checksum: Some(file.checksum),
                })
                .collect(),
            (None, Some(known)) => known
                .files
                .iter()
                .map(|file| ListedFile {
                    part: file.part,
                    name: file.name.to_owned(),
                    kind: Some(file.kind),
                    bytes: file.bytes,
                    sha256: file.sha256.map(str::to_owned),
                    checksum: file.sha256.map(|_| Checksum::Pinned),
                })
                .collect(),
            (None, None) => Vec::new(),
        };
        let said = installed.as_ref();
        Ok(ListedPack {
            name: name.to_owned(),
            state,
            about: known.map(|known| known.about),
            version: said.map(|pack| pack.version.clone()).or(known.map(|it| it.version.into())).unwrap_or_default(),
            licence: said.map(|pack| pack.licence.clone()).or(known.map(|it| it.licence.into())).unwrap_or_default(),
            licence_class: said.map(|pack| pack.licence_class).or(known.map(|it| it.licence_class)).unwrap_or_default(),
            folder: (state != PackState::Available).then(|| self.pack_folder(name)),
            origin: said.map(|pack| pack.origin.clone()),
            files,
            download_bytes: known.map(KnownPack::download_bytes),
            sources: known.map(|known| known.urls().collect()).unwrap_or_default(),
            unfinished_bytes: bytes_below(&self.work_folder().join(name)),
            permitted: true,
        })
    }

    /// The installed pack `name`, its models read and held to their checksums.
    ///
    /// Errors with `ModelNotFound`, and the command that installs it, if it is not installed; `LicenceRefused` if the
    /// policy forbids it; `ChecksumMismatch` and as [`Pack::from_folder`] does if it was changed.
    pub fn open(&self, name: &str) -> Result<Pack> {
        let Some(record) = self.installed(name)? else {
            return Err(names::not_installed(name, &self.folder()));
        };
        self.policy.check(name, &record.licence, record.licence_class)?;
        let pack = Pack::from_folder(&record.folder)?;
        let detector = pack.detector.as_ref().map(|part| (&part.source, &part.sha256));
        let embedder = pack.embedder.as_ref().map(|part| (&part.source, &part.sha256));
        for (source, declared) in [detector, embedder].into_iter().flatten() {
            // What the manifest declares was checked when it was read.
            if declared.is_none() {
                hold_to_record(&record, source)?;
            }
        }
        Ok(pack)
    }

    /// Reads every file of an installed pack, holds it to its checksum, and runs the self-test. `listener` hears of
    /// progress, and says whether to go on.
    ///
    /// Errors as [`Packs::open`] does, and as the self-test does: with `ModelCorrupt`, `ModelMismatch`,
    /// `ModelUnsupported` or `ModelOutput`, with those of runtimes, and with `Cancelled`.
    pub fn verify(&self, name: &str, options: &InstallOptions, listener: &mut Listener) -> Result<InstalledPack> {
        let pack = self.open(name)?;
        let Some(record) = self.installed(name)? else {
            return Err(names::not_installed(name, &self.folder()));
        };
        let detector = pack.detector.as_ref().map(|part| &part.source);
        let embedder = pack.embedder.as_ref().map(|part| &part.source);
        for source in [detector, embedder].into_iter().flatten() {
            hold_to_record(&record, source)?;
        }
        selftest::run(&pack, name, &options.runtime, listener).context_with(|| name.to_owned())?;
        Ok(record)
    }

    /// Removes an installed pack, and what an interrupted download of it left. Waits for whoever installs it; `listener`
    /// hears of that, and says whether to go on.
    ///
    /// Errors with `ModelNotFound` if there is nothing of that name, `InvalidArgument` if it is part of the program or
    /// no name, and with `Io` and `Cancelled`.
    pub fn remove(&self, name: &str, listener: &mut Listener) -> Result<RemovedPack> {
        names::check(name)?;
        let folder = self.pack_folder(name);
        let there = |path: &Path| path.symlink_metadata().is_ok();
        if !there(&folder) && !there(&self.work_folder().join(name)) {
            fail!(ModelNotFound, "there is no pack {name} in {}", self.folder().display());
        }
        let staging = Staging::begin(self, name, listener)?;
        let bytes = bytes_below(&folder) + bytes_below(&self.work_folder().join(name));
        staging.take_away()?;
        Ok(RemovedPack { name: name.to_owned(), bytes })
    }
}

impl InstalledPack {
    /// Whether every file is there and has its size.
    pub(super) fn is_whole(&self) -> bool {
        let has_size = |name: &str, bytes: u64| self.folder.join(name).metadata().is_ok_and(|file| file.len() == bytes);
        self.folder.join(crate::model::MANIFEST).is_file()
            && self.files.iter().all(|file| has_size(&file.name, file.bytes))
    }

    /// The record as it is stored.
    pub(super) fn to_json(&self) -> Result<String> {
        let record = Record { format: FORMAT, pack: self.clone() };
        serde_json::to_string_pretty(&record).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("a pack's record has no JSON form: {error}")).with_source(error)
        })
    }
}

/// The pack within the program, if there is one.
fn lite() -> Option<ListedPack> {
    #[cfg(feature = "lite-models")]
    {
        let pack = Pack::lite().ok()?;
        let file = |part, source: &ModelSource, kind, sha256: &Option<String>| ListedFile {
            part,
            name: source.name().to_owned(),
            kind: Some(kind),
            bytes: Some(source.bytes().len() as u64),
            sha256: sha256.clone(),
            checksum: Some(Checksum::Pinned),
        };
        let detector = pack.detector.as_ref();
        let detector =
            detector.map(|part| file(super::Part::Detector, &part.source, part.spec.kind.name(), &part.sha256));
        let embedder = pack.embedder.as_ref();
        let embedder =
            embedder.map(|part| file(super::Part::Embedder, &part.source, part.spec.kind.name(), &part.sha256));
        Some(ListedPack {
            name: LITE.to_owned(),
            state: PackState::Embedded,
            about: Some("the small pack within the program, for a first look"),
            version: pack.version,
            licence: pack.licence,
            licence_class: pack.licence_class,
            folder: None,
            origin: None,
            files: detector.into_iter().chain(embedder).collect(),
            download_bytes: None,
            sources: Vec::new(),
            unfinished_bytes: 0,
            permitted: true,
        })
    }
    #[cfg(not(feature = "lite-models"))]
    None
}

/// Holds a model to what was recorded of it when the pack was installed.
fn hold_to_record(record: &InstalledPack, source: &ModelSource) -> Result<()> {
    let path = source.path().and_then(|path| path.strip_prefix(&record.folder).ok());
    let recorded = record.files.iter().find(|file| path == Some(Path::new(&file.name)));
    let actual = source.sha256();
    match recorded {
        Some(file) if file.sha256 == actual => Ok(()),
        Some(file) => fail!(
            ChecksumMismatch,
            "{} of the pack {} was changed: its SHA-256 is {actual}, {} is {}; remove the pack and install it again",
            file.name,
            record.name,
            file.sha256,
            file.checksum.name()
        ),
        None => fail!(
            PackInvalid,
            "{} is not among the files with which the pack {} was installed; install it again",
            source.name(),
            record.name
        ),
    }
}

/// Whether a relative path stays in its folder.
pub(super) fn stays_inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Bytes of all files below a folder; links are not followed.
fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let bytes = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_below(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.flatten().map(bytes).sum()
}

/// Makes a folder and those above it.
pub(super) fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| files::failure(folder, "make", &error))
}
