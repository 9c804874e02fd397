//! `check --spawn` and the `[process]` of a profile: the broker is started, watched, started again, and ended.
#![cfg(unix)]

use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const COMMAND: &str = env!("CARGO_BIN_EXE_mqtt-assay");

fn check(arguments: &[&str]) -> Output {
    Command::new(COMMAND)
        .arg("check")
        .args(arguments)
        .env_remove("MQTT_ASSAY_PASSWORD")
        .output()
        .expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

/// The command that serves the reference broker.
fn served(more: &str) -> String {
    format!("{COMMAND} serve --listen 127.0.0.1:{{port}} {more}")
}

/// The one line that a refusal is.
fn refusal(arguments: &[&str]) -> String {
    let output = check(arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{arguments:?}: {said}");
    said
}

/// The port that a report names in the target.
fn port_of(report: &serde_json::Value) -> u16 {
    let target = report["target"].as_str().expect("a target");
    target.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

fn is_free(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_err()
}

/// A free port, for brokers that are told theirs.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound port").port()
}

#[test]
fn a_broker_that_lives_is_started_and_ended() {
    let output = check(&["--spawn", &served(""), "--only", "ping/", "--seed", "7", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(is_free(port_of(&report)), "the broker outlives the run");
    assert!(report["results"].as_array().expect("results").iter().all(|entry| entry.get("died").is_none()));
}

/// A broker dies of UNSUBSCRIBE: the checks that send one violate, each with its death; all others conform, though they
/// ran beside.
#[test]
fn a_death_is_the_finding_of_the_check_that_it_is_of() {
    let command = served("--die-on UNSUBSCRIBE");
    let arguments = ["--spawn", &command, "--mqtt", "5", "--seed", "7", "--json"];
    let only = ["--only", "unsubscribe/", "--only", "ping/", "--only", "retained/reaches_new_subscription"];
    let output = check(&[&arguments[..], &only].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/result-1.schema.json");
    let schema = std::fs::read_to_string(schema).expect("the schema is there");
    let validator =
        jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON")).expect("a schema");
    assert!(validator.is_valid(&report));

    let results = report["results"].as_array().expect("results");
    assert_eq!(report["planned"], results.len());
    let mut dead = 0;
    for entry in results {
        let name = entry["check"].as_str().expect("a name");
        if !name.starts_with("unsubscribe/") {
            assert_eq!(entry["verdict"], "conforms", "{entry}");
            continue;
        }
        dead += 1;
        assert_eq!(entry["verdict"], "violates", "{entry}");
        assert_eq!(entry["died"]["how"], "it exited with status 70");
        let said = entry["died"]["output"].to_string();
        assert!(said.contains("dies of UNSUBSCRIBE"), "{said}");
        assert!(entry["replay"].as_str().is_some_and(|replay| replay.contains("--spawn '")), "{entry}");
    }
    assert!(dead > 3, "{dead} checks");
    let remarks = report["remarks"].to_string();
    assert!(remarks.contains("the broker died") && remarks.contains("during the run"), "{remarks}");
    assert!(is_free(port_of(&report)));
}

#[test]
fn a_death_is_shown_with_its_last_words() {
    let command = served("--die-on unsubscribe");
    let only = ["--only", "unsubscribe/answered_with_its_id", "--mqtt", "3.1.1", "--seed", "7"];
    let shown = text(&check(&[&["--spawn", &command][..], &only].concat()).stdout);
    for expected in [
        "a broker that lives on",
        "it exited with status 70",
        "it said    ",
        "dies of UNSUBSCRIBE",
        "Exit 1.",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
}

/// A signal from outside shows nothing of the broker.
#[test]
fn who_is_told_to_end_is_not_accused() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("broker.sh");
    // It ends itself by SIGTERM when the reference broker, its child, has died.
    let lines = format!("{COMMAND} serve --listen 127.0.0.1:$1 --die-on pingreq\nkill -TERM $$\n");
    let lines = lines.replace("pingreq", "unsubscribe");
    std::fs::write(&script, lines).expect("a script is written");
    let command = format!("sh {} {{port}}", script.display());
    let arguments = ["--only", "unsubscribe/answered_with_its_id", "--mqtt", "5", "--seed", "7"];
    let output = check(&[&["--spawn", &command][..], &arguments].concat());
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{shown}");
    assert!(shown.contains("somebody ended the broker") && shown.contains("SIGTERM"), "{shown}");
}

#[test]
fn who_does_not_start_is_told_with_its_last_words() {
    let said = refusal(&["--spawn", "no-such-broker-at-all {port}"]);
    assert!(said.contains("cannot start the broker") && said.contains("no-such-broker-at-all"), "{said}");
    let said = refusal(&["--spawn", "sh -c 'echo no licence for port {port} >&2; exit 3'"]);
    assert!(said.contains("it exited with status 3") && said.contains("no licence for port"), "{said}");
    let said = refusal(&["--spawn", "sh -c 'echo I wait; sleep 600' {port}", "--spawn-timeout", "0.5"]);
    assert!(said.contains("does not listen") && said.contains("I wait"), "{said}");
    // A broker that dies of the first CONNECT.
    let said = refusal(&["--spawn", &served("--die-on connect")]);
    assert!(said.contains("the broker died") && said.contains("dies of CONNECT"), "{said}");
    let said = refusal(&["--spawn", &in_background("")]);
    assert!(said.contains("stay in the foreground"), "{said}");
}

/// A command that leaves the reference broker behind, after it has done this.
fn in_background(more: &str) -> String {
    format!("sh -c '{} &{more}' {{port}}", served("").replace("{port}", "$0"))
}

/// A command may end later, too, and well: then nobody has died, and nothing can be told any more.
#[test]
fn a_broker_that_is_left_behind_is_not_dead() {
    let arguments = ["--only", "keep_alive/", "--mqtt", "5", "--seed", "7", "--json"];
    let output = check(&[&["--spawn", &in_background(" sleep 1")][..], &arguments].concat());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(3), "{report:#}");
    let observed = report["results"][0]["findings"][0]["observed"].as_str().unwrap_or_default();
    assert!(observed.contains("stay in the foreground"), "{observed}");
    assert!(is_free(port_of(&report)), "what was left behind ends with the run");
}

#[test]
fn a_port_that_is_taken_is_not_mistaken_for_the_broker() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let target = format!("mqtt://{}", listener.local_addr().expect("a bound port"));
    let said = refusal(&[&target, "--spawn", "sleep 600"]);
    assert!(said.contains("something listens"), "{said}");
}

#[test]
fn wrong_usage_of_spawn_is_one_sentence() {
    for (arguments, hint) in [
        (&["--spawn", "mosquitto"][..], "{port}"),
        (&["--spawn", ""], "empty"),
        (&["--spawn", "mosquitto '{port}"], "quotation mark"),
        (&["mqtt://127.0.0.1:1883", "--spawn", "mosquitto -p {port}"], "{port}"),
        (&["mqtt://127.0.0.1:{port}", "--spawn", "mosquitto"], "{port}"),
        (&["reference", "--spawn", "mosquitto"], "needs no --spawn"),
        (&["--spawn-timeout", "3"], "--spawn"),
        (&["--over", "ws"], "profile"),
        (&["--no-spawn", "--spawn", "x"], "--no-spawn"),
    ] {
        let said = refusal(arguments);
        assert!(said.contains(hint), "{arguments:?}: {said}");
    }
}

/// A profile starts its broker by its own commands, ends it by them, and tells what no packet tells.
#[test]
fn a_profile_is_a_target() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broker.toml");
    let file = path.to_str().expect("a path in UTF-8");
    let port = free_port();
    let profile = format!(
        "[broker]\ndenied_topic = 'mqtt-assay/denied'\n\n[addresses]\nws = 'ws://127.0.0.1:{port}/mqtt'\n\n\
         [process]\nspawn = '{COMMAND} serve --listen ws://127.0.0.1:{port}/mqtt'\n\
         stop = 'sh -c \"touch stopped; kill -INT {{pid}}\"'\n"
    );
    std::fs::write(&path, profile).expect("a profile is written");
    let only = ["--only", "ping/", "--only", "websocket/text_frame_ends_the_connection", "--seed", "7"];
    let output = check(&[&[file, "-v"][..], &only].concat());
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}{}", text(&output.stderr));
    assert!(
        shown.contains(&format!("ws://127.0.0.1:{port}/mqtt")) && !shown.contains("not tested:"),
        "{shown}"
    );
    assert!(shown.contains(&format!("replay     mqtt-assay check {file} --only ping/")), "{shown}");
    assert!(
        folder.path().join("stopped").exists(),
        "the profile's own command stops the broker, in its folder"
    );
    assert!(is_free(port));

    let said = refusal(&[file, "--over", "tls"]);
    assert!(said.contains("tls = "), "{said}");
    let said = refusal(&[file, "--no-spawn"]);
    assert!(said.contains("cannot connect"), "{said}");
    let said = refusal(&[file, "--mutant", "retained_lost"]);
    assert!(said.contains("must be `reference`"), "{said}");
}

/// The broker dies, and its profile starts another one that does not: then no check is accused.
#[test]
fn a_death_that_does_not_come_again_leaves_doubt() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broker.toml");
    let file = path.to_str().expect("a path in UTF-8");
    let restart = format!("sh -c \"touch restarted; exec {}\"", served(""));
    let profile = format!(
        "[addresses]\ntcp = 'mqtt://127.0.0.1:{{port}}'\n[process]\nspawn = '{}'\nrestart = '{restart}'\n",
        served("--die-on unsubscribe")
    );
    std::fs::write(&path, profile).expect("a profile is written");
    let only = ["--only", "unsubscribe/answered_with_its_id", "--mqtt", "5", "--seed", "7"];
    let output = check(&[&[file][..], &only].concat());
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{shown}");
    for expected in
        ["did not when each of them was repeated", "it exited with status 70", "dies of UNSUBSCRIBE"]
    {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert!(folder.path().join("restarted").exists(), "the profile's own command starts it again");
}

/// What does not end when it is told to is ended by the profile's `kill`.
#[test]
fn a_stubborn_broker_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broker.toml");
    let file = path.to_str().expect("a path in UTF-8");
    let port = free_port();
    let profile = format!(
        "[addresses]\ntcp = 'mqtt://127.0.0.1:{port}'\n[process]\nspawn = '{COMMAND} serve --listen 127.0.0.1:{port}'\n\
         stop = 'true'\nkill = 'sh -c \"touch killed; kill -KILL {{pid}}\"'\n"
    );
    std::fs::write(&path, profile).expect("a profile is written");
    let output = check(&[file, "--only", "ping/", "--seed", "7"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(folder.path().join("killed").exists() && is_free(port));
}

#[test]
fn a_wrong_profile_is_one_sentence_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broker.toml");
    let file = path.to_str().expect("a path in UTF-8");
    let said = refusal(&[file]);
    assert!(said.contains("cannot read the profile"), "{said}");
    std::fs::write(&path, "[addresses]\ntcp = 'mqtt://127.0.0.1:1'\nudp = ''\n")
        .expect("a profile is written");
    let said = refusal(&[file]);
    assert!(said.contains("broker.toml, line 3: unknown field `udp`"), "{said}");
    std::fs::write(&path, "[broker]\nname = 'nowhere'\n").expect("a profile is written");
    let said = refusal(&[file]);
    assert!(said.contains("has no address"), "{said}");
}

/// The flags of a profile's broker replace what it says.
#[test]
fn what_is_needed_and_lacks_is_not_tested_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broker.toml");
    let file = path.to_str().expect("a path in UTF-8");
    let profile =
        format!("[addresses]\ntcp = 'mqtt://127.0.0.1:{{port}}'\n[process]\nspawn = '{}'\n", served(""));
    std::fs::write(&path, profile).expect("a profile is written");
    let only = ["--only", "denied/answered_or_ends", "--only", "connect/wrong_password_is_refused"];
    let shown = text(&check(&[&[file, "--mqtt", "3.1.1"][..], &only].concat()).stdout);
    assert!(shown.contains("(--denied-topic)") && shown.contains("(--checks-passwords)"), "{shown}");
    // A topic that is not forbidden at all: the check runs.
    let shown = text(&check(&[&[file, "--mqtt", "3.1.1", "--denied-topic", "x"][..], &only].concat()).stdout);
    assert!(!shown.contains("(--denied-topic)") && shown.contains("(--checks-passwords)"), "{shown}");
}

/// Neither Ctrl-C nor SIGTERM leaves the broker behind.
#[test]
fn an_interrupted_run_ends_its_broker() {
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let target = format!("mqtt://127.0.0.1:{port}");
        let command = format!("{COMMAND} serve --listen 127.0.0.1:{port} --mutant retained_lost");
        let report = folder.path().join("result.json");
        let child = Command::new(COMMAND)
            .args(["check", &target, "--spawn", &command, "--only", "retained/", "--jobs", "1"])
            .args(["--report", &format!("json={}", report.display())])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let limit = Instant::now() + Duration::from_secs(60);
        while is_free(port) {
            assert!(Instant::now() < limit, "no broker listens");
            std::thread::sleep(Duration::from_millis(20));
        }
        let told = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill runs");
        assert!(told.success());
        let output = child.wait_with_output().expect("the command ends");
        assert_eq!(output.status.code(), Some(2), "{signal}: {}", text(&output.stderr));
        // A killed process needs a moment to be gone.
        let limit = Instant::now() + Duration::from_secs(5);
        while !is_free(port) {
            assert!(Instant::now() < limit, "{signal}: the broker outlives the run");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
