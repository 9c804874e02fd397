//! The page about scripts tells the truth.

use mqtt_assay_broker_model::script::text::{parse, print};

const PAGE: &str = include_str!("../../../docs/scripts.md");

/// The fenced blocks of the page: what stands behind the fence, and the text.
fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if let Some(mark) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n"));
            blocks.push((mark, text.collect()));
        }
    }
    blocks
}

#[test]
fn the_pages_scripts_are_scripts() {
    let blocks = blocks();
    let mut canonical = 0;
    for (index, (mark, text)) in blocks.iter().enumerate() {
        match *mark {
            "script" => drop(parse(text).unwrap_or_else(|errors| panic!("{errors}"))),
            "script canonical" => {
                let script = parse(text).unwrap_or_else(|errors| panic!("{errors}"));
                assert_eq!(print(&script), *text);
                canonical += 1;
            }
            "script wrong" => {
                let errors = parse(text).expect_err(text).to_string();
                assert_eq!(format!("{errors}\n"), blocks[index + 1].1);
            }
            "text" => {}
            other => panic!("a block is marked {other:?}"),
        }
    }
    assert!(canonical >= 4);
}

/// Every word of the language is shown.
#[test]
fn the_page_shows_every_construct() {
    let words = [
        "mqtt",
        "seed",
        "network",
        "delay=",
        "split=",
        "merge=",
        "client",
        "acks=manual",
        "client_id=",
        "clean_start=",
        "keep_alive=",
        "user_name=",
        "password=",
        "will=",
        "will_qos=",
        "will_retain=",
        "connect",
        "open",
        "barrier",
        "settle",
        "acknowledge",
        "stall",
        "unstall",
        "hold",
        "release",
        "cut fin",
        "cut reset",
        "cut silently",
        "CONNECT",
        "PUBLISH",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "PINGREQ",
        "DISCONNECT",
        "AUTH",
        "PUBACK",
        "PUBREC",
        "PUBREL",
        "PUBCOMP",
        "CONNACK",
        "SUBACK",
        "UNSUBACK",
        "PINGRESP",
        "closed",
        "none",
        "raw",
        "broken",
        "qos=",
        "id=",
        "dup=",
        "retain=",
        "no_local=",
        "retain_as_published=",
        "retain_handling=",
        "session_present=",
        "within",
        "wait",
        "wait     until",
        "broker  crash",
        "restart kept",
        "restart lost",
        "at ",
        "*",
        "!",
        "|",
    ];
    let missing: Vec<_> = words.into_iter().filter(|word| !PAGE.contains(word)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
