//! How many bits of two sketches differ, for vectors at a given angle.
//!
//! The hyperplane of a random projection passes between two vectors at angle `t` with probability
//! `t / pi`, so that the number of differing signs is binomial. The signs of one rotation are spread
//! less than that, because they belong to vectors at right angles: what the bounds here promise is
//! kept with something to spare.

use std::f64::consts::PI;
use std::sync::OnceLock;

use crate::index::kernels::SKETCH_BITS;

/// Logarithms of the binomial coefficients of 512.
fn log_choose() -> &'static [f64; SKETCH_BITS + 1] {
    static TABLE: OnceLock<[f64; SKETCH_BITS + 1]> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = [0.0; SKETCH_BITS + 1];
        for bits in 1..=SKETCH_BITS {
            table[bits] = table[bits - 1] + ((SKETCH_BITS + 1 - bits) as f64 / bits as f64).ln();
        }
        table
    })
}

/// The smallest number of bits such that a pair at exactly `cosine` differs in more of them with
/// probability `miss` at most. Not a number is taken as a cosine of -1 or a miss of 0.
pub(in crate::index) fn cut(cosine: f64, miss: f64) -> u32 {
    let all = SKETCH_BITS as u32;
    if miss >= 1.0 {
        return 0;
    }
    let differing = cosine.clamp(-1.0, 1.0).acos() / PI;
    if differing <= 0.0 {
        return 0;
    }
    if differing.is_nan() || differing >= 1.0 || miss.is_nan() || miss <= 0.0 {
        return all;
    }
    let (log_differing, log_same) = (differing.ln(), (-differing).ln_1p());
    let log_probability =
        |bits: usize| log_choose()[bits] + bits as f64 * log_differing + (SKETCH_BITS - bits) as f64 * log_same;
    // Below this, terms add nothing to a tail that matters.
    let negligible = miss.ln() - 50.0;
    let Some(last) = (0..=SKETCH_BITS).rev().find(|&bits| log_probability(bits) > negligible) else { return all };
    let odds = (1.0 - differing) / differing;
    // From the far end inwards, small terms first, each made from the one before.
    let mut term = log_probability(last).exp();
    let mut tail = 0.0;
    for bits in (1..=last).rev() {
        tail += term;
        if tail > miss {
            return bits as u32;
        }
        term *= odds * bits as f64 / (SKETCH_BITS - bits + 1) as f64;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability of at most `cut` bits, by plain summation from the other end.
    fn kept(cosine: f64, cut: u32) -> f64 {
        let p = cosine.acos() / PI;
        let term = |bits: usize| {
            (log_choose()[bits] + bits as f64 * p.ln() + (SKETCH_BITS - bits) as f64 * (1.0 - p).ln()).exp()
        };
        (0..=cut as usize).map(term).sum()
    }

    #[test]
    fn known_values() {
        assert!((kept(0.35, 210) - 0.877).abs() < 0.001, "{}", kept(0.35, 210));
        assert!((kept(0.35, 232) - 0.999).abs() < 0.001, "{}", kept(0.35, 232));
        assert!((kept(0.35, 512) - 1.0).abs() < 1e-9);
        assert_eq!((cut(0.35, 0.125), cut(0.35, 0.001)), (210, 232));
    }

    #[test]
    fn a_cut_is_the_smallest_that_keeps_enough() {
        for cosine in [-0.9, -0.5, 0.0, 0.2, 0.35, 0.4, 0.6, 0.8, 0.95, 0.999] {
            for miss in [0.5, 0.1, 1e-2, 1e-3, 1e-6] {
                let cut = cut(cosine, miss);
                assert!(kept(cosine, cut) >= 1.0 - miss - 1e-9, "{cosine} {miss} {cut}");
                assert!(cut == 0 || kept(cosine, cut - 1) < 1.0 - miss + 1e-9, "{cosine} {miss} {cut}");
            }
        }
    }

    #[test]
    fn a_higher_cosine_never_needs_more_bits() {
        let cuts: Vec<u32> = (-100..=100).map(|cosine| cut(f64::from(cosine) / 100.0, 1e-4)).collect();
        assert!(cuts.is_sorted_by(|a, b| a >= b), "{cuts:?}");
        assert_eq!((cuts[0], cuts[200]), (512, 0));
    }

    #[test]
    fn the_ends_of_both_scales() {
        assert_eq!(cut(0.5, 0.0), 512);
        assert_eq!(cut(0.5, f64::NAN), 512);
        assert_eq!(cut(f64::NAN, 0.01), 512);
        assert_eq!(cut(0.5, 1.0), 0);
        assert_eq!(cut(2.0, 0.01), 0);
        assert_eq!(cut(-2.0, 0.01), 512);
        assert!(cut(0.5, 1e-300) > cut(0.5, 1e-6));
    }
}
