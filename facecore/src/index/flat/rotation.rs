//! The rotation before the signs are taken: it spreads every vector over all coordinates, so that
//! each sign says as much as any other.
//!
//! Three rounds of sign flips and a Hadamard transform. They are made of changes of sign and of f32
//! additions and subtractions in a fixed order, which IEEE 754 rounds alike everywhere: every
//! processor makes the same sketch of a vector, and stored sketches stay valid.

use crate::index::kernels::{Kernels, SKETCH_BITS, Sketch};

const ROUNDS: usize = 3;

/// Where the sequence of sign flips starts.
const SEED: u64 = 0x6661_6365_636f_7265;

/// A fixed rotation of vectors of one dimension.
pub(super) struct Rotation {
    /// For each round and coordinate, the sign bit to flip: 0 or `1 << 31`.
    flips: [Vec<u32>; ROUNDS],
}

impl Rotation {
    /// The rotation for vectors of `dimension` coordinates. It works in the next power of two, 512
    /// at least, where the coordinates beyond the vector are 0.
    pub fn new(dimension: usize) -> Self {
        let width = dimension.next_power_of_two().max(SKETCH_BITS);
        let mut state = SEED;
        let mut round = || {
            let words = (0..width / 64).map(|_| splitmix64(&mut state)).collect::<Vec<_>>();
            (0..width).map(|at| ((words[at / 64] >> (at % 64)) as u32 & 1) << 31).collect()
        };
        Rotation { flips: [round(), round(), round()] }
    }

    /// The signs of the first 512 rotated coordinates of a vector; 1 where one is negative. `room`
    /// is only working space.
    pub fn sketch(&self, kernels: Kernels, values: &[f32], room: &mut Vec<f32>) -> Sketch {
        kernels.vectorised(|| self.rotate(values, room));
        let mut sketch = Sketch::default();
        for (word, signs) in sketch.iter_mut().zip(room.as_chunks::<64>().0) {
            for (bit, sign) in signs.iter().enumerate() {
                *word |= u64::from(sign.to_bits() >> 31) << bit;
            }
        }
        sketch
    }

    /// Leaves in `rotated` the rotated vector, longer by the factor `width^(ROUNDS / 2)`: signs do
    /// not need the division.
    #[inline(always)] // So that it is compiled for the registers of its caller.
    fn rotate(&self, values: &[f32], rotated: &mut Vec<f32>) {
        rotated.clear();
        rotated.extend_from_slice(values);
        rotated.resize(self.flips[0].len(), 0.0);
        for flips in &self.flips {
            for (value, flip) in rotated.iter_mut().zip(flips) {
                *value = f32::from_bits(value.to_bits() ^ flip);
            }
            hadamard(rotated);
        }
    }
}

/// The next number of the sequence known as splitmix64.
fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The Hadamard transform in place, without its factor. The length is a power of two, 8 at least.
#[inline(always)] // As above.
fn hadamard(values: &mut [f32]) {
    // The three narrowest steps at once, within registers.
    for block in values.as_chunks_mut::<8>().0 {
        let [a, b, c, d, e, f, g, h] = *block;
        let (a, b, c, d, e, f, g, h) = (a + b, a - b, c + d, c - d, e + f, e - f, g + h, g - h);
        let (a, b, c, d, e, f, g, h) = (a + c, b + d, a - c, b - d, e + g, f + h, e - g, f - h);
        *block = [a + e, b + f, c + g, d + h, a - e, b - f, c - g, d - h];
    }
    let mut half = 8;
    while half < values.len() {
        for block in values.chunks_exact_mut(2 * half) {
            let (left, right) = block.split_at_mut(half);
            for (l, r) in left.iter_mut().zip(right) {
                (*l, *r) = (*l + *r, *l - *r);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(dimension: usize) -> Vec<f32> {
        (0..dimension).map(|at| ((at * 37 + 11) % 101) as f32 / 101.0 - 0.47).collect()
    }

    fn length(values: &[f32]) -> f64 {
        values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt()
    }

    #[test]
    fn the_transform_equals_its_definition() {
        let values = vector(64);
        let mut transformed = values.clone();
        hadamard(&mut transformed);
        for (row, &value) in transformed.iter().enumerate() {
            let sign = |at: usize| if (row & at).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
            let expected: f32 = values.iter().enumerate().map(|(at, v)| sign(at) * v).sum();
            assert!((value - expected).abs() < 1e-4, "row {row}");
        }
    }

    #[test]
    fn lengths_and_angles_stay() {
        for dimension in [64, 65, 128, 500, 512, 513, 1000, 1024] {
            let rotation = Rotation::new(dimension);
            let width = rotation.flips[0].len();
            let (a, b) = (vector(dimension), vector(dimension + 7)[7..].to_vec());
            let (mut rotated_a, mut rotated_b) = (Vec::new(), Vec::new());
            rotation.rotate(&a, &mut rotated_a);
            rotation.rotate(&b, &mut rotated_b);
            let factor = (width as f64).powf(ROUNDS as f64 / 2.0);
            assert!((length(&rotated_a) / factor / length(&a) - 1.0).abs() < 1e-5, "{dimension}");
            let product =
                |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
            let difference = product(&rotated_a, &rotated_b) / factor / factor - product(&a, &b);
            assert!(difference.abs() < 1e-5 * length(&a) * length(&b), "{dimension}");
        }
    }

    /// Stored sketches hold these signs: if this fails, `Segment::LAYOUT` must change.
    #[test]
    fn sketches_never_change() {
        let golden = |dimension| {
            let rotation = Rotation::new(dimension);
            let sketch = |kernels| rotation.sketch(kernels, &vector(dimension), &mut Vec::new());
            let sketches: Vec<Sketch> = Kernels::available().into_iter().map(sketch).collect();
            assert!(sketches.iter().all(|sketch| *sketch == sketches[0]));
            sketches[0].map(|word| format!("{word:016x}")).join(" ")
        };
        assert_eq!(
            golden(128),
            "fe38c2898e528456 8fe31db2b425dcd3 4c461a5a22eca188 711127ce3ae0e34d \
             4a668694667ed674 0d9cb878febb9ce6 40d6705637352feb f9f7298d206080e5"
        );
        assert_eq!(
            golden(512),
            "f4c8c698fe5fb218 75c1557eb176dcd4 4845786522c76169 77776febba41b2e8 \
             ab63e4bc77fa4566 47dcb84a963291c7 e3c2159c1b6493e3 e5e3ebe979e80067"
        );
        assert_eq!(
            golden(1024),
            "84750773ceb5bb2d 9ab00fc6aaaa2fd2 637e6ea1f1e07bdf b35096e279baf80f \
             a4b499474a746b44 0ddb10d559942511 58dd724b43eaecfc 71cbcd9aa2dd87d6"
        );
    }

    #[test]
    fn opposite_vectors_have_opposite_signs() {
        let rotation = Rotation::new(100);
        let values = vector(100);
        let opposite: Vec<f32> = values.iter().map(|v| -v).collect();
        let sketch = |values: &[f32]| rotation.sketch(Kernels::best(), values, &mut Vec::new());
        assert_eq!(sketch(&values), sketch(&opposite).map(|word| !word));
    }
}
