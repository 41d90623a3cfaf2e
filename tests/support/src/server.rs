//! Web servers on this machine that answer as a test wants, well or badly, and a proxy.

use std::io::{BufRead as _, BufReader, Read, Result, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request, without a body.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The path, with what comes after `?`; what a proxy is asked for.
    pub target: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Where in the file it is asked to begin: 0 without a range.
    pub fn start(&self) -> usize {
        let range = self.header("range").and_then(|range| range.strip_prefix("bytes="));
        range.and_then(|range| range.strip_suffix('-')).and_then(|start| start.parse().ok()).unwrap_or(0)
    }
}

/// A server, until the process ends.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    /// The certificate of the authority that a client of an HTTPS server must trust, in PEM.
    authority: Option<String>,
}

impl Server {
    /// A server that answers each connection's one request by `answer`, which writes all of it, head included.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub fn http(answer: impl Fn(&Request, &mut dyn Write) -> Result<()> + Send + Sync + 'static) -> Server {
        Server::start(None, answer)
    }

    /// The same with TLS, for `localhost` and `host`.
    pub fn https(
        host: &str,
        answer: impl Fn(&Request, &mut dyn Write) -> Result<()> + Send + Sync + 'static,
    ) -> Server {
        Server::start(Some(Tls::new(host)), answer)
    }

    fn start(
        tls: Option<Tls>,
        answer: impl Fn(&Request, &mut dyn Write) -> Result<()> + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (config, authority) = tls.map(|tls| (tls.config, tls.authority)).unzip();
        let (answer, log) = (Arc::new(answer), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log, config) = (Arc::clone(&answer), Arc::clone(&log), config.clone());
                // What a client thinks of an answer is the client's to say.
                thread::spawn(move || match config {
                    None => converse(stream, &log, &*answer).ok(),
                    Some(config) => {
                        let session = ServerConnection::new(config).expect("the configuration is sound");
                        converse(StreamOwned::new(session, stream), &log, &*answer).ok()
                    }
                });
            }
        });
        Server { address, requests, authority }
    }

    /// The server's root, without a slash at its end.
    pub fn url(&self) -> String {
        match self.authority {
            None => format!("http://{}", self.address),
            Some(_) => format!("https://localhost:{}", self.address.port()),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority that vouches for it, in PEM.
    ///
    /// # Panics
    ///
    /// If it is a server without TLS.
    pub fn authority(&self) -> &str {
        self.authority.as_deref().expect("a server with TLS")
    }

    /// What it was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("nobody panicked").clone()
    }
}

fn converse(
    mut stream: impl Read + Write,
    log: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request, &mut dyn Write) -> Result<()>,
) -> Result<()> {
    let request = read_request(&mut stream)?;
    log.lock().expect("nobody panicked").push(request.clone());
    answer(&request, &mut stream)?;
    stream.flush()
}

/// Reads a head, byte by byte, so that nothing after it is taken.
fn read_request(stream: &mut impl Read) -> Result<Request> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let target = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(Request { target, headers })
}

/// Writes the head of an answer.
pub fn head(to: &mut dyn Write, status: &str, headers: &[(&str, String)]) -> Result<()> {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(to, "HTTP/1.1 {status}\r\n{lines}Connection: close\r\n\r\n")
}

/// Answers with a file, or with the rest of it if that is asked for and it is still the version called `tag`.
pub fn file(request: &Request, to: &mut dyn Write, content: &[u8], tag: &str) -> Result<()> {
    let start = file_head(request, to, content, tag)?;
    to.write_all(&content[start..])
}

/// The head of that answer alone; gives where in the file it begins.
pub fn file_head(request: &Request, to: &mut dyn Write, content: &[u8], tag: &str) -> Result<usize> {
    let tag = format!("\"{tag}\"");
    let same = request.header("if-range").is_none_or(|wanted| wanted == tag);
    let start = if same { request.start() } else { 0 };
    let length = |bytes: usize| ("Content-Length", bytes.to_string());
    if start >= content.len() && start > 0 {
        let range = ("Content-Range", format!("bytes */{}", content.len()));
        head(to, "416 Range Not Satisfiable", &[length(0), range])?;
        return Ok(content.len());
    }
    if start > 0 {
        let range = ("Content-Range", format!("bytes {start}-{}/{}", content.len() - 1, content.len()));
        head(to, "206 Partial Content", &[length(content.len() - start), range, ("ETag", tag)])?;
    } else {
        head(to, "200 OK", &[length(content.len()), ("ETag", tag)])?;
    }
    Ok(start)
}

struct Tls {
    config: Arc<ServerConfig>,
    authority: String,
}

impl Tls {
    /// An authority of its own, and a certificate that it signed.
    fn new(host: &str) -> Tls {
        let mut of_authority = CertificateParams::new(Vec::new()).expect("no names are sound names");
        of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("keys can be made");
        let authority = of_authority.self_signed(&key).expect("it can sign itself");
        let issuer = Issuer::new(of_authority, key);
        let own = KeyPair::generate().expect("keys can be made");
        let names = vec!["localhost".to_owned(), host.to_owned()];
        let certificate = CertificateParams::new(names).expect("the names are sound").signed_by(&own, &issuer);
        let certificate = certificate.expect("it can be signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the usual versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("key and certificate belong together");
        Tls { config: Arc::new(config), authority: authority.pem() }
    }
}

/// A proxy for TLS that leads every connection to one address, whatever it was asked for. Gives where it listens, and
/// what it was asked for.
///
/// # Panics
///
/// If no port is free.
pub fn proxy(to: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let log = Arc::clone(&log);
            thread::spawn(move || tunnel(stream, to, &log).ok());
        }
    });
    (address, asked)
}

fn tunnel(mut client: TcpStream, to: SocketAddr, log: &Mutex<Vec<String>>) -> Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    log.lock().expect("nobody panicked").push(line.trim().to_owned());
    while reader.read_line(&mut line)? > 2 {}
    let server = TcpStream::connect(to)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut up, mut up_to) = (client.try_clone()?, server.try_clone()?);
    let upwards =
        thread::spawn(move || std::io::copy(&mut up, &mut up_to).and_then(|_| up_to.shutdown(Shutdown::Write)));
    let mut down = server;
    let copied = std::io::copy(&mut down, &mut client);
    client.shutdown(Shutdown::Both).ok();
    upwards.join().expect("copying does not panic").ok();
    copied.map(drop)
}
