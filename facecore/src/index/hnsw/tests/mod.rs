//! What only an index with a graph keeps.

mod churn;
mod graph;
#[cfg(feature = "hnsw_rs")]
mod library;
mod stored;

use super::walk::{Aim, Nearest, Room};
use super::*;
use crate::index::Reach;
use crate::index::flat::codes::CodedProbe;
use crate::index::kernels::Sketch;
use crate::index::tests::{Random, Tested as _, in_memory, population, query, search_one};

/// Everybody is met by a walk that keeps all.
fn assert_all_are_met(index: &Hnsw) {
    let Some(graph) = index.graph() else { return assert_eq!(index.flat().segments().len(), 0) };
    let searcher = index.flat().searcher();
    let parts = &searcher.parts[..graph.covers().len()];
    let ground = graph.ground(parts, searcher.kernels);
    let codes = CodedProbe::new(searcher.kernels, &Random(1).unit(index.dimension()));
    let aim = Aim { sketch: Sketch::default(), codes };
    let (mut room, mut all) = (Room::default(), Nearest::new(graph.places.len(), parts, true));
    let from = ground.descend(graph.links.top(), graph.links.entry(), 0, &aim, &mut room);
    let starts = [from].into_iter().chain(graph.links.stranded().iter().copied());
    ground.walk(0, &aim, starts, &mut room, &mut all);
    let mut met: Vec<u64> = all
        .into_sorted()
        .into_iter()
        .flat_map(|(_, node)| [node].into_iter().chain(graph.links.twins(node)))
        .map(|node| graph.places.spot(node))
        .filter(|&(part, row)| parts[part].is_live(row))
        .map(|(part, row)| parts[part].id(row))
        .collect();
    met.sort_unstable();
    let mut live: Vec<u64> = parts
        .iter()
        .flat_map(|rows| (0..rows.len()).filter(|row| rows.is_live(*row)).map(|row| rows.id(row)))
        .collect();
    live.sort_unstable();
    assert_eq!(met, live);
}

/// For how many of some probes at a cosine of 0.6 with a face the face's owner comes first; the same of an exact search.
fn right(index: &Hnsw, faces: &[u64], random: &mut Random) -> (usize, usize) {
    let (mut right, mut exactly) = (0, 0);
    for face in faces {
        let Some((owner, values)) = index.get(*face) else { continue };
        let probe = random.mate(values, 0.6);
        let best = |reach| search_one(index, Query { threshold: 0.3, ..query(&probe, reach) })[0].owner;
        right += usize::from(best(Reach::Within { miss: 0.01 }) == owner);
        exactly += usize::from(best(Reach::Exact) == owner);
    }
    (right, exactly)
}
