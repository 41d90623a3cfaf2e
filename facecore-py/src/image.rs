//! Decoded images and aligned crops.

use std::ffi::c_int;

use facecore::{AlignedFace, DecodeOptions, ImageView};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffers::{Layout, as_array};
use crate::input::Source;
use crate::process::work;

/// A decoded picture: upright, red, green, blue.
#[pyclass(frozen, module = "facecore")]
pub struct Image {
    inner: facecore::Image,
    layout: Layout<3>,
}

impl From<facecore::Image> for Image {
    fn from(inner: facecore::Image) -> Self {
        let layout = Layout::packed([inner.height(), inner.width(), 3], c"B", 1);
        Image { inner, layout }
    }
}

impl Image {
    pub fn view(&self) -> ImageView<'_> {
        self.inner.view()
    }

    pub fn rgb(&self) -> &[u8] {
        self.inner.pixels()
    }

    pub fn as_crop(&self) -> facecore::Result<AlignedFace> {
        AlignedFace::from_rgb(self.inner.width(), self.inner.height(), self.inner.pixels().to_vec())
    }
}

#[pymethods]
impl Image {
    /// Decodes a path, bytes, a file object or a data URI, or takes an array or a Pillow image.
    #[new]
    #[pyo3(signature = (source, *, color = None, apply_exif = true))]
    fn new(py: Python<'_>, source: &Bound<'_, PyAny>, color: Option<&str>, apply_exif: bool) -> PyResult<Self> {
        let source = Source::of(source, color, apply_exif)?;
        let options = DecodeOptions { apply_exif, ..DecodeOptions::default() };
        work(py, || source.into_image(&options)).map(Image::from)
    }

    /// In pixels.
    #[getter]
    fn width(&self) -> usize {
        self.inner.width()
    }

    /// In pixels.
    #[getter]
    fn height(&self) -> usize {
        self.inner.height()
    }

    /// An array of shape (height, width, 3); read-only, and not a copy.
    #[getter]
    fn pixels<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        as_array(slf.as_any())
    }

    fn __eq__(&self, other: &Image) -> bool {
        self.inner == other.inner
    }

    fn __hash__(&self) -> usize {
        // Equal images have equal sizes.
        self.inner.width() ^ self.inner.height().rotate_left(32)
    }

    fn __repr__(&self) -> String {
        format!("<Image of {} x {} pixels>", self.inner.width(), self.inner.height())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Restored<'py>)> {
        let inner = &slf.get().inner;
        let state = (inner.width(), inner.height(), PyBytes::new(slf.py(), inner.pixels()));
        Ok((slf.get_type().getattr("_restore")?, state))
    }

    /// The other half of `__reduce__`.
    #[staticmethod]
    fn _restore(py: Python<'_>, width: usize, height: usize, pixels: &[u8]) -> PyResult<Self> {
        work(py, || facecore::Image::from_rgb(width, height, pixels.to_vec())).map(Image::from)
    }

    /// # Safety
    ///
    /// Called by the interpreter, as the buffer protocol says.
    unsafe fn __getbuffer__(slf: &Bound<'_, Self>, view: *mut pyo3::ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let this = slf.get();
        let data = this.inner.pixels().as_ptr();
        // SAFETY: the view is the interpreter's. The object is frozen and objects do not move, so that pixels and
        // layout stay as they are as long as it lives; there are height x width x 3 bytes.
        unsafe { this.layout.lend(slf.as_any().clone(), data, view, flags) }
    }
}

type Restored<'py> = (usize, usize, Bound<'py, PyBytes>);
