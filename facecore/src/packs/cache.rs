//! The cache: where packs are kept, what is there, and how one is removed.
//!
//! ```text
//! packs/NAME/             an installed pack: pack.toml, its models, and installed.json, which says from where
//! packs/.work/NAME/       what is on its way in or out; the next run goes on with it or clears it away
//! packs/.work/.locks/NAME held by whoever changes the pack
//! ```

use std::io::ErrorKind as IoErrorKind;
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::report::Listener;
use super::staging::{self, Staging};
use super::tree::sha256_of;
use super::{
    Checksum, InstallOptions, InstalledPack, KnownPack, LITE, ListedFile, ListedPack, PackState, RemovedPack, names,
    selftest,
};
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::files;
use crate::model::{MANIFEST, ModelSource, Pack, PackPolicy};

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
                "there is no place for packs: neither {CACHE_VARIABLE}, XDG_CACHE_HOME nor HOME is set; name a folder by \
                 the first, or as the cache"
            ),
        }
    }

    /// The cache in a folder, which is made when something is installed.
    pub fn at(folder: impl Into<PathBuf>) -> Packs {
        let folder = folder.into();
        // What is told of packs must hold wherever the process goes.
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Packs { folder, policy: PackPolicy::Any }
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
        let text = match std::fs::read(&path) {
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
            serde_json::from_slice(&text).map_err(|error| damaged(&error.to_string()).with_source(error))?;
        if format != FORMAT || pack.name != name || !pack.files.iter().all(|file| stays_inside(&file.name)) {
            return Err(damaged("it is another pack's, of another format, or names files outside the folder"));
        }
        pack.folder = folder;
        Ok(Some(pack))
    }

    /// The SHA-256 of each model of a pack as it was when it was installed, as far as that can still be read.
    #[cfg(feature = "download")]
    pub(super) fn recorded(&self, name: &str) -> Vec<(String, String)> {
        if let Ok(Some(pack)) = self.installed(name) {
            return pack.files.into_iter().map(|file| (file.name, file.sha256)).collect();
        }
        // Where the record is damaged, the manifest that was written with it may not be.
        let manifest = std::fs::read_to_string(self.pack_folder(name).join(MANIFEST)).unwrap_or_default();
        let declared = Pack::outline(&manifest).map(|outline| outline.files).unwrap_or_default();
        declared.into_iter().filter_map(|(_, file, sha256)| Some((file, sha256?))).collect()
    }

    /// What [`Packs::list`] tells of one pack.
    ///
    /// Errors with `ModelNotFound` if there is nothing of that name.
    pub fn look(&self, name: &str) -> Result<ListedPack> {
        let found = match KnownPack::named(name) {
            _ if name == LITE => lite(),
            Some(known) => Some(self.listed(name, Some(known))),
            None if names::is_name(name) && self.pack_folder(name).join(RECORD).exists() => {
                Some(self.listed(name, None))
            }
            None => None,
        };
        let Some(mut found) = found else { return Err(self.not_installed(name)) };
        found.permitted = self.policy.permits(found.licence_class);
        Ok(found)
    }

    /// Every pack: the one within the program, those that are known by name, and what else is installed, by name.
    ///
    /// Looks at the sizes of files only; [`Packs::verify`] reads them. Errors with `Io` if the cache cannot be read.
    pub fn list(&self) -> Result<Vec<ListedPack>> {
        let mut listed: Vec<ListedPack> = lite().into_iter().collect();
        listed.extend(KnownPack::ALL.iter().map(|known| self.listed(known.name, Some(known))));
        let other = |name: &String| names::is_name(name) && KnownPack::named(name).is_none() && name != LITE;
        let mut others: Vec<String> = self.entries()?.into_iter().filter(other).collect();
        others.sort_unstable();
        let others = others.iter().filter(|name| self.pack_folder(name).join(RECORD).exists());
        listed.extend(others.map(|name| self.listed(name, None)));
        listed.iter_mut().for_each(|pack| pack.permitted = self.policy.permits(pack.licence_class));
        Ok(listed)
    }

    fn listed(&self, name: &str, known: Option<&'static KnownPack>) -> ListedPack {
        // One that cannot be read must not hide the others.
        let (installed, damaged) = match self.installed(name) {
            Ok(installed) => (installed, false),
            Err(_) => (None, true),
        };
        let state = match &installed {
            Some(pack) if pack.is_whole() => PackState::Installed,
            None if !damaged => PackState::Available,
            _ => PackState::Damaged,
        };
        let kind = |name: &str| known?.file(name).map(|file| file.kind);
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
        ListedPack {
            name: name.to_owned(),
            state,
            about: known.map(|known| known.about),
            version: said.map(|pack| pack.version.clone()).or(known.map(|it| it.version.into())).unwrap_or_default(),
            licence: said.map(|pack| pack.licence.clone()).or(known.map(|it| it.licence.into())).unwrap_or_default(),
            licence_class: said.map(|pack| pack.licence_class).or(known.map(|it| it.licence_class)).unwrap_or_default(),
            folder: (state != PackState::Available).then(|| self.pack_folder(name)),
            origin: said.map(|pack| pack.origin.clone()),
            archive_sha256: said.and_then(|pack| pack.archive_sha256.clone()),
            installed: said.map(|pack| pack.installed),
            files,
            download_bytes: known.map(KnownPack::download_bytes),
            sources: known.map(|known| known.urls().collect()).unwrap_or_default(),
            unfinished_bytes: staging::unfinished(&self.work_folder().join(name)),
            permitted: true,
        }
    }

    /// The installed pack `name`, its models read and held to their checksums.
    ///
    /// Errors with `ModelNotFound`, and the command that installs it, if it is not installed; `LicenceRefused` if the
    /// policy forbids it; `ChecksumMismatch` and as [`Pack::from_folder`] does if it was changed.
    pub fn open(&self, name: &str) -> Result<Pack> {
        if name == LITE {
            let pack = names::lite()?;
            self.policy.check(name, &pack.licence, pack.licence_class)?;
            return Ok(pack);
        }
        self.read(name).map(|(pack, _)| pack)
    }

    /// The installed pack `name` with its record. One that is being replaced is waited for, and one whose replacing was
    /// cut short is put back.
    fn read(&self, name: &str) -> Result<(Pack, InstalledPack)> {
        let error = match self.read_now(name) {
            Err(error) if error.kind() != ErrorKind::LicenceRefused => error,
            read => return read,
        };
        if staging::is_between(&self.work_folder().join(name)) {
            match Staging::begin(self, name, &mut |_| ControlFlow::Continue(())) {
                Ok(staging) => drop(staging),
                Err(_) => return Err(error),
            }
        }
        // If it was being replaced, that may just be done.
        self.read_now(name)
    }

    fn read_now(&self, name: &str) -> Result<(Pack, InstalledPack)> {
        let Some(record) = self.installed(name)? else {
            return Err(self.not_installed(name));
        };
        self.policy.check(name, &record.licence, record.licence_class)?;
        match read_recorded(&record) {
            Ok(pack) => Ok((pack, record)),
            Err(error) if is_damage(error.kind()) => Err(damaged(&record, &error)),
            Err(error) => Err(error),
        }
    }

    /// A pack in the cache whose name is another only on some disks.
    pub(super) fn named_alike(&self, name: &str) -> Result<Option<String>> {
        let alike = |other: &String| other != name && other.eq_ignore_ascii_case(name);
        Ok(self.entries()?.into_iter().find(alike))
    }

    /// What is in the cache's folder, by name.
    fn entries(&self) -> Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.folder()) {
            Ok(entries) => entries.collect::<std::io::Result<Vec<_>>>(),
            Err(error) if error.kind() == IoErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let entries = entries.map_err(|error| Error::io(&self.folder(), "read", error))?;
        Ok(entries.iter().filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    /// The error for a pack that is not installed.
    pub(super) fn not_installed(&self, name: &str) -> Error {
        let installed = self.list().unwrap_or_default().into_iter();
        let installed = installed.filter(|pack| pack.state == PackState::Installed).map(|pack| pack.name).collect();
        names::not_installed(name, Some(&self.folder()), installed)
    }

    /// Reads every file of an installed pack, holds it to its checksum, and runs the self-test. `listener` hears of
    /// progress, and says whether to go on.
    ///
    /// Errors as [`Packs::open`] does, and as the self-test does: with `ModelCorrupt`, `ModelMismatch`,
    /// `ModelUnsupported` or `ModelOutput`, with those of runtimes, and with `Cancelled`.
    pub fn verify(&self, name: &str, options: &InstallOptions, listener: &mut Listener) -> Result<InstalledPack> {
        let (pack, record) = self.read(name)?;
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
        self.folder.join(MANIFEST).is_file() && self.files.iter().all(|file| has_size(&file.name, file.bytes))
    }

    /// Whether every file is there and has its checksum.
    #[cfg(feature = "download")]
    pub(super) fn is_sound(&self) -> bool {
        let is = |name: &str, sha256: &str| sha256_of(&self.folder.join(name)).is_ok_and(|actual| actual == sha256);
        is(MANIFEST, &self.manifest_sha256) && self.files.iter().all(|file| is(&file.name, &file.sha256))
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
            archive_sha256: None,
            installed: None,
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

/// A pack, its files held to what was recorded of them. What its licence allows is what was found when it was installed.
fn read_recorded(record: &InstalledPack) -> Result<Pack> {
    let manifest = record.folder.join(MANIFEST);
    if manifest.exists() && sha256_of(&manifest)? != record.manifest_sha256 {
        fail!(ChecksumMismatch, "{MANIFEST} was changed");
    }
    let pack = Pack { licence_class: record.licence_class, ..Pack::from_folder(&record.folder)? };
    let detector = pack.detector.as_ref().map(|part| (&part.source, &part.sha256));
    let embedder = pack.embedder.as_ref().map(|part| (&part.source, &part.sha256));
    for (source, declared) in [detector, embedder].into_iter().flatten() {
        // What the manifest declares it was found to have.
        hold_to_record(record, source, declared.clone().unwrap_or_else(|| source.sha256()))?;
    }
    Ok(pack)
}

/// Whether an error of an installed pack's files says that they are not those that were installed.
fn is_damage(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ChecksumMismatch | ErrorKind::ModelNotFound | ErrorKind::PackInvalid)
}

/// The error, with the remedy.
fn damaged(record: &InstalledPack, error: &Error) -> Error {
    let name = &record.name;
    let remedy = match KnownPack::named(name) {
        Some(_) => format!("`facecore models pull {name}` puts it right"),
        None => format!("install it again: `facecore models import` from where it came, {}", record.origin),
    };
    // A file that is missing is no missing pack.
    let kind = if error.kind() == ErrorKind::ModelNotFound { ErrorKind::PackInvalid } else { error.kind() };
    Error::new(kind, format!("the installed pack {name} is damaged: {}; {remedy}", error.message()))
}

/// Holds a model to what was recorded of it when the pack was installed.
fn hold_to_record(record: &InstalledPack, source: &ModelSource, actual: String) -> Result<()> {
    let path = source.path().and_then(|path| path.strip_prefix(&record.folder).ok());
    let recorded = record.files.iter().find(|file| path == Some(Path::new(&file.name)));
    match recorded {
        Some(file) if file.sha256.eq_ignore_ascii_case(&actual) => Ok(()),
        Some(file) => fail!(
            ChecksumMismatch,
            "{} was changed: its SHA-256 is {actual}, {} is {}",
            file.name,
            file.sha256,
            file.checksum.name()
        ),
        None => fail!(PackInvalid, "{} is not among the files that were installed", source.name()),
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
