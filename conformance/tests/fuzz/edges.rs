//! A broker's own coverage leads to what its answers do not tell of.
#![cfg(target_os = "linux")]

use super::{folder, options, recipe, records, support};
use mqtt_assay::campaign::{self, Options, Progress, Trouble};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const BROKER: &str = "tests/fixtures/edges.c";
const RUNTIME: &str = "tests/fixtures/edges_runtime.c";

/// Runs a compiler.
fn compile(compiler: &str, arguments: &[&str]) {
    let output = Command::new(compiler).args(arguments).env("AFL_QUIET", "1").output();
    let output = output.unwrap_or_else(|error| panic!("{compiler} does not run: {error}"));
    assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// Hunts the broker until it has died, or the cases are over.
async fn is_led_to_the_fault(program: &str) {
    let recipe = recipe(&[program, "{port}"]);
    let out = folder();
    let options = Options {
        target: support::tcp(([127, 0, 0, 1], recipe.port).into()),
        process: Some(recipe),
        coverage: true,
        cases: Some(CASES),
        time: Some(Duration::from_secs(90)),
        connections: 128,
        minimising: Duration::from_secs(2),
        promptness: Duration::from_millis(200),
        ..options(out.path(), None)
    };
    // What else is wrong with it is not waited for.
    let (stopper, stop) = tokio::sync::watch::channel(false);
    let mut stop_at_crash = |progress: Progress<'_>| {
        if let Progress::Finding(record) = progress
            && record.kind == Trouble::Crash
            && record.reproduced.is_some()
        {
            stopper.send_replace(true);
        }
    };
    let summary = campaign::run(&options, stop, &mut stop_at_crash).await.expect("it begins");
    let crash = records(out.path()).into_iter().find(|record| record.kind == Trouble::Crash);
    let crash = crash.unwrap_or_else(|| panic!("not in {} cases, {:?} edges", summary.cases, summary.edges));
    assert_eq!(crash.reproduced, Some(true), "{crash:#?}");
    assert!(crash.output.iter().any(|line| line.contains("the way was found")), "{crash:#?}");
    assert!(summary.edges.is_some_and(|edges| edges > 50), "{summary:?}");
}

/// So many cases are enough, by far.
const CASES: u64 = 20_000;

/// Whichever C compiler there is counts edges, and the runtime beside the broker shares them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "with the long hunt: takes up to two minutes"]
async fn a_broker_that_shares_its_edges_leads_to_its_fault() {
    let folder = folder();
    let [broker, runtime, program] = ["edges.o", "runtime.o", "edges"].map(|name| path(folder.path(), name));
    compile("cc", &["-O1", "-fsanitize-coverage=trace-pc", "-c", BROKER, "-o", &broker]);
    compile("cc", &["-O1", "-c", RUNTIME, "-o", &runtime]);
    compile("cc", &[&broker, &runtime, "-o", &program]);
    is_led_to_the_fault(&program).await;
}

/// So does AFL's own compiler, without anything of ours.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "with the long hunt: takes up to two minutes"]
async fn a_broker_compiled_for_afl_leads_to_its_fault() {
    let Some(compiler) = afl() else { return };
    let folder = folder();
    let program = path(folder.path(), "edges");
    compile(&compiler.display().to_string(), &["-O1", BROKER, "-o", &program]);
    is_led_to_the_fault(&program).await;
}

/// AFL's compiler; where `MQTT_ASSAY_REQUIRE_AFL` is set, it must be there.
fn afl() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join("afl-clang-fast")).find(|file| file.is_file());
    if found.is_none() {
        let skipped = "afl-clang-fast is not installed: the test that compiles a broker with it is SKIPPED";
        assert!(std::env::var_os("MQTT_ASSAY_REQUIRE_AFL").is_none(), "{skipped}");
        eprintln!("{skipped}");
    }
    found
}

/// One that shares nothing is refused, before any case is played.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_without_edges_is_refused_in_a_sentence() {
    let recipe = recipe(&super::planted("abort").each_ref().map(String::as_str));
    let out = folder();
    let options = Options {
        target: support::tcp(([127, 0, 0, 1], recipe.port).into()),
        process: Some(recipe),
        coverage: true,
        ..options(out.path(), None)
    };
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let refused = campaign::run(&options, stop, &mut |_| {}).await;
    let said = refused.map(|summary| format!("{summary:?}")).unwrap_err().to_string();
    assert!(said.contains("has written nothing into the map of its coverage"), "{said}");
}
