//! The measured packets, written by hand from the specification: no codec under measurement made them.

use mqtt_assay_codec::Version;

/// One cell's input: a packet, or a stream of them.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is, with its version.
    pub name: String,
    /// The version that it is encoded in.
    pub version: Version,
    /// The packet; of a stream all of them.
    pub bytes: Vec<u8>,
    /// How many packets there are.
    pub packets: usize,
}

/// How many packets a mixed stream has.
pub const STREAM_PACKETS: usize = 10_000;

const TOPIC: &str = "building/7/floor/3/room/12/temperature";

/// The single packets, in the order of the table.
pub fn single() -> Vec<Case> {
    use Version::{V3_1_1, V5};
    let case = |name: &str, version: Version, bytes: Vec<u8>| Case {
        name: format!("{version} {name}"),
        version,
        bytes,
        packets: 1,
    };
    vec![
        case("PUBLISH QoS 0, 64 B", V3_1_1, publish(V3_1_1, 0, &[], 64)),
        case("PUBLISH QoS 1, 1 KiB", V3_1_1, publish(V3_1_1, 1, &[], 1024)),
        case("PUBLISH QoS 0, 64 B, no properties", V5, publish(V5, 0, &[], 64)),
        case("PUBLISH QoS 1, 64 B, 5 properties", V5, publish(V5, 1, &publish_properties(), 64)),
        case("CONNECT, Will, user", V3_1_1, connect(V3_1_1)),
        case("CONNECT, Will, user, properties", V5, connect(V5)),
        case("SUBSCRIBE, 10 filters", V3_1_1, subscribe(V3_1_1)),
        case("SUBSCRIBE, 10 filters", V5, subscribe(V5)),
    ]
}

/// The mixed streams that a Server receives, one for each version.
pub fn streams() -> Vec<Case> {
    [Version::V3_1_1, Version::V5]
        .into_iter()
        .map(|version| Case {
            name: format!("{version} mixed stream, 4 KiB reads"),
            version,
            bytes: stream(version),
            packets: STREAM_PACKETS,
        })
        .collect()
}

/// Mostly PUBLISH of several sizes, their acknowledgements, some pings and subscriptions; the same in each run.
fn stream(version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..STREAM_PACKETS {
        // xorshift64: its order of kinds keeps a branch predictor from learning the stream.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let size = [16, 64, 64, 200, 700][(state >> 32) as usize % 5];
        bytes.extend(match state % 100 {
            0..40 => publish(version, 0, &[], size),
            40..60 => publish(version, 1, &[], size),
            60..70 if version == Version::V5 => publish(version, 1, &publish_properties(), size),
            60..70 => publish(version, 2, &[], size),
            70..85 => vec![0x40, 2, 0x12, 0x34],
            85..90 => vec![0x62, 2, 0x12, 0x34],
            90..94 => vec![0xC0, 0],
            94..97 => subscribe(version),
            _ => unsubscribe(version),
        });
    }
    bytes
}

fn publish(version: Version, qos: u8, properties: &[u8], payload: usize) -> Vec<u8> {
    let mut body = Vec::new();
    field(TOPIC.as_bytes(), &mut body);
    if qos > 0 {
        body.extend([0x12, 0x34]);
    }
    property_list(version, properties, &mut body);
    body.extend((0..payload).map(|i| b"0123456789abcdef"[i % 16]));
    frame(0x30 | qos << 1, &body)
}

fn publish_properties() -> Vec<u8> {
    let mut list = vec![0x01, 1, 0x02, 0, 0, 0x0E, 0x10];
    list.push(0x03);
    field(b"application/json", &mut list);
    list.push(0x09);
    field(b"\x00\x01\x02\x03\x04\x05\x06\x07", &mut list);
    list.push(0x26);
    field(b"trace-id", &mut list);
    field(b"4bf92f3577b34da6", &mut list);
    list
}

fn connect(version: Version) -> Vec<u8> {
    let mut body = Vec::new();
    field(b"MQTT", &mut body);
    // User name, password, Will at QoS 1, clean start.
    body.extend([version.level(), 0b1100_1110, 0, 60]);
    let mut properties = vec![0x11, 0, 0, 0x0E, 0x10, 0x21, 0, 20, 0x27, 0, 1, 0, 0, 0x26];
    field(b"client", &mut properties);
    field(b"sensor", &mut properties);
    property_list(version, &properties, &mut body);
    field(b"sensor-0123456789", &mut body);
    let mut will_properties = vec![0x18, 0, 0, 0, 5, 0x03];
    field(b"text/plain", &mut will_properties);
    property_list(version, &will_properties, &mut body);
    field(b"sensors/0123456789/status", &mut body);
    field(b"offline", &mut body);
    field(b"user-name", &mut body);
    field(b"a password", &mut body);
    frame(0x10, &body)
}

fn filters() -> impl Iterator<Item = String> {
    (0..10).map(|i| match i {
        0..4 => format!("building/{i}/floor/+/room/+/humidity"),
        4..8 => format!("building/{i}/floor/3/room/12/window/1"),
        _ => format!("building/{i}/corridor/north/camera/#"),
    })
}

fn subscribe(version: Version) -> Vec<u8> {
    let mut body = vec![0x12, 0x34];
    property_list(version, &[0x0B, 7], &mut body);
    for (filter, qos) in filters().zip([0, 1, 2].into_iter().cycle()) {
        field(filter.as_bytes(), &mut body);
        body.push(qos);
    }
    frame(0x82, &body)
}

fn unsubscribe(version: Version) -> Vec<u8> {
    let mut body = vec![0x12, 0x34];
    property_list(version, &[], &mut body);
    for filter in filters().take(3) {
        field(filter.as_bytes(), &mut body);
    }
    frame(0xA2, &body)
}

fn field(bytes: &[u8], to: &mut Vec<u8>) {
    to.extend((bytes.len() as u16).to_be_bytes());
    to.extend(bytes);
}

fn property_list(version: Version, list: &[u8], to: &mut Vec<u8>) {
    if version == Version::V5 {
        variable_byte_integer(list.len(), to);
        to.extend(list);
    }
}

fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    variable_byte_integer(body.len(), &mut bytes);
    bytes.extend(body);
    bytes
}

fn variable_byte_integer(mut value: usize, to: &mut Vec<u8>) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}
