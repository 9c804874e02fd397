//! SUBSCRIBE and UNSUBSCRIBE. [3.1.1 §3.8, §3.10] [5.0 §3.8, §3.10]

use super::{Builder, Cases};
use crate::malformed::Offence;
use alloc::format;

pub(super) fn add(cases: &mut Cases) {
    let version = cases.version;
    let subscribe = Builder::new(0x82).u16(7).no_properties(version);
    let unsubscribe = Builder::new(0xA2).u16(7).no_properties(version);
    cases.add("no-filter/subscribe", Offence::SubscribeEmpty, subscribe.finish());
    cases.add("no-filter/unsubscribe", Offence::UnsubscribeEmpty, unsubscribe.finish());

    let mut options = |what: &str, offence, options: u8| {
        let one = subscribe.clone().string(b"a/b").u8(options).finish();
        cases.add(format!("subscription-options/{what}"), offence, one);
        let second = subscribe.clone().string(b"a/b").u8(0).string(b"c/d").u8(options).finish();
        cases.add(format!("subscription-options/{what}-second"), offence, second);
    };
    options("qos-3", Offence::SubscriptionQos3, 0b11);
    // Before 5.0 all but the QoS is reserved.
    let reserved = if version == crate::Version::V5 { 6..8 } else { 2..8 };
    for bit in reserved.clone() {
        options(&format!("reserved-bit-{bit}"), Offence::SubscriptionReservedBits, 1 | 1 << bit);
    }
    let all = reserved.fold(0, |all, bit| all | 1 << bit);
    options("reserved-bits", Offence::SubscriptionReservedBits, all);
    if version == crate::Version::V5 {
        options("retain-handling-3", Offence::RetainHandling3, 0b11_0000);
        let mut shared = |what: &str, options: u8| {
            let bytes = subscribe.clone().string(b"$share/g/a").u8(options).finish();
            cases.add(format!("no-local-on-shared/{what}"), Offence::NoLocalOnShared, bytes);
        };
        shared("alone", 0b100);
        shared("with-qos", 0b110);
        shared("with-all-options", 0b10_1101);
    }

    let truncated = Offence::Truncated;
    cases.add("truncated/subscribe-without-options", truncated, subscribe.clone().string(b"a/b").finish());
    let second = subscribe.clone().string(b"a/b").u8(1).string(b"c/d").finish();
    cases.add("truncated/subscribe-second-without-options", truncated, second);
    cases.add("truncated/subscribe-filter-length", truncated, subscribe.clone().u8(0).finish());
    cases.add("truncated/subscribe-filter", truncated, subscribe.u16(9).bytes(b"a/b\x01").finish());
    cases.add("truncated/unsubscribe-filter-length", truncated, unsubscribe.clone().u8(0).finish());
    let trailing = unsubscribe.string(b"a/b").u8(0).finish();
    cases.add("truncated/unsubscribe-second-filter-length", truncated, trailing);
}
