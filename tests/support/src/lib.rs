//! What tests and benches share: generated models and populations, runtimes, and the way to the test data.

pub mod archive;
pub mod data;
#[cfg(feature = "recognition")]
pub mod models;
pub mod population;
pub mod random;
#[cfg(feature = "recognition")]
pub mod runtimes;
pub mod server;

pub use data::{TestData, skip};
