//! A badge: how many of the statements that were decided are kept, as a picture and as badge services read it.

use super::json::Report;
use super::printable;
use serde_json::json;

/// What a badge says.
struct Badge {
    label: String,
    message: String,
    colour: Colour,
}

#[derive(Clone, Copy)]
enum Colour {
    Good,
    Bad,
    Open,
}

impl Colour {
    /// The name that badge services know.
    const fn name(self) -> &'static str {
        match self {
            Colour::Good => "brightgreen",
            Colour::Bad => "red",
            Colour::Open => "lightgrey",
        }
    }

    /// Dark enough for white letters on it.
    const fn hex(self) -> &'static str {
        match self {
            Colour::Good => "#2d7d1f",
            Colour::Bad => "#b3261e",
            Colour::Open => "#5f6368",
        }
    }
}

impl Badge {
    fn of(run: &Report) -> Badge {
        let (kept, broken) = (run.summary.statements_kept.len(), run.summary.statements_broken.len());
        let decided = kept + broken;
        let message = if run.interrupted {
            "interrupted".to_owned()
        } else if decided == 0 {
            "nothing shown".to_owned()
        } else {
            let statements = if decided == 1 { "statement" } else { "statements" };
            format!("{kept} of {decided} {statements} kept")
        };
        let colour = match run.summary.exit {
            _ if broken > 0 => Colour::Bad,
            0 | 1 => Colour::Good,
            _ => Colour::Open,
        };
        let versions: Vec<String> = run.versions.iter().map(|version| printable(version)).collect();
        Badge { label: format!("MQTT {}", versions.join(", ")).trim_end().to_owned(), message, colour }
    }
}

/// The JSON that badge services read from an address (the form of shields.io's endpoint).
pub fn json(run: &Report) -> String {
    let badge = Badge::of(run);
    let value = json!({
        "schemaVersion": 1,
        "label": badge.label,
        "message": badge.message,
        "color": badge.colour.name(),
    });
    format!("{value:#}\n")
}

/// The picture.
pub fn svg(run: &Report) -> String {
    const PAD: usize = 8;
    let Badge { label, message, colour } = Badge::of(run);
    let (left, right) = (width(&label) + 2 * PAD, width(&message) + 2 * PAD);
    let (label, message) = (escaped(&label), escaped(&message));
    let (all, fill) = (left + right, colour.hex());
    let text = |from: usize, wide: usize, text: &str| {
        format!(
            "<text x=\"{}\" y=\"14\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\">{text}</text>",
            from + PAD,
            wide - 2 * PAD
        )
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" \
         aria-label=\"{label}: {message}\">\n\
         <title>{label}: {message}</title>\n\
         <clipPath id=\"r\"><rect width=\"{all}\" height=\"20\" rx=\"3\"/></clipPath>\n\
         <g clip-path=\"url(#r)\">\n\
         <rect width=\"{left}\" height=\"20\" fill=\"#333\"/>\n\
         <rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{fill}\"/>\n\
         </g>\n\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,Geneva,sans-serif\" font-size=\"11\">\n\
         {}\n{}\n\
         </g>\n\
         </svg>\n",
        text(0, left, &label),
        text(left, right, &message)
    )
}

/// About how wide a text is, in the letters of the badge; the picture stretches it to just that.
fn width(text: &str) -> usize {
    let tenths: usize = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ' ' | '\'' => 38,
            'M' | 'W' | 'm' | 'w' => 97,
            c if c.is_ascii_uppercase() => 76,
            _ => 68,
        })
        .sum();
    tenths.div_ceil(10)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
