//! Making links: nodes are inserted in batches, each of which is looked up in the graph as it is before it.
//!
//! So threads only read while they search, no links are locked, and the graph does not depend on the number of threads
//! (after Manohar and others, ParlayANN, 2024). Nodes of one batch do not see each other; hence batches are small
//! beside what is there, and the order is a random one, so that faces of one person are rarely in the same.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, Ordering};

use super::links::{BASE_LINKS, LINKS, Links, NONE};
use super::places::Places;
use super::threads;
use super::walk::{Aim, Ground, Nearest, Room};
use crate::index::flat::codes::CodedProbe;
use crate::index::flat::rows::Rows;
use crate::index::kernels::{Kernels, Sketch};

/// How many near nodes the links of a new one are chosen from: efConstruction, what libraries are measured at.
pub(super) const EF_BUILD: usize = 200;

/// A batch is at most this share of what is there, and of what is to be inserted, and at most so many nodes.
const BATCH_OF_PRESENT: usize = 16;
const BATCH_OF_NEW: usize = 32;
const BATCH: usize = 4096;

/// The highest layer there can be.
const TOP: u32 = 12;

/// The highest layer that a face is in: its id decides, so that it stays the same however the graph comes about. Of
/// each layer one in [`LINKS`] is in the next.
pub(super) fn level(face: u64) -> usize {
    const { assert!(LINKS == 16, "four bits a layer") };
    (mixed(face).trailing_zeros() / 4).min(TOP) as usize
}

/// Bits of a number that look random (the finish of splitmix64).
pub(super) fn mixed(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// How many links a position of a layer has room for.
pub(super) fn room_for_links(layer: usize) -> usize {
    if layer == 0 { BASE_LINKS } else { LINKS }
}

/// A graph in the making.
pub(super) struct Builder<'a> {
    pub parts: &'a [Rows<'a>],
    pub places: &'a Places,
    pub sketches: &'a [Sketch],
    pub kernels: Kernels,
    pub links: Links,
    /// The layer and position where walks begin; `None` while nobody is there.
    pub entry: Option<(usize, u32)>,
    /// One for each thread.
    pub rooms: Vec<WorkRoom>,
}

/// What a thread works with.
pub(super) struct WorkRoom {
    pub walk: Room,
    /// The node that is worked at, and one that is compared with others.
    pub aim: Aim,
    pub other: CodedProbe,
}

impl WorkRoom {
    pub fn new() -> Self {
        WorkRoom {
            walk: Room::default(),
            aim: Aim { sketch: Sketch::default(), codes: CodedProbe::empty() },
            other: CodedProbe::empty(),
        }
    }
}

/// The links of a new node in one layer, with their scores.
struct Plan {
    layer: usize,
    position: u32,
    links: Vec<(f32, u32)>,
}

impl Builder<'_> {
    pub fn ground(&self) -> Ground<'_> {
        Ground {
            parts: self.parts,
            places: self.places,
            links: &self.links,
            sketches: self.sketches,
            kernels: self.kernels,
        }
    }

    /// Inserts nodes that have no links yet; `present` others do. `None` if it was stopped.
    pub fn insert(&mut self, nodes: &[u32], present: usize, stop: &AtomicBool) -> Option<()> {
        let face = |node: u32| {
            let (part, row) = self.places.spot(node);
            self.parts[part].id(row)
        };
        // Those of higher layers first: so at most the first needs a new entry.
        let mut order: Vec<(Reverse<usize>, u64, u32)> =
            nodes.iter().map(|node| (Reverse(level(face(*node))), mixed(!face(*node)), *node)).collect();
        order.sort_unstable();
        let order: Vec<(u32, usize)> = order.into_iter().map(|(Reverse(level), _, node)| (node, level)).collect();
        let mut done = 0;
        while done < order.len() {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let most = ((present + done) / BATCH_OF_PRESENT).min(nodes.len() / BATCH_OF_NEW).clamp(1, BATCH);
            let first_is_higher = done == 0 && self.entry.is_none_or(|(top, _)| order[0].1 > top);
            let size = if first_is_higher { 1 } else { most.min(order.len() - done) };
            self.insert_batch(&order[done..done + size]);
            done += size;
        }
        Some(())
    }

    fn insert_batch(&mut self, batch: &[(u32, usize)]) {
        let mut rooms = std::mem::take(&mut self.rooms);
        let plans = threads::map(batch, &mut rooms, |&(node, level), room| self.plan(node, level, room));
        let plans: Vec<Plan> = plans.into_iter().flatten().collect();
        let mut back: Vec<(usize, u32, u32, f32)> = Vec::new();
        for Plan { layer, position, links } in &plans {
            let positions: Vec<u32> = links.iter().map(|link| link.1).collect();
            self.links.set(*layer, *position, &positions);
            back.extend(links.iter().map(|&(score, to)| (*layer, to, *position, score)));
        }
        // By target, and then by source: the order does not depend on threads.
        back.sort_unstable_by_key(|&(layer, to, from, _)| (layer, to, from));
        let targets: Vec<&[(usize, u32, u32, f32)]> = back.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).collect();
        let changed = threads::map(&targets, &mut rooms, |links, room| self.linked_back(links, room));
        for (links, changed) in targets.into_iter().zip(changed) {
            self.links.set(links[0].0, links[0].1, &changed);
        }
        self.rooms = rooms;
        let highest = batch.iter().max_by_key(|(_, level)| *level);
        if let Some(&(node, level)) = highest
            && self.entry.is_none_or(|(top, _)| level > top)
        {
            self.entry = self.links.position(level, node).map(|position| (level, position));
        }
    }

    /// Looks for the links of a node, in all its layers.
    fn plan(&self, node: u32, level: usize, room: &mut WorkRoom) -> Vec<Plan> {
        let Some((top, entry)) = self.entry else { return Vec::new() };
        let ground = self.ground();
        ground.aim(&mut room.aim, node);
        let mut from = ground.descend(top, entry, level, &room.aim, &mut room.walk);
        let mut plans = Vec::new();
        for layer in (0..=level.min(top)).rev() {
            let mut near = Nearest::new(EF_BUILD, self.parts, false);
            ground.walk(layer, &room.aim, [from], &mut room.walk, &mut near);
            let near = near.into_sorted();
            if layer > 0 {
                from = ground.below(layer, near.first().map_or(from, |best| best.1));
            }
            if let Some(position) = self.links.position(layer, node) {
                let links = self.choose(layer, &near, LINKS, &mut room.other);
                plans.push(Plan { layer, position, links });
            }
        }
        plans
    }

    /// The links of a position with others that link to it.
    fn linked_back(&self, new: &[(usize, u32, u32, f32)], room: &mut WorkRoom) -> Vec<u32> {
        let (layer, position, ..) = new[0];
        let mut links: Vec<u32> =
            self.links.of(layer, position).iter().copied().take_while(|link| *link != NONE).collect();
        if links.len() + new.len() <= room_for_links(layer) {
            links.extend(new.iter().map(|link| link.2));
            return links;
        }
        let mut scored = self.scored(layer, position, &links, room);
        scored.extend(new.iter().map(|&(_, _, from, score)| (score, from)));
        self.chosen(layer, scored, room)
    }

    /// Positions with their scores, seen from one.
    pub fn scored(&self, layer: usize, position: u32, others: &[u32], room: &mut WorkRoom) -> Vec<(f32, u32)> {
        let (ground, spot) = (self.ground(), |position| self.places.spot(self.links.node(layer, position)));
        ground.code(&mut room.aim.codes, spot(position));
        others.iter().map(|&other| (ground.estimate(&room.aim.codes, spot(other)).score, other)).collect()
    }

    /// As many of them as there is room for.
    pub fn chosen(&self, layer: usize, mut scored: Vec<(f32, u32)>, room: &mut WorkRoom) -> Vec<u32> {
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let chosen = self.choose(layer, &scored, room_for_links(layer), &mut room.other);
        chosen.into_iter().map(|link| link.1).collect()
    }

    /// The best of `near`, which come best first, that lie in different directions: each is nearer to the one they are
    /// for than to any better one (the heuristic of the paper).
    fn choose(&self, layer: usize, near: &[(f32, u32)], count: usize, other: &mut CodedProbe) -> Vec<(f32, u32)> {
        let ground = self.ground();
        let mut chosen: Vec<(f32, u32)> = Vec::with_capacity(count);
        let mut spots = Vec::with_capacity(count);
        for &(score, position) in near {
            let spot = self.places.spot(self.links.node(layer, position));
            ground.code(other, spot);
            if spots.iter().all(|&better| ground.estimate(other, better).score < score) {
                chosen.push((score, position));
                spots.push(spot);
                if chosen.len() == count {
                    break;
                }
            }
        }
        chosen
    }
}
