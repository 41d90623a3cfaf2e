//! What a name or a path given for a pack means.
//!
//! A name is a single word, such as `buffalo_l`; anything with a separator, such as `./buffalo_l`, is a path. A word
//! that is also a folder with `pack.toml` in the current directory is that folder, as it always was: what somebody put
//! there by hand is nearer than the cache. A folder of that name without `pack.toml`, such as one that was unpacked
//! from insightface's archive, hides nothing.

use std::path::Path;

use super::{CACHE_VARIABLE, KnownPack, LITE, Packs};
use crate::error::{Error, ErrorKind, Result, fail};
use crate::model::{MANIFEST, Pack};

/// The longest name of a pack.
const LONGEST: usize = 64;

impl Pack {
    /// The pack that `named` means: a folder with `pack.toml`, or the name of a pack that is installed in the user's
    /// cache ([`Packs::of_user`]) or, as `lite`, within the program (feature `lite-models`). A name is a word of ASCII
    /// letters, digits, `.`, `_` and `-`; a folder of that name with `pack.toml` in the current directory goes first,
    /// and a path with a separator is never a name.
    ///
    /// Errors as [`Pack::from_folder`] and [`Packs::open`] do; for a known pack that is not installed the error,
    /// `ModelNotFound`, says the command that installs it.
    pub fn open(named: impl AsRef<Path>) -> Result<Pack> {
        let named = named.as_ref();
        let Some(name) = named.to_str().filter(|name| is_name(name)) else {
            return Pack::from_folder(named);
        };
        if named.join(MANIFEST).exists() {
            return Pack::from_folder(named);
        }
        if name == LITE {
            return lite();
        }
        // Where there is no place for packs, none is installed.
        let packs = Packs::of_user().ok();
        let installed = packs.as_ref().is_some_and(|packs| packs.pack_folder(name).exists());
        match packs {
            // For anything else that is there by that name, what is wrong with it says more.
            _ if !installed && KnownPack::named(name).is_none() && named.exists() => Pack::from_folder(named),
            Some(packs) => packs.open(name),
            None => Err(not_installed(name, None, Vec::new())),
        }
    }
}

#[cfg(feature = "lite-models")]
pub(super) fn lite() -> Result<Pack> {
    Pack::lite()
}

#[cfg(not(feature = "lite-models"))]
pub(super) fn lite() -> Result<Pack> {
    fail!(ModelNotFound, "this program was built without the small pack (feature `lite-models`); name another pack")
}

/// Whether a text can be the name of a pack in the cache.
pub(super) fn is_name(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.len() <= LONGEST
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(word)
        // Windows cuts off a dot at the end, and has devices in every folder.
        && !text.ends_with('.')
        && !is_device(text.split('.').next().unwrap_or_default())
}

fn is_device(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let numbered = |device: &str| {
        word.strip_prefix(device).is_some_and(|number| number.len() == 1 && number.chars().all(|c| c.is_ascii_digit()))
    };
    matches!(word.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// Errors with `InvalidArgument` if a text is no name, or that of the pack within the program.
pub(super) fn check(name: &str) -> Result<()> {
    if name == LITE {
        fail!(InvalidArgument, "{LITE} is part of the program: there is nothing to install, verify or remove");
    }
    if !is_name(name) {
        fail!(
            InvalidArgument,
            "`{name}` is no name of a pack: at most {LONGEST} ASCII letters, digits, `.`, `_` and `-`, a letter or digit first"
        );
    }
    Ok(())
}

/// The error for a pack that is not in the cache.
pub(super) fn not_installed(name: &str, folder: Option<&Path>, installed: Vec<String>) -> Error {
    let looked = match folder {
        Some(folder) => folder.display().to_string(),
        None => format!("any folder: neither {CACHE_VARIABLE}, XDG_CACHE_HOME nor HOME is set"),
    };
    let message = match KnownPack::named(name) {
        Some(known) => format!(
            "the pack {name} is not installed in {looked}; `facecore models pull {name}` downloads it ({} MB, {}), \
             `facecore models import` takes it from files; programs do the same with the library's functions pull and \
             import",
            known.download_bytes().div_ceil(1_000_000),
            known.licence
        ),
        None => {
            let installed = match &installed[..] {
                [] => String::new(),
                names => format!("installed are {}, ", names.join(", ")),
            };
            let known: Vec<&str> = KnownPack::ALL.iter().map(|known| known.name).collect();
            format!(
                "there is no pack {name}: no folder of that name with {MANIFEST}, none installed in {looked}, and none \
                 known by that name; {installed}known are {LITE}, {}",
                known.join(", ")
            )
        }
    };
    Error::new(ErrorKind::ModelNotFound, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        for good in ["buffalo_l", "opencv", "Office-2.1", "0"] {
            assert!(is_name(good), "{good}");
        }
        let long = "x".repeat(65);
        for bad in
            ["", ".", "..", ".work", "-x", "a/b", "a\\b", "./a", "a b", "ä", "a\0", "C:", "a.", "nul", "Com1.x", &long]
        {
            assert!(!is_name(bad), "{bad}");
        }
        assert_eq!(check(LITE).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn what_is_not_installed_is_told_with_the_command() {
        let cache = Some(Path::new("/cache/packs"));
        let known = not_installed("buffalo_l", cache, Vec::new()).to_string();
        assert!(known.contains("facecore models pull buffalo_l") && known.contains("289 MB"), "{known}");
        let other = not_installed("bufalo_l", cache, vec!["office".into()]).to_string();
        assert!(other.contains("installed are office, known are lite, opencv, buffalo_l"), "{other}");
    }
}
