//! Text, Topic Names and Topic Filters.

use alloc::format;
use alloc::string::String;
use proptest::prelude::*;

/// A UTF-8 Encoded String: any but U+0000, with the tricky ones more often than chance would have them.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9/ ]{0,12}",
        1 => "\\PC{0,8}",
        1 => prop::collection::vec(character(), 0..6).prop_map(|characters| characters.into_iter().collect()),
    ]
}

fn character() -> impl Strategy<Value = char> {
    let tricky = prop::sample::select(
        &[
            '\u{1}',
            '\u{7F}',
            '\u{80}',
            '\u{7FF}',
            '\u{800}',
            '\u{D7FF}',
            '\u{E000}',
            '\u{FEFF}',
            '\u{FFFE}',
            '\u{FFFF}',
            '\u{10000}',
            '\u{10FFFF}',
            '/',
            '$',
            '"',
            '\\',
        ][..],
    );
    prop_oneof![tricky, any::<char>().prop_filter("U+0000 has no place in a string", |c| *c != '\0')]
}

/// A Topic Name: text of at least one character without wildcards.
pub fn topic_name() -> impl Strategy<Value = String> {
    let tricky = prop::sample::select(&["/", "//", "$SYS/x", "$share/g/a", "a/", "/a", "\u{FEFF}a", " "][..]);
    prop_oneof![
        4 => "[a-c$]{1,3}(/[a-c]{0,3}){0,4}",
        1 => tricky.prop_map(String::from),
        2 => text().prop_map(|text| {
            let name: String = text.chars().filter(|c| !matches!(c, '+' | '#')).collect();
            if name.is_empty() { String::from("t") } else { name }
        }),
    ]
}

/// A Topic Filter of the right form; with `shared` also shared ones. [3.1.1 §4.7] [5.0 §4.7, §4.8.2]
pub fn topic_filter(shared: bool) -> impl Strategy<Value = String> {
    let level = prop_oneof![3 => "[a-c$]{0,3}", 2 => Just(String::from("+"))];
    let plain = (prop::collection::vec(level, 1..5), any::<bool>()).prop_map(|(mut levels, rest)| {
        if rest {
            levels.push("#".into());
        }
        let filter = levels.join("/");
        if filter.is_empty() { String::from("/") } else { filter }
    });
    let plain = prop_oneof![6 => plain, 1 => Just(String::from("#")), 2 => topic_name()];
    // Where shared filters are one's own, an ordinary filter does not begin like one.
    let plain = plain.prop_map(move |filter| match filter.strip_prefix("$share/") {
        Some(rest) if shared => format!("share/{rest}"),
        _ => filter,
    });
    (plain, "[a-z]{1,4}", 0..4u8).prop_map(move |(filter, name, kind)| {
        if shared && kind == 0 { format!("$share/{name}/{filter}") } else { filter }
    })
}
