//! What a served broker may do wrong on purpose: a mutant of the model, or a fault around it, where bytes go in and out.

use super::PacketFault;
use mqtt_assay_broker_model::Mutant;
use mqtt_assay_codec::{Decoder, Packet, Receiver, Split, Version, frame};
use tokio_tungstenite::tungstenite::Bytes;

/// The one fault of a served broker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    /// The state machine's.
    Model(Mutant),
    /// Of what carries packets to and from the state machine, which is in order; on any transport.
    Packets(PacketFault),
    /// The transport's; what it carries is in order.
    Edge(EdgeFault),
}

impl Fault {
    /// Every fault, those of the model first.
    pub fn all() -> impl Iterator<Item = Fault> {
        let packets = PacketFault::ALL.iter().copied().map(Fault::Packets);
        let edge = EdgeFault::ALL.iter().copied().map(Fault::Edge);
        Mutant::ALL.iter().copied().map(Fault::Model).chain(packets).chain(edge)
    }

    /// Its name in snake case.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::Model(mutant) => mutant.name(),
            Fault::Packets(fault) => fault.name(),
            Fault::Edge(fault) => fault.name(),
        }
    }

    /// The fault of this name.
    pub fn from_name(name: &str) -> Option<Fault> {
        Mutant::from_name(name)
            .map(Fault::Model)
            .or_else(|| PacketFault::from_name(name).map(Fault::Packets))
            .or_else(|| EdgeFault::from_name(name).map(Fault::Edge))
    }

    /// What the broker does wrong, as the rest of a sentence that begins with "the broker".
    pub const fn summary(self) -> &'static str {
        match self {
            Fault::Model(mutant) => mutant.summary(),
            Fault::Packets(fault) => fault.summary(),
            Fault::Edge(fault) => fault.summary(),
        }
    }

    /// The statements that it breaks, each with its version.
    pub const fn breaks(self) -> &'static [&'static str] {
        match self {
            Fault::Model(mutant) => mutant.breaks(),
            Fault::Packets(fault) => fault.breaks(),
            Fault::Edge(fault) => fault.breaks(),
        }
    }
}

impl From<Mutant> for Fault {
    fn from(mutant: Mutant) -> Self {
        Fault::Model(mutant)
    }
}

/// Named faults around the state machine.
macro_rules! faults {
    ($(#[$doc:meta])* $faults:ident { $($variant:ident $name:literal $summary:literal [$($id:literal),*];)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $faults {
            $(#[doc = concat!("The broker ", $summary, ".")] $variant,)*
        }

        impl $faults {
            /// Every fault, in the order of the table.
            pub const ALL: &'static [$faults] = &[$($faults::$variant),*];

            /// Its name in snake case.
            pub const fn name(self) -> &'static str {
                match self { $($faults::$variant => $name,)* }
            }

            /// The fault of this name.
            pub fn from_name(name: &str) -> Option<$faults> {
                match name { $($name => Some($faults::$variant),)* _ => None }
            }

            /// What it does wrong, as the rest of a sentence that begins with "the broker".
            pub const fn summary(self) -> &'static str {
                match self { $($faults::$variant => $summary,)* }
            }

            /// The statements that it breaks, each with its version.
            pub const fn breaks(self) -> &'static [&'static str] {
                match self { $($faults::$variant => &[$($id),*],)* }
            }
        }
    };
}

pub(super) use faults;

faults! {
    /// A named fault of the transport; the broker behind it is in order.
    EdgeFault {
        WebSocketTextTaken "websocket_text_taken" "takes WebSocket text frames for MQTT" ["3.1.1/MQTT-6.0.0-1", "5.0/MQTT-6.0.0-1"];
        WebSocketTextIgnored "websocket_text_ignored" "ignores WebSocket text frames" ["3.1.1/MQTT-6.0.0-1", "5.0/MQTT-6.0.0-1"];
        WebSocketTextSent "websocket_text_sent" "sends its packets in WebSocket text frames" ["3.1.1/MQTT-6.0.0-1", "5.0/MQTT-6.0.0-1"];
        WebSocketPartialPacketsDropped "websocket_partial_packets_dropped" "drops WebSocket frames that hold no whole packet" ["3.1.1/MQTT-6.0.0-2", "5.0/MQTT-6.0.0-2"];
        WebSocketFirstPacketOnly "websocket_first_packet_only" "takes the first packet of a WebSocket frame only" ["3.1.1/MQTT-6.0.0-2", "5.0/MQTT-6.0.0-2"];
        WebSocketCloseIgnored "websocket_close_ignored" "does not notice the WebSocket Close of a Client with a Will" ["3.1.1/MQTT-3.1.2-8", "5.0/MQTT-3.1.2-8"];
        WebSocketSubprotocolMissing "websocket_subprotocol_missing" "selects no WebSocket subprotocol" ["3.1.1/MQTT-6.0.0-4", "5.0/MQTT-6.0.0-4"];
        WebSocketSubprotocolFirst "websocket_subprotocol_first" "selects the first WebSocket subprotocol that is offered" ["3.1.1/MQTT-6.0.0-4", "5.0/MQTT-6.0.0-4"];
        WebSocketSubprotocolMqttv31 "websocket_subprotocol_mqttv31" "selects the WebSocket subprotocol mqttv3.1" ["3.1.1/MQTT-6.0.0-4", "5.0/MQTT-6.0.0-4"];
    }
}

impl EdgeFault {
    /// What is left of the bytes of a binary frame.
    pub(crate) fn received(self, mut bytes: Bytes) -> Bytes {
        // The limit of sizes is the state machine's business.
        let split = frame::split(&bytes, u32::MAX, Version::V5);
        let first = match split {
            Ok(Split::Whole(frame)) => Some(frame.bytes().len()),
            Ok(Split::Missing(_)) | Err(_) => None,
        };
        match (self, first) {
            (EdgeFault::WebSocketPartialPacketsDropped, None) => bytes.clear(),
            (EdgeFault::WebSocketFirstPacketOnly, Some(length)) => bytes.truncate(length),
            _ => {}
        }
        bytes
    }
}

impl EdgeFault {
    /// Whether the end of this connection is not to be noticed: these bytes have come on it. Of the connections without a
    /// Will there are too many to be kept for ever.
    pub(crate) fn holds_end(self, bytes: &[u8]) -> bool {
        self == EdgeFault::WebSocketCloseIgnored
            && matches!(
                Decoder::new(Version::V5, Receiver::Server).next(bytes),
                Ok(Some((Packet::Connect(connect), _))) if connect.will.is_some()
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_among_all_faults_and_lead_back() {
        let names: BTreeSet<_> = Fault::all().map(Fault::name).collect();
        assert_eq!(names.len(), Fault::all().count());
        for fault in Fault::all() {
            assert_eq!(Fault::from_name(fault.name()), Some(fault));
        }
        for fault in EdgeFault::ALL {
            assert_eq!(format!("{fault:?}").to_lowercase(), fault.name().replace('_', ""));
            assert!(!fault.summary().ends_with('.') && !fault.breaks().is_empty(), "{fault:?}");
        }
        for fault in PacketFault::ALL {
            assert_eq!(format!("{fault:?}").to_lowercase(), fault.name().replace('_', ""));
            assert!(!fault.summary().ends_with('.') && !fault.breaks().is_empty(), "{fault:?}");
        }
        assert_eq!(Fault::from_name("none_such"), None);
    }
}
