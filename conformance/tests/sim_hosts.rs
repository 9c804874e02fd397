//! A simulated network driven step by step from outside: clients on hosts of their own, and faults that hit one of
//! them or the broker.

use mqtt_assay::net::sim::{Close, Command, Conditions, Event, Fault, Memory, Simulation, Told};
use mqtt_assay::story::End;
use mqtt_assay_codec::{
    Connect, Decoder, Packet, PacketId, PacketType, Properties, Publish, Qos, Receiver, Subscribe,
    SubscriptionList, SubscriptionOptions, Version, Will,
};
use std::collections::BTreeMap;
use std::time::Duration;

const VERSION: Version = Version::V3_1_1;

/// The longest that anything here may take, in virtual time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Drives a simulation by hand, as a player of scripts does.
struct Drive {
    simulation: Simulation,
    /// Bytes that came and are no whole packet yet, and packets that nobody has asked for yet.
    bytes: BTreeMap<(String, u64), Vec<u8>>,
    packets: Vec<(String, u64, PacketType, Vec<u8>)>,
    /// Everything that was told, with times.
    told: Vec<(Duration, Told)>,
    seen: usize,
}

impl Drive {
    fn new(seed: u64) -> Self {
        let conditions = Conditions { seed, ..Conditions::default() };
        Drive {
            simulation: Simulation::new(conditions).expect("the build is fit for it"),
            bytes: BTreeMap::new(),
            packets: Vec::new(),
            told: Vec::new(),
            seen: 0,
        }
    }

    fn step(&mut self) {
        for told in self.simulation.step().expect("no fault of ours") {
            if let Event::Received(bytes) = &told.event {
                let key = (told.client.to_string(), told.connection);
                let buffer = self.bytes.entry(key.clone()).or_default();
                buffer.extend(bytes);
                while let Ok(Some((packet, length))) = Decoder::new(VERSION, Receiver::Client).next(buffer) {
                    let packet_type = packet.packet_type();
                    let whole = buffer.drain(..length).collect();
                    self.packets.push((key.0.clone(), key.1, packet_type, whole));
                }
            }
            self.told.push((self.simulation.elapsed(), told));
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.simulation.elapsed() + time;
        while self.simulation.elapsed() < end {
            self.step();
        }
    }

    /// Steps until this event is told of this client's connection; gives it.
    fn until(&mut self, client: &str, connection: u64, is_meant: impl Fn(&Event) -> bool) -> Event {
        let limit = self.simulation.elapsed() + PATIENCE;
        loop {
            while let Some((_, told)) = self.told.get(self.seen) {
                self.seen += 1;
                if &*told.client == client && told.connection == connection && is_meant(&told.event) {
                    return told.event.clone();
                }
            }
            assert!(self.simulation.elapsed() < limit, "{client} {connection} is not told what it should be");
            self.step();
        }
    }

    /// Steps until this client has this packet; takes it.
    fn packet(&mut self, client: &str, connection: u64, packet_type: PacketType) -> Vec<u8> {
        let limit = self.simulation.elapsed() + PATIENCE;
        loop {
            let of = |(c, n, t, _): &(String, u64, PacketType, Vec<u8>)| {
                c == client && *n == connection && *t == packet_type
            };
            if let Some(at) = self.packets.iter().position(of) {
                return self.packets.remove(at).3;
            }
            assert!(self.simulation.elapsed() < limit, "{client} {connection} has no {packet_type}");
            self.step();
        }
    }

    fn has(&self, client: &str, packet_type: PacketType) -> bool {
        self.packets.iter().any(|(c, _, t, _)| c == client && *t == packet_type)
    }

    fn write(&mut self, client: &str, connection: u64, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(VERSION, &mut bytes).expect("it fits a packet");
        self.simulation.command(client, Command::Write { connection, bytes });
    }

    fn open(&mut self, client: &str, connection: u64) {
        self.simulation.command(client, Command::Open { connection });
    }

    fn close(&mut self, client: &str, connection: u64, how: Close) {
        self.simulation.command(client, Command::Close { connection, how });
    }

    /// Connects with a session that is kept; gives Session Present. Each client has a Will on the topic `will`.
    fn connect(&mut self, client: &str, connection: u64) -> bool {
        self.open(client, connection);
        let will = Will {
            topic: "will",
            payload: client.as_bytes(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: Properties::NONE,
        };
        let connect =
            Connect { clean_start: false, keep_alive: 2, will: Some(will), ..Connect::new(VERSION, client) };
        self.write(client, connection, &Packet::Connect(connect));
        let connack = self.packet(client, connection, PacketType::Connack);
        assert_eq!(connack[3], 0, "accepted");
        connack[2] == 1
    }

    fn subscribe(&mut self, client: &str, connection: u64, filter: &str) {
        let options = SubscriptionOptions::qos(Qos::AtLeastOnce);
        let list = SubscriptionList::one(filter, options);
        let packet_id = PacketId::new(1).expect("it is not zero");
        self.write(
            client,
            connection,
            &Packet::Subscribe(Subscribe {
                packet_id,
                properties: Properties::NONE,
                subscriptions: list.view(),
            }),
        );
        self.packet(client, connection, PacketType::Suback);
    }

    fn publish(&mut self, client: &str, connection: u64, payload: &[u8]) {
        let publish =
            Publish { qos: Qos::AtLeastOnce, packet_id: PacketId::new(9), ..Publish::new("news", payload) };
        self.write(client, connection, &Packet::Publish(publish));
    }

    fn ping(&mut self, client: &str, connection: u64) {
        self.write(client, connection, &Packet::Pingreq);
        self.packet(client, connection, PacketType::Pingresp);
    }

    /// Two connected clients, of which `a` subscribes to what `b` publishes.
    fn connected(seed: u64) -> Self {
        let mut drive = Drive::new(seed);
        assert!(!drive.connect("a", 1));
        assert!(!drive.connect("b", 1));
        drive.subscribe("a", 1, "news");
        drive
    }
}

fn is_ended(event: &Event) -> bool {
    matches!(event, Event::Ended(_))
}

#[test]
fn what_is_held_arrives_when_it_is_released() {
    let mut drive = Drive::connected(1);
    drive.publish("b", 1, b"one");
    drive.packet("b", 1, PacketType::Puback);
    assert!(drive.packet("a", 1, PacketType::Publish).ends_with(b"one"));

    drive.simulation.fault(&Fault::Hold("a".into()));
    drive.publish("b", 1, b"two");
    drive.packet("b", 1, PacketType::Puback);
    drive.pass(Duration::from_secs(1));
    assert!(!drive.has("a", PacketType::Publish), "it passes a link that is held");
    drive.simulation.fault(&Fault::Release("a".into()));
    assert!(drive.packet("a", 1, PacketType::Publish).ends_with(b"two"));
}

#[test]
fn a_partition_hits_one_client_and_is_for_ever() {
    let mut drive = Drive::connected(2);
    drive.simulation.fault(&Fault::Partition("a".into()));
    drive.publish("b", 1, b"lost on its way");
    drive.packet("b", 1, PacketType::Puback);
    for _ in 0..5 {
        drive.pass(Duration::from_secs(1));
        drive.ping("b", 1);
    }
    assert!(!drive.has("a", PacketType::Publish));
    assert!(!drive.told.iter().any(|(_, told)| is_ended(&told.event)), "a partition is silent");

    // The broker gave the connection up long ago. [3.1.1/MQTT-3.1.2-24]
    drive.simulation.fault(&Fault::Repair("a".into()));
    assert!(drive.connect("a", 2), "the session is kept");
    assert!(drive.packet("a", 2, PacketType::Publish).ends_with(b"lost on its way"));
}

#[test]
fn a_connection_through_a_partition_is_refused() {
    let mut drive = Drive::new(3);
    drive.simulation.fault(&Fault::Partition("a".into()));
    drive.open("a", 1);
    assert_eq!(drive.until("a", 1, |_| true), Event::Refused);
    drive.simulation.fault(&Fault::Repair("a".into()));
    drive.open("a", 2);
    assert_eq!(drive.until("a", 2, |_| true), Event::Opened);
}

#[test]
fn a_crash_is_polite_and_a_broker_comes_back_as_its_memory_was() {
    for (memory, kept) in [(Memory::Kept, true), (Memory::Lost, false)] {
        let mut drive = Drive::connected(4);
        drive.simulation.fault(&Fault::Crash);
        assert_eq!(drive.until("a", 1, is_ended), Event::Ended(End::Closed));
        drive.pass(Duration::from_secs(1));
        drive.simulation.fault(&Fault::Bounce(memory));
        drive.pass(Duration::from_millis(100));
        assert_eq!(drive.connect("a", 2), kept, "{memory:?}");
        assert_eq!(drive.connect("b", 2), kept, "{memory:?}");
        drive.ping("a", 2);
    }
}

#[test]
fn who_connects_to_a_dead_broker_waits_for_it() {
    let mut drive = Drive::new(5);
    drive.simulation.fault(&Fault::Crash);
    drive.open("a", 1);
    drive.pass(Duration::from_secs(5));
    assert_eq!(drive.told, [], "nobody answers");
    drive.simulation.fault(&Fault::Bounce(Memory::Kept));
    assert_eq!(drive.until("a", 1, |_| true), Event::Refused);
}

#[test]
fn a_power_cut_tells_nobody() {
    let mut drive = Drive::connected(6);
    drive.simulation.fault(&Fault::Partition("b".into()));
    drive.simulation.fault(&Fault::PowerCut);
    drive.pass(Duration::from_secs(1));
    drive.simulation.fault(&Fault::Bounce(Memory::Kept));
    drive.pass(Duration::from_secs(1));
    assert!(!drive.told.iter().any(|(_, told)| is_ended(&told.event)), "a power cut is silent");
    drive.write("a", 1, &Packet::Pingreq);
    assert_eq!(drive.until("a", 1, is_ended), Event::Ended(End::Reset));
    assert!(drive.connect("a", 2));
    // One that was cut off before is so still.
    drive.open("b", 2);
    assert_eq!(drive.until("b", 2, |_| true), Event::Refused);
}

#[test]
fn the_broker_sees_each_way_of_closing() {
    for (how, least, most) in [
        (Close::Fin, 0, 100),
        (Close::Reset, 0, 100),
        // Nothing tells it but the keep alive: one and a half times two seconds. [3.1.1/MQTT-3.1.2-24]
        (Close::Silent, 2_900, 3_500),
    ] {
        let mut drive = Drive::connected(7);
        drive.subscribe("a", 1, "will");
        drive.ping("a", 1);
        let begun = drive.simulation.elapsed();
        drive.close("b", 1, how);
        while !drive.has("a", PacketType::Publish) {
            drive.ping("a", 1);
        }
        assert!(drive.packet("a", 1, PacketType::Publish).ends_with(b"b"));
        let took = (drive.simulation.elapsed() - begun).as_millis();
        assert!((least..=most).contains(&took), "{how:?}: {took} ms");
        drive.pass(Duration::from_millis(100));
        assert!(!drive.told.iter().any(|(_, told)| &*told.client == "b" && is_ended(&told.event)));
    }
}

/// What was written before an orderly end arrives before it, even if the reader of the broker's answers is gone.
#[test]
fn an_orderly_end_comes_behind_what_was_written() {
    let mut drive = Drive::connected(8);
    drive.publish("b", 1, b"last words");
    drive.write("b", 1, &Packet::Disconnect(Default::default()));
    drive.close("b", 1, Close::Fin);
    assert!(drive.packet("a", 1, PacketType::Publish).ends_with(b"last words"));
}

#[test]
fn who_stalls_reads_nothing_until_it_goes_on() {
    let mut drive = Drive::connected(9);
    drive.simulation.command("a", Command::Stall { connection: 1, stalled: true });
    drive.publish("b", 1, b"waits");
    drive.packet("b", 1, PacketType::Puback);
    drive.pass(Duration::from_secs(1));
    assert!(!drive.has("a", PacketType::Publish));
    drive.simulation.command("a", Command::Stall { connection: 1, stalled: false });
    assert!(drive.packet("a", 1, PacketType::Publish).ends_with(b"waits"));
}

/// More requests at the same time than the simulator's queue could take.
#[test]
fn many_requests_may_be_held_and_released() {
    let mut drive = Drive::new(10);
    drive.simulation.fault(&Fault::Hold("a".into()));
    for connection in 1..=200 {
        drive.open("a", connection);
    }
    drive.pass(Duration::from_secs(1));
    drive.simulation.fault(&Fault::Release("a".into()));
    drive.pass(Duration::from_secs(1));
    assert_eq!(drive.told.iter().filter(|(_, told)| told.event == Event::Opened).count(), 200);
}

#[test]
fn the_same_seed_tells_the_same() {
    let run = |seed| {
        let mut drive = Drive::connected(seed);
        for number in 0..20 {
            drive.publish("b", 1, &[number; 20]);
        }
        drive.pass(Duration::from_millis(200));
        drive.simulation.fault(&Fault::Hold("b".into()));
        drive.close("a", 1, Close::Reset);
        drive.pass(Duration::from_millis(200));
        drive.simulation.fault(&Fault::Release("b".into()));
        drive.connect("a", 2);
        drive.simulation.fault(&Fault::Crash);
        drive.pass(Duration::from_millis(200));
        drive.simulation.fault(&Fault::Bounce(Memory::Kept));
        drive.pass(Duration::from_millis(200));
        drive.connect("a", 3);
        drive.told
    };
    assert!(run(11) == run(11));
    assert!(run(11) != run(12));
}
