//! The command: what it prints, what it leaves behind, and how it goes on.

use super::{PROGRAM, folder, free_port, records};
use mqtt_assay::campaign::{Ended, FINDING_SCHEMA, Summary};
use mqtt_assay::replay::{Report, Source};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// What the command prints to either stream.
fn run(arguments: &[&str], code: i32) -> String {
    let output: Output = Command::new(PROGRAM).args(arguments).output().expect("the command runs");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{text}");
    text
}

/// What `replay --json` prints.
fn replayed(words: &str, code: i32) -> Report {
    let text = run(&words.split(' ').collect::<Vec<_>>(), code);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn path(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn summary(out: &Path) -> Summary {
    let text = std::fs::read_to_string(out.join("summary.json")).expect("a summary");
    serde_json::from_str(&text).expect("a summary")
}

#[test]
fn a_finding_has_all_that_is_needed_to_believe_it() {
    let out = folder();
    let fuzz = ["fuzz", "reference", "--mutant", "puback_wrong_id", "--findings", "1", "--time", "20s"];
    let bounds = ["--promptness", "0.7", "--seed", "5", "--out", path(out.path())];
    let said = run(&[&fuzz[..], &bounds].concat(), 1);
    assert!(said.contains("Exit 1."), "{said}");
    let record = records(out.path()).into_iter().find(|record| record.reproduced == Some(true));
    let record = record.expect("one that came again");
    assert_eq!(record.schema, FINDING_SCHEMA);
    assert!(!record.expected.is_empty() && !record.statements[0].summary.is_empty(), "{record:#?}");
    let own = out.path().join("findings").join(&record.name);
    let packets = std::fs::read_to_string(own.join("packets.txt")).expect("packets");
    assert!(packets.contains("← here"), "{packets}");
    assert!(
        std::fs::read_dir(&own)
            .expect("files")
            .any(|file| { file.expect("one").file_name().to_string_lossy().ends_with(".sent.bin") })
    );
    let capture = std::fs::read(own.join("capture.pcapng")).expect("a capture");
    assert!(record.capture && capture.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]));
    // The command in the record shows it again, and on the sound broker nothing.
    let words = record.replay.strip_prefix("mqtt-assay ").expect("our command");
    let again = run(&words.split(' ').collect::<Vec<_>>(), 1);
    assert!(again.contains(&record.statements[0].id), "{again}");
    assert!(again.contains("recorded   the finding comes again"), "{again}");
    let sound = words.replace(" --mutant puback_wrong_id", "");
    let said = run(&sound.split(' ').collect::<Vec<_>>(), 0);
    assert!(said.contains(" 0 accusations") && said.contains("does not come again"), "{said}");
    // A program learns the same, and what the sound broker did otherwise: it has answered with the right identifier.
    let report = replayed(&format!("{sound} --json"), 0);
    let comparison = report.comparison.expect("the finding is beside the script");
    assert_eq!((comparison.source, comparison.same), (Source::Finding, Some(false)));
    assert_eq!(comparison.missing, std::slice::from_ref(&record.name));
    let [first, ..] = comparison.differences.as_slice() else { panic!("{comparison:#?}") };
    let told = first.recorded.as_deref().zip(first.now.as_deref());
    let (before, now) = told.expect("both brokers have answered");
    assert!(before.starts_with("PUBACK") && now.starts_with("PUBACK") && before != now, "{first:#?}");
    let report = replayed(&format!("{words} --json"), 1);
    let statements = report.accusations.iter().flat_map(|accused| &accused.statements);
    assert!(statements.map(|cited| &cited.id).any(|id| *id == record.statements[0].id), "{report:#?}");
    let index = report.accusations[0].log_index.expect("a packet shows it");
    assert!(report.log[index].text.contains("PUBACK"), "{report:#?}");
    assert_eq!(report.comparison.expect("a comparison").same, Some(true));
    if record.reproducer {
        let shell = own.join("reproduce.sh");
        let checked = Command::new("sh").arg("-n").arg(&shell).status().expect("a shell");
        assert!(checked.success());
    }
}

#[test]
fn a_campaign_goes_on_where_it_was_killed_and_shards_are_joined() {
    let whole = folder();
    let outs: Vec<PathBuf> = ["one", "two"].map(|name| whole.path().join(name)).into();
    let shards = ["1/2", "2/2"];
    let arguments = |place: usize, cases| {
        let bounds = ["fuzz", "reference", "--seed", "9", "--promptness", "0.5", "--cases", cases];
        [&bounds[..], &["--shard", shards[place], "--out", path(&outs[place])]].concat()
    };
    // Killed in the middle: what it had is there.
    let mut endless: Vec<&str> = arguments(0, "1000000");
    endless.push("--quiet");
    let mut child = Command::new(PROGRAM).args(&endless).spawn().expect("it starts");
    let begun = std::time::Instant::now();
    let had = loop {
        std::thread::sleep(Duration::from_millis(50));
        let text = std::fs::read_to_string(outs[0].join("summary.json")).unwrap_or_default();
        let cases = serde_json::from_str::<Summary>(&text).map_or(0, |summary| summary.cases);
        if cases > 20 {
            break cases;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "no case in {text}");
    };
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    let killed = summary(&outs[0]);
    assert!(killed.cases >= had && killed.ended == Ended::Running, "{killed:?}");
    assert_eq!(killed.next_case % 2, 0, "the first shard has the even numbers");
    // Not without being asked, and not as something else.
    assert!(run(&arguments(0, "10"), 2).contains("--resume"));
    let mut other = arguments(0, "10");
    other.push("--resume");
    for word in other.iter_mut().filter(|word| **word == "9") {
        *word = "8";
    }
    assert!(run(&other, 2).contains("--seed 9"), "{other:?}");
    let mut resumed = arguments(0, "40");
    resumed.push("--resume");
    run(&resumed, 0);
    let resumed = summary(&outs[0]);
    assert_eq!(resumed.cases, killed.cases + 40);
    assert!(resumed.next_case >= killed.next_case + 80 && resumed.ended == Ended::Done, "{resumed:?}");
    run(&arguments(1, "40"), 0);
    assert_eq!(summary(&outs[1]).next_case, 81);
    let into = whole.path().join("merged");
    run(&["fuzz", "merge", path(&outs[0]), path(&outs[1]), "--into", path(&into)], 0);
    let merged = summary(&into);
    assert_eq!((merged.ended, merged.cases), (Ended::Merged, resumed.cases + 40));
    assert!(merged.signatures >= resumed.signatures);
    assert!(std::fs::read_dir(into.join("corpus")).expect("a corpus").count() > 10);
    // A case of the corpus says how it was answered, and the same broker answers so again.
    let case =
        std::fs::read_dir(into.join("corpus")).expect("a corpus").next().expect("a case").expect("a case");
    let case = case.path();
    let words = ["replay", path(&case), "--promptness", "0.5", "--json"];
    let output = Command::new(PROGRAM).args(words).output().expect("the command runs");
    // Steps of hostile cases may fail: their clients are not connected any more.
    let report: Report = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report.accusations, []);
    let comparison = report.comparison.expect("answers are in the case");
    assert_eq!(comparison.source, Source::Corpus);
    assert!(!comparison.recorded.is_empty(), "{comparison:#?}");
    assert!(run(&["fuzz", "merge", path(whole.path())], 2).contains("no summary.json"));
}

#[test]
fn what_cannot_be_hunted_is_refused_in_a_sentence() {
    let out = folder();
    let closed = format!("mqtt://127.0.0.1:{}", free_port());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let taken_url = format!("mqtt://127.0.0.1:{port}");
    let file = out.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let own = path(out.path());
    let under_file = file.join("out");
    for (arguments, hint) in [
        (&["fuzz", &closed, "--out", own][..], "cannot connect to 127.0.0.1"),
        (&["fuzz", &taken_url, "--spawn", "sleep 9", "--out", own], "something listens on 127.0.0.1"),
        (&["fuzz", "reference", "--out", path(&under_file)], "choose another folder with --out"),
        (&["fuzz", &taken_url, "--pid", "4194999", "--out", own], "there is no process 4194999"),
        (&["fuzz", "reference", "--pid", "1"], "needs no --pid"),
        (&["fuzz", "mqtt://192.0.2.1"], "--authorized"),
        (&["fuzz", "reference", "--shard", "3/2"], "I/N"),
        (&["fuzz", "reference", "--time", "soon"], "90s or 20m"),
        (&["fuzz", "reference", "--coverage", "shm"], "give --spawn"),
        (&["fuzz", "mqtt://127.0.0.1", "--checks-passwords"], "is for `check`"),
        (&["replay", "no.script", "mqtt://127.0.0.1", "--denied-topic", "t"], "is for `check`"),
    ] {
        let said = run(arguments, 2);
        assert!(said.contains(hint), "{arguments:?}: {said}");
        assert_eq!(said.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{said}");
    }
}
