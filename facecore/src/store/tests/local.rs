//! What only a store in a file does.

use std::collections::BTreeSet;
use std::path::Path;

use super::{TempFolder, rows};
use crate::error::ErrorKind;
use crate::files;
use crate::store::local::{Local, Options};
use crate::store::{Durability, Store, Table, sequence};

const READ_ONLY: Options = Options { cache_bytes: 1 << 20, read_only: true };

fn open(path: &Path) -> Local {
    Local::open(path, Options::default()).unwrap()
}

/// Commits rows 0 to `count`, each of 12000 bytes of its own.
fn fill(store: &Local, count: u8) {
    let mut write = store.write().unwrap();
    for n in 0..count {
        write.put(Table::Faces, &[n], secret(n).to_vec()).unwrap();
    }
    write.commit(Durability::Full).unwrap();
}

fn secret(n: u8) -> Vec<u8> {
    format!("secret {n:04} ").into_bytes().repeat(1000)
}

/// The rows of whose values any part is in the file.
fn held(path: &Path) -> BTreeSet<u8> {
    let bytes = std::fs::read(path).unwrap();
    let parts = bytes.windows(11).filter(|part| part.starts_with(b"secret "));
    parts.map(|part| std::str::from_utf8(&part[7..]).unwrap().parse().unwrap()).collect()
}

/// A copy of the file as a crash at this moment leaves it.
fn crashed(store: &Local, to: &Path) {
    std::fs::copy(store.path(), to).unwrap();
}

#[test]
fn rows_are_there_when_it_is_opened_again() {
    let folder = TempFolder::new();
    let path = folder.join("a.redb");
    fill(&open(&path), 50);
    let store = open(&path);
    assert_eq!(rows(&*store.read().unwrap(), Table::Faces).len(), 50);
    assert!(store.keeps_vectors());
    assert_eq!(store.size().unwrap(), std::fs::metadata(&path).unwrap().len());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_crash_leaves_what_was_committed() {
    let folder = TempFolder::new();
    let store = open(&folder.join("a.redb"));
    fill(&store, 50);
    crashed(&store, &folder.join("b.redb"));
    assert_eq!(rows(&*open(&folder.join("b.redb")).read().unwrap(), Table::Faces).len(), 50);
}

#[test]
fn only_one_has_it_open() {
    let folder = TempFolder::new();
    let path = folder.join("a.redb");
    let store = open(&path);
    for options in [Options::default(), READ_ONLY] {
        let Err(error) = Local::open(&path, options) else { panic!("opened twice") };
        assert_eq!(error.kind(), ErrorKind::GalleryLocked);
    }
    drop(store);
    let readers = [(); 2].map(|()| Local::open(&path, READ_ONLY).unwrap());
    let Err(error) = Local::open(&path, Options::default()) else { panic!("opened beside readers") };
    assert_eq!(error.kind(), ErrorKind::GalleryLocked);
    drop(readers);
    open(&path);
}

#[test]
fn reading_only_changes_nothing() {
    let folder = TempFolder::new();
    let path = folder.join("a.redb");
    let Err(error) = Local::open(&path, READ_ONLY) else { panic!("opened what is not there") };
    assert_eq!(error.kind(), ErrorKind::Io);
    fill(&open(&path), 9);
    let bytes = std::fs::read(&path).unwrap();
    let store = Local::open(&path, READ_ONLY).unwrap();
    assert_eq!(rows(&*store.read().unwrap(), Table::Faces).len(), 9);
    for refused in [store.write().map(drop), store.flush(), store.compact()] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    store.copy_to(&folder.join("b.redb")).unwrap();
    drop(store);
    assert!(std::fs::read(&path).unwrap() == bytes);
    assert_eq!(rows(&*open(&folder.join("b.redb")).read().unwrap(), Table::Faces).len(), 9);
}

#[test]
fn reading_only_after_a_crash_repairs_first() {
    let folder = TempFolder::new();
    let store = open(&folder.join("a.redb"));
    fill(&store, 20);
    let path = folder.join("b.redb");
    crashed(&store, &path);
    let read_only = Local::open(&path, READ_ONLY).unwrap();
    assert_eq!(rows(&*read_only.read().unwrap(), Table::Faces).len(), 20);
    assert!(read_only.write().is_err());
}

#[test]
fn compaction_leaves_no_byte_of_deleted_rows() {
    let folder = TempFolder::new();
    let path = folder.join("a.redb");
    let store = open(&path);
    fill(&store, 200);
    let mut write = store.write().unwrap();
    for n in 10..200 {
        write.delete(Table::Faces, &[n]).unwrap();
    }
    write.commit(Durability::Full).unwrap();
    assert!(held(&path).len() > 10, "nothing to compact");
    let before = store.size().unwrap();
    store.compact().unwrap();
    assert!(store.size().unwrap() < before / 2, "{} of {before}", store.size().unwrap());
    assert!(held(&path).into_iter().eq(0..10));
    assert!(!files::unfinished(&path).exists());
    fill(&store, 12);
    drop(store);
    assert_eq!(rows(&*open(&path).read().unwrap(), Table::Faces).len(), 12);
}

#[test]
fn readers_go_on_across_a_compaction() {
    let folder = TempFolder::new();
    let store = open(&folder.join("a.redb"));
    fill(&store, 100);
    let read = store.read().unwrap();
    let mut range = read.range(Table::Faces, &[], None).unwrap();
    range.next();
    let mut write = store.write().unwrap();
    (0..100).for_each(|n| assert!(write.delete(Table::Faces, &[n]).unwrap()));
    write.commit(Durability::Full).unwrap();
    store.compact().unwrap();
    fill(&store, 3);
    assert_eq!(range.count(), 99);
    assert_eq!(read.get(Table::Faces, &[99]).unwrap().unwrap(), secret(99));
    assert_eq!(rows(&*store.read().unwrap(), Table::Faces).len(), 3);
}

#[test]
fn what_an_interrupted_compaction_left_is_removed() {
    let folder = TempFolder::new();
    let path = folder.join("a.redb");
    fill(&open(&path), 5);
    std::fs::write(files::unfinished(&path), "half a copy").unwrap();
    assert_eq!(rows(&*open(&path).read().unwrap(), Table::Faces).len(), 5);
    assert!(!files::unfinished(&path).exists());
}

#[test]
fn a_copy_is_one_state_while_writers_go_on() {
    let folder = TempFolder::new();
    let store = open(&folder.join("a.redb"));
    fill(&store, 100);
    let copies: Vec<_> = (0..4).map(|n| folder.join(&format!("copy {n}"))).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1..=60u8 {
                let mut write = store.write().unwrap();
                (0..100).for_each(|key| write.put(Table::Faces, &[key], vec![n; 100]).unwrap());
                write.commit(Durability::Relaxed).unwrap();
            }
        });
        copies.iter().for_each(|copy| store.copy_to(copy).unwrap());
    });
    for copy in &copies {
        let copy = open(copy);
        let read = copy.read().unwrap();
        let found = rows(&*read, Table::Faces);
        let first = &found[0].1;
        let commits = sequence(&*read).unwrap();
        assert!(found.iter().enumerate().all(|(n, row)| if commits == 1 {
            row.1 == secret(n as u8)
        } else {
            row.1 == *first
        }));
        assert!(commits == 1 || u64::from(first[0]) + 1 == commits);
    }
    assert_eq!(store.copy_to(&copies[0]).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn damaged_and_foreign_files_are_refused_or_read_right() {
    let folder = TempFolder::new();
    let path = folder.join("a.redb");
    std::fs::write(&path, "no database, but a text that is longer than a header".repeat(99)).unwrap();
    let Err(error) = Local::open(&path, Options::default()) else { panic!("opened a text") };
    assert_eq!(error.kind(), ErrorKind::GalleryCorrupt, "{error}");
    std::fs::remove_file(&path).unwrap();

    fill(&open(&path), 40);
    let whole = std::fs::read(&path).unwrap();
    let damaged = folder.join("b.redb");
    let (mut refused, mut read_right) = (0, 0);
    let mut check = |bytes: &[u8], what: &str| {
        std::fs::write(&damaged, bytes).unwrap();
        let read = Local::open(&damaged, Options::default()).and_then(|store| {
            let read = store.read()?;
            read.range(Table::Faces, &[], None)?.collect::<Result<Vec<_>, _>>()
        });
        match read {
            Ok(_) => read_right += 1,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::GalleryCorrupt | ErrorKind::Io), "{what}: {error}");
                refused += 1;
            }
        }
    };
    for at in (0..512).step_by(5).chain((512..whole.len()).step_by(whole.len() / 100)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        check(&bytes, &format!("byte {at}"));
    }
    for length in (0..whole.len()).step_by(whole.len() / 20) {
        check(&whole[..length], &format!("{length} bytes"));
    }
    assert!(refused > 10 && read_right > 10, "{refused} refused, {read_right} read");
}
