//! CONNECT, as 3.1.1 alone has it. [3.1.1 §3.1]

use crate::check;
use crate::check::Check;
use mqtt_assay_codec::raw::Builder;
use mqtt_assay_codec::reason::return_code;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[PASSWORD_WITHOUT_USER_NAME, EMPTY_ID_NEEDS_CLEAN_SESSION];

check! {
    /// A Password without a User Name is refused, without CONNACK.
    ///
    /// Sends     User Name Flag 0, Password Flag 1, and a password behind the Client Identifier.
    /// Demands   the end of the connection, and nothing before it.
    /// Leaves    nothing; 5.0 allows what 3.1.1 forbids here.
    PASSWORD_WITHOUT_USER_NAME "connect/password_without_user_name",
    covers: [V3_1_1 / "MQTT-3.1.2-22", V3_1_1 / "MQTT-3.1.4-1"],
    needs: [],
    proved: ["malformed_connect_answered", "malformed_connect_kept_open"],
    run: async |w| {
        let connect = Builder::new(0x10)
            .string(b"MQTT")
            .bytes(&[4, 0b0100_0010, 0, 60])
            .string(w.client_id("a").as_bytes())
            .string(b"secret");
        let mut a = w.open("a").await?;
        a.send_bytes(&connect.finish()).await?;
        a.refuses_to_connect().await
    }
}

check! {
    /// An empty Client Identifier with Clean Session 0 is refused with CONNACK 0x02.
    ///
    /// Sends     CONNECT with an empty Client Identifier and Clean Session 0.
    /// Demands   CONNACK 0x02, then the end of the connection.
    /// Leaves    nothing.
    EMPTY_ID_NEEDS_CLEAN_SESSION "client_id/empty_id_needs_clean_session",
    covers: [
        V3_1_1 / "MQTT-3.1.3-7", V3_1_1 / "MQTT-3.1.3-8", V3_1_1 / "MQTT-3.2.2-4", V3_1_1 / "MQTT-3.2.2-5",
    ],
    needs: [],
    proved: [
        "empty_client_id_accepted_without_clean_session", "empty_client_id_refused_silently",
        "client_id_refused_with_wrong_code", "refused_connect_kept_open",
    ],
    run: async |w| {
        let attempt = w.client("a").client_id("").clean_start(false).attempt().await?;
        attempt.refused_with(&[return_code::IDENTIFIER_REJECTED], false).await
    }
}
