//! The page of HTML: what it says, that nothing of a broker's is taken for markup, how large it grows, and, in a real
//! Chromium, whether people can use it.

use mqtt_assay::checks;
use mqtt_assay::report::html::{PageError, page};
use mqtt_assay::report::json::{Entry, Place, Placing, Reason, Report};
use mqtt_assay::verdict::Verdict;
use mqtt_assay_codec::Version;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a hostile broker would put into every text: the ends of elements, attributes and scripts, characters that turn
/// the direction of writing, show nothing, end a line, or steer a terminal.
const HOSTILE: &str = "</script><script>globalThis.taken=1</script></style><img src=x onerror='globalThis.taken=2'>\
    \"><b onclick=\"globalThis.taken=3\">&lt;<!-- ]]> {{7*7}} \u{202e}\u{2066}\u{61c}\u{200b}\u{feff}\u{2028}\u{2029}\u{1b}[2J\u{7}\u{9b}";

fn fixture(name: &str) -> Report {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/html").join(name);
    serde_json::from_slice(&fs::read(path).expect("the fixture is there")).expect("the fixture is a result")
}

/// A result with hostile text wherever text is free, and a baseline whose link would run a script.
fn hostile() -> Report {
    fn spoil(key: &str, value: &mut Value) {
        match value {
            // Words of the form's own, and bytes; without them it would be no result at all.
            Value::String(_) if ["schema", "verdict", "direction", "hex", "version"].contains(&key) => {}
            Value::String(text) => *text = format!("{HOSTILE}{text}{HOSTILE}"),
            Value::Array(items) => items.iter_mut().for_each(|item| spoil(key, item)),
            Value::Object(members) => members.iter_mut().for_each(|(key, member)| spoil(key, member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut value = serde_json::to_value(fixture("mutant.json")).expect("a result is JSON");
    spoil("", &mut value);
    let mut report: Report = serde_json::from_value(value).expect("still a result");
    let failing = report.results.iter_mut().find(|entry| entry.verdict == Verdict::Violates);
    let failing = failing.expect("the mutant violates");
    failing.baseline = Some(Placing {
        standing: Place::Known,
        left: None,
        open: false,
        entries: vec![Reason {
            line: 1,
            reason: HOSTILE.into(),
            link: Some("javascript:globalThis.taken=4".into()),
            flaky: false,
        }],
    });
    failing.version = HOSTILE.into();
    report
}

/// A whole run: a result for every check and version, 100 failures with logs, ten of them as long as logs get.
fn large() -> Report {
    let mut report = fixture("mutant.json");
    let failing: Vec<Entry> =
        report.results.iter().filter(|entry| entry.verdict == Verdict::Violates).cloned().collect();
    let mut results = Vec::new();
    for check in checks::all() {
        for version in check.versions() {
            let number = results.len();
            let mut entry = failing[number % failing.len()].clone();
            entry.check = check.name.to_owned();
            entry.version = version.as_str().to_owned();
            entry.statements = check.cites(version).map(|cite| cite.to_string()).collect();
            if number >= 100 {
                entry =
                    Entry { verdict: Verdict::Conforms, findings: vec![], log: None, replay: None, ..entry };
            } else if let (0, Some(log)) = (number % 10, &mut entry.log) {
                let whole: Vec<_> = log.iter().cycle().take(1000).cloned().collect();
                *log = whole;
                for (index, event) in log.iter_mut().enumerate() {
                    event.text = format!("{} number {index}", event.text);
                }
            }
            results.push(entry);
        }
    }
    report.planned = results.len();
    report.versions = vec!["3.1".to_owned(), "3.1.1".to_owned(), "5.0".to_owned()];
    report.results = results;
    report
}

/// What a reader sees of a piece of markup: blocks on lines of their own, cells apart from each other.
fn text(markup: &str) -> String {
    let mut seen = String::new();
    for piece in markup.split('<').skip(1) {
        let (tag, words) = piece.split_once('>').expect("a tag ends");
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
        match name {
            "td" | "th" | "dd" | "text" if !tag.starts_with('/') => seen.push_str("  "),
            "a" | "b" | "code" | "em" | "span" | "strong" | "small" | "td" | "th" | "dd" | "text" => {}
            _ => seen.push('\n'),
        }
        seen.push_str(&words.replace('\n', " "));
    }
    let lines = seen.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    let text = lines.collect::<Vec<_>>().join("\n");
    let signs = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    signs.into_iter().fold(text, |text, (escape, sign)| text.replace(escape, sign))
}

fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let start = page.find(from).unwrap_or_else(|| panic!("{from} is there"));
    let length = page[start..].find(to).unwrap_or_else(|| panic!("{to} is there"));
    &page[start..start + length]
}

#[test]
fn a_page_says_how_it_ended_what_is_broken_and_why() {
    let mut report = fixture("mutant.json");
    report
        .results
        .retain(|entry| entry.check.starts_with("retained/is_replaced") || entry.findings.is_empty());
    let page = page(&[report]).expect("a page");
    let shown = [
        between(&page, "<main", "<form"),
        between(&page, "<section id=\"failures\"", "<section id=\"statements\""),
        between(&page, "<section id=\"checks\"", "</main>"),
    ];
    let shown = shown.map(text).join("\n\n----\n\n");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("report_html", shown));
}

#[test]
fn every_statement_of_the_versions_has_its_row() {
    let page = page(&[fixture("mutant.json")]).expect("a page");
    for known in mqtt_assay::statement::all().iter().filter(|known| known.version != Version::V3_1) {
        assert!(page.contains(&format!("<tr id=\"{}\"", known.cite())), "{}", known.cite());
    }
}

#[test]
fn several_results_stand_side_by_side() {
    let results = ["reference.json", "mutant.json", "mosquitto.json"].map(fixture);
    let several = page(&results).expect("a page");
    let differences = text(between(&several, "<section id=\"differences\"", "<form"));
    assert!(differences.contains("Broken in some results"), "{differences}");
    // The reference broker's result has every log, so the packet that differs can be told.
    assert!(
        differences.contains("retain=1") && differences.contains("First differing packet"),
        "{differences}"
    );

    // Two results are a before and an after.
    let before_and_after = [results[0].clone(), results[1].clone()];
    let told = |results: &[Report]| {
        text(between(&page(results).expect("a page"), "<section id=\"differences\"", "<form"))
    };
    assert!(told(&before_and_after).contains("Broken in the second result only 6"));
    let [before, after] = before_and_after;
    assert!(told(&[after.clone(), before]).contains("Broken in the first result only 6"));

    // Of many each needs a column.
    let many = page(&vec![after.clone(); 7]).expect("a page");
    assert!(many.contains("<body class=\"wide\">") && several.contains("<body>"));

    // The same target twice: two names.
    let twice = page(&[after.clone(), after]).expect("a page");
    assert!(twice.contains("reference (mutant retained_flag_cleared) (2)"));
    assert!(!twice.contains("<section id=\"differences\""));
}

#[test]
fn nothing_of_a_brokers_is_markup() {
    let page = page(&[hostile(), fixture("reference.json")]).expect("a page");
    let code = page.rfind("<script>").expect("the page's own script");
    let body = &page[..code];
    assert_eq!(page.matches("<script").count(), 2, "the data and the code");
    assert_eq!(page.matches("</script").count(), 2);
    assert_eq!(page.matches("</style").count(), 1);
    for wrong in ["<img", "<b onclick", "href=\"javascript:", "{{", "<!-- ]]>"] {
        assert!(!body.contains(wrong) || wrong == "{{" && body.contains("{{7*7}}"), "{wrong}");
    }
    let hidden = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    assert_eq!(page.find(hidden), None);
    // It is shown, not swallowed.
    assert!(body.contains("&#60;/script&#62;&#60;script&#62;globalThis.taken=1"));
    assert!(body.contains("\\u{202e}\\u{2066}"));
    let data = between(&page, "id=\"data\">", "</script>").trim_start_matches("id=\"data\">");
    let data: Value = serde_json::from_str(data).expect("the data is JSON");
    assert!(data["texts"].to_string().contains("globalThis.taken=1"));
}

#[test]
fn a_page_allows_itself_nothing_but_its_own_style_and_script() {
    let page = page(&[fixture("mutant.json")]).expect("a page");
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\"", ">");
    assert!(policy.contains("default-src &#39;none&#39;"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for loads in [" src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest", " style="] {
        assert!(!page.contains(loads), "{loads}");
    }
}

#[test]
fn a_whole_run_stays_small() {
    let report = large();
    assert!(report.results.len() > 600, "{}", report.results.len());
    let page = page(&[report]).expect("a page");
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
}

#[test]
fn without_results_there_is_no_page() {
    assert!(matches!(page(&[]), Err(PageError::NoResult)));
}

/// The script of a failure leads the broken broker to the same breach, and accuses no sound one.
#[test]
fn the_script_of_a_failure_plays_it_again() {
    let page = page(&[fixture("mutant.json")]).expect("a page");
    let failure = between(&page, "id=\"failure-1-retained/is_replaced-5.0\"", "</div>\n</details>\n</div>");
    let script = between(failure, "<pre tabindex=\"0\"><code># ", "</code>");
    let script = text(&format!("<pre>{}", script.replace('\n', "&#10;"))).replace("&#10;", "\n");
    let script = script.trim_start().trim_start_matches("# ");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("again.script");
    fs::write(&path, format!("# {script}")).expect("it can be written");
    for (mutant, code) in [(None, 0), (Some("retained_flag_cleared"), 1)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mqtt-assay"));
        command.arg("simulate").arg("--script").arg(&path);
        command.args(mutant.iter().flat_map(|mutant| ["--mutant", mutant]));
        let output = command.output().expect("the command runs");
        assert_eq!(
            output.status.code(),
            Some(code),
            "{mutant:?}\n{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

/// Chromium, node, and a `node_modules` folder with puppeteer-core and axe-core; `None` (told on standard error) if one
/// is missing. Where `MQTT_ASSAY_REQUIRE_CHROMIUM` is set, that fails.
fn browser() -> Option<(PathBuf, PathBuf, PathBuf)> {
    let program = |names: &[&str]| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<_> = std::env::split_paths(&path).collect();
        names.iter().find_map(|name| folders.iter().map(|f| f.join(name)).find(|file| file.is_file()))
    };
    let modules = std::env::var_os("MQTT_ASSAY_NODE_MODULES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../node_modules"), PathBuf::from);
    let has = |name: &str| modules.join(name).is_dir();
    let found = (program(&["chromium", "chromium-browser", "google-chrome"]), program(&["node"]));
    let missing = match &found {
        (None, _) => "Chromium is not installed (Debian's package chromium)",
        (_, None) => "node is not installed (Debian's package nodejs)",
        _ if !has("axe-core") || !has("puppeteer-core") => {
            "axe-core and puppeteer-core are not there (`npm install --no-save axe-core puppeteer-core` in the repository, or \
             anywhere else with MQTT_ASSAY_NODE_MODULES naming the node_modules folder)"
        }
        _ => return found.0.zip(found.1).map(|(chromium, node)| (chromium, node, modules)),
    };
    let skipped = format!("{missing}: the test of the page in a browser is SKIPPED");
    assert!(std::env::var_os("MQTT_ASSAY_REQUIRE_CHROMIUM").is_none(), "{skipped}");
    eprintln!("{skipped}");
    None
}

#[test]
fn people_can_use_it_in_a_browser() {
    let Some((chromium, node, modules)) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let three = ["reference.json", "mutant.json", "mosquitto.json"].map(fixture);
    for (name, results) in [
        ("failures.html", vec![fixture("mutant.json")]),
        ("comparison.html", three.to_vec()),
        ("hostile.html", vec![hostile()]),
        ("large.html", vec![large()]),
    ] {
        fs::write(folder.path().join(name), page(&results).expect("a page")).expect("it can be written");
    }
    let output = Command::new(node)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/html/browser.mjs"))
        .args([folder.path(), modules.as_path(), chromium.as_path()])
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
