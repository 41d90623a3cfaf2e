//! Which places are asked, in which order, and what they are trusted with.

use std::ops::ControlFlow;
use std::sync::Arc;

use facecore::ErrorKind;
use facecore_testkit::server::{self, Server};

use super::{Place, accepted, breaks_off, buffalo_sc, detector, from_mirrors, go_on, refused, serves};

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
