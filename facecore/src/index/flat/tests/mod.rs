mod columns;
mod recall;
mod rows;

pub(in crate::index) use columns::{shared, written};

use super::*;
use crate::index::Reach;
use crate::index::tests::{Random, in_memory, query, search_one};

/// As [`crate::index::tests::population`].
fn population(dimension: usize, faces: usize, owners: usize, random: &mut Random) -> (Flat, Vec<Vec<f32>>) {
    crate::index::tests::population(dimension, faces, owners, random)
}
