//! The Will: every way in which a connection can end.

mod common;

use common::*;
use mqtt_assay_codec::{Connect, Disconnect, Packet, Property, PropertyList, ReasonCode, Version, Will};

fn setting() -> (World, Client) {
    let mut w = World::new();
    let watcher = w.connect(Version::V5, "watcher");
    w.subscribe(watcher, "gone", QOS2);
    (w, watcher)
}

fn lamp(w: &mut World, version: Version) -> Client {
    let will = Will { qos: QOS1, ..Will::new("gone", b"lamp") };
    w.connect_with(&Connect { will: Some(will), keep_alive: 2, ..Connect::new(version, "lamp") }).0
}

const GONE: &str = "lamp";

#[test]
fn it_is_published_unless_the_client_says_goodbye() {
    type End = fn(&mut World, Client);
    let ends: [(&str, End, bool); 6] = [
        ("goodbye", |w, lamp| w.disconnect(lamp), false),
        ("cut", |w, lamp| w.cut(lamp), true),
        ("silence", |w, _| w.wait(3.1), true),
        ("malformed", |w, lamp| w.bytes(lamp, b"\x36\x05\x00\x01t\x00\x01"), true),
        (
            "takeover",
            |w, lamp| {
                w.connect(lamp.version, "lamp");
            },
            true,
        ),
        ("bad goodbye", |w, lamp| w.bytes(lamp, b"\xe1\x00"), true),
    ];
    for version in BOTH {
        for (name, end, published) in ends {
            let (mut w, watcher) = setting();
            let lamp = lamp(&mut w, version);
            end(&mut w, lamp);
            let expected: &[Shown] = if published { &[message("gone", GONE, QOS1)] } else { &[] };
            assert_eq!(w.messages(watcher), expected, "{version} {name}");
            // Once and no more.
            w.connect(version, "lamp");
            w.wait(0.5);
            assert_eq!(w.messages(watcher), [], "{version} {name}");
        }
    }
}

#[test]
fn disconnect_with_will_publishes_it() {
    let (mut w, watcher) = setting();
    let lamp = lamp(&mut w, Version::V5);
    w.send(lamp, &Packet::Disconnect(Disconnect::new(ReasonCode::DISCONNECT_WITH_WILL_MESSAGE)));
    assert_eq!(w.expect_close(lamp), None);
    assert_eq!(w.messages(watcher), [message("gone", GONE, QOS1)]);
}

/// Delay, Session Expiry Interval, what follows: when the Will comes, if it does.
fn delayed(w: &mut World, delay: u32, expiry: u32) -> Client {
    let will_properties = PropertyList::new().with(Property::WillDelayInterval(delay));
    let properties = PropertyList::new().with(Property::SessionExpiryInterval(expiry));
    let will = Will { properties: will_properties.view(), ..Will::new("gone", b"lamp") };
    let connect = Connect {
        will: Some(will),
        properties: properties.view(),
        clean_start: false,
        keep_alive: 0,
        ..Connect::new(Version::V5, "lamp")
    };
    w.connect_with(&connect).0
}

#[test]
fn its_delay_ends_with_the_session() {
    for (delay, expiry, seconds) in [(2, 10, 2.0), (10, 3, 3.0), (10, 0, 0.0), (0, 10, 0.0)] {
        let (mut w, watcher) = setting();
        let lamp = delayed(&mut w, delay, expiry);
        w.cut(lamp);
        if seconds > 0.0 {
            w.wait(seconds - 0.1);
            w.expect_nothing(watcher);
            w.wait(0.1);
        }
        assert_eq!(w.messages(watcher), [message("gone", GONE, QOS0)], "{delay} {expiry}");
        w.wait(20.0);
        assert!(w.messages(watcher).is_empty());
    }
}

#[test]
fn coming_back_in_time_cancels_it() {
    let (mut w, watcher) = setting();
    let lamp = delayed(&mut w, 5, 60);
    w.cut(lamp);
    w.wait(4.0);
    let (lamp, present) = w.resume(Version::V5, "lamp");
    assert!(present);
    w.wait(10.0);
    w.disconnect(lamp);
    w.wait(30.0);
    assert!(w.messages(watcher).is_empty());
}

#[test]
fn a_takeover_publishes_it_only_if_the_session_ends() {
    for (expiry, clean_start, published) in [(60, false, false), (60, true, true), (0, false, true)] {
        let (mut w, watcher) = setting();
        delayed(&mut w, 5, expiry);
        let (_, present) =
            w.connect_with(&Connect { clean_start, keep_alive: 0, ..Connect::new(Version::V5, "lamp") });
        assert_eq!(present, !published);
        w.wait(10.0);
        assert_eq!(w.messages(watcher).len(), usize::from(published), "{expiry} {clean_start}");
    }
}

#[test]
fn will_retain_and_properties() {
    let (mut w, watcher) = setting();
    let will_properties = PropertyList::new()
        .with(Property::WillDelayInterval(0))
        .with(Property::UserProperty(("b", "1")))
        .with(Property::MessageExpiryInterval(100))
        .with(Property::UserProperty(("a", "2")));
    let will = Will { retain: true, properties: will_properties.view(), ..Will::new("gone", b"lamp") };
    let (lamp, _) = w.connect_with(&Connect { will: Some(will), ..Connect::new(Version::V5, "lamp") });
    w.wait(30.0);
    w.cut(lamp);
    let forwarded = PropertyList::new()
        .with(Property::UserProperty(("b", "1")))
        .with(Property::UserProperty(("a", "2")))
        .with(Property::MessageExpiryInterval(100));
    let (shown, _, properties) = w.expect_publish(watcher);
    assert_eq!((shown, properties), (message("gone", GONE, QOS0), forwarded));
    let late = w.connect(Version::V3_1_1, "late");
    w.subscribe(late, "gone", QOS0);
    assert_eq!(w.messages(late), [message("gone", GONE, QOS0).retain()]);
}
