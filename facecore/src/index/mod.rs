//! Vector indexes: which of many faces are nearest to a probe.
//!
//! An index knows face ids, owner numbers and vectors of length 1. What an owner is called, and what
//! of it is on disk, is the gallery's business.

mod choice;
pub(crate) mod flat;
#[doc(hidden)]
pub mod hnsw;
mod kernels;
#[cfg(test)]
mod tests;

pub use choice::IndexKind;

/// What is looked for.
pub(crate) struct Query<'a> {
    /// A vector of length 1 in the index's dimension.
    pub probe: &'a [f32],
    /// How many owners the caller wants; 0 is taken as 1.
    pub owners: usize,
    /// The cosine from which on a face counts as agreeing.
    pub threshold: f32,
    /// How much of the index is looked at.
    pub reach: Reach,
    /// Whose faces are considered. Asked at most once per owner and query, on any thread, and never
    /// while a lock is held.
    pub allowed: Option<&'a (dyn Fn(u32) -> bool + Sync)>,
}

/// How much of an index a query looks at. Scores are exact whatever the reach; a shorter reach can
/// only miss faces. Small indexes are always searched exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reach {
    /// Every vector in f32.
    Exact,
    /// This many faces with the nearest sketches among those allowed, and all that tie with the last; more if
    /// these belong to fewer owners than are wanted. A graph keeps this many owners instead.
    Nearest(usize),
    /// All faces whose sketch is so near that a face at exactly the cosine that matters is lost with
    /// at most this probability. A graph cannot tell probabilities: it keeps more owners for rarer misses.
    ///
    /// The cosine that matters starts as the threshold and rises to 0.15 below the score of the last
    /// owner wanted, as far as that is known. So the owners wanted, and a rival above the threshold and
    /// within 0.15 of the last of them, are each met with that certainty; other margins are upper estimates.
    Within { miss: f64 },
}

/// An owner who was met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OwnerHit {
    pub owner: u32,
    /// The cosine of the owner's best face, -1 to 1, with the bits of `Embedding::cosine`.
    pub score: f32,
    /// The best face; of equal ones the one with the smallest id.
    pub face: u64,
    /// How many of the owner's faces reach the threshold, among those met.
    pub hits: u32,
}

/// A face that was met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FaceHit {
    pub owner: u32,
    pub face: u64,
    /// The cosine, -1 to 1, with the bits of `Embedding::cosine`.
    pub score: f32,
}

impl From<OwnerHit> for FaceHit {
    /// In an answer of faces each is an entry of its own.
    fn from(OwnerHit { owner, face, score, .. }: OwnerHit) -> Self {
        FaceHit { owner, face, score }
    }
}

/// Bytes that an index takes, whether on the heap or in a mapped file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// The f32 vectors, dead rows included.
    pub vectors: usize,
    /// Everything else: codes, sketches, ids, owners, bitmaps.
    pub rest: usize,
    /// Rows that were removed but still take space.
    pub dead: usize,
}

/// Faces of one dimension. A clone is a cheap snapshot that later changes do not reach.
pub(crate) trait Index: Clone + Send + Sync {
    /// Coordinates of each vector.
    fn dimension(&self) -> usize;

    /// How many faces there are.
    fn len(&self) -> usize;

    /// The owner and the vector of a face.
    fn get(&self, face: u64) -> Option<(u32, &[f32])>;

    /// Adds a face that is not in the index. `values` has length 1 and the index's dimension.
    fn insert(&mut self, face: u64, owner: u32, values: &[f32]);

    /// Removes a face; `false` if it is not there.
    fn remove(&mut self, face: u64) -> bool;

    /// The owners met by each query, best first, equal ones by number.
    ///
    /// There is one more than wanted, if so many were met: the rival against whom a margin is
    /// measured. Owners who tie with the last are all there. Owners below the threshold are included.
    fn search(&self, queries: &[Query]) -> Vec<Vec<OwnerHit>>;

    /// The `count` nearest of the faces met, best first, equal ones by id. The reach is steered by
    /// faces here where `search` is steered by owners.
    fn nearest_faces(&self, query: &Query, count: usize) -> Vec<FaceHit>;

    /// What it takes.
    fn memory(&self) -> Memory;
}
