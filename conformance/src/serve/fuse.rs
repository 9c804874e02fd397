//! A broker whose process goes wrong on purpose: when a client has sent packets of certain types in a certain order.

use crate::net::Listener;
use mqtt_assay_codec::{PacketType, Split, Version, frame};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// What becomes of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// [`Served::dies`](super::Served::dies) returns, whose caller ends the process.
    Dies,
    /// It aborts.
    Aborts,
    /// A thread runs in circles.
    Spins,
    /// A thread sleeps for ever.
    Sleeps,
    /// It keeps two megabytes more.
    Leaks,
    /// A thread of its own runs in circles, and all others go on.
    Burns,
    /// It closes its port.
    StopsListening,
    /// It reads no more on this connection.
    StopsReading,
}

impl Effect {
    /// All that can be planted, by name.
    pub const PLANTED: [(&str, Effect); 7] = [
        ("abort", Effect::Aborts),
        ("spin", Effect::Spins),
        ("sleep", Effect::Sleeps),
        ("leak", Effect::Leaks),
        ("busy", Effect::Burns),
        ("deaf", Effect::StopsListening),
        ("mute", Effect::StopsReading),
    ];
}

/// So much is kept each time.
const LEAK: usize = 2 << 20;

/// Burns when packets of these types have come on a connection in this order, others in between.
#[derive(Clone, Debug)]
pub(super) struct Fuse {
    sequence: Arc<[PacketType]>,
    effect: Effect,
    burnt: Arc<Notify>,
}

impl Fuse {
    pub(super) fn new(sequence: &[PacketType], effect: Effect) -> Fuse {
        Fuse { sequence: sequence.into(), effect, burnt: Arc::default() }
    }

    /// Waits until it has burnt, if that is to end the process.
    pub(super) async fn dies(&self) {
        match self.effect {
            Effect::Dies => self.burnt.notified().await,
            _ => std::future::pending().await,
        }
    }

    /// Does what it is for; gives whether the connection is read on.
    fn burn(&self) -> bool {
        match self.effect {
            Effect::Aborts => std::process::abort(),
            Effect::Spins => loop {
                std::hint::spin_loop();
            },
            Effect::Sleeps => loop {
                std::thread::park();
            },
            Effect::Leaks => {
                std::mem::forget(std::hint::black_box(vec![1_u8; LEAK]));
                true
            }
            Effect::Burns => {
                // Without the thread nothing is wrong, which the test of the fault would tell.
                let _ = std::thread::Builder::new().spawn(|| {
                    loop {
                        std::hint::spin_loop();
                    }
                });
                true
            }
            Effect::Dies => {
                self.burnt.notify_one();
                false
            }
            Effect::StopsListening => {
                self.burnt.notify_one();
                true
            }
            Effect::StopsReading => false,
        }
    }
}

/// A listener whose connections are behind the fuse.
pub(super) struct Fused<L> {
    /// Gone when it has stopped listening.
    listener: Option<L>,
    fuse: Fuse,
}

impl<L> Fused<L> {
    pub(super) fn new(listener: L, fuse: Fuse) -> Fused<L> {
        Fused { listener: Some(listener), fuse }
    }
}

impl<L: Listener> Listener for Fused<L> {
    type Stream = Watched<L::Stream>;

    const BUFFERS: bool = L::BUFFERS;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        let deaf = async {
            match self.fuse.effect {
                Effect::StopsListening => self.fuse.burnt.notified().await,
                _ => std::future::pending().await,
            }
        };
        let accepted = async {
            match &mut self.listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = deaf => {}
            stream = accepted => {
                let (stream, fuse) = (stream?, self.fuse.clone());
                return Ok(Watched { stream, fuse, unread: Vec::new(), seen: 0, burnt: false });
            }
        }
        self.listener = None;
        std::future::pending().await
    }
}

/// A stream whose packets are looked at before the broker gets them.
pub(super) struct Watched<S> {
    stream: S,
    fuse: Fuse,
    /// The beginning of a packet whose end has not come.
    unread: Vec<u8>,
    /// How far the fuse's sequence has come.
    seen: usize,
    burnt: bool,
}

impl<S> Watched<S> {
    /// Whether the bytes that came bring the last packet of the sequence, whole or begun.
    fn burns(&mut self, bytes: &[u8]) -> bool {
        self.unread.extend_from_slice(bytes);
        while let Some(first) = self.unread.first() {
            let is_next = self.fuse.sequence.get(self.seen).is_some_and(|next| first >> 4 == *next as u8);
            if is_next && self.seen + 1 == self.fuse.sequence.len() {
                self.seen = 0;
                // Further packets in the same bytes are looked at no more.
                self.unread.clear();
                return true;
            }
            // The limit of sizes is the state machine's business, and so is what is malformed.
            match frame::split(&self.unread, u32::MAX, Version::V5) {
                Ok(Split::Whole(frame)) => {
                    let length = frame.bytes().len();
                    self.unread.drain(..length);
                    self.seen += usize::from(is_next);
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
        if self.burns(&came) && !self.fuse.burn() {
            // The packet has no answer.
            self.burnt = true;
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
