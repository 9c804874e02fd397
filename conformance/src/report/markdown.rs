//! The result as Markdown, for the summary of a pull request or of a build: a headline, a table, the failures folded
//! away. Several runs stand side by side.

use super::json::{Entry, Report};
use super::view::{self, Fate};
use super::{one_line, plain, printable};
use crate::verdict::Verdict;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// GitHub takes so many bytes for the summary of a step.
const BYTES_MAX: usize = 1 << 20;
/// What is kept free for the sentence that says what is missing.
const LAST_SENTENCE: usize = 512;

/// The report of one or several runs.
pub fn report(runs: &[Report]) -> String {
    let names = view::names(runs);
    let mut text = String::new();
    for (run, name) in runs.iter().zip(&names) {
        let sign = match run.summary.exit {
            0 => "✅",
            1 => "❌",
            _ => "❔",
        };
        let _ = writeln!(
            text,
            "{} {sign} {}: {}\n",
            if runs.len() == 1 { "##" } else { "-" },
            code(name),
            inline(&view::sentence(run))
        );
    }
    verdicts(&mut text, runs, &names);
    if runs.len() > 1 {
        differences(&mut text, runs, &names);
    }
    for run in runs {
        let versions = run.versions.join(" and ");
        let _ = writeln!(
            text,
            "{}: MQTT {}, catalogue {}, mqtt-assay {}, seed {}, {:.1} s.\n",
            code(&view::address(run)),
            inline(&versions),
            inline(&run.catalogue),
            inline(&run.tool),
            run.seed,
            std::time::Duration::from_millis(run.elapsed_ms).as_secs_f64()
        );
    }
    let mut left_out = 0;
    for (run, name) in runs.iter().zip(&names) {
        for entry in view::shown(run) {
            let of = if runs.len() > 1 { Some(name.as_str()) } else { None };
            let folded = folded(run, entry, of);
            if left_out > 0 || text.len() + folded.len() + LAST_SENTENCE > BYTES_MAX {
                left_out += 1;
            } else {
                text.push_str(&folded);
            }
        }
        if left_out == 0 {
            known(&mut text, run);
        }
    }
    if left_out > 0 {
        let _ = writeln!(
            text,
            "{} left out here, since GitHub takes {} MiB at most; the result file has all of them.",
            view::number(left_out, "more result that needs showing is", "more results that need showing are"),
            BYTES_MAX >> 20
        );
    }
    text
}

/// How many results have each verdict, a column for each run.
fn verdicts(text: &mut String, runs: &[Report], names: &[String]) {
    let header: String = names.iter().map(|name| format!(" {} |", code(name))).collect();
    let _ = writeln!(text, "| verdict |{header}\n|---|{}", "---:|".repeat(runs.len()));
    let counts: Vec<_> = runs.iter().map(view::counts).collect();
    for verdict in Verdict::ALL.into_iter().filter(|verdict| counts.iter().any(|own| own.of(*verdict) > 0)) {
        let cells: String = counts.iter().map(|own| format!(" {} |", own.of(verdict))).collect();
        let _ = writeln!(text, "| {verdict} |{cells}");
    }
    let kept = |run: &Report| (run.summary.statements_kept.len(), run.summary.statements_broken.len());
    let cells: String = runs
        .iter()
        .map(|run| {
            let (kept, broken) = kept(run);
            format!(" {kept} of {} |", kept + broken)
        })
        .collect();
    let _ = writeln!(text, "| statements kept |{cells}\n");
}

/// The statements that not all runs keep.
fn differences(text: &mut String, runs: &[Report], names: &[String]) {
    let broken: BTreeSet<&str> =
        runs.iter().flat_map(|run| &run.summary.statements_broken).map(String::as_str).collect();
    if broken.is_empty() {
        return;
    }
    let header: String = names.iter().map(|name| format!(" {} |", code(name))).collect();
    let _ = writeln!(text, "| statement broken by one |{header}\n|---|{}", ":---:|".repeat(runs.len()));
    for cite in broken {
        let has = |list: &[String]| list.iter().any(|own| own == cite);
        let cells: String = runs
            .iter()
            .map(|run| match () {
                () if has(&run.summary.statements_broken) => " ✗ |",
                () if has(&run.summary.statements_kept) => " ✓ |",
                () => " – |",
            })
            .collect();
        let what =
            view::statement(cite).map_or(String::new(), |known| format!(": {}", inline(known.summary)));
        let _ = writeln!(text, "| {}{what} |{cells}", code(cite));
    }
    text.push('\n');
}

/// One result, folded away.
fn folded(run: &Report, entry: &Entry, of: Option<&str>) -> String {
    let sign = match view::fate(entry, run.summary.strict) {
        Fate::Fails => "❌",
        Fate::IsUndecided => "❔",
        _ => "⚠️",
    };
    let of = of.map(|name| format!("{}: ", html(name))).unwrap_or_default();
    let mut text = format!(
        "<details><summary>{sign} {of}<code>{}</code> (MQTT {}) {}</summary>\n\n{}\n\n",
        html(&entry.check),
        html(&entry.version),
        entry.verdict,
        inline(&entry.about)
    );
    for cite in view::cited(entry) {
        if let Some(known) = view::statement(cite) {
            let _ = writeln!(
                text,
                "- [{}]({}), section {}, {}: {}",
                known.cite(),
                known.link(),
                known.section(),
                known.level,
                inline(known.summary)
            );
        }
    }
    let details = plain::text(entry);
    let fence = fence(&details);
    let _ = writeln!(text, "\n{fence}text\n{details}\n{fence}\n\n</details>\n");
    text
}

/// What the baseline lets through, and what in it is out of date.
fn known(text: &mut String, run: &Report) {
    let Some(baseline) = &run.baseline else { return };
    for (kind, entry, why) in view::outdated(baseline) {
        let sign = if kind == "stale" { "❌" } else { "⚠️" };
        let _ =
            writeln!(text, "{sign} {kind} in {}: {}: {}\n", code(&baseline.file), code(&entry), inline(why));
    }
    let known: Vec<&Entry> = run.results.iter().filter(|entry| view::is_known(entry)).collect();
    if known.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "<details><summary>{}</summary>\n",
        view::number(known.len(), "known failure", "known failures")
    );
    for entry in known {
        let _ = writeln!(
            text,
            "- {} (MQTT {}): {}",
            code(&entry.check),
            inline(&entry.version),
            inline(&view::reasons(entry))
        );
    }
    text.push_str("\n</details>\n\n");
}

/// A fence that no line of the text closes.
pub(crate) fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// A span of code, also within a table.
pub(crate) fn code(text: &str) -> String {
    let text = printable(&one_line(text)).replace('|', "\\|");
    let ticks = "`".repeat(text.split(|c| c != '`').map(str::len).max().unwrap_or(0) + 1);
    let pad = if text.contains('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// Plain text within a paragraph or a table.
pub(crate) fn inline(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in printable(&one_line(text)).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '|' | '<' | '>' | '[' | ']' | '#' | '~' | '$' | '@') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// Text within HTML.
fn html(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a broker says stays text.
    #[test]
    fn texts_are_fenced_in() {
        assert_eq!(fence("a"), "```");
        assert_eq!(fence("a ```` b"), "`````");
        assert_eq!(code("a|b`c"), "`` a\\|b`c ``");
        assert_eq!(inline("<b> *x*\n# y"), "\\<b\\> \\*x\\* \\# y");
        assert_eq!(html("</details>&"), "&lt;/details&gt;&amp;");
    }
}
