//! Searching: a walk over the graph for the rows it covers, and a scan for the others.

use std::cell::Cell;

use rayon::prelude::*;

use super::walk::{Aim, Beam, Ground, Room};
use super::{Guide, Hnsw};
use crate::index::flat::codes::{CodedProbe, Estimate};
use crate::index::flat::rank::{Coarse, Filter, Leaders};
use crate::index::flat::scan::candidate;
use crate::index::flat::search::{Prepared, Searcher, Task};
use crate::index::flat::segment::Spot;
use crate::index::kernels::Candidate;
use crate::index::{OwnerHit, Reach};

/// How many owners a walk keeps for each factor of ten that a miss may be rarer, as long as fewer than are wanted reach
/// the threshold; see ARCHITECTURE.md for how often the right one is found.
const WIDTH_OF_TENTH: f64 = 150.0;

/// From so many rows on it keeps more, by the square root of how many times as many there are: among more strangers more
/// are as near as somebody who is hard to recognise.
pub(in crate::index) const WIDER_FROM: usize = 100_000;

/// And how many once the last owner wanted scores so much: then whatever could come among the best, or near the last of
/// them, lies around those who were found. It is the threshold and the distance within which `flat` meets rivals; but
/// at least what strangers do not score even among many, as they would end the search for a mate that was not met yet.
const SETTLED: f64 = 32.0;
const SETTLES_ABOVE: f32 = 0.15;
const SETTLES_FROM: f32 = 0.55;

/// If a walk would keep more than one row in so many, all are scanned instead: it would come to most of them.
const SHARE: usize = 16;

/// A walk is given up for a scan after so many steps for each owner it keeps, and one for so many rows it covers: where
/// most rows were removed, or are not allowed. Then it took less than a scan does.
const STEPS: usize = 8;
const ROWS_A_STEP: usize = 2048;

/// About how many owners a walk meets for each that it keeps.
const MET_A_PLACE: usize = 3;

thread_local! {
    /// Taken while a walk uses it: a caller's filter may search too.
    static ROOM: Cell<Option<Box<Room>>> = const { Cell::new(None) };
}

/// How many owners (or, in an answer of faces, faces) a walk keeps.
#[derive(Clone, Copy)]
struct Width {
    searching: usize,
    /// Once those wanted were found.
    settled: usize,
}

impl Hnsw {
    /// How many owners a search keeps that may miss one with this probability, as far as that can be told.
    pub fn kept(&self, miss: f64) -> usize {
        kept(self.guide.as_ref().map_or(0, Guide::rows), miss)
    }

    /// What each task asks for.
    pub(super) fn answer(&self, tasks: &[Task]) -> Vec<Vec<OwnerHit>> {
        let searcher = self.flat.searcher();
        let Some(guide) = &self.guide else { return searcher.answer(&tasks.iter().collect::<Vec<_>>()) };
        let widths: Vec<Option<Width>> =
            tasks.iter().map(|task| if is_small(&searcher) { None } else { width(guide.rows(), task) }).collect();
        let (walked, scanned): (Vec<usize>, Vec<usize>) = (0..tasks.len()).partition(|at| widths[*at].is_some());
        let mut answers = vec![Vec::new(); tasks.len()];
        let all: Vec<&Task> = scanned.iter().map(|at| &tasks[*at]).collect();
        for (at, answer) in scanned.into_iter().zip(searcher.answer(&all)) {
            answers[at] = answer;
        }
        let walks: Vec<(&Task, Width)> = walked.iter().filter_map(|at| Some((&tasks[*at], widths[*at]?))).collect();
        for (at, answer) in walked.into_iter().zip(walk_all(guide, &searcher, &walks)) {
            answers[at] = answer;
        }
        answers
    }
}

/// Whether there are so few rows that every search is exact; tests walk among few.
fn is_small(searcher: &Searcher) -> bool {
    !cfg!(test) && searcher.is_small()
}

/// How wide a walk over so many rows has to be, or `None` if they are better scanned.
fn width(rows: usize, task: &Task) -> Option<Width> {
    let (searching, settled) = match task.query.reach {
        Reach::Exact => return None,
        Reach::Nearest(faces) => (faces, faces),
        Reach::Within { miss } => (kept(rows, miss), (SETTLED * wider(rows)) as usize),
    };
    let needed = task.goal.needed();
    let width = Width { searching: searching.max(needed), settled: settled.max(needed) };
    (width.searching.max(width.settled) <= rows / SHARE).then_some(width)
}

/// How many owners a walk over so many rows keeps for that probability of a miss.
fn kept(rows: usize, miss: f64) -> usize {
    // Not a number is taken as 0, which asks for all.
    let tenths = if miss > 0.0 { -miss.log10() } else { f64::INFINITY };
    (tenths.max(1.0) * WIDTH_OF_TENTH * wider(rows)) as usize
}

fn wider(rows: usize) -> f64 {
    (rows as f64 / WIDER_FROM as f64).sqrt().max(1.0)
}

/// Answers by walking over the graph and scanning what it does not cover.
fn walk_all(guide: &Guide, searcher: &Searcher, walks: &[(&Task, Width)]) -> Vec<Vec<OwnerHit>> {
    let covered = guide.covers().len();
    let rest = searcher.without_first(covered);
    let tasks: Vec<&Task> = walks.iter().map(|(task, _)| *task).collect();
    let prepared = rest.prepare_all(&tasks);
    let found = rest.sweep(&prepared);
    let answer = |((task, width), (prepared, found)): (&(&Task, Width), (&Prepared, Vec<Candidate>))| {
        let mut filter = Filter::new(task.query.allowed);
        let mut coarse = searcher.coarse(task);
        let met = match guide {
            Guide::Graph(graph) => {
                let ground = graph.ground(&searcher.parts[..covered], searcher.kernels);
                walk(ground, prepared, task, *width, &mut coarse, &mut filter)
            }
            #[cfg(feature = "hnsw_rs")]
            Guide::Library(library) => {
                let limit = guide.rows() / SHARE;
                library.meet(&searcher.parts[..covered], task, width.searching, limit, &mut coarse, &mut filter)
            }
        };
        let Some(()) = met else { return searcher.scan(task, &mut filter) };
        rest.meet_behind(covered, prepared, &found, &mut filter, &mut coarse);
        coarse.rank()
    };
    if let [walk] = walks {
        return prepared.iter().zip(found).map(|rest| answer((walk, rest))).collect();
    }
    walks.par_iter().zip(prepared.par_iter().zip(found)).map(answer).collect()
}

/// Lets `coarse` meet the nearest rows; `None` if that took too many steps, or there were fewer than it keeps.
fn walk(
    ground: Ground,
    prepared: &Prepared,
    task: &Task,
    width: Width,
    coarse: &mut Coarse,
    filter: &mut Filter,
) -> Option<()> {
    let mut room = ROOM.take().unwrap_or_default();
    let aim = Aim { sketch: *prepared.sketch(), codes: CodedProbe::new(ground.kernels, task.query.probe) };
    let (top, entry) = (ground.links.top(), ground.links.entry());
    let from = ground.descend(top, entry, 0, &aim, &mut room);
    coarse.expect(width.searching * MET_A_PLACE);
    let mut beam = Owners {
        ground,
        coarse,
        filter,
        searching: Leaders::new(width.searching),
        settled: Leaders::new(width.settled),
        settles_at: match task.query.reach {
            Reach::Within { .. } => (task.goal.threshold + SETTLES_ABOVE).max(SETTLES_FROM),
            _ => f32::INFINITY,
        },
        steps_left: width.searching * STEPS + ground.places.len() / ROWS_A_STEP,
    };
    // From the entry, all can be come to that are not stranded (`graph.rs`).
    let entry = ground.links.node(top, entry);
    let starts = [from, entry].into_iter().chain(ground.links.stranded().iter().copied());
    ground.walk(0, &aim, starts, &mut room, &mut beam);
    let (in_time, full) = (beam.steps_left > 0, beam.floor() > f32::NEG_INFINITY);
    ROOM.set(Some(room));
    (in_time && full).then_some(())
}

/// Keeps the owners whose best faces are nearest, so that many faces of one person take up one place; and rows that
/// were removed, or are not allowed, none.
struct Owners<'w, 'a, 'f> {
    ground: Ground<'w>,
    coarse: &'w mut Coarse<'a>,
    filter: &'w mut Filter<'f>,
    searching: Leaders,
    settled: Leaders,
    /// From which score of the last owner wanted on only those who are `settled` are kept.
    settles_at: f32,
    steps_left: usize,
}

impl Owners<'_, '_, '_> {
    fn note(&mut self, (part, row): Spot, estimate: Estimate) {
        let rows = &self.ground.parts[part];
        let owner = rows.owners[row];
        if !rows.is_live(row) || !self.filter.admits(owner) {
            return;
        }
        let known = self.coarse.note(candidate((part, row)), owner, estimate);
        if known.is_none_or(|known| estimate.score > known) {
            self.searching.raise(known, estimate.score);
            self.settled.raise(known, estimate.score);
        }
    }
}

impl Beam for Owners<'_, '_, '_> {
    fn meet(&mut self, position: u32, spot: Spot, estimate: Estimate) {
        self.note(spot, estimate);
        for twin in self.ground.links.twins(position) {
            self.note(self.ground.places.spot(twin), estimate);
        }
    }

    fn floor(&self) -> f32 {
        let is_settled = self.coarse.floor().is_some_and(|floor| floor >= self.settles_at);
        let leaders = if is_settled { &self.settled } else { &self.searching };
        leaders.floor().unwrap_or(f32::NEG_INFINITY)
    }

    fn goes_on(&mut self) -> bool {
        self.steps_left = self.steps_left.saturating_sub(1);
        self.steps_left > 0
    }
}
