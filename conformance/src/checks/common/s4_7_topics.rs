//! Topic Names and Topic Filters. [3.1.1 §4.7] [5.0 §4.7]

use crate::check;
use crate::check::Check;
use crate::checks::refusals::refuses_filter;
use crate::story::{Stop, Story, World, publish, suback};
use crate::verdict::Verdict;
use mqtt_assay_codec::{Properties, Qos, SubscriptionList, SubscriptionOptions};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[
    LEADING_BYTE_ORDER_MARK_IS_KEPT,
    HASH_MATCHES_PARENT_AND_ALL_BELOW,
    PLUS_MATCHES_ONE_LEVEL,
    MISPLACED_WILDCARD_IS_REFUSED,
    DOLLAR_IS_NOT_MATCHED_BY_LEADING_WILDCARD,
    LETTERS_ARE_COMPARED_EXACTLY,
    SIGNS_OF_OTHERS_ARE_LETTERS,
    EMPTY_LEVELS_COUNT,
    LONG_NAMES_ARE_KEPT,
    DOLLAR_IS_NOT_FOR_CLIENTS,
];

/// One row: a filter, topics that it matches, topics that it does not.
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Each row's messages come if and only if the filter matches. In the table `~` stands for a level that no
/// other row and no other story has.
async fn matches_as_listed(w: &World, rows: &[Row]) -> Story {
    let mut b = w.connect("b").await?;
    let mut a = w.connect("a").await?;
    let own = |row: usize, text: &str| text.replace('~', &w.topic(&row.to_string()).replace('/', "-"));
    for (row, (filter, matching, others)) in rows.iter().enumerate() {
        b.subscribe(&own(row, filter), Qos::AtLeastOnce).await?;
        for topic in matching.iter().chain(*others) {
            a.publish(&own(row, topic), filter.as_bytes()).qos1().acknowledged().await?;
        }
    }
    for (row, (filter, matching, _)) in rows.iter().enumerate() {
        for topic in *matching {
            b.expect(publish(&own(row, topic)).payload(filter.as_bytes())).await?;
        }
    }
    b.settle(&mut a, Qos::AtLeastOnce).await?;
    match b.take_publishes().first() {
        Some(extra) => Err(Stop::violates(
            match rows.iter().find(|(filter, ..)| filter.as_bytes() == extra.payload()) {
                Some((filter, ..)) => {
                    format!("nothing that the filter \"{}\" does not match", filter.escape_debug())
                }
                None => "nothing that no filter matches".to_owned(),
            },
            extra.line(),
        )
        .citing(w.cite("MQTT-3.3.2-3"))
        .at(extra.index)),
        None => Ok(()),
    }
}

check! {
    /// U+FEFF at the very beginning of a string is a character like any other and is kept.
    ///
    /// Sends     B subscribes to a topic that begins with U+FEFF, C to the same without it; A publishes to
    ///           each.
    /// Demands   each receives the message of its own topic, unaltered, and nothing else.
    /// Leaves    nothing.
    LEADING_BYTE_ORDER_MARK_IS_KEPT "topics/leading_byte_order_mark_is_kept",
    covers: [
        V3_1_1 / "MQTT-1.5.3-3", V3_1_1 / "MQTT-4.7.3-4", V5 / "MQTT-1.5.4-3", V5 / "MQTT-4.7.3-4",
    ],
    needs: [Qos1],
    proved: ["byte_order_mark_stripped"],
    run: async |w| {
        let plain = w.topic("mark");
        let marked = format!("\u{FEFF}{plain}");
        let mut a = w.connect("a").await?;
        let mut b = w.connect("b").await?;
        b.subscribe(&marked, Qos::AtLeastOnce).await?;
        let mut c = w.connect("c").await?;
        c.subscribe(&plain, Qos::AtLeastOnce).await?;
        a.publish(&marked, b"with").qos1().acknowledged().await?;
        a.publish(&plain, b"without").qos1().acknowledged().await?;
        for (client, topic, payload) in [(&mut b, &marked, &b"with"[..]), (&mut c, &plain, b"without")] {
            client.expect(publish(topic).payload(payload)).await?;
            client.settle(&mut a, Qos::AtLeastOnce).await?;
            client.expect_no_publishes().await?;
        }
        Ok(())
    }
}

check! {
    /// `#` matches the level before it and any number of levels below.
    ///
    /// Sends     B subscribes to `t/#` and the like; A publishes to topics at, below and beside that level.
    /// Demands   B receives those that match, and no others.
    /// Leaves    nothing.
    HASH_MATCHES_PARENT_AND_ALL_BELOW "topics/hash_matches_parent_and_all_below",
    covers: [V3_1_1 / "U3-TOP-1", V5 / "U5-TOP-1"],
    needs: [Qos1, Wildcards],
    proved: ["hash_excludes_parent"],
    run: async |w| {
        matches_as_listed(
            w,
            &[
                ("~/#", &["~", "~/", "~/a", "~/a/b/c", "~//x"], &["~a", "a/~", "/~"]),
                ("~/a/#", &["~/a", "~/a/b"], &["~", "~/ab", "~/b/a"]),
                ("~/+/#", &["~/a", "~/", "~/a/b"], &["~"]),
                ("+/~/#", &["/~", "x/~", "x/~/y"], &["~", "x/y/~"]),
            ],
        )
        .await
    }
}

check! {
    /// `+` matches exactly one level, which may be empty.
    ///
    /// Sends     B subscribes to `t/+` and the like; A publishes to topics with fewer, as many and more
    ///           levels.
    /// Demands   B receives those that match, and no others.
    /// Leaves    nothing.
    PLUS_MATCHES_ONE_LEVEL "topics/plus_matches_one_level",
    covers: [V3_1_1 / "U3-TOP-1", V5 / "U5-TOP-1"],
    needs: [Qos1, Wildcards],
    proved: ["plus_excludes_empty_level", "plus_spans_levels"],
    run: async |w| {
        matches_as_listed(
            w,
            &[
                ("~/+", &["~/a", "~/", "~/ "], &["~", "~/a/b", "~//"]),
                ("~/+/c", &["~/a/c", "~//c"], &["~/c", "~/a/b/c", "~/a/d"]),
                ("+/~", &["x/~", "/~"], &["~", "x/y/~", "x/~/"]),
                ("~/+/+", &["~/a/b", "~//"], &["~/a", "~/a/b/c"]),
                ("/~/+", &["/~/a"], &["~/a", "/~", "x/~/a"]),
            ],
        )
        .await
    }
}

check! {
    /// A Topic Filter with a misplaced wildcard is not granted.
    ///
    /// Sends     SUBSCRIBE with `#` not last or not alone in its level, and with `+` not alone in its level,
    ///           each on a connection of its own.
    /// Demands   the end of the connection or a code that refuses.
    /// Leaves    the form of the refusal.
    MISPLACED_WILDCARD_IS_REFUSED "topics/misplaced_wildcard_is_refused",
    covers: [
        V3_1_1 / "MQTT-4.7.1-2", V3_1_1 / "MQTT-4.7.1-3", V5 / "MQTT-4.7.1-1", V5 / "MQTT-4.7.1-2",
    ],
    needs: [Wildcards],
    proved: ["bad_filter_granted"],
    run: async |w| {
        const HASH: [&str; 4] = ["a#", "#/a", "a/#/b", "##"];
        const PLUS: [&str; 4] = ["a+", "+a", "a/b+/c", "++"];
        let (hash, plus) = if w.is_v5() {
            ("MQTT-4.7.1-1", "MQTT-4.7.1-2")
        } else {
            ("MQTT-4.7.1-2", "MQTT-4.7.1-3")
        };
        for (number, name) in HASH.into_iter().chain(PLUS).enumerate() {
            let filter = w.topic(name);
            let mut a = w.connect_alive(&format!("a{number}")).await?;
            let list = SubscriptionList::one(&filter, SubscriptionOptions::default());
            a.send_subscribe(&list, Properties::NONE).await?;
            let rule = if number < HASH.len() { hash } else { plus };
            refuses_filter(w, &mut a, &filter).await.map_err(|stop| stop.citing(w.cite(rule)))?;
        }
        Ok(())
    }
}

check! {
    /// A filter that begins with a wildcard does not match a topic that begins with `$`.
    ///
    /// Sends     B subscribes to `#` and `+/…`; A publishes to a topic that begins with `$`, to which C
    ///           subscribes.
    /// Demands   no topic that begins with `$` reaches B.
    /// Leaves    whether Clients may exchange messages over such topics at all: they should not.
    DOLLAR_IS_NOT_MATCHED_BY_LEADING_WILDCARD "topics/dollar_is_not_matched_by_leading_wildcard",
    covers: [V3_1_1 / "MQTT-4.7.2-1", V5 / "MQTT-4.7.2-1"],
    needs: [Qos1, Wildcards],
    proved: ["hash_matches_dollar", "plus_matches_dollar"],
    alone: Yes,
    run: async |w| {
        let below = w.topic("x");
        let dollar = format!("$assay/{below}");
        let mut c = w.connect("c").await?;
        c.subscribe(&dollar, Qos::AtLeastOnce).await?;
        // Whether granted or not: a broker that lets no Client publish to `$` shows its own topics.
        let own = SubscriptionList::one("$SYS/#", SubscriptionOptions::default());
        c.send_subscribe(&own, Properties::NONE).await?;
        for (name, filter) in [("b1", "#".to_owned()), ("b2", format!("+/{below}"))] {
            let mut b = w.connect(name).await?;
            b.subscribe(&filter, Qos::AtLeastOnce).await?;
            // A broker may well close on this, so A publishes nothing else.
            let mut a = w.connect(&format!("a{name}")).await?;
            a.publish(&dollar, b"hidden").qos1().send().await?;
            a.reaction().await?;
            let mut d = w.connect("d").await?;
            b.settle(&mut d, Qos::AtLeastOnce).await?;
            let hidden = b.take_publishes().into_iter().find(|delivery| delivery.topic().starts_with('$'));
            if let Some(delivery) = hidden {
                let expected = format!("no topic that begins with $ for the filter {filter}");
                return Err(Stop::violates(expected, delivery.line()).at(delivery.index));
            }
            b.disconnect().await;
        }
        c.ping().await?;
        let exchanged = c.inbox().any(|received| received.topic() == dollar);
        w.note(format!("Clients exchange messages over topics that begin with $: {exchanged}"));
        if exchanged || c.inbox().any(|received| received.topic().starts_with('$')) {
            return Ok(());
        }
        let lacks = "a topic that begins with $: the broker has none of its own and lets no Client use one";
        Err(Stop::not_tested(lacks))
    }
}

check! {
    /// Topic Names and Topic Filters are compared character by character, nothing being folded or normalised.
    ///
    /// Sends     B subscribes to topics; A publishes to these and to others that differ in case, in spaces,
    ///           or in the code points of what looks the same.
    /// Demands   B receives the former, with their names unaltered, and none of the latter.
    /// Leaves    nothing.
    LETTERS_ARE_COMPARED_EXACTLY "topics/letters_are_compared_exactly",
    covers: [V3_1_1 / "MQTT-4.7.3-4", V3_1_1 / "U3-TOP-1", V5 / "MQTT-4.7.3-4", V5 / "U5-TOP-3"],
    needs: [Qos1],
    proved: ["topics_case_folded"],
    run: async |w| {
        matches_as_listed(
            w,
            &[
                ("~/Lamp", &["~/Lamp"], &["~/lamp", "~/LAMP", "~/Lamp ", "~/ Lamp"]),
                ("~/caf\u{E9}", &["~/caf\u{E9}"], &["~/cafe\u{301}", "~/caf\u{C9}", "~/cafe"]),
                ("~/two words", &["~/two words"], &["~/twowords", "~/two  words", "~/two\u{A0}words"]),
                ("~/a", &["~/a"], &["~/\u{FF41}", "~/\u{430}", "~/a\u{200B}"]),
                ("~/\u{E000}\u{378}\u{1F4A1}", &["~/\u{E000}\u{378}\u{1F4A1}"], &["~/\u{E000}\u{1F4A1}"]),
            ],
        )
        .await
    }
}

check! {
    /// What separates levels or stands for them in other protocols is a letter like any other here.
    ///
    /// Sends     B subscribes to topics with `.`, `*`, `>` and `\`; A publishes to these, and to those that they would
    ///           stand for elsewhere.
    /// Demands   B receives the former, with their names unaltered, and none of the latter.
    /// Leaves    nothing.
    SIGNS_OF_OTHERS_ARE_LETTERS "topics/signs_of_other_protocols_are_letters",
    covers: [V3_1_1 / "MQTT-4.7.3-4", V3_1_1 / "U3-TOP-1", V5 / "MQTT-4.7.3-4", V5 / "U5-TOP-3"],
    needs: [Qos1],
    proved: ["dots_are_slashes"],
    // Where such signs are wildcards, others would get what is published to them.
    alone: Yes,
    run: async |w| {
        matches_as_listed(
            w,
            &[
                ("~/a.b", &["~/a.b"], &["~/a/b"]),
                ("~/a/b", &["~/a/b"], &["~/a.b"]),
                ("~/*", &["~/*"], &["~/star"]),
                ("~/*/b", &["~/*/b"], &["~/a/b"]),
                ("~/>", &["~/>"], &["~/more", "~/more/levels"]),
                ("~/a\\b", &["~/a\\b"], &["~/a/b", "~/ab"]),
            ],
        )
        .await
    }
}

check! {
    /// A `/` at the beginning, at the end or next to another makes an empty level, which counts.
    ///
    /// Sends     B subscribes to topics; A publishes to these and to others that differ in empty levels.
    /// Demands   B receives the former, with their names unaltered, and none of the latter.
    /// Leaves    nothing.
    EMPTY_LEVELS_COUNT "topics/empty_levels_count",
    covers: [V3_1_1 / "MQTT-4.7.3-4", V3_1_1 / "U3-TOP-1", V5 / "MQTT-4.7.3-4", V5 / "U5-TOP-2"],
    needs: [Qos1],
    proved: ["slashes_normalised"],
    run: async |w| {
        matches_as_listed(
            w,
            &[
                ("~/a", &["~/a"], &["~//a", "~/a/", "/~/a"]),
                ("~//a", &["~//a"], &["~/a", "~///a"]),
                ("~/a/", &["~/a/"], &["~/a", "~/a//"]),
                ("/~", &["/~"], &["~", "//~", "/~/"]),
                ("~/./a", &["~/./a"], &["~/a", "~/b/../a"]),
            ],
        )
        .await
    }
}

check! {
    /// A Topic Name that is longer than a length of one byte can tell stays as it is.
    ///
    /// Sends     B subscribes with `+` in the place of the last level; A publishes to topics whose last level has 5 and
    ///           300 characters.
    /// Demands   B receives the message with this Topic Name.
    /// Leaves    a limit of the broker, told with a Reason Code or by the end of the connection.
    LONG_NAMES_ARE_KEPT "topics/long_names_are_kept",
    covers: [V3_1_1 / "MQTT-4.7.3-4", V5 / "MQTT-4.7.3-4"],
    needs: [Qos1, Wildcards],
    proved: ["long_topic_cut"],
    run: async |w| {
        let topic = w.topic(&"n".repeat(300));
        let mut b = w.connect("b").await?;
        b.subscribe(&w.topic("+"), Qos::AtLeastOnce).await?;
        let mut a = w.connect("a").await?;
        // What fails with a short name, too, is another check's matter.
        let short = w.topic("short");
        a.publish(&short, b"short").qos1().acknowledged().await?;
        b.await_message(publish(&short)).await?;
        b.ping().await?;
        if let Err(stop) = a.publish(&topic, b"long").qos1().acknowledged().await {
            let ended = stop.verdict() == Verdict::Inconclusive && a.ended().is_some();
            let limit = || Stop::unsupported("the broker ends the connection of a Topic Name of 300 bytes");
            return Err(if ended { limit() } else { stop });
        }
        b.expect(publish(&topic).payload(b"long")).await?;
        Ok(())
    }
}

check! {
    /// Clients do not exchange messages over topics that begin with `$`.
    ///
    /// Sends     B subscribes to a topic that begins with `$`; A publishes to it at QoS 1.
    /// Demands   nothing for B.
    /// Leaves    by what means the broker sees to it. It is recommended: a delivery is a deviation.
    DOLLAR_IS_NOT_FOR_CLIENTS "topics/dollar_is_not_for_clients",
    covers: [V3_1_1 / "U3-TOP-2", V5 / "U5-TOP-4"],
    needs: [Qos1],
    setup: Guarded,
    proved: ["dollar_topics_routed"],
    run: async |w| {
        let dollar = format!("$assay/{}", w.topic("x"));
        let mut b = w.connect_alive("b").await?;
        let list = SubscriptionList::one(&dollar, SubscriptionOptions::default());
        let id = b.send_subscribe(&list, Properties::NONE).await?;
        if b.await_message(suback(id)).await?.codes().iter().any(|code| *code >= 0x80) {
            w.note("no Client may subscribe to a topic that begins with $");
            return Ok(());
        }
        let mut a = w.connect_alive("a").await?;
        a.publish(&dollar, b"between us").qos1().send().await?;
        a.reaction().await?;
        let mut other = w.connect("other").await?;
        b.settle(&mut other, Qos::AtMostOnce).await?;
        if let Some(came) = b.inbox().find(|r| r.topic() == dollar) {
            w.deviates(None, "no message of a Client's on a topic that begins with $", came.line());
        }
        Ok(())
    }
}
