//! Packs by name: the models people know, fetched safely or brought from where there is a network, and kept in the
//! user's cache.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use facecore::Recognizer;
//! use facecore::packs::{InstallOptions, Packs};
//!
//! # fn main() -> facecore::Result<()> {
//! let packs = Packs::of_user()?;
//! let options = InstallOptions { accept_licence: true, ..InstallOptions::default() };
//! packs.import("buffalo_l.zip", None, &options, &mut |_| ControlFlow::Continue(()))?;
//! let recognizer = Recognizer::open("buffalo_l")?;
//! # drop(recognizer);
//! # Ok(())
//! # }
//! ```
//!
//! | file | what it holds |
//! | --- | --- |
//! | `known.rs` | the packs that are known by name |
//! | `cache.rs` | where packs are kept, what is there, how one is removed |
//! | `names.rs` | what a name or a path given for a pack means |
//! | `staging.rs` | how a pack gets into the cache, wholly or not at all |
//! | `import.rs`, `tree.rs` | packs from folders and archives, by the names of their files |
//! | `fetch/`, `pull.rs` | downloads (feature `download`) |
//! | `unpack.rs` | archives, and what is refused in them |
//! | `selftest.rs` | what a pack must do before it counts as installed |

mod cache;
#[cfg(feature = "download")]
mod fetch;
mod import;
mod known;
mod names;
#[cfg(feature = "download")]
mod pull;
mod report;
mod selftest;
mod staging;
#[cfg(all(test, feature = "download", feature = "rten"))]
mod tests;
mod tree;
#[doc(hidden)]
pub mod unpack;

use serde::{Deserialize, Serialize};

pub use cache::{CACHE_VARIABLE, Packs};
#[cfg(feature = "download")]
pub use fetch::Network;
pub use import::FoundPack;
pub use known::{KnownArchive, KnownFile, KnownPack};
pub use report::{Progress, Stage};
pub use selftest::test_crop;

use crate::backend::RuntimeOptions;
use crate::model::LicenceClass;

/// The name of the pack that is part of the program, with the feature `lite-models`.
pub const LITE: &str = "lite";

/// What a model of a pack is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Part {
    /// It finds faces.
    Detector,
    /// It makes embeddings.
    Embedder,
}

impl Part {
    /// Its name, which is that of its table in `pack.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Detector => "detector",
            Part::Embedder => "embedder",
        }
    }
}

/// How a file's SHA-256 is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Checksum {
    /// It stands in this library.
    Pinned,
    /// The pack's own manifest declared it.
    Declared,
    /// It was computed when the pack was installed: what came first is what it is held to.
    Recorded,
}

impl Checksum {
    /// Its name in machine output.
    pub const fn name(self) -> &'static str {
        match self {
            Checksum::Pinned => "pinned",
            Checksum::Declared => "declared",
            Checksum::Recorded => "recorded",
        }
    }
}

/// A file of an installed pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstalledFile {
    /// What it is for.
    pub part: Part,
    /// Its name in the pack's folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// How that is known.
    pub checksum: Checksum,
}

/// A pack in the cache, as it was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InstalledPack {
    /// Its name.
    pub name: String,
    /// Its version, as its makers count.
    pub version: String,
    /// Under which terms its weights may be used.
    pub licence: String,
    /// What the licence allows.
    pub licence_class: LicenceClass,
    /// The address or path that it came from.
    pub origin: String,
    /// SHA-256 of the archive that it came in, if it was one.
    pub archive_sha256: Option<String>,
    /// When, in seconds since 1970.
    pub installed: u64,
    /// Its models.
    pub files: Vec<InstalledFile>,
    /// SHA-256 of its `pack.toml`, which says how the models are used and under which licence.
    pub manifest_sha256: String,
    /// Where it is.
    #[serde(skip)]
    pub folder: std::path::PathBuf,
}

/// How a known or installed pack stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PackState {
    /// It is part of the program.
    Embedded,
    /// It is in the cache, and was tested when it got there.
    Installed,
    /// It is in the cache, but a file is missing or has another size.
    Damaged,
    /// It is known, and not installed.
    Available,
}

impl PackState {
    /// Its name in machine output.
    pub const fn name(self) -> &'static str {
        match self {
            PackState::Embedded => "embedded",
            PackState::Installed => "installed",
            PackState::Damaged => "damaged",
            PackState::Available => "available",
        }
    }
}

/// A pack as [`Packs::list`] tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedPack {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: PackState,
    /// What it is, if it is known by name.
    pub about: Option<&'static str>,
    /// Its version, as its makers count.
    pub version: String,
    /// Under which terms its weights may be used.
    pub licence: String,
    /// What the licence allows.
    pub licence_class: LicenceClass,
    /// Where it is, if it is installed.
    pub folder: Option<std::path::PathBuf>,
    /// Where it came from, if it is installed.
    pub origin: Option<String>,
    /// SHA-256 of the archive that it came in, if it is installed and was one.
    pub archive_sha256: Option<String>,
    /// When it was installed, in seconds since 1970.
    pub installed: Option<u64>,
    /// Its models.
    pub files: Vec<ListedFile>,
    /// What is downloaded to install it, in bytes; `None` if it is no known pack. Approximate where it comes as an
    /// archive.
    pub download_bytes: Option<u64>,
    /// Where it is downloaded from.
    pub sources: Vec<&'static str>,
    /// What an interrupted download left, which the next one goes on from.
    pub unfinished_bytes: u64,
    /// Whether the policy lets it in.
    pub permitted: bool,
}

/// A model of a [`ListedPack`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedFile {
    /// What it is for.
    pub part: Part,
    /// Its file name.
    pub name: String,
    /// Its kind, as in `pack.toml`, where the pack is known by name.
    pub kind: Option<&'static str>,
    /// Its size, where it is installed or certain.
    pub bytes: Option<u64>,
    /// Its SHA-256, where it is installed or certain.
    pub sha256: Option<String>,
    /// How the SHA-256 is known.
    pub checksum: Option<Checksum>,
}

/// What [`Packs::remove`] took away.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemovedPack {
    /// Its name.
    pub name: String,
    /// How many bytes its files had, what an interrupted download left included.
    pub bytes: u64,
}

/// How a pack is installed.
#[derive(Debug, Clone, Default)]
pub struct InstallOptions {
    /// Whoever uses the pack has read its licence ([`KnownPack::licence`], or the one in its `pack.toml`) and keeps to
    /// it. Without that nothing is installed.
    pub accept_licence: bool,
    /// What runs its models in the self-test.
    pub runtime: RuntimeOptions,
    /// How it is downloaded.
    #[cfg(feature = "download")]
    pub network: Network,
}
