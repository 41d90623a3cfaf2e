//! Packs by name, as programs and the command use them: against servers that misbehave, archives that attack,
//! processes that meet or are killed, and disks that are full. Nothing outside this machine is asked.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod archives;
mod command;
mod downloads;
mod imports;
mod installed;
mod processes;
mod sources;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use facecore::packs::{InstallOptions, InstalledPack, Network, Packs, Progress};
use facecore::{ErrorKind, Result, Runtime};
use facecore_testkit::archive;
use facecore_testkit::models::{Detector, Embedder, scrfd_like};
use facecore_testkit::server::{self, Server};

/// A cache of one test, in a folder with room for other files.
struct Place {
    folder: PathBuf,
    packs: Packs,
}

impl Place {
    fn new() -> Place {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("facecore-packs-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let packs = Packs::at(folder.join("cache"));
        Place { folder, packs }
    }

    /// Writes a file beside the cache.
    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn import(&self, from: impl AsRef<Path>) -> Result<InstalledPack> {
        self.packs.import(from, None, &accepted(), &mut go_on)
    }

    fn pull(&self, name: &str, server: &Server) -> Result<InstalledPack> {
        self.packs.pull(name, &from_mirrors(&[server]), &mut go_on)
    }

    /// Every file of the cache but the locks, with its content.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else if !path.parent().unwrap().ends_with(".locks") {
                    found.insert(path.clone(), std::fs::read(&path).unwrap());
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(&self.folder.join("cache"), &mut found);
        found
    }

    /// What an interrupted download left.
    fn unfinished(&self, name: &str) -> u64 {
        self.packs.list().unwrap().iter().find(|pack| pack.name == name).unwrap().unfinished_bytes
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The licence is accepted; the built-in runtime tests the models; what failed is asked again at once.
fn accepted() -> InstallOptions {
    let mut options = InstallOptions { accept_licence: true, ..InstallOptions::default() };
    options.runtime.runtime = Runtime::Rten;
    options.network = Network {
        mirrors_only: true,
        connect_timeout: Duration::from_secs(20),
        stall_timeout: Duration::from_secs(20),
        pause: Duration::from_millis(2),
        ..Network::default()
    };
    options
}

/// The same, with these servers as the only sources.
fn from_mirrors(servers: &[&Server]) -> InstallOptions {
    let mut options = accepted();
    options.network.mirrors = servers.iter().map(|server| server.url()).collect();
    options
}

fn detector() -> Vec<u8> {
    scrfd_like(&Detector::default())
}

fn embedder() -> Vec<u8> {
    Embedder { dimension: 512, ..Embedder::default() }.bytes()
}

/// An archive as insightface makes `buffalo_sc.zip`, with generated models.
fn buffalo_sc() -> Vec<u8> {
    archive::of_files(&[("det_500m.onnx", &detector()), ("w600k_mbf.onnx", &embedder())])
}

/// A server with one file, whatever it is asked for.
fn serves(content: Vec<u8>) -> Server {
    Server::http(move |request, to| server::file(request, to, &content, "1"))
}

/// Pulls from a server that cannot be pulled from: the error, after seeing that the cache is empty and that nothing
/// is kept that would be gone on with, unless some of it is of use.
fn fails(server: &Server, kept: bool) -> facecore::Error {
    let place = Place::new();
    let error = place.pull("buffalo_sc", server).unwrap_err();
    assert!(place.packs.installed("buffalo_sc").unwrap().is_none());
    assert_eq!(place.unfinished("buffalo_sc") > 0, kept, "{error}");
    if !kept {
        assert!(place.files().is_empty(), "{error}: {:?}", place.files().keys());
    }
    assert!(error.to_string().starts_with("buffalo_sc: "), "{error}");
    error
}

fn refused(server: &Server, kept: bool, why: &str) {
    let error = fails(server, kept);
    assert_eq!(error.kind(), ErrorKind::DownloadFailed, "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

/// A server that gives half of what it is asked for, so many times, and then all of it.
fn breaks_off(content: Vec<u8>, times: usize) -> Server {
    let asked = AtomicUsize::new(0);
    Server::http(move |request, to| {
        let start = server::file_head(request, to, &content, "1")?;
        let rest = &content[start..];
        let whole = asked.fetch_add(1, Ordering::SeqCst) >= times;
        to.write_all(if whole { rest } else { &rest[..rest.len() / 2] })
    })
}
