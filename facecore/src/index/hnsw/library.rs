//! A graph of the library `hnsw_rs` in the place of ours, to compare with.
//!
//! It has a copy of the vectors, knows faces where ours knows people, and stays in memory: what the library writes to
//! files it reads back without checks, and ends the process if they are damaged. Removed rows stay in it and are passed
//! over, until it is made anew. Nor is its filter used, which panics where it lets nobody pass.

use std::sync::atomic::{AtomicBool, Ordering};

use hnsw_rs::anndists::dist::distances::Distance;
use rustc_hash::FxHashSet;

use super::build::EF_BUILD;
use super::links::LINKS;
use super::places::Places;
use super::threads;
use crate::index::flat::Segment;
use crate::index::flat::rank::{Coarse, Filter, cosine};
use crate::index::flat::rows::Rows;
use crate::index::flat::scan::candidate;
use crate::index::flat::search::Task;
use crate::index::flat::segment::Spot;
use crate::index::kernels::{Candidate, Kernels};

/// Layers at most: as many as the library allows.
const LAYERS: usize = 16;

/// Rows inserted between two looks at whether to stop.
const BATCH: usize = 4096;

/// If too few people were met, so many times as many faces are asked for.
const WIDER: usize = 4;

/// 1 - cosine of vectors of length 1.
struct CosineDistance(Kernels);

impl Distance<f32> for CosineDistance {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        // Never below 0, of which the library makes sure with a panic.
        1.0 - self.0.vectorised(|| cosine(a, b))
    }
}

type Nodes = hnsw_rs::hnsw::Hnsw<'static, f32, CosineDistance>;

/// A graph whose nodes are the rows of some segments that were live when it was made.
pub(super) struct Library {
    covers: Vec<Segment>,
    places: Places,
    /// `None` only when it is dropped.
    nodes: Option<Nodes>,
    /// Bytes of it, estimated.
    memory: usize,
}

impl Library {
    /// On all cores; `None` if no row is live, or `stop` was set before it was complete.
    pub fn new(covers: Vec<Segment>, parts: &[Rows], kernels: Kernels, stop: &AtomicBool) -> Option<Library> {
        let places = Places::new(parts.iter().map(Rows::len));
        let live: Vec<u32> = (0..places.len() as u32)
            .filter(|&node| {
                let (part, row) = places.spot(node);
                parts[part].is_live(row)
            })
            .collect();
        let dimension = parts.first()?.dimension;
        let nodes = Nodes::new(LINKS, live.len(), LAYERS, EF_BUILD, CosineDistance(kernels));
        let insert = |node: &u32| {
            let (part, row) = places.spot(*node);
            nodes.insert_slice((parts[part].values(row), *node as usize));
        };
        let (first, others) = live.split_first()?;
        // Alone: two first ones at a time would not know of each other.
        insert(first);
        let mut rooms = vec![(); threads::available()];
        for batch in others.chunks(BATCH) {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            threads::map(batch, &mut rooms, |node, ()| insert(node));
        }
        let memory = live.len() * bytes_of_node(dimension);
        Some(Library { covers, places, nodes: Some(nodes), memory })
    }

    /// The segments whose rows are its nodes.
    pub fn covers(&self) -> &[Segment] {
        &self.covers
    }

    pub fn memory(&self) -> usize {
        self.memory + self.places.memory()
    }

    /// Lets `coarse` meet the rows that are nearest; `None` if more than `limit` would have to be looked for.
    pub fn meet(
        &self,
        parts: &[Rows],
        task: &Task,
        width: usize,
        limit: usize,
        coarse: &mut Coarse,
        filter: &mut Filter,
    ) -> Option<()> {
        let nodes = self.nodes.as_ref()?;
        let needed = task.goal.needed();
        let mut wanted = width;
        while wanted <= limit {
            let found = nodes.search(task.query.probe, wanted, wanted);
            let spots: Vec<Spot> = found
                .into_iter()
                .map(|neighbour| self.places.spot(neighbour.d_id as u32))
                .filter(|&(part, row)| parts[part].is_live(row) && filter.admits(parts[part].owners[row]))
                .collect();
            let enough = match task.goal.is_by_owner() {
                true => {
                    spots.iter().map(|&(part, row)| parts[part].owners[row]).collect::<FxHashSet<_>>().len() >= needed
                }
                false => spots.len() >= needed,
            };
            if enough {
                let candidates: Vec<Candidate> = spots.into_iter().map(candidate).collect();
                coarse.meet(&candidates, filter, None);
                return Some(());
            }
            wanted *= WIDER;
        }
        None
    }
}

impl Drop for Library {
    /// The library frees its nodes in the shared pool of threads, which may be waiting for a lock that whoever is here
    /// holds. So a thread lets go of them.
    fn drop(&mut self) {
        let nodes = self.nodes.take();
        // Without a thread they are freed here and now.
        let _ = std::thread::Builder::new().name("facecore-free".to_owned()).spawn(move || drop(nodes));
    }
}

/// A node has its vector, and of each layer a list; in the lowest are up to 32 links, behind a pointer, each in an
/// allocation of 32 bytes with its distance and counters.
fn bytes_of_node(dimension: usize) -> usize {
    const NODE: usize = 128 + LAYERS * size_of::<Vec<usize>>();
    const LINK: usize = size_of::<usize>() + 32;
    NODE + dimension * size_of::<f32>() + 2 * LINKS * LINK
}
