use super::*;

/// Bits that look random: splitmix64.
fn bits(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Groups whose rows differ from `probe` in anything from no bit to all of them.
fn groups(probe: &Sketch, count: usize, next: &mut impl FnMut() -> u64) -> Vec<Group> {
    let mut groups = vec![Group::default(); count];
    for row in 0..count * GROUP_ROWS {
        let mut sketch = *probe;
        let flips = match row % 16 {
            0 => 0,
            1 => SKETCH_BITS as u64,
            _ => next() % (SKETCH_BITS as u64 + 1),
        };
        for bit in 0..SKETCH_BITS {
            if next() % (SKETCH_BITS as u64) < flips {
                sketch[bit / 64] ^= 1 << (bit % 64);
            }
        }
        for (word, value) in sketch.into_iter().enumerate() {
            groups[row / GROUP_ROWS][word][row % GROUP_ROWS] = value;
        }
    }
    groups
}

#[test]
fn scans_agree_for_every_length_and_cut() {
    let mut next = bits(1);
    let probe: Sketch = std::array::from_fn(|_| next());
    let all = groups(&probe, 9, &mut next);
    for count in 0..=all.len() {
        for cut in 0..=SKETCH_BITS as u32 + 1 {
            let (groups, first) = (&all[..count], 7 << 32 | u64::from(cut));
            let mut expected = vec![42];
            portable::scan(groups, &probe, cut, first, &mut expected);
            for kernels in Kernels::available() {
                let mut found = vec![42];
                kernels.scan(groups, &probe, cut, first, &mut found);
                assert_eq!(found, expected, "{kernels:?}, {count} groups, cut {cut}");
            }
        }
    }
}

#[test]
fn a_scan_counts_the_bits_that_differ() {
    let mut next = bits(2);
    let probe: Sketch = std::array::from_fn(|_| next());
    let groups = groups(&probe, 5, &mut next);
    for kernels in Kernels::available() {
        let mut found = Vec::new();
        kernels.scan(&groups, &probe, SKETCH_BITS as u32, 0, &mut found);
        assert_eq!(found.len(), 40);
        for (row, candidate) in found.into_iter().enumerate() {
            let differing = (0..8).map(|word| (groups[row / 8][word][row % 8] ^ probe[word]).count_ones()).sum::<u32>();
            assert_eq!(candidate, u64::from(differing) << DISTANCE_SHIFT | row as u64);
        }
    }
}

#[test]
fn sketches_are_near_up_to_a_cut_for_all_kernels() {
    let mut next = bits(4);
    for flips in 0..=SKETCH_BITS {
        let a: Sketch = std::array::from_fn(|_| next());
        let mut b = a;
        (0..flips).for_each(|bit| b[bit / 64] ^= 1 << (bit % 64));
        let random: Sketch = std::array::from_fn(|_| next());
        let differing = |b: &Sketch| a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
        for kernels in Kernels::available() {
            for cut in [flips as u32, (flips as u32).saturating_sub(1), differing(&random)] {
                let mut found = vec![(7, 2), (8, 0), (9, 1), (10, 0)];
                let expected: Vec<_> =
                    found.iter().copied().filter(|found| differing(&[a, b, random][found.1 as usize]) <= cut).collect();
                kernels.retain_near(&[a, b, random], &a, cut, &mut found);
                assert_eq!(found, expected, "{kernels:?} {flips} {cut}");
            }
        }
    }
}

#[test]
fn products_agree_and_never_saturate() {
    let mut next = bits(3);
    for blocks in 0..=1024 / CODE_BLOCK {
        let len = blocks * CODE_BLOCK;
        let random: (Vec<u8>, Vec<i8>) = (0..len).map(|_| (next() as u8, next() as i8)).unzip();
        let extremes = [(255, 127), (255, -128), (0, -128), (255, -127)].map(|(a, b)| (vec![a; len], vec![b; len]));
        for (row, probe) in extremes.into_iter().chain([random]) {
            let expected: i64 = row.iter().zip(&probe).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum();
            for kernels in Kernels::available() {
                assert_eq!(i64::from(kernels.dot(&row, &probe)), expected, "{kernels:?}, {len} codes");
            }
        }
    }
}

#[test]
fn the_best_kernels_are_among_those_available() {
    assert!(Kernels::available().contains(&Kernels::best()));
}
