//! Cutting a turned and scaled crop out of an image.

use super::cutting::{POSITION_BITS, Run, WEIGHT_BITS, blend, fraction, mix, mix_read};
use super::view::{ImageView, PixelFormat, Rotation};
use crate::geometry::Similarity;

/// Cuts a crop of `width` x `height` pixels whose pixel (u, v) shows the upright image at `crop_to_source` of
/// (u, v): bilinear, pixel centres at whole numbers, black outside the image, like `cv2.warpAffine` with
/// `WARP_INVERSE_MAP`. A transform that is not finite gives black.
///
/// `put` gets each row by its number, as red, green, blue and a zero; `row` is the memory it is made in.
pub(crate) fn warp_rows(
    view: &ImageView<'_>,
    crop_to_source: &Similarity,
    (width, height): (usize, usize),
    row: &mut Vec<[u8; 4]>,
    mut put: impl FnMut(usize, &[[u8; 4]]),
) {
    row.clear();
    row.resize(width, [0; 4]);
    let Some(lines) = Lines::new(view, crop_to_source) else { return (0..height).for_each(|v| put(v, row)) };
    let plane = view.plane();
    let warp = Warp { view, lines, height };
    match view.format() {
        PixelFormat::Rgb => warp.fill(row, put, |run, out| mix::<3>(plane, run, false, out)),
        PixelFormat::Bgr => warp.fill(row, put, |run, out| mix::<3>(plane, run, true, out)),
        PixelFormat::Rgba => warp.fill(row, put, |run, out| mix::<4>(plane, run, false, out)),
        PixelFormat::Bgra => warp.fill(row, put, |run, out| mix::<4>(plane, run, true, out)),
        PixelFormat::Gray => {
            let read = |x: usize, y: usize| [plane.bytes[y * plane.stride + x]];
            warp.fill(row, put, |run, out| mix_read(run, out, read, |[grey]| [grey, grey, grey, 0]));
        }
        PixelFormat::Nv12 | PixelFormat::Nv21 => {
            warp.fill(row, put, |run, out| mix_read(run, out, |x, y| view.stored_rgb(x, y), with_zero));
        }
    }
}

/// As [`warp_rows`], into packed RGB of `width * height * 3` bytes.
pub(crate) fn warp_rgb(view: &ImageView<'_>, crop_to_source: &Similarity, width: usize, height: usize, out: &mut [u8]) {
    debug_assert_eq!(out.len(), width * height * 3);
    let out = out.as_chunks_mut::<3>().0;
    warp_rows(view, crop_to_source, (width, height), &mut Vec::new(), |v, row| {
        for (out, &[red, green, blue, _]) in out[v * width..].iter_mut().zip(row) {
            *out = [red, green, blue];
        }
    });
}

/// One stored coordinate as an affine function of the crop's pixel (u, v), in fixed point.
///
/// In 128 bits, because landmarks may be wrong by any amount: coordinates and steps of 2^60 pixels do not
/// overflow.
#[derive(Clone, Copy)]
struct Line {
    origin: i128,
    per_u: i128,
    per_v: i128,
}

impl Line {
    fn at(&self, u: usize, v: usize) -> i128 {
        self.origin + self.per_u * u as i128 + self.per_v * v as i128
    }

    /// The line that runs backwards from `last`: what turning an image does to a coordinate.
    fn mirrored(&self, last: usize) -> Line {
        Line { origin: ((last as i128) << POSITION_BITS) - self.origin, per_u: -self.per_u, per_v: -self.per_v }
    }

    /// The `u` below `width` at which the coordinate is at least 0 and below `end`, in row `v`.
    fn inside(&self, v: usize, width: usize, end: i128) -> (usize, usize) {
        let start = self.at(0, v);
        let count = |u: i128| u.clamp(0, width as i128) as usize;
        // The first u of a rising line at or above a bound; `-bound` and `-start` serve a falling one.
        let first = |bound: i128, start: i128, step: i128| count(div_ceil(bound - start, step));
        match self.per_u {
            0 if (0..end).contains(&start) => (0, width),
            0 => (0, 0),
            step @ 1.. => (first(0, start, step), first(end, start, step)),
            step => (first(1 - end, -start, -step), first(1, -start, -step)),
        }
    }
}

/// `a / b` rounded up, for positive `b`.
fn div_ceil(a: i128, b: i128) -> i128 {
    // 128-bit division is slow, and both numbers nearly always fit in 64 bits.
    let (quotient, remainder) = match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => (i128::from(a / b), i128::from(a % b)),
        _ => (a / b, a % b),
    };
    quotient + i128::from(remainder > 0)
}

/// Both stored coordinates.
struct Lines {
    x: Line,
    y: Line,
}

impl Lines {
    /// `None` if the transform is not finite.
    fn new(view: &ImageView<'_>, crop_to_source: &Similarity) -> Option<Lines> {
        let Similarity { a, b, tx, ty } = *crop_to_source;
        if ![a, b, tx, ty].iter().all(|value| value.is_finite()) {
            return None;
        }
        // No image reaches as far as 2^60 pixels, and the products with u and v stay below
        // 2^(60 + 32 + 34) for any crop that fits in memory.
        let fixed = |value: f64| {
            let limit = (1u64 << 60) as f64;
            (value.clamp(-limit, limit) * (1u64 << POSITION_BITS) as f64).round() as i128
        };
        // Weights are cut off after 11 bits; half of the last bit makes that rounding.
        let half = 1 << (POSITION_BITS - WEIGHT_BITS - 1);
        let x = Line { origin: fixed(tx), per_u: fixed(a), per_v: fixed(-b) };
        let y = Line { origin: fixed(ty), per_u: fixed(b), per_v: fixed(a) };
        let (width, height) = view.stored_size();
        let (x, y) = match view.rotation() {
            Rotation::None => (x, y),
            Rotation::Clockwise90 => (y, x.mirrored(height - 1)),
            Rotation::Clockwise180 => (x.mirrored(width - 1), y.mirrored(height - 1)),
            Rotation::Clockwise270 => (y.mirrored(width - 1), x),
        };
        let rounding = |line: Line| Line { origin: line.origin + half, ..line };
        Some(Lines { x: rounding(x), y: rounding(y) })
    }
}

fn with_zero([red, green, blue]: [u8; 3]) -> [u8; 4] {
    [red, green, blue, 0]
}

struct Warp<'a> {
    view: &'a ImageView<'a>,
    lines: Lines,
    height: usize,
}

impl Warp<'_> {
    /// `fill_run` makes the pixels all of whose taps lie inside the image.
    fn fill(
        &self,
        row: &mut [[u8; 4]],
        mut put: impl FnMut(usize, &[[u8; 4]]),
        fill_run: impl Fn(Run, &mut [[u8; 4]]),
    ) {
        let width = row.len();
        let (columns, rows) = self.view.stored_size();
        let end = |count: usize| (count as i128 - 1) << POSITION_BITS;
        for v in 0..self.height {
            let (x_from, x_to) = self.lines.x.inside(v, width, end(columns));
            let (y_from, y_to) = self.lines.y.inside(v, width, end(rows));
            let from = x_from.max(y_from);
            let to = x_to.min(y_to).max(from);
            for (u, pixel) in row[..from].iter_mut().enumerate() {
                *pixel = with_zero(self.border(u, v));
            }
            // Inside the image coordinates fit in 64 bits, and so do the steps between two that do.
            let [x, y] = [&self.lines.x, &self.lines.y].map(|line| (line.at(from, v) as i64, line.per_u as i64));
            fill_run(Run { x: x.0, y: y.0, step_x: x.1, step_y: y.1 }, &mut row[from..to]);
            for (u, pixel) in row[to..].iter_mut().enumerate() {
                *pixel = with_zero(self.border(to + u, v));
            }
            put(v, row);
        }
    }

    /// A pixel some of whose taps lie outside the image and count as black.
    fn border(&self, u: usize, v: usize) -> [u8; 3] {
        let (columns, rows) = self.view.stored_size();
        let (x, y) = (self.lines.x.at(u, v), self.lines.y.at(u, v));
        let outside = |at: i128, count: usize| at < -1 << POSITION_BITS || at >= (count as i128) << POSITION_BITS;
        if outside(x, columns) || outside(y, rows) {
            return [0; 3];
        }
        let (x, y) = (x as i64, y as i64);
        let (left, upper) = (x >> POSITION_BITS, y >> POSITION_BITS);
        let tap = |(dx, dy): (i64, i64)| match (usize::try_from(left + dx), usize::try_from(upper + dy)) {
            (Ok(x), Ok(y)) if x < columns && y < rows => self.view.stored_rgb(x, y),
            _ => [0; 3],
        };
        blend([(0, 0), (1, 0), (0, 1), (1, 1)].map(tap), fraction(x), fraction(y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::cutting::ONE;

    /// xorshift64*, for data that is the same on every run.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
        }

        fn below(&mut self, end: usize) -> usize {
            ((self.next() >> 33) % end as u64) as usize
        }

        /// Between -1 and 1.
        fn unit(&mut self) -> f64 {
            (self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        }

        fn pick<T: Copy>(&mut self, items: &[T]) -> T {
            items[self.below(items.len())]
        }
    }

    /// What `warp_rgb` computes, the obvious way: every pixel and every tap by itself.
    fn plain(view: &ImageView<'_>, transform: &Similarity, width: usize, height: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let (columns, rows) = view.stored_size();
        for v in 0..height {
            for u in 0..width {
                let Some(lines) = Lines::new(view, transform) else {
                    out.extend([0; 3]);
                    continue;
                };
                let (x, y) = (lines.x.at(u, v), lines.y.at(u, v));
                let tap = |dx: i128, dy: i128| {
                    let (x, y) = ((x >> POSITION_BITS) + dx, (y >> POSITION_BITS) + dy);
                    let inside = (0..columns as i128).contains(&x) && (0..rows as i128).contains(&y);
                    if inside { view.stored_rgb(x as usize, y as usize) } else { [0; 3] }
                };
                let share = |at: i128| ((at >> (POSITION_BITS - WEIGHT_BITS)) & (i128::from(ONE) - 1)) as u32;
                out.extend(blend([tap(0, 0), tap(1, 0), tap(0, 1), tap(1, 1)], share(x), share(y)));
            }
        }
        out
    }

    fn warped(view: &ImageView<'_>, transform: &Similarity, width: usize, height: usize) -> Vec<u8> {
        let mut out = vec![99; width * height * 3];
        warp_rgb(view, transform, width, height, &mut out);
        out
    }

    const FORMATS: [PixelFormat; 7] = [
        PixelFormat::Rgb,
        PixelFormat::Bgr,
        PixelFormat::Rgba,
        PixelFormat::Bgra,
        PixelFormat::Gray,
        PixelFormat::Nv12,
        PixelFormat::Nv21,
    ];
    const ROTATIONS: [Rotation; 4] =
        [Rotation::None, Rotation::Clockwise90, Rotation::Clockwise180, Rotation::Clockwise270];

    #[test]
    fn the_fast_path_equals_the_plain_one_bit_for_bit() {
        let mut random = Random(7);
        let data: Vec<u8> = (0..30_000).map(|_| random.next() as u8).collect();
        for round in 0..20_000 {
            let format = random.pick(&FORMATS);
            let (width, height) = match round % 4 {
                0 => (1 + random.below(2), 1 + random.below(2)),
                1 => (1 + random.below(60), 1),
                _ => (1 + random.below(60), 1 + random.below(60)),
            };
            let stride = (width + 1) * format.bytes_per_pixel() + random.below(9);
            let view = ImageView::new(&data, width, height, stride, format).unwrap().rotated(random.pick(&ROTATIONS));
            // Scales from 2^-40 to 2^40, shifts from none to 10^20: most near the image, some anywhere.
            let scale = match round % 10 {
                0 => 2f64.powf(40.0 * random.unit()),
                1 => 2f64.powf(5.0 * random.unit()),
                2 => 0.0,
                _ => 2f64.powf(random.unit()),
            };
            let shift = random.pick(&[0.0, 1.0, 40.0, 40.0, 40.0, 1e4, 1e10, 1e20]);
            let (sin, cos) = match round % 3 {
                0 => random.pick(&[(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)]),
                _ => (random.unit() * 3.2).sin_cos(),
            };
            let (tx, ty) = (shift * random.unit(), shift * random.unit());
            let transform = Similarity { a: scale * cos, b: scale * sin, tx, ty };
            let (width, height) = (1 + random.below(24), 1 + random.below(12));
            let expected = plain(&view, &transform, width, height);
            assert_eq!(warped(&view, &transform, width, height), expected, "round {round}: {view:?}, {transform:?}");
        }
    }

    #[test]
    fn any_numbers_at_all_are_survived() {
        let data = [200u8; 5 * 4 * 3];
        let view = ImageView::packed(&data, 5, 4, PixelFormat::Rgb).unwrap();
        let numbers = [0.0, -1.0, 1e-300, 3.5, 1e18, -1e19, 1e300, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY];
        for a in numbers {
            for b in numbers {
                for t in numbers {
                    let transform = Similarity { a, b, tx: t, ty: -t };
                    for rotation in ROTATIONS {
                        let view = view.rotated(rotation);
                        assert_eq!(warped(&view, &transform, 9, 3), plain(&view, &transform, 9, 3), "{transform:?}");
                    }
                }
            }
        }
        warp_rgb(&view, &Similarity::IDENTITY, 0, 0, &mut []);
        warp_rgb(&view, &Similarity::IDENTITY, 0, 5, &mut []);
    }

    #[test]
    fn the_identity_copies_the_upright_image_and_leaves_black_around_it() {
        let data: Vec<u8> = (0..7 * 5 * 3).map(|i| i as u8 + 100).collect();
        for rotation in ROTATIONS {
            let view = ImageView::packed(&data, 7, 5, PixelFormat::Rgb).unwrap().rotated(rotation);
            let shift = Similarity { tx: -2.0, ty: -1.0, ..Similarity::IDENTITY };
            let out = warped(&view, &shift, 12, 12);
            for (i, pixel) in out.chunks(3).enumerate() {
                let (x, y) = ((i % 12) as i64 - 2, (i / 12) as i64 - 1);
                let inside = (0..view.width() as i64).contains(&x) && (0..view.height() as i64).contains(&y);
                let at = view.upright_to_stored(crate::geometry::Point::new(x as f32, y as f32));
                let expected = if inside { view.stored_rgb(at.x as usize, at.y as usize) } else { [0; 3] };
                assert_eq!(pixel, expected, "{rotation:?} at {x}, {y}");
            }
        }
    }

    #[test]
    fn a_crop_of_a_smooth_picture_is_where_the_transform_says() {
        // Red grows by 2 a pixel to the right, green by 3 downwards: a sample tells its position.
        let (width, height) = (100, 70);
        let data: Vec<u8> =
            (0..height).flat_map(|y| (0..width).flat_map(move |x| [2 * x as u8, 3 * y as u8, 0])).collect();
        let view = ImageView::packed(&data, width, height, PixelFormat::Rgb).unwrap();
        let transform = Similarity { a: 0.51, b: 0.33, tx: 30.25, ty: 9.125 };
        let out = warped(&view, &transform, 50, 40);
        for (i, pixel) in out.chunks(3).enumerate() {
            let (u, v) = ((i % 50) as f64, (i / 50) as f64);
            let (x, y) = (0.51 * u - 0.33 * v + 30.25, 0.33 * u + 0.51 * v + 9.125);
            assert!((f64::from(pixel[0]) - 2.0 * x).abs() <= 0.51, "{u}, {v}");
            assert!((f64::from(pixel[1]) - 3.0 * y).abs() <= 0.51, "{u}, {v}");
        }
    }
}
