//! Grouping the scores of faces into an answer about people.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::directory::Directory;
use super::view::{Pinned, check_fits};
use super::{FaceId, PersonId};
use crate::embedding::Embedding;
use crate::error::{Result, fail};
use crate::index::{self, Index as _, IndexKind, OwnerHit, Query};

/// `Reach::Auto` looks within the radius of the threshold if it is at least this cosine. Below, the radius holds so
/// many faces that the nearest are taken instead.
const LOWEST_RADIUS: f32 = 0.25;
/// The probability of a miss that `Reach::Auto` accepts for a face exactly at the threshold. On generated populations
/// fitted to LFW the right person comes first as often as in an exact search, to 0.05 %, also where mates are as far as
/// 0.3 (`make compare-index`); a tenth of it doubles the time and finds nobody more.
pub(super) const MISS: f64 = 0.01;
/// Under a threshold below `LOWEST_RADIUS`, `Reach::Auto` compares one face in so many, and at least
/// `NEAREST_LEAST`.
const NEAREST_SHARE: usize = 20;
const NEAREST_LEAST: usize = 1000;
/// Decides which people a search considers.
pub type PersonFilter = Arc<dyn Fn(&PersonId) -> bool + Send + Sync>;

/// How far a search looks. A face is first compared by 512 signs of its rotated embedding, which costs next to
/// nothing, and only the faces whose signs are near are compared in full. Scores are exact whatever the reach.
///
/// A gallery of few faces (about a thousand) is always searched in full.
///
/// Where a graph leads to the faces ([`IndexKind::Hnsw`](super::IndexKind::Hnsw)), no probability of a miss is known: a
/// search keeps the people nearest so far, as many as `Nearest` says or 150 for each factor of ten that `Within` asks a
/// miss to be rarer by (more among more than 100,000 faces, by the square root of how many times as many there are), and
/// ends when all ways on lead farther away. So `Within` is a matter of measurement there, too.
/// Where that many are a large part of the faces, and for faces that are not in the graph yet, it is as said here.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Reach {
    /// `Within { miss: 0.01 }` where the threshold is 0.25 or more, and else the nearest twentieth of the faces,
    /// or 1000; on a graph as many people as `Within { miss: 0.01 }` keeps.
    #[default]
    Auto,
    /// Compares every face in full.
    Exact,
    /// Compares the so many faces whose signs are nearest, of those that the filter lets pass; more, if these belong
    /// to fewer than `top_k` people and one. How often the right one is among them is a matter of measurement.
    Nearest(usize),
    /// Compares all faces within a radius, so that a face exactly at the threshold is missed with at most this
    /// probability (between 0 and 1), and a nearer one with less: with 0.01 and a threshold of 0.4 a face at 0.4 with
    /// 0.008, at 0.45 with 0.0006, at 0.5 with 0.00002. Two faces at the angle θ differ in each of the 512 signs with
    /// the probability θ/π, so the number of differing signs is taken for binomial, which errs on the safe side.
    ///
    /// The search ends early once nobody who is left can come among the `top_k` best, nor nearer than 0.15 to the
    /// last of them. So of a person's other faces and of rivals, those are met for certain, by the same measure, that
    /// reach the threshold and come as near as that. A margin to a rival below the threshold, or one above 0.15, is
    /// an upper estimate, and `hits` is a lower one; [`Reach::Exact`] tells both exactly.
    Within {
        /// Probability of missing a face at exactly the threshold.
        miss: f64,
    },
}

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
    /// How far to look; [`Reach::Auto`] by default.
    pub reach: Reach,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions { top_k: 10, threshold: None, filter: None, reach: Reach::Auto }
    }
}

impl SearchOptions {
    /// The `top_k` nearest people, however far they are.
    pub fn nearest(top_k: usize) -> Self {
        SearchOptions { top_k, threshold: Some(-1.0), ..SearchOptions::default() }
    }

    /// Considers only people for whom `filter` answers `true`, in place of any filter set before.
    #[must_use]
    pub fn only(mut self, filter: impl Fn(&PersonId) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Arc::new(filter));
        self
    }

    /// Considers only these people, in place of any filter set before.
    #[must_use]
    pub fn among<P: Into<PersonId>>(self, people: impl IntoIterator<Item = P>) -> Self {
        let people: HashSet<PersonId> = people.into_iter().map(Into::into).collect();
        self.only(move |person| people.contains(person))
    }

    /// Compares with every face in full.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.reach = Reach::Exact;
        self
    }

    /// Leaves these people out, in place of any filter set before.
    #[must_use]
    pub fn excluding<P: Into<PersonId>>(self, people: impl IntoIterator<Item = P>) -> Self {
        let people: HashSet<PersonId> = people.into_iter().map(Into::into).collect();
        self.only(move |person| !people.contains(person))
    }
}

impl fmt::Debug for SearchOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchOptions")
            .field("top_k", &self.top_k)
            .field("threshold", &self.threshold)
            .field("filter", &self.filter.as_ref().map(|_| "a function"))
            .field("reach", &self.reach)
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
    /// `score` minus the best score of any other person met, also of those under the threshold; -2 to 2. Near 0
    /// the answer is ambiguous, below 0 somebody else is nearer. If nobody else was met it is `score` itself, as an
    /// unrelated face scores about 0. See [`Reach::Within`] for when it is an estimate.
    pub margin: f32,
    /// The face with that score; of several, the one with the smallest id.
    pub best: FaceId,
    /// How many faces of the person reach the threshold, as far as the search met them.
    pub hits: u32,
}

/// What the nearest faces agreed on; see [`Namespace::vote`](super::Namespace::vote).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vote {
    /// Who it is.
    pub person: PersonId,
    /// How many of the nearest faces are the person's.
    pub votes: u32,
    /// How many of the nearest faces reach the threshold.
    pub voters: u32,
    /// Cosine of the probe with the nearest of the person's faces, -1 to 1.
    pub score: f32,
    /// That face.
    pub best: FaceId,
}

/// A probe that can be compared with the faces here.
pub(super) struct Checked<'a> {
    probe: &'a [f32],
    threshold: f32,
    reach: index::Reach,
}

impl Pinned {
    /// Checks a probe and the options.
    pub fn query<'a>(&self, namespace: &str, probe: &'a Embedding, options: &SearchOptions) -> Result<Checked<'a>> {
        check_fits(namespace, (&self.space, self.index.dimension()), probe.space(), probe.dimension())?;
        let threshold = options.threshold.unwrap_or(probe.space().threshold());
        // `contains` is false for NaN too.
        if !(-1.0..=1.0).contains(&threshold) {
            fail!(InvalidArgument, "the threshold of a search is a cosine, -1 to 1, not {threshold}");
        }
        let reach = match options.reach {
            Reach::Exact => index::Reach::Exact,
            Reach::Nearest(0) => fail!(InvalidArgument, "a search looks at the nearest face at least, not at none"),
            Reach::Nearest(faces) => index::Reach::Nearest(faces),
            Reach::Within { miss } if miss > 0.0 && miss < 1.0 => index::Reach::Within { miss },
            Reach::Within { miss } => {
                fail!(InvalidArgument, "the probability of a miss lies between 0 and 1, this one is {miss}");
            }
            Reach::Auto if threshold >= LOWEST_RADIUS => index::Reach::Within { miss: MISS },
            Reach::Auto if self.index.kind() != IndexKind::Flat => index::Reach::Nearest(self.index.kept(MISS)),
            Reach::Auto => index::Reach::Nearest((self.index.len() / NEAREST_SHARE).max(NEAREST_LEAST)),
        };
        Ok(Checked { probe: probe.values(), threshold, reach })
    }

    /// For each probe the people that match it, best first; equal scores in the order of their ids.
    pub fn search(&self, directory: &Directory, probes: &[Checked<'_>], options: &SearchOptions) -> Vec<Vec<Match>> {
        let allowed = allowed(directory, options);
        let owners = options.top_k.clamp(1, self.index.len().max(1));
        let queries: Vec<Query<'_>> = probes.iter().map(|probe| probe.query(owners, allowed.as_deref())).collect();
        let found = self.index.search(&queries);
        let matches = found.into_iter().zip(probes);
        matches.map(|(hits, probe)| in_order(hits, directory, probe.threshold, options.top_k)).collect()
    }

    pub fn vote(
        &self,
        directory: &Directory,
        probe: &Checked<'_>,
        faces: usize,
        options: &SearchOptions,
    ) -> Option<Vote> {
        let allowed = allowed(directory, options);
        let mut voters = self.index.nearest_faces(&probe.query(faces, allowed.as_deref()), faces);
        voters.retain(|face| face.score >= probe.threshold);
        let mut votes: Vec<Vote> = Vec::new();
        let total = voters.len() as u32;
        // Nearest first, so a person's first face is its best.
        for face in &voters {
            let person = directory.get(face.owner)?;
            match votes.iter_mut().find(|vote| vote.person == person) {
                Some(vote) => vote.votes += 1,
                None => {
                    let (score, best) = (face.score, FaceId::from(face.face));
                    votes.push(Vote { person, votes: 1, voters: total, score, best });
                }
            }
        }
        let order = |a: &Vote, b: &Vote| {
            b.votes.cmp(&a.votes).then(b.score.total_cmp(&a.score)).then_with(|| a.person.cmp(&b.person))
        };
        votes.into_iter().min_by(order)
    }
}

impl Checked<'_> {
    fn query<'a>(&'a self, owners: usize, allowed: Option<&'a Allowed<'_>>) -> Query<'a> {
        Query { probe: self.probe, owners, threshold: self.threshold, reach: self.reach, allowed }
    }
}

type Allowed<'a> = dyn Fn(u32) -> bool + Sync + 'a;

/// The filter of `options` as a question about person numbers.
fn allowed<'a>(directory: &'a Directory, options: &'a SearchOptions) -> Option<Box<Allowed<'a>>> {
    let filter = options.filter.as_ref()?;
    Some(Box::new(move |owner| directory.get(owner).is_some_and(|person| filter(&person))))
}

/// Matches from what the index found, which is one person more than wanted, for the margin.
fn in_order(hits: Vec<OwnerHit>, directory: &Directory, threshold: f32, top_k: usize) -> Vec<Match> {
    let found = |hit: OwnerHit| {
        let (person, best) = (directory.get(hit.owner)?, FaceId::from(hit.face));
        Some(Match { person, score: hit.score, probability: None, margin: hit.score, best, hits: hit.hits })
    };
    let mut matches: Vec<Match> = hits.into_iter().filter_map(found).collect();
    matches.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.person.cmp(&b.person)));
    let rivals = [matches.get(1).map(|second| second.score), matches.first().map(|first| first.score)];
    for (place, found) in matches.iter_mut().enumerate() {
        found.margin = found.score - rivals[place.min(1)].unwrap_or(0.0);
    }
    matches.truncate(top_k);
    matches.retain(|found| found.score >= threshold);
    matches
}
