//! Galleries written by earlier versions are opened by this one.
//!
//! `tests/data/galleries/N` was written with format N by the test `write_a_gallery_of_this_format`, and is never
//! written again: `cargo test -p facecore --no-default-features --test format -- --ignored`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::{Path, PathBuf};

use facecore::gallery::{GalleryOptions, Metadata};
use facecore::{Embedding, EmbeddingSpace, ErrorKind, FaceId, Gallery, NewFace, SearchOptions};
use serde_json::json;

/// The format that this version writes.
const FORMAT: u32 = 1;
const PEOPLE: usize = 1200;

fn kept(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/galleries").join(format.to_string())
}

/// A vector of whole numbers below 256 in size, made by splitmix64: the same on every machine.
fn face(number: usize) -> Embedding {
    let value = |at: usize| {
        let mut bits = (number as u64 * 64 + at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits >> 55) as f32 - 256.0
    };
    Embedding::from_raw((0..64).map(value).collect::<Vec<_>>(), EmbeddingSpace::new("format-64", 0.5)).unwrap()
}

fn metadata(number: usize) -> Metadata {
    json!({ "number": number, "tags": ["ü", null, 0.5] }).as_object().unwrap().clone()
}

/// A folder with a copy of a kept gallery, gone after the test.
struct Copy(PathBuf);

impl Copy {
    fn of(format: u32) -> Self {
        let to = std::env::temp_dir().join(format!("facecore-format-{format}-{}", std::process::id()));
        std::fs::remove_dir_all(&to).unwrap_or_default();
        for folder in ["", "index"] {
            std::fs::create_dir_all(to.join(folder)).unwrap();
            for entry in std::fs::read_dir(kept(format).join(folder)).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    std::fs::copy(entry.path(), to.join(folder).join(entry.file_name())).unwrap();
                }
            }
        }
        Copy(to)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

fn check(gallery: &Gallery) {
    assert_eq!(gallery.namespaces(), ["empty", "people"]);
    let people = gallery.existing_namespace("people").unwrap();
    assert_eq!((people.person_count(), people.face_count()), (PEOPLE, PEOPLE - 1));
    let space = people.space().unwrap();
    assert_eq!((space.id(), space.threshold(), people.dimension()), ("format-64", 0.5, Some(64)));
    for number in (0..PEOPLE).step_by(97) {
        let id = format!("person {number}");
        let person = people.get(&id).unwrap();
        assert_eq!((person.name.as_deref(), person.metadata), (Some(&*format!("Ä {number}")), metadata(number)));
        let stored = people.face(person.faces[0]).unwrap();
        assert_eq!((stored.embedding, stored.quality), (face(number), Some(0.25)));
        assert_eq!((stored.source.as_deref(), stored.metadata), (Some("photo.jpg"), metadata(number)));
        let found = people.search(&face(number), &SearchOptions::nearest(1)).unwrap();
        assert_eq!((&found[0].person, found[0].best), (&person.id, person.faces[0]));
    }
    assert_eq!(people.get("renamed").unwrap().faces, []);
    assert_eq!(people.face(FaceId::from(2)).unwrap_err().kind(), ErrorKind::FaceNotFound);
    let report = gallery.verify().unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(report.agreeing, report.probes);
}

#[test]
fn galleries_of_every_format_are_opened_and_changed() {
    for format in 1..=FORMAT {
        let copy = Copy::of(format);
        check(&Gallery::open_with(&copy.0, &GalleryOptions::default().read_only(true)).unwrap());
        let gallery = Gallery::open(&copy.0).unwrap();
        check(&gallery);
        let people = gallery.existing_namespace("people").unwrap();
        let id = people.add("later", &face(PEOPLE + 1)).unwrap();
        assert_eq!(id.get(), PEOPLE as u64 + 1, "ids go on where they were");
        gallery.compact().unwrap();
        drop((people, gallery));
        let gallery = Gallery::open(&copy.0).unwrap();
        assert!(gallery.verify().unwrap().is_sound());
        gallery.existing_namespace("people").unwrap().remove_person("later").unwrap();
        check(&gallery);
    }
}

#[test]
#[ignore = "writes the gallery that is kept for later versions"]
fn write_a_gallery_of_this_format() {
    let folder = kept(FORMAT);
    assert!(!folder.exists(), "the gallery of format {FORMAT} is kept as it is");
    let gallery = Gallery::open(&folder).unwrap();
    gallery.namespace("empty").unwrap();
    let people = gallery.namespace("people").unwrap();
    let mut batch = facecore::gallery::Batch::new();
    for number in 0..PEOPLE {
        let (source, quality) = (Some("photo.jpg".to_owned()), Some(0.25));
        let new = NewFace { source, quality, metadata: metadata(number), ..NewFace::from(face(number)) };
        let id = format!("person {number}");
        batch.enrol(&id, vec![new]).set_name(&id, Some(&format!("Ä {number}"))).set_metadata(&id, metadata(number));
    }
    batch.remove_face(FaceId::from(2)).rename("person 1", "renamed");
    assert!(people.apply(&batch).unwrap().iter().all(Result::is_ok));
}
