//! Client Identifiers for CONNECTs whose own is what is wrong with them: two with the same one at a time would take each
//! other's Session over, and what came of that would be told of the packet.

use super::content::{content, with_content};
use mqtt_assay_codec::{Decoder, PacketType, Receiver, Version, raw};

/// The CONNECT with another Client Identifier that breaks the same rule; `None` if another field breaks it.
///
/// `name` stands behind what is wrong at the beginning and before what is wrong elsewhere. What consists of U+0000 alone
/// stays so, and stands there once for each protocol level: no two versions send the same.
pub(super) fn renamed(connect: &[u8], version: Version, name: &str) -> Option<Vec<u8>> {
    if connect.first()? >> 4 != PacketType::Connect as u8 {
        return None;
    }
    let body = content(connect)?;
    let start = client_identifier(body, version)?;
    let end = start + 2 + usize::from(u16::from_be_bytes([*body.get(start)?, *body.get(start + 1)?]));
    let text = body.get(start + 2..end)?;
    let wrong = Decoder::new(version, Receiver::Server).next(connect).err()?;
    let header = connect.len() - body.len();
    if !(header + start..header + end).contains(&usize::try_from(wrong.offset).ok()?) {
        return None;
    }
    let another = match text {
        [] => return None,
        [0] => vec![0; usize::from(version.level())],
        [0, ..] => [text, name.as_bytes()].concat(),
        _ => [name.as_bytes(), text].concat(),
    };
    let connect = with_content(connect, &[&body[..start], &raw::string(&another), &body[end..]].concat())?;
    let same = Decoder::new(version, Receiver::Server).next(&connect).err()?.offence == wrong.offence;
    same.then_some(connect)
}

/// Where the Client Identifier begins in the content of a CONNECT: behind the protocol's name and level, the flags, Keep Alive
/// and, in 5.0, the properties. [3.1.1 §3.1.3] [5.0 §3.1.3]
fn client_identifier(body: &[u8], version: Version) -> Option<usize> {
    let name = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    let behind = 2 + name + 4;
    if version != Version::V5 {
        return Some(behind);
    }
    let length = body.get(behind..)?;
    let bytes = length.iter().take(4).position(|byte| byte & 0x80 == 0)? + 1;
    let properties = length[..bytes].iter().rev().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7F));
    Some(behind + bytes + properties)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_codec::raw::Stage;
    use std::collections::BTreeMap;

    #[test]
    fn no_two_wrong_connects_of_two_checks_have_the_same_client_identifier() {
        let mut seen = BTreeMap::new();
        let mut some = 0;
        for (version, check) in [(Version::V3_1_1, "one"), (Version::V5, "other")] {
            for case in raw::cases(version, Receiver::Server) {
                if case.stage != Stage::Opening || !case.name.contains("/connect-client-id-") {
                    continue;
                }
                let Some(connect) = renamed(&case.bytes, version, check) else {
                    assert!(case.name.starts_with("truncated/"), "{}", case.name);
                    continue;
                };
                let wrong =
                    |bytes: &[u8]| Decoder::new(version, Receiver::Server).next(bytes).expect_err(&case.name);
                assert_eq!(wrong(&connect).offence, wrong(&case.bytes).offence, "{}", case.name);
                let body = content(&connect).expect("the length is right");
                let id = body[client_identifier(body, version).expect("there is one")..].to_vec();
                assert_eq!(seen.insert(id, case.name.clone()), None, "{}", case.name);
                some += 1;
            }
        }
        assert!(some > 30, "{some}");
    }

    #[test]
    fn a_client_identifier_that_is_not_to_blame_stays() {
        for case in raw::cases(Version::V5, Receiver::Server) {
            if case.stage == Stage::Opening && case.name.contains("/connect-user-name-") {
                assert_eq!(renamed(&case.bytes, Version::V5, "name"), None, "{}", case.name);
            }
        }
    }
}
