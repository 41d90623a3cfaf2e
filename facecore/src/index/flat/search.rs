//! How the stages make a search.

use rayon::prelude::*;

use super::codes::CodedProbe;
use super::rank::{self, Coarse, Filter, Goal};
use super::rotation::Rotation;
use super::rows::Rows;
use super::scan::{self, Scan};
use super::{Flat, bits, exact};
use crate::index::kernels::{Candidate, Kernels, SKETCH_BITS, Sketch};
use crate::index::{OwnerHit, Query, Reach};

/// Up to this many faces the f32 vectors are compared straight away: estimating first saves nothing.
pub(super) const EXACT_UP_TO: usize = 1000;

/// An index as it is during one search.
pub(in crate::index) struct Searcher<'a> {
    pub parts: Vec<Rows<'a>>,
    pub kernels: Kernels,
    rotation: &'a Rotation,
    live: usize,
}

/// A query and what is wanted of it.
pub(in crate::index) struct Task<'a> {
    pub query: &'a Query<'a>,
    pub goal: Goal,
}

/// What `Index::search` promises.
pub(in crate::index) fn owners_task<'a>(query: &'a Query<'a>) -> Task<'a> {
    Task { query, goal: Goal::owners(query.owners.max(1), query.threshold) }
}

/// What `Index::nearest_faces` promises; `count` is not 0.
pub(in crate::index) fn faces_task<'a>(query: &'a Query<'a>, count: usize) -> Task<'a> {
    Task { query, goal: Goal::faces(count, query.threshold) }
}

/// What the first stage knows of a task.
pub(in crate::index) struct Prepared<'t> {
    task: &'t Task<'t>,
    sketch: Sketch,
    cut: u32,
}

impl Prepared<'_> {
    pub fn sketch(&self) -> &Sketch {
        &self.sketch
    }
}

impl Flat {
    pub(in crate::index) fn searcher(&self) -> Searcher<'_> {
        Searcher { parts: self.parts(), kernels: self.kernels, rotation: &self.rotation, live: self.live }
    }
}

impl<'a> Searcher<'a> {
    /// Whether there are so few rows that every search is exact.
    pub fn is_small(&self) -> bool {
        self.live <= EXACT_UP_TO
    }

    /// The same without the first parts.
    pub fn without_first(&self, first: usize) -> Searcher<'a> {
        let parts = self.parts[first..].to_vec();
        let live = parts.iter().map(Rows::live).sum();
        Searcher { parts, live, ..*self }
    }

    pub fn answer(&self, tasks: &[&Task]) -> Vec<Vec<OwnerHit>> {
        let (full, coarse): (Vec<usize>, Vec<usize>) =
            (0..tasks.len()).partition(|&at| self.is_small() || tasks[at].query.reach == Reach::Exact);
        let mut answers = vec![Vec::new(); tasks.len()];
        let pick = |places: &[usize]| places.iter().map(|&at| tasks[at]).collect::<Vec<_>>();
        let found = exact::answer(self, &pick(&full)).into_iter().zip(full);
        for (answer, at) in found.chain(self.scan_all(&pick(&coarse)).into_iter().zip(coarse)) {
            answers[at] = answer;
        }
        answers
    }

    /// Answers by sketches first: all tasks share one scan.
    fn scan_all(&self, tasks: &[&Task]) -> Vec<Vec<OwnerHit>> {
        let prepared = self.prepare_all(tasks);
        let found = self.sweep(&prepared);
        let finish = |(prepared, found): (&Prepared, Vec<Candidate>)| {
            self.finish(prepared, found, &mut Filter::new(prepared.task.query.allowed))
        };
        if let [prepared] = &*prepared {
            return found.into_iter().map(|found| finish((prepared, found))).collect();
        }
        prepared.par_iter().zip(found).map(finish).collect()
    }

    /// Answers one task by sketches first, with a filter that was asked before.
    pub fn scan(&self, task: &Task, filter: &mut Filter) -> Vec<OwnerHit> {
        let prepared = self.prepare(task);
        let found = self.sweep(std::slice::from_ref(&prepared)).pop().unwrap_or_default();
        self.finish(&prepared, found, filter)
    }

    pub fn prepare_all<'t>(&self, tasks: &[&'t Task]) -> Vec<Prepared<'t>> {
        tasks.iter().map(|task| self.prepare(task)).collect()
    }

    fn prepare<'t>(&self, task: &'t Task) -> Prepared<'t> {
        let sketch = self.rotation.sketch(self.kernels, task.query.probe, &mut Vec::new());
        let cut = match task.query.reach {
            Reach::Exact => SKETCH_BITS as u32,
            Reach::Within { miss } => bits::cut(task.query.threshold.into(), miss),
            Reach::Nearest(count) => self.guess_cut(&sketch, count),
        };
        Prepared { task, sketch, cut }
    }

    fn guess_cut(&self, sketch: &Sketch, count: usize) -> u32 {
        if count >= self.live {
            return SKETCH_BITS as u32;
        }
        scan::guess_cut(&self.parts, self.kernels, sketch, count)
    }

    /// The rows near each of the sketches.
    pub fn sweep(&self, prepared: &[Prepared]) -> Vec<Vec<Candidate>> {
        let scans: Vec<Scan> = prepared.iter().map(|one| Scan { sketch: &one.sketch, cut: one.cut }).collect();
        scan::sweep(&self.parts, self.kernels, &scans)
    }

    /// The later stages of a task, before anything was met.
    pub fn coarse<'s>(&'s self, task: &'s Task) -> Coarse<'s> {
        let probe = task.query.probe;
        Coarse::new(&self.parts, self.kernels, CodedProbe::new(self.kernels, probe), probe, task.goal)
    }

    /// The answer, from the rows that passed the scan.
    fn finish(&self, prepared: &Prepared, found: Vec<Candidate>, filter: &mut Filter) -> Vec<OwnerHit> {
        let Prepared { task, .. } = prepared;
        let candidates = rank::by_distance(&found);
        let mut coarse = self.coarse(task);
        match task.query.reach {
            Reach::Within { miss } => coarse.meet(&candidates, filter, Some(&radius(task, miss))),
            Reach::Nearest(count) => {
                let (mut count, mut nearest) = (count, self.nearest(prepared, candidates, count, filter));
                coarse.meet(&nearest, filter, None);
                // Where a few owners have all the nearest faces, the others are farther away.
                while task.goal.is_by_owner()
                    && coarse.met_owners() < task.goal.needed()
                    && (1..=nearest.len()).contains(&count)
                {
                    count = count.saturating_mul(4);
                    nearest = self.nearest(prepared, nearest, count, filter);
                    coarse = self.coarse(task);
                    coarse.meet(&nearest, filter, None);
                }
            }
            Reach::Exact => coarse.meet(&candidates, filter, None),
        }
        coarse.rank()
    }

    /// Lets `coarse`, which knows these parts behind `first` others, meet rows that passed the scan.
    pub fn meet_behind(
        &self,
        first: usize,
        prepared: &Prepared,
        found: &[Candidate],
        filter: &mut Filter,
        coarse: &mut Coarse,
    ) {
        let mut candidates = rank::by_distance(found);
        let task = prepared.task;
        if let Reach::Nearest(count) = task.query.reach {
            candidates = self.nearest(prepared, candidates, count, filter);
        }
        candidates.iter_mut().for_each(|candidate| *candidate = scan::behind(*candidate, first));
        match task.query.reach {
            Reach::Within { miss } => coarse.meet(&candidates, filter, Some(&radius(task, miss))),
            _ => coarse.meet(&candidates, filter, None),
        }
    }

    /// The `count` nearest of the allowed candidates, and all that tie with the last; scans again,
    /// farther, if there are too few.
    fn nearest(
        &self,
        prepared: &Prepared,
        mut candidates: Vec<Candidate>,
        count: usize,
        filter: &mut Filter,
    ) -> Vec<Candidate> {
        let mut cut = prepared.cut;
        loop {
            let passed = candidates.len();
            let kept = filter.nearest(&self.parts, candidates, count);
            if kept.len() >= count || cut >= SKETCH_BITS as u32 {
                return kept;
            }
            // As many more as the share of those allowed asks for; always some more.
            let needed = count as f64 * (passed + 1) as f64 / (kept.len() + 1) as f64;
            cut = self.guess_cut(&prepared.sketch, needed as usize).max(cut + 8);
            let scan = Scan { sketch: &prepared.sketch, cut };
            let found = scan::sweep(&self.parts, self.kernels, &[scan]).into_iter().flatten().collect::<Vec<_>>();
            candidates = rank::by_distance(&found);
        }
    }
}

/// From which distance on a row does not matter, by the cosine that does.
fn radius(task: &Task, miss: f64) -> impl Fn(f32) -> u32 {
    let threshold = task.goal.threshold;
    move |cosine| bits::cut(cosine.max(threshold).into(), miss)
}
