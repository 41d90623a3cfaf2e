//! Grouping the scores of faces into an answer about people.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::state::{Owner, Pinned};
use super::{FaceId, PersonId};
use crate::embedding::Embedding;
use crate::error::{Result, fail};

/// Decides which people a search considers.
pub type PersonFilter = Arc<dyn Fn(&PersonId) -> bool + Send + Sync>;

/// What a search looks for.
#[derive(Clone)]
pub struct SearchOptions {
    /// At most so many people are returned; 10 by default.
    pub top_k: usize,
    /// A person matches if the cosine of its best face is at least this. `None`, the default,
    /// takes the threshold of the probe's embedding space; -1 takes everybody.
    pub threshold: Option<f32>,
    /// If set, only people for whom it answers `true` are considered. The others are as if they
    /// were not enrolled: they lower nobody's margin either.
    ///
    /// It is asked once a person and probe, in no particular order and, for batches, on several
    /// threads. No lock is held meanwhile, so it may use the gallery.
    pub filter: Option<PersonFilter>,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions { top_k: 10, threshold: None, filter: None }
    }
}

impl SearchOptions {
    /// The `top_k` nearest people, however far they are.
    pub fn nearest(top_k: usize) -> Self {
        SearchOptions { top_k, threshold: Some(-1.0), filter: None }
    }

    /// Considers only people for whom `filter` answers `true`, in place of any filter set before.
    #[must_use]
    pub fn only(mut self, filter: impl Fn(&PersonId) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Arc::new(filter));
        self
    }

    /// Leaves these people out, in place of any filter set before.
    #[must_use]
    pub fn excluding<P: Into<PersonId>>(self, people: impl IntoIterator<Item = P>) -> Self {
        let people: std::collections::HashSet<PersonId> = people.into_iter().map(Into::into).collect();
        self.only(move |person| !people.contains(person))
    }
}

impl fmt::Debug for SearchOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchOptions")
            .field("top_k", &self.top_k)
            .field("threshold", &self.threshold)
            .field("filter", &self.filter.as_ref().map(|_| "a function"))
            .finish()
    }
}

/// A person found by a search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Match {
    /// Who it is.
    pub person: PersonId,
    /// Cosine of the probe with the person's best face, -1 to 1.
    pub score: f32,
    /// Probability, 0 to 1, that probe and person are the same; `None` as long as the embedding
    /// space has no calibration.
    pub probability: Option<f32>,
    /// `score` minus the best score of any other person considered, also of those under the
    /// threshold; -2 to 2. Near 0 the answer is ambiguous, below 0 somebody else is nearer. If
    /// there is nobody else it is `score` itself, as an unrelated face scores about 0.
    pub margin: f32,
    /// The face with that score; of several, the one with the smallest id.
    pub best: FaceId,
    /// How many faces of the person reach the threshold.
    pub hits: u32,
}

impl Pinned {
    /// The people that match `probe`, best first; equal scores in the order of their ids.
    pub fn search(&self, namespace: &str, probe: &Embedding, options: &SearchOptions) -> Result<Vec<Match>> {
        self.check(namespace, probe.space(), probe.dimension())?;
        let threshold = options.threshold.unwrap_or(probe.space().threshold());
        if threshold.is_nan() {
            fail!(InvalidArgument, "the threshold of a search is a cosine, not NaN");
        }
        let mut people = self.tally(probe, threshold, options.filter.as_ref());

        let leader = people.iter().copied().min_by(Tally::order);
        let is_leader = |tally: &Tally<'_>| leader.is_some_and(|leader| leader.owner.number == tally.owner.number);
        let runner_up = people.iter().filter(|tally| !is_leader(tally)).map(|tally| tally.score).reduce(f32::max);

        people.retain(|tally| tally.score >= threshold);
        if people.len() > options.top_k {
            // Sorting everybody would cost more than the scan when the threshold lets all pass.
            people.select_nth_unstable_by(options.top_k, Tally::order);
            people.truncate(options.top_k);
        }
        people.sort_unstable_by(Tally::order);
        let matches = people.iter().map(|tally| {
            let rival = if is_leader(tally) { runner_up } else { leader.map(|leader| leader.score) };
            Match {
                person: tally.owner.person.clone(),
                score: tally.score,
                probability: None,
                margin: tally.score - rival.unwrap_or(0.0),
                best: tally.owner.face,
                hits: tally.hits,
            }
        });
        Ok(matches.collect())
    }

    /// Everybody who has a face and passes the filter, in no particular order.
    fn tally(&self, probe: &Embedding, threshold: f32, filter: Option<&PersonFilter>) -> Vec<Tally<'_>> {
        let scores = self.vectors.scores(probe.values());
        let mut table: Vec<Seen<'_>> = Vec::new();
        for (owner, score) in self.vectors.labels().zip(scores) {
            if owner.number >= table.len() {
                table.resize(owner.number + 1, Seen::Not);
            }
            let hits = u32::from(score >= threshold);
            match &mut table[owner.number] {
                Seen::Excluded => {}
                Seen::Tally(tally) => {
                    tally.hits += hits;
                    // Slots are in no lasting order, ids are.
                    if score > tally.score || (score == tally.score && owner.face < tally.owner.face) {
                        (tally.score, tally.owner) = (score, owner);
                    }
                }
                unseen => {
                    let wanted = filter.is_none_or(|filter| filter(&owner.person));
                    *unseen = if wanted { Seen::Tally(Tally { owner, score, hits }) } else { Seen::Excluded };
                }
            }
        }
        table.into_iter().filter_map(|seen| if let Seen::Tally(tally) = seen { Some(tally) } else { None }).collect()
    }
}

/// What a search knows of a person so far.
#[derive(Clone, Copy)]
enum Seen<'a> {
    Not,
    Excluded,
    Tally(Tally<'a>),
}

#[derive(Clone, Copy)]
struct Tally<'a> {
    /// The best face.
    owner: &'a Owner,
    score: f32,
    hits: u32,
}

impl Tally<'_> {
    /// Best first; equal scores in the order of the person ids.
    fn order(a: &Self, b: &Self) -> Ordering {
        b.score.total_cmp(&a.score).then_with(|| a.owner.person.cmp(&b.owner.person))
    }
}
