//! How the mutants accept malformed packets: the flaw is mended and the packet handled as if it had been sound.
//!
//! So a lenient broker answers and distributes as real lenient brokers do, and never sends ill-formed packets.

use crate::broker::Broker;
use crate::mutant::Mutant;
use mqtt_assay_codec::{Decoder, Frame, MAX_REMAINING_LENGTH, Malformed, Offence, PacketType, Split, frame};

use Offence as O;

/// Mending one flaw can uncover the next; this many are mended.
const MAX_FLAWS: usize = 16;

const CONNECT_PROPERTIES: &[Offence] = &[
    O::PropertyUnknown,
    O::PropertyNotAllowed,
    O::PropertyRepeated,
    O::PropertyValue,
    O::PropertyTruncated,
    O::PropertyLengthMissing,
    O::PropertyLengthOverrun,
    O::UserPropertyIllFormed,
    O::ResponseTopicWildcard,
    O::AuthenticationDataWithoutMethod,
];

/// The offences that a mutant lets pass, in CONNECT or in other packets.
fn tolerated(mutant: Mutant, packet: Option<PacketType>) -> &'static [Offence] {
    if packet == Some(PacketType::Connect) {
        return match mutant {
            Mutant::ConnectReservedFlagAccepted => &[O::ConnectReservedFlag],
            Mutant::ConnectWillQos3Accepted => &[O::WillQos3],
            Mutant::ConnectWillBitsWithoutWillAccepted => &[O::WillQosWithoutWill, O::WillRetainWithoutWill],
            Mutant::ConnectPasswordWithoutUserNameAccepted => &[O::PasswordWithoutUserName],
            Mutant::ConnectMissingFieldsAccepted => {
                &[O::ClientIdentifierMissing, O::WillMissing, O::UserNameMissing, O::PasswordMissing]
            }
            Mutant::ConnectTrailingBytesAccepted => &[O::ConnectTrailingBytes],
            Mutant::ConnectBadStringAccepted => {
                &[O::IllFormedUtf8, O::SurrogateInUtf8, O::NulInUtf8, O::UserPropertyIllFormed]
            }
            Mutant::ConnectBadPropertyAccepted => CONNECT_PROPERTIES,
            Mutant::ConnectTruncatedAccepted => &[O::Truncated],
            Mutant::ProtocolNameIgnored => &[O::ProtocolName],
            Mutant::ProtocolLevelIgnored => &[O::ProtocolLevel],
            Mutant::FixedHeaderFlagsAccepted => &[O::FixedHeaderFlags],
            Mutant::PaddedLengthAccepted => &[O::VariableByteIntegerNotMinimal],
            _ => &[],
        };
    }
    match mutant {
        Mutant::FixedHeaderFlagsAccepted => &[O::FixedHeaderFlags],
        Mutant::PubrelFlagsAccepted => &[O::PubrelFlags],
        Mutant::SubscribeFlagsAccepted => &[O::SubscribeFlags],
        Mutant::UnsubscribeFlagsAccepted => &[O::UnsubscribeFlags],
        Mutant::DisconnectFlagsAccepted => &[O::DisconnectFlags],
        Mutant::AuthFlagsAccepted => &[O::AuthFlags],
        Mutant::Qos3Accepted => &[O::PublishQos3],
        Mutant::DupAtQos0Accepted => &[O::PublishDupAtQos0],
        Mutant::IllFormedUtf8Accepted => &[O::IllFormedUtf8, O::SurrogateInUtf8, O::UserPropertyIllFormed],
        Mutant::NulInStringAccepted => &[O::NulInUtf8, O::UserPropertyIllFormed],
        Mutant::PacketIdZeroAccepted => &[O::PacketIdentifierZero],
        Mutant::EmptySubscribeAccepted => &[O::SubscribeEmpty],
        Mutant::EmptyUnsubscribeAccepted => &[O::UnsubscribeEmpty],
        Mutant::SubscribeReservedBitsAccepted => &[O::SubscriptionReservedBits],
        Mutant::SubscribeQos3Accepted => &[O::SubscriptionQos3],
        Mutant::RetainHandling3Accepted => &[O::RetainHandling3],
        Mutant::NoLocalOnSharedAccepted => &[O::NoLocalOnShared],
        Mutant::TrailingBytesAccepted => &[O::TrailingBytes],
        Mutant::TruncatedPacketAccepted => &[O::Truncated],
        Mutant::ReservedPacketTypeIgnored => &[O::ReservedPacketType],
        Mutant::ServerPacketIgnored => &[O::ServerPacketFromClient],
        Mutant::PaddedLengthAccepted => &[O::VariableByteIntegerNotMinimal],
        Mutant::BadPropertyAccepted => &[
            O::PropertyUnknown,
            O::PropertyNotAllowed,
            O::PropertyRepeated,
            O::PropertyValue,
            O::PropertyTruncated,
            O::PropertyLengthOverrun,
            O::SubscriptionIdentifierZero,
        ],
        Mutant::PropertyLengthMissingAccepted => &[O::PropertyLengthMissing],
        Mutant::ResponseTopicWildcardAccepted => &[O::ResponseTopicWildcard],
        Mutant::SubscriptionIdFromClientAccepted => &[O::SubscriptionIdentifierFromClient],
        Mutant::TopicAliasZeroAccepted => &[O::TopicAliasZero],
        Mutant::AckCodeUnlistedAccepted => &[O::PubackCode, O::PubrecCode, O::PubrelCode, O::PubcompCode],
        Mutant::BadFilterGranted => &[O::TopicFilterMultiLevel, O::TopicFilterSingleLevel],
        Mutant::EmptyFilterGranted => &[O::TopicFilterEmpty],
        Mutant::BadShareFilterGranted => &[O::ShareNameEmpty, O::ShareNameWildcard, O::SharedFilterMissing],
        Mutant::WildcardTopicDelivered => &[O::TopicNameWildcard],
        Mutant::EmptyTopicAccepted => &[O::TopicNameEmpty, O::PublishTopicMissing],
        _ => &[],
    }
}

impl Broker {
    /// The packet without its flaws, if this broker overlooks the first of them: empty if it cannot be mended,
    /// and is ignored.
    pub(crate) fn mend(&self, decoder: Decoder, frame: Frame<'_>, malformed: Malformed) -> Option<Vec<u8>> {
        let packet = PacketType::from_u8(frame.first() >> 4);
        if !tolerated(self.fault.0?, packet).contains(&malformed.offence) {
            return None;
        }
        let mut bytes = frame.bytes().to_vec();
        let mut flaw = malformed;
        for _ in 0..MAX_FLAWS {
            bytes = mended(&bytes, flaw).unwrap_or_default();
            match frame::split(&bytes, u32::MAX, decoder.version) {
                Ok(Split::Whole(frame)) => match decoder.decode(frame) {
                    Ok(_) => return Some(bytes),
                    Err(next) => flaw = next,
                },
                _ => break,
            }
        }
        Some(Vec::new())
    }
}

/// One flaw less.
fn mended(bytes: &[u8], flaw: Malformed) -> Option<Vec<u8>> {
    let header = 1 + bytes.iter().skip(1).position(|byte| *byte < 0x80)? + 1;
    let at = usize::try_from(flaw.offset).ok()?;
    let packet = PacketType::from_u8(bytes.first()? >> 4)?;
    let body_at = at.checked_sub(header);
    let mut first = bytes[0];
    let mut body = bytes[header..].to_vec();
    let byte = body_at.and_then(|at| body.get_mut(at));
    match flaw.offence {
        O::FixedHeaderFlags | O::DisconnectFlags | O::AuthFlags => first &= 0xF0,
        O::PubrelFlags | O::SubscribeFlags | O::UnsubscribeFlags => first = first & 0xF0 | 0b0010,
        O::PublishQos3 => first = first & !0b0110 | 0b0010,
        O::PublishDupAtQos0 => first &= !0b1000,
        O::ConnectReservedFlag => *byte? &= !1,
        O::WillQos3 => *byte? &= !0b0001_0000,
        O::WillQosWithoutWill => *byte? &= !0b0001_1000,
        O::WillRetainWithoutWill => *byte? &= !0b0010_0000,
        // A User Name Flag instead: the password is read as a name.
        O::PasswordWithoutUserName => *byte? ^= 0b1100_0000,
        O::ProtocolName => {
            let length = 2 + usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
            body.splice(..length.min(body.len()), *b"\x00\x04MQTT");
        }
        O::ProtocolLevel => *byte? = 4,
        O::SubscriptionReservedBits => *byte? &= 0b11,
        O::SubscriptionQos3 => *byte? &= !0b01,
        O::RetainHandling3 => *byte? &= !0b0001_0000,
        O::NoLocalOnShared => *byte? &= !0b0100,
        O::IllFormedUtf8
        | O::SurrogateInUtf8
        | O::NulInUtf8
        | O::UserPropertyIllFormed
        | O::TopicNameWildcard
        | O::ResponseTopicWildcard
        | O::WillTopicWildcard
        | O::TopicFilterMultiLevel
        | O::TopicFilterSingleLevel
        | O::ShareNameWildcard => *byte? = b'x',
        O::PacketIdentifierZero => *body.get_mut(body_at? + 1)? = 1,
        O::PubackCode | O::PubrecCode | O::PubrelCode | O::PubcompCode => *byte? = 0,
        O::SubscribeEmpty => body.extend_from_slice(b"\x00\x01x\x00"),
        O::UnsubscribeEmpty => body.extend_from_slice(b"\x00\x01x"),
        // A string of length 0 becomes one of length 1.
        O::TopicNameEmpty | O::PublishTopicMissing | O::TopicFilterEmpty => {
            body.splice(body_at?..body_at? + 2, *b"\x00\x01x");
        }
        O::ShareNameEmpty | O::SharedFilterMissing => lengthen_filter(&mut body, body_at?)?,
        O::ConnectTrailingBytes | O::TrailingBytes => body.truncate(body_at?),
        // Will Properties stand before the Will Topic in 5.0.
        O::WillMissing if ends_with_client_id(&body) => body.extend_from_slice(b"\x00\x00\x01x"),
        O::ClientIdentifierMissing | O::WillMissing | O::UserNameMissing | O::PasswordMissing => {
            body.extend_from_slice(b"\x00\x01x");
        }
        O::PropertyLengthMissing => body.push(0),
        O::Truncated => body.resize(body.len() + 1, 0),
        O::VariableByteIntegerNotMinimal => return shortened(first, body, body_at?),
        _ => drop_properties(&mut body, packet, first)?,
    }
    Some(framed(first, &body))
}

/// Whether a 5.0 CONNECT has nothing behind its Client Identifier; its property list is taken to be short.
fn ends_with_client_id(body: &[u8]) -> bool {
    let at = 11 + body.get(10).map_or(0, |length| usize::from(*length));
    match body.get(at..) {
        Some([high, low, rest @ ..]) => {
            body[6] == 5 && rest.len() == usize::from(u16::from_be_bytes([*high, *low]))
        }
        _ => false,
    }
}

/// Puts a character into a shared filter where one is missing.
fn lengthen_filter(body: &mut Vec<u8>, at: usize) -> Option<()> {
    let start = (0..at.checked_sub(6)?).rev().find(|&i| body.get(i + 2..i + 9) == Some(b"$share/"))?;
    let length = u16::from_be_bytes([body[start], body[start + 1]]);
    let missing = if at == start + 2 + usize::from(length) && body.get(at.checked_sub(1)?) != Some(&b'/') {
        &b"/x"[..]
    } else {
        b"x"
    };
    // `$share/g/` lacks its filter behind the last slash.
    let place = if body.get(at) == Some(&b'/') && at > start + 9 { at + 1 } else { at };
    body.splice(place..place, missing.iter().copied());
    let length = length.checked_add(u16::try_from(missing.len()).ok()?)?;
    body[start..start + 2].copy_from_slice(&length.to_be_bytes());
    Some(())
}

/// Takes the redundant last byte of a Variable Byte Integer away.
fn shortened(first: u8, mut body: Vec<u8>, at: usize) -> Option<Vec<u8>> {
    let end = at + body.get(at..)?.iter().position(|byte| *byte < 0x80)?;
    if end == at || body[end] != 0 {
        return None;
    }
    body.remove(end);
    *body.get_mut(end - 1)? &= 0x7F;
    Some(framed(first, &body))
}

/// Replaces the property list by an empty one.
fn drop_properties(body: &mut Vec<u8>, packet: PacketType, first: u8) -> Option<()> {
    let at = match packet {
        PacketType::Connect => 10,
        PacketType::Publish => {
            let topic = 2 + usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
            topic + if first & 0b0110 == 0 { 0 } else { 2 }
        }
        PacketType::Subscribe | PacketType::Unsubscribe => 2,
        PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp => 3,
        PacketType::Disconnect | PacketType::Auth => 1,
        _ => return None,
    };
    let rest = body.get(at..)?;
    let digits = 1 + rest.iter().take(4).position(|byte| *byte < 0x80)?;
    let length = rest[..digits].iter().rev().fold(0, |sum, digit| sum << 7 | usize::from(digit & 0x7F));
    if digits == 1 && length == 0 {
        return None;
    }
    let end = (at + digits + length).min(body.len());
    body.splice(at..end, [0]);
    Some(())
}

fn framed(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len().min(MAX_REMAINING_LENGTH as usize);
    while length >= 0x80 {
        bytes.push((length & 0x7F) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(body);
    bytes
}
