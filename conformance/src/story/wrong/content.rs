//! What stands behind the fixed header of a packet, and how to put something else there, whatever is wrong with the packet.

use mqtt_assay_codec::raw;

/// The content of a packet behind its fixed header, if the Remaining Length is that of the content.
pub(super) fn content(packet: &[u8]) -> Option<&[u8]> {
    let length = packet.get(1..)?.iter().take(4).position(|byte| byte & 0x80 == 0)? + 1;
    let (header, content) = packet.split_at(1 + length);
    let said = header[1..].iter().rev().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7F));
    (said == content.len()).then_some(content)
}

/// The packet with another content; its Remaining Length takes more bytes than it needs if it did so before.
pub(super) fn with_content(packet: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    let before = self::content(packet)?;
    let needed = |content: &[u8]| Some(raw::variable(u32::try_from(content.len()).ok()?));
    let surplus = packet.len() - 1 - before.len() - needed(before)?.len();
    let mut length = needed(content)?;
    if surplus > 0 {
        *length.last_mut()? |= 0x80;
        length.resize(length.len() + surplus - 1, 0x80);
        length.push(0);
    }
    (length.len() <= 4).then(|| raw::packet_with_length(packet[0], &length, content))
}

/// The packet with the first occurrence of a field replaced, if its Remaining Length was right.
pub(super) fn replace_field(packet: &[u8], field: &[u8], by: &[u8]) -> Option<Vec<u8>> {
    let body = content(packet)?;
    let at = body.windows(field.len()).position(|window| window == field)?;
    with_content(packet, &[&body[..at], by, &body[at + field.len()..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_codec::{Decoder, Offence, Receiver, Version};

    #[test]
    fn a_packet_with_its_own_content_is_the_same() {
        for version in [Version::V3_1_1, Version::V5] {
            let mut some = 0;
            for case in raw::cases(version, Receiver::Server) {
                let Some(content) = content(&case.bytes) else { continue };
                assert_eq!(with_content(&case.bytes, content).as_ref(), Some(&case.bytes), "{}", case.name);
                some += 1;
            }
            assert!(some > 100, "{version}: {some}");
        }
    }

    #[test]
    fn a_length_in_more_bytes_than_needed_stays_so() {
        let connects = raw::cases(Version::V5, Receiver::Server).into_iter().filter(|case| {
            case.offence == Offence::RemainingLengthNotMinimal && case.name.contains("/connect-")
        });
        let mut some = 0;
        for case in connects {
            let renamed =
                replace_field(&case.bytes, b"\x00\x06client", b"\x00\x08somebody").expect(&case.name);
            let malformed = Decoder::new(Version::V5, Receiver::Server).next(&renamed).expect_err(&case.name);
            assert_eq!(malformed.offence, Offence::RemainingLengthNotMinimal, "{}", case.name);
            assert_eq!(renamed.len(), case.bytes.len() + 2, "{}", case.name);
            some += 1;
        }
        assert!(some > 0);
    }

    #[test]
    fn what_has_another_length_has_no_content() {
        assert_eq!(content(b""), None);
        assert_eq!(content(b"\x10"), None);
        assert_eq!(content(b"\x10\x02a"), None);
        assert_eq!(content(b"\x10\x80\x80\x80\x80\x00"), None);
        assert_eq!(content(b"\xC0\x00"), Some(&b""[..]));
        assert_eq!(with_content(b"\xC0\x80\x80\x80\x00", &[0; 128]), None);
    }
}
