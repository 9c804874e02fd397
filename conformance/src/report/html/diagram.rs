//! The story of several clients as a picture: a line for each, one for the broker, time running down, an arrow for
//! each packet. (Lamport, Time, Clocks, and the Ordering of Events in a Distributed System, 1978.)
//!
//! The times are those of the clients: when the broker sent or got something is not known. The slope of an arrow only
//! says that a packet takes time. Rows stand at equal distances, whatever time passes between them.

use crate::report::json::{Entry, Logged, Way};
use crate::report::log;
use askama::Template;

/// More connections than these make no picture.
const MOST_LANES: usize = 6;
/// Where the first line stands.
const FIRST_X: usize = 76;
/// From one client's line to the next.
const LANE: usize = 104;
/// From the last client's line to the broker's: the words of an arrow have room there.
const LAST_GAP: usize = 400;
/// Where the first event stands.
const FIRST_Y: usize = 60;
/// From one event to the next.
const ROW: usize = 28;
/// How far an arrow falls.
const FALL: usize = 12;
/// How wide a character of the words is, in hundredths.
const CHARACTER: usize = 672;

#[derive(Template)]
#[template(path = "diagram.svg", escape = "html")]
struct Picture<'a> {
    id: &'a str,
    width: usize,
    height: usize,
    bottom: usize,
    lanes: Vec<Lane>,
    broker: usize,
    events: Vec<Drawn>,
}

struct Lane {
    name: String,
    x: usize,
}

struct Drawn {
    kind: Kind,
    here: bool,
    time: String,
    words: String,
    x: usize,
    y: usize,
    /// Where the client's end of the arrow is.
    client_y: usize,
    /// Where the broker's end of the arrow is.
    broker_y: usize,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Sent,
    Received,
    Note,
    /// Some events are left out here.
    Gap,
}

/// The picture; `None` where one client says it all, or too many would make it unreadable.
pub(super) fn draw(entry: &Entry, id: &str) -> Result<Option<String>, askama::Error> {
    let Some(log) = &entry.log else { return Ok(None) };
    let marked = log::marked(entry);
    let parts = log::parts(log.len(), &marked);
    let lanes = lanes(parts.iter().flat_map(|part| &log[part.clone()]));
    if lanes.len() < 2 || lanes.len() > MOST_LANES {
        return Ok(None);
    }
    let broker = FIRST_X + LANE * (lanes.len() - 1) + LAST_GAP;
    let mut events = Vec::new();
    let mut before = 0;
    for part in parts {
        let y = |events: &Vec<Drawn>| FIRST_Y + ROW * events.len();
        if part.start > before {
            let words = format!("{} events left out", part.start - before);
            let at = y(&events);
            events.push(Drawn {
                kind: Kind::Gap,
                here: false,
                time: String::new(),
                words,
                x: FIRST_X,
                y: at,
                client_y: at,
                broker_y: at,
            });
        }
        before = part.end;
        for index in part {
            let event = &log[index];
            let Some(lane) = lanes.iter().find(|lane| lane.name == name(event)) else { continue };
            let at = y(&events);
            events.push(drawn(event, lane, at, broker, marked.contains(&index)));
        }
    }
    let bottom = FIRST_Y + ROW * events.len();
    let (width, height) = (broker + 60, bottom + 12);
    Picture { id, width, height, bottom, lanes, broker, events }.render().map(Some)
}

fn drawn(event: &Logged, lane: &Lane, y: usize, broker: usize, here: bool) -> Drawn {
    let (kind, client_y, broker_y) = match event.direction {
        Way::Sent => (Kind::Sent, y, y + FALL),
        Way::Received => (Kind::Received, y + FALL, y),
        Way::Note => (Kind::Note, y, y),
    };
    let room = (broker - lane.x).saturating_sub(24) * 100 / CHARACTER;
    Drawn {
        kind,
        here,
        time: seconds(event),
        words: cut(&event.text, room),
        x: lane.x,
        y,
        client_y,
        broker_y,
    }
}

/// The connections in the order in which they appear; the first of a client goes by its name alone.
fn lanes<'a>(events: impl Iterator<Item = &'a Logged>) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = Vec::new();
    for event in events.filter(|event| event.connection > 0) {
        let name = name(event);
        if lanes.iter().all(|lane| lane.name != name) {
            lanes.push(Lane { x: FIRST_X + LANE * lanes.len(), name });
        }
    }
    lanes
}

/// The client's name; with the connection's number from the second on.
pub(super) fn name(event: &Logged) -> String {
    match event.connection {
        0 | 1 => event.client.clone(),
        more => format!("{}#{more}", event.client),
    }
}

/// The time of an event, in seconds.
pub(super) fn seconds(event: &Logged) -> String {
    // To the millisecond, as the log on the terminal has it.
    let milliseconds = (event.at_us + 500) / 1000;
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(room.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::html::tests::result;

    fn story() -> Entry {
        let results = result("mutant").results;
        let wanted = |entry: &Entry| entry.check == "retained/is_replaced" && entry.version == "5.0";
        results.into_iter().find(wanted).expect("it is in the result")
    }

    #[test]
    fn a_story_of_two_clients_has_two_lines_and_an_arrow_for_each_packet() {
        let entry = story();
        let picture = draw(&entry, "here").expect("it can be drawn").expect("two clients make a picture");
        let log = entry.log.expect("it has a log");
        let count = |class: &str| picture.matches(&format!("<g class=\"{class}")).count();
        let went = |way: Way| log.iter().filter(|event| event.direction == way).count();
        assert_eq!(count("sent"), went(Way::Sent));
        assert_eq!(count("received"), went(Way::Received));
        assert_eq!(count("note"), went(Way::Note));
        assert_eq!(count("received here"), 1);
        assert_eq!(picture.matches("class=\"name\"").count(), 3, "a, b and the broker");
    }

    #[test]
    fn one_client_or_a_crowd_makes_no_picture() {
        let mut entry = story();
        let log = entry.log.as_mut().expect("it has a log");
        for (index, event) in log.iter_mut().enumerate() {
            event.client = format!("c{index}");
        }
        assert_eq!(draw(&entry, "here").expect("nothing fails"), None);
        entry.log.iter_mut().flatten().for_each(|event| event.client = "a".to_owned());
        assert_eq!(draw(&entry, "here").expect("nothing fails"), None);
    }

    #[test]
    fn times_are_told_to_the_millisecond() {
        let mut event = story().log.expect("it has a log").remove(0);
        for (at, told) in [(0, "0.000"), (1_499, "0.001"), (1_500, "0.002"), (61_000_000, "61.000")] {
            event.at_us = at;
            assert_eq!(seconds(&event), told);
        }
    }
}
