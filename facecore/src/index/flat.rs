//! Exact scan over every vector.

use std::sync::Arc;

use rayon::prelude::*;

use crate::embedding::dot;

/// Vectors in one block: 256 x 512 f32 are 512 KiB. A writer copies at most the blocks it touches
/// while readers hold the index, and a block is enough work for one task of a parallel scan.
const BLOCK: usize = 256;

/// From this many vectors on a scan is spread over the thread pool. Below, one core takes a few
/// milliseconds at most (20,000 x 128: 1.2 ms; x 512: 3.9 ms), and waking threads that may be busy
/// with other probes gains little.
const PARALLEL_FROM: usize = 20_000;

/// Vectors of one dimension in slots 0 to `len`, each with a label of its owner's.
///
/// Copy on write: cloning copies a list of pointers, and a change then copies only the blocks that
/// a clone still holds. Slots stay dense: a removal moves the last vector into the gap.
#[derive(Clone)]
pub(crate) struct Flat<L> {
    dimension: usize,
    blocks: Vec<Arc<Block<L>>>,
}

#[derive(Clone)]
struct Block<L> {
    values: Vec<f32>,
    labels: Vec<L>,
}

impl<L: Clone + Send + Sync> Flat<L> {
    /// An empty index for vectors of `dimension` coordinates, at least 1.
    pub fn new(dimension: usize) -> Self {
        Flat { dimension, blocks: Vec::new() }
    }

    pub fn dimension(&self) -> usize {
        self.dimension
    }

    pub fn len(&self) -> usize {
        // Every block but the last is full.
        self.blocks.last().map_or(0, |last| (self.blocks.len() - 1) * BLOCK + last.labels.len())
    }

    pub fn values(&self, slot: usize) -> &[f32] {
        let at = slot % BLOCK * self.dimension;
        &self.blocks[slot / BLOCK].values[at..at + self.dimension]
    }

    pub fn label(&self, slot: usize) -> &L {
        &self.blocks[slot / BLOCK].labels[slot % BLOCK]
    }

    /// The labels in the order of their slots.
    pub fn labels(&self) -> impl Iterator<Item = &L> {
        self.blocks.iter().flat_map(|block| &block.labels)
    }

    /// Appends a vector and returns its slot.
    pub fn push(&mut self, values: &[f32], label: L) -> usize {
        debug_assert_eq!(values.len(), self.dimension);
        let slot = self.len();
        if slot.is_multiple_of(BLOCK) {
            self.blocks.push(Arc::new(Block { values: Vec::new(), labels: Vec::new() }));
        }
        let block = self.block_mut(slot);
        block.values.extend_from_slice(values);
        block.labels.push(label);
        slot
    }

    pub fn set_values(&mut self, slot: usize, values: &[f32]) {
        let at = slot % BLOCK * self.dimension;
        self.block_mut(slot).values[at..at + values.len()].copy_from_slice(values);
    }

    pub fn set_label(&mut self, slot: usize, label: L) {
        self.block_mut(slot).labels[slot % BLOCK] = label;
    }

    /// Removes a vector. The one in the last slot, if it is another, now lives in `slot`.
    pub fn swap_remove(&mut self, slot: usize) {
        let last = self.len() - 1;
        if slot != last {
            let (values, label) = (self.values(last).to_vec(), self.label(last).clone());
            self.set_values(slot, &values);
            self.set_label(slot, label);
        }
        if last.is_multiple_of(BLOCK) {
            self.blocks.pop();
        } else {
            let dimension = self.dimension;
            let block = self.block_mut(last);
            block.values.truncate(last % BLOCK * dimension);
            block.labels.truncate(last % BLOCK);
        }
    }

    /// The cosine of `probe` with every vector, -1 to 1, in the order of the slots.
    pub fn scores(&self, probe: &[f32]) -> Vec<f32> {
        let mut scores = vec![0.0; self.len()];
        if scores.len() < PARALLEL_FROM {
            self.blocks.iter().zip(scores.chunks_mut(BLOCK)).for_each(|(block, out)| block.scan(probe, out));
        } else {
            self.blocks.par_iter().zip(scores.par_chunks_mut(BLOCK)).for_each(|(block, out)| block.scan(probe, out));
        }
        scores
    }

    fn block_mut(&mut self, slot: usize) -> &mut Block<L> {
        Arc::make_mut(&mut self.blocks[slot / BLOCK])
    }
}

impl<L> Block<L> {
    fn scan(&self, probe: &[f32], scores: &mut [f32]) {
        for (row, score) in self.values.chunks_exact(probe.len()).zip(scores) {
            // Rounding takes the product of two unit vectors a little past 1.
            *score = dot(row, probe).clamp(-1.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The `n`th vector of a fixed sequence, 3 coordinates.
    fn vector(n: usize) -> [f32; 3] {
        let angle = n as f32 * 0.01;
        [angle.cos(), angle.sin(), 0.0]
    }

    fn filled(len: usize) -> Flat<usize> {
        let mut flat = Flat::new(3);
        for n in 0..len {
            assert_eq!(flat.push(&vector(n), n), n);
        }
        flat
    }

    #[test]
    fn removals_across_blocks_keep_vectors_with_their_labels() {
        let mut flat = filled(3 * BLOCK + 1);
        for step in 0..3 * BLOCK + 1 {
            flat.swap_remove(step * 7 % flat.len());
            assert_eq!(flat.labels().count(), flat.len());
            for slot in (0..flat.len()).step_by(50) {
                assert_eq!(flat.values(slot), vector(*flat.label(slot)));
            }
        }
        assert_eq!(flat.len(), 0);
        assert!(flat.scores(&vector(0)).is_empty());
    }

    #[test]
    fn a_clone_does_not_see_later_changes() {
        let mut flat = filled(BLOCK + 10);
        let before = flat.clone();
        flat.set_values(0, &vector(500));
        flat.set_label(0, 500);
        flat.swap_remove(5);
        flat.push(&vector(900), 900);
        assert_eq!(before.len(), BLOCK + 10);
        assert_eq!(before.labels().copied().collect::<Vec<_>>(), (0..BLOCK + 10).collect::<Vec<_>>());
        assert_eq!(before.values(0), vector(0));
        assert_eq!(flat.values(0), vector(500));
    }

    #[test]
    fn the_parallel_scan_equals_the_plain_one() {
        let flat = filled(PARALLEL_FROM + 3);
        let probe = vector(77);
        let plain: Vec<f32> = (0..flat.len()).map(|slot| dot(flat.values(slot), &probe).clamp(-1.0, 1.0)).collect();
        assert_eq!(flat.scores(&probe), plain);
    }
}
