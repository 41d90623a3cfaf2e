//! Galleries as JSON Lines.

use super::*;

pub(super) fn exported(gallery: &Gallery) -> String {
    let mut out = Vec::new();
    gallery.export(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// New people, new faces, duplicates, and whether ids were kept.
pub(super) fn counts(report: &ImportReport) -> (usize, usize, usize, bool) {
    (report.persons, report.faces, report.duplicates, report.kept_ids)
}

/// Two namespaces with everything that can be stored.
fn full() -> Gallery {
    let gallery = Gallery::in_memory();
    let (staff, guests) = (gallery.namespace("staff").unwrap(), gallery.namespace("guests \"VIP\"").unwrap());
    gallery.namespace("empty").unwrap();
    gallery.namespace("pinned").unwrap().pin(&space().with_threshold(0.123), 512).unwrap();
    let mut random = model::Random(9);
    for n in 0..20 {
        let raw: Vec<f32> = (0..DIMENSION).map(|i| random.coordinate() * 0.01f32.powi(i as i32 % 15)).collect();
        let mut new = NewFace::from(Embedding::from_raw(raw, space()).unwrap());
        new.source = (n % 3 == 0).then(|| format!("{n}.jpg"));
        new.metadata.insert("n".into(), json!(n));
        staff.enrol(format!("person {}", n % 7), &[new]).unwrap();
    }
    staff.remove_person("person 3").unwrap();
    staff.set_name("person 1", Some("One\nTwo")).unwrap();
    staff.set_metadata("person 2", json!({"floor": [1, null]}).as_object().unwrap().clone()).unwrap();
    staff.enrol("nobody yet", &[]).unwrap();
    guests.add("ada", &Embedding::from_raw(vec![f32::MAX; 100], EmbeddingSpace::new("other", -0.25)).unwrap()).unwrap();
    gallery
}

#[test]
fn a_restored_gallery_is_the_same_to_the_bit() {
    let text = exported(&full());
    let gallery = Gallery::in_memory();
    let report = gallery.import(text.as_bytes()).unwrap();
    assert_eq!(counts(&report), (8, 18, 0, true));
    assert_eq!(exported(&gallery), text);

    let (old, new) = (full().namespace("staff").unwrap(), gallery.namespace("staff").unwrap());
    assert_eq!(old.persons().unwrap(), new.persons().unwrap());
    for face in old.persons().unwrap().iter().flat_map(|person| &person.faces) {
        let (a, b) = (old.face(*face).unwrap(), new.face(*face).unwrap());
        assert_eq!(a, b);
        let bits = |face: &EnrolledFace| face.embedding.values().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&a), bits(&b));
        assert!(new.add("fresh", &a.embedding).unwrap().get() > 21, "restored ids are taken");
    }
    assert_eq!(gallery.namespace("pinned").unwrap().space().unwrap().threshold(), 0.123);
}

#[test]
fn ids_of_removed_faces_are_not_given_out_again() {
    let gallery = Gallery::in_memory();
    assert_eq!(exported(&gallery), "");
    let people = gallery.namespace("people").unwrap();
    let ids = [0, 1, 2].map(|n| people.add("ada", &face(n, 0.0)).unwrap());
    assert_eq!(ids, [1, 2, 3].map(FaceId::from));
    people.remove_face(ids[2]).unwrap();
    let next = |text: &str| {
        let restored = Gallery::in_memory();
        restored.import(text.as_bytes()).unwrap();
        restored.namespace("people").unwrap().add("bo", &face(3, 0.0)).unwrap()
    };
    let text = exported(&gallery);
    assert_eq!(next(&text), FaceId::from(4));
    // Also where no face is left, or no namespace.
    people.remove_person("ada").unwrap();
    assert_eq!(next(&exported(&gallery)), FaceId::from(4));
    gallery.drop_namespace("people").unwrap();
    assert_eq!(exported(&gallery), "{\"next_face\":4}\n");
    assert_eq!(next(&exported(&gallery)), FaceId::from(4));

    // Exports of before that had such a line, and one that nobody could follow.
    let old = text.replace("{\"next_face\":4}\n", "");
    assert_ne!(old, text);
    assert_eq!(next(&old), FaceId::from(3));
    assert_eq!(next(&format!("{old}{{\"next_face\":{}}}", u64::MAX)), FaceId::from(3));
}

#[test]
fn importing_into_a_gallery_in_use_merges() {
    let text = exported(&full());
    let gallery = full();
    let staff = gallery.namespace("staff").unwrap();
    staff.add("ada", &face(0, 0.0)).unwrap();
    staff.set_name("person 1", Some("changed")).unwrap();
    staff.remove_person("person 0").unwrap();
    let report = gallery.import(text.as_bytes()).unwrap();
    assert_eq!(counts(&report), (1, 3, 15, false));
    assert_eq!(staff.get("person 1").unwrap().name.as_deref(), Some("One\nTwo"));
    assert!(staff.get("person 0").unwrap().faces.iter().all(|id| id.get() > 22), "ids are never used again");
    assert_eq!(staff.get("ada").unwrap().faces.len(), 1);
}

#[test]
fn face_lines_alone_suffice() {
    let values = face(3, 0.0).values().to_vec();
    let line = json!({"namespace": "n", "person": "p", "name": "P", "space": "s", "threshold": 0.5, "norm": 2.0, "embedding": values});
    let gallery = Gallery::in_memory();
    let report = gallery.import(format!("\n{line}\r\n\n{line}").as_bytes()).unwrap();
    assert_eq!(counts(&report), (1, 1, 1, false));
    let person = gallery.existing_namespace("n").unwrap().get("p").unwrap();
    assert_eq!((person.name.as_deref(), person.faces.len()), (Some("P"), 1));
}

#[test]
fn ids_too_high_are_replaced() {
    let mut line =
        json!({"namespace": "n", "person": "p", "space": "s", "threshold": 0.5, "norm": 2.0, "face": u64::MAX});
    line["embedding"] = json!(face(3, 0.0).values());
    let gallery = Gallery::in_memory();
    assert!(!gallery.import(line.to_string().as_bytes()).unwrap().kept_ids);
    assert_eq!(gallery.namespace("n").unwrap().get("p").unwrap().faces, [FaceId::from(1)]);
}

#[test]
fn a_bad_line_is_named_and_nothing_is_imported() {
    let good = exported(&full());
    let line = |changes: serde_json::Value| {
        let mut line =
            json!({"namespace": "staff", "person": "x", "space": "test-64", "threshold": 0.5, "norm": 1.0, "face": 90});
        line["embedding"] = json!(face(1, 0.0).values());
        for (key, value) in changes.as_object().unwrap() {
            line[key] = value.clone();
        }
        line.to_string()
    };
    let null = serde_json::Value::Null;
    let bad = [
        "{".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "\u{0}".to_owned(),
        r#"{"namespace":"n","persona":"x"}"#.to_owned(),
        r#"{"namespace":"n","person":"x","source":"x"}"#.to_owned(),
        r#"{"namespace":"n","person":"x","threshold":0.5}"#.to_owned(),
        r#"{"namespace":"n","name":"x"}"#.to_owned(),
        r#"{"namespace":"n","space":"s","threshold":0.5}"#.to_owned(),
        r#"{"namespace":"n","space":"s","threshold":7,"dimension":64}"#.to_owned(),
        r#"{"namespace":"n","space":"s","threshold":0.5,"dimension":63}"#.to_owned(),
        r#"{"next_face":0}"#.to_owned(),
        r#"{"namespace":"n","next_face":5}"#.to_owned(),
        line(json!({"next_face": 5})),
        line(json!({"person": null})),
        line(json!({"person": ""})),
        line(json!({"namespace": ""})),
        line(json!({"space": null})),
        line(json!({"space": "another"})),
        line(json!({"norm": null})),
        line(json!({"norm": 0})),
        line(json!({"face": 0})),
        line(json!({"face": 1})),
        line(json!({"face": -1})),
        line(json!({"dimension": 64})),
        line(json!({"embedding": vec![0.5; 64]})),
        line(json!({"embedding": [1.0]})),
        line(json!({"embedding": [1.0, null]})),
        line(json!({"metadata": 3})),
        line(json!({"row": 3})),
        line(json!({"row": 3, "embedding": null})),
    ];
    let (gallery, empty) = (full(), Gallery::in_memory());
    let before = exported(&gallery);
    let number = good.lines().count() + 1;
    for bad in bad {
        // Where the gallery holds other embeddings, that is what is wrong.
        let of_pinned = match &bad {
            bad if bad.contains("another") => ErrorKind::EmbeddingSpaceMismatch,
            bad if bad.contains("[1.0]") => ErrorKind::DimensionMismatch,
            _ => ErrorKind::GalleryCorrupt,
        };
        for (gallery, wanted) in [(&gallery, of_pinned), (&empty, ErrorKind::GalleryCorrupt)] {
            let error = gallery.import(format!("{good}{bad}\n{good}").as_bytes()).unwrap_err();
            assert_eq!(error.kind(), wanted, "{bad}");
            assert!(error.to_string().starts_with(&format!("line {number} of the import: ")), "{bad}: {error}");
        }
        assert_eq!((exported(&gallery), exported(&empty).as_str()), (before.clone(), ""));
    }
    assert!(gallery.import(line(json!({"name": null})).as_bytes()).is_ok(), "the unchanged line is good: {null}");
}

#[test]
fn bad_lines_are_told_of_and_the_others_imported() {
    let folder = Scratch::new("bad-lines");
    std::fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("some.txt");
    let good = exported(&full());
    let (head, tail) = good.split_at(good.find("person 4").unwrap());
    let (before, after) = head.rsplit_once('\n').unwrap();
    let bad = "{\"namespace\":\"staff\",\"person\":\"zed\",\"norm\":1}\nnonsense";
    std::fs::write(&file, format!("{before}\n{bad}\n{after}{tail}")).unwrap();

    let (strict, lenient) = (Gallery::in_memory(), Gallery::in_memory());
    let error = strict.import_from(&file).unwrap_err();
    let at = before.lines().count() as u64 + 1;
    assert!(
        error.to_string().contains(&format!("some.txt: line {at} of the import: a face has an `embedding`")),
        "{error}"
    );
    assert!(strict.namespaces().is_empty());

    let options = ImportOptions { skip_errors: true, ..ImportOptions::default() };
    let mut told = Vec::new();
    let tell = |progress: Progress| {
        told.push(progress);
        Ok(())
    };
    let report = lenient.import_with(&file, &options, tell).unwrap();
    assert_eq!(counts(&report), (8, 18, 0, true));
    let failed: Vec<_> = report.failed.iter().map(|it| (it.at, it.person.as_ref().map(PersonId::as_str))).collect();
    assert_eq!(failed, [(at, Some("zed")), (at + 1, None)]);
    assert!(report.failed.iter().all(|it| it.error.kind() == ErrorKind::GalleryCorrupt));
    assert_eq!(exported(&lenient), good);

    // Each step begins at nothing and ends with all of it.
    let size = std::fs::metadata(&file).unwrap().len();
    for (step, total) in [(Step::Reading, size), (Step::Storing, 26)] {
        let of_step: Vec<u64> = told.iter().filter(|it| it.step == step).map(|it| it.done).collect();
        assert_eq!((of_step.first(), of_step.last()), (Some(&0), Some(&total)), "{told:?}");
        assert!(of_step.is_sorted());
    }
}

#[test]
fn whoever_is_told_of_progress_may_end_it() {
    let folder = Scratch::new("ended");
    std::fs::create_dir_all(&folder.0).unwrap();
    let (file, gallery) = (folder.0.join("all.jsonl"), full());
    let stop = |_| Err(Error::new(ErrorKind::InvalidArgument, "enough"));
    assert_eq!(gallery.export_with(&file, &ExportOptions::default(), stop).unwrap_err().message(), "enough");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
    gallery.export_to(&file).unwrap();
    let other = Gallery::in_memory();
    for last in [Step::Reading, Step::Storing] {
        let stop = |progress: Progress| if progress.step == last { stop(progress) } else { Ok(()) };
        let error = other.import_with(&file, &ImportOptions::default(), stop).unwrap_err();
        assert_eq!(error.message(), "enough");
        assert!(other.namespaces().is_empty());
    }
}

#[test]
fn a_file_has_its_name_once_it_is_complete() {
    let folder = Scratch::new("complete");
    std::fs::create_dir_all(&folder.0).unwrap();
    let gallery = full();
    let names = || {
        let entries = std::fs::read_dir(&folder.0).unwrap();
        let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let remove = || names().iter().for_each(|name| std::fs::remove_file(folder.0.join(name)).unwrap());
    let one = ExportOptions { namespace: Some("staff".into()), ..ExportOptions::default() };
    for (name, files) in
        [("all.jsonl", &["all.jsonl"][..]), ("all.csv", &["all.csv"]), ("all.npz", &["all.jsonl", "all.npz"])]
    {
        let (file, new) = (folder.0.join(name), files.iter().map(|file| format!("{file}.new")).collect::<Vec<_>>());
        // Others may read what was left here, and it is longer.
        for new in &new {
            std::fs::write(folder.0.join(new), vec![b'x'; 1 << 20]).unwrap();
        }
        let other = full();
        gallery
            .export_with(&file, &one, |_| {
                assert_eq!(names(), new);
                let error = other.export_with(&file, &one, |_| Ok(())).unwrap_err();
                assert!(error.kind() == ErrorKind::Io && error.message().contains("another export"), "{error}");
                Ok(())
            })
            .unwrap();
        assert_eq!(names(), files);
        for name in files {
            let metadata = std::fs::metadata(folder.0.join(name)).unwrap();
            assert!(metadata.len() < 1 << 20);
            #[cfg(unix)]
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600);
        }
        remove();
        // Somebody makes a file of that name meanwhile: it is theirs, and the lines beside it go.
        let meanwhile = |_| {
            std::fs::write(&file, "mine").unwrap();
            Ok(())
        };
        let error = gallery.export_with(&file, &one, meanwhile).unwrap_err();
        assert!(error.kind() == ErrorKind::Io && error.message().contains("is there already"), "{error}");
        assert_eq!(names(), [name]);
        assert_eq!(std::fs::read(&file).unwrap(), b"mine");
        remove();
    }
}

#[test]
fn one_namespace_is_exported_alone() {
    let folder = Scratch::new("alone");
    std::fs::create_dir_all(&folder.0).unwrap();
    let (file, gallery, other) = (folder.0.join("staff.jsonl"), full(), Gallery::in_memory());
    let of = |name: &str| ExportOptions { namespace: Some(name.to_owned()), ..ExportOptions::default() };
    let report = gallery.export_with(&file, &of("staff"), |_| Ok(())).unwrap();
    assert_eq!((report.persons, report.faces), (7, 17));
    assert_eq!(counts(&other.import_from(&file).unwrap()), (7, 17, 0, true));
    assert_eq!(other.namespaces(), ["staff"]);
    let missing = gallery.export_with(folder.0.join("none"), &of("nobody"), |_| Ok(()));
    assert_eq!(kind(missing), ErrorKind::NamespaceNotFound);
    assert!(!folder.0.join("none").exists());
    // No file is written over.
    assert_eq!(kind(gallery.export_to(&file)), ErrorKind::Io);
}

#[test]
fn other_embeddings_are_refused_whole() {
    let gallery = Gallery::in_memory();
    let other = Embedding::from_raw(vec![1.0; DIMENSION], EmbeddingSpace::new("mine", 0.5)).unwrap();
    gallery.namespace("staff").unwrap().add("ada", &other).unwrap();
    let error = gallery.import(exported(&full()).as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmbeddingSpaceMismatch);
    assert_eq!(gallery.namespaces(), ["staff"]);
}

#[test]
fn lines_of_other_embeddings_are_told_of_and_the_others_imported() {
    let folder = Scratch::new("other-lines");
    std::fs::create_dir_all(&folder.0).unwrap();
    let (file, source) = (folder.0.join("all.jsonl"), full());
    // What is bad makes no namespace either.
    let bad =
        json!({"namespace": "fresh", "person": "x", "space": "s", "threshold": 0.5, "norm": 1.0, "embedding": [1.0]});
    std::fs::write(&file, format!("{}{bad}\n", exported(&source))).unwrap();
    source
        .export_with(
            folder.0.join("staff.npz"),
            &ExportOptions { namespace: Some("staff".into()), ..Default::default() },
            |_| Ok(()),
        )
        .unwrap();

    let options = ImportOptions { skip_errors: true, ..ImportOptions::default() };
    for (file, persons, faces, last) in [(file, 8, 1, true), (folder.0.join("staff.npz"), 7, 0, false)] {
        let gallery = Gallery::in_memory();
        let other = Embedding::from_raw(vec![1.0; DIMENSION], EmbeddingSpace::new("mine", 0.5)).unwrap();
        gallery.namespace("staff").unwrap().add("ada", &other).unwrap();
        let mut report = gallery.import_with(&file, &options, |_| Ok(())).unwrap();
        assert_eq!((report.persons, report.faces), (persons, faces));
        if last {
            assert_eq!(report.failed.pop().unwrap().error.kind(), ErrorKind::GalleryCorrupt);
            assert_eq!(gallery.namespaces(), ["empty", "guests \"VIP\"", "pinned", "staff"]);
        }
        // The namespace's own line, and a line for each face.
        assert_eq!(report.failed.len(), 18);
        for failure in &report.failed {
            assert_eq!(failure.error.kind(), ErrorKind::EmbeddingSpaceMismatch);
            assert!(failure.error.to_string().starts_with(&format!("line {} of the import: ", failure.at)));
        }
        assert_eq!(report.failed[1].person.as_ref().unwrap(), &"person 0");
    }
}

#[test]
fn failing_files_are_io_errors() {
    struct Broken;
    impl std::io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("unplugged"))
        }
    }
    let error = full().export(Broken).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Io, "cannot write the export: disk full"));
    assert_eq!(kind(Gallery::in_memory().import(std::io::BufReader::new(Broken))), ErrorKind::Io);
    let endless = std::io::BufReader::new(std::io::repeat(b'x'));
    assert_eq!(kind(Gallery::in_memory().import(endless)), ErrorKind::GalleryCorrupt, "a line has to end");
}
