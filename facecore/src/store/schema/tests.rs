//! Rows over a store in memory; that every store keeps bytes as they are is tested with the stores.

use super::*;
use crate::error::ErrorKind;
use crate::store::memory::Memory;
use crate::store::{Durability, Store, Table};

fn gallery() -> Memory {
    let store = Memory::new();
    prepare(&store).unwrap();
    store
}

fn change(store: &dyn Store, change: impl FnOnce(&mut RowsMut<'_>)) {
    let mut write = store.write().unwrap();
    change(&mut RowsMut(&mut *write));
    write.commit(Durability::Full).unwrap();
}

fn namespace(number: u32) -> NamespaceRow {
    NamespaceRow { number, space: Some(("arc".into(), 0.4)), dimension: 2, next_person: 1 }
}

fn person(number: u32) -> PersonRow {
    PersonRow { number, name: Some("Ada".into()), metadata: r#"{"desk":4}"#.into() }
}

fn face(namespace: u32, person: u32, values: [f32; 2]) -> FaceRow {
    FaceRow {
        namespace,
        person,
        norm: 21.5,
        quality: Some(0.75),
        source: Some("ada.jpg".into()),
        metadata: "{}".into(),
        hash: vector_hash(&values),
        values: values.into(),
    }
}

/// Two namespaces with two persons each; the faces 1 to 4 are their owners' in turn.
fn filled() -> Memory {
    let store = gallery();
    change(&store, |rows| {
        for space in [1, 2] {
            rows.put_namespace(&format!("space {space}"), &namespace(space)).unwrap();
            for number in [1, 2] {
                rows.put_person(space, &format!("person {number}"), &person(number)).unwrap();
                let id = u64::from(2 * space + number - 2);
                rows.put_face(id, &face(space, number, [0.5, id as f32])).unwrap();
            }
        }
    });
    store
}

/// Flips a bit of a row's value.
fn damage(store: &dyn Store, table: Table, key: &[u8]) {
    let mut write = store.write().unwrap();
    let mut value = write.get(table, key).unwrap().unwrap();
    value[3] ^= 4;
    write.put(table, key, value).unwrap();
    write.commit(Durability::Full).unwrap();
}

#[test]
fn a_new_gallery_begins_its_numbers() {
    let (store, other) = (gallery(), gallery());
    let (read, other) = (store.read().unwrap(), other.read().unwrap());
    let rows = Rows(&*read);
    assert_ne!(rows.gallery().unwrap(), Rows(&*other).gallery().unwrap());
    assert_eq!((rows.sequence().unwrap(), rows.snapshot().unwrap()), (1, 0));
    assert_eq!((rows.next_face().unwrap(), rows.next_namespace().unwrap()), (1, 1));
}

#[test]
fn preparing_again_changes_nothing() {
    let store = gallery();
    let id = Rows(&*store.read().unwrap()).gallery().unwrap();
    prepare(&store).unwrap();
    let read = store.read().unwrap();
    assert_eq!((Rows(&*read).gallery().unwrap(), Rows(&*read).sequence().unwrap()), (id, 1));
}

#[test]
fn a_newer_format_is_named() {
    let store = gallery();
    let mut write = store.write().unwrap();
    write.put(Table::Meta, b"format", 7u32.to_le_bytes().into()).unwrap();
    write.commit(Durability::Full).unwrap();
    let error = prepare(&store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::GalleryCorrupt);
    assert!(error.to_string().contains("made by a newer facecore (format 7; this one reads up to 1)"), "{error}");
    let empty = Memory::new();
    assert!(Rows(&*empty.read().unwrap()).check_format().unwrap_err().to_string().contains("no gallery"));
}

#[test]
fn rows_come_back_as_they_were_put() {
    let store = filled();
    let read = store.read().unwrap();
    let rows = Rows(&*read);
    assert_eq!(rows.namespace("space 2").unwrap(), Some(namespace(2)));
    assert_eq!(rows.namespace("space 3").unwrap(), None);
    assert_eq!(rows.namespaces().unwrap(), [("space 1".into(), namespace(1)), ("space 2".into(), namespace(2))]);
    assert_eq!(rows.person(1, "person 2").unwrap(), Some(person(2)));
    assert_eq!(rows.person(1, "person 3").unwrap(), None);
    assert_eq!(rows.person_id(2, 1).unwrap().as_deref(), Some("person 1"));
    assert_eq!(rows.person_id(2, 9).unwrap(), None);
    let persons: Vec<_> = rows.persons_from(2, "").unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(persons, [("person 1".into(), person(1)), ("person 2".into(), person(2))]);
    assert_eq!(rows.face(3).unwrap(), Some(face(2, 1, [0.5, 3.0])));
    assert_eq!(rows.face(5).unwrap(), None);
    let faces: Vec<_> = rows.face_ids().unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(faces, [1, 2, 3, 4]);
    assert_eq!(rows.faces_of_namespace(2).unwrap(), [(3, 1), (4, 2)]);
}

#[test]
fn rows_with_nothing_optional() {
    let store = gallery();
    let space = NamespaceRow { number: 1, space: None, dimension: 0, next_person: 1 };
    let nameless = PersonRow { number: 1, name: None, metadata: String::new() };
    let bare = FaceRow { quality: None, source: None, values: [].into(), ..face(1, 1, [1.0, 0.0]) };
    change(&store, |rows| {
        rows.put_namespace("s", &space).unwrap();
        rows.put_person(1, "p", &nameless).unwrap();
        rows.put_face(1, &bare).unwrap();
    });
    let read = store.read().unwrap();
    let rows = Rows(&*read);
    assert_eq!(rows.namespace("s").unwrap(), Some(space));
    assert_eq!(rows.person(1, "p").unwrap(), Some(nameless));
    assert_eq!(rows.face(1).unwrap(), Some(bare));
}

#[test]
fn a_persons_faces_and_exact_duplicates() {
    let store = filled();
    change(&store, |rows| {
        rows.put_face(9, &face(1, 1, [0.25, 0.5])).unwrap();
        rows.put_face(7, &face(1, 1, [0.25, 0.5])).unwrap();
        rows.put_face(8, &face(1, 1, [0.25, -0.5])).unwrap();
    });
    let hash = vector_hash(&[0.25, 0.5]);
    let read = store.read().unwrap();
    let rows = Rows(&*read);
    assert_eq!(rows.faces_of(1, 1).unwrap(), [1, 7, 8, 9]);
    assert_eq!(rows.same_face(1, 1, hash).unwrap(), Some(7));
    assert_eq!(rows.same_face(1, 2, hash).unwrap(), None);
    assert_eq!(rows.same_face(2, 1, hash).unwrap(), None);
    // Equal numbers, other bits.
    assert_ne!(vector_hash(&[0.0]), vector_hash(&[-0.0]));
}

#[test]
fn what_is_deleted_leaves_no_row() {
    let store = filled();
    change(&store, |rows| {
        assert!(rows.delete_face(4).unwrap());
        assert!(!rows.delete_face(4).unwrap());
        assert!(rows.delete_person(2, "person 1", 1).unwrap());
        assert!(!rows.delete_person(2, "person 1", 1).unwrap());
    });
    let read = store.read().unwrap();
    let rows = Rows(&*read);
    assert_eq!(rows.faces_of_namespace(2).unwrap(), []);
    assert_eq!((rows.face(3).unwrap(), rows.face(4).unwrap()), (None, None));
    assert_eq!(rows.person_id(2, 1).unwrap(), None);
    assert_eq!(rows.person(2, "person 2").unwrap(), Some(person(2)));
    assert_eq!(rows.faces_of_namespace(1).unwrap(), [(1, 1), (2, 2)]);
    drop(read);

    change(&store, |rows| {
        assert!(rows.delete_namespace("space 1").unwrap());
        assert!(rows.delete_namespace("space 2").unwrap());
        assert!(!rows.delete_namespace("space 2").unwrap());
    });
    let read = store.read().unwrap();
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Meta) {
        assert_eq!(read.range(table, &[], None).unwrap().count(), 0, "{table:?}");
    }
}

#[test]
fn the_log_is_read_from_a_commit_on_and_trimmed_up_to_one() {
    let store = gallery();
    let entry = |namespace, face| Change { namespace, faces: vec![face], persons: vec![1, 2] };
    change(&store, |rows| rows.put_log(&entry(1, 5)).unwrap());
    change(&store, |rows| {
        rows.put_log(&entry(2, 7)).unwrap();
        rows.put_log(&entry(1, 6)).unwrap();
    });
    let read = store.read().unwrap();
    let all = [(2, entry(1, 5)), (3, entry(1, 6)), (3, entry(2, 7))];
    assert_eq!(Rows(&*read).sequence().unwrap(), 3);
    assert_eq!(Rows(&*read).log_since(0).unwrap(), all);
    assert_eq!(Rows(&*read).log_since(2).unwrap(), all[1..]);
    assert_eq!(Rows(&*read).log_since(3).unwrap(), []);
    assert_eq!(Rows(&*read).log_since(u64::MAX).unwrap(), []);
    drop(read);
    change(&store, |rows| rows.trim_log(2).unwrap());
    let read = store.read().unwrap();
    assert_eq!(Rows(&*read).log_since(0).unwrap(), all[1..]);
    assert_eq!(Rows(&*read).snapshot().unwrap(), 2);
}

#[test]
fn damaged_rows_are_named() {
    let store = filled();
    damage(&store, Table::Faces, &3u64.to_be_bytes());
    damage(&store, Table::Namespaces, b"space 2");
    damage(&store, Table::Persons, b"\0\0\0\x02person 1");
    let read = store.read().unwrap();
    let rows = Rows(&*read);
    let check = |error: crate::Error, what: &str| {
        assert_eq!(error.kind(), ErrorKind::GalleryCorrupt);
        assert!(error.to_string().starts_with(what), "{error}");
    };
    check(rows.face(3).unwrap_err(), "face 3 is damaged");
    check(rows.namespace("space 2").unwrap_err(), "namespace `space 2` is damaged");
    check(rows.namespaces().unwrap_err(), "namespace `space 2` is damaged");
    check(rows.person(2, "person 1").unwrap_err(), "person `person 1` is damaged");
    assert_eq!(rows.face(4).unwrap(), Some(face(2, 2, [0.5, 4.0])));
}

#[test]
fn a_row_under_another_key_is_damaged() {
    let store = filled();
    let mut write = store.write().unwrap();
    let value = write.get(Table::Faces, &1u64.to_be_bytes()).unwrap().unwrap();
    write.put(Table::Faces, &2u64.to_be_bytes(), value).unwrap();
    write.commit(Durability::Full).unwrap();
    assert!(Rows(&*store.read().unwrap()).face(2).is_err());
}
