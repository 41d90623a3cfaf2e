//! Downloads: from several places, gone on with after an interruption, and never more than was expected.

mod http;
mod partial;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use http::{Answer, Http};
use partial::Partial;

pub(super) use partial::discard;

use super::report::{Listener, Stage, tell};
use super::tree::sha256_of;
use crate::error::{Error, ErrorKind, Result, fail};
use crate::files;

/// How packs are downloaded. Proxies are those of the environment: `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and
/// `NO_PROXY`; this machine itself is never asked through one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Addresses of folders that have the files under their own names (`buffalo_l.zip`), tried first, in this order:
    /// `https://…`, or `http://` of this machine itself.
    pub mirrors: Vec<String>,
    /// Ask the mirrors only, and not where the packs come from.
    pub mirrors_only: bool,
    /// A file of certificate authorities in PEM, to be trusted in place of Mozilla's, as for a proxy that looks into
    /// connections. Without one the file that `SSL_CERT_FILE` names is taken, if it is set.
    pub certificates: Option<PathBuf>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long nothing may come; within this time at least 4 KiB must.
    pub stall_timeout: Duration,
    /// How often an address is asked again after a failure that may pass, without having got any further.
    pub retries: u32,
    /// How long to wait before it is asked again; twice as long each time.
    pub pause: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Network {
            mirrors: Vec::new(),
            mirrors_only: false,
            certificates: None,
            connect_timeout: Duration::from_secs(20),
            stall_timeout: Duration::from_secs(30),
            retries: 3,
            pause: Duration::from_secs(1),
        }
    }
}

impl Network {
    /// Errors with `InvalidArgument` if a mirror's address cannot be used, only mirrors are to be asked and none is
    /// named, or a timeout is zero.
    pub fn check(&self) -> Result<()> {
        for mirror in &self.mirrors {
            let refused = |why: String| {
                Error::new(ErrorKind::InvalidArgument, format!("the mirror {}: {why}", http::shown(mirror)))
            };
            http::check_address(mirror, None).map_err(refused)?;
            if mirror.contains(['?', '#']) {
                return Err(refused("names of files follow it, so it can have neither a query nor a fragment".into()));
            }
        }
        if self.mirrors_only && self.mirrors.is_empty() {
            fail!(InvalidArgument, "only mirrors are to be asked, and none is named");
        }
        if self.stall_timeout.is_zero() || self.connect_timeout.is_zero() {
            fail!(InvalidArgument, "timeouts of a download must be longer than nothing");
        }
        Ok(())
    }
}

/// The least that must come within the stall timeout.
const LEAST: u64 = 4 << 10;
/// How often an address is asked at most, however much each time brings.
const MOST_REQUESTS: u32 = 100;
/// The longest that a server's `Retry-After` is kept to.
const MOST_PATIENCE: Duration = Duration::from_secs(60);

/// A file to be downloaded.
pub(super) struct Remote<'a> {
    /// Its name, under which mirrors have it.
    pub name: &'a str,
    /// Where it is found.
    pub urls: &'a [&'a str],
    /// Its SHA-256 and its size, where they are certain.
    pub sha256: Option<&'a str>,
    pub bytes: Option<u64>,
    /// The most bytes that are taken.
    pub most: u64,
}

/// A file that was downloaded.
#[derive(Debug)]
pub(super) struct Fetched {
    /// The address that gave it.
    pub origin: String,
    pub sha256: String,
}

/// Why an address did not give a file.
enum Failure {
    /// The download as a whole ends: it was cancelled, or the disk failed.
    Ends(Error),
    /// The address is asked no more. What has come of the file stays: another address may have given it.
    Source(ErrorKind, String),
    /// It may be better the next time, after what the server asked to wait for.
    Passing(String, Option<Duration>),
    /// What has come is of another file; the next request is for the whole.
    Anew(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Ends(error)
    }
}

/// Downloads files.
pub(super) struct Fetcher {
    network: Network,
    http: Http,
}

impl Fetcher {
    /// Errors with `InvalidArgument` if a mirror's address or the certificates cannot be used.
    pub fn new(network: &Network) -> Result<Fetcher> {
        network.check()?;
        Ok(Fetcher { network: network.clone(), http: Http::new(network)? })
    }

    /// Downloads a file to `path`, or goes on with what is there of it.
    ///
    /// Errors with `DownloadFailed`, which tells what each address did, `ChecksumMismatch` if each gave another file,
    /// `Cancelled`, and with `Io`.
    pub fn fetch(&self, remote: &Remote, path: &Path, listener: &mut Listener) -> Result<Fetched> {
        let mirrors =
            self.network.mirrors.iter().map(|mirror| format!("{}/{}", mirror.trim_end_matches('/'), remote.name));
        let own = remote.urls.iter().filter(|_| !self.network.mirrors_only).map(|url| (*url).to_owned());
        let mut refused = Vec::new();
        for url in mirrors.chain(own) {
            match self.fetch_from(&url, remote, path, listener) {
                Ok(sha256) => return Ok(Fetched { origin: http::shown(&url), sha256 }),
                Err(Failure::Ends(error)) => return Err(error),
                Err(Failure::Source(kind, why)) => refused.push((kind, format!("{}: {why}", http::shown(&url)))),
                Err(Failure::Passing(why, _) | Failure::Anew(why)) => {
                    refused.push((ErrorKind::DownloadFailed, format!("{}: {why}", http::shown(&url))));
                }
            }
        }
        let other_files = refused.iter().all(|(kind, _)| *kind == ErrorKind::ChecksumMismatch);
        let kind = if other_files { ErrorKind::ChecksumMismatch } else { ErrorKind::DownloadFailed };
        let told: Vec<String> = refused.into_iter().map(|(_, told)| told).collect();
        let remedy = match kind {
            ErrorKind::ChecksumMismatch => "name a mirror that has the known file",
            _ if Partial::is_of_use(path, remote.sha256.is_some()) => "try again, which goes on with what has come",
            _ => {
                "try again, or fetch the pack's files where there is a network, and import the archive or the folder that \
                 they are in (`facecore models import`)"
            }
        };
        Err(Error::new(kind, format!("cannot download {}: {}; {remedy}", remote.name, told.join("; "))))
    }

    /// Asks one address until it has given the file, or gets no further.
    fn fetch_from(
        &self,
        url: &str,
        remote: &Remote,
        path: &Path,
        listener: &mut Listener,
    ) -> std::result::Result<String, Failure> {
        let (mut furthest, mut fruitless) = (partial::length(path), 0);
        // A part of the file is another address's, and this one cannot answer for it.
        let mut mixed = Partial::read(path, url, remote.sha256.is_some()).foreign;
        for _ in 0..MOST_REQUESTS {
            let (why, asked) = match self.request(url, remote, path, listener) {
                Err(Failure::Passing(why, asked)) => (why, asked),
                Err(Failure::Anew(why)) => {
                    discard(path);
                    (why, None)
                }
                Err(ends) => return Err(ends),
                Ok(()) => match self.check(remote, path) {
                    Err(Failure::Source(ErrorKind::ChecksumMismatch, why)) if mixed => {
                        mixed = false;
                        (why, None)
                    }
                    checked => return checked,
                },
            };
            let length = partial::length(path);
            fruitless = if length > furthest { 0 } else { fruitless + 1 };
            furthest = furthest.max(length);
            if fruitless > self.network.retries {
                if !Partial::is_of_use(path, remote.sha256.is_some()) {
                    discard(path);
                }
                return Err(Failure::Passing(why, asked));
            }
            let pause = self.network.pause * (1 << fruitless.min(6)) / 2;
            self.wait(asked.map_or(pause, |asked| asked.min(MOST_PATIENCE)), remote, furthest, listener)?;
        }
        Err(Failure::Passing(format!("it broke off {MOST_REQUESTS} times"), None))
    }

    /// Waits before the next request, in steps between which the caller may end it.
    fn wait(&self, pause: Duration, remote: &Remote, done: u64, listener: &mut Listener) -> Result<()> {
        let end = Instant::now() + pause;
        loop {
            tell(listener, Stage::Downloading, remote.name, done, remote.bytes)?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }

    /// The SHA-256 of the whole file, which is the known one where one is known.
    fn check(&self, remote: &Remote, path: &Path) -> std::result::Result<String, Failure> {
        let sha256 = sha256_of(path)?;
        match remote.sha256 {
            Some(known) if known != sha256 => {
                discard(path);
                let why = format!("it gave another file: its SHA-256 is {sha256}, not {known}");
                Err(Failure::Source(ErrorKind::ChecksumMismatch, why))
            }
            _ => Ok(sha256),
        }
    }

    /// One request, and what comes of it. `Ok`: the file is whole.
    fn request(
        &self,
        url: &str,
        remote: &Remote,
        path: &Path,
        listener: &mut Listener,
    ) -> std::result::Result<(), Failure> {
        let mut partial = Partial::read(path, url, remote.sha256.is_some());
        // What is as long as it must be needs no request; whether it is the file its checksum tells.
        if partial.is_whole() || (partial.foreign && remote.bytes == Some(partial.length)) {
            return Ok(());
        }
        tell(listener, Stage::Downloading, remote.name, partial.length, partial.total.or(remote.bytes))?;
        let Answer { start, total, validator, mut body } = self.http.ask(url, &partial)?;
        let differs = |then: Option<&str>, now: Option<&str>| then.is_some() && now.is_some() && then != now;
        if start == 0 {
            partial = Partial::new(url, total, validator);
        } else if differs(partial.validator.as_deref(), validator.as_deref())
            || (partial.total.is_some() && total != partial.total)
        {
            // A server that says nothing of the version in the rest of a file has kept to the condition.
            return Err(Failure::Anew("its file changed meanwhile".into()));
        }
        if let (Some(total), Some(bytes)) = (total, remote.bytes)
            && total != bytes
        {
            let why = format!("its file has {total} bytes, and {bytes} are expected");
            return Err(Failure::Source(ErrorKind::DownloadFailed, why));
        }
        if total.is_some_and(|total| total > remote.most) {
            let why =
                format!("its file has {} bytes, and at most {} are taken", total.unwrap_or_default(), remote.most);
            return Err(Failure::Source(ErrorKind::DownloadFailed, why));
        }
        partial.total = total;
        let written = |error: std::io::Error| files::failure(path, "write", &error);
        // What is there of another version goes before this one is noted: it must never be taken for a part of it.
        let mut file = open_at(path, start).map_err(written)?;
        partial.save(path)?;
        let came = self.receive(&mut *body, &mut file, start, remote, total, &written, listener);
        // Also of a download that breaks off: the next one goes on from here.
        file.sync_all().map_err(written)?;
        let length = match came {
            // What it gave is not the file.
            Err(Failure::Source(kind, why)) => {
                discard(path);
                return Err(Failure::Source(kind, why));
            }
            came => came?,
        };
        match total {
            Some(total) if length < total => {
                Err(Failure::Passing(format!("it ended after {length} of {total} bytes"), None))
            }
            Some(_) => Ok(()),
            None => {
                partial.total = Some(length);
                Ok(partial.save(path)?)
            }
        }
    }

    /// Writes what comes; gives the file's length at the end.
    #[expect(clippy::too_many_arguments, reason = "one loop, called from one place")]
    fn receive(
        &self,
        body: &mut dyn Read,
        file: &mut File,
        start: u64,
        remote: &Remote,
        total: Option<u64>,
        written: &dyn Fn(std::io::Error) -> Error,
        listener: &mut Listener,
    ) -> std::result::Result<u64, Failure> {
        let mut buffer = vec![0; 64 << 10];
        let mut length = start;
        let (mut since, mut then) = (Instant::now(), start);
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => return Ok(length),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
                    return Err(Failure::Passing(format!("it broke off after {length}{of} bytes: {error}"), None));
                }
            };
            length += read as u64;
            if length > total.unwrap_or(remote.most) {
                let why = format!("it gives more than {} bytes", total.unwrap_or(remote.most));
                return Err(Failure::Source(ErrorKind::DownloadFailed, why));
            }
            file.write_all(&buffer[..read]).map_err(written)?;
            tell(listener, Stage::Downloading, remote.name, length, total)?;
            if since.elapsed() > self.network.stall_timeout {
                if length - then < LEAST {
                    return Err(Failure::Passing(format!("it stalled after {length} bytes"), None));
                }
                (since, then) = (Instant::now(), length);
            }
        }
    }
}

/// The file, cut to `start` bytes, ready to be written from there.
fn open_at(path: &Path, start: u64) -> std::io::Result<File> {
    let mut file = File::options().write(true).create(true).truncate(false).open(path)?;
    if file.metadata()?.len() != start {
        file.set_len(start)?;
        file.sync_all()?;
    }
    file.seek(SeekFrom::Start(start))?;
    Ok(file)
}
