//! Graphs of all sizes, with copies, and after changes.

use super::*;

#[test]
fn graphs_of_few_rows() {
    for rows in [0, 1, 2, 3, 33, 34, 200, 1001] {
        let (mut index, _) = population::<Hnsw>(64, rows, rows.max(1), &mut Random(rows as u64));
        index.settle();
        assert_all_are_met(&index);
        for face in 0..rows as u64 {
            let values = index.get(face).unwrap().1.to_vec();
            assert_eq!(search_one(&index, query(&values, Reach::Nearest(10)))[0].face, face);
        }
        (0..rows as u64).for_each(|face| assert!(index.remove(face)));
        let probe = Random(1).unit(64);
        assert!(search_one(&index, query(&probe, Reach::Nearest(10))).is_empty());
        let segments = index.flat().segments().len();
        crate::index::tests::Tested::merge(&mut index, 0..segments, in_memory).unwrap();
        assert_all_are_met(&index);
    }
}

#[test]
fn links_have_no_gaps_copies_or_loops() {
    let (mut index, _) = population::<Hnsw>(64, 3000, 500, &mut Random(1));
    index.settle();
    let links = &index.graph().unwrap().links;
    assert!(links.top() >= 1);
    for layer in 0..=links.top() {
        for position in 0..links.layer(layer).len() as u32 {
            let all = links.of(layer, position);
            let used = all.iter().take_while(|link| **link != links::NONE).count();
            let mut others = all[..used].to_vec();
            others.sort_unstable();
            others.dedup();
            assert_eq!(others.len(), used, "layer {layer}, position {position}: {all:?}");
            assert!(!others.contains(&position), "layer {layer}, position {position}: {all:?}");
            assert!(all[used..].iter().all(|link| *link == links::NONE));
        }
    }
}

#[test]
fn a_graph_is_the_same_each_time() {
    let make = || {
        let (mut index, _) = population::<Hnsw>(64, 3000, 500, &mut Random(2));
        index.settle();
        index.graph().unwrap().columns().into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    assert!(make() == make());
}

#[test]
fn copies_share_a_place_and_hide_nobody() {
    let mut random = Random(3);
    let (mut index, _) = population::<Hnsw>(64, 3000, 3000, &mut random);
    let copied = random.unit(64);
    for copy in 0..700 {
        index.insert(10_000 + copy, 5000 + copy as u32, &copied);
    }
    index.settle();
    assert_all_are_met(&index);
    let graph = index.graph().unwrap().clone();
    assert!(graph.links.stranded().len() < 5, "{}", graph.links.stranded().len());
    let hits = search_one(&index, query(&copied, Reach::Nearest(20)));
    assert_eq!(hits.iter().map(|hit| hit.owner).collect::<Vec<_>>(), (5000..5700).collect::<Vec<_>>());
    for face in (0..3000).step_by(10) {
        let values = index.get(face).unwrap().1.to_vec();
        assert_eq!(search_one(&index, query(&values, Reach::Nearest(20)))[0].face, face);
    }
    // The one that stands for all goes; more come.
    (10_000..10_350).for_each(|face| assert!(index.remove(face)));
    (0..50).for_each(|copy| index.insert(20_000 + copy, 9000 + copy as u32, &copied));
    for _ in 0..2 {
        let hits = search_one(&index, query(&copied, Reach::Nearest(20)));
        assert_eq!(hits.len(), 400);
        index.settle();
        assert_all_are_met(&index);
        let segments = index.flat().segments().len();
        crate::index::tests::Tested::merge(&mut index, 0..segments, in_memory).unwrap();
        assert_all_are_met(&index);
    }
}

#[test]
fn rows_that_a_graph_does_not_cover_are_found_too() {
    let mut random = Random(4);
    let (mut index, _) = population::<Hnsw>(96, 3000, 3000, &mut random);
    index.settle();
    for face in 3000..9000 {
        index.insert(face, face as u32, &random.unit(96));
    }
    // Partly in segments, partly in the tail; partly removed again.
    (2000..4000).for_each(|face| assert!(index.remove(face)));
    assert_eq!(index.graph().unwrap().covers().len(), 1);
    for face in (0..9000).step_by(37) {
        let Some(values) = index.get(face).map(|(_, values)| values.to_vec()) else { continue };
        for reach in [Reach::Nearest(50), Reach::Within { miss: 0.07 }] {
            assert_eq!(search_one(&index, query(&values, reach))[0].face, face);
        }
    }
}

#[test]
fn few_who_are_allowed_are_found_among_many() {
    let (mut index, centres) = population::<Hnsw>(96, 6000, 3000, &mut Random(5));
    index.settle();
    for wanted in (0..3000).step_by(100) {
        let asked = std::sync::Mutex::new(std::collections::BTreeMap::<u32, usize>::new());
        let admits = |owner: u32| {
            *asked.lock().unwrap().entry(owner).or_default() += 1;
            owner % 1000 == wanted % 1000
        };
        let hits = search_one(
            &index,
            Query { allowed: Some(&admits), ..query(&centres[wanted as usize], Reach::Nearest(50)) },
        );
        assert_eq!((hits[0].owner, hits[0].hits), (wanted, 2));
        // Also where a walk was given up for a scan.
        assert!(asked.into_inner().unwrap().into_values().all(|times| times == 1));
    }
}

#[test]
fn the_right_owner_is_found_as_by_an_exact_search() {
    for dimension in [64, 128, 512] {
        let mut random = Random(dimension as u64);
        let (mut index, _) = population::<Hnsw>(dimension, 6000, 3000, &mut random);
        index.settle();
        let faces: Vec<u64> = (0..6000).step_by(15).collect();
        let (right, exactly) = right(&index, &faces, &mut random);
        assert!(exactly - right <= 1, "{dimension}: {right}, exactly {exactly}");
    }
}

#[test]
fn a_graph_takes_less_than_204_bytes_a_row() {
    let (mut index, _) = population::<Hnsw>(64, 4000, 100, &mut Random(6));
    index.settle();
    let beside = index.memory().rest - index.flat().memory().rest;
    assert!(((128 + 64) * 4000..(140 + 64) * 4000).contains(&beside), "{beside}");
}

#[test]
fn no_graph_is_made_of_few_rows_nor_for_few_new_ones() {
    let go_on = AtomicBool::new(false);
    let mut random = Random(7);
    let (mut index, _) = population::<Hnsw>(64, LEAST - 1, 100, &mut random);
    index.seal();
    index.cover(IndexKind::Hnsw, &index.clone(), &go_on);
    assert!(index.graph().is_none());
    index.insert(50_000, 1, &random.unit(64));
    index.seal();
    index.cover(IndexKind::Flat, &index.clone(), &go_on);
    assert!(index.graph().is_none(), "it was not asked for");
    index.cover(IndexKind::Hnsw, &index.clone(), &AtomicBool::new(true));
    assert!(index.graph().is_none(), "it was stopped");
    index.cover(IndexKind::Hnsw, &index.clone(), &go_on);
    let graph = index.graph().unwrap().clone();
    (60_000..61_000).for_each(|face| index.insert(face, 2, &random.unit(64)));
    index.seal();
    index.cover(IndexKind::Hnsw, &index.clone(), &go_on);
    assert!(Arc::ptr_eq(&graph, index.graph().unwrap()));
    index.keep_only(IndexKind::Hnsw);
    assert!(Arc::ptr_eq(&graph, index.graph().unwrap()));
    index.cover(IndexKind::Flat, &index.clone(), &go_on);
    assert_eq!(index.kind(), IndexKind::Flat);
}
