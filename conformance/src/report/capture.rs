//! The capture of a run: the connections of its checks, one check after the other, with comments that name them.

use super::pcapng::{Connection, Event, MQTT_PORT, Writer, client_address};
use super::{accusable, printable};
use crate::check::Cite;
use crate::outcome::{CheckResult, Run, Taped};
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
