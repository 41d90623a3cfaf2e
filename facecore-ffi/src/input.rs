//! What C hands over: texts, arrays, and structs that may be of an older or newer header.

use std::ffi::{CStr, c_char};
use std::mem::{MaybeUninit, size_of};
use std::path::Path;

use facecore::{Error, ErrorKind, Result};

use crate::handle::null;

/// A struct of the header that begins with `size_t struct_size`, which tells how much of it the caller knows.
///
/// # Safety
///
/// The type is `repr(C)`, its first field is `struct_size: usize`, every bit pattern of the other fields that C can
/// write is valid, and so is zero.
pub(crate) unsafe trait Versioned: Copy {
    /// Its name in the header.
    const NAME: &'static str;
    /// Its size in ABI 1.0: fields are only ever added after these, so that of a struct that has grown it is the offset
    /// of the first new field. No struct ends with padding, in which a new field would not show in the size.
    const FIRST_SIZE: usize;
}

/// Declares structs that are as they were in ABI 1.0.
macro_rules! versioned {
    ($($name:ident),+) => {
        $(
            // SAFETY: it is repr(C), begins with `struct_size`, and holds numbers, pointers and optional functions.
            unsafe impl $crate::input::Versioned for $name {
                const NAME: &'static str = stringify!($name);
                const FIRST_SIZE: usize = std::mem::size_of::<$name>();
            }
        )+
    };
}
pub(crate) use versioned;

/// A copy of a struct in which what the caller does not know is zero, which always means the default. Errors with
/// `InvalidArgument` if it is NULL, if its `struct_size` cannot be, or if the caller set something that this library
/// does not know.
///
/// # Safety
///
/// `place` is NULL or holds a `T` of the caller's header, whose first `struct_size` bytes may be read.
pub(crate) unsafe fn read_struct<T: Versioned>(place: *const T) -> Result<T> {
    // SAFETY: as above.
    let size = unsafe { struct_size(place)? };
    let known = size.min(size_of::<T>());
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes can be read, and fit; zero is valid for the rest, as `Versioned` says.
    let value = unsafe {
        std::ptr::copy_nonoverlapping(place.cast::<u8>(), value.as_mut_ptr().cast::<u8>(), known);
        value.assume_init()
    };
    // SAFETY: the caller says that so many bytes are there.
    let unknown = unsafe { std::slice::from_raw_parts(place.cast::<u8>().add(known), size - known) };
    if unknown.iter().any(|byte| *byte != 0) {
        let message = format!("{} has something set that this older library does not know; update it", T::NAME);
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(value)
}

/// As [`read_struct`], with NULL for a struct of zeros.
///
/// # Safety
///
/// As [`read_struct`].
pub(crate) unsafe fn read_options<T: Versioned>(place: *const T) -> Result<T> {
    if place.is_null() {
        // SAFETY: zero is valid, as `Versioned` says.
        return Ok(unsafe { MaybeUninit::<T>::zeroed().assume_init() });
    }
    // SAFETY: as above.
    unsafe { read_struct(place) }
}

/// An array of structs, each as long as the first one's `struct_size` says.
///
/// # Safety
///
/// `first` is NULL or the first of `count` structs for each of which [`read_struct`] may be called.
pub(crate) unsafe fn read_structs<T: Versioned>(first: *const T, count: usize) -> Result<Vec<T>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: as above.
    let size = unsafe { struct_size(first)? };
    if count.checked_mul(size).is_none_or(|bytes| bytes > isize::MAX as usize) {
        let message = format!("{count} of {} cannot be: they are longer than memory", T::NAME);
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let read = |index: usize| {
        // SAFETY: they lie one after the other, as far from each other as the first one says.
        let place = unsafe { first.cast::<u8>().add(index * size).cast::<T>() };
        // SAFETY: as above.
        let own = unsafe { struct_size(place)? };
        if own != size {
            let message = format!("struct_size of {} is {size} in the first and {own} in element {index}", T::NAME);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        // SAFETY: as above.
        unsafe { read_struct(place) }
    };
    (0..count).map(read).collect()
}

/// Where a struct is to be written: known not to be NULL, and as long as it must be.
pub(crate) struct OutStruct<T> {
    place: *mut T,
    size: usize,
}

impl<T: Versioned> OutStruct<T> {
    /// Errors with `InvalidArgument` if it is NULL or its `struct_size` cannot be.
    ///
    /// # Safety
    ///
    /// `place` is NULL or holds a `T` of the caller's header, whose first `struct_size` bytes may be read and written.
    pub unsafe fn new(place: *mut T) -> Result<Self> {
        // SAFETY: as above.
        Ok(OutStruct { place, size: unsafe { struct_size(place.cast_const())? } })
    }

    /// Writes what the caller knows of `value`, but for the size. What this library does not know becomes zero.
    pub fn write(self, value: &T) {
        let (from, to) = (std::ptr::from_ref(value).cast::<u8>(), self.place.cast::<u8>());
        let (head, known) = (size_of::<usize>(), self.size.min(size_of::<T>()));
        // SAFETY: `size` bytes can be written, and of `value` as many are read as it has.
        unsafe {
            std::ptr::copy_nonoverlapping(from.add(head), to.add(head), known - head);
            std::ptr::write_bytes(to.add(known), 0, self.size - known);
        }
    }
}

/// The `struct_size` of a struct. Larger ones than any header's are a mistake, such as an uninitialised struct.
///
/// # Safety
///
/// `place` is NULL or its first field may be read.
unsafe fn struct_size<T: Versioned>(place: *const T) -> Result<usize> {
    const LARGEST: usize = 4096;
    if place.is_null() {
        return Err(null(T::NAME));
    }
    // SAFETY: the first field is a usize; C may have put it anywhere.
    let size = unsafe { place.cast::<usize>().read_unaligned() };
    if (T::FIRST_SIZE..=LARGEST).contains(&size) {
        return Ok(size);
    }
    let message = format!("struct_size of {name} is {size}; set it to sizeof({name})", name = T::NAME);
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

/// A text that must be there. Errors with `InvalidArgument` if it is NULL or not UTF-8.
///
/// # Safety
///
/// `text` is NULL or ends with NUL, and does not change as long as the answer is used.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    // SAFETY: as above.
    match unsafe { optional_text(text, name)? } {
        Some(text) => Ok(text),
        None => Err(null(name)),
    }
}

/// A text that may be NULL.
///
/// # Safety
///
/// As [`text`].
pub(crate) unsafe fn optional_text<'a>(text: *const c_char, name: &str) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: as above.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(Some).map_err(|_| {
        Error::new(ErrorKind::InvalidArgument, format!("the {name} is not UTF-8: {}", text.to_string_lossy()))
    })
}

/// A path that must be there: on Unix any bytes, elsewhere UTF-8.
///
/// # Safety
///
/// As [`text`].
pub(crate) unsafe fn path<'a>(path: *const c_char, name: &str) -> Result<&'a Path> {
    // SAFETY: as above.
    match unsafe { optional_path(path, name)? } {
        Some(path) => Ok(path),
        None => Err(null(name)),
    }
}

/// A path that may be NULL.
///
/// # Safety
///
/// As [`text`].
pub(crate) unsafe fn optional_path<'a>(path: *const c_char, name: &str) -> Result<Option<&'a Path>> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let _ = name;
        // SAFETY: as above.
        let bytes = (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) }.to_bytes());
        Ok(bytes.map(|bytes| Path::new(std::ffi::OsStr::from_bytes(bytes))))
    }
    #[cfg(not(unix))]
    // SAFETY: as above.
    Ok(unsafe { optional_text(path, name)? }.map(Path::new))
}

/// An array. Errors with `InvalidArgument` if it is NULL though it has elements, or longer than memory can be.
///
/// # Safety
///
/// `first` is NULL or the first of `count` elements that do not change as long as the answer is used.
pub(crate) unsafe fn slice<'a, T>(first: *const T, count: usize, name: &str) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if first.is_null() {
        return Err(null(name));
    }
    if count.checked_mul(size_of::<T>()).is_none_or(|bytes| bytes > isize::MAX as usize) || !first.is_aligned() {
        let message = format!("the {name} with {count} elements cannot be: it is not aligned, or longer than memory");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    // SAFETY: as above, and as just seen.
    Ok(unsafe { std::slice::from_raw_parts(first, count) })
}

/// An array of texts.
///
/// # Safety
///
/// `first` is NULL or the first of `count` texts, each as [`text`] says.
pub(crate) unsafe fn texts<'a>(first: *const *const c_char, count: usize, name: &str) -> Result<Vec<&'a str>> {
    // SAFETY: as above.
    unsafe { slice(first, count, name)?.iter().map(|one| text(*one, name)).collect() }
}

/// One of `choices`, by its number.
pub(crate) fn choice<T: Clone>(number: i32, choices: &[T], name: &str) -> Result<T> {
    let chosen = usize::try_from(number).ok().and_then(|at| choices.get(at));
    chosen.cloned().ok_or_else(|| {
        let message = format!("the {name} is {number}; it is one of the constants 0 to {}", choices.len() - 1);
        Error::new(ErrorKind::InvalidArgument, message)
    })
}

/// Whoever sets a threshold wants it to count.
pub(crate) fn check_threshold(has: i32, threshold: f32) -> Result<()> {
    if has == 0 && threshold != 0.0 {
        let message = format!("threshold is {threshold}, but has_threshold is 0: set it to 1");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(())
}

/// A JSON object; NULL is an empty one. Errors with `InvalidArgument`.
///
/// # Safety
///
/// As [`text`].
pub(crate) unsafe fn metadata(json: *const c_char) -> Result<facecore::gallery::Metadata> {
    // SAFETY: as above.
    match unsafe { optional_text(json, "metadata")? } {
        None => Ok(facecore::gallery::Metadata::new()),
        Some(json) => serde_json::from_str(json).map_err(|error| {
            Error::new(ErrorKind::InvalidArgument, format!("the metadata is no JSON object: {error}"))
                .with_source(error)
        }),
    }
}

/// The error of an index that is beyond the end.
pub(crate) fn no_item(what: &str, index: usize, count: usize) -> Error {
    let message = format!("there is no {what} at {index}: there are {count}, counted from 0");
    Error::new(ErrorKind::InvalidArgument, message)
}

/// The error of a buffer into which the answer does not fit.
pub(crate) fn too_small(capacity: usize, needed: usize, what: &str) -> Error {
    let message = format!("the buffer takes {capacity} {what}, and there are {needed}");
    Error::new(ErrorKind::BufferTooSmall, message)
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    /// A struct as the first header had it, and as a newer one has it.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Older {
        struct_size: usize,
        a: u64,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Newer {
        struct_size: usize,
        a: u64,
        b: u64,
    }

    // SAFETY: both are repr(C), begin with `struct_size`, and hold numbers.
    unsafe impl Versioned for Older {
        const NAME: &'static str = "older";
        const FIRST_SIZE: usize = size_of::<Older>();
    }

    // SAFETY: as above.
    unsafe impl Versioned for Newer {
        const NAME: &'static str = "newer";
        const FIRST_SIZE: usize = offset_of!(Newer, b);
    }

    fn older(a: u64) -> Older {
        Older { struct_size: size_of::<Older>(), a }
    }

    fn newer(a: u64, b: u64) -> Newer {
        Newer { struct_size: size_of::<Newer>(), a, b }
    }

    #[test]
    fn a_newer_library_takes_what_an_older_program_does_not_know_for_zero() {
        let (one, two) = (older(7), [older(1), older(2)]);
        // SAFETY: each has as many bytes as it says.
        let (read, all) = unsafe {
            let read = read_struct(std::ptr::from_ref(&one).cast::<Newer>()).unwrap();
            (read, read_structs(two.as_ptr().cast::<Newer>(), 2).unwrap())
        };
        assert_eq!((read.a, read.b), (7, 0));
        assert_eq!([(all[0].a, all[0].b), (all[1].a, all[1].b)], [(1, 0), (2, 0)]);

        let mut places = [older(0), older(5)];
        // SAFETY: the first has as many bytes as it says.
        unsafe { OutStruct::new(places.as_mut_ptr().cast::<Newer>()) }.unwrap().write(&newer(3, 4));
        assert_eq!((places[0].a, places[0].struct_size, places[1].a), (3, size_of::<Older>(), 5));
    }

    #[test]
    fn an_older_library_refuses_what_it_does_not_know() {
        let read = |value: Newer| {
            // SAFETY: it has as many bytes as it says.
            unsafe { read_struct(std::ptr::from_ref(&value).cast::<Older>()) }
        };
        assert_eq!(read(newer(7, 0)).unwrap().a, 7);
        assert_eq!(read(newer(7, 1)).err().unwrap().kind(), ErrorKind::InvalidArgument);

        let mut place = newer(1, 1);
        // SAFETY: as above.
        unsafe { OutStruct::new(std::ptr::from_mut(&mut place).cast::<Older>()) }.unwrap().write(&older(3));
        assert_eq!((place.a, place.b), (3, 0));
    }
}
