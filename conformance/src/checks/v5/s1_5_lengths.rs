//! Remaining Lengths of one to four bytes. [5.0 §1.5.5, §2.1.4]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Next, Stop, Story, World, puback};
use mqtt_assay_codec::{Packet, PacketId, PacketType, ReasonCode, raw};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[ALL_LENGTHS_ARE_UNDERSTOOD];

/// The highest value of each number of bytes but the last, which is 256 MiB, and the one behind it.
const BORDERS: [u32; 6] = [127, 128, 16_383, 16_384, 2_097_151, 2_097_152];

/// Publishes a message at QoS 1 whose Remaining Length is this.
async fn publish_of(w: &World, a: &mut Client<'_>, id: PacketId, length: u32) -> Story {
    let start = raw::Builder::new(0x32).string(w.topic("long").as_bytes()).u16(id.get()).properties(&[]);
    let content = start.finish().len() - 2;
    a.send_bytes(&start.remaining_length(&raw::variable(length)).finish()).await?;
    a.send_filling((length as usize).saturating_sub(content)).await
}

check! {
    /// A Remaining Length of one, two, three or four bytes is understood.
    ///
    /// Sends     PUBLISH at QoS 1 on both sides of each border: Remaining Length 127, 128, 16,383, 16,384, 2,097,151
    ///           and 2,097,152.
    /// Demands   PUBACK for each.
    /// Leaves    packets above the broker's Maximum Packet Size, announced or told with DISCONNECT 0x95.
    ALL_LENGTHS_ARE_UNDERSTOOD "length/all_lengths_are_understood",
    covers: [V5 / "U5-VBI-2"],
    needs: [Qos1],
    proved: ["long_remaining_length_refused"],
    run: async |w| {
        const HEADER_MAX: u32 = 5;
        let maximum = w.abilities().maximum_packet_size.unwrap_or(u32::MAX);
        let mut a = w.connect_alive("a").await?;
        for length in BORDERS.into_iter().filter(|length| length.saturating_add(HEADER_MAX) <= maximum) {
            let id = a.fresh_id();
            publish_of(w, &mut a, id, length).await?;
            // Two megabytes take a busy machine longer than a few bytes do.
            let patience = if length > 1 << 20 { w.patience() * 4 } else { w.patience() };
            match a.next(Instant::now() + patience).await? {
                Next::Packet(r) if matches!(r.packet(), Packet::Disconnect(d) if d.reason == ReasonCode::PACKET_TOO_LARGE) => {
                    return Err(Stop::unsupported(format!("the broker takes no Remaining Length of {length}")));
                }
                Next::Packet(r) if r.packet_type() == PacketType::Puback && r.packet().packet_id() == Some(id) => {}
                Next::Packet(r) => {
                    let expected = format!("{} for a Remaining Length of {length}", puback(id));
                    return Err(Stop::violates(expected, r.line()).at(r.index));
                }
                Next::End(_) => {
                    let expected = format!("{} for a Remaining Length of {length}", puback(id));
                    return Err(Stop::violates(expected, "the end of the connection"));
                }
                Next::Silence => {
                    return Err(Stop::inconclusive(format!(
                        "no answer to a PUBLISH with a Remaining Length of {length} within {:.0} s",
                        patience.as_secs_f64()
                    )));
                }
            }
        }
        Ok(())
    }
}
