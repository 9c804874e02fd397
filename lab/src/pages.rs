//! The reviews, as a page of the manual.

use crate::broker::Broker;
use crate::matrix::Lab;
use crate::review::Reviews;
use mqtt_assay::statement;
use std::fmt::Write as _;

/// Where the page has a review.
pub fn anchor(broker: &str, index: usize) -> String {
    format!("{broker}-{}", index + 1)
}

/// Text in the cell of a table.
pub fn cell(text: &str) -> String {
    text.replace('|', r"\|")
}

/// Text in one line.
pub fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text in which nothing is HTML, though brokers are sent all kinds of bytes.
fn prose(text: &str) -> String {
    line(text).replace('<', "&lt;")
}

/// What was suspected and is kept.
fn passes(text: &mut String, reviews: &Reviews) {
    if reviews.passes.is_empty() {
        return;
    }
    text.push_str(
        "\nWhat it was likely to violate, and does not:\n\n\
         | statement | by | why it was suspected | what the packets show |\n|---|---|---|---|\n",
    );
    for pass in &reviews.passes {
        let _ = writeln!(
            text,
            "| {} | {} | {} [Source]({}) | {} |",
            pass.statements.join(", "),
            pass.checks.iter().map(|check| format!("`{check}`")).collect::<Vec<_>>().join(", "),
            cell(&prose(&pass.suspected)),
            pass.source,
            cell(&prose(&pass.shows))
        );
    }
}

/// The page, as Markdown.
pub fn reviews(lab: &Lab) -> String {
    let mut text = String::from(
        "# Why they are accused\n\n\
         Written by `mqtt-assay-lab matrix` from `lab/brokers/*/reviews.toml`. For each statement that a broker of \
         [the lab](lab.md) violates: what it does, and why the specification allows no other reading. *Just* means that it would \
         be defended before those who make the broker; *by the letter* that it stands, and harms hardly anybody.\n",
    );
    let spoken_of = |(broker, reviews): &&(Broker, Reviews)| {
        broker.about.not_published.is_none() && !reviews.all.is_empty()
    };
    for (broker, reviews) in lab.brokers.iter().filter(spoken_of) {
        let _ =
            writeln!(text, "\n## {}\n\nFaults are reported at <{}>.", broker.title(), broker.about.tracker);
        if !broker.about.notes.is_empty() {
            let _ = writeln!(text, "{}", prose(&broker.about.notes));
        }
        for (index, review) in reviews.all.iter().enumerate() {
            let _ = writeln!(
                text,
                "\n<a id=\"{}\"></a>**{}** ({}), by {}\n",
                anchor(&broker.id, index),
                review.statements.join(", "),
                review.judgement,
                review.checks.iter().map(|check| format!("`{check}`")).collect::<Vec<_>>().join(", ")
            );
            for cite in &review.statements {
                let known = statement::all().iter().find(|known| known.cite().to_string() == *cite);
                if let Some(known) = known {
                    let _ = writeln!(text, "> {}\n", prose(known.summary));
                }
            }
            let _ = writeln!(text, "{} {}", prose(&review.does), prose(&review.because));
            for varies in reviews.varies_of(review) {
                let _ = writeln!(text, "\nNot each run shows it. {}", prose(varies));
            }
            if let Some(tracker) = &review.tracker {
                let _ = writeln!(text, "Reported: <{tracker}>.");
            }
        }
        passes(&mut text, reviews);
    }
    text
}
