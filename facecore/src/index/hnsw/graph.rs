//! A graph over the rows of some segments, and how one follows from another.

use std::sync::atomic::AtomicBool;

use rustc_hash::FxHashSet;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::UNCOVERED;
use super::build::{Builder, WorkRoom, level};
use super::carry::Carry;
use super::links::{Links, NONE};
use super::places::Places;
use super::threads;
use super::walk::{Ground, Nearest};
use crate::error::{Result, fail};
use crate::index::flat::column::Column;
use crate::index::flat::rows::Rows;
use crate::index::flat::{Segment, SharedBytes};
use crate::index::kernels::{Kernels, Sketch};

/// So many near positions are asked for a free link to one that no link leads to.
const HOSTS: usize = 64;

/// Nodes that are hashed by a thread in one go.
const HASHED: usize = 1024;

/// A graph whose nodes are the rows of some segments. It does not change.
pub(crate) struct Graph {
    covers: Vec<Segment>,
    pub(super) places: Places,
    pub(super) links: Links,
    sketches: Column<Sketch>,
}

impl Graph {
    /// As [`Links::LAYOUT`].
    pub const LAYOUT: u32 = Links::LAYOUT;

    /// A graph over the live rows of `covers`, which are seen through `parts`, on all cores. From a graph `old` of other
    /// segments, whose rows were seen through its `parts`, it takes the links of rows that are here too. `None` if no
    /// row is live, or `stop` was set while more than a few were new.
    pub(super) fn new(
        covers: Vec<Segment>,
        parts: &[Rows],
        kernels: Kernels,
        old: Option<(&Graph, &[Rows])>,
        stop: &AtomicBool,
    ) -> Option<Graph> {
        let places = Places::new(parts.iter().map(Rows::len));
        let carry = old.and_then(|(old, old_parts)| Carry::new(old, old_parts, &covers, parts, &places));
        let mut rooms: Vec<WorkRoom> = (0..threads::available()).map(|_| WorkRoom::new()).collect();
        let is_carried = |node: u32| carry.as_ref().is_some_and(|carry| carry.origin(node).is_some());
        let is_live = |node: u32| {
            let (part, row) = places.spot(node);
            parts[part].is_live(row)
        };
        // Rows that were removed are of use only as part of a way that is there already.
        let present: Vec<u32> = (0..places.len() as u32).filter(|&node| is_live(node) || is_carried(node)).collect();
        let twins = twins(&present, parts, &places, &is_carried, &mut rooms);
        let represented: FxHashSet<u32> = twins.iter().map(|pair| pair[1]).collect();
        let inside: Vec<u32> = present.into_iter().filter(|node| !represented.contains(node)).collect();

        let face = |node: u32| {
            let (part, row) = places.spot(node);
            parts[part].id(row)
        };
        let mut layers: Vec<Vec<u32>> = Vec::new();
        loop {
            let below = layers.last().unwrap_or(&inside);
            let layer: Vec<u32> = below.iter().copied().filter(|&node| level(face(node)) > layers.len()).collect();
            if layer.is_empty() {
                break;
            }
            layers.push(layer);
        }
        let links = Links::new(places.len(), &layers, twins);
        let sketches = sketches(parts, &places);
        let mut builder = Builder { parts, places: &places, sketches: &sketches, kernels, links, entry: None, rooms };
        if let Some(carry) = &carry {
            builder.carry(carry, &inside);
        }
        let new: Vec<u32> = inside.iter().copied().filter(|&node| !is_carried(node)).collect();
        // Few are inserted in seconds, and what was carried would be lost.
        let never = AtomicBool::new(false);
        let stop = if carry.is_some() && new.len() <= UNCOVERED { &never } else { stop };
        builder.insert(&new, inside.len() - new.len(), stop)?;
        // Removed rows that stand for live ones have to be met too.
        let stands_for_live: FxHashSet<u32> =
            builder.links.all_twins().iter().filter(|pair| is_live(pair[1])).map(|pair| pair[0]).collect();
        builder.connect(inside.into_iter().filter(|&node| is_live(node) || stands_for_live.contains(&node)));
        let (_, entry) = builder.entry?;
        let mut links = builder.links;
        links.set_entry(entry);
        Some(Graph { covers, places, links, sketches })
    }

    /// A graph over `covers` that was stored. Errors as [`Links::from_columns`] does.
    pub fn from_columns(covers: Vec<Segment>, mut columns: Vec<SharedBytes>) -> Result<Graph> {
        let places = Places::new(covers.iter().map(Segment::len));
        let Some(sketches) = columns.pop() else { fail!(GalleryCorrupt, "a stored graph is empty; it is built anew") };
        let sketches = Column::<Sketch>::shared("node sketches", sketches)?;
        let links = Links::from_columns(places.len(), columns)?;
        if sketches.len() != places.len() {
            fail!(GalleryCorrupt, "a stored graph has sketches of another number of rows; it is built anew");
        }
        Ok(Graph { covers, places, links, sketches })
    }

    /// As bytes, to write them out: the [links](Links::columns), and the sketch of each node.
    pub fn columns(&self) -> Vec<&[u8]> {
        self.links.columns().into_iter().chain([self.sketches.bytes()]).collect()
    }

    /// The segments whose rows are its nodes.
    pub fn covers(&self) -> &[Segment] {
        &self.covers
    }

    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        self.links.memory() + self.places.memory() + self.sketches.bytes().len()
    }

    /// To walk on it; `parts` are the rows of its segments.
    pub(super) fn ground<'a>(&'a self, parts: &'a [Rows<'a>], kernels: Kernels) -> Ground<'a> {
        Ground { parts, places: &self.places, links: &self.links, sketches: &self.sketches, kernels }
    }
}

impl Builder<'_> {
    /// Makes sure that a search can come to all of `nodes`.
    fn connect(&mut self, nodes: impl Iterator<Item = u32>) {
        let Some((top, entry)) = self.entry else { return };
        let mut reached = vec![false; self.places.len()];
        self.mark(&mut reached, self.links.node(top, entry));
        let mut rooms = std::mem::take(&mut self.rooms);
        let mut stranded = Vec::new();
        for node in nodes {
            if reached[node as usize] {
                continue;
            }
            // From the nearest that has room for a link, or as another place where searches begin.
            match rooms.first_mut().and_then(|room| self.host(node, (top, entry), room)) {
                Some((host, mut links)) => {
                    links.push(node);
                    self.links.set(0, host, &links);
                }
                None => stranded.push(node),
            }
            self.mark(&mut reached, node);
        }
        self.rooms = rooms;
        self.links.set_stranded(stranded);
    }

    /// A near node that can be come to and has room for one more link, and those it has.
    fn host(&self, node: u32, (top, entry): (usize, u32), room: &mut WorkRoom) -> Option<(u32, Vec<u32>)> {
        let ground = self.ground();
        ground.aim(&mut room.aim, node);
        let from = ground.descend(top, entry, 0, &room.aim, &mut room.walk);
        let mut near = Nearest::new(HOSTS, self.parts, true);
        ground.walk(0, &room.aim, [from], &mut room.walk, &mut near);
        near.into_sorted().into_iter().find_map(|(_, host)| {
            let links = self.links.of(0, host);
            let used = links.iter().position(|link| *link == NONE)?;
            Some((host, links[..used].to_vec()))
        })
    }

    /// Marks what can be come to in the lowest layer.
    fn mark(&self, reached: &mut [bool], from: u32) {
        let mut open = vec![from];
        reached[from as usize] = true;
        while let Some(node) = open.pop() {
            for &link in self.links.of(0, node).iter().take_while(|link| **link != NONE) {
                if !std::mem::replace(&mut reached[link as usize], true) {
                    open.push(link);
                }
            }
        }
    }
}

/// The sketches of all nodes, each in one piece.
fn sketches(parts: &[Rows], places: &Places) -> Column<Sketch> {
    let sketch = |node| {
        let (part, row) = places.spot(node);
        let mut sketch = Sketch::default();
        sketch.iter_mut().zip(parts[part].sketch(row)).for_each(|(word, of)| *word = of);
        sketch
    };
    (0..places.len() as u32).map(sketch).collect()
}

/// Pairs of nodes whose codes are equal, the first standing for the second: one that `leads`, if any does.
fn twins(
    nodes: &[u32],
    parts: &[Rows],
    places: &Places,
    leads: &(dyn Fn(u32) -> bool + Sync),
    rooms: &mut [WorkRoom],
) -> Vec<[u32; 2]> {
    let codes = |node: u32| {
        let (part, row) = places.spot(node);
        (parts[part].steps[row], parts[part].codes(row))
    };
    let pieces: Vec<&[u32]> = nodes.chunks(HASHED).collect();
    let hashed = threads::map(&pieces, rooms, |nodes, _| {
        let hash = |node: &u32| {
            let ([scale, error], codes) = codes(*node);
            (xxh3_64_with_seed(codes, u64::from(scale) << 16 | u64::from(error)), !leads(*node), *node)
        };
        nodes.iter().map(hash).collect::<Vec<_>>()
    });
    let mut hashed = hashed.concat();
    hashed.sort_unstable();
    let mut pairs = Vec::new();
    for same in hashed.chunk_by(|a, b| a.0 == b.0) {
        let [(_, _, first), others @ ..] = same else { continue };
        let twins = others.iter().filter(|(_, _, other)| codes(*other) == codes(*first));
        pairs.extend(twins.map(|(_, _, other)| [*first, *other]));
    }
    pairs.sort_unstable();
    pairs
}
