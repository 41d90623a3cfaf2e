//! Servers, well and badly behaved.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use facecore::ErrorKind;
use facecore::packs::{Checksum, PackState, Stage};
use facecore_testkit::archive;
use facecore_testkit::models::Embedder;
use facecore_testkit::server::{self, Request, Server};

use super::{Place, accepted, buffalo_sc, detector, from_mirrors, go_on};

/// A server with one file, whatever it is asked for.
fn serves(content: Vec<u8>) -> Server {
    Server::http(move |request, to| server::file(request, to, &content, "1"))
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
fn a_place_that_has_nothing_loses_nothing() {
    let place = Place::new();
    let good = serves(buffalo_sc());
    let half = buffalo_sc().len() as u64 / 2;
    let cancelled =
        place.packs.pull("buffalo_sc", &from_mirrors(&[&good]), &mut |progress| match progress.done > half {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
    assert_eq!(cancelled.unwrap_err().kind(), ErrorKind::Cancelled);
    let nothing = |status: &'static str| {
        Server::http(move |_, to| {
            server::head(to, status, &[("Content-Length", "0".into()), ("Retry-After", "0".into())])
        })
    };
    let (gone, busy) = (nothing("404 Not Found"), nothing("503 Service Unavailable"));
    let huge = Server::http(|_, to| server::head(to, "200 OK", &[("Content-Length", (1u64 << 40).to_string())]));
    place.packs.pull("buffalo_sc", &from_mirrors(&[&gone, &busy, &huge, &good]), &mut go_on).unwrap();
    assert!(good.requests()[1].start() as u64 > half);
    assert_eq!((gone.requests().len(), busy.requests().len()), (1, 4));
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
fn what_gives_access_to_a_mirror_is_not_told() {
    let server = serves(buffalo_sc());
    let place = Place::new();
    let mut options = accepted();
    options.network.mirrors = vec![server.url().replace("://", "://ada:secret@")];
    let pulled = place.packs.pull("buffalo_sc", &options, &mut go_on).unwrap();
    assert_eq!(pulled.origin, format!("{}/buffalo_sc.zip", server.url()));
    assert!(server.requests()[0].header("authorization").is_some());
    assert!(place.files().values().all(|content| !String::from_utf8_lossy(content).contains("secret")));

    let gone = Server::http(|_, to| server::head(to, "302 Found", &[("Location", "ftp://h/x?token=secret".into())]));
    options.network.mirrors = vec![gone.url().replace("://", "://ada:secret@")];
    let error = Place::new().packs.pull("buffalo_sc", &options, &mut go_on).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
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
fn redirects_are_followed_with_care() {
    let content = buffalo_sc();
    let server = Server::http(move |request, to| match request.target.as_str() {
        "/buffalo_sc.zip" => server::head(to, "302 Found", &[("Location", "/one/x".into())]),
        "/one/x" => server::head(to, "307 Temporary Redirect", &[("Location", "y?a=b".into())]),
        _ => server::file(request, to, &content, "1"),
    });
    let place = Place::new();
    place.pull("buffalo_sc", &server).unwrap();
    let targets: Vec<String> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/buffalo_sc.zip", "/one/x", "/one/y?a=b"]);

    let server = Server::http(|request, to| {
        let next = format!("{}x", request.target);
        server::head(to, "302 Found", &[("Location", next)])?;
        // Nobody waits for the end of this.
        to.write_all(&[0; 1 << 20])
    });
    refused(&server, false, "leads on more than 10 times");
    assert_eq!(server.requests().len(), 11);

    for place in ["http://models.example.org/x.zip", "file:///etc/passwd", "", "ftp://127.0.0.1/x"] {
        let server = Server::http(move |_, to| server::head(to, "302 Found", &[("Location", place.into())]));
        refused(&server, false, if place.contains("example") { "only https is taken" } else { "leads to" });
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
fn what_is_known_for_certain_is_held_to_it() {
    let place = Place::new();
    let error = place.pull("opencv", &serves(detector())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DownloadFailed);
    assert!(error.to_string().contains("232589 are expected"), "{error}");

    let first = serves(vec![0; 232_589]);
    let second = serves(vec![1; 232_589]);
    let error = place.packs.pull("opencv", &from_mirrors(&[&first, &second]), &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
    assert!(error.to_string().contains("8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"), "{error}");
    assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
    assert!(place.files().is_empty());
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

#[test]
fn mirrors_are_asked_in_order_and_all_are_told() {
    let gone = Server::http(|_, to| server::head(to, "410 Gone", &[("Content-Length", "0".into())]));
    let good = serves(buffalo_sc());
    let place = Place::new();
    let pulled = place.packs.pull("buffalo_sc", &from_mirrors(&[&gone, &good]), &mut go_on).unwrap();
    assert!(pulled.origin.starts_with(&good.url()));

    let other = Server::http(|_, to| server::head(to, "403 Forbidden", &[("Content-Length", "0".into())]));
    let error = Place::new().packs.pull("buffalo_sc", &from_mirrors(&[&gone, &other]), &mut go_on).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("410") && told.contains("403") && told.contains(&other.url()), "{told}");

    // Half of another mirror's file is not completed with this one's.
    let half = breaks_off(vec![9; 100_000], usize::MAX);
    let mut options = from_mirrors(&[&half, &good]);
    options.network.retries = 1;
    let place = Place::new();
    place.packs.pull("buffalo_sc", &options, &mut go_on).unwrap();
    assert_eq!(good.requests().last().unwrap().start(), 0);

    let mut options = accepted();
    for bad in ["http://models.example.org", "models", "ftp://localhost/", "https://h/x?token=1", "https://h/#x"] {
        options.network.mirrors = vec![bad.into()];
        let error = Place::new().packs.pull("buffalo_sc", &options, &mut go_on).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    options.network.mirrors.clear();
    let error = Place::new().packs.pull("buffalo_sc", &options, &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
}

#[test]
fn nobody_is_asked_before_the_licence_is_accepted() {
    let server = serves(buffalo_sc());
    let place = Place::new();
    let mut options = from_mirrors(&[&server]);
    options.accept_licence = false;
    let error = place.packs.pull("buffalo_sc", &options, &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LicenceRefused);
    assert!(error.to_string().contains("non-commercial research only"), "{error}");
    let commercial = place.packs.clone().with_policy(facecore::PackPolicy::Commercial);
    let forbidden = commercial.pull("buffalo_sc", &from_mirrors(&[&server]), &mut go_on).unwrap_err();
    assert_eq!(forbidden.kind(), ErrorKind::LicenceRefused);
    assert!(server.requests().is_empty() && place.files().is_empty());

    // What somebody else installed is not opened either.
    place.pull("buffalo_sc", &server).unwrap();
    assert_eq!(commercial.open("buffalo_sc").unwrap_err().kind(), ErrorKind::LicenceRefused);
    assert_eq!(commercial.pull("buffalo_sc", &options, &mut go_on).unwrap_err().kind(), ErrorKind::LicenceRefused);
    let pack = place.packs.open("buffalo_sc").unwrap();
    let builder = facecore::Recognizer::builder().opened_pack(pack).pack_policy(facecore::PackPolicy::Commercial);
    assert_eq!(builder.build().err().map(|error| error.kind()), Some(ErrorKind::LicenceRefused));
    let listed = commercial.list().unwrap();
    let permitted: Vec<&str> = listed.iter().filter(|pack| pack.permitted).map(|pack| pack.name.as_str()).collect();
    assert_eq!(permitted, ["opencv"]);
}

#[test]
fn https_is_checked_against_the_authorities_named() {
    let content = Arc::new(buffalo_sc());
    let served = Arc::clone(&content);
    let server = Server::https("models.example.org", move |request, to| server::file(request, to, &served, "1"));
    let place = Place::new();
    let mut options = from_mirrors(&[&server]);
    options.network.retries = 0;
    let error = place.packs.pull("buffalo_sc", &options, &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DownloadFailed, "Mozilla's authorities do not vouch for it: {error}");
    assert!(server.requests().is_empty());

    options.network.certificates = Some(place.write("authority.pem", server.authority().as_bytes()));
    let pulled = place.packs.pull("buffalo_sc", &options, &mut go_on).unwrap();
    assert!(pulled.origin.starts_with("https://localhost:"));

    // From protected to unprotected is no way.
    let plain = serves(buffalo_sc());
    let to_plain = plain.url();
    let server = Server::https("x.example.org", move |_, to| {
        server::head(to, "302 Found", &[("Location", format!("{to_plain}/buffalo_sc.zip"))])
    });
    options.network.mirrors = vec![server.url()];
    options.network.certificates = Some(place.write("authority.pem", server.authority().as_bytes()));
    let error = Place::new().packs.pull("buffalo_sc", &options, &mut go_on).unwrap_err();
    assert!(error.to_string().contains("only https is taken") && plain.requests().is_empty(), "{error}");

    options.network.certificates = Some(place.write("none.pem", b"nothing"));
    let error = Place::new().packs.pull("buffalo_sc", &options, &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_pack_that_was_changed_is_found_out_and_put_right() {
    let place = Place::new();
    let server = serves(buffalo_sc());
    let pulled = place.pull("buffalo_sc", &server).unwrap();
    let model = pulled.folder.join("w600k_mbf.onnx");
    let sound = std::fs::read(&model).unwrap();
    let mut changed = sound.clone();
    changed[1000] ^= 1;
    std::fs::write(&model, &changed).unwrap();
    assert_eq!(place.packs.open("buffalo_sc").unwrap_err().kind(), ErrorKind::ChecksumMismatch);
    let verified = place.packs.verify("buffalo_sc", &accepted(), &mut go_on);
    assert_eq!(verified.unwrap_err().kind(), ErrorKind::ChecksumMismatch);

    std::fs::write(&model, &sound[..1000]).unwrap();
    let state =
        |place: &Place| place.packs.list().unwrap().iter().find(|pack| pack.name == "buffalo_sc").unwrap().state;
    assert_eq!(state(&place), PackState::Damaged);
    // Another file than was recorded does not get in this way.
    let other = archive::of_files(&[
        ("det_500m.onnx", &detector()),
        ("w600k_mbf.onnx", &Embedder { dimension: 512, seed: 2, ..Embedder::default() }.bytes()),
    ]);
    let error = place.pull("buffalo_sc", &serves(other.clone())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ChecksumMismatch, "{error}");
    assert_eq!(state(&place), PackState::Damaged);
    place.pull("buffalo_sc", &server).unwrap();
    assert_eq!((state(&place), std::fs::read(&model).unwrap()), (PackState::Installed, sound));

    for damaged in [&b"{"[..], b"\xff\xfe"] {
        std::fs::write(pulled.folder.join("installed.json"), damaged).unwrap();
        assert_eq!(state(&place), PackState::Damaged);
        assert_eq!(place.packs.open("buffalo_sc").unwrap_err().kind(), ErrorKind::PackInvalid);
        // The manifest still has the checksums.
        assert_eq!(place.pull("buffalo_sc", &serves(other.clone())).unwrap_err().kind(), ErrorKind::ChecksumMismatch);
        place.pull("buffalo_sc", &server).unwrap();
        assert_eq!(state(&place), PackState::Installed);
    }

    // A model and the manifest that were changed together differ from the record.
    let manifest = pulled.folder.join("pack.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let without: String =
        text.lines().filter(|line| !line.starts_with("sha256")).map(|line| format!("{line}\n")).collect();
    std::fs::write(&manifest, without).unwrap();
    let sound = std::fs::read(&model).unwrap();
    std::fs::write(&model, Embedder { dimension: 512, seed: 2, ..Embedder::default() }.bytes()).unwrap();
    assert_eq!(place.packs.open("buffalo_sc").unwrap_err().kind(), ErrorKind::ChecksumMismatch);
    std::fs::write(&model, sound).unwrap();
    std::fs::write(&manifest, text).unwrap();

    let removed = place.packs.remove("buffalo_sc", &mut go_on).unwrap();
    assert!(removed.bytes > 10_000 && place.files().is_empty());
    assert_eq!(place.packs.remove("buffalo_sc", &mut go_on).unwrap_err().kind(), ErrorKind::ModelNotFound);
    let missing = place.packs.open("buffalo_sc").unwrap_err();
    assert!(missing.to_string().contains("facecore models pull buffalo_sc"), "{missing}");
    // What is meant is done: after it was removed, the other file may come.
    place.pull("buffalo_sc", &serves(other)).unwrap();
}

#[test]
fn names_that_are_none_are_refused() {
    let place = Place::new();
    let kind = |name: &str| place.packs.pull(name, &accepted(), &mut go_on).unwrap_err().kind();
    assert_eq!(kind("buffalo_xxl"), ErrorKind::ModelNotFound);
    assert_eq!(kind("lite"), ErrorKind::InvalidArgument);
    for bad in ["", "..", "../x", "/etc", "a/b", ".work"] {
        assert_eq!(kind(bad), ErrorKind::InvalidArgument, "{bad}");
        assert_eq!(place.packs.remove(bad, &mut go_on).unwrap_err().kind(), ErrorKind::InvalidArgument, "{bad}");
        assert_eq!(place.packs.open(bad).unwrap_err().kind(), ErrorKind::InvalidArgument, "{bad}");
    }
    assert!(place.files().is_empty());
}
