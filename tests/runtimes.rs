//! Runtimes agree, are shared by threads, and say what they are.

use std::path::Path;
use std::sync::{Arc, Barrier};

use facecore::backend::fake::FakeBackend;
use facecore::backend::{OpenVinoOptions, Outputs, TensorView, open_session};
use facecore::model::{ElementType, PortInfo};
use facecore::{
    AlignedFace, Aligner, Detector, DetectorOptions, DetectorSpec, Embedder, EmbedderOptions, EmbedderSpec, ErrorKind,
    Image, ModelSource, Precision, Provider, ProviderRequest, Recognizer, Runtime, RuntimeOptions, Template,
};
use facecore_testkit::runtimes::{builtin, onnxruntime_or_skip};
use facecore_testkit::{TestData, models, skip};

const PHOTOS: [&str; 4] = ["obama.jpg", "two_people.jpg", "group_sample5.jpg", "antispoof_T1.jpg"];

fn recognizer(data: &TestData, detector: &str, embedder: &str, runtime: &RuntimeOptions) -> Recognizer {
    let (detector, embedder) = (data.model(detector), data.model(embedder));
    Recognizer::builder().detector(detector).embedder(embedder).runtime(runtime.clone()).build().unwrap()
}

/// The crops of every face in the photos, as one detector sees them.
fn crops(data: &TestData) -> Vec<AlignedFace> {
    let recognizer = recognizer(data, "yunet_n_dynamic", "mobilefacenet_128", &builtin());
    let aligner = Aligner::new(Template::arcface_112());
    let mut crops = Vec::new();
    for photo in PHOTOS {
        let image = Image::open(data.image(photo)).unwrap();
        for face in recognizer.detector().detect(&image).unwrap() {
            crops.push(aligner.align(&image, &face.landmarks.unwrap()).unwrap());
        }
    }
    assert!(crops.len() >= 9, "{} faces", crops.len());
    crops
}

fn lowest_cosine(a: &Embedder, b: &Embedder, crops: &[AlignedFace]) -> f32 {
    let (left, right) = (a.embed(crops).unwrap(), b.embed(crops).unwrap());
    let cosine = |(x, y): (&facecore::Embedding, &facecore::Embedding)| {
        x.values().iter().zip(y.values()).map(|(x, y)| x * y).sum::<f32>()
    };
    left.iter().zip(&right).map(cosine).fold(f32::INFINITY, f32::min)
}

#[test]
fn the_builtin_runtime_agrees_with_onnxruntime() {
    let Some(data) = TestData::or_skip("agreement of runtimes") else { return };
    let Some(onnxruntime) = onnxruntime_or_skip("agreement of runtimes", "cpu", Precision::Full) else { return };
    let crops = crops(&data);
    for detector in ["scrfd_2.5g_bnkps", "scrfd_500m_bnkps", "yunet_n_dynamic"] {
        let ours = recognizer(&data, detector, "mobilefacenet_128", &builtin());
        let theirs = recognizer(&data, detector, "mobilefacenet_128", &onnxruntime);
        let lowest = lowest_cosine(ours.embedder(), theirs.embedder(), &crops);
        assert!(lowest >= 0.9999, "cosine {lowest}");
        for photo in PHOTOS {
            let image = Image::open(data.image(photo)).unwrap();
            let (left, right) = (ours.detector().detect(&image).unwrap(), theirs.detector().detect(&image).unwrap());
            assert_eq!(left.len(), right.len(), "{detector} on {photo}");
            for (a, b) in left.iter().zip(&right) {
                assert!(a.rect.iou(&b.rect) > 0.999 && (a.score - b.score).abs() < 1e-3, "{detector}: {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn a_model_of_fixed_batch_embeds_many_faces_alike() {
    let Some(data) = TestData::or_skip("models of fixed batch") else { return };
    let crops = crops(&data);
    let load =
        |model: &str| Recognizer::builder().embedder(data.model(model)).runtime(builtin()).build_embedder().unwrap();
    let (any, one) = (load("mobilefacenet_128"), load("mobilefacenet_128_fixed_batch1"));
    let lowest = lowest_cosine(&any, &one, &crops);
    assert!(lowest >= 0.9999, "cosine {lowest}");
    assert_ne!(any.space(), one.space(), "two files without a declared space are two spaces");
    let three = ModelSource::from_bytes("mobilefacenet", models::tiny_embedder(64, Some(3)));
    let spec = EmbedderSpec::evident(&facecore::model::onnx::OnnxModel::parse(three.bytes()).unwrap(), &three).unwrap();
    let three = Embedder::load(&three, spec, &builtin(), EmbedderOptions::default()).unwrap();
    let together = three.embed(&crops[..4]).unwrap();
    for (crop, embedding) in crops.iter().zip(&together) {
        let alone = three.embed(std::slice::from_ref(crop)).unwrap();
        assert!(alone[0].cosine(embedding).unwrap() > 0.9999);
    }
}

#[test]
fn full_precision_repeats_itself_bit_for_bit() {
    let Some(data) = TestData::or_skip("repeatability") else { return };
    let runtimes = [
        Some(builtin()),
        onnxruntime_or_skip("repeatability of ONNX Runtime", "cpu", Precision::Full),
        onnxruntime_or_skip("repeatability of OpenVINO", "openvino", Precision::Full),
    ];
    let images = PHOTOS.map(|photo| Image::open(data.image(photo)).unwrap());
    for runtime in runtimes.into_iter().flatten() {
        // What was computed before, and by which of a pool's sessions, makes no difference either.
        let runs: Vec<Vec<_>> = (0..2)
            .flat_map(|_| {
                let recognizer = recognizer(&data, "yunet_n_dynamic", "mobilefacenet_128", &runtime);
                assert_eq!(recognizer.embedder().placement().precision, "f32");
                let run = || images.iter().map(|image| recognizer.recognize(image).unwrap().faces).collect();
                [run(), run()]
            })
            .collect();
        assert!(runs.iter().all(|run| *run == runs[0]), "{:?}", runtime.session.provider);
    }
}

/// The test runs itself once more, on one CPU: what the system allows is counted, not what the machine has.
#[cfg(target_os = "linux")]
#[test]
fn threads_are_as_many_as_the_process_may_use() {
    const ALONE: &str = "FACECORE_TEST_ON_ONE_CPU";
    if std::env::var_os(ALONE).is_some() {
        assert_eq!(RuntimeOptions::default().session.threads, 1);
        let embedder = Embedder::load(
            &ModelSource::from_bytes("resnet", models::resnet50_512(1)),
            EmbedderSpec::of(facecore::EmbedderKind::ArcFace),
            &builtin(),
            EmbedderOptions::default(),
        );
        assert_eq!(embedder.unwrap().placement().threads, 1);
        return;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
    let first = allowed.split(['-', ',']).next().unwrap();
    let mut child = std::process::Command::new("taskset");
    child.args(["-c", first]).arg(std::env::current_exe().unwrap());
    child.args(["--exact", "threads_are_as_many_as_the_process_may_use"]).env(ALONE, "1");
    match child.output() {
        Ok(output) => {
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && told.contains("1 passed"), "{told}");
        }
        Err(_) => skip("threads on one CPU", "there is no command taskset"),
    }
}

#[test]
fn photos_that_share_a_run_get_what_they_get_alone_bit_for_bit() {
    let Some(data) = TestData::or_skip("photos that share a run") else { return };
    let Some(runtime) = onnxruntime_or_skip("photos that share a run", "cpu", Precision::Full) else { return };
    let (detector, embedder) = (data.model("yunet_n_dynamic"), data.model("mobilefacenet_128"));
    let builder = Recognizer::builder().detector(detector).embedder(embedder).runtime(runtime).for_many_photos();
    let recognizer = builder.build().unwrap();
    let paths = [PHOTOS, PHOTOS].concat().into_iter().map(|photo| data.image(photo)).collect::<Vec<_>>();
    let together = recognizer.recognize_files(&paths, |_, _| ()).unwrap();
    for (path, found) in paths.iter().zip(together) {
        assert_eq!(found.unwrap().faces, recognizer.recognize_file(path).unwrap().faces, "{}", path.display());
    }
}

#[test]
fn a_damaged_compiled_model_is_compiled_again() {
    let Some(data) = TestData::or_skip("compiled models") else { return };
    let what = "compiled models of OpenVINO";
    let Some(mut runtime) = onnxruntime_or_skip(what, "openvino", Precision::Full) else { return };
    let root = std::env::temp_dir().join(format!("facecore-compiled-models-{}", std::process::id()));
    let options = OpenVinoOptions { cache_dir: Some(root.clone()), ..OpenVinoOptions::default() };
    runtime.session.provider = ProviderRequest::Strict(Provider::OpenVino(options));
    let crop = AlignedFace::from_rgb(112, 112, (0..112 * 112 * 3).map(|at| (at % 251) as u8).collect()).unwrap();
    let embed = || {
        let embedder = Recognizer::builder().embedder(data.model("mobilefacenet_128")).runtime(runtime.clone());
        embedder.build_embedder().unwrap().embed(std::slice::from_ref(&crop)).unwrap()
    };
    let blobs = || -> Vec<_> {
        let folders = std::fs::read_dir(&root).unwrap().map(|folder| folder.unwrap().path());
        let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()));
        files.filter(|file| file.extension().is_some_and(|suffix| suffix == "blob")).collect()
    };
    let first = embed();
    assert_eq!(blobs().len(), 1);
    assert_eq!(embed(), first);
    let whole = std::fs::read(&blobs()[0]).unwrap();
    let flipped = whole.iter().enumerate().map(|(at, byte)| if at % 999 == 0 { !byte } else { *byte }).collect();
    for damaged in [flipped, whole[..whole.len() / 2].to_vec(), Vec::new(), vec![0; 100]] {
        let blob = blobs().remove(0);
        std::fs::write(&blob, &damaged).unwrap();
        assert_eq!(embed(), first);
        assert!(std::fs::read(&blob).unwrap() != damaged, "made again");
    }
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn threads_sharing_a_recognizer_get_the_answers_of_one() {
    let Some(data) = TestData::or_skip("threads sharing a recognizer") else { return };
    let image = Image::open(data.image("two_people.jpg")).unwrap();
    let runtimes = [Some(builtin()), onnxruntime_or_skip("threads sharing a session", "cpu", Precision::Full)];
    for mut runtime in runtimes.into_iter().flatten() {
        runtime.session.threads = 1;
        runtime.session.concurrency = 3;
        let recognizer = recognizer(&data, "yunet_n_dynamic", "mobilefacenet_128", &runtime);
        let alone = recognizer.recognize(&image).unwrap().faces;
        assert_eq!(alone.len(), 2);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        assert_eq!(recognizer.recognize(&image).unwrap().faces, alone);
                    }
                });
            }
        });
    }
}

#[test]
fn callers_do_not_queue_behind_one_session() {
    let input =
        PortInfo { name: "input".into(), element: ElementType::F32, shape: vec![None, Some(3), Some(112), Some(112)] };
    let output = PortInfo { name: "embedding".into(), element: ElementType::F32, shape: vec![None, Some(64)] };
    // Each run waits for two others to be inside: one session for all would wait for ever.
    let together = Arc::new(Barrier::new(3));
    let meet = together.clone();
    let backend =
        FakeBackend::new(vec![input], vec![output], move |inputs: &[TensorView<'_>], outputs: &mut Outputs| {
            meet.wait();
            let rows = inputs[0].shape[0];
            outputs.prepare(1)[0].assign([rows, 64], &vec![1.0; rows * 64]);
            Ok(())
        });
    let runtime = RuntimeOptions { runtime: Runtime::Custom(Arc::new(backend.clone())), ..RuntimeOptions::default() };
    let source = ModelSource::from_bytes("fake", Vec::new());
    let spec = EmbedderSpec::of(facecore::EmbedderKind::ArcFace);
    let embedder = Embedder::load(&source, spec, &runtime, EmbedderOptions::default()).unwrap();
    let crop = AlignedFace::from_rgb(112, 112, vec![0; 112 * 112 * 3]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(embedder.embed(std::slice::from_ref(&crop)).unwrap().len(), 1));
        }
    });
    assert_eq!(backend.runs(), 3);
}

#[test]
fn a_strict_provider_that_is_missing_is_named() {
    let Some(cpu) = onnxruntime_or_skip("strict providers", "cpu", Precision::Full) else { return };
    let model = ModelSource::from_bytes("tiny.onnx", models::tiny_embedder(64, None));
    for (name, plugin) in [("cuda", "providers_cuda"), ("tensorrt", "providers_tensorrt")] {
        let mut strict = cpu.clone();
        strict.session.provider = ProviderRequest::Strict(Provider::from_name(name).unwrap());
        match open_session(&model, &strict) {
            // On a machine with the GPU build this is right.
            Ok(session) => assert_eq!(session.placement().provider.to_lowercase(), name),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ProviderUnavailable, "{error}");
                let message = error.to_string();
                assert!(message.contains(plugin) && message.contains("libonnxruntime.so"), "{message}");
            }
        }
        let mut preferred = cpu.clone();
        preferred.session.provider = ProviderRequest::Prefer(vec![Provider::from_name(name).unwrap()]);
        let session = open_session(&model, &preferred).unwrap();
        if session.placement().provider == "CPU" {
            assert!(session.placement().notes[0].contains(plugin), "{:?}", session.placement().notes);
        }
    }
    let mut strict = builtin();
    strict.session.provider = ProviderRequest::Strict(Provider::from_name("cuda").unwrap());
    assert_eq!(open_session(&model, &strict).err().unwrap().kind(), ErrorKind::ProviderUnavailable);
}

#[test]
fn a_library_that_is_none_is_an_error() {
    let folder = std::env::temp_dir().join(format!("facecore-no-runtime-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text = folder.join("libonnxruntime.so.1.99.0");
    std::fs::write(&text, "this is no library").unwrap();
    let model = ModelSource::from_bytes("tiny.onnx", models::tiny_embedder(64, None));
    let open = |library: &Path| {
        let options = RuntimeOptions { library: Some(library.to_path_buf()), ..RuntimeOptions::default() };
        open_session(&model, &options).err().expect("no runtime").kind()
    };
    assert_eq!(open(&text), ErrorKind::RuntimeInvalid);
    assert_eq!(open(&folder), ErrorKind::RuntimeInvalid);
    std::fs::remove_dir_all(&folder).unwrap();
    // Named, but not there: the built-in runtime must not stand in silently.
    let missing = open(&text);
    assert!(matches!(missing, ErrorKind::RuntimeNotFound | ErrorKind::RuntimeInvalid), "{missing:?}");
}

#[test]
fn without_onnxruntime_the_builtin_runtime_serves_and_says_so() {
    let model = ModelSource::from_bytes("tiny.onnx", models::tiny_embedder(64, None));
    let session = open_session(&model, &RuntimeOptions::default()).unwrap();
    let placement = session.placement();
    if placement.runtime.starts_with("rten") {
        assert!(placement.notes[0].starts_with("ONNX Runtime: no ONNX Runtime library was found"), "{placement:?}");
    } else {
        assert!(placement.runtime.starts_with("onnxruntime 1."), "{placement:?}");
    }
}

#[test]
fn the_resnet50_of_the_benches_runs_everywhere() {
    let model = ModelSource::from_bytes("arcface_r50.onnx", models::resnet50_512(1));
    let crop = AlignedFace::from_rgb(112, 112, (0..112 * 112 * 3).map(|i| (i % 251) as u8).collect()).unwrap();
    let runtimes =
        [Some(builtin()), onnxruntime_or_skip("the generated ResNet-50 on ONNX Runtime", "cpu", Precision::Full)];
    let embeddings: Vec<_> = runtimes
        .into_iter()
        .flatten()
        .map(|runtime| {
            let spec = EmbedderSpec::of(facecore::EmbedderKind::ArcFace);
            let embedder = Embedder::load(&model, spec, &runtime, EmbedderOptions::default()).unwrap();
            assert_eq!(embedder.dimension(), 512);
            embedder.embed(std::slice::from_ref(&crop)).unwrap().remove(0)
        })
        .collect();
    assert!(embeddings[0].cosine(embeddings.last().unwrap()).unwrap() > 0.9999);
}

#[test]
fn detectors_and_embedders_are_send_and_sync() {
    fn shared<T: Send + Sync>() {}
    shared::<Detector>();
    shared::<Embedder>();
    shared::<Recognizer>();
    shared::<DetectorOptions>();
    shared::<DetectorSpec>();
}
