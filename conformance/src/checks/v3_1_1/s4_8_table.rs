//! What of the table of wrong packets is wrong in 3.1.1 alone. [3.1.1 §4.8]

use crate::check;
use crate::check::Check;
use mqtt_assay_codec::Offence;

/// In the order of the codec's offences.
pub const CHECKS: &[Check] = &[TOPIC_NAME_EMPTY, PASSWORD_WITHOUT_USER_NAME];

check! {
    /// No PUBLISH with an empty Topic Name is taken for a good one, wherever it comes.
    ///
    /// Sends     every such PUBLISH of the table: as the first packet, right behind CONNECT, after CONNACK, within a
    ///           QoS 2 exchange, right behind a PINGREQ, and in two writes.
    /// Demands   the end of the connection; nothing passed on to a subscriber.
    /// Leaves    nothing. In 5.0 a Topic Alias may stand for the name, and the table has a row for its absence;
    ///           whether a Response Topic may be empty is not said there.
    TOPIC_NAME_EMPTY "table/topic_name_empty",
    covers: [V3_1_1 / "MQTT-4.8.0-1", V3_1_1 / "MQTT-4.7.3-1"],
    needs: [],
    proved: ["empty_topic_accepted"],
    run: async |w| {
        w.table(Offence::TopicNameEmpty).await
    }
}

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
