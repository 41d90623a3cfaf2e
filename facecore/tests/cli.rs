//! The `facecore` command as scripts see it: the objects it prints, its exit codes, the files it leaves.
//!
//! docs/command-line.md is the contract that is checked here.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::fs;

use serde_json::Value;
use support::{Scene, error_codes, fields, floats};

/// Recognises people from start to end, on the runtime given.
fn recognises_people(scene: &Scene, runtime: &[&str]) {
    let people = scene.people();
    let gallery = scene.path("office");
    let enrolled = scene.models("enrol").args([&people]).arg("--gallery").arg(&gallery).args(runtime).json();
    let enrolled = &enrolled.ok()[0];
    assert_eq!((&enrolled["persons"], &enrolled["faces"]), (&5.into(), &7.into()), "{enrolled}");
    assert_eq!(enrolled["skipped"], Value::Array(Vec::new()));

    let photos = ["obama2.jpg", "knn_obama_and_biden.jpg", "knn_kit_with_rose.jpg", "knn_alex_lacamoire1.jpg"];
    let photos = photos.map(|name| scene.image(name));
    let found = scene.models("identify").args(&photos).arg("--gallery").arg(&gallery).args(runtime).json();
    let found = found.ok();
    let expected =
        [vec!["obama"], vec!["biden", "obama", "unknown"], vec!["rose leslie", "unknown"], vec!["alex-lacamoire"]];
    for ((photo, line), expected) in photos.iter().zip(found).zip(expected) {
        assert_eq!(line["image"], *photo);
        let faces = line["faces"].as_array().unwrap();
        let mut names: Vec<&str> =
            faces.iter().map(|face| face["matches"][0]["person"].as_str().unwrap_or("unknown")).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{photo}");
        faces.iter().for_each(check_identified);
    }

    // The same without a gallery on disk, and a stranger.
    let strangers = scene.image("group_sample1.jpg");
    let command = scene.models("identify").args([&photos[0], &strangers]).arg("--people").arg(&people);
    let found = command.args(runtime).json();
    let [obama, strangers] = found.ok() else { panic!("two photos, two lines") };
    assert_eq!(obama["faces"][0]["matches"][0]["person"], "obama");
    let strangers = strangers["faces"].as_array().unwrap();
    assert_eq!(strangers.len(), 3);
    for stranger in strangers {
        assert_eq!(stranger["matches"], Value::Array(Vec::new()));
        assert!(stranger["best"]["score"].as_f64().unwrap() < 0.35);
    }
}

fn check_detected(face: &Value, more: &[&str]) {
    fields(face, &[&["box", "score", "landmarks"], more].concat());
    let [x1, y1, x2, y2] = floats(&face["box"])[..] else { panic!("{face}") };
    assert!(x1 < x2 && y1 < y2, "{face}");
    assert!((0.0..=1.0).contains(&face["score"].as_f64().unwrap()));
    let landmarks = face["landmarks"].as_array().unwrap();
    assert_eq!(landmarks.len(), 5);
    assert!(landmarks.iter().all(|point| floats(point).len() == 2));
}

fn check_identified(face: &Value) {
    check_detected(face, &["matches", "best"]);
    fields(&face["best"], &["person", "score", "margin"]);
    for found in face["matches"].as_array().unwrap() {
        fields(found, &["person", "score", "probability", "margin", "best", "hits"]);
        assert!((0.35..=1.0).contains(&found["score"].as_f64().unwrap()));
        assert!((-2.0..=2.0).contains(&found["margin"].as_f64().unwrap()));
        assert!(found["best"].as_u64().unwrap() >= 1 && found["hits"].as_u64().unwrap() >= 1);
    }
}

#[test]
fn people_are_recognised_on_the_runtime_found() {
    let Some(scene) = Scene::or_skip("people on the runtime found") else { return };
    recognises_people(&scene, &[]);
}

#[test]
fn people_are_recognised_on_the_built_in_runtime() {
    let Some(scene) = Scene::or_skip("people on the built-in runtime") else { return };
    recognises_people(&scene, &["--runtime", "rten", "--threads", "3"]);
}

#[test]
fn detected_faces_are_as_documented() {
    let Some(scene) = Scene::or_skip("detect --json") else { return };
    let ran = scene.models("detect").arg(scene.image("two_people.jpg")).json();
    let line = &ran.ok()[0];
    fields(line, &["image", "width", "height", "faces"]);
    let faces = line["faces"].as_array().unwrap();
    assert_eq!(faces.len(), 2);
    faces.iter().for_each(|face| check_detected(face, &[]));

    let ran = scene.models("detect").arg(scene.image("two_people.jpg")).args(["--max-faces", "1", "--timings"]).json();
    let line = &ran.ok()[0];
    assert_eq!(line["faces"].as_array().unwrap().len(), 1);
    fields(&line["timings_ms"], &["decode", "detect", "total"]);
    let ran = scene.models("detect").arg(scene.image("two_people.jpg")).args(["--score", "1"]).json();
    assert_eq!(ran.ok()[0]["faces"], Value::Array(Vec::new()));
}

#[test]
fn a_folder_is_its_photos_in_order() {
    let Some(scene) = Scene::or_skip("detect FOLDER") else { return };
    let folder = scene.path("photos");
    fs::create_dir(&folder).unwrap();
    for (name, photo) in [("b.JPG", "obama.jpg"), ("a.jpg", "biden.jpg")] {
        fs::copy(scene.image(photo), format!("{folder}/{name}")).unwrap();
    }
    fs::write(format!("{folder}/notes.txt"), "no photo").unwrap();
    let ran = scene.models("detect").arg(&folder).json();
    let images: Vec<&Value> = ran.ok().iter().map(|line| &line["image"]).collect();
    assert_eq!(images, [&format!("{folder}/a.jpg"), &format!("{folder}/b.JPG")]);
}

#[test]
fn embeddings_are_as_documented() {
    let Some(scene) = Scene::or_skip("embed --json") else { return };
    for (flip, dimension) in [("none", 128), ("concat", 256)] {
        let ran = scene.models("embed").arg(scene.image("obama.jpg")).args(["--flip", flip, "--timings"]).json();
        let line = &ran.ok()[0];
        fields(line, &["image", "width", "height", "space", "faces", "timings_ms"]);
        fields(&line["timings_ms"], &["decode", "detect", "align", "embed", "total"]);
        assert!(line["space"].as_str().unwrap().contains("arcface-112"));
        let face = &line["faces"][0];
        check_detected(face, &["embedding", "norm"]);
        let values = floats(&face["embedding"]);
        let length = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        assert_eq!(values.len(), dimension);
        assert!((length - 1.0).abs() < 1e-5 && face["norm"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn comparisons_are_as_documented() {
    let Some(scene) = Scene::or_skip("compare --json") else { return };
    let compare = |second: &str, more: &[&str]| {
        scene.models("compare").args([scene.image("obama.jpg"), scene.image(second)]).args(more).json()
    };
    let same = compare("obama2.jpg", &["--exit-code"]);
    let line = &same.ok()[0];
    fields(line, &["similarity", "distance", "same", "threshold", "space", "a", "b", "timings_ms"]);
    fields(&line["a"], &["image", "box", "score", "faces"]);
    let (similarity, distance) = (line["similarity"].as_f64().unwrap(), line["distance"].as_f64().unwrap());
    assert!(similarity > 0.6 && (distance - (2.0 - 2.0 * similarity).sqrt()).abs() < 1e-3);
    assert_eq!((&line["same"], line["threshold"].as_f64().unwrap() as f32), (&true.into(), 0.4));

    let different = compare("biden.jpg", &[]);
    assert_eq!(different.ok()[0]["same"], false);
    assert_eq!(compare("biden.jpg", &["--exit-code"]).code, 1);
    assert_eq!(compare("biden.jpg", &["--exit-code", "--threshold", "-0.9"]).code, 0);
    assert_eq!(compare("biden.jpg", &["--threshold", "2"]).code, 2);
}

#[test]
fn bad_photos_are_reported_and_the_others_processed() {
    let Some(scene) = Scene::or_skip("bad photos") else { return };
    let text = scene.path("text.jpg");
    fs::write(&text, "no image").unwrap();
    let (missing, good) = (scene.path("missing.jpg"), scene.image("obama.jpg"));
    for command in ["detect", "embed"] {
        let ran = scene.models(command).args([&missing, &text, &good]).json();
        assert_eq!((ran.code, error_codes(&ran)), (1, vec![(110, "Io"), (200, "ImageFormat")]), "{ran:?}");
        assert_eq!(ran.lines[2]["faces"].as_array().unwrap().len(), 1);
        fields(&ran.lines[0], &["image", "error"]);
    }
    let ran = scene.models("compare").args([&good, &text]).json();
    assert_eq!((ran.code, error_codes(&ran)), (1, vec![(200, "ImageFormat")]));
    let ran = scene.models("detect").args([&text]).run();
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.starts_with("facecore: ") && ran.stderr.contains("error 200, ImageFormat"), "{}", ran.stderr);
    let ran = scene.models("detect").arg(&good).args(["--max-pixels", "1000"]).json();
    assert_eq!((ran.code, error_codes(&ran)), (1, vec![(202, "ImageTooLarge")]));
}

#[test]
fn what_does_not_work_ends_with_its_exit_code_and_reason() {
    let scene = Scene::without_data("exit codes");
    let photo = scene.picture("rgb.png");
    let code = |args: &[&str]| scene.command(args[0]).args(&args[1..]).run().code;
    assert_eq!(code(&["detect"]), 2);
    assert_eq!(code(&["nothing"]), 2);
    assert_eq!(code(&["identify", &photo]), 2);
    assert_eq!(code(&["identify", &photo, "--gallery", "office", "--top", "0"]), 2);
    assert_eq!(code(&["detect", &photo, "--runtime", "tract"]), 2);
    assert_eq!(code(&["--version"]), 0);
    assert_eq!(code(&["detect", &photo, &photo, "--out", "one.png"]), 2);
    assert_eq!(code(&["detect", &photo, "--out", "one.tiff"]), 2);
    let copy = scene.path("copy.png");
    fs::copy(&photo, &copy).unwrap();
    assert_eq!(scene.command("detect").args([&copy, "--out", &copy]).run().code, 2);
    assert_eq!(scene.command("detect").args([&copy, "--out", "."]).run().code, 2);
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&photo).unwrap());
    for (args, reason) in [
        (vec!["detect", &photo, "--detector-kind", "yunet"], "error 100, InvalidArgument"),
        (vec!["detect", &photo, "--detector", "none.onnx"], "error 300, ModelNotFound"),
        (vec!["detect", &photo, "--pack", "none"], "error 300, ModelNotFound"),
    ] {
        let ran = scene.command(args[0]).args(&args[1..]).run();
        assert!(ran.code == 1 && ran.stderr.contains(reason), "{ran:?}");
    }
    let cuda = scene.command("detect").arg(&photo).args(["--provider", "cuda"]);
    if scene.cuda_is_missing() {
        let ran = cuda.run();
        assert!(ran.code == 1 && ran.stderr.contains("error 40"), "{ran:?}");
        let fallback = scene.command("detect").arg(&photo).args(["--provider", "cuda", "--allow-fallback"]).json();
        fallback.ok();
    }
}

#[test]
fn evaluations_are_as_documented() {
    let Some(scene) = Scene::or_skip("evaluate --json") else { return };
    let list = scene.path("pairs.tsv");
    let lines = [
        "1\tobama.jpg\tobama2.jpg\t1",
        "1\tobama.jpg\tbiden.jpg\t0",
        "",
        "2\tbiden.jpg\ttrain_biden_biden2.jpg\t1",
        "2\tbiden.jpg\tobama2.jpg\t0",
        "2\tobama2.jpg\tno_such_file.jpg\t0",
    ];
    fs::write(&list, lines.join("\r\n")).unwrap();
    let ran = scene.models("evaluate").arg(&list).arg("--root").arg(scene.images()).json();
    let line = &ran.ok()[0];
    let names = ["accuracy", "folds", "pairs", "failed", "tar_at_fmr", "threshold", "photos", "failures", "seconds"];
    fields(line, &[&names[..], &["placement"]].concat());
    fields(&line["tar_at_fmr"], &["0.001", "0.01"]);
    fields(&line["placement"]["embedder"], &["runtime", "provider", "device", "precision", "threads", "notes"]);
    assert_eq!(floats(&line["folds"]), [1.0, 2.0 / 3.0]);
    assert_eq!(line["accuracy"], (1.0 + 2.0 / 3.0) / 2.0);
    assert_eq!((&line["pairs"], &line["failed"], &line["photos"]), (&5.into(), &1.into(), &5.into()));
    assert_eq!(line["tar_at_fmr"]["0.001"], 1.0);
    assert!((0.1..0.6).contains(&line["threshold"].as_f64().unwrap()));
    assert_eq!(line["failures"][0]["error"]["code"], 110);

    fs::write(&list, "1\tobama.jpg\tobama2.jpg\tyes\n").unwrap();
    let ran = scene.models("evaluate").arg(&list).run();
    assert!(ran.code == 1 && ran.stderr.contains("line 1: "), "{ran:?}");
    // The photos are not beside the list.
    fs::write(&list, "1\tobama.jpg\tobama2.jpg\t1\n").unwrap();
    let ran = scene.models("evaluate").arg(&list).run();
    assert!(ran.code == 1 && ran.stderr.contains("no pair could be compared"), "{ran:?}");
}

#[test]
fn galleries_keep_models_and_writers_apart() {
    let Some(scene) = Scene::or_skip("galleries on disk") else { return };
    let (people, gallery, photo) = (scene.people(), scene.path("office"), scene.image("obama2.jpg"));
    let enrol = || scene.models("enrol").arg(&people).arg("--gallery").arg(&gallery);
    enrol().json().ok();
    let show = || scene.command("gallery").args(["show", &gallery]).json().ok().to_vec();
    let everybody = show();
    assert_eq!(everybody.len(), 5);

    // A photo enrolled again changes nothing; with --replace neither.
    for again in [enrol(), enrol().arg("--replace")] {
        assert_eq!(again.json().ok()[0]["total"]["faces"], 7);
        assert_eq!(show(), everybody);
    }
    let ran = enrol().args(["--flip", "sum"]).run();
    assert!(ran.code == 1 && ran.stderr.contains("error 500") && ran.stderr.contains("`people`"), "{ran:?}");
    let identify = || scene.models("identify").arg(&photo).arg("--gallery").arg(&gallery);
    let ran = identify().args(["--flip", "sum"]).run();
    assert!(ran.code == 1 && ran.stderr.contains("error 500"), "{ran:?}");
    let ran = identify().args(["--namespace", "guests"]).run();
    assert!(ran.code == 1 && ran.stderr.contains("error 503") && ran.stderr.contains("`people`"), "{ran:?}");
    assert_eq!(identify().args(["--threshold", "0.99"]).json().ok()[0]["faces"][0]["matches"], Value::Array(vec![]));

    let lock = fs::OpenOptions::new().write(true).open(format!("{gallery}/lock")).unwrap();
    lock.lock().unwrap();
    fs::write(format!("{gallery}/lock"), "4711\n").unwrap();
    let ran = enrol().run();
    assert!(ran.code == 1 && ran.stderr.contains("gallery `office` is being written by process 4711"), "{ran:?}");
    let ran = identify().run();
    assert!(ran.code == 1 && ran.stderr.contains("error 511"), "{ran:?}");
    drop(lock);
    identify().json().ok();
    enrol().json().ok();
}

#[test]
fn galleries_are_looked_after() {
    let Some(scene) = Scene::or_skip("gallery") else { return };
    let (gallery, copy) = (scene.path("kept"), scene.path("copy"));
    let call = |command: &str, more: &[&str]| scene.command("gallery").args([command, &gallery]).args(more).json();
    let absent = call("list", &[]);
    assert_eq!((absent.code, absent.lines.len()), (1, 0), "{absent:?}");
    assert!(absent.stderr.contains("error 513"), "{absent:?}");
    let made = call("create", &["--namespace", "guests"]);
    assert_eq!(made.ok()[0]["namespace"], "guests");
    scene.models("enrol").arg(scene.people()).arg("--gallery").arg(&gallery).json().ok();

    let listed = call("list", &[]);
    fields(&listed.ok()[1], &["namespace", "persons", "faces", "space", "dimension"]);
    assert_eq!((&listed.lines[1]["persons"], &listed.lines[1]["faces"]), (&5.into(), &7.into()));
    let rose = call("show", &["rose leslie"]);
    fields(&rose.ok()[0], &["id", "name", "metadata", "faces"]);
    fields(&rose.lines[0]["faces"][0], &["face", "source", "quality", "norm", "metadata"]);
    let face = rose.lines[0]["faces"][0]["face"].to_string();

    assert_eq!(call("rename", &["rose leslie", "rose"]).ok()[0]["id"], "rose");
    assert_eq!(call("merge", &["rose", "obama"]).ok()[0]["faces"].as_array().unwrap().len(), 3);
    let refused = call("rename", &["biden", "obama"]);
    assert!(refused.code == 1 && refused.stderr.contains("error 504"), "{refused:?}");

    let photo = scene.image("obama2.jpg");
    let search =
        |more: &[&str]| scene.with_models(scene.command("gallery").args(["search", &gallery])).args(more).json();
    for exact in [&[][..], &["--exact"]] {
        let found = search(&[&[photo.as_str(), "--top", "2"], exact].concat());
        assert_eq!(found.ok()[0]["matches"][0]["person"], "obama");
        assert_eq!(found.lines[0]["matches"].as_array().unwrap().len(), 2);
    }
    let found = search(&[&photo, "--vote", "3"]);
    fields(&found.ok()[0]["vote"], &["person", "votes", "voters", "score", "best"]);
    assert_eq!(found.lines[0]["vote"]["person"], "obama");
    let alike = call("search", &["--face", &face]);
    assert_ne!(alike.ok()[0]["matches"][0]["person"], "obama", "whose face it is, is left out");
    assert_eq!(call("search", &[]).code, 2);

    let refused = call("remove", &["biden", "nobody"]);
    assert!(refused.code == 1 && refused.stderr.contains("error 501"), "{refused:?}");
    let removed = call("remove", &["biden", "--face", &face]);
    assert_eq!(removed.ok()[0]["removed"], serde_json::json!({"persons": 1, "faces": 2}));
    fields(&call("compact", &[]).ok()[0], &["bytes_before", "bytes_after", "seconds"]);
    let verified = call("verify", &[]);
    fields(&verified.ok()[0], &["persons", "faces", "problems", "probes", "agreeing"]);
    assert_eq!((&verified.lines[0]["persons"], &verified.lines[0]["faces"]), (&3.into(), &5.into()));
    fields(&call("stats", &[]).ok()[0], &["namespaces", "store_bytes", "index_bytes"]);
    assert_eq!(call("backup", &[&copy]).ok()[0]["faces"], 5);
    assert_eq!(call("remove", &["--everybody"]).ok()[0]["removed"]["persons"], 3);
    assert_eq!(scene.command("gallery").args(["list", &copy]).json().ok()[1]["persons"], 3);
    assert_eq!(call("list", &[]).ok().len(), 1);
}

#[test]
fn useless_photos_are_skipped_with_their_reason() {
    let Some(scene) = Scene::or_skip("enrol: skipped photos") else { return };
    let (people, gallery) = (scene.people(), scene.path("office"));
    fs::copy(scene.image("two_people.jpg"), format!("{people}/couple.jpg")).unwrap();
    fs::write(format!("{people}/notes.txt"), "no image").unwrap();
    #[cfg(unix)]
    std::process::Command::new("mkfifo").arg(format!("{people}/pipe.jpg")).status().ok();
    let enrol = || scene.models("enrol").arg(&people).arg("--gallery").arg(&gallery);
    let ran = enrol().run();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("enrolled 5 people, 7 faces (2 photos skipped: several faces in "), "{}", ran.stdout);
    let ran = enrol().arg("--largest").json();
    let line = &ran.ok()[0];
    let names = ["gallery", "namespace", "space", "persons", "faces", "new_faces", "skipped", "total", "placement"];
    fields(line, &names);
    assert_eq!((&line["persons"], &line["skipped"][0]["person"]), (&6.into(), &"notes".into()));
    assert_eq!((&line["faces"], &line["new_faces"]), (&8.into(), &1.into()), "seven were there before");
    assert_eq!(line["skipped"][0]["error"]["kind"], "ImageFormat");
}

#[test]
fn galleries_go_to_files_and_back() {
    let scene = Scene::without_data("gallery export");
    let call = |command: &str, gallery: &str, file: &str| {
        scene.command("gallery").arg(command).arg(scene.path(gallery)).arg(scene.path(file))
    };
    // Five people with a face each, of which one is no face.
    let vector = |at: usize| (0..64).map(|i| f32::from(i == at)).collect::<Vec<_>>();
    let rows =
        (0..5).map(|at| format!("p{at},Person {at},\"{:?}\"\n", if at == 3 { vec![0.0; 64] } else { vector(at) }));
    fs::write(scene.path("made.csv"), "person,name,embedding\n".to_owned() + &rows.collect::<String>()).unwrap();
    let import = || call("import", "first", "made.csv").args(["--namespace", "staff"]);
    assert_eq!(import().arg("--space=mine").json().code, 2, "a space has a threshold");
    let refused = import().json();
    assert!(refused.code == 1 && refused.stderr.contains("embedding space"), "{refused:?}");
    let space = ["--space", "mine", "--threshold", "0.4"];
    let refused = import().args(space).arg("--all-or-nothing").json();
    assert!(refused.code == 1 && refused.stderr.contains("made.csv: line 5: "), "{refused:?}");
    let made = import().args(space).json();
    assert_eq!(made.code, 1, "one is left out");
    fields(&made.lines[0], &["gallery", "persons", "faces", "duplicates", "kept_ids", "failed"]);
    assert_eq!((&made.lines[0]["persons"], &made.lines[0]["faces"]), (&4.into(), &4.into()));
    fields(&made.lines[0]["failed"][0], &["at", "person", "error"]);
    assert_eq!((&made.lines[0]["failed"][0]["at"], &made.lines[0]["failed"][0]["person"]), (&5.into(), &"p3".into()));
    let told = import().args(space).run();
    assert!(told.stdout.contains("0 new people, no new faces; 4 faces known before; 1 item left out"), "{told:?}");
    assert!(told.stderr.contains("line 5: "), "{told:?}");

    for file in ["all.jsonl", "all2.npz", "all3.txt"] {
        let format: &[&str] = if file == "all3.txt" { &["--format", "jsonl"] } else { &[] };
        let exported = call("export", "first", file).args(format).json();
        fields(&exported.ok()[0], &["file", "persons", "faces", "damaged"]);
        let copy = format!("copy of {file}");
        let imported = call("import", &copy, file).args(format).json();
        assert_eq!((&imported.ok()[0]["faces"], &imported.lines[0]["kept_ids"]), (&4.into(), &true.into()));
        call("export", &copy, &format!("{copy}.jsonl")).json().ok();
        assert_eq!(fs::read(scene.path(&format!("{copy}.jsonl"))).unwrap(), fs::read(scene.path("all.jsonl")).unwrap());
    }
    assert!(fs::metadata(scene.path("all2.jsonl")).unwrap().is_file());
    let table = call("export", "first", "people.csv").args(["--namespace", "staff"]).json();
    assert_eq!((&table.ok()[0]["persons"], &table.lines[0]["faces"]), (&4.into(), &0.into()));
    assert!(fs::read_to_string(scene.path("people.csv")).unwrap().contains("\nstaff,p4,Person 4,1,\n"));
    let refused = call("export", "first", "people.csv").json();
    assert!(refused.code == 1 && refused.stderr.contains("error 110"), "nothing is written over: {refused:?}");
    let missing = call("import", "second", "none.csv").json();
    assert!(missing.code == 1 && !fs::exists(scene.path("second")).unwrap(), "{missing:?}");
}

#[test]
fn photos_that_a_table_lists_are_enrolled() {
    let Some(scene) = Scene::or_skip("enrol --csv") else { return };
    let (people, gallery) = (scene.people(), scene.path("office"));
    let table = format!("{people}/people.csv");
    let rows = "id;name;photo;role\nobama;Barack Obama;obama.jpg;president\nrose;Rose Leslie;rose leslie/1.jpg;\n\
                rose;;rose leslie/2.jpg;\nbiden;Joe Biden;none.jpg;\n;;biden.jpg;\n";
    fs::write(&table, rows).unwrap();
    let ran = scene.models("enrol").args(["--csv", &table, "--gallery", &gallery]).json();
    let line = &ran.ok()[0];
    assert_eq!((&line["persons"], &line["faces"]), (&2.into(), &3.into()));
    let skipped: Vec<_> =
        line["skipped"].as_array().unwrap().iter().map(|it| it["error"]["kind"].as_str().unwrap()).collect();
    assert_eq!(skipped, ["Io", "InvalidArgument"]);
    assert_eq!(line["skipped"][1]["image"], *table);
    let shown = scene.command("gallery").args(["show", &gallery]).json();
    assert_eq!(shown.ok()[0]["name"], "Barack Obama");
    assert_eq!(shown.lines[0]["metadata"], serde_json::json!({"role": "president"}));
    assert_eq!(shown.lines[1]["faces"].as_array().unwrap().len(), 2);
    assert_eq!(
        scene.models("enrol").args(["--gallery", &gallery]).json().code,
        2,
        "photos have to come from somewhere"
    );
    let both = scene.models("enrol").args([&people, "--csv", &table, "--gallery", &gallery]).json();
    assert_eq!(both.code, 2);
}

#[test]
fn pictures_are_drawn() {
    let Some(scene) = Scene::or_skip("pictures") else { return };
    let photo = scene.image("obama-240p.jpg");
    let original = facecore::Image::open(&photo).unwrap();
    for name in ["found.png", "found.jpg"] {
        let out = scene.path(name);
        scene.models("detect").arg(&photo).arg("--out").arg(&out).json().ok();
        let picture = facecore::Image::open(&out).unwrap();
        assert_eq!((picture.width(), picture.height()), (original.width(), original.height()));
        let changed = picture.pixels().iter().zip(original.pixels()).filter(|(a, b)| a.abs_diff(**b) > 40).count();
        assert!((500..picture.pixels().len() / 3).contains(&changed), "{name}: {changed} changed");
    }
    let folder = scene.path("named");
    let photos = ["obama-240p.jpg", "knn_kit_with_rose.jpg"].map(|name| scene.image(name));
    let command = scene.models("identify").args(&photos).arg("--people").arg(scene.people());
    command.arg("--out").arg(&folder).json().ok();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    assert!(facecore::Image::open(format!("{folder}/knn_kit_with_rose.png")).is_ok());
}

#[test]
fn the_doctor_and_the_bench_report() {
    let Some(scene) = Scene::or_skip("doctor and bench") else { return };
    let ran = scene.models("doctor").args(["--runtime", "rten"]).json();
    let line = &ran.ok()[0];
    let embedder = &line["embedder"];
    fields(embedder, &["file", "bytes", "sha256", "kind", "threshold", "space", "dimension", "placement"]);
    assert_eq!((&embedder["dimension"], &embedder["placement"]["provider"]), (&128.into(), &"CPU".into()));
    assert_eq!(line.get("pack"), None, "files are all that is used");
    let ran = scene.command("doctor").args(["--library", "/nowhere"]).json();
    assert_eq!((ran.code, &ran.lines[0]["onnxruntime"]["found"]), (1, &Value::Null));

    let ran = scene.models("bench").arg(scene.image("obama-240p.jpg")).args(["--repeat", "3"]).json();
    let line = &ran.ok()[0];
    fields(line, &["image", "width", "height", "faces", "repeat", "stages", "placement", "hardware"]);
    fields(&line["stages"], &["decode", "detect", "align", "embed", "whole"]);
    fields(&line["stages"]["whole"], &["median_ms", "p95_ms"]);
}

#[test]
fn people_are_recognised_with_no_models_named() {
    let Some(scene) = Scene::or_skip("the built-in pack") else { return };
    let (people, gallery) = (scene.path("known"), scene.path("office"));
    fs::create_dir(&people).unwrap();
    for photo in ["obama.jpg", "biden.jpg"] {
        fs::copy(scene.image(photo), format!("{people}/{photo}")).unwrap();
    }
    let enrolled = scene.command("enrol").arg(&people).arg("--gallery").arg(&gallery).json();
    assert_eq!(enrolled.ok()[0]["persons"], 2);
    let photos = ["obama2.jpg", "train_biden_biden2.jpg", "train_rose_leslie_img1.jpg"].map(|name| scene.image(name));
    let found = scene.command("identify").args(&photos).arg("--gallery").arg(&gallery).json();
    let names: Vec<&str> =
        found.ok().iter().map(|line| line["faces"][0]["matches"][0]["person"].as_str().unwrap_or("unknown")).collect();
    assert_eq!(names, ["obama", "biden", "unknown"]);

    // In one go, and with a detector of one's own.
    let once = scene.command("identify").arg(&photos[0]).arg("--people").arg(&people).run();
    assert!(once.code == 0 && once.stdout.contains("obama"), "{once:?}");
    let alone = scene.command("detect").arg(&photos[0]).arg("--detector").arg(scene.model("scrfd_500m_bnkps")).run();
    assert_eq!((alone.code, &alone.stderr[..]), (0, ""), "no other model is needed");
    let mixed = scene.command("embed").arg(&photos[0]).arg("--detector").arg(scene.model("scrfd_500m_bnkps")).run();
    assert!(mixed.code == 0 && mixed.stderr.contains("the embedder of the built-in pack"), "{mixed:?}");

    // People are looked for with the models that they were enrolled with.
    let other = scene.models("identify").arg(&photos[0]).arg("--gallery").arg(&gallery).run();
    assert!(other.code == 1 && other.stderr.contains("use the models they were made with"), "{other:?}");
}

#[test]
fn the_built_in_pack_is_told_of_with_its_licence() {
    let scene = Scene::without_data("licence of the built-in pack");
    let pack = facecore::Pack::lite().unwrap();
    let (name, licence) = (pack.name.as_str(), pack.licence.as_str());
    let picture = scene.picture("rgb.png");
    let detect = || scene.command("detect").arg(&picture);

    let ran = detect().run();
    assert_eq!((ran.code, ran.stderr.lines().count()), (0, 1), "{ran:?}");
    let note = &ran.stderr;
    assert!(note.contains(name) && note.contains(licence) && note.contains("--pack"), "{note}");
    assert_eq!(&detect().json().stderr, note, "also where programs read the answers");
    let lite = format!("{}/models/lite", env!("CARGO_MANIFEST_DIR"));
    let named = [detect().args(["--pack", &lite]), detect().env("FACECORE_PACK", &lite)];
    for ran in named.map(support::Call::run) {
        assert_eq!((ran.code, &ran.stderr[..]), (0, ""), "whoever names a pack is not told of it");
    }
    let ran = detect().env("FACECORE_PACK", "none").run();
    assert!(ran.code == 1 && ran.stderr.contains("FACECORE_PACK") && ran.stderr.contains("error 300"), "{ran:?}");

    let ran = scene.command("doctor").json();
    let line = &ran.ok()[0];
    let parts = ["pack", "detector", "embedder"];
    let names = ["version", "onnxruntime", "looked", "providers", "builtin", "hardware"];
    fields(line, &[&names[..], &parts].concat());
    assert!(line["hardware"]["threads"].as_u64().unwrap() >= 1);
    let names = ["name", "version", "licence", "embedded", "folder", "named_by"];
    fields(&line["pack"], &names);
    assert_eq!((&line["pack"]["name"], &line["pack"]["embedded"]), (&name.into(), &true.into()));
    for part in ["detector", "embedder"] {
        assert!(line[part]["bytes"].as_u64().unwrap() > 0 && line[part]["licence"].is_string(), "{line}");
        assert_eq!(line[part]["sha256"].as_str().unwrap().len(), 64);
    }
    let ran = scene.command("doctor").args(["--pack", &lite]).json();
    assert_eq!(
        (&ran.ok()[0]["pack"]["embedded"], &ran.lines[0]["pack"]["named_by"]),
        (&false.into(), &"--pack".into())
    );
    let ran = scene.command("doctor").run();
    assert!(ran.stdout.contains(name) && ran.stdout.contains("built in"), "{ran:?}");
    assert_eq!(ran.stdout.matches(licence).count(), 1, "one licence is said once: {ran:?}");
    let ran = scene.command("doctor").arg("--licence").run();
    assert_eq!((ran.code, ran.stdout.trim_end()), (0, facecore::Pack::LITE_LICENCE.trim_end()));
    let ran = scene.command("doctor").env("FACECORE_PACK", "none").run();
    assert!(ran.code == 1 && ran.stdout.contains("pack       fails: FACECORE_PACK"), "{ran:?}");
}

#[test]
#[cfg(unix)]
fn a_reader_that_has_enough_is_no_failure() {
    let Some(scene) = Scene::or_skip("closed pipes") else { return };
    let photos = [scene.image("obama-240p.jpg"), scene.image("obama2.jpg"), scene.image("biden.jpg")];
    let ran = scene.models("embed").args(&photos).arg("--json").into_closed_pipe();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}
