//! What C holds on to: a box behind a pointer whose type C knows by name only.
//!
//! A handle's value is `Sync`, so that any number of threads may use it at once.

use facecore::{Error, ErrorKind, Result};

use crate::process;

/// A type that is a handle in C.
pub(crate) trait Handle: Sized + 'static {
    /// What it stands for.
    type Value: Send + Sync;
    /// What messages call it.
    const NAME: &'static str;

    fn new(value: Self::Value) -> Self;
    fn value(&self) -> &Self::Value;
}

/// Makes a handle of a struct around a value.
macro_rules! handle {
    ($handle:ident, $value:ty, $name:literal) => {
        impl $crate::handle::Handle for $handle {
            type Value = $value;
            const NAME: &'static str = $name;

            fn new(value: $value) -> Self {
                $handle(value)
            }

            fn value(&self) -> &$value {
                &self.0
            }
        }
    };
}
pub(crate) use handle;

/// The value of a handle. Errors with `InvalidArgument` if it is NULL.
///
/// # Safety
///
/// `handle` is NULL or was given out by [`Out::give`], and is not freed as long as the answer is used.
pub(crate) unsafe fn value<'a, H: Handle>(handle: *const H) -> Result<&'a H::Value> {
    // SAFETY: as above; a handle is only ever read.
    let Some(handle) = (unsafe { handle.as_ref() }) else {
        return Err(null(H::NAME));
    };
    Ok(handle.value())
}

/// The value of a handle that may be NULL, for functions that have no status: they only read what is in it. In a forked
/// child there is none.
///
/// # Safety
///
/// As [`value`].
pub(crate) unsafe fn peek<'a, H: Handle>(handle: *const H) -> Option<&'a H::Value> {
    // SAFETY: as above.
    unsafe { handle.as_ref() }.filter(|_| process::is_ours()).map(Handle::value)
}

/// Gives a handle up; NULL is none. A forked child lets it be: it must not write the parent's gallery, nor wait for its
/// threads.
///
/// # Safety
///
/// `handle` is NULL or was given out by [`Out::give`], and is not used any more.
pub(crate) unsafe fn free<H: Handle>(handle: *mut H) {
    if handle.is_null() || !process::is_ours() {
        return;
    }
    // There is nothing to be told of a fault here; its message is kept for who asks.
    crate::status::guard(|| {
        // SAFETY: it was leaked by `Out::give`, and nobody uses it any more.
        drop(unsafe { Box::from_raw(handle) });
        Ok(())
    });
}

/// A place of the caller's for an output, known not to be NULL.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Errors with `InvalidArgument`, naming the argument, if it is NULL.
    ///
    /// # Safety
    ///
    /// `place` is NULL or may be written to until the call ends.
    pub unsafe fn new(place: *mut T, name: &str) -> Result<Self> {
        if place.is_null() { Err(null(name)) } else { Ok(Out(place)) }
    }

    /// Writes the output.
    pub fn write(self, value: T) {
        // SAFETY: see `Out::new`. What was there is C's, and needs no drop.
        unsafe { self.0.write(value) }
    }
}

impl<H: Handle> Out<*mut H> {
    /// Gives a handle out.
    pub fn give(self, value: H::Value) {
        self.write(boxed(value));
    }
}

/// A handle of a value, to be given out.
pub(crate) fn boxed<H: Handle>(value: H::Value) -> *mut H {
    Box::into_raw(Box::new(H::new(value)))
}

/// The error of an argument that is NULL.
pub(crate) fn null(name: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("the {name} is NULL"))
}
