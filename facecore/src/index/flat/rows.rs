//! A view of the rows of a segment or of a chunk of the tail: what a search runs over.

use super::codes::{Step, stride};
use crate::index::kernels::{GROUP_ROWS, Group, prefetch, prefetch_all};

/// Rows, column by column. All columns have the same number of rows, but for the last group, which
/// may have some too many.
#[derive(Clone, Copy)]
pub(in crate::index) struct Rows<'a> {
    pub dimension: usize,
    pub values: &'a [f32],
    pub codes: &'a [u8],
    pub steps: &'a [Step],
    pub groups: &'a [Group],
    pub ids: Ids<'a>,
    pub owners: &'a [u32],
    pub dead: Option<&'a DeadRows>,
}

/// Face ids, in full or as distances from the first.
#[derive(Clone, Copy)]
pub(in crate::index) enum Ids<'a> {
    Wide(&'a [u64]),
    Narrow(u64, &'a [u32]),
}

impl<'a> Rows<'a> {
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// How many rows were not removed.
    pub fn live(&self) -> usize {
        self.len() - self.dead.map_or(0, DeadRows::count)
    }

    pub fn values(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.dimension..(row + 1) * self.dimension]
    }

    pub fn codes(&self, row: usize) -> &'a [u8] {
        let stride = stride(self.dimension);
        &self.codes[row * stride..(row + 1) * stride]
    }

    pub fn id(&self, row: usize) -> u64 {
        match self.ids {
            Ids::Wide(ids) => ids[row],
            Ids::Narrow(base, above) => base + u64::from(above[row]),
        }
    }

    /// The sketch of a row, word by word.
    pub fn sketch(&self, row: usize) -> impl Iterator<Item = u64> {
        self.groups[row / GROUP_ROWS].iter().map(move |words| words[row % GROUP_ROWS])
    }

    /// Starts to fetch what an estimate of a row needs, and its owner.
    #[inline]
    pub fn fetch(&self, row: usize) {
        prefetch_all(self.codes(row));
        prefetch(&self.steps[row]);
        prefetch(&self.owners[row]);
    }

    /// Whether there is such a row, and it was not removed.
    pub fn is_live(&self, row: usize) -> bool {
        row < self.len() && !self.dead.is_some_and(|dead| dead.contains(row))
    }
}

/// Which rows of a segment were removed.
#[derive(Clone, Default)]
pub(in crate::index) struct DeadRows {
    /// A bit for each row, or nothing while none is dead.
    words: Vec<u64>,
    count: usize,
}

impl DeadRows {
    /// How many bytes stand for `rows` rows: whole words.
    pub fn byte_len(rows: usize) -> usize {
        rows.div_ceil(64) * 8
    }

    /// From stored bytes; `None` if they cannot be those of `rows` rows.
    pub fn from_bytes(rows: usize, bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(DeadRows::default());
        }
        if bytes.len() != Self::byte_len(rows) {
            return None;
        }
        let words: Vec<u64> = bytes.as_chunks::<8>().0.iter().map(|&word| u64::from_le_bytes(word)).collect();
        let beyond = if rows.is_multiple_of(64) { 0 } else { words.last().map_or(0, |last| last >> (rows % 64)) };
        let count = words.iter().map(|word| word.count_ones() as usize).sum();
        (beyond == 0).then_some(DeadRows { words, count })
    }

    /// A bit for each row, from the lowest of the first byte on; nothing if no row is dead.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Marks a live row of `rows`.
    pub fn insert(&mut self, row: usize, rows: usize) {
        if self.words.is_empty() {
            self.words.resize(rows.div_ceil(64), 0);
        }
        debug_assert!(!self.contains(row));
        self.words[row / 64] |= 1 << (row % 64);
        self.count += 1;
    }

    /// The rows that were removed after `before`, ascending.
    pub fn rows_since(&self, before: &DeadRows) -> impl Iterator<Item = usize> {
        let words = self.words.iter().zip(before.words.iter().chain(std::iter::repeat(&0)));
        let new = words.enumerate().map(|(at, (now, then))| (at * 64, now & !then)).filter(|(_, new)| *new != 0);
        new.flat_map(|(first, new)| (0..64).filter(move |bit| new >> bit & 1 == 1).map(move |bit| first + bit))
    }

    pub fn memory(&self) -> usize {
        self.words.len() * size_of::<u64>()
    }
}
