//! JPEG to RGB pixels, as libjpeg-turbo decodes them.
//!
//! OpenCV, Pillow and with them the trainers of face models decode with libjpeg-turbo. Its inverse
//! transform, chroma interpolation and colour conversion are repeated bit for bit, because a pixel that
//! is three levels off is enough to swap two detections of nearly equal score.

use image::RgbImage;
use libjpeg_turbo_rs::{ColorSpace, DecodeLimits, Decoder, JpegError, PixelFormat};

use super::container;
use super::decode::{DecodeOptions, check_pixels};
use crate::error::{Error, ErrorKind, Result, fail};

/// Encoders write about ten scans for a progressive picture; every further one costs a pass over all
/// blocks, though it may be a few bytes short.
const MAX_SCANS: usize = 100;

/// The picture as it is stored, not turned.
///
/// Missing or undecodable data are an error here where libjpeg-turbo would warn and fill up with grey.
/// Damage that still decodes is not noticed: the codes carry no checksum. Bytes between segments or after
/// the end are none of the picture and pass.
pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<RgbImage> {
    let limits = DecodeLimits { max_pixels: options.max_pixels, max_scans: MAX_SCANS, ..DecodeLimits::default() };
    // This reads the segments only, no pixels.
    let mut decoder = Decoder::new_with_limits(bytes, limits).map_err(translate)?;
    let (width, height) = (decoder.header().width, decoder.header().height);
    check_pixels(width.into(), height.into(), options)?;
    if height == 0 {
        fail!(ImageCorrupt, "the JPEG does not say how high it is");
    }
    if !container::is_complete(bytes, image::ImageFormat::Jpeg) {
        fail!(ImageCorrupt, "the JPEG is cut short: its end is missing");
    }
    // As libjpeg does unless told otherwise, for progressive pictures whose last scans were left out.
    decoder.set_block_smoothing(true);
    let inks = matches!(decoder.jpeg_color_space(), ColorSpace::Cmyk | ColorSpace::Ycck);
    decoder.set_output_format(if inks { PixelFormat::Cmyk } else { PixelFormat::Rgb });
    let mut decoded = decoder.decode_image().map_err(translate)?;
    if inks {
        inks_to_rgb(&mut decoded.data);
    }
    match RgbImage::from_raw(decoded.width as u32, decoded.height as u32, decoded.data) {
        Some(image) => Ok(image),
        None => fail!(ImageCorrupt, "the JPEG says it is {width} x {height} pixels large"),
    }
}

/// In place, from the inverted inks that all programs store since Photoshop did, as Pillow does it.
fn inks_to_rgb(pixels: &mut Vec<u8>) {
    let count = pixels.len() / 4;
    for i in 0..count {
        let [cyan, magenta, yellow, paper] = std::array::from_fn(|channel| u32::from(pixels[4 * i + channel]));
        for (channel, light) in [cyan, magenta, yellow].into_iter().enumerate() {
            let taken = (255 - light) * paper + 128;
            pixels[3 * i + channel] = (paper - (((taken >> 8) + taken) >> 8)) as u8;
        }
    }
    pixels.truncate(3 * count);
}

fn translate(error: JpegError) -> Error {
    let (kind, message) = match &error {
        JpegError::LimitExceeded { .. } | JpegError::AllocationFailed { .. } => {
            (ErrorKind::ImageTooLarge, format!("the JPEG is beyond the limits: {error}"))
        }
        JpegError::Unsupported(_) => {
            (ErrorKind::ImageFormat, format!("a JPEG of a kind that is not supported: {error}"))
        }
        _ => (ErrorKind::ImageCorrupt, format!("the JPEG is damaged or cut short: {error}")),
    };
    Error::new(kind, message).with_source(error)
}
