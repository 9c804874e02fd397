//! The statements behind each flaw of a packet, and what a Server owes when a Client sends it.

use super::Cites;
use mqtt_assay_codec::{Offence, Version};

const COUNT: usize = Offence::ALL.len();

/// For each offence, by its place in [`Offence::ALL`]: the statement that it breaks, and the one that it breaks with
/// every other offence. Empty where the version has no such rule.
const fn statements(version: Version, general: &'static str) -> [[&'static str; 2]; COUNT] {
    let mut table = [["", general]; COUNT];
    let mut place = 0;
    while place < COUNT {
        if let Some(id) = Offence::ALL[place].statement(version) {
            table[place][0] = id;
        }
        place += 1;
    }
    table
}

static V3_1_1: [[&str; 2]; COUNT] = statements(Version::V3_1_1, "MQTT-4.8.0-1");
static V5: [[&str; 2]; COUNT] = statements(Version::V5, "MQTT-4.13.1-1");
static CONNECT_V3_1_1: [[&str; 2]; COUNT] = statements(Version::V3_1_1, "MQTT-3.1.4-1");
static CONNECT_V5: [[&str; 2]; COUNT] = statements(Version::V5, "MQTT-3.1.4-1");

/// What a packet of the Server's breaks that has this flaw.
pub(super) fn broken_by(offence: Offence) -> Cites {
    let of = |table: &'static [[&str; 2]; COUNT]| match &table[offence as usize] {
        ["", _] => &[][..],
        both => &both[..1],
    };
    Cites { v3_1_1: of(&V3_1_1), v5: of(&V5) }
}

/// What a Server owes when a Client sends something wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Duty {
    /// To close the connection.
    Closes,
    /// The same, if it notices.
    Notices,
    /// Nothing.
    Nothing,
}

/// What a Server breaks, and owes, that lets this flaw of a Client's packet pass: of its CONNECT, or of another.
pub(super) fn let_pass(offence: Offence, connects: bool, version: Version) -> (Cites, Duty) {
    let of = |table: &'static [[&str; 2]; COUNT]| match &table[offence as usize] {
        ["", _] => &table[offence as usize][1..],
        both => &both[..],
    };
    let cites = if connects {
        Cites { v3_1_1: of(&CONNECT_V3_1_1), v5: of(&CONNECT_V5) }
    } else {
        Cites { v3_1_1: of(&V3_1_1), v5: of(&V5) }
    };
    let duty = match (version, offence) {
        // It may be another protocol, which this Server speaks.
        (_, Offence::ProtocolName) => Duty::Nothing,
        (Version::V5, _) if connects => Duty::Closes,
        // A statement says that these have to be noticed; of the rest 4.13.1 leaves it to the Server.
        (
            Version::V5,
            Offence::PubrelFlags
            | Offence::SubscribeFlags
            | Offence::UnsubscribeFlags
            | Offence::DisconnectFlags
            | Offence::AuthFlags
            | Offence::SubscriptionReservedBits,
        ) => Duty::Closes,
        (Version::V5, _) => Duty::Notices,
        (Version::V3_1_1, _) => Duty::Closes,
        (Version::V3_1, _) => Duty::Nothing,
    };
    (cites, duty)
}
