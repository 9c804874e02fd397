//! WebSocket over another carrier, as a client and as a server: a byte stream in binary frames. [3.1.1 §6] [5.0 §6]
//!
//! Each write is one frame. What is read is a stream of bytes: frames do not show in it, since packets need not be
//! aligned with them. [3.1.1/MQTT-6.0.0-2] [5.0/MQTT-6.0.0-2]

mod accept;
mod upgrade;

pub(crate) use accept::Door;
pub(crate) use upgrade::SUBPROTOCOL;

use super::Wire;
use crate::serve::EdgeFault;
use futures_util::{Sink, Stream};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

/// How a write goes into frames.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Framing {
    /// One binary frame.
    #[default]
    Binary,
    /// One text frame, whatever the bytes.
    Text,
    /// One binary message, fragmented: a frame for each byte.
    Fragments,
}

/// A data frame that is not binary: whoever receives it must close the connection. [3.1.1/MQTT-6.0.0-1]
/// [5.0/MQTT-6.0.0-1]
#[derive(Debug, thiserror::Error)]
#[error("a text frame")]
pub(crate) struct TextFrame(pub(crate) Bytes);

/// A WebSocket, of either side.
pub(crate) struct WebSocket {
    frames: WebSocketStream<Box<dyn Wire>>,
    /// The subprotocol that the server selected.
    subprotocol: Option<String>,
    framing: Framing,
    fault: Option<EdgeFault>,
    /// What came in a frame and was not read yet.
    incoming: Bytes,
    /// Whether the fault is to hold back the end.
    holds_end: bool,
    ended: bool,
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("subprotocol", &self.subprotocol).finish_non_exhaustive()
    }
}

impl WebSocket {
    fn new(frames: WebSocketStream<Box<dyn Wire>>, subprotocol: Option<String>) -> Self {
        WebSocket {
            frames,
            subprotocol,
            framing: Framing::Binary,
            fault: None,
            incoming: Bytes::new(),
            holds_end: false,
            ended: false,
        }
    }

    /// The subprotocol that the server selected.
    pub(crate) fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// From now on, writes go into frames like this.
    pub(crate) fn frame_as(&mut self, framing: Framing) {
        self.framing = framing;
    }

    /// Takes in the next message; `Ok` says that something was taken, or that the end has come.
    fn take(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let came = ready!(Pin::new(&mut self.frames).poll_next(context));
        Poll::Ready(match came {
            Some(Ok(Message::Binary(bytes))) => {
                self.incoming = match self.fault {
                    Some(fault) => {
                        self.holds_end |= fault.holds_end(&bytes);
                        fault.received(bytes)
                    }
                    None => bytes,
                };
                Ok(())
            }
            Some(Ok(Message::Text(text))) => match self.fault {
                Some(EdgeFault::WebSocketTextTaken) => {
                    self.incoming = text.into();
                    Ok(())
                }
                Some(EdgeFault::WebSocketTextIgnored) => Ok(()),
                _ => Err(io::Error::new(io::ErrorKind::InvalidData, TextFrame(text.into()))),
            },
            // Nothing more is heard, and nobody told.
            Some(Ok(Message::Close(_))) if self.holds_end => return Poll::Pending,
            // The Network Connection is the WebSocket connection, whose end this is. The answer is due to the peer,
            // and no fault of the peer's if it cannot be sent.
            Some(Ok(Message::Close(_))) => {
                let _ = Pin::new(&mut self.frames).poll_flush(context);
                self.ended = true;
                Ok(())
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(()),
            None => {
                self.ended = true;
                Ok(())
            }
            // TCP may end without a Close frame, as a client's death does.
            Some(Err(
                Error::ConnectionClosed
                | Error::AlreadyClosed
                | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
            )) => {
                self.ended = true;
                Ok(())
            }
            Some(Err(error)) => Err(broken(error)),
        })
    }

    fn send(&mut self, message: Message) -> io::Result<()> {
        Pin::new(&mut self.frames).start_send(message).map_err(broken)
    }
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::BrokenPipe.into(),
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}

impl AsyncRead for WebSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.incoming.is_empty() && !self.ended {
            ready!(self.take(context))?;
        }
        let count = self.incoming.len().min(buffer.remaining());
        buffer.put_slice(&self.incoming.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WebSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(Pin::new(&mut self.frames).poll_ready(context)).map_err(broken)?;
        let text = self.fault == Some(EdgeFault::WebSocketTextSent) || self.framing == Framing::Text;
        let frame = |bytes: &[u8], kind, last| {
            Message::Frame(Frame::message(Bytes::copy_from_slice(bytes), OpCode::Data(kind), last))
        };
        if text {
            // As a raw frame: its payload need not be text.
            self.send(frame(bytes, Data::Text, true))?;
        } else if self.framing == Framing::Fragments {
            for (index, byte) in bytes.iter().enumerate() {
                let kind = if index == 0 { Data::Binary } else { Data::Continue };
                self.send(frame(&[*byte], kind, index + 1 == bytes.len()))?;
            }
        } else {
            self.send(Message::Binary(Bytes::copy_from_slice(bytes)))?;
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.frames).poll_flush(context).map_err(broken)
    }

    /// Says Close; the other side may still be read from until it says so, too.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.frames).poll_close(context).map_err(broken)
    }
}

impl Wire for WebSocket {
    fn reset_on_drop(&mut self) {
        self.frames.get_mut().reset_on_drop();
    }

    fn websocket(&mut self) -> Option<&mut WebSocket> {
        Some(self)
    }
}
