//! Brokers whose process goes wrong are found, told apart, and the cases made small.

use super::{PROGRAM, folder, free_port, hunt, options, planted, recipe, records, support};
use mqtt_assay::campaign::{self, Ended, Options, Progress, Record, Trouble};
use mqtt_assay::process::Recipe;
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A broker of ours whose process goes wrong.
fn broken(how: &str) -> Recipe {
    recipe(&planted(how).each_ref().map(String::as_str))
}

/// Hunts a broker whose process goes wrong, until that is found.
async fn planted_is_found(how: &str, kind: Trouble) {
    recipe_is_found(how, kind, broken(how)).await;
}

async fn recipe_is_found(how: &str, kind: Trouble, recipe: Recipe) {
    let target = support::tcp(([127, 0, 0, 1], recipe.port).into());
    let out = folder();
    let options = Options { target, process: Some(recipe), ..options(out.path(), None) };
    is_found(how, kind, options).await;
}

/// The same of a broker that runs already.
async fn running_is_found(how: &str, kind: Trouble) {
    let address = ([127, 0, 0, 1], free_port()).into();
    let words = planted(how).map(|word| word.replace("{port}", &format!("{}", SocketAddr::port(&address))));
    let mut child =
        Child(Command::new(&words[0]).args(&words[1..]).stderr(Stdio::null()).spawn().expect("it starts"));
    while TcpStream::connect(address).is_err() {
        assert!(child.0.try_wait().expect("it is ours").is_none(), "it has ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let out = folder();
    let options =
        Options { target: support::tcp(address), pid: Some(child.0.id()), ..options(out.path(), None) };
    is_found(how, kind, options).await;
}

/// A process that ends with the test.
struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn is_found(how: &str, kind: Trouble, options: Options) {
    let options = Options {
        time: Some(Duration::from_secs(20)),
        findings: Some(1),
        hang: Duration::from_secs(1),
        minimising: Duration::from_secs(15),
        ..options
    };
    let summary = hunt(&options).await;
    let records = records(&options.out);
    // What did not come again accuses nobody.
    let records: Vec<&Record> = records.iter().filter(|record| record.reproduced == Some(true)).collect();
    let [record] = records.as_slice() else { panic!("{how}: {records:#?}\n{summary:?}") };
    assert_eq!(record.kind, kind, "{how}: {record:#?}");
    let script = std::fs::read_to_string(options.out.join("findings").join(&record.name).join("script.mqtt"));
    let script = script.expect("the script");
    assert!(record.clients == 1 && record.steps <= 8, "{how} is not small:\n{script}");
    // The script may have them as raw bytes; what was sent was read as packets.
    let history =
        std::fs::read_to_string(options.out.join("findings").join(&record.name).join("history.jsonl"));
    let history = history.expect("what was seen");
    let sent = |packet: &str| {
        let shows = format!("\"shows\":\"{packet} ");
        history.lines().any(|line| line.contains("\"what\":\"sent\"") && line.contains(&shows))
    };
    assert!(sent("PUBLISH") && sent("UNSUBSCRIBE"), "{how}:\n{script}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_aborts_is_found() {
    planted_is_found("abort", Trouble::Crash).await;
}

/// The first start behind its death fails: the next one does not.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_fails_to_start_again_for_once_does_not_end_the_campaign() {
    let once = folder();
    let failing = format!("mkdir '{}' && exit 1; exec \"$@\"", once.path().join("tried").display());
    let mut words = vec!["sh".to_owned(), "-c".to_owned(), failing, "sh".to_owned()];
    words.extend(planted("abort"));
    recipe_is_found("abort", Trouble::Crash, Recipe { restart: Some(words), ..broken("abort") }).await;
    assert!(once.path().join("tried").exists(), "it was not started again");
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
    running_is_found("leak", Trouble::Leak).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "with the long hunt: one that runs already is hunted in each test run"]
async fn a_process_that_leaks_is_found_when_it_is_started() {
    planted_is_found("leak", Trouble::Leak).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "with the long hunt: it needs a processor that is free for the thread that does not rest"]
async fn a_process_that_does_not_rest_is_found_though_it_serves() {
    planted_is_found("busy", Trouble::Busy).await;
}

/// The rest is the broker's as before: what it owes on that connection does not come.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "with the long hunt: three of its kind are hunted in each test run"]
async fn a_connection_that_is_not_read_any_more_is_a_wrong_answer() {
    planted_is_found("mute", Trouble::WrongAnswer).await;
}

/// Somebody ends the broker: that is told, accuses nobody, and the campaign goes on with a new one.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_by_hand_accuses_nobody() {
    let out = folder();
    let marker = out.path().join("pid");
    let serve =
        format!("echo $$ > '{}'; exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}", marker.display());
    let recipe = Recipe { spawn: ["sh", "-c", &serve].map(str::to_owned).into(), ..broken("abort") };
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

/// Whoever stops the campaign while the cause of a death is looked for, and the broker does not come back, does not wait.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_stops_while_it_looks_for_a_cause() {
    let patience = Duration::from_secs(60);
    let restart = Some(["sleep", "60"].map(str::to_owned).into());
    let recipe = Recipe { restart, patience, ..broken("abort") };
    let target = support::tcp(([127, 0, 0, 1], recipe.port).into());
    let out = folder();
    let time = Some(Duration::from_secs(20));
    let options = Options { target, process: Some(recipe), time, ..options(out.path(), None) };
    let (stopper, stop) = tokio::sync::watch::channel(false);
    let mut died = None;
    let mut stop_once = |progress: Progress<'_>| {
        if let Progress::Finding(record) = progress
            && record.kind == Trouble::Crash
        {
            died.get_or_insert_with(Instant::now);
            let _ = stopper.send(true);
        }
    };
    let summary = campaign::run(&options, stop, &mut stop_once).await.expect("it begins");
    let died: Instant = died.expect("it dies");
    assert_eq!(summary.ended, Ended::Stopped, "{summary:?}");
    assert!(died.elapsed() < patience / 4, "it has taken {:?}", died.elapsed());
    assert_eq!(summary.findings.len(), 1, "what was found is kept: {summary:?}");
}
