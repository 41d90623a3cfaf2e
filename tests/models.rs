//! Model files and packs: the right ones load, the wrong ones fail with the port or file that differs, and
//! none brings the program down.

use std::path::{Path, PathBuf};

use facecore::model::ElementType;
use facecore::model::onnx::OnnxModel;
use facecore::{
    AlignedFace, Detector, DetectorKind, DetectorOptions, DetectorSpec, Embedder, EmbedderKind, EmbedderOptions,
    EmbedderSpec, ErrorKind, Image, ModelSource, Pack, Recognizer, Result, RuntimeOptions,
};
use facecore_testkit::models::{Detector as Generated, Embedder as GeneratedEmbedder, Scores, scrfd_like, yunet_like};
use facecore_testkit::runtimes::builtin;
use facecore_testkit::{TestData, models};

fn load_detector(source: &ModelSource, kind: DetectorKind, runtime: &RuntimeOptions) -> Result<Detector> {
    Detector::load(source, DetectorSpec::of(kind), runtime, DetectorOptions::default())
}

fn load_embedder(source: &ModelSource, kind: EmbedderKind, runtime: &RuntimeOptions) -> Result<Embedder> {
    Embedder::load(source, EmbedderSpec::of(kind), runtime, EmbedderOptions::default())
}

fn crop() -> AlignedFace {
    AlignedFace::from_rgb(112, 112, (0..112 * 112 * 3).map(|i| (i * 31 % 256) as u8).collect()).unwrap()
}

fn image() -> Image {
    Image::from_rgb(100, 60, (0..100 * 60 * 3).map(|i| (i * 17 % 256) as u8).collect()).unwrap()
}

/// An empty folder that is removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("facecore-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&path).ok();
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), content).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn every_model_in_every_slot_loads_or_says_what_differs() {
    let Some(data) = TestData::or_skip("every model in every slot") else { return };
    let runtime = RuntimeOptions::default();
    let fits = |kind: &str, name: &str| match kind {
        "scrfd" => name.starts_with("scrfd"),
        "yunet" => name.starts_with("yunet"),
        _ => name.starts_with("mobilefacenet"),
    };
    for path in data.models() {
        let source = ModelSource::open(&path).unwrap();
        let name = source.name();
        let check = |kind: &str, result: Result<()>| match result {
            Ok(()) => assert!(fits(kind, name), "{name} was taken for {kind}"),
            Err(error) => {
                assert!(!fits(kind, name), "{name} as {kind}: {error}");
                assert_eq!(error.kind(), ErrorKind::ModelMismatch, "{name} as {kind}: {error}");
                assert!(error.to_string().contains(name), "the message names the file: {error}");
            }
        };
        for kind in DetectorKind::ALL {
            check(kind.name(), load_detector(&source, *kind, &runtime).map(drop));
        }
        for kind in EmbedderKind::ALL {
            check(kind.name(), load_embedder(&source, *kind, &runtime).map(drop));
        }
    }
}

#[test]
fn the_kind_of_a_bare_file_is_evident_or_asked_for() {
    let Some(data) = TestData::or_skip("kinds of bare files") else { return };
    for path in data.models() {
        let source = ModelSource::open(&path).unwrap();
        let graph = OnnxModel::parse(source.bytes()).unwrap();
        let detector = DetectorSpec::evident(&graph, &source).map(|spec| spec.kind);
        let embedder = EmbedderSpec::evident(&graph, &source).map(|spec| spec.kind);
        match source.name() {
            name if name.starts_with("scrfd") => assert_eq!(detector.unwrap(), DetectorKind::Scrfd),
            name if name.starts_with("yunet") => assert_eq!(detector.unwrap(), DetectorKind::YuNet),
            name if name.starts_with("mobilefacenet") => {
                assert_eq!(embedder.unwrap(), EmbedderKind::MobileFaceNet);
                assert_eq!(detector.unwrap_err().kind(), ErrorKind::ModelMismatch);
            }
            name => assert!(detector.is_err() && embedder.is_err(), "{name}"),
        }
    }
}

#[test]
fn an_embedder_whose_name_tells_nothing_must_be_named() {
    let nameless = ModelSource::from_bytes("model.onnx", models::tiny_embedder(128, None));
    let graph = OnnxModel::parse(nameless.bytes()).unwrap();
    let error = EmbedderSpec::evident(&graph, &nameless).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelKindUnknown);
    assert!(error.to_string().contains("adaface"), "{error}");
    for (name, kind) in [
        ("adaface_ir101.onnx", EmbedderKind::AdaFace),
        ("face_recognition_sface_2021dec.onnx", EmbedderKind::SFace),
        ("w600k_r50.onnx", EmbedderKind::ArcFace),
        ("glintr100.onnx", EmbedderKind::ArcFace),
        ("MobileFaceNet.onnx", EmbedderKind::MobileFaceNet),
    ] {
        let source = ModelSource::from_bytes(name, nameless.bytes());
        assert_eq!(EmbedderSpec::evident(&graph, &source).unwrap().kind, kind, "{name}");
    }
}

#[test]
fn ports_that_differ_are_named() {
    let runtime = builtin();
    let detector = |kind: DetectorKind, options: &Generated| {
        let bytes = if kind == DetectorKind::Scrfd { scrfd_like(options) } else { yunet_like(options) };
        load_detector(&ModelSource::from_bytes("generated.onnx", bytes), kind, &runtime)
    };
    for kind in DetectorKind::ALL.iter().copied() {
        detector(kind, &Generated::default()).unwrap();
        let boxes = detector(kind, &Generated { box_values: 5, ..Generated::default() }).err().unwrap();
        assert!(boxes.kind() == ErrorKind::ModelMismatch && boxes.to_string().contains("bbox_8"), "{boxes}");
        let channels = detector(kind, &Generated { channels: 1, ..Generated::default() }).err().unwrap();
        assert!(channels.kind() == ErrorKind::ModelMismatch && channels.to_string().contains("`input"), "{channels}");
        let element = detector(kind, &Generated { element: ElementType::F16, ..Generated::default() }).err().unwrap();
        assert!(element.kind() == ErrorKind::ModelMismatch && element.to_string().contains("f16"), "{element}");
    }
    let grey = GeneratedEmbedder { channels: 1, ..GeneratedEmbedder::default() }.bytes();
    let error =
        load_embedder(&ModelSource::from_bytes("grey.onnx", grey), EmbedderKind::ArcFace, &runtime).err().unwrap();
    assert!(error.kind() == ErrorKind::ModelMismatch && error.to_string().contains("[batch, 3, 112, 112]"), "{error}");

    let source = ModelSource::from_bytes("tiny.onnx", models::tiny_embedder(128, None));
    let with = |change: fn(&mut EmbedderSpec)| {
        let mut spec = EmbedderSpec::of(EmbedderKind::ArcFace);
        change(&mut spec);
        Embedder::load(&source, spec, &runtime, EmbedderOptions::default()).map(drop)
    };
    with(|spec| spec.dimension = Some(128)).unwrap();
    for change in [
        (|spec: &mut EmbedderSpec| spec.dimension = Some(512)) as fn(&mut EmbedderSpec),
        |spec| spec.input = Some("data".into()),
        |spec| spec.output = Some("fc1".into()),
        |spec| spec.template = facecore::Template::arcface(128).unwrap(),
    ] {
        assert_eq!(with(change).unwrap_err().kind(), ErrorKind::ModelMismatch);
    }
}

#[test]
fn answers_that_are_no_numbers_are_errors() {
    let runtime = builtin();
    for (kind, generate) in
        [(DetectorKind::Scrfd, scrfd_like as fn(&Generated) -> Vec<u8>), (DetectorKind::YuNet, yunet_like)]
    {
        let bytes = generate(&Generated { scores: Scores::Nan, ..Generated::default() });
        let detector = load_detector(&ModelSource::from_bytes("nan.onnx", bytes), kind, &runtime).unwrap();
        let error = detector.detect(&image()).unwrap_err();
        assert!(error.kind() == ErrorKind::ModelOutput && error.to_string().contains("NaN"), "{error}");
    }
    let source = ModelSource::from_bytes("nan.onnx", models::nan_embedder(128));
    let embedder = load_embedder(&source, EmbedderKind::ArcFace, &runtime).unwrap();
    assert_eq!(embedder.embed(&[crop()]).unwrap_err().kind(), ErrorKind::ModelOutput);
}

#[test]
fn every_pixel_scored_as_a_face_is_still_a_list_of_faces() {
    let options = Generated { scores: Scores::Constant(0.9), ..Generated::default() };
    for (kind, bytes) in [(DetectorKind::Scrfd, scrfd_like(&options)), (DetectorKind::YuNet, yunet_like(&options))] {
        let detector = load_detector(&ModelSource::from_bytes("all.onnx", bytes), kind, &builtin()).unwrap();
        let faces = detector.detect(&image()).unwrap();
        assert!(!faces.is_empty());
        for (at, face) in faces.iter().enumerate() {
            assert!(faces[..at].iter().all(|other| other.rect.iou(&face.rect) <= detector.spec().nms_iou + 1e-3));
        }
        let few = DetectorOptions { max_faces: Some(3), ..DetectorOptions::default() };
        assert_eq!(detector.detect_with(&image(), &few).unwrap(), faces[..3]);
    }
}

#[test]
fn a_detector_without_keypoints_detects_but_cannot_be_recognised_from() {
    let options = Generated { keypoints: false, scores: Scores::Constant(0.9), ..Generated::default() };
    let source = ModelSource::from_bytes("boxes.onnx", scrfd_like(&options));
    let detector = load_detector(&source, DetectorKind::Scrfd, &builtin()).unwrap();
    let faces = detector.detect(&image()).unwrap();
    assert!(!faces.is_empty() && faces.iter().all(|face| face.landmarks.is_none()));
    let source = ModelSource::from_bytes("tiny.onnx", models::tiny_embedder(128, None));
    let embedder = load_embedder(&source, EmbedderKind::ArcFace, &builtin()).unwrap();
    let error = Recognizer::from_parts(detector, embedder, 1).recognize(&image()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Landmarks);
}

#[test]
fn sizes_that_a_hostile_file_declares_are_not_allocated() {
    let huge = GeneratedEmbedder { batch: Some(1 << 40), ..GeneratedEmbedder::default() }.bytes();
    let error =
        load_embedder(&ModelSource::from_bytes("huge.onnx", huge), EmbedderKind::ArcFace, &builtin()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::ModelMismatch, "{error}");
    let wide = scrfd_like(&Generated { size: Some((1 << 20, 1 << 20)), ..Generated::default() });
    let error =
        load_detector(&ModelSource::from_bytes("wide.onnx", wide), DetectorKind::Scrfd, &builtin()).err().unwrap();
    // rten may give up on such sizes before facecore sees them.
    assert!(matches!(error.kind(), ErrorKind::ModelMismatch | ErrorKind::ModelUnsupported), "{error}");
    let template = facecore::Template { size: (1 << 40, 1 << 40), ..facecore::Template::arcface_112() };
    let spec = EmbedderSpec { template: template.clone(), ..EmbedderSpec::of(EmbedderKind::ArcFace) };
    let source = ModelSource::from_bytes("tiny.onnx", models::tiny_embedder(128, None));
    let error = Embedder::load(&source, spec, &builtin(), EmbedderOptions::default()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    let points = facecore::Landmarks(facecore::Template::arcface_112().points);
    let error = facecore::Aligner::new(template).align(&image(), &points).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
}

#[test]
fn the_same_file_prepared_differently_is_another_space() {
    let source = ModelSource::from_bytes("tiny.onnx", models::tiny_embedder(128, None));
    let embed = |kind| {
        let embedder = load_embedder(&source, kind, &builtin()).unwrap();
        embedder.embed(&[crop()]).unwrap().remove(0)
    };
    let (arcface, again, sface) =
        (embed(EmbedderKind::ArcFace), embed(EmbedderKind::ArcFace), embed(EmbedderKind::SFace));
    assert!(arcface.cosine(&again).unwrap() > 0.9999);
    assert_eq!(arcface.cosine(&sface).unwrap_err().kind(), ErrorKind::EmbeddingSpaceMismatch);
}

#[test]
fn specs_with_impossible_numbers_are_refused() {
    let detector = |change: fn(&mut DetectorSpec)| {
        let mut spec = DetectorSpec::of(DetectorKind::Scrfd);
        change(&mut spec);
        let source = ModelSource::from_bytes("d.onnx", scrfd_like(&Generated::default()));
        Detector::load(&source, spec, &builtin(), DetectorOptions::default()).err().map(|error| error.kind())
    };
    assert_eq!(detector(|_| ()), None);
    let wrong = Some(ErrorKind::InvalidArgument);
    assert_eq!(detector(|spec| spec.score_threshold = f32::NAN), wrong);
    assert_eq!(detector(|spec| spec.nms_iou = 1.5), wrong);
    assert_eq!(detector(|spec| spec.normalization.std[1] = 0.0), wrong);
    assert_eq!(detector(|spec| spec.normalization.mean[2] = f32::INFINITY), wrong);
    assert_eq!(detector(|spec| spec.smallest_face = f32::NAN), wrong);
}

#[test]
fn files_that_are_no_models_are_refused_by_both_runtimes() {
    let detector = Pack::lite().unwrap().detector.unwrap().source;
    let whole = detector.bytes();
    let mut flipped = whole.to_vec();
    for at in (0..flipped.len()).step_by(41) {
        flipped[at] ^= 0x55;
    }
    let files: [(&str, &[u8]); 6] = [
        ("empty", &[]),
        ("text", b"<html>not found</html>"),
        ("pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
        ("photo", include_bytes!("data/images/rgb_adobe.jpg")),
        ("half", &whole[..whole.len() / 2]),
        ("flipped", &flipped),
    ];
    for runtime in [RuntimeOptions::default(), builtin()] {
        for (name, bytes) in files {
            let source = ModelSource::from_bytes(name, bytes);
            let error = load_detector(&source, DetectorKind::YuNet, &runtime).err().unwrap_or_else(|| panic!("{name}"));
            let typed = [ErrorKind::ModelCorrupt, ErrorKind::ModelUnsupported, ErrorKind::ModelMismatch];
            assert!(typed.contains(&error.kind()), "{name}: {error}");
        }
    }
}

/// A pack of a generated detector and embedder with these lines added to its sections.
fn write_pack(folder: &Folder, detector: &str, embedder: &str) -> String {
    let bytes = models::tiny_embedder(96, None);
    folder.write("det.onnx", scrfd_like(&Generated { scores: Scores::FromImage, ..Generated::default() }));
    folder.write("emb.onnx", &bytes);
    let manifest = format!(
        "format = 1\nname = \"test\"\nversion = \"2\"\nlicence = \"MIT\"\n\
         [detector]\nfile = \"det.onnx\"\nkind = \"scrfd\"\n{detector}\n\
         [embedder]\nfile = \"emb.onnx\"\nkind = \"arcface\"\n{embedder}\n"
    );
    folder.write("pack.toml", manifest);
    ModelSource::from_bytes("emb.onnx", bytes).sha256()
}

fn build(folder: &Path) -> Result<Recognizer> {
    Recognizer::builder().pack(folder).runtime(builtin()).build()
}

#[test]
fn a_pack_sets_what_it_says() {
    let folder = Folder::new("pack");
    let sha256 = write_pack(&folder, "", "");
    write_pack(
        &folder,
        "score_threshold = 0.25\ncolor = \"bgr\"",
        &format!(
            "space = \"tiny/arcface-112\"\nthreshold = 0.5\ndimension = 96\nlicence = \"CC0\"\nsha256 = \"{sha256}\""
        ),
    );
    let pack = Pack::open(&folder.0).unwrap();
    assert_eq!(
        (pack.name.as_str(), pack.version.as_str(), pack.embedder.unwrap().licence.as_str()),
        ("test", "2", "CC0")
    );
    assert_eq!(pack.detector.unwrap().licence, "MIT");
    let recognizer = build(&folder.0).unwrap();
    assert_eq!(recognizer.detector().spec().score_threshold, 0.25);
    let space = recognizer.embedder().space();
    assert_eq!((space.id(), space.threshold(), recognizer.embedder().dimension()), ("tiny/arcface-112", 0.5, 96));
}

#[test]
fn packs_that_do_not_fit_are_refused() {
    let folder = Folder::new("bad-pack");
    let refused = |detector: &str, embedder: &str| {
        write_pack(&folder, detector, embedder);
        let error = build(&folder.0).err().unwrap_or_else(|| panic!("taken: {detector} {embedder}"));
        (error.kind(), error.to_string())
    };
    let (kind, message) = refused("", &format!("sha256 = \"{}\"", "0".repeat(64)));
    assert!(kind == ErrorKind::ChecksumMismatch && message.contains("emb.onnx"), "{message}");
    assert_eq!(refused("", "sha256 = \"00\"").0, ErrorKind::PackInvalid);
    assert_eq!(refused("", "dimension = 512").0, ErrorKind::ModelMismatch);
    assert_eq!(refused("", "template = \"arcface-128\"").0, ErrorKind::ModelMismatch);
    assert_eq!(refused("input = \"data\"", "").0, ErrorKind::ModelMismatch);
    assert_eq!(refused("outputs = [\"a\", \"b\"]", "").0, ErrorKind::ModelMismatch);
    assert_eq!(refused("unheard_of = 1", "").0, ErrorKind::PackInvalid);
    write_pack(&folder, "", "");
    let named = Recognizer::builder().pack(&folder.0).detector_kind(DetectorKind::Scrfd).runtime(builtin()).build();
    assert_eq!(named.err().unwrap().kind(), ErrorKind::InvalidArgument);
    #[cfg(unix)]
    {
        let outside = Folder::new("outside-the-pack");
        std::fs::rename(folder.0.join("det.onnx"), outside.0.join("det.onnx")).unwrap();
        std::os::unix::fs::symlink(outside.0.join("det.onnx"), folder.0.join("det.onnx")).unwrap();
        assert_eq!(build(&folder.0).err().unwrap().kind(), ErrorKind::PackInvalid);
    }
    std::fs::remove_file(folder.0.join("det.onnx")).unwrap();
    assert_eq!(build(&folder.0).err().unwrap().kind(), ErrorKind::ModelNotFound);
    assert_eq!(build(&folder.0.join("nowhere")).err().unwrap().kind(), ErrorKind::ModelNotFound);
}

#[test]
fn flip_augmentation_changes_the_space_and_does_what_it_says() {
    use facecore::FlipAugmentation;
    let source = ModelSource::from_bytes("tiny.onnx", models::tiny_embedder(96, None));
    let with = |flip| {
        let options = EmbedderOptions { flip, ..EmbedderOptions::default() };
        Embedder::load(&source, EmbedderSpec::of(EmbedderKind::ArcFace), &builtin(), options).unwrap()
    };
    let (plain, sum, concat) =
        (with(FlipAugmentation::None), with(FlipAugmentation::Sum), with(FlipAugmentation::Concat));
    assert_eq!((plain.dimension(), sum.dimension(), concat.dimension()), (96, 96, 192));
    let embed = |embedder: &Embedder, crop: AlignedFace| embedder.embed(&[crop]).unwrap().remove(0);
    let (face, mirrored) = (embed(&plain, crop()), embed(&plain, crop().flipped()));
    let raw =
        |embedding: &facecore::Embedding| embedding.values().iter().map(|v| v * embedding.norm()).collect::<Vec<_>>();
    let added: Vec<f32> = raw(&face).iter().zip(raw(&mirrored)).map(|(a, b)| a + b).collect();
    let expected = facecore::Embedding::from_raw(added, sum.space().clone()).unwrap();
    assert!(embed(&sum, crop()).cosine(&expected).unwrap() > 0.99999);
    let joined = embed(&concat, crop());
    let expected =
        facecore::Embedding::from_raw([raw(&face), raw(&mirrored)].concat(), concat.space().clone()).unwrap();
    assert!(joined.cosine(&expected).unwrap() > 0.99999);
    assert_eq!(face.cosine(&embed(&sum, crop())).unwrap_err().kind(), ErrorKind::EmbeddingSpaceMismatch);
}
