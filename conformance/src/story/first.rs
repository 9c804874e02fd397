//! What is sent in the place of a CONNECT.

use super::{Client, Story};

/// So many bytes tell brokers that take several protocols on one port which one it is: HiveMQ wants eleven, Artemis eight.
const TOLD_APART_BY: usize = 12;

impl Client<'_> {
    /// Writes a first packet that the broker has to refuse.
    ///
    /// A broker that waits for more bytes than a short one has, before it looks at any, is not put to the test: PINGREQs
    /// stand behind it, which must not matter.
    pub async fn send_first(&mut self, bytes: &[u8]) -> Story {
        self.send_bytes(&lengthened(bytes)).await
    }
}

/// The bytes, and behind a packet that is short and whole as many PINGREQs as it takes.
pub(super) fn lengthened(bytes: &[u8]) -> Vec<u8> {
    let mut lengthened = bytes.to_vec();
    while lengthened.len() < TOLD_APART_BY && is_whole(bytes) {
        lengthened.extend_from_slice(&[0xC0, 0]);
    }
    lengthened
}

/// Whether more bytes would stand behind the packet, and not in it; so do those behind a Remaining Length that is
/// malformed, being of more than four bytes.
fn is_whole(bytes: &[u8]) -> bool {
    let Some((_, rest)) = bytes.split_first() else { return false };
    let mut length = 0;
    for (place, byte) in rest.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return rest.len() > place + length;
        }
    }
    rest.len() >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_and_whole_gets_pingreqs_behind_it() {
        for whole in [&[0xC0, 0][..], &[0x82, 1, 7], &[0x82, 0x80, 0x80, 0x80, 0x80, 1]] {
            let lengthened = lengthened(whole);
            assert!(lengthened.len() >= TOLD_APART_BY, "{whole:x?}");
            assert_eq!(&lengthened[..whole.len()], whole);
            assert!(lengthened[whole.len()..].chunks(2).all(|packet| packet == [0xC0, 0]));
        }
    }

    #[test]
    fn what_more_bytes_would_complete_stays_as_it_is() {
        let long = [&[0x30, 20][..], &[0; 20]].concat();
        for bytes in [&[][..], &[0x10], &[0x10, 0x80], &[0x10, 0x80, 0x80, 0x80], &[0x10, 12, 0, 4], &long] {
            assert_eq!(lengthened(bytes), bytes, "{bytes:x?}");
        }
    }
}
