//! Walking over a graph towards a vector: from the best position that was not left yet to its neighbours, until none
//! is as good as what is kept.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::OnceLock;

use super::links::{Layer, Links, NONE};
use super::places::Places;
use crate::index::flat::bits;
use crate::index::flat::codes::{CodedProbe, Estimate};
use crate::index::flat::rows::Rows;
use crate::index::flat::segment::Spot;
use crate::index::kernels::{Kernels, SKETCH_BITS, Sketch, prefetch, prefetch_all};

/// How many neighbours ahead codes are fetched: each takes eight cache lines, and a core waits for no more than some twenty
/// at a time (2 was 5 % faster than 4, and 10 % faster than 1).
const AHEAD: usize = 2;

/// How surely a position that is just good enough may be passed by for its sketch. At 0.3 searches, and making a graph,
/// take two thirds of the time they take without, and the right person comes first as often (100,000 faces of
/// `make compare-index`); 0.5 began to lose some.
const PASSED_BY: f64 = 0.3;

/// Scores are told apart in steps of 1/512 where distances are limited by them.
const STEPS: usize = 1025;
const LAST_STEP: f64 = (STEPS - 1) as f64;

/// What there is to walk on.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub parts: &'a [Rows<'a>],
    pub places: &'a Places,
    pub links: &'a Links,
    /// The sketch of each node.
    pub sketches: &'a [Sketch],
    pub kernels: Kernels,
}

/// What a walk goes towards.
pub(super) struct Aim {
    pub sketch: Sketch,
    pub codes: CodedProbe,
}

/// From which distance of sketches on a position is not looked at, for the score that it would have to reach.
fn farthest(floor: f32) -> u32 {
    static CUTS: OnceLock<[u32; STEPS]> = OnceLock::new();
    // No number as long as anything is of use.
    if floor < -1.0 {
        return SKETCH_BITS as u32;
    }
    let cuts =
        CUTS.get_or_init(|| std::array::from_fn(|step| bits::cut(2.0 * step as f64 / LAST_STEP - 1.0, PASSED_BY)));
    cuts[(((f64::from(floor) + 1.0) / 2.0 * LAST_STEP) as usize).min(STEPS - 1)]
}

/// What becomes of the positions that a walk comes to.
pub(super) trait Beam {
    /// Takes a position with at least the score of [`Beam::floor`].
    fn meet(&mut self, position: u32, spot: Spot, estimate: Estimate);

    /// Positions that score less are of no use.
    fn floor(&self) -> f32;

    /// Asked before each step: whether the walk goes on.
    fn goes_on(&mut self) -> bool;
}

/// Working space of walks.
#[derive(Default)]
pub(super) struct Room {
    /// Positions that were met but not left, by score.
    open: BinaryHeap<u64>,
    /// Positions that were not met before, with their nodes; later those of them that are near by their sketches.
    fresh: Vec<(u32, u32)>,
    /// The rows of these.
    spots: Vec<Spot>,
    seen: Seen,
}

impl<'a> Ground<'a> {
    /// Walks in one layer from positions of it.
    pub fn walk(
        &self,
        layer: usize,
        aim: &Aim,
        from: impl IntoIterator<Item = u32>,
        room: &mut Room,
        beam: &mut impl Beam,
    ) {
        let layer = self.links.layer(layer);
        room.seen.make_room(layer.len());
        self.meet(layer, aim, from, room, beam);
        while let Some(best) = room.open.pop() {
            let (score, position) = unpack(best);
            if score < beam.floor() || !beam.goes_on() {
                break;
            }
            let links = layer.of(position).iter().copied().take_while(|link| *link != NONE);
            self.meet(layer, aim, links, room, beam);
        }
        room.open.clear();
        room.seen.clear();
    }

    /// Meets those of `positions` that are new.
    fn meet(
        &self,
        layer: Layer,
        aim: &Aim,
        positions: impl IntoIterator<Item = u32>,
        Room { open, fresh, spots, seen }: &mut Room,
        beam: &mut impl Beam,
    ) {
        fresh.clear();
        for position in positions {
            if seen.insert(position) {
                let node = layer.node(position);
                prefetch(&self.sketches[node as usize]);
                fresh.push((position, node));
            }
        }
        self.kernels.retain_near(self.sketches, &aim.sketch, farthest(beam.floor()), fresh);
        spots.clear();
        spots.extend(fresh.iter().map(|&(_, node)| self.places.spot(node)));
        spots.iter().take(AHEAD).for_each(|&spot| self.fetch(spot));
        for (at, (&(position, _), &spot)) in fresh.iter().zip(&*spots).enumerate() {
            if let Some(&later) = spots.get(at + AHEAD) {
                self.fetch(later);
            }
            let estimate = self.estimate(&aim.codes, spot);
            if estimate.score >= beam.floor() {
                if open.peek().is_none_or(|best| unpack(*best).0 < estimate.score) {
                    prefetch_all(layer.of(position));
                }
                open.push(pack(estimate.score, position));
                beam.meet(position, spot, estimate);
            }
        }
        // Most likely the next step.
        if let Some(next) = open.peek() {
            prefetch_all(layer.of(unpack(*next).1));
        }
    }

    /// The cosine of a row with a probe, by codes.
    #[inline]
    pub fn estimate(&self, probe: &CodedProbe, (part, row): Spot) -> Estimate {
        let rows = &self.parts[part];
        probe.estimate(self.kernels, rows.codes(row), rows.steps[row])
    }

    /// Aims at a node.
    pub fn aim(&self, aim: &mut Aim, node: u32) {
        aim.sketch = self.sketches[node as usize];
        self.code(&mut aim.codes, self.places.spot(node));
    }

    /// Makes `probe` the vector of a row.
    pub fn code(&self, probe: &mut CodedProbe, (part, row): Spot) {
        let rows = &self.parts[part];
        probe.set(self.kernels, rows.codes(row), rows.steps[row]);
    }

    #[inline]
    fn fetch(&self, (part, row): Spot) {
        self.parts[part].fetch(row);
    }

    /// The position in the next lower layer of one in an upper layer.
    pub fn below(&self, layer: usize, position: u32) -> u32 {
        self.links.position(layer - 1, self.links.node(layer, position)).unwrap_or(0)
    }

    /// The position in `layer` that is nearest to a probe, as far as steps that only get better find it, down from a
    /// position in the layer `top`.
    pub fn descend(&self, top: usize, from: u32, layer: usize, aim: &Aim, room: &mut Room) -> u32 {
        let mut at = from;
        for layer in (layer + 1..=top).rev() {
            let mut best = Nearest::new(1, self.parts, true);
            self.walk(layer, aim, [at], room, &mut best);
            at = self.below(layer, best.into_sorted().first().map_or(at, |best| best.1));
        }
        at
    }
}

/// Keeps the nearest positions.
pub(super) struct Nearest<'a> {
    count: usize,
    parts: &'a [Rows<'a>],
    /// Whether rows that were removed count too.
    dead_too: bool,
    kept: BinaryHeap<Reverse<u64>>,
}

impl<'a> Nearest<'a> {
    pub fn new(count: usize, parts: &'a [Rows<'a>], dead_too: bool) -> Self {
        Nearest { count, parts, dead_too, kept: BinaryHeap::with_capacity(count + 1) }
    }

    /// Scores and positions, best first.
    pub fn into_sorted(self) -> Vec<(f32, u32)> {
        self.kept.into_sorted_vec().into_iter().map(|Reverse(packed)| unpack(packed)).collect()
    }
}

impl Beam for Nearest<'_> {
    fn meet(&mut self, position: u32, (part, row): Spot, estimate: Estimate) {
        if !self.dead_too && !self.parts[part].is_live(row) {
            return;
        }
        self.kept.push(Reverse(pack(estimate.score, position)));
        if self.kept.len() > self.count {
            self.kept.pop();
        }
    }

    fn floor(&self) -> f32 {
        match self.kept.peek() {
            Some(Reverse(last)) if self.kept.len() == self.count => unpack(*last).0,
            _ => f32::NEG_INFINITY,
        }
    }

    fn goes_on(&mut self) -> bool {
        true
    }
}

/// Which positions were met: a bit each.
#[derive(Default)]
struct Seen {
    bits: Vec<u64>,
    /// The words that are not 0.
    touched: Vec<u32>,
}

impl Seen {
    fn make_room(&mut self, positions: usize) {
        if self.bits.len() * 64 < positions {
            self.bits.resize(positions.div_ceil(64), 0);
        }
    }

    /// Whether it was not there yet.
    #[inline]
    fn insert(&mut self, position: u32) -> bool {
        let word = &mut self.bits[position as usize / 64];
        let bit = 1 << (position % 64);
        if *word & bit != 0 {
            return false;
        }
        if *word == 0 {
            self.touched.push(position / 64);
        }
        *word |= bit;
        true
    }

    fn clear(&mut self) {
        for word in self.touched.drain(..) {
            self.bits[word as usize] = 0;
        }
    }
}

/// A score and a position in one number, which sorts as they do.
#[inline]
fn pack(score: f32, position: u32) -> u64 {
    let bits = score.to_bits();
    let ordered = if bits >> 31 == 0 { bits | 1 << 31 } else { !bits };
    u64::from(ordered) << 32 | u64::from(position)
}

#[inline]
fn unpack(packed: u64) -> (f32, u32) {
    let ordered = (packed >> 32) as u32;
    let bits = if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered };
    (f32::from_bits(bits), packed as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_scores_sort_as_scores() {
        let scores = [-1.5f32, -1.0, -1e-9, 0.0, 1e-9, 0.25, 1.0, 1.5];
        for (at, score) in scores.into_iter().enumerate() {
            for position in [0, 7, u32::MAX] {
                assert_eq!(unpack(pack(score, position)), (score, position));
            }
            assert!(scores[..at].iter().all(|less| pack(*less, u32::MAX) < pack(score, 0)));
        }
    }

    #[test]
    fn what_was_seen_is_forgotten_when_cleared() {
        let mut seen = Seen::default();
        seen.make_room(200);
        for _ in 0..2 {
            for position in [0, 63, 64, 199] {
                assert!(seen.insert(position));
                assert!(!seen.insert(position));
            }
            seen.clear();
        }
    }
}
