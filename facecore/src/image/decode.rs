//! Encoded files to upright RGB pixels.
//!
//! Files come from strangers: limits are checked before memory is taken, and nothing in here panics.

use std::fmt;
use std::fs::File;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use super::container;
use super::jpeg;
use super::view::ImageView;
use crate::error::{Context, Error, ErrorKind, Result, fail};

/// What decoding applies and what it refuses.
///
/// ```
/// let mut options = facecore::image::DecodeOptions::default();
/// options.max_pixels = 20_000_000;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Turn and flip the picture as its EXIF orientation says (default: yes). Phones store portraits
    /// sideways with such a note.
    pub apply_exif: bool,
    /// The most pixels (width times height) an image may have; default 128 million. It takes 3 bytes a
    /// pixel once decoded and up to 16 while it is being decoded.
    pub max_pixels: u64,
    /// The most bytes the encoded file may have; default 256 MiB.
    pub max_bytes: u64,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        DecodeOptions { apply_exif: true, max_pixels: 128_000_000, max_bytes: 256 << 20 }
    }
}

/// A decoded picture: upright, 8 bits a channel, red, green, blue, without gaps between rows.
///
/// JPEG, PNG, WebP, BMP and GIF are read; the content decides which it is, never the file's name. Of an
/// animation the first frame is taken, transparent parts are laid over white, 16 bits become 8, and
/// colour profiles are ignored.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Image {
    /// Reads a picture file with the default [`DecodeOptions`].
    ///
    /// Errors: `Io` if the file cannot be read, `ImageFormat`, `ImageCorrupt` or `ImageTooLarge` if what
    /// it holds is in no supported format, damaged or cut short, or beyond the limits.
    pub fn open(path: impl AsRef<Path>) -> Result<Image> {
        Self::open_with(path, &DecodeOptions::default())
    }

    /// As [`Image::open`], with other limits.
    pub fn open_with(path: impl AsRef<Path>, options: &DecodeOptions) -> Result<Image> {
        let path = path.as_ref();
        let bytes = read_file(path, options)?;
        Self::from_bytes_with(&bytes, options).context_with(|| path.display().to_string())
    }

    /// Decodes the content of a picture file with the default [`DecodeOptions`].
    ///
    /// Errors: as [`Image::open`], without `Io`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Image> {
        Self::from_bytes_with(bytes, &DecodeOptions::default())
    }

    /// As [`Image::from_bytes`], with other limits.
    pub fn from_bytes_with(bytes: &[u8], options: &DecodeOptions) -> Result<Image> {
        check_bytes(bytes.len() as u64, options)?;
        let format = container::sniff(bytes)?;
        // The codecs are third-party code fed with strangers' bytes: should one of them panic, that is one
        // damaged picture, not the end of the server. They keep no state beyond this call.
        catch_unwind(AssertUnwindSafe(|| decode(bytes, format, options)))
            .unwrap_or_else(|_| fail!(ImageCorrupt, "the {} is damaged: its decoder gave up", name(format)))
    }

    /// Takes packed RGB pixels as they are.
    ///
    /// Errors with `ImageLayout` unless `pixels` holds `width * height * 3` bytes, both sides above zero.
    pub fn from_rgb(width: usize, height: usize, pixels: Vec<u8>) -> Result<Image> {
        if width == 0 || height == 0 {
            fail!(ImageLayout, "an image of {width} x {height} pixels has no pixels");
        }
        if width.checked_mul(height).and_then(|count| count.checked_mul(3)) != Some(pixels.len()) {
            fail!(ImageLayout, "{} bytes are not {width} x {height} RGB pixels of 3 bytes", pixels.len());
        }
        Ok(Image { width, height, pixels })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels row by row: `width * height * 3` bytes.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels, without a copy.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// The pixels as an array of shape height x width x 3.
    #[cfg(feature = "ndarray")]
    pub fn array(&self) -> Result<ndarray::ArrayView3<'_, u8>> {
        ndarray::ArrayView3::from_shape((self.height, self.width, 3), &self.pixels)
            .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()).with_source(error))
    }

    /// Turns left and right round.
    pub(crate) fn mirror(&mut self) {
        for row in self.pixels.chunks_exact_mut(self.width * 3) {
            row.as_chunks_mut::<3>().0.reverse();
        }
    }

    /// A view of all pixels.
    pub fn view(&self) -> ImageView<'_> {
        ImageView::packed_rgb(&self.pixels, self.width, self.height)
    }
}

impl ImageView<'_> {
    /// A copy of the pixels, upright and in red, green, blue: of a camera frame that is to outlive its buffer.
    ///
    /// Errors with `ImageTooLarge` beyond the 128 million pixels of the default [`DecodeOptions`].
    pub fn to_image(&self) -> Result<Image> {
        let (width, height) = (self.width(), self.height());
        let most = DecodeOptions::default().max_pixels;
        if (width as u64).checked_mul(height as u64).is_none_or(|pixels| pixels > most) {
            fail!(ImageTooLarge, "a view of {width} x {height} pixels is not copied, {most} at most are");
        }
        let mut pixels = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let (x, y) = self.stored_position(x, y);
                pixels.extend(self.stored_rgb(x, y));
            }
        }
        Image::from_rgb(width, height, pixels)
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({} x {})", self.width, self.height)
    }
}

impl<'a> From<&'a Image> for ImageView<'a> {
    fn from(image: &'a Image) -> Self {
        image.view()
    }
}

fn read_file(path: &Path, options: &DecodeOptions) -> Result<Vec<u8>> {
    let unreadable = |error| Error::io(path, "read the image", error);
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    check_bytes(length, options).context_with(|| path.display().to_string())?;
    let mut bytes = Vec::new();
    // Pipes and devices have no length, and a file may grow: the limit holds while reading as well.
    file.take(options.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn check_bytes(length: u64, options: &DecodeOptions) -> Result<()> {
    if length > options.max_bytes {
        fail!(
            ImageTooLarge,
            "the encoded image has more than the {} bytes allowed ({length}); the option max_bytes raises the limit",
            options.max_bytes
        );
    }
    Ok(())
}

fn decode(bytes: &[u8], format: ImageFormat, options: &DecodeOptions) -> Result<Image> {
    let stored = match format {
        ImageFormat::Jpeg => jpeg::decode(bytes, options)?,
        _ => decode_other(bytes, format, options)?,
    };
    // A missing or unreadable note means upright: the picture itself is what was asked for.
    let orientation = match container::exif(bytes, format) {
        Some(exif) if options.apply_exif => Orientation::from_exif_chunk(exif).unwrap_or(Orientation::NoTransforms),
        _ => Orientation::NoTransforms,
    };
    let mut upright = DynamicImage::ImageRgb8(stored);
    upright.apply_orientation(orientation);
    let (width, height) = (upright.width() as usize, upright.height() as usize);
    match Image::from_rgb(width, height, upright.into_rgb8().into_raw()) {
        Ok(image) => Ok(image),
        Err(_) => fail!(ImageCorrupt, "the {} says it is {width} x {height} pixels large", name(format)),
    }
}

/// Everything but JPEG.
fn decode_other(bytes: &[u8], format: ImageFormat, options: &DecodeOptions) -> Result<RgbImage> {
    let failed = |error| translate(error, format);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    // Up to 8 bytes a pixel (16-bit RGBA) and room for what is not pixels (metadata, tables, windows).
    limits.max_alloc = Some(options.max_pixels.saturating_mul(8).saturating_add(64 << 20));
    reader.limits(limits);

    // This reads the header only; the pixels come with `from_decoder`.
    let decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    check_pixels(width, height, options)?;
    if !container::is_complete(bytes, format) {
        fail!(ImageCorrupt, "the {} is cut short: its end is missing", name(format));
    }
    Ok(flatten(DynamicImage::from_decoder(decoder).map_err(failed)?))
}

pub(super) fn check_pixels(width: u32, height: u32, options: &DecodeOptions) -> Result<()> {
    if u64::from(width) * u64::from(height) > options.max_pixels {
        fail!(
            ImageTooLarge,
            "the image has {width} x {height} pixels, more than the {} allowed; the option max_pixels raises the limit",
            options.max_pixels
        );
    }
    Ok(())
}

/// To 8-bit RGB, transparent parts over white.
fn flatten(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (out, pixel) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [channels @ .., alpha] = pixel.0.map(u32::from);
        out.0 = channels.map(|value| ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8);
    }
    rgb
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Gif => "GIF",
        _ => "image",
    }
}

fn translate(error: ImageError, format: ImageFormat) -> Error {
    let name = name(format);
    let (kind, message) = match &error {
        ImageError::Limits(_) => (
            ErrorKind::ImageTooLarge,
            format!("the {name} needs more memory than its limit allows; the option max_pixels raises it"),
        ),
        ImageError::Unsupported(_) => {
            (ErrorKind::ImageFormat, format!("a {name} of a kind that is not supported: {error}"))
        }
        _ => (ErrorKind::ImageCorrupt, format!("the {name} is damaged or cut short: {error}")),
    };
    Error::new(kind, message).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::super::container::SUPPORTED;
    use super::*;

    const RED: [u8; 3] = [200, 30, 40];
    const GREEN: [u8; 3] = [20, 180, 60];
    const BLUE: [u8; 3] = [40, 60, 210];
    const YELLOW: [u8; 3] = [240, 220, 30];
    const WHITE: [u8; 3] = [255; 3];
    const PICTURE: [[u8; 3]; 4] = [RED, GREEN, BLUE, YELLOW];

    /// The files of tools/make_test_images.py.
    fn path(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/images").join(name)
    }

    fn bytes(name: &str) -> Vec<u8> {
        std::fs::read(path(name)).unwrap()
    }

    fn all_files() -> Vec<(String, Vec<u8>)> {
        let mut names: Vec<_> = std::fs::read_dir(path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert!(names.len() > 30);
        names.into_iter().map(|name| (name.clone(), bytes(&name))).collect()
    }

    fn small() -> DecodeOptions {
        DecodeOptions { max_pixels: 1 << 20, ..DecodeOptions::default() }
    }

    /// Compares with the 64 x 32 picture whose quarters have these colours; `tolerance` is for lossy
    /// formats, which also blur the pixels beside the edges between quarters.
    fn assert_quarters(name: &str, image: &Image, quarters: [[u8; 3]; 4], tolerance: u8) {
        assert_eq!((image.width(), image.height()), (64, 32), "{name}");
        for (i, pixel) in image.pixels().as_chunks::<3>().0.iter().enumerate() {
            let (x, y) = (i % 64, i / 64);
            if tolerance > 0 && (x.abs_diff(32) <= 4 || y.abs_diff(16) <= 4) {
                continue;
            }
            let expected = quarters[usize::from(y >= 16) * 2 + usize::from(x >= 32)];
            let apart = pixel.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            assert!(apart <= tolerance, "{name}: {pixel:?} instead of {expected:?} at {x}, {y}");
        }
    }

    #[test]
    fn every_kind_of_file_gives_its_picture() {
        let grey = [200, 180, 60, 220].map(|value| [value; 3]);
        let over_white = [RED, GREEN, WHITE, [247, 237, 142]];
        for (name, quarters, tolerance) in [
            ("rgb.png", PICTURE, 0),
            ("rgb16.png", PICTURE, 0),
            ("animated.png", PICTURE, 0),
            ("animated.gif", PICTURE, 0),
            ("animated.webp", PICTURE, 0),
            ("lossless.webp", PICTURE, 0),
            ("rgb.bmp", PICTURE, 0),
            ("palette.bmp", PICTURE, 0),
            ("jpeg_named.png", PICTURE, 3),
            ("progressive.jpg", PICTURE, 3),
            ("rgb_adobe.jpg", PICTURE, 3),
            ("rgb_by_id.jpg", PICTURE, 3),
            ("cmyk_adobe.jpg", PICTURE, 3),
            ("ycck_adobe.jpg", PICTURE, 3),
            ("lossy.webp", PICTURE, 4),
            ("grey.jpg", grey, 2),
            ("grey16.png", grey, 0),
            ("bit.png", [[0; 3], WHITE, WHITE, WHITE], 0),
            ("rgba.png", over_white, 0),
            ("rgba.webp", over_white, 0),
            ("palette_transparent.png", [WHITE, GREEN, BLUE, YELLOW], 0),
            ("grey_alpha.png", [[200; 3], [180; 3], WHITE, [177; 3]], 0),
        ] {
            let image = Image::open(path(name)).unwrap_or_else(|error| panic!("{error}"));
            assert_quarters(name, &image, quarters, tolerance);
        }
    }

    #[test]
    fn all_exif_orientations_stand_upright() {
        for orientation in 1..=8 {
            let name = format!("exif_{orientation}.jpg");
            assert_quarters(&name, &Image::open(path(&name)).unwrap(), PICTURE, 3);
        }
        for name in ["exif_6.png", "exif_6_late.png", "exif_6.webp"] {
            assert_quarters(name, &Image::open(path(name)).unwrap(), PICTURE, 0);
        }

        let as_stored = DecodeOptions { apply_exif: false, ..DecodeOptions::default() };
        let image = Image::open_with(path("exif_6.jpg"), &as_stored).unwrap();
        assert_eq!((image.width(), image.height()), (32, 64));
    }

    fn refused(result: Result<Image>, kind: ErrorKind, words: &[&str]) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        for word in words {
            assert!(error.to_string().contains(word), "{word:?} is missing in {error:?}");
        }
    }

    #[test]
    fn files_that_cannot_be_read_name_their_path() {
        refused(Image::open(path("no_such.jpg")), ErrorKind::Io, &["no_such.jpg"]);
        refused(Image::open(path("")), ErrorKind::Io, &["tests/data/images"]);
        refused(Image::open(path("empty.jpg")), ErrorKind::ImageCorrupt, &["empty.jpg", "zero bytes"]);
        refused(Image::open(path("text.jpg")), ErrorKind::ImageFormat, &["text.jpg", SUPPORTED]);
        for name in ["truncated.jpg", "truncated.png", "truncated.webp"] {
            refused(Image::open(path(name)), ErrorKind::ImageCorrupt, &[name, "cut short"]);
        }
    }

    #[test]
    fn limits_hold_before_memory_is_taken() {
        refused(Image::open(path("huge_header.png")), ErrorKind::ImageTooLarge, &["30000 x 30000", "max_pixels"]);
        let few_pixels = DecodeOptions { max_pixels: 64 * 32 - 1, ..DecodeOptions::default() };
        let few_bytes = DecodeOptions { max_bytes: 60, ..DecodeOptions::default() };
        for name in ["rgb.png", "exif_6.jpg", "lossy.webp", "rgb.bmp", "animated.gif"] {
            let too_large = ErrorKind::ImageTooLarge;
            refused(Image::open_with(path(name), &few_pixels), too_large, &["2047", "max_pixels"]);
            refused(Image::open_with(path(name), &few_bytes), too_large, &["60 bytes", "max_bytes"]);
            refused(Image::from_bytes_with(&bytes(name), &few_bytes), too_large, &["max_bytes"]);
            let exact = DecodeOptions { max_pixels: 64 * 32, max_bytes: bytes(name).len() as u64, ..few_bytes };
            assert!(Image::open_with(path(name), &exact).is_ok());
        }
    }

    #[test]
    fn raw_pixels_must_fit_their_size() {
        let image = Image::from_rgb(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(format!("{image:?}"), "Image(2 x 1)");
        assert_eq!(image.view().stored_rgb(1, 0), [4, 5, 6]);
        assert_eq!(ImageView::from(&image).width(), 2);
        for (width, height) in [(0, 1), (1, 0), (2, 2), (usize::MAX, usize::MAX)] {
            refused(Image::from_rgb(width, height, vec![0; 6]), ErrorKind::ImageLayout, &["pixels"]);
        }
    }

    /// A file cut anywhere is refused, or else nothing that matters was cut off.
    #[test]
    fn a_cut_file_never_gives_another_picture() {
        for (name, bytes) in all_files() {
            let Ok(whole) = Image::from_bytes_with(&bytes, &small()) else { continue };
            for length in (0..bytes.len()).filter(|length| bytes.len() < 1000 || length % 97 == 0) {
                if let Ok(part) = Image::from_bytes_with(&bytes[..length], &small()) {
                    assert!(part == whole, "{name} cut to {length} of {} bytes", bytes.len());
                }
            }
        }
    }

    #[test]
    fn a_chunk_that_claims_gigabytes_takes_no_memory() {
        let mut webp = bytes("exif_6.webp");
        let at = webp.windows(4).position(|kind| kind == b"EXIF").unwrap();
        webp[at + 4..at + 8].copy_from_slice(&0xBE00_0000u32.to_le_bytes());
        // The picture itself is whole.
        assert!(Image::from_bytes(&webp).is_ok());
    }

    #[test]
    fn what_follows_a_jpeg_is_ignored_and_a_thumbnail_is_no_end() {
        let jpeg = bytes("exif_1.jpg");
        let whole = Image::from_bytes(&jpeg).unwrap();
        let twice = [&jpeg[..], &jpeg[..], b"trailing"].concat();
        assert!(Image::from_bytes(&twice).unwrap() == whole);

        let thumbnail = bytes("grey.jpg");
        let length = (thumbnail.len() as u16 + 2).to_be_bytes();
        let segment = [&[0xFF, 0xEC][..], &length, &thumbnail].concat();
        let with_thumbnail = [&jpeg[..2], &segment, &jpeg[2..]].concat();
        assert!(Image::from_bytes(&with_thumbnail).unwrap() == whole);
        refused(
            Image::from_bytes(&with_thumbnail[..with_thumbnail.len() - 9]),
            ErrorKind::ImageCorrupt,
            &["cut short"],
        );
    }

    #[test]
    fn damaged_files_and_noise_never_panic() {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for (_, mut bytes) in all_files() {
            for _ in 0..150 {
                let damaged = 1 + random() % 4;
                let kept: Vec<_> = (0..damaged.min(bytes.len() as u64))
                    .map(|_| {
                        let at = (random() % bytes.len() as u64) as usize;
                        let old = std::mem::replace(&mut bytes[at], random() as u8);
                        (at, old)
                    })
                    .collect();
                let _ = Image::from_bytes_with(&bytes, &small());
                kept.into_iter().rev().for_each(|(at, old)| bytes[at] = old);
            }
        }
        let starts: [&[u8]; 6] =
            [b"", b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"RIFF\xFF\0\0\0WEBPVP8 "];
        for start in starts {
            for length in 0..300 {
                let noise: Vec<u8> = start.iter().copied().chain((0..length).map(|_| random() as u8)).collect();
                let _ = Image::from_bytes_with(&noise, &small());
            }
        }
    }

    #[test]
    fn copies_of_views_are_upright_and_red_first() {
        use super::super::view::{PixelFormat, Rotation};
        use crate::geometry::Point;

        // Four bytes a pixel in rows with gaps, so that every format has its bytes in one buffer.
        let (width, height, stride) = (5, 3, 24);
        let bytes: Vec<u8> = (0..stride * height * 2).map(|at| (at * 7 % 251) as u8).collect();
        let formats = [
            PixelFormat::Rgb,
            PixelFormat::Bgr,
            PixelFormat::Rgba,
            PixelFormat::Bgra,
            PixelFormat::Gray,
            PixelFormat::Nv21,
        ];
        for format in formats {
            for degrees in [0, 90, 180, 270] {
                let view = ImageView::new(&bytes, width, height, stride, format).unwrap();
                let view = view.rotated(Rotation::from_degrees(degrees).unwrap());
                let copy = view.to_image().unwrap();
                assert_eq!((copy.width(), copy.height()), (view.width(), view.height()));
                for (at, pixel) in copy.pixels().chunks(3).enumerate() {
                    let upright = Point::new((at % copy.width()) as f32, (at / copy.width()) as f32);
                    let stored = view.upright_to_stored(upright);
                    assert_eq!(pixel, view.stored_rgb(stored.x as usize, stored.y as usize), "{format:?} {degrees}");
                }
            }
        }
        let wide = ImageView::new(&[0], 1 << 40, 1 << 20, 0, PixelFormat::Gray);
        assert!(wide.is_err(), "no buffer is as large as this claims");
    }
}
