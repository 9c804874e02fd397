//! Plain TCP.

use super::{Caller, Carrier, Listener, Opening, Wire};
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};

impl Wire for TcpStream {
    fn reset_on_drop(&mut self) {
        // Linger with a zero timeout turns the close into a reset; should it fail, an orderly close remains.
        let _ = self.set_zero_linger();
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
            Ok(Box::new(stream) as Box<dyn Wire>)
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
