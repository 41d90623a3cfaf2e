//! What searches see of a namespace: one immutable state, replaced as a whole by each write.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PersonId;
use super::directory::Directory;
use crate::embedding::EmbeddingSpace;
use crate::error::{Result, fail};
use crate::index::Index as _;
use crate::index::hnsw::Hnsw;

/// Dimensions a namespace takes.
const DIMENSIONS: std::ops::RangeInclusive<usize> = 64..=1024;

/// A namespace as of one commit. Cloning is cheap.
#[derive(Clone, Default)]
pub(super) struct View {
    /// The namespace's number in the store; another one after `clear`.
    pub number: u32,
    pub pinned: Option<Pinned>,
    pub directory: Directory,
}

/// The embedding space, and the vectors in it.
#[derive(Clone)]
pub(super) struct Pinned {
    pub space: EmbeddingSpace,
    pub index: Hnsw,
    /// The file that each of the index's segments is mapped from. None in memory.
    pub files: Vec<Option<Arc<str>>>,
    /// The file that the index's graph is mapped from.
    pub graph_file: Option<Arc<str>>,
    /// How many segments there were when they were last merged; the rest was sealed since.
    pub tidied: usize,
}

/// What a transaction changes in a namespace.
#[derive(Default)]
pub(super) struct Delta {
    /// The namespace's number after it.
    pub number: u32,
    /// Space and dimension after it.
    pub pin: Option<(EmbeddingSpace, usize)>,
    /// Faces from this id on were not there before it.
    pub known_below: u64,
    /// Faces that are there after it, or no longer.
    pub faces: BTreeMap<u64, Option<Placed>>,
    /// Person numbers that were given or taken back.
    pub persons: BTreeMap<u32, Option<PersonId>>,
}

/// A face's vector and whose it is.
pub(super) struct Placed {
    pub owner: u32,
    pub values: Arc<[f32]>,
}

impl Pinned {
    /// An index that was loaded; the space comes with the next [`View::after`].
    pub fn without_space(index: Hnsw, files: Vec<Option<Arc<str>>>, graph_file: Option<Arc<str>>) -> Pinned {
        Pinned { space: EmbeddingSpace::new("", 0.0), tidied: files.len(), index, files, graph_file }
    }

    fn empty(space: EmbeddingSpace, dimension: usize) -> Pinned {
        Pinned { space, index: Hnsw::new(dimension), files: Vec::new(), graph_file: None, tidied: 0 }
    }
}

/// `DimensionMismatch` if no namespace can hold embeddings of so many dimensions.
pub(super) fn check_dimension(dimension: usize) -> Result<()> {
    if !DIMENSIONS.contains(&dimension) {
        let (least, most) = (DIMENSIONS.start(), DIMENSIONS.end());
        fail!(DimensionMismatch, "a namespace holds embeddings of {least} to {most} dimensions, not {dimension}");
    }
    Ok(())
}

/// `DimensionMismatch` or `InvalidArgument` if a namespace cannot hold such embeddings.
pub(super) fn check_pin(space: &EmbeddingSpace, dimension: usize) -> Result<()> {
    check_dimension(dimension)?;
    if !(-1.0..=1.0).contains(&space.threshold()) {
        fail!(InvalidArgument, "the threshold of {space} is {}, but a cosine is -1 to 1", space.threshold());
    }
    Ok(())
}

/// Whether embeddings of `space` and `dimension` can be compared with those of a namespace's pin.
pub(super) fn check_fits(
    namespace: &str,
    (pinned, size): (&EmbeddingSpace, usize),
    space: &EmbeddingSpace,
    dimension: usize,
) -> Result<()> {
    if pinned != space {
        fail!(
            EmbeddingSpaceMismatch,
            "namespace `{namespace}` holds embeddings of {pinned}, and one of {space} cannot be compared with them; use the models they were made with, or another namespace"
        );
    }
    if size != dimension {
        fail!(DimensionMismatch, "namespace `{namespace}` holds embeddings of {size} dimensions, not {dimension}");
    }
    Ok(())
}

impl View {
    pub fn faces(&self) -> usize {
        self.pinned.as_ref().map_or(0, |pinned| pinned.index.len())
    }

    pub fn values(&self, face: u64) -> Option<&[f32]> {
        self.pinned.as_ref()?.index.get(face).map(|(_, values)| values)
    }

    pub fn pin(&self) -> Option<(EmbeddingSpace, usize)> {
        self.pinned.as_ref().map(|pinned| (pinned.space.clone(), pinned.index.dimension()))
    }

    /// The state after a transaction.
    pub fn after(&self, delta: &Delta) -> View {
        let mut view = if self.number == delta.number { self.clone() } else { View::default() };
        view.number = delta.number;
        for (number, person) in &delta.persons {
            view.directory.set(*number, person.as_ref());
        }
        view.repin(delta.pin.as_ref());
        if let Some(pinned) = &mut view.pinned {
            for (face, placed) in &delta.faces {
                if *face < delta.known_below {
                    pinned.index.remove(*face);
                }
                if let Some(placed) = placed {
                    pinned.index.insert(*face, placed.owner, &placed.values);
                }
            }
        }
        view
    }

    /// This state with `to` in the place of `from`, a sealed state before it: the same faces in other segments. `None`
    /// if it has come about otherwise.
    pub fn rebased(&self, from: &View, to: &View) -> Option<View> {
        let (now, from, to) = match (&self.pinned, &from.pinned, &to.pinned) {
            (Some(now), Some(before), Some(after)) if self.number == from.number => (now, before, after),
            _ => return None,
        };
        let index = now.index.rebased(&from.index, &to.index)?;
        let pinned = Pinned { space: now.space.clone(), index, ..to.clone() };
        Some(View { number: self.number, directory: self.directory.clone(), pinned: Some(pinned) })
    }

    fn repin(&mut self, pin: Option<&(EmbeddingSpace, usize)>) {
        match (pin, &mut self.pinned) {
            (Some((space, dimension)), Some(pinned)) if pinned.index.dimension() == *dimension => {
                pinned.space = space.clone();
            }
            (Some((space, dimension)), pinned) => {
                *pinned = Some(Pinned::empty(space.clone(), *dimension));
            }
            (None, pinned) => *pinned = None,
        }
    }
}
