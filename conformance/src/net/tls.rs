//! TLS over another carrier, as a client and as a server.

mod files;

pub use files::FileTrouble;
pub(crate) use files::{client, server};

use super::{Address, Caller, Carrier, Opening, Refused, Wire};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::rustls::client::ResolvesClientCert;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ClientConfig, ServerConfig, SignatureScheme};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

/// How clients speak TLS: whom they trust, whom they expect, as whom they come.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    presented: Arc<Presented>,
}

/// The client's certificate, if it has one, and whether the broker asked for it.
///
/// In TLS 1.3 the client's handshake is over before the broker judges the client's certificate. A refusal comes later,
/// as the end of the connection: what was asked tells why it may have come.
#[derive(Debug)]
struct Presented {
    certificate: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl ResolvesClientCert for Presented {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        let certificate = self.certificate.as_ref()?;
        certificate.key.choose_scheme(schemes).map(|_| Arc::clone(certificate))
    }

    fn has_certs(&self) -> bool {
        self.certificate.is_some()
    }
}

/// The two sides' streams, with their plain bytes.
struct Encrypted(TlsStream<Box<dyn Wire>>);

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.0).poll_read(context, buffer)) {
            // The end of the TCP stream is an end, with close_notify or without: that is no matter of MQTT.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            read => Poll::Ready(read),
        }
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl Wire for Encrypted {
    fn reset_on_drop(&mut self) {
        match &mut self.0 {
            TlsStream::Client(stream) => stream.get_mut().0.reset_on_drop(),
            TlsStream::Server(stream) => stream.get_mut().0.reset_on_drop(),
        }
    }
}

/// Speaks TLS over the connections that another carrier opens.
#[derive(Debug)]
struct TlsCarrier {
    inner: Address,
    client: Client,
}

impl Carrier for TlsCarrier {
    fn open<'a>(&'a self, caller: Caller<'a>) -> Opening<'a> {
        Box::pin(async move {
            let wire = self.inner.0.open(caller).await?;
            let connector = TlsConnector::from(Arc::clone(&self.client.config));
            let stream = connector.connect(self.client.name.clone(), wire).await.map_err(Refused::Tls)?;
            Ok(Box::new(Encrypted(stream.into())) as Box<dyn Wire>)
        })
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.inner.peer()
    }

    fn advice(&self) -> Option<&'static str> {
        let presented = &self.client.presented;
        match (presented.asked.load(Ordering::Relaxed), &presented.certificate) {
            (false, _) => None,
            (true, None) => Some("the broker asks for a client certificate: give one with --cert and --key"),
            (true, Some(_)) => {
                Some("the broker asks for a client certificate, and may not trust the one that --cert gives")
            }
        }
    }
}

impl Address {
    /// The same broker, reached within TLS.
    pub(crate) fn within_tls(self, client: Client) -> Address {
        Address::new(TlsCarrier { inner: self, client })
    }
}

/// How a served broker speaks TLS.
#[derive(Clone)]
pub(crate) struct Server(Arc<ServerConfig>);

impl fmt::Debug for Server {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    /// The server's side of the handshake.
    pub(super) async fn accept(&self, wire: Box<dyn Wire>) -> io::Result<Box<dyn Wire>> {
        let stream = TlsAcceptor::from(Arc::clone(&self.0)).accept(wire).await?;
        Ok(Box::new(Encrypted(stream.into())))
    }
}
