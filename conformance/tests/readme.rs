//! What the README shows is what the command prints.

use std::path::Path;
use std::process::Command;

/// Times differ from run to run: every number with a decimal point becomes `#`.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..start]);
        let end =
            rest[start..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(rest.len(), |e| start + e);
        let number = &rest[start..end];
        let is_time =
            number.matches('.').count() == 1 && !number.ends_with('.') && !rest[end..].starts_with('/');
        out.push_str(if is_time { "#" } else { number });
        rest = &rest[end..];
    }
    out + rest
}

#[test]
fn console_blocks_are_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README is there");
    let mut shown = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().expect("a block has a beginning");
        let (command, expected) = block.split_once('\n').expect("a command and what it prints");
        let arguments = command.strip_prefix("$ mqtt-assay ").expect("blocks begin with `$ mqtt-assay`");
        let output = Command::new(env!("CARGO_BIN_EXE_mqtt-assay"))
            .args(arguments.split_whitespace())
            .current_dir(&root)
            .env("COLUMNS", "110")
            .output()
            .expect("the command runs");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(without_times(expected.trim_end()), without_times(printed.trim_end()), "{command}");
        shown += 1;
    }
    assert!(shown > 0, "the README shows no run");
}
