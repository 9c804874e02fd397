//! CONNACK, as 3.1 has it. [3.1 §3.2]

use crate::check;
use crate::check::Check;
use crate::checks::common::s3_1_admission::wrong_credentials;
use crate::checks::v3_1::s3_1_connect::is_rejected;
use crate::story::{Attempt, Stop};
use mqtt_assay_codec::Packet;
use mqtt_assay_codec::reason::return_code;

/// In the order of the document.
pub const CHECKS: &[Check] = &[EMPTY_IDENTIFIER_IS_REJECTED, WRONG_PASSWORD_IS_REFUSED];

check! {
    /// An empty Client Identifier is answered with CONNACK 0x02.
    ///
    /// Sends     CONNECT with an empty identifier and Clean Session 1.
    /// Demands   CONNACK 0x02.
    /// Leaves    whether the connection is ended. 3.1 tells when the code is sent without saying that it must be: to
    ///           accept an empty identifier, as later versions allow, deviates.
    EMPTY_IDENTIFIER_IS_REJECTED "v3_1/empty_identifier_is_rejected",
    covers: [V3_1 / "M31-ACK-1"],
    needs: [],
    proved: ["empty_client_id_accepted_in_3_1", "client_id_refused_with_wrong_code", "empty_client_id_refused_silently"],
    run: async |w| { is_rejected(w, "").await }
}

check! {
    /// A Client with a wrong password is refused with CONNACK 0x04 or 0x05.
    ///
    /// Sends     CONNECT with an unknown user, with the run's user and a wrong password, and with the pair that the
    ///           profile calls wrong; then the run's own.
    /// Demands   no CONNACK that accepts but the last.
    /// Leaves    another code, or none: it deviates.
    WRONG_PASSWORD_IS_REFUSED "v3_1/wrong_password_is_refused",
    covers: [V3_1 / "M31-ACK-2"],
    needs: [Passwords],
    setup: Guarded,
    proved: ["credentials_ignored", "bad_credentials_refused_silently"],
    run: async |w| {
        const EXPECTED: &str = "CONNACK 0x04 or 0x05";
        let fitting = [return_code::BAD_USER_NAME_OR_PASSWORD, return_code::NOT_AUTHORIZED];
        for (name, user, password) in wrong_credentials(w) {
            let attempt = w.client(name).credentials(Some(&user), Some(password.as_bytes())).attempt().await?;
            let observed = attempt.line();
            match attempt {
                Attempt::Accepted(client) => {
                    let at = client.connack_received().and_then(|connack| connack.index);
                    return Err(Stop::violates(EXPECTED, observed).at(at));
                }
                Attempt::Refused(_, connack)
                    if matches!(connack.packet(), Packet::Connack(c) if fitting.contains(&c.code)) => {}
                Attempt::Refused(..) | Attempt::Ended(..) => w.deviates(None, EXPECTED, observed),
            }
        }
        // A broker that lets nobody in has not looked at the password.
        w.connect_alive("c").await?;
        Ok(())
    }
}
