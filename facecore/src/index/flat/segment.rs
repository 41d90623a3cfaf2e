//! Rows that do not change any more, sorted by face id.

use std::sync::Arc;

use super::codes::{self, Step, stride};
use super::column::{Column, SharedBytes};
use super::rows::{DeadRows, Ids, Rows};
use crate::error::{Result, fail};
use crate::index::kernels::{GROUP_ROWS, Group};

/// A place among several [`Rows`]: which of them, and the row in there.
pub(super) type Spot = (usize, usize);

/// Immutable rows, column by column, sorted by face id. Cloning copies a pointer.
#[derive(Clone)]
pub(crate) struct Segment(Arc<Columns>);

struct Columns {
    dimension: usize,
    values: Column<f32>,
    codes: Column<u8>,
    steps: Column<Step>,
    groups: Column<Group>,
    /// One number: the id of the first row.
    base: Column<u64>,
    /// What the id of each row is above `base`.
    above: Column<u32>,
    owners: Column<u32>,
}

impl Segment {
    /// Changes with everything that stored columns depend on: their order and types, the rotation,
    /// the rounding of codes, and the byte order of the machine.
    pub const LAYOUT: u32 = if cfg!(target_endian = "little") { 1 } else { 1 << 31 | 1 };

    /// How many columns there are.
    pub const COLUMNS: usize = 7;

    /// How many rows there are, dead ones included.
    pub fn len(&self) -> usize {
        self.0.owners.len()
    }

    /// The columns as bytes, to write them out:
    ///
    /// | column | type | number |
    /// | --- | --- | --- |
    /// | 0 vectors | f32 | rows x dimension |
    /// | 1 codes | u8 | rows x dimension rounded up to 64 |
    /// | 2 scales and errors | 2 x u16 | rows |
    /// | 3 sketches, eight rows interleaved | 64 x u64 | rows / 8, rounded up |
    /// | 4 first face id | u64 | 1 |
    /// | 5 face ids above the first | u32 | rows |
    /// | 6 owners | u32 | rows |
    pub fn columns(&self) -> [&[u8]; Self::COLUMNS] {
        let columns = &*self.0;
        [
            columns.values.bytes(),
            columns.codes.bytes(),
            columns.steps.bytes(),
            columns.groups.bytes(),
            columns.base.bytes(),
            columns.above.bytes(),
            columns.owners.bytes(),
        ]
    }

    /// A segment over stored columns, which stay where they are. That they are the bytes once written
    /// is the caller's to check, by [`Segment::LAYOUT`] and checksums.
    ///
    /// Errors with `GalleryCorrupt` if the columns do not fit together. Whatever passes is safe to
    /// search; the coordinates themselves are not looked at, so that a mapped file is not read.
    pub fn from_columns(dimension: usize, columns: Vec<SharedBytes>) -> Result<Segment> {
        let count = columns.len();
        let Ok([values, codes, steps, groups, base, above, owners]) = <[SharedBytes; Self::COLUMNS]>::try_from(columns)
        else {
            fail!(GalleryCorrupt, "a stored index has {} columns, not {count}; rebuild the index", Self::COLUMNS);
        };
        let columns = Columns {
            dimension,
            values: Column::shared("vectors", values)?,
            codes: Column::shared("codes", codes)?,
            steps: Column::shared("steps", steps)?,
            groups: Column::shared("sketches", groups)?,
            base: Column::shared("first id", base)?,
            above: Column::shared("ids", above)?,
            owners: Column::shared("owners", owners)?,
        };
        columns.check()?;
        Ok(Segment(Arc::new(columns)))
    }

    /// Segments of the rows at `spots`, sorted by id: one, or several if the ids are too far apart for
    /// one, or none without rows.
    pub(super) fn gather(dimension: usize, rows: &[Rows], spots: impl Iterator<Item = Spot>) -> Vec<Segment> {
        let mut spots: Vec<(u64, Spot)> = spots.map(|(part, row)| (rows[part].id(row), (part, row))).collect();
        spots.sort_unstable();
        let near = |spots: &&[(u64, Spot)]| spots.last().map_or(0, |last| last.0) - spots[0].0 <= u64::from(u32::MAX);
        let mut segments = Vec::new();
        let mut rest = spots.as_slice();
        while let Some(&(base, _)) = rest.first() {
            let end = if near(&rest) {
                rest.len()
            } else {
                rest.partition_point(|spot| spot.0 - base <= u64::from(u32::MAX))
            };
            let (these, others) = rest.split_at(end);
            segments.push(Segment(Arc::new(Columns::gather(dimension, rows, these))));
            rest = others;
        }
        segments
    }

    /// The rows, of which `dead` were removed.
    pub(super) fn rows<'a>(&'a self, dead: &'a DeadRows) -> Rows<'a> {
        let columns = &*self.0;
        Rows {
            dimension: columns.dimension,
            values: &columns.values,
            codes: &columns.codes,
            steps: &columns.steps,
            groups: &columns.groups,
            ids: Ids::Narrow(columns.base[0], &columns.above),
            owners: &columns.owners,
            dead: (dead.count() > 0).then_some(dead),
        }
    }

    /// The row of a face.
    pub(super) fn find(&self, face: u64) -> Option<usize> {
        let above = face.checked_sub(self.0.base[0])?;
        self.0.above.binary_search(&u32::try_from(above).ok()?).ok()
    }

    /// The face in a row.
    pub(super) fn id(&self, row: usize) -> u64 {
        self.0.base[0] + u64::from(self.0.above[row])
    }

    /// Whether it is the very same as `other`, not just equal.
    pub(super) fn is(&self, other: &Segment) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn dimension(&self) -> usize {
        self.0.dimension
    }

    /// Bytes of the vectors, and of everything else.
    pub(super) fn memory(&self) -> (usize, usize) {
        let [vectors, rest @ ..] = self.columns();
        (vectors.len(), rest.iter().map(|column| column.len()).sum())
    }
}

impl Columns {
    /// Of rows in the order of their ids, at least one, whose ids span less than 2^32.
    fn gather(dimension: usize, rows: &[Rows], spots: &[(u64, Spot)]) -> Self {
        let base = spots[0].0;
        let mut values = Vec::with_capacity(spots.len() * dimension);
        let mut codes = Vec::with_capacity(spots.len() * stride(dimension));
        let mut groups = vec![Group::default(); spots.len().div_ceil(GROUP_ROWS)];
        for (to, &(_, (part, row))) in spots.iter().enumerate() {
            values.extend_from_slice(rows[part].values(row));
            codes.extend_from_slice(rows[part].codes(row));
            for (words, word) in groups[to / GROUP_ROWS].iter_mut().zip(rows[part].sketch(row)) {
                words[to % GROUP_ROWS] = word;
            }
        }
        let owned = |at: &dyn Fn(&Rows, usize) -> u32| {
            Column::Owned(spots.iter().map(|&(_, (part, row))| at(&rows[part], row)).collect::<Vec<u32>>())
        };
        Columns {
            dimension,
            values: Column::Owned(values),
            codes: Column::Owned(codes),
            steps: Column::Owned(spots.iter().map(|&(_, (part, row))| rows[part].steps[row]).collect()),
            groups: Column::Owned(groups),
            base: Column::Owned(vec![base]),
            above: owned(&|rows, row| (rows.id(row) - base) as u32),
            owners: owned(&|rows, row| rows.owners[row]),
        }
    }

    /// Errors with `GalleryCorrupt` unless lengths, ids and steps are those of some rows.
    fn check(&self) -> Result<()> {
        let rows = self.owners.len();
        let lengths = [
            ("vectors", self.values.len(), rows.checked_mul(self.dimension)),
            ("codes", self.codes.len(), rows.checked_mul(stride(self.dimension))),
            ("steps", self.steps.len(), Some(rows)),
            ("sketches", self.groups.len(), Some(rows.div_ceil(GROUP_ROWS))),
            ("first id", self.base.len(), Some(1)),
            ("ids", self.above.len(), Some(rows)),
        ];
        for (name, len, expected) in lengths {
            if Some(len) != expected {
                fail!(
                    GalleryCorrupt,
                    "column `{name}` of a stored index has {len} entries, which does not fit its {rows} rows; rebuild \
                     the index"
                );
            }
        }
        if rows > u32::MAX as usize {
            fail!(GalleryCorrupt, "a stored segment has {rows} rows, more than 2^32; rebuild the index");
        }
        if let Some(row) = self.above.windows(2).position(|pair| pair[0] >= pair[1]) {
            fail!(GalleryCorrupt, "ids of a stored index are not in order after row {row}; rebuild the index");
        }
        if self.base[0].checked_add(u64::from(self.above.last().copied().unwrap_or(0))).is_none() {
            fail!(GalleryCorrupt, "ids of a stored index are beyond 2^64; rebuild the index");
        }
        if let Some(row) = self.steps.iter().position(|&step| !codes::plausible(step)) {
            fail!(GalleryCorrupt, "row {row} of a stored index has an impossible scale; rebuild the index");
        }
        Ok(())
    }
}
