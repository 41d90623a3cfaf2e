//! Embeddings.

use std::ffi::c_int;
use std::hash::{DefaultHasher, Hash, Hasher};

use facecore::{EmbeddingSpace, ErrorKind};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffers::{Layout, as_array};
use crate::errors::raise;

/// A face as a point on the unit sphere.
#[pyclass(frozen, module = "facecore")]
pub struct Embedding {
    pub inner: facecore::Embedding,
    layout: Layout<1>,
}

impl From<facecore::Embedding> for Embedding {
    fn from(inner: facecore::Embedding) -> Self {
        let layout = Layout::packed([inner.dimension()], c"f", size_of::<f32>());
        Embedding { inner, layout }
    }
}

#[pymethods]
impl Embedding {
    #[new]
    #[pyo3(signature = (values, space, *, threshold))]
    fn new(py: Python<'_>, values: &Bound<'_, PyAny>, space: &str, threshold: f32) -> PyResult<Self> {
        let values = floats(values)?;
        let made = facecore::Embedding::from_raw(values, EmbeddingSpace::new(space, threshold));
        made.map(Embedding::from).map_err(|error| raise(py, &error))
    }

    /// The other half of `__reduce__`.
    #[staticmethod]
    fn _restore(py: Python<'_>, bytes: &[u8], norm: f32, space: &str, threshold: f32) -> PyResult<Self> {
        let (values, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            let error = facecore::Error::new(ErrorKind::InvalidEmbedding, "a pickled embedding was cut");
            return Err(raise(py, &error));
        }
        let values: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        let made = facecore::Embedding::from_stored(values, norm, EmbeddingSpace::new(space, threshold));
        made.map(Embedding::from).map_err(|error| raise(py, &error))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Restored<'py>)> {
        let inner = &slf.get().inner;
        let bytes: Vec<u8> = inner.values().iter().flat_map(|value| value.to_le_bytes()).collect();
        let state =
            (PyBytes::new(slf.py(), &bytes), inner.norm(), inner.space().id().to_owned(), inner.space().threshold());
        Ok((slf.get_type().getattr("_restore")?, state))
    }

    #[getter]
    fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        as_array(slf.as_any())
    }

    #[pyo3(signature = (dtype = None, *, copy = None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = as_array(slf.as_any())?;
        match (dtype, copy) {
            (Some(dtype), _) if !dtype.is_none() => array.call_method1("astype", (dtype,)),
            (_, Some(true)) => array.call_method0("copy"),
            _ => Ok(array),
        }
    }

    #[getter]
    fn space(&self) -> &str {
        self.inner.space().id()
    }

    #[getter]
    fn threshold(&self) -> f64 {
        as_written(self.inner.space().threshold())
    }

    #[getter]
    fn norm(&self) -> f32 {
        self.inner.norm()
    }

    fn cosine(&self, py: Python<'_>, other: &Embedding) -> PyResult<f32> {
        self.inner.cosine(&other.inner).map_err(|error| raise(py, &error))
    }

    fn euclidean(&self, py: Python<'_>, other: &Embedding) -> PyResult<f32> {
        self.inner.euclidean(&other.inner).map_err(|error| raise(py, &error))
    }

    fn __len__(&self) -> usize {
        self.inner.dimension()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let same =
            |other: &facecore::Embedding| other.values() == self.inner.values() && other.space() == self.inner.space();
        other.cast::<Embedding>().is_ok_and(|other| same(&other.get().inner))
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.inner.values().iter().for_each(|value| value.to_bits().hash(&mut hasher));
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        // Biometric data: the coordinates do not belong in logs.
        format!("<Embedding of {} dimensions in {}>", self.inner.dimension(), self.inner.space().id())
    }

    /// # Safety
    ///
    /// Called by the interpreter, as the buffer protocol says.
    unsafe fn __getbuffer__(slf: &Bound<'_, Self>, view: *mut pyo3::ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let this = slf.get();
        let data = this.inner.values().as_ptr().cast();
        // SAFETY: the view is the interpreter's. The object is frozen and objects do not move, so that values and
        // layout stay as they are as long as it lives; the layout has as many items as there are values.
        unsafe { this.layout.lend(slf.as_any().clone(), data, view, flags) }
    }
}

type Restored<'py> = (Bound<'py, PyBytes>, f32, String, f32);

/// The number that a person would write for it: 0.4, not 0.4000000059604645.
pub fn as_written(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// Numbers of any array or sequence.
fn floats(values: &Bound<'_, PyAny>) -> PyResult<Vec<f32>> {
    match PyBuffer::<f32>::get(values) {
        Ok(buffer) if buffer.dimensions() == 1 => buffer.to_vec(values.py()),
        _ => values.extract(),
    }
}
