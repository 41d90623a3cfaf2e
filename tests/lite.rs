//! The pack that is part of the library: whole, small, licensed, and the same on every runtime.

use std::path::{Path, PathBuf};

use facecore::geometry::Rect;
use facecore::{
    AlignedFace, DetectorOptions, Embedder, Face, Image, ImageView, InputSize, Pack, PixelFormat, Precision,
    Recognizer, RuntimeOptions,
};
use facecore_testkit::TestData;
use facecore_testkit::runtimes::{builtin, onnxruntime_or_skip};

/// A wheel carries it, and so does every program with the feature.
const MOST_BYTES: u64 = 4_000_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("facecore/models/lite")
}

fn lite(runtime: &RuntimeOptions) -> Recognizer {
    Recognizer::builder().opened_pack(Pack::lite().unwrap()).runtime(runtime.clone()).build().unwrap()
}

/// A crop without a face, the same everywhere.
fn crop() -> AlignedFace {
    AlignedFace::from_rgb(112, 112, (0..112 * 112 * 3).map(|i| (i * 31 % 256) as u8).collect()).unwrap()
}

fn lowest_cosine(a: &Embedder, b: &Embedder, crops: &[AlignedFace]) -> f32 {
    let (left, right) = (a.embed(crops).unwrap(), b.embed(crops).unwrap());
    left.iter().zip(&right).map(|(a, b)| a.cosine(b).unwrap()).fold(f32::INFINITY, f32::min)
}

fn nearest<'a>(faces: &'a [Face], rect: &Rect) -> &'a Face {
    faces.iter().max_by(|a, b| a.rect.iou(rect).total_cmp(&b.rect.iou(rect))).expect("a face")
}

fn assert_alike(left: &[Face], right: &[Face], what: &str) {
    assert_eq!(left.len(), right.len(), "{what}");
    for face in left {
        // Two faces of nearly one score may change places.
        let other = nearest(right, &face.rect);
        assert!(other.rect.iou(&face.rect) > 0.999, "{what}: {face:?}, {other:?}");
        assert!((other.score - face.score).abs() < 1e-3, "{what}: {face:?}, {other:?}");
    }
}

#[test]
fn what_is_embedded_is_what_lies_in_the_folder() {
    let (embedded, opened) = (Pack::lite().unwrap(), Pack::open(folder()).unwrap());
    assert_eq!((embedded.folder, opened.folder), (None, Some(folder())));
    assert_eq!((embedded.name, embedded.version), (opened.name, opened.version));
    let (detector, embedder) = (embedded.detector.unwrap(), embedded.embedder.unwrap());
    assert_eq!((&detector.spec, &embedder.spec), (&opened.detector.unwrap().spec, &opened.embedder.unwrap().spec));
    for (source, declared) in [(&detector.source, &detector.sha256), (&embedder.source, &embedder.sha256)] {
        assert_eq!(Some(source.sha256()), *declared, "{} has no, or another, SHA-256", source.name());
        assert!(std::fs::read(folder().join(source.name())).unwrap() == source.bytes(), "{}", source.name());
        assert_eq!(source.path(), None, "nothing is read from a disk");
    }
    assert!(embedder.spec.space.is_some(), "galleries pin a name that outlives the file");
}

#[test]
fn it_is_small() {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    let bytes: u64 = files.sum();
    assert!(bytes <= MOST_BYTES, "{bytes} bytes");
}

#[test]
fn its_licence_is_told_and_its_card_is_there() {
    let pack = Pack::lite().unwrap();
    let licences = [pack.licence, pack.detector.unwrap().licence, pack.embedder.unwrap().licence];
    for licence in licences {
        let licence = licence.to_lowercase();
        assert!(licence.contains("research") && licence.contains("evaluation"), "{licence}");
    }
    for note in ["LICENSE.md", "MODEL_CARD.md"] {
        let text = std::fs::read_to_string(folder().join(note)).unwrap();
        assert!(text.to_lowercase().contains("research"), "{note} does not say what the weights may be used for");
    }
}

#[test]
fn it_runs_on_the_built_in_runtime() {
    let recognizer = lite(&builtin());
    assert!(recognizer.embedder().placement().runtime.starts_with("rten"));
    let embedding = recognizer.embedder().embed(&[crop()]).unwrap().remove(0);
    assert_eq!(embedding.values().len(), recognizer.embedder().dimension());
    assert_eq!(embedding.space().id(), Pack::lite().unwrap().embedder.unwrap().spec.space.unwrap());
    // Sizes that no detector likes.
    for (width, height) in [(1, 1), (1, 5000), (5000, 1), (31, 33), (640, 2), (640, 480)] {
        let image = Image::from_rgb(width, height, vec![90; width * height * 3]).unwrap();
        assert!(recognizer.recognize(&image).unwrap().faces.is_empty(), "{width} x {height}");
    }
    assert_eq!(Recognizer::lite().unwrap().embedder().space(), recognizer.embedder().space());
}

#[test]
fn runtimes_agree_on_a_crop() {
    let Some(onnxruntime) = onnxruntime_or_skip("the built-in pack on ONNX Runtime", "cpu", Precision::Full) else {
        return;
    };
    let lowest = lowest_cosine(lite(&builtin()).embedder(), lite(&onnxruntime).embedder(), &[crop()]);
    assert!(lowest > 0.9999, "cosine {lowest}");
}

#[test]
fn runtimes_agree_on_photographs() {
    let what = "the built-in pack on photographs";
    let Some(data) = TestData::or_skip(what) else { return };
    let Some(onnxruntime) = onnxruntime_or_skip(what, "cpu", Precision::Full) else { return };
    let (ours, theirs) = (lite(&builtin()), lite(&onnxruntime));
    let mut crops = Vec::new();
    for photo in data.images() {
        let image = Image::open(&photo).unwrap();
        let (left, right) = (ours.detector().detect(&image).unwrap(), theirs.detector().detect(&image).unwrap());
        assert_alike(&left, &right, &photo.display().to_string());
        for face in &left {
            crops.push(ours.aligner().align(&image, &face.landmarks.expect("five points")).unwrap());
        }
    }
    assert!(crops.len() >= 20, "{} faces in all photographs", crops.len());
    let lowest = lowest_cosine(ours.embedder(), theirs.embedder(), &crops);
    assert!(lowest > 0.9999, "cosine {lowest}");
}

/// The maps of the strides are halves of each other only where sides are even multiples of 32.
#[test]
fn a_face_is_found_where_sides_are_odd_multiples_of_32() {
    let what = "the built-in pack at odd sizes";
    let Some(data) = TestData::or_skip(what) else { return };
    let Some(onnxruntime) = onnxruntime_or_skip(what, "cpu", Precision::Full) else { return };
    let (ours, theirs) = (lite(&builtin()), lite(&onnxruntime));
    let options = DetectorOptions { input_size: InputSize::Native, close_ups: false, ..DetectorOptions::default() };
    // The photograph, where in it to begin, how many times 32 to take, and the face as SCRFD sees it.
    let small = Rect::new(196.0, 18.0, 249.0, 94.0);
    let large = Rect::new(879.0, 86.0, 1116.0, 426.0);
    let cuts = [
        ("obama-240p.jpg", (150, 5), (5, 3), small),
        ("obama-240p.jpg", (110, 0), (7, 5), small),
        ("obama-240p.jpg", (5, 10), (13, 7), small),
        ("obama-1080p.jpg", (800, 40), (11, 15), large),
        ("obama-1080p.jpg", (480, 0), (33, 21), large),
    ];
    for (photo, (x, y), (across, down), face) in cuts {
        let image = Image::open(data.image(photo)).unwrap();
        let stride = image.width() * 3;
        let pixels = &image.pixels()[y * stride + x * 3..];
        let cut = ImageView::new(pixels, across * 32, down * 32, stride, PixelFormat::Rgb).unwrap();
        let [left, right] = [&ours, &theirs].map(|it| it.detector().detect_with(cut, &options).unwrap());
        let what = format!("{across} x {down} times 32 of {photo}");
        assert_alike(&left, &right, &what);
        let (x, y) = (x as f32, y as f32);
        let expected = Rect::new(face.x1 - x, face.y1 - y, face.x2 - x, face.y2 - y);
        assert!(nearest(&left, &expected).rect.iou(&expected) > 0.6, "{what}: {left:?}, {expected:?} expected");
    }
}
