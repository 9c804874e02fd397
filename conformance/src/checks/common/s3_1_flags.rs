//! The Connect Flags and the fields that they promise. [3.1.1 §3.1.2.3 to §3.1.3] [5.0 §3.1.2.3 to §3.1.3]
//!
//! 3.1.1 wants every CONNECT that breaks a rule of §3.1 to be refused without CONNACK; 5.0 allows a CONNACK with
//! a code that says why. [3.1.1/MQTT-3.1.4-1] [5.0/MQTT-3.1.4-1]

use crate::check;
use crate::check::Check;
use crate::story::{Stop, Story, World};
use mqtt_assay_codec::raw::{self, Builder};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    FIXED_HEADER_FLAGS,
    TRUNCATED,
    RESERVED_FLAG,
    WILL_MISSING,
    WILL_WITHOUT_FLAG,
    WILL_BITS_WITHOUT_WILL,
    WILL_QOS_3,
    USER_NAME_WITHOUT_FLAG,
    USER_NAME_MISSING,
    PASSWORD_WITHOUT_FLAG,
    PASSWORD_MISSING,
    CLIENT_ID_MISSING,
    CLIENT_ID_ILL_FORMED,
    WILL_TOPIC_ILL_FORMED,
    USER_NAME_ILL_FORMED,
];

/// Clean Session, or Clean Start.
pub(crate) const CLEAN: u8 = 0b0000_0010;
const WILL: u8 = 0b0000_0100;
const WILL_RETAIN: u8 = 0b0010_0000;
pub(crate) const PASSWORD: u8 = 0b0100_0000;
pub(crate) const USER_NAME: u8 = 0b1000_0000;

/// Strings that are no UTF-8, or hold U+0000.
const ILL_FORMED: [(&str, &[u8]); 4] =
    [("latin1", b"a\xE9b"), ("overlong", b"a\xC0\xAF"), ("surrogate", b"a\xED\xA0\x80"), ("nul", b"a\x00b")];

/// A CONNECT with these flags, up to its payload.
fn header(w: &World, flags: u8) -> Builder {
    Builder::new(0x10)
        .string(w.version().protocol_name().as_bytes())
        .u8(w.version().level())
        .bytes(&[flags, 0, 60])
        .no_properties(w.version())
}

/// A CONNECT with these flags, up to its Client Identifier.
fn start(w: &World, flags: u8) -> Builder {
    header(w, flags).string(w.client_id("a").as_bytes())
}

/// The broker must refuse the connection that begins with these bytes.
async fn refused(w: &World, client: &str, connect: &Builder) -> Story {
    let mut client = w.open(client).await?;
    client.send_first(&connect.finish()).await?;
    client.refuses_to_connect().await
}

check! {
    /// A CONNECT with a reserved flag set in its fixed header is refused.
    ///
    /// Sends     CONNECT with the first bytes 11, 12, 14, 18.
    /// Demands   the end of the connection.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    FIXED_HEADER_FLAGS "connect/fixed_header_flags",
    covers: [
        V3_1_1 / "MQTT-2.2.2-2", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-2.1.3-1", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["fixed_header_flags_accepted", "malformed_connect_kept_open"],
    run: async |w| {
        for (name, first) in [("retain", 0x11), ("qos1", 0x12), ("qos2", 0x14), ("dup", 0x18)] {
            let body = start(w, CLEAN).finish();
            let Some(body) = body.get(2..) else { return Err(Stop::inconclusive("no CONNECT to spoil")) };
            let mut client = w.open(name).await?;
            client.send_first(&raw::packet(first, body)).await?;
            client.refuses_to_connect().await?;
        }
        Ok(())
    }
}

check! {
    /// A CONNECT that ends inside a field is refused.
    ///
    /// Sends     CONNECT with a Remaining Length that ends it in its protocol name, after its flags, in the
    ///           Keep Alive, in the Client Identifier.
    /// Demands   the end of the connection.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    TRUNCATED "connect/truncated",
    covers: [V3_1_1 / "MQTT-3.1.4-1", V5 / "MQTT-3.1.4-1"],
    needs: [],
    proved: ["connect_truncated_accepted", "malformed_connect_kept_open"],
    run: async |w| {
        let whole = start(w, CLEAN).finish();
        let client_id = if w.is_v5() { 15 } else { 14 };
        for (name, length) in [("name", 4), ("flags", 8), ("keepalive", 9), ("clientid", client_id)] {
            let Some(body) = whole.get(2..2 + length) else {
                return Err(Stop::inconclusive("no CONNECT to cut"));
            };
            let mut client = w.open(name).await?;
            client.send_first(&raw::packet(0x10, body)).await?;
            client.refuses_to_connect().await?;
        }
        Ok(())
    }
}

check! {
    /// A CONNECT with the reserved Connect Flag set is refused.
    ///
    /// Sends     a CONNECT that is right but for bit 0 of its Connect Flags.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    RESERVED_FLAG "connect/reserved_flag",
    covers: [
        V3_1_1 / "MQTT-3.1.2-3", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-3.1.2-3", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_reserved_flag_accepted", "malformed_connect_kept_open"],
    run: async |w| {
        refused(w, "a", &start(w, CLEAN | 1)).await
    }
}

check! {
    /// A CONNECT that promises a Will which its payload lacks is refused.
    ///
    /// Sends     Will Flag 1, and a payload that ends after the Client Identifier, or after the Will Topic.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    WILL_MISSING "connect/will_missing",
    covers: [
        V3_1_1 / "MQTT-3.1.2-9", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-3.1.2-9", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_missing_fields_accepted"],
    run: async |w| {
        refused(w, "no-will", &start(w, CLEAN | WILL)).await?;
        let topic = w.topic("will");
        let half = start(w, CLEAN | WILL).no_properties(w.version()).string(topic.as_bytes());
        refused(w, "no-payload", &half).await
    }
}

check! {
    /// A CONNECT with Will fields that its flags do not promise is refused.
    ///
    /// Sends     Will Flag 0, and a Will Topic and Will Message behind the Client Identifier.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    WILL_WITHOUT_FLAG "connect/will_without_flag",
    covers: [V3_1_1 / "MQTT-3.1.2-11", V3_1_1 / "MQTT-3.1.4-1", V5 / "MQTT-3.1.4-1"],
    needs: [],
    proved: ["connect_trailing_bytes_accepted"],
    run: async |w| {
        let topic = w.topic("will");
        let connect = start(w, CLEAN).no_properties(w.version()).string(topic.as_bytes()).string(b"gone");
        refused(w, "a", &connect).await
    }
}

check! {
    /// Will QoS and Will Retain must be 0 without Will Flag.
    ///
    /// Sends     Will Flag 0 with Will QoS 1, 2 and 3, then with Will Retain.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    WILL_BITS_WITHOUT_WILL "connect/will_bits_without_will",
    covers: [
        V3_1_1 / "MQTT-3.1.2-11", V3_1_1 / "MQTT-3.1.2-13", V3_1_1 / "MQTT-3.1.2-15", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-3.1.2-11", V5 / "MQTT-3.1.2-13", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_will_bits_without_will_accepted"],
    run: async |w| {
        for (name, bits) in [("qos1", 0b0_1000), ("qos2", 0b1_0000), ("qos3", 0b1_1000)] {
            refused(w, name, &start(w, CLEAN | bits)).await?;
        }
        refused(w, "retain", &start(w, CLEAN | WILL_RETAIN)).await
    }
}

check! {
    /// A Will QoS of 3 does not exist.
    ///
    /// Sends     a CONNECT with a whole Will whose QoS bits are both set, with and without Will Retain.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    WILL_QOS_3 "connect/will_qos_3",
    covers: [
        V3_1_1 / "MQTT-3.1.2-14", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-3.1.2-12", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_will_qos_3_accepted"],
    run: async |w| {
        let topic = w.topic("will");
        for (name, retain) in [("plain", 0), ("retained", WILL_RETAIN)] {
            let connect = start(w, CLEAN | WILL | 0b1_1000 | retain)
                .no_properties(w.version())
                .string(topic.as_bytes())
                .string(b"gone");
            refused(w, name, &connect).await?;
        }
        Ok(())
    }
}

check! {
    /// A CONNECT with a User Name that its flags do not promise is refused.
    ///
    /// Sends     User Name Flag 0, and one more string behind the Client Identifier.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    USER_NAME_WITHOUT_FLAG "connect/user_name_without_flag",
    covers: [
        V3_1_1 / "MQTT-3.1.2-18", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-3.1.2-16", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_trailing_bytes_accepted", "malformed_connect_answered"],
    run: async |w| {
        refused(w, "a", &start(w, CLEAN).string(b"user")).await
    }
}

check! {
    /// A CONNECT that promises a User Name which its payload lacks is refused.
    ///
    /// Sends     User Name Flag 1, and a payload that ends after the Client Identifier.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    USER_NAME_MISSING "connect/user_name_missing",
    covers: [
        V3_1_1 / "MQTT-3.1.2-19", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-3.1.2-17", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_missing_fields_accepted", "malformed_connect_answered"],
    run: async |w| {
        refused(w, "a", &start(w, CLEAN | USER_NAME)).await
    }
}

check! {
    /// A CONNECT with a Password that its flags do not promise is refused.
    ///
    /// Sends     Password Flag 0, and one more field behind the User Name.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    PASSWORD_WITHOUT_FLAG "connect/password_without_flag",
    covers: [
        V3_1_1 / "MQTT-3.1.2-20", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-3.1.2-18", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_trailing_bytes_accepted", "malformed_connect_answered"],
    run: async |w| {
        refused(w, "a", &start(w, CLEAN | USER_NAME).string(b"user").string(b"secret")).await
    }
}

check! {
    /// A CONNECT that promises a Password which its payload lacks is refused.
    ///
    /// Sends     User Name Flag and Password Flag 1, and a payload that ends after the User Name.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    PASSWORD_MISSING "connect/password_missing",
    covers: [
        V3_1_1 / "MQTT-3.1.2-21", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-3.1.2-19", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_missing_fields_accepted", "malformed_connect_answered"],
    run: async |w| {
        refused(w, "a", &start(w, CLEAN | USER_NAME | PASSWORD).string(b"user")).await
    }
}

check! {
    /// A CONNECT without a Client Identifier field is refused.
    ///
    /// Sends     a CONNECT without payload. (An empty Client Identifier would be two bytes.)
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    CLIENT_ID_MISSING "connect/client_id_missing",
    covers: [
        V3_1_1 / "MQTT-3.1.3-3", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-3.1.3-3", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_missing_fields_accepted"],
    run: async |w| {
        refused(w, "a", &header(w, CLEAN)).await
    }
}

check! {
    /// A Client Identifier must be well-formed UTF-8 without U+0000.
    ///
    /// Sends     Client Identifiers with a Latin-1 byte, an overlong form, a surrogate, U+0000.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    CLIENT_ID_ILL_FORMED "connect/client_id_ill_formed",
    covers: [
        V3_1_1 / "MQTT-1.5.3-1", V3_1_1 / "MQTT-1.5.3-2", V3_1_1 / "MQTT-3.1.3-4", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-1.5.4-1", V5 / "MQTT-1.5.4-2", V5 / "MQTT-3.1.3-4", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_bad_string_accepted"],
    run: async |w| {
        for (name, text) in ILL_FORMED {
            refused(w, name, &header(w, CLEAN).string(text)).await?;
        }
        Ok(())
    }
}

check! {
    /// A Will Topic must be well-formed UTF-8 without U+0000.
    ///
    /// Sends     Will Topics with a Latin-1 byte, an overlong form, a surrogate, U+0000.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    WILL_TOPIC_ILL_FORMED "connect/will_topic_ill_formed",
    covers: [
        V3_1_1 / "MQTT-1.5.3-1", V3_1_1 / "MQTT-1.5.3-2", V3_1_1 / "MQTT-3.1.3-10", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-1.5.4-1", V5 / "MQTT-1.5.4-2", V5 / "MQTT-3.1.3-11", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_bad_string_accepted"],
    run: async |w| {
        for (name, text) in ILL_FORMED {
            let connect = start(w, CLEAN | WILL).no_properties(w.version()).string(text).string(b"gone");
            refused(w, name, &connect).await?;
        }
        Ok(())
    }
}

check! {
    /// A User Name must be well-formed UTF-8 without U+0000.
    ///
    /// Sends     User Names with a Latin-1 byte, an overlong form, a surrogate, U+0000, each with a password.
    /// Demands   the end of the connection; in 3.1.1 no CONNACK.
    /// Leaves    in 5.0 a CONNACK that refuses may come first.
    USER_NAME_ILL_FORMED "connect/user_name_ill_formed",
    covers: [
        V3_1_1 / "MQTT-1.5.3-1", V3_1_1 / "MQTT-1.5.3-2", V3_1_1 / "MQTT-3.1.3-11", V3_1_1 / "MQTT-3.1.4-1",
        V5 / "MQTT-1.5.4-1", V5 / "MQTT-1.5.4-2", V5 / "MQTT-3.1.3-12", V5 / "MQTT-3.1.4-1",
    ],
    needs: [],
    proved: ["connect_bad_string_accepted", "malformed_connect_answered"],
    run: async |w| {
        for (name, text) in ILL_FORMED {
            let connect = start(w, CLEAN | USER_NAME | PASSWORD).string(text).string(b"secret");
            refused(w, name, &connect).await?;
        }
        Ok(())
    }
}
