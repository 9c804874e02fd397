//! The command: what it understands, and what it refuses.
//!
//! Whatever cannot be done is refused in one sentence with exit code 2; nothing that the user asked for is
//! ignored.

mod baseline;
mod broker;
mod check;
mod coverage;
mod examples;
mod explain;
mod fuzz;
mod list;
mod mutant;
mod named;
mod outputs;
mod probe;
mod progress;
mod prove;
mod replay;
mod report;
mod script;
mod serve;
mod shell;
mod simulate;
mod target;
mod tls;
mod waiting;

use crate::report::Exit;
use crate::report::terminal::Look;
use clap::error::ErrorKind;
use clap::{FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

pub use check::told_to_end;
pub use coverage::coverage;
pub(crate) use coverage::proving;
pub use explain::explain;
pub use list::{ListForm, list, list_schema};
pub(crate) use named::{Named, accept_baseline, named, open_baseline};

/// The exit codes, as the help says them.
const EXIT_CODES: &str = "\
Exit codes:
  0  the broker conforms: something was shown, nothing is broken, nothing is left in doubt
  1  a requirement is broken (with --strict: or a recommendation is not followed)
  2  wrong usage, the run could not begin, or it was interrupted
  3  nothing is broken, but nothing was shown either, or some check was inconclusive";

/// Tells whether an MQTT broker keeps the OASIS specifications 3.1.1 and 5.0, and proves each verdict with the
/// packets.
#[derive(Parser, Debug)]
#[command(name = "mqtt-assay", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    /// Print without colours; so does the environment variable NO_COLOR
    #[arg(long, global = true, alias = "no-color")]
    no_colour: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the checks against a broker
    Check(Box<check::Arguments>),
    /// Find out what a broker announces and can do, and write its profile
    Probe(Box<probe::Arguments>),
    /// List the checks, or the statements of the specifications
    List(list::Arguments),
    /// Explain a statement or a check: what it means, how it is checked, by what it is proved
    Explain(explain::Arguments),
    /// Serve the reference broker on a real port
    Serve(serve::Arguments),
    /// Play generated scripts against the reference broker, with faults, and judge it by the rules
    Simulate(simulate::Arguments),
    /// Play one script to a broker, show the packets, and judge them by the rules
    Replay(Box<replay::Arguments>),
    /// Hunt a broker with generated and hostile traffic, for crashes, hangs, leaks and wrong answers
    Fuzz(Box<fuzz::Arguments>),
    /// Show by which checks, or by which rules, the mutants of the reference broker are caught
    Prove(prove::Arguments),
    /// Tell results again: on the terminal, or in another form
    Report(report::Arguments),
    /// Print a script that lets a shell complete the command line
    Completions(shell::Completions),
    /// Print the manual page, or write one for each subcommand
    Man(shell::Man),
}

/// Why the command could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// One sentence for the user: what is wrong, where, what to do.
    #[error("{0}")]
    Sentence(String),
    /// What went wrong while printing.
    #[error("cannot write to the standard output: {0}")]
    Output(#[from] io::Error),
}

impl Trouble {
    fn new(sentence: impl Into<String>) -> Trouble {
        Trouble::Sentence(sentence.into())
    }
}

/// Runs the command with the arguments of the process.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs the command with these arguments, of which the first is the name that it was called by.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = examples::command().try_get_matches_from(arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, "mqtt-assay"),
    };
    let colours =
        Colours { wanted: !cli.no_colour && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) };
    let outcome = match cli.command {
        Command::Check(arguments) => check::run(&arguments, colours),
        Command::Probe(arguments) => probe::run(&arguments, colours),
        Command::List(arguments) => list::run(&arguments).map(|()| Exit::Conforms),
        Command::Explain(arguments) => explain::run(&arguments).map(|()| Exit::Conforms),
        Command::Serve(arguments) => serve::run(&arguments).map(|()| Exit::Conforms),
        Command::Simulate(arguments) => simulate::run(&arguments, colours),
        Command::Replay(arguments) => replay::run(&arguments, colours),
        Command::Fuzz(arguments) => fuzz::run(&arguments, colours),
        Command::Prove(arguments) => prove::run(&arguments),
        Command::Report(arguments) => report::run(&arguments, colours).map(|()| Exit::Conforms),
        Command::Completions(arguments) => shell::completions(&arguments).map(|()| Exit::Conforms),
        Command::Man(arguments) => shell::man(&arguments).map(|()| Exit::Conforms),
    };
    match outcome {
        Ok(exit) => ExitCode::from(exit.code()),
        // Whoever reads our output has seen enough (`mqtt-assay list | head`).
        Err(Trouble::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(trouble) => {
            say(&format!("error: {trouble}"));
            ExitCode::from(Exit::Trouble.code())
        }
    }
}

/// Whether colours may be used, if the stream is a terminal.
#[derive(Clone, Copy, Debug)]
struct Colours {
    wanted: bool,
}

/// How results are shown on the standard output, or on the standard error.
fn look(colours: Colours, to_stderr: bool, verbose: bool) -> Look {
    let (terminal, is_terminal) = if to_stderr {
        (console::Term::stderr(), io::stderr().is_terminal())
    } else {
        (console::Term::stdout(), io::stdout().is_terminal())
    };
    Look {
        colours: colours.wanted && is_terminal,
        columns: is_terminal.then(|| usize::from(terminal.size().1)),
        verbose,
    }
}

/// A line on the standard error. If that is closed there is nobody to tell.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    if !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@:/".contains(&b)) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Answers what clap could not take of the arguments of this program: help and version as they are, errors in one line.
pub fn refuse(error: &clap::Error, program: &str) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A closed pipe is no reason to fail.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(Exit::Trouble.code())
        }
        _ => {
            say(&one_sentence(&error.render().to_string(), program));
            ExitCode::from(Exit::Trouble.code())
        }
    }
}

/// An error of clap without the usage and the hints that follow it.
fn one_sentence(rendered: &str, program: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for line in rendered.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        // Nobody who mistypes a flag means it as a target.
        if !line.is_empty() && !line.starts_with("tip: to pass") {
            parts.push(line.trim_start_matches("tip: ").trim_matches(['[', ']']));
        }
    }
    let sentence = parts.join("; ").replace(":; ", ": ");
    if sentence.contains("--") || parts.len() > 1 {
        sentence
    } else {
        format!("{sentence}; try `{program} --help`")
    }
}

/// The help of the whole command or of one subcommand, as the snapshots keep it.
pub fn help(subcommand: Option<&str>) -> String {
    let mut command = examples::command().term_width(100);
    command.build();
    match subcommand.and_then(|name| command.find_subcommand_mut(name)) {
        Some(found) => found.render_long_help().to_string(),
        None => command.render_long_help().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn errors_become_one_line() {
        for arguments in [
            &["mqtt-assay", "check", "--nonsense"][..],
            &["mqtt-assay", "chek"],
            &["mqtt-assay", "check", "--mqtt", "4"],
            &["mqtt-assay", "check", "--jobs", "many"],
            &["mqtt-assay", "explain"],
            &["mqtt-assay", "check", "--report"],
        ] {
            let error = Cli::try_parse_from(arguments).unwrap_err();
            let sentence = one_sentence(&error.render().to_string(), "mqtt-assay");
            assert!(sentence.starts_with("error: ") && !sentence.contains('\n'), "{sentence}");
        }
    }
}
