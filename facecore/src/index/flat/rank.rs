//! The later stages: from rows with a near sketch to owners with exact scores.

use rustc_hash::FxHashMap;

use super::codes::{CodedProbe, Estimate};
use super::rows::Rows;
use super::scan::{distance, spot};
use crate::embedding::dot;
use crate::index::OwnerHit;
use crate::index::kernels::{Candidate, Kernels, SKETCH_BITS, prefetch_all};

/// How far below the last owner wanted a rival is met as surely as that owner, as a cosine.
const RIVAL: f32 = 0.15;

/// How many rows ahead the codes are fetched: enough to hide the way to memory.
const AHEAD: usize = 8;

/// What an answer is made of.
#[derive(Clone, Copy)]
pub(in crate::index) struct Goal {
    /// Whether the faces of an owner are one entry, or each is its own.
    by_owner: bool,
    /// How many entries the caller wants: they steer how far a search goes.
    pub wanted: usize,
    /// The cosine from which on a face agrees.
    pub threshold: f32,
}

impl Goal {
    pub fn owners(wanted: usize, threshold: f32) -> Self {
        Goal { by_owner: true, wanted, threshold }
    }

    pub fn faces(wanted: usize, threshold: f32) -> Self {
        Goal { by_owner: false, wanted, threshold }
    }

    pub fn is_by_owner(&self) -> bool {
        self.by_owner
    }

    /// How many entries are needed: of owners one more than wanted, the rival.
    pub fn needed(&self) -> usize {
        self.wanted.saturating_add(usize::from(self.by_owner))
    }

    /// Best first, as many as needed; owners who tie with the last stay.
    pub fn trim(&self, mut hits: Vec<OwnerHit>) -> Vec<OwnerHit> {
        let by_owner = self.by_owner;
        hits.sort_unstable_by(|a, b| {
            let tie = if by_owner { a.owner.cmp(&b.owner) } else { a.face.cmp(&b.face) };
            b.score.total_cmp(&a.score).then(tie)
        });
        let needed = self.needed();
        if let Some(last) = needed.checked_sub(1).and_then(|at| hits.get(at)).filter(|_| by_owner) {
            let score = last.score;
            hits.retain(|hit| hit.score >= score);
        } else {
            hits.truncate(needed);
        }
        hits
    }
}

/// A caller's filter, which remembers what it was told.
pub(in crate::index) struct Filter<'a> {
    allowed: Option<&'a (dyn Fn(u32) -> bool + Sync)>,
    known: FxHashMap<u32, bool>,
}

impl<'a> Filter<'a> {
    pub fn new(allowed: Option<&'a (dyn Fn(u32) -> bool + Sync)>) -> Self {
        Filter { allowed, known: FxHashMap::default() }
    }

    pub fn admits(&mut self, owner: u32) -> bool {
        self.allowed.is_none_or(|allowed| *self.known.entry(owner).or_insert_with(|| allowed(owner)))
    }

    /// The first `count` candidates that are allowed, and all allowed ones at the distance of the
    /// last. They are in the order of their distances.
    pub fn nearest(&mut self, parts: &[Rows], mut candidates: Vec<Candidate>, count: usize) -> Vec<Candidate> {
        let (mut kept, mut last) = (0, SKETCH_BITS as u32);
        for at in 0..candidates.len() {
            let candidate = candidates[at];
            if kept >= count && (count == 0 || distance(candidate) > last) {
                break;
            }
            let (part, row) = spot(candidate);
            if self.admits(parts[part].owners[row]) {
                candidates[kept] = candidate;
                (kept, last) = (kept + 1, distance(candidate));
            }
        }
        candidates.truncate(kept);
        candidates
    }
}

/// The candidates in the order of their distances, equal ones as they were.
pub(in crate::index) fn by_distance(found: &[Candidate]) -> Vec<Candidate> {
    let mut starts = [0usize; SKETCH_BITS + 2];
    found.iter().for_each(|&candidate| starts[distance(candidate) as usize + 1] += 1);
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let mut ordered = vec![0; found.len()];
    for &candidate in found {
        let start = &mut starts[distance(candidate) as usize];
        ordered[*start] = candidate;
        *start += 1;
    }
    ordered
}

/// Cosines by codes, and of those that matter exactly.
pub(in crate::index) struct Coarse<'a> {
    parts: &'a [Rows<'a>],
    kernels: Kernels,
    coded: CodedProbe,
    probe: &'a [f32],
    goal: Goal,
    met: Vec<Met>,
    entries: Vec<Entry>,
    /// The entry of each owner.
    places: FxHashMap<u32, usize>,
    leaders: Leaders,
}

/// A face whose cosine was estimated.
struct Met {
    candidate: Candidate,
    entry: usize,
    estimate: Estimate,
}

/// What is known of an owner (or, in an answer of faces, of a face) after estimating.
struct Entry {
    owner: u32,
    /// The largest estimate.
    estimate: f32,
    /// The score is between these.
    least: f32,
    most: f32,
}

impl<'a> Coarse<'a> {
    pub fn new(parts: &'a [Rows<'a>], kernels: Kernels, coded: CodedProbe, probe: &'a [f32], goal: Goal) -> Self {
        let leaders = Leaders::new(goal.wanted);
        let (met, entries, places) = (Vec::new(), Vec::new(), FxHashMap::default());
        Coarse { parts, kernels, coded, probe, goal, met, entries, places, leaders }
    }

    /// Estimates the cosines of `candidates`, which come in the order of their distances.
    ///
    /// With `cut`, the search ends before the first distance above `cut(c)`, where `c` is a little
    /// below the score of the last entry wanted. That is decided between distances only, so that the
    /// order of rows does not matter.
    pub fn meet(&mut self, candidates: &[Candidate], filter: &mut Filter, cut: Option<&dyn Fn(f32) -> u32>) {
        let (mut now, mut farthest, mut floor) = (None, SKETCH_BITS as u32, None);
        for (at, &candidate) in candidates.iter().enumerate() {
            if let Some(&later) = candidates.get(at + AHEAD) {
                self.fetch(later);
            }
            if let (Some(cut), false) = (cut, now == Some(distance(candidate))) {
                now = Some(distance(candidate));
                if self.leaders.floor() > floor {
                    floor = self.leaders.floor();
                    farthest = floor.map_or(farthest, |floor| cut(floor - RIVAL));
                }
                if distance(candidate) > farthest {
                    return;
                }
            }
            let (part, row) = spot(candidate);
            let rows = &self.parts[part];
            let owner = rows.owners[row];
            if filter.admits(owner) {
                let estimate = self.coded.estimate(self.kernels, rows.codes(row), rows.steps[row]);
                self.note(candidate, owner, estimate);
            }
        }
    }

    /// How many owners (or, in an answer of faces, faces) were met.
    pub fn met_owners(&self) -> usize {
        self.entries.len()
    }

    /// A score that as many entries as wanted reach, by estimates; `None` before so many were met.
    pub fn floor(&self) -> Option<f32> {
        self.leaders.floor()
    }

    fn fetch(&self, candidate: Candidate) {
        let (part, row) = spot(candidate);
        self.parts[part].fetch(row);
    }

    /// Takes a face that is allowed; returns the largest estimate before of its entry, if there was one.
    pub fn note(&mut self, candidate: Candidate, owner: u32, estimate: Estimate) -> Option<f32> {
        let Estimate { score, error } = estimate;
        let next = self.entries.len();
        let at = if self.goal.by_owner { *self.places.entry(owner).or_insert(next) } else { next };
        let known = (at < next).then(|| self.entries[at].estimate);
        if known.is_none_or(|known| score > known) {
            self.leaders.raise(known, score);
        }
        if at == next {
            self.entries.push(Entry { owner, estimate: score, least: score - error, most: score + error });
        } else {
            let entry = &mut self.entries[at];
            entry.estimate = entry.estimate.max(score);
            entry.least = entry.least.max(score - error);
            entry.most = entry.most.max(score + error);
        }
        self.met.push(Met { candidate, entry: at, estimate });
        known
    }

    /// Makes room for so many entries.
    pub fn expect(&mut self, entries: usize) {
        self.met.reserve(entries);
        self.entries.reserve(entries);
        self.places.reserve(if self.goal.by_owner { entries } else { 0 });
    }

    /// The best entries with exact scores. Exactly computed are only faces that may be the best of an
    /// entry that may be in the answer, and those near the threshold.
    pub fn rank(self) -> Vec<OwnerHit> {
        let bound = self.bound();
        let mut hits: Vec<Option<OwnerHit>> = vec![None; self.entries.len()];
        let mut exact = Vec::new();
        for met in &self.met {
            let entry = &self.entries[met.entry];
            if entry.most < bound {
                continue;
            }
            let Estimate { score, error } = met.estimate;
            if score + error >= entry.least || (score - self.goal.threshold).abs() <= error {
                exact.push((spot(met.candidate), met.entry));
            } else if score > self.goal.threshold {
                offer(&mut hits[met.entry], entry.owner, u64::MAX, f32::NEG_INFINITY, true);
            }
        }
        for (at, &((part, row), entry)) in exact.iter().enumerate() {
            if let Some(&((part, later), _)) = exact.get(at + 1) {
                prefetch_all(self.parts[part].values(later));
            }
            let rows = &self.parts[part];
            let score = cosine(rows.values(row), self.probe);
            let agrees = score >= self.goal.threshold;
            offer(&mut hits[entry], self.entries[entry].owner, rows.id(row), score, agrees);
        }
        self.goal.trim(hits.into_iter().flatten().collect())
    }

    /// A score that the last entry of the answer reaches at least.
    fn bound(&self) -> f32 {
        let needed = self.goal.needed();
        if self.entries.len() <= needed {
            return f32::NEG_INFINITY;
        }
        let mut least: Vec<f32> = self.entries.iter().map(|entry| entry.least).collect();
        *least.select_nth_unstable_by(needed - 1, |a, b| b.total_cmp(a)).1
    }
}

/// The cosine of a row with the probe, as `Embedding::cosine` computes it.
pub(in crate::index) fn cosine(row: &[f32], probe: &[f32]) -> f32 {
    dot(row, probe).clamp(-1.0, 1.0)
}

/// Takes a face into an entry of the answer.
pub(in crate::index) fn offer(hit: &mut Option<OwnerHit>, owner: u32, face: u64, score: f32, agrees: bool) {
    let hit = hit.get_or_insert(OwnerHit { owner, score: f32::NEG_INFINITY, face: u64::MAX, hits: 0 });
    hit.hits += u32::from(agrees);
    if score > hit.score || score == hit.score && face < hit.face {
        (hit.score, hit.face) = (score, face);
    }
}

/// Finds the score of the entry that is last among those wanted, in steps of 1/512, while scores
/// rise.
pub(in crate::index) struct Leaders {
    wanted: usize,
    /// Entries by score.
    counts: [u32; Self::STEPS],
    /// The step of the last entry wanted, and how many entries are above that step.
    last: usize,
    above: usize,
    total: usize,
}

impl Leaders {
    const STEPS: usize = 1025;

    pub fn new(wanted: usize) -> Self {
        Leaders { wanted, counts: [0; Self::STEPS], last: 0, above: 0, total: 0 }
    }

    /// An entry's score is now `to`; it was `from`, or it is new.
    pub fn raise(&mut self, from: Option<f32>, to: f32) {
        // Casts of what is out of range end at the ends of the range.
        let step = |score: f32| (((score + 1.0) * 512.0) as usize).min(Self::STEPS - 1);
        match from {
            Some(score) => {
                self.counts[step(score)] -= 1;
                self.above -= usize::from(step(score) > self.last);
            }
            None => self.total += 1,
        }
        self.counts[step(to)] += 1;
        self.above += usize::from(step(to) > self.last);
        while self.above >= self.wanted {
            self.last += 1;
            self.above -= self.counts[self.last] as usize;
        }
    }

    /// A score that as many entries as wanted reach; `None` before there are so many.
    pub fn floor(&self) -> Option<f32> {
        (self.total >= self.wanted).then(|| self.last as f32 / 512.0 - 1.0)
    }
}
