//! What a call came to: the table of statuses, the last error of a thread, and the guard around every body.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use facecore::{Error, ErrorKind, Result};

use crate::text::c_string;

/// The first number of the ABI's version. A library of another one must not be used.
pub const FACECORE_ABI_MAJOR: i32 = 1;
/// The second number of the ABI's version. It grows when functions, constants or fields are added: a program needs a
/// library of at least this one.
pub const FACECORE_ABI_MINOR: i32 = 0;

/// No error.
pub const FACECORE_OK: i32 = 0;
/// An argument is outside what the function takes.
pub const FACECORE_INVALID_ARGUMENT: i32 = 100;
/// A vector's length differs from what the gallery, namespace or model uses.
pub const FACECORE_DIMENSION_MISMATCH: i32 = 101;
/// A vector holds NaN or infinity, or is all zeros.
pub const FACECORE_INVALID_EMBEDDING: i32 = 102;
/// A buffer is too small for the answer. Where a function tells how much is needed, it does so with this status too.
pub const FACECORE_BUFFER_TOO_SMALL: i32 = 103;
/// A file could not be read or written.
pub const FACECORE_IO: i32 = 110;
/// The object was made by a parent process; its threads and locks did not come along.
pub const FACECORE_FORKED: i32 = 120;
/// The caller's own callback stopped it.
pub const FACECORE_CANCELLED: i32 = 130;
/// The bytes are in no image format this build reads.
pub const FACECORE_IMAGE_FORMAT: i32 = 200;
/// The image is damaged or cut short.
pub const FACECORE_IMAGE_CORRUPT: i32 = 201;
/// The image has more pixels or bytes than the limits allow.
pub const FACECORE_IMAGE_TOO_LARGE: i32 = 202;
/// Width, height, stride, format and buffer length of an image do not fit together.
pub const FACECORE_IMAGE_LAYOUT: i32 = 203;
/// A photo that must show a face shows none.
pub const FACECORE_NO_FACE: i32 = 210;
/// A photo that must show one face shows several.
pub const FACECORE_SEVERAL_FACES: i32 = 211;
/// The landmarks are missing, not finite, or all in one place, so no crop can be cut.
pub const FACECORE_LANDMARKS: i32 = 212;
/// A model file or pack is not where it was said to be.
pub const FACECORE_MODEL_NOT_FOUND: i32 = 300;
/// A model file is no readable ONNX model.
pub const FACECORE_MODEL_CORRUPT: i32 = 301;
/// A model's inputs or outputs differ from what its kind or spec says.
pub const FACECORE_MODEL_MISMATCH: i32 = 302;
/// The runtime cannot execute something in the model.
pub const FACECORE_MODEL_UNSUPPORTED: i32 = 303;
/// `pack.toml` is missing, malformed or contradicts itself.
pub const FACECORE_PACK_INVALID: i32 = 304;
/// A file's SHA-256 differs from the one its pack declares.
pub const FACECORE_CHECKSUM_MISMATCH: i32 = 305;
/// The kind of a bare model file is not evident and must be named.
pub const FACECORE_MODEL_KIND_UNKNOWN: i32 = 306;
/// A model produced NaN, infinity, a wrong shape, or something else than its pack says it must.
pub const FACECORE_MODEL_OUTPUT: i32 = 307;
/// A pack could not be downloaded from any of its sources.
pub const FACECORE_DOWNLOAD_FAILED: i32 = 310;
/// A pack's licence was not accepted, or the application's policy forbids it.
pub const FACECORE_LICENCE_REFUSED: i32 = 311;
/// An archive is damaged, or holds what no archive of models holds.
pub const FACECORE_ARCHIVE_INVALID: i32 = 312;
/// No inference runtime was found.
pub const FACECORE_RUNTIME_NOT_FOUND: i32 = 400;
/// A library was found but is no usable runtime (not one at all, too old, or another is loaded).
pub const FACECORE_RUNTIME_INVALID: i32 = 401;
/// A provider was required and is not available.
pub const FACECORE_PROVIDER_UNAVAILABLE: i32 = 402;
/// The runtime failed while executing a model.
pub const FACECORE_INFERENCE: i32 = 403;
/// An embedding comes from another embedding space than the namespace holds.
pub const FACECORE_EMBEDDING_SPACE_MISMATCH: i32 = 500;
/// There is no such person.
pub const FACECORE_PERSON_NOT_FOUND: i32 = 501;
/// There is no such face.
pub const FACECORE_FACE_NOT_FOUND: i32 = 502;
/// There is no such namespace.
pub const FACECORE_NAMESPACE_NOT_FOUND: i32 = 503;
/// A person with that id exists already.
pub const FACECORE_PERSON_EXISTS: i32 = 504;
/// A stored gallery is damaged or of an unknown format.
pub const FACECORE_GALLERY_CORRUPT: i32 = 510;
/// Another process has the gallery open.
pub const FACECORE_GALLERY_LOCKED: i32 = 511;
/// The gallery was opened for reading only.
pub const FACECORE_GALLERY_READ_ONLY: i32 = 512;
/// There is no gallery in the folder.
pub const FACECORE_GALLERY_NOT_FOUND: i32 = 513;
/// A fault of this library.
pub const FACECORE_INTERNAL: i32 = 900;

/// The version of the library, for example `0.1.0`. The string lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn facecore_version() -> *const c_char {
    const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };
    VERSION.as_ptr()
}

/// Whether a program built against the header of ABI `major`.`minor` can use this library (1) or not (0). Ask once, at
/// the start: `facecore_abi_is_compatible(FACECORE_ABI_MAJOR, FACECORE_ABI_MINOR)`.
#[unsafe(no_mangle)]
pub extern "C" fn facecore_abi_is_compatible(major: i32, minor: i32) -> i32 {
    i32::from(major == FACECORE_ABI_MAJOR && (0..=FACECORE_ABI_MINOR).contains(&minor))
}

/// The name of a status, for example `FACECORE_NO_FACE`; NULL if there is no such status. The string lives as long as
/// the library.
#[unsafe(no_mangle)]
pub extern "C" fn facecore_status_name(status: i32) -> *const c_char {
    NAMES.iter().find(|name| name.0 == status).map_or(std::ptr::null(), |name| name.1.as_ptr())
}

/// The constants of the table of errors, as C strings.
static NAMES: LazyLock<Vec<(i32, CString)>> = LazyLock::new(|| {
    let errors = ErrorKind::ALL.iter().map(|kind| (kind.code(), c_string(kind.c_name())));
    std::iter::once((FACECORE_OK, c_string("FACECORE_OK"))).chain(errors).collect()
});

/// What went wrong in the last call of this thread that failed: the cause and the remedy, in English and UTF-8. Never
/// NULL; empty if no call failed. The string is valid until the next call of this thread that fails.
#[unsafe(no_mangle)]
pub extern "C" fn facecore_last_error_message() -> *const c_char {
    // A thread that is ending may have lost its message.
    let message = LAST.try_with(|last| last.borrow().message.as_ref().map(|message| message.as_ptr()));
    message.ok().flatten().unwrap_or(c"".as_ptr())
}

/// The status of the last call of this thread that failed; `FACECORE_OK` if none did.
#[unsafe(no_mangle)]
pub extern "C" fn facecore_last_error_status() -> i32 {
    LAST.try_with(|last| last.borrow().status).unwrap_or(FACECORE_OK)
}

struct LastError {
    status: i32,
    message: Option<CString>,
}

thread_local! {
    static LAST: RefCell<LastError> = const { RefCell::new(LastError { status: FACECORE_OK, message: None }) };
}

/// Runs the body of an exported function. An error or a panic becomes a status, with a message for this thread; so does
/// being called in a forked child.
pub(crate) fn guard(body: impl FnOnce() -> Result<()>) -> i32 {
    // Nothing that a panic leaves half-done is seen again: outputs are written last, and the library's own state is
    // behind locks that it checks.
    match catch_unwind(AssertUnwindSafe(|| crate::process::claim().and_then(|()| body()))) {
        Ok(Ok(())) => FACECORE_OK,
        Ok(Err(error)) => fail_with(&error),
        Err(panic) => {
            let status = fail_with(&panicked(&*panic));
            // Dropping what was thrown may throw again: then it is let be.
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
                std::mem::forget(again);
            }
            status
        }
    }
}

/// Keeps an error for this thread, and gives its status.
pub(crate) fn fail_with(error: &Error) -> i32 {
    let status = error.kind().code();
    let message = c_string(&error.to_string());
    // Without a place for the message the status alone must do.
    let _ = LAST.try_with(|last| *last.borrow_mut() = LastError { status, message: Some(message) });
    status
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::new(ErrorKind::Internal, format!("a fault of facecore: {}", text.unwrap_or("it panicked")))
}
