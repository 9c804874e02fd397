//! What a broker said, made safe to show: a result file holds texts that a broker chose.

use crate::report::{json, printable};
use serde_json::Value;

/// The result with every text made printable: control characters and marks that turn the direction of writing are
/// written as escapes. Markup needs nothing here: the template and the script never take a text for markup.
///
/// # Errors
///
/// The result cannot be put into JSON, which is a fault of this tool.
pub(super) fn clean(result: &json::Report) -> Result<json::Report, serde_json::Error> {
    let mut value = serde_json::to_value(result)?;
    walk(&mut value);
    serde_json::from_value(value)
}

fn walk(value: &mut Value) {
    match value {
        Value::String(text) => *text = printable(text),
        Value::Array(items) => items.iter_mut().for_each(walk),
        // The names of members are the form's own, not the broker's.
        Value::Object(members) => members.values_mut().for_each(walk),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// JSON that can stand in a `script` element: nothing in it ends the element or begins a comment, and no character
/// ends a line of a script where JSON allows it and older scripts do not.
pub(super) fn for_script(value: &impl serde::Serialize) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(value)?;
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        // All of them can only stand within strings, where the escape means the same.
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            c => safe.push(c),
        }
    }
    Ok(safe)
}

/// The address, if following it can do nothing but open a page.
pub(super) fn web(address: &str) -> Option<&str> {
    let known = ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme));
    known.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_json_ends_the_script() {
        let hostile = "</script><!-- <script> & \u{2028}\u{2029}\"\\";
        let safe = for_script(&hostile).expect("a string is JSON");
        assert!(!safe.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{safe}");
        let back: String = serde_json::from_str(&safe).expect("still JSON");
        assert_eq!(back, hostile);
    }

    #[test]
    fn only_pages_are_linked_to() {
        assert_eq!(web("https://a.example/b"), Some("https://a.example/b"));
        for wrong in ["javascript:alert(1)", "data:text/html,x", " https://a", "JAVASCRIPT:x", "file:///x"] {
            assert_eq!(web(wrong), None, "{wrong}");
        }
    }
}
