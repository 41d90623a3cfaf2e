//! Borrowed pixels in the layouts that cameras, decoders and other libraries hand over.

use crate::error::{Result, fail};
#[cfg(test)]
use crate::geometry::Point;

/// How the bytes of a pixel are laid out. All formats have 8 bits a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelFormat {
    /// 3 bytes: red, green, blue.
    Rgb,
    /// 3 bytes: blue, green, red (OpenCV's order).
    Bgr,
    /// 4 bytes: red, green, blue, alpha; alpha is ignored.
    Rgba,
    /// 4 bytes: blue, green, red, alpha; alpha is ignored.
    Bgra,
    /// 1 byte.
    Gray,
    /// A plane of luma, then a plane of half width and height holding (U, V) pairs. BT.601, full
    /// range, as phone cameras deliver it.
    Nv12,
    /// As [`PixelFormat::Nv12`] with (V, U) pairs: Android's camera default.
    Nv21,
}

impl PixelFormat {
    /// Bytes a pixel of the first plane takes.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            PixelFormat::Rgb | PixelFormat::Bgr => 3,
            PixelFormat::Rgba | PixelFormat::Bgra => 4,
            PixelFormat::Gray | PixelFormat::Nv12 | PixelFormat::Nv21 => 1,
        }
    }

    /// Whether a second plane holds the colour at half resolution.
    pub const fn is_semi_planar(self) -> bool {
        matches!(self, PixelFormat::Nv12 | PixelFormat::Nv21)
    }
}

/// How stored pixels must be turned, clockwise, to stand upright. Cameras deliver frames in the
/// sensor's orientation together with such a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rotation {
    /// Stored upright.
    #[default]
    None,
    /// A quarter turn clockwise.
    Clockwise90,
    /// Half a turn.
    Clockwise180,
    /// A quarter turn counter-clockwise.
    Clockwise270,
}

impl Rotation {
    /// From clockwise degrees: 0, 90, 180 or 270.
    pub fn from_degrees(degrees: u32) -> Result<Rotation> {
        Ok(match degrees {
            0 => Rotation::None,
            90 => Rotation::Clockwise90,
            180 => Rotation::Clockwise180,
            270 => Rotation::Clockwise270,
            other => fail!(InvalidArgument, "a rotation is 0, 90, 180 or 270 degrees clockwise, not {other}"),
        })
    }

    /// Whether width and height change places.
    pub const fn swaps_sides(self) -> bool {
        matches!(self, Rotation::Clockwise90 | Rotation::Clockwise270)
    }
}

/// Somebody else's pixels, used where they lie: nothing is copied to build a view.
///
/// Rows may be further apart than they are wide (`stride`). Everything facecore reports about a view
/// (boxes, landmarks, sizes) is in pixels of the upright image, after [`ImageView::rotation`].
#[derive(Clone, Copy)]
pub struct ImageView<'a> {
    width: usize,
    height: usize,
    format: PixelFormat,
    rotation: Rotation,
    plane: Plane<'a>,
    /// The (U, V) or (V, U) plane of the semi-planar formats, otherwise empty.
    chroma: Plane<'a>,
}

/// Rows of bytes at a fixed distance.
#[derive(Clone, Copy)]
pub(crate) struct Plane<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) stride: usize,
}

impl<'a> Plane<'a> {
    const EMPTY: Plane<'static> = Plane { bytes: &[], stride: 0 };

    fn new(bytes: &'a [u8], row_bytes: usize, rows: usize, stride: usize, what: &str) -> Result<Self> {
        if stride < row_bytes {
            fail!(ImageLayout, "the {what} rows are {row_bytes} bytes long but only {stride} bytes apart (stride)");
        }
        // The last row may end where its pixels end.
        let needed = stride.checked_mul(rows - 1).and_then(|bytes| bytes.checked_add(row_bytes));
        match needed {
            Some(needed) if needed <= bytes.len() => Ok(Plane { bytes: &bytes[..needed], stride }),
            _ => fail!(
                ImageLayout,
                "{rows} {what} rows of {row_bytes} bytes, {stride} bytes apart, do not fit in a buffer of {} bytes",
                bytes.len()
            ),
        }
    }

    pub(crate) fn row(&self, y: usize, row_bytes: usize) -> &'a [u8] {
        &self.bytes[y * self.stride..y * self.stride + row_bytes]
    }
}

impl<'a> ImageView<'a> {
    /// Views `data` as `height` rows of `width` pixels that start `stride` bytes apart.
    ///
    /// For NV12 and NV21 the colour plane must follow `stride * height` bytes after the start, with
    /// the same stride; use [`ImageView::semi_planar`] if it lies elsewhere. Width and height of
    /// these formats may be odd; the colour plane then is rounded up.
    ///
    /// Errors with `ImageLayout` if a side is zero or the buffer is too short.
    pub fn new(data: &'a [u8], width: usize, height: usize, stride: usize, format: PixelFormat) -> Result<Self> {
        if format.is_semi_planar() {
            check_sides(width, height)?;
            let Some(chroma) = stride.checked_mul(height).and_then(|start| data.get(start..)) else {
                fail!(
                    ImageLayout,
                    "a buffer of {} bytes ends before the colour plane of a {width} x {height} {format:?} frame",
                    data.len()
                );
            };
            return Self::semi_planar(data, stride, chroma, stride, width, height, format);
        }
        let row_bytes = check_sides(width, height)?.saturating_mul(format.bytes_per_pixel());
        let plane = Plane::new(data, row_bytes, height, stride, "pixel")?;
        Ok(ImageView { width, height, format, rotation: Rotation::None, plane, chroma: Plane::EMPTY })
    }

    /// Views pixels without gaps between rows; for NV12 and NV21 both planes follow each other.
    pub fn packed(data: &'a [u8], width: usize, height: usize, format: PixelFormat) -> Result<Self> {
        check_sides(width, height)?;
        // The colour plane of an odd-width frame has rows one byte longer than the luma rows.
        let luma_bytes = width.saturating_mul(height);
        if format.is_semi_planar() && width % 2 == 1 && luma_bytes <= data.len() {
            let (luma, chroma) = data.split_at(luma_bytes);
            return Self::semi_planar(luma, width, chroma, width + 1, width, height, format);
        }
        Self::new(data, width, height, width.saturating_mul(format.bytes_per_pixel()), format)
    }

    /// Views packed RGB that is known to fit: `pixels` holds `width * height * 3` bytes, sides above zero.
    pub(super) fn packed_rgb(pixels: &'a [u8], width: usize, height: usize) -> Self {
        debug_assert!(width > 0 && height > 0 && pixels.len() == width * height * 3);
        let plane = Plane { bytes: pixels, stride: width * 3 };
        ImageView { width, height, format: PixelFormat::Rgb, rotation: Rotation::None, plane, chroma: Plane::EMPTY }
    }

    /// Views an NV12 or NV21 frame whose planes lie apart, as Android and Apple cameras deliver them.
    pub fn semi_planar(
        luma: &'a [u8],
        luma_stride: usize,
        chroma: &'a [u8],
        chroma_stride: usize,
        width: usize,
        height: usize,
        format: PixelFormat,
    ) -> Result<Self> {
        if !format.is_semi_planar() {
            fail!(InvalidArgument, "{format:?} has one plane; use ImageView::new");
        }
        check_sides(width, height)?;
        let plane = Plane::new(luma, width, height, luma_stride, "luma")?;
        let chroma = Plane::new(chroma, width.div_ceil(2) * 2, height.div_ceil(2), chroma_stride, "colour")?;
        Ok(ImageView { width, height, format, rotation: Rotation::None, plane, chroma })
    }

    /// The same pixels with a hint how to turn them upright.
    #[must_use]
    pub fn rotated(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// Views an array of shape height x width x channels in standard layout; `format` must have that many
    /// channels. For arrays with gaps between rows pass their buffer and stride to [`ImageView::new`].
    #[cfg(feature = "ndarray")]
    pub fn from_array(array: ndarray::ArrayView3<'a, u8>, format: PixelFormat) -> Result<Self> {
        let (height, width, channels) = array.dim();
        match array.to_slice() {
            Some(data) if !format.is_semi_planar() && channels == format.bytes_per_pixel() => {
                Self::packed(data, width, height, format)
            }
            _ => fail!(
                ImageLayout,
                "an array of shape {height} x {width} x {channels} and strides {:?} is no packed {format:?} image",
                array.strides()
            ),
        }
    }

    /// Width of the upright image.
    pub fn width(&self) -> usize {
        if self.rotation.swaps_sides() { self.height } else { self.width }
    }

    /// Height of the upright image.
    pub fn height(&self) -> usize {
        if self.rotation.swaps_sides() { self.width } else { self.height }
    }

    /// The longer side.
    pub fn long_side(&self) -> usize {
        self.width.max(self.height)
    }

    /// How the pixels are laid out.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// How the stored pixels are turned to stand upright.
    pub fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// Width and height as stored.
    pub(crate) fn stored_size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The pixels, or the luma of semi-planar formats.
    pub(crate) fn plane(&self) -> Plane<'a> {
        self.plane
    }

    /// The colour of semi-planar formats.
    pub(crate) fn chroma(&self) -> Plane<'a> {
        self.chroma
    }

    /// The stored position of an upright one; both count pixel centres. The plain form of what scaling and
    /// warping fold into their own coordinates.
    #[cfg(test)]
    pub(crate) fn upright_to_stored(&self, upright: Point) -> Point {
        let (right, bottom) = ((self.width - 1) as f32, (self.height - 1) as f32);
        match self.rotation {
            Rotation::None => upright,
            Rotation::Clockwise90 => Point::new(upright.y, bottom - upright.x),
            Rotation::Clockwise180 => Point::new(right - upright.x, bottom - upright.y),
            Rotation::Clockwise270 => Point::new(right - upright.y, upright.x),
        }
    }

    /// Column and row, as stored, of the upright pixel (`x`, `y`).
    pub(crate) fn stored_position(&self, x: usize, y: usize) -> (usize, usize) {
        let (right, bottom) = (self.width - 1, self.height - 1);
        match self.rotation {
            Rotation::None => (x, y),
            Rotation::Clockwise90 => (y, bottom - x),
            Rotation::Clockwise180 => (right - x, bottom - y),
            Rotation::Clockwise270 => (right - y, x),
        }
    }

    /// Red, green and blue of the stored pixel (`x`, `y`).
    pub(crate) fn stored_rgb(&self, x: usize, y: usize) -> [u8; 3] {
        let n = self.format.bytes_per_pixel();
        let at = y * self.plane.stride + x * n;
        let pixel = &self.plane.bytes[at..at + n];
        match self.format {
            PixelFormat::Rgb | PixelFormat::Rgba => [pixel[0], pixel[1], pixel[2]],
            PixelFormat::Bgr | PixelFormat::Bgra => [pixel[2], pixel[1], pixel[0]],
            PixelFormat::Gray => [pixel[0]; 3],
            PixelFormat::Nv12 | PixelFormat::Nv21 => {
                let pair = &self.chroma.bytes[(y / 2) * self.chroma.stride + (x / 2) * 2..][..2];
                let (u, v) = if self.format == PixelFormat::Nv12 { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
                yuv_to_rgb(pixel[0], u, v)
            }
        }
    }
}

impl std::fmt::Debug for ImageView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImageView({} x {} {:?}, {:?})", self.width, self.height, self.format, self.rotation)
    }
}

impl<'a> From<&ImageView<'a>> for ImageView<'a> {
    fn from(view: &ImageView<'a>) -> Self {
        *view
    }
}

/// BT.601 full range (JFIF 1.02, section 7) in 16-bit fixed point.
pub(crate) fn yuv_to_rgb(y: u8, u: u8, v: u8) -> [u8; 3] {
    let (y, u, v) = (i32::from(y) << 16, i32::from(u) - 128, i32::from(v) - 128);
    let half = 1 << 15;
    let channel = |value: i32| ((value + half) >> 16).clamp(0, 255) as u8;
    // 1.402, 0.344136, 0.714136 and 1.772 times 65536.
    [channel(y + 91881 * v), channel(y - 22554 * u - 46802 * v), channel(y + 116_130 * u)]
}

fn check_sides(width: usize, height: usize) -> Result<usize> {
    if width == 0 || height == 0 {
        fail!(ImageLayout, "an image of {width} x {height} pixels has no pixels");
    }
    Ok(width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn layouts_that_do_not_fit_are_refused() {
        let data = [0u8; 24];
        let refused = |w, h, stride, format| match ImageView::new(&data, w, h, stride, format) {
            Ok(_) => panic!("{w} x {h}, stride {stride}, {format:?} was taken"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ImageLayout),
        };
        refused(0, 2, 6, PixelFormat::Rgb);
        refused(2, 0, 6, PixelFormat::Rgb);
        refused(4, 2, 11, PixelFormat::Rgb);
        refused(4, 3, 12, PixelFormat::Rgb);
        refused(usize::MAX, 2, usize::MAX, PixelFormat::Rgba);
        refused(2, usize::MAX, 8, PixelFormat::Rgba);
        refused(5, 4, 5, PixelFormat::Nv12);
        refused(usize::MAX, usize::MAX, usize::MAX, PixelFormat::Nv21);
        // The last row may end where its pixels end.
        assert!(ImageView::new(&data[..21], 3, 2, 12, PixelFormat::Rgb).is_ok());
        assert!(ImageView::new(&data, 4, 4, 4, PixelFormat::Nv12).is_ok());
    }

    #[test]
    fn semi_planar_frames_with_odd_sides_keep_their_colour() {
        // 3 x 3 luma, then 2 x 2 pairs.
        let mut frame = vec![128u8; 9];
        frame.extend([128, 128, 128, 255, 128, 128, 128, 128]);
        let view = ImageView::packed(&frame, 3, 3, PixelFormat::Nv12).unwrap();
        assert_eq!(view.stored_rgb(0, 0), [128, 128, 128]);
        assert_eq!(view.stored_rgb(2, 0), [255, 37, 128]);
        let swapped = ImageView::packed(&frame, 3, 3, PixelFormat::Nv21).unwrap();
        assert_eq!(swapped.stored_rgb(2, 1), [128, 84, 255]);
    }

    #[test]
    fn rotations_map_corners_to_corners() {
        // Stored 3 x 2, value = 10 y + x.
        let data = [0, 1, 2, 10, 11, 12];
        let view = ImageView::packed(&data, 3, 2, PixelFormat::Gray).unwrap();
        let top_row = |rotation| {
            let view = view.rotated(rotation);
            (0..view.width())
                .map(|x| {
                    let at = view.upright_to_stored(Point::new(x as f32, 0.0));
                    view.stored_rgb(at.x as usize, at.y as usize)[0]
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(top_row(Rotation::None), [0, 1, 2]);
        assert_eq!(top_row(Rotation::Clockwise90), [10, 0]);
        assert_eq!(top_row(Rotation::Clockwise180), [12, 11, 10]);
        assert_eq!(top_row(Rotation::Clockwise270), [2, 12]);
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn arrays_are_viewed_where_they_lie() {
        let array = ndarray::Array3::from_shape_fn((2, 3, 3), |(y, x, channel)| (100 * y + 10 * x + channel) as u8);
        let view = ImageView::from_array(array.view(), PixelFormat::Bgr).unwrap();
        assert_eq!((view.width(), view.height(), view.stored_rgb(2, 1)), (3, 2, [122, 121, 120]));
        assert!(ImageView::from_array(array.view(), PixelFormat::Rgba).is_err());
        let every_second_column = array.slice(ndarray::s![.., ..;2, ..]);
        assert!(ImageView::from_array(every_second_column, PixelFormat::Rgb).is_err());
    }
}
