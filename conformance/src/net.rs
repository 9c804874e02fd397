//! Byte streams to a broker. Stories do not know which carrier moves their bytes.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A connected byte stream.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {
    /// Ends the connection with a reset (RST) instead of an orderly close.
    fn reset_on_drop(&self);
}

impl Wire for TcpStream {
    fn reset_on_drop(&self) {
        // Linger with a zero timeout turns the close into a reset; should it fail, an orderly close remains.
        let _ = self.set_zero_linger();
    }
}

/// Where a run's clients connect to: resolved once, so that every check reaches the same broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Address(pub(crate) std::net::SocketAddr);

impl Address {
    pub(crate) async fn open(self, patience: Duration) -> io::Result<Box<dyn Wire>> {
        let stream = tokio::time::timeout(patience, TcpStream::connect(self.0))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer to the connection request"))??;
        // Packets are written whole; waiting to merge them would only slow the stories down.
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}
