//! What the README and the pages beside it show is what the command prints.

use std::path::Path;
use std::process::Command;

/// Times and ports differ from run to run: every number with a decimal point becomes `#`, and so does a loopback port.
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
    out.push_str(rest);
    let mut parts = out.split(LOOPBACK);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(LOOPBACK);
        out.push('#');
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}

/// What stands before a port.
const LOOPBACK: &str = "127.0.0.1:";

/// What the blocks of this file show is what their commands print.
fn console_blocks_are_real(file: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join(file)).expect("the file is there");
    // Commands that start the reference broker find it.
    let command = Path::new(env!("CARGO_BIN_EXE_mqtt-assay"));
    let own = command.parent().expect("a command lies in a folder").to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&others))).expect("a PATH");
    let mut shown = 0;
    for block in text.split("```console\n").skip(1) {
        let block = block.split("```").next().expect("a block has a beginning");
        let (line, expected) = block.split_once('\n').expect("a command and what it prints");
        let Some(arguments) = line.strip_prefix("$ mqtt-assay ") else {
            // What a project of somebody else's prints cannot be had here.
            assert!(line.starts_with("$ cargo test "), "{file}: a block begins with neither: {line}");
            continue;
        };
        let output = Command::new(command)
            .args(shell_words::split(arguments).expect("words of a shell"))
            .current_dir(&root)
            .env("COLUMNS", "110")
            .env("PATH", &path)
            .output()
            .expect("the command runs");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(without_times(expected.trim_end()), without_times(printed.trim_end()), "{line}");
        shown += 1;
    }
    assert!(shown > 0, "{file} shows no run");
}

/// Every page of the manual, with its text.
fn pages() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let mut pages: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a page"))
        })
        .collect();
    pages.sort();
    pages
}

#[test]
fn the_readme_is_real() {
    console_blocks_are_real("README.md");
}

#[test]
fn the_manual_is_real() {
    for (name, text) in pages() {
        if text.contains("```console\n$ mqtt-assay ") {
            console_blocks_are_real(&format!("docs/{name}"));
        }
    }
}

/// The manual has every page, and its links lead to files that are there.
#[test]
fn the_manual_is_whole() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pages = pages();
    let (_, summary) = pages.iter().find(|(name, _)| name == "SUMMARY.md").expect("a table of contents");
    for (name, _) in pages.iter().filter(|(name, _)| name != "SUMMARY.md") {
        assert!(summary.contains(&format!("({name})")), "{name} is not in docs/SUMMARY.md");
    }
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README");
    let files = pages.iter().map(|(name, text)| (format!("docs/{name}"), text.as_str()));
    for (file, text) in files.chain([("README.md".to_owned(), readme.as_str())]) {
        let folder = root.join(&file).parent().expect("a folder").to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let path = link.split('#').next().unwrap_or_default();
            let is_far = link.contains("://") || path.is_empty();
            assert!(is_far || folder.join(path).exists(), "{file} links to {link}");
        }
    }
}
