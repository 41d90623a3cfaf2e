//! Galleries as NumPy archives.

use std::fs::File;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::exchange::{counts, exported};
use super::*;

/// A folder with an export of `gallery` in it.
fn exported_files(name: &str, gallery: &Gallery) -> (Scratch, PathBuf) {
    let folder = Scratch::new(name);
    std::fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("all.npz");
    gallery.export_to(&file).unwrap();
    (folder, file)
}

/// Many people of two namespaces, with everything that can be stored.
fn crowd(seed: u64) -> Gallery {
    let gallery = Gallery::in_memory();
    let mut random = model::Random(seed);
    for (name, space) in [("staff", space()), ("Gäste \u{1F600}, \"VIP\"", EmbeddingSpace::new("other", -0.25))] {
        let people = gallery.namespace(name).unwrap();
        let mut batch = Batch::new();
        for n in 0..300 {
            let raw: Vec<f32> = (0..DIMENSION).map(|i| random.coordinate() * 0.01f32.powi(i as i32 % 15)).collect();
            let mut new = NewFace::from(Embedding::from_raw(raw, space.clone()).unwrap());
            new.quality = (n % 2 == 0).then(|| random.coordinate());
            new.source = (n % 3 == 0).then(|| format!("{n}\n.jpg"));
            if n % 5 == 0 {
                new.metadata.insert("n".into(), json!([n, null, {"\u{e9}": 0.1}]));
            }
            let id = format!("Ωμέγα \"{}\",\t{}", n % 70, "x".repeat(n % 7 * 70));
            batch.enrol(id.clone(), vec![new]);
            batch.set_name(id, Some("=1+1\nÅsa"));
        }
        people.apply(&batch).unwrap().into_iter().for_each(|done| drop(done.unwrap()));
        people.enrol("nobody yet", &[]).unwrap();
    }
    let last = gallery.namespace("staff").unwrap().persons().unwrap().last().unwrap().faces[0];
    gallery.namespace("staff").unwrap().remove_face(last).unwrap();
    gallery
}

#[test]
fn a_restored_gallery_is_the_same_to_the_bit() {
    let gallery = crowd(7);
    let (folder, file) = exported_files("npz", &gallery);
    let stored = Scratch::new("npz-stored");
    for other in [Gallery::in_memory(), stored.open()] {
        let mut told = Vec::new();
        let report = other
            .import_with(&file, &ImportOptions::default(), |progress| {
                told.push(progress);
                Ok(())
            })
            .unwrap();
        let (old, faces) = (exported(&gallery), 599);
        assert_eq!((report.faces, report.duplicates, report.kept_ids), (faces, 0, true));
        assert!(exported(&other) == old, "JSON Lines tell everything, floats to the bit");
        assert_eq!(told.last().map(|last| (last.step, last.done == last.total)), Some((Step::Storing, true)));
        // Of a gallery on disk, too.
        let again = folder.0.join(format!("again-{}.npz", other.folder().is_some()));
        other.export_to(&again).unwrap();
        assert!(std::fs::read(&again).unwrap() == std::fs::read(&file).unwrap());
        #[cfg(unix)]
        for file in [&again, &again.with_extension("jsonl")] {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(counts(&other.import_from(&file).unwrap()), (0, 0, faces, false));
    }
}

#[test]
fn an_empty_gallery_comes_back() {
    let gallery = Gallery::in_memory();
    let (_folder, file) = exported_files("npz-empty", &gallery);
    assert_eq!(counts(&gallery.import_from(&file).unwrap()), (0, 0, 0, false));
    gallery.namespace("staff").unwrap().enrol("ada", &[]).unwrap();
    let (_folder, file) = exported_files("npz-faceless", &gallery);
    let other = Gallery::in_memory();
    assert_eq!(counts(&other.import_from(&file).unwrap()), (1, 0, 0, false));
    assert_eq!(exported(&other), exported(&gallery));
}

#[test]
fn what_one_archive_cannot_hold_leaves_nothing() {
    let gallery = crowd(1);
    let (folder, file) = exported_files("npz-refused", &gallery);
    let longer = Embedding::from_raw(vec![1.0; 100], space()).unwrap();
    gallery.namespace("long").unwrap().add("ada", &longer).unwrap();
    let at = |name: &str| folder.0.join(name);
    let npz = ExportOptions { format: Some(Format::Npz), ..ExportOptions::default() };
    for (name, options, wanted) in [
        ("other.npz", npz.clone(), ErrorKind::InvalidArgument),
        ("other.dat", npz.clone(), ErrorKind::InvalidArgument),
        ("all.npz", ExportOptions { namespace: Some("staff".into()), ..npz.clone() }, ErrorKind::Io),
        ("nowhere/other.npz", ExportOptions { namespace: Some("staff".into()), ..npz }, ErrorKind::Io),
    ] {
        assert_eq!(kind(gallery.export_with(at(name), &options, |_| Ok(()))), wanted, "{name}");
    }
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 2, "the first export is all there is");
    let one = ExportOptions { namespace: Some("long".into()), ..ExportOptions::default() };
    assert_eq!(gallery.export_with(at("long.npz"), &one, |_| Ok(())).unwrap().faces, 1);
    assert!(Gallery::in_memory().import_from(&file).is_ok());
}

/// An array as NumPy writes it, for a `descr` and a shape.
fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

fn npz(method: CompressionMethod, arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn le(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn texts(texts: &[&str], length: usize) -> Vec<u8> {
    let padded = |text: &&str| text.chars().map(u32::from).chain(std::iter::repeat(0)).take(length).collect::<Vec<_>>();
    texts.iter().flat_map(padded).flat_map(u32::to_le_bytes).collect()
}

/// An archive made by hand, imported into a gallery.
struct Hand {
    folder: Scratch,
    gallery: Gallery,
    options: ImportOptions,
}

impl Hand {
    fn new(name: &str) -> Hand {
        let folder = Scratch::new(name);
        std::fs::create_dir_all(&folder.0).unwrap();
        let options = ImportOptions { space: Some(space()), namespace: "staff".into(), ..ImportOptions::default() };
        Hand { folder, gallery: Gallery::in_memory(), options }
    }

    fn import(&self, bytes: &[u8]) -> Result<ImportReport> {
        let file = self.folder.0.join("hand.npz");
        std::fs::write(&file, bytes).unwrap();
        self.gallery.import_with(&file, &self.options, |_| Ok(()))
    }
}

/// Rows whose one coordinate that is not 0 is `value`, in as many places.
fn axes(values: &[f32]) -> Vec<f32> {
    let row = |(at, value): (usize, &f32)| {
        let mut row = vec![0.0; DIMENSION];
        row[at] = *value;
        row
    };
    values.iter().enumerate().flat_map(row).collect()
}

#[test]
fn archives_made_by_hand_are_normalised_and_need_a_space() {
    let vectors = axes(&[3.0, -2.0, 1.0]);
    let doubles: Vec<u8> = vectors.iter().flat_map(|value| f64::from(*value).to_be_bytes()).collect();
    let persons = npy("<U3", "(3,)", &texts(&["ada", "bo", "ada"], 3));
    for (method, embeddings) in [
        (CompressionMethod::Stored, npy("<f4", "(3, 64)", &le(&vectors))),
        (CompressionMethod::Deflated, npy(">f8", "(3, 64)", &doubles)),
    ] {
        let mut hand = Hand::new("hand");
        let archive = npz(method, &[("embeddings", embeddings), ("persons", persons.clone()), ("ages", Vec::new())]);
        let report = hand.import(&archive).unwrap();
        assert_eq!((counts(&report), report.failed.len()), ((2, 3, 0, false), 0));
        let staff = hand.gallery.existing_namespace("staff").unwrap();
        let bo = staff.face(staff.get("bo").unwrap().faces[0]).unwrap();
        assert_eq!((bo.embedding.values()[1], bo.embedding.norm()), (-1.0, 2.0));
        hand.options.space = None;
        let error = hand.import(&archive).unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidArgument && error.message().contains("embedding space"), "{error}");
    }
    // With a namespace for each.
    let hand = Hand::new("hand-namespaces");
    let namespaces = npy("|S5", "(3,)", b"staffguestguest");
    let embeddings = npy("<f4", "(3, 64)", &le(&vectors));
    let archive =
        npz(CompressionMethod::Stored, &[("embeddings", embeddings), ("persons", persons), ("namespaces", namespaces)]);
    assert_eq!(counts(&hand.import(&archive).unwrap()), (3, 3, 0, false));
    assert_eq!(hand.gallery.namespaces(), ["guest", "staff"]);
}

#[test]
fn bad_rows_are_told_of_and_the_others_imported() {
    let mut hand = Hand::new("hand-bad-rows");
    let mut vectors = axes(&[1.0, f32::NAN, 0.0, 1.0, 1.0, f32::INFINITY]);
    vectors[4 * DIMENSION..5 * DIMENSION].copy_from_slice(&axes(&[1.0]));
    let mut persons = texts(&["ada", "bo", "cy", "", "ada", "dee"], 3);
    let archive = |persons: &[u8]| {
        let arrays = [("embeddings", npy("<f4", "(6, 64)", &le(&vectors))), ("persons", npy("<U3", "(6,)", persons))];
        npz(CompressionMethod::Stored, &arrays)
    };
    let error = hand.import(&archive(&persons)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidEmbedding);
    assert!(error.to_string().contains("hand.npz: row 1: value 1 of the embedding is NaN"), "{error}");
    assert!(hand.gallery.namespaces().is_empty());

    hand.options.skip_errors = true;
    persons[5 * 12..5 * 12 + 4].copy_from_slice(&0xD800u32.to_le_bytes());
    let report = hand.import(&archive(&persons)).unwrap();
    assert_eq!(counts(&report), (1, 1, 1, false));
    let failed: Vec<_> = report.failed.iter().map(|it| (it.at, it.error.kind())).collect();
    let (vector, argument) = (ErrorKind::InvalidEmbedding, ErrorKind::InvalidArgument);
    assert_eq!(failed, [(1, vector), (2, vector), (3, argument), (5, vector)]);
    assert_eq!(report.failed[0].person.as_ref().unwrap(), &"bo");
}

#[test]
fn archives_that_do_not_fit_are_refused_whole() {
    let mut hand = Hand::new("hand-misfits");
    hand.options.skip_errors = true;
    let good = || ("embeddings", npy("<f4", "(2, 64)", &le(&axes(&[1.0, 1.0]))));
    let names = || ("persons", npy("<U3", "(2,)", &texts(&["ada", "bo"], 3)));
    let one = |embeddings: Vec<u8>| npz(CompressionMethod::Stored, &[("embeddings", embeddings), names()]);
    let objects = ("persons", npy("|O", "(2,)", b"cos\nsystem\n(S'exit'\ntR."));
    let argument = ErrorKind::InvalidArgument;
    for (archive, wanted, what) in [
        (npz(CompressionMethod::Stored, &[names()]), argument, "no array `embeddings`"),
        (npz(CompressionMethod::Stored, &[good()]), argument, "no array `persons`"),
        (npz(CompressionMethod::Stored, &[good(), objects]), argument, "executes code"),
        (
            npz(CompressionMethod::Stored, &[good(), ("persons", npy("<U3", "(1,)", &texts(&["ada"], 3)))]),
            argument,
            "2 rows, and `persons` 1",
        ),
        (
            npz(CompressionMethod::Stored, &[good(), ("persons", npy("<f4", "(2,)", &le(&[1.0, 2.0])))]),
            argument,
            "not texts",
        ),
        (one(npy("<f4", "(128,)", &le(&axes(&[1.0, 1.0])))), argument, "2 axes are wanted"),
        (one(npy("<i8", "(2, 64)", &le(&axes(&[1.0; 4])))), argument, "not vectors"),
        (one(npy("<f4", "(2, 1)", &le(&[1.0, 1.0]))), ErrorKind::DimensionMismatch, "64 to 1024 dimensions, not 1"),
        (one(npy("<f2", "(2, 1025)", &[0; 4100])), ErrorKind::DimensionMismatch, "64 to 1024 dimensions, not 1025"),
        (one(npy("<f4", "(2, 63)", &le(&axes(&[1.0, 1.0])[..126]))), ErrorKind::DimensionMismatch, "64 to 1024"),
        (
            one(npy("<f4", "(2, 64)", &le(&axes(&[1.0])))),
            ErrorKind::GalleryCorrupt,
            "array `embeddings`: it is cut short",
        ),
        (
            npz(
                CompressionMethod::Stored,
                &[
                    ("embeddings", npy("<f4", "(1, 64)", &le(&axes(&[1.0, 1.0])))),
                    ("persons", npy("<U3", "(1,)", &texts(&["ada"], 3))),
                ],
            ),
            ErrorKind::GalleryCorrupt,
            "longer than its shape",
        ),
        (one(npy("<f4", "(99999999999, 64)", &[])), argument, "99999999999 rows, and `persons` 2"),
        (one(npy("<f4", "(2, 99999999999)", &[])), argument, "no embeddings"),
        (one(b"PK".to_vec()), ErrorKind::GalleryCorrupt, "cut short"),
        (b"{}".to_vec(), ErrorKind::GalleryCorrupt, "no NPZ"),
        (Vec::new(), ErrorKind::GalleryCorrupt, "no NPZ"),
    ] {
        let error = hand.import(&archive).unwrap_err();
        assert!(error.kind() == wanted && error.to_string().contains(what), "{what}: {error:?}");
    }
    assert!(hand.gallery.namespaces().is_empty());
    // Of another space than the namespace.
    let other = Embedding::from_raw(vec![1.0; DIMENSION], EmbeddingSpace::new("mine", 0.5)).unwrap();
    hand.gallery.namespace("staff").unwrap().add("zoe", &other).unwrap();
    let archive = npz(CompressionMethod::Stored, &[good(), names()]);
    assert_eq!(kind(hand.import(&archive)), ErrorKind::EmbeddingSpaceMismatch);
    assert_eq!(hand.gallery.namespace("staff").unwrap().person_count(), 1);
}

#[test]
fn an_archive_that_swells_is_refused() {
    let mut hand = Hand::new("hand-bomb");
    hand.options.skip_errors = true;
    // 800 kB of zeros in a few.
    let zeros = |descr: &str, width: usize, size: usize| {
        let rows = 800_000 / (width * size);
        npy(descr, &if width > 1 { format!("({rows}, {width})") } else { format!("({rows},)") }, &vec![0; 800_000])
    };
    let vectors = |values: &[f32]| ("embeddings", npy("<f4", "(2, 64)", &le(&axes(values))));
    for arrays in [
        [("embeddings", zeros("<f4", 64, 4)), ("persons", zeros("<U64", 1, 256))],
        [vectors(&[1.0, 1.0]), ("persons", npy("<U100000", "(2,)", &[0; 800_000]))],
        // Texts, beside vectors that do not pack.
        [("embeddings", zeros("<f2", 64, 2)), ("persons", zeros("|S128", 1, 128))],
    ] {
        let archive = npz(CompressionMethod::Deflated, &arrays);
        assert!(archive.len() < 8000, "{}", archive.len());
        let error = hand.import(&archive).unwrap_err();
        assert!(error.kind() == ErrorKind::GalleryCorrupt && error.message().contains("do not pack"), "{error}");
    }
    // All arrays together are what counts: the same person over and over packs better than that.
    let mut random = model::Random(4);
    let noise: Vec<f32> = (0..1000 * DIMENSION).map(|_| random.coordinate()).collect();
    let arrays = [
        ("embeddings", npy("<f4", "(1000, 64)", &le(&noise))),
        ("persons", npy("<U40", "(1000,)", &texts(&["ada"; 1000], 40))),
    ];
    assert_eq!(counts(&hand.import(&npz(CompressionMethod::Deflated, &arrays)).unwrap()), (1, 1000, 0, false));
}

#[test]
fn damage_anywhere_is_found() {
    let gallery = crowd(3);
    let (_folder, file) = exported_files("npz-damaged", &gallery);
    let (bytes, other) = (std::fs::read(&file).unwrap(), Gallery::in_memory());
    let mut random = model::Random(11);
    for cut in [0, 1, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&file, &bytes[..cut]).unwrap();
        assert_eq!(kind(other.import_from(&file)), ErrorKind::GalleryCorrupt, "cut to {cut}");
    }
    let embeddings = 599 * DIMENSION * 4;
    for _ in 0..20 {
        let mut damaged = bytes.clone();
        damaged[200 + random.below(embeddings - 200)] ^= 1 << random.below(8);
        std::fs::write(&file, damaged).unwrap();
        assert_eq!(kind(other.import_from(&file)), ErrorKind::GalleryCorrupt);
    }
    assert!(other.namespaces().is_empty());
}

#[test]
fn lines_and_arrays_of_different_exports_are_refused() {
    let (_first, file) = exported_files("npz-first", &crowd(3));
    let (_second, others) = exported_files("npz-second", &crowd(4));
    let (lines, gallery) = (file.with_extension("jsonl"), Gallery::in_memory());
    let good = std::fs::read_to_string(&lines).unwrap();
    let import = |text: &str| {
        std::fs::write(&lines, text).unwrap();
        gallery.import_from(&file).unwrap_err()
    };
    for (text, what) in [
        (good.replacen("\"row\":0}", "\"row\":1}", 1), "row 1 is of face"),
        (good.replacen("\"row\":0}", "\"row\":599}", 1), "the NPZ has 599"),
        (
            good.lines().filter(|line| !line.contains("\"row\":5}")).collect::<Vec<_>>().join("\n"),
            "no line tells of 1 rows",
        ),
        (
            good.lines().filter(|line| line.contains("\"row\":5}")).map(|line| format!("{line}\n{line}\n")).collect(),
            "row 5 is named twice",
        ),
    ] {
        let error = import(&text);
        assert!(error.kind() == ErrorKind::GalleryCorrupt && error.to_string().contains(what), "{what}: {error}");
    }
    // A line that is bad may be that of one row, but not of two.
    let row = |line: &&str| [5, 6].iter().any(|row| line.contains(&format!("\"row\":{row}}}")));
    let skipping = ImportOptions { skip_errors: true, ..ImportOptions::default() };
    for (bad, left) in [(1, 1), (2, 0)] {
        let rest = good.lines().filter(|line| !row(line)).chain(["nonsense"; 2].into_iter().take(bad));
        std::fs::write(&lines, rest.collect::<Vec<_>>().join("\n")).unwrap();
        let report = Gallery::in_memory().import_with(&file, &skipping, |_| Ok(()));
        assert_eq!(report.map_or(0, |report| report.faces), if left > 0 { 0 } else { 597 });
    }
    // The same people with the same ids, and other vectors: bad lines that may be left out do not change that.
    std::fs::write(&lines, &good).unwrap();
    std::fs::copy(&others, &file).unwrap();
    let error = gallery.import_from(&file).unwrap_err();
    assert!(error.to_string().contains("other `embeddings`: the two files are of different exports"), "{error}");
    for text in
        [good.clone(), good.lines().filter(|line| !line.contains("{\"embeddings\"")).collect::<Vec<_>>().join("\n")]
    {
        std::fs::write(&lines, text).unwrap();
        let error = gallery.import_with(&file, &skipping, |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("no line has the hash"), "{error}");
    }
    assert!(gallery.namespaces().is_empty());
    assert!(gallery.import_from(&lines).unwrap_err().to_string().contains("import that file"));
}

#[test]
fn numpy_finds_the_arrays_it_expects() {
    let (_folder, file) = exported_files("npz-arrays", &crowd(5));
    let mut archive = ZipArchive::new(File::open(file).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names, ["embeddings.npy", "persons.npy", "namespaces.npy", "face_ids.npy"]);
    assert_eq!(archive.by_name("embeddings.npy").unwrap().size(), 128 + 599 * 64 * 4);
}

#[test]
fn what_is_imported_as_something_else_is_refused_as_a_whole() {
    let folder = Scratch::new("mistaken");
    std::fs::create_dir_all(&folder.0).unwrap();
    let (npz, lines) = (folder.0.join("all.npz"), folder.0.join("all.jsonl"));
    let gallery = memory();
    gallery.namespace("staff").unwrap().enrol("ada", &[face(0, 0.0).into()]).unwrap();
    gallery.export_to(&npz).unwrap();
    let refused = |path: &std::path::Path, options: &ImportOptions, why: &str| {
        let gallery = Gallery::in_memory();
        let options = ImportOptions { skip_errors: true, ..options.clone() };
        let error = gallery.import_with(path, &options, |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert!(gallery.namespaces().is_empty());
    };
    refused(&lines, &ImportOptions::default(), "in row 0 of an NPZ");
    let as_lines = ImportOptions { format: Some(Format::JsonLines), ..ImportOptions::default() };
    refused(&npz, &as_lines, "no JSON Lines");
    let with_space = ImportOptions { space: Some(space()), ..ImportOptions::default() };
    refused(&npz, &with_space, "leave out the space");
    refused(&lines, &with_space, "leave out the space");
    // A byte order mark is none of its text.
    let marked = folder.0.join("marked.jsonl");
    std::fs::write(&marked, b"\xEF\xBB\xBF{\"namespace\":\"staff\",\"person\":\"ada\"}\n").unwrap();
    assert_eq!(Gallery::in_memory().import_from(&marked).unwrap().persons, 1);
}
