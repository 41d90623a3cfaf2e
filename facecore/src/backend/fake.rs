//! A backend for tests: ports as declared, outputs from a function, calls counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Backend, Outputs, Placement, Session, SessionOptions, TensorView};
use crate::error::Result;
use crate::model::{ModelSource, PortInfo};

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

    /// How often any of its sessions ran.
    pub fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
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
