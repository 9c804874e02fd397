//! Where reports go: checked before the run, so that an hour's result is not lost to a typing mistake.

use super::{Trouble, say};
use crate::outcome::{CheckResult, Run};
use crate::report::form::Form;
use crate::report::json::{Begun, Report};
use crate::report::{capture, json, needs_showing};
use crate::run::CAPTURE_MAX;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// `--report FORMAT=PATH`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    form: Form,
    /// `None` for the standard output.
    path: Option<PathBuf>,
}

impl Wanted {
    /// `--json`.
    pub(super) const JSON_TO_STDOUT: Wanted = Wanted { form: Form::Json, path: None };

    /// The form.
    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Makes the report and writes it.
    pub(super) fn write(&self, runs: &[Report]) -> Result<(), Trouble> {
        let text = self.form.make(runs);
        let text = text.map_err(|error| Trouble::new(format!("cannot build the report: {error}")))?;
        match &self.path {
            Some(path) => write(path, &text).map_err(|error| cannot_write("report", path, &error)),
            None => io::stdout().lock().write_all(text.as_bytes()).map_err(Trouble::from),
        }
    }
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Wanted, String> {
        let (form, path) = text.split_once('=').ok_or("write FORMAT=PATH, such as json=result.json")?;
        let form = form.parse()?;
        match path {
            "" => Err("the path is empty; write FORMAT=PATH, with `-` for the standard output".to_owned()),
            "-" => Ok(Wanted { form, path: None }),
            _ => Ok(Wanted { form, path: Some(path.into()) }),
        }
    }
}

/// Tries every path, of the reports and of the capture, without writing to it.
pub(super) fn try_paths(wanted: &[Wanted], pcap: Option<&Path>) -> Result<(), Trouble> {
    let to_stdout = wanted.iter().filter(|one| one.path.is_none()).count();
    if to_stdout + usize::from(is_stdout(pcap)) > 1 {
        return Err(Trouble::new("only one report can go to the standard output; give the others a path"));
    }
    let mut paths: Vec<(&str, &Path)> =
        wanted.iter().filter_map(|one| Some(("report", one.path.as_deref()?))).collect();
    paths.extend(pcap.filter(|_| !is_stdout(pcap)).map(|path| ("capture", path)));
    for (index, (what, path)) in paths.iter().enumerate() {
        if paths[..index].iter().any(|(_, other)| other == path) {
            return Err(Trouble::new(format!(
                "two reports go to {}; give each its own path",
                path.display()
            )));
        }
        try_file(path).map_err(|error| cannot_write(what, path, &error))?;
    }
    Ok(())
}

/// The reports of a run: opened, fed while it runs, written at its end.
pub(super) struct Outputs {
    wanted: Vec<Wanted>,
    /// Where the capture goes.
    pcap: Option<PathBuf>,
    partial: Vec<Partial>,
    verbose: bool,
}

/// Results as they come, one JSON object per line behind a first line of the run, so that a crash does not lose them.
struct Partial {
    path: PathBuf,
    file: File,
}

impl Outputs {
    /// Tries every path, and begins to keep results.
    pub(super) fn open(
        wanted: Vec<Wanted>,
        pcap: Option<PathBuf>,
        verbose: bool,
        begun: &Begun,
    ) -> Result<Outputs, Trouble> {
        try_paths(&wanted, pcap.as_deref())?;
        let mut outputs = Outputs { wanted, pcap, partial: Vec::new(), verbose };
        let files = outputs.wanted.iter().filter(|one| one.form == Form::Json);
        let paths: Vec<PathBuf> = files.filter_map(|one| one.path.clone()).collect();
        for path in paths.iter().filter(|path| is_replaceable(path)) {
            if let Err(error) = outputs.begin_partial(path, begun) {
                outputs.discard();
                return Err(cannot_write("report", path, &error));
            }
        }
        Ok(outputs)
    }

    fn begin_partial(&mut self, path: &Path, begun: &Begun) -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let path = PathBuf::from(name);
        let file = File::create(&path)?;
        self.partial.push(Partial { path, file });
        let Some(Partial { file, .. }) = self.partial.last_mut() else { return Ok(()) };
        writeln!(file, "{}", serde_json::to_string(begun)?)
    }

    /// Whether a report takes the standard output, so that nothing else may be printed there.
    pub(super) fn takes_stdout(&self) -> bool {
        self.wanted.iter().any(|one| one.path.is_none()) || is_stdout(self.pcap.as_deref())
    }

    /// Keeps a result that a crash must not lose. A full disk is told at the end, when the report is written.
    pub(super) fn keep(&mut self, result: &CheckResult, replay: impl FnOnce() -> String) {
        if self.partial.is_empty() {
            return;
        }
        let with_log = self.verbose || needs_showing(result.verdict);
        let mut entry = json::entry(result, with_log);
        entry.replay = with_log.then(replay);
        if let Ok(mut line) = serde_json::to_vec(&entry) {
            line.push(b'\n');
            for partial in &mut self.partial {
                let _ = partial.file.write_all(&line);
            }
        }
    }

    /// Forgets a run that did not begin.
    pub(super) fn discard(&mut self) {
        for partial in self.partial.drain(..) {
            let _ = std::fs::remove_file(partial.path);
        }
    }

    /// Writes the reports. One that cannot be written does not keep the others from being written.
    pub(super) fn finish(mut self, run: &Run, report: &Report) -> Result<(), Trouble> {
        let mut trouble = None;
        for one in &self.wanted {
            if let Err(error) = one.write(std::slice::from_ref(report)) {
                trouble = trouble.or(Some(error));
            }
        }
        if let Some(path) = &self.pcap
            && let Err(error) = write_capture(path, run)
        {
            trouble = trouble.or(Some(error));
        }
        match trouble {
            // What was kept on the way is all that there is of the run.
            Some(trouble) => Err(trouble),
            None => {
                self.discard();
                Ok(())
            }
        }
    }
}

/// Writes the capture of a run, and tells if it is not whole.
fn write_capture(path: &Path, run: &Run) -> Result<(), Trouble> {
    let cut = if is_stdout(Some(path)) {
        capture::write(io::BufWriter::new(io::stdout().lock()), run)?
    } else {
        write_with(path, |file| capture::write(io::BufWriter::new(file), run))
            .map_err(|error| cannot_write("capture", path, &error))?
    };
    if cut > 0 {
        say(&format!(
            "The capture has kept {} MiB, which is the most: {cut} connections are not whole in it. Use --only to \
             capture fewer checks.",
            CAPTURE_MAX >> 20
        ));
    }
    Ok(())
}

fn is_stdout(path: Option<&Path>) -> bool {
    path == Some(Path::new("-"))
}

fn cannot_write(what: &str, path: &Path, error: &io::Error) -> Trouble {
    Trouble::new(format!(
        "cannot write the {what} {}: {error}; check that its folder exists and can be written to",
        path.display()
    ))
}

/// Tries whether the path could be written to, without doing so.
pub(super) fn try_file(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    if !is_replaceable(path) {
        return OpenOptions::new().write(true).open(path).map(drop);
    }
    temporary(path).map(drop)
}

/// Whether the path is, or will be, a plain file. Devices and pipes are written to, never replaced.
fn is_replaceable(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |found| found.is_file())
}

/// A temporary file beside `path`, on the same file system, so that it can take its place in one step.
fn temporary(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mqtt-assay-");
    #[cfg(unix)]
    {
        // As any new file: the default of temporary files would hide the report from everybody else.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Writes a file whole or not at all.
pub(super) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    write_with(path, |file| file.write_all(bytes.as_ref()))
}

/// Lets a file be written, whole or not at all.
fn write_with<T>(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
    if !is_replaceable(path) {
        return fill(&mut OpenOptions::new().write(true).open(path)?);
    }
    // Where a link stands, the file behind it is meant.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut file = temporary(&path)?;
    let filled = fill(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(filled)
}
