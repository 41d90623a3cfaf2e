//! Galleries in folders: what is there after closing, crashing and damage.

use std::fs;

use super::*;

with_graphs_too!(
    everything_is_there_again,
    a_gallery_that_was_not_closed_lacks_nothing,
    what_changed_after_the_snapshot_is_replayed,
    damaged_or_missing_snapshots_are_rebuilt,
    a_snapshot_of_another_gallery_or_time_is_not_believed,
    one_writer_or_many_readers,
    relaxed_changes_are_there_after_closing_and_flushing,
    a_backup_is_a_gallery_of_one_moment,
    a_damaged_face_is_named_and_the_rest_is_served,
    what_the_first_command_line_wrote_is_taken_over,
    damaged_people_and_namespaces_close_nothing_else,
    churn_leaves_nothing_behind,
);

const THOUSANDS: usize = 3000;

pub(super) fn random_faces(seed: u64, count: usize) -> Vec<Embedding> {
    let mut random = Random(seed);
    let mut face = || (0..DIMENSION).map(|_| random.coordinate()).collect::<Vec<_>>();
    (0..count).map(|_| Embedding::from_raw(face(), space()).unwrap()).collect()
}

pub(super) fn enrol_each(namespace: &Namespace, faces: &[Embedding]) -> Vec<FaceId> {
    let mut batch = Batch::new();
    for (person, face) in faces.iter().enumerate() {
        batch.enrol(format!("p{person}"), vec![face.clone().into()]);
    }
    namespace.apply(&batch).unwrap().into_iter().flat_map(|done| done.unwrap().faces().to_vec()).collect()
}

/// That exactly these faces are there, in the store and for searches.
fn assert_holds(gallery: &Gallery, faces: &[Embedding]) {
    let staff = gallery.existing_namespace("staff").unwrap();
    assert_eq!((staff.person_count(), staff.face_count()), (faces.len(), faces.len()));
    let found = staff.search_batch(faces, &SearchOptions::nearest(1)).unwrap();
    for (person, matches) in found.iter().enumerate() {
        assert_eq!(matches[0].person, *format!("p{person}"));
        assert_eq!(staff.face(matches[0].best).unwrap().embedding, faces[person]);
    }
    // A graph that is damaged is replaced aside.
    drop(gallery.shared.wait_for_snapshot(gallery.shared.hold_still()));
    let report = gallery.verify().unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!((report.persons, report.faces), (faces.len(), faces.len()));
    assert_eq!(report.agreeing, report.probes);
}

/// Leaves the gallery as a killed process would: files as they are, nothing closed.
fn crash(gallery: Gallery, scratch: &Scratch, name: &str) -> Scratch {
    let copy = Scratch::new(name);
    for (path, bytes) in scratch.files() {
        let to = copy.0.join(path.strip_prefix(&scratch.0).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
    drop(gallery);
    copy
}

fn index_files(scratch: &Scratch) -> Vec<std::path::PathBuf> {
    let files = scratch.files().into_iter().map(|(path, _)| path);
    files.filter(|path| path.parent().is_some_and(|folder| folder.ends_with("index"))).collect()
}

#[test]
fn everything_is_there_again() {
    let scratch = Scratch::new("again");
    let metadata = json!({"floor": 2, "ü": ["x", null]}).as_object().unwrap().clone();
    let gallery = scratch.open();
    let staff = gallery.namespace("staff").unwrap();
    gallery.namespace("empty").unwrap();
    let new = NewFace {
        embedding: face(0, 0.3),
        quality: Some(0.25),
        source: Some("ada.jpg".into()),
        metadata: metadata.clone(),
    };
    let id = staff.enrol("ada \u{1F600}", std::slice::from_ref(&new)).unwrap()[0];
    staff.set_name("ada \u{1F600}", Some("Ada")).unwrap();
    staff.set_metadata("ada \u{1F600}", metadata.clone()).unwrap();
    let gone = staff.add("bo", &face(1, 0.0)).unwrap();
    staff.remove_person("bo").unwrap();
    drop((staff, gallery));

    let gallery = scratch.open();
    assert_eq!(gallery.namespaces(), ["empty", "staff"]);
    assert_eq!(gallery.folder(), Some(&*scratch.0));
    let staff = gallery.existing_namespace("staff").unwrap();
    let person = staff.get("ada \u{1F600}").unwrap();
    assert_eq!((person.name.as_deref(), &person.metadata, &person.faces), (Some("Ada"), &metadata, &vec![id]));
    let stored = staff.face(id).unwrap();
    assert_eq!((stored.embedding, stored.quality), (new.embedding, Some(0.25)));
    assert_eq!((stored.source.as_deref(), stored.metadata), (Some("ada.jpg"), metadata));
    assert_eq!((staff.space().unwrap().threshold(), staff.dimension()), (0.5, Some(DIMENSION)));
    assert_eq!(staff.identify(&face(0, 0.3)).unwrap().unwrap().best, id);
    assert!(staff.add("new", &face(9, 0.0)).unwrap() > gone, "ids are not given out again");
    assert!(gallery.verify().unwrap().is_sound());
}

#[test]
fn a_gallery_that_was_not_closed_lacks_nothing() {
    let scratch = Scratch::new("not-closed");
    let faces = random_faces(1, THOUSANDS);
    let gallery = scratch.open();
    enrol_each(&gallery.namespace("staff").unwrap(), &faces);
    let crashed = crash(gallery, &scratch, "not-closed-copy");
    assert!(index_files(&crashed).is_empty(), "the copy is from before the snapshot");
    assert_holds(&crashed.open(), &faces);
    assert!(!index_files(&scratch).is_empty());
    assert_holds(&scratch.open(), &faces);
}

#[test]
fn what_changed_after_the_snapshot_is_replayed() {
    let scratch = Scratch::new("replayed");
    let mut faces = random_faces(2, THOUSANDS);
    let gallery = scratch.open();
    enrol_each(&gallery.namespace("staff").unwrap(), &faces);
    drop(gallery);
    let gallery = scratch.open();
    let staff = gallery.existing_namespace("staff").unwrap();
    let later = random_faces(3, 300);
    for (person, face) in later.iter().enumerate().take(100) {
        let old = staff.get(format!("p{person}")).unwrap().faces[0];
        match person % 2 {
            0 => drop(staff.replace_face(old, face).unwrap()),
            _ => {
                staff.remove_person(format!("p{person}")).unwrap();
                staff.add(format!("p{person}"), face).unwrap();
            }
        }
        faces[person] = face.clone();
    }
    for (extra, face) in later.iter().enumerate().skip(100) {
        staff.add(format!("p{}", THOUSANDS + extra - 100), face).unwrap();
        faces.push(face.clone());
    }
    gallery.namespace("later").unwrap().add("zoe", &face(3, 0.0)).unwrap();
    gallery.namespace("cleared").unwrap().add("zoe", &face(3, 0.0)).unwrap();
    gallery.namespace("cleared").unwrap().clear().unwrap();
    gallery.namespace("cleared").unwrap().add("abe", &face(4, 0.0)).unwrap();
    drop(staff);
    let crashed = crash(gallery, &scratch, "replayed-copy");
    for scratch in [&crashed, &scratch] {
        let gallery = scratch.open();
        assert_eq!(
            gallery.existing_namespace("later").unwrap().identify(&face(3, 0.0)).unwrap().unwrap().person,
            "zoe"
        );
        let cleared = gallery.existing_namespace("cleared").unwrap();
        assert_eq!(cleared.identify(&face(4, 0.0)).unwrap().unwrap().person, "abe");
        assert!(cleared.identify(&face(3, 0.0)).unwrap().is_none());
        gallery.drop_namespace("later").unwrap();
        gallery.drop_namespace("cleared").unwrap();
        assert_holds(&gallery, &faces);
    }
}

#[test]
fn damaged_or_missing_snapshots_are_rebuilt() {
    let faces = random_faces(4, THOUSANDS);
    let make = |name: &str| {
        let scratch = Scratch::new(name);
        let gallery = scratch.open();
        enrol_each(&gallery.namespace("staff").unwrap(), &faces);
        gallery.compact().unwrap();
        drop(gallery);
        scratch
    };
    let whole = make("snapshot-damage");
    let count = index_files(&whole).len();
    let graphs = usize::from(KIND.get() == IndexKind::Hnsw);
    assert_eq!(count, 2 + graphs, "a manifest, a segment, and its graph");
    for file in 0..count {
        for damage in ["missing", "empty", "cut", "start", "middle", "end"] {
            let scratch = crash(memory(), &whole, "snapshot-damage-copy");
            let path = &index_files(&scratch)[file];
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            match damage {
                "missing" => fs::remove_file(path).unwrap(),
                "empty" => fs::write(path, "").unwrap(),
                "cut" => fs::write(path, &bytes[..middle]).unwrap(),
                _ => {
                    let at = if damage == "start" {
                        9
                    } else if damage == "middle" {
                        middle
                    } else {
                        bytes.len() - 70
                    };
                    bytes[at] ^= 0x10;
                    fs::write(path, bytes).unwrap();
                }
            }
            assert_holds(&scratch.open(), &faces);
            // Closing it mended the files.
            assert_holds(&scratch.open(), &faces);
        }
    }
}

#[test]
fn a_snapshot_of_another_gallery_or_time_is_not_believed() {
    let (one, other) = (Scratch::new("mixed-one"), Scratch::new("mixed-other"));
    let faces = random_faces(5, THOUSANDS);
    enrol_each(&one.open().namespace("staff").unwrap(), &faces);
    let early = crash(memory(), &one, "mixed-early");
    enrol_each(&other.open().namespace("staff").unwrap(), &random_faces(6, THOUSANDS));
    for index in [&other, &early] {
        let gallery = one.open();
        gallery.existing_namespace("staff").unwrap().set_name("p0", Some("Zero")).unwrap();
        gallery.compact().unwrap();
        drop(gallery);
        fs::remove_dir_all(one.0.join("index")).unwrap();
        fs::create_dir(one.0.join("index")).unwrap();
        for path in index_files(index) {
            fs::copy(&path, one.0.join("index").join(path.file_name().unwrap())).unwrap();
        }
        assert_holds(&one.open(), &faces);
    }
}

#[test]
fn one_writer_or_many_readers() {
    let scratch = Scratch::new("access");
    let absent = options().create(false);
    assert_eq!(kind(Gallery::open_with(&scratch.0, &absent)), ErrorKind::GalleryNotFound);
    let reading = options().read_only(true);
    assert_eq!(kind(Gallery::open_with(&scratch.0, &reading)), ErrorKind::GalleryNotFound);
    assert!(!scratch.0.exists());

    let gallery = scratch.open();
    let staff = gallery.namespace("staff").unwrap();
    staff.add("ada", &face(0, 0.0)).unwrap();
    for options in [&absent, &reading] {
        let error = Gallery::open_with(&scratch.0, options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::GalleryLocked);
        assert!(error.to_string().contains("open in this process already"), "{error}");
    }
    drop(gallery);
    assert_eq!(kind(Gallery::open(&scratch.0)), ErrorKind::GalleryLocked, "a namespace's handle keeps it open");
    drop(staff);

    let readers = [(); 2].map(|()| Gallery::open_with(&scratch.0, &reading).unwrap());
    assert_eq!(kind(Gallery::open(&scratch.0)), ErrorKind::GalleryLocked);
    let staff = readers[1].namespace("staff").unwrap();
    assert_eq!(staff.identify(&face(0, 0.0)).unwrap().unwrap().person, "ada");
    assert!(readers[0].verify().unwrap().is_sound());
    for refused in [
        staff.add("bo", &face(1, 0.0)).map(drop),
        staff.remove_person("ada"),
        readers[0].drop_namespace("staff"),
        readers[0].compact(),
        readers[0].import(&b"{\"namespace\":\"x\"}"[..]).map(drop),
    ] {
        assert_eq!(kind(refused), ErrorKind::GalleryReadOnly);
    }
    assert_eq!(kind(readers[0].namespace("new")), ErrorKind::NamespaceNotFound);
    readers[0].flush().unwrap();
    drop((staff, readers));
    scratch.open().existing_namespace("staff").unwrap().add("bo", &face(1, 0.0)).unwrap();
}

#[test]
fn relaxed_changes_are_there_after_closing_and_flushing() {
    let scratch = Scratch::new("relaxed");
    let faces = random_faces(7, 500);
    let options = options().durability(Durability::Relaxed).cache_bytes(1 << 20);
    let gallery = Gallery::open_with(&scratch.0, &options).unwrap();
    enrol_each(&gallery.namespace("staff").unwrap(), &faces);
    gallery.flush().unwrap();
    let crashed = crash(gallery, &scratch, "relaxed-copy");
    assert_holds(&crashed.open(), &faces);
    assert_holds(&scratch.open(), &faces);
}

#[test]
fn a_backup_is_a_gallery_of_one_moment() {
    let (scratch, backup) = (Scratch::new("backup-from"), Scratch::new("backup-to"));
    let faces = random_faces(8, THOUSANDS);
    let gallery = scratch.open();
    let staff = gallery.namespace("staff").unwrap();
    enrol_each(&staff, &faces);
    gallery.backup(&backup.0).unwrap();
    assert_eq!(kind(gallery.backup(&backup.0)), ErrorKind::InvalidArgument);
    assert_eq!(kind(memory().backup(&scratch.0)), ErrorKind::InvalidArgument);
    staff.remove_person("p0").unwrap();
    assert_holds(&backup.open(), &faces);
    assert_eq!(staff.person_count(), THOUSANDS - 1);
}

#[test]
fn a_damaged_face_is_named_and_the_rest_is_served() {
    let scratch = Scratch::new("damaged-face");
    let faces = random_faces(9, 300);
    let ids = enrol_each(&scratch.open().namespace("staff").unwrap(), &faces);
    let path = scratch.0.join("gallery.redb");
    let mut bytes = fs::read(&path).unwrap();
    let values: Vec<u8> = faces[7].values().iter().flat_map(|value| value.to_le_bytes()).collect();
    let places: Vec<usize> = (0..bytes.len() - 32).filter(|at| bytes[*at..].starts_with(&values[..32])).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| bytes[at + 5] ^= 1);
    fs::write(&path, bytes).unwrap();

    let gallery = scratch.open();
    let staff = gallery.existing_namespace("staff").unwrap();
    let error = staff.face(ids[7]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::GalleryCorrupt);
    assert!(error.to_string().contains(&format!("face {}", ids[7])), "{error}");
    let problems = gallery.verify().unwrap().problems;
    assert!(problems.iter().any(|problem| problem.contains(&format!("face {} ", ids[7]))), "{problems:?}");
    for (person, face) in faces.iter().enumerate().filter(|(person, _)| *person != 7) {
        assert_eq!(staff.identify(face).unwrap().unwrap().person, *format!("p{person}"));
    }
    let mut file = Vec::new();
    let report = gallery.export(&mut file).unwrap();
    assert_eq!((report.faces, report.persons, report.damaged.len()), (299, 300, 1));
    assert!(report.damaged[0].to_string().contains(&format!("face {}", ids[7])));
    staff.remove_person("p7").unwrap();
    assert!(gallery.verify().unwrap().is_sound());
    drop((staff, gallery));
    assert!(scratch.open().verify().unwrap().is_sound());
}

#[test]
fn what_the_first_command_line_wrote_is_taken_over() {
    let scratch = Scratch::new("old");
    let old = memory();
    let id = old.namespace("people").unwrap().add("ada", &face(0, 0.3)).unwrap();
    fs::create_dir_all(&scratch.0).unwrap();
    let path = scratch.0.join("faces.jsonl");
    old.export(fs::File::create(&path).unwrap()).unwrap();
    let error = Gallery::open_with(&scratch.0, &options().read_only(true)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::GalleryNotFound);
    let gallery = Gallery::open_with(&scratch.0, &options().create(false)).unwrap();
    assert_eq!(gallery.existing_namespace("people").unwrap().face(id).unwrap().embedding, face(0, 0.3));
    assert!(!path.exists());
    drop(gallery);

    // A take-over that fails is tried again, and says why as long as it does.
    fs::write(&path, "no gallery").unwrap();
    fs::write(scratch.0.join("faces.jsonl.new"), "unfinished").unwrap();
    for _ in 0..2 {
        assert_eq!(kind(Gallery::open(&scratch.0)), ErrorKind::GalleryCorrupt);
    }
    // As if it had been stopped after the import: nothing is there twice.
    old.export(fs::File::create(&path).unwrap()).unwrap();
    let gallery = scratch.open();
    assert_eq!(gallery.existing_namespace("people").unwrap().face_count(), 1);
    assert!(!path.exists() && !scratch.0.join("faces.jsonl.new").exists());
}

#[test]
fn damaged_people_and_namespaces_close_nothing_else() {
    let scratch = Scratch::new("damaged-rows");
    let gallery = scratch.open();
    let staff = gallery.namespace("staff").unwrap();
    let faces = random_faces(30, 50);
    enrol_each(&staff, &faces);
    staff.set_name("p7", Some("a name to be damaged")).unwrap();
    gallery.namespace("guests").unwrap().pin(&EmbeddingSpace::new("a space to be damaged", 0.5), 64).unwrap();
    drop((staff, gallery));
    fs::remove_dir_all(scratch.0.join("index")).unwrap();
    let path = scratch.0.join("gallery.redb");
    let mut bytes = fs::read(&path).unwrap();
    for text in ["a name to be damaged", "a space to be damaged"] {
        let places: Vec<usize> = (0..bytes.len() - 32).filter(|at| bytes[*at..].starts_with(text.as_bytes())).collect();
        assert!(!places.is_empty());
        places.iter().for_each(|at| bytes[at + 2] ^= 1);
    }
    fs::write(&path, bytes).unwrap();

    let gallery = scratch.open();
    assert_eq!(gallery.namespaces(), ["staff"]);
    assert!(gallery.namespace("guests").is_err(), "it is not made anew over what is there");
    let staff = gallery.existing_namespace("staff").unwrap();
    for (person, face) in faces.iter().enumerate() {
        assert_eq!(staff.identify(face).unwrap().unwrap().person, *format!("p{person}"));
    }
    assert_eq!(kind(staff.get("p7")), ErrorKind::GalleryCorrupt);
    assert_eq!(gallery.verify().unwrap().problems.len(), 2);
    let report = gallery.export(std::io::sink()).unwrap();
    assert_eq!((report.faces, report.persons, report.damaged.len()), (50, 50, 2));
    staff.remove_person("p7").unwrap();
    assert_eq!((staff.person_count(), staff.face_count()), (49, 49));
    assert_eq!(gallery.verify().unwrap().problems.len(), 1);
}

#[test]
fn churn_leaves_nothing_behind() {
    let scratch = Scratch::new("churn");
    for gallery in [memory(), scratch.open()] {
        let staff = gallery.namespace("staff").unwrap();
        let mut faces = random_faces(20, 6000);
        let mut ids = enrol_each(&staff, &faces);
        let mut random = Random(21);
        for round in 0..2 {
            let later = random_faces(22 + round, faces.len());
            let mut order: Vec<usize> = (0..faces.len()).collect();
            (1..order.len()).rev().for_each(|at| order.swap(at, random.below(at + 1)));
            for some in order.chunks(500) {
                let mut batch = Batch::new();
                for at in some {
                    batch.replace_face(ids[*at], later[*at].clone());
                }
                assert!(staff.apply(&batch).unwrap().iter().all(Result::is_ok));
            }
            faces = later;
        }
        let mut batch = Batch::new();
        let kept: Vec<usize> = (0..faces.len()).filter(|_| random.below(5) == 0).collect();
        let gone = (0..faces.len()).filter(|at| kept.binary_search(at).is_err());
        for at in gone {
            batch.remove_person(format!("p{at}"));
        }
        staff.apply(&batch).unwrap();
        gallery.compact().unwrap();

        let fresh = memory();
        let again = fresh.namespace("staff").unwrap();
        let mut batch = Batch::new();
        for at in &kept {
            batch.enrol(format!("p{at}"), vec![faces[*at].clone().into()]);
        }
        let new_ids = again.apply(&batch).unwrap();
        fresh.compact().unwrap();
        ids = kept.iter().map(|at| ids[*at]).collect();
        for options in [SearchOptions::default(), SearchOptions::nearest(5), SearchOptions::nearest(5).exact()] {
            let (found, expected) =
                (staff.search_batch(&faces, &options).unwrap(), again.search_batch(&faces, &options).unwrap());
            for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                let place = new_ids.iter().position(|id| id.as_ref().unwrap().faces() == [expected.best]).unwrap();
                assert_eq!(*found, Match { best: ids[place], ..expected.clone() });
            }
            assert_eq!(found.iter().map(Vec::len).sum::<usize>(), expected.iter().map(Vec::len).sum::<usize>());
        }
        let bytes = |gallery: &Gallery| {
            let stats = gallery.stats().unwrap().namespaces.remove(0);
            assert_eq!((stats.faces, stats.removed_faces), (kept.len(), 0));
            stats.vector_bytes + stats.search_bytes
        };
        let (here, there) = (bytes(&gallery), bytes(&fresh));
        assert!(here * 5 <= there * 6, "{here} bytes, {there} when fresh");
    }
}

#[test]
fn a_graph_is_there_again_and_follows_what_is_asked_for() {
    let scratch = Scratch::new("graph");
    let open = |kind: IndexKind| Gallery::open_with(&scratch.0, &GalleryOptions::default().index(kind)).unwrap();
    let stats = |gallery: &Gallery| gallery.stats().unwrap().namespaces.remove(0);
    let faces = random_faces(30, THOUSANDS);
    let gallery = open(IndexKind::Hnsw);
    enrol_each(&gallery.namespace("staff").unwrap(), &faces);
    assert_eq!(stats(&gallery).index, IndexKind::Flat);
    assert_eq!(stats(&gallery).index_reason, "asked for; no graph is there yet");
    gallery.compact().unwrap();
    assert_eq!(stats(&gallery).index, IndexKind::Hnsw);
    let with_graph = stats(&gallery).search_bytes;
    drop(gallery);
    let gallery = open(IndexKind::Hnsw);
    assert_eq!((stats(&gallery).index, stats(&gallery).search_bytes), (IndexKind::Hnsw, with_graph));
    assert_eq!(stats(&gallery).index_reason, "asked for");
    drop(gallery);
    for kind in [IndexKind::Flat, IndexKind::Auto] {
        let gallery = open(kind);
        assert_eq!(stats(&gallery).index, IndexKind::Flat);
        assert!(stats(&gallery).search_bytes + 128 * THOUSANDS <= with_graph);
        assert_holds(&gallery, &faces);
    }
    open(IndexKind::Flat).compact().unwrap();
    assert_eq!(index_files(&scratch).len(), 2, "a manifest and a segment");
    // Asked for and not there, it is made aside.
    let gallery = open(IndexKind::Hnsw);
    drop(gallery.shared.wait_for_snapshot(gallery.shared.hold_still()));
    assert_eq!(stats(&gallery).index, IndexKind::Hnsw);
    assert_holds(&gallery, &faces);
}
