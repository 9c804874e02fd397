//! Our verdict on a packet against those of independent codecs.

use crate::bodies::open;
use crate::disagreements::{Ours, known};
use crate::peers::Peer;
use mqtt_assay_codec::frame::{Split, split};
use mqtt_assay_codec::{Decoder, Packet, Receiver, Version};

/// Compares the verdicts on the first packet of a stream; panics at a disagreement that nobody has decided yet.
pub fn check(data: &[u8]) {
    let Some((decoder, stream)) = open(data) else { return };
    if let Some(undecided) = disagreements(decoder, stream).into_iter().find(|found| found.decided.is_none())
    {
        panic!("undecided: {undecided:?}\n{stream:02x?}");
    }
}

/// A peer that sees a packet otherwise than we do.
#[derive(Debug)]
pub struct Disagreement {
    /// Who.
    pub peer: Peer,
    /// By which version's rules.
    pub version: Version,
    /// What we say.
    pub ours: String,
    /// What the peer says.
    pub theirs: String,
    /// Why ours is right, if that is decided.
    pub decided: Option<&'static str>,
}

/// All disagreements on the first packet of `stream`. The peers know neither 3.1 nor directions.
pub fn disagreements(decoder: Decoder, stream: &[u8]) -> Vec<Disagreement> {
    if decoder.version == Version::V3_1 {
        return Vec::new();
    }
    let frame = match split(stream, u32::MAX, decoder.version) {
        Ok(Split::Whole(frame)) => frame.bytes(),
        // Whatever they say to a packet that is not all there is no verdict on it.
        Ok(Split::Missing(_)) => return Vec::new(),
        Err(_) => stream,
    };
    let ours = match decoder.next(frame) {
        Ok(Some((packet, _))) => {
            // A CONNECT of another version: the peers have a decoder for each.
            if matches!(packet, Packet::Connect(connect) if connect.version != decoder.version) {
                return Vec::new();
            }
            Ours::Accepts(packet)
        }
        Ok(None) => return Vec::new(),
        Err(refused) if refused.version != decoder.version => return Vec::new(),
        Err(refused) => {
            let other = match decoder.receiver {
                Receiver::Server => Receiver::Client,
                Receiver::Client => Receiver::Server,
            };
            let there = Decoder::new(decoder.version, other).next(frame).err();
            // A CONNECT that a Server sends, of another version.
            if there.is_some_and(|refused| refused.version != decoder.version) {
                return Vec::new();
            }
            let there = there.map(|refused| refused.offence);
            Ours::Refuses { offence: refused.offence, there }
        }
    };
    let mut found = Vec::new();
    for peer in Peer::ALL {
        let theirs = peer.accepts(frame, decoder.version);
        if theirs.is_ok() != matches!(ours, Ours::Accepts(_)) {
            found.push(Disagreement {
                peer,
                version: decoder.version,
                ours: format!("{ours:?}"),
                theirs: theirs.clone().err().unwrap_or_else(|| "accepts".into()),
                decided: known(peer, decoder.version, &ours, theirs.err().as_deref().unwrap_or("accepts")),
            });
        }
    }
    found
}
