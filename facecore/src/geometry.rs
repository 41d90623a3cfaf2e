//! Rectangles, points, landmarks and similarity transforms, in pixels.
//!
//! The centre of the top-left pixel of an image is at (0, 0), x grows to the right and y downwards.

use serde::{Deserialize, Serialize};

use crate::error::{Result, fail};

/// A position in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

impl Point {
    /// A point at (`x`, `y`).
    pub const fn new(x: f32, y: f32) -> Self {
        Point { x, y }
    }
}

/// An axis-parallel rectangle in pixels; it may reach over the image's edges.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x1: f32,
    /// Upper edge.
    pub y1: f32,
    /// Right edge.
    pub x2: f32,
    /// Lower edge.
    pub y2: f32,
}

impl Rect {
    /// A rectangle from its upper left and lower right corners.
    pub const fn new(x1: f32, y1: f32, x2: f32, y2: f32) -> Self {
        Rect { x1, y1, x2, y2 }
    }

    /// Width, zero if the corners are crossed.
    pub fn width(&self) -> f32 {
        (self.x2 - self.x1).max(0.0)
    }

    /// Height, zero if the corners are crossed.
    pub fn height(&self) -> f32 {
        (self.y2 - self.y1).max(0.0)
    }

    /// Width times height.
    pub fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// The middle.
    pub fn center(&self) -> Point {
        Point::new((self.x1 + self.x2) / 2.0, (self.y1 + self.y2) / 2.0)
    }

    /// The part that both rectangles cover (empty where they do not meet).
    pub fn intersection(&self, other: &Rect) -> Rect {
        Rect::new(self.x1.max(other.x1), self.y1.max(other.y1), self.x2.min(other.x2), self.y2.min(other.y2))
    }

    /// Area of the intersection over area of the union, 0 to 1.
    pub fn iou(&self, other: &Rect) -> f32 {
        let shared = self.intersection(other).area();
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }
}

/// The five points of a face, in image order (the subject's right eye is on the image's left).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Landmarks(
    /// Image-left eye, image-right eye, tip of the nose, image-left mouth corner, image-right mouth corner.
    pub [Point; 5],
);

impl Landmarks {
    /// From (x, y) pairs in the order of the type.
    pub fn from_pairs(pairs: [[f32; 2]; 5]) -> Self {
        Landmarks(pairs.map(|[x, y]| Point::new(x, y)))
    }

    /// As (x, y) pairs.
    pub fn to_pairs(&self) -> [[f32; 2]; 5] {
        self.0.map(|point| [point.x, point.y])
    }
}

/// Rotation, uniform scale and shift: (x, y) goes to (a x - b y + tx, b x + a y + ty).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale times cosine of the turn.
    pub a: f64,
    /// Scale times sine of the turn.
    pub b: f64,
    /// Shift to the right.
    pub tx: f64,
    /// Shift downwards.
    pub ty: f64,
}

impl Similarity {
    /// Leaves every point where it is.
    pub const IDENTITY: Similarity = Similarity { a: 1.0, b: 0.0, tx: 0.0, ty: 0.0 };

    /// The similarity that takes `from` to `to` with the least sum of squared distances.
    ///
    /// In two dimensions Umeyama's solution (IEEE PAMI 13(4), 1991), which excludes reflections, is
    /// linear in (a, b) and needs no decomposition.
    ///
    /// Errors with `Landmarks` if a coordinate is not finite or all points of `from` coincide.
    pub fn fit(from: &[Point], to: &[Point]) -> Result<Similarity> {
        if from.len() != to.len() || from.len() < 2 {
            fail!(
                InvalidArgument,
                "a similarity needs two or more pairs of points, got {} and {}",
                from.len(),
                to.len()
            );
        }
        let mean = |points: &[Point]| {
            let n = points.len() as f64;
            let (sx, sy) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + f64::from(p.x), y + f64::from(p.y)));
            (sx / n, sy / n)
        };
        let ((from_x, from_y), (to_x, to_y)) = (mean(from), mean(to));
        let (mut dot, mut cross, mut spread) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (f64::from(p.x) - from_x, f64::from(p.y) - from_y);
            let (qx, qy) = (f64::from(q.x) - to_x, f64::from(q.y) - to_y);
            dot += px * qx + py * qy;
            cross += px * qy - py * qx;
            spread += px * px + py * py;
        }
        // A face whose points lie within a hundredth of a pixel is no face; NaN fails this test too.
        if !(spread > 1e-4 && dot.is_finite() && cross.is_finite()) {
            fail!(Landmarks, "the landmarks are not finite or all in one place; no crop can be cut from them");
        }
        let (a, b) = (dot / spread, cross / spread);
        if a.hypot(b) < 1e-9 {
            fail!(Landmarks, "the landmarks fit no turned and scaled face; no crop can be cut from them");
        }
        Ok(Similarity { a, b, tx: to_x - a * from_x + b * from_y, ty: to_y - b * from_x - a * from_y })
    }

    /// Where `point` goes.
    pub fn apply(&self, point: Point) -> Point {
        let (x, y) = (f64::from(point.x), f64::from(point.y));
        Point::new((self.a * x - self.b * y + self.tx) as f32, (self.b * x + self.a * y + self.ty) as f32)
    }

    /// The transform that undoes this one. The scale must not be zero (`fit` never yields that).
    #[must_use]
    pub fn inverse(&self) -> Similarity {
        let norm = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / norm, -self.b / norm);
        Similarity { a, b, tx: -(a * self.tx - b * self.ty), ty: -(b * self.tx + a * self.ty) }
    }

    /// The factor by which lengths grow.
    pub fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iou_of_known_rectangles() {
        let a = Rect::new(0.0, 0.0, 10.0, 10.0);
        assert_eq!(a.iou(&a), 1.0);
        assert_eq!(a.iou(&Rect::new(5.0, 0.0, 15.0, 10.0)), 50.0 / 150.0);
        assert_eq!(a.iou(&Rect::new(20.0, 20.0, 30.0, 30.0)), 0.0);
        assert_eq!(Rect::new(5.0, 5.0, 1.0, 1.0).area(), 0.0);
    }

    #[test]
    fn fit_recovers_a_known_similarity_and_its_inverse_undoes_it() {
        let truth = Similarity { a: 0.3, b: -0.7, tx: 12.0, ty: -4.0 };
        let from = [(0.0, 0.0), (10.0, 1.0), (4.0, 9.0), (-3.0, 2.0)].map(|(x, y)| Point::new(x, y));
        let to = from.map(|p| truth.apply(p));
        let found = Similarity::fit(&from, &to).unwrap();
        for (x, y) in [(found.a, truth.a), (found.b, truth.b), (found.tx, truth.tx), (found.ty, truth.ty)] {
            assert!((x - y).abs() < 1e-5, "{found:?}");
        }
        let back = found.inverse().apply(found.apply(Point::new(7.0, 5.0)));
        assert!((back.x - 7.0).abs() < 1e-4 && (back.y - 5.0).abs() < 1e-4);
    }

    #[test]
    fn a_mirrored_face_is_fitted_by_a_turn_never_by_a_reflection() {
        let from = [(0.0, 0.0), (4.0, 0.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
        let mirrored = from.map(|p| Point::new(-p.x, p.y));
        let found = Similarity::fit(&from, &mirrored).unwrap();
        // The determinant a^2 + b^2 is positive by construction; the best turn is near 180 degrees, off it
        // because the points are not symmetric: dot -10, cross -8/3.
        assert!(found.a < 0.0 && (found.b / found.a - 8.0 / 30.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn degenerate_points_are_refused() {
        let one_place = [Point::new(3.0, 3.0); 5];
        let spread = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (2.0, 2.0)].map(|(x, y)| Point::new(x, y));
        assert!(Similarity::fit(&one_place, &spread).is_err());
        let mut broken = spread;
        broken[2].x = f32::NAN;
        assert!(Similarity::fit(&broken, &spread).is_err());
        assert!(Similarity::fit(&spread, &one_place).is_err());
    }
}
