//! Which models a recognizer, detector or embedder has, and how they run.

use std::ffi::c_char;

use facecore::backend::{CpuOptions, CudaOptions, OpenVinoOptions, TensorRtOptions};
use facecore::{
    DetectorKind, DetectorOptions, EmbedderKind, EmbedderOptions, Error, ErrorKind, FlipAugmentation, InputSize,
    ModelSource, Pack, Precision, Provider, ProviderRequest, Recognizer, RecognizerBuilder, Result, Runtime,
    RuntimeOptions,
};

use crate::handle::value;
use crate::image::{decode_options, facecore_decode_options};
use crate::input::{check_threshold, choice, optional_path, optional_text, read_options, slice, texts, versioned};
use crate::pack::{facecore_pack, open_pack};
use crate::packs::pack_policy;

/// ONNX Runtime where one is found, else the built-in runtime.
pub const FACECORE_RUNTIME_AUTO: i32 = 0;
/// ONNX Runtime or an error.
pub const FACECORE_RUNTIME_ONNXRUNTIME: i32 = 1;
/// The built-in runtime, which needs nothing installed.
pub const FACECORE_RUNTIME_BUILTIN: i32 = 2;

/// The best of ONNX Runtime's providers that loads.
pub const FACECORE_PROVIDER_AUTO: i32 = 0;
/// ONNX Runtime's own kernels.
pub const FACECORE_PROVIDER_CPU: i32 = 1;
/// Intel's OpenVINO.
pub const FACECORE_PROVIDER_OPENVINO: i32 = 2;
/// NVIDIA GPUs.
pub const FACECORE_PROVIDER_CUDA: i32 = 3;
/// NVIDIA GPUs, with engines built for the model and the device.
pub const FACECORE_PROVIDER_TENSORRT: i32 = 4;

/// 32-bit floating point; the same answer from run to run on the same machine and settings.
pub const FACECORE_PRECISION_FULL: i32 = 0;
/// 16-bit floating point where the hardware is good at it, else as `FACECORE_PRECISION_FULL`.
pub const FACECORE_PRECISION_FAST: i32 = 1;

/// Shrink the longer side to 640 pixels if it is longer, or as the smallest face to be found asks.
pub const FACECORE_INPUT_AUTO: i32 = 0;
/// Scale to fit into a width and height, padded to exactly that.
pub const FACECORE_INPUT_LETTERBOX: i32 = 1;
/// Do not scale.
pub const FACECORE_INPUT_NATIVE: i32 = 2;

/// Faces are embedded as they are.
pub const FACECORE_FLIP_NONE: i32 = 0;
/// The mirrored face is embedded too, and the embedding is the sum of both: somewhat better, at twice the cost.
pub const FACECORE_FLIP_SUM: i32 = 1;
/// The mirrored face is embedded too, and the embedding is both, one after the other: twice the dimension.
pub const FACECORE_FLIP_CONCAT: i32 = 2;

/// Which runtime executes models, and how. All zero is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_runtime_options {
    /// `sizeof(facecore_runtime_options)`.
    pub struct_size: usize,
    /// `FACECORE_RUNTIME_AUTO`, `FACECORE_RUNTIME_ONNXRUNTIME` or `FACECORE_RUNTIME_BUILTIN`.
    pub runtime: i32,
    /// `FACECORE_PROVIDER_AUTO` or another; one that is named runs the whole model, or loading fails and says what is
    /// missing.
    pub provider: i32,
    /// 1: where the provider does not load, the CPU serves instead.
    pub allow_fallback: i32,
    /// `FACECORE_PRECISION_FULL` or `FACECORE_PRECISION_FAST`.
    pub precision: i32,
    /// Threads that one call uses, 1 to 1024; 0 stands for the CPUs this process may use. Use 1 where many calls run at
    /// once.
    pub threads: usize,
    /// How many calls may run at once, 1 to 1024; further callers wait. 0 stands for the CPUs this process may use, but
    /// at least 2.
    pub concurrency: usize,
    /// The ONNX Runtime library, or a folder that holds it; NULL looks in the usual places, which
    /// `facecore_runtime_report` lists. A process can load only one.
    pub library: *const c_char,
    /// For OpenVINO its device: `CPU` (NULL), `GPU`, `GPU.1`, `NPU`.
    pub openvino_device: *const c_char,
    /// For CUDA and TensorRT which GPU, counted from 0.
    pub gpu: i32,
    /// For OpenVINO and TensorRT a folder in which compiled models are kept; NULL keeps none.
    pub cache_folder: *const c_char,
    /// For CUDA the most bytes of GPU memory; 0 sets no limit.
    pub gpu_memory: usize,
    /// Further settings of the provider that was named, passed on as they are: `setting_count` names, and as many
    /// values. They need a provider.
    pub setting_names: *const *const c_char,
    /// The values of the settings.
    pub setting_values: *const *const c_char,
    /// How many settings there are.
    pub setting_count: usize,
}

/// What a detector looks for, and how thoroughly. All zero is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_detector_options {
    /// `sizeof(facecore_detector_options)`.
    pub struct_size: usize,
    /// Faces scored lower are not reported, 0 to 1; 0 takes the model's usual threshold.
    pub score_threshold: f32,
    /// Of two boxes that overlap more than this (intersection over union, 0 to 1) the better stays; 0 takes the model's
    /// usual value.
    pub nms_iou: f32,
    /// Report at most this many faces, the best; 0 reports all.
    pub max_faces: usize,
    /// Length in pixels of the image of the smallest face to be found: chooses how far the image may be shrunk. Only for
    /// models that take any size. 0 shrinks as `input_size` says.
    pub smallest_face: f32,
    /// How the image is scaled: `FACECORE_INPUT_AUTO`, `FACECORE_INPUT_LETTERBOX` or `FACECORE_INPUT_NATIVE`.
    pub input_size: i32,
    /// Width to fit into, with `FACECORE_INPUT_LETTERBOX`.
    pub letterbox_width: usize,
    /// Height to fit into, with `FACECORE_INPUT_LETTERBOX`.
    pub letterbox_height: usize,
    /// 1 leaves out the second look at a coarse copy of the image, which finds faces that fill the frame; it is taken where
    /// the first look finds nobody or leaves it open whether there is one.
    pub no_close_ups: i32,
    /// 0.
    pub reserved: i32,
}

/// Which models a recognizer, detector or embedder has, and how they run. Name a pack, or single files, or both: then the
/// files win over the pack's. All else that is 0 or NULL is the default. Nothing is kept of what the pointers point to.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_options {
    /// `sizeof(facecore_options)`.
    pub struct_size: usize,
    /// A folder with `pack.toml`, the name of an installed pack, or `FACECORE_LITE`.
    pub pack: *const c_char,
    /// A pack that was opened before, in place of `pack`.
    pub opened_pack: *const facecore_pack,
    /// A bare ONNX file that detects faces.
    pub detector: *const c_char,
    /// The content of such a file, in place of `detector`; it is copied.
    pub detector_bytes: *const u8,
    /// How many bytes `detector_bytes` has.
    pub detector_len: usize,
    /// Its kind, `scrfd` or `yunet`; NULL finds it by the model's ports.
    pub detector_kind: *const c_char,
    /// A bare ONNX file that embeds faces.
    pub embedder: *const c_char,
    /// The content of such a file, in place of `embedder`; it is copied.
    pub embedder_bytes: *const u8,
    /// How many bytes `embedder_bytes` has.
    pub embedder_len: usize,
    /// Its kind, `arcface`, `adaface`, `sface` or `mobilefacenet`; NULL finds it by the file's name, so that it must be
    /// said of `embedder_bytes`.
    pub embedder_kind: *const c_char,
    /// `FACECORE_FLIP_NONE`, `FACECORE_FLIP_SUM` or `FACECORE_FLIP_CONCAT`. Embeddings made with another setting are not
    /// comparable.
    pub flip: i32,
    /// 1 takes `threshold`, 0 the model's.
    pub has_threshold: i32,
    /// The cosine, -1 to 1, from which on two faces are taken for the same person.
    pub threshold: f32,
    /// 1: sessions of one thread each and as many photos at once as there were threads, the best use of the CPUs where
    /// many photos are worked at, or many callers share the recognizer.
    pub many_photos: i32,
    /// Which packs are let in: `FACECORE_POLICY_ANY` or `FACECORE_POLICY_COMMERCIAL`. Single files are not asked for a
    /// licence.
    pub pack_policy: i32,
    /// Which runtime; NULL is the default.
    pub runtime: *const facecore_runtime_options,
    /// What to look for; NULL is the default.
    pub detection: *const facecore_detector_options,
    /// How picture files are decoded; NULL is the default.
    pub decoding: *const facecore_decode_options,
}

versioned!(facecore_runtime_options, facecore_detector_options, facecore_options);

fn some<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

fn invalid<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

pub(crate) unsafe fn runtime_options(options: *const facecore_runtime_options) -> Result<RuntimeOptions> {
    let options = read_options(options)?;
    let runtimes = [Runtime::Auto, Runtime::OnnxRuntime, Runtime::Rten];
    let mut runtime = RuntimeOptions {
        runtime: choice(options.runtime, &runtimes, "runtime")?,
        library: optional_path(options.library, "library")?.map(Into::into),
        ..RuntimeOptions::default()
    };
    let session = &mut runtime.session;
    session.precision = choice(options.precision, &[Precision::Full, Precision::Fast], "precision")?;
    session.threads = some(options.threads).unwrap_or(session.threads);
    session.concurrency = some(options.concurrency).unwrap_or(session.concurrency);
    session.provider = match (provider(&options)?, options.allow_fallback) {
        (None, _) => ProviderRequest::Auto,
        (Some(provider), 0) => ProviderRequest::Strict(provider),
        (Some(provider), _) => ProviderRequest::Prefer(vec![provider]),
    };
    Ok(runtime)
}

unsafe fn provider(options: &facecore_runtime_options) -> Result<Option<Provider>> {
    let names = texts(options.setting_names, options.setting_count, "names of the settings")?;
    let values = texts(options.setting_values, options.setting_count, "values of the settings")?;
    let extra: Vec<_> = names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect();
    let cache = optional_path(options.cache_folder, "cache folder")?.map(Into::into);
    // Whoever sets something wants it to count.
    let (openvino, cuda) = (FACECORE_PROVIDER_OPENVINO, FACECORE_PROVIDER_CUDA);
    let set: [(&str, bool, &[i32]); 4] = [
        ("openvino_device", !options.openvino_device.is_null(), &[openvino]),
        ("gpu", options.gpu != 0, &[cuda, FACECORE_PROVIDER_TENSORRT]),
        ("cache_folder", !options.cache_folder.is_null(), &[openvino, FACECORE_PROVIDER_TENSORRT]),
        ("gpu_memory", options.gpu_memory != 0, &[cuda]),
    ];
    if let Some((field, ..)) = set.iter().find(|(_, set, providers)| *set && !providers.contains(&options.provider)) {
        return invalid(format!("{field} means nothing to the provider {}: name one that it is for", options.provider));
    }
    Ok(match options.provider {
        FACECORE_PROVIDER_AUTO if !extra.is_empty() => return invalid("settings need a provider: name it"),
        FACECORE_PROVIDER_AUTO => None,
        FACECORE_PROVIDER_CPU => Some(Provider::Cpu(CpuOptions { extra, ..CpuOptions::default() })),
        FACECORE_PROVIDER_OPENVINO => {
            let mut openvino = OpenVinoOptions { cache_dir: cache, extra, ..OpenVinoOptions::default() };
            if let Some(device) = optional_text(options.openvino_device, "device of OpenVINO")? {
                openvino.device = device.to_owned();
            }
            Some(Provider::OpenVino(openvino))
        }
        FACECORE_PROVIDER_CUDA => {
            Some(Provider::Cuda(CudaOptions { device: options.gpu, memory_limit: some(options.gpu_memory), extra }))
        }
        FACECORE_PROVIDER_TENSORRT => Some(Provider::TensorRt(TensorRtOptions {
            device: options.gpu,
            engine_cache: cache,
            extra,
            ..TensorRtOptions::default()
        })),
        other => return invalid(format!("the provider is {other}; it is one of the constants 0 to 4")),
    })
}

pub(crate) unsafe fn detector_options(options: *const facecore_detector_options) -> Result<DetectorOptions> {
    let options = read_options(options)?;
    if options.reserved != 0 {
        return invalid("reserved of facecore_detector_options is 0, so that it can get a meaning");
    }
    let letterbox = InputSize::Letterbox(options.letterbox_width, options.letterbox_height);
    let sizes = [InputSize::Auto, letterbox, InputSize::Native];
    Ok(DetectorOptions {
        score_threshold: some(options.score_threshold),
        nms_iou: some(options.nms_iou),
        max_faces: some(options.max_faces),
        smallest_face: some(options.smallest_face),
        input_size: choice(options.input_size, &sizes, "input size")?,
        close_ups: options.no_close_ups == 0,
    })
}

/// A builder with everything that `options` say.
pub(crate) unsafe fn builder(options: *const facecore_options) -> Result<RecognizerBuilder> {
    builder_of(&read_options(options)?)
}

unsafe fn builder_of(options: &facecore_options) -> Result<RecognizerBuilder> {
    let flips = [FlipAugmentation::None, FlipAugmentation::Sum, FlipAugmentation::Concat];
    check_threshold(options.has_threshold, options.threshold)?;
    let threshold = (options.has_threshold != 0).then_some(options.threshold);
    let mut builder = Recognizer::builder()
        .runtime(runtime_options(options.runtime)?)
        .detector_options(detector_options(options.detection)?)
        .decode_options(decode_options(options.decoding)?)
        .pack_policy(pack_policy(options.pack_policy)?)
        .embedder_options(EmbedderOptions { flip: choice(options.flip, &flips, "flip")?, threshold });
    if let Some(pack) = chosen_pack(options)? {
        builder = builder.opened_pack(pack);
    }
    if let Some(model) = model("detector", options.detector_bytes, options.detector_len)? {
        builder = builder.detector_model(model);
    } else if let Some(file) = optional_path(options.detector, "detector")? {
        builder = builder.detector(file);
    }
    if let Some(kind) = optional_text(options.detector_kind, "kind of the detector")? {
        builder = builder.detector_kind(DetectorKind::from_name(kind)?);
    }
    if let Some(model) = model("embedder", options.embedder_bytes, options.embedder_len)? {
        builder = builder.embedder_model(model);
    } else if let Some(file) = optional_path(options.embedder, "embedder")? {
        builder = builder.embedder(file);
    }
    if let Some(kind) = optional_text(options.embedder_kind, "kind of the embedder")? {
        builder = builder.embedder_kind(EmbedderKind::from_name(kind)?);
    }
    Ok(if options.many_photos == 0 { builder } else { builder.for_many_photos() })
}

unsafe fn chosen_pack(options: &facecore_options) -> Result<Option<Pack>> {
    if !options.opened_pack.is_null() {
        return value(options.opened_pack).map(|pack| Some(pack.pack().clone()));
    }
    if options.pack.is_null() { Ok(None) } else { open_pack(options.pack).map(Some) }
}

unsafe fn model(name: &str, bytes: *const u8, len: usize) -> Result<Option<ModelSource>> {
    if bytes.is_null() && len == 0 {
        return Ok(None);
    }
    Ok(Some(ModelSource::from_bytes(name, slice(bytes, len, name)?)))
}

/// The options with another pack named, as the functions that take one by itself have them.
pub(crate) unsafe fn with_pack(pack: *const c_char, options: *const facecore_options) -> Result<RecognizerBuilder> {
    let pack = open_pack(pack)?;
    let options = facecore_options { pack: std::ptr::null(), opened_pack: std::ptr::null(), ..read_options(options)? };
    Ok(builder_of(&options)?.opened_pack(pack))
}
