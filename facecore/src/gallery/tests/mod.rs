//! Galleries from outside, operation by operation; the other files add files, threads and chance.

mod durable;
mod erasure;
mod exchange;
mod model;
#[cfg(feature = "exchange")]
mod npz;
mod operations;
#[cfg(feature = "exchange")]
mod tables;
mod threads;
mod upkeep;

pub(in crate::gallery) use model::Random;

use serde_json::json;

use super::*;
use crate::ErrorKind;
use crate::embedding::{Embedding, EmbeddingSpace};

const DIMENSION: usize = 64;

thread_local! {
    /// What galleries of this test have.
    static KIND: std::cell::Cell<IndexKind> = const { std::cell::Cell::new(IndexKind::Auto) };
}

/// Runs tests of the module again with galleries that have graphs.
macro_rules! with_graphs_too {
    ($($test:ident),* $(,)?) => {
        mod with_graphs {
            $(#[test] fn $test() {
                crate::gallery::tests::KIND.set(crate::gallery::IndexKind::Hnsw);
                super::$test();
            })*
        }
    };
}
use with_graphs_too;

/// Those of this test, to open a gallery with.
fn options() -> GalleryOptions {
    GalleryOptions::default().index(KIND.get())
}

fn memory() -> Gallery {
    Gallery::in_memory_with(&options())
}

fn space() -> EmbeddingSpace {
    EmbeddingSpace::new("test-64", 0.5)
}

/// A face whose cosine with `face(axis, 0.0)` is 1 / sqrt(1 + tilt²), and 0 with other axes below 32.
fn face(axis: usize, tilt: f32) -> Embedding {
    let mut values = vec![0.0; DIMENSION];
    values[axis] = 1.0;
    values[axis + 32] = tilt;
    Embedding::from_raw(values, space()).unwrap()
}

fn staff() -> Namespace {
    memory().namespace("staff").unwrap()
}

/// ada with two faces, bo with one, cy with none.
fn trio() -> Namespace {
    let staff = staff();
    staff.enrol("ada", &[face(0, 0.0).into(), face(0, 1.0).into()]).unwrap();
    staff.add("bo", &face(1, 0.0)).unwrap();
    staff.enrol("cy", &[]).unwrap();
    staff
}

/// A folder that is gone after the test.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let index = format!("{:?}", KIND.get());
        let path = std::env::temp_dir().join(format!("facecore-gallery-{index}-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&path).unwrap_or_default();
        Scratch(path)
    }

    fn open(&self) -> Gallery {
        Gallery::open_with(&self.0, &options()).unwrap()
    }

    /// Every file below, with its path.
    fn files(&self) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let (mut folders, mut files) = (vec![self.0.clone()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push((path.clone(), std::fs::read(path).unwrap())),
                }
            }
        }
        files
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn ids(matches: &[Match]) -> Vec<&str> {
    matches.iter().map(|found| found.person.as_str()).collect()
}

#[test]
fn public_types_cross_threads() {
    fn assert_send_sync<T: Send + Sync>() {}
    assert_send_sync::<(Gallery, Namespace, SearchOptions, GalleryOptions, Batch, Stats, VerifyReport)>();
    assert_send_sync::<(ImportReport, ExportReport, ImportOptions, ExportOptions, Progress)>();
    assert_send_sync::<(PersonId, FaceId, Person, NewFace, EnrolledFace, Match)>();
}

#[test]
fn namespaces_are_made_listed_and_dropped() {
    let gallery = memory();
    assert!(gallery.existing_namespace("staff").unwrap_err().to_string().contains("has none yet"));
    let staff = gallery.namespace("staff").unwrap();
    gallery.namespace("guests").unwrap();
    assert_eq!(gallery.namespaces(), ["guests", "staff"]);
    staff.add("ada", &face(0, 0.0)).unwrap();
    assert_eq!(gallery.clone().namespace("staff").unwrap().face_count(), 1);

    let error = gallery.existing_namespace("stuff").unwrap_err();
    assert_eq!(error.to_string(), "there is no namespace `stuff`; the gallery has `guests`, `staff`");
    assert_eq!(error.kind(), ErrorKind::NamespaceNotFound);
    assert_eq!(kind(gallery.namespace("")), ErrorKind::InvalidArgument);

    gallery.drop_namespace("staff").unwrap();
    assert_eq!(kind(gallery.drop_namespace("staff")), ErrorKind::NamespaceNotFound);
    let again = gallery.namespace("staff").unwrap();
    assert!(again.is_empty());
    assert_eq!(staff.face_count(), 0);
    assert_eq!(kind(staff.add("ada", &face(0, 0.0))), ErrorKind::NamespaceNotFound);
    assert_eq!(kind(staff.identify(&face(0, 0.0))), ErrorKind::NamespaceNotFound);
}

#[test]
fn the_first_face_pins_space_and_dimension() {
    let staff = staff();
    assert_eq!((staff.space(), staff.dimension()), (None, None));
    assert!(staff.search(&face(0, 0.0), &SearchOptions::default()).unwrap().is_empty());
    staff.add("ada", &face(0, 0.0)).unwrap();
    assert_eq!((staff.space(), staff.dimension()), (Some(space()), Some(DIMENSION)));

    let other = Embedding::from_raw(vec![1.0; DIMENSION], EmbeddingSpace::new("other", 0.5)).unwrap();
    let error = staff.search(&other, &SearchOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "namespace `staff` holds embeddings of test-64, and one of other cannot be compared with them; use the models they were made with, or another namespace"
    );
    for error in [staff.add("bo", &other).unwrap_err(), staff.pin(other.space(), DIMENSION).unwrap_err(), error] {
        assert_eq!(error.kind(), ErrorKind::EmbeddingSpaceMismatch);
    }
    let long = Embedding::from_raw(vec![1.0; DIMENSION + 1], space()).unwrap();
    assert_eq!(kind(staff.add("bo", &long)), ErrorKind::DimensionMismatch);
    assert_eq!(kind(staff.identify(&long)), ErrorKind::DimensionMismatch);
    assert_eq!(kind(staff.replace_face(staff.get("ada").unwrap().faces[0], &long)), ErrorKind::DimensionMismatch);
    // The threshold does not make a space another one.
    let strict = Embedding::from_raw(face(0, 0.0).values(), space().with_threshold(0.9)).unwrap();
    assert!(staff.identify(&strict).unwrap().is_some());
    assert!(staff.get("bo").is_err());
}

#[test]
fn pins_can_be_set_and_changed_while_there_are_no_faces() {
    let staff = staff();
    for bad in [0, 63, 1025] {
        assert_eq!(kind(staff.pin(&space(), bad)), ErrorKind::DimensionMismatch);
        let embedding = Embedding::from_raw(vec![1.0; bad.max(1)], space()).unwrap();
        assert_eq!(kind(staff.add("ada", &embedding)), ErrorKind::DimensionMismatch);
    }
    assert_eq!(kind(staff.pin(&space().with_threshold(f32::NAN), 64)), ErrorKind::InvalidArgument);
    assert!(staff.is_empty() && staff.space().is_none());
    staff.pin(&space(), 1024).unwrap();
    assert_eq!(kind(staff.add("ada", &face(0, 0.0))), ErrorKind::DimensionMismatch);
    staff.pin(&space(), DIMENSION).unwrap();
    staff.add("ada", &face(0, 0.0)).unwrap();
    staff.clear().unwrap();
    assert_eq!((staff.face_count(), staff.person_count(), staff.dimension()), (0, 0, None));
}

#[test]
fn enrolment_is_all_or_nothing() {
    let staff = trio();
    let bad = Embedding::from_raw(vec![1.0; 65], space()).unwrap();
    for person in ["ada", "new"] {
        assert_eq!(kind(staff.enrol(person, &[face(2, 0.0).into(), (&bad).into()])), ErrorKind::DimensionMismatch);
    }
    assert_eq!(kind(staff.add("", &face(2, 0.0))), ErrorKind::InvalidArgument);
    assert_eq!((staff.person_count(), staff.face_count()), (3, 3));
}

#[test]
fn a_person_never_holds_the_same_vector_twice() {
    let staff = trio();
    let [first, second] = staff.get("ada").unwrap().faces[..] else { panic!() };
    assert_eq!(staff.add("ada", &face(0, 0.0)).unwrap(), first);
    let twice = staff.enrol("dee", &[face(5, 0.0).into(), face(5, 0.0).into()]).unwrap();
    assert_eq!(twice[0], twice[1]);
    assert_ne!(staff.add("bo", &face(0, 0.0)).unwrap(), first, "another person may look exactly the same");
    assert_eq!(staff.replace_face(second, &face(0, 0.0)).unwrap(), first);
    assert_eq!(kind(staff.face(second)), ErrorKind::FaceNotFound);
    assert_eq!(staff.get("ada").unwrap().faces, [first]);
    assert_eq!(staff.replace_face(first, &face(0, 0.0)).unwrap(), first);
}

#[test]
fn faces_keep_what_was_stored_with_them() {
    let staff = trio();
    let metadata = json!({"camera": 3}).as_object().unwrap().clone();
    let new = NewFace { embedding: face(7, 0.3), quality: Some(0.7), source: Some("ada.jpg".into()), metadata };
    let id = staff.enrol("ada", std::slice::from_ref(&new)).unwrap()[0];
    let stored = staff.face(id).unwrap();
    assert_eq!((stored.id, &stored.person), (id, &PersonId::from("ada")));
    assert_eq!((&stored.embedding, &stored.source, &stored.metadata), (&new.embedding, &new.source, &new.metadata));
    assert_eq!(stored.quality, Some(0.7));
    let changed = json!({"camera": 4}).as_object().unwrap().clone();
    staff.set_face_metadata(id, changed.clone()).unwrap();
    assert_eq!(staff.face(id).unwrap().metadata, changed);

    assert_eq!(staff.replace_face(id, &face(8, 0.0)).unwrap(), id);
    let replaced = staff.face(id).unwrap();
    assert_eq!((&replaced.embedding, &replaced.source), (&face(8, 0.0), &new.source));
    assert!(staff.identify(&face(7, 0.3)).unwrap().is_none());
    assert_eq!(staff.identify(&face(8, 0.0)).unwrap().unwrap().best, id);
}

#[test]
fn removals_forget_and_ids_are_not_reused() {
    let staff = trio();
    let [first, second] = staff.get("ada").unwrap().faces[..] else { panic!() };
    staff.remove_face(first).unwrap();
    for error in [staff.remove_face(first), staff.replace_face(first, &face(0, 0.0)).map(|_| ())] {
        assert_eq!(kind(error), ErrorKind::FaceNotFound);
    }
    staff.remove_face(second).unwrap();
    assert_eq!(staff.get("ada").unwrap().faces, []);
    staff.remove_person("ada").unwrap();
    assert_eq!(kind(staff.remove_person("ada")), ErrorKind::PersonNotFound);
    assert_eq!(kind(staff.get("ada")), ErrorKind::PersonNotFound);
    assert!(staff.add("ada", &face(0, 0.0)).unwrap() > second);
    assert_eq!((staff.person_count(), staff.face_count()), (3, 2));
}

#[test]
fn people_are_renamed_named_and_listed() {
    let staff = trio();
    let before = staff.get("ada").unwrap();
    staff.rename("ada", "zoe").unwrap();
    staff.rename("zoe", "zoe").unwrap();
    assert_eq!(staff.get("zoe").unwrap().faces, before.faces);
    assert_eq!(staff.identify(&face(0, 0.0)).unwrap().unwrap().person, "zoe");
    assert_eq!(staff.face(before.faces[0]).unwrap().person, "zoe");
    assert_eq!(kind(staff.rename("ada", "new")), ErrorKind::PersonNotFound);
    assert_eq!(kind(staff.rename("zoe", "bo")), ErrorKind::PersonExists);
    assert_eq!(kind(staff.rename("zoe", "")), ErrorKind::InvalidArgument);

    let metadata = json!({"floor": 2}).as_object().unwrap().clone();
    staff.set_name("zoe", Some("Zoe Z.")).unwrap();
    staff.set_metadata("zoe", metadata.clone()).unwrap();
    assert_eq!(kind(staff.set_name("ada", None)), ErrorKind::PersonNotFound);
    assert_eq!(kind(staff.set_metadata("ada", Metadata::new())), ErrorKind::PersonNotFound);
    let everybody = staff.persons().unwrap();
    assert_eq!(everybody.iter().map(|person| person.id.as_str()).collect::<Vec<_>>(), ["bo", "cy", "zoe"]);
    assert_eq!((everybody[2].name.as_deref(), &everybody[2].metadata), (Some("Zoe Z."), &metadata));
}

#[test]
fn a_match_tells_score_margin_best_face_and_hits() {
    let staff = trio();
    let faces = staff.get("ada").unwrap().faces;
    // Cosines: 0.8 and about 0.99 with ada's faces, 0 with bo's.
    let found = staff.search(&face(0, 0.75), &SearchOptions::default()).unwrap();
    assert_eq!(ids(&found), ["ada"]);
    assert_eq!((found[0].best, found[0].hits, found[0].probability), (faces[1], 2, None));
    assert!((found[0].score - 1.75 / (1.25 * 2f32.sqrt())).abs() < 1e-6);
    assert_eq!(found[0].margin, found[0].score, "bo scores 0");

    let all = staff.search(&face(0, 0.75), &SearchOptions::nearest(10)).unwrap();
    assert_eq!(ids(&all), ["ada", "bo"], "cy has no face");
    assert_eq!(all[1].margin, all[1].score - all[0].score);
    assert_eq!(ids(&staff.search(&face(0, 0.75), &SearchOptions::nearest(1)).unwrap()), ["ada"]);
    assert!(staff.search(&face(0, 0.75), &SearchOptions::nearest(0)).unwrap().is_empty());
    assert!(staff.search(&face(3, 0.0), &SearchOptions::default()).unwrap().is_empty());
    assert!(staff.identify(&face(3, 0.0)).unwrap().is_none());

    let strict = SearchOptions { threshold: Some(0.9), ..Default::default() };
    assert_eq!(staff.search(&face(0, 0.75), &strict).unwrap()[0].hits, 1);
    let wrong = SearchOptions { threshold: Some(f32::NAN), ..Default::default() };
    assert_eq!(kind(staff.search(&face(0, 0.0), &wrong)), ErrorKind::InvalidArgument);
    assert!(serde_json::to_string(&found).unwrap().contains("\"person\":\"ada\""));
}

#[test]
fn margins_count_people_under_the_threshold_and_none_left_out() {
    let staff = trio();
    let between = Embedding::from_raw(
        face(0, 0.0).values().iter().zip(face(1, 0.0).values()).map(|(a, b)| 2.0 * a + b).collect::<Vec<_>>(),
        space(),
    )
    .unwrap();
    // 0.894 with ada, 0.447 (below the threshold) with bo.
    let found = staff.identify(&between).unwrap().unwrap();
    assert!((found.margin - 1.0 / 5f32.sqrt()).abs() < 1e-6);

    let alone = SearchOptions::default().excluding(["bo"]);
    let found = staff.search(&between, &alone).unwrap();
    assert_eq!(found[0].margin, found[0].score);
    let only_bo = SearchOptions::nearest(5).only(|person| person == "bo");
    assert_eq!(ids(&staff.search(&between, &only_bo).unwrap()), ["bo"]);
}

#[test]
fn equal_scores_are_ordered_by_id_and_have_no_margin() {
    let staff = staff();
    for person in ["mo", "al", "zed"] {
        staff.add(person, &face(0, 0.0)).unwrap();
    }
    let found = staff.search(&face(0, 0.0), &SearchOptions::default()).unwrap();
    assert_eq!(ids(&found), ["al", "mo", "zed"]);
    assert!(found.iter().all(|found| found.margin == 0.0));
}

#[test]
fn of_equally_good_faces_the_one_with_the_smallest_id_is_best() {
    let staff = staff();
    let first = staff.add("first", &face(9, 0.0)).unwrap();
    let ids = [0.5, -0.5].map(|tilt| staff.add("ada", &face(0, tilt)).unwrap());
    // The removal moves the later face into the earlier slot.
    staff.remove_face(first).unwrap();
    assert_eq!(staff.identify(&face(0, 0.0)).unwrap().unwrap().best, ids[0]);
}

#[test]
fn batches_answer_in_order() {
    let staff = trio();
    let probes = [face(1, 0.1), face(9, 0.0), face(0, 0.2)];
    let found = staff.search_batch(&probes, &SearchOptions::default()).unwrap();
    assert_eq!(found.iter().map(|found| ids(found)).collect::<Vec<_>>(), [vec!["bo"], vec![], vec!["ada"]]);
    assert!(staff.search_batch(&[], &SearchOptions::default()).unwrap().is_empty());
    let bad = Embedding::from_raw(vec![1.0; 65], space()).unwrap();
    let error = staff.search_batch(&[face(1, 0.0), bad], &SearchOptions::default()).unwrap_err();
    assert!(error.to_string().starts_with("probe 1: "), "{error}");
}

#[test]
fn a_filter_may_use_the_gallery() {
    let staff = trio();
    let inner = staff.clone();
    let options = SearchOptions::default().only(move |person| {
        inner.set_name(person, Some("seen")).unwrap();
        inner.get(person).unwrap().faces.len() == 2
    });
    assert_eq!(ids(&staff.search(&face(0, 0.0), &options).unwrap()), ["ada"]);
}
