//! How a model's sessions are set up on a provider.

use std::path::Path;

use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider as _, ExecutionProviderDispatch};
use ort::session::builder::PrepackedWeights;

use super::compiled::CompiledModels;
use crate::backend::options::{CudaOptions, OpenVinoOptions, Precision, Provider, SessionOptions, TensorRtOptions};

/// How one model's sessions are made; every session of a pool is made alike.
pub(super) struct Setup {
    pub(super) provider: Provider,
    pub(super) strict: bool,
    pub(super) precision: Precision,
    pub(super) threads: usize,
    /// Shared by the sessions of a pool, so that weights are repacked and kept once.
    pub(super) prepacked: PrepackedWeights,
    /// Where compiled models are kept, if they are.
    pub(super) compiled: Option<CompiledModels>,
    pub(super) notes: Vec<String>,
}

impl Setup {
    pub(super) fn new(provider: Provider, strict: bool, options: &SessionOptions) -> Self {
        Setup {
            provider,
            strict,
            precision: options.precision,
            threads: options.threads,
            prepacked: PrepackedWeights::new(),
            compiled: None,
            notes: Vec::new(),
        }
    }

    /// The provider, which keeps what it compiles in the folder `compiled`.
    pub(super) fn dispatch(&self, compiled: Option<&Path>) -> ExecutionProviderDispatch {
        let fast = self.precision == Precision::Fast;
        match &self.provider {
            Provider::Cpu(options) => ep::CPU::default().with_arena_allocator(options.arena).build(),
            Provider::OpenVino(options) => {
                let mut provider = ep::OpenVINO::default()
                    .with_device_type(&options.device)
                    .with_arbitrary_config("load_config", self.openvino_config(options));
                if let Some(folder) = compiled {
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

    pub(super) fn precision_name(&self) -> &'static str {
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
                // Its builder takes TF32 where the GPU has it.
                if self.tensorrt_fp16(options) { "fp16" } else { "tf32" }
            }
        }
    }

    pub(super) fn device(&self) -> String {
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
pub(super) fn cpu_has_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

fn with_extra<P: ep::ArbitrarilyConfigurableExecutionProvider>(provider: P, extra: &[(String, String)]) -> P {
    extra.iter().fold(provider, |provider, (key, value)| provider.with_arbitrary_config(key, value))
}
