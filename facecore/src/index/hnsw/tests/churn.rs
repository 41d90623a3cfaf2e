//! Graphs that went through many changes, beside graphs made at once.

use super::*;
use crate::index::tests::Tested;

const DIMENSION: usize = 128;
const FACES: u64 = 6000;

/// Changes are taken into the graph as snapshots do.
fn tidy(index: &mut Hnsw) {
    index.seal();
    let segments = index.flat().segments().len();
    Tested::merge(index, 0..segments, in_memory).unwrap();
}

/// The same faces in a graph made from nothing.
fn fresh(index: &Hnsw, faces: &[u64]) -> Hnsw {
    let mut fresh = Hnsw::new(DIMENSION);
    for face in faces {
        let (owner, values) = index.get(*face).unwrap();
        fresh.insert(*face, owner, values);
    }
    fresh.settle();
    fresh
}

/// The right person is found as often, to 0.2 %.
fn assert_as_good(index: &Hnsw, faces: &[u64], what: &str) {
    assert_all_are_met(index);
    assert_eq!(index.len(), faces.len());
    let some: Vec<u64> = faces.iter().copied().step_by((faces.len() / 500).max(1)).collect();
    let (changed, _) = right(index, &some, &mut Random(9));
    let (made, _) = right(&fresh(index, faces), &some, &mut Random(9));
    assert!(changed + some.len() / 500 >= made, "{what}: {changed} of {}, fresh {made}", some.len());
}

#[test]
fn a_graph_is_as_good_after_many_changes() {
    let mut random = Random(1);
    let (mut index, mut centres) = population::<Hnsw>(DIMENSION, FACES as usize, 1000, &mut random);
    index.settle();
    let mut faces: Vec<u64> = (0..FACES).collect();
    // Every face is replaced twice, in an order of chance, by one of somebody else's looks.
    for round in 0..2 {
        centres.iter_mut().for_each(|centre| *centre = random.unit(DIMENSION));
        let mut order = faces.clone();
        (1..order.len()).rev().for_each(|at| order.swap(at, random.below(at + 1)));
        for some in order.chunks(700) {
            for face in some {
                let owner = *face as usize % 1000;
                assert!(index.remove(*face));
                index.insert(*face, owner as u32, &random.mate(&centres[owner], 0.8));
            }
            tidy(&mut index);
        }
        assert_as_good(&index, &faces, &format!("replaced, round {round}"));
    }
    // Whole clusters go.
    let gone = |face: &u64| (face % 1000) < 300;
    faces.iter().filter(|face| gone(face)).for_each(|face| assert!(index.remove(*face)));
    faces.retain(|face| !gone(face));
    assert_as_good(&index, &faces, "clusters removed, before they are taken out");
    tidy(&mut index);
    assert_as_good(&index, &faces, "clusters removed");
    // Four of five go, some at a time, so that links are repaired again and again.
    let end = faces.len() / 5;
    while faces.len() > end {
        for _ in 0..(faces.len() / 4).min(faces.len() - end) {
            let face = faces.swap_remove(random.below(faces.len()));
            assert!(index.remove(face));
        }
        tidy(&mut index);
    }
    assert_as_good(&index, &faces, "most removed");
}
