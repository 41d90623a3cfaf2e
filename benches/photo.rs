//! A whole photo: file in, faces with embeddings out.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use facecore::{Precision, Recognizer, RuntimeOptions};
use facecore_testkit::{TestData, runtimes};

fn recognizers(data: &TestData, name: &str, runtime: &RuntimeOptions) -> Vec<(String, Recognizer)> {
    let build = |detector: &str| {
        let files = Recognizer::builder().detector(data.model(detector)).embedder(data.model("mobilefacenet_128"));
        let recognizer = files.runtime(runtime.clone()).build().unwrap();
        println!("{name} {detector}: {}, {}", recognizer.detector().placement(), recognizer.embedder().placement());
        (format!("{name} {detector}"), recognizer)
    };
    ["yunet_n_dynamic", "scrfd_2.5g_bnkps"].map(build).into()
}

fn photo(c: &mut Criterion) {
    let Some(data) = TestData::or_skip("bench photo") else { return };
    let candidates = [
        ("rten", Some(runtimes::builtin())),
        ("onnxruntime", runtimes::onnxruntime_or_skip("benches of ONNX Runtime", "cpu", Precision::Full)),
        ("openvino-fast", runtimes::onnxruntime_or_skip("benches of OpenVINO", "openvino", Precision::Fast)),
    ];
    let path = data.image("group_sample5.jpg");
    let mut group = c.benchmark_group("group photo, 1920x1398");
    for (name, runtime) in candidates.into_iter().filter_map(|(name, runtime)| Some((name, runtime?))) {
        for (name, recognizer) in recognizers(&data, name, &runtime) {
            group.throughput(Throughput::Elements(1));
            group.bench_function(BenchmarkId::from_parameter(name), |b| {
                b.iter(|| recognizer.recognize_file(black_box(&path)).unwrap());
            });
        }
    }
}

criterion_group! {
    name = photos;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    targets = photo
}
criterion_main!(photos);
