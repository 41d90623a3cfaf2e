//! Texts on their way to C.

use std::ffi::{CString, c_char};
use std::path::Path;

use crate::handle::{free, handle, peek};

/// A text that C can read. It ends at the first NUL there, and what comes before may be somebody else's name: NULs
/// become the replacement character.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{FFFD}")).unwrap_or_default()
}

/// A path as C opens it.
pub(crate) fn path_text(path: &Path) -> CString {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        CString::new(path.as_os_str().as_bytes()).unwrap_or_else(|_| c_string(&path.to_string_lossy()))
    }
    #[cfg(not(unix))]
    c_string(&path.to_string_lossy())
}

/// The pointer to an optional text; NULL for none.
pub(crate) fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
}

/// Frees a text that a function gave out as `char *`. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_text_free(text: *mut c_char) {
    if !text.is_null() {
        drop(CString::from_raw(text));
    }
}

/// Texts in an order.
pub struct facecore_texts(Vec<CString>);
handle!(facecore_texts, Vec<CString>, "list of texts");

/// Makes a list of texts.
pub(crate) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Vec<CString> {
    texts.into_iter().map(|text| c_string(text.as_ref())).collect()
}

/// How many texts there are; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_texts_count(texts: *const facecore_texts) -> usize {
    peek(texts).map_or(0, Vec::len)
}

/// The text at `index`, from 0; NULL beyond the last one. It lives as long as the list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_texts_get(texts: *const facecore_texts, index: usize) -> *const c_char {
    peek(texts).and_then(|texts| texts.get(index)).map_or(std::ptr::null(), |text| text.as_ptr())
}

/// Frees the list. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_texts_free(texts: *mut facecore_texts) {
    free(texts);
}
