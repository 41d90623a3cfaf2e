//! Batches, merging, moving, voting, and how far searches reach.

use super::*;

fn object(value: serde_json::Value) -> Metadata {
    value.as_object().unwrap().clone()
}

#[test]
fn a_batch_does_what_it_can_and_says_what_it_could_not() {
    let staff = trio();
    let ada = staff.get("ada").unwrap().faces;
    let bad = Embedding::from_raw(vec![1.0; 65], space()).unwrap();
    let mut batch = Batch::new();
    batch
        .enrol("dee", vec![face(3, 0.0).into(), face(4, 0.0).into()])
        .enrol("eve", vec![face(5, 0.0).into(), bad.clone().into()])
        .remove_person("nobody")
        .replace_face(ada[0], face(6, 0.0))
        .set_face_metadata(ada[0], object(json!({"n": 1})))
        .remove_face(ada[1])
        .rename("cy", "cyan")
        .set_name("cyan", Some("Cy"))
        .set_metadata("cyan", object(json!({"m": 2})))
        .merge("bo", "dee");
    assert_eq!((batch.len(), batch.is_empty()), (10, false));
    let outcomes = staff.apply(&batch).unwrap();
    let kinds: Vec<Option<ErrorKind>> = outcomes.iter().map(|done| done.as_ref().err().map(|it| it.kind())).collect();
    let mut expected = [None; 10];
    (expected[1], expected[2]) = (Some(ErrorKind::DimensionMismatch), Some(ErrorKind::PersonNotFound));
    assert_eq!(kinds, expected);
    assert!(outcomes[1].as_ref().unwrap_err().to_string().starts_with("enrolling eve: "));
    assert_eq!(outcomes[0].as_ref().unwrap().faces().len(), 2);
    assert_eq!(outcomes[3].as_ref().unwrap(), &Done::Replaced(ada[0]));
    assert_eq!(outcomes[5].as_ref().unwrap().faces(), []);

    let everybody = staff.persons().unwrap();
    assert_eq!(everybody.iter().map(|person| person.id.as_str()).collect::<Vec<_>>(), ["ada", "cyan", "dee"]);
    assert_eq!(everybody.iter().map(|person| person.faces.len()).collect::<Vec<_>>(), [1, 0, 3]);
    assert_eq!((everybody[1].name.as_deref(), &everybody[1].metadata), (Some("Cy"), &object(json!({"m": 2}))));
    assert_eq!(staff.face(ada[0]).unwrap().metadata, object(json!({"n": 1})));
    assert_eq!(staff.identify(&face(6, 0.0)).unwrap().unwrap().person, "ada");
    assert_eq!(staff.identify(&face(1, 0.0)).unwrap().unwrap().person, "dee");
    assert!(staff.identify(&face(5, 0.0)).unwrap().is_none());
}

#[test]
fn a_batch_may_be_all_or_nothing() {
    let staff = trio();
    let before = staff.persons().unwrap();
    let mut batch = Batch::new();
    batch.all_or_nothing().enrol("dee", vec![face(3, 0.0).into()]).remove_person("ada").remove_person("nobody");
    let error = staff.apply(&batch).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PersonNotFound);
    assert!(error.to_string().starts_with("item 2 of the batch: "), "{error}");
    assert_eq!(staff.persons().unwrap(), before);
    assert_eq!(staff.identify(&face(0, 0.0)).unwrap().unwrap().person, "ada");
    assert_eq!((staff.person_count(), staff.face_count()), (3, 3));
}

#[test]
fn merging_keeps_faces_and_fills_gaps() {
    let staff = trio();
    let (ada, bo) = (staff.get("ada").unwrap(), staff.get("bo").unwrap());
    staff.add("bo", &face(0, 0.0)).unwrap();
    staff.set_name("ada", Some("Ada")).unwrap();
    staff.set_metadata("ada", object(json!({"a": 1, "b": 1}))).unwrap();
    staff.set_metadata("bo", object(json!({"b": 2}))).unwrap();
    staff.merge("ada", "bo").unwrap();
    let merged = staff.get("bo").unwrap();
    assert_eq!((merged.name.as_deref(), merged.metadata), (Some("Ada"), object(json!({"a": 1, "b": 2}))));
    assert_eq!(merged.faces.len(), 3, "the face that both had is there once");
    assert!(merged.faces.contains(&ada.faces[1]) && merged.faces.contains(&bo.faces[0]));
    assert_eq!(kind(staff.get("ada")), ErrorKind::PersonNotFound);
    assert_eq!(staff.face_count(), 3);
    let found = staff.search(&face(0, 1.0), &SearchOptions::nearest(9)).unwrap();
    assert_eq!((ids(&found), found[0].best), (vec!["bo"], ada.faces[1]));

    assert_eq!(kind(staff.merge("bo", "bo")), ErrorKind::InvalidArgument);
    assert_eq!(kind(staff.merge("bo", "ada")), ErrorKind::PersonNotFound);
    assert_eq!(kind(staff.merge("ada", "bo")), ErrorKind::PersonNotFound);
}

#[test]
fn people_move_between_namespaces_with_everything() {
    let gallery = memory();
    let (staff, guests) = (gallery.namespace("staff").unwrap(), gallery.namespace("guests").unwrap());
    let face_ids = staff.enrol("ada", &[face(0, 0.0).into(), face(0, 1.0).into()]).unwrap();
    staff.set_name("ada", Some("Ada")).unwrap();
    staff.move_person("ada", &guests).unwrap();
    let moved = guests.get("ada").unwrap();
    assert_eq!((moved.faces, moved.name.as_deref()), (face_ids.clone(), Some("Ada")));
    assert_eq!(guests.identify(&face(0, 1.0)).unwrap().unwrap().best, face_ids[1]);
    assert!(staff.is_empty() && staff.identify(&face(0, 0.0)).unwrap().is_none());
    assert_eq!(kind(staff.face(face_ids[0])), ErrorKind::FaceNotFound);

    assert_eq!(kind(staff.move_person("ada", &guests)), ErrorKind::PersonNotFound);
    staff.add("ada", &face(9, 0.0)).unwrap();
    assert_eq!(kind(staff.move_person("ada", &guests)), ErrorKind::PersonExists);
    assert_eq!(kind(staff.move_person("ada", &staff)), ErrorKind::InvalidArgument);
    let elsewhere = memory().namespace("guests").unwrap();
    assert_eq!(kind(staff.move_person("ada", &elsewhere)), ErrorKind::InvalidArgument);
    let other = gallery.namespace("other").unwrap();
    other.pin(&EmbeddingSpace::new("other", 0.4), 128).unwrap();
    other.add("zoe", &Embedding::from_raw(vec![1.0; 128], EmbeddingSpace::new("other", 0.4)).unwrap()).unwrap();
    assert_eq!(kind(staff.move_person("ada", &other)), ErrorKind::EmbeddingSpaceMismatch);
    assert_eq!(staff.get("ada").unwrap().faces.len(), 1);
}

#[test]
fn the_nearest_faces_vote() {
    let staff = staff();
    // Cosines with the probe: ada 1.0; bo 0.98, 0.95, 0.90; cy 0.85, 0.80.
    staff.add("ada", &face(0, 0.0)).unwrap();
    let bo: Vec<FaceId> = [0.2, 0.33, 0.48].map(|tilt| staff.add("bo", &face(0, tilt)).unwrap()).into();
    staff.enrol("cy", &[face(0, 0.62).into(), face(0, 0.75).into()]).unwrap();
    let options = SearchOptions::default();
    let vote = |faces, options: &SearchOptions| staff.vote(&face(0, 0.0), faces, options).unwrap();
    let five = vote(5, &options).unwrap();
    assert_eq!((five.person.as_str(), five.votes, five.voters, five.best), ("bo", 3, 5, bo[0]));
    assert!((five.score - 1.0 / (1.0f32 + 0.04).sqrt()).abs() < 1e-6);
    assert_eq!(vote(2, &options).unwrap().person, "ada", "one vote each: the nearer face decides");
    assert_eq!(vote(6, &SearchOptions { threshold: Some(0.99), ..options.clone() }).unwrap().person, "ada");
    assert_eq!(vote(5, &options.clone().excluding(["bo"])).unwrap().person, "cy");
    assert_eq!(staff.vote(&face(5, 0.0), 5, &options).unwrap(), None);
    assert_eq!(kind(staff.vote(&face(0, 0.0), 0, &options)), ErrorKind::InvalidArgument);
}

#[test]
fn every_reach_finds_who_is_there() {
    let staff = staff();
    let mut random = Random(11);
    let mut faces = Vec::new();
    let mut batch = Batch::new();
    for person in 0..3000 {
        let values: Vec<f32> = (0..DIMENSION).map(|_| random.coordinate()).collect();
        faces.push(Embedding::from_raw(values, space()).unwrap());
        batch.enrol(format!("p{person}"), vec![faces[person].clone().into()]);
    }
    staff.apply(&batch).unwrap();
    for reach in [Reach::Auto, Reach::Exact, Reach::Nearest(300), Reach::Within { miss: 1e-4 }] {
        let options = SearchOptions { reach, top_k: 2, ..SearchOptions::default() };
        let found = staff.search_batch(&faces, &options).unwrap();
        for (person, matches) in found.iter().enumerate() {
            assert_eq!(matches[0].person, *format!("p{person}"), "{reach:?}");
            assert_eq!(*matches, staff.search(&faces[person], &options).unwrap());
        }
        let among = options.clone().among(["p5", "p6"]);
        assert_eq!(ids(&staff.search(&faces[6], &among).unwrap())[0], "p6", "{reach:?}");
        let all = SearchOptions { reach, ..SearchOptions::nearest(1) }.among(["p5"]);
        assert_eq!(
            ids(&staff.search(&faces[6], &all).unwrap()),
            ["p5"],
            "far, but nobody else is asked for: {reach:?}"
        );
    }
    for reach in [Reach::Nearest(0), Reach::Within { miss: 0.0 }, Reach::Within { miss: f64::NAN }] {
        let options = SearchOptions { reach, ..SearchOptions::default() };
        assert_eq!(kind(staff.search(&faces[0], &options)), ErrorKind::InvalidArgument);
    }
}

#[test]
fn large_namespaces_are_gone_through_in_steps() {
    let staff = staff();
    for person in ["a", "aa", "b", "c", "ca"] {
        staff.enrol(person, &[]).unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = staff.persons_after(after.as_ref(), 2).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        seen.extend(page.into_iter().map(|person| person.id.to_string()));
    }
    assert_eq!(seen, ["a", "aa", "b", "c", "ca"]);
}

#[test]
fn one_persons_many_faces_do_not_crowd_out_the_rest() {
    let staff = staff();
    let mut random = Random(31);
    for person in 0..5 {
        let mut near = |at: usize| {
            let noise = (0..DIMENSION).map(|_| 0.1 * random.coordinate());
            let values: Vec<f32> = noise.enumerate().map(|(i, noise)| noise + f32::from(u8::from(i == at))).collect();
            NewFace::from(Embedding::from_raw(values, space()).unwrap())
        };
        let faces: Vec<NewFace> = (0..1500).map(|_| near(person)).collect();
        staff.enrol(format!("p{person}"), &faces).unwrap();
    }
    for options in [SearchOptions::nearest(5), SearchOptions { reach: Reach::Nearest(10), ..SearchOptions::nearest(5) }]
    {
        let found = staff.search(&face(2, 0.0), &options).unwrap();
        assert_eq!((found.len(), found[0].person.as_str()), (5, "p2"));
        assert!(found[0].margin < found[0].score);
    }
}
