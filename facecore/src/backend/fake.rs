//! A backend for tests: ports as declared, outputs from a function, calls counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Backend, Outputs, Placement, Session, SessionOptions, TensorView};
use crate::error::Result;
use crate::model::{ElementType, ModelSource, PortInfo};

type Compute = dyn Fn(&[TensorView<'_>], &mut Outputs) -> Result<()> + Send + Sync;

/// Runs a function in place of every model.
#[derive(Clone)]
pub struct FakeBackend {
    inputs: Vec<PortInfo>,
    outputs: Vec<PortInfo>,
    compute: Arc<Compute>,
    runs: Arc<AtomicUsize>,
}

impl FakeBackend {
    /// A backend whose every model has these ports and computes `compute`.
    pub fn new(
        inputs: Vec<PortInfo>,
        outputs: Vec<PortInfo>,
        compute: impl Fn(&[TensorView<'_>], &mut Outputs) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        FakeBackend { inputs, outputs, compute: Arc::new(compute), runs: Arc::default() }
    }

    /// A detector with SCRFD's ports that finds so many small faces, at most 16, in any image of 256 x 256 pixels.
    pub fn scrfd(faces: usize) -> Self {
        /// Columns of scores, boxes and points at the strides 8, 16 and 32; a cell has two anchors.
        const WIDTHS: [usize; 9] = [1, 1, 1, 4, 4, 4, 10, 10, 10];
        let outputs = (0..9).map(|at| port(&format!("out{at}"), &[None, Some(WIDTHS[at])])).collect();
        FakeBackend::new(vec![port("input", &[Some(1), Some(3), None, None])], outputs, move |inputs, outputs| {
            let cells = inputs[0].shape[2] * inputs[0].shape[3];
            for (at, (tensor, width)) in outputs.prepare(9).iter_mut().zip(WIDTHS).enumerate() {
                let rows = cells / (64 << (2 * (at % 3))) * 2;
                tensor.data.clear();
                tensor.data.resize(rows * width, 0.0);
                // Faces two strides wide, far enough apart, from the cells of the first stride.
                for row in (0..faces).map(|face| face * 8).filter(|_| at % 3 == 0) {
                    let value = [0.9, 1.0, 0.0][at / 3];
                    let points = [-0.5, -0.5, 0.5, -0.5, 0.0, 0.0, -0.4, 0.5, 0.4, 0.5];
                    let cells = tensor.data[row * width..][..width].iter_mut();
                    for (cell, point) in cells.zip(points) {
                        *cell = if width == 10 { point } else { value };
                    }
                }
                tensor.shape.clear();
                tensor.shape.extend([rows, width]);
            }
            Ok(())
        })
    }

    /// An embedder of crops of 112 x 112 pixels whose embeddings have `dimension` values, whatever the crop shows.
    pub fn embedder(dimension: usize) -> Self {
        let input = port("input", &[None, Some(3), Some(112), Some(112)]);
        FakeBackend::new(vec![input], vec![port("output", &[None, Some(dimension)])], move |inputs, outputs| {
            let count = inputs[0].shape[0];
            let output = &mut outputs.prepare(1)[0];
            output.assign([count, dimension], &[]);
            output.data.extend((0..count * dimension).map(|at| (at % 97) as f32 + 1.0));
            Ok(())
        })
    }

    /// How often any of its sessions ran.
    pub fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

fn port(name: &str, shape: &[Option<usize>]) -> PortInfo {
    PortInfo { name: name.into(), element: ElementType::F32, shape: shape.to_vec() }
}

impl Backend for FakeBackend {
    fn name(&self) -> &str {
        "fake"
    }

    fn load(&self, _: &ModelSource, options: &SessionOptions) -> Result<Box<dyn Session>> {
        let placement = Placement {
            runtime: "fake".into(),
            provider: "CPU".into(),
            device: "CPU".into(),
            precision: "f32".into(),
            threads: options.threads,
            notes: Vec::new(),
        };
        Ok(Box::new(FakeSession { backend: self.clone(), placement }))
    }
}

struct FakeSession {
    backend: FakeBackend,
    placement: Placement,
}

impl Session for FakeSession {
    fn inputs(&self) -> &[PortInfo] {
        &self.backend.inputs
    }

    fn outputs(&self) -> &[PortInfo] {
        &self.backend.outputs
    }

    fn placement(&self) -> &Placement {
        &self.placement
    }

    fn run(&self, inputs: &[TensorView<'_>], outputs: &mut Outputs) -> Result<()> {
        self.backend.runs.fetch_add(1, Ordering::SeqCst);
        (self.backend.compute)(inputs, outputs)
    }
}
