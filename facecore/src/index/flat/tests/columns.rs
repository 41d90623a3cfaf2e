//! Segments written out and read back, intact and damaged.

use std::sync::Arc;

use super::*;
use crate::error::ErrorKind;

/// Bytes at a chosen distance from an aligned address.
struct Aligned {
    words: Vec<u128>,
    start: usize,
    len: usize,
}

impl AsRef<[u8]> for Aligned {
    fn as_ref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[self.start..self.start + self.len]
    }
}

pub(in crate::index) fn shared(bytes: &[u8], start: usize) -> SharedBytes {
    let mut words = vec![0u128; (start + bytes.len()).div_ceil(16) + 1];
    bytemuck::cast_slice_mut::<u128, u8>(&mut words)[start..start + bytes.len()].copy_from_slice(bytes);
    SharedBytes::new(Arc::new(Aligned { words, start, len: bytes.len() }))
}

/// A segment that was written out without being in memory, and read back.
pub(in crate::index) fn written(part: Part<'_>, dimension: usize) -> Segment {
    let column = |at| {
        let mut bytes = Vec::new();
        part.write(at, &mut bytes).unwrap();
        assert_eq!(bytes, part.segment().columns()[at], "column {at}");
        shared(&bytes, 0)
    };
    Segment::from_columns(dimension, (0..Segment::COLUMNS).map(column).collect()).unwrap()
}

/// The same rows over shared bytes.
fn copied(segment: &Segment, dimension: usize) -> Segment {
    let columns = segment.columns().map(|bytes| shared(bytes, 0)).to_vec();
    Segment::from_columns(dimension, columns).unwrap()
}

fn sealed(faces: usize) -> Flat {
    let (mut index, _) = population(100, faces, 9, &mut Random(8));
    index.seal();
    index
}

fn refused(dimension: usize, columns: Vec<SharedBytes>) -> String {
    let error = Segment::from_columns(dimension, columns).err().expect("damaged columns are refused");
    assert_eq!(error.kind(), ErrorKind::GalleryCorrupt, "{error}");
    error.message().to_owned()
}

#[test]
fn a_segment_survives_being_written_out() {
    for faces in [1, 7, 8, 9, 1500] {
        let mut index = sealed(faces);
        (0..faces as u64).step_by(5).for_each(|face| assert!(index.remove(face)));
        let segment = index.segments().next().unwrap();
        let mut again = Flat::new(100);
        again.push_segment(copied(segment, 100), &index.dead_rows(0)).unwrap();
        assert_eq!(again.len(), index.len());
        assert_eq!(again.segments().next().unwrap().columns(), segment.columns());
        assert_eq!(again.dead_rows(0), index.dead_rows(0));
        let probe = Random(9).unit(100);
        for reach in [Reach::Exact, Reach::Nearest(50)] {
            assert_eq!(search_one(&again, query(&probe, reach)), search_one(&index, query(&probe, reach)));
        }
    }
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let index = sealed(20);
    let good = index.segments().next().unwrap().columns().map(<[u8]>::to_vec);
    let with = |at: usize, bytes: &[u8], start: usize| {
        let columns = good.iter().enumerate();
        columns
            .map(|(other, good)| if other == at { shared(bytes, start) } else { shared(good, 0) })
            .collect::<Vec<_>>()
    };
    assert!(Segment::from_columns(100, with(0, &good[0], 0)).is_ok());
    for (at, bytes) in good.iter().enumerate() {
        // Cut anywhere, empty, or too long.
        for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            refused(100, with(at, &bytes[..cut], 0));
        }
        let mut long = bytes.clone();
        long.extend([0; 512]);
        refused(100, with(at, &long, 0));
        // Columns of bytes have no alignment to miss.
        if at != 1 {
            assert!(refused(100, with(at, bytes, 1)).contains("does not fit its type"));
        }
    }
    refused(101, with(0, &good[0], 0));
    refused(100, good.iter().take(6).map(|bytes| shared(bytes, 0)).collect());
    refused(100, Vec::new());
}

#[test]
fn contents_that_cannot_be_are_refused() {
    let index = sealed(20);
    let good = index.segments().next().unwrap().columns().map(<[u8]>::to_vec);
    let changed = |column: usize, at: usize, bytes: &[u8]| {
        let mut columns = good.clone();
        columns[column][at..at + bytes.len()].copy_from_slice(bytes);
        columns.iter().map(|bytes| shared(bytes, 0)).collect::<Vec<_>>()
    };
    assert!(refused(100, changed(5, 4 * 7, &6u32.to_ne_bytes())).contains("not in order after row 6"));
    assert!(refused(100, changed(5, 4 * 7, &u32::MAX.to_ne_bytes())).contains("not in order"));
    assert!(refused(100, changed(4, 0, &u64::MAX.to_ne_bytes())).contains("beyond 2^64"));
    // Infinity, NaN, negative, and just absurd.
    for half in [0x7f80u16, 0x7fc0, 0xbf80, 0x4000] {
        for field in [0, 2] {
            assert!(refused(100, changed(2, 4 * 3 + field, &half.to_ne_bytes())).contains("row 3"));
        }
    }
}

#[test]
fn a_segment_of_no_rows_may_be_stored() {
    let empty: [&[u8]; Segment::COLUMNS] = [&[], &[], &[], &[], &[0; 8], &[], &[]];
    let segment = Segment::from_columns(100, empty.map(|bytes| shared(bytes, 0)).to_vec()).unwrap();
    let mut index = Flat::new(100);
    index.push_segment(segment, &[]).unwrap();
    assert_eq!(index.len(), 0);
    assert_eq!(index.get(0), None);
    for reach in [Reach::Exact, Reach::Nearest(5)] {
        assert!(search_one(&index, query(&Random(1).unit(100), reach)).is_empty());
    }
}

/// Whatever bytes pass the checks, searching them must not panic.
#[test]
fn random_damage_is_refused_or_harmless() {
    let index = sealed(1200);
    let good = index.segments().next().unwrap().columns().map(<[u8]>::to_vec);
    let mut random = Random(77);
    let (mut refused, mut harmless) = (0, 0);
    for _ in 0..150 {
        let mut columns = good.clone();
        for _ in 0..=random.below(8) {
            let column = &mut columns[random.below(Segment::COLUMNS)];
            let at = random.below(column.len());
            column[at] = random.next() as u8;
        }
        let Ok(segment) = Segment::from_columns(100, columns.iter().map(|bytes| shared(bytes, 0)).collect()) else {
            refused += 1;
            continue;
        };
        harmless += 1;
        let mut index = Flat::new(100);
        index.push_segment(segment, &[]).unwrap();
        let probe = random.unit(100);
        for reach in [Reach::Exact, Reach::Nearest(100), Reach::Within { miss: 1e-3 }] {
            search_one(&index, Query { threshold: 0.0, ..query(&probe, reach) });
        }
        index.merge(0..1, in_memory).unwrap();
    }
    assert!(refused > 20 && harmless > 20, "{refused} refused, {harmless} harmless");
}

#[test]
fn damaged_bits_of_dead_rows_are_refused() {
    let mut index = sealed(20);
    let segment = index.segments().next().unwrap().clone();
    index.remove(3);
    assert_eq!(index.dead_rows(0), [8, 0, 0, 0, 0, 0, 0, 0]);
    for bad in [&[0u8; 7][..], &[0; 16], &[0, 0, 16, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 0, 0, 0, 128]] {
        let error = Flat::new(100).push_segment(segment.clone(), bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::GalleryCorrupt);
    }
    let error = Flat::new(64).push_segment(segment, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DimensionMismatch);
}

#[test]
fn after_an_error_nothing_is_merged() {
    let mut index = sealed(20);
    index.remove(3);
    let failed = index.merge(0..1, |_| fail!(Io, "the disk is full"));
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Io);
    assert_eq!((index.len(), index.dead(0), index.segments().len()), (19, 1, 1));
}
