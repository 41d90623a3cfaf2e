//! What a pack's licence allows, as something a program can decide on.

use serde::{Deserialize, Serialize};

use crate::error::{Result, fail};

/// What the licence of a pack's weights allows, as far as it was stated. The licence's own text decides; this is what
/// a program can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LicenceClass {
    /// Any use, commercial use included, under terms such as MIT's or Apache-2.0's.
    Permissive,
    /// Research and evaluation, but no commercial use.
    ResearchOnly,
    /// Nobody said.
    #[default]
    Unknown,
}

impl LicenceClass {
    /// Every class.
    pub const ALL: &'static [LicenceClass] =
        &[LicenceClass::Permissive, LicenceClass::ResearchOnly, LicenceClass::Unknown];

    /// The name used in `pack.toml` and in machine output.
    pub const fn name(self) -> &'static str {
        match self {
            LicenceClass::Permissive => "permissive",
            LicenceClass::ResearchOnly => "research-only",
            LicenceClass::Unknown => "unknown",
        }
    }
}

/// Which packs an application lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum PackPolicy {
    /// All: whoever runs the program answers for the licences.
    #[default]
    Any,
    /// Only packs that are known to allow commercial use ([`LicenceClass::Permissive`]); those that say nothing are
    /// refused too.
    Commercial,
}

impl PackPolicy {
    /// The policy called `name`: `any` or `commercial`.
    ///
    /// Errors with `InvalidArgument`.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "any" => Ok(PackPolicy::Any),
            "commercial" => Ok(PackPolicy::Commercial),
            _ => fail!(InvalidArgument, "`{name}` is no policy for packs; there are any, commercial"),
        }
    }

    /// Whether packs of a class are let in.
    pub const fn permits(self, class: LicenceClass) -> bool {
        match self {
            PackPolicy::Any => true,
            PackPolicy::Commercial => matches!(class, LicenceClass::Permissive),
        }
    }

    /// Errors with `LicenceRefused`, naming the pack and its licence, if the class is not let in.
    pub(crate) fn check(self, pack: &str, licence: &str, class: LicenceClass) -> Result<()> {
        if self.permits(class) {
            return Ok(());
        }
        let stated = licence_in_words(licence);
        fail!(
            LicenceRefused,
            "this program lets in only packs whose licence allows commercial use, and {pack} is {} ({stated}); take \
             another pack, such as opencv, or change the program's policy",
            class.name()
        );
    }
}

/// A licence as people are told of it; it may be that none is stated.
pub fn licence_in_words(licence: &str) -> &str {
    if licence.is_empty() { "no licence is stated" } else { licence }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn commercial_use_needs_a_licence_that_says_so() {
        let permitted = |policy: PackPolicy| LicenceClass::ALL.iter().map(|class| policy.permits(*class)).collect();
        let (any, commercial): (Vec<_>, Vec<_>) = (permitted(PackPolicy::Any), permitted(PackPolicy::Commercial));
        assert_eq!((any, commercial), (vec![true; 3], vec![true, false, false]));
        let error = PackPolicy::Commercial.check("x", "research", LicenceClass::ResearchOnly).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LicenceRefused);
        assert_eq!(PackPolicy::from_name("commercial").unwrap(), PackPolicy::Commercial);
        assert!(PackPolicy::from_name("Commercial").is_err());
    }
}
