//! The first stage: which rows have a sketch near the probe's.

use rayon::prelude::*;

use super::rows::Rows;
use crate::index::kernels::{Candidate, DISTANCE_SHIFT, GROUP_ROWS, Kernels, SKETCH_BITS, Sketch};

/// Groups of a tile: 32 KB, so that many probes find them in the first-level cache.
const TILE: usize = 64;

/// Comparisons of sketches that are worth a task of their own: a few hundred microseconds.
const TASK: usize = 100_000;

/// Fewer sampled groups tell too little about the distances of the nearest rows.
const LEAST_SAMPLE: usize = 1024;

/// Bits of a candidate's row within its part.
const PART_SHIFT: u32 = 32;

/// A sketch, and from how many differing bits on a row is dropped.
#[derive(Clone, Copy)]
pub(in crate::index) struct Scan<'a> {
    pub sketch: &'a Sketch,
    pub cut: u32,
}

/// Some groups of a part.
#[derive(Clone, Copy)]
struct Tile {
    part: usize,
    start: usize,
    end: usize,
}

/// In how many bits the sketch of a candidate differs from the probe's.
pub(in crate::index) fn distance(candidate: Candidate) -> u32 {
    (candidate >> DISTANCE_SHIFT) as u32
}

/// The part and the row of a candidate.
pub(in crate::index) fn spot(candidate: Candidate) -> (usize, usize) {
    let place = candidate & ((1 << DISTANCE_SHIFT) - 1);
    ((place >> PART_SHIFT) as usize, place as u32 as usize)
}

/// A candidate that was found otherwise than by its sketch.
pub(in crate::index) fn candidate((part, row): (usize, usize)) -> Candidate {
    (part as u64) << PART_SHIFT | row as u64
}

/// A candidate whose part has `first` others before it.
pub(in crate::index) fn behind(candidate: Candidate, first: usize) -> Candidate {
    candidate + ((first as u64) << PART_SHIFT)
}

/// For each scan the live rows that pass, in the order of parts and rows.
pub(in crate::index) fn sweep(parts: &[Rows], kernels: Kernels, scans: &[Scan]) -> Vec<Vec<Candidate>> {
    let tiles = tiles(parts);
    let tiles_a_task = (TASK / (TILE * GROUP_ROWS * scans.len().max(1))).max(1);
    if tiles.len() < 2 * tiles_a_task || rayon::current_num_threads() == 1 {
        return sweep_tiles(parts, kernels, scans, &tiles);
    }
    let pieces: Vec<_> =
        tiles.par_chunks(tiles_a_task).map(|tiles| sweep_tiles(parts, kernels, scans, tiles)).collect();
    let mut found = vec![Vec::new(); scans.len()];
    for piece in pieces {
        for (found, piece) in found.iter_mut().zip(piece) {
            found.extend_from_slice(&piece);
        }
    }
    found
}

fn tiles(parts: &[Rows]) -> Vec<Tile> {
    let of_part = |(part, rows): (usize, &Rows)| {
        let groups = rows.groups.len();
        (0..groups).step_by(TILE).map(move |start| Tile { part, start, end: groups.min(start + TILE) })
    };
    parts.iter().enumerate().flat_map(of_part).collect()
}

fn sweep_tiles(parts: &[Rows], kernels: Kernels, scans: &[Scan], tiles: &[Tile]) -> Vec<Vec<Candidate>> {
    let mut found = vec![Vec::new(); scans.len()];
    for tile in tiles {
        let rows = &parts[tile.part];
        let groups = &rows.groups[tile.start..tile.end];
        let first = ((tile.part as u64) << PART_SHIFT) + (tile.start * GROUP_ROWS) as u64;
        let clean = rows.dead.is_none() && tile.end * GROUP_ROWS <= rows.len();
        for (scan, found) in scans.iter().zip(&mut found) {
            let before = found.len();
            kernels.scan(groups, scan.sketch, scan.cut, first, found);
            if !clean {
                keep_live(rows, found, before);
            }
        }
    }
    found
}

/// Drops the candidates from `start` on that are dead or only fill up the last group.
fn keep_live(rows: &Rows, found: &mut Vec<Candidate>, start: usize) {
    let mut kept = start;
    for at in start..found.len() {
        if rows.is_live(spot(found[at]).1) {
            found[kept] = found[at];
            kept += 1;
        }
    }
    found.truncate(kept);
}

/// A cut that about `wanted` rows pass, rather more: guessed from a sample of groups, always the same
/// ones.
pub(in crate::index) fn guess_cut(parts: &[Rows], kernels: Kernels, sketch: &Sketch, wanted: usize) -> u32 {
    let groups: usize = parts.iter().map(|rows| rows.groups.len()).sum();
    let step = (groups / LEAST_SAMPLE).clamp(1, 64);
    let (mut counts, mut sampled, mut found) = ([0usize; SKETCH_BITS + 1], 0, Vec::new());
    let mut skip = 0;
    for rows in parts {
        for group in rows.groups.iter().skip(skip).step_by(step) {
            kernels.scan(std::slice::from_ref(group), sketch, SKETCH_BITS as u32, 0, &mut found);
            sampled += 1;
        }
        skip = (skip + step - rows.groups.len() % step) % step;
        found.drain(..).for_each(|candidate| counts[distance(candidate) as usize] += 1);
    }
    // Of the sample so many should pass; two standard deviations more make a second scan rare.
    let share = 1.3 * wanted as f64 * sampled as f64 / groups.max(1) as f64;
    let enough = share + 2.0 * share.sqrt() + 1.0;
    let mut passed = 0;
    let cut = counts.iter().position(|count| {
        passed += count;
        passed as f64 >= enough
    });
    cut.unwrap_or(SKETCH_BITS) as u32
}
