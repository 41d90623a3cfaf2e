//! What an encoded file says of itself without being decoded: its format, its end, its orientation.

use image::ImageFormat;

use crate::error::{Result, fail};

pub(super) const SUPPORTED: &str = "JPEG, PNG, WebP, BMP or GIF";

/// What the bytes are, by how they begin.
pub(super) fn sniff(bytes: &[u8]) -> Result<ImageFormat> {
    if bytes.is_empty() {
        fail!(ImageCorrupt, "the image is empty: zero bytes");
    }
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Ok(ImageFormat::Jpeg),
        [0x89, b'P', b'N', b'G', ..] => Ok(ImageFormat::Png),
        [b'G', b'I', b'F', b'8', ..] => Ok(ImageFormat::Gif),
        [b'B', b'M', ..] => Ok(ImageFormat::Bmp),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(ImageFormat::WebP),
        _ => match foreign(bytes) {
            Some(what) => fail!(ImageFormat, "this looks like {what}; convert it to {SUPPORTED}"),
            None => fail!(ImageFormat, "these bytes are no image in a supported format ({SUPPORTED})"),
        },
    }
}

/// Names what people pass by mistake.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => Some(match brand.get(..4)? {
            b"avif" | b"avis" => "an AVIF image",
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => {
                "a HEIC image, as iPhones take them"
            }
            _ => "a video (MP4 or QuickTime)",
        }),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some("a TIFF image or a camera's raw file"),
        [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some("a JPEG XL image"),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] => Some("a JPEG 2000 image"),
        [b'%', b'P', b'D', b'F', ..] => Some("a PDF document"),
        [b'8', b'B', b'P', b'S', ..] => Some("a Photoshop document"),
        [b'P', b'K', 3, 4, ..] => Some("a ZIP archive"),
        [b'R', b'I', b'F', b'F', ..] => Some("a video or sound file (RIFF)"),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => Some("a video (Matroska or WebM)"),
        _ => {
            let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
            let begins = |tag: &[u8]| start.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
            if begins(b"<!doctype html") || begins(b"<html") {
                Some("an HTML page (an error page instead of the image?)")
            } else if begins(b"<svg") || begins(b"<?xml") {
                Some("an SVG or another XML file")
            } else {
                None
            }
        }
    }
}

/// Whether the file reaches its own end, for the formats whose decoders do not insist on that: a cut
/// JPEG would be filled up with grey and called a success, and a cut PNG or WebP can lose the note that
/// turns it upright. A picture with a missing part is a wrong answer. Anything may follow the end.
pub(super) fn is_complete(bytes: &[u8], format: ImageFormat) -> bool {
    match format {
        ImageFormat::Jpeg => {
            let mut seen_data = false;
            jpeg_segments(bytes).any(|(marker, _)| {
                seen_data |= marker == START_OF_DATA;
                marker == END_OF_JPEG && seen_data
            })
        }
        ImageFormat::Png => png_chunks(bytes).any(|(kind, _)| kind == b"IEND"),
        ImageFormat::WebP => match bytes {
            [_, _, _, _, a, b, c, d, rest @ ..] => rest.len() as u64 >= u64::from(u32::from_le_bytes([*a, *b, *c, *d])),
            _ => false,
        },
        _ => true,
    }
}

/// The EXIF data, which begin with the byte order, where the format has them.
///
/// Found here rather than by the decoders: PNG's overlooks them behind the pixels, where some programs
/// put them, and WebP's takes as much memory as a damaged chunk claims to need.
pub(super) fn exif(bytes: &[u8], format: ImageFormat) -> Option<&[u8]> {
    const JPEG_PREFIX: &[u8] = b"Exif\0\0";
    match format {
        ImageFormat::Jpeg => jpeg_segments(bytes)
            .take_while(|(marker, _)| *marker != START_OF_DATA)
            .filter(|(marker, _)| *marker == JPEG_APP1)
            .find_map(|(_, data)| data.strip_prefix(JPEG_PREFIX)),
        ImageFormat::Png => png_chunks(bytes).find(|(kind, _)| *kind == b"eXIf").map(|(_, data)| data),
        ImageFormat::WebP => {
            let (_, data) = webp_chunks(bytes).find(|(kind, _)| *kind == b"EXIF")?;
            // Writers disagree on whether JPEG's prefix belongs there.
            Some(data.strip_prefix(JPEG_PREFIX).unwrap_or(data))
        }
        _ => None,
    }
}

const START_OF_DATA: u8 = 0xDA;
const END_OF_JPEG: u8 = 0xD9;
const JPEG_APP1: u8 = 0xE1;

/// The markers of a JPEG with what belongs to them, up to its end or where it is cut short.
///
/// Whatever follows the end is none of the picture: phones append further images and videos. Thumbnails
/// have ends of their own, but lie inside header segments, which are skipped whole.
fn jpeg_segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes.get(2..).unwrap_or_default();
    std::iter::from_fn(move || {
        loop {
            let found = rest.iter().position(|&byte| byte == 0xFF)?;
            let (&marker, after) = rest.get(found + 1..)?.split_first()?;
            match marker {
                // A fill byte: the marker may start at the next one.
                0xFF => rest = &rest[found + 1..],
                // No marker but an escaped 0xFF of the data; markers without a segment: TEM, restarts, SOI.
                0x00 | 0x01 | 0xD0..=0xD8 => rest = after,
                END_OF_JPEG => {
                    rest = &[];
                    return Some((marker, rest));
                }
                _ => {
                    // The length counts its own two bytes.
                    let (length, after) = after.split_first_chunk::<2>()?;
                    let length = usize::from(u16::from_be_bytes(*length)).saturating_sub(2);
                    let (data, after) = after.split_at_checked(length)?;
                    rest = after;
                    return Some((marker, data));
                }
            }
        }
    })
}

/// The kinds and contents of a PNG's chunks, up to its end or where it is cut short.
fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let (data, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        // A checksum follows, which the decoder verifies.
        rest = if kind == b"IEND" { &[] } else { after.get(4..)? };
        Some((kind, data))
    })
}

/// The kinds and contents of a WebP's chunks, up to its end or where it is cut short.
fn webp_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (kind, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let (data, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        // Chunks start at even positions.
        rest = after.get(data.len() % 2..).unwrap_or_default();
        Some((kind, data))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn foreign_formats_are_named() {
        let foreign: [(&[u8], &str); 8] = [
            (b"\0\0\0\x18ftypheic\0\0", "HEIC"),
            (b"\0\0\0\x18ftypavif\0\0", "AVIF"),
            (b"\0\0\0\x18ftypisom\0\0", "MP4"),
            (b"II*\0\x08\0\0\0", "TIFF"),
            (b"%PDF-1.7", "PDF"),
            (b"\n <!DOCTYPE html><html>", "HTML"),
            (b"<?xml version='1.0'?><svg/>", "SVG"),
            (b"\xFF\x0A\0\0", "JPEG XL"),
        ];
        for (bytes, name) in foreign {
            let error = sniff(bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ImageFormat);
            assert!(error.message().contains(name) && error.message().contains(SUPPORTED), "{error}");
        }
    }
}
