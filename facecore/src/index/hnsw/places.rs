//! Which row a node of a graph is: nodes are the rows of some segments, one after the other.

use crate::index::flat::segment::Spot;

/// Nodes of a block: where a block begins is remembered, so that finding a segment takes a step or two.
const BLOCK: usize = 4096;

/// Nodes and rows.
pub(super) struct Places {
    /// The first node of each segment, and one more than the last of all.
    starts: Vec<u32>,
    /// The segment of the first node of each block.
    blocks: Vec<u32>,
}

impl Places {
    /// Segments of so many rows each. There may be 2^32 - 2 nodes.
    pub fn new(rows: impl Iterator<Item = usize>) -> Self {
        let mut starts = vec![0];
        let mut end = 0;
        for rows in rows {
            end += rows;
            starts.push(end as u32);
        }
        let mut places = Places { starts, blocks: Vec::new() };
        let mut part = 0;
        for node in (0..end).step_by(BLOCK) {
            part = places.forward(part, node as u32);
            places.blocks.push(part as u32);
        }
        places
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.starts.last().map_or(0, |end| *end as usize)
    }

    /// The segment and row of a node.
    #[inline]
    pub fn spot(&self, node: u32) -> Spot {
        let part = self.forward(self.blocks[node as usize / BLOCK] as usize, node);
        (part, (node - self.starts[part]) as usize)
    }

    /// The node of a segment's row.
    pub fn node(&self, (part, row): Spot) -> u32 {
        self.starts[part] + row as u32
    }

    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.starts) + size_of_val(&*self.blocks)
    }

    #[inline]
    fn forward(&self, mut part: usize, node: u32) -> usize {
        while self.starts[part + 1] <= node {
            part += 1;
        }
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_rows_in_order() {
        let sizes = [5000, 0, 1, 4096, 0, 9000];
        let places = Places::new(sizes.into_iter());
        assert_eq!(places.len(), 18_097);
        let mut node = 0;
        for (part, rows) in sizes.into_iter().enumerate() {
            for row in 0..rows {
                assert_eq!((places.spot(node), places.node((part, row))), ((part, row), node));
                node += 1;
            }
        }
    }
}
