//! Vectors in one byte per coordinate, and how far an inner product of them can be off.
//!
//! A coordinate is `scale * (code - 128)`, with one scale for the row. What rounding changed, as the
//! length of the difference vector, is kept beside the scale; with the inequality of Cauchy and
//! Schwarz it bounds the error of every product, whatever the vectors.

use crate::index::kernels::{CODE_BLOCK, Kernels};

/// The code of 0.
const ZERO: u8 = 128;

/// Largest distance of a code from that of 0.
const LARGEST: f32 = 127.0;

/// What f32 arithmetic, here and in the exact cosine, and lengths a little above 1 may add to an error.
const ARITHMETIC: f32 = 3e-5;

/// The scale of a row and the length of its rounding error, each as the upper half of an f32.
pub(in crate::index) type Step = [u16; 2];

/// How many codes a row of `dimension` coordinates takes.
pub(in crate::index) fn stride(dimension: usize) -> usize {
    dimension.next_multiple_of(CODE_BLOCK)
}

/// Writes the codes of `values`, a vector of length 1; codes beyond it stand for 0.
#[inline(always)] // So that it is compiled for the registers of its caller.
pub(in crate::index) fn quantise(values: &[f32], codes: &mut [u8]) -> Step {
    /// Adding it rounds to the nearest integer and leaves that in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LANES: usize = 8;
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut last = [0.0; LANES];
    last[..rest.len()].copy_from_slice(rest);

    let mut largest = last.map(f32::abs);
    for values in whole {
        largest =
            std::array::from_fn(
                |lane| if values[lane].abs() > largest[lane] { values[lane].abs() } else { largest[lane] },
            );
    }
    // Rounded up, so that no code is beyond the largest.
    let scale = upper_half(largest.into_iter().fold(0.0, f32::max) / LARGEST);
    let (wide, inverse) = (widen(scale), 1.0 / widen(scale));

    codes.fill(ZERO);
    let mut squares = [0.0; LANES];
    whole.iter().chain([&last]).zip(codes.as_chunks_mut::<LANES>().0).for_each(|(values, codes)| {
        for lane in 0..LANES {
            let rounded = values[lane] * inverse + ROUND;
            codes[lane] = (rounded.to_bits() as u8).wrapping_add(ZERO);
            let error = values[lane] - (rounded - ROUND) * wide;
            squares[lane] += error * error;
        }
    });
    // The factor covers the rounding of this sum.
    [scale, upper_half(squares.iter().sum::<f32>().sqrt() * 1.0001)]
}

/// Writes stored codes as differences from the code of 0, and returns their sum.
#[inline(always)] // As above.
fn centre(codes: &[u8], centred: &mut [i8]) -> i32 {
    let mut sum = 0;
    for (centred, code) in centred.iter_mut().zip(codes) {
        *centred = code.wrapping_sub(ZERO) as i8;
        sum += i32::from(*centred);
    }
    sum
}

/// The upper half of a positive f32, rounded up.
fn upper_half(value: f32) -> u16 {
    (value.to_bits().saturating_add(0xffff) >> 16) as u16
}

/// The f32 whose upper half is given.
fn widen(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

/// Whether a stored step can be one of a vector of length 1.
pub(in crate::index) fn plausible([scale, error]: Step) -> bool {
    (0.0..=1.0).contains(&widen(scale)) && (0.0..=1.0).contains(&widen(error))
}

/// A probe in codes.
pub(in crate::index) struct CodedProbe {
    codes: Vec<i8>,
    scale: f32,
    error: f32,
    /// What the offset of the stored codes adds to every product.
    offset: i32,
}

/// An approximate cosine: the true one is within `error` of `score`.
#[derive(Clone, Copy)]
pub(in crate::index) struct Estimate {
    pub score: f32,
    pub error: f32,
}

impl CodedProbe {
    pub fn new(kernels: Kernels, values: &[f32]) -> Self {
        let mut stored = vec![ZERO; stride(values.len())];
        let step = kernels.vectorised(|| quantise(values, &mut stored));
        let mut probe = CodedProbe::empty();
        probe.set(kernels, &stored, step);
        probe
    }

    /// One that is no vector's yet.
    pub fn empty() -> Self {
        CodedProbe { codes: Vec::new(), scale: 0.0, error: 0.0, offset: 0 }
    }

    /// Makes it a row's vector, as far as its codes tell.
    pub fn set(&mut self, kernels: Kernels, codes: &[u8], [scale, error]: Step) {
        self.codes.resize(codes.len(), 0);
        let sum = kernels.vectorised(|| centre(codes, &mut self.codes));
        (self.scale, self.error, self.offset) = (widen(scale), widen(error), i32::from(ZERO) * sum);
    }

    /// The cosine with a row of codes.
    pub fn estimate(&self, kernels: Kernels, codes: &[u8], [scale, error]: Step) -> Estimate {
        let product = kernels.dot(codes, &self.codes) - self.offset;
        let (scale, error) = (widen(scale), widen(error));
        let error = error + self.error + error * self.error + ARITHMETIC;
        Estimate { score: product as f32 * (scale * self.scale), error }
    }
}
