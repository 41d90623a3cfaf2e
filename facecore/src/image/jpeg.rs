//! JPEG to RGB pixels, as libjpeg-turbo decodes them.
//!
//! OpenCV, Pillow and with them the trainers of face models decode with libjpeg-turbo. Its inverse
//! transform, chroma interpolation and colour conversion are repeated bit for bit, because a pixel that
//! is three levels off is enough to swap two detections of nearly equal score.

use image::{ImageFormat, RgbImage};
use libjpeg_turbo_rs::decode::marker::MarkerReader;
use libjpeg_turbo_rs::{ColorSpace, DecodeLimits, Decoder, JpegError, PixelFormat};

use super::container;
use super::decode::{DecodeOptions, check_pixels};
use super::jpeg_scan;
use crate::error::{Error, ErrorKind, Result, fail};

/// Encoders write about ten scans for a progressive picture; every further one costs a pass over all
/// blocks, though it may be a few bytes short.
const MAX_SCANS: usize = 100;

/// The picture as it is stored, not turned. 12 bits become 8; lossless JPEGs are read as well.
///
/// Missing or undecodable data are an error here where libjpeg-turbo would warn and fill up with grey;
/// bytes between segments or after the end are none of the picture and pass.
pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<RgbImage> {
    // This reads the segments only, no pixels.
    let mut reader = MarkerReader::new(bytes);
    reader.set_scan_cap(MAX_SCANS);
    let metadata = reader.read_markers().map_err(translate)?;
    let frame = &metadata.frame;
    check_pixels(frame.width.into(), frame.height.into(), options)?;
    if !container::is_complete(bytes, ImageFormat::Jpeg) {
        fail!(ImageCorrupt, "the JPEG is cut short: its end is missing");
    }
    if metadata.is_arithmetic {
        // Its decoders cannot tell a missing part from data that end in zeros; hardly anything writes it.
        fail!(ImageFormat, "a JPEG of a kind that is not supported: arithmetic coding");
    }
    jpeg_scan::check(bytes, &metadata)?;

    let limits = DecodeLimits { max_pixels: options.max_pixels, max_scans: MAX_SCANS, ..DecodeLimits::default() };
    let mut decoder = Decoder::new_with_limits(bytes, limits).map_err(translate)?;
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
        None => fail!(ImageCorrupt, "the JPEG says it is {} x {} pixels large", frame.width, frame.height),
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

#[cfg(test)]
mod tests {
    use libjpeg_turbo_rs::{Encoder, Subsampling};

    use super::*;
    use crate::image::Image;

    const WIDTH: usize = 256;
    const HEIGHT: usize = 192;

    /// Waves of growing frequency under noise: something for all coefficients.
    fn photo() -> Vec<u8> {
        let mut state = 7u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 27) as f64
        };
        let wave = |at: usize, period: f64| ((at * at) as f64 / period).sin() * 50.0;
        (0..WIDTH * HEIGHT * 3)
            .map(|i| (120.0 + wave(i / 3 % WIDTH, 900.0) + wave(i / 3 / WIDTH, 700.0) + noise()) as u8)
            .collect()
    }

    fn encoder(pixels: &[u8]) -> Encoder<'_> {
        Encoder::new(pixels, WIDTH, HEIGHT, PixelFormat::Rgb).quality(90).subsampling(Subsampling::S420)
    }

    /// Every way a photo may be encoded, and where its first scan's data begin.
    fn photos() -> Vec<(&'static str, Vec<u8>, usize)> {
        let pixels = photo();
        [
            ("baseline", encoder(&pixels)),
            ("optimised", encoder(&pixels).optimize_huffman(true)),
            ("progressive", encoder(&pixels).progressive(true)),
            ("restarts", encoder(&pixels).restart_rows(1)),
        ]
        .map(|(kind, encoder)| {
            let jpeg = encoder.encode().unwrap();
            let start = MarkerReader::new(&jpeg).read_markers().unwrap().entropy_data_offset;
            (kind, jpeg, start)
        })
        .into()
    }

    fn refused(what: &str, jpeg: &[u8], kind: ErrorKind) {
        match Image::from_bytes(jpeg) {
            Ok(_) => panic!("{what} was taken"),
            Err(error) => assert_eq!(error.kind(), kind, "{what}: {error}"),
        }
    }

    #[test]
    fn pixels_are_those_of_libjpeg_turbo() {
        // PIL.Image.open(name).convert("RGB").getpixel((x, y)), Pillow 13.0 with libjpeg-turbo 3.2: beside
        // the edges between the quarters, where the interpolation of colours shows.
        let reference = [
            ("jpeg_named.png", (31, 15), [127, 63, 63]),
            ("jpeg_named.png", (32, 16), [207, 219, 119]),
            ("jpeg_named.png", (30, 17), [40, 60, 209]),
            ("progressive.jpg", (31, 15), [127, 63, 63]),
            ("progressive.jpg", (32, 16), [207, 219, 119]),
            ("cmyk_adobe.jpg", (31, 15), [200, 30, 40]),
            ("cmyk_adobe.jpg", (30, 17), [40, 60, 210]),
            ("ycck_adobe.jpg", (31, 15), [200, 30, 41]),
            ("ycck_adobe.jpg", (32, 16), [240, 221, 32]),
            ("ycck_adobe.jpg", (30, 17), [42, 60, 210]),
        ];
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/images/");
        for (name, at, expected) in reference {
            let image = Image::open(format!("{folder}{name}")).unwrap();
            let pixel = (at.1 * image.width() + at.0) * 3;
            assert_eq!(image.pixels()[pixel..pixel + 3], expected, "{name} at {at:?}");
        }
    }

    #[test]
    fn oddities_that_cost_nothing_are_read() {
        for (kind, jpeg, start) in photos() {
            let whole = Image::from_bytes(&jpeg).unwrap();
            let (body, end) = jpeg.split_at(jpeg.len() - 2);
            let first_scan = jpeg[..start].windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
            for (what, odd) in [
                ("bytes before the end", [body, b"abcd", end].concat()),
                ("fill bytes before the end", [body, &[0xFF; 3], end].concat()),
                ("zeros after the end", [&jpeg, &[0; 5000][..]].concat()),
                ("another picture after the end", [&jpeg[..], &jpeg[..]].concat()),
                ("bytes before a segment", [&jpeg[..first_scan], b"abcd", &jpeg[first_scan..]].concat()),
                ("an empty comment", [&jpeg[..first_scan], b"\xFF\xFE\0\x02", &jpeg[first_scan..]].concat()),
            ] {
                let image = Image::from_bytes(&odd).unwrap_or_else(|error| panic!("{kind}, {what}: {error}"));
                assert!(image == whole, "{kind}, {what}");
            }
        }
    }

    #[test]
    fn missing_parts_are_no_grey_areas() {
        for (kind, jpeg, start) in photos() {
            let end = jpeg.len() - 2;
            for eighth in 0..8 {
                let at = start + (end - start) * (2 * eighth + 1) / 16;
                let what = format!("{kind} at {at} of {end}");
                let hole = (end - at).min(700);
                refused(&format!("{what}, early end"), &[&jpeg[..at], &[0xFF, 0xD9]].concat(), ErrorKind::ImageCorrupt);
                refused(&format!("{what}, no end"), &jpeg[..at], ErrorKind::ImageCorrupt);
                refused(
                    &format!("{what}, zeros"),
                    &[&jpeg[..at], &vec![0; hole], &jpeg[at + hole..]].concat(),
                    ErrorKind::ImageCorrupt,
                );
                // What is cut out of a progressive file may be a whole scan of details.
                if kind != "progressive" {
                    let cut = [&jpeg[..at], &jpeg[at + hole..]].concat();
                    refused(&format!("{what}, part cut out"), &cut, ErrorKind::ImageCorrupt);
                }
            }
        }
    }

    /// Damage that decodes to another picture of the same length cannot be seen: in half of the scans of
    /// a progressive picture, and where little was changed.
    #[test]
    fn overwritten_parts_are_noticed() {
        let mut state = 99u32;
        for (kind, jpeg, start) in photos() {
            let noticed = (0..40)
                .filter(|i| {
                    let mut damaged = jpeg.clone();
                    let at = start + (jpeg.len() - start - 600) * i / 40;
                    for byte in &mut damaged[at..at + 400] {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        *byte = (state >> 24) as u8 & 0xFE;
                    }
                    match Image::from_bytes(&damaged) {
                        Ok(_) => false,
                        Err(error) => error.kind() == ErrorKind::ImageCorrupt,
                    }
                })
                .count();
            let least = if kind == "progressive" { 12 } else { 38 };
            assert!(noticed >= least, "{kind}: {noticed} of 40");
        }
    }

    #[test]
    fn restart_markers_out_of_turn_are_refused() {
        let (_, jpeg, start) = photos().pop().unwrap();
        let markers: Vec<usize> =
            (start..jpeg.len() - 1).filter(|&i| jpeg[i] == 0xFF && (0xD0..=0xD7).contains(&jpeg[i + 1])).collect();
        assert_eq!(markers.len(), HEIGHT / 16 - 1);
        refused("a missing row", &[&jpeg[..markers[2]], &jpeg[markers[3]..]].concat(), ErrorKind::ImageCorrupt);
        let mut swapped = jpeg.clone();
        swapped.swap(markers[2] + 1, markers[3] + 1);
        refused("swapped markers", &swapped, ErrorKind::ImageCorrupt);
    }

    #[test]
    fn even_surfaces_may_be_all_zeros() {
        let pixels = vec![200; 1024 * 1024 * 3];
        let even = |progressive| {
            Encoder::new(&pixels, 1024, 1024, PixelFormat::Rgb).optimize_huffman(true).progressive(progressive).encode()
        };
        for jpeg in [even(false).unwrap(), even(true).unwrap()] {
            assert!(jpeg.windows(1000).any(|window| window == [0; 1000]));
            assert!(Image::from_bytes(&jpeg).unwrap().pixels().iter().all(|value| value.abs_diff(200) <= 1));
        }
    }

    #[test]
    fn a_missing_component_is_no_grey_one() {
        let pixels = photo();
        let jpeg = encoder(&pixels).progressive(true).encode().unwrap();
        let scans = MarkerReader::new(&jpeg).read_markers().unwrap().scans;
        // The header up to the first scan, then the scans of the luma's details only.
        let header = scans[0].data_offset - 4 - 2 * 3 - 4;
        let (one, two) = (scans[1].data_offset - 10, scans[2].data_offset - 10);
        assert_eq!((jpeg[header..header + 2].to_vec(), scans[1].header.components.len()), (vec![0xFF, 0xDA], 1));
        refused(
            "a picture without its first scan",
            &[&jpeg[..header], &jpeg[one..two], &[0xFF, 0xD9]].concat(),
            ErrorKind::ImageCorrupt,
        );
    }

    #[test]
    fn rare_kinds_are_read_or_named() {
        let pixels = photo();
        let lossless = libjpeg_turbo_rs::compress_lossless(&pixels, WIDTH, HEIGHT, PixelFormat::Rgb).unwrap();
        assert!(Image::from_bytes(&lossless).unwrap().pixels() == pixels);
        refused("a cut lossless JPEG", &[&lossless[..9000], &[0xFF, 0xD9]].concat(), ErrorKind::ImageCorrupt);

        let wide: Vec<i16> = pixels.iter().map(|&value| i16::from(value) * 16).collect();
        let jpeg = libjpeg_turbo_rs::precision::compress_12bit(&wide, WIDTH, HEIGHT, 3, 95, Subsampling::S444).unwrap();
        let image = Image::from_bytes(&jpeg).unwrap();
        let apart: usize = image.pixels().iter().zip(&pixels).map(|(a, b)| usize::from(a.abs_diff(*b))).sum();
        assert!(apart < 4 * pixels.len(), "{}", apart as f64 / pixels.len() as f64);

        let arithmetic = encoder(&pixels).arithmetic(true).encode().unwrap();
        refused("arithmetic coding", &arithmetic, ErrorKind::ImageFormat);
    }

    #[test]
    fn scans_without_end_are_refused() {
        let pixels = photo();
        let jpeg = encoder(&pixels).progressive(true).encode().unwrap();
        let scans = MarkerReader::new(&jpeg).read_markers().unwrap().scans;
        let last = &jpeg[scans[scans.len() - 1].data_offset - 10..jpeg.len() - 2];
        let bomb = [&jpeg[..jpeg.len() - 2], &last.repeat(MAX_SCANS), &[0xFF, 0xD9]].concat();
        refused("a scan bomb", &bomb, ErrorKind::ImageTooLarge);
    }
}
