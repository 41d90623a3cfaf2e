//! What really runs a model.

use std::ffi::{CString, c_char};

use facecore::Placement;

use crate::input::versioned;
use crate::text::c_string;

/// What really runs a model: reported, never assumed. The strings live as long as what they were asked of.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_placement {
    /// `sizeof(facecore_placement)`.
    pub struct_size: usize,
    /// Runtime and version, for example `onnxruntime 1.24.1` or `rten 0.27`.
    pub runtime: *const c_char,
    /// `CPU`, `OpenVINO`, `CUDA`, `TensorRT`.
    pub provider: *const c_char,
    /// The device within the provider, for example `CPU` or `GPU 0`.
    pub device: *const c_char,
    /// The arithmetic asked of the hardware: `f32`, `bf16`, `fp16`, `tf32`.
    pub precision: *const c_char,
    /// Threads of one call.
    pub threads: usize,
    /// Why something better was not taken, a line for each attempt; empty if there is nothing to say.
    pub notes: *const c_char,
}

versioned!(facecore_placement);

/// A placement as C reads it.
pub(crate) struct PlacementTexts {
    runtime: CString,
    provider: CString,
    device: CString,
    precision: CString,
    threads: usize,
    notes: CString,
}

impl From<&Placement> for PlacementTexts {
    fn from(placement: &Placement) -> Self {
        PlacementTexts {
            runtime: c_string(&placement.runtime),
            provider: c_string(&placement.provider),
            device: c_string(&placement.device),
            precision: c_string(&placement.precision),
            threads: placement.threads,
            notes: c_string(&placement.notes.join("\n")),
        }
    }
}

impl PlacementTexts {
    pub fn read(&self) -> facecore_placement {
        facecore_placement {
            struct_size: 0,
            runtime: self.runtime.as_ptr(),
            provider: self.provider.as_ptr(),
            device: self.device.as_ptr(),
            precision: self.precision.as_ptr(),
            threads: self.threads,
            notes: self.notes.as_ptr(),
        }
    }
}
