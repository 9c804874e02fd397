//! Stories told as text, in the language of scripts.

use super::support::Story;
use mqtt_assay_broker_model::script::text;
use mqtt_assay_codec::Version;

/// A story for both versions. `{clean}` is a client that starts clean, `{stays}` one whose session stays for an hour
/// when it leaves, and is resumed; lines that begin with `5|` or `3|` belong to one version.
pub(crate) fn told(story: &'static str) -> impl Fn(Version) -> Story {
    move |version| {
        let (mqtt, stays, other) = match version {
            Version::V5 => ("mqtt 5", "clean_start=0 session_expiry_interval=3600", "3|"),
            _ => ("mqtt 3.1.1", "clean_start=0", "5|"),
        };
        let mut script = mqtt.to_owned();
        for line in story.lines().map(str::trim).filter(|line| !line.starts_with(other)) {
            let line = line.strip_prefix("3|").or(line.strip_prefix("5|")).unwrap_or(line);
            script += "\n";
            script += &line.replace("{clean}", "clean_start=1").replace("{stays}", stays);
        }
        // Time for all that is due.
        script += "\nwait 12 s";
        let mut story = Story::new(version);
        story.script = text::parse(&script).unwrap_or_else(|errors| panic!("{errors}"));
        story
    }
}

/// A story that only 5.0 can tell.
pub(crate) fn told_in_5(story: &'static str) -> impl Fn(Version) -> Story {
    let told = told(story);
    move |_| told(Version::V5)
}
