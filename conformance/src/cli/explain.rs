//! `explain`: what a statement, a check, or a word of a profile means.

mod words;

use super::Trouble;
use crate::check::Check;
use crate::select::{Pattern, near};
use crate::statement::{self, Statement};
use crate::{checks, report};
use mqtt_assay_codec::Version;
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// The columns of an explanation.
const COLUMNS: usize = 100;

/// Explain a statement or a check: what it means, how it is checked, by what it is proved
///
/// Words of a broker's profile and verdicts are explained, too.
#[derive(clap::Args, Debug)]
pub(super) struct Arguments {
    /// A statement's id, with or without version (5.0/MQTT-3.8.3-3), a check's name, a word of a profile
    /// (denied_topic), or a verdict
    id: String,
}

/// Prints the explanation.
pub(super) fn run(arguments: &Arguments) -> Result<(), Trouble> {
    let text = explain(&arguments.id, &checks::all()).map_err(Trouble::new)?;
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// The explanation of a statement, of a check, or of a word.
///
/// # Errors
///
/// Nothing has this id: one sentence that says what may have been meant.
pub fn explain(id: &str, checks: &[&'static Check]) -> Result<String, String> {
    if let Some(check) = checks.iter().find(|check| check.name == id) {
        return Ok(explain_check(check));
    }
    if let Pattern::Statement { version, id } = Pattern::parse(id) {
        let found: Vec<_> = statement::all()
            .iter()
            .filter(|s| s.id == id && version.is_none_or(|own| own == s.version))
            .map(|s| explain_statement(s, checks))
            .collect();
        if !found.is_empty() {
            return Ok(found.join("\n"));
        }
    }
    let found = words::find(id);
    if !found.is_empty() {
        let texts: Vec<String> = found.into_iter().map(|word| explain_word(word, checks)).collect();
        return Ok(texts.join("\n"));
    }
    let mut near = near(id, checks);
    let likely = |name: &str| strsim::normalized_damerau_levenshtein(&id.to_lowercase(), name) >= 0.7;
    near.extend(words::WORDS.iter().map(|word| word.name).filter(|name| likely(name)).map(str::to_owned));
    near.dedup();
    near.truncate(3);
    Err(if near.is_empty() {
        format!(
            "no statement, no check and no word of a profile has the name '{id}'; `mqtt-assay list` shows the names"
        )
    } else {
        format!(
            "no statement, no check and no word of a profile has the name '{id}'; did you mean {}?",
            near.join(" or ")
        )
    })
}

fn explain_statement(statement: &Statement, checks: &[&'static Check]) -> String {
    let mut text = format!(
        "{}   {}   section {} {}\n\n",
        statement.cite(),
        statement.level,
        statement.section(),
        statement.title
    );
    paragraph(&mut text, "", statement.summary);
    text.push('\n');
    if !statement.numbered {
        paragraph(&mut text, "id", "ours: the document does not number this rule");
    }
    paragraph(&mut text, "binds", statement.binds.name());
    if !statement.how_to_observe.is_empty() {
        paragraph(&mut text, "to be seen by", statement.how_to_observe);
    }
    let deciding: Vec<_> = checks.iter().filter(|check| check.covers.contains(&statement.cite())).collect();
    for check in &deciding {
        paragraph(&mut text, "checked by", &format!("{}: {}", check.name, report::one_line(check.summary())));
        paragraph(&mut text, "proved by", &proof(check));
    }
    if deciding.is_empty() {
        paragraph(&mut text, "no check", statement.exempt().unwrap_or("not yet"));
    }
    paragraph(&mut text, "document", &format!("{} section {}", statement.link(), statement.section()));
    text
}

fn explain_check(check: &Check) -> String {
    let versions: Vec<_> = check.versions().map(Version::as_str).collect();
    let mut text = format!("{}   {}\n\n", check.name, versions.join(" and "));
    for line in check.doc.trim_end().lines() {
        let line = format!("    {}", line.strip_prefix(' ').unwrap_or(line));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push('\n');
    for cite in check.covers {
        match statement::of(*cite) {
            Some(known) => {
                paragraph(&mut text, "decides", &format!("{cite}, {}: {}", known.level, known.summary));
            }
            None => paragraph(&mut text, "decides", &cite.to_string()),
        }
    }
    if !check.needs.is_empty() {
        let needs: Vec<_> = check.needs.iter().map(|need| need.name()).collect();
        paragraph(&mut text, "needs", &needs.join(", "));
    }
    paragraph(&mut text, "proved by", &proof(check));
    if !check.waits.is_zero() {
        paragraph(&mut text, "waits", &format!("{} s", check.waits.as_secs_f64()));
    }
    paragraph(&mut text, "source", &format!("{}:{}", check.file, check.line));
    paragraph(&mut text, "run it with", &format!("mqtt-assay check TARGET --only {}", check.name));
    text
}

fn explain_word(word: &words::Word, checks: &[&'static Check]) -> String {
    let place = match word.section {
        Some(section) => format!("in the section [{section}] of a profile"),
        None => "a verdict".to_owned(),
    };
    let mut text = format!("{}   {place}\n\n", word.name);
    paragraph(&mut text, "", word.meaning);
    text.push('\n');
    let needs = |check: &&&Check| word.need.is_some_and(|need| check.needs.contains(&need));
    for check in checks.iter().filter(needs) {
        paragraph(&mut text, "needed by", &format!("{}: {}", check.name, report::one_line(check.summary())));
    }
    let page = if word.section.is_some() { "docs/profile.md" } else { "docs/verdicts.md" };
    paragraph(&mut text, "more in", page);
    text
}

fn proof(check: &Check) -> String {
    match check.proved {
        [] => "nothing yet: no mutant of the reference broker is known to trip it".to_owned(),
        [one] => format!("the mutant {one} of the reference broker"),
        several => format!("the mutants {} of the reference broker", several.join(", ")),
    }
}

/// An indented paragraph with its label in front.
fn paragraph(text: &mut String, label: &str, body: &str) {
    let first = if label.is_empty() { "    ".to_owned() } else { format!("    {label:14}") };
    let rest = " ".repeat(first.len());
    let options = textwrap::Options::new(COLUMNS)
        .initial_indent(&first)
        .subsequent_indent(&rest)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    for line in textwrap::wrap(body, options) {
        let _ = writeln!(text, "{line}");
    }
}
