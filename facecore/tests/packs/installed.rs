//! Packs that are in the cache: changed, put right, removed; and names that can be none.

use facecore::ErrorKind;
use facecore::packs::PackState;
use facecore_testkit::archive;
use facecore_testkit::models::Embedder;

use super::{Place, accepted, buffalo_sc, detector, go_on, serves};

#[test]
fn a_pack_that_was_changed_is_found_out_and_put_right() {
    let place = Place::new();
    let server = serves(buffalo_sc());
    let pulled = place.pull("buffalo_sc", &server).unwrap();
    let model = pulled.folder.join("w600k_mbf.onnx");
    let sound = std::fs::read(&model).unwrap();
    let mut changed = sound.clone();
    changed[1000] ^= 1;
    std::fs::write(&model, &changed).unwrap();
    assert_eq!(place.packs.open("buffalo_sc").unwrap_err().kind(), ErrorKind::ChecksumMismatch);
    let verified = place.packs.verify("buffalo_sc", &accepted(), &mut go_on);
    assert_eq!(verified.unwrap_err().kind(), ErrorKind::ChecksumMismatch);

    std::fs::write(&model, &sound[..1000]).unwrap();
    let state =
        |place: &Place| place.packs.list().unwrap().iter().find(|pack| pack.name == "buffalo_sc").unwrap().state;
    assert_eq!(state(&place), PackState::Damaged);
    // Another file than was recorded does not get in this way.
    let other = archive::of_files(&[
        ("det_500m.onnx", &detector()),
        ("w600k_mbf.onnx", &Embedder { dimension: 512, seed: 2, ..Embedder::default() }.bytes()),
    ]);
    let error = place.pull("buffalo_sc", &serves(other.clone())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ChecksumMismatch, "{error}");
    assert_eq!(state(&place), PackState::Damaged);
    place.pull("buffalo_sc", &server).unwrap();
    assert_eq!((state(&place), std::fs::read(&model).unwrap()), (PackState::Installed, sound));

    for damaged in [&b"{"[..], b"\xff\xfe"] {
        std::fs::write(pulled.folder.join("installed.json"), damaged).unwrap();
        assert_eq!(state(&place), PackState::Damaged);
        assert_eq!(place.packs.open("buffalo_sc").unwrap_err().kind(), ErrorKind::PackInvalid);
        // The manifest still has the checksums.
        assert_eq!(place.pull("buffalo_sc", &serves(other.clone())).unwrap_err().kind(), ErrorKind::ChecksumMismatch);
        place.pull("buffalo_sc", &server).unwrap();
        assert_eq!(state(&place), PackState::Installed);
    }

    // A model and the manifest that were changed together differ from the record.
    let manifest = pulled.folder.join("pack.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let without: String =
        text.lines().filter(|line| !line.starts_with("sha256")).map(|line| format!("{line}\n")).collect();
    std::fs::write(&manifest, without).unwrap();
    let sound = std::fs::read(&model).unwrap();
    std::fs::write(&model, Embedder { dimension: 512, seed: 2, ..Embedder::default() }.bytes()).unwrap();
    assert_eq!(place.packs.open("buffalo_sc").unwrap_err().kind(), ErrorKind::ChecksumMismatch);
    std::fs::write(&model, sound).unwrap();
    std::fs::write(&manifest, text).unwrap();

    let removed = place.packs.remove("buffalo_sc", &mut go_on).unwrap();
    assert!(removed.bytes > 10_000 && place.files().is_empty());
    assert_eq!(place.packs.remove("buffalo_sc", &mut go_on).unwrap_err().kind(), ErrorKind::ModelNotFound);
    let missing = place.packs.open("buffalo_sc").unwrap_err();
    assert!(missing.to_string().contains("facecore models pull buffalo_sc"), "{missing}");
    // What is meant is done: after it was removed, the other file may come.
    place.pull("buffalo_sc", &serves(other)).unwrap();
}

#[test]
fn names_that_are_none_are_refused() {
    let place = Place::new();
    let kind = |name: &str| place.packs.pull(name, &accepted(), &mut go_on).unwrap_err().kind();
    assert_eq!(kind("buffalo_xxl"), ErrorKind::ModelNotFound);
    assert_eq!(kind("lite"), ErrorKind::InvalidArgument);
    for bad in ["", "..", "../x", "/etc", "a/b", ".work"] {
        assert_eq!(kind(bad), ErrorKind::InvalidArgument, "{bad}");
        assert_eq!(place.packs.remove(bad, &mut go_on).unwrap_err().kind(), ErrorKind::InvalidArgument, "{bad}");
        assert_eq!(place.packs.open(bad).unwrap_err().kind(), ErrorKind::InvalidArgument, "{bad}");
    }
    assert!(place.files().is_empty());
}
