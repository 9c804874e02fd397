//! Topic Names, Topic Filters, shared filters, and matching. [3.1.1 §4.7] [5.0 §4.7, §4.8.2]

use crate::malformed::Offence;
use crate::text;
use crate::types::Version;

/// Checks a Topic Name: at least one character, no U+0000, no wildcard.
///
/// # Errors
///
/// The offence and the offset of the byte within `name`.
pub fn check_name(name: &str) -> Result<(), (Offence, usize)> {
    if name.is_empty() {
        return Err((Offence::TopicNameEmpty, 0));
    }
    text::topic_name(name.as_bytes(), Offence::TopicNameWildcard).map(|_| ())
}

/// Checks a Topic Filter's form, and in 5.0 that of a shared filter.
///
/// # Errors
///
/// The offence and the offset of the byte within `filter`.
pub fn check_filter(filter: &str, version: Version) -> Result<(), (Offence, usize)> {
    let bytes = filter.as_bytes();
    if bytes.is_empty() {
        return Err((Offence::TopicFilterEmpty, 0));
    }
    if version == Version::V5 && bytes.starts_with(SHARE) {
        return check_shared(bytes);
    }
    check_levels(bytes, 0)
}

const SHARE: &[u8] = b"$share/";

/// `$share/{ShareName}/{filter}`. [5.0/MQTT-4.8.2-1] [5.0/MQTT-4.8.2-2]
fn check_shared(bytes: &[u8]) -> Result<(), (Offence, usize)> {
    let start = SHARE.len();
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'/' if at == start => return Err((Offence::ShareNameEmpty, at)),
            b'/' if at + 1 == bytes.len() => return Err((Offence::SharedFilterMissing, at)),
            b'/' => return check_levels(&bytes[at + 1..], at + 1),
            b'+' | b'#' => return Err((Offence::ShareNameWildcard, at)),
            _ => {}
        }
    }
    let offence = if bytes.len() == start { Offence::ShareNameEmpty } else { Offence::SharedFilterMissing };
    Err((offence, bytes.len()))
}

/// Looks for wildcards eight bytes at a time, and at the neighbours of those found. The last word overlaps the one
/// before it.
fn check_levels(bytes: &[u8], base: usize) -> Result<(), (Offence, usize)> {
    let check_word = |word: &[u8; 8], start: usize| {
        // Little end first, so that the lowest mark belongs to the first byte.
        let word = u64::from_le_bytes(*word);
        let mut marks = text::wildcard_marks(word);
        while marks != 0 {
            check_wildcard(bytes, start + marks.trailing_zeros() as usize / 8, base)?;
            marks &= marks - 1;
        }
        Ok(())
    };
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        check_word(word, index * 8)?;
    }
    match bytes.last_chunk::<8>() {
        Some(word) => check_word(word, bytes.len() - 8),
        None => (0..tail.len()).try_for_each(|at| check_wildcard(bytes, at, base)),
    }
}

/// If the byte is a wildcard, it is a whole level, and `#` the last.
fn check_wildcard(bytes: &[u8], at: usize, base: usize) -> Result<(), (Offence, usize)> {
    let starts_level = at == 0 || bytes[at - 1] == b'/';
    match bytes[at] {
        b'#' if !starts_level || at + 1 != bytes.len() => Err((Offence::TopicFilterMultiLevel, base + at)),
        b'+' if !starts_level || bytes.get(at + 1).is_some_and(|next| *next != b'/') => {
            Err((Offence::TopicFilterSingleLevel, base + at))
        }
        _ => Ok(()),
    }
}

/// A shared filter taken apart. [5.0 §4.8.2]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shared<'a> {
    /// Names the group whose members share the messages.
    pub share_name: &'a str,
    /// What Topic Names are matched against.
    pub filter: &'a str,
}

/// Takes a well-formed 5.0 filter apart: `None` for an ordinary one.
pub fn shared(filter: &str) -> Option<Shared<'_>> {
    let (share_name, filter) = filter.strip_prefix("$share/")?.split_once('/')?;
    (!share_name.is_empty() && !filter.is_empty()).then_some(Shared { share_name, filter })
}

/// Whether the filter holds a wildcard.
pub fn has_wildcard(filter: &str) -> bool {
    filter.bytes().any(|byte| matches!(byte, b'+' | b'#'))
}

/// Whether a well-formed, non-shared filter matches a Topic Name: level by level, byte for byte.
///
/// A filter that starts with a wildcard matches no name that starts with `$`. [3.1.1/MQTT-4.7.2-1]
/// [5.0/MQTT-4.7.2-1] `sport/#` matches `sport` itself. [3.1.1 §4.7.1.2] [5.0 §4.7.1.2]
pub fn matches(filter: &str, name: &str) -> bool {
    let (filter, name) = (filter.as_bytes(), name.as_bytes());
    if matches!(filter.first(), Some(b'+' | b'#')) && name.first() == Some(&b'$') {
        return false;
    }
    let (mut f, mut n) = (0, 0);
    while f < filter.len() {
        match filter[f] {
            b'#' => return true,
            b'+' => {
                f += 1;
                while n < name.len() && name[n] != b'/' {
                    n += 1;
                }
            }
            byte => {
                if n >= name.len() || name[n] != byte {
                    // The name ends where `/#` begins: the parent level.
                    return n == name.len() && &filter[f..] == b"/#";
                }
                f += 1;
                n += 1;
            }
        }
    }
    n == name.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_the_specification_says() {
        for (filter, name, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/tennis/player1/#", "sport/tennis/player10", false),
            ("sport/#", "sport", true),
            ("sport/#", "sports", false),
            ("#", "a/b", true),
            ("#", "/", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("+/tennis/#", "a/tennis", true),
            ("+/tennis/#", "a/tennis/b/c", true),
            ("a/+/b", "a//b", true),
            ("a/b", "a//b", false),
            ("a/b/", "a/b", false),
            ("A", "a", false),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$SYS/+", "$SYS/x", true),
            ("+/#", "a", true),
            ("a", "a/", false),
        ] {
            assert_eq!(matches(filter, name), expected, "{filter} {name}");
        }
    }

    #[test]
    fn refuses_misplaced_wildcards() {
        use Offence::*;
        for (filter, offence, at) in [
            ("a#", TopicFilterMultiLevel, 1),
            ("a/#/b", TopicFilterMultiLevel, 2),
            ("##", TopicFilterMultiLevel, 0),
            ("a+", TopicFilterSingleLevel, 1),
            ("+a", TopicFilterSingleLevel, 0),
            ("a/b+/c", TopicFilterSingleLevel, 3),
            ("$share/", ShareNameEmpty, 7),
            ("$share//t", ShareNameEmpty, 7),
            ("$share/g", SharedFilterMissing, 8),
            ("$share/g/", SharedFilterMissing, 8),
            ("$share/g+/t", ShareNameWildcard, 8),
            ("$share/#/t", ShareNameWildcard, 7),
            ("$share/g/a#", TopicFilterMultiLevel, 10),
        ] {
            assert_eq!(check_filter(filter, Version::V5), Err((offence, at)), "{filter}");
        }
        for filter in
            ["#", "+", "/", "//", "a/#", "+/+/#", "$share", "$share/g//finance", "$SHARE//t", "$share/g/#"]
        {
            assert_eq!(check_filter(filter, Version::V5), Ok(()), "{filter}");
        }
        // Shared filters have no special meaning in 3.1.1.
        assert_eq!(check_filter("$share//t", Version::V3_1_1), Ok(()));
    }
}
