//! Many photos at once: whose faces share a run of the embedder, and that no photo costs another one anything.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use facecore::backend::fake::FakeBackend;
use facecore::backend::{Outputs, TensorView};
use facecore::model::{ElementType, PortInfo};
use facecore::{
    Batching, Detector, DetectorKind, DetectorOptions, DetectorSpec, Embedder, EmbedderKind, EmbedderOptions,
    EmbedderSpec, Error, ErrorKind, FlipAugmentation, Image, ModelSource, Photo, Recognition, Recognizer, Result,
    Runtime, RuntimeOptions,
};

const FACES: usize = 2;
const PATIENT: Duration = Duration::from_secs(3600);

fn on(backend: FakeBackend) -> RuntimeOptions {
    RuntimeOptions { runtime: Runtime::Custom(Arc::new(backend)), ..RuntimeOptions::default() }
}

/// Values of an embedding, the fewest that a model may have.
const DIMENSION: usize = 64;

/// An embedder whose embeddings tell the mean of each colour; runs of which `fails` says so fail.
fn telling(batch: Option<usize>, fails: impl Fn(usize) -> bool + Send + Sync + 'static) -> FakeBackend {
    let port = |name: &str, shape: Vec<Option<usize>>| PortInfo { name: name.into(), element: ElementType::F32, shape };
    let input = port("input", vec![batch, Some(3), Some(112), Some(112)]);
    let runs = AtomicUsize::new(0);
    let compute = move |inputs: &[TensorView<'_>], outputs: &mut Outputs| {
        if fails(runs.fetch_add(1, Ordering::SeqCst)) {
            return Err(Error::new(ErrorKind::Inference, "the runtime failed"));
        }
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32 + 2.0;
        let embed = |row: &[f32]| {
            let means: Vec<f32> = row.chunks(112 * 112).map(mean).collect();
            means.into_iter().cycle().take(DIMENSION)
        };
        let values: Vec<f32> = inputs[0].data.chunks(3 * 112 * 112).flat_map(embed).collect();
        outputs.prepare(1)[0].assign([inputs[0].shape[0], DIMENSION], &values);
        Ok(())
    };
    FakeBackend::new(vec![input], vec![port("output", vec![None, Some(DIMENSION)])], compute)
}

fn recognizer(embedder: FakeBackend, flip: FlipAugmentation, threads: usize) -> Recognizer {
    let source = ModelSource::from_bytes("fake", Vec::new());
    let detector = Detector::load(
        &source,
        DetectorSpec::of(DetectorKind::Scrfd),
        &on(FakeBackend::scrfd(FACES)),
        DetectorOptions::default(),
    );
    let options = EmbedderOptions { flip, ..EmbedderOptions::default() };
    let embedder = Embedder::load(&source, EmbedderSpec::of(EmbedderKind::ArcFace), &on(embedder), options);
    Recognizer::from_parts(detector.unwrap(), embedder.unwrap(), threads)
}

/// Photos of different colours.
fn photos(count: usize) -> Vec<Image> {
    let pixel = |photo: usize| [(photo * 5 % 256) as u8, (photo * 3 % 256) as u8, 40];
    (0..count).map(|photo| Image::from_rgb(256, 256, pixel(photo).repeat(256 * 256)).unwrap()).collect()
}

/// A black photo in a file.
fn bitmap() -> Vec<u8> {
    let bytes = 54 + 256 * 256 * 3u32;
    let mut file = b"BM".to_vec();
    file.extend([bytes, 0, 54, 40, 256, 256, (24 << 16) | 1, 0, 0, 0, 0, 0, 0].map(u32::to_le_bytes).as_flattened());
    file.resize(bytes as usize, 0);
    file
}

fn collect<P: Into<Photo>>(
    recognizer: &Recognizer,
    photos: impl IntoIterator<Item = P>,
    batching: &Batching,
) -> Vec<(usize, Result<Recognition>)> {
    let results = Mutex::new(Vec::new());
    recognizer.recognize_each(photos, batching, |index, result| results.lock().unwrap().push((index, result))).unwrap();
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(index, _)| *index);
    results
}

#[test]
fn every_photo_gets_the_answer_it_gets_alone() {
    let photos = photos(41);
    for flip in [FlipAugmentation::None, FlipAugmentation::Sum, FlipAugmentation::Concat] {
        for batch in [None, Some(1), Some(4)] {
            let recognizer = recognizer(telling(batch, |_| false), flip, 3);
            let alone: Vec<_> = photos.iter().map(|photo| recognizer.recognize(photo).unwrap().faces).collect();
            for faces in [1, 7, 32] {
                let results = collect(&recognizer, photos.clone(), &Batching { faces, longest_wait: PATIENT });
                assert_eq!(results.len(), photos.len());
                for (at, (index, result)) in results.into_iter().enumerate() {
                    assert_eq!((index, result.unwrap().faces), (at, alone[at].clone()), "{flip:?} {batch:?} {faces}");
                }
            }
        }
    }
}

#[test]
fn faces_of_several_photos_share_a_run() {
    let runs = |faces, longest_wait| {
        let backend = telling(None, |_| false);
        let recognizer = recognizer(backend.clone(), FlipAugmentation::None, 1);
        let before = backend.runs();
        collect(&recognizer, photos(40), &Batching { faces, longest_wait });
        backend.runs() - before
    };
    assert_eq!(runs(8, PATIENT), 40 * FACES / 8);
    assert_eq!(runs(32, PATIENT), 3);
    // Nobody waits.
    assert_eq!(runs(1, PATIENT), 40);
    assert_eq!(runs(32, Duration::ZERO), 40);
}

#[test]
fn a_run_that_fails_costs_only_the_photos_that_share_it() {
    let backend = telling(None, |run| run == 1);
    let recognizer = recognizer(backend, FlipAugmentation::None, 1);
    let results = collect(&recognizer, photos(40), &Batching { faces: 8, longest_wait: PATIENT });
    let failed: Vec<usize> = results.iter().filter(|(_, result)| result.is_err()).map(|(index, _)| *index).collect();
    assert_eq!((results.len(), failed), (40, vec![4, 5, 6, 7]));
    assert_eq!(results[4].1.as_ref().unwrap_err().kind(), ErrorKind::Inference);
}

#[test]
fn photos_come_in_any_form_and_broken_ones_say_which_they_are() {
    let recognizer = recognizer(telling(None, |_| false), FlipAugmentation::None, 2);
    let missing = PathBuf::from("/nonexistent/ada.jpg");
    let photos = vec![
        Photo::from(photos(1).remove(0)),
        Photo::from(missing.clone()),
        Photo::from(b"no photo".to_vec()),
        Photo::from(bitmap()),
        Photo::from(missing.as_path()),
    ];
    let results = collect(&recognizer, photos, &Batching::default());
    assert_eq!(results[0].1.as_ref().unwrap().faces.len(), FACES);
    assert_eq!(results[3].1.as_ref().unwrap().faces, recognizer.recognize_encoded(&bitmap()).unwrap().faces);
    for at in [1, 4] {
        let error = results[at].1.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.to_string().matches("ada.jpg").count(), 1, "{error}");
    }
    assert_eq!(results[2].1.as_ref().unwrap_err().kind(), ErrorKind::ImageFormat);
}

#[test]
fn photos_may_come_only_after_the_answers_to_those_before() {
    for threads in [1, 3] {
        let recognizer = recognizer(telling(None, |_| false), FlipAugmentation::None, threads);
        let (answered, answers) = std::sync::mpsc::channel();
        let mut left = photos(5).into_iter();
        let mut ended = false;
        let one_by_one = std::iter::from_fn(|| {
            assert!(!ended, "asked again after the end");
            let next = left.next();
            if next.is_some() && left.len() < 4 {
                answers.recv().unwrap();
            }
            ended = next.is_none();
            next
        });
        let batching = Batching { faces: 32, longest_wait: Duration::from_millis(5) };
        recognizer
            .recognize_each(one_by_one, &batching, |index, result| {
                assert_eq!(result.unwrap().faces.len(), FACES);
                answered.send(index).unwrap();
            })
            .unwrap();
        assert_eq!(answers.iter().take(1).count(), 1, "that of the last one");
    }
}

#[test]
fn a_panic_of_the_callers_ends_even_what_is_endless() {
    for threads in [1, 2] {
        let recognizer = recognizer(telling(None, |_| false), FlipAugmentation::None, threads);
        let photo = photos(1).remove(0);
        let endless = std::iter::repeat_with(|| photo.clone());
        let panicking = std::panic::AssertUnwindSafe(|| {
            recognizer.recognize_each(endless, &Batching { faces: 1, ..Batching::default() }, |index, _| {
                assert!(index < 5, "the caller's own fault");
            })
        });
        assert!(std::panic::catch_unwind(panicking).is_err());
    }
}

#[test]
fn a_batch_size_out_of_range_is_refused() {
    let recognizer = recognizer(telling(None, |_| false), FlipAugmentation::None, 1);
    for faces in [0, 33] {
        let batching = Batching { faces, ..Batching::default() };
        let error = recognizer.recognize_each(photos(1), &batching, |_, _| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}
