//! An index that looks at every face, most of them only as 512 signs.
//!
//! A search runs through three stages. It compares the sketch of the probe, the signs of a fixed
//! rotation, with the sketches of all rows (`scan.rs`); it orders the rows that pass by distance and
//! estimates their cosines from codes of one byte per coordinate (`rank.rs`); and it computes exactly,
//! in f32, those that the answer may consist of. How near a sketch has to be is in `bits.rs`.
//!
//! Rows live in immutable segments, sorted by face id, and new ones in a tail of small chunks. A clone
//! shares all of them; a change copies what it touches.

pub(super) mod bits;
pub(super) mod codes;
pub(super) mod column;
mod exact;
mod gather;
pub(super) mod rank;
mod rotation;
pub(super) mod rows;
pub(super) mod scan;
pub(super) mod search;
pub(super) mod segment;
mod tail;
#[cfg(test)]
pub(super) mod tests;

use std::ops::Range;
use std::sync::Arc;

pub(crate) use column::SharedBytes;
pub(crate) use gather::Part;
pub(crate) use segment::Segment;

use self::gather::Gathered;
use self::rotation::Rotation;
use self::rows::{DeadRows, Rows};
use self::search::Task;
use self::tail::{NewRow, Tail};
use super::kernels::Kernels;
use super::{FaceHit, Index, Memory, OwnerHit, Query};
use crate::error::{Result, fail};

/// The tail becomes a segment when it has this many rows.
const SEAL_AT: usize = 4096;

/// Faces in segments and a tail.
#[derive(Clone)]
pub(crate) struct Flat {
    dimension: usize,
    rotation: Arc<Rotation>,
    kernels: Kernels,
    segments: Arc<Vec<Sealed>>,
    tail: Tail,
    /// Rows that are not dead.
    live: usize,
    /// Working space of `insert`.
    room: Room,
}

/// A segment, and which of its rows were removed since it was made.
#[derive(Clone)]
struct Sealed {
    segment: Segment,
    dead: Arc<DeadRows>,
}

/// Working space that is not worth copying.
#[derive(Default)]
struct Room {
    rotated: Vec<f32>,
    codes: Vec<u8>,
}

impl Clone for Room {
    fn clone(&self) -> Self {
        Room::default()
    }
}

impl Flat {
    /// An empty index for vectors of `dimension` coordinates, 64 to 1024.
    pub fn new(dimension: usize) -> Self {
        Flat {
            dimension,
            rotation: Arc::new(Rotation::new(dimension)),
            kernels: Kernels::best(),
            segments: Arc::default(),
            tail: Tail::default(),
            live: 0,
            room: Room::default(),
        }
    }

    /// The segments, oldest first.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &Segment> {
        self.segments.iter().map(|sealed| &sealed.segment)
    }

    /// How many rows of the segment `at` were removed.
    pub fn dead(&self, at: usize) -> usize {
        self.segments[at].dead.count()
    }

    /// Which rows of the segment `at` were removed: a bit for each, from the lowest of the first byte
    /// on, in whole words of 8 bytes; nothing if none was.
    pub fn dead_rows(&self, at: usize) -> Vec<u8> {
        self.segments[at].dead.to_bytes()
    }

    /// Makes the tail a segment (several if its ids are very far apart).
    pub fn seal(&mut self) {
        let gathered = Gathered::new(self.dimension, self.tail.rows());
        let made: Vec<Sealed> = gathered.parts().map(|part| Sealed::new(part.segment())).collect();
        if !made.is_empty() {
            Arc::make_mut(&mut self.segments).extend(made);
            self.tail = Tail::default();
        }
    }

    /// Adds a segment and what [`Flat::dead_rows`] said of it. None of its live faces may be in the
    /// index.
    ///
    /// Errors with `GalleryCorrupt` if the bits are not those of so many rows, and with
    /// `DimensionMismatch` if the vectors have another dimension.
    pub fn push_segment(&mut self, segment: Segment, dead: &[u8]) -> Result<()> {
        if segment.dimension() != self.dimension {
            fail!(
                DimensionMismatch,
                "a segment of {} dimensions does not belong into an index of {}",
                segment.dimension(),
                self.dimension
            );
        }
        let rows = segment.len();
        let Some(dead) = DeadRows::from_bytes(rows, dead) else {
            fail!(GalleryCorrupt, "the removed rows of a stored segment of {rows} rows are damaged; rebuild the index");
        };
        self.live += rows - dead.count();
        Arc::make_mut(&mut self.segments).push(Sealed { segment, dead: Arc::new(dead) });
        Ok(())
    }

    /// Replaces the segments of `range` by one without dead rows, which `make` makes: by several if ids are
    /// very far apart, and by none if all rows are dead. After an error of `make` all is as it was.
    pub fn merge(&mut self, range: Range<usize>, make: impl FnMut(Part<'_>) -> Result<Segment>) -> Result<()> {
        let gathered = Gathered::new(self.dimension, self.segments[range.clone()].iter().map(Sealed::rows));
        let merged = gathered.parts().map(make).collect::<Result<Vec<_>>>()?;
        Arc::make_mut(&mut self.segments).splice(range, merged.into_iter().map(Sealed::new));
        Ok(())
    }

    /// This index with the segments of `to` in the place of those of `from`, a state before it without a tail: the
    /// same faces in other segments. What was added and removed since stays so. `None` if the segments of `from`
    /// are not its oldest ones.
    pub fn rebased(&self, from: &Flat, to: &Flat) -> Option<Flat> {
        let (old, since) = self.segments.split_at_checked(from.segments.len())?;
        let mut segments = to.segments.to_vec();
        for (now, then) in old.iter().zip(&*from.segments) {
            if !now.segment.is(&then.segment) {
                return None;
            }
            for row in now.dead.rows_since(&then.dead) {
                let (at, row) = find_live(&segments, now.segment.id(row))?;
                segments[at].remove(row);
            }
        }
        segments.extend_from_slice(since);
        Some(Flat { segments: Arc::new(segments), ..self.clone() })
    }

    /// All rows, those of the tail last.
    fn parts(&self) -> Vec<Rows<'_>> {
        self.segments.iter().map(Sealed::rows).chain(self.tail.rows()).collect()
    }

    /// Where a live face is among the segments.
    fn find_sealed(&self, face: u64) -> Option<(usize, usize)> {
        find_live(&self.segments, face)
    }
}

/// Which of the segments has a live face, and in which row.
fn find_live(segments: &[Sealed], face: u64) -> Option<(usize, usize)> {
    // The newest first: most changes concern what was added lately.
    segments.iter().enumerate().rev().find_map(|(at, Sealed { segment, dead })| {
        let row = segment.find(face)?;
        (!dead.contains(row)).then_some((at, row))
    })
}

impl Sealed {
    fn new(segment: Segment) -> Self {
        Sealed { segment, dead: Arc::default() }
    }

    fn rows(&self) -> Rows<'_> {
        self.segment.rows(&self.dead)
    }

    /// Removes a live row.
    fn remove(&mut self, row: usize) {
        Arc::make_mut(&mut self.dead).insert(row, self.segment.len());
    }
}

impl Index for Flat {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn len(&self) -> usize {
        self.live
    }

    fn get(&self, face: u64) -> Option<(u32, &[f32])> {
        let (rows, row) = match self.tail.find(face) {
            Some((chunk, row)) => (self.tail.rows().nth(chunk)?, row),
            None => {
                let (at, row) = self.find_sealed(face)?;
                (self.segments[at].rows(), row)
            }
        };
        Some((rows.owners[row], rows.values(row)))
    }

    fn insert(&mut self, face: u64, owner: u32, values: &[f32]) {
        debug_assert_eq!(values.len(), self.dimension);
        debug_assert!(self.get(face).is_none(), "face {face} is there already");
        self.room.codes.resize(codes::stride(self.dimension), 0);
        let sketch = &self.rotation.sketch(self.kernels, values, &mut self.room.rotated);
        let step = self.kernels.vectorised(|| codes::quantise(values, &mut self.room.codes));
        self.tail.push(NewRow { face, owner, values, codes: &self.room.codes, step, sketch });
        self.live += 1;
        if self.tail.len() >= SEAL_AT {
            self.seal();
        }
    }

    fn remove(&mut self, face: u64) -> bool {
        if let Some(spot) = self.tail.find(face) {
            self.tail.remove(spot);
        } else if let Some((at, row)) = self.find_sealed(face) {
            Arc::make_mut(&mut self.segments)[at].remove(row);
        } else {
            return false;
        }
        self.live -= 1;
        true
    }

    fn search(&self, queries: &[Query]) -> Vec<Vec<OwnerHit>> {
        let tasks: Vec<Task> = queries.iter().map(search::owners_task).collect();
        self.searcher().answer(&tasks.iter().collect::<Vec<_>>())
    }

    fn nearest_faces(&self, query: &Query, count: usize) -> Vec<FaceHit> {
        if count == 0 {
            return Vec::new();
        }
        let hits = self.searcher().answer(&[&search::faces_task(query, count)]).into_iter().flatten();
        hits.map(FaceHit::from).collect()
    }

    fn memory(&self) -> Memory {
        let (mut vectors, mut rest) = self.tail.memory();
        let mut dead = 0;
        for sealed in &*self.segments {
            let (segment_vectors, segment_rest) = sealed.segment.memory();
            vectors += segment_vectors;
            rest += segment_rest + sealed.dead.memory();
            dead += sealed.dead.count();
        }
        Memory { vectors, rest, dead }
    }
}

/// The forms other than f32 in which a vector is written to files, to be looked for there: its codes, and
/// each word of its sketch.
#[cfg(test)]
pub(crate) fn forms_on_disk(values: &[f32]) -> Vec<(&'static str, Vec<u8>)> {
    let mut codes = vec![0; codes::stride(values.len())];
    codes::quantise(values, &mut codes);
    let sketch = Rotation::new(values.len()).sketch(Kernels::best(), values, &mut Vec::new());
    let words = sketch.iter().map(|word| ("sketch", word.to_ne_bytes().to_vec()));
    words.chain([("codes", codes)]).collect()
}
