//! Shared Subscriptions. [5.0 §4.8.2]

use crate::check;
use crate::check::Check;
use crate::story::{Client, Next, Received, Stop, Story, World, publish, pubrel};
use mqtt_assay_codec::{Offence, Qos, ReasonCode};
use tokio::time::Instant;

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    NAME_MUST_FIT,
    GROUPS_ARE_SEPARATE,
    UNSUBSCRIBE_NEEDS_THE_WHOLE_FILTER,
    EACH_MESSAGE_GOES_TO_ONE_MEMBER,
    SUBSCRIBING_TWICE_COUNTS_ONCE,
    RETAINED_MESSAGES_ARE_NOT_SENT,
    OUTLIVES_ITS_FIRST_MEMBER,
    GRANTED_QOS_IS_THE_MEMBERS,
    QOS_2_IS_COMPLETED_WITH_ITS_MEMBER,
    QOS_2_ENDS_WITH_ITS_SESSION,
    REFUSED_MESSAGE_IS_DISCARDED,
];

/// A shared filter whose ShareName is this story's own, as the first of its levels that is a name.
pub(super) fn shared(name: &str, filter: &str) -> String {
    let is_name = |level: &&str| !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let own = filter.split('/').find(is_name).unwrap_or_default();
    format!("$share/{name}{own}/{filter}")
}

/// Takes what has come for this topic so far, after a barrier with its publisher at QoS 1.
pub(super) async fn taken(
    member: &mut Client<'_>,
    publisher: &mut Client<'_>,
    topic: &str,
) -> Result<Vec<Received>, Stop> {
    member.settle(publisher, Qos::AtLeastOnce).await?;
    Ok(member.take_publishes().into_iter().filter(|r| r.topic() == topic).collect())
}

/// Which of the members has got a message for this topic: some brokers send it behind the answers to many PINGREQs.
pub(super) async fn holder(w: &World, members: &mut [Client<'_>], topic: &str) -> Result<usize, Stop> {
    let until = Instant::now() + w.patience();
    loop {
        for member in &mut *members {
            member.ping().await?;
        }
        let at = members.iter().position(|member| member.inbox().any(|came| came.topic() == topic));
        match at {
            Some(at) => return Ok(at),
            None if Instant::now() >= until => {
                return Err(Stop::inconclusive("neither member got the message"));
            }
            None => {}
        }
    }
}

/// The member got none of these.
fn none(came: &[Received], expected: &str) -> Story {
    match came.first() {
        Some(first) => Err(Stop::violates(expected, first.line()).at(first.index)),
        None => Ok(()),
    }
}

check! {
    /// A shared filter has a ShareName without wildcards, and a Topic Filter behind it.
    ///
    /// Sends     SUBSCRIBE and UNSUBSCRIBE with an empty ShareName, with wildcards in it, and without Topic Filter.
    /// Demands   the end of the connection, or an answer that refuses the filter.
    /// Leaves    the form of the refusal.
    NAME_MUST_FIT "shared/name_must_fit",
    covers: [V5 / "MQTT-4.8.2-1", V5 / "MQTT-4.8.2-2"],
    needs: [SharedSubscriptions],
    proved: ["bad_share_filter_granted"],
    run: async |w| {
        w.wrong(|case| {
            let chosen =
                matches!(case.offence, Offence::ShareNameEmpty | Offence::ShareNameWildcard | Offence::SharedFilterMissing);
            // What does not exist may be unsubscribed from: the answer says so with a code of success.
            chosen && !case.name.contains("unsubscribe")
        })
        .code(ReasonCode::TOPIC_FILTER_INVALID)
        .must_not_be_granted()
        .each_refused()
        .await
    }
}

check! {
    /// Different ShareNames and non-shared subscriptions are served separately.
    ///
    /// Sends     A subscribes as group one, B as group two, C without a group, to one topic; E, both as group one and
    ///           without, to another; F, as group one, to a third; D publishes to all.
    /// Demands   A, B, C and F each receive the message, and E two copies.
    /// Leaves    nothing: each is the only member for its topic.
    GROUPS_ARE_SEPARATE "shared/groups_are_separate",
    covers: [V5 / "U5-SHR-4", V5 / "U5-SHR-1"],
    needs: [Qos1, SharedSubscriptions],
    proved: ["shared_groups_merged"],
    run: async |w| {
        let topic = w.topic("news");
        let mut d = w.connect("d").await?;
        let mut clients = Vec::new();
        for (name, filter) in [("a", shared("one", &topic)), ("b", shared("two", &topic)), ("c", topic.clone())] {
            let mut client = w.connect(name).await?;
            client.subscribe(&filter, Qos::AtLeastOnce).await?;
            clients.push(client);
        }
        d.publish(&topic, b"for each").qos1().acknowledged().await?;
        for client in &mut clients {
            client.expect(publish(&topic).payload(b"for each")).await?;
        }
        let (both, third) = (w.topic("both"), w.topic("third"));
        let mut e = w.connect("e").await?;
        e.subscribe(&shared("one", &both), Qos::AtLeastOnce).await?;
        e.subscribe(&both, Qos::AtLeastOnce).await?;
        let mut f = w.connect("f").await?;
        f.subscribe(&shared("one", &third), Qos::AtLeastOnce).await?;
        d.publish(&third, b"for F").qos1().acknowledged().await?;
        f.expect(publish(&third).payload(b"for F")).await?;
        d.publish(&both, b"for E").qos1().acknowledged().await?;
        for _ in 0..2 {
            e.expect(publish(&both).payload(b"for E")).await?;
        }
        Ok(())
    }
}

check! {
    /// A Shared Subscription ends with an UNSUBSCRIBE of its whole filter, and of nothing less.
    ///
    /// Sends     A joins a group, unsubscribes from the filter without `$share` and ShareName, then from another
    ///           group's; B publishes; then A unsubscribes from its own, and B publishes again.
    /// Demands   A receives the first message and not the second.
    /// Leaves    nothing.
    UNSUBSCRIBE_NEEDS_THE_WHOLE_FILTER "shared/unsubscribe_needs_the_whole_filter",
    covers: [V5 / "MQTT-3.10.4-1", V5 / "U5-SHR-7"],
    needs: [Qos1, SharedSubscriptions],
    proved: ["shared_unsubscribe_by_filter"],
    run: async |w| {
        let topic = w.topic("news");
        let (mut a, mut b) = (w.connect("a").await?, w.connect("b").await?);
        a.subscribe(&shared("g", &topic), Qos::AtLeastOnce).await?;
        a.unsubscribe(&topic).await?;
        a.unsubscribe(&shared("other", &topic)).await?;
        b.publish(&topic, b"first").qos1().acknowledged().await?;
        a.expect(publish(&topic).payload(b"first")).await?;
        a.unsubscribe(&shared("g", &topic)).await?;
        b.publish(&topic, b"second").qos1().acknowledged().await?;
        none(&taken(&mut a, &mut b, &topic).await?, "no PUBLISH after UNSUBACK")
    }
}

/// Counts a delivery among the messages, which are numbered: one, if it is the first of its message.
fn count(came: &mut [usize], delivery: &Received) -> Result<usize, Stop> {
    let number = std::str::from_utf8(delivery.payload()).ok().and_then(|n| n.parse::<usize>().ok());
    let Some(count) = number.and_then(|n| came.get_mut(n)) else { return Ok(0) };
    *count += 1;
    if *count > 1 {
        let observed = format!("{} a second time", delivery.line());
        return Err(Stop::violates("each message at one member only", observed).at(delivery.index));
    }
    Ok(1)
}

check! {
    /// Each message goes to exactly one member of a group.
    ///
    /// Sends     three clients join a group; A publishes 30 messages to its topic at QoS 1.
    /// Demands   each message arrives at one member, and at no other.
    /// Leaves    at which: the broker chooses. How it did is noted.
    EACH_MESSAGE_GOES_TO_ONE_MEMBER "shared/each_message_goes_to_one_member",
    covers: [V5 / "U5-SHR-2"],
    needs: [Qos1, SharedSubscriptions],
    proved: ["shared_delivered_to_all"],
    run: async |w| {
        const MESSAGES: usize = 30;
        let topic = w.topic("work");
        let mut members = Vec::new();
        for name in ["one", "two", "three"] {
            let mut member = w.connect(name).await?;
            member.subscribe(&shared("g", &topic), Qos::AtLeastOnce).await?;
            members.push(member);
        }
        let mut a = w.connect("a").await?;
        for n in 0..MESSAGES {
            a.publish(&topic, n.to_string().as_bytes()).qos1().acknowledged().await?;
        }
        let mut came = [0; MESSAGES];
        let mut shares = [0; 3];
        for (member, share) in members.iter_mut().zip(&mut shares) {
            for delivery in taken(member, &mut a, &topic).await? {
                *share += count(&mut came, &delivery)?;
            }
        }
        // A broker may hand out what a group has in store after other messages: no barrier tells that all have come.
        for (member, share) in members.iter_mut().zip(&mut shares) {
            let deadline = Instant::now() + w.patience();
            while came.contains(&0)
                && let Next::Packet(received) = member.next(deadline).await?
            {
                if received.topic() == topic {
                    *share += count(&mut came, &received)?;
                }
            }
        }
        let shares = shares.map(|share| share.to_string());
        w.note(format!("30 messages to three members of a group: {}", shares.join(", ")));
        match came.iter().position(|count| *count == 0) {
            Some(lost) => {
                Err(Stop::violates("each message at one member", format!("message {lost} came to none of them")))
            }
            None => Ok(()),
        }
    }
}

check! {
    /// A session is a member of a group once, however often it subscribes.
    ///
    /// Sends     A joins a group twice, and leaves it once; B publishes.
    /// Demands   one copy while A is a member, none afterwards.
    /// Leaves    nothing.
    SUBSCRIBING_TWICE_COUNTS_ONCE "shared/subscribing_twice_counts_once",
    covers: [V5 / "U5-SHR-5"],
    needs: [Qos1, SharedSubscriptions],
    proved: ["shared_joined_twice"],
    run: async |w| {
        let topic = w.topic("news");
        let (mut a, mut b) = (w.connect("a").await?, w.connect("b").await?);
        for _ in 0..2 {
            a.subscribe(&shared("g", &topic), Qos::AtLeastOnce).await?;
        }
        b.publish(&topic, b"once").qos1().acknowledged().await?;
        a.await_message(publish(&topic)).await?;
        none(&taken(&mut a, &mut b, &topic).await?, "one copy for one member")?;
        a.unsubscribe(&shared("g", &topic)).await?;
        b.publish(&topic, b"late").qos1().acknowledged().await?;
        none(&taken(&mut a, &mut b, &topic).await?, "no PUBLISH after UNSUBACK")
    }
}

check! {
    /// A new member of a group gets no retained messages.
    ///
    /// Sends     A publishes a retained message; B and C join a group for its topic.
    /// Demands   neither receives it.
    /// Leaves    nothing.
    RETAINED_MESSAGES_ARE_NOT_SENT "shared/retained_messages_are_not_sent",
    covers: [V5 / "U5-SHR-3"],
    needs: [Retain, Qos1, SharedSubscriptions],
    proved: ["retained_sent_to_shared_subscription"],
    run: async |w| {
        let topic = w.topic("state");
        let mut a = w.connect("a").await?;
        a.publish(&topic, b"on").qos1().retain().acknowledged().await?;
        for name in ["b", "c"] {
            let mut member = w.connect(name).await?;
            member.subscribe(&shared("g", &topic), Qos::AtLeastOnce).await?;
            let came = taken(&mut member, &mut a, &topic).await?;
            none(&came, "no retained message for a Shared Subscription")?;
        }
        Ok(())
    }
}

check! {
    /// A Shared Subscription lives as long as it has a member, whoever made it.
    ///
    /// Sends     A makes it, B joins, A leaves by UNSUBSCRIBE; C publishes.
    /// Demands   B receives the message, and A does not.
    /// Leaves    nothing.
    OUTLIVES_ITS_FIRST_MEMBER "shared/outlives_its_first_member",
    covers: [V5 / "U5-SHR-6"],
    needs: [Qos1, SharedSubscriptions],
    proved: ["shared_lost_when_first_leaves"],
    run: async |w| {
        let topic = w.topic("news");
        let (mut a, mut b, mut c) = (w.connect("a").await?, w.connect("b").await?, w.connect("c").await?);
        a.subscribe(&shared("g", &topic), Qos::AtLeastOnce).await?;
        b.subscribe(&shared("g", &topic), Qos::AtLeastOnce).await?;
        a.unsubscribe(&shared("g", &topic)).await?;
        c.publish(&topic, b"for B").qos1().acknowledged().await?;
        b.expect(publish(&topic).payload(b"for B")).await?;
        none(&taken(&mut a, &mut c, &topic).await?, "no PUBLISH to a Client that left the group")
    }
}

check! {
    /// A message is sent to a member at the QoS that this member was granted, whatever others were.
    ///
    /// Sends     A joins a group at QoS 0, B at QoS 2; C publishes 12 messages at QoS 2.
    /// Demands   what A receives has QoS 0, what B receives has QoS 2.
    /// Leaves    who receives which. QoS 0 may get lost.
    GRANTED_QOS_IS_THE_MEMBERS "shared/granted_qos_is_the_members",
    covers: [V5 / "MQTT-4.8.2-3", V5 / "U5-SHR-10"],
    needs: [Qos2, SharedSubscriptions],
    proved: ["shared_at_qos_of_first_member"],
    run: async |w| {
        let topic = w.topic("work");
        let (mut a, mut b, mut c) = (w.connect("a").await?, w.connect("b").await?, w.connect("c").await?);
        a.subscribe(&shared("g", &topic), Qos::AtMostOnce).await?;
        b.subscribe(&shared("g", &topic), Qos::ExactlyOnce).await?;
        for n in 0..12u8 {
            c.publish(&topic, &[b'a' + n]).qos2().acknowledged().await?;
        }
        for (member, qos) in [(&mut a, Qos::AtMostOnce), (&mut b, Qos::ExactlyOnce)] {
            member.settle(&mut c, Qos::ExactlyOnce).await?;
            let share: Vec<Received> = member.take_publishes().into_iter().filter(|r| r.topic() == topic).collect();
            if share.is_empty() {
                w.note(format!("the member at QoS {qos} gets none of 12 messages"));
            }
            if let Some(other) = share.iter().find(|r| r.publish().is_some_and(|p| p.qos != qos)) {
                let expected = format!("QoS {qos} for the member that was granted it");
                return Err(Stop::violates(expected, other.line()).at(other.index));
            }
        }
        Ok(())
    }
}

/// Two members of a group, of whom one gets a message at this QoS and leaves it unanswered: that one's name, its
/// delivery, and both clients.
struct Chosen<'w> {
    chosen: Client<'w>,
    delivery: Received,
    other: Client<'w>,
    publisher: Client<'w>,
}

async fn chosen<'w>(w: &'w World, topic: &str, qos: Qos) -> Result<Chosen<'w>, Stop> {
    let mut members = Vec::new();
    for name in ["one", "two"] {
        let mut member = w.client(name).persistent(60).acknowledge_by_hand().connect().await?;
        member.subscribe(&shared("g", topic), qos).await?;
        members.push(member);
    }
    let mut publisher = w.connect("publisher").await?;
    publisher.publish(topic, b"for one").qos(qos).acknowledged().await?;
    let at = holder(w, &mut members, topic).await?;
    let mut chosen = members.remove(at);
    let delivery = chosen.await_message(publish(topic)).await?;
    let Some(mut other) = members.pop() else {
        return Err(Stop::inconclusive("a second member was connected"));
    };
    other.acknowledge_at_once();
    Ok(Chosen { chosen, delivery, other, publisher })
}

check! {
    /// A QoS 2 delivery that is broken off is completed with the same member.
    ///
    /// Sends     one of two members gets a message at QoS 2, answers PUBREC, gets PUBREL, loses its connection, and
    ///           resumes its session.
    /// Demands   PUBREL again for the same member; the other never receives the message.
    /// Leaves    nothing.
    QOS_2_IS_COMPLETED_WITH_ITS_MEMBER "shared/qos_2_is_completed_with_its_member",
    covers: [V5 / "MQTT-4.8.2-4"],
    needs: [Qos2, SharedSubscriptions],
    proved: ["shared_qos_2_moved_on_disconnect"],
    run: async |w| {
        let topic = w.topic("work");
        let Chosen { mut chosen, delivery, mut other, mut publisher } = chosen(w, &topic, Qos::ExactlyOnce).await?;
        let id = delivery.id()?;
        chosen.pubrec(id, ReasonCode::SUCCESS).await?;
        chosen.await_message(pubrel(id)).await?;
        chosen.cut();
        let mut chosen = w.client(chosen.name()).resume(60).acknowledge_by_hand().connect().await?;
        chosen.expect(pubrel(id)).await?;
        chosen.pubcomp(id, ReasonCode::SUCCESS).await?;
        other.settle(&mut publisher, Qos::ExactlyOnce).await?;
        other.expect_no_publish(&topic).await
    }
}

check! {
    /// A QoS 2 message whose delivery has begun goes to no other member when the session ends.
    ///
    /// Sends     one of two members gets a message at QoS 2, does not answer, and ends its session with a CONNECT
    ///           that asks for a new one.
    /// Demands   the other member does not receive the message.
    /// Leaves    nothing.
    QOS_2_ENDS_WITH_ITS_SESSION "shared/qos_2_ends_with_its_session",
    covers: [V5 / "MQTT-4.8.2-5"],
    needs: [Qos2, SharedSubscriptions],
    proved: ["shared_qos_2_moved_on_session_end"],
    run: async |w| {
        let topic = w.topic("work");
        let Chosen { mut chosen, mut other, mut publisher, .. } = chosen(w, &topic, Qos::ExactlyOnce).await?;
        chosen.cut();
        let _anew = w.connect(chosen.name()).await?;
        other.settle(&mut publisher, Qos::ExactlyOnce).await?;
        other.expect_no_publish(&topic).await
    }
}

check! {
    /// A message that a member refuses is discarded, and offered to no other.
    ///
    /// Sends     one of two members answers a message at QoS 1 with PUBACK 0x83, and one at QoS 2 with PUBREC 0x83.
    /// Demands   the other member does not receive them.
    /// Leaves    nothing.
    REFUSED_MESSAGE_IS_DISCARDED "shared/refused_message_is_discarded",
    covers: [V5 / "MQTT-4.8.2-6"],
    needs: [Qos1, Qos2, SharedSubscriptions],
    proved: ["shared_refusal_moved"],
    run: async |w| {
        for (name, qos) in [("one", Qos::AtLeastOnce), ("two", Qos::ExactlyOnce)] {
            let topic = w.topic(name);
            let Chosen { mut chosen, delivery, mut other, mut publisher } = chosen(w, &topic, qos).await?;
            let (id, refusal) = (delivery.id()?, ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR);
            match qos {
                Qos::AtLeastOnce => chosen.puback(id, refusal).await?,
                _ => chosen.pubrec(id, refusal).await?,
            }
            chosen.ping().await?;
            other.settle(&mut publisher, qos).await?;
            other.expect_no_publish(&topic).await?;
            chosen.cut();
            other.cut();
        }
        Ok(())
    }
}
