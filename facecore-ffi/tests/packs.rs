//! Packs by name, from a program in C.

#![cfg(unix)]

mod support;

use std::process::Command;

use facecore_testkit::archive;
use facecore_testkit::models::{Detector, Embedder, scrfd_like};
use facecore_testkit::server::{self, Server};

#[test]
fn packs_are_installed_and_opened_by_name() {
    let folder = support::folder("packs");
    let (detector, embedder) =
        (scrfd_like(&Detector::default()), Embedder { dimension: 512, ..Embedder::default() }.bytes());
    let home = folder.join("buffalo_sc");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("det_500m.onnx"), &detector).unwrap();
    std::fs::write(home.join("w600k_mbf.onnx"), &embedder).unwrap();
    let zip = archive::of_files(&[("det_500m.onnx", &detector), ("w600k_mbf.onnx", &embedder)]);
    let server = Server::http(move |request, to| match request.target.as_str() {
        "/buffalo_sc.zip" => server::file(request, to, &zip, "1"),
        _ => server::head(to, "404 Not Found", &[("Content-Length", "0".into())]),
    });

    let source = support::root().join("facecore-ffi/tests/c/packs.c");
    let program = folder.join("program");
    support::compile("cc", &["-std=c11"], &[source], &program);
    let mut command = Command::new(&program);
    command.arg(&home).arg(server.url()).env("FACECORE_CACHE", folder.join("cache")).current_dir(&folder);
    // In this folder `buffalo_sc` is one without pack.toml, which hides nothing.
    assert_eq!(support::run(&mut command), "packs by name\n");
    assert_eq!(server.requests().len(), 2);
}
