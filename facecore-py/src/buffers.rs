//! Memory of the library lent to Python: read-only buffers, as `numpy` and `memoryview` take them.

use std::ffi::{CStr, c_int};

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;

/// A buffer's layout. It lies in the object that lends the buffer, so that it lives as long.
pub struct Layout<const N: usize> {
    shape: [ffi::Py_ssize_t; N],
    strides: [ffi::Py_ssize_t; N],
    item: &'static CStr,
    item_size: ffi::Py_ssize_t,
}

impl<const N: usize> Layout<N> {
    /// Packed items of the given `struct` format in C order.
    pub fn packed(shape: [usize; N], item: &'static CStr, item_size: usize) -> Self {
        let shape = shape.map(|length| length as ffi::Py_ssize_t);
        let item_size = item_size as ffi::Py_ssize_t;
        let mut strides = [item_size; N];
        for axis in (0..N.saturating_sub(1)).rev() {
            strides[axis] = strides[axis + 1] * shape[axis + 1];
        }
        Layout { shape, strides, item, item_size }
    }

    /// Fills `view` with the bytes at `data`, laid out as this says, and a new reference to `owner`.
    ///
    /// # Safety
    ///
    /// `view` is what the interpreter passed to `__getbuffer__`. `data` and this layout live, and do not move or
    /// change, as long as `owner` does; `data` has as many bytes as the layout says.
    pub unsafe fn lend(
        &self,
        owner: Bound<'_, PyAny>,
        data: *const u8,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("no view was given"));
        }
        // SAFETY: the view is the interpreter's; after an error nothing else of it is looked at.
        unsafe { (*view).obj = std::ptr::null_mut() };
        if N > 1 && flags & ffi::PyBUF_F_CONTIGUOUS == ffi::PyBUF_F_CONTIGUOUS {
            return Err(PyBufferError::new_err("the memory is in C order"));
        }
        if flags & ffi::PyBUF_WRITABLE == ffi::PyBUF_WRITABLE {
            return Err(PyBufferError::new_err("the memory is read-only; copy it to change it"));
        }
        let requested = |flag| flags & flag == flag;
        let length = self.shape.iter().product::<ffi::Py_ssize_t>() * self.item_size;
        // SAFETY: the interpreter passes a view that may be written; it only reads through the pointers to the
        // layout and the data, and holds `owner`, which keeps both, until it releases the view.
        unsafe {
            (*view).buf = data.cast_mut().cast();
            (*view).len = length;
            (*view).readonly = 1;
            (*view).itemsize = self.item_size;
            (*view).format =
                if requested(ffi::PyBUF_FORMAT) { self.item.as_ptr().cast_mut() } else { std::ptr::null_mut() };
            (*view).ndim = N as c_int;
            (*view).shape =
                if requested(ffi::PyBUF_ND) { self.shape.as_ptr().cast_mut() } else { std::ptr::null_mut() };
            (*view).strides =
                if requested(ffi::PyBUF_STRIDES) { self.strides.as_ptr().cast_mut() } else { std::ptr::null_mut() };
            (*view).suboffsets = std::ptr::null_mut();
            (*view).internal = std::ptr::null_mut();
            (*view).obj = owner.into_ptr();
        }
        Ok(())
    }
}

/// `numpy.asarray(owner)`: an array over the memory that `owner` lends.
pub fn as_array<'py>(owner: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = owner.py();
    let memory = py.import("builtins")?.getattr("memoryview")?.call1((owner,))?;
    py.import("numpy")?.call_method1("asarray", (memory,))
}
