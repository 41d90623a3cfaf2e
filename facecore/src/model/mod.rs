//! Models as files: what they take and give, how images are prepared for them, which kinds are known.
//!
//! This module knows nothing of runtimes: it reads ONNX files and `pack.toml`, and describes.

mod catalog;
mod licence;
#[cfg(feature = "lite-models")]
mod lite;
pub mod onnx;
mod pack;
mod port;
mod source;
mod spec;

pub use licence::{LicenceClass, PackPolicy, licence_in_words};
pub use pack::{Golden, Pack, PackPart};
pub(crate) use pack::{MANIFEST, Outline};
pub use port::{ElementType, PortInfo};
pub use source::ModelSource;
pub use spec::{ColorOrder, DetectorKind, DetectorSpec, EmbedderKind, EmbedderSpec, Normalization, Template};
