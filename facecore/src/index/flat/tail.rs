//! Rows that were added lately, before they become a segment.

use std::sync::Arc;

use super::codes::{Step, stride};
use super::rows::{Ids, Rows};
use super::segment::Spot;
use crate::index::kernels::{GROUP_ROWS, Group, Sketch};

/// Rows of a chunk. A change copies at most one chunk while a snapshot holds it (84 KB at 512
/// coordinates), and a snapshot's first change copies a pointer for each chunk.
const CHUNK: usize = 32;

/// Rows in no order, in chunks of which all but the last are full.
#[derive(Clone, Default)]
pub(super) struct Tail {
    chunks: Arc<Vec<Arc<Chunk>>>,
}

/// At most [`CHUNK`] rows, column by column.
struct Chunk {
    dimension: usize,
    values: Vec<f32>,
    codes: Vec<u8>,
    steps: Vec<Step>,
    groups: [Group; CHUNK / GROUP_ROWS],
    ids: Vec<u64>,
    owners: Vec<u32>,
}

/// A row to be added.
#[derive(Clone, Copy)]
pub(super) struct NewRow<'a> {
    pub face: u64,
    pub owner: u32,
    pub values: &'a [f32],
    pub codes: &'a [u8],
    pub step: Step,
    pub sketch: &'a Sketch,
}

impl Tail {
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.ids.len())
    }

    pub fn rows(&self) -> impl Iterator<Item = Rows<'_>> {
        self.chunks.iter().map(|chunk| chunk.rows())
    }

    /// Where a face is: its chunk and the row in there.
    pub fn find(&self, face: u64) -> Option<Spot> {
        let rows = self.chunks.iter().map(|chunk| chunk.ids.iter().position(|&id| id == face));
        rows.enumerate().find_map(|(chunk, row)| Some((chunk, row?)))
    }

    pub fn push(&mut self, row: NewRow) {
        let full = self.len().is_multiple_of(CHUNK);
        let chunks = Arc::make_mut(&mut self.chunks);
        if full {
            chunks.push(Arc::new(Chunk::with_room(row.values.len())));
        }
        if let Some(last) = chunks.last_mut() {
            Arc::make_mut(last).push(row);
        }
    }

    /// Removes the row at `spot`; the last row takes its place.
    pub fn remove(&mut self, (chunk, row): Spot) {
        let chunks = Arc::make_mut(&mut self.chunks);
        let Some(mut last) = chunks.pop() else { return };
        let moved = Arc::make_mut(&mut last).pop();
        let emptied = last.ids.is_empty();
        chunks.push(last);
        if (chunk, row) != (chunks.len() - 1, chunks[chunks.len() - 1].ids.len()) {
            Arc::make_mut(&mut chunks[chunk]).set(row, moved.as_new());
        }
        if emptied {
            chunks.pop();
        }
    }

    /// Bytes of the vectors, and of everything else.
    pub fn memory(&self) -> (usize, usize) {
        let vectors = |chunk: &Arc<Chunk>| chunk.values.capacity() * size_of::<f32>();
        let rest = |chunk: &Arc<Chunk>| {
            chunk.codes.capacity()
                + size_of_val(&chunk.groups)
                + CHUNK * (size_of::<Step>() + size_of::<u64>() + size_of::<u32>())
        };
        (self.chunks.iter().map(vectors).sum(), self.chunks.iter().map(rest).sum())
    }
}

/// A row that was taken out.
struct TakenRow {
    face: u64,
    owner: u32,
    values: Vec<f32>,
    codes: Vec<u8>,
    step: Step,
    sketch: Sketch,
}

impl TakenRow {
    fn as_new(&self) -> NewRow<'_> {
        let TakenRow { face, owner, ref values, ref codes, step, ref sketch } = *self;
        NewRow { face, owner, values, codes, step, sketch }
    }
}

impl Chunk {
    fn with_room(dimension: usize) -> Self {
        Chunk {
            dimension,
            values: Vec::with_capacity(CHUNK * dimension),
            codes: Vec::with_capacity(CHUNK * stride(dimension)),
            steps: Vec::with_capacity(CHUNK),
            groups: Default::default(),
            ids: Vec::with_capacity(CHUNK),
            owners: Vec::with_capacity(CHUNK),
        }
    }

    fn rows(&self) -> Rows<'_> {
        Rows {
            dimension: self.dimension,
            values: &self.values,
            codes: &self.codes,
            steps: &self.steps,
            groups: &self.groups[..self.ids.len().div_ceil(GROUP_ROWS)],
            ids: Ids::Wide(&self.ids),
            owners: &self.owners,
            dead: None,
        }
    }

    fn push(&mut self, row: NewRow) {
        let at = self.ids.len();
        self.values.extend_from_slice(row.values);
        self.codes.extend_from_slice(row.codes);
        self.steps.push(row.step);
        self.ids.push(row.face);
        self.owners.push(row.owner);
        self.set_sketch(at, row.sketch);
    }

    fn set(&mut self, at: usize, row: NewRow) {
        let stride = row.codes.len();
        self.values[at * self.dimension..(at + 1) * self.dimension].copy_from_slice(row.values);
        self.codes[at * stride..(at + 1) * stride].copy_from_slice(row.codes);
        self.steps[at] = row.step;
        self.ids[at] = row.face;
        self.owners[at] = row.owner;
        self.set_sketch(at, row.sketch);
    }

    fn set_sketch(&mut self, at: usize, sketch: &Sketch) {
        for (words, &word) in self.groups[at / GROUP_ROWS].iter_mut().zip(sketch) {
            words[at % GROUP_ROWS] = word;
        }
    }

    /// Takes out the last row; there is one.
    fn pop(&mut self) -> TakenRow {
        let at = self.ids.len() - 1;
        let (rows, mut sketch) = (self.rows(), Sketch::default());
        sketch.iter_mut().zip(rows.sketch(at)).for_each(|(to, word)| *to = word);
        let (face, owner, step) = (self.ids[at], self.owners[at], self.steps[at]);
        let (values, codes) = (rows.values(at).to_vec(), rows.codes(at).to_vec());
        self.values.truncate(at * self.dimension);
        self.codes.truncate(at * codes.len());
        self.steps.truncate(at);
        self.ids.truncate(at);
        self.owners.truncate(at);
        TakenRow { face, owner, values, codes, step, sketch }
    }
}

impl Clone for Chunk {
    /// Room for later rows is kept, which a derived clone would drop.
    fn clone(&self) -> Self {
        let mut chunk = Chunk::with_room(self.dimension);
        chunk.values.extend_from_slice(&self.values);
        chunk.codes.extend_from_slice(&self.codes);
        chunk.steps.extend_from_slice(&self.steps);
        chunk.groups = self.groups;
        chunk.ids.extend_from_slice(&self.ids);
        chunk.owners.extend_from_slice(&self.owners);
        chunk
    }
}
