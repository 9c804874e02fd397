//! Clients that break the rules in ways that only a fuzzer thinks of: what follows from that is nobody's fault but
//! theirs.

use mqtt_assay_broker_model::history::jsonl;
use mqtt_assay_broker_model::rules::{Accusation, Bounds, judge};
use mqtt_assay_broker_model::script::Script;
use mqtt_assay_broker_model::workload::Workload;
use mqtt_assay_broker_model::{Broker, Mutant, Policy, direct};

/// Scripts for which a rule once accused the reference broker, each with the reason why it must not.
const SCRIPTS: &[(&str, &str)] = &[
    (
        "PUBREL 0x92 is for the PUBREC that nothing had asked for, and not for the malformed one behind it",
        "network delay=1ms
         client bob  clean_start=1
         bob  > PUBREC id=3
         bob  > raw 50 04 00 03 86 00
         wait 20 ms",
    ),
    (
        "a PUBCOMP for the PUBREL that came before a PUBLISH with its identifier leaves the PUBREC of that one to come",
        "network delay=10ms
         client ann  clean_start=1
         ann  > PUBREL id=2
         wait 5 ms
         ann  > PUBLISH a/b \"m1\" qos=2 id=2
         wait 16 ms
         ann  > raw 34 08 00 03 61 80 62 00 02 00
         ann  settle",
    ),
    (
        "a PUBACK that is sent before the PUBLISH has come may be read behind it",
        "network delay=10ms
         client ann  clean_start=1 receive_maximum=1 acks=manual
         ann  > SUBSCRIBE a/b qos=1
         ann  settle
         ann  > PUBLISH a/b \"m1\" qos=1
         wait 5 ms
         ann  > PUBACK id=1
         ann  > PUBLISH a/b \"m2\" qos=1
         ann  settle
         ann  acknowledge
         ann  settle",
    ),
    (
        "CONNACK 0x81 is for the malformed CONNECT that came before the one with a Password alone",
        "client ann  clean_start=1 password=x
         ann  open
         ann  > broken connect-missing/will-payload
         ann  > CONNECT clean_start=1 password=x
         ann  settle",
    ),
    (
        "a second DISCONNECT, which must not be sent, gives back no Session that the first has ended",
        "client ann  clean_start=1 session_expiry_interval=60
         ann  > raw e0 07 00 05 11 00 00 00 00 e0 07 00 05 11 00 00 00 02
         ann  settle
         wait 20 ms
         ann  connect clean_start=0 session_expiry_interval=60
         ann  settle",
    ),
    (
        "which of two SUBSCRIBEs with one Packet Identifier a SUBACK is for nothing tells",
        "mqtt 3.1.1
         network delay=1ms
         client bob  clean_start=1
         bob  > raw 82 08 00 01 00 03 77 2e 31 02
         bob  > SUBSCRIBE a qos=0
         bob  settle",
    ),
    (
        "the same with Shared Subscriptions, and cut in two",
        "network delay=1ms
         client cat  clean_start=1
         cat  > raw 82 18 00 01 02 0b 6e 00 0a 24 73 68
         cat  > raw 61 72 65 2f 67 2f 78 00 00 03 61 2f 62 12
         cat  > SUBSCRIBE a qos=1 \"#\" qos=1
         cat  settle",
    ),
    (
        "the same, when a third one is sent between the two answers",
        "network delay=1ms
         client bob  clean_start=1
         bob  > SUBSCRIBE a qos=2 id=1
         wait 1 ms
         bob  > SUBSCRIBE b qos=2 c qos=2 id=1
         wait 1.5 ms
         bob  > SUBSCRIBE d qos=0 e qos=0 id=1
         bob  settle",
    ),
    (
        "the same, with a malformed one between SUBSCRIBE and UNSUBSCRIBE",
        "network delay=1ms
         client c7   clean_start=1
         c7   > SUBSCRIBE a/b/c qos=2 id=1
         c7   > raw 82 0a 00 01 00 00 09 61 62 00 00 00
         c7   > UNSUBSCRIBE a/# id=1
         c7   settle",
    ),
    (
        "the SUBACK is for a SUBSCRIBE that was sent before CONNACK came, and not for the malformed one",
        "network delay=1ms
         client ann  clean_start=1
         ann  open
         ann  > CONNECT clean_start=1
         ann  > SUBSCRIBE a/b/# qos=1 id=2
         ann  > raw 82 0f 00 02 00 00 09 24 73 68 61 72 65 2f 2f 61 12
         ann  settle",
    ),
    (
        "a Will is put off when its client comes back, which in 3.1 nobody tells",
        "network delay=1ms
         client ann  clean_start=1
         client bob  client_id=bob clean_start=1 session_expiry_interval=60 will=w \"gone\" will_qos=1 will_delay_interval=2
         client old  mqtt=3.1 client_id=bob clean_start=0
         ann  > SUBSCRIBE w qos=1
         ann  barrier
         bob  barrier
         old  connect
         old  barrier
         wait 9 s
         old  > DISCONNECT
         ann  barrier",
    ),
    (
        "the PUBREC that refuses is for the PUBLISH that had the Packet Identifier before",
        "network delay=1ms
         client bob  clean_start=1
         client c4   clean_start=1
         bob  > SUBSCRIBE a/b qos=1
         bob  barrier
         c4   > PUBLISH z \"\\xff\" qos=2 id=1 payload_format_indicator=1
         c4   > PUBLISH a/b \"m7\" qos=2 id=1 retain=1
         c4   settle
         bob  settle
         bob  > SUBSCRIBE a/# qos=1 retain_as_published=1
         bob  barrier
         bob  > SUBSCRIBE a/# qos=1 retain_as_published=1
         bob  barrier
         wait 5 s",
    ),
    (
        "a PUBREC that nobody asked for answers what its client, which closes, will not read",
        "network delay=1ms
         client ann  clean_start=0 session_expiry_interval=60
         client bob  clean_start=1
         ann  > SUBSCRIBE a qos=2
         ann  barrier
         bob  > PUBLISH a \"m\" qos=2
         wait 1 ms
         ann  > PUBREC id=1
         ann  cut fin
         bob  settle
         ann  connect
         ann  barrier",
    ),
    (
        "a PUBACK that nobody asked for is that of a message which its client, which closes, will not read",
        "network delay=1ms
         client ann  clean_start=0 session_expiry_interval=60
         client bob  clean_start=1
         ann  > SUBSCRIBE a qos=1
         ann  barrier
         bob  > PUBLISH a \"m\" qos=1
         wait 1 ms
         ann  > PUBACK id=1
         ann  cut fin
         bob  settle
         ann  connect
         wait 9 s
         ann  barrier",
    ),
    (
        "the Packet Identifier of an exchange that is over is in use again, unread",
        "network delay=1ms
         client ann  clean_start=0 session_expiry_interval=60
         client bob  clean_start=1
         ann  > SUBSCRIBE a qos=2
         ann  barrier
         bob  > PUBLISH a \"m1\" qos=2 id=1
         bob  settle
         ann  settle
         ann  cut fin
         ann  connect
         ann  barrier
         bob  > PUBLISH a \"m2\" qos=2 id=2
         wait 1 ms
         ann  > PUBREC id=1
         ann  > PUBREC id=2
         ann  cut fin
         bob  settle
         ann  connect
         ann  barrier
         wait 9 s
         ann  barrier",
    ),
    (
        "a PUBLISH is sent again with RETAIN, which its first attempt had not",
        "network delay=1ms
         client ann  clean_start=0 session_expiry_interval=60
         client bob  clean_start=1
         ann  > PUBLISH a \"m\" qos=1 id=2
         ann  cut fin
         ann  connect
         ann  > PUBLISH a \"m\" qos=1 id=2 retain=1
         ann  barrier
         bob  > SUBSCRIBE a qos=1
         bob  barrier",
    ),
    (
        "a second CONNECT is malformed while the CONNACK for the first one is under way",
        "network delay=1ms
         client ann  clean_start=1
         ann  open
         ann  > CONNECT clean_start=1 keep_alive=2
         ann  > raw 10 00
         ann  settle",
    ),
    (
        "half a packet can be malformed, too: nobody is disconnected for what another has done",
        "network delay=1ms
         client dan  clean_start=1
         client eve  clean_start=1
         eve  > raw 00 00
         dan  > raw 00 ff 00
         wait 4 ms",
    ),
    (
        "a PUBLISH that is sent again behind its PUBREL may be a new one",
        "mqtt 3.1.1
         network delay=0.1..2ms
         client ann  clean_start=1
         client c3   clean_start=1
         c3   > SUBSCRIBE x qos=2
         c3   > PUBLISH x \"m10\" qos=2 id=1010
         ann  connect
         ann  settle
         c3   > PUBLISH x \"m10\" qos=2 id=1010 dup=1
         c3   settle",
    ),
    (
        "the PUBACK is for the PUBLISH that had the Packet Identifier before",
        "network delay=1ms
         client dan  clean_start=1
         dan  > PUBLISH / \"\" qos=1
         dan  > raw 32 11 00 00 00 01 03 23 00 01 00 00 00 00 00 00 00
         dan  barrier",
    ),
    (
        "the same, with a Topic Alias above the maximum",
        "network delay=1ms
         client ann  clean_start=1
         client bob  clean_start=1
         bob  > PUBLISH a \"\" qos=1
         ann  > PUBLISH \" \" \"\" qos=1
         bob  > raw 32 16 00 00 00 01 07 09 00 01 00 23 00 35 00 00 00 00 00 00 00 00 00 00
         ann  settle",
    ),
    (
        "two Wills of the same payload come live, with RETAIN as published",
        "network delay=1ms
         client bob  clean_start=1 will=/a \"g\" will_qos=1 will_retain=1
         client dan  clean_start=1
         bob  > PUBLISH a \"\" qos=0
         dan  > SUBSCRIBE /+ qos=0 no_local=1 retain_as_published=1 retain_handling=2
         bob  connect
         wait 3.90625 ms
         bob  > broken filter/subscribe-second-filter-hash-before-separator
         dan  barrier",
    ),
    (
        "the end of a connection is held back, and the session with it",
        "network delay=1ms
         client dan  clean_start=0 session_expiry_interval=1
         dan  cut reset
         dan  hold
         wait 10 s
         dan  connect clean_start=0 session_expiry_interval=1
         dan  settle",
    ),
    (
        "the SUBACK is for the SUBSCRIBE that had the Packet Identifier before the malformed one",
        "network delay=1ms
         client ann  clean_start=1
         ann  > SUBSCRIBE + qos=2
         ann  > raw 82 0b 00 01 00 00 00 00 00 00 00 00 00
         ann  settle",
    ),
    (
        "a CONNACK of 3.1 does not say that the session, and its subscriptions, were there",
        "network delay=1ms
         client dan  mqtt=3.1 client_id=c5 clean_start=0
         client c5   clean_start=1 session_expiry_interval=60
         c5    > SUBSCRIBE $share/g/a/b qos=2
         dan   connect
         dan   settle
         c5    open
         c5    > CONNECT clean_start=0
         c5    > SUBSCRIBE $share/h/# qos=2
         c5    > PUBLISH a/b \"\" qos=2
         wait  4.21875 ms",
    ),
    (
        "a Maximum Packet Size that no CONNACK fits in: the connection ends without a word",
        "mqtt 5
         network delay=1ms
         client ann  clean_start=1
         ann  open
         ann  > raw 10 1a 00 04 4d 51 54 54 05 00 00 00 0a 11 00 00 00 00 27 00 00 00 04 00 03 61 6e 6e
         ann  settle",
    ),
    (
        "the CONNECT that takes over is held back, and the older client leaves before it gets there",
        "mqtt 5
         network delay=1ms
         client bob  client_id=bob clean_start=1 session_expiry_interval=60
         client c4   client_id=bob clean_start=1 session_expiry_interval=60
         c4   connect
         c4   settle
         bob  open
         wait 5 ms
         bob  hold
         bob  > CONNECT client_id=bob clean_start=0 session_expiry_interval=60
         wait 40 s
         c4   cut fin
         bob  release
         bob  settle",
    ),
    (
        "a PUBLISH is sent again with another Message Expiry Interval: either may be passed on",
        "mqtt 5
         network delay=1ms
         client ann  clean_start=1
         client bob  client_id=bob clean_start=1 session_expiry_interval=60
         client c3   client_id=bob clean_start=0 session_expiry_interval=60
         bob  connect
         bob  settle
         bob  > raw 33 0f 00 03 61 2f 62 00 01 05 02 00 00 00 0a 6d 34
         bob  cut fin
         ann  > SUBSCRIBE a/b qos=0
         ann  settle
         c3   connect
         c3   > PUBLISH a/b \"m4\" qos=1 id=1 retain=1
         c3   settle",
    ),
];

#[test]
fn the_reference_broker_is_not_accused_of_what_clients_bring_upon_themselves() {
    let accused = SCRIPTS.iter().filter_map(|(why, text)| {
        let script: Script = text.parse().unwrap_or_else(|errors| panic!("{why}\n{errors}"));
        let played = direct::play(script, Broker::new(Policy::default(), 1));
        let found = judge(&played.history, Workload::BOUNDS).accusations;
        found.first().map(|first| format!("{why}: {} accuses, for {}", first.rule, first.observed))
    });
    let accused: Vec<String> = accused.collect();
    assert!(accused.is_empty(), "\n{}", accused.join("\n"));
}

/// Whether one of these rules, or rules with statement, accuses.
fn may_accuse(one: &Accusation, rules: &[&str]) -> bool {
    let cited = one.statements.first().map(|id| format!("{} {id}", one.rule)).unwrap_or_default();
    rules.contains(&one.rule) || rules.contains(&cited.as_str())
}

/// What a broker with a fault does in consequence, and the only rules that may accuse it.
const CONSEQUENCES: [(&str, Mutant, &[&str], &str); 8] = [
    (
        "the SUBACK is that of a malformed SUBSCRIBE with the same Packet Identifier",
        Mutant::NoLocalOnSharedAccepted,
        &["closes_on_error", "error_answered"],
        "network delay=1ms
         client c1   clean_start=1
         c1   > raw 82 14 00 01 00 00 0a 24 73 68 61 72 65 2f 67 2f 78 04 00 01 79 00
         wait 1 ms
         c1   > SUBSCRIBE k qos=0 l qos=0 m qos=0 id=1
         wait 1.5 ms
         c1   > SUBSCRIBE n qos=0 id=1
         c1   settle
         wait 5 s",
    ),
    (
        "what is unsubscribed has come of a malformed SUBSCRIBE",
        Mutant::NoLocalOnSharedAccepted,
        &["closes_on_error", "error_answered"],
        "network delay=1ms
         client c1   clean_start=0 session_expiry_interval=60
         c1   > SUBSCRIBE k qos=0
         c1   barrier
         c1   > raw 82 14 00 02 00 00 0a 24 73 68 61 72 65 2f 67 2f 78 04 00 01 79 00
         c1   barrier
         wait 5 s
         c1   cut fin
         c1   connect
         c1   > UNSUBSCRIBE k y
         c1   settle",
    ),
    (
        "what is retained is a malformed PUBLISH with the payload of another",
        Mutant::DupAtQos0Accepted,
        &["closes_on_error", "error_answered"],
        "mqtt 3.1.1
         network delay=1ms
         client c1   clean_start=1
         client c2   clean_start=1
         c1   > PUBLISH a/x \"m1\" qos=0
         c1   barrier
         c2   > raw 39 07 00 03 61 2f 78 6d 31
         c2   barrier
         c1   > SUBSCRIBE a/x qos=0
         c1   settle
         c1   barrier
         wait 5 s",
    ),
    (
        "a message comes once more as it is sent to a Shared Subscription as a retained one",
        Mutant::RetainedSentToSharedSubscription,
        &["retained_stored"],
        "network delay=1ms
         client cat  clean_start=1
         client dan  clean_start=1
         client eve  clean_start=1
         cat  > SUBSCRIBE $share/g/a/b qos=2
         eve  > PUBLISH a/b \"m\" qos=0 retain=1
         cat  barrier
         eve  barrier
         cat  barrier
         cat  > SUBSCRIBE \"#\" qos=1
         cat  barrier
         cat  > SUBSCRIBE $share/g/a/b qos=2
         cat  barrier
         cat  > SUBSCRIBE $share/g/a/b qos=2
         cat  barrier
         dan  > SUBSCRIBE $share/h/a/b qos=2
         dan  barrier
         wait 5 s",
    ),
    (
        "two bytes are the payload of a malformed PUBLISH, and no Packet Identifier before an empty one",
        Mutant::DupAtQos0Accepted,
        &["closes_on_error", "error_answered"],
        "mqtt 3.1.1
         network delay=1ms
         client c1   clean_start=1
         client c2   clean_start=1
         c1   > SUBSCRIBE a/x qos=0
         c1   > PUBLISH a/x \"\" qos=1
         c1   settle
         c2   > raw 38 07 00 03 61 2f 78 6d 31
         c2   settle
         c1   settle
         c1   barrier
         wait 5 s",
    ),
    (
        "what is published behind a malformed CONNECT that was accepted",
        Mutant::ConnectTrailingBytesAccepted,
        &["closes_on_error"],
        "mqtt 3.1.1
         network delay=1ms
         client c1   clean_start=1
         client c2   clean_start=1
         c1   > SUBSCRIBE a/x qos=0
         c1   settle
         c2   open
         c2   > raw 10 13 00 04 4d 51 54 54 04 02 00 00 00 05 74 68 65 72 65 ff ff
         c2   > PUBLISH a/x \"m\" qos=0
         c1   settle
         c1   barrier
         wait 5 s",
    ),
    (
        "the empty message is that of a malformed PUBLISH",
        Mutant::DupAtQos0Accepted,
        &["closes_on_error", "error_answered"],
        "mqtt 5
         network delay=1ms
         client c3   clean_start=1
         client c4   clean_start=1
         c4   > SUBSCRIBE a/x qos=1
         c4   settle
         c3   > PUBLISH a/x \"m\" qos=0
         c3   > raw 38 06 00 03 61 2f 78 00
         c4   settle
         wait 5 s",
    ),
    (
        "a second copy, without RETAIN, is that of a malformed PUBLISH with the same payload",
        Mutant::DupAtQos0Accepted,
        &["closes_on_error", "error_answered"],
        "mqtt 3.1.1
         network delay=1ms
         client c1   clean_start=1
         client c2   clean_start=1
         client c3   clean_start=1
         c2   > PUBLISH a/x \"m1\" qos=1 retain=1
         c2   settle
         c1   > SUBSCRIBE a/x qos=1
         c1   settle
         c3   > raw 38 07 00 03 61 2f 78 6d 31
         c3   settle
         c1   settle
         wait 5 s",
    ),
];

#[test]
fn what_follows_from_a_fault_is_no_other_breach() {
    let accused = CONSEQUENCES.iter().filter_map(|(why, mutant, rules, text)| {
        let script: Script = text.parse().unwrap_or_else(|errors| panic!("{why}\n{errors}"));
        let played = direct::play(script, Broker::new(Policy::default(), 1).with_mutant(*mutant));
        let found = judge(&played.history, Workload::BOUNDS).accusations;
        let seen: Vec<_> = found.iter().map(|one| format!("{}: {}", one.rule, one.observed)).collect();
        let right = !found.is_empty() && found.iter().all(|one| may_accuse(one, rules));
        (!right).then(|| format!("{why}: {seen:#?}"))
    });
    let accused: Vec<String> = accused.collect();
    assert!(accused.is_empty(), "\n{}", accused.join("\n"));
}

/// What a broker did that is not ours, as it was recorded, and the only rules that may accuse it.
const RECORDED: [(&str, &str, &[&str]); 12] = [
    (
        "what another user publishes under the same Client Identifier is not one's own",
        include_str!("recorded/no_local_of_two_users.jsonl"),
        &[],
    ),
    (
        "two users have sessions of their own with one Client Identifier",
        include_str!("recorded/sessions_of_two_users.jsonl"),
        &[],
    ),
    (
        "0x00 for each filter of an UNSUBSCRIBE treats one like the other, though one was not there",
        include_str!("recorded/each_filter_is_unsubscribed.jsonl"),
        &[],
    ),
    (
        "the filter may be one of the session before",
        include_str!("recorded/filters_of_the_session_before.jsonl"),
        &["subscribed MQTT-3.3.2-3"],
    ),
    (
        "0x02 is the answer to an empty Client Identifier without Clean Session, malformed as CONNECT is",
        include_str!("recorded/identifier_of_a_malformed_connect_rejected.jsonl"),
        &[],
    ),
    (
        "a copy that waited has RETAIN by Retain As Published, of a subscription that another has replaced",
        include_str!("recorded/waiting_copy_with_the_old_options.jsonl"),
        &[],
    ),
    (
        "so has a live one: the retained message that comes later is the first",
        include_str!("recorded/live_copy_with_the_old_options.jsonl"),
        &["retain_flag"],
    ),
    (
        "the session, and its subscription, are those of a malformed CONNECT",
        include_str!("recorded/session_of_a_malformed_connect.jsonl"),
        &["closes_on_error"],
    ),
    (
        "a refusal in the form of 3.1.1, for a CONNECT of an unknown level, before another CONNECT",
        include_str!("recorded/connack_for_another_version.jsonl"),
        &[],
    ),
    (
        "somebody else's message has the payload of what was published to a topic with a wildcard",
        include_str!("recorded/others_with_the_same_payload.jsonl"),
        &[],
    ),
    (
        "$share/… is a Shared Subscription in 3.1.1, too",
        include_str!("recorded/shared_subscription_in_3_1_1.jsonl"),
        &[],
    ),
    (
        "a connection that was taken over publishes yet: the answer on the newer one is to what that one has published",
        include_str!("recorded/publish_on_a_connection_taken_over.jsonl"),
        &[],
    ),
];

#[test]
fn what_follows_from_a_breach_or_a_freedom_is_no_other_breach() {
    for (why, text, rules) in RECORDED {
        let history = jsonl::parse(text).expect("a history");
        // Others used the broker, too.
        let found = judge(&history, Bounds { closed_world: false, ..Workload::BOUNDS }).accusations;
        assert!(found.iter().all(|one| may_accuse(one, rules)), "{why}: {found:#?}");
    }
}
