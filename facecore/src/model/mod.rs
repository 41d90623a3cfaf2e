//! Models: what a file declares about itself.
//!
//! This module knows nothing of runtimes or networks.

pub mod onnx;
mod port;

pub use port::{ElementType, PortInfo};
