//! What an image may be given as.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use facecore::{DecodeOptions, Error, ErrorKind, ImageView, PixelFormat, Result};
use pyo3::buffer::{PyBuffer, PyUntypedBuffer};
use pyo3::exceptions::{PyException, PyMemoryError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::errors::{invalid, raise};
use crate::image::Image;

/// An image as it was given, to be looked at without the interpreter's lock.
pub enum Source {
    /// A file.
    Path(PathBuf),
    /// An encoded image.
    Encoded(Bytes),
    /// Somebody's pixels.
    Pixels(Pixels),
    /// Pixels decoded before.
    Image(Py<Image>),
}

/// Bytes of an encoded image. Those that others may write to are copied: decoders rely on what they have seen.
pub enum Bytes {
    Lent(PyBuffer<u8>),
    Copied(Vec<u8>),
}

/// An array's pixels.
pub struct Pixels {
    memory: Memory,
    width: usize,
    height: usize,
    /// Bytes from one row to the next.
    stride: usize,
    format: PixelFormat,
}

enum Memory {
    Lent(PyBuffer<u8>),
    Copied(Vec<u8>),
}

impl Bytes {
    fn of(py: Python<'_>, buffer: PyBuffer<u8>) -> PyResult<Bytes> {
        let lent = buffer.readonly() && buffer.is_c_contiguous();
        if lent { Ok(Bytes::Lent(buffer)) } else { buffer.to_vec(py).map(Bytes::Copied) }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            // SAFETY: the buffer is contiguous, read-only (see `Bytes::of`), and held until `self` goes.
            Bytes::Lent(buffer) => unsafe {
                std::slice::from_raw_parts(buffer.buf_ptr().cast::<u8>().cast_const(), buffer.len_bytes())
            },
            Bytes::Copied(bytes) => bytes,
        }
    }
}

impl Memory {
    fn bytes(&self, length: usize) -> &[u8] {
        match self {
            // SAFETY: the rows were found to lie `stride` apart, each packed, the last one ending `length` bytes from
            // the start; the buffer is held until `self` goes. That nobody writes to the array meanwhile, from another
            // thread, is the caller's part, as with every library that takes arrays without copying them; what is
            // computed from pixels never becomes an index or a length, so that torn pixels give a wrong answer.
            Memory::Lent(buffer) => unsafe {
                std::slice::from_raw_parts(buffer.buf_ptr().cast::<u8>().cast_const(), length)
            },
            Memory::Copied(bytes) => bytes,
        }
    }
}

impl Source {
    /// Takes a path, encoded bytes, an array of pixels (with its `color`), an [`Image`], or what the package turns
    /// into one of these: a file object, a PIL image, a data URI. Whatever goes wrong is an error of facecore's, so
    /// that one bad image of many is known as that.
    pub fn of(given: &Bound<'_, PyAny>, color: Option<&str>, apply_exif: bool) -> PyResult<Source> {
        let py = given.py();
        Source::taken(given, color, apply_exif).map_err(|error| {
            if error.is_instance_of::<PyException>(py) && !error.is_instance_of::<PyMemoryError>(py) {
                refusal(py, error)
            } else {
                error
            }
        })
    }

    fn taken(given: &Bound<'_, PyAny>, color: Option<&str>, apply_exif: bool) -> PyResult<Source> {
        let py = given.py();
        if let Ok(image) = given.cast::<Image>() {
            return Ok(Source::Image(image.clone().unbind()));
        }
        if let Ok(text) = given.cast::<PyString>() {
            if !text.to_str().is_ok_and(|text| text.starts_with("data:")) {
                return Ok(Source::Path(given.extract()?));
            }
        } else if let Ok(bytes) = given.cast::<PyBytes>() {
            return Bytes::of(py, PyBuffer::get(bytes)?).map(Source::Encoded);
        } else if let Ok(buffer) = PyUntypedBuffer::get(given) {
            return of_buffer(given, buffer, color);
        } else if given.hasattr("__fspath__")? {
            return Ok(Source::Path(given.extract()?));
        }
        let (simpler, color): (Bound<'_, PyAny>, Option<String>) =
            py.import("facecore._images")?.call_method1("simplify", (given, apply_exif))?.extract()?;
        let buffer = PyUntypedBuffer::get(&simpler)?;
        of_buffer(&simpler, buffer, color.as_deref())
    }

    /// Gives `task` the pixels and what decoding took. An error names the file.
    pub fn view<T>(
        &self,
        options: &DecodeOptions,
        task: impl FnOnce(ImageView<'_>, Duration) -> Result<T>,
    ) -> Result<T> {
        let start = Instant::now();
        match self {
            Source::Image(image) => task(image.get().view(), Duration::ZERO),
            Source::Pixels(pixels) => task(pixels.view()?, Duration::ZERO),
            Source::Encoded(bytes) => {
                let image = facecore::Image::from_bytes_with(bytes.bytes(), options)?;
                task(image.view(), start.elapsed())
            }
            Source::Path(path) => {
                let image = facecore::Image::open_with(path, options)?;
                let decode = start.elapsed();
                task(image.view(), decode).map_err(|error| error.context(path.display().to_string()))
            }
        }
    }

    /// Decoded, and with the library's own pixels.
    pub fn into_image(self, options: &DecodeOptions) -> Result<facecore::Image> {
        match self {
            Source::Path(path) => facecore::Image::open_with(path, options),
            Source::Encoded(bytes) => facecore::Image::from_bytes_with(bytes.bytes(), options),
            Source::Pixels(pixels) => pixels.view()?.to_image(),
            Source::Image(image) => {
                let view = image.get().view();
                facecore::Image::from_rgb(view.width(), view.height(), image.get().rgb().to_vec())
            }
        }
    }
}

impl Pixels {
    fn view(&self) -> Result<ImageView<'_>> {
        let row = self.width * self.format.bytes_per_pixel();
        let length = if self.height == 0 { 0 } else { self.stride * (self.height - 1) + row };
        ImageView::new(self.memory.bytes(length), self.width, self.height, self.stride, self.format)
    }
}

fn of_buffer(given: &Bound<'_, PyAny>, buffer: PyUntypedBuffer, color: Option<&str>) -> PyResult<Source> {
    let py = given.py();
    let shape = buffer.shape().to_vec();
    let Ok(buffer) = buffer.into_typed::<u8>() else {
        if shape.len() < 2 {
            return Err(invalid(py, "a vector of numbers is no image; facecore.Embedding makes an embedding of it"));
        }
        let message = "pixels are unsigned bytes (dtype uint8), 0 to 255; convert with .astype(\"uint8\"), after \
                       multiplying by 255 if they are 0 to 1";
        return Err(raise(py, &Error::new(ErrorKind::ImageLayout, message)));
    };
    let (height, width, channels) = match *shape {
        [_] => return Bytes::of(py, buffer).map(Source::Encoded),
        [height, width] => (height, width, 1),
        [height, width, channels] => (height, width, channels),
        _ => {
            let message = format!("an image has the shape (height, width) or (height, width, channels), not {shape:?}");
            return Err(raise(py, &Error::new(ErrorKind::ImageLayout, message)));
        }
    };
    let format = format_of(py, color, channels)?;
    let packed = width * channels;
    let inner_is_packed = match *buffer.strides() {
        // Rows behind pointers.
        _ if buffer.suboffsets().is_some() => false,
        [_, pixel] => pixel == 1 || width <= 1,
        [_, pixel, byte] => (byte == 1 || channels == 1) && (pixel == channels as isize || width <= 1),
        _ => false,
    };
    // Rows of a flipped array go backwards, and rows that are repeated overlap: these are copied.
    let stride = usize::try_from(buffer.strides()[0]).ok().filter(|stride| *stride >= packed && inner_is_packed);
    let (memory, stride) = match stride {
        Some(stride) => (Memory::Lent(buffer), stride),
        None if height == 1 && inner_is_packed => (Memory::Lent(buffer), packed),
        None => {
            // An array may claim more than there is memory, by repeating itself.
            let most = DecodeOptions::default().max_pixels;
            if (width as u64).checked_mul(height as u64).is_none_or(|pixels| pixels > most) {
                let message = format!("an array of {width} x {height} pixels is not copied, {most} at most are");
                return Err(raise(py, &Error::new(ErrorKind::ImageTooLarge, message)));
            }
            (Memory::Copied(buffer.to_vec(py)?), packed)
        }
    };
    Ok(Source::Pixels(Pixels { memory, width, height, stride, format }))
}

/// The error of facecore's for what Python raised while an image was taken.
fn refusal(py: Python<'_>, error: PyErr) -> PyErr {
    let refused = py.import("facecore._errors").and_then(|errors| errors.call_method1("refusal", (error.value(py),)));
    refused.map_or(error, PyErr::from_value)
}

fn format_of(py: Python<'_>, color: Option<&str>, channels: usize) -> PyResult<PixelFormat> {
    let Some(color) = color else {
        let message = "an array does not say the order of its colours: pass color=\"rgb\" (Pillow, imageio, \
                       scikit-image), color=\"bgr\" (OpenCV), \"rgba\", \"bgra\" or \"gray\"";
        return Err(invalid(py, message));
    };
    let format = match color.to_ascii_lowercase().as_str() {
        "rgb" => PixelFormat::Rgb,
        "bgr" => PixelFormat::Bgr,
        "rgba" => PixelFormat::Rgba,
        "bgra" => PixelFormat::Bgra,
        "gray" | "grey" => PixelFormat::Gray,
        _ => return Err(invalid(py, format!("there is no color `{color}`; known are rgb, bgr, rgba, bgra, gray"))),
    };
    if format.bytes_per_pixel() != channels {
        let message = format!(
            "an image of color `{color}` has {} channels, as the last axis of its shape, not {channels}",
            format.bytes_per_pixel()
        );
        return Err(raise(py, &Error::new(ErrorKind::ImageLayout, message)));
    }
    Ok(format)
}
