//! The C ABI of facecore.
//!
//! So far it tells versions and names errors; the rest of the library follows in `0.2`. Conventions:
//! every name begins with `facecore_`, statuses are `int32_t`, strings are UTF-8 and end with NUL.

use std::ffi::{c_char, CStr};

use facecore::ErrorKind;

/// Changes whenever a program built against an older header may misbehave.
pub const FACECORE_ABI_VERSION: i32 = 0;

/// No error.
pub const FACECORE_OK: i32 = 0;

/// The version of the library, for example `0.1.0`. The string lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn facecore_version() -> *const c_char {
    const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };
    VERSION.as_ptr()
}

/// The ABI version of the library: compare it with `FACECORE_ABI_VERSION` of the header.
#[unsafe(no_mangle)]
pub extern "C" fn facecore_abi_version() -> i32 {
    FACECORE_ABI_VERSION
}

/// Whether `status` is in the library's table of errors (1) or not (0).
#[unsafe(no_mangle)]
pub extern "C" fn facecore_status_is_known(status: i32) -> i32 {
    let known = status == FACECORE_OK || ErrorKind::ALL.iter().any(|kind| kind.code() == status);
    i32::from(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_crates() {
        // SAFETY: the function returns a string that ends with NUL and lives for ever.
        let version = unsafe { CStr::from_ptr(facecore_version()) };
        assert_eq!(version.to_str(), Ok(env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn statuses_of_the_table_are_known() {
        assert_eq!((facecore_status_is_known(0), facecore_status_is_known(402), facecore_status_is_known(1)), (1, 1, 0));
    }
}
