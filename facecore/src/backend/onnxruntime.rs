//! ONNX Runtime, loaded from a shared library when it is first needed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ort::environment::Environment;
use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider as _, ExecutionProvider as _, ExecutionProviderDispatch};
use ort::logging::LogLevel;
use ort::session::builder::{GraphOptimizationLevel, PrepackedWeights};
use ort::session::{Session as OrtSession, SessionInputValue};
use ort::value::TensorRef;

use super::options::{CpuOptions, CudaOptions, OpenVinoOptions, Precision, Provider, ProviderRequest, TensorRtOptions};
use super::pool::Pool;
use super::{Backend, Outputs, Placement, RuntimeOptions, Session, SessionOptions, TensorView, discovery, not_fast};
use crate::error::{Error, ErrorKind, Result, fail};
use crate::model::onnx::OnnxModel;
use crate::model::{ModelSource, PortInfo};

/// The library that this process has loaded. There can be only one environment in a process, so it is
/// the one piece of global state, kept until the process ends.
static LOADED: Mutex<Option<OnnxRuntime>> = Mutex::new(None);

/// ONNX Runtime, found and loaded.
#[derive(Clone)]
pub(super) struct OnnxRuntime {
    environment: Environment,
    library: PathBuf,
    version: String,
}

/// Loads ONNX Runtime from `explicit`, or from the first place of [`discovery::look`] that holds a usable one.
///
/// Where a provider is `wanted` strictly, libraries that have it come first.
///
/// Errors with `RuntimeNotFound` naming the places looked at, or `RuntimeInvalid` if what was found is
/// no runtime, is too old, or another library is loaded in this process already.
pub(super) fn connect(options: &RuntimeOptions, wanted: Option<&Provider>) -> Result<OnnxRuntime> {
    let explicit = options.library.as_deref();
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = &*loaded {
        return runtime.clone().if_it_is(explicit);
    }
    let places = discovery::look(explicit, &options.look_first);
    let mut refused = Vec::new();
    let mut libraries: Vec<&PathBuf> = places.iter().flat_map(|place| &place.found).collect();
    libraries.sort_by_key(|library| !wanted.is_none_or(|provider| has_plugin(library, provider)));
    for library in libraries {
        match load(library) {
            Ok(runtime) => {
                tracing::info!(library = %library.display(), version = runtime.version, "ONNX Runtime loaded");
                return Ok(loaded.insert(runtime).clone());
            }
            Err(error) => refused.push(error),
        }
    }
    if let Some(first) = refused.into_iter().next() {
        return Err(first);
    }
    let looked: Vec<String> = places
        .iter()
        .map(|place| format!("{}: {}", place.place, place.missing.as_deref().unwrap_or("nothing")))
        .collect();
    fail!(
        RuntimeNotFound,
        "no ONNX Runtime library was found; install one (`pip install onnxruntime` in the active environment, or `make runtime`) or name its path. Looked at {}",
        looked.join("; ")
    );
}

fn load(library: &Path) -> Result<OnnxRuntime> {
    let invalid = |why: String| {
        Error::new(ErrorKind::RuntimeInvalid, format!("{} is no usable ONNX Runtime: {why}", library.display()))
    };
    let builder = ort::init_from(library).map_err(|error| invalid(error.to_string()))?;
    let environment = builder
        .with_name("facecore")
        .with_telemetry(false)
        .with_logger(Arc::new(log))
        .build()
        .map_err(|error| invalid(error.to_string()))?;
    environment.set_log_level(LogLevel::Warning);
    Ok(OnnxRuntime { environment, library: library.to_path_buf(), version: version_of(library) })
}

/// Sends what ONNX Runtime says to `tracing` instead of standard error. Its errors also come back as
/// errors, so that they are no news.
fn log(level: LogLevel, category: &str, _id: &str, location: &str, message: &str) {
    match level {
        LogLevel::Fatal | LogLevel::Error | LogLevel::Warning => tracing::debug!(category, location, "{message}"),
        LogLevel::Info | LogLevel::Verbose => tracing::trace!(category, location, "{message}"),
    }
}

/// The version in the library's real file name, which is where the runtime's releases carry it.
fn version_of(library: &Path) -> String {
    let real = std::fs::canonicalize(library).unwrap_or_else(|_| library.to_path_buf());
    let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let version: Vec<&str> = name.split('.').filter(|part| part.parse::<u32>().is_ok()).collect();
    if version.is_empty() { "(version unknown)".into() } else { version.join(".") }
}

impl OnnxRuntime {
    fn if_it_is(self, explicit: Option<&Path>) -> Result<Self> {
        let Some(wanted) = explicit else { return Ok(self) };
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let places = discovery::look(Some(wanted), &[]);
        if places.iter().flat_map(|place| &place.found).any(|path| real(path) == real(&self.library)) {
            return Ok(self);
        }
        fail!(
            RuntimeInvalid,
            "{} cannot be loaded: this process already uses {}, and can load only one ONNX Runtime",
            wanted.display(),
            self.library.display()
        );
    }

    /// Version and path.
    pub(super) fn describe(&self) -> String {
        format!("{} ({})", self.version, self.library.display())
    }

    /// Every provider facecore can use, and what is missing for it.
    pub(super) fn providers(&self) -> Vec<(String, std::result::Result<(), String>)> {
        every_provider()
            .iter()
            .map(|provider| (provider.name().to_string(), self.missing_for(provider).map_or(Ok(()), Err)))
            .collect()
    }

    /// What keeps `provider` from being used, as far as can be seen without loading it.
    fn missing_for(&self, provider: &Provider) -> Option<String> {
        let (built_in, package) = match provider {
            Provider::Cpu(_) => return None,
            Provider::OpenVino(_) => (ep::OpenVINO::is_available(), "onnxruntime-openvino"),
            Provider::Cuda(_) => (ep::CUDA::is_available(), "onnxruntime-gpu"),
            Provider::TensorRt(_) => (ep::TensorRT::is_available(), "onnxruntime-gpu"),
        };
        let plugin = plugin_of(provider);
        if !has_plugin(&self.library, provider) {
            return Some(format!(
                "{plugin} is not beside {}; install {package}, name a library that has it",
                self.library.display()
            ));
        }
        match built_in {
            Ok(true) => None,
            Ok(false) => Some(format!("{} was built without it; install {package}", self.library.display())),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Tries `providers` in order; the CPU is the last resort unless the request is strict.
    fn open(&self, model: &ModelSource, options: &SessionOptions) -> Result<(OrtSession, Setup)> {
        let strict = matches!(options.provider, ProviderRequest::Strict(_));
        let mut attempts = match &options.provider {
            ProviderRequest::Auto => automatic(options.precision),
            ProviderRequest::Strict(provider) => vec![provider.clone()],
            ProviderRequest::Prefer(providers) => providers.clone(),
        };
        if !strict && !attempts.iter().any(|provider| matches!(provider, Provider::Cpu(_))) {
            attempts.push(Provider::Cpu(CpuOptions::default()));
        }
        let asked_for = !matches!(options.provider, ProviderRequest::Auto);
        let mut notes = Vec::new();
        for provider in attempts {
            if let Some(missing) = self.missing_for(&provider) {
                if strict {
                    fail!(
                        ProviderUnavailable,
                        "provider {} was required, but {missing}, or allow fallback",
                        provider.name()
                    );
                }
                // With `Auto` nobody expects a GPU: what the build simply does not have is no news.
                if asked_for {
                    notes.push(format!("{}: {missing}", provider.name()));
                }
                continue;
            }
            let setup = Setup::new(provider, strict, options);
            match self.commit(model, &setup) {
                Ok(session) => {
                    notes.extend(not_fast(options.precision, setup.precision_name(), setup.provider.name()));
                    return Ok((session, Setup { notes, ..setup }));
                }
                Err(error) if matches!(setup.provider, Provider::Cpu(_)) => return Err(model_error(model, error)),
                Err(error) if strict => {
                    return Err(Error::new(
                        ErrorKind::ProviderUnavailable,
                        format!(
                            "provider {} was required, but it does not run {}: {error}",
                            setup.provider.name(),
                            model.name()
                        ),
                    )
                    .with_source(error));
                }
                Err(error) => notes.push(format!("{}: {error}", setup.provider.name())),
            }
        }
        fail!(ProviderUnavailable, "no provider was asked for")
    }

    fn commit(&self, model: &ModelSource, setup: &Setup) -> ort::Result<OrtSession> {
        let mut builder = OrtSession::builder(&self.environment)?
            .with_log_level(LogLevel::Error)?
            .with_optimization_level(GraphOptimizationLevel::Level3)?
            .with_intra_threads(setup.threads)?
            // Threads that spin after one model has run take the CPU from the next model.
            .with_intra_op_spinning(false)?
            .with_prepacked_weights(&setup.prepacked)?;
        if let Provider::Cpu(options) = &setup.provider {
            for (key, value) in &options.extra {
                builder = builder.with_config_entry(key, value)?;
            }
        } else if setup.strict {
            // Registering a provider strictly is not enough: nodes it does not take would go to the CPU unseen.
            builder = builder.with_disable_cpu_fallback()?;
        }
        builder = builder.with_execution_providers([setup.dispatch().error_on_failure()])?;
        builder.commit_from_memory(model.bytes())
    }
}

/// What is tried unasked. At f32 OpenVINO is no faster than ONNX Runtime's own kernels on the CPUs tried, and
/// slower where image sizes vary; its 16-bit arithmetic is what it is taken for.
fn automatic(precision: Precision) -> Vec<Provider> {
    let mut providers = vec![Provider::Cuda(CudaOptions::default())];
    if precision == Precision::Fast && cpu_has_bf16() {
        providers.push(Provider::OpenVino(OpenVinoOptions::default()));
    }
    providers
}

/// The file that a provider lives in, beside the runtime's own.
fn plugin_of(provider: &Provider) -> String {
    let name = provider.name().to_ascii_lowercase();
    format!("{}onnxruntime_providers_{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

fn has_plugin(library: &Path, provider: &Provider) -> bool {
    matches!(provider, Provider::Cpu(_)) || library.with_file_name(plugin_of(provider)).is_file()
}

fn every_provider() -> [Provider; 4] {
    [
        Provider::Cpu(CpuOptions::default()),
        Provider::OpenVino(OpenVinoOptions::default()),
        Provider::Cuda(CudaOptions::default()),
        Provider::TensorRt(TensorRtOptions::default()),
    ]
}

fn model_error(model: &ModelSource, error: ort::Error) -> Error {
    let kind = match error.code() {
        ort::ErrorCode::InvalidProtobuf => ErrorKind::ModelCorrupt,
        _ => ErrorKind::ModelUnsupported,
    };
    Error::new(kind, format!("ONNX Runtime refuses {}: {error}", model.name())).with_source(error)
}

/// How one model's sessions are made; every session of a pool is made alike.
struct Setup {
    provider: Provider,
    strict: bool,
    precision: Precision,
    threads: usize,
    /// Shared by the sessions of a pool, so that weights are repacked and kept once.
    prepacked: PrepackedWeights,
    notes: Vec<String>,
}

impl Setup {
    fn new(provider: Provider, strict: bool, options: &SessionOptions) -> Self {
        Setup {
            provider,
            strict,
            precision: options.precision,
            threads: options.threads,
            prepacked: PrepackedWeights::new(),
            notes: Vec::new(),
        }
    }

    fn dispatch(&self) -> ExecutionProviderDispatch {
        let fast = self.precision == Precision::Fast;
        match &self.provider {
            Provider::Cpu(options) => ep::CPU::default().with_arena_allocator(options.arena).build(),
            Provider::OpenVino(options) => {
                let mut provider = ep::OpenVINO::default()
                    .with_device_type(&options.device)
                    .with_arbitrary_config("load_config", self.openvino_config(options));
                if let Some(folder) = &options.cache_dir {
                    provider = provider.with_cache_dir(folder.display());
                }
                with_extra(provider, &options.extra).build()
            }
            Provider::Cuda(options) => {
                let mut provider = ep::CUDA::default().with_device_id(options.device).with_tf32(fast);
                if let Some(bytes) = options.memory_limit {
                    provider = provider.with_memory_limit(bytes);
                }
                with_extra(provider, &options.extra).build()
            }
            Provider::TensorRt(options) => {
                let mut provider = ep::TensorRT::default()
                    .with_device_id(options.device)
                    .with_fp16(self.tensorrt_fp16(options))
                    .with_engine_cache(options.engine_cache.is_some());
                if let Some(folder) = &options.engine_cache {
                    provider = provider.with_engine_cache_path(folder.display());
                }
                if let Some(bytes) = options.workspace {
                    provider = provider.with_max_workspace_size(bytes);
                }
                with_extra(provider, &options.extra).build()
            }
        }
    }

    fn tensorrt_fp16(&self, options: &TensorRtOptions) -> bool {
        options.fp16.unwrap_or(self.precision == Precision::Fast)
    }

    /// OpenVINO's own settings as JSON. The precision is always stated: its default on CPUs with AMX
    /// is bf16. Pinning is off, because it can put two one-thread sessions on one core.
    fn openvino_config(&self, options: &OpenVinoOptions) -> String {
        let device = options.device.split(['.', ':']).next().unwrap_or("CPU");
        let precision = self.precision_name();
        match device {
            "CPU" => format!(
                r#"{{"CPU":{{"INFERENCE_PRECISION_HINT":"{precision}","INFERENCE_NUM_THREADS":"{}","PERFORMANCE_HINT":"LATENCY","ENABLE_CPU_PINNING":"NO"}}}}"#,
                self.threads
            ),
            _ => format!(r#"{{"{device}":{{"INFERENCE_PRECISION_HINT":"{precision}","PERFORMANCE_HINT":"LATENCY"}}}}"#),
        }
    }

    fn precision_name(&self) -> &'static str {
        let fast = self.precision == Precision::Fast;
        match &self.provider {
            Provider::Cpu(_) => "f32",
            Provider::OpenVino(options) if options.device.starts_with("CPU") => {
                if fast && cpu_has_bf16() {
                    "bf16"
                } else {
                    "f32"
                }
            }
            Provider::OpenVino(_) => {
                if fast {
                    "f16"
                } else {
                    "f32"
                }
            }
            Provider::Cuda(_) => {
                if fast {
                    "tf32"
                } else {
                    "f32"
                }
            }
            Provider::TensorRt(options) => {
                if self.tensorrt_fp16(options) {
                    "fp16"
                } else {
                    "f32"
                }
            }
        }
    }

    fn device(&self) -> String {
        match &self.provider {
            Provider::Cpu(_) => "CPU".into(),
            Provider::OpenVino(options) => options.device.clone(),
            Provider::Cuda(CudaOptions { device, .. }) | Provider::TensorRt(TensorRtOptions { device, .. }) => {
                format!("GPU {device}")
            }
        }
    }
}

/// Every x86 CPU with AMX-BF16 has AVX512-BF16 as well.
fn cpu_has_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

fn with_extra<P: ep::ArbitrarilyConfigurableExecutionProvider>(provider: P, extra: &[(String, String)]) -> P {
    extra.iter().fold(provider, |provider, (key, value)| provider.with_arbitrary_config(key, value))
}

impl Backend for OnnxRuntime {
    fn name(&self) -> &str {
        "onnxruntime"
    }

    fn load(&self, model: &ModelSource, options: &SessionOptions) -> Result<Box<dyn Session>> {
        let graph = OnnxModel::parse(model.bytes()).map_err(|error| error.context(model.name()))?;
        let (first, setup) = self.open(model, options)?;
        let placement = Placement {
            runtime: format!("onnxruntime {}", self.version),
            provider: setup.provider.name().into(),
            device: setup.device(),
            precision: setup.precision_name().into(),
            threads: setup.threads,
            notes: setup.notes.clone(),
        };
        let (runtime, source) = (self.clone(), model.clone());
        let compiles_shapes = matches!(setup.provider, Provider::OpenVino(_) | Provider::TensorRt(_));
        let make: Arc<Make> =
            Arc::new(move || runtime.commit(&source, &setup).map_err(|error| model_error(&source, error)));
        let pools = ShapePools::new(first, options.concurrency, compiles_shapes, make);
        Ok(Box::new(PooledSession { inputs: graph.inputs(), outputs: graph.outputs(), placement, pools }))
    }
}

/// `ort` runs a session through `&mut`: callers get one each, as many as the options allow.
struct PooledSession {
    inputs: Vec<PortInfo>,
    outputs: Vec<PortInfo>,
    placement: Placement,
    pools: ShapePools,
}

type Make = dyn Fn() -> Result<OrtSession> + Send + Sync;

/// The sessions for one height and width.
type ShapePool = (Vec<usize>, Arc<Pool<OrtSession>>);

/// Sessions that have seen this many image sizes are kept.
const KEPT_SHAPES: usize = 6;

/// Sessions by the height and width of their input. OpenVINO and TensorRT compile for the shapes they see, and
/// a session that is given a detector's two passes in turn prepares itself anew at every call. Providers that
/// do not compile have one pool for all shapes.
struct ShapePools {
    by_shape: bool,
    /// The most recently used last.
    pools: Mutex<Vec<ShapePool>>,
    make: Arc<Make>,
    limit: usize,
}

impl ShapePools {
    fn new(first: OrtSession, limit: usize, by_shape: bool, make: Arc<Make>) -> Self {
        let pool = Arc::new(Self::pool(first, limit, &make));
        // The session made at load has seen no shape yet and serves the first one that comes.
        ShapePools { by_shape, pools: Mutex::new(vec![(Vec::new(), pool)]), make, limit }
    }

    fn pool(first: OrtSession, limit: usize, make: &Arc<Make>) -> Pool<OrtSession> {
        let make = make.clone();
        Pool::new(first, limit, move || make())
    }

    /// The sessions for an input of this shape.
    fn of(&self, inputs: &[TensorView<'_>]) -> Result<Arc<Pool<OrtSession>>> {
        let key = match inputs.first() {
            Some(input) if self.by_shape && input.shape.len() > 2 => input.shape[2..].to_vec(),
            _ => Vec::new(),
        };
        {
            let mut pools = self.lock();
            if let Some(at) = pools.iter().position(|(shape, _)| *shape == key || shape.is_empty()) {
                let (_, pool) = pools.remove(at);
                pools.push((key, pool.clone()));
                return Ok(pool);
            }
        }
        // Made outside the lock: compiling takes time, and other shapes need not wait for it.
        let pool = Arc::new(Self::pool((self.make)()?, self.limit, &self.make));
        let mut pools = self.lock();
        if let Some((_, made_meanwhile)) = pools.iter().find(|(shape, _)| *shape == key) {
            return Ok(made_meanwhile.clone());
        }
        pools.push((key, pool.clone()));
        if pools.len() > KEPT_SHAPES {
            pools.remove(0);
        }
        Ok(pool)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ShapePool>> {
        // The list is whole at every step.
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session for PooledSession {
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
        let failed = |error: ort::Error| {
            Error::new(ErrorKind::Inference, format!("ONNX Runtime failed: {error}")).with_source(error)
        };
        let values = inputs
            .iter()
            .zip(&self.inputs)
            .map(|(tensor, port)| {
                Ok((port.name.as_str(), TensorRef::from_array_view((tensor.shape, tensor.data))?.into()))
            })
            .collect::<ort::Result<Vec<(&str, SessionInputValue<'_>)>>>()
            .map_err(failed)?;
        self.pools.of(inputs)?.with(|session| {
            let results = session.run(values).map_err(failed)?;
            for (port, tensor) in self.outputs.iter().zip(outputs.prepare(self.outputs.len())) {
                let Some(value) = results.get(&port.name) else {
                    fail!(Inference, "ONNX Runtime gave no output {port}");
                };
                let (shape, data) = value.try_extract_tensor::<f32>().map_err(failed)?;
                tensor.assign(shape.iter().map(|&size| usize::try_from(size).unwrap_or(0)), data);
            }
            Ok(())
        })
    }
}
