//! A broker that dies on purpose: of the first packet of some type that a client sends.

use crate::net::Listener;
use mqtt_assay_codec::{PacketType, Split, Version, frame};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// Burns upon the first packet of this type.
#[derive(Clone, Debug)]
pub(super) struct Fuse {
    fatal: PacketType,
    burnt: Arc<Notify>,
}

impl Fuse {
    pub(super) fn new(fatal: PacketType) -> Fuse {
        Fuse { fatal, burnt: Arc::default() }
    }

    /// Waits until it has burnt.
    pub(super) async fn burnt(&self) {
        self.burnt.notified().await;
    }
}

/// A listener whose connections are behind the fuse.
pub(super) struct Fused<L> {
    pub(super) listener: L,
    pub(super) fuse: Fuse,
}

impl<L: Listener> Listener for Fused<L> {
    type Stream = Watched<L::Stream>;

    const BUFFERS: bool = L::BUFFERS;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        let stream = self.listener.accept().await?;
        Ok(Watched { stream, fuse: self.fuse.clone(), unread: Vec::new(), burnt: false })
    }
}

/// A stream whose packets are looked at before the broker gets them.
pub(super) struct Watched<S> {
    stream: S,
    fuse: Fuse,
    /// The beginning of a packet whose end has not come.
    unread: Vec<u8>,
    burnt: bool,
}

impl<S> Watched<S> {
    /// Whether the bytes that came bring a packet of the fatal type, whole or begun.
    fn burns(&mut self, bytes: &[u8]) -> bool {
        self.unread.extend_from_slice(bytes);
        while let Some(first) = self.unread.first() {
            if first >> 4 == self.fuse.fatal as u8 {
                return true;
            }
            // The limit of sizes is the state machine's business, and so is what is malformed.
            match frame::split(&self.unread, u32::MAX, Version::V5) {
                Ok(Split::Whole(frame)) => {
                    let length = frame.bytes().len();
                    self.unread.drain(..length);
                }
                Ok(Split::Missing(_)) => break,
                Err(_) => self.unread.clear(),
            }
        }
        false
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.burnt {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let came = buffer.filled()[before..].to_vec();
        if self.burns(&came) {
            // Whoever waits for it ends the process; until then the packet has no answer.
            self.burnt = true;
            self.fuse.burnt.notify_one();
            buffer.set_filled(before);
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
