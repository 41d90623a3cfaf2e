//! The links of a graph: who is whose neighbour, in layers, as flat arrays.
//!
//! Everybody is in the lowest layer, at the position of its number; a share of 1 / [`LINKS`] of each layer is also in
//! the one above. Links of a position are positions in the same layer, [`NONE`] behind the last. Nodes whose codes are
//! equal are twins: one of them stands in the graph for all, so that copies of one vector neither take up each other's
//! links nor hide others.

use std::ops::Range;

use crate::error::{Result, fail};
use crate::index::flat::SharedBytes;
use crate::index::flat::column::Column;

/// Links of a position in the layers above the lowest: M = 16, what libraries default to.
pub(super) const LINKS: usize = 16;

/// Links of a position in the lowest layer: 2 M, as in the paper (Malkov and Yashunin, 2018). Two cache lines.
pub(super) const BASE_LINKS: usize = 2 * LINKS;

/// No link.
pub(super) const NONE: u32 = u32::MAX;

/// The links of some nodes, which are numbers from 0 on.
pub(super) struct Links {
    /// [`BASE_LINKS`] for each node.
    base: Column<u32>,
    /// The entry's position in the highest layer, and then how many nodes each upper layer has, lowest first.
    shape: Column<u32>,
    /// The nodes of each upper layer, ascending, layer after layer.
    upper_nodes: Column<u32>,
    /// [`LINKS`] for each of them.
    upper_links: Column<u32>,
    /// Who stands for whom: pairs, ascending. Nodes on the right have no links.
    twins: Column<[u32; 2]>,
    /// Nodes that cannot be reached over links, ascending: every search looks at them.
    stranded: Column<u32>,
    /// Where the nodes of each upper layer are.
    layers: Vec<Range<usize>>,
    /// A bit for each node: whether it stands for others.
    has_twins: Vec<u64>,
}

/// Links and nodes of one layer.
#[derive(Clone, Copy)]
pub(super) struct Layer<'a> {
    links: &'a [u32],
    /// Links of a position.
    room: usize,
    /// The node at each position; in the lowest layer it is the position.
    nodes: Option<&'a [u32]>,
}

impl<'a> Layer<'a> {
    /// How many positions it has.
    pub fn len(self) -> usize {
        self.links.len() / self.room
    }

    /// The links of a position, up to the first that is [`NONE`].
    #[inline]
    pub fn of(self, position: u32) -> &'a [u32] {
        &self.links[of_position(position, self.room)]
    }

    /// The node at a position.
    #[inline]
    pub fn node(self, position: u32) -> u32 {
        self.nodes.map_or(position, |nodes| nodes[position as usize])
    }
}

impl Links {
    /// Changes with everything that stored columns depend on.
    pub const LAYOUT: u32 = if cfg!(target_endian = "little") { 1 } else { 1 << 31 | 1 };

    /// How many columns there are.
    pub const COLUMNS: usize = 6;

    /// The links of `nodes` nodes before any is made. `layers` has the nodes of each upper layer, ascending, of which
    /// each has those of the layer above; `twins` says who stands for whom.
    pub fn new(nodes: usize, layers: &[Vec<u32>], twins: Vec<[u32; 2]>) -> Self {
        let sizes = layers.iter().map(|layer| layer.len() as u32);
        let shape: Vec<u32> = [0].into_iter().chain(sizes).collect();
        let upper_nodes = layers.concat();
        let mut links = Links {
            base: std::iter::repeat_n(NONE, nodes * BASE_LINKS).collect(),
            upper_links: std::iter::repeat_n(NONE, upper_nodes.len() * LINKS).collect(),
            upper_nodes: upper_nodes.into_iter().collect(),
            layers: ranges(&shape).collect(),
            shape: shape.into_iter().collect(),
            twins: twins.into_iter().collect(),
            stranded: Column::from_iter([]),
            has_twins: Vec::new(),
        };
        links.note_twins();
        links
    }

    /// The columns as bytes, to write them out: links of the lowest layer, entry and sizes of the upper layers, their
    /// nodes, their links, twins, stranded nodes; all of u32.
    pub fn columns(&self) -> [&[u8]; Self::COLUMNS] {
        [
            self.base.bytes(),
            self.shape.bytes(),
            self.upper_nodes.bytes(),
            self.upper_links.bytes(),
            self.twins.bytes(),
            self.stranded.bytes(),
        ]
    }

    /// Links over stored columns, which stay where they are, of a graph of `nodes` nodes.
    ///
    /// Errors with `GalleryCorrupt` if they do not fit together, or anything leads out of them. Whatever passes is
    /// safe to search.
    pub fn from_columns(nodes: usize, columns: Vec<SharedBytes>) -> Result<Links> {
        let count = columns.len();
        let Ok([base, shape, upper_nodes, upper_links, twins, stranded]) =
            <[SharedBytes; Self::COLUMNS]>::try_from(columns)
        else {
            fail!(GalleryCorrupt, "a stored graph has {count} columns, not {}; it is built anew", Self::COLUMNS);
        };
        let shape = Column::<u32>::shared("shape", shape)?;
        let mut links = Links {
            base: Column::shared("links", base)?,
            layers: ranges(&shape).collect(),
            shape,
            upper_nodes: Column::shared("upper nodes", upper_nodes)?,
            upper_links: Column::shared("upper links", upper_links)?,
            twins: Column::shared("twins", twins)?,
            stranded: Column::shared("stranded", stranded)?,
            has_twins: Vec::new(),
        };
        if let Err(what) = links.check(nodes) {
            fail!(GalleryCorrupt, "a stored graph is damaged: {what}; it is built anew");
        }
        links.note_twins();
        Ok(links)
    }

    /// The number of the highest layer; 0 is the lowest.
    pub fn top(&self) -> usize {
        self.layers.len()
    }

    /// The position in the highest layer where searches begin.
    pub fn entry(&self) -> u32 {
        self.shape[0]
    }

    pub fn set_entry(&mut self, position: u32) {
        self.shape.to_mut()[0] = position;
    }

    /// A layer, for many looks at it.
    pub fn layer(&self, layer: usize) -> Layer<'_> {
        let Some(upper) = layer.checked_sub(1) else {
            return Layer { links: &self.base, room: BASE_LINKS, nodes: None };
        };
        let nodes = self.layers[upper].clone();
        let links = &self.upper_links[nodes.start * LINKS..nodes.end * LINKS];
        Layer { links, room: LINKS, nodes: Some(&self.upper_nodes[nodes]) }
    }

    /// The links of a position, up to the first that is [`NONE`].
    pub fn of(&self, layer: usize, position: u32) -> &[u32] {
        self.layer(layer).of(position)
    }

    /// Replaces the links of a position by `links`, at most as many as there is room for.
    pub fn set(&mut self, layer: usize, position: u32, links: &[u32]) {
        let place = match layer.checked_sub(1) {
            None => &mut self.base.to_mut()[of_position(position, BASE_LINKS)],
            Some(upper) => {
                let range = of_position(self.layers[upper].start as u32 + position, LINKS);
                &mut self.upper_links.to_mut()[range]
            }
        };
        let (kept, rest) = place.split_at_mut(links.len());
        kept.copy_from_slice(links);
        rest.fill(NONE);
    }

    /// The node at a position.
    pub fn node(&self, layer: usize, position: u32) -> u32 {
        self.layer(layer).node(position)
    }

    /// The position of a node in a layer that it is in.
    pub fn position(&self, layer: usize, node: u32) -> Option<u32> {
        match layer.checked_sub(1) {
            None => Some(node),
            Some(upper) => {
                self.upper_nodes[self.layers[upper].clone()].binary_search(&node).ok().map(|found| found as u32)
            }
        }
    }

    /// The nodes for which `node` stands.
    pub fn twins(&self, node: u32) -> impl Iterator<Item = u32> {
        let start = match self.has_twins[node as usize / 64] >> (node % 64) & 1 {
            0 => self.twins.len(),
            _ => self.twins.partition_point(|pair| pair[0] < node),
        };
        self.twins[start..].iter().take_while(move |pair| pair[0] == node).map(|pair| pair[1])
    }

    /// Who stands for whom: pairs, ascending.
    pub fn all_twins(&self) -> &[[u32; 2]] {
        &self.twins
    }

    /// The nodes that cannot be reached over links.
    pub fn stranded(&self) -> &[u32] {
        &self.stranded
    }

    pub fn set_stranded(&mut self, nodes: Vec<u32>) {
        self.stranded = nodes.into_iter().collect();
    }

    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        self.columns().iter().map(|column| column.len()).sum::<usize>() + size_of_val(&*self.has_twins)
    }

    fn note_twins(&mut self) {
        self.has_twins = vec![0; self.layer(0).len().div_ceil(64)];
        for &[node, _] in &*self.twins {
            self.has_twins[node as usize / 64] |= 1 << (node % 64);
        }
    }

    /// What does not fit.
    fn check(&self, nodes: usize) -> std::result::Result<(), &'static str> {
        let fits = |links: &[u32], room: usize, end: usize| {
            links.as_chunks::<1>().0.iter().all(|[link]| (*link as usize) < end || *link == NONE)
                && links.len().is_multiple_of(room)
        };
        if nodes == 0 || nodes >= NONE as usize || self.base.len() != nodes * BASE_LINKS {
            return Err("it has links of another number of nodes");
        }
        let Some((&entry, sizes)) = self.shape.split_first() else { return Err("it has no entry") };
        if entry as usize >= sizes.last().map_or(nodes, |size| *size as usize) {
            return Err("its entry is not there");
        }
        let sum: u64 = sizes.iter().map(|size| u64::from(*size)).sum();
        if sum != self.upper_nodes.len() as u64 || self.upper_links.len() != self.upper_nodes.len() * LINKS {
            return Err("its upper layers are incomplete");
        }
        if !fits(&self.base, BASE_LINKS, nodes) {
            return Err("a link leads out of it");
        }
        for (at, range) in self.layers.iter().enumerate() {
            let links = &self.upper_links[range.start * LINKS..range.end * LINKS];
            if !fits(links, LINKS, range.len()) {
                return Err("a link of an upper layer leads out of it");
            }
            let members = &self.upper_nodes[range.clone()];
            let below = |node: &u32| match at {
                0 => (*node as usize) < nodes,
                _ => self.position(at, *node).is_some(),
            };
            if !members.is_sorted_by(|a, b| a < b) || !members.iter().all(below) {
                return Err("an upper layer has nodes that the one below lacks");
            }
        }
        let known = |pair: &[u32; 2]| pair.iter().all(|node| (*node as usize) < nodes) && pair[0] != pair[1];
        if !self.twins.is_sorted_by(|a, b| a < b) || !self.twins.iter().all(known) {
            return Err("its twins are not in order");
        }
        if !self.stranded.is_sorted_by(|a, b| a < b) || self.stranded.iter().any(|node| *node as usize >= nodes) {
            return Err("its stranded nodes are not in order");
        }
        Ok(())
    }
}

/// Where the nodes of each upper layer are, by the shape.
fn ranges(shape: &[u32]) -> impl Iterator<Item = Range<usize>> {
    let mut end = 0usize;
    shape.iter().skip(1).map(move |size| {
        let start = end;
        end += *size as usize;
        start..end
    })
}

fn of_position(position: u32, room: usize) -> Range<usize> {
    let start = position as usize * room;
    start..start + room
}
