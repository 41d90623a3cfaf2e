//! Pixels: borrowed views, decoded files, resampling.
//!
//! This module knows nothing of faces or tensors.

mod container;
mod cutting;
mod decode;
mod jpeg;
mod resize;
mod scaling;
mod view;
mod warp;

pub use decode::{DecodeOptions, Image};
pub(crate) use resize::{Place, Resizer};
pub use view::{ImageView, PixelFormat, Rotation};
pub(crate) use warp::{warp_rgb, warp_rows};
