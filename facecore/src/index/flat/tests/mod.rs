mod columns;
mod model;
mod recall;
mod search;
mod threads;

use super::*;
use crate::index::Reach;

/// Numbers that look random, always the same: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `end - 1`.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// 0 to 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A vector of length 1 in any direction.
    fn unit(&mut self, dimension: usize) -> Vec<f32> {
        let gauss = (0..dimension).map(|_| {
            let (a, b) = (1.0 - self.share(), self.share());
            (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
        });
        normalised(gauss.collect())
    }

    /// A vector of length 1 at exactly `cosine` from `other`, in any direction from there.
    fn mate(&mut self, other: &[f32], cosine: f64) -> Vec<f32> {
        let side = self.unit(other.len());
        let along: f64 = side.iter().zip(other).map(|(s, o)| f64::from(*s) * f64::from(*o)).sum();
        let side: Vec<f64> = side.iter().zip(other).map(|(&s, &o)| f64::from(s) - along * f64::from(o)).collect();
        let length = side.iter().map(|s| s * s).sum::<f64>().sqrt();
        let across = (1.0 - cosine * cosine).sqrt() / length;
        normalised(other.iter().zip(side).map(|(&o, s)| cosine * f64::from(o) + across * s).collect())
    }
}

fn normalised(values: Vec<f64>) -> Vec<f32> {
    let length = values.iter().map(|v| v * v).sum::<f64>().sqrt();
    values.into_iter().map(|v| (v / length) as f32).collect()
}

/// A query for one owner at 0.4, without a filter.
fn query(probe: &[f32], reach: Reach) -> Query<'_> {
    Query { probe, owners: 1, threshold: 0.4, reach, allowed: None }
}

/// Makes a merged segment.
fn in_memory(part: Part<'_>) -> Result<Segment> {
    Ok(part.segment())
}

fn search_one(index: &Flat, query: Query) -> Vec<OwnerHit> {
    index.search(&[query]).remove(0)
}

/// Faces 0 to `faces` of as many owners as there are, in a loop; every owner has a centre, and faces
/// lie at a cosine of 0.8 from it.
fn population(dimension: usize, faces: usize, owners: usize, random: &mut Random) -> (Flat, Vec<Vec<f32>>) {
    let centres: Vec<Vec<f32>> = (0..owners).map(|_| random.unit(dimension)).collect();
    let mut index = Flat::new(dimension);
    for face in 0..faces {
        let owner = face % owners;
        index.insert(face as u64, owner as u32, &random.mate(&centres[owner], 0.8));
    }
    (index, centres)
}
