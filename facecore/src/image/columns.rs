//! A stored row at another width: the inner loop of scaling.

/// Weights are counted in steps of 1 / 2048.
pub(super) const ONE: i32 = 2048;

/// Where in a row or column a target sample lies: at a stored sample, or between it and the next, whose
/// share is counted in 1 / 2048. Beyond the last sample there is none, and its share is zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taps {
    pub(super) first: usize,
    pub(super) share: i32,
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
    portable(row.as_chunks::<N>().0, columns, out);
}

#[cfg(target_arch = "x86_64")]
fn four_lanes<const L: usize>(out: &mut [[i16; L]]) -> Option<&mut [[i16; 4]]> {
    if L == 4 { Some(out.as_flattened_mut().as_chunks_mut().0) } else { None }
}

fn portable<const N: usize, const L: usize>(row: &[[u8; N]], columns: &[Taps], out: &mut [[i16; L]]) {
    for (out, column) in out.iter_mut().zip(columns) {
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

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_madd_epi16, _mm_packs_epi32, _mm_set1_epi32, _mm_setr_epi8,
        _mm_shuffle_epi8, _mm_srai_epi32,
    };

    use super::{ONE, Taps, portable};

    /// As [`portable`], all channels of a pixel at once.
    #[target_feature(enable = "avx2")]
    pub(super) fn mix_columns<const N: usize>(row: &[u8], columns: &[Taps], out: &mut [[i16; 4]]) {
        // Left and right of each channel side by side, widened to 16 bits.
        let (n, z) = (N as i8, -1);
        let fourth = if N == 4 { [3, 3 + n] } else { [z, z] };
        let pairs = _mm_setr_epi8(0, z, n, z, 1, z, 1 + n, z, 2, z, 2 + n, z, fourth[0], z, fourth[1], z);
        // Eight bytes are read where both taps lie; columns near the end of the row, where there are fewer, are left.
        let whole = columns.partition_point(|column| column.first * N + 8 <= row.len());
        let (inner, outer) = columns.split_at(whole);
        let (inner_out, outer_out) = out.split_at_mut(whole);
        for (out, column) in inner_out.iter_mut().zip(inner) {
            let Some(&bytes) = row[column.first * N..].first_chunk::<8>() else { break };
            let taps = _mm_shuffle_epi8(_mm_cvtsi64_si128(i64::from_le_bytes(bytes)), pairs);
            let weights = _mm_set1_epi32((column.share << 16) | (ONE - column.share));
            // At most 255 * 2048 >> 4 = 32,640: what packing saturates at is never reached.
            let mixed = _mm_srai_epi32::<4>(_mm_madd_epi16(taps, weights));
            *out = bytemuck::cast(_mm_cvtsi128_si64(_mm_packs_epi32(mixed, mixed)));
        }
        portable(row.as_chunks::<N>().0, outer, outer_out);
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
                .map(|at| Taps {
                    first: at / 4,
                    share: if at / 4 + 1 < samples { (at * 977 % 2049) as i32 } else { 0 },
                })
                .collect();
            let (mut fast, mut plain) = (vec![[0; 4]; columns.len()], vec![[0; 4]; columns.len()]);
            mix_columns::<N, 4>(row, &columns, &mut fast);
            portable(row.as_chunks::<N>().0, &columns, &mut plain);
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
}
