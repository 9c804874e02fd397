//! CONNECT and its properties, as 5.0 alone has them. [5.0 §3.1]

use crate::check;
use crate::check::Check;
use crate::story::{Attempt, Stop, World};
use mqtt_assay_codec::{Packet, Property, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    PASSWORD_WITHOUT_USER_NAME,
    ASSIGNED_ID_IS_TOLD,
    EMPTY_ID_ALLOWS_CLEAN_START_0,
    RESPONSE_INFORMATION_ON_REQUEST_ONLY,
];

check! {
    /// A Password without a User Name is well-formed.
    ///
    /// Sends     CONNECT with a Password and no User Name.
    /// Demands   no refusal as a malformed packet or a protocol error.
    /// Leaves    the password may be wrong: CONNACK 0x86, 0x87 and other reasons, or a silent end.
    PASSWORD_WITHOUT_USER_NAME "connect/password_alone_is_well_formed",
    covers: [V5 / "U5-CON-6"],
    needs: [],
    proved: ["password_alone_refused_as_malformed"],
    run: async |w| {
        match w.client("a").credentials(None, Some(b"secret")).attempt().await? {
            Attempt::Refused(_, connack)
                if matches!(connack.packet(), Packet::Connack(c)
                    if c.code == ReasonCode::MALFORMED_PACKET || c.code == ReasonCode::PROTOCOL_ERROR) =>
            {
                let expected = "CONNACK 0x00, or a refusal for another reason than the packet's form";
                Err(Stop::violates(expected, connack.line()).at(connack.index))
            }
            other => {
                w.note(format!("answers a password without user name with: {}", other.line()));
                Ok(())
            }
        }
    }
}

check! {
    /// A Client that leaves its identifier empty is told the one that it gets, and may come back with it.
    ///
    /// Sends     CONNECT with an empty Client Identifier and a session that lasts; then CONNECT with the assigned
    ///           identifier and Clean Start 0.
    /// Demands   an Assigned Client Identifier that is not empty; Session Present 1 when it comes back.
    /// Leaves    empty identifiers may be refused.
    ASSIGNED_ID_IS_TOLD "client_id/assigned_id_is_told",
    covers: [V5 / "MQTT-3.1.3-6", V5 / "MQTT-3.1.3-7", V5 / "MQTT-3.2.2-16"],
    needs: [],
    proved: ["assigned_client_id_not_returned"],
    run: async |w| {
        let mut a = empty_id(w, true).await?;
        let id = a.id().to_owned();
        if id.is_empty() {
            return Err(Stop::violates(
                "CONNACK with an Assigned Client Identifier",
                "CONNACK without one",
            ));
        }
        w.leave_session(&id);
        a.disconnect().await;
        let a = w.client("a").client_id(&id).resume(60).connect().await?;
        if a.session_present() {
            return Ok(());
        }
        let observed = "CONNACK with Session Present 0";
        Err(Stop::violates("CONNACK with Session Present 1 for the assigned identifier", observed)
            .citing(w.cite("MQTT-3.1.3-7")))
    }
}

check! {
    /// An empty Client Identifier goes with Clean Start 0 as well.
    ///
    /// Sends     CONNECT with an empty Client Identifier and Clean Start 0.
    /// Demands   CONNACK with Session Present 0 and an Assigned Client Identifier.
    /// Leaves    a broker may refuse empty identifiers, though not for Clean Start alone: noted if it does.
    EMPTY_ID_ALLOWS_CLEAN_START_0 "client_id/empty_id_allows_clean_start_0",
    covers: [V5 / "MQTT-3.1.3-7", V5 / "MQTT-3.2.2-3", V5 / "MQTT-3.2.2-16"],
    needs: [],
    proved: ["assigned_client_id_not_returned", "session_present_always"],
    run: async |w| {
        let a = empty_id(w, false).await?;
        if a.id().is_empty() {
            let expected = "CONNACK with an Assigned Client Identifier";
            return Err(Stop::violates(expected, "CONNACK without one").citing(w.cite("MQTT-3.2.2-16")));
        }
        w.leave_session(a.id());
        if a.session_present() {
            let expected = "CONNACK with Session Present 0: nobody had this identifier before";
            return Err(Stop::violates(expected, "Session Present 1").citing(w.cite("MQTT-3.2.2-3")));
        }
        Ok(())
    }
}

/// A client whose identifier the broker chose, in a session that lasts.
async fn empty_id(w: &World, clean_start: bool) -> Result<crate::story::Client<'_>, Stop> {
    match w.client("a").client_id("").persistent(60).clean_start(clean_start).attempt().await? {
        Attempt::Accepted(a) => Ok(a),
        refusal => {
            Err(Stop::unsupported(format!("empty Client Identifiers are refused: {}", refusal.line())))
        }
    }
}

check! {
    /// Response Information is sent on request only.
    ///
    /// Sends     CONNECT without Request Response Information, and with the value 0.
    /// Demands   CONNACK without Response Information.
    /// Leaves    nothing.
    RESPONSE_INFORMATION_ON_REQUEST_ONLY "connack/response_information_on_request_only",
    covers: [V5 / "MQTT-3.1.2-28", V5 / "U5-CON-8"],
    needs: [],
    proved: ["response_information_unasked"],
    run: async |w| {
        let plain = w.client("a");
        let refusing = w.client("b").property(Property::RequestResponseInformation(false));
        for client in [plain, refusing] {
            let client = client.connect().await?;
            if client.connack().properties.response_information().is_some() {
                let expected = "CONNACK without Response Information";
                return Err(Stop::violates(expected, "CONNACK with Response Information"));
            }
        }
        Ok(())
    }
}
