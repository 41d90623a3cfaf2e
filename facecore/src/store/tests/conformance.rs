//! What every store does, checked on each of them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Random, TempFolder, rows};
use crate::store::local::{Local, Options};
use crate::store::memory::Memory;
use crate::store::{Durability, Read, Store, Table, Write, sequence};

fn on_each(test: impl Fn(&dyn Store)) {
    test(&Memory::new());
    let folder = TempFolder::new();
    test(&Local::open(&folder.join("a.redb"), Options::default()).unwrap());
}

fn put(store: &dyn Store, key: &[u8], value: &[u8]) {
    let mut write = store.write().unwrap();
    write.put(Table::Faces, key, value.to_vec()).unwrap();
    write.commit(Durability::Relaxed).unwrap();
}

#[test]
fn an_empty_store_has_no_rows() {
    on_each(|store| {
        let read = store.read().unwrap();
        for table in Table::ALL {
            assert_eq!(read.get(table, b"a").unwrap(), None);
            assert_eq!(rows(&*read, table), []);
        }
        assert_eq!(sequence(&*read).unwrap(), 0);
    });
}

#[test]
fn tables_are_apart() {
    on_each(|store| {
        let mut write = store.write().unwrap();
        for table in Table::ALL {
            write.put(table, b"key", table.name().into()).unwrap();
        }
        write.commit(Durability::Full).unwrap();
        for table in Table::ALL {
            assert_eq!(store.read().unwrap().get(table, b"key").unwrap().unwrap(), table.name().as_bytes());
        }
    });
}

#[test]
fn ranges_are_sorted_and_end_before_their_end() {
    on_each(|store| {
        let mut write = store.write().unwrap();
        let keys: Vec<Vec<u8>> = (0..1000u32).map(|n| n.to_be_bytes().to_vec()).collect();
        for key in keys.iter().rev() {
            write.put(Table::Log, key, Vec::new()).unwrap();
        }
        // More than a write fetches at a time, and both ways of reading.
        let check = |read: &dyn Read| {
            let found = |from: u32, to: Option<u32>| -> Vec<Vec<u8>> {
                let to = to.map(u32::to_be_bytes);
                let rows = read.range(Table::Log, &from.to_be_bytes(), to.as_ref().map(|to| &to[..])).unwrap();
                rows.map(|row| row.unwrap().0).collect()
            };
            assert_eq!(found(0, None), keys);
            assert_eq!(found(0, Some(256)), keys[..256]);
            assert_eq!(found(3, Some(700)), keys[3..700]);
            assert_eq!(found(999, None), keys[999..]);
            assert_eq!(found(5, Some(5)), keys[..0]);
            assert_eq!(found(6, Some(5)), keys[..0]);
            assert_eq!(found(1000, None), keys[..0]);
        };
        check(&*write);
        write.commit(Durability::Full).unwrap();
        check(&*store.read().unwrap());
    });
}

#[test]
fn a_write_reads_its_own_changes_and_others_do_not() {
    on_each(|store| {
        put(store, b"a", b"1");
        let mut write = store.write().unwrap();
        write.put(Table::Faces, b"a", b"2".into()).unwrap();
        assert_eq!(write.get(Table::Faces, b"a").unwrap().unwrap(), b"2");
        assert!(write.delete(Table::Faces, b"a").unwrap());
        assert!(!write.delete(Table::Faces, b"a").unwrap());
        assert_eq!(rows(&*write, Table::Faces), []);
        write.put(Table::Faces, b"b", b"3".into()).unwrap();
        drop(write);
        assert_eq!(rows(&*store.read().unwrap(), Table::Faces), [(b"a".to_vec(), b"1".to_vec())]);
        assert_eq!(sequence(&*store.read().unwrap()).unwrap(), 1);
    });
}

#[test]
fn a_write_that_panics_changes_nothing_and_blocks_nobody() {
    on_each(|store| {
        put(store, b"a", b"1");
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut write = store.write().unwrap();
            write.put(Table::Faces, b"a", b"2".into()).unwrap();
            write.put(Table::Faces, b"b", b"2".into()).unwrap();
            write.delete(Table::Faces, b"a").unwrap();
            panic!("on purpose");
        }));
        assert!(panicked.is_err());
        assert_eq!(rows(&*store.read().unwrap(), Table::Faces), [(b"a".to_vec(), b"1".to_vec())]);
        put(store, b"a", b"3");
        assert_eq!(rows(&*store.read().unwrap(), Table::Faces), [(b"a".to_vec(), b"3".to_vec())]);
    });
}

#[test]
fn commits_are_counted() {
    on_each(|store| {
        for n in 1..=5 {
            put(store, b"a", b"1");
            assert_eq!(sequence(&*store.read().unwrap()).unwrap(), n);
        }
        store.flush().unwrap();
        assert_eq!(sequence(&*store.read().unwrap()).unwrap(), 5);
    });
}

#[test]
fn any_series_of_changes_gives_what_a_map_gives() {
    on_each(|store| {
        let mut random = Random(7);
        let mut expected = BTreeMap::new();
        for _ in 0..200 {
            let mut write = store.write().unwrap();
            let mut changed = expected.clone();
            for _ in 0..random.below(20) {
                let key = random.below(50).to_be_bytes().to_vec();
                if random.below(3) == 0 {
                    assert_eq!(write.delete(Table::Faces, &key).unwrap(), changed.remove(&key).is_some());
                } else {
                    let value = vec![random.below(256) as u8; random.below(3000) as usize];
                    write.put(Table::Faces, &key, value.to_vec()).unwrap();
                    changed.insert(key, value);
                }
            }
            match random.below(3) {
                0 => drop(write),
                kind => {
                    write.commit(if kind == 1 { Durability::Full } else { Durability::Relaxed }).unwrap();
                    expected = changed;
                }
            }
            let found = rows(&*store.read().unwrap(), Table::Faces);
            assert!(found.into_iter().eq(expected.clone()));
        }
    });
}

/// Writers move an amount between two rows; whoever reads sees the same sum, also twice in one read.
#[test]
fn readers_see_whole_commits_only() {
    on_each(|store| {
        let set = |write: &mut dyn Write, a: u64, b: u64| {
            write.put(Table::Faces, b"a", a.to_le_bytes().into()).unwrap();
            write.put(Table::Faces, b"b", b.to_le_bytes().into()).unwrap();
        };
        let mut write = store.write().unwrap();
        set(&mut *write, 500, 500);
        write.commit(Durability::Relaxed).unwrap();
        let (done, start) = (AtomicBool::new(false), Barrier::new(3));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    start.wait();
                    while !done.load(Ordering::Relaxed) {
                        let read = store.read().unwrap();
                        let number = |key: &[u8]| {
                            let value = read.get(Table::Faces, key).unwrap().unwrap();
                            u64::from_le_bytes(value.try_into().unwrap())
                        };
                        let (a, b) = (number(b"a"), number(b"b"));
                        assert_eq!(a + b, 1000);
                        assert_eq!((number(b"a"), number(b"b")), (a, b));
                    }
                });
            }
            start.wait();
            for n in 0..500 {
                let mut write = store.write().unwrap();
                set(&mut *write, n, 1000 - n);
                write.commit(Durability::Relaxed).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(sequence(&*store.read().unwrap()).unwrap(), 501);
    });
}

#[test]
fn compacting_keeps_the_rows() {
    on_each(|store| {
        for n in 0..100u8 {
            put(store, &[n], &[n; 100]);
        }
        let before = rows(&*store.read().unwrap(), Table::Faces);
        store.compact().unwrap();
        assert_eq!(rows(&*store.read().unwrap(), Table::Faces), before);
        put(store, b"after", b"1");
        assert_eq!(sequence(&*store.read().unwrap()).unwrap(), 101);
    });
}
