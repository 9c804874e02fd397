//! The URL of a broker: `mqtt://[USER[:PASSWORD]@]HOST[:PORT]`, and the same with `mqtts://`, `ws://` and `wss://`.

use super::{TcpTarget, Tls, Transport};
use crate::serve::WEBSOCKET_PATH;
use std::borrow::Cow;
use url::Url;

/// The schemes with their ports.
const SCHEMES: [(&str, u16); 4] = [("mqtt", 1883), ("mqtts", 8883), ("ws", 80), ("wss", 443)];

/// Reads a URL; one with TLS has the default options of TLS. The error is one sentence without credentials.
pub(crate) fn parse(text: &str) -> Result<TcpTarget, String> {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    match SCHEMES.into_iter().find(|(name, _)| *name == scheme) {
        Some((_, port)) => url(text, scheme, port),
        None => Err(format!(
            "'{}' has the unknown scheme {scheme}://; write mqtt://, mqtts://, ws:// or wss://, then HOST[:PORT]",
            shown(text)
        )),
    }
}

/// What the scheme and the rest of the URL say of the transport.
fn transport(text: &str, scheme: &str, url: &Url) -> Result<Transport, &'static str> {
    if url.fragment().is_some() {
        return Err("something follows the host and port");
    }
    let websocket = if matches!(scheme, "ws" | "wss") {
        // `ws://host/` is the root: only a URL that ends with the host has the default path.
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        let path = if rest.contains(['/', '?']) { url.path() } else { WEBSOCKET_PATH };
        Some(url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
    } else if !matches!(url.path(), "" | "/") || url.query().is_some() {
        return Err("something follows the host and port");
    } else {
        None
    };
    Ok(Transport { tls: matches!(scheme, "mqtts" | "wss").then(Tls::default), websocket })
}

fn url(text: &str, scheme: &str, default_port: u16) -> Result<TcpTarget, String> {
    let wrong = |why: &str| {
        let path = if matches!(scheme, "ws" | "wss") { "[/PATH]" } else { "" };
        format!(
            "'{}' is not a valid target: {why}; write {scheme}://[USER[:PASSWORD]@]HOST[:PORT]{path}",
            shown(text)
        )
    };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
    if host.contains('%') {
        return Err(wrong("the host name has characters that no host name has"));
    }
    let transport = transport(text, scheme, &url).map_err(wrong)?;
    let decoded = |part: &str| {
        percent_encoding::percent_decode_str(part)
            .decode_utf8()
            .map(Cow::into_owned)
            .map_err(|_| wrong("the user name or the password is not UTF-8"))
    };
    let port = url.port().unwrap_or(default_port);
    if port == 0 {
        return Err(wrong("no broker listens on port 0"));
    }
    Ok(TcpTarget {
        host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        port,
        transport,
        user_name: (!url.username().is_empty()).then(|| decoded(url.username())).transpose()?,
        password: url.password().map(decoded).transpose()?,
    })
}

/// The text as errors may repeat it: without credentials.
pub(crate) fn shown(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}://…{}", &text[..scheme], &text[at..]),
        (None, Some(at)) => format!("…{}", &text[at..]),
        _ => text.to_owned(),
    }
}

/// The text without credentials, as commands repeat it.
pub(crate) fn bare(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}{}", &text[..scheme + 3], &text[at + 1..]),
        _ => text.to_owned(),
    }
}
