//! AUTH: its flags, and where no authentication takes place. [5.0 §3.15]

use super::s4_12_challenge::authenticated;
use super::s4_12_errors::{reauthentication, refused};
use crate::check;
use crate::check::Check;
use crate::story::Severity;
use mqtt_assay_broker_model::auth::METHOD;
use mqtt_assay_codec::{Offence, ReasonCode, raw};

/// In the order of the specification.
pub const CHECKS: &[Check] =
    &[FLAGS_ARE_CHECKED, FLAGS_ARE_CHECKED_WITHIN_AUTHENTICATION, WITHOUT_METHOD_IS_REFUSED];

check! {
    /// AUTH flags other than 0000 are malformed.
    ///
    /// Sends     AUTH with each wrong value of the flags.
    /// Demands   the end of the connection.
    /// Leaves    nothing: this error must be detected.
    FLAGS_ARE_CHECKED "auth/flags_are_checked",
    covers: [V5 / "MQTT-3.15.1-1"],
    needs: [],
    proved: ["protocol_error_kept_open"],
    run: async |w| {
        w.wrong(|case| case.offence == Offence::AuthFlags).must_be_detected().each_refused().await
    }
}

check! {
    /// AUTH flags other than 0000 are malformed also where an AUTH is due.
    ///
    /// Sends     AUTH 0x19 with each wrong value of the flags, each from a Client that has authenticated itself.
    /// Demands   the end of the connection, and no AUTH in answer.
    /// Leaves    nothing: this error must be detected.
    FLAGS_ARE_CHECKED_WITHIN_AUTHENTICATION "auth/flags_are_checked_within_authentication",
    covers: [V5 / "MQTT-3.15.1-1"],
    needs: [],
    proved: ["auth_flags_accepted"],
    run: async |w| {
        for flags in 1..=0x0F {
            let (mut client, _) = authenticated(w, w.client(&format!("a{flags}"))).await?;
            client.send_bytes(&reauthentication(flags, METHOD)).await?;
            refused(&mut client, ReasonCode::MALFORMED_PACKET, Severity::MustDetect).await?;
        }
        Ok(())
    }
}

check! {
    /// AUTH on a connection whose CONNECT named no Authentication Method is an error.
    ///
    /// Sends     AUTH 0x18 and 0x19 after a CONNECT without Authentication Method, with one and without.
    /// Demands   the end of the connection, and no AUTH in answer.
    /// Leaves    how strictly to check is left to the broker.
    WITHOUT_METHOD_IS_REFUSED "auth/without_method_is_refused",
    covers: [V5 / "MQTT-4.13.1-1", V5 / "U5-AUTH-1", V5 / "U5-AUTH-2"],
    needs: [],
    proved: ["protocol_error_kept_open"],
    run: async |w| {
        let method = raw::property(0x15, &raw::string(b"x-mqtt-assay"));
        let auth = |code: u8| raw::Builder::new(0xF0).u8(code).properties(&[&method]).finish();
        w.wrong(|case| case.offence == Offence::AuthenticationMethodMissing)
            .and("auth-18", auth(0x18))
            .and("auth-19", auth(0x19))
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}
