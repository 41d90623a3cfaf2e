//! Scaling to a model's input size.
//!
//! Four taps around each target pixel's centre, read straight from the caller's rows: no full-size copy
//! is made whatever the format, stride or rotation, and rows and columns that no target pixel falls on
//! are never touched. Rows go to the caller one by one, so that no scaled image is kept either. Detectors
//! were trained and measured with OpenCV's `INTER_LINEAR`, so its integer arithmetic is repeated here bit
//! for bit; a filter that averages while shrinking would look smoother and shift their scores.

use super::scaling::{ONE, Taps, mix_columns, mix_rows};
use super::view::{ImageView, PixelFormat, Plane, Rotation, yuv_to_rgb};
use crate::error::{Result, fail};

/// Scales images. What it needs in memory it keeps, so that photo after photo takes no more.
#[derive(Default)]
pub(crate) struct Resizer {
    main: Scaler,
    chroma: Scaler,
    /// A row of the target: finished pixels, and what they are made of where that is something else.
    pixels: Vec<[u8; 4]>,
    bytes: Vec<[u8; 1]>,
    pairs: Vec<[u8; 2]>,
}

/// Where the pixels of a row belong in the upright result: the first one's index, and how far it is to the next.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) step: isize,
}

impl Resizer {
    /// Scales the upright image to `width` x `height` pixels, bilinearly and without antialiasing; the
    /// centres of both pictures coincide. An unchanged size leaves every pixel as it is.
    ///
    /// `put` gets every row of the stored image, as red, green, blue and a byte without meaning, with its place in
    /// an upright result whose rows are `pitch` pixels apart.
    ///
    /// Errors with `InvalidArgument` if a side is zero.
    pub(crate) fn rows(
        &mut self,
        view: &ImageView<'_>,
        (width, height): (usize, usize),
        pitch: usize,
        mut put: impl FnMut(Place, &[[u8; 4]]),
    ) -> Result<()> {
        if width == 0 || height == 0 {
            fail!(InvalidArgument, "an image cannot be scaled to {width} x {height} pixels");
        }
        let rotation = view.rotation();
        let target = if rotation.swaps_sides() { (height, width) } else { (width, height) };
        let Resizer { main, chroma, pixels, bytes, pairs } = self;
        let (plane, size) = (view.plane(), view.stored_size());
        main.aim(size, target);
        pixels.resize(target.0, [0; 4]);
        let mut put = |y: usize, pixels: &[[u8; 4]]| put(placed(rotation, target, y, pitch), pixels);
        match view.format() {
            format @ (PixelFormat::Rgb | PixelFormat::Bgr) => {
                for y in 0..target.1 {
                    main.row::<3, 4>(plane, size.0, y, pixels);
                    put(y, red_first(pixels, format == PixelFormat::Bgr));
                }
            }
            format @ (PixelFormat::Rgba | PixelFormat::Bgra) => {
                for y in 0..target.1 {
                    main.row::<4, 4>(plane, size.0, y, pixels);
                    put(y, red_first(pixels, format == PixelFormat::Bgra));
                }
            }
            PixelFormat::Gray => {
                bytes.resize(target.0, [0]);
                for y in 0..target.1 {
                    main.row::<1, 1>(plane, size.0, y, bytes);
                    for (pixel, &[value]) in pixels.iter_mut().zip(&*bytes) {
                        *pixel = [value; 4];
                    }
                    put(y, pixels);
                }
            }
            // Luma and colour are scaled apart and joined at the target size: a colour sample is the mean of
            // 2 x 2 pixels (JPEG's siting), so its plane covers the same area with half as many samples.
            format @ (PixelFormat::Nv12 | PixelFormat::Nv21) => {
                chroma.aim_at_chroma(size, target);
                bytes.resize(target.0, [0]);
                pairs.resize(target.0, [0; 2]);
                for y in 0..target.1 {
                    main.row::<1, 1>(plane, size.0, y, bytes);
                    chroma.row::<2, 2>(view.chroma(), size.0.div_ceil(2), y, pairs);
                    for ((pixel, &[luma]), &[first, second]) in pixels.iter_mut().zip(&*bytes).zip(&*pairs) {
                        let (u, v) = if format == PixelFormat::Nv12 { (first, second) } else { (second, first) };
                        let [red, green, blue] = yuv_to_rgb(luma, u, v);
                        *pixel = [red, green, blue, 0];
                    }
                    put(y, pixels);
                }
            }
        }
        Ok(())
    }

    /// Bytes of memory kept.
    pub(crate) fn memory(&self) -> usize {
        self.main.memory() + self.chroma.memory() + 4 * self.pixels.capacity() + 2 * self.pairs.capacity()
    }
}

fn red_first(pixels: &mut [[u8; 4]], blue_first: bool) -> &[[u8; 4]] {
    if blue_first {
        pixels.iter_mut().for_each(|[blue, _, red, _]| std::mem::swap(blue, red));
    }
    pixels
}

/// Where stored row `y` of an image of `size` pixels belongs once that is turned upright.
fn placed(rotation: Rotation, size: (usize, usize), y: usize, pitch: usize) -> Place {
    let (right, bottom) = (size.0 - 1, size.1 - 1);
    let pitch_step = pitch as isize;
    match rotation {
        Rotation::None => Place { start: y * pitch, step: 1 },
        Rotation::Clockwise90 => Place { start: bottom - y, step: pitch_step },
        Rotation::Clockwise180 => Place { start: (bottom - y) * pitch + right, step: -1 },
        Rotation::Clockwise270 => Place { start: right * pitch + y, step: -pitch_step },
    }
}

/// The taps along one axis: `count` samples that cover a length of `extent` samples, seen by `target`
/// samples. Beyond the outermost centres the outermost sample counts alone.
fn axis(taps: &mut Vec<Taps>, count: usize, extent: f64, target: usize) {
    // Written, and rounded to 32 bits, as OpenCV does it: the last bit of a weight depends on that.
    let step = 1.0 / (target as f64 / extent);
    let last = count - 1;
    taps.clear();
    taps.extend((0..target).map(|i| {
        let at = (((i as f64 + 0.5) * step - 0.5) as f32).max(0.0);
        let first = (at as usize).min(last);
        let share = if first == last { 0.0 } else { (at - first as f32) * ONE as f32 };
        Taps::new(first, share.round_ties_even() as i32)
    }));
}

/// The taps into the colour plane of `luma` pixels.
fn chroma_axis(taps: &mut Vec<Taps>, luma: usize, target: usize) {
    if luma == target {
        // Nothing is resampled at an unchanged size: pixels keep the colour of their pair.
        taps.clear();
        taps.extend((0..target).map(|i| Taps::new(i / 2, 0)));
    } else {
        axis(taps, luma.div_ceil(2), luma as f64 / 2.0, target);
    }
}

/// Reads one plane at another size.
#[derive(Default)]
struct Scaler {
    columns: Vec<Taps>,
    rows: Vec<Taps>,
    /// Every sample goes to where it was.
    unchanged: bool,
    /// The two stored rows in use, by their number.
    upper: Mixed,
    lower: Mixed,
}

/// A stored row at the target's width, in steps of 1 / 128.
#[derive(Default)]
struct Mixed {
    row: Option<usize>,
    samples: Vec<i16>,
}

impl Scaler {
    fn aim(&mut self, (width, height): (usize, usize), target: (usize, usize)) {
        axis(&mut self.columns, width, width as f64, target.0);
        axis(&mut self.rows, height, height as f64, target.1);
        self.unchanged = target == (width, height);
        self.forget_rows();
    }

    fn aim_at_chroma(&mut self, (width, height): (usize, usize), target: (usize, usize)) {
        chroma_axis(&mut self.columns, width, target.0);
        chroma_axis(&mut self.rows, height, target.1);
        self.unchanged = false;
        self.forget_rows();
    }

    /// What was read belongs to another image. Both rows get room for the widest seen, as they change places.
    fn forget_rows(&mut self) {
        for mixed in [&mut self.upper, &mut self.lower] {
            mixed.row = None;
            mixed.samples.resize(4 * self.columns.len(), 0);
        }
    }

    /// Row `y` of the target, from a plane of `N` bytes a sample, `samples` in a row, to `L` bytes a sample, of which
    /// those beyond `N` mean nothing.
    fn row<const N: usize, const L: usize>(&mut self, plane: Plane<'_>, samples: usize, y: usize, out: &mut [[u8; L]]) {
        let (first, share) = (self.rows[y].first(), self.rows[y].share());
        if self.unchanged {
            let stored = plane.row(first, samples * N).as_chunks::<N>().0;
            for (out, stored) in out.iter_mut().zip(stored) {
                out[..N].copy_from_slice(stored);
            }
            return;
        }
        // Rows come in order: the lower one often becomes the upper one.
        if self.upper.row != Some(first) {
            std::mem::swap(&mut self.upper, &mut self.lower);
        }
        self.upper.read::<N, L>(first, plane, samples, &self.columns);
        let above = &self.upper.samples;
        let out = out.as_flattened_mut();
        if share == 0 {
            return mix_rows(above, above, 0, out);
        }
        self.lower.read::<N, L>(first + 1, plane, samples, &self.columns);
        mix_rows(above, &self.lower.samples, share, out);
    }

    fn memory(&self) -> usize {
        let taps = self.columns.capacity() + self.rows.capacity();
        taps * size_of::<Taps>() + 2 * (self.upper.samples.capacity() + self.lower.samples.capacity())
    }
}

impl Mixed {
    fn read<const N: usize, const L: usize>(&mut self, y: usize, plane: Plane<'_>, samples: usize, columns: &[Taps]) {
        if self.row == Some(y) {
            return;
        }
        self.row = Some(y);
        self.samples.resize(columns.len() * L, 0);
        mix_columns::<N, L>(plane.row(y, samples * N), columns, self.samples.as_chunks_mut().0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::image::Image;

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

    /// The scaled upright image, by a resizer that has done other work before.
    fn scaled(view: &ImageView<'_>, width: usize, height: usize) -> Image {
        let mut resizer = Resizer::default();
        resizer.rows(view, (width + 3, height + 1), width + 3, |_, _| ()).unwrap();
        let mut pixels = vec![[0; 3]; width * height];
        let put = |Place { start, step }: Place, row: &[[u8; 4]]| {
            for (x, &[red, green, blue, _]) in row.iter().enumerate() {
                pixels[start.wrapping_add_signed(x as isize * step)] = [red, green, blue];
            }
        };
        resizer.rows(view, (width, height), width, put).unwrap();
        Image::from_rgb(width, height, pixels.into_flattened()).unwrap()
    }

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
                    let same = scaled(&view, view.width(), view.height());
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
                        let direct = scaled(&view, width, height);
                        if !format.is_semi_planar() {
                            // Turning first or last makes no difference but for ties in rounding.
                            let reference = scaled(&upright.view(), width, height);
                            let apart = direct.pixels().iter().zip(reference.pixels()).map(|(a, b)| a.abs_diff(*b));
                            assert!(apart.max().unwrap() <= 1, "{view:?} to {width} x {height}");
                        }
                        let turned = scaled(&view.rotated(Rotation::None), width, height);
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
        let doubled = scaled(&view, width * 2, height * 2);
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
        let reds = |width| scaled(&view, width, 1).pixels().chunks(3).map(|pixel| pixel[0]).collect::<Vec<_>>();
        assert_eq!(reds(8), [0, 25, 75, 125, 175, 163, 88, 50]);
        assert_eq!(reds(3), [17, 150, 75]);
        assert_eq!(reds(2), [50, 125]);

        // cv2.resize(np.array([[7, 200, 33], [91, 18, 254]], np.uint8), (5, 3)).ravel()
        let view = ImageView::packed(&[7, 200, 33, 91, 18, 254], 3, 2, PixelFormat::Gray).unwrap();
        let small = scaled(&view, 5, 3);
        let reds: Vec<u8> = small.pixels().chunks(3).map(|pixel| pixel[0]).collect();
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
                assert_eq!(scaled(&column.rotated(rotation), 1, 640).height(), 640);
                assert_eq!(scaled(&row.rotated(rotation), 640, 1).width(), 640);
                assert_eq!(scaled(&row.rotated(rotation), 1, 1).pixels().len(), 3);
            }
        }
        let dot = ImageView::packed(&[7, 8, 9], 1, 1, PixelFormat::Rgb).unwrap();
        let stretched = scaled(&dot, 2000, 3);
        assert!(stretched.pixels().chunks(3).all(|pixel| pixel == [7, 8, 9]));
    }

    #[test]
    fn sizes_that_make_no_image_are_refused() {
        let view = ImageView::packed(&[1, 2, 3], 1, 1, PixelFormat::Rgb).unwrap();
        for size in [(0, 5), (5, 0)] {
            let error = Resizer::default().rows(&view, size, 5, |_, _| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        }
    }
}
