//! Graphs written out and read back, intact and damaged.

use super::*;
use crate::error::ErrorKind;
use crate::index::flat::SharedBytes;
use crate::index::flat::tests::shared;

fn columns(graph: &Graph) -> Vec<Vec<u8>> {
    graph.columns().into_iter().map(<[u8]>::to_vec).collect()
}

fn read(index: &Hnsw, columns: &[Vec<u8>]) -> Result<Graph> {
    let columns: Vec<SharedBytes> = columns.iter().map(|bytes| shared(bytes, 0)).collect();
    Graph::from_columns(index.flat().segments().cloned().collect(), columns)
}

fn with_copies() -> Hnsw {
    let mut random = Random(1);
    let (mut index, _) = population::<Hnsw>(64, 1500, 300, &mut random);
    let copied = random.unit(64);
    (0..40).for_each(|copy| index.insert(5000 + copy, 7, &copied));
    index.settle();
    index
}

#[test]
fn a_graph_survives_being_written_out() {
    let index = with_copies();
    let mut again = index.clone();
    again.set_graph(read(&index, &columns(index.graph().unwrap())).unwrap()).unwrap();
    assert_all_are_met(&again);
    let mut random = Random(2);
    for _ in 0..100 {
        let probe = random.unit(64);
        for reach in [Reach::Nearest(30), Reach::Nearest(90)] {
            assert_eq!(search_one(&again, query(&probe, reach)), search_one(&index, query(&probe, reach)));
        }
    }
    // Links are taken over from one that was read as from one that was made.
    (0..200).for_each(|face| assert!(again.remove(face)));
    crate::index::tests::Tested::merge(&mut again, 0..1, in_memory).unwrap();
    assert_all_are_met(&again);
}

#[test]
fn a_graph_of_other_rows_is_refused() {
    let (index, mut other) = (with_copies(), with_copies());
    let graph = read(&index, &columns(index.graph().unwrap())).unwrap();
    let error = other.set_graph(graph).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::GalleryCorrupt);
    assert!(other.graph().is_none());
}

#[test]
fn what_leads_out_of_a_graph_is_refused() {
    let index = with_copies();
    let whole = columns(index.graph().unwrap());
    let refused = |change: &dyn Fn(&mut Vec<Vec<u8>>), why: &str| {
        let mut damaged = whole.clone();
        change(&mut damaged);
        let error = read(&index, &damaged).err().expect(why);
        assert_eq!(error.kind(), ErrorKind::GalleryCorrupt);
        assert!(error.message().contains(why), "{error}");
    };
    let rows = 1540u32.to_le_bytes();
    let put =
        |column: usize, at: usize| move |columns: &mut Vec<Vec<u8>>| columns[column][at..at + 4].copy_from_slice(&rows);
    refused(&|columns| columns.clear(), "is empty");
    refused(&|columns| drop(columns.remove(5)), "5 columns");
    refused(&|columns| columns[6].truncate(640), "sketches of another number");
    refused(&|columns| columns[6].truncate(641), "does not fit its type");
    refused(&|columns| columns[0].truncate(1001), "does not fit its type");
    refused(&|columns| columns[0].truncate(128), "another number of nodes");
    refused(&|columns| columns[1].clear(), "no entry");
    refused(&put(1, 0), "entry is not there");
    refused(&put(0, 400), "a link leads out");
    refused(&put(1, 4), "upper layers are incomplete");
    refused(&put(3, 0), "a link of an upper layer");
    refused(&put(2, 0), "that the one below lacks");
    refused(&put(4, 4), "twins are not in order");
    refused(&|columns| columns[4].reverse(), "twins are not in order");
    refused(&|columns| columns[5].extend(rows), "stranded nodes are not in order");
}

#[test]
fn random_damage_is_refused_or_harmless() {
    let index = with_copies();
    let whole = columns(index.graph().unwrap());
    let mut random = Random(3);
    let mut read_anyway = 0;
    for _ in 0..400 {
        let mut damaged = whole.clone();
        for _ in 0..1 + random.below(3) {
            let column = random.below(damaged.len());
            let bytes = &mut damaged[column];
            match (bytes.len(), random.below(4)) {
                (0, _) => bytes.extend([random.below(256) as u8; 4]),
                (len, 0) => bytes.truncate(random.below(len)),
                (len, _) => {
                    let at = random.below(len);
                    bytes[at] ^= 1 << random.below(8);
                }
            }
        }
        let Ok(graph) = read(&index, &damaged) else { continue };
        read_anyway += 1;
        let mut other = index.clone();
        other.set_graph(graph).unwrap();
        let probe = random.unit(64);
        assert!(search_one(&other, query(&probe, Reach::Nearest(50))).len() <= 300);
        (0..100).for_each(|face| assert!(other.remove(face)));
        crate::index::tests::Tested::merge(&mut other, 0..1, in_memory).unwrap();
        assert!(search_one(&other, query(&probe, Reach::Nearest(50))).len() <= 300);
    }
    assert!((1..400).contains(&read_anyway), "{read_anyway}");
}
