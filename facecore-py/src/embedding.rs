//! Embeddings.

use std::ffi::c_int;
use std::hash::{DefaultHasher, Hash, Hasher};

use facecore::{EmbeddingSpace, ErrorKind};
use pyo3::buffer::PyUntypedBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffers::{Layout, as_array};
use crate::errors::raise;

/// A face as a point on the unit sphere. Made by a recognizer, or from numbers of your own.
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
    /// Normalises `values`. `space` names what they may be compared with, and `threshold` is the cosine from which
    /// on two faces are taken for the same person.
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

    /// The coordinates, of length 1 together, as float32; read-only, and not a copy.
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

    /// What it may be compared with.
    #[getter]
    fn space(&self) -> &str {
        self.inner.space().id()
    }

    /// The cosine from which on two faces are taken for the same person.
    #[getter]
    fn threshold(&self) -> f64 {
        as_written(self.inner.space().threshold())
    }

    /// The length the model gave it before it was normalised.
    #[getter]
    fn norm(&self) -> f32 {
        self.inner.norm()
    }

    /// Cosine of the angle between two embeddings, -1 to 1; higher is more alike.
    fn cosine(&self, py: Python<'_>, other: &Embedding) -> PyResult<f32> {
        self.inner.cosine(&other.inner).map_err(|error| raise(py, &error))
    }

    /// Euclidean distance, 0 to 2; lower is more alike.
    fn euclidean(&self, py: Python<'_>, other: &Embedding) -> PyResult<f32> {
        self.inner.euclidean(&other.inner).map_err(|error| raise(py, &error))
    }

    fn __len__(&self) -> usize {
        self.inner.dimension()
    }

    // The norm is not who it is. Anything else than an embedding may know whether it is equal.
    fn __eq__(&self, other: &Embedding) -> bool {
        self.inner.values() == other.inner.values() && self.inner.space() == other.inner.space()
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        // Equal numbers have equal hashes: -0.0 is 0.0.
        self.inner.values().iter().for_each(|value| (value + 0.0).to_bits().hash(&mut hasher));
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

/// Longer vectors are no embeddings: nothing is reserved for them.
const LONGEST: usize = 1 << 20;

/// Numbers of any array or sequence.
fn floats(values: &Bound<'_, PyAny>) -> PyResult<Vec<f32>> {
    if values.len().is_ok_and(|length| length > LONGEST) {
        let message = format!("an embedding has at most {LONGEST} values");
        return Err(raise(values.py(), &facecore::Error::new(ErrorKind::InvalidEmbedding, message)));
    }
    match PyUntypedBuffer::get(values) {
        // Other byte orders are read value by value.
        Ok(buffer) if buffer.dimensions() == 1 && matches!(buffer.format().to_bytes(), b"f" | b"@f" | b"=f") => {
            buffer.into_typed::<f32>()?.to_vec(values.py())
        }
        _ => values.extract(),
    }
}
