//! ONNX Runtime, loaded from a shared library when it is first needed.

mod compiled;
pub(super) mod discovery;
mod sessions;
mod setup;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::{Environment, GlobalThreadPoolOptions};
use ort::ep::{self, ExecutionProvider as _};
use ort::logging::LogLevel;
use ort::session::Session as OrtSession;
use ort::session::builder::GraphOptimizationLevel;

use self::compiled::CompiledModels;
use self::sessions::{Make, PooledSession};
use self::setup::{Setup, cpu_has_bf16};
use super::options::{
    CpuOptions, CudaOptions, OpenVinoOptions, Precision, Provider, ProviderRequest, TensorRtOptions, available_cpus,
};
use super::{Backend, Placement, RuntimeOptions, Session, SessionOptions, not_fast};
use crate::error::{Error, ErrorKind, Result, fail};
use crate::model::ModelSource;
use crate::model::onnx::OnnxModel;

/// The library that this process has loaded. There can be only one environment in a process, so it is
/// the one piece of global state, kept until the process ends.
static LOADED: Mutex<Option<OnnxRuntime>> = Mutex::new(None);

/// ONNX Runtime, found and loaded.
#[derive(Clone)]
pub(super) struct OnnxRuntime {
    environment: Environment,
    library: PathBuf,
    version: String,
    /// Threads of the pool that sessions share, the caller's included.
    shared_threads: usize,
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
    let shared_threads = available_cpus();
    // Threads that spin after one model has run take the CPU from the next model.
    let pool = GlobalThreadPoolOptions::default().with_intra_threads(shared_threads);
    let pool = pool
        .and_then(|pool| pool.with_inter_threads(1)?.with_spin_control(false))
        .map_err(|error| invalid(error.to_string()))?;
    let environment = builder
        .with_name("facecore")
        .with_telemetry(false)
        .with_global_thread_pool(pool)
        .with_logger(Arc::new(log))
        .build()
        .map_err(|error| invalid(error.to_string()))?;
    environment.set_log_level(LogLevel::Warning);
    Ok(OnnxRuntime { environment, library: library.to_path_buf(), version: version_of(library), shared_threads })
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
            let mut setup = Setup::new(provider, strict, options);
            notes.extend(self.keep_compiled(model, &mut setup));
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

    /// Finds the folder for compiled models, if they are to be kept; or tells why they are not.
    fn keep_compiled(&self, model: &ModelSource, setup: &mut Setup) -> Option<String> {
        let Provider::OpenVino(OpenVinoOptions { cache_dir: Some(root), extra, .. }) = &setup.provider else {
            return None;
        };
        // The version is that of ONNX Runtime; the plugin's size tells builds with another OpenVINO apart.
        let plugin = self.library.with_file_name(plugin_of(&setup.provider));
        let size = std::fs::metadata(plugin).map_or(0, |plugin| plugin.len());
        let (device, precision, threads) = (setup.device(), setup.precision_name(), setup.threads);
        let made_by = format!("{} {size} {device} {precision} {threads} {extra:?}", self.version);
        match CompiledModels::open(root, model, &made_by) {
            Ok(compiled) => {
                setup.compiled = Some(compiled);
                None
            }
            Err(error) => Some(format!("compiled models are not kept in {}: {error}", root.display())),
        }
    }

    fn commit(&self, model: &ModelSource, setup: &Setup) -> ort::Result<OrtSession> {
        let Some(compiled) = &setup.compiled else { return self.commit_with(model, setup, None) };
        let folder = compiled.folder();
        compiled.guarded(|| self.commit_with(model, setup, Some(folder))).unwrap_or_else(|error| {
            // It could be used when the model was loaded; what it would have saved is time.
            tracing::warn!(folder = %folder.display(), %error, "a model is compiled without its folder");
            self.commit_with(model, setup, None)
        })
    }

    /// Makes a session, which keeps what it compiles in the folder `compiled`.
    fn commit_with(&self, model: &ModelSource, setup: &Setup, compiled: Option<&Path>) -> ort::Result<OrtSession> {
        let mut builder = OrtSession::builder(&self.environment)?
            .with_log_level(LogLevel::Error)?
            .with_optimization_level(GraphOptimizationLevel::Level3)?
            .with_prepacked_weights(&setup.prepacked)?;
        // Whoever takes all CPUs takes the shared pool: sessions that each had as many threads of their own would get in
        // each other's way as soon as several callers are at work.
        if setup.threads != self.shared_threads {
            builder = builder
                .with_independent_thread_pool()?
                .with_intra_threads(setup.threads)?
                .with_intra_op_spinning(false)?;
        }
        if let Provider::Cpu(options) = &setup.provider {
            for (key, value) in &options.extra {
                builder = builder.with_config_entry(key, value)?;
            }
        } else if setup.strict {
            // Registering a provider strictly is not enough: nodes it does not take would go to the CPU unseen.
            builder = builder.with_disable_cpu_fallback()?;
        }
        builder = builder.with_execution_providers([setup.dispatch(compiled).error_on_failure()])?;
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
        let (inputs, outputs) = (graph.inputs(), graph.outputs());
        Ok(Box::new(PooledSession::new(inputs, outputs, placement, first, options.concurrency, compiles_shapes, make)))
    }
}
