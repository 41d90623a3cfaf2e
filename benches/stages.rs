//! Each stage alone: decode, scale, the detector's model, its answer, align, the embedder's model; searching is in
//! `gallery.rs`. And what a CPU's multiply-adds come to at best, to compare the models with.
//!
//! `cargo bench --bench stages -- detect` runs one group. Models and photographs are the test data's
//! (`FACECORE_TEST_DATA`); the ResNet-50 is generated. What runs where is printed first.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use facecore::backend::fake::FakeBackend;
use facecore::backend::{Outputs, TensorView, open_session};
use facecore::detect::parts;
use facecore::model::{ElementType, PortInfo};
use facecore::{
    AlignedFace, Aligner, Detector, DetectorKind, DetectorOptions, DetectorSpec, Embedder, EmbedderKind,
    EmbedderOptions, EmbedderSpec, Face, Image, Landmarks, ModelSource, Recognizer, Rect, Runtime, RuntimeOptions,
    Template,
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

/// The detector's model alone, at the size a photo of 3:2 is looked at.
fn detector_model(c: &mut Criterion) {
    let Some(data) = TestData::or_skip("bench detector model") else { return };
    let shape = [1, 3, 448, 640];
    let values: Vec<f32> = (0..3 * 448 * 640).map(|at| (at % 253) as f32 / 127.0 - 1.0).collect();
    let mut group = c.benchmark_group("detector model 640x448");
    for (name, runtime) in runtimes::at_hand() {
        for model in ["yunet_n_dynamic", "scrfd_2.5g_bnkps"] {
            let session = open_session(&ModelSource::open(data.model(model)).unwrap(), &runtime).unwrap();
            println!("{name} {model}: {}, {} threads", session.placement(), session.placement().threads);
            let mut outputs = Outputs::new();
            group.bench_function(BenchmarkId::new(name, model), |b| {
                b.iter(|| session.run(&[TensorView { shape: &shape, data: black_box(&values) }], &mut outputs).unwrap())
            });
        }
    }
}

/// From the detector's numbers to faces: those of a real photo, and overlapping boxes.
fn answer(c: &mut Criterion) {
    let Some(data) = TestData::or_skip("bench decoding of detections") else { return };
    let source = ModelSource::open(data.model("scrfd_2.5g_bnkps")).unwrap();
    let session = open_session(&source, &runtimes::builtin()).unwrap();
    let (spec, canvas) = (DetectorSpec::of(DetectorKind::Scrfd), (640, 448));
    let values: Vec<f32> = (0..3 * 448 * 640).map(|at| (at % 253) as f32 / 127.0 - 1.0).collect();
    let mut outputs = Outputs::new();
    session.run(&[TensorView { shape: &[1, 3, 448, 640], data: &values }], &mut outputs).unwrap();
    let decoder = parts::Decode::new(&spec, session.outputs()).unwrap();
    let mut faces = Vec::new();
    c.bench_function("answer/decode 640x448", |b| {
        b.iter(|| decoder.run(black_box(&outputs), canvas, spec.score_threshold, &mut faces).unwrap());
    });
    for count in [20, 200, 2000] {
        let face = |at: usize| {
            let (x, y) = ((at % 20 * 60 + at % 7) as f32, (at / 20 % 10 * 60 + at % 5) as f32);
            Face { rect: Rect::new(x, y, x + 50.0, y + 50.0), score: (at * 7919 % 1000) as f32, landmarks: None }
        };
        let candidates: Vec<Face> = (0..count).map(face).collect();
        let (mut order, mut kept) = (Vec::new(), Vec::new());
        c.bench_function(&format!("answer/nms of {count}"), |b| {
            b.iter(|| parts::suppress(black_box(&candidates), 0.4, &mut order, &mut kept));
        });
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

/// Faces cut straight into the input of an embedder whose model does nothing.
fn cut(c: &mut Criterion) {
    let image = Image::from_rgb(1920, 1080, (0..1920 * 1080 * 3).map(|i| (i % 253) as u8).collect()).unwrap();
    let runtime =
        RuntimeOptions { runtime: Runtime::Custom(Arc::new(FakeBackend::embedder(128))), ..RuntimeOptions::default() };
    let source = ModelSource::from_bytes("fake", Vec::new());
    let spec = EmbedderSpec::of(EmbedderKind::ArcFace);
    let embedder = Embedder::load(&source, spec, &runtime, EmbedderOptions::default()).unwrap();
    let landmarks = |side: f32| {
        let points = embedder.spec().template.points;
        Landmarks::from_pairs(points.map(|p| [700.0 + p.x * side / 112.0 + p.y * 0.1, 300.0 + p.y * side / 112.0]))
    };
    let mut group = c.benchmark_group("cut into the batch");
    for side in [60.0, 112.0, 400.0] {
        let faces = [landmarks(side); 6];
        group.throughput(Throughput::Elements(6));
        group.bench_function(BenchmarkId::new("6 faces of pixels", side), |b| {
            b.iter(|| embedder.embed_landmarks(black_box(&image), &faces).unwrap());
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

/// Multiply-adds in registers that do not wait for each other, one thread: elements a second are floating-point
/// operations a second.
fn peak(c: &mut Criterion) {
    const ROUNDS: usize = 100_000;
    let mut group = c.benchmark_group("peak");
    for (name, lanes, run) in peak::kernels() {
        group.throughput(Throughput::Elements((2 * ROUNDS * lanes * peak::SUMS) as u64));
        group.bench_function(name, |b| b.iter(|| run(black_box(ROUNDS), black_box(0.999), black_box(0.001))));
    }
}

mod peak {
    /// Enough that each is ready when its turn comes, and few enough for the registers.
    pub const SUMS: usize = 12;

    type Kernel = fn(usize, f32, f32) -> f32;

    /// What this CPU has: the instructions' name, how many values they take, and a loop of them.
    pub fn kernels() -> Vec<(&'static str, usize, Kernel)> {
        let mut kernels: Vec<(&'static str, usize, Kernel)> = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") && has!("fma") {
                // SAFETY: AVX2 and FMA were detected, which is all that the function asks for.
                #[allow(unsafe_code, reason = "the CPU has the instructions")]
                kernels.push(("AVX2", 8, |rounds, factor, addend| unsafe { avx2(rounds, factor, addend) }));
            }
            if has!("avx512f") {
                // SAFETY: AVX-512 was detected, which is all that the function asks for.
                #[allow(unsafe_code, reason = "the CPU has the instructions")]
                kernels.push(("AVX-512", 16, |rounds, factor, addend| unsafe { avx512(rounds, factor, addend) }));
            }
        }
        kernels
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn avx2(rounds: usize, factor: f32, addend: f32) -> f32 {
        multiply_add::<8>(rounds, factor, addend)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,fma")]
    fn avx512(rounds: usize, factor: f32, addend: f32) -> f32 {
        multiply_add::<16>(rounds, factor, addend)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn multiply_add<const LANES: usize>(rounds: usize, factor: f32, addend: f32) -> f32 {
        let mut sums = [[1.0f32; LANES]; SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                for lane in sum {
                    *lane = lane.mul_add(factor, addend);
                }
            }
        }
        sums.as_flattened().iter().sum()
    }
}

criterion_group! {
    name = stages;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = peak, decode, scale, detect, detector_model, answer, align, cut, embed
}
criterion_main!(stages);
