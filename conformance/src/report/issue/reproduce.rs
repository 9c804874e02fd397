//! The packets of a check as commands of a shell, for people who do not have this tool.

use crate::report::json::{Entry, Logged, Report, Way};
use crate::report::{self, printable, view};
use crate::target::Target;
use crate::target::url;
use mqtt_assay_codec::{Decoder, Packet, Receiver};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Where the packets go.
struct Place {
    host: String,
    port: u16,
    tls: bool,
}

/// A paragraph with the commands, or the reason why there are none.
pub(super) fn without_us(run: &Report, entry: &Entry) -> String {
    let log = entry.log.as_deref().unwrap_or_default();
    let why_not = |why: &str| format!("Without it, this cannot be shown with a few commands: {why}.\n");
    let Some(place) = place(&run.target) else {
        return why_not("the broker was reached by WebSocket");
    };
    let sent: Vec<&Logged> = log.iter().filter(|logged| logged.direction == Way::Sent).collect();
    if sent.is_empty() {
        return why_not("the clients send nothing");
    }
    let is_whole = |logged: &&Logged| bytes(logged).is_some_and(|bytes| bytes.len() == logged.length);
    if !sent.iter().all(is_whole)
        || log.iter().any(|logged| logged.text.contains(" bytes more of the packet"))
    {
        return why_not("its packets are too long for that");
    }
    let connections: BTreeSet<(&str, u32)> =
        sent.iter().map(|one| (one.client.as_str(), one.connection)).collect();
    let (commands, needs) = match (connections.len(), place.tls) {
        (1, _) => (piped(log, &place), "xxd, and nc or openssl"),
        (_, false) => (with_descriptors(log, &connections, &place), "bash and xxd"),
        (_, true) => return why_not("it takes several connections within TLS"),
    };
    let served = match run.target.strip_prefix("reference") {
        Some(mutant) => {
            let mutant = mutant.trim().trim_start_matches("(mutant ").trim_end_matches(')');
            let mutant = if mutant.is_empty() { String::new() } else { format!(" --mutant {mutant}") };
            format!(" (beside `mqtt-assay serve --listen 127.0.0.1:1883{mutant}`)")
        }
        None => String::new(),
    };
    let mut text = format!(
        "Without it{}, by the same bytes, which takes {needs}; the answers are shown as they come:\n\n```sh\n{commands}```\n",
        printable(&served)
    );
    if has_password(entry, &sent) {
        text.push_str("\nThe password is not in it: asterisks stand for its bytes in CONNECT.\n");
    }
    text
}

/// The host and port of a target that is reached without WebSocket.
fn place(target: &str) -> Option<Place> {
    if target.starts_with(&Target::Reference { mutant: None }.to_string()) {
        return Some(Place { host: "127.0.0.1".to_owned(), port: 1883, tls: false });
    }
    let tcp = url::parse(target).ok().filter(|tcp| tcp.transport.websocket.is_none())?;
    // A host name in a report of somebody else's must not become a command.
    let plain = tcp.host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte));
    let tls = tcp.transport.tls.is_some();
    plain.then_some(Place { host: tcp.host, port: tcp.port, tls })
}

/// The bytes of a packet; `None` where the hexadecimal digits are none.
fn bytes(logged: &Logged) -> Option<Vec<u8>> {
    report::bytes(&logged.hex)
}

fn hex(logged: &Logged) -> String {
    bytes(logged).unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn has_password(entry: &Entry, sent: &[&Logged]) -> bool {
    let Some(version) = view::version(&entry.version) else { return false };
    sent.iter().any(|logged| {
        let bytes = bytes(logged).unwrap_or_default();
        let connect = Decoder::new(version, Receiver::Server).next(&bytes);
        matches!(connect, Ok(Some((Packet::Connect(connect), _))) if connect.password.is_some())
    })
}

/// Seconds that a story lets pass: its note is `2.5 s pass (…)`.
fn passed(logged: &Logged) -> Option<f64> {
    let (seconds, _) = logged.text.split_once(" s pass")?;
    seconds.parse().ok().filter(|_| logged.direction == Way::Note)
}

/// What a comment says of an event.
fn comment(logged: &Logged) -> String {
    format!("# {}", printable(&logged.text))
}

/// One connection: what it sends is piped, with pauses, into a program that has it.
fn piped(log: &[Logged], place: &Place) -> String {
    let mut text = "{\n".to_owned();
    // So long after the last packet an answer is still waited for.
    let mut seconds = 2.0;
    for logged in log {
        let (command, pause) = match (logged.direction, passed(logged)) {
            (Way::Sent, _) => (format!("printf {} | xxd -r -p; sleep 1", hex(logged)), 1.0),
            (_, Some(pause)) => (format!("sleep {:.0}", pause.ceil()), pause.ceil()),
            _ => continue,
        };
        seconds += pause;
        let _ = writeln!(text, "  {command}  {}", comment(logged));
    }
    let Place { host, port, tls } = place;
    let program = match tls {
        true if host.contains(':') => format!("openssl s_client -quiet -connect [{host}]:{port}"),
        true => format!("openssl s_client -quiet -connect {host}:{port}"),
        false => format!("nc {host} {port}"),
    };
    let _ = writeln!(text, "}} | timeout {seconds:.0} {program} | xxd");
    text
}

/// What shows the answers on some connections: what comes within a second, and whether the connection has ended.
const SHOW: &str = "\
show() {
  for fd in \"$@\"; do
    echo \"on $fd:\"; timeout 1 cat <&\"$fd\" | xxd
    [ \"${PIPESTATUS[0]}\" = 124 ] || echo \"(closed)\"
  done
}
";

/// Several connections: each is a file descriptor of bash.
fn with_descriptors(log: &[Logged], connections: &BTreeSet<(&str, u32)>, place: &Place) -> String {
    let descriptor = |logged: &Logged| {
        let own = (logged.client.as_str(), logged.connection);
        // Those below 10 are the shell's own.
        connections.iter().position(|connection| *connection == own).map(|position| position + 10)
    };
    let Place { host, port, .. } = place;
    let mut open: BTreeSet<usize> = BTreeSet::new();
    let mut text = SHOW.to_owned();
    for logged in log {
        let Some(fd) = descriptor(logged).filter(|_| logged.direction != Way::Received) else {
            if let Some(seconds) = passed(logged) {
                let _ = writeln!(text, "sleep {:.0}  {}", seconds.ceil(), comment(logged));
            }
            continue;
        };
        if logged.direction == Way::Sent {
            if open.insert(fd) {
                let of = printable(&crate::report::log::client(logged));
                let _ = writeln!(text, "exec {fd}<>/dev/tcp/{host}/{port}  # client {of}");
            }
            let fds: Vec<String> = open.iter().map(ToString::to_string).collect();
            let _ = writeln!(
                text,
                "printf {} | xxd -r -p >&{fd}; show {}  {}",
                hex(logged),
                fds.join(" "),
                comment(logged)
            );
        } else if ["closes the connection", "resets the connection"]
            .iter()
            .any(|end| logged.text.starts_with(end))
            && open.remove(&fd)
        {
            let _ = writeln!(text, "exec {fd}>&-  {}", comment(logged));
        }
    }
    text
}
