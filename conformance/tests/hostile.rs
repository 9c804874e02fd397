//! Against null and hostile brokers a run ends in time, and nothing conforms that was not shown.

mod support;

use mqtt_assay::outcome::Direction;
use mqtt_assay::run::Options;
use mqtt_assay::target::Target;
use mqtt_assay::verdict::Verdict;
use mqtt_assay_codec::Version;
use mqtt_assay_codec::raw::Stage;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::hostile::{Hostile, Manner};
use support::scripted::{Liar, Lie, malformed};

/// No run against a broker of this kind may take longer. A check has 5 s here, and ends within them; 64 run side by
/// side, and timers of the specification are not waited for twice.
const RUN_MAX: Duration = Duration::from_secs(180);

/// Nor may the whole of this process, brokers included, have more memory at any time: a quarter of the packets of
/// 256 MiB that 64 connections would hold.
const MEMORY_MAX_KIB: u64 = 4 << 20;

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

/// A Server of 3.1.1 cannot know the form of a 5.0 CONNACK: that it refuses the level is all that it owes.
/// [3.1.1/MQTT-3.1.2-2]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_without_5_0_is_checked_in_3_1_1_only() {
    let broker = Liar::start(Lie::OfOld).await;
    let mut options = support::options(support::tcp(broker.address), Duration::from_secs(1));
    options.checks = vec![support::check("ping/pingreq_is_answered")];
    let run = support::quietly(&options).await.expect("the run begins");
    assert_eq!(run.versions, [Version::V3_1_1]);
    assert!(
        run.remarks.iter().any(|remark| remark.starts_with("MQTT 5.0 is not checked")),
        "{:?}",
        run.remarks
    );
    assert_eq!(support::complaints(&run), Vec::<String>::new());
    options.versions = vec![Version::V5];
    let error = support::quietly(&options).await.expect_err("nothing is left to check").to_string();
    assert!(error.contains("does not know the version"), "{error}");
}

/// Where nothing is served but 3.1.1, no other version allows to close without an answer. ActiveMQ does so for level 0.
/// [3.1.1/MQTT-3.1.2-2]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_without_5_0_owes_an_answer_to_unknown_levels() {
    for (lie, verdict) in [(Lie::OfOld, Verdict::Conforms), (Lie::OfOldAndCurt, Verdict::Violates)] {
        let broker = Liar::start(lie).await;
        let mut options = support::options(support::tcp(broker.address), Duration::from_secs(1));
        options.checks = vec![support::check("connect/unknown_protocol_level_is_refused")];
        let run = support::quietly(&options).await.expect("the run begins");
        let verdicts: Vec<Verdict> = run.results.iter().map(|result| result.verdict).collect();
        assert_eq!(verdicts, [verdict], "{:?}", support::complaints(&run));
    }
}

/// Checks in 3.1.1 that a broker which lies so conforms.
async fn conforms(lie: Lie, check: &str) {
    conforms_with(of_one_check(check), lie).await;
}

fn of_one_check(check: &str) -> Options {
    // Where the broker is, is not known yet.
    let mut options = support::options(support::tcp(([127, 0, 0, 1], 0).into()), Duration::from_secs(5));
    options.versions = vec![Version::V3_1_1];
    options.checks = vec![support::check(check)];
    options
}

async fn conforms_with(options: Options, lie: Lie) {
    comes_to(options, lie, Verdict::Conforms).await;
}

async fn comes_to(mut options: Options, lie: Lie, verdict: Verdict) {
    let broker = Liar::start(lie).await;
    options.target = support::tcp(broker.address);
    let run = support::quietly(&options).await.expect("the run begins");
    let verdicts: Vec<Verdict> = run.results.iter().map(|result| result.verdict).collect();
    assert_eq!(verdicts, [verdict], "{:?}", support::complaints(&run));
}

/// ActiveMQ does so: what is refused late is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_may_come_behind_the_answer_to_pingreq() {
    conforms(Lie::RefusesLate, "topics/misplaced_wildcard_is_refused").await;
}

/// So does ActiveMQ on a busy machine: the connection ends behind the answers to PINGREQ, by less than they took.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_may_come_behind_the_answer_to_pingreq() {
    conforms(Lie::ClosesLate, "connect/second_connect_ends_connection").await;
}

/// It does so, too, where CONNACK alone shows that the machine is busy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_may_take_as_long_as_connack_did() {
    conforms(Lie::ClosesLateForConnect, "connect/second_connect_ends_connection").await;
}

/// ActiveMQ does so in its first minute: while it serves others, what it is slow with is not left open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_may_come_behind_a_late_answer_to_pingreq() {
    let mut options = of_one_check("connect/second_connect_ends_connection");
    options.patience = Duration::from_secs(1);
    conforms_with(options, Lie::AnswersLate(Duration::from_millis(1500))).await;
}

/// HBMQTT does so on a busy machine: who lets all Clients wait has not forgotten the silent one in particular.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_broker_may_be_late_with_a_silent_client() {
    let options = of_one_check("keep_alive/silent_client_is_disconnected");
    for (time, verdict) in [(2500, Verdict::Inconclusive), (0, Verdict::Violates)] {
        comes_to(options.clone(), Lie::ConnectsLate(Duration::from_millis(time)), verdict).await;
    }
}

/// ejabberd does so over WebSocket, with wrong and with right ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_packet_that_was_lost_sight_of_is_sent_again() {
    let mut options = of_one_check("table/will_qos3");
    options.patience = Duration::from_secs(1);
    conforms_with(options, Lie::LosesSightOfOne(Arc::default())).await;
}

/// HiveMQ does so: what a topic may be is not said of CONNECT, so that a code may refuse it in 3.1.1, too. What the section
/// on CONNECT forbids has no CONNACK.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_will_topic_may_be_refused_by_a_code() {
    let broker = Liar::start(Lie::RefusesWills).await;
    let mut options = support::options(support::tcp(broker.address), Duration::from_secs(5));
    options.versions = vec![Version::V3_1_1];
    let checks = [
        ("table/will_topic_wildcard", Verdict::Conforms),
        ("table/will_topic_empty", Verdict::Conforms),
        ("table/will_qos3", Verdict::Violates),
    ];
    options.checks = checks.iter().map(|(name, _)| support::check(name)).collect();
    let run = support::quietly(&options).await.expect("the run begins");
    for (name, verdict) in checks {
        let result = run.results.iter().find(|result| result.check.name == name).expect("it ran");
        assert_eq!(result.verdict, verdict, "{name}: {:?}", support::complaints(&run));
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
    "v3_1/identifier_of_1_to_23_is_accepted",
    "v3_1/missing_user_name_is_valid",
];

/// What one that answers PINGREQ besides does show: that it keeps these connections.
const SHOWN_BY_PINGRESP: &[&str] = &[
    "client_id/case_matters",
    "client_id/empty_ids_are_distinct",
    "client_id/is_compared_exactly",
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

/// Checks in whose stories the reference broker delivers, though it is not that which shows their point: the one asks
/// for answers alone, the next that something does not come, and to the last the end of the connection is an answer.
const SHOWN_WITHOUT_DELIVERY: &[&str] = &[
    "connect/packets_may_follow_at_once",
    "auth/nothing_unasked",
    "packet_identifier/subscribe_leaves_qos_2_alone",
];

/// What the reference broker shows by a message that it delivers, one that delivers none cannot show.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_a_delivery_does_not_conform_without_one() {
    let reference = support::options(Target::Reference { mutant: None }, Duration::from_secs(2));
    let reference = support::quietly(&reference).await.expect("the reference broker is served");
    let delivers: BTreeSet<(&str, Version)> = reference
        .results
        .iter()
        .filter(|r| {
            r.log
                .iter()
                .any(|entry| entry.direction == Direction::Received && entry.text.starts_with("PUBLISH"))
        })
        .map(|r| (r.check.name, r.version))
        .filter(|(name, _)| !SHOWN_WITHOUT_DELIVERY.contains(name))
        .collect();
    assert!(delivers.len() > 100, "{}", delivers.len());

    let patience = Duration::from_millis(500);
    let mut runs = tokio::task::JoinSet::new();
    for lie in [
        Lie::Everything,
        Lie::Late(2 * patience),
        Lie::Drips,
        Lie::ResetsAt(2),
        Lie::ResetsAt(3),
        Lie::ResetsAt(4),
        Lie::Huge,
    ] {
        runs.spawn(async move {
            let broker = Liar::start(lie.clone()).await;
            let mut options = support::options(support::tcp(broker.address), patience);
            options.deadline = Duration::from_secs(5);
            let begun = Instant::now();
            let run = support::quietly(&options).await.expect("the CONNECT is accepted");
            (lie, run, begun.elapsed())
        });
    }
    let mut wrong = Vec::new();
    while let Some(done) = runs.join_next().await {
        let (lie, run, took) = done.expect("a run does not panic");
        assert_eq!(run.results.len(), run.planned, "{lie:?}: results are lost");
        assert!(took < RUN_MAX, "{lie:?} took {took:?}");
        wrong.extend(
            run.results
                .iter()
                .filter(|r| r.verdict == Verdict::Conforms && delivers.contains(&(r.check.name, r.version)))
                .map(|r| format!("{lie:?}: {}", support::line(r))),
        );
    }
    assert!(wrong.is_empty(), "conform without proof:\n{}", wrong.join("\n"));
    if let Some(kib) = memory_peak_kib() {
        assert!(kib < MEMORY_MAX_KIB, "{kib} KiB");
    }
}

/// The most memory that this process ever had, where the system tells.
fn memory_peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// A broker whose CONNACK is malformed, too slow, or cut off is told in one sentence; or the run goes on, says so, and
/// nothing conforms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connack_that_is_none_shows_nothing() {
    let mut lies: Vec<(Version, Lie)> =
        vec![(Version::V5, Lie::ResetsAt(1)), (Version::V3_1_1, Lie::DripsFromTheStart)];
    for version in [Version::V3_1_1, Version::V5] {
        lies.extend(
            malformed(version, Stage::Opening).into_iter().map(|case| (version, Lie::Malformed(case))),
        );
    }
    assert!(lies.len() > 20, "{}", lies.len());
    let mut wrong = Vec::new();
    for (version, lie) in lies {
        let broker = Liar::start(lie.clone()).await;
        let mut options = support::options(support::tcp(broker.address), Duration::from_millis(300));
        options.versions = vec![version];
        options.checks = vec![support::check("ping/pingreq_is_answered")];
        match support::quietly(&options).await {
            Err(error) if !error.to_string().contains('\n') => {}
            Ok(run)
                if run.results.iter().all(|r| r.verdict != Verdict::Conforms)
                    && (run.remarks.iter().any(|remark| remark.contains("wrong CONNACK"))
                        || matches!(lie, Lie::DripsFromTheStart)) => {}
            other => wrong.push(format!("{lie:?}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whichever malformed packet comes in place of an answer, it is a breach.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_malformed_packet_is_a_breach() {
    let mut wrong = Vec::new();
    for version in [Version::V3_1_1, Version::V5] {
        let cases = malformed(version, Stage::Connected);
        assert!(cases.len() > 50, "{}", cases.len());
        for case in cases {
            let broker = Liar::start(Lie::Malformed(case.clone())).await;
            let mut options = support::options(support::tcp(broker.address), Duration::from_millis(300));
            options.versions = vec![version];
            options.checks = vec![support::check("ping/pingreq_is_answered")];
            let run = support::quietly(&options).await.expect("the CONNECT is accepted");
            wrong.extend(
                run.results
                    .iter()
                    .filter(|r| r.verdict != Verdict::Violates)
                    .map(|r| format!("{}: {}", case.name, support::line(r))),
            );
            assert_eq!(run.results.len(), 1, "{}", case.name);
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
