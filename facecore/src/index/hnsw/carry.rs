//! Taking links over from a graph of other segments. Where links led to rows that are gone, the neighbours of these
//! take their place.

use super::build::{Builder, WorkRoom};
use super::graph::Graph;
use super::links::NONE;
use super::places::Places;
use super::threads;
use crate::index::flat::Segment;
use crate::index::flat::rows::Rows;

/// If fewer than one in so many rows of the old graph are left, a new one is as cheap, and better.
const WORTHWHILE: usize = 2;

/// Positions whose links a thread takes over in one go.
const TOGETHER: usize = 256;

/// What becomes of the nodes of an old graph.
pub(super) struct Carry<'a> {
    old: &'a Graph,
    /// The new node of each old one, or [`NONE`].
    fates: Vec<u32>,
    /// The old node of each new one whose links are of use, or [`NONE`].
    origins: Vec<u32>,
}

impl<'a> Carry<'a> {
    /// `None` if a new graph is better made from nothing.
    pub fn new(
        old: &'a Graph,
        old_parts: &[Rows],
        covers: &[Segment],
        parts: &[Rows],
        places: &Places,
    ) -> Option<Carry<'a>> {
        let fates = fates(old, old_parts, covers, parts, places);
        let mut origins = vec![NONE; places.len()];
        for (node, fate) in fates.iter().enumerate().filter(|(_, fate)| **fate != NONE) {
            if old.links.of(0, node as u32)[0] != NONE {
                origins[*fate as usize] = node as u32;
            }
        }
        let carried = origins.iter().filter(|node| **node != NONE).count();
        (carried * WORTHWHILE >= fates.len()).then_some(Carry { old, fates, origins })
    }

    /// The old node of a new one, if it has links.
    pub fn origin(&self, node: u32) -> Option<u32> {
        Some(self.origins[node as usize]).filter(|origin| *origin != NONE)
    }

    /// The new node of a position of the old graph, if it is carried.
    fn fate(&self, layer: usize, position: u32) -> Option<u32> {
        let fate = self.fates[self.old.links.node(layer, position) as usize];
        (fate != NONE && self.origin(fate).is_some()).then_some(fate)
    }
}

fn fates(old: &Graph, old_parts: &[Rows], covers: &[Segment], parts: &[Rows], places: &Places) -> Vec<u32> {
    let mut fates = Vec::with_capacity(old.places.len());
    for (segment, rows) in old.covers().iter().zip(old_parts) {
        if let Some(part) = covers.iter().position(|other| other.is(segment)) {
            fates.extend((0..rows.len()).map(|row| places.node((part, row))));
            continue;
        }
        let find = |row: usize| {
            let face = rows.is_live(row).then(|| rows.id(row))?;
            covers.iter().zip(parts).enumerate().find_map(|(part, (segment, rows))| {
                let row = segment.find(face)?;
                rows.is_live(row).then(|| places.node((part, row)))
            })
        };
        fates.extend((0..rows.len()).map(|row| find(row).unwrap_or(NONE)));
    }
    fates
}

impl Builder<'_> {
    /// Takes over the links of those of `nodes` that have an origin.
    pub fn carry(&mut self, carry: &Carry, nodes: &[u32]) {
        let carried: Vec<u32> = nodes.iter().copied().filter(|node| carry.origin(*node).is_some()).collect();
        let mut rooms = std::mem::take(&mut self.rooms);
        for layer in 0..=self.links.top().min(carry.old.links.top()) {
            let positions: Vec<u32> = carried.iter().filter_map(|node| self.links.position(layer, *node)).collect();
            let pieces: Vec<&[u32]> = positions.chunks(TOGETHER).collect();
            let links = threads::map(&pieces, &mut rooms, |positions, room| {
                positions.iter().map(|position| self.carried_links(carry, layer, *position, room)).collect::<Vec<_>>()
            });
            for (position, links) in positions.iter().zip(links.into_iter().flatten()) {
                self.links.set(layer, *position, &links);
            }
            if let Some(first) = positions.first() {
                self.entry = Some((layer, *first));
            }
        }
        self.rooms = rooms;
    }

    fn carried_links(&self, carry: &Carry, layer: usize, position: u32, room: &mut WorkRoom) -> Vec<u32> {
        let old = &carry.old.links;
        let here = |at: u32| self.links.position(layer, carry.fate(layer, at)?);
        let links_of = |at: u32| old.of(layer, at).iter().copied().take_while(|link| *link != NONE);
        let origin = carry.origin(self.links.node(layer, position));
        let Some(before) = origin.and_then(|origin| old.position(layer, origin)) else { return Vec::new() };
        let mut links: Vec<u32> = links_of(before).filter_map(here).collect();
        if links.len() == links_of(before).count() {
            return links;
        }
        let gone = links_of(before).filter(|at| here(*at).is_none());
        links.extend(gone.flat_map(links_of).filter_map(here).filter(|other| *other != position));
        links.sort_unstable();
        links.dedup();
        let scored = self.scored(layer, position, &links, room);
        self.chosen(layer, scored, room)
    }
}
