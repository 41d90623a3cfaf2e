//! Packs of which everything is known for certain, which no generated model can be in the catalogue.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use facecore_testkit::models::{Detector, Embedder, scrfd_like};
use facecore_testkit::server::{self, Server};

use super::{Checksum, InstallOptions, KnownFile, KnownPack, Network, PackState, Packs, Part, Progress};
use crate::ErrorKind;
use crate::model::{LicenceClass, ModelSource};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        Folder(std::env::temp_dir().join(format!("facecore-{name}-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Kept as long as the process, as the catalogue is.
fn text(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A pack of single files on a server, with their checksums.
fn pinned(server: &Server) -> &'static KnownPack {
    let file = |part, name: &'static str, kind, dimension, content: Vec<u8>| KnownFile {
        part,
        name,
        kind,
        dimension,
        bytes: Some(content.len() as u64),
        sha256: Some(text(ModelSource::from_bytes(name, content).sha256())),
        licence: Some("MIT"),
        urls: Box::leak(Box::new([text(format!("{}/{name}", server.url()))])),
    };
    let files = [
        file(Part::Detector, "d.onnx", "scrfd", None, scrfd_like(&Detector::default())),
        file(Part::Embedder, "e.onnx", "arcface", Some(128), Embedder::default().bytes()),
    ];
    Box::leak(Box::new(KnownPack {
        name: "pinned",
        about: "",
        version: "1",
        licence: "MIT",
        licence_class: LicenceClass::Permissive,
        archive: None,
        files: Box::leak(Box::new(files)),
        others: &[],
    }))
}

fn options() -> InstallOptions {
    let mut options = InstallOptions { accept_licence: true, ..InstallOptions::default() };
    options.runtime.runtime = crate::Runtime::Rten;
    options.network = Network { pause: Duration::from_millis(2), ..Network::default() };
    options
}

/// A server with the files of the pack.
fn models() -> Server {
    Server::http(|request, to| {
        let content = match request.target.as_str() {
            "/d.onnx" => scrfd_like(&Detector::default()),
            _ => Embedder::default().bytes(),
        };
        server::file(request, to, &content, "1")
    })
}

#[test]
fn pinned_files_are_taken_from_whoever_has_them() {
    let folder = Folder::new("pinned");
    let packs = Packs::at(&folder.0);
    let good = models();
    let known = pinned(&good);
    // A mirror that has other files of the same lengths.
    let bad = Server::http(|request, to| {
        let length = match request.target.as_str() {
            "/d.onnx" => scrfd_like(&Detector::default()).len(),
            _ => Embedder::default().bytes().len(),
        };
        server::file(request, to, &vec![1; length], "1")
    });
    let mut options = options();
    options.network.mirrors = vec![bad.url()];
    let pulled = packs.pull_known(known, &options, &mut go_on).unwrap();
    assert!(pulled.files.iter().all(|file| file.checksum == Checksum::Pinned));
    assert_eq!(pulled.origin, format!("{0}/d.onnx {0}/e.onnx", good.url()));
    assert_eq!((bad.requests().len(), good.requests().len()), (2, 2));
    let pack = packs.open("pinned").unwrap();
    assert_eq!((pack.licence.as_str(), pack.licence_class), ("MIT", LicenceClass::Permissive));
    let listed = packs.list().unwrap();
    assert_eq!(listed.last().map(|pack| (pack.name.as_str(), pack.state)), Some(("pinned", PackState::Installed)));
}

#[test]
fn what_another_place_gave_wrong_is_fetched_anew() {
    let good = models();
    let known = pinned(&good);
    let length = scrfd_like(&Detector::default()).len();
    // All of it, or a part: of another file in both cases.
    for given in [length, length / 2] {
        let folder = Folder::new("mixed");
        let packs = Packs::at(&folder.0);
        let wrong = Server::http(move |request, to| {
            if request.start() == 0 {
                server::file_head(request, to, &vec![1; length], "wrong")?;
            }
            to.write_all(&vec![1; given])
        });
        let mut options = options();
        options.network.mirrors = vec![wrong.url()];
        // Stopped before anybody could tell.
        let stopped = packs.pull_known(known, &options, &mut |progress| match progress.done as usize == given {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
        options.network.mirrors.clear();
        let asked = good.requests().len();
        packs.pull_known(known, &options, &mut go_on).unwrap();
        let of_detector = good.requests()[asked..].iter().filter(|request| request.target == "/d.onnx").count();
        assert_eq!(of_detector, if given == length { 1 } else { 2 });
    }
}

#[test]
fn what_one_place_gave_of_a_pinned_file_another_completes() {
    let folder = Folder::new("completed");
    let packs = Packs::at(&folder.0);
    let good = models();
    let known = pinned(&good);
    let half = Server::http(|request, to| {
        let content = scrfd_like(&Detector::default());
        if request.start() > 0 || request.target != "/d.onnx" {
            return server::head(to, "404 Not Found", &[("Content-Length", "0".into())]);
        }
        server::file_head(request, to, &content, "half")?;
        to.write_all(&content[..content.len() / 2])
    });
    let only = |server: &Server| {
        let mut options = options();
        (options.network.mirrors, options.network.mirrors_only) = (vec![server.url()], true);
        options.network.retries = 0;
        options
    };
    // The first request brings a half. That the second is refused, and another place has nothing, loses none of it.
    let error = packs.pull_known(known, &only(&half), &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DownloadFailed);
    let nothing = Server::http(|_, to| server::head(to, "404 Not Found", &[("Content-Length", "0".into())]));
    packs.pull_known(known, &only(&nothing), &mut go_on).unwrap_err();
    packs.pull_known(known, &options(), &mut go_on).unwrap();
    let asked = good.requests();
    let (detector, embedder) = (&asked[0], &asked[1]);
    let half = scrfd_like(&Detector::default()).len() / 2;
    assert_eq!((detector.target.as_str(), detector.start()), ("/d.onnx", half));
    assert!(detector.header("if-range").is_none(), "the checksum will tell");
    assert_eq!((embedder.target.as_str(), embedder.start(), asked.len()), ("/e.onnx", 0, 2));
}
