//! CONNECT, as 3.1 has it. [3.1 §3.1]

use crate::check;
use crate::check::Check;
use crate::checks::common::s3_1_flags::{CLEAN, PASSWORD, USER_NAME};
use crate::story::{Attempt, Stop, World};
use mqtt_assay_codec::raw::Builder;
use mqtt_assay_codec::reason::return_code;
use mqtt_assay_codec::{Packet, ReasonCode};
use tokio::time::Instant;

/// In the order of the document.
pub const CHECKS: &[Check] = &[
    NAME_AND_VERSION_BELONG_TOGETHER,
    IDENTIFIER_OF_1_TO_23_IS_ACCEPTED,
    LONG_IDENTIFIER_IS_REJECTED,
    MISSING_USER_NAME_IS_VALID,
    PASSWORD_WITHOUT_USER_NAME,
];

/// The beginning of a CONNECT: up to the Client Identifier, which is last.
fn connect(w: &World, client: &str, name: &str, version: u8, flags: u8) -> Builder {
    Builder::new(0x10)
        .string(name.as_bytes())
        .bytes(&[version, flags, 0, 60])
        .string(w.client_id(client).as_bytes())
}

check! {
    /// A CONNECT whose protocol name and version do not belong together is invalid.
    ///
    /// Sends     CONNECT with `MQIsdp` and version 4, with `MQIsdp` and version 0, with `MQTT` and version 3.
    /// Demands   the end of the connection, perhaps after a CONNACK that says why: 0x01, or 0x84 of 5.0.
    /// Leaves    3.1 recommends it: what is served all the same deviates.
    NAME_AND_VERSION_BELONG_TOGETHER "v3_1/name_and_version_belong_together",
    covers: [V3_1 / "M31-CON-2"],
    needs: [],
    proved: ["protocol_level_ignored", "protocol_level_refused_with_wrong_code"],
    run: async |w| {
        const EXPECTED: &str = "the end of the connection, perhaps after CONNACK 0x01 (or 0x84 of 5.0)";
        for (client, name, version) in [("a", "MQIsdp", 4), ("b", "MQIsdp", 0), ("c", "MQTT", 3)] {
            let mut client = w.open(client).await?;
            client.send_bytes(&connect(w, client.name(), name, version, CLEAN).finish()).await?;
            let (bytes, ended) = client.read_raw(Instant::now() + w.patience()).await?;
            let said = match bytes.as_slice() {
                [] => "nothing is said",
                [0x20, 2, _, 1] => "CONNACK 0x01",
                [0x20, _, 0, 0x84, ..] => "CONNACK 0x84",
                [0x20, _, _, 0, ..] => "CONNACK 0x00",
                _ => "another answer",
            };
            let fits = matches!(said, "nothing is said" | "CONNACK 0x01" | "CONNACK 0x84");
            if !ended || !fits {
                let end = if ended { "ends" } else { "stays open" };
                w.deviates(None, EXPECTED, format!("{name} with version {version}: {said}, and the connection {end}"));
            } else {
                w.note(format!("answers {name} with version {version}: {said} before it closes"));
            }
        }
        Ok(())
    }
}

check! {
    /// Client Identifiers of 1 to 23 letters and digits are accepted.
    ///
    /// Sends     CONNECT with identifiers of 1, 22 and 23 characters.
    /// Demands   CONNACK 0x00.
    /// Leaves    other characters; the first byte of CONNACK, which 3.1 reserves.
    IDENTIFIER_OF_1_TO_23_IS_ACCEPTED "v3_1/identifier_of_1_to_23_is_accepted",
    covers: [V3_1 / "M31-CON-1", V3_1 / "M31-CON-3"],
    needs: [],
    proved: ["client_id_of_23_bytes_refused"],
    run: async |w| {
        let long = w.client_id("ABCdefGHIjklMNO123456789");
        for id in [&long[..1], &long[..long.len() - 1], &long] {
            match w.client("a").client_id(id).attempt().await? {
                Attempt::Accepted(mut client) => client.disconnect().await,
                other => {
                    let expected = format!("CONNACK 0x00 for the Client Identifier {id} ({} characters)", id.len());
                    return Err(Stop::violates(expected, other.line()).citing(w.cite("M31-CON-3")));
                }
            }
        }
        Ok(())
    }
}

/// A Client Identifier that is not of 1 to 23 characters gets CONNACK 0x02; anything else deviates.
pub(super) async fn is_rejected(w: &World, id: &str) -> Result<(), Stop> {
    // A broker that refuses everybody has not looked at the identifier.
    w.connect("beside").await?.disconnect().await;
    let attempt = w.client("a").client_id(id).attempt().await?;
    if let Attempt::Refused(_, connack) = &attempt
        && matches!(connack.packet(), Packet::Connack(c) if c.code == return_code::IDENTIFIER_REJECTED)
    {
        return Ok(());
    }
    let expected = format!("CONNACK 0x02 for the Client Identifier \"{id}\" ({} characters)", id.len());
    w.deviates(None, expected, attempt.line());
    Ok(())
}

check! {
    /// A Client Identifier of more than 23 characters is answered with CONNACK 0x02.
    ///
    /// Sends     CONNECT with an identifier of 24 letters and digits.
    /// Demands   CONNACK 0x02.
    /// Leaves    whether the connection is ended. 3.1 tells what a Server does without saying that it must, and later
    ///           versions allow longer identifiers: to accept one deviates.
    LONG_IDENTIFIER_IS_REJECTED "v3_1/long_identifier_is_rejected",
    covers: [V3_1 / "M31-CON-4"],
    needs: [],
    proved: ["long_client_id_accepted_in_3_1", "client_id_refused_with_wrong_code", "empty_client_id_refused_silently"],
    run: async |w| {
        let tag = w.client_id("");
        is_rejected(w, &format!("{tag:x<24}")).await
    }
}

check! {
    /// A CONNECT may end before the user name and the password that its flags promise.
    ///
    /// Sends     CONNECT with User Name Flag 1, then with User Name Flag and Password Flag 1; the Client Identifier is
    ///           the last field of both.
    /// Demands   a CONNACK.
    /// Leaves    which one: that the Client is let in is a recommendation, so that CONNACK 0x04 or 0x05 deviates.
    MISSING_USER_NAME_IS_VALID "v3_1/missing_user_name_is_valid",
    covers: [V3_1 / "M31-CON-5"],
    needs: [],
    proved: ["missing_user_name_refused"],
    run: async |w| {
        if w.credentials.user_name.is_some() {
            return Err(Stop::not_tested("a broker that lets Clients in without a user name"));
        }
        w.connect("beside").await?.disconnect().await;
        for (name, flags) in [("a", CLEAN | USER_NAME), ("b", CLEAN | USER_NAME | PASSWORD)] {
            let mut client = w.open(name).await?;
            client.send_bytes(&connect(w, name, "MQIsdp", 3, flags).finish()).await?;
            match client.answer_to_connect().await? {
                Attempt::Accepted(mut client) => client.disconnect().await,
                refusal @ Attempt::Refused(..) => w.deviates(None, "CONNACK 0x00", refusal.line()),
                ended @ Attempt::Ended(..) => return Err(Stop::violates("CONNACK 0x00", ended.line())),
            }
        }
        Ok(())
    }
}

check! {
    /// A password without a user name is not valid.
    ///
    /// Sends     User Name Flag 0, Password Flag 1, and a password behind the Client Identifier.
    /// Demands   the end of the connection, perhaps after a CONNACK that refuses.
    /// Leaves    3.1 recommends to close after an invalid CONNECT: to accept it deviates.
    PASSWORD_WITHOUT_USER_NAME "v3_1/password_without_user_name",
    covers: [V3_1 / "M31-CON-6"],
    needs: [],
    proved: ["connect_password_without_user_name_accepted"],
    run: async |w| {
        w.connect("beside").await?.disconnect().await;
        let mut client = w.open("a").await?;
        let bytes = connect(w, "a", "MQIsdp", 3, CLEAN | PASSWORD).string(b"secret").finish();
        client.send_bytes(&bytes).await?;
        let (bytes, ended) = client.read_raw(Instant::now() + w.patience()).await?;
        let accepted = matches!(bytes.as_slice(), [0x20, 2, _, code, ..] if *code == ReasonCode::SUCCESS.0);
        if accepted || !ended {
            let said = if accepted { "CONNACK 0x00" } else { "the connection stays open" };
            w.deviates(None, "the end of the connection, perhaps after a CONNACK that refuses", said);
        }
        Ok(())
    }
}
