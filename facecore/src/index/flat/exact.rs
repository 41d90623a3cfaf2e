//! Searching every vector in f32.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::rank::{Filter, cosine, offer};
use super::rows::Rows;
use super::search::{Searcher, Task};
use crate::index::OwnerHit;

/// Queries that share one pass over the vectors: their scores for a million rows take 32 MB.
const TOGETHER: usize = 8;

/// Rows of a tile: at 512 coordinates they fit in the second-level cache, next to the probes.
const TILE: usize = 256;

/// Comparisons of vectors that are worth a task of their own: about a millisecond.
const TASK: usize = 10_000;

/// How many of the best rows are looked at first, and how many times more if they are too few owners.
const FIRST_LOOK: usize = 256;
const NEXT_LOOK: usize = 8;

/// What a row that was removed scores.
const GONE: f32 = f32::NEG_INFINITY;

/// For each task the best entries of all rows.
pub(super) fn answer(searcher: &Searcher, tasks: &[&Task]) -> Vec<Vec<OwnerHit>> {
    let parts = &*searcher.parts;
    let rows: usize = parts.iter().map(Rows::len).sum();
    let together = |tasks: &[&Task]| -> Vec<Vec<OwnerHit>> {
        let probes: Vec<&[f32]> = tasks.iter().map(|task| task.query.probe).collect();
        let scores = scores(parts, rows, &probes);
        tasks.iter().zip(scores).map(|(task, scores)| best(parts, task, &scores)).collect()
    };
    if tasks.len() <= TOGETHER || rows * tasks.len() < 2 * TASK {
        return tasks.chunks(TOGETHER).flat_map(together).collect();
    }
    tasks.par_chunks(TOGETHER).flat_map_iter(together).collect()
}

/// The cosine of each row with each probe, in the order of the rows.
fn scores(parts: &[Rows], rows: usize, probes: &[&[f32]]) -> Vec<Vec<f32>> {
    let tiles: Vec<(usize, usize)> = parts
        .iter()
        .enumerate()
        .flat_map(|(part, rows)| (0..rows.len()).step_by(TILE).map(move |start| (part, start)))
        .collect();
    let of_tiles = |tiles: &[(usize, usize)]| {
        let mut scores = vec![Vec::with_capacity(tiles.len() * TILE); probes.len()];
        for &(part, start) in tiles {
            for (&probe, scores) in probes.iter().zip(&mut scores) {
                score_tile(&parts[part], start, probe, scores);
            }
        }
        scores
    };
    let tiles_a_task = (TASK / (TILE * probes.len().max(1))).max(1);
    if rows * probes.len() < 2 * TASK || rayon::current_num_threads() == 1 {
        return of_tiles(&tiles);
    }
    let pieces: Vec<_> = tiles.par_chunks(tiles_a_task).map(of_tiles).collect();
    let mut scores = vec![Vec::with_capacity(rows); probes.len()];
    for piece in pieces {
        scores.iter_mut().zip(piece).for_each(|(scores, piece)| scores.extend_from_slice(&piece));
    }
    scores
}

fn score_tile(rows: &Rows, start: usize, probe: &[f32], scores: &mut Vec<f32>) {
    let end = rows.len().min(start + TILE);
    scores.extend((start..end).map(|row| if rows.is_live(row) { cosine(rows.values(row), probe) } else { GONE }));
}

/// The best entries, by the scores of all rows.
fn best(parts: &[Rows], task: &Task, scores: &[f32]) -> Vec<OwnerHit> {
    let mut filter = Filter::new(task.query.allowed);
    let mut look = FIRST_LOOK.max(task.goal.needed().saturating_mul(2));
    loop {
        let least = nth_best(scores, look);
        let hits = entries(parts, task, scores, least, &mut filter);
        if hits.len() >= task.goal.needed() || least == GONE {
            return count_hits(parts, task, scores, task.goal.trim(hits));
        }
        look = look.saturating_mul(NEXT_LOOK);
    }
}

/// The `nth` best score (from 1), [`GONE`] if there are not so many rows.
fn nth_best(scores: &[f32], nth: usize) -> f32 {
    if nth > scores.len() {
        return GONE;
    }
    let mut scores = scores.to_vec();
    *scores.select_nth_unstable_by(nth - 1, |a, b| b.total_cmp(a)).1
}

/// The entries that reach `least`, and are allowed.
fn entries(parts: &[Rows], task: &Task, scores: &[f32], least: f32, filter: &mut Filter) -> Vec<OwnerHit> {
    let mut hits: Vec<Option<OwnerHit>> = Vec::new();
    let mut places: FxHashMap<u32, usize> = FxHashMap::default();
    for_each_row(parts, scores, |rows, row, score| {
        if score < least || score == GONE || !filter.admits(rows.owners[row]) {
            return;
        }
        let (owner, next) = (rows.owners[row], hits.len());
        let at = if task.goal.is_by_owner() { *places.entry(owner).or_insert(next) } else { next };
        if at == next {
            hits.push(None);
        }
        offer(&mut hits[at], owner, rows.id(row), score, false);
    });
    hits.into_iter().flatten().collect()
}

/// Counts the faces of each owner that agree.
fn count_hits(parts: &[Rows], task: &Task, scores: &[f32], mut hits: Vec<OwnerHit>) -> Vec<OwnerHit> {
    if !task.goal.is_by_owner() {
        return hits;
    }
    let places: FxHashMap<u32, usize> = hits.iter().enumerate().map(|(at, hit)| (hit.owner, at)).collect();
    for_each_row(parts, scores, |rows, row, score| {
        if score >= task.goal.threshold
            && score != GONE
            && let Some(&at) = places.get(&rows.owners[row])
        {
            hits[at].hits += 1;
        }
    });
    hits
}

fn for_each_row(parts: &[Rows], scores: &[f32], mut each: impl FnMut(&Rows, usize, f32)) {
    let mut rest = scores;
    for rows in parts {
        let (these, others) = rest.split_at(rows.len());
        these.iter().enumerate().for_each(|(row, &score)| each(rows, row, score));
        rest = others;
    }
}
