//! AVX2: population counts by a table of nibbles in a register.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_loadu_si128, _mm_shuffle_epi32, _mm256_add_epi8, _mm256_add_epi32,
    _mm256_and_si256, _mm256_castsi256_si128, _mm256_cvtepi8_epi16, _mm256_cvtepu8_epi16, _mm256_extracti128_si256,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_sad_epu8, _mm256_set1_epi8, _mm256_set1_epi64x, _mm256_setr_epi8,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_storeu_si256, _mm256_xor_si256,
};

use super::{CODE_BLOCK, Candidate, DISTANCE_SHIFT, GROUP_ROWS, Group, Sketch};

/// Only for [`super::Kernels`], which knows that the machine has the instructions.
pub(super) fn checked_scan(groups: &[Group], probe: &Sketch, cut: u32, first: u64, found: &mut Vec<Candidate>) {
    // SAFETY: `Kernels` is this level only if AVX2 was detected.
    unsafe { scan(groups, probe, cut, first, found) }
}

/// Only for [`super::Kernels`], which knows that the machine has the instructions.
pub(super) fn checked_dot(row: &[u8], probe: &[i8]) -> i32 {
    // SAFETY: as in `checked_scan`.
    unsafe { dot(row, probe) }
}

/// Only for [`super::Kernels`], which knows that the machine has the instructions.
pub(super) fn checked_retain_near(sketches: &[Sketch], probe: &Sketch, cut: u32, found: &mut Vec<(u32, u32)>) {
    // SAFETY: as in `checked_scan`.
    unsafe { retain_near(sketches, probe, cut, found) }
}

/// Only for [`super::Kernels`], which knows that the machine has the instructions.
pub(super) fn checked_run<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: as in `checked_scan`; the level of AVX-512 includes AVX2.
    unsafe { run(work) }
}

#[target_feature(enable = "avx2")]
fn run<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[target_feature(enable = "avx2")]
fn scan(groups: &[Group], probe: &Sketch, cut: u32, first: u64, found: &mut Vec<Candidate>) {
    let probe = probe.map(|word| _mm256_set1_epi64x(word as i64));
    for (group, at) in groups.iter().zip((first..).step_by(GROUP_ROWS)) {
        let mut counts = [_mm256_setzero_si256(); 2];
        for (words, &probed) in group.iter().zip(&probe) {
            for (half, words) in words.as_chunks::<4>().0.iter().enumerate() {
                let differing = _mm256_xor_si256(load(words), probed);
                // Eight words add at most 64 to a byte.
                counts[half] = _mm256_add_epi8(counts[half], ones_per_byte(differing));
            }
        }
        let mut distances = [0u64; GROUP_ROWS];
        for (half, out) in distances.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            store(out, _mm256_sad_epu8(counts[half], _mm256_setzero_si256()));
        }
        for (distance, row) in distances.into_iter().zip(at..) {
            if distance <= u64::from(cut) {
                found.push(distance << DISTANCE_SHIFT | row);
            }
        }
    }
}

/// How many bits are set in each byte.
#[inline]
#[target_feature(enable = "avx2")]
fn ones_per_byte(bytes: __m256i) -> __m256i {
    let ones = _mm256_setr_epi8(
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    );
    let nibble = _mm256_set1_epi8(0x0f);
    let low = _mm256_shuffle_epi8(ones, _mm256_and_si256(bytes, nibble));
    let high = _mm256_shuffle_epi8(ones, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble));
    _mm256_add_epi8(low, high)
}

#[target_feature(enable = "avx2")]
fn dot(row: &[u8], probe: &[i8]) -> i32 {
    // Two sums, so that additions do not wait for each other.
    let mut sums = [_mm256_setzero_si256(); 2];
    for (stored, probed) in row.as_chunks::<CODE_BLOCK>().0.iter().zip(probe.as_chunks::<CODE_BLOCK>().0) {
        for at in 0..CODE_BLOCK / 16 {
            // Widened first: multiplying bytes directly would saturate at 16 bits.
            let stored = _mm256_cvtepu8_epi16(load_half(&stored.as_chunks::<16>().0[at]));
            let probed = _mm256_cvtepi8_epi16(load_half(&probed.as_chunks::<16>().0[at]));
            sums[at % 2] = _mm256_add_epi32(sums[at % 2], _mm256_madd_epi16(stored, probed));
        }
    }
    sum(_mm256_add_epi32(sums[0], sums[1])) as i32
}

#[target_feature(enable = "avx2")]
fn retain_near(sketches: &[Sketch], probe: &Sketch, cut: u32, found: &mut Vec<(u32, u32)>) {
    found.retain(|&(_, place)| differing(&sketches[place as usize], probe) <= cut);
}

/// In how many bits two sketches differ.
#[inline]
#[target_feature(enable = "avx2")]
fn differing(a: &Sketch, b: &Sketch) -> u32 {
    let (a, b) = (a.as_chunks::<4>().0, b.as_chunks::<4>().0);
    let low = ones_per_byte(_mm256_xor_si256(load(&a[0]), load(&b[0])));
    let high = ones_per_byte(_mm256_xor_si256(load(&a[1]), load(&b[1])));
    // Two words add at most 16 to a byte.
    sum(_mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256()))
}

/// The sum of eight numbers.
#[inline]
#[target_feature(enable = "avx2")]
fn sum(lanes: __m256i) -> u32 {
    let half = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256::<1>(lanes));
    let pair = _mm_add_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
    let all = _mm_add_epi32(pair, _mm_shuffle_epi32::<0b10_11_00_01>(pair));
    _mm_cvtsi128_si32(all) as u32
}

/// Any 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn load<T: bytemuck::Pod>(from: &T) -> __m256i {
    const { assert!(size_of::<T>() == 32) };
    // SAFETY: `from` is valid for 32 bytes, all of them initialised; the load needs no alignment.
    unsafe { _mm256_loadu_si256((from as *const T).cast()) }
}

/// Any 16 bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn load_half<T: bytemuck::Pod>(from: &T) -> std::arch::x86_64::__m128i {
    const { assert!(size_of::<T>() == 16) };
    // SAFETY: `from` is valid for 16 bytes, all of them initialised; the load needs no alignment.
    unsafe { _mm_loadu_si128((from as *const T).cast()) }
}

/// To any 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn store<T: bytemuck::Pod>(to: &mut T, value: __m256i) {
    const { assert!(size_of::<T>() == 32) };
    // SAFETY: `to` is valid for 32 bytes, and any bits are a `T`; the store needs no alignment.
    unsafe { _mm256_storeu_si256((to as *mut T).cast(), value) };
}
