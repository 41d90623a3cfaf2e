//! After `compact` no file holds anything of those who were removed.

use super::*;

with_graphs_too!(
    removed_people_leave_no_trace,
    a_snapshot_in_the_making_brings_nothing_back,
    what_is_replaced_renamed_or_dropped_leaves_no_trace_either,
);

const SECRET: &str = "metadata of one who left";

/// Codes and sketch words of an embedding, as files have them.
fn forms_on_disk(embedding: &Embedding) -> Vec<(&'static str, Vec<u8>)> {
    crate::index::flat::forms_on_disk(embedding.values())
}

/// Which forms of a person's data are in the gallery's files.
fn traces(scratch: &Scratch, embedding: &Embedding, name: &str) -> Vec<String> {
    let exact: Vec<u8> = embedding.values().iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut needles =
        vec![("f32".to_owned(), exact[..64].to_vec()), ("f32 end".into(), exact[exact.len() - 64..].to_vec())];
    needles.push(("metadata".into(), SECRET.into()));
    needles.push(("name".into(), name.into()));
    needles.extend(forms_on_disk(embedding).into_iter().map(|(form, bytes)| (form.to_owned(), bytes)));
    let files = scratch.files();
    let within = |needle: &[u8]| files.iter().any(|(_, bytes)| bytes.windows(needle.len()).any(|it| it == needle));
    needles.into_iter().filter(|(_, needle)| within(needle)).map(|(form, _)| form).collect()
}

/// A gallery that was closed, with 2000 people and one more who has all that is to be erased.
fn with_leaver(scratch: &Scratch, name: &str) -> Embedding {
    let gallery = scratch.open();
    let staff = gallery.namespace("staff").unwrap();
    let mut random = Random(3);
    let mut face = || {
        let values: Vec<f32> = (0..DIMENSION).map(|_| random.coordinate()).collect();
        Embedding::from_raw(values, space()).unwrap()
    };
    let leaver = face();
    let new = NewFace {
        embedding: leaver.clone(),
        quality: None,
        source: Some(SECRET.into()),
        metadata: json!({"note": SECRET}).as_object().unwrap().clone(),
    };
    let mut batch = Batch::new();
    for person in 0..2000 {
        batch.enrol(format!("p{person}"), vec![face().into()]);
    }
    staff.apply(&batch).unwrap();
    staff.enrol(name, &[new]).unwrap();
    staff.set_name(name, Some(SECRET)).unwrap();
    drop((staff, gallery));
    let before = traces(scratch, &leaver, name);
    assert_eq!(before.len(), 4 + forms_on_disk(&leaver).len(), "the test sees every form: {before:?}");
    leaver
}

#[test]
fn removed_people_leave_no_trace() {
    let (scratch, name) = (Scratch::new("erasure"), "One Who Left");
    let leaver = with_leaver(&scratch, name);
    let gallery = scratch.open();
    let staff = gallery.existing_namespace("staff").unwrap();
    staff.remove_person(name).unwrap();
    std::thread::scope(|scope| {
        let compaction = scope.spawn(|| gallery.compact());
        // Searches go on meanwhile.
        while !compaction.is_finished() {
            assert!(staff.identify(&leaver).unwrap().is_none());
        }
        compaction.join().unwrap().unwrap();
    });
    assert_eq!(traces(&scratch, &leaver, name), Vec::<String>::new());
    assert!(gallery.verify().unwrap().is_sound());
    drop((staff, gallery));
    assert_eq!(traces(&scratch, &leaver, name), Vec::<String>::new());
    assert_eq!(scratch.open().existing_namespace("staff").unwrap().face_count(), 2000);
}

#[test]
fn a_snapshot_in_the_making_brings_nothing_back() {
    let (scratch, name) = (Scratch::new("erasure-saving"), "One Who Left");
    let leaver = with_leaver(&scratch, name);
    // Every change has a snapshot made.
    let gallery = Gallery::open_with(&scratch.0, &options().snapshot_every(1)).unwrap();
    let staff = gallery.existing_namespace("staff").unwrap();
    for round in 0..5 {
        let person = format!("p{round}");
        let face = staff.get(&person).unwrap().faces[0];
        staff.rename(&person, format!("renamed {round}")).unwrap();
        staff.replace_face(face, &leaver).unwrap();
        staff.remove_face(face).unwrap();
        if round == 0 {
            staff.remove_person(name).unwrap();
        }
        gallery.compact().unwrap();
        assert_eq!(traces(&scratch, &leaver, name), Vec::<String>::new());
        assert!(gallery.verify().unwrap().is_sound());
    }
}

#[test]
fn what_is_replaced_renamed_or_dropped_leaves_no_trace_either() {
    let name = "One Who Left";
    type Removal = fn(&Gallery, &Namespace, FaceId, &str);
    let removals: [(&str, Removal); 4] = [
        ("replaced", |_, staff, id, name| {
            staff.replace_face(id, &face(3, 0.5)).unwrap();
            staff.set_face_metadata(id, Metadata::new()).unwrap();
            staff.set_name(name, None).unwrap();
            staff.rename(name, "somebody").unwrap();
        }),
        ("merged", |_, staff, _, name| {
            staff.merge(name, "p0").unwrap();
            staff.remove_person("p0").unwrap();
        }),
        ("cleared", |_, staff, _, _| staff.clear().unwrap()),
        ("dropped", |gallery, _, _, _| gallery.drop_namespace("staff").unwrap()),
    ];
    for (what, remove) in removals {
        let scratch = Scratch::new(what);
        let leaver = with_leaver(&scratch, name);
        let gallery = scratch.open();
        let staff = gallery.existing_namespace("staff").unwrap();
        remove(&gallery, &staff, staff.get(name).unwrap().faces[0], name);
        gallery.compact().unwrap();
        let mut left = traces(&scratch, &leaver, name);
        // The source of a face cannot be changed: it is part of what the face is.
        left.retain(|form| !(what == "replaced" && form == "metadata"));
        assert_eq!(left, Vec::<String>::new(), "{what}");
        assert!(gallery.verify().unwrap().is_sound());
    }
}
