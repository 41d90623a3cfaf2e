//! What tests and benches share: generated models, and the way to the test data.

pub mod data;
pub mod models;

pub use data::{TestData, skip};
