//! Searching while somebody enrols.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::*;

with_graphs_too!(
    readers_see_every_write_wholly_or_not_at_all,
    tasks_of_the_thread_pool_may_search_and_enrol,
    tasks_of_the_thread_pool_may_cause_snapshots,
    a_namespace_dropped_while_it_is_searched_is_an_error,
);

/// Four faces of one person, all near `face(axis, 0.0)`.
fn four(axis: usize) -> Vec<NewFace> {
    (0..4).map(|n| face(axis, 0.1 * n as f32).into()).collect()
}

#[test]
fn readers_see_every_write_wholly_or_not_at_all() {
    let staff = staff();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..8 {
            let (staff, done) = (staff.clone(), &done);
            scope.spawn(move || {
                let mut random = model::Random(reader + 1);
                while !done.load(Ordering::Relaxed) {
                    let axis = random.below(16);
                    for found in staff.search(&face(axis, 0.05), &SearchOptions::nearest(100)).unwrap() {
                        assert_eq!(found.hits, 4, "{found:?}");
                    }
                    if let Some(found) = staff.identify(&face(axis, 0.05)).unwrap() {
                        let name = format!("p{axis}");
                        assert!(found.person == *name || found.person == *format!("{name} renamed"), "{found:?}");
                    }
                    for person in staff.persons().unwrap() {
                        assert_eq!(person.faces.len(), 4);
                    }
                }
            });
        }
        let mut random = model::Random(99);
        for _ in 0..1000 {
            let axis = random.below(16);
            let (name, renamed) = (format!("p{axis}"), format!("p{axis} renamed"));
            if staff.get(&name).is_ok() {
                match random.below(2) {
                    0 => staff.remove_person(&name).unwrap(),
                    _ => staff.rename(&name, &renamed).unwrap(),
                }
            } else if staff.get(&renamed).is_ok() {
                staff.remove_person(&renamed).unwrap();
            } else {
                staff.enrol(name, &four(axis)).unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn tasks_of_the_thread_pool_may_search_and_enrol() {
    // Large enough that a scan is spread over the pool: a thread that waits for its parts takes up
    // other tasks of this loop, writers among them.
    let staff = staff();
    let mut random = model::Random(5);
    for person in 0..210 {
        let faces: Vec<NewFace> = (0..100)
            .map(|_| (0..DIMENSION).map(|_| random.coordinate()).collect::<Vec<_>>())
            .map(|values| Embedding::from_raw(values, space()).unwrap().into())
            .collect();
        staff.enrol(format!("p{person}"), &faces).unwrap();
    }
    (0..200).into_par_iter().for_each(|n| {
        if n % 4 == 0 {
            staff.add(format!("q{n}"), &face(n % 32, 0.0)).unwrap();
        } else {
            let probes = [face(n % 32, 0.0), face(n % 31, 0.1)];
            assert_eq!(staff.search_batch(&probes, &SearchOptions::nearest(3)).unwrap()[1].len(), 3);
        }
    });
    assert_eq!(staff.face_count(), 21_050);
}

#[test]
fn tasks_of_the_thread_pool_may_cause_snapshots() {
    let scratch = Scratch::new("pool");
    let gallery = scratch.open();
    let staff = gallery.namespace("staff").unwrap();
    // Each tenth task comes upon a snapshot that is due, while others wait to enrol.
    (0..40).into_par_iter().for_each(|task| {
        let mut random = model::Random(task + 1);
        let mut batch = Batch::new();
        for person in 0..1700 {
            let values: Vec<f32> = (0..DIMENSION).map(|_| random.coordinate()).collect();
            batch.enrol(format!("p{task}-{person}"), vec![Embedding::from_raw(values, space()).unwrap().into()]);
        }
        staff.apply(&batch).unwrap();
    });
    assert_eq!(staff.face_count(), 68_000);
    assert!(gallery.verify().unwrap().is_sound());
}

#[test]
fn a_namespace_dropped_while_it_is_searched_is_an_error() {
    let gallery = memory();
    let staff = gallery.namespace("staff").unwrap();
    staff.enrol("p1", &four(1)).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            loop {
                match staff.identify(&face(1, 0.0)) {
                    Ok(found) => assert_eq!(found.unwrap().hits, 4),
                    Err(error) => return error.kind(),
                }
            }
        });
        gallery.drop_namespace("staff").unwrap();
        assert_eq!(reader.join().unwrap(), ErrorKind::NamespaceNotFound);
    });
}
