//! Rows that do not change any more, sorted by face id.

use std::sync::Arc;

use super::codes::{self, Step, stride};
use super::column::{Column, SharedBytes};
use super::rows::{DeadRows, Ids, Rows};
use crate::error::{Result, fail};
use crate::index::kernels::{GROUP_ROWS, Group};

/// A place among several [`Rows`]: which of them, and the row in there.
pub(in crate::index) type Spot = (usize, usize);

/// Immutable rows, column by column, sorted by face id. Cloning copies a pointer.
#[derive(Clone)]
pub(crate) struct Segment(Arc<Columns>);

pub(in crate::index) struct Columns {
    pub dimension: usize,
    pub values: Column<f32>,
    pub codes: Column<u8>,
    pub steps: Column<Step>,
    pub groups: Column<Group>,
    /// One number: the id of the first row.
    pub base: Column<u64>,
    /// What the id of each row is above `base`.
    pub above: Column<u32>,
    pub owners: Column<u32>,
}

impl From<Columns> for Segment {
    fn from(columns: Columns) -> Self {
        Segment(Arc::new(columns))
    }
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
        Ok(columns.into())
    }

    /// The rows, of which `dead` were removed.
    pub(in crate::index) fn rows<'a>(&'a self, dead: &'a DeadRows) -> Rows<'a> {
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
    pub(in crate::index) fn find(&self, face: u64) -> Option<usize> {
        let above = face.checked_sub(self.0.base[0])?;
        self.0.above.binary_search(&u32::try_from(above).ok()?).ok()
    }

    /// The face in a row.
    pub(in crate::index) fn id(&self, row: usize) -> u64 {
        self.0.base[0] + u64::from(self.0.above[row])
    }

    /// Whether it is the very same as `other`, not just equal.
    pub(in crate::index) fn is(&self, other: &Segment) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(in crate::index) fn dimension(&self) -> usize {
        self.0.dimension
    }

    /// Bytes of the vectors, and of everything else.
    pub(in crate::index) fn memory(&self) -> (usize, usize) {
        let [vectors, rest @ ..] = self.columns();
        (vectors.len(), rest.iter().map(|column| column.len()).sum())
    }
}

impl Columns {
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
