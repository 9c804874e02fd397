//! The executable reading of the MQTT specifications: a broker as a state machine.
//!
//! [`Broker`] serves MQTT 3.1, 3.1.1 and 5.0. Time comes in with each call, bytes come in and go out as values:
//! the model does no I/O, reads no clock and draws no randomness but from its seed. What the specifications
//! leave open is a field of [`Policy`]; a [`Mutant`] is the same broker with one named fault.
//!
//! ```
//! use core::time::Duration;
//! use mqtt_assay_broker_model::{Broker, ConnectionId, Input, Output, Policy};
//! use mqtt_assay_codec::{Connect, Decoder, Packet, Receiver, Version};
//!
//! let mut broker = Broker::new(Policy::default(), 7);
//! let lamp = ConnectionId(1);
//! let mut connect = Vec::new();
//! Packet::Connect(Connect::new(Version::V5, "lamp")).encode(Version::V5, &mut connect).unwrap();
//!
//! broker.handle(Duration::ZERO, Input::Opened(lamp));
//! broker.handle(Duration::ZERO, Input::Received(lamp, &connect));
//! let Some(Output::Send(to, bytes)) = broker.poll() else { panic!("no CONNACK") };
//! let (connack, _) = Decoder::new(Version::V5, Receiver::Client).next(&bytes).unwrap().unwrap();
//! assert_eq!(to, lamp);
//! assert!(matches!(connack, Packet::Connack(_)));
//! ```
//!
//! # Enhanced authentication
//!
//! One method, [`auth::METHOD`]: the Server sends AUTH 0x18 with a nonce of eight bytes as Authentication Data,
//! the Client answers AUTH 0x18 with [`auth::answer`] of it: each byte of the nonce XOR the byte of the secret
//! at the same place, the secret repeated. [5.0 §4.12]
#![forbid(unsafe_code)]

mod alias;
pub mod auth;
mod broker;
mod connack;
mod connect;
mod connection;
mod deliver;
pub mod direct;
mod expiry;
mod flow;
pub mod history;
mod inflight;
mod leniency;
mod message;
mod mutant;
mod policy;
mod publish;
mod random;
mod restart;
mod retained;
mod router;
pub mod rules;
pub mod script;
mod send;
mod session;
mod share;
pub mod shrink;
pub mod simulate;
mod subscribe;
mod timers;
mod will;
pub mod workload;

pub use broker::{Broker, ConnectionId, Input, Output};
pub use mutant::Mutant;
pub use policy::{Credential, DollarTopics, Overlap, Policy, Qos2Delivery, QueueFull};
