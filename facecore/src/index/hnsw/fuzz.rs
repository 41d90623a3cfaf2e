//! What fuzz targets call: the reader of stored graphs.

use std::sync::Arc;

use super::{Graph, Hnsw};
use crate::index::flat::SharedBytes;
use crate::index::kernels::Sketch;
use crate::index::{Index as _, Query, Reach};

/// Rows of the index whose graph is read: more than are searched exactly, and few enough to be damaged in many ways.
const ROWS: u64 = 1100;
const DIMENSION: usize = 64;

/// Bytes where numbers may begin.
struct Aligned(Vec<u32>);

impl AsRef<[u8]> for Aligned {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

struct Sketches(Vec<Sketch>);

impl AsRef<[u8]> for Sketches {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

/// Reads a graph whose first row has links out of `bytes`, and the same for its upper layers, twins and stranded rows,
/// which follow as pieces of a length each (u16); tells whether it was one. Panics if a search of what was read does.
pub fn read_graph(bytes: &[u8]) -> bool {
    let mut index = Hnsw::new(DIMENSION);
    let mut values = [0.0; DIMENSION];
    for face in 0..ROWS {
        values.fill(0.0);
        let (a, b) = (face as usize % DIMENSION, face as usize / DIMENSION);
        (values[a], values[(a + b + 1) % DIMENSION]) = (0.8, 0.6);
        index.insert(face, face as u32, &values);
    }
    index.seal();
    let mut rest = bytes;
    let mut piece = || {
        let Some((length, after)) = rest.split_first_chunk::<2>() else { return Vec::new() };
        let (piece, after) = after.split_at(usize::from(u16::from_le_bytes(*length)).min(after.len()));
        rest = after;
        piece.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number)).collect()
    };
    let mut columns: [Vec<u32>; 6] = std::array::from_fn(|_| piece());
    columns[0].resize(ROWS as usize * super::links::BASE_LINKS, super::links::NONE);
    let sketches = SharedBytes::new(Arc::new(Sketches(vec![Sketch::default(); ROWS as usize])));
    let columns = columns.map(|numbers| SharedBytes::new(Arc::new(Aligned(numbers))));
    let columns = columns.into_iter().chain([sketches]).collect();
    let Ok(graph) = Graph::from_columns(index.flat().segments().cloned().collect(), columns) else { return false };
    if index.set_graph(graph).is_err() {
        return false;
    }
    let query = Query { probe: &values, owners: 3, threshold: 0.3, reach: Reach::Nearest(20), allowed: None };
    let _ = index.search(&[query]);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_fuzzer_feeds_reaches_the_reader() {
        // The first row's links are empty; the shape says that the entry is row 7 and there are no upper layers.
        let graph = [&[0, 0][..], &4u16.to_le_bytes(), &7u32.to_le_bytes()].concat();
        assert!(read_graph(&graph));
        assert!(!read_graph(&graph[..4]));
        let outside = [&[0, 0][..], &4u16.to_le_bytes(), &1100u32.to_le_bytes()].concat();
        assert!(!read_graph(&outside));
    }
}
