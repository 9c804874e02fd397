//! Cuts and merges what a stream carries, the same on every carrier: no packet may be taken for one read, no read
//! for one packet. The bytes and their order stay as they are.
//!
//! A write is cut into segments, each written on its own; some writes are held back and merged with what is
//! written next. A read gives a part of what came; some reads wait for more. All sizes and pauses are drawn from a
//! seed.

use super::websocket::WebSocket;
use super::{Address, Caller, Carrier, Opening, Wire};
use crate::rng::Rng;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How a stream is cut and merged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Cuts writes and reads into pieces of this many bytes at most; `None` leaves them whole. What is longer than
    /// [`PIECES`] bytes is cut into longer pieces if it must be, so that a large packet remains affordable.
    pub cut_max: Option<usize>,
    /// Of a hundred writes and reads, so many are held back to be merged with what follows.
    pub held_percent: u8,
    /// Nothing is held back for longer.
    pub held_max: Duration,
    /// Of a hundred segments, so many are delayed.
    pub delayed_percent: u8,
    /// No delay is longer.
    pub delay_max: Duration,
}

/// So many pieces at most are made of one write, or about so many.
pub const PIECES: usize = 256;

/// More than this is not held back.
const HELD_BYTES: usize = 16 << 10;

impl Shape {
    /// Everything as it is.
    pub const PLAIN: Shape = Shape {
        cut_max: None,
        held_percent: 0,
        held_max: Duration::ZERO,
        delayed_percent: 0,
        delay_max: Duration::ZERO,
    };

    /// One byte at a time.
    pub const BYTEWISE: Shape = Shape { cut_max: Some(1), ..Shape::PLAIN };

    /// Pieces of all sizes; every third write and read is merged with what follows within 5 ms.
    pub const MIXED: Shape = Shape {
        cut_max: Some(usize::MAX),
        held_percent: 33,
        held_max: Duration::from_millis(5),
        ..Shape::PLAIN
    };

    /// The size of the next piece of `length` bytes, from one byte to all of them.
    fn piece(&self, rng: &mut Rng, length: usize) -> usize {
        let Some(most) = self.cut_max.map(|most| most.min(length)).filter(|_| length > 1) else {
            return length;
        };
        let piece = match rng.below(4) {
            0 => 1,
            // About where a fixed header ends.
            1 => 1 + rng.below(most.min(8)),
            2 => 1 + rng.below(most),
            _ => most,
        };
        piece.max(length / PIECES)
    }
}

/// A pause of up to `most`, for so many of a hundred.
fn pause(rng: &mut Rng, percent: u8, most: Duration) -> Option<Pin<Box<Sleep>>> {
    if rng.below(100) >= usize::from(percent) {
        return None;
    }
    // Timers know nothing finer than milliseconds.
    let most = usize::try_from(most.as_millis()).unwrap_or(usize::MAX - 1);
    Some(Box::pin(tokio::time::sleep(Duration::from_millis(rng.below(most + 1) as u64))))
}

/// A stream in this shape.
///
/// What is held back goes out with a flush, a shutdown, a later write, or by itself in time as long as somebody
/// reads; whoever does not read must flush. A stream that is dropped drops it.
#[derive(Debug)]
pub(crate) struct Shaped<S> {
    inner: S,
    shape: Shape,
    outgoing: Outgoing,
    incoming: Incoming,
}

#[derive(Debug)]
struct Outgoing {
    rng: Rng,
    held: Vec<u8>,
    /// Until when the held bytes wait; `None` once they are to go out.
    until: Option<Pin<Box<Sleep>>>,
    /// The piece that is about to be written, and what delays it.
    piece: Option<(usize, Option<Pin<Box<Sleep>>>)>,
    /// Whoever reads sees to it that held bytes go out in time.
    reader: Option<Waker>,
}

#[derive(Debug)]
struct Incoming {
    rng: Rng,
    /// What came and was not read yet.
    held: Vec<u8>,
    until: Option<Pin<Box<Sleep>>>,
    /// What ended the stream behind the held bytes.
    end: Option<io::Result<()>>,
}

impl<S> Shaped<S> {
    /// What is drawn for the two directions derives from the seed and the name of the connection.
    pub(crate) fn new(inner: S, shape: Shape, seed: u64, name: &str) -> Self {
        let rng = |direction: &str| Rng::named(seed, &format!("{direction} {name}"));
        Shaped {
            inner,
            shape,
            outgoing: Outgoing {
                rng: rng("outgoing"),
                held: Vec::new(),
                until: None,
                piece: None,
                reader: None,
            },
            incoming: Incoming { rng: rng("incoming"), held: Vec::new(), until: None, end: None },
        }
    }
}

impl Outgoing {
    /// Writes the next piece of `bytes`.
    fn write<S: AsyncWrite + Unpin>(
        &mut self,
        inner: &mut S,
        shape: &Shape,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let rng = &mut self.rng;
        let (length, delay) = self.piece.get_or_insert_with(|| {
            (shape.piece(rng, bytes.len()), pause(rng, shape.delayed_percent, shape.delay_max))
        });
        if let Some(delay) = delay {
            ready!(delay.as_mut().poll(context));
        }
        // A write may have been given up and another one begun in its place.
        let length = (*length).min(bytes.len());
        let written = ready!(Pin::new(inner).poll_write(context, &bytes[..length]));
        self.piece = None;
        Poll::Ready(written)
    }

    /// Writes everything that is held.
    fn drain<S: AsyncWrite + Unpin>(
        &mut self,
        inner: &mut S,
        shape: &Shape,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.until = None;
        while !self.held.is_empty() {
            let held = std::mem::take(&mut self.held);
            let written = self.write(inner, shape, context, &held);
            self.held = held;
            match ready!(written) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => drop(self.held.drain(..count)),
                Err(error) => {
                    // Nobody can be sent anything any more.
                    self.held.clear();
                    return Poll::Ready(Err(error));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what is held once its time has come.
    fn release<S: AsyncWrite + Unpin>(&mut self, inner: &mut S, shape: &Shape, context: &mut Context<'_>) {
        if self.held.is_empty() {
            return;
        }
        if let Some(until) = &mut self.until
            && until.as_mut().poll(context).is_pending()
        {
            return;
        }
        // The next write meets the same error.
        let _ = self.drain(inner, shape, context);
    }

    /// Holds bytes back; gives how many were taken.
    fn hold(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(HELD_BYTES - self.held.len());
        self.held.extend_from_slice(&bytes[..count]);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        count
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Shaped<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Shaped { inner, shape, outgoing, .. } = self.get_mut();
        if bytes.is_empty() {
            return Pin::new(inner).poll_write(context, bytes);
        }
        if outgoing.until.is_some() && outgoing.held.len() < HELD_BYTES {
            // Merged with what waits; both may wait on.
            if outgoing.rng.below(100) >= usize::from(shape.held_percent) {
                outgoing.until = None;
            }
            return Poll::Ready(Ok(outgoing.hold(bytes)));
        }
        ready!(outgoing.drain(inner, shape, context))?;
        if outgoing.piece.is_none() && shape.held_percent > 0 {
            outgoing.until = pause(&mut outgoing.rng, shape.held_percent, shape.held_max);
            if outgoing.until.is_some() {
                return Poll::Ready(Ok(outgoing.hold(bytes)));
            }
        }
        outgoing.write(inner, shape, context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Shaped { inner, shape, outgoing, .. } = self.get_mut();
        ready!(outgoing.drain(inner, shape, context))?;
        Pin::new(inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Shaped { inner, shape, outgoing, .. } = self.get_mut();
        ready!(outgoing.drain(inner, shape, context))?;
        Pin::new(inner).poll_shutdown(context)
    }
}

impl Incoming {
    /// Takes in what has come, or the end.
    fn fill<S: AsyncRead + Unpin>(&mut self, inner: &mut S, context: &mut Context<'_>) -> Poll<()> {
        let mut chunk = [0; 4 << 10];
        let mut chunk = ReadBuf::new(&mut chunk);
        match ready!(Pin::new(inner).poll_read(context, &mut chunk)) {
            Ok(()) if chunk.filled().is_empty() => self.end = Some(Ok(())),
            Ok(()) => self.held.extend_from_slice(chunk.filled()),
            Err(error) => self.end = Some(Err(error)),
        }
        Poll::Ready(())
    }

    /// Sees to it that there is something to give.
    fn gather<S: AsyncRead + Unpin>(
        &mut self,
        inner: &mut S,
        shape: &Shape,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        if self.held.is_empty() && self.end.is_none() {
            ready!(self.fill(inner, context));
            if self.end.is_none() {
                self.until = pause(&mut self.rng, shape.held_percent, shape.held_max);
            }
        }
        while let Some(until) = &mut self.until {
            let full = self.end.is_some() || self.held.len() >= HELD_BYTES;
            if full || until.as_mut().poll(context).is_ready() {
                self.until = None;
            } else {
                ready!(self.fill(inner, context));
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Shaped<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Shaped { inner, shape, outgoing, incoming } = self.get_mut();
        outgoing.release(inner, shape, context);
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if incoming.gather(inner, shape, context).is_pending() {
            outgoing.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        if incoming.held.is_empty() {
            return Poll::Ready(incoming.end.take().unwrap_or(Ok(())));
        }
        let length = incoming.held.len().min(buffer.remaining());
        let count = shape.piece(&mut incoming.rng, length);
        buffer.put_slice(&incoming.held[..count]);
        incoming.held.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl<S: Wire> Wire for Shaped<S> {
    fn reset_on_drop(&mut self) {
        self.inner.reset_on_drop();
    }

    fn websocket(&mut self) -> Option<&mut WebSocket> {
        self.inner.websocket()
    }
}

/// Shapes the connections that another carrier opens.
#[derive(Debug)]
struct ShapedCarrier {
    inner: Address,
    shape: Shape,
    seed: u64,
}

impl Carrier for ShapedCarrier {
    fn open<'a>(&'a self, caller: Caller<'a>) -> Opening<'a> {
        Box::pin(async move {
            let wire = self.inner.0.open(caller).await?;
            let name = format!("{} {}", caller.client, caller.connection);
            Ok(Box::new(Shaped::new(wire, self.shape, self.seed, &name)) as Box<dyn Wire>)
        })
    }
}

impl Address {
    /// The same broker, its connections shaped on the client's side.
    pub(crate) fn shaped(self, shape: Shape, seed: u64) -> Address {
        Address::new(ShapedCarrier { inner: self, shape, seed })
    }
}

#[cfg(test)]
mod tests;
