//! A flat index with a graph over its segments: hierarchical navigable small worlds (Malkov and Yashunin, 2018).
//!
//! Rows are those of `flat`, with the same codes; the graph adds links between them and a second copy of the sketches,
//! 197 bytes a row. A search walks over the graph (`walk.rs`), scans the rows that it does not cover, and ranks what it
//! met as `flat` does (`search.rs`). Changes go to `flat` alone: a new row is scanned until it is covered, and one that
//! was removed stays part of the ways through it. [`Hnsw::cover`] makes a new graph, from the one there is as far as
//! rows are the same (`graph.rs`, `carry.rs`, `build.rs`).
//!
//! A graph never changes once it is made, so that snapshots share it.

mod build;
mod carry;
#[doc(hidden)]
pub mod fuzz;
mod graph;
#[cfg(feature = "hnsw_rs")]
mod library;
mod links;
mod places;
mod search;
#[cfg(test)]
mod tests;
mod threads;
mod walk;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use graph::Graph;
pub(in crate::index) use search::WIDER_FROM;

use super::flat::search::{faces_task, owners_task};
use super::flat::{Flat, Part, Segment};
use super::{FaceHit, Index, IndexKind, Memory, OwnerHit, Query};
use crate::error::{Result, fail};

/// Fewer rows are scanned as fast. Tests make do with fewer, so that random changes meet graphs.
const LEAST: usize = if cfg!(test) { 40 } else { 2000 };

/// A graph is made anew when more rows than this, and than a share of those it covers, are scanned beside it: at a
/// sixteenth, scanning them takes less than the walk in galleries of any size.
const UNCOVERED: usize = 16_384;
const UNCOVERED_SHARE: usize = 16;

/// A flat index, and a graph over its oldest segments if one was made.
#[derive(Clone)]
pub(crate) struct Hnsw {
    flat: Flat,
    guide: Option<Guide>,
}

/// What leads searches to rows.
#[derive(Clone)]
enum Guide {
    Graph(Arc<Graph>),
    #[cfg(feature = "hnsw_rs")]
    Library(Arc<library::Library>),
}

impl Guide {
    /// The segments whose rows it leads to.
    fn covers(&self) -> &[Segment] {
        match self {
            Guide::Graph(graph) => graph.covers(),
            #[cfg(feature = "hnsw_rs")]
            Guide::Library(library) => library.covers(),
        }
    }

    /// How many rows these have.
    fn rows(&self) -> usize {
        self.covers().iter().map(Segment::len).sum()
    }

    fn memory(&self) -> usize {
        match self {
            Guide::Graph(graph) => graph.memory(),
            #[cfg(feature = "hnsw_rs")]
            Guide::Library(library) => library.memory(),
        }
    }

    fn kind(&self) -> IndexKind {
        match self {
            Guide::Graph(_) => IndexKind::Hnsw,
            #[cfg(feature = "hnsw_rs")]
            Guide::Library(_) => IndexKind::HnswRs,
        }
    }
}

impl Hnsw {
    /// An empty index for vectors of `dimension` coordinates, 64 to 1024.
    pub fn new(dimension: usize) -> Self {
        Hnsw { flat: Flat::new(dimension), guide: None }
    }

    /// The rows.
    pub fn flat(&self) -> &Flat {
        &self.flat
    }

    /// The graph over the oldest of them, if it is one that can be stored.
    pub fn graph(&self) -> Option<&Arc<Graph>> {
        match self.guide.as_ref()? {
            Guide::Graph(graph) => Some(graph),
            #[cfg(feature = "hnsw_rs")]
            Guide::Library(_) => None,
        }
    }

    /// What faces are found with: `Flat` while there is no graph.
    pub fn kind(&self) -> IndexKind {
        self.guide.as_ref().map_or(IndexKind::Flat, Guide::kind)
    }

    /// As [`Flat::seal`].
    pub fn seal(&mut self) {
        self.flat.seal();
    }

    /// As [`Flat::push_segment`].
    pub fn push_segment(&mut self, segment: Segment, dead: &[u8]) -> Result<()> {
        self.flat.push_segment(segment, dead)
    }

    /// Gives it a graph over its oldest segments. Errors with `GalleryCorrupt` if these are not the graph's.
    pub fn set_graph(&mut self, graph: Graph) -> Result<()> {
        self.guide = Some(Guide::Graph(Arc::new(graph)));
        self.drop_unfit();
        if self.guide.is_none() {
            fail!(GalleryCorrupt, "a stored graph is of other rows; it is built anew");
        }
        Ok(())
    }

    /// As [`Flat::merge`]. A graph over these segments is gone; [`Hnsw::cover`] can make a new one from it.
    pub fn merge(&mut self, range: Range<usize>, make: impl FnMut(Part<'_>) -> Result<Segment>) -> Result<()> {
        self.flat.merge(range, make)?;
        self.drop_unfit();
        Ok(())
    }

    /// Sees to it that a graph of this kind covers nearly all rows of the segments, if these are worth one; with `Flat`,
    /// that there is none. `before` is a state that it came from, whose graph is used as far as rows are the same. It
    /// takes all cores, and minutes if many rows are new to it; only then `stop` ends it, and all is left as it is.
    pub fn cover(&mut self, kind: IndexKind, before: &Hnsw, stop: &AtomicBool) {
        self.keep_only(kind);
        let rows = self.sealed_rows();
        let covered = self.guide.as_ref().map_or(0, Guide::rows);
        let is_covered = self.guide.is_some() && rows - covered <= UNCOVERED.max(covered / UNCOVERED_SHARE);
        if kind == IndexKind::Flat || !self.may_cover() || is_covered {
            return;
        }
        self.make_graph(kind, before, stop);
    }

    /// Makes a graph over all segments.
    fn make_graph(&mut self, kind: IndexKind, before: &Hnsw, stop: &AtomicBool) {
        let segments: Vec<Segment> = self.flat.segments().cloned().collect();
        let searcher = self.flat.searcher();
        let parts = &searcher.parts[..segments.len()];
        let made = match kind {
            #[cfg(feature = "hnsw_rs")]
            IndexKind::HnswRs => {
                library::Library::new(segments, parts, searcher.kernels, stop).map(Arc::new).map(Guide::Library)
            }
            _ => {
                let old = before.flat.searcher();
                let old = before.graph().map(|graph| (&**graph, &old.parts[..graph.covers().len()]));
                Graph::new(segments, parts, searcher.kernels, old, stop).map(Arc::new).map(Guide::Graph)
            }
        };
        if made.is_some() || !stop.load(Ordering::Relaxed) {
            self.guide = made;
        }
    }

    /// As [`Hnsw::cover`], however few rows there are.
    #[cfg(test)]
    pub fn cover_all(&mut self, kind: IndexKind, before: &Hnsw) {
        self.make_graph(kind, before, &AtomicBool::new(false));
    }

    /// Whether there are rows enough for a graph.
    pub fn may_cover(&self) -> bool {
        self.sealed_rows() >= LEAST
    }

    fn sealed_rows(&self) -> usize {
        self.flat.segments().map(Segment::len).sum()
    }

    /// Searches without a graph from here on, unless it is one of this kind.
    pub fn keep_only(&mut self, kind: IndexKind) {
        if self.kind() != kind {
            self.guide = None;
        }
    }

    /// As [`Flat::rebased`].
    pub fn rebased(&self, from: &Hnsw, to: &Hnsw) -> Option<Hnsw> {
        Some(Hnsw { flat: self.flat.rebased(&from.flat, &to.flat)?, guide: to.guide.clone() })
    }

    /// Lets go of a graph that is not over the oldest segments.
    fn drop_unfit(&mut self) {
        let fits = |guide: &Guide| {
            let covers = guide.covers();
            covers.len() <= self.flat.segments().len()
                && covers.iter().zip(self.flat.segments()).all(|(covered, segment)| covered.is(segment))
        };
        if !self.guide.as_ref().is_some_and(fits) {
            self.guide = None;
        }
    }
}

impl Index for Hnsw {
    fn dimension(&self) -> usize {
        self.flat.dimension()
    }

    fn len(&self) -> usize {
        self.flat.len()
    }

    fn get(&self, face: u64) -> Option<(u32, &[f32])> {
        self.flat.get(face)
    }

    fn insert(&mut self, face: u64, owner: u32, values: &[f32]) {
        self.flat.insert(face, owner, values);
    }

    fn remove(&mut self, face: u64) -> bool {
        self.flat.remove(face)
    }

    fn search(&self, queries: &[Query]) -> Vec<Vec<OwnerHit>> {
        self.answer(&queries.iter().map(owners_task).collect::<Vec<_>>())
    }

    fn nearest_faces(&self, query: &Query, count: usize) -> Vec<FaceHit> {
        if count == 0 {
            return Vec::new();
        }
        let hits = self.answer(&[faces_task(query, count)]).into_iter().flatten();
        hits.map(FaceHit::from).collect()
    }

    fn memory(&self) -> Memory {
        let mut memory = self.flat.memory();
        memory.rest += self.guide.as_ref().map_or(0, Guide::memory);
        memory
    }
}
