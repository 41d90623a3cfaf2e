//! What the shorter reaches find, against what they promise.

use super::*;
use crate::index::kernels::{Kernels, SKETCH_BITS};

/// In how many bits the sketches of random pairs at exactly `cosine` differ.
fn differing(dimension: usize, cosine: f64, pairs: usize) -> Vec<u32> {
    let (rotation, mut random, mut room) = (Rotation::new(dimension), Random(dimension as u64), Vec::new());
    let mut pair = || {
        let face = random.unit(dimension);
        let mate = random.mate(&face, cosine);
        let mut sketch = |values: &[f32]| rotation.sketch(Kernels::best(), values, &mut room);
        let (a, b) = (sketch(&face), sketch(&mate));
        a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
    };
    (0..pairs).map(|_| pair()).collect()
}

#[test]
fn pairs_are_kept_as_often_as_the_bound_says() {
    const PAIRS: usize = 4000;
    for dimension in [64, 128, 512, 1024] {
        for cosine in [0.35, 0.7] {
            let bits = differing(dimension, cosine, PAIRS);
            let kept = |cut: u32| bits.iter().filter(|&&bits| bits <= cut).count() as f64 / PAIRS as f64;
            for miss in [0.1, 0.01] {
                let cut = bits::cut(cosine, miss);
                let deviation = (miss * (1.0 - miss) / PAIRS as f64).sqrt();
                assert!(kept(cut) >= 1.0 - miss - 4.0 * deviation, "{dimension}, {cosine}: {} of {miss}", kept(cut));
                // Nor is the bound far too careful: with 10 bits less, too few are kept.
                assert!(kept(cut - 10) < 1.0 - miss, "{dimension}, {cosine}: {} with less", kept(cut - 10));
            }
        }
    }
}

/// Strangers, and one mate of the probe at a cosine from `nearest` down to `farthest`.
fn mates_found(dimension: usize, reach: Reach, farthest: f64, nearest: f64) -> (usize, usize) {
    let mut random = Random(dimension as u64 + 1);
    let (mut index, _) = population(dimension, 6000, 6000, &mut random);
    let (mut found, mut asked) = (0, 0);
    for n in 0..300 {
        let face = n * 20;
        let (owner, values) = index.get(face).map(|(owner, values)| (owner, values.to_vec())).unwrap();
        let cosine = farthest + (nearest - farthest) * random.share();
        let probe = random.mate(&values, cosine);
        let exact = search_one(&index, query(&probe, Reach::Exact));
        if exact[0].owner != owner {
            continue;
        }
        asked += 1;
        let hits = search_one(&index, query(&probe, reach));
        if hits.first().is_some_and(|hit| *hit == exact[0]) {
            found += 1;
        }
        if n == 150 {
            index.seal();
        }
    }
    (found, asked)
}

#[test]
fn within_loses_no_more_mates_than_allowed() {
    for dimension in [64, 128, 512, 1024] {
        let (found, asked) = mates_found(dimension, Reach::Within { miss: 0.01 }, 0.5, 0.8);
        // All mates are nearer than the threshold: fewer than 1 % are lost.
        assert!(asked > 290 && found >= asked - 3, "{dimension}: {found} of {asked}");
    }
}

#[test]
fn the_nearest_hundred_hold_nearly_every_mate() {
    for dimension in [64, 128, 512, 1024] {
        let (found, asked) = mates_found(dimension, Reach::Nearest(100), 0.5, 0.8);
        assert!(asked > 290 && found >= asked - 3, "{dimension}: {found} of {asked}");
    }
}

#[test]
fn a_reach_of_one_bit_finds_only_copies() {
    let (index, centres) = population(128, 3000, 3000, &mut Random(4));
    let copy = index.get(77).unwrap().1.to_vec();
    let near_only = Reach::Within { miss: 0.5 };
    let certain = Query { threshold: 1.0, ..query(&copy, near_only) };
    assert_eq!(search_one(&index, certain).iter().map(|hit| hit.face).collect::<Vec<_>>(), [77]);
    let mate = Query { threshold: 1.0, ..query(&centres[77], near_only) };
    assert!(search_one(&index, mate).is_empty());
}

#[test]
fn nearest_looks_at_exactly_the_nearest_sketches_and_all_ties() {
    let mut random = Random(3);
    let (index, _) = population(96, 5000, 5000, &mut random);
    let rotation = Rotation::new(96);
    let sketch = |values: &[f32]| rotation.sketch(Kernels::best(), values, &mut Vec::new());
    for count in [1, 10, 333, 4999] {
        let probe = random.unit(96);
        let probed = sketch(&probe);
        let distances: Vec<u32> = (0..5000)
            .map(|face| {
                let other = sketch(index.get(face).unwrap().1);
                probed.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum()
            })
            .collect();
        let mut ordered = distances.clone();
        ordered.sort_unstable();
        let farthest = ordered[count - 1];
        let expected: Vec<u64> = (0..5000).filter(|&face| distances[face as usize] <= farthest).collect();
        let mut met: Vec<u64> =
            index.nearest_faces(&query(&probe, Reach::Nearest(count)), 10_000).iter().map(|hit| hit.face).collect();
        met.sort_unstable();
        assert_eq!(met, expected, "{count}");
        assert!(farthest < SKETCH_BITS as u32);
    }
}

const REACHES: [Reach; 3] = [Reach::Exact, Reach::Nearest(400), Reach::Within { miss: 1e-4 }];

#[test]
fn every_instruction_set_gives_the_same_answers() {
    let (index, centres) = population(200, 3000, 300, &mut Random(7));
    for reach in REACHES {
        let queries =
            || centres[..20].iter().map(|probe| Query { owners: 3, ..query(probe, reach) }).collect::<Vec<_>>();
        let expected = index.search(&queries());
        for kernels in Kernels::available() {
            let mut other = index.clone();
            other.kernels = kernels;
            assert_eq!(other.search(&queries()), expected, "{kernels:?}, {reach:?}");
        }
    }
}
