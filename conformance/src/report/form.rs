//! The forms of a report, by name.

use super::json::{self, Report};
use super::{badge, github, html, junit, markdown, sarif, tap};
use std::fmt;
use std::str::FromStr;

/// A form in which results are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// The result file, which all others are made from.
    Json,
    /// JUnit XML, which most CI systems read.
    JUnit,
    /// SARIF 2.1.0, for code scanning services.
    Sarif,
    /// Markdown, for the summary of a pull request.
    Markdown,
    /// The Test Anything Protocol.
    Tap,
    /// A picture with the number of statements kept.
    Badge,
    /// The same for a badge service.
    BadgeJson,
    /// One page to be opened in a browser.
    Html,
    /// Workflow commands, which become annotations.
    GitHub,
}

impl Form {
    /// All forms.
    pub const ALL: [Form; 9] = [
        Form::Json,
        Form::JUnit,
        Form::Sarif,
        Form::Markdown,
        Form::Tap,
        Form::Badge,
        Form::BadgeJson,
        Form::Html,
        Form::GitHub,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Form::Json => "json",
            Form::JUnit => "junit",
            Form::Sarif => "sarif",
            Form::Markdown => "markdown",
            Form::Tap => "tap",
            Form::Badge => "badge",
            Form::BadgeJson => "badge-json",
            Form::Html => "html",
            Form::GitHub => "github",
        }
    }

    /// Whether the form has room for one run only.
    pub const fn is_of_one_run(self) -> bool {
        matches!(self, Form::Json | Form::Badge | Form::BadgeJson)
    }

    /// The results in this form.
    ///
    /// # Errors
    ///
    /// The form cannot be made of these results: why, in one sentence.
    pub fn make(self, runs: &[Report]) -> Result<String, String> {
        let one = || match runs {
            [one] => Ok(one),
            _ => Err(format!("a {} report is of one result, not of {}", self.name(), runs.len())),
        };
        match self {
            Form::Json => Ok(json::text(one()?)),
            Form::JUnit => junit::report(runs).map_err(|error| error.to_string()),
            Form::Sarif => Ok(format!("{:#}\n", sarif::report(runs))),
            Form::Markdown => Ok(markdown::report(runs)),
            Form::Tap => Ok(tap::report(runs)),
            Form::Badge => Ok(badge::svg(one()?)),
            Form::BadgeJson => Ok(badge::json(one()?)),
            Form::Html => html::page(runs).map_err(|error| error.to_string()),
            Form::GitHub => Ok(github::report(runs)),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Form, String> {
        Form::ALL.into_iter().find(|form| form.name() == text).ok_or_else(|| {
            let names = Form::ALL.map(Form::name).join(", ");
            format!("no report has the format '{text}'; these are known: {names}")
        })
    }
}
