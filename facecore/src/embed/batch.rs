//! Faces on their way through the model.
//!
//! Crops are cut, or copied, straight into the model's input. It runs whenever that is full, and once more at the end.

use std::time::{Duration, Instant};

use super::{Embedder, FlipAugmentation};
use crate::align::AlignedFace;
use crate::backend::{Outputs, TensorView};
use crate::error::{Result, fail};
use crate::geometry::Landmarks;
use crate::image::{ImageView, Place};
use crate::scratch::Memory;

/// Rows of one run, at most. More would cost memory (38 kB of `f32` a channel and face at 112 x 112)
/// and no longer gain speed.
const MAX_ROWS: usize = 32;

/// Rows of a run where the provider compiles for each number of them.
const COMPILED_ROWS: [usize; 4] = [1, 4, 16, MAX_ROWS];

/// Faces of one or many images. The memory is used again and again.
#[derive(Default)]
pub(crate) struct FaceBatch {
    /// Rows that wait for the model: a face each, or with its mirror image two.
    tensor: Vec<f32>,
    waiting: usize,
    /// Faces that were added.
    pushed: usize,
    /// Of every row that the model has seen, `columns` values.
    values: Vec<f32>,
    columns: usize,
    /// Of one face both rows together.
    sum: Vec<f32>,
    pixels: Vec<[u8; 4]>,
    outputs: Outputs,
    /// What the model took.
    took: Duration,
}

impl FaceBatch {
    /// Forgets all faces.
    pub(crate) fn clear(&mut self) {
        self.waiting = 0;
        self.pushed = 0;
        self.columns = 0;
        self.values.clear();
        self.took = Duration::ZERO;
    }

    /// How many faces were added.
    pub(crate) fn pushed(&self) -> usize {
        self.pushed
    }

    /// How long the model has worked at these faces.
    pub(crate) fn took(&self) -> Duration {
        self.took
    }

    /// How many values the model gives a row.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }
}

impl Memory for FaceBatch {
    fn bytes(&self) -> usize {
        size_of::<f32>() * (self.tensor.capacity() + self.values.capacity()) + self.outputs.memory()
    }
}

impl Embedder {
    /// Adds the face whose landmarks (pixels of the upright image) are given; runs the model if it is the last that
    /// fits.
    ///
    /// Errors as aligning and running do. After an error nothing can be added until the batch has been flushed and
    /// cleared.
    pub(crate) fn push(&self, batch: &mut FaceBatch, image: &ImageView<'_>, landmarks: &Landmarks) -> Result<()> {
        let (width, height) = self.spec.template.size;
        self.push_rows(batch, |planes, pixels| {
            self.aligner.rows(image, landmarks, pixels, |v, row| {
                self.values.put(row, Place { start: v * width, step: 1 }, width * height, planes);
            })
        })
    }

    /// As [`Embedder::push`], of a face that was cut out before.
    ///
    /// Errors with `DimensionMismatch` if the crop has another size than the template.
    pub(super) fn push_aligned(&self, batch: &mut FaceBatch, face: &AlignedFace) -> Result<()> {
        let (crop, (width, height)) = (face.image(), self.spec.template.size);
        if (crop.width(), crop.height()) != (width, height) {
            fail!(
                DimensionMismatch,
                "the model takes crops of {width} x {height} pixels, not {} x {}; align with its template {}",
                crop.width(),
                crop.height(),
                self.spec.template.name
            );
        }
        self.push_rows(batch, |planes, pixels| {
            for (v, row) in crop.pixels().chunks_exact(3 * width).enumerate() {
                pixels.clear();
                pixels.extend(row.as_chunks().0.iter().map(|&[red, green, blue]| [red, green, blue, 0]));
                self.values.put(pixels, Place { start: v * width, step: 1 }, width * height, planes);
            }
            Ok(())
        })
    }

    fn push_rows(
        &self,
        batch: &mut FaceBatch,
        fill: impl Fn(&mut [f32], &mut Vec<[u8; 4]>) -> Result<()>,
    ) -> Result<()> {
        let (width, height) = self.spec.template.size;
        let length = 3 * width * height;
        for view in 0..self.views() {
            let start = batch.waiting * length;
            if batch.tensor.len() < start + length {
                batch.tensor.resize(start + length, 0.0);
            }
            let planes = &mut batch.tensor[start..start + length];
            fill(planes, &mut batch.pixels)?;
            if view == 1 {
                planes.chunks_exact_mut(width).for_each(<[f32]>::reverse);
            }
            batch.waiting += 1;
            if batch.waiting == self.fixed_batch.unwrap_or(MAX_ROWS) {
                self.run(batch)?;
            }
        }
        batch.pushed += 1;
        Ok(())
    }

    /// Runs the model on the rows that wait. After an error they still wait.
    pub(crate) fn flush(&self, batch: &mut FaceBatch) -> Result<()> {
        if batch.waiting == 0 { Ok(()) } else { self.run(batch) }
    }

    fn run(&self, batch: &mut FaceBatch) -> Result<()> {
        let (width, height) = self.spec.template.size;
        let start = Instant::now();
        let FaceBatch { tensor, waiting, values, columns, outputs, took, .. } = batch;
        // A model of fixed batch gets its last batch filled up with zeros, and so does a provider that compiles for each
        // number of rows.
        let few = || COMPILED_ROWS.into_iter().find(|rows| rows >= waiting && self.session.compiles_shapes());
        let rows = self.fixed_batch.or_else(few).unwrap_or(*waiting);
        let length = 3 * width * height;
        tensor.resize(tensor.len().max(rows * length), 0.0);
        tensor[*waiting * length..rows * length].fill(0.0);
        let shape = [rows, 3, height, width];
        self.session.run(&[TensorView { shape: &shape, data: &tensor[..rows * length] }], outputs)?;
        let data = outputs.get(self.output).map_or(&[][..], |output| &output.data);
        *columns = data.len() / rows;
        if *columns * rows != data.len() || (self.model_dimension != 0 && *columns != self.model_dimension) {
            fail!(
                ModelOutput,
                "the model gave {} values for {rows} faces, {} a face were expected",
                data.len(),
                self.model_dimension
            );
        }
        values.extend_from_slice(&data[..*waiting * *columns]);
        *waiting = 0;
        *took += start.elapsed();
        Ok(())
    }

    /// How many faces have been through the model.
    pub(crate) fn finished(&self, batch: &FaceBatch) -> usize {
        batch.values.len() / (self.views() * batch.columns).max(1)
    }

    /// What the model says of a face that has been through it, by the order of pushing.
    pub(super) fn raw<'b>(&self, batch: &'b mut FaceBatch, face: usize) -> &'b [f32] {
        let FaceBatch { values, columns, sum, .. } = batch;
        // Rows of a face follow each other.
        let length = self.views() * *columns;
        let rows = &values[face * length..(face + 1) * length];
        if self.options.flip != FlipAugmentation::Sum {
            return rows;
        }
        let (plain, mirrored) = rows.split_at(*columns);
        sum.clear();
        sum.extend(plain.iter().zip(mirrored).map(|(plain, mirrored)| plain + mirrored));
        sum
    }

    /// Rows of a face.
    fn views(&self) -> usize {
        if self.options.flip == FlipAugmentation::None { 1 } else { 2 }
    }
}
