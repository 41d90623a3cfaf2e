//! Readers on snapshots while a writer changes its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::*;

for_each_index!(readers_see_whole_states_while_a_writer_replaces);

fn readers_see_whole_states_while_a_writer_replaces<I: Tested>() {
    let mut random = Random(1);
    let (mut index, centres) = population::<I>(64, 3000, 100, &mut random);
    index.settle();
    let shared = Arc::new(Mutex::new(index.clone()));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..3 {
            let (shared, centres, done) = (&shared, &centres, &done);
            scope.spawn(move || {
                for n in 0.. {
                    let snapshot = shared.lock().unwrap().clone();
                    // The writer always removes one face and adds one of the same owner.
                    assert_eq!(snapshot.len(), 3000);
                    let owner = (reader * 31 + n) % 100;
                    for reach in I::REACHES.iter().copied().take(2) {
                        let hits = search_one(&snapshot, query(&centres[owner], reach));
                        assert_eq!((hits[0].owner, hits[0].hits), (owner as u32, 30), "{reach:?}");
                    }
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        for step in 0..2000u64 {
            let owner = (step % 100) as usize;
            // By turns, so that every face is replaced before one is again.
            assert!(index.remove(step));
            index.insert(3000 + step, owner as u32, &random.mate(&centres[owner], 0.8));
            if step % 300 == 0 {
                index.seal();
            }
            if step % 700 == 0 {
                let segments = index.flat().segments().len();
                index.merge(0..segments, in_memory).unwrap();
            }
            *shared.lock().unwrap() = index.clone();
        }
        done.store(true, Ordering::Relaxed);
    });
}
