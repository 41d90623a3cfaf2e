//! Accuracy of "same person or not" on pairs, from their scores alone.

/// A pair of photos and how alike their faces are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Which part of the list it belongs to.
    pub fold: u32,
    /// Whether both photos show one person.
    pub same: bool,
    /// Cosine of the two faces; `None` if a photo gave no face, which counts as a wrong answer.
    pub score: Option<f32>,
}

impl Pair {
    fn is_right_at(&self, threshold: f32) -> bool {
        self.score.is_some_and(|score| (score >= threshold) == self.same)
    }
}

/// The share of `pairs` that is told right if a score of `threshold` or more means "same".
fn accuracy_at<'a>(pairs: impl Iterator<Item = &'a Pair>, threshold: f32) -> f64 {
    let (mut right, mut all) = (0u32, 0u32);
    for pair in pairs {
        right += u32::from(pair.is_right_at(threshold));
        all += 1;
    }
    f64::from(right) / f64::from(all.max(1))
}

/// The threshold that tells most of `pairs` right. Every threshold between two neighbouring scores does
/// equally well: the middle is taken, of several equally good gaps the widest one's.
pub fn best_threshold<'a>(pairs: impl Iterator<Item = &'a Pair>) -> f32 {
    let mut scored: Vec<(f32, bool)> = pairs.filter_map(|pair| Some((pair.score?, pair.same))).collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));

    // From the lowest threshold, which takes all for the same, upwards: each score passed over turns a
    // right answer wrong (same) or a wrong one right (different).
    let (mut lower, mut right) = (-1.0, scored.iter().filter(|(_, same)| *same).count());
    let (mut best, mut most, mut widest) = (0.0, None, 0.0);
    for (at, upper) in scored.iter().map(|(score, _)| *score).chain([1.0]).enumerate() {
        let gap = upper - lower;
        // Equal scores stay together; but -1 takes all for the same, even those scored -1.
        if (gap > 0.0 || at == 0) && (most < Some(right) || (most == Some(right) && gap > widest)) {
            (best, most, widest) = (middle(lower, upper), Some(right), gap);
        }
        if let Some((score, same)) = scored.get(at) {
            lower = *score;
            right = if *same { right - 1 } else { right + 1 };
        }
    }
    best
}

/// Between the two, and above the lower one even where no number lies between them.
fn middle(lower: f32, upper: f32) -> f32 {
    let middle = lower + (upper - lower) / 2.0;
    if middle > lower { middle } else { upper }
}

/// For each fold, in the order of their numbers, the accuracy at the threshold that is best on all other
/// folds: the protocol of Labeled Faces in the Wild. A single fold is judged by its own best threshold.
pub fn fold_accuracies(pairs: &[Pair]) -> Vec<f64> {
    let mut folds: Vec<u32> = pairs.iter().map(|pair| pair.fold).collect();
    folds.sort_unstable();
    folds.dedup();
    let alone = folds.len() == 1;
    let judge = |fold: &u32| {
        let threshold = best_threshold(pairs.iter().filter(|pair| alone || pair.fold != *fold));
        accuracy_at(pairs.iter().filter(|pair| pair.fold == *fold), threshold)
    };
    folds.iter().map(judge).collect()
}

/// The mean, 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The largest share of same pairs accepted at a threshold that accepts at most the share `fmr` of
/// different pairs; nothing is interpolated. `None` without pairs of either kind.
///
/// Same pairs that gave no score are not accepted at any threshold. Different pairs that gave none are
/// left out, so that failures do not flatter the false match rate.
pub fn tar_at_fmr(pairs: &[Pair], fmr: f64) -> Option<f64> {
    let same: Vec<Option<f32>> = pairs.iter().filter(|pair| pair.same).map(|pair| pair.score).collect();
    let mut different: Vec<f32> = pairs.iter().filter(|pair| !pair.same).filter_map(|pair| pair.score).collect();
    if same.is_empty() || different.is_empty() {
        return None;
    }
    different.sort_by(|a, b| b.total_cmp(a));
    // The threshold lies just above the best score that must not be accepted.
    let allowed = (0..=different.len()).rev().find(|&count| count as f64 / different.len() as f64 <= fmr)?;
    let accepted = match different.get(allowed) {
        Some(refused) => same.iter().flatten().filter(|score| *score > refused).count(),
        None => same.iter().flatten().count(),
    };
    Some(accepted as f64 / same.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(fold: u32, same: &[f32], different: &[f32]) -> Vec<Pair> {
        let pair = |same| move |score: &f32| Pair { fold, same, score: Some(*score) };
        same.iter().map(pair(true)).chain(different.iter().map(pair(false))).collect()
    }

    fn best(pairs: &[Pair]) -> f32 {
        best_threshold(pairs.iter())
    }

    #[test]
    fn the_best_threshold_is_the_middle_of_its_gap() {
        assert_eq!(best(&pairs(1, &[0.75, 0.5], &[0.25, 0.0])), 0.375);
        // 0.5 is told wrong either way: (0.25, 0.5] and (0.625, 0.75] make one error; the wider gap wins.
        assert_eq!(best(&pairs(1, &[0.5, 0.75], &[0.25, 0.625])), 0.375);
        // All the same, all different, nothing at all.
        assert_eq!(best(&pairs(1, &[0.5], &[])), -0.25);
        assert_eq!(best(&pairs(1, &[], &[0.5])), 0.75);
        assert_eq!(best(&pairs(1, &[-1.0], &[])), -1.0);
        assert_eq!(best(&[]), 0.0);
    }

    #[test]
    fn equal_scores_stay_together() {
        // No threshold parts the two 0.5: one error, in the gap below or above them.
        let threshold = best(&pairs(1, &[0.5, 0.5, 0.75], &[0.5, 0.0]));
        assert_eq!(threshold, 0.25);
        // Neighbouring numbers have no middle; the upper one parts them.
        let (low, high) = (0.5f32, 0.5f32.next_up());
        assert_eq!(best(&pairs(1, &[high, high], &[low, low])), high);
    }

    #[test]
    fn each_fold_is_judged_by_the_others_threshold() {
        let mut all = pairs(1, &[0.75], &[0.125]);
        // Fold 1 is judged at 0.25, fold 2 at 0.4375, which refuses its same pair.
        all.extend(pairs(2, &[0.375], &[0.125]));
        assert_eq!(fold_accuracies(&all), [1.0, 0.5]);
        assert_eq!(mean(&fold_accuracies(&all)), 0.75);
        // Alone, a fold is judged by its own.
        assert_eq!(fold_accuracies(&all[2..]), [1.0]);
    }

    #[test]
    fn pairs_without_a_score_are_wrong() {
        let mut all = pairs(1, &[0.75, 0.75], &[0.25]);
        all.push(Pair { fold: 1, same: false, score: None });
        assert_eq!(fold_accuracies(&all), [0.75]);
        all[0].score = None;
        assert_eq!(fold_accuracies(&all), [0.5]);
        assert_eq!(tar_at_fmr(&all, 0.0), Some(0.5));
        let none = [Pair { fold: 3, same: true, score: None }];
        assert_eq!(fold_accuracies(&none), [0.0]);
    }

    #[test]
    fn true_accepts_at_false_matches_interpolate_nothing() {
        let all = pairs(1, &[0.9, 0.8, 0.6, 0.3], &[0.7, 0.5, 0.4, 0.2]);
        // No false match: above 0.7. One of four: above 0.5. A little less than one is none.
        assert_eq!(tar_at_fmr(&all, 0.0), Some(0.5));
        assert_eq!(tar_at_fmr(&all, 0.25), Some(0.75));
        assert_eq!(tar_at_fmr(&all, 0.24), Some(0.5));
        assert_eq!(tar_at_fmr(&all, 1.0), Some(1.0));
        // A same pair that scores as a refused one is refused with it.
        assert_eq!(tar_at_fmr(&pairs(1, &[0.5], &[0.5]), 0.0), Some(0.0));
        assert_eq!(tar_at_fmr(&pairs(1, &[0.5], &[]), 0.1), None);
        assert_eq!(tar_at_fmr(&[], 0.1), None);
    }
}
