//! Hostile MQTT traffic: made, changed, kept and made small, without I/O or clock.
//!
//! A [`Case`] is a script: clients, what they say, raw bytes included, and what is done to their connections. A
//! [`Generator`](generate::Generator) writes cases that keep the specification's form, [`mutate`] breaks them on five
//! levels, a [`Corpus`](corpus::Corpus) keeps those to which the broker answered in a new way, and [`minimise`] makes
//! a case small that shows something. [`Campaign`](campaign::Campaign) puts these together: it gives cases and is told
//! what came of them; who plays them, over which network, against which broker, is the caller's affair.
//!
//! One seed decides everything: with the same answers, the same cases come, byte for byte.
//!
//! ```
//! use mqtt_assay_broker_model::{Broker, Policy, direct};
//! use mqtt_assay_fuzz_engine::campaign::{Campaign, Plan};
//!
//! let mut campaign = Campaign::new(Plan::default(), 7);
//! for _ in 0..10 {
//!     let case = campaign.next_case();
//!     let played = direct::play(case.script().clone(), Broker::new(Policy::default(), 7));
//!     campaign.observe(&case, &played.history);
//! }
//! assert!(!campaign.corpus().is_empty());
//! ```
#![forbid(unsafe_code)]

pub mod campaign;
pub mod case;
pub mod corpus;
pub mod dictionary;
pub mod edges;
pub mod finding;
pub mod generate;
pub mod minimise;
pub mod mutate;
pub mod place;
pub mod signature;

pub use case::Case;
