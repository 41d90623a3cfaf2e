//! Scaling to a model's input size.
//!
//! Four taps around each target pixel's centre, read straight from the caller's rows: no full-size copy
//! is made whatever the format, stride or rotation, and rows and columns that no target pixel falls on
//! are never touched. Detectors were trained and measured with OpenCV's `INTER_LINEAR`, so its integer
//! arithmetic is repeated here bit for bit; a filter that averages while shrinking would look smoother
//! and shift their scores.

use super::decode::Image;
use super::view::{ImageView, PixelFormat, Plane, Rotation, yuv_to_rgb};
use crate::error::{Error, ErrorKind, Result, fail};

/// Weights are counted in steps of 1 / 2048.
const ONE: i32 = 2048;

/// Scales the upright image to `width` x `height` pixels, bilinearly and without antialiasing; the
/// centres of both pictures coincide. An unchanged size leaves every pixel as it is.
///
/// Errors with `InvalidArgument` if a side is zero, `ImageTooLarge` if the result fits no memory.
pub(crate) fn resize_upright(view: &ImageView<'_>, width: usize, height: usize) -> Result<Image> {
    if width == 0 || height == 0 {
        fail!(InvalidArgument, "an image cannot be scaled to {width} x {height} pixels");
    }
    let mut pixels = allocate(width, height)?;
    let target = if view.rotation().swaps_sides() { (height, width) } else { (width, height) };
    let mut out = Turned { pixels: pixels.as_chunks_mut().0, size: target, rotation: view.rotation() };
    let plane = view.plane();
    match view.format() {
        PixelFormat::Rgb => scale(Scaler::new(plane, view.stored_size(), target), &mut out, |rgb: [u8; 3]| rgb),
        PixelFormat::Bgr => {
            scale(Scaler::new(plane, view.stored_size(), target), &mut out, |[b, g, r]: [u8; 3]| [r, g, b]);
        }
        PixelFormat::Rgba => {
            scale(Scaler::new(plane, view.stored_size(), target), &mut out, |[r, g, b, _]: [u8; 4]| [r, g, b]);
        }
        PixelFormat::Bgra => {
            scale(Scaler::new(plane, view.stored_size(), target), &mut out, |[b, g, r, _]: [u8; 4]| [r, g, b]);
        }
        PixelFormat::Gray => {
            scale(Scaler::new(plane, view.stored_size(), target), &mut out, |[value]: [u8; 1]| [value; 3]);
        }
        PixelFormat::Nv12 => scale_semi_planar(view, target, &mut out, |y, [u, v]| yuv_to_rgb(y, u, v)),
        PixelFormat::Nv21 => scale_semi_planar(view, target, &mut out, |y, [v, u]| yuv_to_rgb(y, u, v)),
    }
    Image::from_rgb(width, height, pixels)
}

fn allocate(width: usize, height: usize) -> Result<Vec<u8>> {
    let too_large = || Error::new(ErrorKind::ImageTooLarge, format!("{width} x {height} pixels fit no memory"));
    let bytes = width.checked_mul(height).and_then(|count| count.checked_mul(3)).ok_or_else(too_large)?;
    let mut pixels = Vec::new();
    pixels.try_reserve_exact(bytes).map_err(|_| too_large())?;
    pixels.resize(bytes, 0);
    Ok(pixels)
}

fn scale<const N: usize>(mut scaler: Scaler<'_, N>, out: &mut Turned<'_>, convert: impl Fn([u8; N]) -> [u8; 3]) {
    let mut row = vec![[0; N]; out.size.0];
    for y in 0..out.size.1 {
        scaler.row(y, &mut row);
        out.put_row(y, row.iter().map(|&pixel| convert(pixel)));
    }
}

/// Luma and colour are scaled apart and joined at the target size: a colour sample is the mean of
/// 2 x 2 pixels (JPEG's siting), so its plane covers the same area with half as many samples.
fn scale_semi_planar(
    view: &ImageView<'_>,
    target: (usize, usize),
    out: &mut Turned<'_>,
    convert: impl Fn(u8, [u8; 2]) -> [u8; 3],
) {
    let (width, height) = view.stored_size();
    let mut luma = Scaler::<1>::new(view.plane(), (width, height), target);
    let (columns, rows) = (chroma_axis(width, target.0), chroma_axis(height, target.1));
    let mut chroma = Scaler::<2>::with_taps(view.chroma(), width.div_ceil(2), columns, rows);
    let (mut luma_row, mut chroma_row) = (vec![[0; 1]; target.0], vec![[0; 2]; target.0]);
    for y in 0..target.1 {
        luma.row(y, &mut luma_row);
        chroma.row(y, &mut chroma_row);
        out.put_row(y, luma_row.iter().zip(&chroma_row).map(|(&[luma], &pair)| convert(luma, pair)));
    }
}

/// Where in a row or column a target sample lies: at a stored sample, or between it and the next, whose
/// share is counted in 1 / 2048. Beyond the last sample there is none, and its share is zero.
#[derive(Clone, Copy)]
struct Taps {
    first: usize,
    share: i32,
}

/// The taps along one axis: `count` samples that cover a length of `extent` samples, seen by `target`
/// samples. Beyond the outermost centres the outermost sample counts alone.
fn axis(count: usize, extent: f64, target: usize) -> Vec<Taps> {
    // Written, and rounded to 32 bits, as OpenCV does it: the last bit of a weight depends on that.
    let step = 1.0 / (target as f64 / extent);
    let last = count - 1;
    let taps = |i: usize| {
        let at = (((i as f64 + 0.5) * step - 0.5) as f32).max(0.0);
        let first = (at as usize).min(last);
        let share = if first == last { 0.0 } else { (at - first as f32) * ONE as f32 };
        Taps { first, share: share.round_ties_even() as i32 }
    };
    (0..target).map(taps).collect()
}

/// The taps into the colour plane of `luma` pixels.
fn chroma_axis(luma: usize, target: usize) -> Vec<Taps> {
    if luma == target {
        // Nothing is resampled at an unchanged size: pixels keep the colour of their pair.
        return (0..target).map(|i| Taps { first: i / 2, share: 0 }).collect();
    }
    axis(luma.div_ceil(2), luma as f64 / 2.0, target)
}

/// Reads one plane of `N` bytes a sample at another size.
struct Scaler<'a, const N: usize> {
    plane: Plane<'a>,
    /// In a row.
    samples: usize,
    columns: Vec<Taps>,
    rows: Vec<Taps>,
    /// Every sample goes to where it was.
    unchanged: bool,
    /// The two stored rows in use, by their number.
    upper: Mixed<N>,
    lower: Mixed<N>,
}

/// A stored row at the target's width, in steps of 1 / 128.
struct Mixed<const N: usize> {
    row: Option<usize>,
    samples: Vec<[i16; N]>,
}

impl<'a, const N: usize> Scaler<'a, N> {
    fn new(plane: Plane<'a>, (width, height): (usize, usize), target: (usize, usize)) -> Self {
        let columns = axis(width, width as f64, target.0);
        let rows = axis(height, height as f64, target.1);
        Scaler { unchanged: target == (width, height), ..Self::with_taps(plane, width, columns, rows) }
    }

    fn with_taps(plane: Plane<'a>, samples: usize, columns: Vec<Taps>, rows: Vec<Taps>) -> Self {
        let mixed = || Mixed { row: None, samples: vec![[0; N]; columns.len()] };
        Scaler { plane, samples, upper: mixed(), lower: mixed(), columns, rows, unchanged: false }
    }

    fn row(&mut self, y: usize, out: &mut [[u8; N]]) {
        let Taps { first, share } = self.rows[y];
        if self.unchanged {
            return out.copy_from_slice(stored(&self.plane, first, self.samples));
        }
        // Rows come in order: the lower one often becomes the upper one.
        if self.upper.row != Some(first) {
            std::mem::swap(&mut self.upper, &mut self.lower);
        }
        self.upper.read(first, &self.plane, self.samples, &self.columns);
        let above = self.upper.samples.as_flattened();
        let out = out.as_flattened_mut();
        if share == 0 {
            for (out, &above) in out.iter_mut().zip(above) {
                *out = mix_rows(above, 0, 0);
            }
            return;
        }
        self.lower.read(first + 1, &self.plane, self.samples, &self.columns);
        let below = self.lower.samples.as_flattened();
        for ((out, &above), &below) in out.iter_mut().zip(above).zip(below) {
            *out = mix_rows(above, below, share as i16);
        }
    }
}

fn stored<'a, const N: usize>(plane: &Plane<'a>, y: usize, samples: usize) -> &'a [[u8; N]] {
    plane.row(y, samples * N).as_chunks().0
}

impl<const N: usize> Mixed<N> {
    fn read(&mut self, y: usize, plane: &Plane<'_>, samples: usize, columns: &[Taps]) {
        if self.row == Some(y) {
            return;
        }
        self.row = Some(y);
        let row = stored::<N>(plane, y, samples);
        for (out, column) in self.samples.iter_mut().zip(columns) {
            let (left, right) = match &row[column.first..] {
                [left, right, ..] => (left, right),
                [left] => (left, left),
                [] => continue,
            };
            for ((out, &left), &right) in out.iter_mut().zip(left).zip(right) {
                let (left, right) = (i32::from(left), i32::from(right));
                *out = ((left * ONE + (right - left) * column.share) >> 4) as i16;
            }
        }
    }
}

/// Mixes a sample with the one below it. This and [`Mixed::read`] cut off where OpenCV's `VResizeLinear`
/// does: the result is a tenth of a level darker on average than rounding once would make it.
#[inline(always)]
fn mix_rows(above: i16, below: i16, share: i16) -> u8 {
    let weighted = |value: i16, weight: i16| (i32::from(value) * i32::from(weight)) >> 16;
    ((weighted(above, ONE as i16 - share) + weighted(below, share) + 2) >> 2) as u8
}

/// The upright result, written in the order of the stored rows.
struct Turned<'a> {
    pixels: &'a mut [[u8; 3]],
    /// Width and height before turning.
    size: (usize, usize),
    rotation: Rotation,
}

impl Turned<'_> {
    fn put_row(&mut self, y: usize, row: impl Iterator<Item = [u8; 3]>) {
        let (width, height) = self.size;
        match self.rotation {
            Rotation::None => fill(self.pixels[y * width..].iter_mut(), row),
            Rotation::Clockwise90 => fill(self.pixels[height - 1 - y..].iter_mut().step_by(height), row),
            Rotation::Clockwise180 => fill(self.pixels[..(height - y) * width].iter_mut().rev(), row),
            Rotation::Clockwise270 => {
                fill(self.pixels[..(width - 1) * height + y + 1].iter_mut().rev().step_by(height), row)
            }
        }
    }
}

fn fill<'a>(places: impl Iterator<Item = &'a mut [u8; 3]>, row: impl Iterator<Item = [u8; 3]>) {
    for (pixel, place) in row.zip(places) {
        *place = pixel;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn noise(length: usize, seed: u32) -> Vec<u8> {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 11) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    const ROTATIONS: [Rotation; 4] =
        [Rotation::None, Rotation::Clockwise90, Rotation::Clockwise180, Rotation::Clockwise270];
    const FORMATS: [PixelFormat; 7] = [
        PixelFormat::Rgb,
        PixelFormat::Bgr,
        PixelFormat::Rgba,
        PixelFormat::Bgra,
        PixelFormat::Gray,
        PixelFormat::Nv12,
        PixelFormat::Nv21,
    ];

    /// The upright pixels, one by one.
    fn upright_pixels(view: &ImageView<'_>) -> Vec<u8> {
        let mut pixels = Vec::new();
        for y in 0..view.height() {
            for x in 0..view.width() {
                let at = view.upright_to_stored(crate::geometry::Point::new(x as f32, y as f32));
                pixels.extend(view.stored_rgb(at.x as usize, at.y as usize));
            }
        }
        pixels
    }

    #[test]
    fn an_unchanged_size_leaves_every_pixel_as_it_is() {
        let data = noise(40 * 40, 1);
        for format in FORMATS {
            for (width, height, stride) in [(5, 7, 23), (6, 4, 24), (1, 1, 4), (1, 9, 5), (8, 1, 32)] {
                for rotation in ROTATIONS {
                    let view = ImageView::new(&data, width, height, stride, format).unwrap().rotated(rotation);
                    let same = resize_upright(&view, view.width(), view.height()).unwrap();
                    assert_eq!(same.pixels(), upright_pixels(&view), "{view:?}");
                }
            }
        }
    }

    #[test]
    fn formats_strides_and_rotations_agree_with_packed_upright_rgb() {
        let data = noise(200 * 60, 2);
        for format in FORMATS {
            for (width, height, stride) in [(31, 22, 131), (32, 23, 128), (1, 17, 9), (40, 1, 161)] {
                for rotation in ROTATIONS {
                    let view = ImageView::new(&data, width, height, stride, format).unwrap().rotated(rotation);
                    let upright = Image::from_rgb(view.width(), view.height(), upright_pixels(&view)).unwrap();
                    for (width, height) in [(11, 9), (50, 8), (7, 60), (64, 64), (1, 1)] {
                        let direct = resize_upright(&view, width, height).unwrap();
                        if !format.is_semi_planar() {
                            // Turning first or last makes no difference but for ties in rounding.
                            let reference = resize_upright(&upright.view(), width, height).unwrap();
                            let apart = direct.pixels().iter().zip(reference.pixels()).map(|(a, b)| a.abs_diff(*b));
                            assert!(apart.max().unwrap() <= 1, "{view:?} to {width} x {height}");
                        }
                        let turned = resize_upright(&view.rotated(Rotation::None), width, height).unwrap();
                        assert_eq!(turned.pixels().len(), direct.pixels().len());
                    }
                }
            }
        }
    }

    #[test]
    fn colour_planes_cover_the_same_area_as_luma() {
        // Colour grows with x: 10 a pair, that is 5 a pixel, sited between the two pixels of a pair.
        let (width, height) = (40, 6);
        let mut frame = vec![128u8; width * height];
        for _ in 0..height / 2 {
            frame.extend((0..width / 2).flat_map(|pair| [128, (10 * pair) as u8]));
        }
        let view = ImageView::packed(&frame, width, height, PixelFormat::Nv12).unwrap();
        let doubled = resize_upright(&view, width * 2, height * 2).unwrap();
        for x in 4..width * 2 - 4 {
            // Target pixel x lies at (x + 0.5) / 4 - 0.5 pairs.
            let v = 10.0 * ((x as f64 + 0.5) / 4.0 - 0.5);
            let red = (128.0 + 1.402 * (v - 128.0)).clamp(0.0, 255.0);
            assert!((f64::from(doubled.pixels()[x * 3]) - red).abs() <= 1.5, "{x}");
        }
    }

    #[test]
    fn values_between_pixels_are_mixed_as_opencv_mixes_them() {
        // cv2.resize(np.array([[0, 100, 200, 50]], np.uint8), (8, 1)) and to (3, 1), (2, 1).
        let view = ImageView::packed(&[0, 100, 200, 50], 4, 1, PixelFormat::Gray).unwrap();
        let reds = |width| {
            resize_upright(&view, width, 1).unwrap().pixels().chunks(3).map(|pixel| pixel[0]).collect::<Vec<_>>()
        };
        assert_eq!(reds(8), [0, 25, 75, 125, 175, 163, 88, 50]);
        assert_eq!(reds(3), [17, 150, 75]);
        assert_eq!(reds(2), [50, 125]);

        // cv2.resize(np.array([[7, 200, 33], [91, 18, 254]], np.uint8), (5, 3)).ravel()
        let view = ImageView::packed(&[7, 200, 33, 91, 18, 254], 3, 2, PixelFormat::Gray).unwrap();
        let scaled = resize_upright(&view, 5, 3).unwrap();
        let reds: Vec<u8> = scaled.pixels().chunks(3).map(|pixel| pixel[0]).collect();
        assert_eq!(reds, [7, 84, 200, 100, 33, 49, 73, 109, 130, 144, 91, 62, 18, 160, 254]);
    }

    #[test]
    fn extreme_shapes_work() {
        let data = noise(65535, 3);
        for format in [PixelFormat::Gray, PixelFormat::Rgb, PixelFormat::Bgra] {
            let long = 65535 / format.bytes_per_pixel();
            let column = ImageView::packed(&data, 1, long, format).unwrap();
            let row = ImageView::packed(&data, long, 1, format).unwrap();
            for rotation in ROTATIONS {
                assert_eq!(resize_upright(&column.rotated(rotation), 1, 640).unwrap().height(), 640);
                assert_eq!(resize_upright(&row.rotated(rotation), 640, 1).unwrap().width(), 640);
                assert_eq!(resize_upright(&row.rotated(rotation), 1, 1).unwrap().pixels().len(), 3);
            }
        }
        let dot = ImageView::packed(&[7, 8, 9], 1, 1, PixelFormat::Rgb).unwrap();
        let stretched = resize_upright(&dot, 2000, 3).unwrap();
        assert!(stretched.pixels().chunks(3).all(|pixel| pixel == [7, 8, 9]));
    }

    #[test]
    fn sizes_that_make_no_image_are_refused() {
        let view = ImageView::packed(&[1, 2, 3], 1, 1, PixelFormat::Rgb).unwrap();
        assert_eq!(resize_upright(&view, 0, 5).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert_eq!(resize_upright(&view, 5, 0).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert_eq!(resize_upright(&view, usize::MAX, 2).unwrap_err().kind(), ErrorKind::ImageTooLarge);
        assert_eq!(resize_upright(&view, 1 << 40, 1 << 20).unwrap_err().kind(), ErrorKind::ImageTooLarge);
    }
}
