//! Random operations against a plain list of faces.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::embedding::dot;
use crate::index::flat::tests::written;

const DIMENSION: usize = 72;

/// What an index should be: every face with its owner and vector.
#[derive(Clone, Default)]
struct Model(BTreeMap<u64, (u32, Vec<f32>)>);

impl Model {
    fn faces(&self, probe: &[f32], allowed: impl Fn(u32) -> bool) -> Vec<FaceHit> {
        let allowed = self.0.iter().filter(|(_, (owner, _))| allowed(*owner));
        let mut faces: Vec<FaceHit> = allowed
            .map(|(&face, (owner, values))| FaceHit { owner: *owner, face, score: dot(values, probe).clamp(-1.0, 1.0) })
            .collect();
        faces.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.face.cmp(&b.face)));
        faces
    }

    fn owners(&self, query: &Query, allowed: impl Fn(u32) -> bool) -> Vec<OwnerHit> {
        let mut owners: BTreeMap<u32, OwnerHit> = BTreeMap::new();
        for FaceHit { owner, face, score } in self.faces(query.probe, allowed) {
            let hit = owners.entry(owner).or_insert(OwnerHit { owner, score, face, hits: 0 });
            hit.hits += u32::from(score >= query.threshold);
        }
        let mut hits: Vec<OwnerHit> = owners.into_values().collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.owner.cmp(&b.owner)));
        if let Some(last) = hits.get(query.owners).map(|hit| hit.score) {
            hits.retain(|hit| hit.score >= last);
        }
        hits
    }
}

/// Compares everything that can be asked; `index` has the faces of `model`.
fn compare<I: Tested>(index: &I, model: &Model, random: &mut Random) {
    assert_eq!(index.len(), model.0.len());
    let probe = match random.below(3) {
        0 => random.unit(DIMENSION),
        _ => {
            let at = random.below(model.0.len().max(1));
            let near = model.0.values().nth(at).map_or_else(|| random.unit(DIMENSION), |face| face.1.clone());
            random.mate(&near, 0.7)
        }
    };
    let admits = |owner: u32| !owner.is_multiple_of(3);
    let all = index.len();
    for (reach, filtered) in [
        (Reach::Exact, false),
        (Reach::Nearest(all), false),
        (Reach::Exact, true),
        (Reach::Nearest(all), true),
        (Reach::Within { miss: 0.0 }, true),
    ] {
        let threshold = [-1.0, 0.0, 0.3, 0.9][random.below(4)];
        let owners = [1, 2, 7, 10_000][random.below(4)];
        let allowed = filtered.then_some(&admits as &(dyn Fn(u32) -> bool + Sync));
        let query = Query { probe: &probe, owners, threshold, reach, allowed };
        let expected = model.owners(&query, |owner| !filtered || admits(owner));
        if !matches!(reach, Reach::Within { .. }) {
            assert_eq!(search_one(index, Query { ..query }), expected, "{reach:?}, {filtered}");
            let mut faces = model.faces(&probe, |owner| !filtered || admits(owner));
            faces.truncate(owners);
            assert_eq!(index.nearest_faces(&query, owners), faces, "{reach:?}, {filtered}");
        } else {
            // The tie of an exact copy is certain to be met; the rest depends on how far it went.
            let found = search_one(index, Query { ..query });
            assert_eq!(found.first(), expected.first());
        }
    }
    near(index, model, &probe);
    let known = model.0.iter().nth(random.below(model.0.len().max(1)));
    if let Some((&face, (owner, values))) = known {
        assert_eq!(index.get(face), Some((*owner, values.as_slice())));
    }
    assert_eq!(index.get(u64::MAX), None);
}

/// A search that looks at a few only: whatever it meets is there, and scored exactly.
fn near<I: Tested>(index: &I, model: &Model, probe: &[f32]) {
    let owners = [1, 2].map(|owners| Query { owners, ..query(probe, Reach::Nearest(4)) });
    for hits in index.search(&owners) {
        assert!(!hits.is_empty() || model.0.is_empty());
        for OwnerHit { owner, score, face, .. } in hits {
            let (of, values) = &model.0[&face];
            assert_eq!((owner, score), (*of, dot(values, probe).clamp(-1.0, 1.0)));
        }
    }
}

fn run<I: Tested>(seed: u64, steps: usize) -> usize {
    let mut random = Random(seed);
    let (mut index, mut model) = (I::new(DIMENSION), Model::default());
    let mut snapshots: Vec<(I, Model)> = Vec::new();
    // A state, and the same with fewer segments.
    let mut tidied: Option<(I, I)> = None;
    let mut rebased = 0;
    let mut free: BTreeSet<u64> = BTreeSet::new();
    let mut next = 1;
    for step in 0..steps {
        match random.below(100) {
            0..60 => {
                for _ in 0..random.below(60) {
                    // Ids far apart, ids used before, equal vectors.
                    let face = match (free.pop_first(), random.below(50)) {
                        (Some(face), _) => face,
                        (None, 0) => next + (1 << 33),
                        (None, jump) => next + jump as u64,
                    };
                    next = next.max(face + 1);
                    let values = match model.0.values().next_back() {
                        Some((_, values)) if random.below(20) == 0 => values.clone(),
                        _ => random.unit(DIMENSION),
                    };
                    let owner = random.below(40) as u32;
                    index.insert(face, owner, &values);
                    model.0.insert(face, (owner, values));
                }
            }
            60..85 => {
                for _ in 0..random.below(40) {
                    let at = random.below(model.0.len().max(1));
                    let Some(&face) = model.0.keys().nth(at) else { break };
                    assert!(index.remove(face));
                    assert!(!index.remove(face));
                    model.0.remove(&face);
                    if random.below(2) == 0 {
                        free.insert(face);
                    }
                }
            }
            85..87 => index.seal(),
            87..89 => index.settle(),
            89..92 => {
                let segments = index.flat().segments().len();
                let start = random.below(segments + 1);
                index.merge(start..start + random.below(segments - start + 1), in_memory).unwrap();
            }
            92..95 if index.flat().segments().len() > 0 => {
                let at = random.below(index.flat().segments().len());
                index.merge(at..at + 1, |part| Ok(written(part, DIMENSION))).unwrap();
            }
            95..97 if !snapshots.is_empty() => {
                (index, model) = snapshots.swap_remove(random.below(snapshots.len()));
                next = next.max(model.0.keys().next_back().map_or(0, |last| last + 1));
                free.clear();
                tidied = None;
            }
            97..99 => match tidied.take() {
                Some((from, to)) => {
                    if let Some(other) = index.rebased(&from, &to) {
                        index = other;
                        rebased += 1;
                    }
                }
                None => {
                    index.seal();
                    let (from, mut to) = (index.clone(), index.clone());
                    let segments = to.flat().segments().len();
                    to.merge(segments / 2..segments, in_memory).unwrap();
                    to.merge(0..segments / 2, in_memory).unwrap();
                    tidied = Some((from, to));
                }
            },
            _ => snapshots.push((index.clone(), model.clone())),
        }
        if step % 5 == 0 {
            compare(&index, &model, &mut random);
        }
    }
    compare(&index, &model, &mut random);
    for (index, model) in &snapshots {
        compare(index, model, &mut random);
    }
    rebased
}

for_each_index!(random_operations_keep_the_index_equal_to_a_list, an_index_takes_over_other_segments_of_its_faces,);

fn random_operations_keep_the_index_equal_to_a_list<I: Tested>() {
    let rebased: usize = (0..12).map(|seed| run::<I>(seed, 120)).sum();
    assert!(rebased > 0);
}

fn an_index_takes_over_other_segments_of_its_faces<I: Tested>() {
    let (mut index, _) = population::<I>(DIMENSION, 300, 20, &mut Random(7));
    index.settle();
    (0..100).for_each(|face| assert!(index.remove(face)));
    let from = index.clone();
    let mut to = from.clone();
    to.merge(0..1, in_memory).unwrap();
    let values = Random(8).unit(DIMENSION);
    // Removed, and partly there again under the same ids, in a segment and in the tail.
    (100..200).for_each(|face| assert!(index.remove(face)));
    (100..120).for_each(|face| index.insert(face, 1, &values));
    index.seal();
    (120..130).for_each(|face| index.insert(face, 1, &values));
    let rebased = index.rebased(&from, &to).unwrap();
    assert_eq!((rebased.len(), rebased.flat().dead(0), rebased.flat().segments().len()), (130, 100, 2));
    for face in 0..300 {
        assert_eq!(rebased.get(face), index.get(face), "face {face}");
    }
    index.merge(0..1, in_memory).unwrap();
    assert!(index.rebased(&from, &to).is_none(), "it has come about otherwise");
}
