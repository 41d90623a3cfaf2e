//! Each stage alone: decode, scale, detect, align, embed.
//!
//! `cargo bench --bench stages -- detect` runs one group. Models and photographs are the test data's
//! (`FACECORE_TEST_DATA`); the ResNet-50 is generated. What runs where is printed first.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use facecore::backend::fake::FakeBackend;
use facecore::model::{ElementType, PortInfo};
use facecore::{
    AlignedFace, Aligner, Detector, DetectorKind, DetectorOptions, DetectorSpec, Embedder, EmbedderKind,
    EmbedderOptions, EmbedderSpec, Image, Landmarks, ModelSource, Recognizer, Runtime, RuntimeOptions, Template,
};
use facecore_testkit::{TestData, models, runtimes};
use fast_image_resize as fir;

fn decode(c: &mut Criterion) {
    let Some(data) = TestData::or_skip("bench decode") else { return };
    let mut group = c.benchmark_group("decode");
    for photo in ["street_test.jpg", "group_sample5.jpg", "lin-manuel-miranda.png"] {
        let bytes = std::fs::read(data.image(photo)).unwrap();
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(photo, |b| b.iter(|| Image::from_bytes(black_box(&bytes)).unwrap()));
    }
}

/// What lies before the model: a detector whose model does nothing, beside the scaling alone of a library.
fn scale(c: &mut Criterion) {
    let port = |name: &str, shape: &[Option<usize>]| PortInfo {
        name: name.into(),
        element: ElementType::F32,
        shape: shape.to_vec(),
    };
    let outputs: Vec<PortInfo> = (0..9).map(|i| port(&format!("out{i}"), &[None, Some([1, 4, 10][i / 3])])).collect();
    let widths = [1, 1, 1, 4, 4, 4, 10, 10, 10];
    let backend =
        FakeBackend::new(vec![port("input", &[Some(1), Some(3), None, None])], outputs, move |inputs, outputs| {
            let cells = inputs[0].shape[2] * inputs[0].shape[3];
            for (at, (tensor, width)) in outputs.prepare(9).iter_mut().zip(widths).enumerate() {
                let rows = cells / (64 << (2 * (at % 3))) * 2;
                tensor.data.resize(rows * width, 0.0);
            }
            Ok(())
        });
    let runtime = RuntimeOptions { runtime: Runtime::Custom(Arc::new(backend)), ..RuntimeOptions::default() };
    let source = ModelSource::from_bytes("fake", Vec::new());
    let options = DetectorOptions { close_ups: false, ..DetectorOptions::default() };
    let detector = Detector::load(&source, DetectorSpec::of(DetectorKind::Scrfd), &runtime, options).unwrap();

    let mut group = c.benchmark_group("scale");
    for (width, height) in [(1280, 886), (1920, 1080), (4000, 3000)] {
        let image = Image::from_rgb(width, height, (0..width * height * 3).map(|i| (i % 253) as u8).collect()).unwrap();
        let size = format!("{width}x{height}");
        group.bench_function(BenchmarkId::new("facecore with planes and an empty decode", &size), |b| {
            b.iter(|| detector.detect(black_box(&image)).unwrap());
        });
        let view =
            fir::images::ImageRef::new(width as u32, height as u32, image.pixels(), fir::PixelType::U8x3).unwrap();
        let mut target = fir::images::Image::new(640, (640 * height / width) as u32, fir::PixelType::U8x3);
        let options = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Interpolation(fir::FilterType::Bilinear));
        let mut resizer = fir::Resizer::new();
        group.bench_function(BenchmarkId::new("fast_image_resize alone", &size), |b| {
            b.iter(|| resizer.resize(black_box(&view), &mut target, &options).unwrap());
        });
    }
}

fn detect(c: &mut Criterion) {
    let Some(data) = TestData::or_skip("bench detect") else { return };
    let image = Image::open(data.image("street_test.jpg")).unwrap();
    let mut group = c.benchmark_group("detect 1280x720");
    for (name, runtime) in runtimes::at_hand() {
        for model in ["yunet_n_dynamic", "scrfd_500m_bnkps", "scrfd_2.5g_bnkps"] {
            let builder = Recognizer::builder().detector(data.model(model)).runtime(runtime.clone());
            let detector = builder.build_detector().unwrap();
            println!("{name} {model}: {}", detector.placement());
            group.bench_function(BenchmarkId::new(name, model), |b| {
                b.iter(|| detector.detect(black_box(&image)).unwrap())
            });
        }
    }
}

fn align(c: &mut Criterion) {
    let image = Image::from_rgb(1920, 1080, (0..1920 * 1080 * 3).map(|i| (i % 253) as u8).collect()).unwrap();
    let aligner = Aligner::new(Template::arcface_112());
    let mut group = c.benchmark_group("align");
    for side in [60.0, 112.0, 400.0] {
        let points =
            aligner.template().points.map(|p| [700.0 + p.x * side / 112.0 + p.y * 0.1, 300.0 + p.y * side / 112.0]);
        let landmarks = Landmarks::from_pairs(points);
        group.bench_function(BenchmarkId::new("face of pixels", side), |b| {
            b.iter(|| aligner.align(black_box(&image), &landmarks).unwrap());
        });
    }
}

fn embed(c: &mut Criterion) {
    let crop = AlignedFace::from_rgb(112, 112, (0..112 * 112 * 3).map(|i| (i % 251) as u8).collect()).unwrap();
    let mut sources = vec![(ModelSource::from_bytes("iresnet50_512", models::resnet50_512(1)), EmbedderKind::ArcFace)];
    if let Some(data) = TestData::or_skip("bench embed with MobileFaceNet") {
        sources.insert(0, (ModelSource::open(data.model("mobilefacenet_128")).unwrap(), EmbedderKind::MobileFaceNet));
    }
    let mut group = c.benchmark_group("embed");
    for (name, runtime) in runtimes::at_hand() {
        for (source, kind) in &sources {
            let embedder =
                Embedder::load(source, EmbedderSpec::of(*kind), &runtime, EmbedderOptions::default()).unwrap();
            println!("{name} {}: {}", source.name(), embedder.placement());
            for batch in [1, 8] {
                group.throughput(Throughput::Elements(batch));
                let id = BenchmarkId::new(format!("{name} {}", source.name()), batch);
                group.bench_function(id, |b| {
                    let crops = vec![crop.clone(); batch as usize];
                    b.iter_batched(|| &crops, |crops| embedder.embed(crops).unwrap(), BatchSize::SmallInput);
                });
            }
        }
    }
}

criterion_group! {
    name = stages;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = decode, scale, detect, align, embed
}
criterion_main!(stages);
