//! Against null and hostile brokers a run ends in time, and nothing conforms that was not shown.

mod support;

use mqtt_assay::verdict::Verdict;
use std::time::{Duration, Instant};
use support::hostile::{Hostile, Manner};

/// These never accept a CONNECT: the run does not begin, and says why in one sentence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_broker_is_told_in_one_sentence() {
    for (manner, word) in [
        (Manner::Closes, "ends the connection without CONNACK"),
        (Manner::Silent, "no answer to the CONNECT"),
        (Manner::Echoes, "does not answer as a broker"),
        (Manner::Garbage, "does not answer as a broker"),
        (Manner::Floods, "does not answer as a broker"),
        (Manner::Huge, "does not answer as a broker"),
    ] {
        let broker = Hostile::start(manner).await;
        let begun = Instant::now();
        let options = support::options(support::tcp(broker.address), Duration::from_secs(1));
        let error = support::quietly(&options).await.expect_err("a set-up error").to_string();
        assert!(error.contains(word), "{manner:?}: {error}");
        assert!(!error.contains('\n'), "{manner:?}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(15), "{manner:?} took {:?}", begun.elapsed());
    }
}

/// What a broker that accepts CONNECT and then misbehaves does show: that it accepts CONNECT, and that it ends
/// other beginnings without a DISCONNECT.
const SHOWN_BY_CONNACK: &[&str] = &[
    "client_id/short_alphanumeric_is_allowed",
    "connack/response_information_on_request_only",
    "connack/session_present_0_for_clean_start",
    "connack/session_present_0_without_session",
    "connack/valid_connect_is_accepted",
    "disconnect/none_before_connack",
    "connect/password_alone_is_well_formed",
    "request/no_response_information_unasked",
    "session_expiry/disconnect_ends_session_at_once",
];

/// What one that answers PINGREQ besides does show: that it keeps these connections.
const SHOWN_BY_PINGRESP: &[&str] = &[
    "client_id/case_matters",
    "client_id/empty_ids_are_distinct",
    "keep_alive/packets_count",
    "malformed/padded_remaining_length",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_conforms_that_was_not_shown() {
    let mut wrong = Vec::new();
    for manner in [
        Manner::AcceptsThenSilent,
        Manner::AcceptsThenCloses,
        Manner::AcceptsThenGarbage,
        Manner::AcceptsThenFloods,
        Manner::AcceptsAndPings,
    ] {
        let broker = Hostile::start(manner).await;
        let mut options = support::options(support::tcp(broker.address), Duration::from_millis(500));
        options.deadline = Duration::from_secs(5);
        let run = support::quietly(&options).await.expect("the CONNECT is accepted");
        assert_eq!(run.results.len(), run.planned, "{manner:?}: results are lost");
        let pings = matches!(manner, Manner::AcceptsThenFloods | Manner::AcceptsAndPings);
        let shown = |name| SHOWN_BY_CONNACK.contains(&name) || (pings && SHOWN_BY_PINGRESP.contains(&name));
        wrong.extend(
            run.results
                .iter()
                .filter(|r| r.verdict == Verdict::Conforms && !shown(r.check.name))
                .map(|r| format!("{manner:?}: {}", support::line(r))),
        );
    }
    assert!(wrong.is_empty(), "conform without proof:\n{}", wrong.join("\n"));
}
