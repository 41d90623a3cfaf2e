//! What tests and benches share: generated models, runtimes, and the way to the test data.

pub mod data;
pub mod models;
pub mod runtimes;

pub use data::{TestData, skip};
