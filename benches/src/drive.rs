//! Driving a codec in its natural style, with what is not its work kept out of the measured time.

use crate::packets::Case;
use bytes::BytesMut;
use std::hint::black_box;

/// A batch is about this long: it stays in the cache, and one batch takes long enough to be timed.
const BATCH_BYTES: usize = 64 * 1024;

/// What one read of a socket gives in the mixed streams.
const READ_BYTES: usize = 4096;

/// Something to measure.
pub struct Work<'a> {
    name: &'static str,
    steps: Box<dyn Steps + 'a>,
}

trait Steps {
    fn set_up(&mut self) {}
    fn run(&mut self) -> usize;
}

impl Work<'_> {
    /// Whose work it is.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Prepares one run; not to be timed.
    pub fn set_up(&mut self) {
        self.steps.set_up();
    }

    /// Does one batch; gives the number of packets.
    pub fn run(&mut self) -> usize {
        self.steps.run()
    }
}

/// A batch of the packet, or the stream itself.
pub fn batch(case: &Case) -> Vec<u8> {
    if case.packets > 1 { case.bytes.clone() } else { case.bytes.repeat(repeats(case)) }
}

/// How many packets [`batch`] holds.
pub fn packets_in_batch(case: &Case) -> usize {
    if case.packets > 1 { case.packets } else { repeats(case) }
}

fn repeats(case: &Case) -> usize {
    BATCH_BYTES.div_ceil(case.bytes.len())
}

/// Work for a decoder over slices: `one` takes a packet from the front and gives its length, 0 if it is not all there.
pub fn slices<'a>(
    name: &'static str,
    case: &Case,
    batch: &'a [u8],
    one: impl FnMut(&[u8]) -> usize + 'a,
) -> Work<'a> {
    if case.packets > 1 {
        return Work { name, steps: Box::new(FedSlices { batch, buffer: Vec::new(), one }) };
    }
    Work { name, steps: Box::new(Slices { batch, one }) }
}

/// Work for a decoder that splits a `BytesMut`: `one` tells whether there was a packet.
pub fn streams<'a>(
    name: &'static str,
    case: &Case,
    batch: &'a [u8],
    one: impl FnMut(&mut BytesMut) -> bool + 'a,
) -> Work<'a> {
    let fed = case.packets > 1;
    Work { name, steps: Box::new(Streams { batch, fed, stream: BytesMut::new(), one }) }
}

struct Slices<'a, F> {
    batch: &'a [u8],
    one: F,
}

impl<F: FnMut(&[u8]) -> usize> Steps for Slices<'_, F> {
    fn run(&mut self) -> usize {
        let mut rest = black_box(self.batch);
        let mut packets = 0;
        while !rest.is_empty() {
            let length = (self.one)(rest);
            if length == 0 {
                break;
            }
            rest = &rest[length..];
            packets += 1;
        }
        packets
    }
}

struct FedSlices<'a, F> {
    batch: &'a [u8],
    buffer: Vec<u8>,
    one: F,
}

impl<F: FnMut(&[u8]) -> usize> Steps for FedSlices<'_, F> {
    fn set_up(&mut self) {
        self.buffer.clear();
    }

    fn run(&mut self) -> usize {
        let mut packets = 0;
        for read in black_box(self.batch).chunks(READ_BYTES) {
            self.buffer.extend_from_slice(read);
            let mut at = 0;
            loop {
                let length = (self.one)(&self.buffer[at..]);
                if length == 0 {
                    break;
                }
                at += length;
                packets += 1;
            }
            self.buffer.drain(..at);
        }
        packets
    }
}

struct Streams<'a, F> {
    batch: &'a [u8],
    fed: bool,
    stream: BytesMut,
    one: F,
}

impl<F: FnMut(&mut BytesMut) -> bool> Steps for Streams<'_, F> {
    fn set_up(&mut self) {
        self.stream =
            if self.fed { BytesMut::with_capacity(2 * READ_BYTES) } else { BytesMut::from(self.batch) };
    }

    fn run(&mut self) -> usize {
        let mut packets = 0;
        if !self.fed {
            while !self.stream.is_empty() && (self.one)(&mut self.stream) {
                packets += 1;
            }
            return packets;
        }
        for read in black_box(self.batch).chunks(READ_BYTES) {
            self.stream.extend_from_slice(read);
            while (self.one)(&mut self.stream) {
                packets += 1;
            }
        }
        packets
    }
}

/// A buffer to encode into.
pub trait Buffer {
    /// An empty one with room for a batch.
    fn new() -> Self;
    /// Bytes written.
    fn length(&self) -> usize;
    /// Forgets them.
    fn clear(&mut self);
}

impl Buffer for Vec<u8> {
    fn new() -> Self {
        Vec::with_capacity(2 * BATCH_BYTES)
    }

    fn length(&self) -> usize {
        self.len()
    }

    fn clear(&mut self) {
        self.clear();
    }
}

impl Buffer for BytesMut {
    fn new() -> Self {
        BytesMut::with_capacity(2 * BATCH_BYTES)
    }

    fn length(&self) -> usize {
        self.len()
    }

    fn clear(&mut self) {
        self.clear();
    }
}

/// An array that is written at an offset.
pub struct Filled {
    /// The room.
    pub bytes: Vec<u8>,
    /// How much of it is written.
    pub length: usize,
}

impl Buffer for Filled {
    fn new() -> Self {
        Filled { bytes: vec![0; 2 * BATCH_BYTES], length: 0 }
    }

    fn length(&self) -> usize {
        self.length
    }

    fn clear(&mut self) {
        self.length = 0;
    }
}

/// Work for an encoder: `one` appends a packet to the buffer, which is emptied whenever a batch is in it.
pub fn encodes<'a, P: 'a, B: Buffer + 'a>(
    name: &'static str,
    case: &Case,
    packets: Vec<P>,
    one: impl FnMut(&P, &mut B) + 'a,
) -> Work<'a> {
    let repeats = if case.packets > 1 { 1 } else { repeats(case) };
    Work { name, steps: Box::new(Encodes { packets, repeats, to: B::new(), one }) }
}

struct Encodes<P, B, F> {
    packets: Vec<P>,
    repeats: usize,
    to: B,
    one: F,
}

impl<P, B: Buffer, F: FnMut(&P, &mut B)> Steps for Encodes<P, B, F> {
    fn set_up(&mut self) {
        self.to.clear();
    }

    fn run(&mut self) -> usize {
        for _ in 0..self.repeats {
            for packet in &self.packets {
                (self.one)(black_box(packet), &mut self.to);
                if self.to.length() >= BATCH_BYTES {
                    self.to.clear();
                }
            }
        }
        self.repeats * self.packets.len()
    }
}

/// Work for an encoder that takes the packet: the copies are made before the time starts.
pub fn takes<'a, P: Clone + 'a>(
    name: &'static str,
    case: &Case,
    packets: Vec<P>,
    one: impl FnMut(P, &mut BytesMut) + 'a,
) -> Work<'a> {
    let repeats = if case.packets > 1 { 1 } else { repeats(case) };
    Work { name, steps: Box::new(Takes { packets, repeats, ready: Vec::new(), to: BytesMut::new(), one }) }
}

struct Takes<P, F> {
    packets: Vec<P>,
    repeats: usize,
    ready: Vec<P>,
    to: BytesMut,
    one: F,
}

impl<P: Clone, F: FnMut(P, &mut BytesMut)> Steps for Takes<P, F> {
    fn set_up(&mut self) {
        self.to = <BytesMut as Buffer>::new();
        self.ready.clear();
        for _ in 0..self.repeats {
            self.ready.extend_from_slice(&self.packets);
        }
    }

    fn run(&mut self) -> usize {
        let packets = self.ready.len();
        for packet in self.ready.drain(..) {
            (self.one)(packet, &mut self.to);
            if self.to.len() >= BATCH_BYTES {
                self.to.clear();
            }
        }
        packets
    }
}
