//! Captures: of a run, the connections of its checks, one check after the other, with comments that name them; or of a
//! script's play, all its connections.

use super::pcapng::{Connection, Event, MQTT_PORT, What, Writer, client_address};
use super::{accusable, printable};
use crate::check::Cite;
use crate::outcome::{CheckResult, Run, Taped};
use mqtt_assay_broker_model::history::{self, ClientNo, History, How, Side};
use mqtt_assay_broker_model::rules::Accusation;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};

/// Writes the capture of a run whose results have their tapes. Gives the number of connections that are not whole,
/// since there was no room for them.
///
/// # Errors
///
/// Those of the writer.
pub fn write(out: impl Write, run: &Run) -> io::Result<usize> {
    let about = format!(
        "{}, seed {}. Written from what the clients saw: TLS and WebSocket are left out, the clients' addresses are \
         made up, and the broker's port is always {MQTT_PORT}. The packets of a check are together: filter by \
         frame.comment contains \"NAME\"",
        printable(&run.target),
        run.seed
    );
    let mut writer = Writer::new(out, &about)?;
    let (mut number, mut cut) = (0, 0);
    for result in &run.results {
        let mut connections = Vec::with_capacity(result.tape.len());
        for taped in &result.tape {
            connections.push(connection(result, taped, number));
            number += 1;
            cut += usize::from(taped.cut);
        }
        writer.write(&connections)?;
    }
    writer.into_inner().flush()?;
    Ok(cut)
}

fn connection(result: &CheckResult, taped: &Taped, number: usize) -> Connection {
    let broker = taped.broker.map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip());
    let statements: Vec<String> = accusable(result).iter().map(Cite::to_string).collect();
    let mut about = format!("{} ({}), client {}", result.check.name, result.version, taped.client);
    if taped.connection > 1 {
        about.push_str(&format!(", connection {}", taped.connection));
    }
    about = format!("{about}: {}", statements.join(", "));
    let mut events: Vec<Event> = taped
        .events
        .iter()
        .map(|event| Event {
            at: result.begun + event.at,
            what: event.what.clone(),
            comment: event.comment.clone(),
        })
        .collect();
    if let (true, Some(Event { comment, .. })) = (taped.cut, events.last_mut()) {
        let before = comment.take().map_or_else(String::new, |before| before + "\n");
        *comment = Some(before + "what follows on this connection is left out: the capture is full");
    }
    Connection {
        client: client_address(number, broker),
        broker: SocketAddr::new(broker, MQTT_PORT),
        opened: result.begun + taped.opened,
        about,
        events,
    }
}

/// Writes the capture of a play. What is accused has a comment, at the bytes that were read last before it.
///
/// # Errors
///
/// Those of the writer.
pub fn write_play(
    out: impl Write,
    history: &History,
    about: &str,
    accusation: Option<&Accusation>,
) -> io::Result<()> {
    let about = format!(
        "{about}\nWritten from what the clients saw: TLS and WebSocket are left out, addresses are made up, and the \
         broker's port is always {MQTT_PORT}."
    );
    let mut writer = Writer::new(out, &about)?;
    writer.write(&connections(history, accusation))?;
    writer.into_inner().flush()
}

fn connections(history: &History, accusation: Option<&Accusation>) -> Vec<Connection> {
    let mut connections: Vec<Connection> = Vec::new();
    let mut places: BTreeMap<(ClientNo, u32), usize> = BTreeMap::new();
    // The last thing that the accused connection, or client, has seen.
    let mut here: Option<(usize, usize)> = None;
    let accused = accusation.and_then(|accusation| history.get(accusation.event));
    for (index, event) in history.iter().enumerate() {
        let key = (event.client, event.connection);
        let what = match event.what {
            history::What::Attempted(version) => {
                let client = client_address(connections.len(), Ipv4Addr::LOCALHOST.into());
                let mut about = format!("{}, MQTT {version}", printable(history.name(event.client)));
                if event.connection > 1 {
                    about.push_str(&format!(", connection {}", event.connection));
                }
                let broker = SocketAddr::from((Ipv4Addr::LOCALHOST, MQTT_PORT));
                places.insert(key, connections.len());
                connections.push(Connection { client, broker, opened: event.at, about, events: Vec::new() });
                continue;
            }
            history::What::Wrote(bytes) => What::Sent(bytes.to_vec()),
            history::What::Read(bytes) => What::Received(bytes.to_vec()),
            // The broker is not told.
            history::What::Ended(_, How::Silently) => continue,
            history::What::Ended(side, how) => {
                What::End { by_broker: side == Side::Server, reset: how == How::Reset }
            }
            _ => continue,
        };
        let Some(place) = places.get(&key).copied() else { continue };
        let events = &mut connections[place].events;
        let is_accused = accusation.zip(accused).is_some_and(|(accusation, accused)| {
            let of = accused.client == event.client || accusation.client == event.client;
            of && index <= accusation.event && !matches!(what, What::End { .. })
        });
        if is_accused {
            here = Some((place, events.len()));
        }
        events.push(Event { at: event.at, what, comment: None });
    }
    if let (Some((place, index)), Some(accusation)) = (here, accusation) {
        let statements: Vec<String> =
            accusation.statements.iter().map(|id| format!("{}/{id}", accusation.version)).collect();
        connections[place].events[index].comment = Some(format!(
            "{} {}\nexpected: {}\nobserved: {}",
            accusation.rule,
            statements.join(", "),
            printable(&accusation.expected),
            printable(&accusation.observed)
        ));
    }
    connections
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_broker_model::history::Recorder;
    use mqtt_assay_codec::Version;
    use std::time::Duration;

    #[test]
    fn a_play_has_a_connection_for_each_of_its_own_and_the_accused_bytes_a_comment() {
        let at = Duration::from_millis;
        let (ann, bob) = (ClientNo(0), ClientNo(1));
        let mut recorder = Recorder::new(["ann", "bob"]);
        for (client, connection) in [(ann, 1), (bob, 1), (ann, 2)] {
            recorder.attempted(at(1), client, connection, Version::V5);
            recorder.answered(at(1), client, connection, true);
        }
        recorder.wrote(at(2), bob, 1, b"\xC0\x00");
        recorder.read(at(3), bob, 1, b"\xD0\x00");
        recorder.ended(at(4), bob, 1, Side::Server, How::Reset);
        let history = recorder.finish(at(5));
        let received = history.iter().position(|event| matches!(event.what, history::What::Received(_)));
        let accusation = Accusation {
            rule: "unasked",
            statements: &["MQTT-3.12.4-1"],
            version: Version::V5,
            at: at(3),
            client: bob,
            event: received.expect("PINGRESP"),
            expected: "nothing".to_owned(),
            observed: "PINGRESP".to_owned(),
            deviates: false,
        };
        let connections = connections(&history, Some(&accusation));
        let about: Vec<&str> = connections.iter().map(|connection| connection.about.as_str()).collect();
        assert_eq!(about, ["ann, MQTT 5.0", "bob, MQTT 5.0", "ann, MQTT 5.0, connection 2"]);
        let [sent, came, end] = connections[1].events.as_slice() else { panic!("{connections:#?}") };
        assert_eq!(
            [&sent.what, &came.what, &end.what],
            [
                &What::Sent(vec![0xC0, 0]),
                &What::Received(vec![0xD0, 0]),
                &What::End { by_broker: true, reset: true }
            ]
        );
        assert!(sent.comment.is_none() && end.comment.is_none());
        let comment = came.comment.as_deref().expect("it is accused");
        assert!(comment.starts_with("unasked 5.0/MQTT-3.12.4-1\n"), "{comment}");
    }
}
