//! Non-maximum suppression.

use super::Face;
use crate::geometry::Rect;

/// Only so many of the best are compared with each other, as in OpenCV's face detector: the work grows with
/// their square, and no photo shows as many faces.
const MAX_CANDIDATES: usize = 5000;

/// Sorts `faces` best first and drops each that overlaps a better one by more than `iou`.
///
/// With `pixel_areas` sides are counted in whole pixels, as insightface does: a side is one longer.
pub(super) fn suppress(faces: &mut Vec<Face>, iou: f32, pixel_areas: bool) {
    let best_first = |a: &Face, b: &Face| b.score.total_cmp(&a.score);
    if faces.len() > MAX_CANDIDATES {
        faces.select_nth_unstable_by(MAX_CANDIDATES, best_first);
        faces.truncate(MAX_CANDIDATES);
    }
    faces.sort_by(best_first);
    let extra = if pixel_areas { 1.0 } else { 0.0 };
    let mut kept: Vec<Face> = Vec::with_capacity(faces.len().min(64));
    for face in faces.iter() {
        if kept.iter().all(|better| overlap(&better.rect, &face.rect, extra) <= iou) {
            kept.push(*face);
        }
    }
    *faces = kept;
}

fn overlap(a: &Rect, b: &Rect, extra: f32) -> f32 {
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

    #[test]
    fn the_better_of_two_overlapping_faces_stays() {
        let mut faces = vec![face(0.0, 0.6), face(2.0, 0.9), face(20.0, 0.7), face(12.5, 0.5)];
        suppress(&mut faces, 0.4, false);
        assert_eq!(faces.iter().map(|face| face.score).collect::<Vec<_>>(), [0.9, 0.7, 0.5]);
    }

    #[test]
    fn a_suppressed_face_suppresses_nobody() {
        // The middle one falls to the first; the last overlaps only the middle one.
        let mut faces = vec![face(0.0, 0.9), face(5.0, 0.8), face(10.0, 0.7)];
        suppress(&mut faces, 0.3, false);
        assert_eq!(faces.len(), 2);
    }

    #[test]
    fn the_best_of_very_many_are_kept() {
        let mut faces: Vec<Face> = (0..MAX_CANDIDATES + 700).map(|at| face(at as f32 * 20.0, at as f32)).collect();
        suppress(&mut faces, 0.4, false);
        assert_eq!((faces.len(), faces[0].score), (MAX_CANDIDATES, (MAX_CANDIDATES + 699) as f32));
        assert_eq!(faces[MAX_CANDIDATES - 1].score, 700.0);
    }

    #[test]
    fn pixel_areas_count_the_last_pixel() {
        let pair = || vec![face(0.0, 0.9), face(10.5, 0.8)];
        let (mut plain, mut pixels) = (pair(), pair());
        suppress(&mut plain, 0.01, false);
        suppress(&mut pixels, 0.01, true);
        assert_eq!((plain.len(), pixels.len()), (2, 1));
    }
}
