//! Packs from folders, by the names of their files or by their manifest.

use facecore::ErrorKind;
use facecore::packs::{Checksum, PackState, test_crop};
use facecore::{Embedder, EmbedderKind, EmbedderOptions, EmbedderSpec, LicenceClass, ModelSource, Pack};
use facecore_testkit::archive;
use facecore_testkit::models::{self, nan_embedder};

use super::{Place, accepted, detector, embedder, go_on};

#[test]
fn folders_as_insightface_has_them_are_recognised() {
    let place = Place::new();
    for (name, files) in [
        ("buffalo_l", ["det_10g.onnx", "w600k_r50.onnx"]),
        ("buffalo_s", ["det_500m.onnx", "w600k_mbf.onnx"]),
        ("antelopev2", ["scrfd_10g_bnkps.onnx", "glintr100.onnx"]),
    ] {
        place.write(&format!("models/{name}/{}", files[0]), &detector());
        place.write(&format!("models/{name}/{}", files[1]), &embedder());
        place.write(&format!("models/{name}/genderage.onnx"), b"not needed");
    }
    let several = place.import(place.folder.join("models")).unwrap_err();
    assert_eq!(several.kind(), ErrorKind::InvalidArgument);
    assert!(several.to_string().contains("buffalo_l, buffalo_s"), "{several}");
    let home = place.folder.join("models");
    let named = place.packs.import(&home, Some("antelopev2"), &accepted(), &mut go_on).unwrap();
    assert_eq!(named.name, "antelopev2");
    for name in ["buffalo_l", "buffalo_s"] {
        let pack = place.import(home.join(name)).unwrap();
        assert_eq!((pack.name.as_str(), pack.licence_class), (name, LicenceClass::ResearchOnly));
        assert!(pack.origin.ends_with(name));
        assert_eq!(place.packs.open(name).unwrap().name, name);
    }
    let installed = place.packs.list().unwrap();
    let installed: Vec<&str> =
        installed.iter().filter(|pack| pack.state == PackState::Installed).map(|pack| pack.name.as_str()).collect();
    assert_eq!(installed, ["buffalo_l", "buffalo_s", "antelopev2"]);
}

#[test]
fn other_files_under_opencvs_names_are_not_taken_for_its_own() {
    let place = Place::new();
    place.write("zoo/models/face_detection_yunet/face_detection_yunet_2023mar.onnx", &detector());
    place.write("zoo/models/face_recognition_sface/face_recognition_sface_2021dec.onnx", &embedder());
    let found = place.packs.find_in(place.folder.join("zoo"), None).unwrap();
    assert_eq!((found.name.as_str(), found.licence_class), ("opencv", LicenceClass::Permissive));
    let error = place.import(place.folder.join("zoo")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ChecksumMismatch, "{error}");
    assert!(place.files().is_empty());
}

/// A pack of one's own, with what its manifest says beyond its models.
fn own(place: &Place, folder: &str, more: &str) -> std::path::PathBuf {
    place.write(&format!("{folder}/models/d.onnx"), &detector());
    place.write(&format!("{folder}/e.onnx"), &embedder());
    let manifest = format!(
        "format = 1\nname = 'office'\nversion = '3'\nlicence = 'ours'\nlicence_class = 'permissive'\n\
         [detector]\nfile = 'models/d.onnx'\nkind = 'scrfd'\nsha256 = '{}'\n\
         [embedder]\nfile = 'e.onnx'\nkind = 'arcface'\n{more}",
        ModelSource::from_bytes("d", detector()).sha256()
    );
    place.write(&format!("{folder}/pack.toml"), manifest.as_bytes());
    place.folder.join(folder)
}

/// What the generated embedder answers in the self-test.
fn answer() -> Vec<f32> {
    let source = ModelSource::from_bytes("e", embedder());
    let spec = EmbedderSpec::of(EmbedderKind::ArcFace);
    let embedder = Embedder::load(&source, spec, &accepted().runtime, EmbedderOptions::default()).unwrap();
    embedder.embed(&[test_crop(112, 112).unwrap()]).unwrap()[0].values().to_vec()
}

#[test]
fn a_pack_of_ones_own_is_kept_by_its_name() {
    let place = Place::new();
    let folder = own(&place, "mine", "");
    let pack = place.import(&folder).unwrap();
    assert_eq!((pack.name.as_str(), pack.version.as_str(), pack.licence.as_str()), ("office", "3", "ours"));
    let checksums: Vec<Checksum> = pack.files.iter().map(|file| file.checksum).collect();
    assert_eq!(checksums, [Checksum::Declared, Checksum::Recorded]);
    let opened = place.packs.clone().with_policy(facecore::PackPolicy::Commercial).open("office").unwrap();
    assert_eq!(opened.licence_class, LicenceClass::Permissive);
    assert!(opened.folder.as_ref().is_some_and(|folder| folder.starts_with(place.packs.folder())));

    let other = place.packs.import(&folder, Some("office-2"), &accepted(), &mut go_on).unwrap();
    assert_eq!(other.name, "office-2");
    // What the manifest declares nothing of is held to the record.
    let mut changed = embedder();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(other.folder.join("e.onnx"), changed).unwrap();
    assert_eq!(place.packs.open("office-2").unwrap_err().kind(), ErrorKind::ChecksumMismatch);
    place.packs.verify("office", &accepted(), &mut go_on).unwrap();

    // As an archive, too, and from the cache of another machine.
    let manifest = std::fs::read(folder.join("pack.toml")).unwrap();
    let zipped =
        archive::of_files(&[("x/pack.toml", &manifest), ("x/models/d.onnx", &detector()), ("x/e.onnx", &embedder())]);
    let elsewhere = Place::new();
    elsewhere.import(place.write("mine.zip", &zipped)).unwrap();
    Place::new().import(elsewhere.packs.folder().join("office")).unwrap();
}

#[test]
fn golden_embeddings_decide() {
    let place = Place::new();
    let golden = answer();
    let table = |values: &[f32]| format!("[selftest]\nembedding = {values:?}\n");
    let folder = own(&place, "good", &table(&golden));
    place.import(&folder).unwrap();
    assert_eq!(Pack::open(&folder).unwrap().golden.unwrap().embedding, golden);
    let before = place.files();

    let opposite: Vec<f32> = golden.iter().map(|value| -value).collect();
    let error = place.import(own(&place, "bad", &table(&opposite))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelOutput);
    assert!(error.to_string().contains("self-test of the embedder"), "{error}");
    let error = place.import(own(&place, "short", &table(&golden[..100]))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelOutput);
    assert_eq!(place.files(), before, "the sound one stays");
}

#[test]
fn what_does_not_work_leaves_what_was_there() {
    let place = Place::new();
    let folder = own(&place, "mine", "");
    place.import(&folder).unwrap();
    let before = place.files();
    let fails = |why: &str, kind: ErrorKind| {
        let error = place.import(&folder).expect_err(why);
        assert_eq!(error.kind(), kind, "{why}: {error}");
        assert_eq!(place.files(), before, "{why}");
    };
    place.write("mine/e.onnx", &nan_embedder(512));
    fails("NaN", ErrorKind::ModelOutput);
    place.write("mine/e.onnx", b"<html>");
    fails("no model", ErrorKind::ModelCorrupt);
    place.write("mine/e.onnx", &embedder());
    place.write("mine/models/d.onnx", &models::scrfd_like(&models::Detector { seed: 5, ..Default::default() }));
    fails("not what is declared", ErrorKind::ChecksumMismatch);
    std::fs::remove_file(folder.join("models/d.onnx")).unwrap();
    fails("a file is missing", ErrorKind::ModelNotFound);
    place.write("mine/pack.toml", b"format = 1\nname = 'office'\n[detector]\nfile = '../../x'\nkind = 'scrfd'");
    fails("a file outside", ErrorKind::PackInvalid);
    place.write("mine/pack.toml", b"format = 1\nname = '../office'\n[embedder]\nfile = 'e.onnx'\nkind = 'arcface'");
    fails("a name that is none", ErrorKind::InvalidArgument);
    place.write("mine/pack.toml", b"no manifest");
    fails("no manifest", ErrorKind::PackInvalid);
}

#[test]
fn what_is_no_pack_is_told() {
    let place = Place::new();
    std::fs::create_dir(place.folder.join("empty")).unwrap();
    let error = place.import(place.folder.join("empty")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelNotFound);
    assert!(error.to_string().contains("buffalo_l (det_10g.onnx, w600k_r50.onnx)"), "{error}");
    assert_eq!(place.import(place.folder.join("nothing")).unwrap_err().kind(), ErrorKind::ModelNotFound);
    let half = place.write("half/det_10g.onnx", &detector());
    let named = place.packs.import(half.parent().unwrap(), Some("buffalo_l"), &accepted(), &mut go_on);
    assert_eq!(named.unwrap_err().kind(), ErrorKind::ModelNotFound);
    let mut options = accepted();
    options.accept_licence = false;
    let refused = place.packs.import(own(&place, "mine", ""), None, &options, &mut go_on).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LicenceRefused);
    assert!(place.files().is_empty());
}

#[test]
fn what_known_packs_forbid_another_name_does_not_allow() {
    let place = Place::new();
    place.write("x/sub/det_10g.onnx", &detector());
    place.write("x/e.onnx", &embedder());
    let manifest = |name: &str| {
        format!(
            "format = 1\nname = '{name}'\nlicence = 'free'\nlicence_class = 'permissive'\n\
             [detector]\nfile = 'sub/det_10g.onnx'\nkind = 'scrfd'\n[embedder]\nfile = 'e.onnx'\nkind = 'arcface'"
        )
    };
    let commercial = place.packs.clone().with_policy(facecore::PackPolicy::Commercial);
    place.write("x/pack.toml", manifest("mine").as_bytes());
    let error = commercial.import(place.folder.join("x"), None, &accepted(), &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LicenceRefused);
    assert_eq!(place.import(place.folder.join("x")).unwrap().licence_class, LicenceClass::ResearchOnly);
    // Whoever opens it elsewhere is told the same, not what its manifest claims.
    let opened = place.packs.open("mine").unwrap();
    assert_eq!(opened.licence_class, LicenceClass::ResearchOnly);
    let builder = facecore::Recognizer::builder().opened_pack(opened).pack_policy(facecore::PackPolicy::Commercial);
    assert_eq!(builder.build().err().map(|error| error.kind()), Some(ErrorKind::LicenceRefused));

    // What is said to be allowed after it was installed was not said by whoever was asked.
    let manifest = place.packs.folder().join("mine/pack.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, format!("{text}\nthreshold = -0.9\n")).unwrap();
    assert_eq!(commercial.open("mine").unwrap_err().kind(), ErrorKind::LicenceRefused);
    assert_eq!(place.packs.open("mine").unwrap_err().kind(), ErrorKind::ChecksumMismatch);
    let error = place.packs.verify("mine", &accepted(), &mut go_on).unwrap_err();
    assert!(error.to_string().contains("pack.toml was changed") && error.to_string().contains("import"), "{error}");
}

#[test]
fn names_that_would_meet_others_are_refused() {
    let place = Place::new();
    let folder = own(&place, "mine", "");
    let import = |name: &str| place.packs.import(&folder, Some(name), &accepted(), &mut go_on);
    // A name like a lock's, in both orders.
    for name in ["office.lock", "office", "staff", "staff.lock"] {
        assert_eq!(import(name).unwrap().name, name);
    }
    for (name, why) in [("Office", "upper and lower case"), ("nul", "no name"), ("x.", "no name")] {
        let error = import(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(why), "{error}");
    }
    let error = import("buffalo_l").unwrap_err();
    assert!(error.to_string().contains("is the name of a known pack"), "{error}");

    // Models under the names of what an installed pack has itself, and one file as both.
    let before = place.files();
    for (detector, embedder) in [("installed.json", "e.onnx"), ("d.onnx", "Pack.toml"), ("e.onnx", "e.onnx")] {
        let manifest = format!(
            "format = 1\nname = 'x'\n[detector]\nfile = '{detector}'\nkind = 'scrfd'\n[embedder]\nfile = '{embedder}'\nkind = 'arcface'"
        );
        for file in [detector, embedder] {
            place.write(&format!("odd/{file}"), b"x");
        }
        place.write("odd/pack.toml", manifest.as_bytes());
        let error = place.import(place.folder.join("odd")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PackInvalid, "{error}");
        std::fs::remove_dir_all(place.folder.join("odd")).unwrap();
    }
    assert_eq!(place.files(), before);
}

#[test]
fn of_several_packs_in_a_folder_none_is_taken() {
    let place = Place::new();
    own(&place, "all/mine", "");
    place.import(place.folder.join("all")).unwrap();
    place.write("all/sc/det_500m.onnx", &detector());
    let one = place.import(place.folder.join("all"));
    assert_eq!(one.unwrap().name, "office", "half a pack is none");
    place.write("all/sc/w600k_mbf.onnx", &embedder());
    let error = place.import(place.folder.join("all")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("office, buffalo_sc"), "{error}");
    for file in ["det_10g.onnx", "w600k_r50.onnx"] {
        place.write(&format!("all/l/{file}"), &detector());
    }
    let error = place.import(place.folder.join("all")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "two more than the one with a manifest: {error}");
}

#[test]
fn an_archive_and_its_checksum_are_recorded() {
    let place = Place::new();
    let zip = super::buffalo_sc();
    let pack = place.import(place.write("buffalo_sc.zip", &zip)).unwrap();
    assert_eq!(pack.archive_sha256, Some(ModelSource::from_bytes("zip", zip).sha256()));
    let listed = place.packs.look("buffalo_sc").unwrap();
    assert_eq!((&listed.archive_sha256, listed.installed), (&pack.archive_sha256, Some(pack.installed)));
    let odd = place.write("det_500m.onnx", &detector());
    let error = place.import(odd).unwrap_err();
    assert!(error.kind() == ErrorKind::ArchiveInvalid && error.to_string().contains("by the folder"), "{error}");
}

#[test]
fn manifests_under_known_names_change_nothing_of_what_is_known() {
    let place = Place::new();
    place.write("x/det_10g.onnx", &detector());
    place.write("x/w600k_r50.onnx", &embedder());
    place.write(
        "x/pack.toml",
        b"format = 1\nname = 'buffalo_l'\nlicence = 'free'\nlicence_class = 'permissive'\n\
          [detector]\nfile = 'det_10g.onnx'\nkind = 'scrfd'\n[embedder]\nfile = 'w600k_r50.onnx'\nkind = 'sface'",
    );
    let pack = place.import(place.folder.join("x")).unwrap();
    assert_eq!(pack.licence_class, LicenceClass::ResearchOnly);
    assert_eq!(place.packs.open("buffalo_l").unwrap().embedder.unwrap().spec.kind, EmbedderKind::ArcFace);
}
