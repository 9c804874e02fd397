//! AUTH where no authentication takes place. [5.0 §3.15]

use crate::check;
use crate::check::Check;
use mqtt_assay_codec::{Offence, ReasonCode, raw};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[FLAGS_ARE_CHECKED, WITHOUT_METHOD_IS_REFUSED];

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
