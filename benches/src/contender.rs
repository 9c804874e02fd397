//! Who is measured: this codec, its peers, and the floors.
//!
//! Each is driven in its natural style: slices where the codec reads slices, a `BytesMut` that is split where it
//! splits one, the finished packet taken where the encoder takes it.

use crate::drive::{Filled, Work, encodes, slices, streams, takes};
use crate::floor;
use crate::packets::Case;
use bytes::BytesMut;
use mqtt_assay_codec::{Decoder, Receiver, Version};
use std::hint::black_box;
use tokio_util::codec::{Decoder as _, Encoder as _};

/// The name of this codec in the results.
pub const OURS: &str = "mqtt-assay";

/// The name of the floor for decoding.
pub const WALK: &str = "floor: strict walk";

/// The name of the floor for encoding.
pub const MEMCPY: &str = "floor: memcpy";

/// More than any measured packet.
const MAX_BYTES: usize = 1 << 20;

/// All that can decode the case: the floor first, this codec second.
pub fn decoders<'a>(case: &Case, batch: &'a [u8]) -> Vec<Work<'a>> {
    let v5 = case.version == Version::V5;
    let walk = floor::walker(case.version);
    let decoder = Decoder::new(case.version, Receiver::Server);
    let mut all = vec![
        slices(WALK, case, batch, move |bytes| black_box(walk(bytes)).unwrap_or(0)),
        slices(OURS, case, batch, move |bytes| match black_box(&decoder.next(bytes)) {
            Ok(Some((_, length))) => *length,
            _ => 0,
        }),
    ];
    if v5 {
        all.push(streams("rumqttc", case, batch, |stream| {
            black_box(&rumqttc::v5::mqttbytes::v5::Packet::read(stream, Some(MAX_BYTES as u32))).is_ok()
        }));
        if case.packets == 1 {
            // Not in streams: its UNSUBSCRIBE of 5.0 prints to the standard error.
            all.push(streams("mqttbytes", case, batch, |stream| {
                black_box(&mqttbytes::v5::read(stream, MAX_BYTES)).is_ok()
            }));
        }
        let mut codec = rmqtt_codec::v5::Codec::new(0, 0);
        all.push(streams("rmqtt-codec", case, batch, move |stream| {
            matches!(black_box(&codec.decode(stream)), Ok(Some(_)))
        }));
    } else {
        all.push(streams("rumqttc", case, batch, |stream| {
            black_box(&rumqttc::mqttbytes::v4::Packet::read(stream, MAX_BYTES)).is_ok()
        }));
        all.push(streams("mqttbytes", case, batch, |stream| {
            black_box(&mqttbytes::v4::read(stream, MAX_BYTES)).is_ok()
        }));
        // It does not tell how long the packet was.
        let known = (case.packets == 1).then_some(case.bytes.len());
        all.push(slices("mqttrs", case, batch, move |bytes| match black_box(&mqttrs::decode_slice(bytes)) {
            Ok(Some(_)) => known.or_else(|| frame(bytes).map(|f| f.length)).unwrap_or(0),
            _ => 0,
        }));
        let mut codec = rmqtt_codec::v3::Codec::new(0);
        all.push(streams("rmqtt-codec", case, batch, move |stream| {
            matches!(black_box(&codec.decode(stream)), Ok(Some(_)))
        }));
    }
    all.push(slices("mqtt-protocol-core", case, batch, move |bytes| {
        let Some(frame) = frame(bytes) else { return 0 };
        if black_box(&protocol_core(&frame, v5)).is_some() { frame.length } else { 0 }
    }));
    let level = case.version.level();
    all.push(slices("flowsdk", case, batch, move |bytes| match black_box(&flow(bytes, level)) {
        Some((_, length)) => *length,
        None => 0,
    }));
    all
}

/// All that can encode the case: the floor first, this codec second. Each encodes what it decoded before.
pub fn encoders<'a>(case: &'a Case) -> Vec<Work<'a>> {
    let frames = frames(&case.bytes);
    let decoder = Decoder::new(case.version, Receiver::Server);
    let ours = frames.iter().map(|bytes| match decoder.next(bytes) {
        Ok(Some((packet, _))) => packet,
        other => panic!("{}: {other:?}", case.name),
    });
    let version = case.version;
    let mut all = vec![
        encodes(MEMCPY, case, frames.clone(), |packet: &&[u8], to: &mut Vec<u8>| {
            to.extend_from_slice(packet);
        }),
        encodes(
            OURS,
            case,
            ours.collect(),
            move |packet: &mqtt_assay_codec::Packet<'_>, to: &mut Vec<u8>| {
                packet.encode(version, to).expect("it was decoded");
            },
        ),
    ];
    let stream = || BytesMut::from(&case.bytes[..]);
    if version == Version::V5 {
        use {mqttbytes::v5 as old, rmqtt_codec::v5 as rmqtt, rumqttc::v5::mqttbytes::v5 as rumq};
        let packets = all_of(stream(), |s| rumq::Packet::read(s, Some(MAX_BYTES as u32)).ok());
        all.push(encodes("rumqttc", case, packets, |packet: &rumq::Packet, to: &mut BytesMut| {
            packet.write(to, Some(MAX_BYTES as u32)).expect("it was decoded");
        }));
        if case.packets == 1 {
            let packets = all_of(stream(), |s| old::read(s, MAX_BYTES).ok());
            all.push(encodes("mqttbytes", case, packets, |packet: &old::Packet, to: &mut BytesMut| {
                use old::Packet as P;
                match packet {
                    P::Connect(p) => p.write(to),
                    P::Publish(p) => p.write(to),
                    P::Subscribe(p) => p.write(to),
                    _ => unreachable!("no such packet is measured"),
                }
                .expect("it was decoded");
            }));
        }
        let mut codec = rmqtt::Codec::new(0, 0);
        let packets = all_of(stream(), |s| codec.decode(s).ok().flatten().map(|(packet, _)| packet));
        all.push(takes("rmqtt-codec", case, packets, move |packet, to: &mut BytesMut| {
            codec.encode(packet, to).expect("it was decoded");
        }));
    } else {
        use {mqttbytes::v4 as old, rmqtt_codec::v3 as rmqtt, rumqttc::mqttbytes::v4 as rumq};
        let packets = all_of(stream(), |s| rumq::Packet::read(s, MAX_BYTES).ok());
        all.push(encodes("rumqttc", case, packets, |packet: &rumq::Packet, to: &mut BytesMut| {
            packet.write(to, MAX_BYTES).expect("it was decoded");
        }));
        let packets = all_of(stream(), |s| old::read(s, MAX_BYTES).ok());
        all.push(encodes("mqttbytes", case, packets, |packet: &old::Packet, to: &mut BytesMut| {
            use old::Packet as P;
            match packet {
                P::Connect(p) => p.write(to),
                P::Publish(p) => p.write(to),
                P::PubAck(p) => p.write(to),
                P::PubRel(p) => p.write(to),
                P::Subscribe(p) => p.write(to),
                P::Unsubscribe(p) => p.write(to),
                P::PingReq => old::PingReq.write(to),
                _ => unreachable!("no such packet is measured"),
            }
            .expect("it was decoded");
        }));
        let packets = frames.iter().map(|bytes| match mqttrs::decode_slice(bytes) {
            Ok(Some(packet)) => packet,
            other => panic!("{}: {other:?}", case.name),
        });
        all.push(encodes("mqttrs", case, packets.collect(), |packet, to: &mut Filled| {
            to.length += mqttrs::encode_slice(packet, &mut to.bytes[to.length..]).expect("it was decoded");
        }));
        let mut codec = rmqtt::Codec::new(0);
        let packets = all_of(stream(), |s| codec.decode(s).ok().flatten().map(|(packet, _)| packet));
        all.push(takes("rmqtt-codec", case, packets, move |packet, to: &mut BytesMut| {
            codec.encode(packet, to).expect("it was decoded");
        }));
    }
    let packets = frames.iter().map(|bytes| {
        frame(bytes).and_then(|f| protocol_core(&f, version == Version::V5)).expect("a well-formed packet")
    });
    // It gives a new buffer for each packet; nothing in its interface appends to one.
    all.push(encodes(
        "mqtt-protocol-core",
        case,
        packets.collect(),
        |packet: &mqtt_protocol_core::mqtt::packet::Packet, to: &mut Filled| {
            use mqtt_protocol_core::mqtt::packet::GenericPacketTrait as _;
            to.length += black_box(packet.to_continuous_buffer()).len();
        },
    ));
    let packets = frames.iter().map(|bytes| flow(bytes, version.level()).expect("a well-formed packet").0);
    all.push(encodes(
        "flowsdk",
        case,
        packets.collect(),
        |packet: &flowsdk_packet::MqttPacket, to: &mut Vec<u8>| {
            use flowsdk_packet::{MqttControlPacket as _, MqttPacket as P};
            match packet {
                P::Connect3(p) => p.encode_to_buffer(to),
                P::Publish3(p) => p.encode_to_buffer(to),
                P::PubAck3(p) => p.encode_to_buffer(to),
                P::PubRel3(p) => p.encode_to_buffer(to),
                P::Subscribe3(p) => p.encode_to_buffer(to),
                P::Unsubscribe3(p) => p.encode_to_buffer(to),
                P::PingReq3(p) => p.encode_to_buffer(to),
                P::Connect5(p) => p.encode_to_buffer(to),
                P::Publish5(p) => p.encode_to_buffer(to),
                P::PubAck5(p) => p.encode_to_buffer(to),
                P::PubRel5(p) => p.encode_to_buffer(to),
                P::Subscribe5(p) => p.encode_to_buffer(to),
                P::Unsubscribe5(p) => p.encode_to_buffer(to),
                P::PingReq5(p) => p.encode_to_buffer(to),
                _ => unreachable!("no such packet is measured"),
            }
            .expect("it was decoded");
        },
    ));
    all
}

use flowsdk::mqtt_serde::control_packet as flowsdk_packet;

fn flow(bytes: &[u8], level: u8) -> Option<(flowsdk_packet::MqttPacket, usize)> {
    use flowsdk::mqtt_serde::parser::ParseOk;
    // It reads the fixed header before it asks whether there is one.
    if bytes.len() < 2 {
        return None;
    }
    match flowsdk_packet::MqttPacket::from_bytes_with_version(bytes, level) {
        Ok(ParseOk::Packet(packet, length)) => Some((packet, length)),
        _ => None,
    }
}

struct FrameOf<'a> {
    first: u8,
    body: &'a [u8],
    length: usize,
}

/// The fixed header, for the codecs that leave it to their caller.
#[inline]
fn frame(bytes: &[u8]) -> Option<FrameOf<'_>> {
    let mut remaining = 0;
    for at in 1..5 {
        let byte = *bytes.get(at)?;
        remaining |= usize::from(byte & 0x7F) << (7 * (at - 1));
        if byte < 0x80 {
            let length = at + 1 + remaining;
            return Some(FrameOf { first: bytes[0], body: bytes.get(at + 1..length)?, length });
        }
    }
    None
}

fn frames(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut all = Vec::new();
    while let Some(frame) = frame(bytes) {
        let (packet, rest) = bytes.split_at(frame.length);
        all.push(packet);
        bytes = rest;
    }
    all
}

/// Its parsers are below its connection: the caller tells the type and hands over the body.
fn protocol_core(frame: &FrameOf<'_>, v5: bool) -> Option<mqtt_protocol_core::mqtt::packet::Packet> {
    use mqtt_protocol_core::mqtt::packet::{Packet as P, v3_1_1, v5_0};
    let (flags, body) = (frame.first & 0x0F, frame.body);
    match (v5, frame.first >> 4) {
        (false, 1) => v3_1_1::Connect::parse(body).map(|(p, _)| P::V3_1_1Connect(p)),
        (false, 3) => v3_1_1::Publish::parse(flags, body.into()).map(|(p, _)| P::V3_1_1Publish(p)),
        (false, 4) => v3_1_1::Puback::parse(body).map(|(p, _)| P::V3_1_1Puback(p)),
        (false, 6) => v3_1_1::Pubrel::parse(body).map(|(p, _)| P::V3_1_1Pubrel(p)),
        (false, 8) => v3_1_1::Subscribe::parse(body).map(|(p, _)| P::V3_1_1Subscribe(p)),
        (false, 10) => v3_1_1::Unsubscribe::parse(body).map(|(p, _)| P::V3_1_1Unsubscribe(p)),
        (false, 12) => v3_1_1::Pingreq::parse(body).map(|(p, _)| P::V3_1_1Pingreq(p)),
        (true, 1) => v5_0::Connect::parse(body).map(|(p, _)| P::V5_0Connect(p)),
        (true, 3) => v5_0::Publish::parse(flags, body.into()).map(|(p, _)| P::V5_0Publish(p)),
        (true, 4) => v5_0::Puback::parse(body).map(|(p, _)| P::V5_0Puback(p)),
        (true, 6) => v5_0::Pubrel::parse(body).map(|(p, _)| P::V5_0Pubrel(p)),
        (true, 8) => v5_0::Subscribe::parse(body).map(|(p, _)| P::V5_0Subscribe(p)),
        (true, 10) => v5_0::Unsubscribe::parse(body).map(|(p, _)| P::V5_0Unsubscribe(p)),
        (true, 12) => v5_0::Pingreq::parse(body).map(|(p, _)| P::V5_0Pingreq(p)),
        _ => return None,
    }
    .ok()
}

fn all_of<P>(mut stream: BytesMut, mut read: impl FnMut(&mut BytesMut) -> Option<P>) -> Vec<P> {
    let mut all = Vec::new();
    while !stream.is_empty() {
        all.push(read(&mut stream).expect("a well-formed packet"));
    }
    all
}
