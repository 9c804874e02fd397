//! Measures every cell and prints the table; with `--write` also puts it into `benches/README.md`.

use mqtt_assay_benches::contender::{self, MEMCPY, OURS, WALK};
use mqtt_assay_benches::{drive, packets, time};
use std::fmt::Write as _;
use std::process::ExitCode;

const BEGIN: &str = "<!-- table: begin -->";
const END: &str = "<!-- table: end -->";

/// The rows, floors first.
const ROWS: [&str; 7] =
    [OURS, "rumqttc", "mqttbytes", "mqttrs", "mqtt-protocol-core", "rmqtt-codec", "flowsdk"];

struct Column {
    name: String,
    /// Bytes of one packet, on average in a stream.
    bytes: f64,
    cells: Vec<(&'static str, f64)>,
}

impl Column {
    fn of(&self, row: &str) -> Option<f64> {
        self.cells.iter().find(|(name, _)| *name == row).map(|(_, ns)| *ns)
    }
}

fn main() -> ExitCode {
    let write = std::env::args().any(|argument| argument == "--write");
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let (mut decode, mut encode) = (Vec::new(), Vec::new());
    for case in packets::single().into_iter().chain(packets::streams()) {
        if only.as_ref().is_some_and(|only| !case.name.contains(only.as_str())) {
            continue;
        }
        let batch = drive::batch(&case);
        let count = drive::packets_in_batch(&case);
        for (columns, mut contenders) in
            [(&mut decode, contender::decoders(&case, &batch)), (&mut encode, contender::encoders(&case))]
        {
            let times = time::measure(&mut contenders, count);
            columns.push(Column {
                name: case.name.clone(),
                bytes: case.bytes.len() as f64 / case.packets as f64,
                cells: contenders.iter().map(drive::Work::name).zip(times).collect(),
            });
        }
    }
    let mut text = String::new();
    section(&mut text, "Decode", WALK, &decode);
    section(&mut text, "Encode", MEMCPY, &encode);
    println!("{text}");
    if write {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        if let Err(error) = replace(path, &text) {
            eprintln!("{path}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn section(text: &mut String, title: &str, floor: &str, columns: &[Column]) {
    // Writing to a String cannot fail.
    let _ = write!(text, "\n**{title}**: ns per packet · GB/s · times the floor\n\n| |");
    for column in columns {
        let _ = write!(text, " {} ({:.0} B) |", column.name, column.bytes);
    }
    let _ = write!(text, "\n|---|{}", "---|".repeat(columns.len()));
    for row in [floor].into_iter().chain(ROWS) {
        let bold = if row == OURS { "**" } else { "" };
        let _ = write!(text, "\n| {bold}{row}{bold} |");
        for column in columns {
            let _ = match (column.of(row), column.of(floor)) {
                (Some(ns), Some(floor)) => {
                    write!(text, " {bold}{ns:.1} · {:.1} · {:.2}×{bold} |", column.bytes / ns, ns / floor)
                }
                _ => write!(text, " – |"),
            };
        }
    }
    text.push('\n');
}

/// Puts the table between its marks.
fn replace(path: &str, table: &str) -> std::io::Result<()> {
    let old = std::fs::read_to_string(path)?;
    let marks = old.find(BEGIN).map(|at| at + BEGIN.len()).zip(old.find(END));
    let Some((begin, end)) = marks else {
        return Err(std::io::Error::other(format!("no {BEGIN} … {END}")));
    };
    std::fs::write(path, format!("{}\n{table}\n{}", &old[..begin], &old[end..]))
}
