//! The model's state machines, explored from outside: each state is reached, each input given, and what the model
//! puts out and where it then stands is written down as a table and a graph, to be compared with the figures of the
//! specifications. [3.1.1 §3.1, §4.1, §4.3] [5.0 §3.1, §4.1, §4.3, §4.12]

#[path = "../common/mod.rs"]
mod common;
mod connection;
mod exchange;
mod session;

use common::{Got, World};
use std::fmt::Write;
use std::path::Path;

/// What a machine is about: the clients that its states and inputs speak of.
type Way<S> = fn(&mut World, &mut S);

/// A state machine of the model, of which only the outside is known.
struct Machine<S> {
    title: &'static str,
    /// A world in which nothing has happened yet.
    begin: fn() -> (World, S),
    /// How each state is reached from the beginning.
    states: Vec<(&'static str, Way<S>)>,
    /// What can happen.
    inputs: Vec<(&'static str, Way<S>)>,
    /// What the model has put out since the last look, in words.
    outputs: fn(&mut World, &mut S) -> Vec<String>,
    /// Tells in which state the model is; it may disturb it.
    probe: fn(&mut World, &mut S) -> &'static str,
}

impl<S> Machine<S> {
    /// Every transition: state, input, outputs, next state.
    fn transitions(&self) -> Vec<[String; 4]> {
        let mut found = Vec::new();
        for (state, reach) in &self.states {
            let at = |input: Option<Way<S>>| {
                let (mut world, mut subject) = (self.begin)();
                reach(&mut world, &mut subject);
                (self.outputs)(&mut world, &mut subject);
                let outputs = input.map_or_else(Vec::new, |input| {
                    input(&mut world, &mut subject);
                    (self.outputs)(&mut world, &mut subject)
                });
                (outputs, (self.probe)(&mut world, &mut subject))
            };
            assert_eq!(at(None).1, *state, "{}: the way to this state leads there", self.title);
            for (input, give) in &self.inputs {
                let (outputs, next) = at(Some(*give));
                let outputs = if outputs.is_empty() { "–".to_owned() } else { outputs.join(", ") };
                found.push([(*state).to_owned(), (*input).to_owned(), outputs, next.to_owned()]);
            }
        }
        found
    }

    /// Table and graph.
    fn picture(&self) -> String {
        let transitions = self.transitions();
        let mut text = format!("{}\n{}\n\n", self.title, "=".repeat(self.title.chars().count()));
        let width =
            |column: usize| transitions.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        for row in &transitions {
            let [state, input, outputs, next] = row;
            let _ = writeln!(
                text,
                "{state:<a$}  {input:<b$}  {outputs:<c$}  → {next}",
                a = widths[0],
                b = widths[1],
                c = widths[2]
            );
        }
        text.push_str("\ndigraph {\n");
        for [state, input, outputs, next] in &transitions {
            // What changes nothing and puts out nothing is left to the table.
            if state != next || outputs != "–" {
                let label = format!("{input} / {outputs}").replace('"', "\\\"");
                let _ = writeln!(text, "  \"{state}\" -> \"{next}\" [label=\"{label}\"];");
            }
        }
        text.push_str("}\n");
        text
    }
}

fn snapshot(name: &str, pictures: &[String]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, pictures.join("\n\n")));
}

/// A packet in few words: what matters for a state machine.
fn word(got: &Got) -> String {
    match got {
        Got::Connack { present, code: 0, .. } => format!("CONNACK session_present={}", u8::from(*present)),
        Got::Connack { code, .. } => format!("CONNACK 0x{code:02x}"),
        Got::Publish { payload, qos, dup, .. } => {
            let dup = if *dup { " dup=1" } else { "" };
            format!("PUBLISH \"{}\" qos={qos}{dup}", String::from_utf8_lossy(payload))
        }
        Got::Puback(_, 0) => "PUBACK".into(),
        Got::Pubrec(_, 0) => "PUBREC".into(),
        Got::Pubrel(_, 0) => "PUBREL".into(),
        Got::Pubcomp(_, 0) => "PUBCOMP".into(),
        Got::Puback(_, code) => format!("PUBACK 0x{code:02x}"),
        Got::Pubrec(_, code) => format!("PUBREC 0x{code:02x}"),
        Got::Pubrel(_, code) => format!("PUBREL 0x{code:02x}"),
        Got::Pubcomp(_, code) => format!("PUBCOMP 0x{code:02x}"),
        Got::Suback(..) => "SUBACK".into(),
        Got::Unsuback(..) => "UNSUBACK".into(),
        Got::Pingresp => "PINGRESP".into(),
        Got::Disconnect(code) => format!("DISCONNECT 0x{code:02x}"),
        Got::Auth(code, _) => format!("AUTH 0x{code:02x}"),
        Got::Closed => "closes".into(),
    }
}
