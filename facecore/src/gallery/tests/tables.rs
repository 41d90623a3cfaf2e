//! Tables of people.

use std::path::PathBuf;

use super::exchange::counts;
use super::*;

/// A file of a test, with what is in it.
fn table(name: &str, text: impl AsRef<[u8]>) -> (Scratch, PathBuf) {
    let folder = Scratch::new(name);
    std::fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("people.csv");
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

fn skipping() -> ImportOptions {
    ImportOptions { skip_errors: true, ..ImportOptions::default() }
}

#[test]
fn a_quote_that_is_never_closed_keeps_out_all() {
    for (text, line) in
        [("person,name\n\"abc,d\ne,f\n", 2), ("person,name\r\na,b\r\nc,\"d\r\ne,f\r\n", 3), ("id\n\"\"\"", 2)]
    {
        let (_folder, file) = table("quote", text);
        let gallery = Gallery::in_memory();
        let error = gallery.import_with(&file, &skipping(), |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let message = error.to_string();
        assert!(message.contains(&format!("line {line} ")) && message.contains("never closed"), "{message}");
        assert!(gallery.namespaces().is_empty());
    }
}

#[test]
fn people_come_back() {
    let gallery = Gallery::in_memory();
    for name in ["staff", "guests; \"VIP\""] {
        let people = gallery.namespace(name).unwrap();
        for id in ["ada", "007", "comma, \"quote\"", "line\nbreak", "Ωμέγα \u{1F600}", " spaced ", "=SUM(A1)", "-"]
        {
            people.enrol(id, &[face(id.len(), 0.5).into()]).unwrap();
            people.set_name(id, Some(&format!("{id}'s name"))).unwrap();
            people
                .set_metadata(id, json!({"a, \"b\"": [1, null, 0.1], "\n": id}).as_object().unwrap().clone())
                .unwrap();
        }
        people.enrol("plain", &[]).unwrap();
    }
    let (folder, _) = table("csv", "");
    let file = folder.0.join("all.csv");
    let report = gallery.export_to(&file).unwrap();
    assert_eq!((report.persons, report.faces), (18, 0));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("namespace,person,name,faces,metadata\n"), "{text}");
    assert!(text.contains("\nstaff,007,007's name,1,"), "{text}");

    let other = Gallery::in_memory();
    assert_eq!(counts(&other.import_from(&file).unwrap()), (18, 0, 0, false));
    assert_eq!(other.namespaces(), gallery.namespaces());
    for name in gallery.namespaces() {
        let persons = |gallery: &Gallery| gallery.existing_namespace(&name).unwrap().persons().unwrap();
        let without_faces = |mut person: Person| {
            person.faces.clear();
            person
        };
        assert_eq!(persons(&other), persons(&gallery).into_iter().map(without_faces).collect::<Vec<_>>());
    }
    // Into the gallery itself: names are set anew, faces stay.
    gallery.namespace("staff").unwrap().set_name("ada", Some("changed")).unwrap();
    assert_eq!(counts(&gallery.import_from(&file).unwrap()), (0, 0, 0, false));
    let ada = gallery.namespace("staff").unwrap().get("ada").unwrap();
    assert_eq!((ada.name.as_deref(), ada.faces.len()), (Some("ada's name"), 1));
}

#[test]
fn tables_of_spreadsheets_are_read() {
    for (text, what) in [
        ("\u{FEFF}id;Name;Floor\r\nada;Ada;2\r\n\r\nbo;;\r\n", "byte order mark, semicolons, CR LF, an empty line"),
        ("ID\tname\tfloor\nada\tAda\t2\nbo\n", "tabs, and a short row"),
        ("person, name ,Floor,\nada,Ada,2,\nbo,,,,\n", "spaces in the header, and empty columns"),
    ] {
        let (_folder, file) = table("csv-kinds", text);
        let gallery = Gallery::in_memory();
        assert_eq!(counts(&gallery.import_from(&file).unwrap()), (2, 0, 0, false), "{what}");
        let people = gallery.existing_namespace("people").unwrap();
        let ada = people.get("ada").unwrap();
        let floor = if text.contains("Floor") { "Floor" } else { "floor" };
        assert_eq!(
            (ada.name.as_deref(), &ada.metadata),
            (Some("Ada"), json!({ floor: "2" }).as_object().unwrap()),
            "{what}"
        );
        assert_eq!(people.get("bo").unwrap().name, None, "{what}");
    }
}

#[test]
fn an_empty_cell_changes_nothing() {
    let (_folder, file) = table("csv-empty-cells", "person,name,metadata\nada,,\nbo,Bo,{}\n");
    let gallery = Gallery::in_memory();
    let people = gallery.namespace("people").unwrap();
    for id in ["ada", "bo"] {
        people.enrol(id, &[]).unwrap();
        people.set_name(id, Some("old")).unwrap();
        people.set_metadata(id, json!({"old": true}).as_object().unwrap().clone()).unwrap();
    }
    gallery.import_from(&file).unwrap();
    let (ada, bo) = (people.get("ada").unwrap(), people.get("bo").unwrap());
    assert_eq!((ada.name.as_deref(), ada.metadata.len()), (Some("old"), 1));
    assert_eq!((bo.name.as_deref(), bo.metadata.len()), (Some("Bo"), 0));
}

#[test]
fn bad_rows_are_told_of_and_the_others_imported() {
    let mut text =
        b"person,name,metadata\nada,Ada,\n,nobody,\nbo,Bo,[1]\nada,again,\ncy,Cy,\"{\"\"a\"\": 1}\"\ndee,Dee,,more\n"
            .to_vec();
    text.extend(b"\xFF,x,\neve,\xFF,\n");
    text.extend(format!("{},too long,\n", "x".repeat(513)).bytes());
    let (_folder, file) = table("csv-bad-rows", text);
    let gallery = Gallery::in_memory();
    let error = gallery.import_from(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().ends_with("people.csv: line 3: it names no person"), "{error}");
    assert!(gallery.namespaces().is_empty());

    let report = gallery.import_with(&file, &skipping(), |_| Ok(())).unwrap();
    assert_eq!(counts(&report), (2, 0, 0, false));
    let failed: Vec<_> = report.failed.iter().map(|it| (it.at, it.error.to_string())).collect();
    let reasons = [
        (3, "it names no person"),
        (4, "metadata has to be a JSON object"),
        (5, "person `ada` is on line 2 already"),
        (7, "it has 4 cells, and there are 3 columns"),
        (8, "it is not UTF-8"),
        (9, "it is not UTF-8"),
        (10, "a person id has at most 512 bytes"),
    ];
    assert_eq!(failed.len(), reasons.len(), "{failed:?}");
    for ((at, error), (line, reason)) in failed.iter().zip(reasons) {
        assert!(*at == line && error.starts_with(&format!("line {line}: {reason}")), "{error}");
    }
    assert_eq!(gallery.existing_namespace("people").unwrap().get("cy").unwrap().metadata["a"], 1);
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    let text = "person,name\n\nada,Ada\n,2\nbo,\"B\no\"\n\n\n,3\ncy,Cy\n,4";
    for (text, what) in [
        (text.to_owned(), "LF"),
        (text.replace('\n', "\r\n"), "CR LF"),
        (format!("\u{FEFF}{text}"), "a byte order mark"),
    ] {
        let (_folder, file) = table("csv-lines", &text);
        let people = read_csv(&file).unwrap();
        assert_eq!(people.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 5, 10], "{what}");
        assert_eq!(people.failed.iter().map(|row| row.at).collect::<Vec<_>>(), [4, 9, 11], "{what}");
    }
    // Lines before the header too.
    let (_folder, file) = table("csv-lines-before", "\r\n\r\nperson\r\nada\r\n");
    assert_eq!(read_csv(&file).unwrap().rows[0].line, 4);
}

#[test]
fn tables_of_other_things_are_refused() {
    let space = Some(EmbeddingSpace::new("s", 0.4));
    for (text, what) in [
        ("", "one is `person` or `id`"),
        ("name,photo\nada,a.jpg\n", "one is `person` or `id`"),
        ("person,id\nada,1\n", "the columns `person` and `id` are one"),
        ("person,floor,floor\nada,1,2\n", "the columns `floor` and `floor` are one"),
        ("person,photo\nada,a.jpg\n", "facecore enrol --csv"),
        ("person,embedding\nada,[1]\n", "say which embedding space"),
    ] {
        let (_folder, file) = table("csv-others", text);
        let error = Gallery::in_memory().import_with(&file, &skipping(), |_| Ok(())).unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidArgument && error.to_string().contains(what), "{what}: {error}");
    }
    let (folder, file) = table("csv-bytes", b"person\n\xFF");
    let report = Gallery::in_memory().import_with(&file, &ImportOptions { space, ..skipping() }, |_| Ok(())).unwrap();
    assert_eq!(report.failed.len(), 1);
    assert_eq!(kind(read_csv(folder.0.join("none.csv"))), ErrorKind::Io);
}

#[test]
fn embeddings_in_cells_are_faces() {
    let row = |value: f32| format!("\"{}\"", json!(vec![value; DIMENSION]));
    let text = format!(
        "person,name,embedding\nada,Ada,{}\nada,,{}\nbo,Bo,\"[1, 2]\"\ncy,Cy,\ndee,,\"[1, NaN]\"\n",
        row(1.0),
        row(-2.0)
    );
    let (_folder, file) = table("csv-embeddings", text);
    let gallery = Gallery::in_memory();
    let options = ImportOptions { space: Some(space()), ..skipping() };
    let report = gallery.import_with(&file, &options, |_| Ok(())).unwrap();
    assert_eq!(counts(&report), (2, 2, 0, false));
    let failed: Vec<_> = report.failed.iter().map(|it| (it.at, it.error.kind())).collect();
    assert_eq!(failed, [(4, ErrorKind::DimensionMismatch), (6, ErrorKind::InvalidArgument)]);
    let people = gallery.existing_namespace("people").unwrap();
    let ada = people.get("ada").unwrap();
    assert_eq!((ada.name.as_deref(), ada.faces.len()), (Some("Ada"), 2));
    assert!(people.get("bo").is_err() && people.get("cy").unwrap().faces.is_empty());
}
