//! What a photo allocates once memory has been taken for its size: its answer, and nothing where that is used again.
//!
//! Models are fake, so that only the library's own allocations are counted, and only those of the test's thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use facecore::backend::fake::FakeBackend;
use facecore::{
    Detector, DetectorKind, DetectorOptions, DetectorSpec, Embedder, EmbedderKind, EmbedderOptions, EmbedderSpec,
    FlipAugmentation, ImageView, Landmarks, ModelSource, PixelFormat, Recognition, Recognizer, Rotation, Runtime,
    RuntimeOptions,
};

const FACES: usize = 6;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[allow(unsafe_code, reason = "an allocator is unsafe by definition")]
// SAFETY: everything is passed on to the system's allocator as it comes; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often `work` allocates once it has run before.
fn allocations<T>(mut work: impl FnMut() -> T) -> usize {
    for _ in 0..3 {
        work();
    }
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

fn recognizer(flip: FlipAugmentation) -> Recognizer {
    let source = ModelSource::from_bytes("fake", Vec::new());
    let on = |backend| RuntimeOptions { runtime: Runtime::Custom(Arc::new(backend)), ..RuntimeOptions::default() };
    let (detector, embedder) = (DetectorSpec::of(DetectorKind::Scrfd), EmbedderSpec::of(EmbedderKind::ArcFace));
    let detector = Detector::load(&source, detector, &on(FakeBackend::scrfd(FACES)), DetectorOptions::default());
    let options = EmbedderOptions { flip, ..EmbedderOptions::default() };
    let embedder = Embedder::load(&source, embedder, &on(FakeBackend::embedder(128)), options);
    Recognizer::from_parts(detector.unwrap(), embedder.unwrap(), 1)
}

/// Photos as they come: packed, with gaps, turned, from a camera.
fn views(pixels: &[u8]) -> Vec<ImageView<'_>> {
    let packed = |width, height, format| ImageView::packed(pixels, width, height, format).unwrap();
    vec![
        packed(256, 256, PixelFormat::Rgb),
        packed(1280, 886, PixelFormat::Bgr),
        packed(1280, 886, PixelFormat::Rgba).rotated(Rotation::Clockwise90),
        packed(1920, 1080, PixelFormat::Nv12).rotated(Rotation::Clockwise270),
        packed(640, 480, PixelFormat::Gray),
        ImageView::new(pixels, 900, 700, 3000, PixelFormat::Rgb).unwrap(),
    ]
}

#[test]
fn a_photo_of_a_size_seen_before_allocates_its_answer_at_most() {
    let pixels = vec![90; 1280 * 886 * 4];
    for flip in [FlipAugmentation::None, FlipAugmentation::Sum, FlipAugmentation::Concat] {
        let recognizer = recognizer(flip);
        let (detector, embedder) = (recognizer.detector(), recognizer.embedder());
        for view in views(&pixels) {
            let faces = detector.detect(view).unwrap();
            let landmarks: Vec<Landmarks> = faces.iter().map(|face| face.landmarks.unwrap()).collect();
            assert!(faces.len() >= FACES, "{view:?}");

            // A list that grows to its size by doubling.
            let growing = allocations(|| detector.detect(view).unwrap());
            assert!((1..=4).contains(&growing), "{growing} of detection, {view:?}");
            // The list, and of each embedding the coordinates, which those who hold it share.
            assert_eq!(allocations(|| embedder.embed_landmarks(view, &landmarks).unwrap()), 1 + faces.len());
            assert_eq!(allocations(|| recognizer.recognize(view).unwrap()), 1 + faces.len());

            let mut again = Vec::new();
            assert_eq!(allocations(|| detector.detect_into(view, detector.options(), &mut again).unwrap()), 0);
            assert_eq!(again, faces);
            // With nobody found there is a second look, for close-ups.
            let strict = DetectorOptions { score_threshold: Some(0.95), ..detector.options().clone() };
            detector.detect_into(view, &strict, &mut again).unwrap();
            assert_eq!(allocations(|| detector.detect_into(view, &strict, &mut again).unwrap()), 0, "{view:?}");
            assert_eq!(again, []);
            let mut again = Recognition::default();
            let options = detector.options();
            assert_eq!(allocations(|| recognizer.recognize_into(view, options, &mut again).unwrap()), 0, "{view:?}");
            assert_eq!(again.faces, recognizer.recognize(view).unwrap().faces);
        }
    }
}

#[test]
fn photos_of_sizes_in_turn_allocate_nothing_either() {
    let pixels = vec![90; 1280 * 886 * 4];
    let recognizer = recognizer(FlipAugmentation::None);
    let options = recognizer.detector().options();
    let mut recognition = Recognition::default();
    let views = views(&pixels);
    let count = allocations(|| {
        for view in &views {
            recognizer.recognize_into(*view, options, &mut recognition).unwrap();
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn an_answer_that_is_used_again_says_what_a_new_one_says() {
    let pixels = vec![90; 256 * 256 * 3];
    let view = ImageView::packed(&pixels, 256, 256, PixelFormat::Rgb).unwrap();
    let recognizer = recognizer(FlipAugmentation::None);
    let mut recognition = Recognition::default();
    let most = |max_faces| DetectorOptions { max_faces, ..recognizer.detector().options().clone() };
    for max_faces in [Some(4), Some(1), None, Some(0), Some(2)] {
        recognizer.recognize_into(view, &most(max_faces), &mut recognition).unwrap();
        assert_eq!(recognition.faces, recognizer.recognize_with(view, &most(max_faces)).unwrap().faces);
        assert_eq!(recognition.faces.len(), max_faces.unwrap_or(FACES));
        assert_eq!((recognition.width, recognition.height), (256, 256));
    }
}
