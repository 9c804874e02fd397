//! Plain TCP.

use super::{Caller, Carrier, Listener, Opening, Wire};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

impl Wire for TcpStream {
    fn reset_on_drop(&mut self) {
        // Linger with a zero timeout turns the close into a reset; should it fail, an orderly close remains.
        let _ = self.set_zero_linger();
    }
}

/// A stream of which all that comes is acknowledged at once: a broker that waits for that before it goes on (Nagle's
/// algorithm) would wait for 40 ms each time.
#[derive(Debug)]
struct Prompt(TcpStream);

impl Prompt {
    /// The system goes back to its own ways after a while, and where it cannot be told it stays with them.
    #[cfg(target_os = "linux")]
    fn acknowledge_at_once(&self) {
        let _ = rustix::net::sockopt::set_tcp_quickack(&self.0, true);
    }

    #[cfg(not(target_os = "linux"))]
    fn acknowledge_at_once(&self) {}
}

impl AsyncRead for Prompt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0).poll_read(context, buffer))?;
        self.acknowledge_at_once();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Prompt {
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

impl Wire for Prompt {
    fn reset_on_drop(&mut self) {
        self.0.reset_on_drop();
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Tcp(pub(super) SocketAddr);

impl Carrier for Tcp {
    fn open<'a>(&'a self, _: Caller<'a>) -> Opening<'a> {
        Box::pin(async {
            let stream = TcpStream::connect(self.0).await?;
            // Packets are written whole; waiting to merge them would only slow the stories down.
            stream.set_nodelay(true)?;
            Ok(Box::new(Prompt(stream)) as Box<dyn Wire>)
        })
    }

    fn peer(&self) -> Option<SocketAddr> {
        Some(self.0)
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<TcpStream> {
        let (stream, _) = TcpListener::accept(self).await?;
        // Without it packets still go out, only later.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}
