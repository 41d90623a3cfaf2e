//! When a second, coarse look for faces that fill the frame is worth its time.

use super::Face;
use super::nms::overlap;

/// Where detectors miss a face because it is too large for them, they still see a little of one: candidates of at least
/// this score, and of at least [`TRACE_SHARE`] of the image's longer side. Measured with faces of LFW enlarged to 0.65 to
/// 1.5 of the longer side of 640 pixels, another face in a corner: of 1,204 that SCRFD 2.5G missed 1,193 left such a trace,
/// of YuNet's 150 all but one; those that did not were larger than the frame. Of 27 photographs in which no face is that
/// large 3 leave one, with YuNet 2.
pub(super) const TRACE: f32 = 0.03;
const TRACE_SHARE: f32 = 0.45;
/// Of a face this large a coarse look gives the better box, even where the main look finds it: from 0.65 on SCRFD misses
/// some at 640 pixels.
const LARGE_SHARE: f32 = 0.6;

/// Whether there may be a face too large for the look that gave `seen`, which has all it scored [`TRACE`] and better.
///
/// `sure` is the score from which on it is believed, `long_side` the image's in pixels; what overlaps a face by more
/// than `iou` is part of that face.
pub(super) fn possible(seen: &[Face], sure: f32, iou: f32, long_side: f32) -> bool {
    let side = |face: &Face| face.rect.width().max(face.rect.height());
    let found = || seen.iter().filter(|face| face.score >= sure);
    let of_a_found_face = |trace: &Face| found().any(|face| overlap(&trace.rect, &face.rect, 0.0) > iou);
    found().next().is_none()
        || seen.iter().any(|face| {
            side(face) >= LARGE_SHARE * long_side
                || (face.score < sure && side(face) >= TRACE_SHARE * long_side && !of_a_found_face(face))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    fn face(x: f32, side: f32, score: f32) -> Face {
        Face { rect: Rect::new(x, 0.0, x + side, side), score, landmarks: None }
    }

    fn in_a_thousand(seen: &[Face]) -> bool {
        possible(seen, 0.5, 0.4, 1000.0)
    }

    #[test]
    fn where_nobody_is_found_there_may_be_a_close_up() {
        assert!(in_a_thousand(&[]));
        assert!(in_a_thousand(&[face(0.0, 100.0, 0.4)]));
        assert!(!in_a_thousand(&[face(0.0, 100.0, 0.6)]));
    }

    #[test]
    fn a_large_trace_beside_a_face_speaks_for_one() {
        let found = face(0.0, 200.0, 0.8);
        assert!(in_a_thousand(&[found, face(400.0, 500.0, TRACE)]));
        assert!(!in_a_thousand(&[found, face(400.0, 440.0, 0.4)]), "too small");
    }

    #[test]
    fn traces_of_a_face_that_was_found_do_not() {
        assert!(!in_a_thousand(&[face(0.0, 400.0, 0.8), face(40.0, 480.0, 0.3)]));
        assert!(in_a_thousand(&[face(0.0, 150.0, 0.8), face(0.0, 480.0, 0.3)]), "more than that face");
    }

    #[test]
    fn very_large_faces_are_looked_at_again() {
        assert!(in_a_thousand(&[face(0.0, 650.0, 0.9)]));
        assert!(!in_a_thousand(&[face(0.0, 550.0, 0.9)]));
    }
}
