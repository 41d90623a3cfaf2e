//! Samples mixed with their neighbours, along a row and between rows: the inner loops of scaling.

/// Weights are counted in steps of 1 / 2048.
pub(super) const ONE: i32 = 2048;

/// Where in a row or column a target sample lies: at a stored sample, or between it and the next. Beyond the last sample
/// there is none, and its share is zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taps {
    first: u32,
    /// The next sample's share in 1 / 2048, above 16 bits of the first one's, as multiplying takes them.
    shares: i32,
}

impl Taps {
    /// Taps that give the next sample a `share` in 1 / 2048.
    pub(super) fn new(first: usize, share: i32) -> Self {
        // No picture is as wide or high as that: with rows of 4 GB, a saturated place is inside all the same.
        let first = u32::try_from(first).unwrap_or(u32::MAX);
        Taps { first, shares: share << 16 | (ONE - share) }
    }

    pub(super) fn first(self) -> usize {
        self.first as usize
    }

    pub(super) fn share(self) -> i32 {
        self.shares >> 16
    }
}

/// Mixes the samples of `row`, `N` bytes each, at `columns`, in steps of 1 / 128. Lanes of `out` beyond `N` get no
/// meaning.
pub(super) fn mix_columns<const N: usize, const L: usize>(row: &[u8], columns: &[Taps], out: &mut [[i16; L]]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(out) = four_lanes(out)
        && N >= 3
        && std::arch::is_x86_feature_detected!("avx2")
    {
        #[allow(unsafe_code, reason = "the CPU has AVX2, which is all that the function asks for")]
        // SAFETY: AVX2 was detected.
        return unsafe { avx2::mix_columns::<N>(row, columns, out) };
    }
    columns_portably(row.as_chunks::<N>().0, columns, out);
}

#[cfg(target_arch = "x86_64")]
fn four_lanes<const L: usize>(out: &mut [[i16; L]]) -> Option<&mut [[i16; 4]]> {
    if L == 4 { Some(out.as_flattened_mut().as_chunks_mut().0) } else { None }
}

/// Mixes samples of [`mix_columns`], 0 to 255 in steps of 1 / 128, with those below them, which have a `share` in 1 / 2048.
/// This and [`mix_columns`] cut off where OpenCV's `VResizeLinear` does: the result is a tenth of a level darker on
/// average than rounding once would make it.
pub(super) fn mix_rows(above: &[i16], below: &[i16], share: i32, out: &mut [u8]) {
    let share = share as i16;
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[allow(unsafe_code, reason = "the CPU has AVX2, which is all that the function asks for")]
        // SAFETY: AVX2 was detected.
        return unsafe { avx2::mix_rows(above, below, share, out) };
    }
    rows_portably(above, below, share, out);
}

fn rows_portably(above: &[i16], below: &[i16], share: i16, out: &mut [u8]) {
    let weighted = |value: i16, weight: i16| ((i32::from(value) * i32::from(weight)) >> 16) as i16;
    for ((out, &above), &below) in out.iter_mut().zip(above).zip(below) {
        // At most 1020 each.
        *out = ((weighted(above, ONE as i16 - share) + weighted(below, share) + 2) >> 2) as u8;
    }
}

fn columns_portably<const N: usize, const L: usize>(row: &[[u8; N]], columns: &[Taps], out: &mut [[i16; L]]) {
    for (out, column) in out.iter_mut().zip(columns) {
        let (left, right) = match &row[column.first()..] {
            [left, right, ..] => (left, right),
            [left] => (left, left),
            [] => continue,
        };
        for ((out, &left), &right) in out.iter_mut().zip(left).zip(right) {
            let (left, right) = (i32::from(left), i32::from(right));
            *out = ((left * ONE + (right - left) * column.share()) >> 4) as i16;
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_madd_epi16, _mm_packs_epi32, _mm_set1_epi32, _mm_setr_epi8,
        _mm_shuffle_epi8, _mm_srai_epi32, _mm256_add_epi16, _mm256_mulhi_epi16, _mm256_packus_epi16,
        _mm256_permute4x64_epi64, _mm256_set1_epi16, _mm256_srai_epi16,
    };

    use super::{ONE, Taps, columns_portably, rows_portably};

    /// As [`columns_portably`], all channels of a pixel at once.
    #[target_feature(enable = "avx2")]
    pub(super) fn mix_columns<const N: usize>(row: &[u8], columns: &[Taps], out: &mut [[i16; 4]]) {
        // Left and right of each channel side by side, widened to 16 bits.
        let (n, z) = (N as i8, -1);
        let fourth = if N == 4 { [3, 3 + n] } else { [z, z] };
        let pairs = _mm_setr_epi8(0, z, n, z, 1, z, 1 + n, z, 2, z, 2 + n, z, fourth[0], z, fourth[1], z);
        // Eight bytes are read where both taps lie; columns near the end of the row, where there are fewer, are left.
        let whole = columns.partition_point(|column| column.first() * N + 8 <= row.len());
        let (inner, outer) = columns.split_at(whole);
        let (inner_out, outer_out) = out.split_at_mut(whole);
        for (out, column) in inner_out.iter_mut().zip(inner) {
            let Some(&bytes) = row[column.first() * N..].first_chunk::<8>() else { break };
            let taps = _mm_shuffle_epi8(_mm_cvtsi64_si128(i64::from_le_bytes(bytes)), pairs);
            // At most 255 * 2048 >> 4 = 32,640: what packing saturates at is never reached.
            let mixed = _mm_srai_epi32::<4>(_mm_madd_epi16(taps, _mm_set1_epi32(column.shares)));
            *out = bytemuck::cast(_mm_cvtsi128_si64(_mm_packs_epi32(mixed, mixed)));
        }
        columns_portably(row.as_chunks::<N>().0, outer, outer_out);
    }

    /// As [`rows_portably`], 32 samples at once.
    #[target_feature(enable = "avx2")]
    pub(super) fn mix_rows(above: &[i16], below: &[i16], share: i16, out: &mut [u8]) {
        let (upper, lower) = (_mm256_set1_epi16(ONE as i16 - share), _mm256_set1_epi16(share));
        let half = _mm256_set1_epi16(2);
        let mixed = |above, below| {
            let sum = _mm256_add_epi16(_mm256_mulhi_epi16(above, upper), _mm256_mulhi_epi16(below, lower));
            _mm256_srai_epi16::<2>(_mm256_add_epi16(sum, half))
        };
        let count = out.len().min(above.len()).min(below.len());
        let (out, outer_out) = out[..count].as_chunks_mut::<32>();
        let (above, outer_above) = above[..count].as_chunks::<32>();
        let (below, outer_below) = below[..count].as_chunks::<32>();
        for ((out, above), below) in out.iter_mut().zip(above).zip(below) {
            let (above, below): ([__m256i; 2], [__m256i; 2]) = (bytemuck::cast(*above), bytemuck::cast(*below));
            let packed = _mm256_packus_epi16(mixed(above[0], below[0]), mixed(above[1], below[1]));
            // Packing takes the lower halves of both first.
            *out = bytemuck::cast(_mm256_permute4x64_epi64::<0b11_01_10_00>(packed));
        }
        rows_portably(outer_above, outer_below, share, outer_out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_way_equals_the_plain_one() {
        fn compare<const N: usize>(row: &[u8]) {
            let samples = row.len() / N;
            let columns: Vec<Taps> = (0..4 * samples)
                .map(|at| Taps::new(at / 4, if at / 4 + 1 < samples { (at * 977 % 2049) as i32 } else { 0 }))
                .collect();
            let (mut fast, mut plain) = (vec![[0; 4]; columns.len()], vec![[0; 4]; columns.len()]);
            mix_columns::<N, 4>(row, &columns, &mut fast);
            columns_portably(row.as_chunks::<N>().0, &columns, &mut plain);
            let meant = |mixed: &[[i16; 4]]| mixed.iter().flat_map(|lanes| lanes[..N].to_vec()).collect::<Vec<_>>();
            assert_eq!(meant(&fast), meant(&plain), "{samples} samples of {N} bytes");
        }
        let noise: Vec<u8> = (0..1200u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for samples in [1, 2, 3, 4, 5, 17, 100, 300] {
            compare::<3>(&noise[..3 * samples]);
            compare::<4>(&noise[..4 * samples]);
            compare::<3>(&vec![255; 3 * samples]);
        }
    }

    #[test]
    fn rows_are_mixed_the_fast_way_as_the_plain_one() {
        // All that columns give: 0 to 255 in steps of 1 / 128.
        let noise =
            |seed: usize| (0..500).map(move |at: usize| (at.wrapping_mul(seed) % 32_641) as i16).collect::<Vec<_>>();
        let (above, below) = (noise(2_654_435_761), noise(40_503));
        for count in [0, 1, 15, 31, 32, 33, 64, 100, 500] {
            for share in [0, 1, 511, 1024, 1337, 2047, 2048] {
                let (mut fast, mut plain) = (vec![9; count], vec![7; count]);
                mix_rows(&above, &below, share, &mut fast);
                rows_portably(&above, &below, share as i16, &mut plain);
                assert_eq!(fast, plain, "{count} samples, {share}");
            }
            let mut white = vec![0; count];
            mix_rows(&[32_640; 500], &[32_640; 500], 700, &mut white);
            assert!(white.iter().all(|value| *value == 255));
        }
    }
}
