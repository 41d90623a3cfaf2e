//! Four neighbours mixed, pixel after pixel along a line: the inner loop of cutting.

use super::view::Plane;

/// Positions are whole numbers of 1 / 2^32 pixel. As integers they add up exactly, so the part of a line that lies inside
/// the image can be computed beforehand and trusted.
pub(super) const POSITION_BITS: u32 = 32;

/// Weights are counted in steps of 1 / 2048.
pub(super) const WEIGHT_BITS: u32 = 11;
pub(super) const ONE: u32 = 1 << WEIGHT_BITS;

/// Half of the last place that is kept: cutting off after it is added rounds.
const HALF: u32 = 1 << (2 * WEIGHT_BITS - 1);

/// Positions on a line through the stored image, whose four taps all lie inside it: the first, and how far it is from one to
/// the next, in 1 / 2^32 pixel. There are as many as what is filled has pixels.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) step_x: i64,
    pub(super) step_y: i64,
}

/// The upper left of four taps, and the shares of the right and the lower ones in 1 / 2048.
struct Place {
    x: usize,
    y: usize,
    right: u32,
    lower: u32,
}

impl Run {
    #[inline(always)]
    fn next(&mut self) -> Place {
        let Run { x, y, .. } = *self;
        // The step after the last position may wrap, and is not used.
        self.x = x.wrapping_add(self.step_x);
        self.y = y.wrapping_add(self.step_y);
        let whole = |position: i64| (position >> POSITION_BITS) as usize;
        Place { x: whole(x), y: whole(y), right: fraction(x), lower: fraction(y) }
    }
}

#[inline(always)]
pub(super) fn fraction(position: i64) -> u32 {
    (position >> (POSITION_BITS - WEIGHT_BITS)) as u32 & (ONE - 1)
}

/// Mixes the pixels at the upper left, upper right, lower left and lower right; the weights are the
/// right's and the lower's shares in 1 / 2048.
#[inline(always)]
pub(super) fn blend<const N: usize>(taps: [[u8; N]; 4], right: u32, lower: u32) -> [u8; N] {
    std::array::from_fn(|channel| {
        let [a, b, c, d] = taps.map(|pixel| u32::from(pixel[channel]));
        let (above, below) = (a * (ONE - right) + b * right, c * (ONE - right) + d * right);
        // At most 255 * 2^22, which leaves room for the half that rounds.
        ((above * (ONE - lower) + below * lower + HALF) >> (2 * WEIGHT_BITS)) as u8
    })
}

/// Fills `out` along `run` from pixels that `read` gives one by one, mixed and then turned to red, green, blue and zero by
/// `finish`.
pub(super) fn mix_read<const N: usize>(
    mut run: Run,
    out: &mut [[u8; 4]],
    read: impl Fn(usize, usize) -> [u8; N],
    finish: impl Fn([u8; N]) -> [u8; 4],
) {
    for out in out {
        let at = run.next();
        let taps = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(x, y)| read(at.x + x, at.y + y));
        *out = finish(blend(taps, at.right, at.lower));
    }
}

/// Fills `out` along `run` from pixels of `N` bytes, 3 or 4, that begin with red, or with blue if `blue_first`; the fourth
/// byte is zero.
pub(super) fn mix<const N: usize>(plane: Plane<'_>, run: Run, blue_first: bool, out: &mut [[u8; 4]]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[allow(unsafe_code, reason = "the CPU has AVX2, which is all that the function asks for")]
        // SAFETY: AVX2 was detected.
        return unsafe { avx2::mix::<N>(plane, run, blue_first, out) };
    }
    portably::<N>(plane, run, blue_first, out);
}

fn portably<const N: usize>(plane: Plane<'_>, mut run: Run, blue_first: bool, out: &mut [[u8; 4]]) {
    for out in out {
        *out = one::<N>(plane, &run.next(), blue_first);
    }
}

#[inline(always)]
fn one<const N: usize>(plane: Plane<'_>, at: &Place, blue_first: bool) -> [u8; 4] {
    let start = at.y * plane.stride + at.x * N;
    let pairs = [start, start + plane.stride].map(|start| plane.bytes[start..start + 2 * N].as_chunks::<N>().0);
    let mixed = blend([pairs[0][0], pairs[0][1], pairs[1][0], pairs[1][1]], at.right, at.lower);
    if blue_first { [mixed[2], mixed[1], mixed[0], 0] } else { [mixed[0], mixed[1], mixed[2], 0] }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        _mm_add_epi32, _mm_cvtsi64_si128, _mm_cvtsi128_si32, _mm_madd_epi16, _mm_mullo_epi32, _mm_packus_epi16,
        _mm_packus_epi32, _mm_set1_epi32, _mm_setr_epi8, _mm_shuffle_epi8, _mm_srli_epi32,
    };

    use super::{HALF, ONE, Plane, Run, WEIGHT_BITS, one};

    /// As [`super::portably`], all channels of a pixel at once.
    #[target_feature(enable = "avx2")]
    pub(super) fn mix<const N: usize>(plane: Plane<'_>, mut run: Run, blue_first: bool, out: &mut [[u8; 4]]) {
        // Left and right of each channel side by side, widened to 16 bits; the fourth is zero.
        let (n, z) = (N as i8, -1);
        let (red, blue) = if blue_first { (2, 0) } else { (0, 2) };
        let pairs = _mm_setr_epi8(red, z, red + n, z, 1, z, 1 + n, z, blue, z, blue + n, z, z, z, z, z);
        for out in out {
            let at = run.next();
            let start = at.y * plane.stride + at.x * N;
            let eight = |start: usize| plane.bytes.get(start..).and_then(|bytes| bytes.first_chunk::<8>());
            let (Some(&above), Some(&below)) = (eight(start), eight(start + plane.stride)) else {
                // Six bytes of pixels may be all there is.
                *out = one::<N>(plane, &at, blue_first);
                continue;
            };
            let weights = _mm_set1_epi32((at.right << 16 | (ONE - at.right)) as i32);
            let [above, below] = [above, below].map(|bytes| {
                _mm_madd_epi16(_mm_shuffle_epi8(_mm_cvtsi64_si128(i64::from_le_bytes(bytes)), pairs), weights)
            });
            // At most 255 * 2^22, and the half that rounds.
            let above = _mm_mullo_epi32(above, _mm_set1_epi32((ONE - at.lower) as i32));
            let below = _mm_mullo_epi32(below, _mm_set1_epi32(at.lower as i32));
            let sum = _mm_add_epi32(_mm_add_epi32(above, below), _mm_set1_epi32(HALF as i32));
            let mixed = _mm_srli_epi32::<{ 2 * WEIGHT_BITS as i32 }>(sum);
            let words = _mm_packus_epi32(mixed, mixed);
            *out = _mm_cvtsi128_si32(_mm_packus_epi16(words, words)).to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_way_equals_the_plain_one() {
        fn compare<const N: usize>(width: usize, height: usize) {
            let stride = width * N + 1;
            let noise = |at: usize| (at.wrapping_mul(2_654_435_761) >> 13) as u8;
            // The last row ends with its last pixel: nothing may be read beyond.
            let bytes: Vec<u8> = (0..stride * height - 1).map(noise).collect();
            let plane = Plane { bytes: &bytes, stride };
            for (step_x, step_y) in [(1, 0), (0, 1), (3, 2), (2, -3), (-5, 1), (-1, -1)] {
                // From a corner or an edge, as far as both coordinates stay inside.
                let last = |side: usize| ((side - 1) as i64) << POSITION_BITS;
                let unit = 1i64 << (POSITION_BITS - 4);
                let from = |step: i64, side: usize| if step < 0 { last(side) - 1 } else { 0 };
                let run = Run {
                    x: from(step_x, width),
                    y: from(step_y, height),
                    step_x: step_x * unit + 12_345 * step_x.signum(),
                    step_y: step_y * unit + 54_321 * step_y.signum(),
                };
                let inside = |at: usize| {
                    let (x, y) = (run.x + run.step_x * at as i64, run.y + run.step_y * at as i64);
                    (0..last(width)).contains(&x) && (0..last(height)).contains(&y)
                };
                let count = (0..10_000).take_while(|at| inside(*at)).count();
                assert!(count > 3);
                for blue_first in [false, true] {
                    let (mut fast, mut plain) = (vec![[9; 4]; count], vec![[7; 4]; count]);
                    mix::<N>(plane, run, blue_first, &mut fast);
                    portably::<N>(plane, run, blue_first, &mut plain);
                    assert_eq!(fast, plain, "{width} x {height} of {N} bytes, {step_x}, {step_y}");
                }
            }
        }
        for (width, height) in [(2, 2), (3, 7), (50, 40)] {
            compare::<3>(width, height);
            compare::<4>(width, height);
        }
    }
}
