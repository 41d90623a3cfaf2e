//! The population is what it says it is: mates, impostors, spectrum, and the same bits everywhere.

use super::*;

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn mates_have_the_promised_cosines() {
    for options in [PopulationOptions::standard(2_000), PopulationOptions::hard(2_000)] {
        let (lowest, highest) = (f64::from(options.mates.0), f64::from(options.mates.1));
        let population = options.generate();
        let first: Vec<&[f32]> = population.strangers().collect();
        assert_eq!((first.len(), population.faces().len(), population.probes().len()), (667, 2_000, 667));

        let others = population.faces().enumerate().filter(|(face, _)| face % 3 != 0).map(|(_, face)| face);
        let mut cosines: Vec<f64> =
            others.chain(population.probes()).map(|(person, face)| cosine(face, first[person])).collect();
        assert!(cosines.iter().all(|cosine| (lowest - 1e-6..highest + 1e-6).contains(cosine)));
        cosines.sort_by(f64::total_cmp);
        for tenth in 1..10 {
            let uniform = lowest + (highest - lowest) * tenth as f64 / 10.0;
            assert!((cosines[cosines.len() * tenth / 10] - uniform).abs() < 0.015, "{tenth} tenths, {options:?}");
        }
    }
}

#[test]
fn people_have_their_share_of_faces_and_at_most_one_probe() {
    let options = PopulationOptions { faces: 10, faces_per_person: 4, probes: 2, ..PopulationOptions::standard(1) };
    let population = options.generate();
    assert_eq!(population.faces().map(|(person, _)| person).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]);
    assert_eq!(population.probes().map(|(person, _)| person).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(population.strangers().count(), 3);
}

#[test]
fn impostors_are_spread_as_real_ones() {
    let options = PopulationOptions { probes: 0, ..PopulationOptions::standard(9_000) };
    let population = options.generate();
    // First faces, and mates of others: both kinds are to look alike to strangers.
    let others: Vec<&[f32]> = population.faces().skip(1).step_by(3).map(|(_, values)| values).collect();
    for faces in [population.strangers().collect(), others] {
        assert_impostors(&faces);
    }
}

/// The largest miss of the fit itself is 0.005; the last quantile of 4.5 million pairs rests on 45.
fn assert_impostors(faces: &[&[f32]]) {
    let of_one = |n: usize| faces[..n].iter().map(|other| dot_f32(faces[n], other)).collect::<Vec<f32>>();
    let mut cosines: Vec<f32> = (0..faces.len()).into_par_iter().flat_map_iter(of_one).collect();
    cosines.par_sort_unstable_by(f32::total_cmp);
    for (share, expected) in REFERENCE.impostors {
        let found = f64::from(cosines[(cosines.len() as f64 * share) as usize]);
        assert!((found - expected).abs() < 0.015, "quantile {share}: {found}, expected {expected}");
    }
}

fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn the_variance_falls_as_that_of_real_embeddings() {
    let spread = spread(512);
    for (directions, expected) in REFERENCE.spectrum {
        let found: f64 = spread[..directions].iter().map(|&spread| f64::from(spread) * f64::from(spread)).sum();
        assert!((found - expected).abs() < 0.02, "{directions} directions: {found}, expected {expected}");
    }
}

#[test]
fn the_rotation_keeps_angles_and_spares_no_axis() {
    let options = PopulationOptions::standard(1);
    let law = Law::new(&options);
    let axis = |n: usize| {
        let mut axis = vec![0.0; options.dimension];
        axis[n] = 1.0;
        law.rotate(&mut axis);
        axis
    };
    let axes: Vec<Vec<f32>> = (0..options.dimension).step_by(37).map(axis).collect();
    for (n, a) in axes.iter().enumerate() {
        assert!(axes[..n].iter().all(|b| dot(a, b).abs() < 1e-5));
        assert!(a.iter().all(|value| value.abs() < 0.3), "a turned axis lies near another");
    }
}

#[test]
fn the_same_options_give_the_same_bits() {
    let options = PopulationOptions::standard(100);
    let population = options.generate();
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one_thread.install(|| options.generate()), population);
    assert_ne!(PopulationOptions { seed: 2, ..options }.generate(), population);
    assert_eq!(fnv1a(population.values.iter().chain(&population.probes)), 9_838_740_538_771_591_354);
}

fn fnv1a<'a>(values: impl Iterator<Item = &'a f32>) -> u64 {
    let bytes = values.flat_map(|value| value.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
