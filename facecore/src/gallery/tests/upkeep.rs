//! Changes while a snapshot is made: what is there after it, after a crash, and when the gallery is opened again.

use std::fs;

use super::durable::{enrol_each, random_faces};
use super::*;

with_graphs_too!(
    changes_go_on_while_a_snapshot_is_made,
    a_snapshot_is_mapped_as_far_as_it_is_still_true,
    random_changes_meet_many_snapshots,
    several_may_compact_while_others_make_changes,
    a_gallery_in_memory_is_tidied_while_changes_go_on,
);

/// What the store holds.
fn export(gallery: &Gallery) -> String {
    let mut out = Vec::new();
    gallery.export(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// That searches see what the store holds.
fn assert_sound(gallery: &Gallery) {
    let report = gallery.verify().unwrap();
    assert_eq!((report.problems, report.agreeing), (Vec::<String>::new(), report.probes));
}

/// People of every kind of fate, partly in a snapshot already.
fn populate(gallery: &Gallery) {
    enrol_each(&gallery.namespace("staff").unwrap(), &random_faces(1, 3000));
    enrol_each(&gallery.namespace("cleared").unwrap(), &random_faces(2, 200));
    enrol_each(&gallery.namespace("dropped").unwrap(), &random_faces(3, 200));
    gallery.compact().unwrap();
    enrol_each(&gallery.namespace("staff").unwrap(), &random_faces(4, 500));
    gallery.namespace("empty").unwrap();
}

/// One change of every kind.
fn change(gallery: &Gallery, round: usize) {
    let staff = gallery.namespace("staff").unwrap();
    let faces = random_faces(100 + round as u64, 20);
    let name = |person: usize| format!("p{}", round * 20 + person);
    let first = |person: usize| staff.get(name(person)).unwrap().faces[0];
    staff.add(format!("new {round}"), &faces[0]).unwrap();
    staff.add(name(1), &faces[1]).unwrap();
    staff.replace_face(first(2), &faces[2]).unwrap();
    staff.remove_face(first(3)).unwrap();
    staff.remove_person(name(4)).unwrap();
    staff.rename(name(5), format!("renamed {round}")).unwrap();
    staff.merge(name(6), name(7)).unwrap();
    staff.move_person(name(8), &gallery.namespace("empty").unwrap()).unwrap();
    let cleared = gallery.namespace("cleared").unwrap();
    cleared.clear().unwrap();
    enrol_each(&cleared, &faces);
    gallery.drop_namespace("dropped").unwrap();
    enrol_each(&gallery.namespace("dropped").unwrap(), &faces[..9]);
}

/// A copy of a gallery as a crash would leave it: the database as of one moment, the index as of another.
fn crashed(database: &Scratch, index: &Scratch, name: &str) -> Scratch {
    let copy = Scratch::new(name);
    for (from, part) in [(database, false), (index, true)] {
        for (path, bytes) in from.files() {
            let relative = path.strip_prefix(&from.0).unwrap();
            if relative.starts_with("index") == part {
                let to = copy.0.join(relative);
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::write(to, bytes).unwrap();
            }
        }
    }
    copy
}

#[test]
fn changes_go_on_while_a_snapshot_is_made() {
    let scratch = Scratch::new("saving");
    let at = |moment: &str| crashed(&scratch, &scratch, &format!("saving-{moment}"));
    let gallery = scratch.open();
    populate(&gallery);
    let shared = gallery.shared.clone();
    let mut states = Vec::new();
    let mut note = |copy: Scratch| states.push((copy, export(&gallery)));

    let mut saving = shared.begin_saving(&mut shared.hold_still()).unwrap();
    change(&gallery, 0);
    note(at("begun"));
    let manifest = fs::read(scratch.0.join("index/manifest")).unwrap();
    saving.make(&shared, &shared.partial()).unwrap();
    change(&gallery, 1);
    note(at("made"));
    // As if it had ended before the manifest, and while it wrote a file.
    let early = at("written");
    fs::write(early.0.join("index/manifest"), manifest).unwrap();
    fs::write(early.0.join("index/999.faces.new"), "half a file").unwrap();
    note(early);
    shared.install(&saving, &mut shared.hold_still());
    change(&gallery, 2);
    note(at("installed"));
    shared.clean_up(&saving, &mut shared.hold_still()).unwrap();
    // As if it had ended when the log was still there.
    let untrimmed = crashed(&states[3].0, &scratch, "saving-untrimmed");
    states.push((untrimmed, states[3].1.clone()));
    states.push((at("cleaned"), export(&gallery)));
    assert_sound(&gallery);
    change(&gallery, 3);
    states.push((at("over"), export(&gallery)));
    assert_sound(&gallery);

    for (copy, expected) in states {
        for _ in 0..2 {
            let gallery = copy.open();
            assert!(export(&gallery) == expected, "{}", copy.0.display());
            assert_sound(&gallery);
            gallery.compact().unwrap();
        }
    }
    let expected = export(&gallery);
    drop((shared, gallery));
    let gallery = scratch.open();
    assert!(export(&gallery) == expected);
    assert_sound(&gallery);
}

#[test]
fn a_snapshot_is_mapped_as_far_as_it_is_still_true() {
    let scratch = Scratch::new("saving-mapped");
    let gallery = scratch.open();
    populate(&gallery);
    let shared = gallery.shared.clone();
    let mut saving = shared.begin_saving(&mut shared.hold_still()).unwrap();
    saving.make(&shared, &shared.partial()).unwrap();
    change(&gallery, 0);
    shared.install(&saving, &mut shared.hold_still());
    shared.clean_up(&saving, &mut shared.hold_still()).unwrap();
    let files = |name: &str| {
        let view = shared.slot(name).unwrap().view.load_full().unwrap();
        view.pinned.as_ref().map_or(0, |pinned| pinned.files.iter().flatten().count())
    };
    assert_eq!((files("staff"), files("cleared"), files("dropped")), (2, 0, 0));
    let stats = gallery.stats().unwrap();
    let staff = stats.namespaces.iter().find(|namespace| namespace.name == "staff").unwrap();
    // Replaced, removed alone and with a person, moved; and the two of the person who was merged.
    assert!(staff.removed_faces >= 5, "{staff:?}");
}

#[test]
fn random_changes_meet_many_snapshots() {
    let scratch = Scratch::new("saving-often");
    let options = options().snapshot_every(300);
    let mut random = Random(11);
    let mut expected = String::new();
    for round in 0..12 {
        // Opened at once after it was closed: the thread's part in it has ended with it.
        let gallery = Gallery::open_with(&scratch.0, &options).unwrap();
        if round > 0 {
            assert!(export(&gallery) == expected, "round {round}");
        }
        let staff = gallery.namespace("staff").unwrap();
        for step in 0..10 {
            let mut batch = Batch::new();
            for face in random_faces(1000 * round + step, 60) {
                batch.enrol(format!("p{}", random.below(900)), vec![face.into()]);
            }
            for _ in 0..20 {
                batch.remove_person(format!("p{}", random.below(900)));
                batch.rename(format!("p{}", random.below(900)), format!("p{}", random.below(900)));
            }
            staff.apply(&batch).unwrap();
            match random.below(40) {
                0 => staff.clear().unwrap(),
                1 => gallery.compact().unwrap(),
                2..8 => assert_sound(&gallery),
                _ => assert!(gallery.stats().is_ok()),
            }
        }
        expected = export(&gallery);
        assert_sound(&gallery);
    }
}

#[test]
fn several_may_compact_while_others_make_changes() {
    let scratch = Scratch::new("saving-compact");
    let gallery = Gallery::open_with(&scratch.0, &options().snapshot_every(50)).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let staff = gallery.namespace(&format!("n{writer}")).unwrap();
            scope.spawn(move || (0..10).for_each(|round| drop(enrol_each(&staff, &random_faces(round, 40)))));
        }
        for _ in 0..2 {
            scope.spawn(|| (0..4).for_each(|_| gallery.compact().unwrap()));
        }
    });
    assert_eq!(gallery.stats().unwrap().namespaces.iter().map(|namespace| namespace.faces).sum::<usize>(), 1200);
    assert_sound(&gallery);
}

#[test]
fn a_gallery_in_memory_is_tidied_while_changes_go_on() {
    let gallery = memory();
    populate(&gallery);
    let shared = &gallery.shared;
    let mut saving = shared.begin_saving(&mut shared.hold_still()).unwrap();
    change(&gallery, 0);
    saving.make(shared, &shared.partial()).unwrap();
    change(&gallery, 1);
    shared.install(&saving, &mut shared.hold_still());
    shared.clean_up(&saving, &mut shared.hold_still()).unwrap();
    assert_sound(&gallery);
    change(&gallery, 2);
    assert_sound(&gallery);
}
