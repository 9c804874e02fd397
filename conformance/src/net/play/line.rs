//! One connection of a play: opened, written to, read from, and brought to its end.

use crate::net::Wire;
use mqtt_assay_broker_model::history::{ClientNo, How};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that is being opened.
pub(super) type Opening = Pin<Box<dyn Future<Output = io::Result<Box<dyn Wire>>> + Send>>;

/// What a connection has seen.
pub(super) enum Seen {
    /// It is there.
    Opened,
    /// It cannot be had.
    Failed,
    /// So many bytes came.
    Read(usize),
    /// The other side has ended it.
    Ended(How),
    /// All that was to be done before its end is done.
    Over,
}

/// How far its end is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leaving {
    /// It is to stay.
    No,
    /// What is unsent goes out, then this end comes.
    Writing(How),
    /// Our direction is ended; what still comes is read, since closing over it would be a reset.
    Draining,
    /// Half-open: the socket stays, and nothing passes.
    Silent,
}

/// One connection.
pub(super) struct Line {
    pub(super) client: ClientNo,
    pub(super) connection: u32,
    /// The client does not read.
    pub(super) stalled: bool,
    /// Nothing passes, either way.
    pub(super) held: bool,
    state: State,
    /// What is to be written, segment by segment.
    unsent: VecDeque<Vec<u8>>,
    /// How much of the first segment is written.
    written: usize,
    /// A layer may keep back what was written.
    flushes: bool,
    leaving: Leaving,
}

enum State {
    Opening(Opening),
    Open(Box<dyn Wire>),
}

impl Line {
    pub(super) fn new(client: ClientNo, connection: u32, opening: Opening) -> Line {
        Line {
            client,
            connection,
            stalled: false,
            held: false,
            state: State::Opening(opening),
            unsent: VecDeque::new(),
            written: 0,
            flushes: false,
            leaving: Leaving::No,
        }
    }

    pub(super) fn write(&mut self, bytes: Vec<u8>) {
        self.unsent.push_back(bytes);
    }

    /// Nothing passes any more.
    pub(super) fn fall_silent(&mut self) {
        self.leaving = Leaving::Silent;
    }

    /// Ends it when what is unsent is written; of an orderly end, which is ours alone, the other side's is waited for.
    pub(super) fn leave(&mut self, how: How) {
        if self.leaving == Leaving::No {
            self.leaving = Leaving::Writing(how);
        }
    }

    /// The play is over; gives whether there is anything to be done.
    pub(super) fn part(&mut self) -> bool {
        self.leave(How::Fin);
        self.leaving != Leaving::Silent && matches!(self.state, State::Open(_))
    }

    /// Goes on as far as it can, up to something that the play is to know.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Seen> {
        let wire = match &mut self.state {
            State::Opening(opening) => {
                return match ready!(opening.as_mut().poll(context)) {
                    Ok(wire) => {
                        self.state = State::Open(wire);
                        Poll::Ready(Seen::Opened)
                    }
                    Err(_) => Poll::Ready(Seen::Failed),
                };
            }
            State::Open(wire) => wire,
        };
        if self.leaving == Leaving::Silent {
            return Poll::Pending;
        }
        let writes = !self.held && self.leaving != Leaving::Draining;
        while writes && (self.flushes || !self.unsent.is_empty()) {
            // A segment goes out before the next one is begun.
            let done = if self.flushes {
                let flushed = Pin::new(&mut *wire).poll_flush(context);
                flushed.map_ok(|()| self.flushes = false)
            } else {
                let segment = self.unsent.front().map_or(&[][..], |segment| &segment[self.written..]);
                let length = segment.len();
                let count = Pin::new(&mut *wire).poll_write(context, segment);
                count.map(|count| match count {
                    Ok(0) if length > 0 => Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => {
                        self.written += count;
                        if count == length {
                            self.unsent.pop_front();
                            self.written = 0;
                            self.flushes = true;
                        }
                        Ok(())
                    }
                    Err(error) => Err(error),
                })
            };
            match done {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    // The reading side will tell how it has ended.
                    self.unsent.clear();
                    self.flushes = false;
                }
                // A broker that does not read may still write.
                Poll::Pending => break,
            }
        }
        let idle = self.held || self.unsent.is_empty() && !self.flushes;
        match self.leaving {
            Leaving::Writing(How::Reset) if idle => {
                wire.reset_on_drop();
                return Poll::Ready(Seen::Over);
            }
            Leaving::Writing(_) if idle => {
                // It may be closed from the other side.
                let _ = ready!(Pin::new(&mut *wire).poll_shutdown(context));
                self.leaving = Leaving::Draining;
            }
            _ => {}
        }
        let leaves = self.leaving != Leaving::No;
        if (self.stalled || self.held) && !leaves {
            return Poll::Pending;
        }
        loop {
            let mut read = ReadBuf::new(buffer);
            let came = ready!(Pin::new(&mut *wire).poll_read(context, &mut read));
            let count = read.filled().len();
            return Poll::Ready(match came {
                Ok(()) if count > 0 && leaves => continue,
                Ok(()) if count > 0 => Seen::Read(count),
                Ok(()) | Err(_) if leaves => Seen::Over,
                Ok(()) => Seen::Ended(How::Fin),
                Err(_) => Seen::Ended(How::Reset),
            });
        }
    }
}
