//! The checks reach the reference broker over every transport, and conform there as over TCP; what is wrong with a
//! transport is told in one sentence.

mod support;

use mqtt_assay::check::Check;
use mqtt_assay::run::Options;
use mqtt_assay::serve::{Edge, Served, ServerTls};
use mqtt_assay::setup::Setup;
use mqtt_assay::target::{Target, TcpTarget, Tls, Transport};
use mqtt_assay::verdict::Verdict;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

/// An authority and what it has signed, in files.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
        let name = format!("Authority {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let authority =
            Authority { issuer: Issuer::new(params, key), folder: tempfile::tempdir().expect("a folder") };
        authority.write("ca.pem", &certificate.pem());
        authority
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).expect("a file is written");
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Signs a certificate for this name; gives the files of certificate and key.
    fn sign(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a good name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let (cert_file, key_file) = (format!("{name}.cert.pem"), format!("{name}.key.pem"));
        self.write(&cert_file, &certificate.pem());
        self.write(&key_file, &key.serialize_pem());
        (self.file(&cert_file), self.file(&key_file))
    }

    /// What a broker on this machine serves TLS with.
    fn server(&self, client_ca: Option<PathBuf>) -> ServerTls {
        let (cert, key) = self.sign("127.0.0.1");
        ServerTls { cert, key, client_ca }
    }

    fn trusted(&self) -> Tls {
        Tls { ca: Some(self.file("ca.pem")), ..Tls::default() }
    }
}

async fn served(tls: Option<ServerTls>, websocket: Option<&str>) -> Served {
    serve(Setup::Full, edge(tls, websocket)).await
}

fn edge(tls: Option<ServerTls>, websocket: Option<&str>) -> Edge {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Edge { address, tls, websocket: websocket.map(str::to_owned) }
}

async fn serve(setup: Setup, edge: Edge) -> Served {
    Served::listen(setup, edge, None).await.expect("the reference broker can be served")
}

/// One whole run at a time: handshakes are work, and late answers are no answers.
static RUNS: Mutex<()> = Mutex::const_new(());

/// Runs checks, each against a broker set up for it, and finds nothing to complain of.
async fn conforms(edge: Edge, transport: Transport, wanted: fn(&Check) -> bool) {
    let _alone = RUNS.lock().await;
    let mut conforming = 0;
    for setup in Setup::ALL {
        let broker = serve(setup, edge.clone()).await;
        let target = support::reached(broker.address(), transport.clone());
        let mut options = support::options(target, Duration::from_secs(5));
        options.checks.retain(|check| check.setup == setup && wanted(check));
        options.profile = setup.profile();
        let run = support::quietly(&options).await.expect("the run begins");
        let complaints = support::complaints(&run);
        assert!(complaints.is_empty(), "{}: {}", run.target, complaints.join("\n"));
        assert_eq!(run.results.len(), run.planned);
        conforming += run.results.iter().filter(|r| r.verdict == Verdict::Conforms).count();
    }
    assert!(conforming > 400, "{conforming} checks conform");
}

/// Every check.
const ALL: fn(&Check) -> bool = |_| true;
/// Those that open few connections. The tables open thousands, and what TLS and WebSocket do to them shows with either.
const WITHOUT_TABLES: fn(&Check) -> bool = |check| !check.is_table();

/// The sentence with which a run does not begin.
async fn refusal(address: SocketAddr, transport: Transport) -> String {
    let target = support::reached(address, transport);
    refusal_of(target).await
}

async fn refusal_of(target: Target) -> String {
    let options = Options {
        checks: vec![support::check("ping/pingreq_is_answered")],
        ..support::options(target, Duration::from_secs(5))
    };
    let said = support::quietly(&options).await.expect_err("the run does not begin").to_string();
    assert!(!said.contains('\n'), "{said}");
    said
}

fn tls(tls: Tls) -> Transport {
    Transport { tls: Some(tls), websocket: None }
}

fn websocket(path: &str) -> Transport {
    Transport { tls: None, websocket: Some(path.to_owned()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_broker_conforms_over_tls() {
    let authority = Authority::new();
    conforms(edge(Some(authority.server(None)), None), tls(authority.trusted()), ALL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_broker_conforms_over_mutual_tls() {
    over_mutual_tls(WITHOUT_TABLES).await;
}

async fn over_mutual_tls(wanted: fn(&Check) -> bool) {
    let (authority, clients) = (Authority::new(), Authority::new());
    let edge = edge(Some(authority.server(Some(clients.file("ca.pem")))), None);
    conforms(edge, tls(Tls { identity: Some(clients.sign("client")), ..authority.trusted() }), wanted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_broker_conforms_over_websocket() {
    conforms(edge(None, Some("/mqtt")), websocket("/mqtt"), ALL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_broker_conforms_over_secure_websocket() {
    over_secure_websocket(WITHOUT_TABLES).await;
}

async fn over_secure_websocket(wanted: fn(&Check) -> bool) {
    let authority = Authority::new();
    let edge = edge(Some(authority.server(None)), Some("/deep/path"));
    let transport = Transport { websocket: Some("/deep/path?with=query".into()), ..tls(authority.trusted()) };
    conforms(edge, transport, wanted).await;
}

/// `cargo test -p mqtt-assay --test transports -- --ignored`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute"]
async fn the_tables_are_refused_over_mutual_tls_and_secure_websocket() {
    over_mutual_tls(ALL).await;
    over_secure_websocket(ALL).await;
}

#[tokio::test]
async fn certificates_must_fit() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let broker = served(Some(authority.server(None)), None).await;
    let said = refusal(broker.address(), tls(stranger.trusted())).await;
    assert!(said.contains("UnknownIssuer") && said.contains("--ca"), "{said}");
    let named = Tls { server_name: Some("broker.example".into()), ..authority.trusted() };
    let said = refusal(broker.address(), tls(named)).await;
    assert!(said.contains("broker.example") && said.contains("--server-name"), "{said}");

    // A name of its own, or none that matters.
    let (cert, key) = authority.sign("broker.example");
    let broker = served(Some(ServerTls { cert, key, client_ca: None }), None).await;
    let said = refusal(broker.address(), tls(authority.trusted())).await;
    assert!(said.contains("--server-name"), "{said}");
    let accepted = [
        Tls { server_name: Some("broker.example".into()), ..authority.trusted() },
        Tls { insecure: true, ..Tls::default() },
    ];
    for options in accepted {
        let target = support::reached(broker.address(), tls(options));
        let options = Options {
            checks: vec![support::check("ping/pingreq_is_answered")],
            ..support::options(target, Duration::from_secs(5))
        };
        let run = support::quietly(&options).await.expect("the run begins");
        assert_eq!(support::complaints(&run), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_missing_client_certificate_is_named() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let broker = served(Some(authority.server(Some(clients.file("ca.pem")))), None).await;
    let said = refusal(broker.address(), tls(authority.trusted())).await;
    assert!(said.contains("client certificate") && said.contains("--cert"), "{said}");
    // Signed by somebody whom the broker does not know.
    let wrong = Tls { identity: Some(authority.sign("client")), ..authority.trusted() };
    let said = refusal(broker.address(), tls(wrong)).await;
    assert!(said.contains("may not trust"), "{said}");
}

#[tokio::test]
async fn wrong_files_are_named() {
    let authority = Authority::new();
    let broker = served(Some(authority.server(None)), None).await;
    authority.write("empty.pem", "nothing\n");
    let (cert, key) = authority.sign("client");
    let (_, other_key) = authority.sign("other");
    let empty = authority.file("empty.pem");
    for (options, hint) in [
        (Tls { ca: Some(authority.file("missing.pem")), ..Tls::default() }, "missing.pem"),
        (Tls { ca: Some(empty.clone()), ..Tls::default() }, "holds none"),
        (Tls { identity: Some((empty.clone(), key.clone())), ..authority.trusted() }, "holds none"),
        (Tls { identity: Some((cert.clone(), empty)), ..authority.trusted() }, "private key"),
        (Tls { identity: Some((cert, other_key)), ..authority.trusted() }, "other.key.pem"),
        (Tls { server_name: Some("no name".into()), ..authority.trusted() }, "no name"),
    ] {
        let said = refusal(broker.address(), tls(options)).await;
        assert!(said.contains(hint), "{hint}: {said}");
    }
}

#[tokio::test]
async fn layers_that_are_not_there_are_named() {
    let plain = served(None, None).await;
    let said = refusal(plain.address(), websocket("/mqtt")).await;
    assert!(said.contains("the WebSocket handshake failed"), "{said}");
    let said = refusal(plain.address(), tls(Tls { insecure: true, ..Tls::default() })).await;
    assert!(said.contains("the TLS handshake failed"), "{said}");
    let broker = served(None, Some("/mqtt")).await;
    let said = refusal(broker.address(), websocket("/elsewhere")).await;
    assert!(said.contains("404") && said.contains("path"), "{said}");

    // A web server that is no WebSocket server.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound port");
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    let said = refusal(address, websocket("/mqtt")).await;
    assert!(said.contains("HTTP status 200 OK"), "{said}");
    server.abort();
}

#[tokio::test]
async fn credentials_and_hosts_are_kept() {
    // Host names are resolved, and are what the certificate must show.
    let authority = Authority::new();
    let (cert, key) = authority.sign("localhost");
    let broker = served(Some(ServerTls { cert, key, client_ca: None }), Some("/mqtt")).await;
    let target = Target::Tcp(TcpTarget {
        host: "localhost".into(),
        port: broker.address().port(),
        transport: Transport { websocket: Some("/mqtt".into()), ..tls(authority.trusted()) },
        user_name: Some("anybody".into()),
        password: Some("secret".into()),
    });
    let options = Options {
        checks: vec![support::check("ping/pingreq_is_answered")],
        ..support::options(target, Duration::from_secs(5))
    };
    let run = support::quietly(&options).await.expect("the run begins");
    assert!(run.target.starts_with("wss://localhost:") && run.target.ends_with("/mqtt"), "{}", run.target);
    assert_eq!(support::complaints(&run), Vec::<String>::new());
}
