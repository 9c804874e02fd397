//! The command itself: what it refuses, with which code, in how many words.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn mqtt_assay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mqtt-assay"))
        .args(arguments)
        .env_remove("MQTT_ASSAY_PASSWORD")
        .output()
        .unwrap()
}

/// The one line that a refusal is.
fn refusal(arguments: &[&str]) -> String {
    let output = mqtt_assay(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    assert!(said.starts_with("error: "), "{arguments:?}: {said}");
    assert!(!said.contains("secret"), "{arguments:?}: {said}");
    said
}

#[test]
fn wrong_usage_is_one_sentence_and_code_2() {
    for (arguments, hint) in [
        (&["check", "--mqtt", "4"][..], "3.1.1 and 5"),
        (&["check", "--nonsense"], "--nonsense"),
        (&["chekc"], "check"),
        (&["check", "--jobs", "0"], "1..=1000"),
        (&["check", "--timeout", "never"], "seconds"),
        (&["check", "--seed", "many"], "--seed"),
        (&["check", "--report", "json"], "FORMAT=PATH"),
        (&["check", "--report", "yaml=x"], "json, junit, sarif"),
        (&["check", "--report", "json=-", "--json"], "only one report"),
        (&["check", "--only", "no/such/check"], "no/such/check"),
        (&["check", "--skip", "MQTT-9.9.9-9"], "MQTT-9.9.9-9"),
        (&["check", "mqtt://user:secret@host/path"], "not a valid target"),
        (&["check", "mqtt://user:secret@host:port"], "not a valid target"),
        (&["check", "broker"], "mqtt://HOST"),
        (&["check", "http://user:secret@host"], "unknown scheme"),
        (&["check", "mqtt://host", "--password", "secret"], "--user"),
        (&["check", "--user", "me"], "reference"),
        (&["check", "--mutant", "none_such"], "no mutant"),
        (&["check", "mqtt://host", "--mutant", "retained_lost"], "must be `reference`"),
        (&["explain"], "<ID>"),
        (&["explain", "MQTT-3.3.1-66"], "did you mean"),
        (&["list", "--only", "zzzzzz"], "zzzzzz"),
        (&["serve", "--listen", "here"], "127.0.0.1:1883"),
        (&["serve", "--listen", "192.0.2.1:1"], "--listen"),
        (&["serve", "--listen", "http://127.0.0.1:1"], "transports"),
        (&["serve", "--listen", "mqtts://127.0.0.1:0"], "--cert"),
        (&["serve", "--listen", "wss://127.0.0.1:0", "--cert", "c.pem"], "--key"),
        (&["serve", "--listen", "mqtts://127.0.0.1:0", "--cert", "no.pem", "--key", "no.pem"], "no.pem"),
        (&["serve", "--listen", "ws://127.0.0.1:0", "--cert", "c.pem", "--key", "k.pem"], "TLS"),
        (&["serve", "--listen", "127.0.0.1:0", "--mutant", "websocket_text_taken"], "ws://"),
        (&["check", "mqtt://host", "--ca", "ca.pem"], "TLS"),
        (&["check", "ws://host", "--server-name", "name"], "TLS"),
        (&["check", "--insecure"], "TLS"),
        (&["check", "mqtts://host", "--insecure", "--ca", "ca.pem"], "--ca"),
        (&["check", "mqtts://host", "--cert", "cert.pem"], "--key"),
        (&["check", "mqtts://user:secret@127.0.0.1", "--ca", "no-such.pem"], "no-such.pem"),
        (&["check", "mqtts://127.0.0.1", "--insecure", "--server-name", "no name"], "--server-name"),
        (&["fuzz", "reference", "--coverage", "shm"], "--spawn"),
        (&["simulate", "--mutant", "websocket_text_taken"], "not one of the state machine"),
    ] {
        let said = refusal(arguments);
        assert!(said.contains(hint), "{arguments:?}: {said}");
    }
}

#[test]
fn brokers_that_are_not_there_are_named() {
    let said = refusal(&["check", "mqtt://no-such-host.invalid"]);
    assert!(said.contains("no-such-host.invalid"), "{said}");
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let said = refusal(&["check", &format!("127.0.0.1:{port}"), "--quiet"]);
    assert!(said.contains(&port.to_string()), "{said}");
}

#[test]
fn report_paths_are_tried_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").join("result.json");
    let here = folder.path().to_str().unwrap().to_owned();
    let file = folder.path().join("result.json").to_str().unwrap().to_owned();
    for (report, hint) in [
        (format!("json={}", missing.display()), "result.json"),
        (format!("junit={}", missing.display()), "result.json"),
        (format!("json={here}"), "folder"),
    ] {
        // The host is wrong too: the report's path is what the error must be about.
        let said = refusal(&["check", "mqtt://no-such-host.invalid", "--report", &report]);
        assert!(said.contains(hint) && !said.contains("no-such-host"), "{said}");
    }
    let both = [format!("json={file}"), format!("junit={file}")];
    let said = refusal(&["check", "mqtt://no-such-host.invalid", "--report", &both[0], "--report", &both[1]]);
    assert!(said.contains("two reports"), "{said}");
    // A run that did not begin leaves nothing behind.
    refusal(&["check", "mqtt://no-such-host.invalid", "--report", &both[0]]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_run_of_one_check_writes_its_reports() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let output = mqtt_assay(&[
        "check",
        "--only",
        "ping/",
        "--seed",
        "7",
        "--report",
        &format!("json={}", path("result.json")),
        "--report",
        &format!("junit={}", path("result.xml")),
    ]);
    let (shown, said) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{shown}{said}");
    assert!(shown.ends_with("Exit 0.\n") && shown.contains("seed 7"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "colours belong on terminals only");
    let json = std::fs::read_to_string(path("result.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&value["seed"], &value["summary"]["exit"]), (&7.into(), &0.into()));
    assert!(std::fs::read_to_string(path("result.xml")).unwrap().contains("<testcase name=\"ping/"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "no partial result stays behind");
}

/// A failure is new, is accepted, is known; when it is gone its entry is stale; when its day is over it is new again.
#[test]
fn a_baseline_lets_through_what_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known.toml").to_str().unwrap().to_owned();
    let check = |more: &[&str]| {
        let shared = ["check", "--only", "retained/reaches_new_subscription", "--mqtt", "3.1.1"];
        let output = mqtt_assay(&[&shared[..], &["--baseline", &file], more].concat());
        let shown = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code(), shown)
    };
    let broken = ["--mutant", "retained_flag_cleared"];
    let (code, shown) = check(&broken);
    assert!(code == Some(2) && shown.contains("--accept writes one"), "{shown}");
    std::fs::write(&file, "").unwrap();
    let (code, shown) = check(&broken);
    assert!(code == Some(1) && shown.contains("1 statement newly broken"), "{shown}");

    let (code, shown) = check(&["--mutant", "retained_flag_cleared", "--accept"]);
    assert!(code == Some(0) && shown.contains("known: accepted, not yet explained"), "{shown}");
    let accepted = std::fs::read_to_string(&file).unwrap();
    let (code, shown) = check(&broken);
    assert!(code == Some(0) && shown.contains("No statement newly broken"), "{shown}");

    let (code, shown) = check(&[]);
    assert!(code == Some(1) && shown.contains("stale entr"), "{shown}");
    std::fs::write(&file, accepted.replace("[[known]]", "[[known]]\nexpires = 2001-01-01")).unwrap();
    let (code, shown) = check(&broken);
    assert!(code == Some(1) && shown.contains("its last day was 2001-01-01"), "{shown}");
    let (code, shown) = check(&["--accept"]);
    assert!(code == Some(0) && !shown.contains("stale"), "{shown}");
    assert!(!std::fs::read_to_string(&file).unwrap().contains("[[known]]"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing temporary stays behind");
}

#[test]
fn a_wrong_baseline_is_one_sentence_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known.toml").to_str().unwrap().to_owned();
    std::fs::write(&file, "[[known]]\ncheck = 'ping/x'\nverdict = 'violates'\nwhy = 'so'\n").unwrap();
    let said = refusal(&["check", "--baseline", &file]);
    assert!(said.contains("known.toml, line 4: unknown field `why`"), "{said}");
    refusal(&["check", "--accept"]);
    let missing = folder.path().join("missing").join("known.toml").to_str().unwrap().to_owned();
    let said = refusal(&["check", "--baseline", &missing, "--accept"]);
    assert!(said.contains("cannot write the baseline"), "{said}");
}

#[test]
fn json_has_the_standard_output_to_itself() {
    let output = mqtt_assay(&["check", "--only", "ping/", "--mqtt", "5", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["schema"], "mqtt-assay/result/1");
    assert!(String::from_utf8(output.stderr).unwrap().contains("Exit 0."));
}

#[test]
fn a_closed_pipe_is_no_panic() {
    for arguments in [&["list", "--statements"][..], &["check", "--only", "ping/", "-v"], &["--help"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mqtt-assay"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
}

#[test]
fn devices_are_written_to_and_not_replaced() {
    let output = mqtt_assay(&["check", "--only", "ping/", "--quiet", "--report", "json=/dev/null"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

/// Ctrl-C ends the run with what it has: the report is written, the code says that it is not whole.
#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_what_it_earned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.json");
    let child = Command::new(env!("CARGO_BIN_EXE_mqtt-assay"))
        // Many checks of this broker wait for what never comes, one after the other: the run lasts.
        .args(["check", "--mutant", "retained_lost", "--only", "retained/", "--jobs", "1", "--timeout", "1"])
        .args(["--report", &format!("json={}", path.display())])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let partial = folder.path().join("result.json.partial");
    let limit = Instant::now() + Duration::from_secs(60);
    // The first line is about the run.
    while std::fs::read_to_string(&partial).map_or(0, |text| text.lines().count()) < 2 {
        assert!(Instant::now() < limit, "no check ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("interrupted after"), "{shown}");
    let value: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(value["interrupted"], true);
    assert!(!value["results"].as_array().unwrap().is_empty());
    assert!(!partial.exists());
}

/// What concerns WebSocket is not tested over TCP, and says so by name; a mutant that is broken there is served
/// there.
#[test]
fn checks_of_websocket_need_a_websocket() {
    let output =
        mqtt_assay(&["check", "--only", "websocket/text_frame_ends_the_connection", "-v", "--seed", "7"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{shown}");
    assert!(shown.contains("not tested") && shown.contains("ws:// or wss://"), "{shown}");
    let mutant = ["check", "--mutant", "websocket_text_taken", "--only", "websocket/", "--mqtt", "5"];
    let output = mqtt_assay(&mutant);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("✗ websocket/text_frame_ends_the_connection   5.0/MQTT-6.0.0-1"), "{shown}");
    assert!(shown.contains("replay     mqtt-assay check reference --mutant websocket_text_taken"), "{shown}");
}

/// A page for each subcommand, the same each time; completions that a shell can read.
#[test]
fn manual_pages_and_completions_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    assert_eq!(mqtt_assay(&["man", "--out", out]).status.code(), Some(0));
    for subcommand in
        ["check", "probe", "list", "explain", "serve", "simulate", "replay", "prove", "report", "man"]
    {
        let page = std::fs::read_to_string(folder.path().join(format!("mqtt-assay-{subcommand}.1"))).unwrap();
        assert!(page.contains(&format!("mqtt\\-assay {subcommand}")), "{page}");
    }
    let main = std::fs::read(folder.path().join("mqtt-assay.1")).unwrap();
    assert_eq!(mqtt_assay(&["man"]).stdout, main);
    let said = refusal(&["man", "--out", "/no/such/folder"]);
    assert!(said.contains("cannot write the page"), "{said}");

    let script = mqtt_assay(&["completions", "bash"]).stdout;
    let file = folder.path().join("completions");
    std::fs::write(&file, &script).unwrap();
    assert!(Command::new("bash").arg("-n").arg(&file).status().unwrap().success());
    assert!(String::from_utf8(script).unwrap().contains("--baseline"));
}
