//! `completions` and `man`: what a shell and a reader of manual pages want of the command line.

use super::{Trouble, examples, outputs};
use clap_complete::Shell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Print a script that lets a shell complete the command line
#[derive(clap::Args, Debug)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

/// Print the manual page, or write one for each subcommand
#[derive(clap::Args, Debug)]
pub(super) struct Man {
    /// Write mqtt-assay.1, mqtt-assay-check.1 and so on into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints the completions.
pub(super) fn completions(arguments: &Completions) -> Result<(), Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut examples::command(), "mqtt-assay", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(())
}

/// Prints or writes the manual pages.
pub(super) fn man(arguments: &Man) -> Result<(), Trouble> {
    let mut command = examples::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &arguments.out else {
        io::stdout().lock().write_all(&page(&command)?)?;
        return Ok(());
    };
    let mut pages = vec![command.clone()];
    pages.extend(command.get_subcommands().filter(|one| !one.is_hide_set()).cloned());
    for one in pages {
        let name = one.get_display_name().unwrap_or_else(|| one.get_name()).to_owned();
        let path = folder.join(format!("{name}.1"));
        outputs::write(&path, page(&one)?).map_err(|error| cannot_write(&path, &error))?;
    }
    Ok(())
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    // No date: the same version has the same page.
    clap_mangen::Man::new(command.clone()).date("").render(&mut text)?;
    Ok(text)
}

fn cannot_write(path: &Path, error: &io::Error) -> Trouble {
    Trouble::new(format!(
        "cannot write the page {}: {error}; check that its folder exists and can be written to",
        path.display()
    ))
}
