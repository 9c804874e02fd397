//! Certificates and keys, from PEM files, and what TLS is configured with.

use super::{Client, Presented, Server};
use crate::target::Tls;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
};

/// What is wrong with the files of TLS, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum FileTrouble {
    /// A file that cannot be read, or not as what it should be.
    #[error("cannot read {what} from '{}': {why}", file.display())]
    Unreadable {
        /// What was looked for.
        what: &'static str,
        /// Where.
        file: PathBuf,
        /// What went wrong.
        why: String,
    },
    /// Certificate and key are no pair, or of a kind that is not supported.
    #[error("the certificate in '{}' cannot be used with the key in '{}': {why}", cert.display(), key.display())]
    Pair {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What is wrong with them.
        why: Error,
    },
    /// Nobody is trusted.
    #[error("the system has no certificate authorities to trust ({0}); give some with --ca")]
    NoRoots(String),
    /// Not the name of a server.
    #[error("'{0}' is no name that a certificate could hold; give the broker's name with --server-name")]
    Name(String),
    /// The library refuses the configuration.
    #[error("TLS cannot be set up: {0}")]
    SetUp(String),
}

fn unreadable(what: &'static str, file: &Path, error: &pem::Error) -> FileTrouble {
    let why = match error {
        pem::Error::NoItemsFound => "the file holds none in PEM form".to_owned(),
        pem::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    };
    FileTrouble::Unreadable { what, file: file.to_owned(), why }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, FileTrouble> {
    let wrong = |error: pem::Error| unreadable("certificates", file, &error);
    let found: Vec<_> =
        CertificateDer::pem_file_iter(file).map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)?;
    if found.is_empty() { Err(wrong(pem::Error::NoItemsFound)) } else { Ok(found) }
}

fn identity(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, FileTrouble> {
    let chain = certificates(cert)?;
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("a private key", key, &error))?;
    CertifiedKey::from_der(chain, secret, provider).map_err(|why| FileTrouble::Pair {
        cert: cert.to_owned(),
        key: key.to_owned(),
        why,
    })
}

/// The authorities of a file.
fn authorities(file: &Path) -> Result<RootCertStore, FileTrouble> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| FileTrouble::Unreadable {
            what: "certificates",
            file: file.to_owned(),
            why: error.to_string(),
        })?;
    }
    Ok(roots)
}

/// The authorities that the system trusts. One that cannot be used is no reason to do without the others.
fn system_authorities() -> Result<RootCertStore, FileTrouble> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(|| "none was found".to_owned(), ToString::to_string);
        return Err(FileTrouble::NoRoots(why));
    }
    Ok(roots)
}

/// How to speak TLS to a broker on this host.
pub(crate) fn client(tls: &Tls, host: &str) -> Result<Client, FileTrouble> {
    let provider = Arc::new(ring::default_provider());
    let name = tls.server_name.as_deref().unwrap_or(host);
    let name = ServerName::try_from(name.to_owned()).map_err(|_| FileTrouble::Name(name.to_owned()))?;
    let certificate = match &tls.identity {
        Some((cert, key)) => Some(Arc::new(identity(cert, key, &provider)?)),
        None => None,
    };
    let presented = Arc::new(Presented { certificate, asked: AtomicBool::new(false) });
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| FileTrouble::SetUp(error.to_string()))?;
    let builder = if tls.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
    } else {
        builder.with_root_certificates(match &tls.ca {
            Some(file) => authorities(file)?,
            None => system_authorities()?,
        })
    };
    let mut config = builder.with_client_cert_resolver(Arc::clone(&presented) as _);
    // Every connection is a stranger's: none may depend on what the broker remembers of another.
    config.resumption = Resumption::disabled();
    Ok(Client { config: Arc::new(config), name, presented })
}

/// How to serve TLS with this certificate, to anybody or to those whom these authorities know.
pub(crate) fn server(cert: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Server, FileTrouble> {
    let provider = Arc::new(ring::default_provider());
    let set_up = |why: &dyn ToString| FileTrouble::SetUp(why.to_string());
    let identity = identity(cert, key, &provider)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| set_up(&error))?;
    let builder = match client_ca {
        Some(file) => {
            let roots = Arc::new(authorities(file)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| set_up(&error))?)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
    // A client that ends its connection with tickets unread would reset it, and take its last packets with it.
    config.send_tls13_tickets = 0;
    Ok(Server(Arc::new(config)))
}

/// `--insecure`: takes whatever certificate the broker shows, as long as the broker has its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
