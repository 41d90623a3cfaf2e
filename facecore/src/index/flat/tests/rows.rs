//! What rows take, and what becomes of those that were removed.

use super::*;

const DIMENSION: usize = 72;

#[test]
fn a_full_tail_becomes_a_segment() {
    let (index, _) = population(DIMENSION, SEAL_AT * 2 + 5, 100, &mut Random(5));
    assert_eq!(index.segments().map(Segment::len).collect::<Vec<_>>(), [SEAL_AT, SEAL_AT]);
    assert_eq!(index.tail.len(), 5);
    assert_eq!(index.len(), SEAL_AT * 2 + 5);
}

#[test]
fn a_row_takes_590_bytes_beside_its_vector() {
    let (mut index, _) = population(512, 2000, 100, &mut Random(5));
    index.seal();
    let memory = index.memory();
    assert_eq!(memory.vectors, 2000 * 512 * 4);
    assert!(memory.rest <= 2000 * 590, "{memory:?}");
    for face in 0..900 {
        index.remove(face);
    }
    assert_eq!(index.memory().dead, 900);
    assert!(index.memory().rest <= 2000 * 590, "{:?}", index.memory());
    index.merge(0..1, in_memory).unwrap();
    assert_eq!(index.memory().dead, 0);
    assert_eq!(index.memory().vectors, 1100 * 512 * 4);
}

#[test]
fn merging_dead_segments_leaves_none() {
    let (mut index, _) = population(DIMENSION, 50, 5, &mut Random(6));
    index.seal();
    (0..50).for_each(|face| assert!(index.remove(face)));
    assert_eq!(index.dead(0), 50);
    index.merge(0..1, in_memory).unwrap();
    assert_eq!(index.segments().len(), 0);
    assert!(search_one(&index, query(&Random(1).unit(DIMENSION), Reach::Exact)).is_empty());
}
