//! AVX-512 with VPOPCNTDQ and VNNI: Ice Lake, Zen 4 and later.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_add_epi64, _mm512_cmple_epu64_mask, _mm512_dpbusd_epi32,
    _mm512_loadu_si512, _mm512_maskz_compress_epi64, _mm512_or_si512, _mm512_popcnt_epi64, _mm512_reduce_add_epi32,
    _mm512_reduce_add_epi64, _mm512_set1_epi64, _mm512_setr_epi64, _mm512_setzero_si512, _mm512_slli_epi64,
    _mm512_storeu_si512, _mm512_xor_si512,
};

use super::{CODE_BLOCK, Candidate, DISTANCE_SHIFT, GROUP_ROWS, Group, Sketch};

/// Only for [`super::Kernels`], which knows that the machine has the instructions.
pub(super) fn checked_scan(groups: &[Group], probe: &Sketch, cut: u32, first: u64, found: &mut Vec<Candidate>) {
    // SAFETY: `Kernels` is this level only if AVX512F, VNNI and VPOPCNTDQ were detected.
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

#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn scan(groups: &[Group], probe: &Sketch, cut: u32, first: u64, found: &mut Vec<Candidate>) {
    found.reserve(groups.len() * GROUP_ROWS);
    let probe = probe.map(|word| _mm512_set1_epi64(word as i64));
    let cut = _mm512_set1_epi64(i64::from(cut));
    let step = _mm512_set1_epi64(GROUP_ROWS as i64);
    let mut rows = _mm512_add_epi64(_mm512_set1_epi64(first as i64), _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
    let mut len = found.len();
    for group in groups {
        fetch_ahead(group);
        // Two sums, so that additions do not wait for each other.
        let mut sums = [_mm512_setzero_si512(); 2];
        for (at, &probed) in probe.iter().enumerate() {
            let differing = _mm512_xor_si512(load(&group[at]), probed);
            sums[at % 2] = _mm512_add_epi64(sums[at % 2], _mm512_popcnt_epi64(differing));
        }
        let distances = _mm512_add_epi64(sums[0], sums[1]);
        let near = _mm512_cmple_epu64_mask(distances, cut);
        let all = _mm512_or_si512(_mm512_slli_epi64::<DISTANCE_SHIFT>(distances), rows);
        // Compressing in a register and storing all of it needs no branch, and is many times faster
        // than compressing to memory on some processors.
        let kept = _mm512_maskz_compress_epi64(near, all);
        // SAFETY: `len` grew by at most 8 for each group before, so that 8 more are within what was
        // reserved. The lanes behind those kept are overwritten, or left behind the length.
        unsafe { _mm512_storeu_si512(found.as_mut_ptr().add(len).cast(), kept) };
        len += near.count_ones() as usize;
        rows = _mm512_add_epi64(rows, step);
    }
    // SAFETY: `len` is within what was reserved, and everything up to it was written above.
    unsafe { found.set_len(len) };
}

/// Fetches a group some pages on: processors' own prefetching stops at the end of each page.
#[inline]
#[target_feature(enable = "avx512f")]
fn fetch_ahead(group: &Group) {
    const AHEAD: usize = 16;
    let later = std::ptr::from_ref(group).wrapping_add(AHEAD).cast::<i8>();
    for line in 0..size_of::<Group>() / 64 {
        // SAFETY: a prefetch is only a hint; one of memory that is not there does nothing.
        #[allow(unused_unsafe)] // From Rust 1.95 on it needs none; the crate builds with 1.94 too.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(later.wrapping_add(64 * line))
        };
    }
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn dot(row: &[u8], probe: &[i8]) -> i32 {
    let mut sum = _mm512_setzero_si512();
    for (stored, probed) in row.as_chunks::<CODE_BLOCK>().0.iter().zip(probe.as_chunks::<CODE_BLOCK>().0) {
        // Four products of at most 255 * 128 are added to 32 bits: nothing saturates.
        sum = _mm512_dpbusd_epi32(sum, load(stored), load(probed));
    }
    _mm512_reduce_add_epi32(sum)
}

#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn retain_near(sketches: &[Sketch], probe: &Sketch, cut: u32, found: &mut Vec<(u32, u32)>) {
    found.retain(|&(_, place)| differing(&sketches[place as usize], probe) <= cut);
}

/// In how many bits two sketches differ.
#[inline]
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn differing(a: &Sketch, b: &Sketch) -> u32 {
    _mm512_reduce_add_epi64(_mm512_popcnt_epi64(_mm512_xor_si512(load(a), load(b)))) as u32
}

/// Any 64 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
fn load<T: bytemuck::Pod>(from: &T) -> __m512i {
    const { assert!(size_of::<T>() == 64) };
    // SAFETY: `from` is valid for 64 bytes, all of them initialised; the load needs no alignment.
    unsafe { _mm512_loadu_si512((from as *const T).cast()) }
}
