//! WebSocket as stories about its frames see it. [3.1.1 §6] [5.0 §6]

use super::history::What;
use super::{Client, Next, Stop, Story, World};
use crate::net::Refused;
use crate::net::websocket::{Framing, TextFrame};
use std::io;
use tokio::io::AsyncWriteExt;

impl<'w> Client<'w> {
    /// Writes bytes as they are, in one text frame.
    pub async fn send_text_frame(&mut self, bytes: &[u8]) -> Story {
        self.send_framed(Framing::Text, "sends what follows in a text frame", bytes).await
    }

    /// Writes bytes as they are, in one binary message that is fragmented: a frame for each byte.
    pub async fn send_fragmented(&mut self, bytes: &[u8]) -> Story {
        self.send_framed(Framing::Fragments, "sends what follows fragmented, a frame for each byte", bytes)
            .await
    }

    /// Writes bytes as they are, each in a binary frame of its own.
    pub async fn send_byte_by_byte(&mut self, bytes: &[u8]) -> Story {
        for byte in bytes {
            self.send_bytes(&[*byte]).await?;
        }
        Ok(())
    }

    /// Says WebSocket's Close, without DISCONNECT. When the broker has said so, too, or has ended TCP, the Client ends
    /// it, as a good one does: the WebSocket counts as closed only then [RFC 6455 §7.1.4]. If the broker does
    /// neither, TCP is left open.
    pub async fn say_close(&mut self) -> Story {
        self.record(What::Note("says Close, without DISCONNECT".to_owned()))?;
        let patience = self.world.patience;
        let Some(wire) = &mut self.wire else { return Ok(()) };
        // A broker that takes no bytes has not heard it, and that shows in what it does.
        let _ = tokio::time::timeout(patience, wire.shutdown()).await;
        let deadline = self.deadline();
        loop {
            match self.read(deadline).await? {
                Next::Packet(received) => self.inbox.push_back(received),
                Next::End(_) | Next::Silence => return Ok(()),
            }
        }
    }

    async fn send_framed(&mut self, framing: Framing, note: &str, bytes: &[u8]) -> Story {
        self.record(What::Note(note.to_owned()))?;
        self.frame_as(framing);
        let sent = self.send_bytes(bytes).await;
        self.frame_as(Framing::Binary);
        sent
    }

    fn frame_as(&mut self, framing: Framing) {
        if let Some(socket) = self.wire.as_mut().and_then(|wire| wire.websocket()) {
            socket.frame_as(framing);
        }
    }

    /// The WebSocket subprotocol that the broker selected.
    pub fn subprotocol(&mut self) -> Option<String> {
        self.wire.as_mut()?.websocket()?.subprotocol().map(str::to_owned)
    }

    /// The accusation for an error of reading that is a text frame.
    pub(super) fn accuse_text(&self, error: &io::Error) -> Result<(), Stop> {
        let Some(TextFrame(bytes)) = error.get_ref().and_then(|error| error.downcast_ref()) else {
            return Ok(());
        };
        let index = self.record(What::Received(bytes.to_vec()))?;
        Err(Stop::violates("packets in binary frames", "a text frame")
            .citing(self.world.cite("MQTT-6.0.0-1"))
            .at(index))
    }
}

impl World {
    /// Opens a WebSocket with these subprotocols offered; `None` if the broker refuses the handshake.
    pub async fn open_offering(
        &self,
        name: &str,
        subprotocols: &'static [&'static str],
    ) -> Result<Option<Client<'_>>, Stop> {
        let Some(address) = self.address.offering(subprotocols) else { return Err(self.without_websocket()) };
        match Client::open_at(self, &address, name, self.client_id(name)).await {
            Ok(client) => {
                client
                    .record(What::Note(format!("opens a WebSocket, offers {}", subprotocols.join(", "))))?;
                Ok(Some(client))
            }
            Err(error) if matches!(refused(&error), Some(Refused::WebSocket(_))) => Ok(None),
            Err(error) => Err(super::client::not_opened(name, &error)),
        }
    }

    /// Why checks of WebSocket are not tested.
    pub(super) fn without_websocket(&self) -> Stop {
        Stop::not_tested(
            "the broker is not reached by WebSocket: give the URL of such a listener, ws:// or wss://",
        )
    }
}

fn refused(error: &io::Error) -> Option<&Refused> {
    error.get_ref()?.downcast_ref()
}
