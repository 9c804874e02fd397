//! Client Identifiers. [3.1.1 §3.1.3.1] [5.0 §3.1.3.1]

use crate::check;
use crate::check::Check;
use crate::story::{Attempt, Client, Stop, World, publish};
use mqtt_assay_codec::reason::return_code;
use mqtt_assay_codec::{Packet, Qos, ReasonCode};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    CLIENT_ID_IS_THE_KEY,
    CASE_MATTERS,
    COMPARED_EXACTLY,
    SHORT_ALPHANUMERIC_IS_ALLOWED,
    EMPTY_IDS_ARE_DISTINCT,
    REFUSAL_SAYS_WHY_AND_CLOSES,
];

check! {
    /// Each Client Identifier has a session of its own.
    ///
    /// Sends     A and B subscribe to different topics in sessions that last, and leave; a message is published
    ///           to each topic; both come back.
    /// Demands   A gets its own message and not B's, B its own and not A's.
    /// Leaves    nothing.
    CLIENT_ID_IS_THE_KEY "client_id/is_the_key",
    covers: [V3_1_1 / "MQTT-3.1.3-2", V5 / "MQTT-3.1.3-2"],
    needs: [Qos1],
    proved: ["offline_messages_dropped"],
    run: async |w| {
        let topics = [("a", w.topic("for-a")), ("b", w.topic("for-b"))];
        for (name, topic) in &topics {
            let mut client = w.client(name).persistent(60).connect().await?;
            client.subscribe(topic, Qos::AtLeastOnce).await?;
            client.disconnect().await;
        }
        let mut p = w.connect("p").await?;
        for (name, topic) in &topics {
            p.publish(topic, name.as_bytes()).qos1().acknowledged().await?;
        }
        for (own, other) in [(0, 1), (1, 0)] {
            let mut client = w.client(topics[own].0).resume(60).connect().await?;
            client.expect(publish(&topics[own].1).payload(topics[own].0.as_bytes())).await?;
            client.expect_no_publish(&topics[other].1).await?;
        }
        Ok(())
    }
}

check! {
    /// Client Identifiers that differ in case belong to different Clients.
    ///
    /// Sends     A connects with small letters in a session that lasts, and B with the same letters as capitals.
    /// Demands   B's session is new, and both connections stay.
    /// Leaves    nothing.
    CASE_MATTERS "client_id/case_matters",
    covers: [V3_1_1 / "MQTT-3.1.3-2", V5 / "MQTT-3.1.3-2"],
    needs: [],
    proved: ["client_id_case_folded"],
    run: async |w| {
        let small = w.client_id("case").to_ascii_lowercase();
        let mut a = w.client("a").client_id(&small).persistent(60).connect().await?;
        let mut b = w.client("b").client_id(&small.to_ascii_uppercase()).resume(60).connect().await?;
        keep_apart(&mut a, &mut b).await
    }
}

check! {
    /// Client Identifiers that look alike, but have other characters, belong to different Clients.
    ///
    /// Sends     A connects in a session that lasts, and B with an identifier that differs in how an accent is
    ///           written, in the width of a letter, in which sign stands for it, in a space at its end.
    /// Demands   each time: B's session is new, and both connections stay.
    /// Leaves    whether such identifiers are accepted: the broker has to take letters and digits only.
    COMPARED_EXACTLY "client_id/is_compared_exactly",
    covers: [V3_1_1 / "MQTT-3.1.3-2", V5 / "MQTT-3.1.3-2"],
    needs: [],
    proved: ["client_id_widths_folded"],
    run: async |w| {
        let mut compared = false;
        for (number, (one, other)) in LOOK_ALIKE.into_iter().enumerate() {
            let id = |ending| format!("{}{ending}", w.client_id(&format!("like{number}")));
            let first = w.client("a").client_id(&id(one)).persistent(60).attempt().await?;
            let Attempt::Accepted(mut a) = first else { continue };
            let second = w.client("b").client_id(&id(other)).resume(60).attempt().await?;
            let Attempt::Accepted(mut b) = second else { continue };
            keep_apart(&mut a, &mut b).await?;
            compared = true;
            a.disconnect().await;
            b.disconnect().await;
        }
        if compared { Ok(()) } else { Err(Stop::unsupported("Client Identifiers of more than letters and digits")) }
    }
}

/// Ends of Client Identifiers that look alike, of which each has a character that the other has not.
const LOOK_ALIKE: [(&str, &str); 4] =
    [("\u{E9}", "e\u{301}"), ("a", "\u{FF41}"), ("K", "\u{212A}"), ("a", "a ")];

/// Demands that B, which came last and asked for its session, is another Client than A.
async fn keep_apart(a: &mut Client<'_>, b: &mut Client<'_>) -> Result<(), Stop> {
    if b.session_present() {
        let expected = format!("Session Present 0 for \"{}\", which has no session", b.id());
        return Err(Stop::violates(expected, "Session Present 1"));
    }
    both_stay(a, b).await
}

/// Demands that A's connection goes on beside that of B, which came later.
async fn both_stay(a: &mut Client<'_>, b: &mut Client<'_>) -> Result<(), Stop> {
    b.ping().await?;
    if a.ping().await.is_err() && a.ended().is_some() {
        return Err(Stop::violates("A stays connected", "the broker ended A's connection when B connected"));
    }
    Ok(())
}

check! {
    /// Client Identifiers of 1 to 23 letters and digits are accepted.
    ///
    /// Sends     CONNECT with identifiers of 1, 22 and 23 bytes, of digits only, of capitals only.
    /// Demands   CONNACK 0x00.
    /// Leaves    longer identifiers and other characters.
    SHORT_ALPHANUMERIC_IS_ALLOWED "client_id/short_alphanumeric_is_allowed",
    covers: [V3_1_1 / "MQTT-3.1.3-5", V5 / "MQTT-3.1.3-5"],
    needs: [],
    proved: ["client_id_of_23_bytes_refused"],
    run: async |w| {
        let long = w.client_id("ABCdefGHIjklMNO123456789");
        let digits: String = long.bytes().map(|b| char::from(b'0' + b % 10)).collect();
        let ids = [&long[..1], &long[..long.len() - 1], &long, &digits, &long.to_ascii_uppercase()];
        for id in ids {
            let attempt = w.client("a").client_id(id).attempt().await?;
            let expected = format!("CONNACK 0x00 for the Client Identifier {id} ({} bytes)", id.len());
            match attempt {
                Attempt::Accepted(mut client) => client.disconnect().await,
                other => return Err(Stop::violates(expected, other.line())),
            }
        }
        Ok(())
    }
}

check! {
    /// Clients that leave their identifier empty are taken for different Clients, or refused.
    ///
    /// Sends     A and B connect with empty Client Identifiers, Clean Session 1 or Clean Start 1.
    /// Demands   both accepted: both connections stay, and in 5.0 their assigned identifiers differ; or a refusal:
    ///           in 3.1.1 CONNACK 0x02 and the end, in 5.0 the end.
    /// Leaves    whether empty identifiers are allowed.
    EMPTY_IDS_ARE_DISTINCT "client_id/empty_ids_are_distinct",
    covers: [
        V3_1_1 / "MQTT-3.1.3-6", V3_1_1 / "MQTT-3.1.3-9",
        V5 / "MQTT-3.1.3-6", V5 / "MQTT-3.1.3-8", V5 / "MQTT-3.2.2-16",
    ],
    needs: [],
    proved: ["assigned_client_id_not_unique"],
    run: async |w| {
        let mut a = match w.client("a").client_id("").attempt().await? {
            Attempt::Accepted(a) => a,
            refusal => {
                w.note("refuses empty Client Identifiers");
                let (id, codes) = refusal_of(w);
                return refusal.refused_with(&codes, w.is_v5()).await.map_err(|stop| stop.citing(w.cite(id)));
            }
        };
        let mut b = w.client("b").client_id("").connect().await?;
        both_stay(&mut a, &mut b).await.map_err(|stop| stop.or_citing(w.cite("MQTT-3.1.3-6")))?;
        if w.is_v5() && a.id() == b.id() {
            let observed = format!("both have the Client Identifier \"{}\"", a.id());
            return Err(Stop::violates("different Assigned Client Identifiers", observed)
                .citing(w.cite("MQTT-3.2.2-16")));
        }
        Ok(())
    }
}

/// The statement on refused identifiers, and the codes that fit.
fn refusal_of(w: &World) -> (&'static str, Vec<ReasonCode>) {
    if w.is_v5() {
        let codes = ReasonCode::ALL.iter().copied().filter(|code| !code.is_success());
        return ("MQTT-3.1.3-8", codes.collect());
    }
    // Whoever calls an identifier a matter of authorization may say so.
    ("MQTT-3.1.3-9", vec![return_code::IDENTIFIER_REJECTED, return_code::NOT_AUTHORIZED])
}

check! {
    /// A broker that does not like a Client Identifier says so and closes the connection.
    ///
    /// Sends     CONNECT with identifiers of 24 and 128 bytes, with a space, a slash, a wildcard, a letter beyond
    ///           ASCII, and one of 23 bytes after each, which shows that the broker is there.
    /// Demands   CONNACK 0x00; or the refusal: in 3.1.1 CONNACK 0x02 and the end, in 5.0 the end, perhaps after
    ///           a CONNACK that refuses.
    /// Leaves    which of them are allowed.
    REFUSAL_SAYS_WHY_AND_CLOSES "client_id/refusal_says_why_and_closes",
    covers: [
        V3_1_1 / "MQTT-3.1.3-9", V3_1_1 / "MQTT-3.2.2-5",
        V5 / "MQTT-3.1.3-8", V5 / "MQTT-3.2.2-7",
    ],
    needs: [],
    proved: ["long_client_id_refused_and_kept_open"],
    run: async |w| {
        let tag = w.client_id("");
        let ids = [
            format!("{tag:x<24}"),
            format!("{tag:x<128}"),
            format!("{tag} a"),
            format!("{tag}/a"),
            format!("{tag}#+"),
            format!("{tag}\u{e9}"),
        ];
        let mut refusals = 0;
        for id in ids {
            match w.client("a").client_id(&id).attempt().await? {
                Attempt::Accepted(mut a) => a.disconnect().await,
                refusal => {
                    refusals += 1;
                    w.note(format!("refuses the Client Identifier \"{id}\""));
                    if let Attempt::Refused(_, connack) = &refusal
                        && let Packet::Connack(c) = connack.packet()
                        && c.code == return_code::NOT_AUTHORIZED
                    {
                        w.deviates(Some(w.cite("MQTT-3.1.3-9")), "CONNACK 0x02", connack.line());
                    }
                    let (statement, codes) = refusal_of(w);
                    let judged = refusal.refused_with(&codes, w.is_v5()).await;
                    judged.map_err(|stop| stop.citing(w.cite(statement)))?;
                }
            }
            w.connect("b").await?.disconnect().await;
        }
        if refusals == 0 {
            return Err(Stop::not_tested("a Client Identifier that the broker refuses: it takes all that were tried"));
        }
        Ok(())
    }
}
