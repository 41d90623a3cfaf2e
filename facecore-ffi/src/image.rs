//! Pixels: the caller's, and decoded pictures.

use std::ffi::c_char;

use facecore::{DecodeOptions, Error, ErrorKind, Image, ImageView, PixelFormat, Result, Rotation};

use crate::handle::{Out, free, handle, null, value};
use crate::input::{self, OutStruct, choice, read_options, read_struct, slice, versioned};
use crate::status::guard;

/// 3 bytes a pixel: red, green, blue.
pub const FACECORE_RGB: i32 = 0;
/// 3 bytes a pixel: blue, green, red (OpenCV's order).
pub const FACECORE_BGR: i32 = 1;
/// 4 bytes a pixel: red, green, blue, alpha; alpha is ignored.
pub const FACECORE_RGBA: i32 = 2;
/// 4 bytes a pixel: blue, green, red, alpha; alpha is ignored.
pub const FACECORE_BGRA: i32 = 3;
/// 1 byte a pixel.
pub const FACECORE_GRAY: i32 = 4;
/// A plane of luma, then a plane of half width and height holding (U, V) pairs. BT.601, full range, as phone cameras
/// deliver it.
pub const FACECORE_NV12: i32 = 5;
/// As `FACECORE_NV12` with (V, U) pairs: Android's camera default.
pub const FACECORE_NV21: i32 = 6;

const FORMATS: [PixelFormat; 7] = [
    PixelFormat::Rgb,
    PixelFormat::Bgr,
    PixelFormat::Rgba,
    PixelFormat::Bgra,
    PixelFormat::Gray,
    PixelFormat::Nv12,
    PixelFormat::Nv21,
];

/// The caller's pixels, 8 bits a channel, used where they lie: nothing is copied, and they must not change during a call
/// that is given them. Set `struct_size`; everything else that is 0 or NULL has the meaning said.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_image {
    /// `sizeof(facecore_image)`.
    pub struct_size: usize,
    /// The first byte of the first row.
    pub data: *const u8,
    /// How many bytes may be read from `data`.
    pub len: usize,
    /// Pixels in a row, as stored; at least 1.
    pub width: usize,
    /// Rows, as stored; at least 1.
    pub height: usize,
    /// Bytes from the start of one row to that of the next; 0 if rows have no gaps between them. The last row need not
    /// have the gap after it.
    pub stride: usize,
    /// `FACECORE_RGB`, `FACECORE_BGR`, `FACECORE_RGBA`, `FACECORE_BGRA`, `FACECORE_GRAY`, `FACECORE_NV12` or
    /// `FACECORE_NV21`.
    pub format: i32,
    /// How the stored pixels must be turned, clockwise, to stand upright: 0, 90, 180 or 270 degrees. Whatever is found
    /// is told in pixels of the upright image.
    pub rotation: i32,
    /// The plane of colour of `FACECORE_NV12` and `FACECORE_NV21`; NULL if it follows `stride * height` bytes after
    /// `data` with rows as far apart (with a `stride` of 0 and an odd width, one byte further). Android's U and V planes
    /// are one such plane, and each of their buffers lacks a byte of it: give the one that begins first, and a
    /// `chroma_len` with the byte that the other one ends with.
    pub chroma: *const u8,
    /// How many bytes may be read from `chroma`.
    pub chroma_len: usize,
    /// Bytes from one row of `chroma` to the next; 0 if rows have no gaps between them.
    pub chroma_stride: usize,
}

/// How pictures are decoded. All zero is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_decode_options {
    /// `sizeof(facecore_decode_options)`.
    pub struct_size: usize,
    /// 1 leaves the picture as it is stored; 0 turns and flips it as its EXIF orientation says.
    pub ignore_exif: i32,
    /// The most pixels a picture may have; 0 stands for 128 million.
    pub max_pixels: u64,
    /// The most bytes the encoded picture may have; 0 stands for 256 MiB.
    pub max_bytes: u64,
}

versioned!(facecore_image, facecore_decode_options);

/// A decoded picture, or a crop: upright, red, green, blue, 3 bytes a pixel, without gaps between rows.
pub struct facecore_picture(Image);
handle!(facecore_picture, Image, "picture");

/// The pixels of an image of the caller's.
///
/// # Safety
///
/// As the header says of `facecore_image`.
pub(crate) unsafe fn view<'a>(image: *const facecore_image) -> Result<ImageView<'a>> {
    view_of(&read_struct(image)?)
}

pub(crate) unsafe fn view_of<'a>(image: &facecore_image) -> Result<ImageView<'a>> {
    let format = choice(image.format, &FORMATS, "format of the image")?;
    let Ok(degrees) = u32::try_from(image.rotation) else {
        let message = format!("a rotation is 0, 90, 180 or 270 degrees clockwise, not {}", image.rotation);
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    };
    let rotation = Rotation::from_degrees(degrees)?;
    let (width, height) = (image.width, image.height);
    if image.data.is_null() {
        return Err(null("data of the image"));
    }
    let pixels = slice(image.data, image.len, "data of the image")?;
    let view = if !image.chroma.is_null() {
        let or = |stride: usize, packed: usize| if stride == 0 { packed } else { stride };
        let (stride, chroma_stride) =
            (or(image.stride, width), or(image.chroma_stride, width.saturating_add(width % 2)));
        let chroma = slice(image.chroma, image.chroma_len, "chroma of the image")?;
        ImageView::semi_planar(pixels, stride, chroma, chroma_stride, width, height, format)
    } else if image.stride == 0 {
        ImageView::packed(pixels, width, height, format)
    } else {
        ImageView::new(pixels, width, height, image.stride, format)
    };
    Ok(view?.rotated(rotation))
}

pub(crate) unsafe fn decode_options(options: *const facecore_decode_options) -> Result<DecodeOptions> {
    let options = read_options(options)?;
    let usual = DecodeOptions::default();
    let or = |given: u64, usual: u64| if given == 0 { usual } else { given };
    Ok(DecodeOptions {
        apply_exif: options.ignore_exif == 0,
        max_pixels: or(options.max_pixels, usual.max_pixels),
        max_bytes: or(options.max_bytes, usual.max_bytes),
    })
}

/// Decodes a picture file: JPEG, PNG, WebP, BMP or GIF, by its content. `options` may be NULL.
///
/// Errors: `FACECORE_IO`, `FACECORE_IMAGE_FORMAT`, `FACECORE_IMAGE_CORRUPT`, `FACECORE_IMAGE_TOO_LARGE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_picture_open(
    path: *const c_char,
    options: *const facecore_decode_options,
    picture: *mut *mut facecore_picture,
) -> i32 {
    guard(|| {
        let out = Out::new(picture, "picture")?;
        out.give(Image::open_with(input::path(path, "path")?, &decode_options(options)?)?);
        Ok(())
    })
}

/// Decodes a picture that is in memory, as `facecore_picture_open` does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_picture_decode(
    bytes: *const u8,
    len: usize,
    options: *const facecore_decode_options,
    picture: *mut *mut facecore_picture,
) -> i32 {
    guard(|| {
        let out = Out::new(picture, "picture")?;
        let bytes = encoded(bytes, len)?;
        out.give(Image::from_bytes_with(bytes, &decode_options(options)?)?);
        Ok(())
    })
}

/// The bytes of an encoded picture. Here NULL is a mistake also of no bytes.
pub(crate) unsafe fn encoded<'a>(bytes: *const u8, len: usize) -> Result<&'a [u8]> {
    if bytes.is_null() { Err(null("bytes of the picture")) } else { slice(bytes, len, "bytes") }
}

/// Copies an image of the caller's, upright, so that it outlives its buffer.
///
/// Errors: `FACECORE_IMAGE_LAYOUT`, `FACECORE_IMAGE_TOO_LARGE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_picture_copy(
    image: *const facecore_image,
    picture: *mut *mut facecore_picture,
) -> i32 {
    guard(|| {
        let out = Out::new(picture, "picture")?;
        out.give(view(image)?.to_image()?);
        Ok(())
    })
}

/// A picture's pixels as an image to hand to other functions. They are the picture's own memory and live as long as it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_picture_image(picture: *const facecore_picture, image: *mut facecore_image) -> i32 {
    guard(|| {
        let out = OutStruct::new(image)?;
        let picture = value(picture)?;
        out.write(&facecore_image {
            struct_size: 0,
            data: picture.pixels().as_ptr(),
            len: picture.pixels().len(),
            width: picture.width(),
            height: picture.height(),
            stride: picture.width() * 3,
            format: FACECORE_RGB,
            rotation: 0,
            chroma: std::ptr::null(),
            chroma_len: 0,
            chroma_stride: 0,
        });
        Ok(())
    })
}

/// Frees a picture. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_picture_free(picture: *mut facecore_picture) {
    free(picture);
}
