//! Campaigns over real sockets: they find the faults of broken brokers, and of the sound one nothing.

mod support;

use mqtt_assay::campaign::{
    self, Ended, FINDING_SCHEMA, Options, Progress, Record, Shard, Summary, Trouble, finding_schema,
    summary_schema,
};
use mqtt_assay::process::Recipe;
use mqtt_assay::serve::Fault;
use mqtt_assay::target::Target;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The command itself.
const PROGRAM: &str = env!("CARGO_BIN_EXE_mqtt-assay");

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A port that nobody listens on at the moment.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// A campaign against the embedded broker, with bounds that fit a broker which is known to be quick.
fn options(out: &Path, fault: Option<Fault>) -> Options {
    Options {
        target: Target::Reference { mutant: fault },
        process: None,
        pid: None,
        time: None,
        cases: None,
        findings: None,
        seed: 5,
        connections: 24,
        corpus: None,
        out: out.to_owned(),
        resume: false,
        shard: Shard { index: 1, of: 1 },
        promptness: Duration::from_millis(700),
        hang: Duration::from_secs(2),
        minimising: Duration::from_secs(3),
        strict: false,
        broker: " reference".to_owned(),
        nonce: u64::from(std::process::id()) << 16,
    }
}

/// Runs without anybody watching or stopping.
async fn hunt(options: &Options) -> Summary {
    let (_keep, stop) = tokio::sync::watch::channel(false);
    campaign::run(options, stop, &mut |_| {}).await.expect("it begins")
}

fn records(out: &Path) -> Vec<Record> {
    let found = std::fs::read_dir(out.join("findings")).expect("findings");
    let mut records: Vec<Record> = found
        .map(|entry| {
            let text = std::fs::read_to_string(entry.expect("one").path().join("finding.json"));
            serde_json::from_str(&text.expect("its record")).expect("a record")
        })
        .collect();
    records.sort_by(|one, other| one.name.cmp(&other.name));
    records
}

/// Hunts a mutant until it is found by one of the statements that it breaks. What else it is accused of on the way must
/// be true of it, too, and is a consequence: who answers with another Packet Identifier does not answer.
async fn is_found(name: &str, time: Duration) -> Result<(), String> {
    let fault = Fault::from_name(name).ok_or_else(|| format!("there is no mutant {name}"))?;
    let out = folder();
    let until = Instant::now() + time;
    let mut wanted = 1;
    loop {
        let time = Some(until.saturating_duration_since(Instant::now()));
        let own = options(out.path(), Some(fault));
        let summary = hunt(&Options { time, findings: Some(wanted), resume: wanted > 1, ..own }).await;
        let sure = || summary.findings.iter().filter(|found| found.reproduced == Some(true));
        if sure().any(|found| found.statements.iter().any(|id| fault.breaks().contains(&id.as_str()))) {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(format!("{name}: not in {} cases; {:?}", summary.cases, summary.findings));
        }
        wanted = sure().count() + 1;
    }
}

/// Hunts mutants, some side by side; all that are not found, or by a wrong statement, fail the test.
async fn all_are_found(names: &'static [&'static str], side_by_side: usize, time: Duration) {
    let mut wrong = Vec::new();
    for some in names.chunks(side_by_side) {
        let hunts: Vec<_> = some.iter().map(|name| tokio::spawn(is_found(name, time))).collect();
        for hunt in hunts {
            wrong.extend(hunt.await.expect("no campaign panics").err());
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Those of the list below that show soonest.
const MUTANTS: &[&str] = &["no_local_ignored", "retained_flag_cleared", "dup_on_first_delivery"];

#[tokio::test(flavor = "multi_thread")]
async fn mutants_are_found_with_the_right_statement() {
    all_are_found(MUTANTS, 3, Duration::from_secs(20)).await;
}

/// The first 32 were picked from all parts of the table before any of them was hunted; the last three came later.
const MORE_MUTANTS: &[&str] = &[
    "no_local_ignored",
    "retained_flag_cleared",
    "pubrel_flags_accepted",
    "subscribe_flags_accepted",
    "trailing_bytes_accepted",
    "bad_filter_granted",
    "subscribe_qos_3_accepted",
    "puback_wrong_id",
    "suback_code_unlisted",
    "unsuback_missing",
    "session_present_always",
    "pubrel_missing",
    "connect_reserved_flag_accepted",
    "protocol_name_ignored",
    "second_connect_accepted",
    "pubrec_wrong_id",
    "qos_0_acknowledged",
    "dup_on_first_delivery",
    "pubrel_flags_wrong",
    "retained_not_cleared",
    "retain_flag_on_live",
    "retain_as_published_ignored",
    "will_never_published",
    "will_published_on_normal_disconnect",
    "suback_codes_reversed",
    "only_first_filter_subscribed",
    "hash_excludes_parent",
    "bad_share_filter_granted",
    "empty_topic_accepted",
    "ill_formed_utf8_accepted",
    "packet_id_zero_accepted",
    "topic_alias_zero_accepted",
    "unsuback_wrong_id",
    "unsuback_code_unlisted",
    "pubcomp_wrong_id",
];

/// Minutes of work: `cargo test -p mqtt-assay --test fuzz -- --ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn thirty_mutants_are_found_within_a_minute_each() {
    all_are_found(MORE_MUTANTS, 4, Duration::from_secs(60)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_where_nothing_is_wrong() {
    let out = folder();
    // Bounds in keeping with a machine that has other tests to run.
    let promptness = Duration::from_secs(2);
    let options = Options {
        cases: Some(160),
        connections: 64,
        promptness,
        hang: Duration::from_secs(5),
        ..options(out.path(), None)
    };
    let summary = hunt(&options).await;
    assert_eq!(summary.findings, [], "{:#?}", records(out.path()));
    assert_eq!((summary.cases, summary.ended), (160, Ended::Done));
    assert!(summary.signatures > 100 && summary.packets > 1_000, "{summary:?}");
}

/// A broker of ours as a process, whose process goes wrong when a client publishes and then unsubscribes.
fn planted(how: &str) -> Recipe {
    let words = [PROGRAM, "serve", "--listen", "127.0.0.1:{port}", "--plant"];
    let mut spawn: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    spawn.push(format!("{how}:publish,unsubscribe"));
    Recipe {
        spawn,
        stop: None,
        kill: None,
        restart: None,
        folder: None,
        host: "127.0.0.1".to_owned(),
        port: free_port(),
        patience: Duration::from_secs(20),
    }
}

/// Hunts a broker whose process goes wrong, until that is found.
async fn planted_is_found(how: &str, kind: Trouble) {
    let out = folder();
    let recipe = planted(how);
    let target = support::tcp(([127, 0, 0, 1], recipe.port).into());
    let options = Options {
        target,
        process: Some(recipe),
        time: Some(Duration::from_secs(20)),
        findings: Some(1),
        hang: Duration::from_secs(1),
        minimising: Duration::from_secs(15),
        ..options(out.path(), None)
    };
    let summary = hunt(&options).await;
    let records = records(out.path());
    // What did not come again accuses nobody.
    let records: Vec<&Record> = records.iter().filter(|record| record.reproduced == Some(true)).collect();
    let [record] = records.as_slice() else { panic!("{how}: {records:#?}\n{summary:?}") };
    assert_eq!(record.kind, kind, "{how}: {record:#?}");
    let script = std::fs::read_to_string(out.path().join("findings").join(&record.name).join("script.mqtt"));
    let script = script.expect("the script");
    assert!(record.clients == 1 && record.steps <= 8, "{how} is not small:\n{script}");
    assert!(script.contains("PUBLISH") && script.contains("UNSUBSCRIBE"), "{how}:\n{script}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_aborts_is_found() {
    planted_is_found("abort", Trouble::Crash).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "with the long hunt: three of its kind are hunted in each test run"]
async fn a_process_that_does_nothing_any_more_is_found() {
    planted_is_found("sleep", Trouble::Hang).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_runs_in_circles_is_told_from_one_that_sleeps() {
    planted_is_found("spin", Trouble::Spin).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "with the long hunt: three of its kind are hunted in each test run"]
async fn a_process_that_stops_listening_is_found() {
    planted_is_found("deaf", Trouble::Deaf).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_leaks_is_found() {
    planted_is_found("leak", Trouble::Leak).await;
}

/// The rest is the broker's as before: what it owes on that connection does not come.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "with the long hunt: three of its kind are hunted in each test run"]
async fn a_connection_that_is_not_read_any_more_is_a_wrong_answer() {
    planted_is_found("mute", Trouble::WrongAnswer).await;
}

/// What the command prints to either stream.
fn run(arguments: &[&str], code: i32) -> String {
    let output: Output = Command::new(PROGRAM).args(arguments).output().expect("the command runs");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{text}");
    text
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
    // The command in the record shows it again, and on the sound broker nothing.
    let words = record.replay.strip_prefix("mqtt-assay ").expect("our command");
    let again = run(&words.split(' ').collect::<Vec<_>>(), 1);
    assert!(again.contains(&record.statements[0].id), "{again}");
    let sound = words.replace(" --mutant puback_wrong_id", "");
    assert!(run(&sound.split(' ').collect::<Vec<_>>(), 0).contains(" 0 accusations"));
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
    assert!(run(&["fuzz", "merge", path(whole.path())], 2).contains("no summary.json"));
}

/// Somebody ends the broker: that is told, accuses nobody, and the campaign goes on with a new one.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_by_hand_accuses_nobody() {
    let out = folder();
    let marker = out.path().join("pid");
    let serve =
        format!("echo $$ > '{}'; exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}", marker.display());
    let recipe = Recipe { spawn: ["sh", "-c", &serve].map(str::to_owned).into(), ..planted("abort") };
    let target = support::tcp(([127, 0, 0, 1], recipe.port).into());
    let time = Some(Duration::from_secs(4));
    let options = Options { target, process: Some(recipe), time, ..options(out.path(), None) };
    let killed = marker.clone();
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let mut cases_then = None;
    let mut kill_once = |progress: Progress<'_>| {
        if let Progress::Status(status) = progress
            && status.cases > 5
            && cases_then.is_none()
        {
            let pid = std::fs::read_to_string(&killed).expect("its number");
            assert!(Command::new("kill").args(["-9", pid.trim()]).status().expect("kill").success());
            cases_then = Some(status.cases);
        }
    };
    let summary = campaign::run(&options, stop, &mut kill_once).await.expect("it begins");
    assert_eq!((summary.findings.len(), summary.ended_by_others, summary.restarts), (0, 1, 1), "{summary:?}");
    assert!(summary.remarks[0].contains("from outside") && summary.ended == Ended::Done, "{summary:?}");
    assert!(Some(summary.cases) > cases_then);
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
        (&["fuzz", "reference", "--coverage", "shm"], "not part of this version"),
        (&["fuzz", "mqtt://127.0.0.1", "--checks-passwords"], "is for `check`"),
        (&["replay", "no.script", "mqtt://127.0.0.1", "--denied-topic", "t"], "is for `check`"),
    ] {
        let said = run(arguments, 2);
        assert!(said.contains(hint), "{arguments:?}: {said}");
        assert_eq!(said.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{said}");
    }
}

#[test]
fn schemas_are_not_stale() {
    for (name, now) in [
        ("schema/fuzz-1.schema.json", summary_schema()),
        ("schema/fuzz-finding-1.schema.json", finding_schema()),
    ] {
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(name, &now).expect("the schema is written");
        }
        let kept = std::fs::read_to_string(name).unwrap_or_default();
        assert_eq!(kept, now, "{name} is stale: UPDATE_SCHEMAS=1 cargo test -p mqtt-assay schemas");
    }
}
