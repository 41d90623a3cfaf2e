//! What an answer consists of.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;

for_each_index!(
    many_faces_of_one_owner_do_not_crowd_out_others,
    equal_scores_are_all_answered_and_ordered,
    a_filter_is_asked_once_per_owner_and_counts_for_the_reach,
    a_filter_may_search,
    removed_faces_are_never_met,
    a_batch_equals_its_queries_one_by_one,
    estimates_do_not_decide,
    wanting_more_than_there_is_gives_all,
);

fn many_faces_of_one_owner_do_not_crowd_out_others<I: Tested>() {
    let mut random = Random(1);
    let (mut index, _) = population::<I>(128, 3000, 3000, &mut random);
    let probe = random.unit(128);
    for n in 0..50 {
        index.insert(10_000 + n, 5000, &random.mate(&probe, 0.9));
    }
    for (n, cosine) in [0.8, 0.75, 0.7, 0.65].into_iter().enumerate() {
        index.insert(20_000 + n as u64, 6000 + n as u32, &random.mate(&probe, cosine));
    }
    index.settle();
    for reach in I::REACHES.iter().copied() {
        let hits = search_one(&index, Query { owners: 4, ..query(&probe, reach) });
        let owners: Vec<u32> = hits.iter().map(|hit| hit.owner).collect();
        assert_eq!(owners, [5000, 6000, 6001, 6002, 6003], "{reach:?}");
        assert_eq!(hits.iter().map(|hit| hit.hits).collect::<Vec<_>>(), [50, 1, 1, 1, 1], "{reach:?}");
    }
}

fn equal_scores_are_all_answered_and_ordered<I: Tested>() {
    let mut random = Random(2);
    let (mut index, _) = population::<I>(64, 2000, 2000, &mut random);
    let probe = random.unit(64);
    let twin = random.mate(&probe, 0.9);
    for (face, owner) in [(9005, 9), (9001, 9), (9004, 7), (9002, 8), (9003, 9)] {
        index.insert(face, owner + 9000, &twin);
    }
    index.insert(9009, 9999, &random.mate(&probe, 0.95));
    index.settle();
    for reach in I::REACHES.iter().copied() {
        let hits = search_one(&index, query(&probe, reach));
        let found: Vec<(u32, u64, u32)> = hits.iter().map(|hit| (hit.owner, hit.face, hit.hits)).collect();
        assert_eq!(found, [(9999, 9009, 1), (9007, 9004, 1), (9008, 9002, 1), (9009, 9001, 3)], "{reach:?}");
        let faces = index.nearest_faces(&query(&probe, reach), 4);
        assert_eq!(faces.iter().map(|hit| hit.face).collect::<Vec<_>>(), [9009, 9001, 9002, 9003], "{reach:?}");
    }
}

fn a_filter_is_asked_once_per_owner_and_counts_for_the_reach<I: Tested>() {
    let mut random = Random(3);
    let (mut index, centres) = population::<I>(128, 4000, 500, &mut random);
    index.settle();
    for reach in [Reach::Exact, Reach::Nearest(40), Reach::Within { miss: 1e-4 }] {
        let asked = Mutex::new(BTreeMap::<u32, usize>::new());
        let admits = |owner: u32| {
            *asked.lock().unwrap().entry(owner).or_default() += 1;
            owner.is_multiple_of(50)
        };
        let filtered = Query { owners: 3, allowed: Some(&admits), ..query(&centres[77], reach) };
        let hits = search_one(&index, filtered);
        assert!(hits.iter().all(|hit| hit.owner.is_multiple_of(50)), "{reach:?}");
        assert!(asked.lock().unwrap().values().all(|&times| times == 1), "{reach:?}");
        if let Reach::Nearest(_) = reach {
            // Ten owners of eight faces are allowed: half of these are met, not half of all.
            let faces = index.nearest_faces(&Query { allowed: Some(&admits), ..query(&centres[77], reach) }, 1000);
            assert!((40..50).contains(&faces.len()), "{} faces", faces.len());
        }
    }
    let nobody = Query { allowed: Some(&|_| false), ..query(&centres[0], Reach::Nearest(10)) };
    assert!(search_one(&index, nobody).is_empty());
}

fn a_filter_may_search<I: Tested>() {
    let (mut index, centres) = population::<I>(64, 3000, 300, &mut Random(4));
    index.settle();
    let inner = |owner: u32| {
        let hits = index.search(&[query(&centres[owner as usize], Reach::Nearest(50))]);
        hits[0][0].owner == owner
    };
    for reach in I::REACHES.iter().copied() {
        let hits = search_one(&index, Query { allowed: Some(&inner), ..query(&centres[5], reach) });
        assert_eq!(hits[0].owner, 5, "{reach:?}");
    }
}

fn removed_faces_are_never_met<I: Tested>() {
    let (mut index, centres) = population::<I>(128, 3000, 300, &mut Random(5));
    index.settle();
    let before = search_one(&index, query(&centres[7], Reach::Exact));
    for face in (7..3000).step_by(300) {
        assert!(index.remove(face));
    }
    assert_eq!(before[0].owner, 7);
    for reach in [Reach::Exact, Reach::Nearest(2990), Reach::Nearest(20), Reach::Within { miss: 0.0 }] {
        let hits = search_one(&index, Query { owners: 300, threshold: -1.0, ..query(&centres[7], reach) });
        assert!(hits.iter().all(|hit| hit.owner != 7), "{reach:?}");
    }
    let met = index.nearest_faces(&query(&centres[7], Reach::Nearest(5000)), 5000);
    assert_eq!(met.len(), 2990);
}

fn a_batch_equals_its_queries_one_by_one<I: Tested>() {
    let mut random = Random(6);
    let (mut index, centres) = population::<I>(128, 9000, 1000, &mut random);
    index.settle();
    let admits = |owner: u32| owner.is_multiple_of(2);
    let probes: Vec<Vec<f32>> = centres.iter().take(70).map(|centre| random.mate(centre, 0.7)).collect();
    let queries: Vec<Query> = probes
        .iter()
        .enumerate()
        .map(|(n, probe)| Query {
            probe,
            owners: 1 + n % 5,
            threshold: 0.2 + 0.1 * (n % 3) as f32,
            reach: I::REACHES[n % I::REACHES.len()],
            allowed: n.is_multiple_of(4).then_some(&admits),
        })
        .collect();
    let together = index.search(&queries);
    assert_eq!(together.len(), queries.len());
    for (query, hits) in queries.into_iter().zip(together) {
        assert!(!hits.is_empty());
        assert_eq!(search_one(&index, query), hits);
    }
    assert!(index.search(&[]).is_empty());
}

/// Vectors whose rounding errors all point one way, where an estimate is as wrong as it can be.
fn estimates_do_not_decide<I: Tested>() {
    let dimension = 256;
    let mut random = Random(8);
    let mut index = I::new(dimension);
    for face in 0..3000 {
        let values = (0..dimension).map(|at| {
            let spread = if at % 7 == 0 { 0.004 } else { 0.0005 };
            1.0 + spread * (random.share() - 0.5)
        });
        index.insert(face, face as u32, &normalised(values.collect()));
    }
    let probe = normalised((0..dimension).map(|at| 1.0 + if at % 7 == 0 { 0.01 } else { 0.0 }).collect());
    index.settle();
    let ask = |reach| index.nearest_faces(&query(&probe, reach), 20);
    assert_eq!(ask(Reach::Nearest(3000)), ask(Reach::Exact));
}

fn wanting_more_than_there_is_gives_all<I: Tested>() {
    let (mut index, centres) = population::<I>(64, 2500, 50, &mut Random(9));
    index.settle();
    for reach in [Reach::Exact, Reach::Nearest(usize::MAX)] {
        let hits = search_one(&index, Query { owners: usize::MAX, ..query(&centres[0], reach) });
        assert_eq!(hits.len(), 50, "{reach:?}");
        assert_eq!(index.nearest_faces(&query(&centres[0], reach), usize::MAX).len(), 2500, "{reach:?}");
        assert!(index.nearest_faces(&query(&centres[0], reach), 0).is_empty());
    }
    assert!(search_one(&index, query(&centres[0], Reach::Nearest(0))).is_empty());
    assert!(search_one(&I::new(64), query(&centres[0], Reach::Nearest(10))).is_empty());
}
