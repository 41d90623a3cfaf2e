//! Power that is lost, disks that fail and disks that are full, at every moment in turn.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::disk::{Fault, SimDisk};
use super::{Random, rows};
use crate::error::{Error, ErrorKind, Result};
use crate::store::local::{Local, Options};
use crate::store::{Durability, Store, Table, sequence};

const FILE: &str = "/gallery.redb";
const STEPS: usize = 16;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// What the store must hold, by the number of commits.
struct Expected {
    states: Vec<Rows>,
    /// The last commit that was said to be durable.
    durable: usize,
}

impl Expected {
    fn new() -> Self {
        Expected { states: vec![Rows::new()], durable: 0 }
    }

    fn last(&self) -> &Rows {
        self.states.last().unwrap()
    }

    fn is_durable(&mut self) {
        self.durable = self.states.len() - 1;
    }

    /// That the store holds one of the states since the last durable one; what came after it is gone.
    fn check(&mut self, store: &Local, moment: &str) {
        let read = store.read().unwrap_or_else(|error| panic!("{moment}: {error}"));
        let commits = sequence(&*read).unwrap() as usize;
        assert!((self.durable..self.states.len()).contains(&commits), "{moment}: {commits} commits");
        let found: Rows = rows(&*read, Table::Faces).into_iter().collect();
        assert!(found == self.states[commits], "{moment}: not the rows of commit {commits}");
        self.states.truncate(commits + 1);
        assert!(self.durable < self.states.len());
    }
}

fn open(disk: &SimDisk) -> Result<Local> {
    // A small cache, so that pages are written and read before the commit too.
    let options = Options { cache_bytes: 32 << 10, read_only: false };
    Local::open_on(Arc::new(disk.clone()), Path::new(FILE), options)
}

/// One step of a series: a commit, a flush or a compaction. `expected` gets the state that a commit is
/// about to make; that it is durable is noted when it was said to be.
fn step(store: &Local, expected: &mut Expected, random: &mut Random) -> Result<()> {
    match random.below(12) {
        0 => store.compact()?,
        1 => store.flush()?,
        kind => {
            let mut write = store.write()?;
            let mut state = expected.last().clone();
            for _ in 0..=random.below(12) {
                let key = random.below(30).to_be_bytes().to_vec();
                if random.below(4) == 0 {
                    write.delete(Table::Faces, &key)?;
                    state.remove(&key);
                } else {
                    let value = vec![random.below(256) as u8; random.below(5000) as usize];
                    write.put(Table::Faces, &key, value.to_vec())?;
                    state.insert(key, value);
                }
            }
            expected.states.push(state);
            write.commit(if kind < 8 { Durability::Full } else { Durability::Relaxed })?;
            if kind >= 8 {
                return Ok(());
            }
        }
    }
    expected.is_durable();
    Ok(())
}

/// A series on a disk that will lose power; gives what was promised until then.
fn until_power_is_lost(disk: &SimDisk) -> Expected {
    let mut expected = Expected::new();
    let Ok(store) = open(disk) else { return expected };
    let mut random = Random(3);
    for _ in 0..STEPS {
        if step(&store, &mut expected, &mut random).is_err() {
            break;
        }
    }
    expected
}

#[test]
fn what_was_committed_survives_the_loss_of_power_at_any_sync() {
    for at in 1.. {
        let disk = SimDisk::new(Fault::PowerAtSync(at));
        let expected = until_power_is_lost(&disk);
        if !disk.was_hit() {
            assert!(at > 2 * STEPS as u64 / 3, "only {at} syncs");
            break;
        }
        for seed in 0..6 {
            let moment = format!("sync {at}, seed {seed}");
            let restarted = disk.after_power_loss(seed);
            let store = open(&restarted).unwrap_or_else(|error| panic!("{moment}: {error}"));
            let mut promised = Expected { states: expected.states.clone(), durable: expected.durable };
            promised.check(&store, &moment);
            // It is of use again, and a second loss at any time loses nothing either.
            let mut random = Random(at);
            for _ in 0..3 {
                step(&store, &mut promised, &mut random).unwrap();
            }
            drop(store);
            let store = open(&restarted.after_power_loss(seed)).unwrap();
            promised.check(&store, &moment);
        }
    }
}

/// Goes on after errors, and checks after each what it says.
fn with_errors(disk: &SimDisk, moment: &str, mut on_error: impl FnMut(&Error)) {
    let mut expected = Expected::new();
    let store = match open(disk) {
        Ok(store) => store,
        Err(error) => {
            on_error(&error);
            disk.heal();
            open(disk).unwrap_or_else(|error| panic!("{moment}: {error}"))
        }
    };
    let mut random = Random(5);
    for _ in 0..STEPS {
        let before = expected.states.len();
        let Err(error) = step(&store, &mut expected, &mut random) else { continue };
        on_error(&error);
        // A commit that failed is not in.
        expected.states.truncate(before);
        expected.check(&store, &format!("{moment}, after `{error}`"));
        disk.heal();
    }
    disk.heal();
    expected.check(&store, &format!("{moment}, at the end"));
    let lasting = expected.states.len();
    step(&store, &mut expected, &mut Random(2)).unwrap_or_else(|error| panic!("{moment}: {error}"));
    assert!(expected.states.len() >= lasting);
    drop(store);
    expected.is_durable();
    expected.check(&open(disk).unwrap(), &format!("{moment}, opened again"));
}

#[test]
fn an_error_of_any_operation_loses_nothing_that_was_durable() {
    let mut reported = 0;
    for at in 1.. {
        let disk = SimDisk::new(Fault::ErrorAt(at));
        with_errors(&disk, &format!("operation {at}"), |error| {
            reported += 1;
            assert_eq!(error.kind(), ErrorKind::Io, "operation {at}: {error}");
            assert!(error.to_string().contains(FILE), "operation {at}: {error}");
        });
        if !disk.was_hit() {
            break;
        }
    }
    assert!(reported > 50, "{reported} errors");
}

#[test]
fn a_full_disk_is_named_and_does_no_harm() {
    let mut reported = 0;
    for at in 1.. {
        let disk = SimDisk::new(Fault::FullFrom(at));
        with_errors(&disk, &format!("full from {at}"), |error| {
            reported += 1;
            assert_eq!(error.kind(), ErrorKind::Io, "full from {at}: {error}");
            let text = error.to_string();
            assert!(["free some space", "are lost"].iter().any(|part| text.contains(part)), "full from {at}: {text}");
        });
        if !disk.was_hit() {
            break;
        }
    }
    assert!(reported > 50, "{reported} errors");
}
