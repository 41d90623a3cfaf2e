//! Non-maximum suppression.

use super::Face;
use crate::geometry::Rect;

/// Only so many of the best are compared with each other, as in OpenCV's face detector: the work grows with
/// their square, and no photo shows as many faces.
const MAX_CANDIDATES: usize = 5000;

/// Puts into `kept` those of `candidates`, best first, that overlap no better one by more than `iou`. Of equal ones
/// the earlier is the better. `order` is memory to work in.
///
/// With `pixel_areas` sides are counted in whole pixels, as insightface does: a side is one longer.
pub(super) fn suppress(candidates: &[Face], iou: f32, pixel_areas: bool, order: &mut Vec<u32>, kept: &mut Vec<Face>) {
    let face = |at: u32| &candidates[at as usize];
    // No two are equal, so that sorting needs no memory to keep the order of equals.
    let best_first = |a: &u32, b: &u32| face(*b).score.total_cmp(&face(*a).score).then(a.cmp(b));
    order.clear();
    order.extend(0..candidates.len() as u32);
    if order.len() > MAX_CANDIDATES {
        order.select_nth_unstable_by(MAX_CANDIDATES, best_first);
        order.truncate(MAX_CANDIDATES);
    }
    order.sort_unstable_by(best_first);
    let extra = if pixel_areas { 1.0 } else { 0.0 };
    kept.clear();
    for &at in &*order {
        if kept.iter().all(|better| overlap(&better.rect, &face(at).rect, extra) <= iou) {
            kept.push(*face(at));
        }
    }
}

/// Intersection over union of two boxes whose sides are `extra` longer than their coordinates say.
pub(super) fn overlap(a: &Rect, b: &Rect, extra: f32) -> f32 {
    let side = |low: f32, high: f32| (high - low + extra).max(0.0);
    let shared = side(a.x1.max(b.x1), a.x2.min(b.x2)) * side(a.y1.max(b.y1), a.y2.min(b.y2));
    let area = |rect: &Rect| side(rect.x1, rect.x2) * side(rect.y1, rect.y2);
    let union = area(a) + area(b) - shared;
    if union > 0.0 { shared / union } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, score: f32) -> Face {
        Face { rect: Rect::new(x, 0.0, x + 10.0, 10.0), score, landmarks: None }
    }

    fn suppressed(faces: &[Face], iou: f32, pixel_areas: bool) -> Vec<Face> {
        let mut kept = Vec::new();
        suppress(faces, iou, pixel_areas, &mut Vec::new(), &mut kept);
        kept
    }

    #[test]
    fn the_better_of_two_overlapping_faces_stays() {
        let faces = suppressed(&[face(0.0, 0.6), face(2.0, 0.9), face(20.0, 0.7), face(12.5, 0.5)], 0.4, false);
        assert_eq!(faces.iter().map(|face| face.score).collect::<Vec<_>>(), [0.9, 0.7, 0.5]);
    }

    #[test]
    fn a_suppressed_face_suppresses_nobody() {
        // The middle one falls to the first; the last overlaps only the middle one.
        assert_eq!(suppressed(&[face(0.0, 0.9), face(5.0, 0.8), face(10.0, 0.7)], 0.3, false).len(), 2);
    }

    #[test]
    fn the_first_of_equals_stays() {
        let faces: Vec<Face> = (0..100).map(|at| face((at / 2 * 20 + at % 2) as f32, 0.5)).collect();
        let kept = suppressed(&faces, 0.4, false);
        assert_eq!(kept, faces.iter().step_by(2).copied().collect::<Vec<_>>());
    }

    #[test]
    fn the_best_of_very_many_are_kept() {
        let faces: Vec<Face> = (0..MAX_CANDIDATES + 700).map(|at| face(at as f32 * 20.0, at as f32)).collect();
        let faces = suppressed(&faces, 0.4, false);
        assert_eq!((faces.len(), faces[0].score), (MAX_CANDIDATES, (MAX_CANDIDATES + 699) as f32));
        assert_eq!(faces[MAX_CANDIDATES - 1].score, 700.0);
    }

    #[test]
    fn pixel_areas_count_the_last_pixel() {
        let pair = || [face(0.0, 0.9), face(10.5, 0.8)];
        assert_eq!((suppressed(&pair(), 0.01, false).len(), suppressed(&pair(), 0.01, true).len()), (2, 1));
    }
}
