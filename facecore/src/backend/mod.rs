//! Inference runtimes: one trait, one file per runtime, and the policy that chooses.
//!
//! This module knows nothing of faces. Tensors are dense `f32` in row-major order.

pub mod fake;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;
mod options;
#[cfg(any(feature = "onnxruntime", feature = "rten"))]
mod pool;
#[cfg(feature = "rten")]
mod rten;

use std::fmt;

#[cfg(feature = "onnxruntime")]
pub use onnxruntime::discovery::Looked;
pub use options::{
    CpuOptions, CudaOptions, OpenVinoOptions, Precision, Provider, ProviderRequest, Runtime, RuntimeOptions,
    SessionOptions, TensorRtOptions,
};

use crate::error::{Error, ErrorKind, Result, fail};
use crate::model::{ElementType, ModelSource, PortInfo};

/// An inference runtime.
pub trait Backend: Send + Sync {
    /// Its name, for reports.
    fn name(&self) -> &str;

    /// Makes a model ready to run.
    ///
    /// Errors with `ModelCorrupt`, `ModelUnsupported` or `ProviderUnavailable`.
    fn load(&self, model: &ModelSource, options: &SessionOptions) -> Result<Box<dyn Session>>;
}

/// A model ready to run. Any number of threads may call [`Session::run`] at once.
pub trait Session: Send + Sync {
    /// What must be given, in order.
    fn inputs(&self) -> &[PortInfo];

    /// What comes back, in order.
    fn outputs(&self) -> &[PortInfo];

    /// What really runs where.
    fn placement(&self) -> &Placement;

    /// Whether an input of another height or width costs much the first time, because the model is compiled for it.
    /// Callers then do well to come with few.
    fn compiles_shapes(&self) -> bool {
        false
    }

    /// Runs the model. `outputs` is overwritten; its memory is reused.
    ///
    /// Errors with `Inference`; the session stays usable.
    fn run(&self, inputs: &[TensorView<'_>], outputs: &mut Outputs) -> Result<()>;
}

/// A borrowed input.
#[derive(Debug, Clone, Copy)]
pub struct TensorView<'a> {
    /// The size of each dimension.
    pub shape: &'a [usize],
    /// As many values as the shape says.
    pub data: &'a [f32],
}

/// One output.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tensor {
    /// The size of each dimension.
    pub shape: Vec<usize>,
    /// As many values as the shape says.
    pub data: Vec<f32>,
}

/// The outputs of a run, in the order of [`Session::outputs`].
#[derive(Debug, Clone, Default)]
pub struct Outputs(Vec<Tensor>);

impl Outputs {
    /// No outputs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for `count` outputs and gives them to be overwritten.
    pub fn prepare(&mut self, count: usize) -> &mut [Tensor] {
        self.0.resize_with(count, Tensor::default);
        &mut self.0
    }

    /// Bytes of memory kept.
    pub(crate) fn memory(&self) -> usize {
        self.0.iter().map(|tensor| size_of::<f32>() * tensor.data.capacity()).sum()
    }
}

impl std::ops::Deref for Outputs {
    type Target = [Tensor];

    fn deref(&self) -> &[Tensor] {
        &self.0
    }
}

impl Tensor {
    /// Overwrites shape and values, keeping the memory.
    pub fn assign(&mut self, shape: impl IntoIterator<Item = usize>, data: &[f32]) {
        self.shape.clear();
        self.shape.extend(shape);
        self.data.clear();
        self.data.extend_from_slice(data);
    }
}

/// What really runs a model: reported, never assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Runtime and version, for example `onnxruntime 1.24.1` or `rten 0.27`.
    pub runtime: String,
    /// `CPU`, `OpenVINO`, `CUDA`, `TensorRT`.
    pub provider: String,
    /// The device within the provider, for example `CPU` or `GPU 0`.
    pub device: String,
    /// The arithmetic asked of the hardware: `f32`, `bf16`, `fp16`, `tf32`.
    pub precision: String,
    /// Threads of one call.
    pub threads: usize,
    /// Why something better was not taken, in the order of the attempts.
    pub notes: Vec<String>,
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.runtime, self.provider, self.precision)
    }
}

/// Makes `model` ready on the runtime that `options` ask for.
///
/// [`Runtime::Auto`] takes ONNX Runtime where one is found and loads the model, else the built-in
/// runtime, and says why in [`Placement::notes`]. A strict provider is never replaced.
pub fn open_session(model: &ModelSource, options: &RuntimeOptions) -> Result<Box<dyn Session>> {
    options.check()?;
    let session = match &options.runtime {
        Runtime::Custom(backend) => backend.load(model, &options.session)?,
        Runtime::OnnxRuntime => onnxruntime_session(model, options)?,
        Runtime::Rten => rten_session(model, options, Vec::new())?,
        Runtime::Auto => match onnxruntime_session(model, options) {
            Ok(session) => session,
            // A file that cannot be parsed stays unparsable, and a strict provider stays missing.
            Err(error) if error.kind() == ErrorKind::ModelCorrupt || !options.rten_may_serve() => return Err(error),
            Err(error) => rten_session(model, options, vec![format!("ONNX Runtime: {error}")]).map_err(|rten| {
                Error::new(rten.kind(), format!("{rten}; before that, ONNX Runtime failed: {error}"))
            })?,
        },
    };
    check_elements(model, session.inputs())?;
    check_elements(model, session.outputs())?;
    tracing::info!(model = model.name(), placement = %session.placement(), "model loaded");
    Ok(session)
}

/// What is noted where 16-bit arithmetic was asked for and `provider` does without.
#[cfg(any(feature = "onnxruntime", feature = "rten"))]
fn not_fast(asked: Precision, precision: &str, provider: &str) -> Option<String> {
    let missed = asked == Precision::Fast && precision == "f32";
    missed.then(|| format!("16-bit arithmetic was asked for, but {provider} computes in f32 here"))
}

/// facecore feeds and reads `f32` only.
fn check_elements(model: &ModelSource, ports: &[PortInfo]) -> Result<()> {
    match ports.iter().find(|port| port.element != ElementType::F32) {
        None => Ok(()),
        Some(port) => fail!(ModelMismatch, "{}: port {port} is not f32; export the model with f32 ports", model.name()),
    }
}

#[cfg(feature = "onnxruntime")]
fn onnxruntime_session(model: &ModelSource, options: &RuntimeOptions) -> Result<Box<dyn Session>> {
    let wanted = match &options.session.provider {
        ProviderRequest::Strict(provider) => Some(provider),
        _ => None,
    };
    onnxruntime::connect(options, wanted)?.load(model, &options.session)
}

#[cfg(not(feature = "onnxruntime"))]
fn onnxruntime_session(_: &ModelSource, _: &RuntimeOptions) -> Result<Box<dyn Session>> {
    fail!(RuntimeNotFound, "this build has no ONNX Runtime support; build it with feature `onnxruntime`")
}

#[cfg(feature = "rten")]
fn rten_session(model: &ModelSource, options: &RuntimeOptions, notes: Vec<String>) -> Result<Box<dyn Session>> {
    rten::RtenBackend::with_notes(notes).load(model, &options.session)
}

#[cfg(not(feature = "rten"))]
fn rten_session(_: &ModelSource, _: &RuntimeOptions, notes: Vec<String>) -> Result<Box<dyn Session>> {
    fail!(RuntimeNotFound, "this build has no built-in runtime (feature `rten`); {}", notes.join("; "))
}

/// What `doctor` reports of runtimes: where ONNX Runtime was looked for, what it offers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RuntimeReport {
    /// Version and path of the ONNX Runtime in use, or why there is none.
    pub onnxruntime: std::result::Result<String, String>,
    /// Each place looked at, and what was found.
    #[cfg(feature = "onnxruntime")]
    pub looked: Vec<Looked>,
    /// Provider name, and whether it is here or what is missing.
    pub providers: Vec<(String, std::result::Result<(), String>)>,
    /// The built-in runtime, if this build has it.
    pub builtin: Option<String>,
}

/// Looks for runtimes as [`Runtime::Auto`] would; loads ONNX Runtime if there is one.
pub fn report(options: &RuntimeOptions) -> RuntimeReport {
    let builtin = cfg!(feature = "rten").then(|| "rten 0.27 (CPU)".to_string());
    #[cfg(feature = "onnxruntime")]
    {
        let (onnxruntime, providers) = match onnxruntime::connect(options, None) {
            Ok(runtime) => (Ok(runtime.describe()), runtime.providers()),
            Err(error) => (Err(error.to_string()), Vec::new()),
        };
        RuntimeReport {
            onnxruntime,
            looked: onnxruntime::discovery::look(options.library.as_deref(), &options.look_first),
            providers,
            builtin,
        }
    }
    #[cfg(not(feature = "onnxruntime"))]
    {
        let _ = options;
        RuntimeReport { onnxruntime: Err("not built in".into()), providers: Vec::new(), builtin }
    }
}
