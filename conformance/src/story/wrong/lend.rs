//! User name and password for CONNECTs that are wrong: a broker that lets nobody in without them would refuse a packet for
//! their lack, and show nothing of what is wrong with it.

use super::content::{content, with_content};
use crate::story::Credentials;
use mqtt_assay_codec::{Decoder, PacketType, Receiver, Version, raw};

/// User Name Flag and Password Flag. [3.1.1 §3.1.2.3] [5.0 §3.1.2.3]
const USER_NAME: u8 = 0x80;
const PASSWORD: u8 = 0x40;

/// The CONNECT with these behind its last field; `None` if it has some of its own, or would break another rule then, or at
/// another place: one that ends too early, for instance, would end later.
pub(super) fn lent(connect: &[u8], version: Version, credentials: &Credentials) -> Option<Vec<u8>> {
    let user_name = credentials.user_name.as_ref()?;
    let mut body = content(connect)?.to_vec();
    if connect.first()? >> 4 != PacketType::Connect as u8 {
        return None;
    }
    let header = connect.len() - body.len();
    // Behind the protocol's name and its level.
    let flags = 2 + usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?])) + 1;
    let flags = body.get_mut(flags).filter(|flags| **flags & (USER_NAME | PASSWORD) == 0)?;
    *flags |= USER_NAME;
    if credentials.password.is_some() {
        *flags |= PASSWORD;
    }
    body.extend(raw::string(user_name.as_bytes()));
    if let Some(password) = &credentials.password {
        body.extend(raw::string(password.as_bytes()));
    }
    let longer = with_content(connect, &body)?;
    let wrong = |bytes: &[u8]| {
        let malformed = Decoder::new(version, Receiver::Server).next(bytes).err()?;
        Some((malformed.offence, malformed.offset))
    };
    // A longer Remaining Length moves what is behind it.
    let (offence, offset) = wrong(connect)?;
    let moved = if offset < 2 { 0 } else { u32::try_from(longer.len() - body.len() - header).ok()? };
    (wrong(&longer) == Some((offence, offset + moved))).then_some(longer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_codec::Packet;
    use mqtt_assay_codec::raw::Stage;

    fn lender() -> Credentials {
        Credentials { user_name: Some("me".to_owned()), password: Some("secret".to_owned()) }
    }

    #[test]
    fn most_wrong_connects_take_them_and_are_wrong_in_the_same_way() {
        for version in [Version::V3_1_1, Version::V5] {
            let cases = raw::cases(version, Receiver::Server);
            let cases: Vec<_> = cases.into_iter().filter(|case| case.stage == Stage::Opening).collect();
            let mut lent_to = 0;
            for case in &cases {
                let Some(longer) = lent(&case.bytes, version, &lender()) else { continue };
                let malformed = Decoder::new(version, Receiver::Server).next(&longer).expect_err(&case.name);
                assert_eq!(malformed.offence, case.offence, "{}", case.name);
                assert!(longer.ends_with(b"\x00\x02me\x00\x06secret"), "{}", case.name);
                lent_to += 1;
            }
            assert!(lent_to * 2 > cases.len(), "{version}: {lent_to} of {}", cases.len());
            let wills: Vec<_> =
                cases.iter().filter(|case| case.name.contains("connect-will-topic-hash")).collect();
            assert!(
                !wills.is_empty() && wills.iter().all(|case| lent(&case.bytes, version, &lender()).is_some())
            );
        }
    }

    #[test]
    fn nothing_is_lent_to_what_has_its_own_or_is_in_order() {
        let own = raw::packet(0x10, b"\x00\x04MQTT\x04\x83\x00\x00\x00\x01c\x00\x01u");
        assert!(Decoder::new(Version::V3_1_1, Receiver::Server).next(&own).is_err());
        assert_eq!(lent(&own, Version::V3_1_1, &lender()), None);
        let good = raw::packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00\x00\x01c");
        let decoder = Decoder::new(Version::V3_1_1, Receiver::Server);
        assert!(matches!(decoder.next(&good), Ok(Some((Packet::Connect(_), _)))));
        assert_eq!(lent(&good, Version::V3_1_1, &lender()), None);
        assert_eq!(lent(b"\x10", Version::V5, &lender()), None);
        let nobodys = Credentials { user_name: None, password: None };
        let reserved = raw::packet(0x10, b"\x00\x04MQTT\x04\x03\x00\x00\x00\x01c");
        assert_eq!(lent(&reserved, Version::V3_1_1, &nobodys), None);
        assert!(lent(&reserved, Version::V3_1_1, &lender()).is_some());
    }
}
