//! A lab in miniature: the reference broker, a broken one, and one that does not start.

use mqtt_assay::report::json::Report;
use mqtt_assay::verdict::Verdict;
use mqtt_assay_lab::{results, stability};
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_mqtt-assay-lab");

/// What is checked here: it takes no time, and one mutant fails it.
const ONLY: [&str; 3] = ["--", "--only", "retained/reaches_new_subscription"];

struct Lab {
    root: tempfile::TempDir,
}

impl Lab {
    fn new() -> Lab {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(root.path().join("lab/brokers")).expect("a folder");
        fs::create_dir_all(root.path().join("docs")).expect("a folder");
        write(&root.path().join("lab/fresh.sh"), include_str!("../../fresh.sh"), true);
        Lab { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Adds a broker, started by these lines of a shell, in which PORT is its port. Returns the port.
    fn add(&self, name: &str, start: &str) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("it has one").port();
        let folder = self.path("lab/brokers").join(name);
        fs::create_dir(&folder).expect("a folder");
        let about = format!(
            "name = '{name}'\nversion = '1'\nfrom = 'here'\nhome = 'https://{name}.example'\n\
             tracker = 'https://{name}.example/issues'\nversions = ['3.1.1', '5.0']\ntransports = ['tcp']\n\
             start_seconds = 20\n"
        );
        write(&folder.join("broker.toml"), &about, false);
        write(
            &folder.join("profile.toml"),
            &format!("[addresses]\ntcp = 'mqtt://127.0.0.1:{port}'\n"),
            false,
        );
        write(&folder.join("install.sh"), "#!/bin/sh\n", true);
        let start = start.replace("PORT", &port.to_string());
        write(&folder.join("start.sh"), &format!("#!/bin/sh\nmkdir -p \"$1\"\n{start}\n"), true);
        port
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.root.path()).env_remove("MQTT_ASSAY_LAB");
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().expect("the command runs");
        let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
        (status.code().expect("it exits"), said)
    }

    /// Nothing of a broker's state is left.
    fn is_clean(&self) -> bool {
        fs::read_dir(self.path("target/lab/state")).map_or(true, |mut entries| entries.next().is_none())
    }
}

fn write(path: &Path, text: &str, executable: bool) {
    fs::write(path, text).expect("it can be written");
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it can be made executable");
}

/// The reference broker, with these further arguments.
fn serve(arguments: &str) -> String {
    format!(
        "echo started >> \"$(dirname \"$0\")/starts\"\nexec '{PROGRAM}' mqtt-assay serve --listen 127.0.0.1:PORT {arguments}"
    )
}

fn starts(lab: &Lab, name: &str) -> usize {
    fs::read_to_string(lab.path("lab/brokers").join(name).join("starts")).unwrap_or_default().lines().count()
}

#[test]
fn a_broken_broker_does_not_stop_the_others_and_nothing_is_left() {
    let lab = Lab::new();
    // It leaves a process behind that is in no group of its own any more.
    let stray = "setsid sleep 1000 &\necho $! > \"$(dirname \"$0\")/stray\"\n";
    lab.add("well", &format!("{stray}{}", serve("")));
    lab.add("faulty", &serve("--mutant retained_flag_cleared"));
    lab.add("broken", "echo 'no room for a broker' >&2\nexit 7");
    let (code, said) = lab.run(&[&["check", "--all", "--jobs", "2"], ONLY.as_slice()].concat());
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("no room for a broker"), "{said}");

    let out = lab.path("target/lab/results");
    let verdicts = |name: &str| {
        let report = results::open(&out.join(name)).unwrap_or_else(|why| panic!("{why}\n{said}"));
        report.results.iter().map(|entry| entry.verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts("well-tcp.json"), [Verdict::Conforms; 2]);
    assert_eq!(verdicts("faulty-tcp.json"), [Verdict::Violates; 2]);
    let matrix = fs::read_to_string(out.join("matrix.md")).expect("a matrix");
    assert!(matrix.contains("no room for a broker") && matrix.contains("faulty (not reviewed)"), "{matrix}");
    let page = fs::read_to_string(out.join("comparison.html")).expect("a comparison");
    assert!(page.contains("well 1") && page.contains("faulty 1"));

    assert!(lab.is_clean());
    assert!(!out.join("broken-tcp.json").exists() && !out.join("broken-tcp.json.new").exists());
    let stray = fs::read_to_string(lab.path("lab/brokers/well/stray")).expect("its number");
    let command = fs::read_to_string(format!("/proc/{}/cmdline", stray.trim())).unwrap_or_default();
    assert!(!command.contains("sleep"), "a process that the broker has left runs still");

    // What is there is not done again; what is not is tried again.
    let (code, _) = lab.run(&[&["check", "--all", "--resume"], ONLY.as_slice()].concat());
    assert_eq!((code, starts(&lab, "well"), starts(&lab, "faulty")), (2, 1, 1));
}

#[test]
fn an_accusation_needs_a_review() {
    let lab = Lab::new();
    lab.add("faulty", &serve("--mutant retained_flag_cleared"));
    let check = [&["check", "faulty", "--runs", "2"], ONLY.as_slice()].concat();
    let (code, said) = lab.run(&check);
    assert_eq!(code, 1, "{said}");
    let lacking = "faulty: 5.0/MQTT-3.3.1-9 by retained/reaches_new_subscription is not reviewed";
    assert!(said.contains(lacking) && said.contains("2 runs with the same verdicts"), "{said}");
    let review = "[[review]]\nstatement = ['3.1.1/MQTT-3.3.1-6', '5.0/MQTT-3.3.1-9']\n\
                  checks = ['retained/reaches_new_subscription']\ndoes = 'It clears RETAIN.'\n\
                  because = 'It must be 1.'\njudgement = 'just'\n";
    write(&lab.path("lab/brokers/faulty/reviews.toml"), review, false);
    let (code, said) = lab.run(&check);
    assert_eq!(code, 0, "{said}");

    // What is published keeps the packets of what is violated, once.
    let out = lab.path("target/lab/results");
    let report = results::open(&out.join("faulty-tcp.json")).expect("a result");
    let folder = lab.path("lab/results");
    let own = [PathBuf::from("lab/brokers/faulty")];
    results::publish(&folder, "faulty-tcp", &report, None, &own).expect("it can be published");
    results::publish(&folder, "faulty-tls", &report, Some(&report), &[]).expect("it can be published");
    let published = results::published(&folder).expect("they can be read");
    let replay = |report: &Report| report.results.iter().find_map(|entry| entry.replay.clone());
    let replayed = (replay(&report), replay(&published["faulty-tcp"]));
    let hidden = replayed.0.is_some_and(|text| text.contains("lab/brokers/faulty/start.sh"))
        && replayed.1.is_some_and(|text| !text.contains("lab/brokers/faulty/") && text.contains("start.sh"));
    assert!(hidden, "folders are not told");
    let logs = |name: &str| published[name].results.iter().filter(|entry| entry.log.is_some()).count();
    assert_eq!((logs("faulty-tcp"), logs("faulty-tls")), (2, 0));
    let (code, said) = lab.run(&["matrix"]);
    assert_eq!(code, 0, "{said}");
    let pages = ["matrix.md", "reviews.md"].map(|page| fs::read_to_string(lab.path("docs").join(page)));
    assert!(pages[0].as_ref().is_ok_and(|text| text.contains("[faulty](reviews.md#faulty-1)")));
    assert!(pages[1].as_ref().is_ok_and(|text| text.contains("<a id=\"faulty-1\">")));

    let (code, said) = lab.run(&["reviews", "faulty"]);
    assert_eq!(code, 0, "{said}");
    write(
        &lab.path("lab/brokers/faulty/reviews.toml"),
        &review.replace("5.0/MQTT-3.3.1-9", "5.0/MQTT-3.3.1-10"),
        false,
    );
    let (code, said) = lab.run(&["reviews", "faulty"]);
    let told = said.contains("PUBLISH") && said.contains("is reviewed and not violated");
    assert!(code == 1 && told, "{said}");
}

#[test]
fn what_differs_between_runs_is_told() {
    let lab = Lab::new();
    // Its second start is that of the second run.
    let turn = "[ -e \"$(dirname \"$0\")/starts\" ] && set -- --mutant retained_flag_cleared || set --\n";
    lab.add("fickle", &format!("{turn}{}", serve("\"$@\"")));
    let (code, said) = lab.run(&[&["check", "fickle", "--runs", "2"], ONLY.as_slice()].concat());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("retained/reaches_new_subscription (5.0): conforms, violates"), "{said}");
    let out = lab.path("target/lab/results");
    let runs = ["fickle-tcp.json", "fickle-tcp.run-2.json"].map(|name| results::open(&out.join(name)));
    let runs: Vec<_> = runs.into_iter().collect::<Result<_, _>>().expect("both are there");
    assert_eq!(stability::differences(&runs).len(), 2);

    // What is explained is told, and is no reason to fail; nor is it, in the run that does not show it.
    let reviews = "[[review]]\nstatement = ['3.1.1/MQTT-3.3.1-6', '5.0/MQTT-3.3.1-9']\n\
                   checks = ['retained/reaches_new_subscription']\ndoes = 'It clears RETAIN at times.'\n\
                   because = 'It must be 1.'\njudgement = 'just'\n\n\
                   [[varies]]\nchecks = ['retained/reaches_new_subscription']\nbecause = 'A coin decides.'\n";
    let folder = lab.path("lab/brokers/fickle");
    write(&folder.join("reviews.toml"), reviews, false);
    fs::remove_file(folder.join("starts")).expect("it has been started");
    let (code, said) = lab.run(&[&["check", "fickle", "--runs", "2"], ONLY.as_slice()].concat());
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("conforms, violates") && said.contains("explained: A coin decides."), "{said}");
    results::publish(&lab.path("lab/results"), "fickle-tcp", &runs[0], None, &[])
        .expect("it can be published");
    let (code, said) = lab.run(&["reviews", "fickle"]);
    assert_eq!((code, said.as_str()), (0, ""));
    let (code, said) = lab.run(&["matrix"]);
    assert_eq!(code, 0, "{said}");
    let page = fs::read_to_string(lab.path("docs/reviews.md")).expect("it is written");
    assert!(page.contains("Not each run shows it. A coin decides."), "{page}");
}

#[test]
fn ctrl_c_ends_the_brokers() {
    let lab = Lab::new();
    let port = lab.add("well", &serve(""));
    let child = lab.command(&["check", "well"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("the command runs");
    let deadline = Instant::now() + Duration::from_secs(20);
    let is_open = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    while !is_open() {
        assert!(Instant::now() < deadline, "the broker does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(told.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(2));
    assert!(!is_open() && lab.is_clean());
    assert!(!lab.path("target/lab/results/well-tcp.json").exists(), "half a result is none");
}

#[test]
fn a_hunt_has_a_folder_for_each_broker() {
    let lab = Lab::new();
    // What one before has stored, it would not start with.
    lab.add("well", &format!("[ -e \"$1/stored\" ] && exit 1\ntouch \"$1/stored\"\n{}", serve("")));
    let state = lab.path("target/lab/state/well");
    fs::create_dir_all(&state).expect("a folder");
    write(&state.join("stored"), "", false);
    let (code, said) = lab.run(&["fuzz", "well", "--time", "30s", "--", "--cases", "20", "--seed", "1"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("20 cases") && said.contains("nothing found"), "{said}");
    assert!(lab.path("target/lab/fuzz/well/summary.json").is_file() && lab.is_clean());
}

#[test]
fn wrong_usage_is_told_in_one_sentence() {
    let lab = Lab::new();
    lab.add("well", &serve(""));
    let (code, said) = lab.run(&["check", "wel"]);
    assert_eq!((code, said.as_str()), (2, "error: there is no broker 'wel'; there are well\n"));
    for (wrong, said) in
        [(&["check"][..], "--all"), (&["check", "well", "--jobs", "0"], "--jobs"), (&["chek"], "check")]
    {
        let (code, sentence) = lab.run(wrong);
        assert!(code == 2 && sentence.contains(said) && sentence.lines().count() == 1, "{sentence}");
    }
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let run = Command::new(PROGRAM).arg("list").current_dir(elsewhere.path()).output().expect("it runs");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.code() == Some(2) && said.contains("--root"), "{said}");
}
