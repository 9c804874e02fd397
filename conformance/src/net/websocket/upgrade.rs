//! The client's side of the WebSocket handshake. [RFC 6455 §4.1]
//!
//! By hand, since a server that selects the wrong subprotocol, or none, is a matter for a check and no reason to end
//! the connection.

use super::WebSocket;
use crate::net::{Address, Caller, Carrier, Opening, Refused, Wire};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// The WebSocket subprotocol of MQTT. [3.1.1/MQTT-6.0.0-3] [5.0/MQTT-6.0.0-3]
pub(crate) const SUBPROTOCOL: &str = "mqtt";

/// No answer of a WebSocket server is longer.
const ANSWER_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 64;

/// Speaks WebSocket over the connections that another carrier opens.
#[derive(Clone, Debug)]
struct WebSocketCarrier {
    inner: Address,
    /// Host and port, as the URL names them.
    host: String,
    path: String,
    subprotocols: &'static [&'static str],
}

impl Carrier for WebSocketCarrier {
    fn open<'a>(&'a self, caller: Caller<'a>) -> Opening<'a> {
        Box::pin(async move {
            let wire = self.inner.0.open(caller).await?;
            let upgraded = self.upgrade(wire).await.map_err(Refused::WebSocket)?;
            Ok(Box::new(upgraded) as Box<dyn Wire>)
        })
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.inner.peer()
    }

    fn advice(&self) -> Option<&'static str> {
        self.inner.0.advice()
    }

    fn offering(&self, subprotocols: &'static [&'static str]) -> Option<Address> {
        Some(Address::new(WebSocketCarrier { subprotocols, ..self.clone() }))
    }
}

impl WebSocketCarrier {
    async fn upgrade(&self, mut wire: Box<dyn Wire>) -> Result<WebSocket, String> {
        let key = generate_key();
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
            self.path,
            self.host,
            self.subprotocols.join(", ")
        );
        let broken = |error: std::io::Error| error.to_string();
        wire.write_all(request.as_bytes()).await.map_err(broken)?;
        wire.flush().await.map_err(broken)?;
        let mut answer = Vec::new();
        loop {
            if let Some(switched) = Switched::read(&answer, &key)? {
                let rest = answer.split_off(switched.length);
                let frames = WebSocketStream::from_partially_read(wire, rest, Role::Client, None).await;
                return Ok(WebSocket::new(frames, switched.subprotocol));
            }
            if answer.len() > ANSWER_MAX {
                return Err("the answer does not end".to_owned());
            }
            match wire.read_buf(&mut answer).await.map_err(broken)? {
                0 if answer.is_empty() => return Err("the connection ended without an answer".to_owned()),
                0 => return Err("the connection ended within the answer".to_owned()),
                _ => {}
            }
        }
    }
}

/// What the answer of a WebSocket server says.
#[derive(PartialEq, Eq, Debug)]
struct Switched {
    /// The bytes of the answer; frames follow it.
    length: usize,
    subprotocol: Option<String>,
}

impl Switched {
    /// Reads the answer to a request with this key; `None` as long as it is not whole.
    fn read(answer: &[u8], key: &str) -> Result<Option<Switched>, String> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(answer) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(format!("the answer is not HTTP: {error}")),
        };
        let code = response.code.unwrap_or_default();
        if code != 101 {
            return Err(format!("HTTP status {code} {}", response.reason.unwrap_or_default())
                .trim_end()
                .to_owned());
        }
        let header = |name: &str| {
            let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(found.value).ok().map(str::trim)
        };
        let lists = |name: &str, word: &str| {
            header(name).is_some_and(|value| value.split(',').any(|w| w.trim().eq_ignore_ascii_case(word)))
        };
        if !lists("Upgrade", "websocket") || !lists("Connection", "upgrade") {
            return Err("the answer does not upgrade the connection to WebSocket".to_owned());
        }
        if header("Sec-WebSocket-Accept") != Some(derive_accept_key(key.as_bytes()).as_str()) {
            return Err("the answer accepts another request than ours".to_owned());
        }
        Ok(Some(Switched { length, subprotocol: header("Sec-WebSocket-Protocol").map(str::to_owned) }))
    }
}

impl Address {
    /// The same broker, reached by WebSocket under this host name and path.
    pub(crate) fn within_websocket(self, host: String, path: String) -> Address {
        Address::new(WebSocketCarrier { inner: self, host, path, subprotocols: &[SUBPROTOCOL] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn answer(lines: &str) -> Vec<u8> {
        format!("{}\r\n\r\n", lines.replace('\n', "\r\n")).into_bytes()
    }

    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\nupgrade: WebSocket\nConnection: keep-alive, Upgrade\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    #[test]
    fn an_answer_is_read_with_its_subprotocol() {
        let mut bytes = answer(&format!("{GOOD}\nsec-websocket-protocol: mqtt"));
        let length = bytes.len();
        bytes.extend(b"\x82\x00");
        for end in 0..length {
            assert_eq!(Switched::read(&bytes[..end], KEY), Ok(None), "{end}");
        }
        let read = Switched::read(&bytes, KEY);
        assert_eq!(read, Ok(Some(Switched { length, subprotocol: Some("mqtt".to_owned()) })));
        let bare = answer(GOOD);
        let read = Switched::read(&bare, KEY);
        assert_eq!(read, Ok(Some(Switched { length: bare.len(), subprotocol: None })));
    }

    #[test]
    fn what_is_no_upgrade_is_refused() {
        for (lines, hint) in [
            ("HTTP/1.1 404 Not Found".to_owned(), "404 Not Found"),
            ("HTTP/1.1 200 OK".to_owned(), "200"),
            (GOOD.replace("WebSocket", "h2c"), "does not upgrade"),
            (GOOD.replace(", Upgrade", ""), "does not upgrade"),
            (GOOD.replace("s3p", "s4p"), "another request"),
            ("\u{20}\u{2}".to_owned(), "not HTTP"),
        ] {
            let refused = Switched::read(&answer(&lines), KEY).unwrap_err();
            assert!(refused.contains(hint), "{lines}: {refused}");
        }
    }
}
