//! Servers, well and badly behaved.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use facecore::ErrorKind;
use facecore::packs::{Checksum, PackState, Stage};
use facecore_testkit::archive;
use facecore_testkit::models::Embedder;
use facecore_testkit::server::{self, Request, Server};

use super::{Place, accepted, breaks_off, buffalo_sc, detector, fails, from_mirrors, go_on, refused, serves};

#[test]
fn a_pull_installs_what_recognises_faces() {
    let place = Place::new();
    let server = serves(buffalo_sc());
    let mut stages = Vec::new();
    let pulled = place.packs.pull("buffalo_sc", &from_mirrors(&[&server]), &mut |progress| {
        assert!(progress.total.is_none_or(|total| progress.done <= total), "{progress:?}");
        if stages.last() != Some(&progress.stage) {
            stages.push(progress.stage);
        }
        ControlFlow::Continue(())
    });
    let pulled = pulled.unwrap();
    assert_eq!(stages, [Stage::Downloading, Stage::Unpacking, Stage::Testing]);
    assert_eq!(pulled.origin, format!("{}/buffalo_sc.zip", server.url()));
    assert!(pulled.archive_sha256.as_ref().is_some_and(|sha256| sha256.len() == 64));
    assert!(pulled.files.iter().all(|file| file.checksum == Checksum::Recorded));

    let pack = place.packs.open("buffalo_sc").unwrap();
    let recognizer = facecore::Recognizer::builder().opened_pack(pack).build().unwrap();
    assert_eq!(recognizer.embedder().dimension(), 512);
    let space = recognizer.embedder().space().id().to_owned();
    assert_eq!(space, format!("w600k_mbf-{}/arcface-112", &pulled.files[1].sha256[..8]));

    let listed = place.packs.list().unwrap();
    let listed = listed.iter().find(|pack| pack.name == "buffalo_sc").unwrap();
    assert_eq!((listed.state, listed.unfinished_bytes), (PackState::Installed, 0));
    assert_eq!(listed.files[0].checksum, Some(Checksum::Recorded));
    let names: Vec<_> = place.files().keys().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["det_500m.onnx", "installed.json", "pack.toml", "w600k_mbf.onnx"]);
    place.packs.verify("buffalo_sc", &accepted(), &mut go_on).unwrap();

    assert_eq!(place.pull("buffalo_sc", &server).unwrap(), pulled);
    assert_eq!(server.requests().len(), 1, "what is installed is not fetched again");
    assert_eq!(server.requests()[0].target, "/buffalo_sc.zip");
    assert!(server.requests()[0].header("user-agent").is_some_and(|agent| agent.starts_with("facecore/")));
}

#[test]
fn what_breaks_off_is_gone_on_with() {
    let place = Place::new();
    let server = breaks_off(buffalo_sc(), 4);
    place.pull("buffalo_sc", &server).unwrap();
    let starts: Vec<usize> = server.requests().iter().map(Request::start).collect();
    assert!(starts.len() == 5 && starts.is_sorted() && starts[0] == 0 && starts[1] > 0, "{starts:?}");
    assert!(server.requests()[1..].iter().all(|request| request.header("if-range") == Some("\"1\"")));
}

#[test]
fn a_cancelled_pull_leaves_nothing_but_what_the_next_goes_on_from() {
    let place = Place::new();
    let server = serves(buffalo_sc());
    let options = from_mirrors(&[&server]);
    let half = buffalo_sc().len() as u64 / 2;
    let cancelled = place.packs.pull("buffalo_sc", &options, &mut |progress| match progress.done > half {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    assert_eq!(cancelled.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(place.packs.installed("buffalo_sc").unwrap().is_none());
    assert!(place.unfinished("buffalo_sc") > half);
    place.pull("buffalo_sc", &server).unwrap();
    assert!(server.requests()[1].start() as u64 > half);
    assert_eq!(place.unfinished("buffalo_sc"), 0);

    // A pull that is stopped in its self-test has all it needs.
    place.packs.remove("buffalo_sc", &mut go_on).unwrap();
    let stopped = place.packs.pull("buffalo_sc", &options, &mut |progress| match progress.stage {
        Stage::Testing => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    let asked = server.requests().len();
    place.pull("buffalo_sc", &server).unwrap();
    assert_eq!(server.requests().len(), asked, "the archive had come wholly");
}

#[test]
fn a_file_that_changed_meanwhile_is_fetched_anew() {
    let place = Place::new();
    let (old, new) = (vec![7; buffalo_sc().len()], buffalo_sc());
    let asked = AtomicUsize::new(0);
    let server = Server::http(move |request, to| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => {
            server::file_head(request, to, &old, "old")?;
            to.write_all(&old[..old.len() / 2])
        }
        _ => server::file(request, to, &new, "new"),
    });
    place.pull("buffalo_sc", &server).unwrap();
    assert_eq!(server.requests().len(), 2);
    assert_eq!(server.requests()[1].header("if-range"), Some("\"old\""));

    // A server that ignores If-Range, and gives the rest of another file.
    let place = Place::new();
    let (old, new) = (vec![7; buffalo_sc().len()], buffalo_sc());
    let asked = AtomicUsize::new(0);
    let server = Server::http(move |request, to| {
        let tag = ("ETag", "\"new\"".to_owned());
        match (asked.fetch_add(1, Ordering::SeqCst), request.start()) {
            (0, _) => {
                server::file_head(request, to, &old, "old")?;
                to.write_all(&old[..old.len() / 2])
            }
            (_, 0) => server::file(request, to, &new, "new"),
            (_, start) => {
                let range = ("Content-Range", format!("bytes {start}-{}/{}", new.len() - 1, new.len()));
                let length = ("Content-Length", (new.len() - start).to_string());
                server::head(to, "206 Partial Content", &[range, length, tag])?;
                to.write_all(&new[start..])
            }
        }
    });
    place.pull("buffalo_sc", &server).unwrap();
    assert_eq!(server.requests().iter().map(Request::start).filter(|start| *start == 0).count(), 2);
}

#[test]
fn a_server_that_names_versions_by_their_time_is_gone_on_with() {
    let place = Place::new();
    let content = buffalo_sc();
    let changed = "Sat, 28 Nov 2026 10:00:00 GMT";
    let server = Server::http(move |request, to| match request.start() {
        0 => {
            let length = ("Content-Length", content.len().to_string());
            server::head(to, "200 OK", &[length, ("Last-Modified", changed.into())])?;
            to.write_all(&content[..content.len() / 2])
        }
        // It kept to the condition, and need not say the time again.
        start if request.header("if-range") == Some(changed) => {
            let range = ("Content-Range", format!("bytes {start}-{}/{}", content.len() - 1, content.len()));
            let length = ("Content-Length", (content.len() - start).to_string());
            server::head(to, "206 Partial Content", &[range, length])?;
            to.write_all(&content[start..])
        }
        _ => server::head(to, "500 Internal Server Error", &[("Content-Length", "0".into())]),
    });
    place.pull("buffalo_sc", &server).unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn the_file_is_asked_for_as_it_is() {
    let server = Server::http(|_, to| {
        server::head(to, "200 OK", &[("Content-Length", "3".into()), ("Content-Encoding", "gzip".into())])?;
        to.write_all(b"abc")
    });
    refused(&server, false, "an encoding that was not asked for");
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("identity"));
    let server = Server::http(|request, to| {
        let content = buffalo_sc();
        let encoding = ("Content-Encoding", "Identity".into());
        assert_eq!(request.start(), 0);
        server::head(to, "200 OK", &[("Content-Length", content.len().to_string()), encoding])?;
        to.write_all(&content)
    });
    Place::new().pull("buffalo_sc", &server).unwrap();
}

#[test]
fn without_a_name_for_the_version_a_download_starts_anew() {
    let place = Place::new();
    let content = buffalo_sc();
    let asked = AtomicUsize::new(0);
    let server = Server::http(move |_, to| {
        server::head(to, "200 OK", &[("Content-Length", content.len().to_string()), ("ETag", "W/\"weak\"".into())])?;
        let whole = asked.fetch_add(1, Ordering::SeqCst) > 0;
        to.write_all(if whole { &content } else { &content[..content.len() / 2] })
    });
    place.pull("buffalo_sc", &server).unwrap();
    assert!(server.requests().iter().all(|request| request.header("range").is_none()));
}

#[test]
fn lengths_that_are_lies_are_found_out() {
    // It promises more than it gives, each time.
    let content = buffalo_sc();
    let longer = content.len() + 1000;
    let server = Server::http(move |_, to| {
        server::head(to, "200 OK", &[("Content-Length", longer.to_string())])?;
        to.write_all(&content)
    });
    refused(&server, false, "broke off after");

    let content = buffalo_sc();
    let server = Server::http(move |request, to| {
        let start = server::file_head(request, to, &content, "1")?;
        // Once a little, and then nothing any more.
        to.write_all(&content[start..1000.max(start)])
    });
    refused(&server, true, "broke off after 1000");

    // It gives more than it promises: what is beyond is not taken, and what is left is no archive.
    let content = buffalo_sc();
    let server = Server::http(move |_, to| {
        server::head(to, "200 OK", &[("Content-Length", (content.len() / 2).to_string())])?;
        to.write_all(&content)
    });
    assert_eq!(fails(&server, false).kind(), ErrorKind::ArchiveInvalid);

    // It promises far more than the pack can have.
    let server = Server::http(move |_, to| {
        server::head(to, "200 OK", &[("Content-Length", (1u64 << 40).to_string())])?;
        to.write_all(&[0; 1000])
    });
    refused(&server, false, "at most 30000000 are taken");
    assert_eq!(server.requests().len(), 1, "there is no point in asking again");

    // It does not say how much, and never ends.
    let server = Server::http(move |_, to| {
        server::head(to, "200 OK", &[])?;
        loop {
            to.write_all(&[0; 64 << 10])?;
        }
    });
    refused(&server, false, "more than 30000000 bytes");

    // It gives another part than it was asked for, or a part that nobody asked for.
    for first in [true, false] {
        let content = buffalo_sc();
        let server = Server::http(move |request, to| {
            if request.start() == 0 && first {
                server::file_head(request, to, &content, "1")?;
                return to.write_all(&content[..1000]);
            }
            let range = ("Content-Range", format!("bytes 0-{}/{}", content.len() - 1, content.len()));
            let length = ("Content-Length", content.len().to_string());
            server::head(to, "206 Partial Content", &[range, length, ("ETag", "\"1\"".into())])?;
            to.write_all(&content)
        });
        // What it gave is dropped then, and the whole asked for: of the one that also breaks off, its beginning is left.
        match first {
            true => refused(&server, true, "broke off after 1000"),
            false => refused(&server, false, "another part of the file"),
        }
        let starts: Vec<usize> = server.requests().iter().map(Request::start).collect();
        assert_eq!(starts, if first { [0, 1000, 0, 1000, 0] } else { [0; 5] }[..starts.len()]);
    }
}

#[test]
fn wrong_bytes_are_not_installed() {
    let page = serves(b"<!DOCTYPE html><html>Please log in</html>".to_vec());
    let error = fails(&page, false);
    assert_eq!(error.kind(), ErrorKind::ArchiveInvalid);
    assert!(error.to_string().contains(&page.url()), "{error}");

    let damaged = |at: usize| {
        let mut content = buffalo_sc();
        content[at] ^= 0x40;
        content
    };
    assert_eq!(fails(&serves(damaged(5000)), false).kind(), ErrorKind::ArchiveInvalid);
    let cut = buffalo_sc()[..buffalo_sc().len() / 2].to_vec();
    assert_eq!(fails(&serves(cut), false).kind(), ErrorKind::ArchiveInvalid);
    let other = archive::of_files(&[("det_10g.onnx", &detector()), ("w600k_r50.onnx", &detector())]);
    assert_eq!(fails(&serves(other), false).kind(), ErrorKind::ModelNotFound);

    let with =
        |embedder: Vec<u8>| serves(archive::of_files(&[("det_500m.onnx", &detector()), ("w600k_mbf.onnx", &embedder)]));
    let of = |dimension, nan| Embedder { dimension, nan, ..Embedder::default() }.bytes();
    assert_eq!(fails(&with(of(512, true)), false).kind(), ErrorKind::ModelOutput);
    assert_eq!(fails(&with(of(128, false)), false).kind(), ErrorKind::ModelMismatch);
    assert_eq!(
        fails(&with(b"version https://git-lfs.github.com/spec/v1\n".to_vec()), false).kind(),
        ErrorKind::ModelCorrupt
    );
    assert_eq!(fails(&with(detector()), false).kind(), ErrorKind::ModelMismatch);
}

#[test]
fn silence_ends_a_request() {
    let server = Server::http(|_, _| {
        std::thread::sleep(Duration::from_secs(5));
        Ok(())
    });
    let mut options = from_mirrors(&[&server]);
    options.network.retries = 0;
    options.network.stall_timeout = Duration::from_millis(500);
    let place = Place::new();
    let error = place.packs.pull("buffalo_sc", &options, &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DownloadFailed);
    assert!(error.to_string().contains("did not answer in time"), "{error}");

    // It stops in the middle, without an end.
    let content = buffalo_sc();
    let server = Server::http(move |request, to| {
        let start = server::file_head(request, to, &content, "1")?;
        to.write_all(&content[start..start + 1000])?;
        to.flush()?;
        std::thread::sleep(Duration::from_secs(5));
        Ok(())
    });
    let mut options = from_mirrors(&[&server]);
    options.network.retries = 0;
    options.network.stall_timeout = Duration::from_millis(500);
    let mut requests = 0;
    let error = place.packs.pull("buffalo_sc", &options, &mut |progress| {
        requests += usize::from(progress.done == 2000);
        if requests > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    // Each request brings something, so that it goes on.
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(server.requests()[1].start(), 1000);

    // It gives a byte now and then.
    let server = Server::http(|_, to| {
        server::head(to, "200 OK", &[("Content-Length", "1000000".into())])?;
        loop {
            to.write_all(b"x")?;
            to.flush()?;
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let mut options = from_mirrors(&[&server]);
    options.network.retries = 0;
    options.network.stall_timeout = Duration::from_millis(500);
    let place = Place::new();
    let error = place.packs.pull("buffalo_sc", &options, &mut go_on).unwrap_err();
    assert!(error.to_string().contains("stalled after"), "{error}");
}

#[test]
fn statuses_say_whether_to_ask_again() {
    let server = Server::http(|_, to| server::head(to, "404 Not Found", &[("Content-Length", "0".into())]));
    refused(&server, false, "HTTP status 404");
    assert_eq!(server.requests().len(), 1);

    let server = Server::http(|_, to| server::head(to, "503 Service Unavailable", &[("Content-Length", "0".into())]));
    refused(&server, false, "HTTP status 503");
    assert_eq!(server.requests().len(), 4);

    let content = buffalo_sc();
    let asked = AtomicUsize::new(0);
    let server = Server::http(move |request, to| match asked.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => server::head(to, "503 Service Unavailable", &[("Content-Length", "0".into())]),
        _ => server::file(request, to, &content, "1"),
    });
    Place::new().pull("buffalo_sc", &server).unwrap();
    let nonsense = Server::http(|_, to| to.write_all(b"\0\xff no answer\r\n\r\n"));
    assert_eq!(fails(&nonsense, false).kind(), ErrorKind::DownloadFailed);
}
