//! What has come of a file so far, and what must hold for a download to go on from there.

use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::staging;
use super::http::shown;
use crate::error::{Error, ErrorKind, Result};

/// A file of which a part has come; stored beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Partial {
    /// The address that gave it, as it is shown.
    url: String,
    /// Its strong entity tag, or when it was last changed: what the server calls this version of the file.
    pub validator: Option<String>,
    /// How long the whole is, if the server said.
    pub total: Option<u64>,
    /// How much has come.
    #[serde(skip)]
    pub length: u64,
    /// Another address gave it.
    #[serde(skip)]
    pub foreign: bool,
}

impl Partial {
    /// Nothing so far.
    pub fn new(url: &str, total: Option<u64>, validator: Option<String>) -> Partial {
        Partial { url: shown(url), validator, total, length: 0, foreign: false }
    }

    /// What has come to `path` and may be gone on with at `url`: of the same address and a version that the server can
    /// name; or of any, if the whole will be held to a checksum.
    pub fn read(path: &Path, url: &str, checked: bool) -> Partial {
        let text = std::fs::read_to_string(state_of(path)).unwrap_or_default();
        let nothing = Partial::new(url, None, None);
        let Ok(mut partial) = serde_json::from_str::<Partial>(&text) else { return nothing };
        partial.length = length(path);
        let same = partial.url == nothing.url;
        if !same {
            // Another server's name for the version means nothing here.
            partial = Partial { length: partial.length, foreign: true, ..nothing.clone() };
        }
        let whole = same && partial.is_whole();
        if whole || checked || (same && partial.validator.is_some()) { partial } else { nothing }
    }

    /// Whether a next download could go on from what has come to `path`, from whatever address.
    pub fn is_of_use(path: &Path, checked: bool) -> bool {
        let text = std::fs::read_to_string(state_of(path)).unwrap_or_default();
        let Ok(mut partial) = serde_json::from_str::<Partial>(&text) else { return false };
        partial.length = length(path);
        partial.length > 0 && (checked || partial.validator.is_some() || partial.is_whole())
    }

    /// Whether all of it has come.
    pub fn is_whole(&self) -> bool {
        self.length > 0 && self.total == Some(self.length)
    }

    /// Stores it beside the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("the state of a download has no JSON form: {error}"))
        })?;
        staging::write(&state_of(path), &text)
    }
}

/// How much has come to `path`.
pub(super) fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}

/// Removes what has come, and what was known of it.
pub(in super::super) fn discard(path: &Path) {
    for path in [path, &state_of(path)] {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != IoErrorKind::NotFound => {
                // The next download writes over it, or says why it cannot.
                tracing::warn!("cannot remove {}: {error}", path.display());
            }
            _ => {}
        }
    }
}

fn state_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    PathBuf::from(name)
}
