//! Rows from several places that become a segment: in memory, or written out without being there a second time.

use std::io::{Result, Write};

use super::codes::{Step, stride};
use super::column::Column;
use super::rows::Rows;
use super::segment::{Columns, Segment, Spot};
use crate::index::kernels::{GROUP_ROWS, Group};

/// Live rows in the order of their ids.
pub(super) struct Gathered<'a> {
    dimension: usize,
    rows: Vec<Rows<'a>>,
    spots: Vec<(u64, Spot)>,
}

/// Those of them that make up a segment: at least one, and ids that span less than 2^32.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    dimension: usize,
    rows: &'a [Rows<'a>],
    spots: &'a [(u64, Spot)],
}

impl<'a> Gathered<'a> {
    pub fn new(dimension: usize, rows: impl Iterator<Item = Rows<'a>>) -> Self {
        let rows: Vec<Rows<'a>> = rows.collect();
        let live = |(part, rows): (usize, &Rows<'a>)| {
            let rows = *rows;
            let live = (0..rows.len()).filter(move |row| rows.is_live(*row));
            live.map(move |row| (rows.id(row), (part, row)))
        };
        let mut spots: Vec<(u64, Spot)> = rows.iter().enumerate().flat_map(live).collect();
        spots.sort_unstable();
        Gathered { dimension, rows, spots }
    }

    /// One segment, or several if the ids are too far apart for one, or none without rows.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let mut rest = self.spots.as_slice();
        std::iter::from_fn(move || {
            let (base, _) = *rest.first()?;
            let (spots, others) = rest.split_at(rest.partition_point(|spot| spot.0 - base <= u64::from(u32::MAX)));
            rest = others;
            Some(Part { dimension: self.dimension, rows: &self.rows, spots })
        })
    }
}

impl Part<'_> {
    /// The segment in memory.
    pub fn segment(&self) -> Segment {
        Segment::from(Columns {
            dimension: self.dimension,
            values: Column::joined(self.values(), self.spots.len() * self.dimension),
            codes: Column::joined(self.codes(), self.spots.len() * stride(self.dimension)),
            steps: self.steps().collect(),
            groups: self.groups().collect(),
            base: [self.base()].into_iter().collect(),
            above: self.above().collect(),
            owners: self.owners().collect(),
        })
    }

    /// Writes a column as [`Segment::columns`] describes it.
    pub fn write(&self, column: usize, out: &mut dyn Write) -> Result<()> {
        match column {
            0 => self.values().try_for_each(|values| out.write_all(bytemuck::cast_slice(values))),
            1 => self.codes().try_for_each(|codes| out.write_all(codes)),
            2 => self.steps().try_for_each(|step| out.write_all(bytemuck::bytes_of(&step))),
            3 => self.groups().try_for_each(|group| out.write_all(bytemuck::bytes_of(&group))),
            4 => out.write_all(bytemuck::bytes_of(&self.base())),
            5 => self.above().try_for_each(|above| out.write_all(bytemuck::bytes_of(&above))),
            _ => self.owners().try_for_each(|owner| out.write_all(bytemuck::bytes_of(&owner))),
        }
    }

    fn base(&self) -> u64 {
        self.spots[0].0
    }

    fn places(&self) -> impl Iterator<Item = (&Rows<'_>, usize)> {
        self.spots.iter().map(|&(_, (part, row))| (&self.rows[part], row))
    }

    fn values(&self) -> impl Iterator<Item = &[f32]> {
        self.places().map(|(rows, row)| rows.values(row))
    }

    fn codes(&self) -> impl Iterator<Item = &[u8]> {
        self.places().map(|(rows, row)| rows.codes(row))
    }

    fn steps(&self) -> impl Iterator<Item = Step> {
        self.places().map(|(rows, row)| rows.steps[row])
    }

    fn groups(&self) -> impl Iterator<Item = Group> {
        self.spots.chunks(GROUP_ROWS).map(|spots| {
            let mut group = Group::default();
            for (at, &(_, (part, row))) in spots.iter().enumerate() {
                for (words, word) in group.iter_mut().zip(self.rows[part].sketch(row)) {
                    words[at] = word;
                }
            }
            group
        })
    }

    fn above(&self) -> impl Iterator<Item = u32> {
        self.spots.iter().map(|spot| (spot.0 - self.base()) as u32)
    }

    fn owners(&self) -> impl Iterator<Item = u32> {
        self.places().map(|(rows, row)| rows.owners[row])
    }
}
