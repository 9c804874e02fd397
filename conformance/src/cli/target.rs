//! The target on the command line: `reference`, or the broker's URL.

use super::Trouble;
use crate::target::{Target, TcpTarget};
use mqtt_assay_broker_model::Mutant;
use std::borrow::Cow;
use std::path::Path;
use url::Url;

/// The port of MQTT without TLS.
const PORT: u16 = 1883;

/// Reads a target.
pub(super) fn parse(text: &str, mutant: Option<Mutant>) -> Result<Target, Trouble> {
    if text == "reference" {
        return Ok(Target::Reference { mutant });
    }
    if let Some(mutant) = mutant {
        return Err(Trouble::new(format!(
            "--mutant {} belongs to the embedded broker, so the target must be `reference`, not '{}'",
            mutant.name(),
            shown(text)
        )));
    }
    match text.split_once("://") {
        Some(("mqtt", _)) => tcp(text).map(Target::Tcp),
        Some((scheme @ ("mqtts" | "ws" | "wss"), _)) => Err(Trouble::new(format!(
            "{scheme}:// targets are not part of this version; give a plain listener of the broker as \
             mqtt://HOST:PORT"
        ))),
        Some((scheme, _)) => Err(Trouble::new(format!(
            "'{}' has the unknown scheme {scheme}://; write mqtt://HOST[:PORT]",
            shown(text)
        ))),
        None => bare(text),
    }
}

/// Something that is neither `reference` nor a URL: taken if it is an address with a port, else refused.
fn bare(text: &str) -> Result<Target, Trouble> {
    if text.ends_with(".toml") || Path::new(text).exists() {
        return Err(Trouble::new(format!(
            "'{text}' looks like a profile file, and profiles are not part of this version; give the broker's \
             URL, mqtt://HOST:PORT"
        )));
    }
    let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(_) if !text.contains(['/', '@']) => tcp(&format!("mqtt://{text}")).map(Target::Tcp),
        _ => Err(Trouble::new(format!(
            "'{}' is not a target; write mqtt://HOST[:PORT], or `reference` for the embedded broker",
            shown(text)
        ))),
    }
}

fn tcp(text: &str) -> Result<TcpTarget, Trouble> {
    let wrong = |why: &str| {
        Trouble::new(format!(
            "'{}' is not a valid target: {why}; write mqtt://[USER[:PASSWORD]@]HOST[:PORT]",
            shown(text)
        ))
    };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
    if host.contains('%') {
        return Err(wrong("the host name has characters that no host name has"));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("something follows the host and port"));
    }
    let decoded = |part: &str| {
        percent_encoding::percent_decode_str(part)
            .decode_utf8()
            .map(Cow::into_owned)
            .map_err(|_| wrong("the user name or the password is not UTF-8"))
    };
    let port = url.port().unwrap_or(PORT);
    if port == 0 {
        return Err(wrong("no broker listens on port 0"));
    }
    Ok(TcpTarget {
        host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        port,
        user_name: (!url.username().is_empty()).then(|| decoded(url.username())).transpose()?,
        password: url.password().map(decoded).transpose()?,
    })
}

/// The text as errors may repeat it: without credentials.
fn shown(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}://…{}", &text[..scheme], &text[at..]),
        (None, Some(at)) => format!("…{}", &text[at..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, u16, Option<String>, Option<String>), String> {
        match parse(text, None) {
            Ok(Target::Tcp(tcp)) => Ok((tcp.host, tcp.port, tcp.user_name, tcp.password)),
            Ok(Target::Reference { .. }) => Err("reference".into()),
            Err(trouble) => Err(trouble.to_string()),
        }
    }

    fn plain(host: &str, port: u16) -> Result<(String, u16, Option<String>, Option<String>), String> {
        Ok((host.into(), port, None, None))
    }

    #[test]
    fn urls_are_read() {
        assert_eq!(read("mqtt://localhost"), plain("localhost", 1883));
        assert_eq!(read("mqtt://localhost:1884/"), plain("localhost", 1884));
        assert_eq!(read("mqtt://127.0.0.1:7"), plain("127.0.0.1", 7));
        assert_eq!(read("mqtt://[::1]:1884"), plain("::1", 1884));
        assert_eq!(read("localhost:1884"), plain("localhost", 1884));
        assert_eq!(read("[::1]:1884"), plain("::1", 1884));
        let full = read("mqtt://us%3Aer:p%40ss@broker:1");
        assert_eq!(full, Ok(("broker".into(), 1, Some("us:er".into()), Some("p@ss".into()))));
        assert_eq!(read("reference"), Err("reference".into()));
    }

    #[test]
    fn what_is_not_a_target_is_refused_without_showing_passwords() {
        for (text, hint) in [
            ("mqtt://", "not a valid target"),
            ("mqtt://:1883", "not a valid target"),
            ("mqtt://host:0", "port 0"),
            ("mqtt://host:99999", "port"),
            ("mqtt://host:abc", "port"),
            ("mqtt://user:secret@host/path", "something follows"),
            ("mqtt://user:secret@host?x=1", "something follows"),
            ("mqtt://us%ff:secret@host", "not UTF-8"),
            ("mqtt://ho st", "not a valid target"),
            ("mqtt://ho%20st", "host name"),
            ("mqtts://user:secret@host", "not part of this version"),
            ("wss://host/mqtt", "not part of this version"),
            ("http://user:secret@host", "unknown scheme"),
            ("user:secret@host", "not a target"),
            ("localhost", "not a target"),
            ("mosquitto.toml", "profile"),
            ("", "not a target"),
            ("::1", "not a"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(hint) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
