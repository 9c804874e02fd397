//! What a value means: numbers, flags, texts, times.

use super::error::Wrong;
use super::lexer::{Content, Value};
use core::fmt;
use core::ops::Range;
use core::time::Duration;
use mqtt_assay_codec::{Qos, Version};

/// The most that the length of a string or of binary data can tell. [5.0 §1.5.4, §1.5.6]
const FIELD: usize = u16::MAX as usize;

/// No interval of MQTT is longer: 136 years.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

pub(super) const A_TIME: &str = "a time in ms or s, as 1.5 s or 20 ms";

impl Value<'_> {
    fn wrong(&self, message: impl Into<String>) -> Wrong {
        Wrong::new(self.span.clone(), message)
    }

    /// Data of any length.
    pub(super) fn payload(self) -> Result<Vec<u8>, Wrong> {
        match self.content {
            Content::Bare("") => Err(Wrong::new(self.span, r#"expected a text; "" is the empty one"#)),
            Content::Bare(text) => Ok(text.as_bytes().to_vec()),
            Content::Quoted(bytes) => Ok(bytes),
            Content::Pair(..) => Err(Wrong::new(self.span, "expected one text, not a pair")),
        }
    }

    pub(super) fn binary(self) -> Result<Vec<u8>, Wrong> {
        let span = self.span.clone();
        let bytes = self.payload()?;
        if bytes.len() > FIELD {
            return Err(Wrong::new(span, format!("it holds {FIELD} bytes at most, not {}", bytes.len())));
        }
        Ok(bytes)
    }

    pub(super) fn text(self) -> Result<String, Wrong> {
        let span = self.span.clone();
        string(self.binary()?, span)
    }

    /// `"name":"value"`.
    pub(super) fn pair(self) -> Result<(String, String), Wrong> {
        let Content::Pair(name, value) = self.content else {
            return Err(self.wrong(r#"expected a name and a value, as "name":"value""#));
        };
        let text = |bytes: Vec<u8>| {
            let value = Value { content: Content::Quoted(bytes), span: self.span.clone() };
            value.text()
        };
        Ok((text(name)?, text(value)?))
    }

    /// The characters of a value that is not quoted.
    pub(super) fn bare(&self) -> &str {
        match &self.content {
            Content::Bare(text) => text,
            _ => "",
        }
    }

    /// A number of at most `max`.
    pub(super) fn number(&self, key: &str, max: u64) -> Result<u64, Wrong> {
        match number(self.bare()) {
            Some(number) if number <= max => Ok(number),
            _ => Err(self.wrong(format!("{key} is a number from 0 to {max}"))),
        }
    }

    pub(super) fn u8(&self, key: &str) -> Result<u8, Wrong> {
        self.number(key, u8::MAX.into()).map(|number| number as u8)
    }

    pub(super) fn u16(&self, key: &str) -> Result<u16, Wrong> {
        self.number(key, u16::MAX.into()).map(|number| number as u16)
    }

    pub(super) fn u32(&self, key: &str) -> Result<u32, Wrong> {
        self.number(key, u32::MAX.into()).map(|number| number as u32)
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, Wrong> {
        match self.bare() {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(self.wrong(format!("{key} is 0 or 1"))),
        }
    }

    pub(super) fn qos(&self) -> Result<Qos, Wrong> {
        let qos = number(self.bare()).and_then(|number| u8::try_from(number).ok()).and_then(Qos::from_u8);
        qos.ok_or_else(|| self.wrong("qos is 0, 1 or 2"))
    }

    pub(super) fn version(&self) -> Result<Version, Wrong> {
        version(self.bare(), &self.span)
    }

    /// `20%`.
    pub(super) fn percent(&self, key: &str) -> Result<u8, Wrong> {
        match self.bare().strip_suffix('%').and_then(number) {
            Some(percent @ 0..=100) => Ok(percent as u8),
            _ => Err(self.wrong(format!("{key} is a share from 0% to 100%"))),
        }
    }

    /// `1..20ms` or `20ms`; the unit of the first may be left out if it is that of the second.
    pub(super) fn durations(&self) -> Result<(Duration, Duration), Wrong> {
        let Some((low, high)) = self.bare().split_once("..") else {
            let both = attached_duration(self.bare(), self.span.clone())?;
            return Ok((both, both));
        };
        let (_, unit) = split_unit(high);
        let (low, low_unit) = split_unit(low);
        let max = attached_duration(high, self.span.clone())?;
        let min = duration(low, if low_unit.is_empty() { unit } else { low_unit }, self.span.clone())?;
        if min > max {
            return Err(self.wrong("the shorter time comes first, as in 1..20ms"));
        }
        Ok((min, max))
    }

    /// `1,3`.
    pub(super) fn sizes(&self) -> Result<Vec<usize>, Wrong> {
        let size = |text| match number(text) {
            Some(size) if size > 0 => u32::try_from(size).ok().map(|size| size as usize),
            _ => None,
        };
        let sizes = self.bare().split(',').map(size).collect::<Option<_>>();
        sizes.ok_or_else(|| self.wrong("split has the sizes of the segments, 1 or more, as in split=1,3"))
    }
}

fn string(bytes: Vec<u8>, span: Range<usize>) -> Result<String, Wrong> {
    String::from_utf8(bytes)
        .map_err(|_| Wrong::new(span, r"it has to be text in UTF-8; \u{e9} is a character, \xe9 a byte"))
}

pub(super) fn number(digits: &str) -> Option<u64> {
    // FromStr would take a sign.
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

pub(super) fn version(word: &str, span: &Range<usize>) -> Result<Version, Wrong> {
    match word {
        "3.1" => Ok(Version::V3_1),
        "3.1.1" => Ok(Version::V3_1_1),
        "5" | "5.0" => Ok(Version::V5),
        _ => Err(Wrong::new(span.clone(), "the versions of MQTT are 3.1, 3.1.1 and 5")),
    }
}

/// The version as scripts write it.
pub(super) const fn version_word(version: Version) -> &'static str {
    match version {
        Version::V3_1 => "3.1",
        Version::V3_1_1 => "3.1.1",
        Version::V5 => "5",
    }
}

fn split_unit(word: &str) -> (&str, &str) {
    word.split_at(word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len()))
}

/// `1.5s`.
pub(super) fn attached_duration(word: &str, span: Range<usize>) -> Result<Duration, Wrong> {
    let (number, unit) = split_unit(word);
    duration(number, unit, span)
}

/// A decimal number and `ms` or `s`, to the nanosecond.
pub(super) fn duration(decimal: &str, unit: &str, span: Range<usize>) -> Result<Duration, Wrong> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, "0"));
    let places = match unit {
        "ms" => 6,
        "s" => 9,
        _ => return Err(Wrong::new(span, format!("expected {A_TIME}"))),
    };
    let digits = fraction.len();
    let nanos = |scale: u32, text| number(text)?.checked_mul(10u64.pow(scale));
    let sum = match (nanos(places, whole), digits) {
        (Some(whole), 1..=9) if digits <= places as usize => {
            nanos(places - digits as u32, fraction).and_then(|fraction| whole.checked_add(fraction))
        }
        _ => None,
    };
    sum.map(Duration::from_nanos).filter(|time| *time <= LONGEST).ok_or_else(|| {
        let longest = LONGEST.as_secs();
        Wrong::new(span, format!("a time is a decimal number of at most {longest} s, to the nanosecond"))
    })
}

/// Writes the time in one unit, without the unit.
fn write_in(f: &mut fmt::Formatter<'_>, time: Duration, unit: &str) -> fmt::Result {
    let nanos = time.as_nanos();
    let places: usize = if unit == "s" { 9 } else { 6 };
    let one = 10u128.pow(places as u32);
    let fraction = format!("{:0places$}", nanos % one);
    write!(f, "{}", nanos / one)?;
    match fraction.trim_end_matches('0') {
        "" => Ok(()),
        digits => write!(f, ".{digits}"),
    }
}

/// Milliseconds below one second.
fn unit(time: Duration) -> &'static str {
    if time < Duration::from_secs(1) && !time.is_zero() { "ms" } else { "s" }
}

/// `1.5 s`.
pub(super) struct Time(pub(super) Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_in(f, self.0, unit(self.0))?;
        write!(f, " {}", unit(self.0))
    }
}

/// `1..20ms`.
pub(super) struct Times(pub(super) Duration, pub(super) Duration);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = unit(self.1);
        if self.0 != self.1 {
            write_in(f, self.0, unit)?;
            f.write_str("..")?;
        }
        write_in(f, self.1, unit)?;
        f.write_str(unit)
    }
}
