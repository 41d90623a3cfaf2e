//! Asking a namespace who somebody is.

use std::collections::HashSet;
use std::sync::Arc;

use facecore::gallery::{Match, PersonId, Reach, SearchOptions, Vote};
use pyo3::prelude::*;

use crate::callback::FirstError;
use crate::embedding::Embedding;
use crate::errors::invalid;
use crate::gallery::Gallery;

/// What the package passes on of a search's arguments.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Wanted {
    top_k: usize,
    threshold: Option<f32>,
    among: Option<HashSet<String>>,
    excluding: Option<HashSet<String>>,
    predicate: Option<Py<PyAny>>,
    reach: ReachOption,
}

#[derive(FromPyObject)]
enum ReachOption {
    Nearest(usize),
    Within(f64),
    Named(String),
}

impl Wanted {
    fn options(self, py: Python<'_>, raised: &Arc<FirstError>) -> PyResult<SearchOptions> {
        let reach = match self.reach {
            ReachOption::Nearest(faces) => Reach::Nearest(faces),
            ReachOption::Within(miss) => Reach::Within { miss },
            ReachOption::Named(name) if name == "auto" => Reach::Auto,
            ReachOption::Named(name) if name == "exact" => Reach::Exact,
            ReachOption::Named(name) => {
                let message = format!(
                    "a reach is auto, exact, a number of faces (int) or a probability of a miss (float), not `{name}`"
                );
                return Err(invalid(py, message));
            }
        };
        let options = SearchOptions { top_k: self.top_k, threshold: self.threshold, reach, ..SearchOptions::default() };
        if self.among.is_none() && self.excluding.is_none() && self.predicate.is_none() {
            return Ok(options);
        }
        let raised = raised.clone();
        Ok(options.only(move |person: &PersonId| {
            let id = person.as_str();
            let called = |predicate: &Py<PyAny>| {
                raised.ask(|| Python::attach(|py| predicate.bind(py).call1((id,))?.is_truthy()))
            };
            self.among.as_ref().is_none_or(|among| among.contains(id))
                && self.excluding.as_ref().is_none_or(|excluding| !excluding.contains(id))
                && self.predicate.as_ref().is_none_or(called)
        }))
    }
}

/// Person, score, probability, margin, best face, hits.
type MatchParts = (String, f32, Option<f32>, f32, u64, u32);

fn match_parts(found: &Match) -> MatchParts {
    (found.person.as_str().to_owned(), found.score, found.probability, found.margin, found.best.get(), found.hits)
}

/// Person, votes, voters, score, best face.
type VoteParts = (String, u32, u32, f32, u64);

#[pymethods]
impl Gallery {
    /// For each probe the people that match it.
    fn search(
        &self,
        py: Python<'_>,
        namespace: &str,
        probes: Vec<PyRef<'_, Embedding>>,
        wanted: Wanted,
    ) -> PyResult<Vec<Vec<MatchParts>>> {
        let raised = Arc::new(FirstError::default());
        let options = wanted.options(py, &raised)?;
        let probes: Vec<facecore::Embedding> = probes.iter().map(|probe| probe.inner.clone()).collect();
        let found = self.on(py, namespace, |people| match probes.as_slice() {
            // One needs no thread pool.
            [probe] => Ok(vec![people.search(probe, &options)?]),
            probes => people.search_batch(probes, &options),
        })?;
        raised.take()?;
        Ok(found.iter().map(|matches| matches.iter().map(match_parts).collect()).collect())
    }

    /// Whom the nearest faces agree on.
    fn vote(
        &self,
        py: Python<'_>,
        namespace: &str,
        probe: &Embedding,
        faces: usize,
        wanted: Wanted,
    ) -> PyResult<Option<VoteParts>> {
        let raised = Arc::new(FirstError::default());
        let options = wanted.options(py, &raised)?;
        let vote = self.on(py, namespace, |people| people.vote(&probe.inner, faces, &options))?;
        raised.take()?;
        Ok(vote.map(|Vote { person, votes, voters, score, best }| {
            (person.as_str().to_owned(), votes, voters, score, best.get())
        }))
    }
}
