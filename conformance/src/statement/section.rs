//! Section numbers and the headings of chapters and of the sections right below them.

use mqtt_assay_codec::Version;
use std::fmt;

/// A section number: `4.7.1` has three parts. Ordered as the documents are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Section {
    /// Unused parts at the end are zero, which no section has as a number.
    parts: [u16; Section::DEPTH],
}

impl Section {
    /// The deepest numbering in either document (`3.2.2.3.11`), and one more.
    const DEPTH: usize = 6;

    /// Reads a number such as `3.3.1`.
    pub fn parse(text: &str) -> Option<Section> {
        let mut parts = [0; Section::DEPTH];
        for (index, part) in text.split('.').enumerate() {
            let digits_only = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            *parts.get_mut(index)? = part.parse().ok().filter(|n| digits_only && *n > 0)?;
        }
        Some(Section { parts })
    }

    /// The parts of the number.
    pub fn parts(&self) -> &[u16] {
        let length = self.parts.iter().position(|part| *part == 0).unwrap_or(Section::DEPTH);
        &self.parts[..length]
    }

    /// Whether this is `other` or a section below it; compared by parts, so 3.10 is not within 3.1.
    pub fn is_within(&self, other: Section) -> bool {
        self.parts().starts_with(other.parts())
    }

    /// The section cut to its first two parts, by which reports group: 3.3 for 3.3.1.2.
    #[must_use]
    pub fn group(mut self) -> Section {
        self.parts[2..].fill(0);
        self
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.parts().iter().map(ToString::to_string).collect();
        f.pad(&parts.join("."))
    }
}

/// The short heading of a chapter, or of a section right below one.
///
/// Packets go by their names alone; elsewhere the documents' headings, brought to one spelling where both
/// versions mean the same.
pub const fn heading(version: Version, group: Section) -> &'static str {
    let old = !matches!(version, Version::V5);
    match (group.parts[0], group.parts[1]) {
        (2, 4) if matches!(version, Version::V3_1) => "Message identifiers",
        (2, 5) if matches!(version, Version::V3_1) => "Data representation",
        (4, 1) if matches!(version, Version::V3_1) => "Quality of Service",
        (4, 2) if matches!(version, Version::V3_1) => "Delivery retry",
        (4, 3) if matches!(version, Version::V3_1) => "Message ordering",
        (1, 5) => "Data representation",
        (1, _) => "Introduction",
        (2, 1) => "Structure of a packet",
        (2, 2) if old => "Fixed header",
        (2, 2) => "Variable header",
        (2, 3) if old => "Variable header",
        (2, 4) if old => "Payload",
        (2, 3) => "Payload",
        (2, 4) => "Reason codes",
        (2, _) => "Packet format",
        (3, 1) => "CONNECT",
        (3, 2) => "CONNACK",
        (3, 3) => "PUBLISH",
        (3, 4) => "PUBACK",
        (3, 5) => "PUBREC",
        (3, 6) => "PUBREL",
        (3, 7) => "PUBCOMP",
        (3, 8) => "SUBSCRIBE",
        (3, 9) => "SUBACK",
        (3, 10) => "UNSUBSCRIBE",
        (3, 11) => "UNSUBACK",
        (3, 12) => "PINGREQ",
        (3, 13) => "PINGRESP",
        (3, 14) => "DISCONNECT",
        (3, 15) => "AUTH",
        (3, _) => "Control packets",
        (4, 1) => "Session state",
        (4, 2) => "Network connections",
        (4, 3) => "Quality of Service",
        (4, 4) => "Delivery retry",
        (4, 5) => "Message receipt",
        (4, 6) => "Message ordering",
        (4, 7) => "Topics and filters",
        (4, 8) if old => "Handling errors",
        (4, 8) => "Subscriptions",
        (4, 9) => "Flow control",
        (4, 10) => "Request / response",
        (4, 11) => "Server redirection",
        (4, 12) => "Enhanced authentication",
        (4, 13) => "Handling errors",
        (4, _) => "Operational behaviour",
        (5, _) => "Security",
        (6, _) => "WebSocket",
        (7, _) => "Conformance",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_strictly() {
        for wrong in ["", "3.", ".3", "3..1", "3.x", "+3", "3.0", "70000", "1.2.3.4.5.6.7", "3.1 "] {
            assert_eq!(Section::parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(Section::parse("3.2.2.3.11").unwrap().to_string(), "3.2.2.3.11");
    }

    #[test]
    fn order_is_that_of_the_documents() {
        let sorted = ["3", "3.1", "3.1.2", "3.2", "3.10"].map(|s| Section::parse(s).unwrap());
        assert!(sorted.is_sorted());
        assert_eq!(sorted[2].group(), sorted[1]);
        assert_eq!(sorted[0].group(), sorted[0]);
    }
}
