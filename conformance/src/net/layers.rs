//! A listener whose connections are greeted in layers: TLS, WebSocket, one within the other, before they are served.

use super::tls;
use super::websocket::Door;
use super::{Listener, Wire};
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A client has so long for its handshakes.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// More connections than this within their handshakes are closed as they come.
const HANDSHAKES_MAX: usize = 1024;

/// What connections to a served broker go through.
#[derive(Clone, Default, Debug)]
pub(crate) struct Layers {
    pub(crate) tls: Option<tls::Server>,
    pub(crate) websocket: Option<Door>,
}

impl Layers {
    async fn greet(self, mut wire: Box<dyn Wire>) -> io::Result<Box<dyn Wire>> {
        if let Some(tls) = &self.tls {
            wire = tls.accept(wire).await?;
        }
        if let Some(door) = &self.websocket {
            wire = door.accept(wire).await?;
        }
        Ok(wire)
    }
}

/// A TCP port with layers: gives those connections that came through.
pub(crate) struct Layered {
    listener: TcpListener,
    layers: Layers,
    greeted: JoinSet<Option<Box<dyn Wire>>>,
}

impl Layered {
    pub(crate) fn new(listener: TcpListener, layers: Layers) -> Self {
        Layered { listener, layers, greeted: JoinSet::new() }
    }
}

impl Listener for Layered {
    type Stream = Box<dyn Wire>;

    const BUFFERS: bool = true;

    async fn accept(&mut self) -> io::Result<Box<dyn Wire>> {
        loop {
            // Side by side: a client that is slow with its handshake holds up no other.
            tokio::select! {
                biased;
                Some(greeted) = self.greeted.join_next() => {
                    // One that did not come through is gone already.
                    if let Ok(Some(wire)) = greeted {
                        return Ok(wire);
                    }
                }
                stream = Listener::accept(&mut self.listener) => {
                    let stream = stream?;
                    if self.greeted.len() < HANDSHAKES_MAX {
                        let layers = self.layers.clone();
                        self.greeted.spawn(async move {
                            let greeting = layers.greet(Box::new(stream));
                            tokio::time::timeout(HANDSHAKE_PATIENCE, greeting).await.ok()?.ok()
                        });
                    }
                }
            }
        }
    }
}
