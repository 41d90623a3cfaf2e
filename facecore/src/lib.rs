//! Face recognition as a library: find faces, turn them into embeddings, and keep people in a gallery
//! that can change while it is searched.
//!
//! ```no_run
//! use facecore::{FaceChoice, Gallery, Image, Recognizer};
//!
//! # fn main() -> facecore::Result<()> {
//! let recognizer = Recognizer::open("packs/office")?;
//! let gallery = Gallery::open("office")?;
//! let staff = gallery.namespace("staff")?;
//!
//! let ada = recognizer.recognize_one_file("ada.jpg", FaceChoice::Only)?;
//! staff.add("ada", &ada.embedding)?;
//! for face in recognizer.recognize(&Image::open("crowd.jpg")?)? {
//!     match staff.identify(&face.embedding)? {
//!         Some(found) => println!("{} {:.2}", found.person, found.score),
//!         None => println!("unknown"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The parts work alone: [`Detector`], [`Aligner`], [`Embedder`] and [`Gallery`]. A camera frame is an
//! [`ImageView`] over the caller's buffer; a gallery needs no model.
//!
//! # Conventions
//!
//! Boxes and points are pixels of the upright image. No face is an empty list; an unknown person is no
//! match. Every error is an [`Error`] with an [`ErrorKind`]. Everything public is `Send + Sync`.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! | --- | --- | --- |
//! | `exchange` | yes | galleries as NPZ and CSV, in and out, beside JSON Lines |
//! | `onnxruntime` | yes | models run on ONNX Runtime, loaded at run time from a shared library |
//! | `rten` | yes | models run on the built-in pure-Rust runtime |
//! | `recognition` | by the two above | images, detection, alignment, embedding, [`Recognizer`] |
//! | `lite-models` | no | [`Recognizer::lite`]: small models of our own within the program, so that nothing has to be downloaded; their licence is research and evaluation only |
//! | `download` | no | [`packs::Packs::pull`]: packs are downloaded; without it they are imported from files |
//! | `ndarray` | no | `ndarray` views in and out |
//! | `cli` | no | the `facecore` command, with `lite-models` and `download` |
//!
//! Without default features the crate is the [`Gallery`] alone.

#![cfg_attr(
    not(all(feature = "recognition", feature = "lite-models", feature = "download")),
    allow(rustdoc::broken_intra_doc_links, reason = "what is left out cannot be linked to")
)]

pub mod embedding;
pub mod error;
mod files;
pub mod gallery;
pub mod geometry;
mod index;
mod store;

#[cfg(feature = "recognition")]
pub mod align;
#[cfg(feature = "recognition")]
pub mod backend;
#[cfg(feature = "recognition")]
pub mod detect;
#[cfg(feature = "recognition")]
pub mod embed;
#[cfg(feature = "recognition")]
pub mod image;
#[cfg(feature = "recognition")]
pub mod model;
#[cfg(feature = "recognition")]
pub mod packs;
#[cfg(feature = "recognition")]
pub mod pipeline;
#[cfg(feature = "recognition")]
mod preprocess;
#[cfg(feature = "recognition")]
mod scratch;

#[doc(hidden)]
pub use index::hnsw::fuzz as indexed;
#[doc(hidden)]
pub use store::fuzz as stored;

pub use embedding::{Embedding, EmbeddingSpace};
pub use error::{Error, ErrorKind, Result};
pub use gallery::{FaceId, Gallery, Match, Namespace, NewFace, PersonId, SearchOptions};
pub use geometry::{Landmarks, Point, Rect, Similarity};

#[cfg(feature = "recognition")]
pub use {
    align::{AlignedFace, Aligner},
    backend::{Placement, Precision, Provider, ProviderRequest, Runtime, RuntimeOptions, SessionOptions},
    detect::{Detector, DetectorOptions, Face, InputSize},
    embed::{Embedder, EmbedderOptions, FlipAugmentation},
    image::{DecodeOptions, Image, ImageView, PixelFormat, Rotation},
    model::{
        DetectorKind, DetectorSpec, EmbedderKind, EmbedderSpec, LicenceClass, ModelSource, Pack, PackPolicy, Template,
    },
    pipeline::{
        Batching, Enrolment, FaceChoice, Photo, Recognition, RecognizedFace, Recognizer, RecognizerBuilder, Timings,
    },
};
