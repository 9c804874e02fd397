//! Connections as a capture file (pcapng) that Wireshark reads: each one a TCP stream, with the whole bytes of MQTT
//! and comments. Nothing here was sniffed: the streams are written from what clients saw.
//!
//! TLS and WebSocket are left out, so that what they carry can be read; and the broker's port is always 1883, by
//! which Wireshark knows MQTT.

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader, TcpOptionElement};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// The port that Wireshark reads as MQTT.
pub const MQTT_PORT: u16 = 1883;

/// What one segment carries at most: with its headers it must fit into an IP packet of 64 KiB.
const SEGMENT_MAX: usize = 60 << 10;
/// The ports that clients have: those that no service is registered for, which Wireshark would take for another
/// protocol.
const CLIENT_PORTS: std::ops::RangeInclusive<u16> = 49152..=65535;
/// The window, and the exponent by which it counts, that both sides announce: 1 GiB, so that no segment is too much.
const WINDOW: u16 = u16::MAX;
const WINDOW_SCALE: u8 = 14;

/// One network connection of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connection {
    /// The client's address; see [`client_address`].
    pub client: SocketAddr,
    /// The broker's address.
    pub broker: SocketAddr,
    /// When it was opened.
    pub opened: Duration,
    /// The comment of all its packets.
    pub about: String,
    /// What happened on it, in the order of time.
    pub events: Vec<Event>,
}

/// One event of a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// When.
    pub at: Duration,
    /// What.
    pub what: What,
    /// A comment that the packet has beside that of its connection.
    pub comment: Option<String>,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The client wrote these bytes.
    Sent(Vec<u8>),
    /// The client read these bytes.
    Received(Vec<u8>),
    /// A side ended the connection.
    End {
        /// Whether it was the broker.
        by_broker: bool,
        /// Whether with a reset (RST) instead of an orderly close (FIN).
        reset: bool,
    },
}

/// An address for the client of the connection with this number, in the broker's family of addresses: loopback and a
/// port for each of the first 16,384, then the next address.
pub fn client_address(number: usize, broker: IpAddr) -> SocketAddr {
    let ports = CLIENT_PORTS.len();
    let port = u16::try_from(number % ports).map_or(*CLIENT_PORTS.start(), |n| CLIENT_PORTS.start() + n);
    let host = u32::try_from(number / ports).unwrap_or_default();
    let address: IpAddr = match broker {
        IpAddr::V4(_) => Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + host).into(),
        IpAddr::V6(_) => Ipv6Addr::from_bits(Ipv6Addr::LOCALHOST.to_bits() + u128::from(host)).into(),
    };
    SocketAddr::new(address, port)
}

/// A capture file that is being written.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
}

impl<W: Write> Writer<W> {
    /// Begins the file; `about` is the comment on the whole of it.
    ///
    /// # Errors
    ///
    /// Those of the writer, here and below.
    pub fn new(mut out: W, about: &str) -> io::Result<Self> {
        // The byte order, the version 1.0 of the form, and a length of the section that is not told.
        let mut section = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
        section.extend([1, 0, 0, 0]);
        section.extend(u64::MAX.to_le_bytes());
        option(&mut section, 1, about.as_bytes());
        option(&mut section, 4, concat!("mqtt-assay ", env!("CARGO_PKG_VERSION")).as_bytes());
        option(&mut section, 0, &[]);
        block(&mut out, 0x0a0d_0d0a, &section)?;

        // One interface of raw IP packets without a limit, whose times are in nanoseconds.
        let mut interface = 101_u32.to_le_bytes().to_vec();
        interface.extend([0; 4]);
        option(&mut interface, 9, &[9]);
        option(&mut interface, 0, &[]);
        block(&mut out, 1, &interface)?;
        Ok(Writer { out })
    }

    /// Writes connections that go on side by side: their packets in the order of time.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&mut self, connections: &[Connection]) -> io::Result<()> {
        let mut order: Vec<(Duration, usize, Option<&Event>)> = Vec::new();
        for (index, connection) in connections.iter().enumerate() {
            order.push((connection.opened, index, None));
            order.extend(connection.events.iter().map(|event| (event.at, index, Some(event))));
        }
        order.sort_by_key(|(at, ..)| *at);
        let mut streams: Vec<Stream<'_>> = connections.iter().map(Stream::new).collect();
        for (at, index, event) in order {
            match event {
                None => streams[index].open(at, &mut self.out)?,
                Some(event) => streams[index].tell(event, &mut self.out)?,
            }
        }
        Ok(())
    }

    /// The writer beneath.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// A connection as TCP has it: what each side has sent so far.
struct Stream<'c> {
    connection: &'c Connection,
    /// The next sequence numbers: of the client, of the broker.
    next: [u32; 2],
}

/// What a segment is for.
enum Segment<'a> {
    Syn { acknowledges: bool },
    Ack,
    Data(&'a [u8]),
    Fin,
    Reset,
}

const CLIENT: usize = 0;
const BROKER: usize = 1;

impl<'c> Stream<'c> {
    fn new(connection: &'c Connection) -> Self {
        Stream { connection, next: [0, 0] }
    }

    fn open(&mut self, at: Duration, out: &mut impl Write) -> io::Result<()> {
        self.segment(at, CLIENT, &Segment::Syn { acknowledges: false }, None, out)?;
        self.segment(at, BROKER, &Segment::Syn { acknowledges: true }, None, out)?;
        self.segment(at, CLIENT, &Segment::Ack, None, out)
    }

    fn tell(&mut self, event: &Event, out: &mut impl Write) -> io::Result<()> {
        let (from, bytes) = match &event.what {
            What::Sent(bytes) => (CLIENT, bytes),
            What::Received(bytes) => (BROKER, bytes),
            What::End { by_broker, reset } => {
                let from = if *by_broker { BROKER } else { CLIENT };
                let segment = if *reset { Segment::Reset } else { Segment::Fin };
                return self.segment(event.at, from, &segment, event.comment.as_deref(), out);
            }
        };
        bytes.chunks(SEGMENT_MAX).try_for_each(|chunk| {
            self.segment(event.at, from, &Segment::Data(chunk), event.comment.as_deref(), out)
        })
    }

    fn segment(
        &mut self,
        at: Duration,
        from: usize,
        segment: &Segment<'_>,
        comment: Option<&str>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let Connection { client, broker, .. } = self.connection;
        let (source, destination) = if from == CLIENT { (client, broker) } else { (broker, client) };
        let (sequence, acknowledged) = (self.next[from], self.next[1 - from]);
        let tcp = headers(*source, *destination, sequence);
        let (tcp, payload): (_, &[u8]) = match segment {
            Segment::Syn { acknowledges } => {
                let options = [TcpOptionElement::WindowScale(WINDOW_SCALE)];
                let tcp = tcp.syn().options(&options).map_err(io::Error::other)?;
                (if *acknowledges { tcp.ack(acknowledged) } else { tcp }, &[])
            }
            Segment::Ack => (tcp.ack(acknowledged), &[]),
            Segment::Data(bytes) => (tcp.psh().ack(acknowledged), bytes),
            Segment::Fin => (tcp.fin().ack(acknowledged), &[]),
            Segment::Reset => (tcp.rst().ack(acknowledged), &[]),
        };
        let mut packet = Vec::with_capacity(tcp.size(payload.len()));
        tcp.write(&mut packet, payload).map_err(io::Error::other)?;
        // SYN and FIN count as a byte each.
        let length = match segment {
            Segment::Syn { .. } | Segment::Fin => 1,
            Segment::Data(bytes) => u32::try_from(bytes.len()).unwrap_or_default(),
            Segment::Ack | Segment::Reset => 0,
        };
        self.next[from] = sequence.wrapping_add(length);
        captured(out, at, &packet, &[Some(self.connection.about.as_str()), comment])
    }
}

/// The headers below a segment's flags. A connection whose ends are of two families is told in IPv6.
fn headers(from: SocketAddr, to: SocketAddr, sequence: u32) -> PacketBuilderStep<TcpHeader> {
    const HOPS: u8 = 64;
    let v6 = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    };
    let ip = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), HOPS),
        (from, to) => PacketBuilder::ipv6(v6(from), v6(to), HOPS),
    };
    ip.tcp(from.port(), to.port(), sequence, WINDOW)
}

/// Writes one packet with its comments.
fn captured(out: &mut impl Write, at: Duration, packet: &[u8], comments: &[Option<&str>]) -> io::Result<()> {
    let nanoseconds = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
    let length = u32::try_from(packet.len()).map_err(io::Error::other)?;
    let mut body = 0_u32.to_le_bytes().to_vec();
    // The upper half of the time comes first.
    body.extend(nanoseconds.rotate_left(32).to_le_bytes());
    body.extend(length.to_le_bytes());
    body.extend(length.to_le_bytes());
    body.extend(packet);
    pad(&mut body);
    for comment in comments.iter().flatten().filter(|comment| !comment.is_empty()) {
        option(&mut body, 1, comment.as_bytes());
    }
    option(&mut body, 0, &[]);
    block(out, 6, &body)
}

/// A block: its type, its length, its body, its length again.
fn block(out: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 12).map_err(io::Error::other)?;
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(body)?;
    out.write_all(&length.to_le_bytes())
}

/// Appends an option: its code, its length, its value. Code 0 ends the options, code 1 is a comment.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend(code.to_le_bytes());
    body.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    body.extend(value);
    pad(body);
}

/// Fills up to a multiple of four bytes.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each connection has its own pair of addresses, of the broker's family.
    #[test]
    fn client_addresses_differ() {
        let v4 = IpAddr::from([192, 0, 2, 7]);
        let of = |number| client_address(number, v4).to_string();
        assert_eq!(
            [of(0), of(16_383), of(16_384)],
            ["127.0.0.1:49152", "127.0.0.1:65535", "127.0.0.2:49152"]
        );
        assert_eq!(client_address(16_384, Ipv6Addr::LOCALHOST.into()).to_string(), "[::2]:49152");
    }

    /// The form's blocks follow each other to the end, each with its length on both sides, and long writes become
    /// several segments.
    #[test]
    fn blocks_are_whole() {
        let client = client_address(0, Ipv4Addr::LOCALHOST.into());
        let broker = SocketAddr::from((Ipv4Addr::LOCALHOST, MQTT_PORT));
        let event = |what| Event { at: Duration::from_millis(1), what, comment: Some("here".to_owned()) };
        let events = vec![
            event(What::Sent(vec![7; 2 * SEGMENT_MAX + 1])),
            event(What::Received(vec![8])),
            event(What::End { by_broker: true, reset: false }),
        ];
        let connection =
            Connection { client, broker, opened: Duration::ZERO, about: "a story".to_owned(), events };
        let mut writer = Writer::new(Vec::new(), "a run").unwrap();
        writer.write(&[connection]).unwrap();
        let file = writer.into_inner();

        let mut kinds = Vec::new();
        let mut rest = file.as_slice();
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap());
        while !rest.is_empty() {
            let length = word(&rest[4..]) as usize;
            assert_eq!(length % 4, 0);
            assert_eq!(word(&rest[length - 4..]) as usize, length);
            kinds.push(word(rest));
            rest = &rest[length..];
        }
        // The section, the interface; three packets of the handshake, three of the long write, one, one.
        assert_eq!(kinds, [&[0x0a0d_0d0a, 1][..], &[6; 8]].concat());
    }
}
