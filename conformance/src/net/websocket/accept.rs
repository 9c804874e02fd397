//! The server's side of the WebSocket handshake. [RFC 6455 §4.2]

use super::{SUBPROTOCOL, WebSocket};
use crate::net::Wire;
use crate::serve::EdgeFault;
use std::io;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

/// The header that offers and selects subprotocols.
const SUBPROTOCOLS: &str = "Sec-WebSocket-Protocol";

/// Under which path a served broker speaks WebSocket, and what it does wrong there.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) path: String,
    pub(crate) fault: Option<EdgeFault>,
}

impl Door {
    /// The server's side of the handshake.
    pub(crate) async fn accept(&self, wire: Box<dyn Wire>) -> io::Result<Box<dyn Wire>> {
        let frames = accept_hdr_async(wire, Porter(self)).await.map_err(super::broken)?;
        let socket = WebSocket { fault: self.fault, ..WebSocket::new(frames, None) };
        Ok(Box::new(socket))
    }

    /// The subprotocol to select of those that are offered.
    fn selected(&self, offered: &[&str]) -> Option<HeaderValue> {
        let selected = match self.fault {
            Some(EdgeFault::WebSocketSubprotocolMissing) => None,
            Some(EdgeFault::WebSocketSubprotocolFirst) => offered.first(),
            Some(EdgeFault::WebSocketSubprotocolMqttv31) => Some(&"mqttv3.1"),
            _ => Some(&SUBPROTOCOL),
        };
        selected.and_then(|name| HeaderValue::from_str(name).ok())
    }
}

/// Looks at a request before it is answered.
struct Porter<'a>(&'a Door);

impl Callback for Porter<'_> {
    fn on_request(self, request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
        if request.uri().path() != self.0.path {
            return Err(refusal(StatusCode::NOT_FOUND, "there is no MQTT under this path"));
        }
        let offered: Vec<&str> = request
            .headers()
            .get_all(SUBPROTOCOLS)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        // What becomes of a Client that does not offer it is left open. [3.1.1/MQTT-6.0.0-3] [5.0/MQTT-6.0.0-3]
        if !offered.contains(&SUBPROTOCOL) {
            return Err(refusal(StatusCode::BAD_REQUEST, "the subprotocol mqtt is not offered"));
        }
        if let Some(selected) = self.0.selected(&offered) {
            response.headers_mut().insert(SUBPROTOCOLS, selected);
        }
        Ok(response)
    }
}

fn refusal(status: StatusCode, why: &str) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(why.to_owned()));
    *response.status_mut() = status;
    response
}
