//! The examples at the end of each help text.

use super::Cli;
use clap::CommandFactory;

/// The examples of each subcommand. What begins with a space goes on from the line before.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "check",
        &[
            "mqtt-assay check",
            "mqtt-assay check mqtt://127.0.0.1:1883 --only retained/ --mqtt 5",
            "mqtt-assay check --spawn 'mosquitto -p {port}' --report junit=result.xml",
            "mqtt-assay check broker.toml --baseline known.toml",
        ],
    ),
    ("probe", &["mqtt-assay probe mqtt://127.0.0.1:1883 --out broker.toml"]),
    ("list", &["mqtt-assay list", "mqtt-assay list --statements --only 3.3", "mqtt-assay list --mutants"]),
    (
        "explain",
        &[
            "mqtt-assay explain MQTT-3.8.3-3",
            "mqtt-assay explain retained/reaches_new_subscription",
            "mqtt-assay explain denied_topic",
        ],
    ),
    (
        "serve",
        &[
            "mqtt-assay serve --listen 127.0.0.1:1883",
            "mqtt-assay serve --listen 127.0.0.1:1883 --mutant will_never_published",
        ],
    ),
    ("simulate", &["mqtt-assay simulate --seeds 0..1000", "mqtt-assay simulate --script no_local.script"]),
    ("replay", &["mqtt-assay replay no_local.script mqtt://127.0.0.1:1883"]),
    (
        "fuzz",
        &[
            "mqtt-assay fuzz --spawn 'mosquitto -p {port}' --time 20m --out hunt",
            "mqtt-assay fuzz mqtt://127.0.0.1:1883 --pid 4711 --cases 100000",
            "mqtt-assay fuzz reference --mutant puback_wrong_id --time 20s",
        ],
    ),
    ("prove", &["mqtt-assay prove", "mqtt-assay prove --rules"]),
    ("completions", &["mqtt-assay completions bash > /etc/bash_completion.d/mqtt-assay"]),
    ("man", &["mqtt-assay man --out /usr/local/share/man/man1"]),
];

/// The command line with its examples.
pub(super) fn command() -> clap::Command {
    EXAMPLES.iter().fold(Cli::command(), |command, (name, examples)| {
        command.mut_subcommand(name, |subcommand| {
            let lines: Vec<String> = examples.iter().map(|line| format!("  {line}")).collect();
            let mut text = format!("Examples:\n{}", lines.join("\n"));
            if let Some(after) = subcommand.get_after_help() {
                text = format!("{text}\n\n{after}");
            }
            subcommand.after_help(text)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every subcommand that is shown has examples, in its help or here, and all of them are understood.
    #[test]
    fn examples_are_understood() {
        let command = command();
        for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
            let after = subcommand.get_after_help().map(ToString::to_string).unwrap_or_default();
            let (_, examples) = after.split_once("Examples:\n").expect("a subcommand has examples");
            for line in examples.lines().take_while(|line| !line.is_empty()) {
                let line = line.split(" > ").next().expect("a command");
                let words = shell_words::split(line).expect("words of a shell");
                let parsed = command.clone().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{line}: {}", parsed.expect_err("it is none"));
            }
        }
    }
}
