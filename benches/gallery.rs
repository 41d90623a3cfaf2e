//! Searching, enrolling and opening galleries, without models.
//!
//! `cargo bench --bench gallery -- search` runs one group. `make compare-index` measures the same against
//! other libraries.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use facecore::gallery::Batch;
use facecore::{Embedding, EmbeddingSpace, Gallery, Namespace, NewFace, SearchOptions};
use facecore_testkit::population::{Population, PopulationOptions};

const FACES: usize = 100_000;
const BATCH: usize = 64;

fn embedding(values: &[f32]) -> Embedding {
    Embedding::from_raw(values, EmbeddingSpace::new("generated", 0.4)).unwrap()
}

/// Each person's id and faces.
fn people(population: &Population) -> Vec<(String, Vec<NewFace>)> {
    let faces: Vec<(usize, &[f32])> = population.faces().collect();
    let people = faces.chunk_by(|a, b| a.0 == b.0);
    people.map(|faces| (faces[0].0.to_string(), faces.iter().map(|face| embedding(face.1).into()).collect())).collect()
}

fn search(c: &mut Criterion) {
    let population = PopulationOptions::standard(FACES).generate();
    let namespace = Gallery::in_memory().namespace("bench").unwrap();
    for (person, faces) in people(&population) {
        namespace.enrol(person, &faces).unwrap();
    }
    let probes: Vec<Embedding> = population.probes().take(BATCH).map(|(_, values)| embedding(values)).collect();
    let best = SearchOptions { top_k: 1, ..SearchOptions::default() };
    for (how, options) in [("", best.clone()), (", exactly", best.exact())] {
        let mut group = c.benchmark_group(format!("search 100,000 x 512{how}"));
        let mut turn = probes.iter().cycle();
        let mut next = || turn.next().unwrap();
        group.throughput(Throughput::Elements(1));
        group.bench_function("one probe", |b| b.iter(|| namespace.search(black_box(next()), &options).unwrap()));
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function("batch of 64", |b| b.iter(|| namespace.search_batch(&probes, &options).unwrap()));
    }
}

fn enrol(c: &mut Criterion) {
    let people = people(&PopulationOptions::standard(10_000).generate());
    let empty = || Gallery::in_memory().namespace("bench").unwrap();

    let mut group = c.benchmark_group("enrol 10,000 x 512 in memory");
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("person by person", |b| {
        let enrol = |namespace: &mut Namespace| {
            for (person, faces) in &people {
                namespace.enrol(person, faces).unwrap();
            }
        };
        b.iter_batched_ref(empty, enrol, BatchSize::PerIteration);
    });
    group.bench_function("face by face", |b| {
        let add = |namespace: &mut Namespace| {
            for (person, faces) in &people {
                for face in faces {
                    namespace.add(person, &face.embedding).unwrap();
                }
            }
        };
        b.iter_batched_ref(empty, add, BatchSize::PerIteration);
    });
}

/// A folder with 20,000 faces, gone afterwards.
fn durable(c: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("facecore-bench-{}", std::process::id()));
    let people = people(&PopulationOptions::standard(20_000).generate());
    let batches: Vec<Batch> = people
        .chunks(333)
        .map(|people| {
            let mut batch = Batch::new();
            for (person, faces) in people {
                batch.enrol(person, faces.clone());
            }
            batch
        })
        .collect();
    let mut group = c.benchmark_group("20,000 x 512 in a folder");
    group.throughput(Throughput::Elements(20_000));
    group.bench_function("enrol in batches of 999", |b| {
        let fresh = || {
            std::fs::remove_dir_all(&folder).unwrap_or_default();
            Gallery::open(&folder).unwrap().namespace("bench").unwrap()
        };
        let enrol = |namespace: &mut Namespace| {
            batches.iter().for_each(|batch| drop(namespace.apply(batch).unwrap()));
        };
        b.iter_batched_ref(fresh, enrol, BatchSize::PerIteration);
    });
    group.bench_function("open", |b| b.iter(|| Gallery::open(&folder).unwrap()));
    group.finish();
    std::fs::remove_dir_all(&folder).unwrap_or_default();
}

criterion_group! {
    name = gallery;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = search, enrol, durable
}
criterion_main!(gallery);
