//! The pack that comes with the library beside the models of its shape: YuNet, MobileFaceNet.
//!
//! `cargo bench --bench lite`. What it is compared with, and the photograph, are the test data's
//! (`FACECORE_TEST_DATA`); without them the pack is measured alone, on a picture that shows nobody.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use facecore::{AlignedFace, Image, Pack, Recognizer, RecognizerBuilder};
use facecore_testkit::{TestData, runtimes};

/// A way to models, from the beginning.
type Opening<'a> = Box<dyn Fn() -> RecognizerBuilder + 'a>;

/// The pack, and what it is compared with.
fn models(data: Option<&TestData>) -> Vec<(&'static str, Opening<'_>)> {
    let lite = || Recognizer::builder().opened_pack(Pack::lite().unwrap());
    let mut models: Vec<(_, Opening<'_>)> = vec![("lite", Box::new(lite))];
    if let Some(data) = data {
        let (detector, embedder) = (data.model("yunet_n_dynamic"), data.model("mobilefacenet_128"));
        let files = move || Recognizer::builder().detector(&detector).embedder(&embedder);
        models.push(("yunet and mobilefacenet", Box::new(files)));
    }
    models
}

fn detect(c: &mut Criterion) {
    let data = TestData::or_skip("bench lite beside YuNet");
    let image = match &data {
        Some(data) => Image::open(data.image("street_test.jpg")).unwrap(),
        None => Image::from_rgb(1280, 720, (0..1280 * 720 * 3).map(|i| (i % 253) as u8).collect()).unwrap(),
    };
    let mut group = c.benchmark_group("lite: detect 1280x720");
    for (name, runtime) in runtimes::at_hand() {
        for (model, opening) in models(data.as_ref()) {
            let detector = opening().runtime(runtime.clone()).build_detector().unwrap();
            println!("{name} {model}: {}, {} faces", detector.placement(), detector.detect(&image).unwrap().len());
            group.bench_function(BenchmarkId::new(name, model), |b| {
                b.iter(|| detector.detect(black_box(&image)).unwrap());
            });
        }
    }
}

fn embed(c: &mut Criterion) {
    let data = TestData::or_skip("bench lite beside MobileFaceNet");
    let crop = AlignedFace::from_rgb(112, 112, (0..112 * 112 * 3).map(|i| (i % 251) as u8).collect()).unwrap();
    let mut group = c.benchmark_group("lite: embed");
    for (name, runtime) in runtimes::at_hand() {
        for (model, opening) in models(data.as_ref()) {
            let embedder = opening().runtime(runtime.clone()).build_embedder().unwrap();
            println!("{name} {model}: {}", embedder.placement());
            for batch in [1, 8] {
                let crops = vec![crop.clone(); batch];
                group.throughput(Throughput::Elements(batch as u64));
                group.bench_function(BenchmarkId::new(format!("{name} {model}"), batch), |b| {
                    b.iter(|| embedder.embed(black_box(&crops)).unwrap());
                });
            }
        }
    }
}

/// From nothing to a recognizer, and the part of it that reading the pack takes: manifest, checksums, graphs.
fn load(c: &mut Criterion) {
    let data = TestData::or_skip("bench loading lite beside files");
    let mut group = c.benchmark_group("lite: load");
    group.bench_function("the pack alone", |b| b.iter(|| Pack::lite().unwrap()));
    for (name, runtime) in runtimes::at_hand() {
        for (model, opening) in models(data.as_ref()) {
            group.bench_function(BenchmarkId::new(name, model), |b| {
                b.iter(|| opening().runtime(runtime.clone()).build().unwrap());
            });
        }
    }
}

criterion_group! {
    name = lite;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = detect, embed, load
}
criterion_main!(lite);
