//! Generated ONNX models with seeded random weights: the interfaces of real models without their
//! licences or sizes. What they answer means nothing, except where an option says what.

mod detector;
mod embedder;
mod graph;

pub use detector::{Detector, Scores, scrfd_like, yunet_like};
pub use embedder::{Embedder, nan_embedder, resnet50_512, tiny_embedder};
