//! An index whose graph is the library's. It is not the same each time, so that nothing is asked that only luck gives.

use super::*;

const DIMENSION: usize = 96;

fn settled(faces: usize, owners: usize, random: &mut Random) -> (Hnsw, Vec<Vec<f32>>) {
    let (mut index, centres) = population::<Hnsw>(DIMENSION, faces, owners, random);
    index.seal();
    index.cover_all(IndexKind::HnswRs, &index.clone());
    assert_eq!(index.kind(), IndexKind::HnswRs);
    (index, centres)
}

#[test]
fn the_right_owner_is_found_nearly_as_often_as_by_an_exact_search() {
    let mut random = Random(1);
    let (index, _) = settled(6000, 3000, &mut random);
    let faces: Vec<u64> = (0..6000).step_by(15).collect();
    let (right, exactly) = right(&index, &faces, &mut random);
    assert!(right * 100 >= exactly * 97, "{right}, exactly {exactly}");
}

#[test]
fn scores_have_the_bits_of_an_exact_search() {
    let mut random = Random(2);
    let (index, centres) = settled(4000, 2000, &mut random);
    let mut compared = 0;
    for centre in centres.iter().step_by(50) {
        let exact = search_one(&index, query(centre, Reach::Exact))[0];
        let found = search_one(&index, query(centre, Reach::Nearest(200)))[0];
        if found.owner == exact.owner && found.face == exact.face {
            assert_eq!(found.score.to_bits(), exact.score.to_bits());
            compared += 1;
        }
    }
    assert!(compared >= 30, "{compared}");
}

#[test]
fn removed_rows_are_passed_over_and_new_ones_found() {
    let mut random = Random(3);
    let (mut index, centres) = settled(4000, 2000, &mut random);
    (0..1000).for_each(|face| assert!(index.remove(face)));
    for face in 10_000..10_500u64 {
        index.insert(face, face as u32, &random.unit(DIMENSION));
    }
    // All faces of the owners below 1000 but one each are gone; the new ones are not in the graph.
    for reach in [Reach::Nearest(150), Reach::Within { miss: 0.01 }] {
        for owner in (0..2000).step_by(40) {
            let hits = search_one(&index, query(&centres[owner], reach));
            assert!(hits.iter().all(|hit| index.get(hit.face).is_some_and(|(of, _)| of == hit.owner)));
        }
        for face in (10_000..10_500).step_by(9) {
            let values = index.get(face).unwrap().1.to_vec();
            assert_eq!(search_one(&index, query(&values, reach))[0].face, face);
        }
    }
}

#[test]
fn a_search_for_few_who_are_allowed_becomes_a_scan() {
    let (index, centres) = settled(4000, 2000, &mut Random(4));
    for wanted in (0..2000).step_by(100) {
        let admits = |owner: u32| owner == wanted;
        let asked = Query { allowed: Some(&admits), ..query(&centres[wanted as usize], Reach::Nearest(50)) };
        let hits = search_one(&index, asked);
        assert_eq!((hits.len(), hits[0].owner, hits[0].hits), (1, wanted, 2));
    }
}

#[test]
fn faces_are_answered_too() {
    let (index, centres) = settled(4000, 2000, &mut Random(5));
    let found = index.nearest_faces(&query(&centres[7], Reach::Nearest(150)), 20);
    assert_eq!(found.len(), 20);
    assert!(found.is_sorted_by(|a, b| a.score >= b.score));
}

#[test]
fn copies_of_a_vector_and_removed_rows_do_not_end_the_process() {
    let mut random = Random(6);
    let (mut index, _) = population::<Hnsw>(DIMENSION, 3000, 3000, &mut random);
    let copied = random.unit(DIMENSION);
    (10_000..10_700).for_each(|face| index.insert(face, face as u32, &copied));
    index.seal();
    index.cover_all(IndexKind::HnswRs, &index.clone());
    assert!(search_one(&index, query(&copied, Reach::Nearest(150)))[0].score > 0.999);
    let ids: Vec<u64> = (0..3000).chain(10_000..10_700).collect();
    ids.iter().for_each(|face| assert!(index.remove(*face)));
    assert!(search_one(&index, query(&copied, Reach::Nearest(150))).is_empty());
    index.cover_all(IndexKind::HnswRs, &index.clone());
    assert_eq!(index.kind(), IndexKind::Flat, "nobody is left for a graph");
}

#[test]
fn one_kind_of_graph_takes_the_place_of_the_other() {
    let go_on = AtomicBool::new(false);
    let (mut index, _) = population::<Hnsw>(DIMENSION, LEAST, 100, &mut Random(7));
    index.seal();
    for kind in [IndexKind::HnswRs, IndexKind::Hnsw, IndexKind::HnswRs, IndexKind::Flat] {
        index.cover(kind, &index.clone(), &go_on);
        assert_eq!(index.kind(), kind);
        assert_eq!(index.graph().is_some(), kind == IndexKind::Hnsw, "only ours are stored");
        let beside = index.memory().rest - index.flat().memory().rest;
        assert_eq!(beside > LEAST * DIMENSION * 4, kind == IndexKind::HnswRs, "{beside}");
    }
    index.cover(IndexKind::HnswRs, &index.clone(), &AtomicBool::new(true));
    assert_eq!(index.kind(), IndexKind::Flat, "it was stopped");
}
