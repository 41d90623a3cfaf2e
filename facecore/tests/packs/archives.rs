//! Archives that attack, or are damaged.

use facecore::ErrorKind;
use facecore_testkit::archive::{Entry, of_files, zip};

use super::{Place, accepted, buffalo_sc, detector, embedder, go_on};

/// An archive that would be a pack, but for one more entry.
fn with(entry: Entry) -> Vec<u8> {
    zip(&[Entry::stored("det_500m.onnx", &detector()), Entry::stored("w600k_mbf.onnx", &embedder()), entry])
}

fn refused(archive: &[u8], why: &str) {
    let place = Place::new();
    let path = place.write("pack.zip", archive);
    let error = place.import(&path).expect_err(why);
    assert_eq!(error.kind(), ErrorKind::ArchiveInvalid, "{why}: {error}");
    assert!(error.to_string().contains(why) && error.to_string().contains("pack.zip"), "{why}: {error}");
    assert!(place.files().is_empty(), "{why}");
    let beside: Vec<_> = std::fs::read_dir(&place.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(beside.iter().all(|name| name == "pack.zip" || name == "cache"), "{why}: {beside:?}");
}

#[test]
fn the_harmless_one_is_taken() {
    let place = Place::new();
    place.import(place.write("pack.zip", &with(Entry::deflated("readme.txt", b"hello")))).unwrap();
    let folders = with(Entry { mode: 0o040_755, ..Entry::stored("folder/", b"") });
    Place::new().import(place.write("folders.zip", &folders)).unwrap();
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["../evil", "a/../../evil", "..", "a/./b", "a//b", "a/.."] {
        refused(&with(Entry::stored(name, b"x")), "leads out of the archive's folder");
    }
    for name in ["/etc/passwd", "..\\evil", "C:evil", "a\0b", "a\nb", "\x1b[2Jevil"] {
        refused(&with(Entry::stored(name, b"x")), "no path within an archive");
    }
    // The models themselves under such names.
    let models = [Entry::stored("../det_500m.onnx", &detector()), Entry::stored("../w600k_mbf.onnx", &embedder())];
    refused(&zip(&models), "leads out of the archive's folder");
}

#[test]
fn links_and_devices_are_refused() {
    for mode in [0o120_777, 0o020_666, 0o010_644, 0o140_777] {
        refused(&with(Entry { mode, ..Entry::stored("link", b"/etc/passwd") }), "a link or a device");
        let model = Entry { mode, ..Entry::stored("det_500m.onnx", b"/etc/passwd") };
        refused(&zip(&[model, Entry::stored("w600k_mbf.onnx", &embedder())]), "a link or a device");
    }
}

#[test]
fn two_entries_of_one_name_are_refused() {
    refused(&with(Entry::stored("det_500m.onnx", b"another")), "two entries of one name");
    // In two folders it is not known which is meant.
    let twice = [
        Entry::stored("a/det_500m.onnx", &detector()),
        Entry::stored("a/w600k_mbf.onnx", &embedder()),
        Entry::stored("b/det_500m.onnx", &detector()),
        Entry::stored("b/w600k_mbf.onnx", &embedder()),
    ];
    let place = Place::new();
    let error = place.packs.import(place.write("x.zip", &zip(&twice)), Some("buffalo_sc"), &accepted(), &mut go_on);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; 200 << 20];
    let bomb = Entry::deflated("det_500m.onnx", &zeros);
    assert!(bomb.data.len() < 2 << 20);
    let models = |detector: Entry| zip(&[detector, Entry::stored("w600k_mbf.onnx", &embedder())]);
    refused(&models(bomb.clone()), "no model does");
    // It says that it is small: what comes beyond is not written.
    refused(&models(Entry { size: 100_000, ..bomb.clone() }), "larger than its declared");
    refused(&models(Entry { size: 0, ..bomb }), "");
    // It says that it is larger than any model.
    refused(&models(Entry { size: u32::MAX, ..Entry::stored("det_500m.onnx", b"x") }), "no model does");
}

#[test]
fn what_cannot_be_unpacked_is_refused() {
    refused(&with(Entry { flags: 1, ..Entry::stored("secret", b"x") }), "is encrypted");
    refused(&with(Entry { method: 12, ..Entry::stored("bzip2", b"x") }), "not by deflate");
    let models = |detector: Entry| zip(&[detector, Entry::stored("w600k_mbf.onnx", &embedder())]);
    let sound = Entry::deflated("det_500m.onnx", &detector());
    refused(&models(Entry { crc: 1, ..sound.clone() }), "damaged or cut short");
    refused(&models(Entry { data: sound.data[..sound.data.len() / 2].to_vec(), ..sound.clone() }), "");
    refused(&models(Entry { size: sound.size + 1, ..sound.clone() }), "");
    refused(&models(Entry { data: vec![0xff; 1000], ..sound }), "damaged or cut short");
}

#[test]
fn what_is_no_archive_is_refused() {
    let whole = buffalo_sc();
    for (content, why) in [
        (&b""[..], "no zip archive"),
        (b"<html>", "no zip archive"),
        (&whole[..whole.len() - 10], ""),
        (&whole[..whole.len() / 2], ""),
        (&whole[1..], ""),
    ] {
        refused(content, why);
    }
}

#[test]
fn thousands_of_entries_are_refused() {
    let many: Vec<Entry> = (0..5000).map(|number| Entry::stored(&format!("{number}"), b"")).collect();
    refused(&zip(&many), "5000 entries");
    // A directory that would fill the memory is not read to its end.
    let name = "x".repeat(60_000);
    let long: Vec<Entry> = (0..300).map(|number| Entry::stored(&format!("{name}{number}"), b"")).collect();
    refused(&zip(&long), "longer than 4194304 bytes");
}

#[test]
fn archives_with_a_folder_within_are_taken() {
    let place = Place::new();
    let archive = of_files(&[
        ("antelopev2/1k3d68.onnx", b"not kept"),
        ("antelopev2/scrfd_10g_bnkps.onnx", &detector()),
        ("antelopev2/glintr100.onnx", &embedder()),
    ]);
    let pack = place.import(place.write("antelopev2.zip", &archive)).unwrap();
    assert_eq!(pack.name, "antelopev2");
    let names: Vec<_> = place.files().keys().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["glintr100.onnx", "installed.json", "pack.toml", "scrfd_10g_bnkps.onnx"]);
}
