//! The built-in runtime: pure Rust, nothing to install.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::prelude::*;
use rten_tensor::{Tensor, TensorView as RtenView};

use super::options::available_cpus;
use super::pool::Pool;
use super::{Backend, Outputs, Placement, Session, SessionOptions, TensorView, not_fast};
use crate::error::{Error, ErrorKind, Result, fail};
use crate::model::onnx::OnnxModel;
use crate::model::{ModelSource, PortInfo};

/// Runs models with `rten`.
pub(super) struct RtenBackend {
    notes: Vec<String>,
}

impl RtenBackend {
    /// A backend whose placements carry `notes` (why it serves in place of another).
    pub(super) fn with_notes(notes: Vec<String>) -> Self {
        RtenBackend { notes }
    }
}

impl Backend for RtenBackend {
    fn name(&self) -> &str {
        "rten"
    }

    fn load(&self, model: &ModelSource, options: &SessionOptions) -> Result<Box<dyn Session>> {
        let mut graph = OnnxModel::parse(model.bytes()).map_err(|error| error.context(model.name()))?;
        // rten insists on attributes that ONNX lets a file omit.
        let bytes = if graph.spell_out_defaults() { graph.encode() } else { model.bytes().to_vec() };
        let refused = |why: String| {
            Error::new(
                ErrorKind::ModelUnsupported,
                format!("the built-in runtime refuses {}: {why}; use ONNX Runtime for this model", model.name()),
            )
        };
        // rten 0.27 takes it for SAME_UPPER, which shifts everything behind the node by a pixel.
        if let Some(node) = graph.node_with("auto_pad", "SAME_LOWER") {
            return Err(refused(format!("node {node} pads with SAME_LOWER")));
        }
        let mut load_options = ModelOptions::with_all_ops();
        load_options.prepack_weights(true);
        let loaded = guarded(|| load_options.load(bytes)).map_err(refused)?;
        let loaded = loaded.map_err(|error| refused(error.to_string()).with_source(error))?;

        let (inputs, outputs) = (graph.inputs(), graph.outputs());
        let node = |port: &PortInfo| loaded.node_id(&port.name).map_err(|error| refused(error.to_string()));
        let input_nodes = inputs.iter().map(node).collect::<Result<_>>()?;
        let output_nodes = outputs.iter().map(node).collect::<Result<_>>()?;
        let threads = options.threads;
        let placement = Placement {
            runtime: "rten 0.27".into(),
            provider: "CPU".into(),
            device: "CPU".into(),
            precision: "f32".into(),
            threads,
            notes: self
                .notes
                .iter()
                .cloned()
                .chain(not_fast(options.precision, "f32", "the built-in runtime"))
                .collect(),
        };
        // rten's own pool counts physical cores and ignores cgroup quotas.
        let pools = Pool::new(thread_pool(threads), options.concurrency, move || Ok(thread_pool(threads)));
        Ok(Box::new(RtenSession { model: loaded, inputs, outputs, input_nodes, output_nodes, placement, pools }))
    }
}

/// Calls that take all CPUs share one pool, whichever model they run: with as many threads for each call they would get
/// in each other's way as soon as several callers are at work. Calls that take fewer get threads of their own.
fn thread_pool(threads: usize) -> Arc<ThreadPool> {
    static SHARED: OnceLock<Arc<ThreadPool>> = OnceLock::new();
    let make = || Arc::new(ThreadPool::with_num_threads(threads));
    if threads == available_cpus() && threads > 1 { SHARED.get_or_init(make).clone() } else { make() }
}

/// rten runs in a pool of rayon's. A worker of another such pool that waited for it would take up other
/// tasks meanwhile, with threads of this session still lent to it, and a task that wants the session too
/// would then wait for itself. A thread of no pool does nothing but wait.
fn outside_rayon<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if rayon::current_thread_index().is_none() {
        return work();
    }
    let done = std::thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Kernels of another crate on a file from anywhere: should one panic, it must not take the caller with it.
fn guarded<R>(work: impl FnOnce() -> R) -> std::result::Result<R, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        format!("it panicked: {}", text.unwrap_or("no message"))
    })
}

struct RtenSession {
    model: Model,
    inputs: Vec<PortInfo>,
    outputs: Vec<PortInfo>,
    input_nodes: Vec<NodeId>,
    output_nodes: Vec<NodeId>,
    placement: Placement,
    /// The model may run in many threads at once; each call brings its own threads, or shares those of all (`thread_pool`).
    pools: Pool<Arc<ThreadPool>>,
}

impl Session for RtenSession {
    fn inputs(&self) -> &[PortInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[PortInfo] {
        &self.outputs
    }

    fn placement(&self) -> &Placement {
        &self.placement
    }

    fn run(&self, inputs: &[TensorView<'_>], outputs: &mut Outputs) -> Result<()> {
        let failed = |why: String| Error::new(ErrorKind::Inference, format!("the built-in runtime failed: {why}"));
        let mut values = Vec::with_capacity(inputs.len());
        for (tensor, node) in inputs.iter().zip(&self.input_nodes) {
            let view = RtenView::try_from_data(tensor.shape, tensor.data).map_err(|error| failed(error.to_string()))?;
            values.push((*node, view.into()));
        }
        let run = || {
            self.pools.with(|pool| {
                let mut options = RunOptions::default();
                options.thread_pool = Some(pool.clone());
                let results = guarded(|| self.model.run(values, &self.output_nodes, Some(options))).map_err(failed)?;
                results.map_err(|error| failed(error.to_string()).with_source(error))
            })
        };
        let results = outside_rayon(run)?;
        for ((value, port), tensor) in results.into_iter().zip(&self.outputs).zip(outputs.prepare(self.outputs.len())) {
            let Ok(result): std::result::Result<Tensor<f32>, _> = Value::try_into(value) else {
                fail!(Inference, "the built-in runtime gave an output {port} that is not f32");
            };
            tensor.assign(result.shape().iter().copied(), &result.to_vec());
        }
        Ok(())
    }
}
