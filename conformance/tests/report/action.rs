//! The steps of the GitHub Action, run here as the plain shell that they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The variables that a step of action.yml gets, with what they are set to.
fn variables(step: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let (_, rest) = text.split_once(&format!("scripts/action/{step}")).expect("the step is there");
    let (_, rest) = rest.split_once("env:\n").expect("a step has variables");
    rest.lines()
        .take_while(|line| line.starts_with("        ASSAY_"))
        .map(|line| line.trim().split_once(": ").expect("a variable with its value"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Runs a step with these inputs; all others are empty, as in the Action.
fn step(name: &str, folder: &Path, inputs: &[(&str, &str)]) -> Output {
    let own = Path::new(env!("CARGO_BIN_EXE_mqtt-assay")).parent().unwrap().to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&others))).unwrap();
    let mut command = Command::new("bash");
    command.arg(root().join("scripts/action").join(name)).current_dir(folder).env("PATH", path);
    for variable in variables(name).keys() {
        command.env(variable, "");
    }
    command
        .env("ASSAY_OUT", folder.join("out"))
        .env("GITHUB_OUTPUT", folder.join("outputs"))
        .env("GITHUB_STEP_SUMMARY", folder.join("summary"))
        .env("GITHUB_PATH", folder.join("path"))
        .envs(inputs.iter().copied());
    command.output().expect("bash runs")
}

/// Every input of the Action reaches a step, and every variable that a step reads comes from somewhere.
#[test]
fn inputs_reach_the_steps() {
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let (_, rest) = text.split_once("\ninputs:\n").unwrap();
    let (inputs, _) = rest.split_once("\noutputs:\n").unwrap();
    let is_name = |line: &&str| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
    let names: Vec<&str> =
        inputs.lines().filter(is_name).map(|line| line.trim().trim_end_matches(':')).collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert!(text.contains(&format!("inputs.{name} ")), "{name} is used");
    }
    for name in ["install", "check"] {
        let script = std::fs::read_to_string(root().join("scripts/action").join(name)).unwrap();
        let known = variables(name);
        for (at, _) in script.match_indices("ASSAY_") {
            let word: String =
                script[at..].chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
            assert!(known.contains_key(&word), "{name} reads {word}, which nothing sets");
        }
    }
}

#[test]
fn a_failing_broker_fails_the_build_with_annotations_and_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let installed = step("install", folder.path(), &[("ASSAY_INSTALL", "none")]);
    assert!(installed.status.success(), "what is there already is taken");
    let spawn = "mqtt-assay serve --listen 127.0.0.1:{port} --mutant retained_flag_cleared";
    let inputs = [
        ("ASSAY_SPAWN", spawn),
        ("ASSAY_MQTT", "3.1.1\n5\n"),
        ("ASSAY_ONLY", "retained/reaches_new_subscription\nping/pingreq_is_answered"),
        ("ASSAY_ARGS", "--seed '7' --jobs 4"),
    ];
    let output = step("check", folder.path(), &inputs);
    let (shown, said) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(shown.lines().filter(|line| line.starts_with("::error ")).count(), 2, "{shown}");
    assert!(said.contains("seed 7") && said.contains("✗ retained/reaches_new_subscription"), "{said}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("summary").starts_with("## ❌ "));
    assert!(read("outputs").ends_with("exit-code=1\n"));
    for file in ["result.json", "result.html", "junit.xml", "result.sarif", "badge.svg"] {
        assert!(!read(&format!("out/{file}")).is_empty());
    }
    assert!(folder.path().join("out/packets.pcapng").metadata().unwrap().len() > 1000);

    // What a baseline knows passes.
    let known =
        "[[known]]\ncheck = 'retained/reaches_new_subscription'\nverdict = 'violates'\nreason = 'so'\n";
    std::fs::write(folder.path().join("known.toml"), known).unwrap();
    let output = step("check", folder.path(), &[&inputs[..], &[("ASSAY_BASELINE", "known.toml")]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8(output.stdout).unwrap().contains("::error"));
}

#[test]
fn what_is_missing_is_an_annotation() {
    let folder = tempfile::tempdir().unwrap();
    let output = step("check", folder.path(), &[("ASSAY_ONLY", "ping/")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stdout).unwrap().starts_with("::error title=mqtt-assay::there is no broker")
    );
}
