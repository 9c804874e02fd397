//! Makes a case small that shows something: fewer clients and steps, plainer fields, fewer bytes.
//!
//! The caller tells whether a case still shows it, by playing it to a fresh broker. Brokers are not always of the same
//! mind: what is taken away stays away only if that was confirmed several times in a row.

use crate::case::Case;
use mqtt_assay_broker_model::script::{Action, Connect, Script, Send, Step};
use mqtt_assay_broker_model::shrink::shrink;
use mqtt_assay_codec::PropertyList;

/// How much may be spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// How often in a row a case has to show it. At least once.
    pub confirmations: u32,
    /// How many cases are tried.
    pub tries: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Effort { confirmations: 3, tries: 2_000 }
    }
}

/// A case made small.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Minimised {
    /// The smallest case that showed it; the first one if that did not show it again.
    pub case: Case,
    /// Whether the first case showed it again.
    pub reproduced: bool,
    /// How many cases were tried.
    pub tried: usize,
}

/// Makes a case small for which `shows` holds.
///
/// What comes out shows it, too. Made small again, it stays as it is, unless the tries were used up.
pub fn minimise(case: &Case, effort: Effort, mut shows: impl FnMut(&Case) -> bool) -> Minimised {
    let mut confirmed = |case: &Case| (0..effort.confirmations.max(1)).all(|_| shows(case));
    if !confirmed(case) {
        return Minimised { case: case.clone(), reproduced: false, tried: 1 };
    }
    let mut tried = 1;
    let mut best = case.clone();
    loop {
        let before = best.clone();
        let left = effort.tries.saturating_sub(tried);
        // What cannot be written is no case.
        let script = shrink(best.script().clone(), left, |script| {
            tried += 1;
            Case::new(script.clone()).is_some_and(|case| confirmed(&case))
        });
        best = Case::new(script).unwrap_or(best);
        for pass in [properties, texts, payloads, raw_bytes] {
            pass(&mut best, &mut |script| {
                if tried >= effort.tries {
                    return None;
                }
                let case = Case::new(script)?;
                tried += 1;
                confirmed(&case).then_some(case)
            });
        }
        if best == before || tried >= effort.tries {
            return Minimised { case: best, reproduced: true, tried };
        }
    }
}

/// Gives the case of a script if it shows what is sought.
type Try<'a> = &'a mut dyn FnMut(Script) -> Option<Case>;

/// Every packet of a script by its number: the clients' own lines, then the steps.
enum Place<'a> {
    Connect(&'a mut Connect),
    Send(&'a mut Send),
}

fn place(script: &mut Script, number: usize) -> Option<Place<'_>> {
    let clients = script.clients.len();
    if number < clients {
        return Some(Place::Connect(&mut script.clients[number].connect));
    }
    match script.steps.get_mut(number - clients)? {
        Step::Client(_, Action::Connect(Some(connect)) | Action::Send(Send::Connect(connect), _)) => {
            Some(Place::Connect(connect))
        }
        Step::Client(_, Action::Send(send, _)) => Some(Place::Send(send)),
        _ => None,
    }
}

/// Tries an edit of every packet; the edit tells whether it has changed anything.
fn everywhere(best: &mut Case, attempt: Try<'_>, edit: impl Fn(&mut Place<'_>) -> bool) {
    for number in 0..best.script().clients.len() + best.script().steps.len() {
        let mut script = best.script().clone();
        let changed = place(&mut script, number).is_some_and(|mut place| edit(&mut place));
        if changed && let Some(smaller) = attempt(script) {
            *best = smaller;
        }
    }
}

/// The property lists of a packet.
fn lists<'a>(place: &'a mut Place<'_>) -> Vec<&'a mut PropertyList> {
    match place {
        Place::Connect(connect) => {
            let will = connect.will.as_mut().map(|will| &mut will.properties);
            [Some(&mut connect.properties), will].into_iter().flatten().collect()
        }
        Place::Send(
            Send::Publish { properties, .. }
            | Send::Ack { properties, .. }
            | Send::Subscribe { properties, .. }
            | Send::Unsubscribe { properties, .. }
            | Send::Disconnect { properties, .. }
            | Send::Auth { properties, .. },
        ) => vec![properties],
        Place::Send(_) => Vec::new(),
    }
}

/// Takes single properties away.
fn properties(best: &mut Case, attempt: Try<'_>) {
    /// Packets with more are no case of ours.
    const MOST: usize = 30;
    for list in 0..2 {
        for number in (0..MOST).rev() {
            everywhere(best, attempt, |place| {
                let mut lists = lists(place);
                let Some(list) = lists.get_mut(list) else { return false };
                let rest = list.view().iter().enumerate().filter(|(place, _)| *place != number);
                let rest: PropertyList = rest.map(|(_, property)| property).collect();
                let changed = rest.view() != list.view();
                **list = rest;
                changed
            });
        }
    }
}

/// Takes a CONNECT's texts away, and makes topics plain.
fn texts(best: &mut Case, attempt: Try<'_>) {
    /// Halves a text, at a border of characters.
    fn halve(text: &mut String) -> bool {
        let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let changed = half > 0 && half < text.len();
        if changed {
            text.truncate(half);
        }
        changed
    }
    everywhere(best, attempt, |place| match place {
        Place::Connect(connect) => connect.password.take().is_some(),
        Place::Send(_) => false,
    });
    everywhere(best, attempt, |place| match place {
        Place::Connect(connect) if connect.password.is_none() => connect.user_name.take().is_some(),
        _ => false,
    });
    everywhere(best, attempt, |place| match place {
        Place::Connect(connect) => connect.client_id.take().is_some(),
        Place::Send(_) => false,
    });
    // Halves of halves: the longest text has 65,535 bytes.
    for _ in 0..16 {
        everywhere(best, attempt, |place| match place {
            Place::Connect(connect) => {
                connect.client_id.as_mut().is_some_and(halve)
                    || connect.will.as_mut().is_some_and(|will| halve(&mut will.topic))
            }
            Place::Send(Send::Publish { topic, .. }) => halve(topic),
            Place::Send(Send::Subscribe { filters, .. }) => {
                filters.iter_mut().any(|(filter, _)| halve(filter))
            }
            Place::Send(Send::Unsubscribe { filters, .. }) => filters.iter_mut().any(halve),
            Place::Send(_) => false,
        });
    }
}

/// Shortens payloads, and takes them away.
fn payloads(best: &mut Case, attempt: Try<'_>) {
    for divisor in [usize::MAX, 2, 2, 2] {
        everywhere(best, attempt, |place| {
            let payload = match place {
                Place::Send(Send::Publish { payload, .. }) => payload,
                Place::Connect(Connect { will: Some(will), .. }) => &mut will.payload,
                _ => return false,
            };
            let shorter = payload.len() / divisor;
            let changed = shorter < payload.len();
            payload.truncate(shorter);
            changed
        });
    }
}

/// Takes runs of bytes of raw packets away, long ones first; what has to stay becomes 00 where it can.
fn raw_bytes(best: &mut Case, attempt: Try<'_>) {
    for step in 0..best.script().steps.len() {
        let length = |case: &Case| match case.script().steps.get(step) {
            Some(Step::Client(_, Action::Send(Send::Raw(bytes), _))) => bytes.len(),
            _ => 0,
        };
        let mut try_edit = |best: &mut Case, edit: &dyn Fn(&mut Vec<u8>)| {
            let mut script = best.script().clone();
            let Some(Step::Client(_, Action::Send(Send::Raw(bytes), _))) = script.steps.get_mut(step) else {
                return false;
            };
            let before = bytes.clone();
            edit(bytes);
            let smaller = if *bytes == before { None } else { attempt(script) };
            let taken = smaller.is_some();
            *best = smaller.unwrap_or_else(|| best.clone());
            taken
        };
        let mut size = length(best) / 2;
        while size > 0 {
            let mut from = 0;
            while from + size <= length(best) && length(best) > size {
                if !try_edit(best, &|bytes| drop(bytes.drain(from..from + size))) {
                    from += size;
                }
            }
            size /= 2;
        }
        for at in 0..length(best) {
            try_edit(best, &|bytes| bytes[at] = 0);
        }
    }
}
