//! Packs from the network.

use std::path::PathBuf;

use super::cache::Packs;
use super::fetch::{Fetched, Fetcher, Remote};
use super::import::{Provenance, install, plan_known};
use super::report::Listener;
use super::staging::Staging;
use super::tree::Tree;
use super::unpack::MAX_FILE;
use super::{InstallOptions, InstalledPack, KnownPack, names};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::files;

/// By how much an archive may be larger than the known one before it is not downloaded any further: what is known of
/// its size is approximate.
const LARGER: u64 = 2;

impl Packs {
    /// Downloads a known pack, tests it and installs it; one that is installed and sound is left as it is. An
    /// interrupted download is gone on with. `listener` hears of progress, and says whether to go on.
    ///
    /// Errors with `ModelNotFound` if no pack is known by the name; `LicenceRefused` if its licence is not accepted or
    /// the policy forbids it; `DownloadFailed` if no source gave it, with what each of them did; `ChecksumMismatch` if
    /// what they gave is another file than the known one, or than the one that was installed before; `ArchiveInvalid`
    /// if the archive is damaged or hostile; `Cancelled`; `Io`, such as for a full disk; and as [`Packs::verify`] does
    /// if the models do not work. Then the cache is as it was, but for what a download can go on from.
    pub fn pull(&self, name: &str, options: &InstallOptions, listener: &mut Listener) -> Result<InstalledPack> {
        names::check(name)?;
        let Some(known) = KnownPack::named(name) else {
            return Err(self.not_installed(name));
        };
        self.pull_known(known, options, listener)
    }

    /// The same for a pack that may be another than those of the catalogue.
    pub(super) fn pull_known(
        &self,
        known: &'static KnownPack,
        options: &InstallOptions,
        listener: &mut Listener,
    ) -> Result<InstalledPack> {
        let name = known.name;
        self.policy().check(name, known.licence, known.licence_class)?;
        if let Some(whole) = self.whole(name)? {
            return Ok(whole);
        }
        self.agree(name, known.licence, known.licence_class, options)?;
        let staging = Staging::begin(self, name, listener)?;
        // Whoever had the lock may have installed it.
        if let Some(whole) = self.whole(name)? {
            return Ok(whole);
        }
        let fetcher = Fetcher::new(&options.network)?;
        // Files that are no longer whole are held to what was recorded of them all the same.
        let before = self.recorded(name);
        let downloads = downloads(known, &staging);
        let pulled = pull(known, &staging, &downloads, before, &fetcher, options, listener);
        if let Err(error) = &pulled
            && makes_worthless(error)
        {
            for path in &downloads {
                super::fetch::discard(path);
            }
        }
        pulled.context_with(|| name.to_owned())
    }

    /// The pack, if it is installed and every file is what it was then.
    fn whole(&self, name: &str) -> Result<Option<InstalledPack>> {
        match self.installed(name) {
            Err(error) if error.kind() == ErrorKind::PackInvalid => Ok(None),
            other => Ok(other?.filter(InstalledPack::is_sound)),
        }
    }
}

/// Whether what was downloaded is of no use to the next try: it is not what was wanted, or the disk is full.
fn makes_worthless(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::ChecksumMismatch
        | ErrorKind::ArchiveInvalid
        | ErrorKind::ModelNotFound
        | ErrorKind::ModelCorrupt
        | ErrorKind::ModelMismatch
        | ErrorKind::ModelOutput
        | ErrorKind::PackInvalid => true,
        ErrorKind::Io => files::is_full(error),
        _ => false,
    }
}

fn downloads(known: &KnownPack, staging: &Staging) -> Vec<PathBuf> {
    match &known.archive {
        Some(archive) => vec![staging.download(archive.name)],
        None => known.files.iter().map(|file| staging.download(file.name)).collect(),
    }
}

fn pull(
    known: &'static KnownPack,
    staging: &Staging,
    downloads: &[PathBuf],
    before: Vec<(String, String)>,
    fetcher: &Fetcher,
    options: &InstallOptions,
    listener: &mut Listener,
) -> Result<InstalledPack> {
    if let Some(archive) = &known.archive {
        let remote =
            Remote { name: archive.name, urls: archive.urls, sha256: None, bytes: None, most: archive.bytes * LARGER };
        let Fetched { origin, sha256 } = fetcher.fetch(&remote, &downloads[0], listener)?;
        let opened = Tree::open(&downloads[0]).and_then(|tree| Ok((plan_known(known, &tree)?, tree)));
        let (plan, mut tree) = opened.map_err(|error| error.context(format!("what {origin} gave")))?;
        let provenance = Provenance { origin, archive_sha256: Some(sha256), before };
        return install(staging, &mut tree, plan, provenance, options, listener);
    }
    let mut origins = Vec::new();
    for (file, path) in known.files.iter().zip(downloads) {
        let most = file.bytes.unwrap_or(MAX_FILE);
        let remote = Remote { name: file.name, urls: file.urls, sha256: file.sha256, bytes: file.bytes, most };
        origins.push(fetcher.fetch(&remote, path, listener)?.origin);
    }
    let named = known.files.iter().map(|file| file.name.to_owned()).zip(downloads.iter().cloned());
    let mut tree = Tree::Files(named.collect());
    let plan = plan_known(known, &tree)?;
    let provenance = Provenance { origin: origins.join(" "), archive_sha256: None, before };
    install(staging, &mut tree, plan, provenance, options, listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_next_try_can_use_is_kept() {
        let worthless = |kind| makes_worthless(&Error::new(kind, ""));
        let kept = [ErrorKind::Cancelled, ErrorKind::DownloadFailed, ErrorKind::ModelUnsupported, ErrorKind::Internal];
        assert!(!kept.into_iter().any(worthless));
        let lost = [ErrorKind::ChecksumMismatch, ErrorKind::ArchiveInvalid, ErrorKind::ModelOutput];
        assert!(lost.into_iter().all(worthless));
        let io = |kind| makes_worthless(&files::failure("x".as_ref(), "write", &std::io::Error::from(kind)));
        assert!(io(std::io::ErrorKind::StorageFull) && !io(std::io::ErrorKind::PermissionDenied));
    }
}
