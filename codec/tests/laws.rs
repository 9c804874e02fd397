//! The laws of the codec, over packets of every version and direction.

use mqtt_assay_codec::generate::{self, Owned};
use mqtt_assay_codec::raw;
use mqtt_assay_codec::{Decoder, Malformed, Packet, Receiver, Version, describe};
use proptest::prelude::*;

/// A version, a direction, and what `make` makes of them.
fn with_decoder<S>(make: impl Fn(Version, Receiver) -> S + Copy) -> impl Strategy<Value = (Decoder, S::Value)>
where
    S: Strategy + 'static,
    S::Value: Clone,
{
    (generate::version(), generate::receiver()).prop_flat_map(move |(version, receiver)| {
        (Just(Decoder::new(version, receiver)), make(version, receiver))
    })
}

/// The encoding, which is the same in a buffer without room and behind the bytes of one with room.
fn encode(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes).expect("what is generated or decoded can be encoded");
    let mut roomy = Vec::with_capacity(bytes.len() + 64);
    roomy.push(0xAB);
    packet.encode(version, &mut roomy).expect("it was encoded before");
    assert_eq!((roomy[0], &roomy[1..]), (0xAB, &bytes[..]), "{packet:?}");
    bytes
}

/// What a stream holds, packet by packet, as encodings, and the offence that ends it.
fn read_all(decoder: Decoder, mut stream: &[u8]) -> (Vec<Vec<u8>>, Option<Malformed>) {
    let mut packets = Vec::new();
    loop {
        match decoder.next(stream) {
            Ok(Some((_, length))) => {
                packets.push(stream[..length].to_vec());
                stream = &stream[length..];
            }
            Ok(None) => return (packets, None),
            Err(refused) => return (packets, Some(refused)),
        }
    }
}

/// The same through a buffer that is filled chunk by chunk.
fn read_in_chunks(decoder: Decoder, stream: &[u8], chunks: &[usize]) -> (Vec<Vec<u8>>, Option<Malformed>) {
    let (mut packets, mut buffer, mut rest) = (Vec::new(), Vec::new(), stream);
    let mut chunks = chunks.iter().cycle();
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at((*chunks.next().expect("a cycle")).min(rest.len()));
        buffer.extend_from_slice(chunk);
        rest = later;
        let (found, refused) = read_all(decoder, &buffer);
        buffer.drain(..found.iter().map(Vec::len).sum::<usize>());
        packets.extend(found);
        if refused.is_some() {
            return (packets, refused);
        }
    }
    (packets, None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 10 } else { 1_000 }))]

    /// decode ∘ encode is the identity on packets.
    #[test]
    fn a_packet_comes_back_as_it_was((decoder, owned) in with_decoder(generate::packet)) {
        let packet = owned.packet();
        let mut bytes = encode(&packet, decoder.version);
        prop_assert_eq!(decoder.next(&bytes), Ok(Some((packet, bytes.len()))));
        // What follows does not matter.
        let length = bytes.len();
        bytes.extend_from_slice(b"\xFF\xFF");
        prop_assert_eq!(decoder.next(&bytes), Ok(Some((packet, length))));
    }

    /// encode ∘ decode is the identity on the bytes that the encoder chooses, and settles at once on all others.
    #[test]
    fn canonical_bytes_come_back_as_they_were((decoder, bytes) in with_decoder(generate::near_miss)) {
        if let Ok(Some((packet, _))) = decoder.next(&bytes) {
            // A CONNECT is of its own version.
            let canonical = encode(&packet, decoder.version);
            let (again, length) = decoder.next(&canonical).expect("well-formed").expect("whole");
            prop_assert_eq!(length, canonical.len());
            prop_assert_eq!(again, packet);
            prop_assert_eq!(encode(&again, decoder.version), canonical);
        }
    }

    /// Any split of a stream into chunks gives the same packets, and the same end.
    #[test]
    fn chunks_do_not_matter(
        (decoder, packets) in with_decoder(|version, receiver| prop::collection::vec(generate::bytes(version, receiver), 0..5)),
        last in prop::option::of(any::<prop::sample::Index>()),
        chunks in prop::collection::vec(1_usize..12, 1..6),
    ) {
        let mut stream = packets.concat();
        if let Some(index) = last {
            let broken = raw::cases(decoder.version, decoder.receiver);
            stream.extend_from_slice(&broken[index.index(broken.len())].bytes);
        }
        let whole = read_all(decoder, &stream);
        prop_assert_eq!(&whole.0, &packets);
        prop_assert_eq!(last.is_some(), whole.1.is_some());
        prop_assert_eq!(read_in_chunks(decoder, &stream, &chunks), whole);
    }

    /// A prefix of a packet is no packet, and no offence either.
    #[test]
    fn a_prefix_is_incomplete((decoder, bytes) in with_decoder(generate::bytes)) {
        for length in 0..bytes.len() {
            prop_assert_eq!(decoder.next(&bytes[..length]), Ok(None));
        }
    }

    /// Whatever is done to one byte of a packet, the outcome is a packet, an offence, or the wish for more.
    #[test]
    fn each_mutation_of_one_byte_has_an_outcome(
        (decoder, bytes) in with_decoder(generate::bytes),
        index in any::<prop::sample::Index>(),
    ) {
        let at = index.index(bytes.len());
        for value in 0..=255 {
            let mut mutated = bytes.clone();
            mutated[at] = value;
            match decoder.next(&mutated) {
                Ok(Some((packet, length))) => {
                    prop_assert!(length <= mutated.len());
                    let _ = describe::line(&packet, decoder.version);
                }
                Ok(None) => prop_assert!(at < 5),
                Err(refused) => prop_assert!(refused.offset as usize <= mutated.len()),
            }
        }
    }

    /// The same for near misses of every other kind, and for bytes without any sense.
    #[test]
    fn any_bytes_have_an_outcome(
        (decoder, bytes) in with_decoder(generate::near_miss),
        noise in any::<Vec<u8>>(),
    ) {
        for bytes in [&bytes, &noise] {
            if let Err(refused) = decoder.next(bytes) {
                prop_assert!(refused.offset as usize <= bytes.len());
                prop_assert!(!refused.to_string().is_empty());
            }
        }
    }

    /// What a list holds is what its iterator gives, so often as one likes.
    #[test]
    fn lists_iterate_to_their_end((_, owned) in with_decoder(generate::packet)) {
        let packet = owned.packet();
        if let Some(properties) = packet.properties() {
            let again: mqtt_assay_codec::PropertyList = properties.iter().collect();
            prop_assert_eq!(again.view(), properties);
        }
        match &owned {
            Owned::Subscribe { list, .. } => {
                let mut again = mqtt_assay_codec::SubscriptionList::new();
                for subscription in list.view().iter() {
                    again.push(subscription.filter, subscription.options);
                }
                prop_assert_eq!(&again, list);
            }
            Owned::Unsubscribe { list, .. } => {
                let mut again = mqtt_assay_codec::TopicFilterList::new();
                for filter in list.view().iter() {
                    again.push(filter);
                }
                prop_assert_eq!(&again, list);
            }
            _ => {}
        }
    }
}

/// Each byte of each packet that `raw` knows, set to each value: exhaustive, and no panic.
#[test]
fn each_mutation_of_each_case_has_an_outcome() {
    let mut outcomes = [0_u64; 3];
    for version in [Version::V3_1_1, Version::V5] {
        for receiver in [Receiver::Server, Receiver::Client] {
            let decoder = Decoder::new(version, receiver);
            for case in raw::cases(version, receiver).into_iter().step_by(7) {
                let mut bytes = case.bytes;
                for at in 0..bytes.len() {
                    let kept = bytes[at];
                    for value in 0..=255 {
                        bytes[at] = value;
                        match decoder.next(&bytes) {
                            Ok(Some(_)) => outcomes[0] += 1,
                            Ok(None) => outcomes[1] += 1,
                            Err(_) => outcomes[2] += 1,
                        }
                    }
                    bytes[at] = kept;
                }
            }
        }
    }
    assert!(outcomes.iter().all(|&count| count > 1_000), "{outcomes:?}");
}
