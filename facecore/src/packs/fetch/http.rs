//! One request: where it may go, what is asked, and how the answer is read.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{HeaderMap, StatusCode, Uri, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy, ProxyProtocol};

use super::{Failure, Network, Partial};
use crate::error::{Error, ErrorKind, Result, fail};

/// How many redirects are followed.
const REDIRECTS: usize = 10;

/// Sends requests.
pub(super) struct Http {
    agent: Agent,
}

/// An answer with a file, or the rest of one.
pub(super) struct Answer {
    /// Where in the file the body begins.
    pub start: u64,
    /// How long the whole file is, if that is said.
    pub total: Option<u64>,
    /// What the server calls this version of the file.
    pub validator: Option<String>,
    pub body: Box<dyn Read>,
}

impl Http {
    /// Errors with `InvalidArgument` if the certificates cannot be read, or a proxy of the environment not be used.
    pub fn new(network: &Network) -> Result<Http> {
        check_proxies()?;
        let named = std::env::var_os("SSL_CERT_FILE").filter(|value| !value.is_empty()).map(PathBuf::from);
        let roots = match network.certificates.clone().or(named) {
            Some(path) => authorities(&path)?,
            None => RootCerts::WebPki,
        };
        let config = Agent::config_builder()
            // Each step of a redirect is looked at before it is taken, and statuses mean more than an error.
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("facecore/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(network.connect_timeout))
            .timeout_connect(Some(network.connect_timeout))
            .timeout_send_request(Some(network.stall_timeout))
            .timeout_recv_response(Some(network.stall_timeout))
            .timeout_per_read(Some(network.stall_timeout))
            .timeout_per_write(Some(network.stall_timeout))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Ok(Http { agent: Agent::new_with_config(config) })
    }

    /// Asks for a file, or for the rest of it.
    pub fn ask(&self, url: &str, partial: &Partial) -> std::result::Result<Answer, Failure> {
        let refused = |why: String| Failure::Source(ErrorKind::DownloadFailed, why);
        let mut uri = check_address(url, None).map_err(refused)?;
        for _ in 0..=REDIRECTS {
            // Sizes and ranges are those of the file itself.
            let mut request = self.agent.get(uri.clone()).header(header::ACCEPT_ENCODING, "identity");
            if partial.length > 0 {
                request = request.header(header::RANGE, format!("bytes={}-", partial.length));
                if let Some(validator) = &partial.validator {
                    request = request.header(header::IF_RANGE, validator);
                }
            }
            if is_this_machine(&uri) {
                request = request.config().proxy(None).build();
            }
            let response = request.call().map_err(|error| match error {
                // What asking again does not change.
                ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                    refused(in_words(&error))
                }
                _ => Failure::Passing(in_words(&error), None),
            })?;
            let (parts, body) = response.into_parts();
            let status = parts.status;
            if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
                let to = parts.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
                if to.is_empty() {
                    return Err(refused(format!("it answered with HTTP status {status}, which leads to no place")));
                }
                let next = resolve(&uri, to);
                uri = check_address(&next, Some(&uri))
                    .map_err(|why| refused(format!("it leads to {}: {why}", shown(&next))))?;
                continue;
            }
            return read_answer(status, &parts.headers, Box::new(body.into_reader()), partial);
        }
        Err(refused(format!("it leads on more than {REDIRECTS} times")))
    }
}

fn read_answer(
    status: StatusCode,
    headers: &HeaderMap,
    body: Box<dyn Read>,
    partial: &Partial,
) -> std::result::Result<Answer, Failure> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let validator = || {
        let strong = text(header::ETAG).filter(|tag| tag.starts_with('"'));
        strong.or(text(header::LAST_MODIFIED)).map(str::to_owned)
    };
    let refused = |why: String| Failure::Source(ErrorKind::DownloadFailed, why);
    if text(header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.trim().eq_ignore_ascii_case("identity")) {
        return Err(refused("it sends the file in an encoding that was not asked for".into()));
    }
    let retry_after = || {
        let seconds = text(header::RETRY_AFTER).and_then(|seconds| seconds.trim().parse().ok());
        seconds.map(Duration::from_secs)
    };
    // What another address gave stays; what this one gave is of no use if it cannot be gone on with.
    let unusable = |why: &str| match partial.foreign {
        true => refused(why.into()),
        false => Failure::Anew(why.into()),
    };
    match status {
        StatusCode::OK => {
            let total = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
            Ok(Answer { start: 0, total, validator: validator(), body })
        }
        StatusCode::PARTIAL_CONTENT => {
            let range = text(header::CONTENT_RANGE).and_then(content_range);
            match range {
                Some((start, total)) if start == partial.length && start > 0 => {
                    Ok(Answer { start, total: Some(total), validator: validator(), body })
                }
                _ => Err(unusable("it gave another part of the file than it was asked for")),
            }
        }
        StatusCode::RANGE_NOT_SATISFIABLE if partial.length > 0 => {
            Err(unusable("its file is shorter than what has come of it"))
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Err(Failure::Passing(in_status(status), retry_after()))
        }
        status if status.is_server_error() => Err(Failure::Passing(in_status(status), retry_after())),
        status => Err(refused(in_status(status))),
    }
}

fn in_status(status: StatusCode) -> String {
    format!("it answered with HTTP status {status}")
}

/// `bytes 5-9/10` to 5 and 10.
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end, total): (u64, u64, u64) = (start.parse().ok()?, end.parse().ok()?, total.parse().ok()?);
    (start <= end && end.checked_add(1) == Some(total)).then_some((start, total))
}

/// An address that may be asked: HTTPS, or HTTP of this machine itself, unless HTTPS led there.
pub(super) fn check_address(url: &str, led_by: Option<&Uri>) -> std::result::Result<Uri, String> {
    let uri: Uri = url.parse().map_err(|error| format!("it is no address: {error}"))?;
    if uri.host().is_none_or(str::is_empty) {
        return Err("it is no address with a host".into());
    }
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_this_machine(&uri) && led_by.is_none_or(|from| from.scheme_str() == Some("http")) => Ok(uri),
        _ => Err("it is not protected: only https is taken, and http of this machine itself".into()),
    }
}

/// An address as it is shown and kept: without a user's name and password, and without what gives access to it.
pub(super) fn shown(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let address = &url[..end];
    let Some(start) = address.find("://").map(|at| at + 3) else { return address.to_owned() };
    let host_end = address[start..].find('/').map_or(address.len(), |at| start + at);
    match address[start..host_end].rfind('@') {
        Some(at) => format!("{}{}", &address[..start], &address[start + at + 1..]),
        None => address.to_owned(),
    }
}

/// Errors with `InvalidArgument` if the environment names a proxy that cannot be used: it must not be passed by.
fn check_proxies() -> Result<()> {
    const NAMES: [&str; 6] = ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
    for name in NAMES {
        let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { continue };
        check_proxy(name, &value.to_string_lossy())?;
    }
    Ok(())
}

fn check_proxy(name: &str, value: &str) -> Result<()> {
    match Proxy::new(value).map(|proxy| proxy.protocol()) {
        Ok(ProxyProtocol::Http | ProxyProtocol::Https) => Ok(()),
        _ => fail!(
            InvalidArgument,
            "the environment's {name} names a proxy that cannot be used; it must be http://HOST:PORT or \
             https://HOST:PORT"
        ),
    }
}

fn is_this_machine(uri: &Uri) -> bool {
    matches!(uri.host(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

/// Where a `Location` leads from an address.
fn resolve(from: &Uri, to: &str) -> String {
    let scheme = from.scheme_str().unwrap_or("https");
    let host = from.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let has_scheme = to.split_once("://").is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric()));
    if has_scheme {
        to.to_owned()
    } else if let Some(rest) = to.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if to.starts_with('/') {
        format!("{scheme}://{host}{to}")
    } else if to.starts_with(['?', '#']) {
        format!("{scheme}://{host}{}{to}", from.path())
    } else {
        let folder = from.path().rfind('/').map_or("/", |at| &from.path()[..=at]);
        let (to, rest) = to.split_at(to.find(['?', '#']).unwrap_or(to.len()));
        format!("{scheme}://{host}{}{rest}", without_dots(&format!("{folder}{to}")))
    }
}

/// A path from the root, its `.` and `..` resolved.
fn without_dots(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." | ".." => {
                if part == ".." {
                    parts.pop();
                }
            }
            part => parts.push(part),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        parts.push("");
    }
    format!("/{}", parts.join("/"))
}

/// The certificate authorities in a PEM file.
fn authorities(path: &std::path::Path) -> Result<RootCerts> {
    let pem = std::fs::read(path).map_err(|error| {
        let message = format!("cannot read the certificate authorities in {}: {error}", path.display());
        Error::new(ErrorKind::InvalidArgument, message).with_source(error)
    })?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        fail!(InvalidArgument, "{} has no certificate authorities in PEM", path.display());
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

/// What went wrong, as people say it.
fn in_words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "it did not answer in time".into(),
        ureq::Error::HostNotFound => "there is no such host, or no network".into(),
        ureq::Error::Io(error) => format!("no connection: {error}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_protected_addresses_are_asked() {
        for good in ["https://example.org/a", "http://127.0.0.1:8000/a", "http://[::1]/", "http://localhost/"] {
            assert!(check_address(good, None).is_ok(), "{good}");
        }
        for bad in [
            "http://example.org/a",
            "ftp://example.org/",
            "file:///etc/passwd",
            "/a",
            "https:///a",
            "",
            "http://127.0.0.1.example.org/",
        ] {
            assert!(check_address(bad, None).is_err(), "{bad}");
        }
        let https: Uri = "https://example.org/".parse().unwrap();
        assert!(check_address("http://127.0.0.1/", Some(&https)).is_err());
        assert!(check_address("https://example.com/", Some(&https)).is_ok());
    }

    #[test]
    fn redirects_are_resolved() {
        let from: Uri = "https://example.org:8443/a/b.zip?x=1".parse().unwrap();
        for (to, expected) in [
            ("https://other.org/c", "https://other.org/c"),
            ("//other.org/c", "https://other.org/c"),
            ("/c?y=http://z", "https://example.org:8443/c?y=http://z"),
            ("c.zip", "https://example.org:8443/a/c.zip"),
            ("../c.zip?y", "https://example.org:8443/c.zip?y"),
            ("./../../c/./d/..", "https://example.org:8443/c/"),
            ("?y=2", "https://example.org:8443/a/b.zip?y=2"),
        ] {
            assert_eq!(resolve(&from, to), expected);
        }
    }

    #[test]
    fn addresses_are_shown_without_secrets() {
        for (url, expected) in [
            ("https://ada:s3@cret@example.org/a/b@c", "https://example.org/a/b@c"),
            ("https://example.org/a?token=secret#x", "https://example.org/a"),
            ("https://ada@example.org", "https://example.org"),
            ("nonsense?secret", "nonsense"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn proxies_that_cannot_be_used_are_not_passed_by() {
        assert!(check_proxy("ALL_PROXY", "http://127.0.0.1:3128").is_ok());
        assert!(check_proxy("ALL_PROXY", "ada:secret@proxy.example:3128").is_ok());
        for other in ["socks5://127.0.0.1:1080", "socks4a://h:1", "ftp://h:1", "http://", "::"] {
            let error = check_proxy("ALL_PROXY", other).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{other}");
        }
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, 10)));
        for bad in
            ["bytes 5-8/10", "bytes */10", "bytes 9-5/10", "5-9/10", "bytes 5-9/*", "bytes 0-18446744073709551615/0"]
        {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
