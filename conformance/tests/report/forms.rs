//! The forms of a report, each held against what its readers demand.

use crate::support;
use mqtt_assay::baseline::{Baseline, Date, Gate};
use mqtt_assay::report::form::Form;
use mqtt_assay::report::json::{self, Entry, Report};
use mqtt_assay::report::{Context, read};
use mqtt_assay::serve::Fault;
use mqtt_assay::target::Target;
use mqtt_assay::verdict::Verdict;
use serde_json::Value;
use std::sync::OnceLock;
use std::time::Duration;

/// A run of a broker that forgets the RETAIN flag, without a baseline and with one that knows a part.
fn runs() -> &'static [Report; 2] {
    static RUNS: OnceLock<[Report; 2]> = OnceLock::new();
    RUNS.get_or_init(|| {
        let fault = Fault::from_name("retained_flag_cleared").expect("a mutant");
        let target = Target::Reference { mutant: Some(fault) };
        let mut options = support::options(target, Duration::from_secs(5));
        options
            .checks
            .retain(|check| ["retained/", "ping/", "websocket/"].iter().any(|p| check.name.starts_with(p)));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let run = runtime.block_on(support::quietly(&options)).expect("the run begins");
        let context =
            Context { command: "mqtt-assay check reference".into(), broker: None, strict: false, gate: None };
        let baseline = Baseline::read(
            "[[known]]\ncheck = 'retained/reaches_new_subscription'\nmqtt = '3.1.1'\nverdict = 'violates'\n\
             reason = 'bridges <need> it'\nlink = 'https://example.org/1'\n\
             [[known]]\nstatement = '5.0/MQTT-3.12.4-1'\nverdict = 'violates'\nreason = 'was so'\n",
        )
        .expect("a baseline");
        let today = Date { year: 2026, month: 7, day: 1 };
        let gate = Some(Gate { file: "known.toml".into(), baseline, today });
        let gated = Context { gate, ..context.clone() };
        [json::report(&run, &context, false), json::report(&run, &gated, false)]
    })
}

/// The first with one result of each verdict that needs showing.
fn varied() -> Report {
    let mut report = runs()[0].clone();
    let failing: Vec<usize> = (0..report.results.len())
        .filter(|index| report.results[*index].verdict == Verdict::Violates)
        .collect();
    assert!(failing.len() > 2, "the mutant is caught");
    for (index, verdict) in failing.into_iter().zip([Verdict::Deviates, Verdict::Inconclusive]) {
        let entry = &mut report.results[index];
        entry.verdict = verdict;
        entry.findings.iter_mut().for_each(|finding| finding.verdict = verdict);
    }
    report
}

fn with(report: &Report, change: impl Fn(&mut Entry)) -> Report {
    let mut report = report.clone();
    report.results.iter_mut().for_each(change);
    report
}

/// Texts of a broker's that would mean something to some reader.
fn hostile() -> Report {
    with(&varied(), |entry| {
        for finding in &mut entry.findings {
            finding.observed =
                "\u{1b}[2J]]> </details> ``` # SKIP | %0A\n::error::x\n---\n...\n<b>&\u{202e}".to_owned();
        }
        for logged in entry.log.iter_mut().flatten() {
            logged.text = "]]>\n```````\n  ...\n</details><script>".to_owned();
        }
    })
}

#[test]
fn sarif_is_valid_by_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("sarif-schema-2.1.0.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut interrupted = varied();
    interrupted.interrupted = true;
    for runs in
        [&[varied()][..], &[hostile()], &[runs()[1].clone()], &[varied(), runs()[1].clone()], &[interrupted]]
    {
        let text = Form::Sarif.make(runs).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<_> =
            validator.iter_errors(&value).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:?}");
        for (shown, run) in value["runs"].as_array().unwrap().iter().zip(runs) {
            let results = shown["results"].as_array().unwrap();
            let rules = shown["tool"]["driver"]["rules"].as_array().unwrap();
            for result in results {
                let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
                assert_eq!(rules[index]["id"], result["ruleId"]);
            }
            let prints: std::collections::BTreeSet<String> =
                results.iter().map(|r| r["partialFingerprints"].to_string()).collect();
            assert_eq!(prints.len(), results.len(), "each finding has its own fingerprint");
            let violating =
                run.results.iter().flat_map(|r| &r.findings).filter(|f| f.verdict == Verdict::Violates);
            assert_eq!(results.iter().filter(|r| r["level"] == "error").count(), violating.count());
        }
    }
    assert!(!validator.is_valid(&serde_json::json!({"version": "2.1.0", "runs": [{"results": []}]})));
}

#[test]
fn sarif_suppresses_what_is_known() {
    let value: Value = serde_json::from_str(&Form::Sarif.make(&runs()[1..]).unwrap()).unwrap();
    let results = value["runs"][0]["results"].as_array().unwrap();
    let known: Vec<_> = results
        .iter()
        .filter(|result| result["suppressions"].as_array().is_some_and(|s| !s.is_empty()))
        .collect();
    assert!(known.iter().all(|r| r["ruleId"] == "retained/reaches_new_subscription" && r["properties"]["mqtt"] == "3.1.1"));
    assert!(!known.is_empty() && known.len() < results.len());
    assert!(results.iter().all(|result| result["suppressions"].is_array()));
}

/// As JUnit's readers count: every result is a case, and what fails is told as the exit code counts it.
#[test]
fn junit_is_read_again() {
    for run in [varied(), hostile(), runs()[1].clone()] {
        let text = Form::JUnit.make(std::slice::from_ref(&run)).unwrap();
        let read = quick_junit::Report::deserialize_from_str(&text).expect("it is JUnit");
        let baseline = run.baseline.as_ref().map_or(0, |b| b.stale.len() + b.expired.len());
        assert_eq!(read.tests, run.results.len() + baseline);
        let count = |verdict| run.results.iter().filter(|r| r.verdict == verdict).count();
        let stale = run.baseline.as_ref().map_or(0, |b| b.stale.len());
        let known = run.baseline.as_ref().map_or(0, |b| b.known);
        assert_eq!(read.failures, count(Verdict::Violates) - known + stale);
        assert_eq!(read.errors, count(Verdict::Inconclusive));
    }
    let both = Form::JUnit.make(&[varied(), hostile()]).unwrap();
    assert_eq!(quick_junit::Report::deserialize_from_str(&both).unwrap().tests, 2 * varied().results.len());
}

/// The lines of TAP, outside of YAML blocks: the plan is kept, and no text of a broker's is taken for a line.
#[test]
fn tap_keeps_its_plan() {
    for runs in [&[varied()][..], &[hostile()], &[runs()[1].clone()], &[varied(), hostile()]] {
        let text = Form::Tap.make(runs).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("TAP version 14"));
        let plan: usize = lines.next().and_then(|line| line.strip_prefix("1..")).unwrap().parse().unwrap();
        let (mut points, mut failing, mut within) = (0, 0, false);
        for line in lines {
            match line {
                "  ---" => within = true,
                "  ..." => within = false,
                _ if within => assert!(line.starts_with("  "), "{line}"),
                _ if line.starts_with("# ") => {}
                _ => {
                    points += 1;
                    let rest = line.strip_prefix("not ").unwrap_or(line);
                    assert!(rest.starts_with(&format!("ok {points} - ")), "{line}");
                    failing += usize::from(line.starts_with("not ") && !line.contains(" # TODO known: "));
                }
            }
        }
        assert!(!within && points == plan);
        let fails = |run: &Report| {
            let open = |entry: &&Entry| matches!(entry.verdict, Verdict::Violates | Verdict::Inconclusive);
            let known = run.baseline.as_ref().map_or(0, |b| b.known);
            run.results.iter().filter(open).count() - known
                + run.baseline.as_ref().map_or(0, |b| b.stale.len())
        };
        assert_eq!(failing, runs.iter().map(fails).sum::<usize>());
    }
}

/// Whatever a broker says, folds and fences are closed where they should be.
#[test]
fn markdown_is_balanced() {
    for runs in [&[varied()][..], &[hostile()], &[runs()[1].clone()], &[varied(), hostile()]] {
        let text = Form::Markdown.make(runs).unwrap();
        let mut fence: Option<&str> = None;
        let (mut open, mut folds) = (0, 0);
        for line in text.lines() {
            match fence {
                Some(ticks) if line == ticks => fence = None,
                Some(_) => {}
                None if line.starts_with("```") => fence = Some(line.trim_end_matches("text")),
                None => {
                    open += line.matches("<details>").count();
                    folds += line.matches("<details>").count();
                    open -= line.matches("</details>").count();
                }
            }
        }
        assert!(fence.is_none() && open == 0);
        let shown = |run: &Report| {
            run.results
                .iter()
                .filter(|r| {
                    matches!(r.verdict, Verdict::Violates | Verdict::Deviates | Verdict::Inconclusive)
                })
                .count()
        };
        let known: usize = runs.iter().filter_map(|run| run.baseline.as_ref()).map(|b| b.known).sum();
        assert_eq!(folds, runs.iter().map(shown).sum::<usize>() - known + usize::from(known > 0));
    }
}

#[test]
fn markdown_is_cut_where_github_cuts_it() {
    let mut long = with(&varied(), |entry| {
        for finding in &mut entry.findings {
            finding.observed = "x".repeat(300_000);
        }
    });
    let text = Form::Markdown.make(&[long.clone()]).unwrap();
    assert!(text.len() <= 1 << 20, "{}", text.len());
    assert!(text.contains("left out here, since GitHub takes 1 MiB at most"));
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    long.results.clear();
    assert!(!Form::Markdown.make(&[long]).unwrap().contains("left out"));
}

#[test]
fn a_badge_counts_statements() {
    let run = &runs()[0];
    let (kept, broken) = (run.summary.statements_kept.len(), run.summary.statements_broken.len());
    let message = format!("{kept} of {} statements kept", kept + broken);
    let value: Value =
        serde_json::from_str(&Form::BadgeJson.make(std::slice::from_ref(run)).unwrap()).unwrap();
    assert_eq!(value["message"], message.as_str());
    assert_eq!((&value["schemaVersion"], &value["color"]), (&1.into(), &"red".into()));
    let picture = Form::Badge.make(std::slice::from_ref(run)).unwrap();
    assert!(
        picture.contains(&format!("<title>{}: {message}</title>", value["label"].as_str().unwrap())),
        "{picture}"
    );
    let mut kept_all = run.clone();
    kept_all.summary.statements_broken.clear();
    for (exit, colour) in [(0, "brightgreen"), (3, "lightgrey")] {
        kept_all.summary.exit = exit;
        assert!(Form::BadgeJson.make(&[kept_all.clone()]).unwrap().contains(colour));
    }
    assert!(Form::Badge.make(&[run.clone(), run.clone()]).unwrap_err().contains("one result"));
}

/// Annotations: one command a line, an error for each failure that is not known.
#[test]
fn annotations_are_commands() {
    for run in [varied(), hostile(), runs()[1].clone()] {
        let text = Form::GitHub.make(std::slice::from_ref(&run)).unwrap();
        let kinds: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert!(kinds.iter().all(|kind| ["::error", "::warning", "::notice"].contains(kind)), "{text}");
        assert!(kinds.contains(&"::error") && kinds.iter().filter(|kind| **kind == "::error").count() <= 10);
        let known = run.baseline.is_some();
        assert!(known || kinds.contains(&"::warning"), "deviations and what is open are warnings");
    }
}

/// A result is read as it was written; what is none is told from it by name.
#[test]
fn results_are_read_again() {
    for run in runs() {
        let text = Form::Json.make(std::slice::from_ref(run)).unwrap();
        assert_eq!(&read::read(&text).unwrap(), run);
        let half = &text[..text.len() / 2];
        assert!(read::read(half).unwrap_err().starts_with("ends in the middle"));
        let newer = text.replacen("mqtt-assay/result/1", "mqtt-assay/result/2", 1);
        let said = read::read(&newer).unwrap_err();
        assert!(said.contains("newer") && said.contains("result/2") && said.contains("update"), "{said}");
        let other = text.replacen("\"verdict\"", "\"opinion\"", 1);
        assert!(read::read(&other).unwrap_err().contains("missing field `verdict`"));
    }
    for (text, hint) in [
        ("", "is empty"),
        ("<html>", "no JSON"),
        ("{}", "has no schema"),
        ("[1, 2]", "has no schema"),
        ("{\"schema\": \"mqtt-assay/list/1\"}", "its schema is mqtt-assay/list/1"),
        ("{\"schema\": \"mqtt-assay/result/0\", \"tool\": \"0.0.1\"}", "its schema is mqtt-assay/result/0"),
    ] {
        let said = read::read(text).unwrap_err();
        assert!(said.contains(hint) && !said.contains('\n'), "{text}: {said}");
    }
}
