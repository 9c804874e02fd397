//! What checks are written in: the [`World`], its clients, and what they expect.
//!
//! Steps that only lead to the point of a check (`connect`, `subscribe`, `acknowledged`) end an unanswered story
//! as *inconclusive*: some other check answers for that. What the check is about is demanded with `expect…` and
//! `refuses…`, which accuse. [`World::let_pass`] is for the specification's timers; everything else waits on a
//! barrier.

mod client;
mod connect;
mod expect;
mod first;
mod frames;
mod history;
mod passive;
mod publish;
mod received;
mod refuse;
mod steps;
mod stop;
mod tape;
mod world;
mod wrong;

pub use client::{Client, End, Next};
pub use connect::{Attempt, ConnectBuilder, WillMessage};
pub use expect::{
    Expect, auth, connack, disconnect, pingresp, puback, pubcomp, publish, pubrec, pubrel, suback, unsuback,
};
pub use publish::PublishBuilder;
pub use received::Received;
pub use refuse::{Refusal, Severity};
pub use steps::bytes_of;
pub use stop::{Stop, Story};
pub use world::{Abilities, World};
pub use wrong::WrongPackets;

pub(crate) use tape::{Room, Tape};
pub(crate) use world::{AFTERWARDS, Credentials};
