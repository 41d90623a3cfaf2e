//! What a caller may ask of a runtime.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::Backend;
use crate::error::{Result, fail};

/// Which runtime executes models.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Runtime {
    /// ONNX Runtime where one is found, else the built-in runtime.
    #[default]
    Auto,
    /// ONNX Runtime or an error.
    OnnxRuntime,
    /// The built-in pure-Rust runtime, which needs nothing installed.
    Rten,
    /// The caller's own.
    Custom(Arc<dyn Backend>),
}

impl Runtime {
    /// From the name used on the command line: `auto`, `onnxruntime`, `rten`.
    pub fn from_name(name: &str) -> Result<Runtime> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "auto" => Runtime::Auto,
            "onnxruntime" | "ort" => Runtime::OnnxRuntime,
            "rten" | "builtin" => Runtime::Rten,
            _ => fail!(InvalidArgument, "there is no runtime `{name}`; known are auto, onnxruntime, rten"),
        })
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Runtime::Auto => f.write_str("Auto"),
            Runtime::OnnxRuntime => f.write_str("OnnxRuntime"),
            Runtime::Rten => f.write_str("Rten"),
            Runtime::Custom(backend) => write!(f, "Custom({})", backend.name()),
        }
    }
}

/// How exactly models are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// 32-bit floating point; the same answer from run to run on the same machine and settings.
    #[default]
    Full,
    /// 16-bit floating point where the hardware is good at it, else as `Full`.
    Fast,
}

impl Precision {
    /// From `full` or `fast`.
    pub fn from_name(name: &str) -> Result<Precision> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "full" => Precision::Full,
            "fast" => Precision::Fast,
            _ => fail!(InvalidArgument, "there is no precision `{name}`; known are full and fast"),
        })
    }
}

/// Which of ONNX Runtime's providers executes a model.
#[derive(Debug, Clone, Default)]
pub enum ProviderRequest {
    /// The best that loads: CUDA; OpenVINO where [`Precision::Fast`] is asked for and the CPU computes in
    /// bf16; the CPU. TensorRT is not tried unasked, because it spends minutes building an engine. What was
    /// taken, and why, is in the placement.
    #[default]
    Auto,
    /// This provider for the whole model, or an error that names what is missing.
    Strict(Provider),
    /// The first of these that loads, else the CPU.
    Prefer(Vec<Provider>),
}

/// An execution provider of ONNX Runtime and its settings.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Provider {
    /// ONNX Runtime's own kernels.
    Cpu(CpuOptions),
    /// Intel's OpenVINO: CPUs (bf16 on AMX and AVX512-BF16), GPUs, NPUs.
    OpenVino(OpenVinoOptions),
    /// NVIDIA GPUs.
    Cuda(CudaOptions),
    /// NVIDIA GPUs with engines built for the model and the device.
    TensorRt(TensorRtOptions),
}

impl Provider {
    /// The provider called `name` with its default settings: `cpu`, `openvino`, `cuda`, `tensorrt`.
    pub fn from_name(name: &str) -> Result<Provider> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "cpu" => Provider::Cpu(CpuOptions::default()),
            "openvino" => Provider::OpenVino(OpenVinoOptions::default()),
            "cuda" => Provider::Cuda(CudaOptions::default()),
            "tensorrt" => Provider::TensorRt(TensorRtOptions::default()),
            _ => fail!(InvalidArgument, "there is no provider `{name}`; known are cpu, openvino, cuda, tensorrt"),
        })
    }

    /// The name shown in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Provider::Cpu(_) => "CPU",
            Provider::OpenVino(_) => "OpenVINO",
            Provider::Cuda(_) => "CUDA",
            Provider::TensorRt(_) => "TensorRT",
        }
    }
}

/// Settings of ONNX Runtime's own CPU kernels.
#[derive(Debug, Clone, PartialEq)]
pub struct CpuOptions {
    /// Keep freed memory in an arena: faster, but the process never shrinks. Default true.
    pub arena: bool,
    /// Session configuration entries, passed on as they are.
    pub extra: Vec<(String, String)>,
}

impl Default for CpuOptions {
    fn default() -> Self {
        CpuOptions { arena: true, extra: Vec::new() }
    }
}

/// Settings of the OpenVINO provider.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenVinoOptions {
    /// `CPU`, `GPU`, `GPU.1`, `NPU`. Default `CPU`.
    pub device: String,
    /// Compiled models are kept in this folder, each in one of its own by model, runtime, settings and CPU. What a
    /// crash or a disk did to them is found out, and they are compiled again; so is what a device other than the CPU
    /// compiled only after loading.
    pub cache_dir: Option<PathBuf>,
    /// Provider options, passed on as they are; they win over what facecore sets.
    pub extra: Vec<(String, String)>,
}

impl Default for OpenVinoOptions {
    fn default() -> Self {
        OpenVinoOptions { device: "CPU".into(), cache_dir: None, extra: Vec::new() }
    }
}

/// Settings of the CUDA provider.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CudaOptions {
    /// Which GPU, counted from 0.
    pub device: i32,
    /// Most bytes of GPU memory the arena may take.
    pub memory_limit: Option<usize>,
    /// Provider options, passed on as they are.
    pub extra: Vec<(String, String)>,
}

/// Settings of the TensorRT provider.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TensorRtOptions {
    /// Which GPU, counted from 0.
    pub device: i32,
    /// Compute in 16 bits; `None` follows the requested precision.
    pub fp16: Option<bool>,
    /// Engines are kept in this folder: building one takes minutes.
    pub engine_cache: Option<PathBuf>,
    /// Most bytes of GPU memory that engine building may take.
    pub workspace: Option<usize>,
    /// Provider options, passed on as they are.
    pub extra: Vec<(String, String)>,
}

/// How one model is set up.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Which provider of ONNX Runtime. The built-in runtime has the CPU only.
    pub provider: ProviderRequest,
    /// How exactly to compute.
    pub precision: Precision,
    /// Threads that one call uses, 1 or more. Default: the CPUs this process may use, cgroup quotas
    /// included; calls that take all share them. Use 1 where many calls run at once.
    pub threads: usize,
    /// How many calls may run at once, 1 or more; further callers wait. Default: the CPUs this process
    /// may use, but at least 2. Sessions are created when first needed.
    pub concurrency: usize,
}

impl Default for SessionOptions {
    fn default() -> Self {
        let cpus = available_cpus();
        SessionOptions {
            provider: ProviderRequest::Auto,
            precision: Precision::Full,
            threads: cpus,
            concurrency: cpus.max(2),
        }
    }
}

/// The CPUs this process may use: affinity and cgroup quota respected.
pub(crate) fn available_cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Which runtime, and how models are set up on it.
#[derive(Debug, Clone, Default)]
pub struct RuntimeOptions {
    /// Which runtime.
    pub runtime: Runtime,
    /// The ONNX Runtime library, or a folder that holds it. `None` looks in the usual places, which
    /// `facecore doctor` lists. A process can load only one.
    pub library: Option<PathBuf>,
    /// Folders to look for the ONNX Runtime library in before the usual places, such as those of the environment that
    /// the program runs in.
    pub look_first: Vec<PathBuf>,
    /// How each model is set up.
    pub session: SessionOptions,
}

impl RuntimeOptions {
    pub(super) fn check(&self) -> Result<()> {
        let SessionOptions { threads, concurrency, provider, .. } = &self.session;
        if !(1..=1024).contains(threads) || !(1..=1024).contains(concurrency) {
            fail!(InvalidArgument, "threads ({threads}) and concurrency ({concurrency}) must be 1 to 1024");
        }
        if let (Runtime::Rten, ProviderRequest::Strict(provider)) = (&self.runtime, provider)
            && !matches!(provider, Provider::Cpu(_))
        {
            fail!(
                ProviderUnavailable,
                "provider {} was required, but the built-in runtime has the CPU only; use the runtime `onnxruntime`, or allow fallback",
                provider.name()
            );
        }
        Ok(())
    }

    /// Whether the built-in runtime may stand in for ONNX Runtime: not for another device, and not for
    /// a library that was named.
    pub(super) fn rten_may_serve(&self) -> bool {
        let strict_device = match &self.session.provider {
            ProviderRequest::Strict(provider) => !matches!(provider, Provider::Cpu(_)),
            _ => false,
        };
        !strict_device && self.library.is_none()
    }
}
