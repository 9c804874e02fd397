//! Brokers that speak MQTT, and lie: they answer every packet and do nothing, too late, too slowly, for a while only,
//! or with packets that break one rule.

use mqtt_assay_codec::raw::{self, Case, Stage};
use mqtt_assay_codec::{Receiver, Version};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How a broker lies. All of them accept every CONNECT, deliver nothing, and end no connection but as they say.
#[derive(Clone, Debug)]
pub(crate) enum Lie {
    /// Answers every packet with success, and does nothing of it.
    Everything,
    /// As that; every answer but the CONNACK comes after this time.
    Late(Duration),
    /// As that; every answer but the CONNACK comes at one byte a second.
    Drips,
    /// As that, the CONNACK too.
    DripsFromTheStart,
    /// As that; the packet of this number, from 1, resets its connection.
    ResetsAt(usize),
    /// Sends a PUBLISH of 256 MiB behind CONNACK, again and again.
    Huge,
    /// Answers with this packet: CONNECT if it is one to open with, else the packets behind it.
    Malformed(Arc<Case>),
    /// Refuses each SUBSCRIBE of 3.1.1 with one filter, but answers two PINGREQ first.
    RefusesLate,
    /// Busy: a PINGRESP takes 150 ms, and the end for a second CONNECT comes so long after two of them.
    ClosesLate,
    /// Busy with CONNECT alone: CONNACK takes 400 ms and PINGRESP nothing, and the end for a second CONNECT comes 300 ms
    /// after two of them.
    ClosesLateForConnect,
    /// Busy, most of all with a connection on which a second CONNECT has come: there PINGREQ is answered after this time, and
    /// then it ends. CONNACK takes a fifth of that.
    AnswersLate(Duration),
    /// Busy with CONNECT: CONNACK takes this time.
    ConnectsLate(Duration),
    /// Ends the connection for a Will QoS of 3, but does not see the first.
    LosesSightOfOne(Arc<AtomicBool>),
    /// Refuses each CONNECT with a Will, by CONNACK 0x05 and the end of the connection.
    RefusesWills,
    /// Knows MQTT 3.1.1 only, and refuses 5.0 in its form.
    OfOld,
    /// The same, but refuses what else it does not know by the end of the connection alone.
    OfOldAndCurt,
}

/// A running broker that lies; it ends when dropped.
pub(crate) struct Liar {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Liar {
    pub(crate) async fn start(lie: Lie) -> Liar {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("the address just bound");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let lie = lie.clone();
                // A broken pipe ends a connection: that is its end.
                connections.spawn(async move { drop(lies(stream, lie).await) });
            }
        });
        Liar { address, _tasks: tasks }
    }
}

/// Every malformed packet that a Server could send in this version.
pub(crate) fn malformed(version: Version, stage: Stage) -> Vec<Arc<Case>> {
    let cases = raw::cases(version, Receiver::Client).into_iter();
    cases.filter(|case| case.stage == stage).map(Arc::new).collect()
}

async fn lies(mut stream: TcpStream, lie: Lie) -> std::io::Result<()> {
    let (mut buffer, mut chunk) = (Vec::new(), vec![0; 64 << 10]);
    let (mut number, mut is_v5) = (0, false);
    // A SUBACK that waits, and for how many PINGREQ.
    let mut waiting: Option<(Vec<u8>, usize)> = None;
    // After how many PINGREQ the connection ends.
    let mut pings_to_the_end = None;
    loop {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Ok(());
        }
        buffer.extend_from_slice(&chunk[..count]);
        while let Some((first, body)) = take_packet(&mut buffer) {
            number += 1;
            let connects = first >> 4 == 1;
            if connects {
                is_v5 = body.get(6) == Some(&5);
            }
            let answer = answer(first, &body, is_v5).unwrap_or_default();
            match &lie {
                Lie::ResetsAt(at) if *at == number => return stream.set_zero_linger(),
                Lie::Malformed(case) if connects == (case.stage == Stage::Opening) => {
                    stream.write_all(&case.bytes).await?;
                }
                Lie::Late(time) if !connects => {
                    tokio::time::sleep(*time).await;
                    stream.write_all(&answer).await?;
                }
                Lie::RefusesLate if first >> 4 == 8 => {
                    waiting = body.get(..2).map(|id| ([&[0x90, 3][..], id, &[0x80]].concat(), 2));
                }
                Lie::RefusesLate if first >> 4 == 12 => {
                    stream.write_all(&answer).await?;
                    waiting = waiting.map(|(suback, left)| (suback, left - 1));
                    if let Some((suback, 0)) = &waiting {
                        // So that it comes in a segment of its own.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        stream.write_all(suback).await?;
                        waiting = None;
                    }
                }
                Lie::AnswersLate(_) if connects && number > 1 => pings_to_the_end = Some(1),
                Lie::AnswersLate(time) if connects => {
                    tokio::time::sleep(*time / 5).await;
                    stream.write_all(&answer).await?;
                }
                Lie::AnswersLate(time) if pings_to_the_end.is_some() => {
                    tokio::time::sleep(*time).await;
                    return stream.write_all(&answer).await;
                }
                Lie::ConnectsLate(time) if connects => {
                    tokio::time::sleep(*time).await;
                    stream.write_all(&answer).await?;
                }
                Lie::LosesSightOfOne(lost)
                    if connects && body.get(7).is_some_and(|flags| flags & 0x18 == 0x18) =>
                {
                    if lost.swap(true, Ordering::Relaxed) {
                        return Ok(());
                    }
                }
                Lie::ClosesLate | Lie::ClosesLateForConnect if connects && number > 1 => {
                    pings_to_the_end = Some(2);
                }
                Lie::ClosesLateForConnect if connects => {
                    tokio::time::sleep(Duration::from_millis(400)).await;
                    stream.write_all(&answer).await?;
                }
                Lie::ClosesLateForConnect if first >> 4 == 12 => {
                    stream.write_all(&answer).await?;
                    pings_to_the_end = pings_to_the_end.map(|left: usize| left - 1);
                    if pings_to_the_end == Some(0) {
                        tokio::time::sleep(Duration::from_millis(300)).await;
                        return Ok(());
                    }
                }
                Lie::ClosesLate if first >> 4 == 12 => {
                    tokio::time::sleep(Duration::from_millis(150)).await;
                    stream.write_all(&answer).await?;
                    pings_to_the_end = pings_to_the_end.map(|left: usize| left - 1);
                    if pings_to_the_end == Some(0) {
                        tokio::time::sleep(Duration::from_millis(150)).await;
                        return Ok(());
                    }
                }
                Lie::RefusesWills if connects && body.get(7).is_some_and(|flags| flags & 4 != 0) => {
                    let refusal: &[u8] = if number == 1 { &[0x20, 2, 0, 5] } else { &[] };
                    return stream.write_all(refusal).await;
                }
                Lie::OfOld | Lie::OfOldAndCurt if connects && body.get(6) != Some(&4) => {
                    let refusal: &[u8] =
                        if is_v5 || matches!(lie, Lie::OfOld) { &[0x20, 2, 0, 1] } else { &[] };
                    return stream.write_all(refusal).await;
                }
                Lie::Drips if !connects => drip(&mut stream, &answer).await?,
                Lie::DripsFromTheStart => drip(&mut stream, &answer).await?,
                Lie::Huge => {
                    stream.write_all(&answer).await?;
                    loop {
                        huge(&mut stream, is_v5).await?;
                    }
                }
                _ => stream.write_all(&answer).await?,
            }
        }
    }
}

async fn drip(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stream.write_all(&[*byte]).await?;
    }
    Ok(())
}

/// The largest PUBLISH that there is: well-formed, and nobody's.
async fn huge(stream: &mut TcpStream, is_v5: bool) -> std::io::Result<()> {
    let head: &[u8] = if is_v5 { b"\0\x01x\0" } else { b"\0\x01x" };
    stream.write_all(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F]).await?;
    stream.write_all(head).await?;
    let zeros = vec![0; 1 << 20];
    let mut left = 268_435_455 - head.len();
    while left > 0 {
        let count = left.min(zeros.len());
        stream.write_all(&zeros[..count]).await?;
        left -= count;
    }
    Ok(())
}

/// Takes a whole packet off the front: its first byte and what stands behind the fixed header.
fn take_packet(buffer: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (length, used) = variable(buffer.get(1..)?)?;
    let end = 1 + used + length;
    if buffer.len() < end {
        return None;
    }
    let packet: Vec<u8> = buffer.drain(..end).collect();
    Some((packet[0], packet[1 + used..].to_vec()))
}

fn variable(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// The answer that says that all is well.
fn answer(first: u8, body: &[u8], is_v5: bool) -> Option<Vec<u8>> {
    let id = |at: usize| Some([*body.get(at)?, *body.get(at + 1)?]);
    Some(match first >> 4 {
        1 if is_v5 => vec![0x20, 3, 0, 0, 0],
        1 => vec![0x20, 2, 0, 0],
        3 => {
            let at = 2 + usize::from(u16::from_be_bytes(id(0)?));
            match first >> 1 & 3 {
                1 => [&[0x40, 2][..], &id(at)?].concat(),
                2 => [&[0x50, 2][..], &id(at)?].concat(),
                _ => return None,
            }
        }
        5 => [&[0x62, 2][..], &id(0)?].concat(),
        6 => [&[0x70, 2][..], &id(0)?].concat(),
        kind @ (8 | 10) => {
            let mut at = 2;
            if is_v5 {
                let (length, used) = variable(body.get(2..)?)?;
                at += length + used;
            }
            let mut codes = Vec::new();
            while let Some(length) = id(at) {
                at += 2 + usize::from(u16::from_be_bytes(length));
                if kind == 8 {
                    codes.push(body.get(at)? & 3);
                    at += 1;
                } else {
                    codes.push(0);
                }
            }
            let properties: &[u8] = if is_v5 { &[0] } else { &[] };
            let codes = if kind == 8 || is_v5 { codes } else { Vec::new() };
            let content = [&id(0)?[..], properties, &codes].concat();
            raw::packet(if kind == 8 { 0x90 } else { 0xB0 }, &content)
        }
        12 => vec![0xD0, 0],
        _ => return None,
    })
}
