//! When a second, coarse look for faces that fill the frame is worth its time.

use super::Face;
use super::nms::overlap;

/// Where detectors miss a face because it is too large for them, they still see a little of one: candidates of at least
/// this score, and of at least [`TRACE_SHARE`]. Measured (`tools/close_ups.py`) with faces of LFW enlarged to 0.65 to 1.5 of
/// the longer side of 640 pixels, another face in a corner: of 1,174 that SCRFD 2.5G missed 1,157 left such a trace, of
/// YuNet's 153 all but one. Of 27 photographs in which each finds a face without a coarse look 3 leave one, with YuNet 2.
pub(super) const TRACE_SCORE: f32 = 0.03;
/// How large a trace is at least, as a share of the image's longer side.
const TRACE_SHARE: f32 = 0.45;
/// What scores less than ten traces is a trace at most, whatever a pack or a caller takes for a face.
const LEAST_SURE: f32 = 0.3;
/// Of a face this large, as a share of the image's longer side, a coarse look gives the better box, even where the main
/// look finds it: from 0.65 on SCRFD misses some at 640 pixels.
const LARGE_SHARE: f32 = 0.6;

/// Whether there may be a face too large for the look that gave `seen`, which has all it scored [`TRACE_SCORE`] and
/// better.
///
/// A candidate that scores `sure` or better is a face; `long_side` is the image's, in pixels; what overlaps a face by
/// more than `iou` is part of that face.
pub(super) fn possible(seen: &[Face], sure: f32, iou: f32, long_side: f32) -> bool {
    let sure = sure.max(LEAST_SURE);
    let share = |face: &Face| face.rect.width().max(face.rect.height()) / long_side;
    let found = || seen.iter().filter(|face| face.score >= sure);
    let of_a_face = |trace: &Face| found().any(|face| overlap(&trace.rect, &face.rect, 0.0) > iou);
    let mut traces = seen.iter().filter(|face| (TRACE_SCORE..sure).contains(&face.score));
    found().next().is_none()
        || found().any(|face| share(face) >= LARGE_SHARE)
        || traces.any(|trace| share(trace) >= TRACE_SHARE && !of_a_face(trace))
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
        assert!(in_a_thousand(&[found, face(400.0, 500.0, TRACE_SCORE)]));
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

    #[test]
    fn low_thresholds_make_no_faces_of_traces_and_no_traces_of_nothing() {
        let (found, trace, nothing) = (face(0.0, 200.0, 0.8), face(400.0, 500.0, 0.1), face(400.0, 500.0, 0.01));
        assert!(possible(&[found, trace], 0.0, 0.4, 1000.0));
        assert!(possible(&[trace], 0.0, 0.4, 1000.0), "a trace is nobody");
        assert!(!possible(&[found, nothing], 0.0, 0.4, 1000.0));
    }
}
