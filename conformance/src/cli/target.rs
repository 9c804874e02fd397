//! The target on the command line: `reference`, or the broker's URL.

use super::Trouble;
use crate::serve::Fault;
use crate::target::Target;
use crate::target::url::{self, shown};

/// Reads a target. One with TLS has the default options of TLS.
pub(super) fn parse(text: &str, mutant: Option<Fault>) -> Result<Target, Trouble> {
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
    if text.contains("://") { url::parse(text).map(Target::Tcp).map_err(Trouble::new) } else { bare(text) }
}

/// Something that is neither `reference` nor a URL: taken if it is an address with a port, else refused.
fn bare(text: &str) -> Result<Target, Trouble> {
    let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(_) if !text.contains(['/', '@']) => parse(&format!("mqtt://{text}"), None),
        _ => Err(Trouble::new(format!(
            "'{}' is not a target; write mqtt://HOST[:PORT], the path of a profile, or `reference` for the embedded \
             broker",
            shown(text)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Tls, Transport};

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
    fn transports_are_read_and_shown() {
        for (text, port, tls, path, displayed) in [
            ("mqtt://h", 1883, false, None, "mqtt://h:1883"),
            ("mqtts://u:p@h", 8883, true, None, "mqtts://h:8883"),
            ("mqtts://[::1]:7/", 7, true, None, "mqtts://[::1]:7"),
            ("ws://h", 80, false, Some("/mqtt"), "ws://h:80/mqtt"),
            ("ws://h/", 80, false, Some("/"), "ws://h:80/"),
            ("ws://h:8083/a/b?c=d", 8083, false, Some("/a/b?c=d"), "ws://h:8083/a/b?c=d"),
            ("wss://u:p@h", 443, true, Some("/mqtt"), "wss://h:443/mqtt"),
            ("wss://[::1]/ws", 443, true, Some("/ws"), "wss://[::1]:443/ws"),
        ] {
            let target = parse(text, None).unwrap();
            assert_eq!(target.to_string(), displayed);
            let Target::Tcp(tcp) = &target else { panic!("{text}") };
            let transport = Transport { tls: tls.then(Tls::default), websocket: path.map(str::to_owned) };
            assert_eq!((tcp.port, &tcp.transport), (port, &transport), "{text}");
            // What is shown leads back, but for the credentials.
            let Ok(Target::Tcp(again)) = parse(displayed, None) else { panic!("{displayed}") };
            assert_eq!((&again.host, again.port, &again.transport), (&tcp.host, port, &transport));
        }
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
            ("mqtts://user:secret@host/path", "something follows"),
            ("mqtts://", "not a valid target"),
            ("wss://user:secret@host/mqtt#x", "something follows"),
            ("ws://", "not a valid target"),
            ("ws://host:0/mqtt", "port 0"),
            ("http://user:secret@host", "unknown scheme"),
            ("user:secret@host", "not a target"),
            ("localhost", "not a target"),
            ("", "not a target"),
            ("::1", "not a"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(hint) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
