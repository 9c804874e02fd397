//! `mqtt-assay report`: the same bytes as during the run, and what is refused.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn mqtt_assay(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mqtt-assay")).args(arguments).current_dir(folder).output().unwrap()
}

const FORMS: [&str; 9] =
    ["json", "html", "junit", "sarif", "markdown", "tap", "badge", "badge-json", "github"];

/// Runs a check that fails, with a report in every form.
fn checked(folder: &Path) -> Output {
    let reports: Vec<String> = FORMS.iter().map(|form| format!("--report={form}=run.{form}")).collect();
    let only = "retained/reaches_new_subscription";
    let mut arguments = vec!["check", "--mutant", "retained_flag_cleared", "--only", only, "--seed", "7"];
    arguments.extend(reports.iter().map(String::as_str));
    mqtt_assay(folder, &arguments)
}

#[test]
fn what_is_made_later_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let shown = checked(folder.path());
    assert_eq!(shown.status.code(), Some(1), "{}", String::from_utf8_lossy(&shown.stderr));
    let wanted: Vec<String> = FORMS.iter().map(|form| format!("--to={form}=later.{form}")).collect();
    let arguments =
        [&["report", "run.json"][..], &wanted.iter().map(String::as_str).collect::<Vec<_>>()].concat();
    let made = mqtt_assay(folder.path(), &arguments);
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    for form in FORMS {
        let read = |name: &str| std::fs::read(folder.path().join(format!("{name}.{form}"))).unwrap();
        assert!(!read("run").is_empty());
        assert!(read("run") == read("later"), "{form} differs");
    }
    // And so is what the terminal shows.
    let again = mqtt_assay(folder.path(), &["report", "run.json"]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(String::from_utf8(again.stdout).unwrap(), String::from_utf8(shown.stdout).unwrap());
}

#[test]
fn several_results_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    checked(folder.path());
    let good = ["check", "--only", "retained/reaches_new_subscription", "--report", "json=good.json", "-q"];
    assert_eq!(mqtt_assay(folder.path(), &good).status.code(), Some(0));
    let both = mqtt_assay(folder.path(), &["report", "run.json", "good.json", "--to", "markdown=-"]);
    let text = String::from_utf8(both.stdout).unwrap();
    assert!(
        text.contains("| verdict | `reference (mutant retained_flag_cleared)` | `reference` |"),
        "{text}"
    );
    assert!(text.contains("| ✗ | ✓ |"), "{text}");
    let refused = mqtt_assay(folder.path(), &["report", "run.json", "good.json", "--to", "badge=x.svg"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(2) && said.contains("of one result"), "{said}");
    assert!(!folder.path().join("x.svg").exists());
}

/// A broker is called as its profile calls it; where two are called alike, their addresses part them.
#[test]
fn a_broker_has_the_name_that_its_profile_gives_it() {
    let folder = tempfile::tempdir().unwrap();
    let (broker, other) = (Served::start("retained_flag_cleared"), Served::start("retained_flag_cleared"));
    for (served, file) in [(&broker, "one"), (&other, "other")] {
        let profile = format!(
            "[broker]\nname = \"Example\"\nversion = \"1.2\"\n\n[addresses]\ntcp = \"{}\"\n",
            served.url
        );
        let (profiled, report) = (format!("{file}.toml"), format!("json={file}.json"));
        std::fs::write(folder.path().join(&profiled), profile).unwrap();
        let run = ["check", &profiled, "--only", "retained/reaches_new_subscription", "--report", &report];
        let shown = String::from_utf8(mqtt_assay(folder.path(), &run).stdout).unwrap();
        assert!(shown.contains(&format!("Example 1.2, {}", served.url)), "{shown}");
    }
    let say = |arguments: &[&str]| {
        String::from_utf8(mqtt_assay(folder.path(), &[&["report"], arguments].concat()).stdout).unwrap()
    };
    let issue = say(&["one.json", "--issue", "retained/reaches_new_subscription"]);
    assert!(issue.contains("Broker: Example 1.2 (*configuration here*)"), "{issue}");
    let alone = say(&["one.json", "--to", "html=-"]);
    assert!(alone.contains(&format!("<dt>Address</dt><dd>{}</dd>", broker.url)), "{}", &alone[..200]);
    let both = say(&["one.json", "other.json", "--to", "markdown=-"]);
    let header = format!("| verdict | `Example 1.2, {}` | `Example 1.2, {}` |", broker.url, other.url);
    assert!(both.contains(&header), "{both}");
}

/// What a killed run has left is told as an interrupted one; half a line at its end is nothing.
#[test]
fn a_partial_result_is_an_interrupted_run() {
    let folder = tempfile::tempdir().unwrap();
    let partial: PathBuf = folder.path().join("run.json.partial");
    let mut child = Command::new(env!("CARGO_BIN_EXE_mqtt-assay"))
        // Many checks of this broker wait for what never comes, one after the other: the run lasts.
        .args([
            "check",
            "--mutant",
            "retained_lost",
            "--only",
            "retained/",
            "--jobs",
            "1",
            "--timeout",
            "1",
            "-q",
        ])
        .args(["--seed", "7", "--report", "json=run.json"])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let limit = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let lines = || std::fs::read_to_string(&partial).unwrap_or_default().lines().count();
    while lines() < 3 {
        assert!(std::time::Instant::now() < limit, "no check ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let text = std::fs::read_to_string(&partial).unwrap();
    let cut = text.trim_end();
    std::fs::write(&partial, &cut[..cut.len() - 5]).unwrap();
    let shown = mqtt_assay(folder.path(), &["report", "run.json.partial"]);
    let told = String::from_utf8(shown.stdout).unwrap();
    assert_eq!(shown.status.code(), Some(0), "{}", String::from_utf8_lossy(&shown.stderr));
    let checks = cut.lines().count() - 2;
    let many = if checks == 1 { "1 check".to_owned() } else { format!("{checks} checks") };
    assert!(told.contains(&format!("The run was interrupted after {many}.  Exit 2.")), "{told}");
    assert!(told.contains("reference (mutant retained_lost)") && told.contains("seed 7"), "{told}");
    let junit = mqtt_assay(folder.path(), &["report", "run.json.partial", "--to", "junit=-"]);
    assert_eq!(String::from_utf8(junit.stdout).unwrap().matches("<testcase ").count(), checks);
}

#[test]
fn what_is_no_result_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("no.json"), "{}").unwrap();
    for (arguments, hint) in [
        (&["report", "missing.json"][..], "missing.json"),
        (&["report", "no.json"], "no.json is no result file"),
        (&["report", "."], "cannot read"),
        (&["report"], "<RESULT>"),
        (&["report", "-", "-"], "once"),
        (&["report", "no.json", "--to", "json"], "FORMAT=PATH"),
        (&["report", "no.json", "--to", "tap=-", "--to", "junit=-"], "only one"),
        (&["report", "no.json", "--to", "tap=missing/x"], "cannot write"),
    ] {
        let output = mqtt_assay(folder.path(), arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(hint) && said.lines().count() == 1, "{arguments:?}: {said}");
    }
}

/// Whether a program is there; where the environment requires it, it must be.
fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        let skipped = format!("{program} is not installed: a test of reproduction by a shell is SKIPPED");
        let required = format!("MQTT_ASSAY_REQUIRE_{}", program.to_uppercase());
        assert!(std::env::var_os(required).is_none(), "{skipped}");
        eprintln!("{skipped}");
    }
    found
}

/// A served broker; it is killed when dropped.
struct Served {
    child: std::process::Child,
    url: String,
}

impl Served {
    fn start(mutant: &str) -> Served {
        use std::io::BufRead as _;
        let mut child = Command::new(env!("CARGO_BIN_EXE_mqtt-assay"))
            .args(["serve", "--listen", "127.0.0.1:0", "--mutant", mutant])
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
        let words: Vec<String> = lines
            .map_while(Result::ok)
            .find(|line| line.contains("mqtt://"))
            .map(|line| line.split_whitespace().map(str::to_owned).collect())
            .expect("it says where it listens");
        let url = words.iter().find(|word| word.starts_with("mqtt://")).unwrap();
        Served { url: url.trim_end_matches(';').to_owned(), child }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text for a tracker about a check that the broker fails.
fn told(folder: &Path, broker: &Served, check: &str) -> String {
    let run = ["check", &broker.url, "--only", check, "--mqtt", "5", "--report", "json=run.json", "-q"];
    assert_eq!(mqtt_assay(folder, &run).status.code(), Some(1));
    String::from_utf8(mqtt_assay(folder, &["report", "run.json", "--issue", check]).stdout).unwrap()
}

/// The script in the text plays the exchange, and the rules see in it what the check saw.
#[test]
fn a_failure_is_played_again_by_its_script() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Served::start("retained_flag_cleared");
    let text = told(folder.path(), &broker, "retained/reaches_new_subscription");
    let (_, rest) = text.split_once("```text\n").expect("a script");
    let (script, _) = rest.split_once("\n```").unwrap();
    std::fs::write(folder.path().join("failure.mqtt"), script).unwrap();
    let played = mqtt_assay(folder.path(), &["replay", "failure.mqtt", &broker.url]);
    let shown = String::from_utf8(played.stdout).unwrap();
    assert_eq!(played.status.code(), Some(1), "{shown}");
    // The check cites the numbered statement, the rule the sentence that says it of all subscriptions.
    assert!(shown.contains("5.0/U5-PUB-10"), "{shown}");
}

/// What the commands of the text for a tracker print, and the bytes that the finding is about.
fn reproduced(mutant: &str, check: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let broker = Served::start(mutant);
    let text = told(folder.path(), &broker, check);
    let (_, rest) = text.split_once("```sh\n").expect("commands");
    let (commands, _) = rest.split_once("\n```").unwrap();
    let output = Command::new("bash").args(["-c", commands]).output().unwrap();
    let (_, shown) = text.split_once("← here**\n").expect("a mark");
    let bytes: String = shown.lines().nth(1).unwrap().split_whitespace().collect();
    (String::from_utf8(output.stdout).unwrap(), bytes)
}

/// The bytes that a dump shows, one after the other.
fn dumped(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.split_once(": ")?.1.split_once("  "));
    lines.map(|(bytes, _)| bytes.replace(' ', "")).collect()
}

/// The commands of the text for a tracker show what the check saw: over one connection, and over several.
#[test]
fn a_failure_is_reproduced_by_a_shell() {
    if !(has("bash") && has("xxd")) {
        return;
    }
    let (printed, bytes) = reproduced("retained_flag_cleared", "retained/reaches_new_subscription");
    assert!(bytes.starts_with("32") && dumped(&printed).contains(&bytes), "{bytes}: {printed}");
    if has("nc") {
        let (printed, bytes) = reproduced("connack_twice", "ping/pingreq_is_answered");
        assert!(bytes.starts_with("20"), "{bytes}");
        assert_eq!(dumped(&printed).matches(&bytes).count(), 2, "{printed}");
    }
}

#[test]
fn only_what_was_shown_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    checked(folder.path());
    let said = |arguments: &[&str]| {
        let output = mqtt_assay(folder.path(), &[&["report", "run.json", "--issue"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(
        said(&["retained/reaches_new_subscriptio"])
            .contains("did you mean retained/reaches_new_subscription?")
    );
    assert!(
        said(&["retained/reaches_new_subscription", "--mqtt", "3.1"]).contains("was not run in this version")
    );
    let good = ["check", "--only", "ping/", "--report", "json=run.json", "-q"];
    assert_eq!(mqtt_assay(folder.path(), &good).status.code(), Some(0));
    assert!(said(&["ping/pingreq_is_answered"]).contains("nothing that could be reported was shown"));
}
