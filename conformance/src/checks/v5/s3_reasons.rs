//! Reason Codes, and the short forms of the packets that carry them. [5.0 §2.4, §3.4 to §3.7, §3.14]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Refusal, Severity, Stop, Story, puback, pubcomp, publish, pubrec, pubrel};
use mqtt_assay_codec::{Offence, Packet, PacketId, PacketType, Property, Qos, ReasonCode, raw};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    NO_MATCHING_SUBSCRIBERS_IS_TRUE,
    SHORT_ACKNOWLEDGEMENTS_COUNT,
    UNLISTED_CODES_ARE_REFUSED,
    UNLISTED_PUBREL_CODE_IS_NOT_SUCCESS,
    UNKNOWN_PUBREL_IS_ANSWERED,
    UNKNOWN_PUBREC_IS_ANSWERED,
    UNLISTED_DISCONNECT_CODE_ENDS_IT,
];

check! {
    /// PUBACK and PUBREC say 0x10, no matching subscribers, only if there is none.
    ///
    /// Sends     A publishes at QoS 1 and 2 to a topic that B subscribes to; again while B is away and its session is
    ///           kept; then to a topic of nobody's.
    /// Demands   0x00 where there is a subscription.
    /// Leaves    whether 0x10 is used at all: noted.
    NO_MATCHING_SUBSCRIBERS_IS_TRUE "reason/no_matching_subscribers_is_true",
    covers: [V5 / "U5-RC-2"],
    needs: [Qos1, Qos2],
    proved: ["no_matching_subscribers_always"],
    run: async |w| {
        let (topic, nobody) = (w.topic("somebody"), w.topic("nobody"));
        let mut b = w.client("b").persistent(60).connect().await?;
        b.subscribe(&topic, Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        for round in 0..3 {
            let (topic, codes) = match round {
                2 => (&nobody, &[ReasonCode::SUCCESS, ReasonCode::NO_MATCHING_SUBSCRIBERS][..]),
                _ => (&topic, &[ReasonCode::SUCCESS][..]),
            };
            let Some(one) = a.publish(topic, b"1").qos1().send().await? else { break };
            let answer = a.expect(puback(one).reason(codes)).await?;
            if matches!(answer.packet(), Packet::Puback(ack) if ack.reason == ReasonCode::NO_MATCHING_SUBSCRIBERS) {
                w.note("PUBACK 0x10 tells that nobody subscribes");
            }
            let Some(two) = a.publish(topic, b"2").qos2().send().await? else { break };
            a.expect(pubrec(two).reason(codes)).await?;
            a.pubrel(two, ReasonCode::SUCCESS).await?;
            a.await_message(pubcomp(two)).await?;
            if round == 0 {
                // That somebody subscribes is not for the broker's codes to say.
                for payload in [b"1", b"2"] {
                    b.await_message(publish(topic).payload(payload)).await?;
                }
                b.disconnect().await;
            }
        }
        Ok(())
    }
}

/// The broker has read an acknowledgement, and goes on, before the next message comes: what becomes of one that comes first
/// is not the form's.
async fn is_taken(client: &mut Client<'_>) -> Story {
    match client.ping().await {
        Err(_) if client.ended().is_some() => Err(Stop::violates(
            "the connection goes on behind the acknowledgement",
            "the broker closed the connection",
        )),
        other => other,
    }
}

check! {
    /// An acknowledgement may leave out what it has nothing to say in: properties, and the code of success.
    ///
    /// Sends     A publishes to B, whose Receive Maximum is 1 and who answers with PUBACK, PUBREC and PUBCOMP in each
    ///           form: Packet Identifier alone, with code, with empty properties, with a Reason String. A sends its
    ///           PUBREL in each form too.
    /// Demands   the packet that is next in each exchange, and the next message.
    /// Leaves    nothing.
    SHORT_ACKNOWLEDGEMENTS_COUNT "reason/short_acknowledgements_count",
    covers: [V5 / "U5-LEN-2"],
    needs: [Qos1, Qos2],
    proved: ["short_acknowledgement_refused"],
    run: async |w| {
        let topic = w.topic("forms");
        let builder = w.client("b").property(Property::ReceiveMaximum(1)).acknowledge_by_hand();
        let mut b = builder.connect().await?;
        b.subscribe(&topic, Qos::ExactlyOnce).await?;
        let mut a = w.connect("a").await?;
        for tail in [&b""[..], b"\x00", b"\x00\x00", b"\x00\x05\x1F\x00\x02ok"] {
            let form = |first: u8, id: PacketId| raw::Builder::new(first).u16(id.get()).bytes(tail).finish();
            a.publish(&topic, b"one").qos1().acknowledged().await?;
            let one = b.expect(publish(&topic).payload(b"one")).await?.id()?;
            b.send_bytes(&form(0x40, one)).await?;
            is_taken(&mut b).await?;

            let Some(sent) = a.publish(&topic, b"two").qos2().send().await? else {
                return Err(Stop::inconclusive("QoS 2 has a Packet Identifier"));
            };
            a.await_message(pubrec(sent)).await?;
            a.send_bytes(&form(0x62, sent)).await?;
            a.expect(pubcomp(sent)).await?;
            let two = b.expect(publish(&topic).payload(b"two")).await?.id()?;
            b.send_bytes(&form(0x50, two)).await?;
            b.expect(pubrel(two)).await?;
            b.send_bytes(&form(0x70, two)).await?;
            is_taken(&mut b).await?;
        }
        // The last PUBCOMP has freed its slot too.
        a.publish(&topic, b"last").qos1().acknowledged().await?;
        b.expect(publish(&topic).payload(b"last")).await?;
        Ok(())
    }
}

check! {
    /// An acknowledgement has one of the Reason Codes listed for it.
    ///
    /// Sends     PUBACK, PUBREC, PUBREL and PUBCOMP with codes that are not listed for them.
    /// Demands   the end of the connection.
    /// Leaves    how strictly to check is left to the broker: the Packet Identifiers are unknown to it anyway.
    UNLISTED_CODES_ARE_REFUSED "reason/unlisted_codes_are_refused",
    covers: [
        V5 / "MQTT-3.4.2-1", V5 / "MQTT-3.5.2-1", V5 / "MQTT-3.6.2-1", V5 / "MQTT-3.7.2-1", V5 / "MQTT-4.13.1-1",
    ],
    needs: [],
    proved: ["protocol_error_kept_open"],
    run: async |w| {
        let code = |offence| {
            matches!(offence, Offence::PubackCode | Offence::PubrecCode | Offence::PubrelCode | Offence::PubcompCode)
        };
        let some = ["-01", "-7f", "-80", "-92", "-ff"];
        w.wrong(|case| code(case.offence) && some.iter().any(|end| case.name.ends_with(end)))
            .code(ReasonCode::PROTOCOL_ERROR)
            .may_be_tolerated()
            .each_refused()
            .await
    }
}

check! {
    /// A PUBREL with a Reason Code that is not listed for it does not complete an exchange.
    ///
    /// Sends     A publishes at QoS 2, and answers PUBREC with PUBREL 0x80.
    /// Demands   the end of the connection, not PUBCOMP 0x00.
    /// Leaves    how strictly to check is left to the broker.
    UNLISTED_PUBREL_CODE_IS_NOT_SUCCESS "reason/unlisted_pubrel_code_is_not_success",
    covers: [V5 / "MQTT-3.6.2-1"],
    needs: [Qos2],
    proved: ["ack_code_unlisted_accepted"],
    run: async |w| {
        let mut a = w.connect("a").await?;
        let Some(id) = a.publish(&w.topic("released"), b"x").qos2().send().await? else {
            return Err(Stop::inconclusive("QoS 2 has a Packet Identifier"));
        };
        a.await_message(pubrec(id)).await?;
        a.send_bytes(&raw::Builder::new(0x62).u16(id.get()).u8(0x80).finish()).await?;
        let reaction = a.reaction().await?;
        if let Some(answer) = a.inbox().find(|r| matches!(r.packet(), Packet::Pubcomp(c) if c.reason.is_success())) {
            w.deviates(None, "the end of the connection", answer.line());
        }
        a.judge_refusal(reaction, ReasonCode::PROTOCOL_ERROR, Severity::MayOverlook)
    }
}

check! {
    /// PUBREL for a Packet Identifier that is not in use is answered all the same.
    ///
    /// Sends     PUBREL without any PUBLISH before it.
    /// Demands   PUBCOMP, with 0x92 or with 0x00.
    /// Leaves    0x92, Packet Identifier not found, is described for it: 0x00 is noted.
    UNKNOWN_PUBREL_IS_ANSWERED "reason/unknown_pubrel_is_answered",
    covers: [V5 / "U5-RC-3", V5 / "MQTT-4.3.3-11"],
    needs: [Qos2],
    proved: ["pubrel_of_unknown_id_ignored", "pubcomp_code_unlisted"],
    run: async |w| {
        let mut a = w.connect("a").await?;
        let id = PacketId::MAX;
        a.pubrel(id, ReasonCode::SUCCESS).await?;
        let expected = [ReasonCode::PACKET_IDENTIFIER_NOT_FOUND, ReasonCode::SUCCESS];
        let answer = a.expect(pubcomp(id).reason(&expected)).await?;
        if matches!(answer.packet(), Packet::Pubcomp(ack) if ack.reason.is_success()) {
            w.note("PUBREL of an unknown Packet Identifier is answered with PUBCOMP 0x00, not 0x92");
        }
        Ok(())
    }
}

check! {
    /// PUBREC for a Packet Identifier that is not in use is answered with PUBREL 0x92.
    ///
    /// Sends     PUBREC without any PUBLISH before it.
    /// Demands   PUBREL, with 0x92.
    /// Leaves    everything: the specification describes this answer and does not demand it. Another is a deviation;
    ///           the end of the connection is noted.
    UNKNOWN_PUBREC_IS_ANSWERED "reason/unknown_pubrec_is_answered",
    covers: [V5 / "U5-RC-4"],
    needs: [Qos2],
    proved: ["pubrec_of_unknown_id_ignored", "pubrel_code_unlisted"],
    run: async |w| {
        let mut a = w.connect_alive("a").await?;
        let id = PacketId::MAX;
        a.pubrec(id, ReasonCode::SUCCESS).await?;
        let reaction = a.reaction().await?;
        let expected = pubrel(id).reason(&[ReasonCode::PACKET_IDENTIFIER_NOT_FOUND]).to_string();
        let answer = a.inbox().find(|r| r.packet_type() == PacketType::Pubrel && r.packet().packet_id() == Some(id));
        match (answer, reaction) {
            (Some(answer), _) if answer.reason() == ReasonCode::PACKET_IDENTIFIER_NOT_FOUND => {}
            (Some(answer), _) => w.deviates(None, expected, answer.line()),
            (None, Refusal::Ended(..)) => w.note("PUBREC of an unknown Packet Identifier ends the connection"),
            (None, Refusal::WentOn) => w.deviates(None, expected, "no answer, though PINGREQ is answered"),
            (None, Refusal::HeldOpen | Refusal::Stuck) => {
                return Err(Stop::inconclusive("the broker answers PINGREQ no more"));
            }
        }
        Ok(())
    }
}

check! {
    /// DISCONNECT with a Reason Code that is not listed for Clients is an error, and ends the connection.
    ///
    /// Sends     DISCONNECT with codes that are not listed, and with codes that are the Server's.
    /// Demands   the end of the connection.
    /// Leaves    whether the broker says DISCONNECT 0x82 first.
    UNLISTED_DISCONNECT_CODE_ENDS_IT "reason/unlisted_disconnect_code_ends_it",
    covers: [V5 / "MQTT-3.14.2-1", V5 / "MQTT-4.13.1-1"],
    needs: [],
    proved: ["protocol_error_kept_open"],
    run: async |w| {
        let some = ["-01", "-05", "-7f", "-8b", "-8e", "-ff"];
        w.wrong(|case| case.offence == Offence::DisconnectCode && some.iter().any(|end| case.name.ends_with(end)))
            .code(ReasonCode::PROTOCOL_ERROR)
            .each_refused()
            .await
    }
}
