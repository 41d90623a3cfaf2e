//! Which models serve where no option names them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use facecore::{Pack, Result};

use crate::args::ModelArgs;

/// Names the pack where no option does.
pub const VARIABLE: &str = "FACECORE_PACK";

/// The pack that a command uses, and who named it.
pub struct Chosen {
    pub pack: Pack,
    pub named_by: NamedBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    Option,
    Environment,
    /// Nobody: it is the one that is part of the program.
    Default,
}

impl NamedBy {
    /// How it is written on a command line, if at all.
    pub fn name(self) -> Option<&'static str> {
        match self {
            NamedBy::Option => Some("--pack"),
            NamedBy::Environment => Some(VARIABLE),
            NamedBy::Default => None,
        }
    }
}

/// What a command does with models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Detector,
    DetectorAndEmbedder,
}

impl ModelArgs {
    /// The pack that gives what single files do not: the one of `--pack`, else of `FACECORE_PACK`, else the built-in
    /// one. `None` if the files are all that is needed, and nobody named a pack by an option.
    ///
    /// Errors as [`Pack::open`] does.
    pub fn pack(&self, needs: Needs) -> Result<Option<Chosen>> {
        let lacking = self.detector.is_none() || (needs == Needs::DetectorAndEmbedder && self.embedder.is_none());
        let chosen = match choose(self.pack.as_deref(), lacking, std::env::var_os(VARIABLE)) {
            None => return Ok(None),
            Some((NamedBy::Environment, folder)) => {
                let pack = Pack::open(&folder).map_err(|error| error.context(VARIABLE))?;
                Chosen { pack, named_by: NamedBy::Environment }
            }
            Some((NamedBy::Option, folder)) => Chosen { pack: Pack::open(folder)?, named_by: NamedBy::Option },
            Some((NamedBy::Default, _)) => Chosen { pack: Pack::lite()?, named_by: NamedBy::Default },
        };
        Ok(Some(chosen))
    }

    /// What is to be said where the built-in pack serves: nobody chose it, and its licence binds all the same.
    pub fn note_of_default(&self, chosen: &Chosen, needs: Needs) -> Option<String> {
        if chosen.named_by != NamedBy::Default {
            return None;
        }
        let Pack { name, version, licence, .. } = &chosen.pack;
        let what = match (&self.detector, &self.embedder, needs) {
            (Some(_), None, Needs::DetectorAndEmbedder) => "the embedder of the built-in pack",
            (None, Some(_), Needs::DetectorAndEmbedder) => "the detector of the built-in pack",
            _ => "the built-in pack",
        };
        Some(format!("using {what} {name} {version} ({licence}); --pack DIR or {VARIABLE} names another"))
    }
}

fn choose(option: Option<&Path>, lacking: bool, variable: Option<OsString>) -> Option<(NamedBy, PathBuf)> {
    if let Some(folder) = option {
        return Some((NamedBy::Option, folder.to_path_buf()));
    }
    if !lacking {
        return None;
    }
    Some(match variable.filter(|value| !value.is_empty()) {
        Some(folder) => (NamedBy::Environment, folder.into()),
        None => (NamedBy::Default, PathBuf::new()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_the_pack() {
        let by = |option: Option<&str>, lacking: bool, variable: Option<&str>| {
            choose(option.map(Path::new), lacking, variable.map(OsString::from)).map(|(by, _)| by)
        };
        assert_eq!(by(Some("a"), true, Some("b")), Some(NamedBy::Option));
        assert_eq!(by(Some("a"), false, None), Some(NamedBy::Option));
        assert_eq!(by(None, true, Some("b")), Some(NamedBy::Environment));
        assert_eq!(by(None, true, Some("")), Some(NamedBy::Default));
        assert_eq!(by(None, true, None), Some(NamedBy::Default));
        assert_eq!(by(None, false, Some("b")), None, "files are all that is needed");
    }
}
