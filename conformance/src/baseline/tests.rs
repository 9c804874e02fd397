//! What the gate lets through, and what it does not.

use super::*;
use crate::check::{Alone, Check, Cite, Running};
use crate::outcome::{CheckResult, Finding, Run};
use crate::report::Exit;
use crate::story::World;
use crate::verdict::Verdict::{self, Choice, Conforms, Deviates, Inconclusive, Violates};
use mqtt_assay_codec::Version;
use std::time::Duration;

const OLD: Version = Version::V3_1_1;
const NEW: Version = Version::V5;
const TODAY: Date = Date { year: 2026, month: 7, day: 1 };

fn no_story(_: &World) -> Running<'_> {
    Box::pin(async { Ok(()) })
}

static STORE: Check = Check {
    name: "test/store",
    doc: "",
    covers: &[
        Cite { version: OLD, id: "MQTT-3.3.1-6" },
        Cite { version: NEW, id: "MQTT-3.3.1-6" },
        Cite { version: NEW, id: "MQTT-3.3.1-9" },
    ],
    needs: &[],
    proved: &[],
    waits: Duration::ZERO,
    alone: Alone::No,
    setup: crate::setup::Setup::Full,
    run: no_story,
    file: "",
    line: 0,
};

/// One result of the check, with findings of these verdicts and statements.
fn result(version: Version, findings: &[(Verdict, Option<&'static str>)]) -> CheckResult {
    let finding = |&(verdict, id): &(Verdict, Option<&'static str>)| Finding {
        verdict,
        statement: id.map(|id| Cite { version, id }),
        expected: String::new(),
        observed: String::new(),
        at: None,
    };
    CheckResult {
        check: &STORE,
        version,
        verdict: findings.first().map_or(Conforms, |(verdict, _)| *verdict),
        findings: findings.iter().map(finding).collect(),
        notes: vec![],
        cases: 0,
        log: vec![],
        died: None,
        tape: vec![],
        begun: Duration::ZERO,
        elapsed: Duration::ZERO,
    }
}

fn run(results: Vec<CheckResult>) -> Run {
    Run {
        target: "reference".into(),
        seed: 7,
        versions: vec![OLD, NEW],
        remarks: vec![],
        planned: results.len(),
        results,
        interrupted: false,
        elapsed: Duration::ZERO,
        timers: Duration::ZERO,
    }
}

fn gate(text: &str) -> Gate {
    Gate { file: "known.toml".into(), baseline: Baseline::read(text).expect("a baseline"), today: TODAY }
}

/// An entry with these lines beside its reason.
fn known(lines: &str) -> String {
    format!("[[known]]\n{lines}\nreason = 'it is so'\n")
}

fn both(old: &[(Verdict, Option<&'static str>)], new: &[(Verdict, Option<&'static str>)]) -> Run {
    run(vec![result(OLD, old), result(NEW, new)])
}

const BROKEN: &[(Verdict, Option<&str>)] = &[(Violates, Some("MQTT-3.3.1-9"))];

#[test]
fn what_is_known_does_not_fail_the_run() {
    let broken = both(&[], BROKEN);
    for fitting in [
        "statement = '5.0/MQTT-3.3.1-9'\nverdict = 'violates'",
        "statement = 'MQTT-3.3.1-9'\nverdict = 'violates'",
        "statement = '5/MQTT-3.3.*'\nverdict = 'violates'",
        "check = 'test/store'\nverdict = 'violates'\nmqtt = '5'",
        "check = 'test/store'\nstatement = 'MQTT-3.3.1-9'\nverdict = 'violates'",
    ] {
        let gate = gate(&known(fitting));
        let judgement = gate.judge(&broken, false);
        assert_eq!(judgement.exit(&broken), Exit::Conforms, "{fitting}");
        assert_eq!((judgement.count(Standing::Known), judgement.count(Standing::New)), (1, 0), "{fitting}");
        assert!(judgement.broken.is_empty() && judgement.stale.is_empty(), "{fitting}");
    }
}

#[test]
fn what_is_not_known_fails_the_run() {
    let broken = both(&[], BROKEN);
    for other in [
        "",
        &known("statement = '5.0/MQTT-3.3.1-6'\nverdict = 'violates'"),
        &known("statement = '3.1.1/MQTT-3.3.1-9'\nverdict = 'violates'"),
        &known("statement = '5.0/MQTT-3.3.1-9'\nverdict = 'deviates'"),
        &known("statement = '5.0/MQTT-3.3.2.*'\nverdict = 'violates'"),
        &known("check = 'test/store'\nverdict = 'violates'\nmqtt = '3.1.1'"),
        &known("check = 'test/stor'\nverdict = 'violates'"),
    ] {
        let gate = gate(other);
        let judgement = gate.judge(&broken, false);
        assert_eq!(judgement.exit(&broken), Exit::Violations, "{other}");
        assert_eq!(judgement.count(Standing::New), 1, "{other}");
        assert_eq!(judgement.broken.len(), 1, "{other}");
    }
}

/// A result with two findings is known if both are.
#[test]
fn a_new_finding_beside_a_known_one_is_new() {
    let run = both(&[], &[(Violates, Some("MQTT-3.3.1-9")), (Violates, Some("MQTT-3.3.1-6"))]);
    let gate = gate(&known("statement = '5.0/MQTT-3.3.1-9'\nverdict = 'violates'"));
    let judgement = gate.judge(&run, false);
    assert_eq!(judgement.exit(&run), Exit::Violations);
    assert_eq!(judgement.count(Standing::New), 1);
    assert_eq!(judgement.broken.iter().map(ToString::to_string).collect::<Vec<_>>(), ["5.0/MQTT-3.3.1-6"]);
}

/// A finding without a statement speaks of the first of its check.
#[test]
fn a_finding_without_a_statement_is_known_by_the_first_that_its_check_decides() {
    let run = both(&[], &[(Violates, None)]);
    let exit = |id: &str| {
        let gate = gate(&known(&format!("statement = '{id}'\nverdict = 'violates'")));
        gate.judge(&run, false).exit(&run)
    };
    assert_eq!(exit("5.0/MQTT-3.3.1-6"), Exit::Conforms);
    assert_eq!(exit("5.0/MQTT-3.3.1-9"), Exit::Violations);
}

#[test]
fn an_entry_that_nothing_fits_is_stale_if_whatever_could_was_decided() {
    let stale = |entry: &str, run: &Run| -> Vec<&str> {
        let gate = gate(&known(entry));
        let judgement = gate.judge(run, false);
        let exit = judgement.exit(run);
        assert_eq!(exit == Exit::Violations, !judgement.stale.is_empty(), "{entry}");
        judgement.stale.iter().map(|stale| stale.why).collect()
    };
    let entry = "check = 'test/store'\nverdict = 'violates'";
    let whole = both(&[], &[(Choice, None)]);
    assert_eq!(stale(entry, &whole), ["nothing fails so any more"]);
    assert_eq!(stale("check = 'test/gone'\nverdict = 'violates'", &whole), ["no check has this name"]);
    assert_eq!(stale("statement = 'MQTT-9.9.9-9'\nverdict = 'violates'", &whole), ["no check decides it"]);
    let old = "statement = '3.1.1/MQTT-3.3.1-9'\ncheck = 'test/store'\nverdict = 'violates'\nmqtt = '3.1.1'";
    assert_eq!(stale(old, &whole), ["nothing fails so any more"]);

    // The other version was not run; the story did not come to its end.
    assert!(stale(entry, &run(vec![result(NEW, &[])])).is_empty());
    let gate = gate(&known("check = 'test/store'\nverdict = 'deviates'"));
    for undecided in [Violates, Inconclusive, Verdict::Unsupported, Verdict::NotTested] {
        assert!(gate.judge(&both(&[], &[(undecided, None)]), false).stale.is_empty(), "{undecided}");
    }
}

#[test]
fn a_flaky_entry_hides_nothing_and_is_never_stale() {
    let gate = gate(&known("check = 'test/store'\nverdict = 'violates'\nflaky = true"));
    let broken = both(&[], BROKEN);
    let judgement = gate.judge(&broken, false);
    assert_eq!(judgement.exit(&broken), Exit::Violations);
    assert_eq!((judgement.count(Standing::Flaky), judgement.count(Standing::Known)), (1, 0));
    assert_eq!(judgement.broken.len(), 1);
    let kept = both(&[], &[]);
    assert_eq!(gate.judge(&kept, false).exit(&kept), Exit::Conforms);
}

#[test]
fn a_flaky_entry_outweighs_one_that_would_hide() {
    let entries = known("check = 'test/store'\nverdict = 'violates'")
        + &known("statement = '5.0/MQTT-3.3.1-9'\nverdict = 'violates'\nflaky = true");
    let (gate, broken) = (gate(&entries), both(&[], BROKEN));
    let judgement = gate.judge(&broken, false);
    assert_eq!((judgement.exit(&broken), judgement.count(Standing::Flaky)), (Exit::Violations, 1));
    assert!(judgement.stale.is_empty());
}

#[test]
fn an_entry_counts_until_its_last_day_is_over() {
    let on = |expires: &str| {
        let gate = gate(&known(&format!("check = 'test/store'\nverdict = 'violates'\nexpires = {expires}")));
        let (broken, kept) = (both(&[], BROKEN), both(&[], &[]));
        let of = |run| {
            let judgement = gate.judge(run, false);
            (judgement.exit(run), judgement.stale.len(), judgement.expired.len())
        };
        (of(&broken), of(&kept))
    };
    assert_eq!(on("2026-07-01"), ((Exit::Conforms, 0, 0), (Exit::Violations, 1, 0)));
    assert_eq!(on("2026-06-30"), ((Exit::Violations, 0, 1), (Exit::Conforms, 0, 1)));
}

#[test]
fn a_recommendation_fails_a_strict_run_only() {
    let run = both(&[], &[(Deviates, None)]);
    let none = gate("");
    assert_eq!(none.judge(&run, false).exit(&run), Exit::Conforms);
    assert_eq!(none.judge(&run, true).exit(&run), Exit::Violations);
    let knows = gate(&known("check = 'test/store'\nverdict = 'deviates'"));
    for strict in [false, true] {
        let judgement = knows.judge(&run, strict);
        assert_eq!((judgement.exit(&run), judgement.count(Standing::Known)), (Exit::Conforms, 1));
    }
}

#[test]
fn what_was_not_shown_is_no_success() {
    let empty = run(vec![]);
    let gone = gate(&known("check = 'test/gone'\nverdict = 'violates'"));
    assert_eq!(gone.judge(&empty, false).exit(&empty), Exit::Undecided);
    let undecided = both(&[], &[(Inconclusive, None)]);
    assert_eq!(gate("").judge(&undecided, false).exit(&undecided), Exit::Undecided);
    let knows = gate(&known("check = 'test/store'\nverdict = 'inconclusive'"));
    assert_eq!(knows.judge(&undecided, false).exit(&undecided), Exit::Conforms);
    let nothing_else = run(vec![result(NEW, &[(Inconclusive, None)])]);
    assert_eq!(knows.judge(&nothing_else, false).exit(&nothing_else), Exit::Undecided);
    let unfinished = Run { planned: 3, ..both(&[], &[]) };
    assert_eq!(gate("").judge(&unfinished, false).exit(&unfinished), Exit::Trouble);
}

#[test]
fn a_run_passes_the_baseline_that_it_has_written() {
    let broken = both(&[(Violates, None)], &[(Violates, Some("MQTT-3.3.1-9")), (Deviates, None)]);
    for strict in [false, true] {
        let text = gate("").accept(&broken, strict).text().expect("it is written");
        let again = gate(&text);
        assert_eq!(again.judge(&broken, strict).exit(&broken), Exit::Conforms, "{text}");
        assert_eq!(again.baseline.entries.len(), if strict { 3 } else { 2 }, "{text}");
        assert!(again.baseline.entries.iter().all(|entry| entry.reason == UNEXPLAINED));
        assert_eq!(again.accept(&broken, strict).text().expect("it is written"), text, "nothing moves");
    }
}

#[test]
fn accepting_keeps_what_is_still_there_with_all_that_is_said_of_it() {
    let text = known("statement = '5.0/MQTT-3.3.*'\nverdict = 'violates'\nlink = 'https://a.example/\"1\"'")
        + &known("check = 'test/gone'\nverdict = 'violates'")
        + &known("check = 'test/store'\nverdict = 'deviates'\nmqtt = '3.1.1'")
        + &known("check = 'test/store'\nverdict = 'inconclusive'\nflaky = true\nexpires = 2030-02-28")
        + &known("check = 'test/store'\nverdict = 'violates'\nmqtt = '5'\nexpires = 2026-06-30");
    let accepted = gate(&text).accept(&both(&[], BROKEN), false).text().expect("it is written");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("baseline_accepted", accepted));
}

/// What is inconclusive may be known, by hand; a run does not accept it by itself.
#[test]
fn what_is_inconclusive_is_not_accepted() {
    let undecided = both(&[], &[(Inconclusive, None)]);
    assert_eq!(gate("").accept(&undecided, true), Baseline::default());
}

#[test]
fn errors_in_the_file_are_one_sentence_with_their_line() {
    let mut told = String::new();
    for wrong in [
        "[[known]\n",
        "known = 3\n",
        "\n[[knwon]]\n",
        "[[known]]\ncheck = 'a/b'\nverdict = 'violates'\n",
        "[[known]]\ncheck = 'a/b'\nverdict = 'violates'\nreasno = 'x'\n",
        "\n\n[[known]]\nverdict = 'violates'\nreason = 'x'\n",
        &known("check = 'a/b'\nverdict = 'fails'"),
        &known("check = 'a/b'\nverdict = 'conforms'"),
        &known("statement = '3.3.1-6'\nverdict = 'violates'"),
        &known("statement = '4.0/MQTT-3.3.1-6'\nverdict = 'violates'"),
        &known("statement = 'MQTT-3.1*'\nverdict = 'violates'"),
        &known("statement = 'MQTT-3.1.2-1'\nverdict = 'violates'\nmqtt = '4'"),
        &known("statement = '5.0/MQTT-3.1.2-1'\nverdict = 'violates'\nmqtt = '3.1.1'"),
        &known("check = 'a/b'\nverdict = 'violates'\nexpires = 2026-02-30"),
        &known("check = 'a/b'\nverdict = 'violates'\nexpires = 2026-02-03T00:00:00Z"),
        &known("check = 'a/b'\nverdict = 'violates'\nflaky = 'yes'"),
        "[[known]]\ncheck = 'a/b'\nverdict = 'violates'\nreason = ' '\n",
        &known("check = 'a/b'\nverdict = 'violates'").repeat(2),
    ] {
        let error = Baseline::read(wrong).expect_err(wrong).to_string();
        assert!(error.starts_with("line ") && !error.contains('\n'), "{error}");
        told.push_str(&error);
        told.push('\n');
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("baseline_errors", told));
}

#[test]
fn the_day_of_the_run_is_one_of_this_age() {
    let today = today();
    assert!((2025..3000).contains(&today.year), "{today}");
    assert!((1..=12).contains(&today.month) && (1..=31).contains(&today.day), "{today}");
}
