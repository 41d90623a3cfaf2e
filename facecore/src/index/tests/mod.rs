//! What every index keeps, whichever it is: the same tests run with each.

mod model;
mod search;
mod threads;

use std::ops::Range;

use super::flat::{Flat, Part, Segment};
use super::hnsw::Hnsw;
use super::*;
use crate::error::Result;

/// An index to be tested.
pub(super) trait Tested: Index {
    /// Reaches with which a search of some thousand faces is exact, in effect.
    const REACHES: &[Reach];

    fn new(dimension: usize) -> Self;

    /// The rows behind it.
    fn flat(&self) -> &Flat;

    fn seal(&mut self);

    fn merge(&mut self, range: Range<usize>, make: impl FnMut(Part<'_>) -> Result<Segment>) -> Result<()>;

    fn rebased(&self, from: &Self, to: &Self) -> Option<Self>;

    /// Seals, and does what speeds up searches.
    fn settle(&mut self);
}

impl Tested for Flat {
    const REACHES: &[Reach] = &[Reach::Exact, Reach::Nearest(400), Reach::Within { miss: 1e-4 }];

    fn new(dimension: usize) -> Self {
        Flat::new(dimension)
    }

    fn flat(&self) -> &Flat {
        self
    }

    fn seal(&mut self) {
        self.seal();
    }

    fn merge(&mut self, range: Range<usize>, make: impl FnMut(Part<'_>) -> Result<Segment>) -> Result<()> {
        self.merge(range, make)
    }

    fn rebased(&self, from: &Self, to: &Self) -> Option<Self> {
        self.rebased(from, to)
    }

    fn settle(&mut self) {
        self.seal();
    }
}

impl Tested for Hnsw {
    const REACHES: &[Reach] = &[Reach::Exact, Reach::Nearest(100), Reach::Within { miss: 0.07 }];

    fn new(dimension: usize) -> Self {
        Hnsw::new(dimension)
    }

    fn flat(&self) -> &Flat {
        self.flat()
    }

    fn seal(&mut self) {
        self.seal();
    }

    fn merge(&mut self, range: Range<usize>, make: impl FnMut(Part<'_>) -> Result<Segment>) -> Result<()> {
        let before = self.clone();
        self.merge(range, make)?;
        if before.graph().is_some() && self.graph().is_none() {
            self.cover_all(IndexKind::Hnsw, &before);
        }
        Ok(())
    }

    fn rebased(&self, from: &Self, to: &Self) -> Option<Self> {
        self.rebased(from, to)
    }

    fn settle(&mut self) {
        self.seal();
        self.cover_all(IndexKind::Hnsw, &self.clone());
    }
}

/// Instantiates tests for each index.
macro_rules! for_each_index {
    ($($test:ident),* $(,)?) => {
        mod flat {
            $(#[test] fn $test() { super::$test::<crate::index::flat::Flat>(); })*
        }
        mod hnsw {
            $(#[test] fn $test() { super::$test::<crate::index::hnsw::Hnsw>(); })*
        }
    };
}
use for_each_index;

/// Numbers that look random, always the same: splitmix64.
pub(super) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `end - 1`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A vector of length 1 in any direction.
    pub fn unit(&mut self, dimension: usize) -> Vec<f32> {
        let gauss = (0..dimension).map(|_| {
            let (a, b) = (1.0 - self.share(), self.share());
            (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
        });
        normalised(gauss.collect())
    }

    /// A vector of length 1 at exactly `cosine` from `other`, in any direction from there.
    pub fn mate(&mut self, other: &[f32], cosine: f64) -> Vec<f32> {
        let side = self.unit(other.len());
        let along: f64 = side.iter().zip(other).map(|(s, o)| f64::from(*s) * f64::from(*o)).sum();
        let side: Vec<f64> = side.iter().zip(other).map(|(&s, &o)| f64::from(s) - along * f64::from(o)).collect();
        let length = side.iter().map(|s| s * s).sum::<f64>().sqrt();
        let across = (1.0 - cosine * cosine).sqrt() / length;
        normalised(other.iter().zip(side).map(|(&o, s)| cosine * f64::from(o) + across * s).collect())
    }
}

pub(super) fn normalised(values: Vec<f64>) -> Vec<f32> {
    let length = values.iter().map(|v| v * v).sum::<f64>().sqrt();
    values.into_iter().map(|v| (v / length) as f32).collect()
}

/// A query for one owner at 0.4, without a filter.
pub(super) fn query(probe: &[f32], reach: Reach) -> Query<'_> {
    Query { probe, owners: 1, threshold: 0.4, reach, allowed: None }
}

/// Makes a merged segment.
pub(super) fn in_memory(part: Part<'_>) -> Result<Segment> {
    Ok(part.segment())
}

pub(super) fn search_one(index: &impl Index, query: Query) -> Vec<OwnerHit> {
    index.search(&[query]).remove(0)
}

/// Faces 0 to `faces` of as many owners as there are, in a loop; every owner has a centre, and faces
/// lie at a cosine of 0.8 from it.
pub(super) fn population<I: Tested>(
    dimension: usize,
    faces: usize,
    owners: usize,
    random: &mut Random,
) -> (I, Vec<Vec<f32>>) {
    let centres: Vec<Vec<f32>> = (0..owners).map(|_| random.unit(dimension)).collect();
    let mut index = I::new(dimension);
    for face in 0..faces {
        let owner = face % owners;
        index.insert(face as u64, owner as u32, &random.mate(&centres[owner], 0.8));
    }
    (index, centres)
}
