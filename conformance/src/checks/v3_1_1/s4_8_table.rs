//! What of the table of wrong packets is wrong in 3.1.1 alone. [3.1.1 §4.8]

use crate::check;
use crate::check::Check;
use mqtt_assay_codec::Offence;

/// In the order of the codec's offences.
pub const CHECKS: &[Check] = &[PASSWORD_WITHOUT_USER_NAME];

check! {
    /// No CONNECT with a Password Flag but no User Name Flag is taken for a good one, wherever it comes.
    ///
    /// Sends     every such CONNECT of the table: as the first packet, in one write or two, and after CONNACK.
    /// Demands   the end of the connection.
    /// Leaves    nothing; 5.0 allows what 3.1.1 forbids here.
    PASSWORD_WITHOUT_USER_NAME "table/password_without_user_name",
    covers: [V3_1_1 / "MQTT-4.8.0-1", V3_1_1 / "MQTT-3.1.2-22"],
    needs: [],
    proved: ["connect_password_without_user_name_accepted"],
    run: async |w| {
        w.table(Offence::PasswordWithoutUserName).await
    }
}
