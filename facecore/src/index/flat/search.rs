//! How the stages make a search.

use rayon::prelude::*;

use super::codes::CodedProbe;
use super::rank::{self, Coarse, Filter, Goal};
use super::rotation::Rotation;
use super::rows::Rows;
use super::scan::{self, Scan};
use super::{Flat, bits, exact};
use crate::index::kernels::{Candidate, Kernels, SKETCH_BITS, Sketch};
use crate::index::{FaceHit, OwnerHit, Query, Reach};

/// Up to this many faces the f32 vectors are compared straight away: estimating first saves nothing.
pub(super) const EXACT_UP_TO: usize = 1000;

/// An index as it is during one search.
pub(super) struct Searcher<'a> {
    pub parts: Vec<Rows<'a>>,
    pub kernels: Kernels,
    rotation: &'a Rotation,
    live: usize,
}

/// A query and what is wanted of it.
pub(super) struct Task<'a> {
    pub query: &'a Query<'a>,
    pub goal: Goal,
}

/// What the first stage knows of a task.
struct Prepared<'t> {
    task: &'t Task<'t>,
    sketch: Sketch,
    cut: u32,
}

impl Flat {
    pub(super) fn searcher(&self) -> Searcher<'_> {
        Searcher { parts: self.parts(), kernels: self.kernels, rotation: &self.rotation, live: self.live }
    }
}

impl Searcher<'_> {
    /// What `Index::search` promises.
    pub fn owners(&self, queries: &[Query]) -> Vec<Vec<OwnerHit>> {
        let tasks: Vec<Task> = queries
            .iter()
            .map(|query| Task { query, goal: Goal::owners(query.owners.max(1), query.threshold) })
            .collect();
        self.answer(&tasks)
    }

    /// What `Index::nearest_faces` promises.
    pub fn faces(&self, query: &Query, count: usize) -> Vec<FaceHit> {
        if count == 0 {
            return Vec::new();
        }
        let task = Task { query, goal: Goal::faces(count, query.threshold) };
        let hits = self.answer(&[task]).into_iter().flatten();
        hits.map(|OwnerHit { owner, face, score, .. }| FaceHit { owner, face, score }).collect()
    }

    fn answer(&self, tasks: &[Task]) -> Vec<Vec<OwnerHit>> {
        let all_exact = self.live <= EXACT_UP_TO;
        let (full, coarse): (Vec<usize>, Vec<usize>) =
            (0..tasks.len()).partition(|&at| all_exact || tasks[at].query.reach == Reach::Exact);
        let mut answers = vec![Vec::new(); tasks.len()];
        let pick = |places: &[usize]| places.iter().map(|&at| &tasks[at]).collect::<Vec<_>>();
        let found = exact::answer(self, &pick(&full)).into_iter().zip(full);
        for (answer, at) in found.chain(self.coarse(&pick(&coarse)).into_iter().zip(coarse)) {
            answers[at] = answer;
        }
        answers
    }

    /// Answers by sketches first: all tasks share one scan.
    fn coarse(&self, tasks: &[&Task]) -> Vec<Vec<OwnerHit>> {
        let prepared: Vec<Prepared> = tasks.iter().map(|task| self.prepare(task)).collect();
        let scans: Vec<Scan> = prepared.iter().map(|one| Scan { sketch: &one.sketch, cut: one.cut }).collect();
        let found = scan::sweep(&self.parts, self.kernels, &scans);
        if let [prepared] = &*prepared {
            return found.into_iter().map(|found| self.finish(prepared, found)).collect();
        }
        prepared.par_iter().zip(found).map(|(prepared, found)| self.finish(prepared, found)).collect()
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

    /// The answer, from the rows that passed the scan.
    fn finish(&self, prepared: &Prepared, found: Vec<Candidate>) -> Vec<OwnerHit> {
        let Query { probe, threshold, reach, allowed, .. } = *prepared.task.query;
        let mut filter = Filter::new(allowed);
        let candidates = rank::by_distance(&found);
        let goal = prepared.task.goal;
        let new = || Coarse::new(&self.parts, self.kernels, CodedProbe::new(self.kernels, probe), probe, goal);
        let mut coarse = new();
        match reach {
            Reach::Within { miss } => {
                let cut = |cosine: f32| bits::cut(cosine.max(threshold).into(), miss);
                coarse.meet(&candidates, &mut filter, Some(&cut));
            }
            Reach::Nearest(count) => {
                let (mut count, mut nearest) = (count, self.nearest(prepared, candidates, count, &mut filter));
                coarse.meet(&nearest, &mut filter, None);
                // Where a few owners have all the nearest faces, the others are farther away.
                while goal.is_by_owner() && coarse.met_owners() < goal.needed() && (1..=nearest.len()).contains(&count)
                {
                    count = count.saturating_mul(4);
                    nearest = self.nearest(prepared, nearest, count, &mut filter);
                    coarse = new();
                    coarse.meet(&nearest, &mut filter, None);
                }
            }
            Reach::Exact => coarse.meet(&candidates, &mut filter, None),
        }
        coarse.rank()
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
