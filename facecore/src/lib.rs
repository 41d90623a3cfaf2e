//! facecore: skeleton docs, replaced below.
pub mod embedding;
pub mod error;
pub mod gallery;
pub mod geometry;
#[cfg(feature = "recognition")]
pub mod image;
#[cfg(feature = "recognition")]
pub mod model;

pub use error::{Error, ErrorKind, Result};
