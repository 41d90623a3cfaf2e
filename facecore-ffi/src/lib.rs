//! The C ABI of facecore: `include/facecore.h` is made of this crate by cbindgen, and its first lines, which are in
//! `cbindgen.toml`, are the contract that every function here relies on.
//!
//! A function takes pointers that are NULL, or as the contract says; it reads them with `input`, works inside
//! `status::guard`, which turns errors and panics into a status, and writes its outputs last. What C holds on to is a
//! `handle`. Constants and structs are written out by hand, because cbindgen does not look into macros.

#![allow(
    clippy::missing_safety_doc,
    reason = "what a caller must keep to is the same for every function, and stands at the top of the header"
)]
#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "every exported function is unsafe for one and the same reason, its pointers, and hands them at once to \
              the few functions of `handle` and `input`, which say what they rely on"
)]
#![allow(non_camel_case_types, reason = "types have the names that C knows them by")]

// The header has things in this order.
mod status;
mod text;

mod image;
mod models;
mod pack;
mod packs;
mod placement;
mod runtime;

mod aligner;
mod detector;
mod embedder;
mod embedding;
mod faces;
mod recognizer;

mod batch;
mod enrolment;
mod exchange;
mod gallery;
mod namespace;
mod people;
mod search;

/// cbindgen:ignore
#[cfg(feature = "fake")]
mod fake;
mod handle;
mod input;
mod process;

pub use aligner::*;
pub use batch::*;
pub use detector::*;
pub use embedder::*;
pub use embedding::*;
pub use enrolment::*;
pub use exchange::*;
pub use faces::*;
#[cfg(feature = "fake")]
pub use fake::*;
pub use gallery::*;
pub use image::*;
pub use models::*;
pub use namespace::*;
pub use pack::*;
pub use packs::*;
pub use people::*;
pub use placement::*;
pub use recognizer::*;
pub use runtime::*;
pub use search::*;
pub use status::*;
pub use text::*;
