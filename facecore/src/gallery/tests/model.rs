//! Random operations, compared with a model too simple to be wrong.

use std::collections::BTreeMap;

use super::*;
use crate::embedding::dot;

with_graphs_too!(random_operations_agree_with_the_model, galleries_in_folders_agree_with_the_model,);

/// xorshift64*: small, and the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    /// -1 to 1, roughly normal.
    pub fn coordinate(&mut self) -> f32 {
        (0..4).map(|_| self.below(2001) as f32 / 1000.0 - 1.0).sum::<f32>() / 4.0
    }
}

#[derive(Default)]
struct ModelPerson {
    name: Option<String>,
    faces: Vec<(FaceId, Embedding)>,
}

#[derive(Default)]
struct Model {
    people: BTreeMap<String, ModelPerson>,
    /// Every id ever given out.
    given: Vec<FaceId>,
}

impl Model {
    fn enrol(&mut self, person: &str, faces: &[NewFace], ids: &[FaceId]) {
        let person = self.people.entry(person.to_owned()).or_default();
        for (new, id) in faces.iter().zip(ids) {
            match person.faces.iter().find(|(_, face)| face.values() == new.embedding.values()) {
                Some((same, _)) => assert_eq!(same, id),
                None => {
                    assert!(!self.given.contains(id), "id {id} was given out twice");
                    self.given.push(*id);
                    person.faces.push((*id, new.embedding.clone()));
                }
            }
        }
    }

    /// Whose face it is, and where in that person's list.
    fn find(&self, id: FaceId) -> Option<(String, usize)> {
        self.people.iter().find_map(|(name, person)| {
            person.faces.iter().position(|(face, _)| *face == id).map(|at| (name.clone(), at))
        })
    }

    fn search(&self, probe: &Embedding, options: &SearchOptions) -> Vec<Match> {
        let threshold = options.threshold.unwrap_or(0.5);
        let wanted = |id: &str| options.filter.as_ref().is_none_or(|filter| filter(&id.into()));
        let mut all: Vec<Match> = Vec::new();
        for (id, person) in self.people.iter().filter(|(id, person)| wanted(id) && !person.faces.is_empty()) {
            let score = |face: &Embedding| dot(face.values(), probe.values()).clamp(-1.0, 1.0);
            let mut faces: Vec<(f32, FaceId)> = person.faces.iter().map(|(id, face)| (score(face), *id)).collect();
            faces.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let hits = faces.iter().filter(|face| face.0 >= threshold).count() as u32;
            let (score, best) = faces[0];
            all.push(Match { person: id.as_str().into(), score, probability: None, margin: 0.0, best, hits });
        }
        // Stable, and the map is sorted: equal scores stay in the order of their ids.
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        let scores: Vec<f32> = all.iter().map(|found| found.score).collect();
        for (at, found) in all.iter_mut().enumerate() {
            let rival = if at == 0 { scores.get(1) } else { scores.first() };
            found.margin = found.score - rival.unwrap_or(&0.0);
        }
        all.into_iter().filter(|found| found.score >= threshold).take(options.top_k).collect()
    }
}

/// A face near one of 40 centres; every fourth is exactly a centre, so that duplicates and ties occur.
fn random_face(random: &mut Random) -> Embedding {
    let mut centre = Random(1 + random.below(40) as u64);
    let noise = if random.below(4) == 0 { 0.0 } else { 0.5 };
    let values: Vec<f32> = (0..DIMENSION).map(|_| centre.coordinate() + noise * random.coordinate()).collect();
    Embedding::from_raw(values, space()).unwrap()
}

fn compare(staff: &Namespace, model: &Model, random: &mut Random) {
    assert_eq!(staff.person_count(), model.people.len());
    assert_eq!(staff.face_count(), model.people.values().map(|person| person.faces.len()).sum::<usize>());
    let probe = random_face(random);
    let mut options = [SearchOptions::default(), SearchOptions::nearest(1000)][random.below(2)].clone();
    options.top_k = [1, 3, 1000][random.below(3)];
    if random.below(3) == 0 {
        options = options.only(|person| person.as_str().len() == 2);
    }
    assert_eq!(staff.search(&probe, &options).unwrap(), model.search(&probe, &options));
    let batch = staff.search_batch(&[probe.clone(), random_face(random)], &options).unwrap();
    assert_eq!(batch[0], model.search(&probe, &options));

    let id = format!("p{}", random.below(60));
    match (staff.get(&id), model.people.get(&id)) {
        (Ok(person), Some(expected)) => {
            assert_eq!(person.name, expected.name);
            assert_eq!(person.faces, expected.faces.iter().map(|face| face.0).collect::<Vec<_>>());
            for (id, embedding) in &expected.faces {
                assert_eq!(&staff.face(*id).unwrap().embedding, embedding);
            }
        }
        (Err(error), None) => assert_eq!(error.kind(), ErrorKind::PersonNotFound),
        (found, expected) => panic!("{found:?}, expected {}", expected.is_some()),
    }
}

/// Random operations on a gallery in memory, or in a folder, where it is now and then closed and opened again.
fn run(seed: u64, operations: usize, folder: Option<&Scratch>) {
    let mut random = Random(seed);
    // Snapshots as often as possible: what they hold is then most of what is seen.
    let options = options().snapshot_every(60);
    let open = || match folder {
        Some(folder) => Gallery::open_with(&folder.0, &options).unwrap(),
        None => Gallery::in_memory_with(&options),
    };
    let (mut gallery, mut graphs) = (open(), 0);
    let mut staff = gallery.namespace("staff").unwrap();
    let mut model = Model::default();
    for step in 0..operations {
        let person = format!("p{}", random.below(60));
        let known = model.people.contains_key(&person);
        let face = model.given.get(random.below(model.given.len() + 1)).copied().unwrap_or(FaceId::from(1 << 40));
        match random.below(100) {
            0..45 => {
                let faces: Vec<NewFace> = (0..random.below(4)).map(|_| random_face(&mut random).into()).collect();
                let ids = staff.enrol(&person, &faces).unwrap();
                model.enrol(&person, &faces, &ids);
            }
            45..60 => {
                let removed = staff.remove_face(face);
                assert_eq!(removed.is_ok(), model.find(face).is_some());
                if let Some((person, at)) = model.find(face) {
                    model.people.get_mut(&person).unwrap().faces.remove(at);
                }
            }
            60..72 => {
                let embedding = random_face(&mut random);
                let replaced = staff.replace_face(face, &embedding);
                let Some((person, at)) = model.find(face) else {
                    assert_eq!(replaced.unwrap_err().kind(), ErrorKind::FaceNotFound);
                    continue;
                };
                let faces = &mut model.people.get_mut(&person).unwrap().faces;
                let same = faces.iter().find(|(id, old)| *id != face && old.values() == embedding.values());
                let same = same.map(|(id, _)| *id);
                assert_eq!(replaced.unwrap(), same.unwrap_or(face));
                match same {
                    Some(_) => drop(faces.remove(at)),
                    None => faces[at].1 = embedding,
                }
            }
            72..80 => {
                assert_eq!(staff.remove_person(&person).is_ok(), known);
                model.people.remove(&person);
            }
            80..84 => {
                let into = format!("p{}", random.below(60));
                let merged = staff.merge(&person, &into);
                let possible = known && person != into && model.people.contains_key(&into);
                assert_eq!(merged.is_ok(), possible);
                if possible {
                    let moved = model.people.remove(&person).unwrap();
                    let target = model.people.get_mut(&into).unwrap();
                    target.name = target.name.take().or(moved.name);
                    for (id, face) in moved.faces {
                        if target.faces.iter().all(|(_, old)| old.values() != face.values()) {
                            target.faces.push((id, face));
                        }
                    }
                    target.faces.sort_by_key(|(id, _)| *id);
                }
            }
            84..90 => {
                let new_id = format!("p{}", random.below(60));
                let renamed = staff.rename(&person, &new_id);
                let possible = known && (person == new_id || !model.people.contains_key(&new_id));
                assert_eq!(renamed.is_ok(), possible);
                if possible {
                    let moved = model.people.remove(&person).unwrap();
                    model.people.insert(new_id, moved);
                }
            }
            90..99 => {
                let name = format!("name {step}");
                assert_eq!(staff.set_name(&person, Some(&name)).is_ok(), known);
                model.people.entry(person).and_modify(|person| person.name = Some(name));
            }
            _ if step % 10 == 0 => {
                staff.clear().unwrap();
                model.people.clear();
            }
            _ => {
                // Through a file and back: only the ids differ, as they are new.
                let expected: Vec<_> =
                    staff.persons().unwrap().into_iter().map(|p| (p.id, p.name, p.faces.len())).collect();
                let (copy, mut file) = (memory(), Vec::new());
                gallery.export(&mut file).unwrap();
                copy.import(&*file).unwrap();
                let copied = copy.namespace("staff").unwrap().persons().unwrap();
                assert_eq!(copied.into_iter().map(|p| (p.id, p.name, p.faces.len())).collect::<Vec<_>>(), expected);
                if folder.is_some() && random.below(2) == 0 {
                    drop((staff, gallery));
                    gallery = open();
                    staff = gallery.existing_namespace("staff").unwrap();
                } else {
                    gallery.compact().unwrap();
                }
            }
        }
        if step % 4 == 0 {
            compare(&staff, &model, &mut random);
            graphs += usize::from(gallery.stats().unwrap().namespaces[0].index == IndexKind::Hnsw);
        }
    }
    assert_eq!(graphs > operations / 16, KIND.get() == IndexKind::Hnsw, "{graphs} of {operations}");
}

#[test]
fn random_operations_agree_with_the_model() {
    for seed in [1, 0x5EED, 20_260] {
        with_seed(seed, |seed| run(seed, 3000, None));
    }
}

#[test]
fn galleries_in_folders_agree_with_the_model() {
    for seed in [2, 0xFACE] {
        let scratch = Scratch::new(&format!("model-{seed}"));
        with_seed(seed, |seed| run(seed, 2000, Some(&scratch)));
        assert_eq!(scratch.open().verify().unwrap().problems, Vec::<String>::new());
    }
}

fn with_seed(seed: u64, run: impl FnOnce(u64) + std::panic::UnwindSafe) {
    if let Err(panic) = std::panic::catch_unwind(|| run(seed)) {
        eprintln!("failed with seed {seed}");
        std::panic::resume_unwind(panic);
    }
}
