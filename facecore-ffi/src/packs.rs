//! Packs by name.

use std::ffi::{CString, c_char, c_void};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use facecore::packs::{
    Checksum, FoundPack, InstallOptions, InstalledPack, ListedFile, ListedPack, Network, PackState, Packs, Part,
    Progress, Stage,
};
use facecore::{LicenceClass, PackPolicy, Result};

use crate::handle::{Out, free, handle, peek, value};
use crate::input::{
    OutStruct, choice, no_item, optional_path, optional_text, path, read_options, text, texts, versioned,
};
use crate::models::{facecore_runtime_options, runtime_options};
use crate::status::guard;
use crate::text::{c_string, path_text, pointer};

/// All packs are let in.
pub const FACECORE_POLICY_ANY: i32 = 0;
/// Only packs that are known to allow commercial use are let in; others give `FACECORE_LICENCE_REFUSED`.
pub const FACECORE_POLICY_COMMERCIAL: i32 = 1;

/// Nobody said what the licence allows.
pub const FACECORE_LICENCE_UNKNOWN: i32 = 0;
/// The licence allows any use.
pub const FACECORE_LICENCE_PERMISSIVE: i32 = 1;
/// The licence allows research and evaluation, but no commercial use.
pub const FACECORE_LICENCE_RESEARCH_ONLY: i32 = 2;

/// The pack is known, and not installed.
pub const FACECORE_MODELS_AVAILABLE: i32 = 0;
/// The pack is installed.
pub const FACECORE_MODELS_INSTALLED: i32 = 1;
/// The pack is installed, but a file is missing or has another size.
pub const FACECORE_MODELS_DAMAGED: i32 = 2;
/// The pack is part of the library.
pub const FACECORE_MODELS_EMBEDDED: i32 = 3;

/// Another process is installing or removing the same pack.
pub const FACECORE_STAGE_WAITING: i32 = 0;
/// A file is being downloaded.
pub const FACECORE_STAGE_DOWNLOADING: i32 = 1;
/// A file is being unpacked or copied.
pub const FACECORE_STAGE_UNPACKING: i32 = 2;
/// The models are loaded and run.
pub const FACECORE_STAGE_TESTING: i32 = 3;

/// The model finds faces.
pub const FACECORE_PART_DETECTOR: i32 = 0;
/// The model makes embeddings.
pub const FACECORE_PART_EMBEDDER: i32 = 1;

/// The SHA-256 is not known before the pack is installed.
pub const FACECORE_CHECKSUM_UNKNOWN: i32 = 0;
/// The SHA-256 stands in this library.
pub const FACECORE_CHECKSUM_PINNED: i32 = 1;
/// The pack's own manifest declared the SHA-256.
pub const FACECORE_CHECKSUM_DECLARED: i32 = 2;
/// The SHA-256 was computed when the pack was installed.
pub const FACECORE_CHECKSUM_RECORDED: i32 = 3;

/// Hears how far the installing of a pack is: the stage (`FACECORE_STAGE_…`), the file, which lives as long as the call,
/// how many of its bytes are done, and how many it has (0 if that is not known). 0 goes on, anything else ends the work
/// with `FACECORE_CANCELLED`. `context` is the option's. It must return, not jump or throw.
pub type facecore_models_progress =
    Option<unsafe extern "C" fn(context: *mut c_void, stage: i32, file: *const c_char, done: u64, total: u64) -> i32>;

/// How packs are installed, and where they are kept. All zero is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_models_options {
    /// `sizeof(facecore_models_options)`.
    pub struct_size: usize,
    /// The folder in which packs are kept; NULL is the one that the environment variable `FACECORE_CACHE` names, else
    /// `$XDG_CACHE_HOME/facecore`, else `~/.cache/facecore`. Names of packs, in other functions, are looked for in that.
    pub cache: *const c_char,
    /// 1: whoever uses the pack has read its licence and keeps to it. Nothing is installed without.
    pub accept_licence: i32,
    /// `FACECORE_POLICY_ANY` or `FACECORE_POLICY_COMMERCIAL`.
    pub policy: i32,
    /// Addresses of folders that have the files under their own names, `https://…`, asked first: `mirror_count` of them.
    pub mirrors: *const *const c_char,
    /// How many mirrors there are.
    pub mirror_count: usize,
    /// 1 asks only the mirrors.
    pub mirrors_only: i32,
    /// Hears how far it is; NULL is nobody.
    pub progress: facecore_models_progress,
    /// Given to `progress`.
    pub context: *mut c_void,
    /// What runs the models in their self-test; NULL is the default.
    pub runtime: *const facecore_runtime_options,
    /// A file of certificate authorities in PEM, to be trusted in place of the usual ones; NULL is that of the environment
    /// variable `SSL_CERT_FILE`, if it is set.
    pub certificates: *const c_char,
    /// How many seconds a connection may take; 0 is 20.
    pub connect_seconds: u32,
    /// For how many seconds nothing may come of a download; 0 is 30.
    pub stall_seconds: u32,
}

/// A pack. The strings live as long as the list that it is in.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_models_info {
    /// `sizeof(facecore_models_info)`.
    pub struct_size: usize,
    /// Its name, by which recognizers and other functions take it.
    pub name: *const c_char,
    /// `FACECORE_MODELS_AVAILABLE`, `FACECORE_MODELS_INSTALLED`, `FACECORE_MODELS_DAMAGED` or `FACECORE_MODELS_EMBEDDED`.
    pub state: i32,
    /// What it is, in a sentence; NULL if it is not known by name.
    pub about: *const c_char,
    /// Its version, as its makers count.
    pub version: *const c_char,
    /// Under which terms its weights may be used.
    pub licence: *const c_char,
    /// `FACECORE_LICENCE_UNKNOWN`, `FACECORE_LICENCE_PERMISSIVE` or `FACECORE_LICENCE_RESEARCH_ONLY`.
    pub licence_class: i32,
    /// Where it is; NULL if it is not installed.
    pub folder: *const c_char,
    /// The address or path that it came from; NULL if it is not installed.
    pub origin: *const c_char,
    /// How many bytes are downloaded to install it, approximately; 0 if it is not known by name.
    pub download_bytes: u64,
    /// What an interrupted download left, which the next one goes on from.
    pub unfinished_bytes: u64,
    /// How many models it has, for `facecore_models_get_file`.
    pub file_count: usize,
    /// How many addresses it is downloaded from, for `facecore_models_get_source`.
    pub source_count: usize,
    /// SHA-256 in hexadecimal of the archive that it came in; NULL if it is not installed, or came as files.
    pub archive_sha256: *const c_char,
    /// When it was installed, in seconds since 1970; 0 if it is not.
    pub installed: u64,
}

/// A model of a pack. The strings live as long as the list that it is in.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_models_file {
    /// `sizeof(facecore_models_file)`.
    pub struct_size: usize,
    /// `FACECORE_PART_DETECTOR` or `FACECORE_PART_EMBEDDER`.
    pub part: i32,
    /// How its SHA-256 is known: `FACECORE_CHECKSUM_UNKNOWN`, `FACECORE_CHECKSUM_PINNED`,
    /// `FACECORE_CHECKSUM_DECLARED` or `FACECORE_CHECKSUM_RECORDED`.
    pub checksum: i32,
    /// Its file name.
    pub name: *const c_char,
    /// Its size; 0 if that is not known before it is installed.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal; NULL if that is not known before it is installed.
    pub sha256: *const c_char,
    /// Its kind, as in `pack.toml`; NULL if the pack is not known by name.
    pub kind: *const c_char,
}

versioned!(facecore_models_options, facecore_models_info, facecore_models_file);

/// Packs in an order.
pub struct facecore_models(Vec<Listed>);
handle!(facecore_models, Vec<Listed>, "list of packs");

/// A pack as C reads it.
pub(crate) struct Listed {
    state: PackState,
    licence_class: LicenceClass,
    download_bytes: Option<u64>,
    unfinished_bytes: u64,
    installed: Option<u64>,
    name: CString,
    about: Option<CString>,
    version: CString,
    licence: CString,
    folder: Option<CString>,
    origin: Option<CString>,
    archive_sha256: Option<CString>,
    sources: Vec<CString>,
    files: Vec<ListedModel>,
}

/// A model as C reads it.
struct ListedModel {
    file: ListedFile,
    name: CString,
    sha256: Option<CString>,
    kind: Option<CString>,
}

impl From<ListedPack> for Listed {
    fn from(pack: ListedPack) -> Listed {
        let files = pack.files.into_iter().map(|file| ListedModel {
            name: c_string(&file.name),
            sha256: file.sha256.as_deref().map(c_string),
            kind: file.kind.map(c_string),
            file,
        });
        Listed {
            state: pack.state,
            licence_class: pack.licence_class,
            download_bytes: pack.download_bytes,
            unfinished_bytes: pack.unfinished_bytes,
            installed: pack.installed,
            name: c_string(&pack.name),
            about: pack.about.map(c_string),
            version: c_string(&pack.version),
            licence: c_string(&pack.licence),
            folder: pack.folder.as_deref().map(path_text),
            origin: pack.origin.as_deref().map(c_string),
            archive_sha256: pack.archive_sha256.as_deref().map(c_string),
            sources: pack.sources.iter().map(|source| c_string(source)).collect(),
            files: files.collect(),
        }
    }
}

impl From<FoundPack> for Listed {
    fn from(pack: FoundPack) -> Listed {
        Listed {
            state: PackState::Available,
            licence_class: pack.licence_class,
            download_bytes: None,
            unfinished_bytes: 0,
            installed: None,
            name: c_string(&pack.name),
            about: None,
            version: c_string(&pack.version),
            licence: c_string(&pack.licence),
            folder: None,
            origin: None,
            archive_sha256: None,
            sources: Vec::new(),
            files: Vec::new(),
        }
    }
}

fn class_number(class: LicenceClass) -> i32 {
    match class {
        LicenceClass::Permissive => FACECORE_LICENCE_PERMISSIVE,
        LicenceClass::ResearchOnly => FACECORE_LICENCE_RESEARCH_ONLY,
        _ => FACECORE_LICENCE_UNKNOWN,
    }
}

/// The policy that a number stands for.
pub(crate) fn pack_policy(number: i32) -> Result<PackPolicy> {
    choice(number, &[PackPolicy::Any, PackPolicy::Commercial], "policy for packs")
}

/// Options as Rust has them.
struct Install {
    packs: Packs,
    options: InstallOptions,
    progress: facecore_models_progress,
    context: *mut c_void,
}

impl Install {
    unsafe fn read(options: *const facecore_models_options) -> Result<Install> {
        let options = read_options(options)?;
        let packs = match optional_path(options.cache, "cache")? {
            Some(folder) => Packs::at(folder),
            None => Packs::of_user()?,
        };
        let mirrors = texts(options.mirrors, options.mirror_count, "mirrors")?.into_iter().map(str::to_owned).collect();
        let usual = Network::default();
        let seconds = |seconds: u32, usual| if seconds == 0 { usual } else { Duration::from_secs(seconds.into()) };
        let network = Network {
            mirrors,
            mirrors_only: options.mirrors_only != 0,
            certificates: optional_path(options.certificates, "certificates")?.map(Path::to_path_buf),
            connect_timeout: seconds(options.connect_seconds, usual.connect_timeout),
            stall_timeout: seconds(options.stall_seconds, usual.stall_timeout),
            ..usual
        };
        Ok(Install {
            packs: packs.with_policy(pack_policy(options.policy)?),
            options: InstallOptions {
                accept_licence: options.accept_licence != 0,
                runtime: runtime_options(options.runtime)?,
                network,
            },
            progress: options.progress,
            context: options.context,
        })
    }

    /// Tells the caller how far it is.
    fn tell(&self, now: &Progress) -> ControlFlow<()> {
        let Some(progress) = self.progress else { return ControlFlow::Continue(()) };
        let stage = match now.stage {
            Stage::Downloading => FACECORE_STAGE_DOWNLOADING,
            Stage::Unpacking => FACECORE_STAGE_UNPACKING,
            Stage::Testing => FACECORE_STAGE_TESTING,
            _ => FACECORE_STAGE_WAITING,
        };
        let file = c_string(now.file);
        // SAFETY: the function is one that the header describes, and the text lives until it returns.
        let answer = unsafe { progress(self.context, stage, file.as_ptr(), now.done, now.total.unwrap_or_default()) };
        if answer == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// Does something to a pack, and gives out a list of the one, where the caller wants it.
    unsafe fn run(
        options: *const facecore_models_options,
        list: *mut *mut facecore_models,
        work: impl FnOnce(&Packs, &InstallOptions, &mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Result<InstalledPack>,
    ) -> Result<()> {
        let install = Install::read(options)?;
        let done = work(&install.packs, &install.options, &mut |now| install.tell(now))?;
        if !list.is_null() {
            Out::new(list, "list of packs")?.give(vec![install.packs.look(&done.name)?.into()]);
        }
        Ok(())
    }
}

/// Every pack: the one within the library, those that are known by name, and what else is installed. Of the options only
/// `cache` matters.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if there is no place for packs, `FACECORE_IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_models_list(
    options: *const facecore_models_options,
    list: *mut *mut facecore_models,
) -> i32 {
    guard(|| {
        let out = Out::new(list, "list of packs")?;
        let packs = Install::read(options)?.packs.list()?;
        out.give(packs.into_iter().map(Listed::from).collect());
        Ok(())
    })
}

/// Downloads the known pack `name`, tests it and installs it; one that is installed is left as it is. An interrupted
/// download is gone on with. `list` has the pack then; NULL if that is not asked for.
///
/// Errors: `FACECORE_MODEL_NOT_FOUND` if no pack is known by the name, `FACECORE_LICENCE_REFUSED`,
/// `FACECORE_DOWNLOAD_FAILED`, `FACECORE_CHECKSUM_MISMATCH`, `FACECORE_ARCHIVE_INVALID`, `FACECORE_CANCELLED`,
/// `FACECORE_IO`, and those of loading and running models. Then what was installed is as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_models_pull(
    name: *const c_char,
    options: *const facecore_models_options,
    list: *mut *mut facecore_models,
) -> i32 {
    guard(|| {
        let name = text(name, "name")?;
        Install::run(options, list, |packs, options, listener| packs.pull(name, options, listener))
    })
}

/// Installs a pack from a folder or a zip archive: one with `pack.toml`, or with files as insightface and OpenCV name
/// them. `name` says which pack it is, where the files do not, or under which name one with `pack.toml` is kept; NULL
/// leaves it to the files. `list` has the pack then; NULL if that is not asked for.
///
/// Errors: as `facecore_models_pull`, and `FACECORE_INVALID_ARGUMENT` if there are several packs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_models_import(
    from: *const c_char,
    name: *const c_char,
    options: *const facecore_models_options,
    list: *mut *mut facecore_models,
) -> i32 {
    guard(|| {
        let (from, name) = (path(from, "folder or archive")?, optional_text(name, "name")?);
        Install::run(options, list, |packs, options, listener| packs.import(from, name, options, listener))
    })
}

/// What `facecore_models_import` would install, so that its licence can be shown: `list` has the one pack, with its name,
/// version, licence and the class of that. Of the options nothing matters.
///
/// Errors: as `facecore_models_import`, where it does so before it copies anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_models_find_in(
    from: *const c_char,
    name: *const c_char,
    options: *const facecore_models_options,
    list: *mut *mut facecore_models,
) -> i32 {
    guard(|| {
        let (from, name) = (path(from, "folder or archive")?, optional_text(name, "name")?);
        let out = Out::new(list, "list of packs")?;
        out.give(vec![Install::read(options)?.packs.find_in(from, name)?.into()]);
        Ok(())
    })
}

/// Reads every file of the installed pack `name`, holds it to its checksum, and runs its self-test. `list` has the pack
/// then; NULL if that is not asked for.
///
/// Errors: `FACECORE_MODEL_NOT_FOUND` if it is not installed, `FACECORE_CHECKSUM_MISMATCH`, `FACECORE_PACK_INVALID`,
/// `FACECORE_CANCELLED`, `FACECORE_IO`, and those of loading and running models.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_models_verify(
    name: *const c_char,
    options: *const facecore_models_options,
    list: *mut *mut facecore_models,
) -> i32 {
    guard(|| {
        let name = text(name, "name")?;
        Install::run(options, list, |packs, options, listener| packs.verify(name, options, listener))
    })
}

/// Removes the installed pack `name`, and what an interrupted download of it left.
///
/// Errors: `FACECORE_MODEL_NOT_FOUND` if there is nothing of that name, `FACECORE_CANCELLED`, `FACECORE_IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_models_remove(name: *const c_char, options: *const facecore_models_options) -> i32 {
    guard(|| {
        let name = text(name, "name")?;
        let install = Install::read(options)?;
        install.packs.remove(name, &mut |now| install.tell(now)).map(drop)
    })
}

/// How many packs there are; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_models_count(list: *const facecore_models) -> usize {
    peek(list).map_or(0, Vec::len)
}

/// The pack at `index`, from 0.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` beyond the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_models_get(
    list: *const facecore_models,
    index: usize,
    info: *mut facecore_models_info,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(info)?;
        let listed = at(list, index)?;
        let state = match listed.state {
            PackState::Embedded => FACECORE_MODELS_EMBEDDED,
            PackState::Installed => FACECORE_MODELS_INSTALLED,
            PackState::Damaged => FACECORE_MODELS_DAMAGED,
            _ => FACECORE_MODELS_AVAILABLE,
        };
        out.write(&facecore_models_info {
            struct_size: 0,
            name: listed.name.as_ptr(),
            state,
            about: pointer(&listed.about),
            version: listed.version.as_ptr(),
            licence: listed.licence.as_ptr(),
            licence_class: class_number(listed.licence_class),
            folder: pointer(&listed.folder),
            origin: pointer(&listed.origin),
            download_bytes: listed.download_bytes.unwrap_or_default(),
            unfinished_bytes: listed.unfinished_bytes,
            file_count: listed.files.len(),
            source_count: listed.sources.len(),
            archive_sha256: pointer(&listed.archive_sha256),
            installed: listed.installed.unwrap_or_default(),
        });
        Ok(())
    })
}

/// The address number `source`, from 0, from which the pack at `index` is downloaded; NULL beyond the last one. The text
/// lives as long as the list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_models_get_source(
    list: *const facecore_models,
    index: usize,
    source: usize,
) -> *const c_char {
    let pack = peek(list).and_then(|packs| packs.get(index));
    pack.and_then(|pack| pack.sources.get(source)).map_or(std::ptr::null(), |source| source.as_ptr())
}

/// The model at `file`, from 0, of the pack at `index`.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` beyond the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_models_get_file(
    list: *const facecore_models,
    index: usize,
    file: usize,
    info: *mut facecore_models_file,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(info)?;
        let files = &at(list, index)?.files;
        let model = files.get(file).ok_or_else(|| no_item("model", file, files.len()))?;
        let checksum = match model.file.checksum {
            Some(Checksum::Pinned) => FACECORE_CHECKSUM_PINNED,
            Some(Checksum::Declared) => FACECORE_CHECKSUM_DECLARED,
            Some(_) => FACECORE_CHECKSUM_RECORDED,
            None => FACECORE_CHECKSUM_UNKNOWN,
        };
        out.write(&facecore_models_file {
            struct_size: 0,
            part: if model.file.part == Part::Detector { FACECORE_PART_DETECTOR } else { FACECORE_PART_EMBEDDER },
            name: model.name.as_ptr(),
            bytes: model.file.bytes.unwrap_or_default(),
            sha256: pointer(&model.sha256),
            kind: pointer(&model.kind),
            checksum,
        });
        Ok(())
    })
}

/// Frees a list of packs. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_models_free(list: *mut facecore_models) {
    free(list);
}

unsafe fn at<'a>(list: *const facecore_models, index: usize) -> Result<&'a Listed> {
    let packs = value(list)?;
    packs.get(index).ok_or_else(|| no_item("pack", index, packs.len()))
}
