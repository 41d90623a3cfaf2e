//! What is measured of the gallery. Rows have the names that `tools/compare_index.py` prints.

use std::time::{Duration, Instant};

use facecore::gallery::{GalleryOptions, IndexKind};
use facecore::{Embedding, EmbeddingSpace, Gallery, Match, Namespace, NewFace, SearchOptions};
use facecore_testkit::population::Population;
use serde_json::{Value, json};

use crate::{Failure, memory};

/// Nearest people asked for, as nearest faces are of the other libraries.
const NEAREST: usize = 10;
/// Probes of one call to `search_batch`.
const BATCH: usize = 64;
/// No more single searches are timed once they took this long together.
const SINGLE_BUDGET: Duration = Duration::from_secs(20);

/// The ways of searching that are compared. The first is exact: its rate is what others are held to.
fn modes() -> Vec<(&'static str, SearchOptions)> {
    let identify = SearchOptions { top_k: 1, ..SearchOptions::default() };
    vec![
        ("exact f32", SearchOptions::nearest(NEAREST).exact()),
        ("best person, threshold 0.4", identify.clone()),
        ("best person, threshold 0.3", SearchOptions { threshold: Some(0.3), ..identify }),
        ("10 best people, threshold 0.4", SearchOptions::default()),
        ("nearest person", SearchOptions::nearest(1)),
        ("10 nearest people", SearchOptions::nearest(NEAREST)),
    ]
}

/// A generated vector as the gallery holds it.
pub fn embedding(values: &[f32]) -> Result<Embedding, Failure> {
    Ok(Embedding::from_raw(values, EmbeddingSpace::new("generated", 0.4))?)
}

/// Enrols the population, searches for its probes on one thread, and returns a row a mode.
pub fn measure(population: &Population, kind: IndexKind) -> Result<Vec<Value>, Failure> {
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let probes: Vec<Embedding> = population.probes().map(|(_, values)| embedding(values)).collect::<Result<_, _>>()?;
    let faces = population.faces().len();

    let before = memory::anonymous()?;
    let gallery = in_memory(kind);
    let namespace = gallery.namespace("compared")?;
    let mut build = enrol(&namespace, population)?;
    if kind != IndexKind::Flat {
        build += graph(&gallery, kind)?;
    }
    // What a first search makes belongs to the gallery.
    for (_, options) in modes() {
        one_thread.install(|| namespace.search(&probes[0], &options))?;
    }
    let bytes_a_face = memory::anonymous()?.saturating_sub(before) as f64 / faces as f64;
    let vector_bytes = size_of_val(probes[0].values()) as f64;
    // Only now: memory that is free again would hide what a later gallery takes.
    let singly = match kind {
        IndexKind::Flat => Some(enrol_singly(&in_memory(kind).namespace("singly")?, population)?),
        _ => None,
    };

    let searched = modes().into_iter().map(|(mode, options)| {
        let searched = one_thread.install(|| search(&namespace, population, &probes, &options))?;
        Ok(json!({
            "index": format!("facecore {kind}"),
            "parameters": mode,
            "right": searched.right,
            "median_us": searched.median.as_secs_f64() * 1e6,
            "queries_per_s": searched.queries_per_s,
            "build_s": build.as_secs_f64(),
            "inserts_per_s": rate(faces, build),
            "single_inserts_per_s": singly.map(|singly| rate(faces, singly)),
            "bytes_a_face": bytes_a_face,
            "bytes_beside": bytes_a_face - vector_bytes,
        }))
    });
    searched.collect()
}

/// A gallery that makes no graph by itself, so that making one can be timed.
pub fn in_memory(kind: IndexKind) -> Gallery {
    Gallery::in_memory_with(&GalleryOptions::default().index(kind).snapshot_every(usize::MAX))
}

/// Makes a graph of all faces, and returns the time it took.
pub fn graph(gallery: &Gallery, kind: IndexKind) -> Result<Duration, Failure> {
    let start = Instant::now();
    gallery.compact()?;
    match gallery.stats()?.namespaces[0].index == kind {
        true => Ok(start.elapsed()),
        false => Err("there are too few faces for a graph".into()),
    }
}

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

pub fn person_id(person: usize) -> String {
    format!("person-{person}")
}

/// Enrols each person with all faces at once, and returns the time it took without making embeddings.
fn enrol(namespace: &Namespace, population: &Population) -> Result<Duration, Failure> {
    let mut took = Duration::ZERO;
    let faces: Vec<(usize, &[f32])> = population.faces().collect();
    for faces in faces.chunk_by(|a, b| a.0 == b.0) {
        let new: Vec<NewFace> =
            faces.iter().map(|(_, values)| Ok(embedding(values)?.into())).collect::<Result<_, Failure>>()?;
        let person = person_id(faces[0].0);
        let start = Instant::now();
        namespace.enrol(person, &new)?;
        took += start.elapsed();
    }
    Ok(took)
}

/// As [`enrol`], face by face.
fn enrol_singly(namespace: &Namespace, population: &Population) -> Result<Duration, Failure> {
    let mut took = Duration::ZERO;
    for (person, values) in population.faces() {
        let (person, embedding) = (person_id(person), embedding(values)?);
        let start = Instant::now();
        namespace.add(person, &embedding)?;
        took += start.elapsed();
    }
    Ok(took)
}

struct Searched {
    /// The share of probes whose nearest person is the right one, 0 to 1.
    right: f64,
    /// Of single searches.
    median: Duration,
    /// In batches.
    queries_per_s: f64,
}

fn search(
    namespace: &Namespace,
    population: &Population,
    probes: &[Embedding],
    options: &SearchOptions,
) -> Result<Searched, Failure> {
    let start = Instant::now();
    let mut batched = Vec::new();
    for probes in probes.chunks(BATCH) {
        batched.extend(namespace.search_batch(probes, options)?);
    }
    let queries_per_s = rate(probes.len(), start.elapsed());

    let mut latencies = Vec::new();
    let start = Instant::now();
    for (probe, in_batch) in probes.iter().zip(&batched) {
        let before = Instant::now();
        let alone = namespace.search(probe, options)?;
        latencies.push(before.elapsed());
        if nearest(&alone) != nearest(in_batch) {
            return Err("a probe alone and in a batch has different answers".into());
        }
        if start.elapsed() > SINGLE_BUDGET {
            break;
        }
    }
    latencies.sort_unstable();

    let answers = population.probes().zip(&batched);
    let right = answers.filter(|((person, _), found)| nearest(found) == Some(person_id(*person).as_str())).count();
    Ok(Searched { right: right as f64 / probes.len() as f64, median: latencies[latencies.len() / 2], queries_per_s })
}

fn nearest(found: &[Match]) -> Option<&str> {
    found.first().map(|nearest| nearest.person.as_str())
}
