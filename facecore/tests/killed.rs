//! A writer is killed at random moments, again and again. Whatever it had reported done is there when the
//! gallery is opened again, and what it was doing is there wholly or not at all.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use facecore::gallery::{Batch, GalleryOptions};
use facecore::{Embedding, EmbeddingSpace, Gallery, Namespace, NewFace};
use facecore_testkit::random::SplitMix64;

const KILLS: u64 = 500;
const FOLDER: &str = "FACECORE_KILLED_FOLDER";
const FIRST: &str = "FACECORE_KILLED_FIRST";

/// The face with a number: the same in both processes.
fn face(number: u64) -> Embedding {
    let mut random = SplitMix64(number);
    let values: Vec<f32> = (0..128).map(|_| (random.next() >> 40) as f32 / (1u32 << 23) as f32 - 1.0).collect();
    Embedding::from_raw(values, EmbeddingSpace::new("test-128", 0.5)).unwrap()
}

/// The numbers of the faces that each person has.
type Model = BTreeMap<String, Vec<u64>>;

/// One change, wholly determined by its number.
enum Step {
    Enrol(Vec<(String, Vec<u64>)>),
    Remove(String),
    Rename(String, String),
    Compact,
}

fn step(number: u64) -> Step {
    let mut random = SplitMix64(number ^ 0xC0FFEE);
    let person = |random: &mut SplitMix64| format!("p{}", random.below(40));
    let enrolment = |random: &mut SplitMix64| {
        let faces = (0..1 + random.below(3)).map(|face| number * 100 + face * 7 + random.below(5)).collect();
        (person(random), faces)
    };
    match random.below(20) {
        0..8 => Step::Enrol(vec![enrolment(&mut random)]),
        8..12 => {
            let batch: BTreeMap<_, _> = (0..10).map(|_| enrolment(&mut random)).collect();
            Step::Enrol(batch.into_iter().collect())
        }
        12..16 => Step::Remove(person(&mut random)),
        16..19 => Step::Rename(person(&mut random), person(&mut random)),
        _ => Step::Compact,
    }
}

impl Step {
    fn apply(&self, gallery: &Gallery, namespace: &Namespace) {
        match self {
            Step::Enrol(people) => {
                let mut batch = Batch::new();
                for (person, faces) in people {
                    batch.enrol(person, faces.iter().map(|number| NewFace::from(face(*number))).collect());
                }
                assert!(namespace.apply(&batch).unwrap().iter().all(Result::is_ok));
            }
            // That a person is not there, or is there already, changes nothing.
            Step::Remove(person) => namespace.remove_person(person).unwrap_or_default(),
            Step::Rename(person, new_id) => namespace.rename(person, new_id).unwrap_or_default(),
            Step::Compact => gallery.compact().unwrap(),
        }
    }

    fn apply_to(&self, model: &mut Model) {
        match self {
            Step::Enrol(people) => {
                for (person, faces) in people {
                    let known = model.entry(person.clone()).or_default();
                    faces.iter().for_each(|face| {
                        if !known.contains(face) {
                            known.push(*face)
                        }
                    });
                }
            }
            Step::Remove(person) => drop(model.remove(person)),
            Step::Rename(person, new_id) => {
                if !model.contains_key(new_id)
                    && let Some(faces) = model.remove(person)
                {
                    model.insert(new_id.clone(), faces);
                }
            }
            Step::Compact => {}
        }
    }
}

/// Whether the gallery holds what the model says.
fn holds(namespace: &Namespace, model: &Model) -> bool {
    let persons = namespace.persons().unwrap();
    persons.len() == model.len()
        && persons.iter().zip(model).all(|(person, (id, faces))| {
            person.id == **id
                && person.faces.len() == faces.len()
                && person.faces.iter().zip(faces).all(|(id, number)| {
                    let stored = namespace.face(*id).unwrap();
                    stored.embedding == face(*number) && stored.person == person.id
                })
        })
}

/// Makes changes and reports each, until the process is killed.
#[test]
#[ignore = "the other test runs it in a process of its own"]
fn writer() {
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    // Snapshots often, so that many writers are killed while they write one.
    let options = GalleryOptions::default().snapshot_every(40);
    let gallery = Gallery::open_with(std::env::var_os(FOLDER).unwrap(), &options).unwrap();
    let namespace = gallery.namespace("people").unwrap();
    for number in first.. {
        step(number).apply(&gallery, &namespace);
        let mut out = std::io::stdout().lock();
        writeln!(out, "done {number}").and_then(|()| out.flush()).unwrap();
    }
}

/// Runs a writer from change `first` on and kills it, `after` its first report or, if `early`, its start; returns
/// the first change that it did not report.
fn run_and_kill(folder: &Path, first: u64, early: bool, after: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (report, reports) = std::sync::mpsc::channel::<u64>();
    let reader = std::thread::spawn(move || {
        let number = |line: String| line.split_once("done ").and_then(|(_, number)| number.trim().parse().ok());
        out.lines().map_while(Result::ok).filter_map(number).for_each(|number| report.send(number).unwrap());
    });
    let mut next = first;
    if !early {
        next = reports.recv().unwrap() + 1;
    }
    std::thread::sleep(after);
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    // The channel ends with the reader, which ends with the pipe.
    next = reports.iter().last().map_or(next, |last| last + 1);
    reader.join().unwrap();
    next
}

#[test]
fn nothing_reported_is_lost_and_nothing_is_half_done() {
    let folder: PathBuf = std::env::temp_dir().join(format!("facecore-killed-{}", std::process::id()));
    std::fs::remove_dir_all(&folder).unwrap_or_default();
    let (mut model, mut next) = (Model::new(), 0);
    let mut random = SplitMix64(0x5EED);
    let mut unreported = 0;
    for kill in 0..KILLS {
        // Now and then while it still opens the gallery, and repairs it.
        let early = kill % 4 == 0;
        let after = Duration::from_micros(random.below(if early { 25_000 } else { 12_000 }));
        let reported = run_and_kill(&folder, next, early, after);
        (next..reported).for_each(|number| step(number).apply_to(&mut model));
        next = reported;

        let gallery = Gallery::open(&folder).unwrap();
        let namespace = gallery.namespace("people").unwrap();
        let mut with_next = model.clone();
        step(next).apply_to(&mut with_next);
        if !holds(&namespace, &model) {
            assert!(holds(&namespace, &with_next), "kill {kill}, before change {next}: neither with nor without it");
            (model, next) = (with_next, next + 1);
            unreported += 1;
        }
        assert_eq!(gallery.verify().unwrap().problems, Vec::<String>::new(), "kill {kill}, before change {next}");
    }
    println!("{next} changes under {KILLS} kills; {unreported} times the last one was done, but not yet reported");
    assert!(next >= KILLS / 4 * 3, "every writer that was not killed early made a change");
    std::fs::remove_dir_all(folder).unwrap();
}
