//! The faces of a result: terminal, JSON, JUnit, and what `list`, `explain` and the help say.

use mqtt_assay::baseline::{Baseline, Date, Gate};
use mqtt_assay::check::{Alone, Check, Cite, Need, Running};
use mqtt_assay::cli::{self, ListForm};
use mqtt_assay::matrix;
use mqtt_assay::outcome::{CheckResult, Direction, Finding, LogEntry, Run};
use mqtt_assay::report::form::Form;
use mqtt_assay::report::terminal::{self, Look};
use mqtt_assay::report::{Context, Exit, Summary, issue, json, junit};
use mqtt_assay::story::World;
use mqtt_assay::verdict::Verdict;
use mqtt_assay_codec::Version;
use std::path::Path;
use std::time::Duration;

const OLD: Version = Version::V3_1_1;
const NEW: Version = Version::V5;

fn no_story(_: &World) -> Running<'_> {
    Box::pin(async { Ok(()) })
}

static NO_LOCAL: Check = Check {
    name: "subscribe/no_local_keeps_own_messages_away",
    doc: " With No Local set, a Client does not get back\n what it published itself.\n\n Sends     A \
          subscribes with No Local and publishes to the topic.\n Demands   no PUBLISH to A before the \
          barrier.\n Leaves    nothing.\n",
    covers: &[Cite { version: NEW, id: "MQTT-3.8.3-3" }],
    needs: &[],
    proved: &["no_local_ignored"],
    setup: mqtt_assay::setup::Setup::Full,
    waits: Duration::ZERO,
    alone: Alone::No,
    run: no_story,
    file: "conformance/src/checks/v5/s3_8_subscribe.rs",
    line: 12,
};

static RETAINED: Check = Check {
    name: "retained/reaches_new_subscription",
    doc: " A retained message is sent once to each new subscription, with RETAIN set.\n\n Sends     A publishes \
          a retained message; B subscribes.\n Demands   B receives it.\n Leaves    nothing.\n",
    covers: &[
        Cite { version: OLD, id: "MQTT-3.3.1-6" },
        Cite { version: OLD, id: "MQTT-3.3.1-8" },
        Cite { version: NEW, id: "MQTT-3.3.1-9" },
    ],
    needs: &[Need::Retain, Need::Qos1],
    proved: &["retained_lost", "retained_without_flag"],
    setup: mqtt_assay::setup::Setup::Full,
    waits: Duration::from_secs(3),
    alone: Alone::No,
    run: no_story,
    file: "conformance/src/checks/common/s3_3_retained.rs",
    line: 34,
};

static FIRST: Check = Check {
    name: "connect/first_packet_is_connect",
    doc: " The first packet of a connection must be CONNECT.\n\n Sends     PINGREQ.\n Demands   the end of the \
          connection.\n Leaves    nothing.\n",
    covers: &[Cite { version: OLD, id: "MQTT-3.1.0-1" }, Cite { version: NEW, id: "MQTT-3.1.0-1" }],
    needs: &[],
    proved: &[],
    setup: mqtt_assay::setup::Setup::Full,
    waits: Duration::ZERO,
    alone: Alone::No,
    run: no_story,
    file: "conformance/src/checks/common/s3_1_connect.rs",
    line: 56,
};

fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

fn packet(at: u64, client: &str, direction: Direction, text: &str, bytes: &[u8]) -> LogEntry {
    LogEntry {
        at: ms(at),
        client: client.into(),
        connection: 1,
        direction,
        text: text.into(),
        bytes: bytes.into(),
        length: bytes.len(),
    }
}

fn result(check: &'static Check, version: Version, verdict: Verdict) -> CheckResult {
    CheckResult {
        check,
        version,
        verdict,
        findings: vec![],
        notes: vec![],
        cases: 0,
        log: vec![],
        died: None,
        tape: vec![],
        begun: Duration::ZERO,
        elapsed: ms(4),
    }
}

fn finding(verdict: Verdict, expected: &str, observed: &str, at: Option<usize>) -> Finding {
    Finding { verdict, statement: None, expected: expected.into(), observed: observed.into(), at }
}

fn failing() -> CheckResult {
    use Direction::{Note, Received, Sent};
    let mut result = result(&NO_LOCAL, NEW, Verdict::Violates);
    result.findings = vec![Finding {
        statement: Some(Cite { version: NEW, id: "MQTT-3.8.3-3" }),
        ..finding(
            Verdict::Violates,
            "no PUBLISH to a before the barrier (PINGRESP)",
            "PUBLISH a7/echo \"mine\" qos=0",
            Some(7),
        )
    }];
    result.log = vec![
        packet(0, "a", Note, "connected", b""),
        packet(
            0,
            "a",
            Sent,
            "CONNECT client_id=a7-a clean_start=1",
            b"\x10\x11\0\x04MQTT\x05\x02\0\x3c\0\0\x04a7-a",
        ),
        packet(1, "a", Received, "CONNACK 0x00", b"\x20\x03\0\0\0"),
        packet(1, "a", Sent, "SUBSCRIBE id=1 a7/echo qos=0 no_local=1", b"\x82\x0d\0\x01\0\0\x07a7/echo\x04"),
        packet(2, "a", Received, "SUBACK id=1 0x00", b"\x90\x04\0\x01\0\0"),
        packet(2, "a", Sent, "PUBLISH a7/echo \"mine\" qos=0", b"\x30\x0e\0\x07a7/echo\0mine"),
        packet(2, "a", Sent, "PINGREQ", b"\xc0\0"),
        packet(3, "a", Received, "PUBLISH a7/echo \"mine\" qos=0", b"\x30\x0e\0\x07a7/echo\0mine"),
        packet(3, "a", Received, "PINGRESP", b"\xd0\0"),
    ];
    result
}

/// A log too long to be shown whole, by a broker that tries to steer the terminal.
fn inconclusive() -> CheckResult {
    let mut result = result(&RETAINED, OLD, Verdict::Inconclusive);
    result.findings = vec![finding(Verdict::Inconclusive, "", "the broker went away: \u{1b}[2J", Some(60))];
    result.log = (0..100)
        .map(|n| {
            packet(n, "b", Direction::Received, &format!("PUBLISH \u{1b}]0;x\u{7} {n} qos=0"), &[0x30; 200])
        })
        .collect();
    result.log[99].connection = 2;
    result
}

fn sample() -> Run {
    let mut deviating = result(&FIRST, NEW, Verdict::Deviates);
    deviating.findings =
        vec![finding(Verdict::Deviates, "the end of the connection", "DISCONNECT 0x81, then nothing", None)];
    let mut choosing = result(&RETAINED, NEW, Verdict::Choice);
    choosing.notes = vec!["a retained message of QoS 0 is kept".into()];
    let mut unsupported = result(&NO_LOCAL, NEW, Verdict::Unsupported);
    unsupported.findings =
        vec![finding(Verdict::Unsupported, "", "CONNACK says: no Shared Subscriptions", None)];
    Run {
        target: "mqtt://127.0.0.1:1883".into(),
        seed: 7,
        versions: vec![OLD, NEW],
        remarks: vec!["5.0: CONNACK 0x00 topic_alias_maximum=10".into()],
        results: vec![
            result(&FIRST, OLD, Verdict::Conforms),
            deviating,
            inconclusive(),
            choosing,
            failing(),
            unsupported,
        ],
        planned: 6,
        interrupted: false,
        elapsed: ms(6_840),
        timers: ms(4_500),
    }
}

fn context() -> Context {
    let command = "mqtt-assay check mqtt://127.0.0.1:1883".into();
    Context { command, broker: None, strict: false, gate: None }
}

const PLAIN: Look = Look { colours: false, columns: None, verbose: false };

fn on_terminal(run: &Run, look: &Look) -> String {
    let mut out = Vec::new();
    terminal::write(&mut out, &json::report(run, &context(), look.verbose), look).unwrap();
    String::from_utf8(out).unwrap()
}

fn as_junit(run: &Run, context: &Context) -> String {
    junit::report(&[json::report(run, context, false)]).unwrap()
}

/// Compares with the file of this name in the repository's `snapshots` folder.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn a_run_on_the_terminal() {
    snapshot("report_terminal", &on_terminal(&sample(), &PLAIN));
}

#[test]
fn a_narrow_terminal_with_colours() {
    let mut run = sample();
    run.results.retain(|r| r.verdict == Verdict::Violates);
    run.planned = 1;
    let text = on_terminal(&run, &Look { colours: true, columns: Some(72), verbose: false });
    snapshot("report_terminal_narrow", &text.replace('\u{1b}', "ESC"));
}

#[test]
fn a_verbose_run_shows_all_packets_and_notes() {
    let mut run = sample();
    run.results.retain(|r| matches!(r.verdict, Verdict::Choice | Verdict::Conforms));
    run.results[0].log = failing().log;
    run.planned = run.results.len();
    snapshot("report_terminal_verbose", &on_terminal(&run, &Look { verbose: true, ..PLAIN }));
}

#[test]
fn no_byte_of_the_broker_steers_the_terminal() {
    for look in [PLAIN, Look { verbose: true, ..PLAIN }] {
        let text = on_terminal(&sample(), &look);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    }
    let xml = as_junit(&sample(), &context());
    assert!(!xml.chars().any(|c| c.is_control() && c != '\n'));
}

#[test]
fn a_result_as_json() {
    let report = json::report(&sample(), &context(), false);
    let mut value = serde_json::to_value(&report).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&json::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(validator.validate(&serde_json::json!({"schema": "mqtt-assay/result/2"})).is_err());

    // A hundred like entries show no more than three.
    value["results"][2]["log"].as_array_mut().unwrap().truncate(3);
    snapshot("report_json", &serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn a_list_as_json_is_as_its_schema_says() {
    let schema: serde_json::Value = serde_json::from_str(&cli::list_schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for form in [ListForm::Checks, ListForm::Statements, ListForm::Mutants] {
        let text = cli::list(form, &[], true, &[&FIRST, &RETAINED, &NO_LOCAL]).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(validator.is_valid(&value), "{form:?}");
    }
}

/// The committed schemas are those of the program. `UPDATE_SCHEMAS=1` writes them.
#[test]
fn schemas_are_not_stale() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    for (file, schema) in [
        ("result-1.schema.json", json::schema()),
        ("list-1.schema.json", cli::list_schema()),
        ("matrix-1.schema.json", matrix::json::schema()),
    ] {
        let path = folder.join(file);
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &schema).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == schema, "{file} is stale: UPDATE_SCHEMAS=1 cargo test -p mqtt-assay schemas");
    }
}

#[test]
fn a_result_as_junit() {
    let mut run = sample();
    run.results[2].log.truncate(3);
    snapshot("report_junit", &as_junit(&run, &context()));
}

/// The forms that people read in other programs than a terminal.
#[test]
fn a_result_in_other_forms() {
    let mut run = gated_sample();
    run.results[2].log.truncate(2);
    let report = [json::report(&run, &gated(), false)];
    for (form, name) in [
        (Form::Markdown, "report_markdown"),
        (Form::Tap, "report_tap"),
        (Form::GitHub, "report_github"),
        (Form::Badge, "report_badge"),
    ] {
        snapshot(name, &form.make(&report).unwrap());
    }
}

#[test]
fn a_text_for_a_tracker() {
    let report = json::report(&sample(), &context(), false);
    let text = issue::text(&report, "subscribe/no_local_keeps_own_messages_away", None).unwrap();
    snapshot("report_issue", &text);
}

#[test]
fn junit_of_a_strict_run_fails_deviations() {
    let strict = as_junit(&sample(), &Context { strict: true, ..context() });
    assert_eq!(strict.matches("<failure").count(), 2);
    assert_eq!(as_junit(&sample(), &context()).matches("<failure").count(), 1);
}

/// A baseline that knows one failure, is too old for another, has one that is flaky, and one that is stale.
fn gated() -> Context {
    let text = "
        [[known]]
        statement = '5.0/MQTT-3.8.3-3'
        verdict = 'violates'
        reason = 'the bridge depends on it'
        link = 'https://example.org/issues/42'

        [[known]]
        check = 'connect/first_packet_is_connect'
        verdict = 'deviates'
        reason = 'waits for the new parser'
        expires = 2026-06-30

        [[known]]
        check = 'retained/reaches_new_subscription'
        mqtt = '3.1.1'
        verdict = 'inconclusive'
        reason = 'it restarts itself at times'
        flaky = true

        [[known]]
        check = 'retained/reached_old_subscription'
        verdict = 'violates'
        reason = 'nobody remembers'
    ";
    let baseline = Baseline::read(text).unwrap();
    let today = Date { year: 2026, month: 7, day: 1 };
    Context { gate: Some(Gate { file: "known.toml".into(), baseline, today }), ..context() }
}

/// As the sample, and what the baseline knows is not all that fails.
fn gated_sample() -> Run {
    let mut run = sample();
    run.results[0] = result(&FIRST, OLD, Verdict::Violates);
    run.results[0].findings = vec![finding(Verdict::Violates, "the end of the connection", "nothing", None)];
    run.results[2].log.truncate(2);
    run.results[2].findings[0].at = Some(1);
    run
}

#[test]
fn a_run_with_a_baseline_on_the_terminal() {
    let mut out = Vec::new();
    terminal::write(&mut out, &json::report(&gated_sample(), &gated(), false), &PLAIN).unwrap();
    snapshot("baseline_terminal", &String::from_utf8(out).unwrap());
}

#[test]
fn a_run_with_a_baseline_as_json() {
    let value = serde_json::to_value(json::report(&gated_sample(), &gated(), false)).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&json::schema()).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&value));
    assert_eq!(value["summary"]["exit"], 1);
    let results: Vec<_> = value["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| serde_json::json!([result["check"], result["verdict"], result["baseline"]]))
        .collect();
    let shown = serde_json::json!({"baseline": value["baseline"], "results": results});
    snapshot("baseline_json", &serde_json::to_string_pretty(&shown).unwrap());
}

#[test]
fn a_run_with_a_baseline_as_junit() {
    let xml = as_junit(&gated_sample(), &gated());
    assert_eq!(xml.matches("<failure").count(), 2, "one is new, one entry is stale");
    assert_eq!(xml.matches("<error").count(), 1, "what is flaky counts");
    snapshot("baseline_junit", &xml);
}

#[test]
fn exit_codes() {
    let exit = |verdicts: &[Verdict], strict| {
        let mut run = sample();
        run.results = verdicts.iter().map(|v| result(&FIRST, NEW, *v)).collect();
        run.planned = run.results.len();
        Summary::of(&run).exit(&run, strict)
    };
    use Verdict::{Choice, Conforms, Deviates, Inconclusive, NotTested, Unsupported, Violates};
    assert_eq!(exit(&[Conforms, Choice, Unsupported, NotTested, Deviates], false), Exit::Conforms);
    assert_eq!(exit(&[Conforms, Deviates], true), Exit::Violations);
    assert_eq!(exit(&[Conforms, Violates, Inconclusive], false), Exit::Violations);
    assert_eq!(exit(&[Conforms, Inconclusive], false), Exit::Undecided);
    assert_eq!(exit(&[Unsupported, NotTested], false), Exit::Undecided);
    assert_eq!(exit(&[], false), Exit::Undecided);
    for unfinished in [Run { interrupted: true, ..sample() }, Run { planned: 7, ..sample() }] {
        assert_eq!(Summary::of(&unfinished).exit(&unfinished, false), Exit::Trouble);
        assert!(on_terminal(&unfinished, &PLAIN).contains(" of "));
    }
}

/// A build that is green stays green within a number of the catalogue: what the checks decide is pinned under it.
/// After a release, this snapshot is not brought up to date; the number is, and so the snapshot is another.
#[test]
fn the_catalogue_is_pinned() {
    let checks = mqtt_assay::checks::all();
    let mut lines = Vec::new();
    for check in &checks {
        for version in check.versions() {
            let cites: Vec<&str> = check.cites(version).map(|cite| cite.id).collect();
            lines.push(format!("{} {version}: {}", check.name, cites.join(" ")));
        }
    }
    assert!(lines.len() > checks.len());
    let name = format!("catalogue_{}", mqtt_assay::statement::CATALOGUE.replace('.', "_"));
    snapshot(&name, &lines.join("\n"));
}

#[test]
fn lists() {
    let checks: [&'static Check; 3] = [&FIRST, &RETAINED, &NO_LOCAL];
    snapshot("list_checks", &cli::list(ListForm::Checks, &[], false, &checks).unwrap());
    let some =
        cli::list(ListForm::Statements, &["3.8.3".into(), "U5-WILL-1".into()], false, &checks).unwrap();
    snapshot("list_statements", &some);
    let of_check = cli::list(ListForm::Statements, &["retained/".into()], false, &checks).unwrap();
    assert_eq!(of_check.lines().count(), 3);
    assert!(cli::list(ListForm::Checks, &["retainde/".into()], false, &checks).is_err());
}

#[test]
fn explanations() {
    let checks: [&'static Check; 3] = [&FIRST, &RETAINED, &NO_LOCAL];
    let explain = |id| cli::explain(id, &checks).unwrap();
    snapshot("explain_statement", &explain("MQTT-3.8.3-3"));
    snapshot("explain_unnumbered", &explain("U5-CON-10"));
    snapshot("explain_check", &explain("retained/reaches_new_subscription"));
    assert!(explain("5.0/MQTT-3.8.3-1").contains("nothing that a broker does can break it"));
    assert!(cli::explain("retained/reaches_new_subscriptio", &checks).unwrap_err().contains("did you mean"));
    snapshot("explain_word", &cli::explain("checks_passwords", &mqtt_assay::checks::all()).unwrap());
    assert!(cli::explain("denid_topic", &checks).unwrap_err().contains("did you mean denied_topic?"));
}

/// Nothing that a report, a list or a profile can name is without an explanation.
#[test]
fn everything_is_explained() {
    let checks = mqtt_assay::checks::all();
    let explain = |id: &str| cli::explain(id, &checks).unwrap_or_else(|error| panic!("{error}"));
    for statement in mqtt_assay::statement::all() {
        assert!(explain(&statement.cite().to_string()).contains(statement.section().to_string().as_str()));
        assert!(explain(statement.id).contains(statement.id));
    }
    for check in &checks {
        assert!(explain(check.name).contains("run it with"));
    }
    for verdict in Verdict::ALL {
        explain(verdict.name());
    }
    let page = include_str!("../../docs/profile.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (profile, _) = rest.split_once("```").unwrap();
    for (section, keys) in profile.parse::<toml::Table>().unwrap() {
        for key in keys.as_table().unwrap().keys() {
            assert!(explain(&format!("{section}.{key}")).contains(&section));
        }
    }
}

#[test]
fn help_texts() {
    snapshot("help", &cli::help(None));
    for subcommand in [
        "check",
        "probe",
        "list",
        "explain",
        "serve",
        "simulate",
        "replay",
        "fuzz",
        "prove",
        "report",
        "completions",
        "man",
    ] {
        snapshot(&format!("help_{subcommand}"), &cli::help(Some(subcommand)));
    }
}
