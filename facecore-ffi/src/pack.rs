//! Packs: models with what is to be known of them.

use std::ffi::{CStr, CString, c_char};

use facecore::{ModelSource, Pack, Result};

use crate::handle::{Out, free, handle, value};
use crate::input::{OutStruct, path, slice, text, versioned};
use crate::status::guard;
use crate::text::c_string;

/// Names the small pack that is within the library, wherever a folder with a pack can be named. Its weights are for
/// research and evaluation only: see `facecore_lite_licence`.
pub const FACECORE_LITE: &str = ":lite:";

/// A pack's manifest, read and checked, with its models.
pub struct facecore_pack(Texts);
handle!(facecore_pack, Texts, "pack");

/// What a pack says of itself. The strings live as long as the pack.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_pack_info {
    /// `sizeof(facecore_pack_info)`.
    pub struct_size: usize,
    /// What it calls itself.
    pub name: *const c_char,
    /// Its version, as its author counts.
    pub version: *const c_char,
    /// Under which terms the pack as a whole may be used.
    pub licence: *const c_char,
    /// The licence of the detector's weights; NULL if the pack has no detector.
    pub detector_licence: *const c_char,
    /// SHA-256 of the detector's file, in hexadecimal; NULL if the pack has no detector.
    pub detector_sha256: *const c_char,
    /// The licence of the embedder's weights; NULL if the pack has no embedder.
    pub embedder_licence: *const c_char,
    /// SHA-256 of the embedder's file, in hexadecimal; NULL if the pack has no embedder.
    pub embedder_sha256: *const c_char,
}

versioned!(facecore_pack_info);

/// A pack, and what it says as C reads it.
pub(crate) struct Texts {
    pack: Pack,
    name: CString,
    version: CString,
    licence: CString,
    detector: Option<(CString, CString)>,
    embedder: Option<(CString, CString)>,
}

impl Texts {
    fn of(pack: Pack) -> Texts {
        let part = |licence: &str, source: &ModelSource| (c_string(licence), c_string(&source.sha256()));
        Texts {
            name: c_string(&pack.name),
            version: c_string(&pack.version),
            licence: c_string(&pack.licence),
            detector: pack.detector.as_ref().map(|found| part(&found.licence, &found.source)),
            embedder: pack.embedder.as_ref().map(|found| part(&found.licence, &found.source)),
            pack,
        }
    }

    pub fn pack(&self) -> &Pack {
        &self.pack
    }
}

/// The pack that `FACECORE_LITE`, a folder or a name names.
pub(crate) unsafe fn open_pack(named: *const c_char) -> Result<Pack> {
    // SAFETY: `path` refuses NULL.
    if !named.is_null() && CStr::from_ptr(named).to_bytes() == FACECORE_LITE.as_bytes() {
        return lite();
    }
    Pack::open(path(named, "pack")?)
}

#[cfg(feature = "lite-models")]
fn lite() -> Result<Pack> {
    Pack::lite()
}

#[cfg(not(feature = "lite-models"))]
fn lite() -> Result<Pack> {
    let message = "this library was built without the small pack (feature `lite-models`); name a folder with a pack";
    Err(facecore::Error::new(facecore::ErrorKind::ModelNotFound, message))
}

/// The whole note on the licence of the pack that `FACECORE_LITE` names, in Markdown; NULL if the library was built
/// without it. Whoever passes on a library with these weights passes on this with it. The string lives as long as the
/// library.
#[unsafe(no_mangle)]
pub extern "C" fn facecore_lite_licence() -> *const c_char {
    #[cfg(feature = "lite-models")]
    {
        static NOTE: std::sync::LazyLock<CString> = std::sync::LazyLock::new(|| c_string(Pack::LITE_LICENCE));
        NOTE.as_ptr()
    }
    #[cfg(not(feature = "lite-models"))]
    std::ptr::null()
}

/// Opens a pack: a folder with `pack.toml`, the name of an installed pack such as `buffalo_l`, or `FACECORE_LITE`. A name is
/// a single word; where a folder of that name has a `pack.toml`, it is that folder.
///
/// Errors: `FACECORE_MODEL_NOT_FOUND`, which says how a known pack is installed, `FACECORE_PACK_INVALID`,
/// `FACECORE_CHECKSUM_MISMATCH`, `FACECORE_IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_pack_open(folder: *const c_char, pack: *mut *mut facecore_pack) -> i32 {
    guard(|| {
        let out = Out::new(pack, "pack")?;
        out.give(Texts::of(open_pack(folder)?));
        Ok(())
    })
}

/// Opens a pack that is in memory, such as an app's assets: the text of its `pack.toml`, and `count` files with their
/// names, contents and lengths. The contents are copied.
///
/// Errors: as `facecore_pack_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_pack_from_memory(
    manifest: *const c_char,
    names: *const *const c_char,
    files: *const *const u8,
    lengths: *const usize,
    count: usize,
    pack: *mut *mut facecore_pack,
) -> i32 {
    guard(|| {
        let out = Out::new(pack, "pack")?;
        let manifest = text(manifest, "manifest")?;
        let (names, files) = (slice(names, count, "names of the files")?, slice(files, count, "files")?);
        let lengths = slice(lengths, count, "lengths of the files")?;
        let file = |at: usize| {
            let bytes = slice(files[at], lengths[at], "content of a file")?;
            Ok(ModelSource::from_bytes(text(names[at], "name of a file")?, bytes))
        };
        let files = (0..count).map(file).collect::<Result<Vec<_>>>()?;
        out.give(Texts::of(Pack::from_memory(manifest, &files)?));
        Ok(())
    })
}

/// What the pack says of itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_pack_get_info(pack: *const facecore_pack, info: *mut facecore_pack_info) -> i32 {
    guard(|| {
        let out = OutStruct::new(info)?;
        let pack = value(pack)?;
        let first = |part: &Option<(CString, CString)>| part.as_ref().map_or(std::ptr::null(), |part| part.0.as_ptr());
        let second = |part: &Option<(CString, CString)>| part.as_ref().map_or(std::ptr::null(), |part| part.1.as_ptr());
        out.write(&facecore_pack_info {
            struct_size: 0,
            name: pack.name.as_ptr(),
            version: pack.version.as_ptr(),
            licence: pack.licence.as_ptr(),
            detector_licence: first(&pack.detector),
            detector_sha256: second(&pack.detector),
            embedder_licence: first(&pack.embedder),
            embedder_sha256: second(&pack.embedder),
        });
        Ok(())
    })
}

/// Frees a pack. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_pack_free(pack: *mut facecore_pack) {
    free(pack);
}
