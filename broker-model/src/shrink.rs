//! Makes a script small that shows something: fewer clients and steps, plainer packets, a quieter network.
//!
//! The caller tells whether a script still shows it; whatever does not matter for that is taken away, piece by
//! piece, until nothing more can be, or the allowed number of tries is used up. Nothing here is random.

use crate::history::ClientNo;
use crate::script::{Action, Connect, Network, Script, Send, Step};
use core::time::Duration;
use mqtt_assay_codec::{PropertyList, Qos, SubscriptionOptions};

/// Shrinks `script`, for which `shows` holds; asks at most `tries` times.
pub fn shrink(script: Script, tries: usize, shows: impl FnMut(&Script) -> bool) -> Script {
    let mut search = Search { best: script, tries, shows };
    loop {
        let before = search.best.clone();
        search.without_clients();
        search.without_steps();
        search.without_schedule();
        search.quieter();
        search.plainer();
        if search.best == before || search.tries == 0 {
            return search.best;
        }
    }
}

struct Search<F> {
    best: Script,
    tries: usize,
    shows: F,
}

impl<F: FnMut(&Script) -> bool> Search<F> {
    /// Keeps the candidate if it still shows what is sought.
    fn take(&mut self, candidate: Script) -> bool {
        if self.tries == 0 || candidate == self.best {
            return false;
        }
        self.tries -= 1;
        let taken = (self.shows)(&candidate);
        if taken {
            self.best = candidate;
        }
        taken
    }

    fn without_clients(&mut self) {
        let mut place = self.best.clients.len();
        while place > 0 {
            place -= 1;
            let candidate = without_client(&self.best, place);
            self.take(candidate);
        }
    }

    /// Takes away runs of steps, long ones first.
    fn without_steps(&mut self) {
        let mut size = self.best.steps.len() / 2;
        while size > 0 {
            let mut from = self.best.steps.len().saturating_sub(size);
            loop {
                let mut candidate = self.best.clone();
                let to = (from + size).min(candidate.steps.len());
                candidate.steps.drain(from.min(to)..to);
                self.take(candidate);
                if from == 0 {
                    break;
                }
                from = from.saturating_sub(size);
            }
            size /= 2;
        }
    }

    fn without_schedule(&mut self) {
        for place in (0..self.best.schedule.len()).rev() {
            let mut candidate = self.best.clone();
            candidate.schedule.remove(place);
            self.take(candidate);
        }
    }

    fn quieter(&mut self) {
        let quiet = Network {
            delay_min: Duration::from_millis(1),
            delay_max: Duration::from_millis(1),
            split_percent: 0,
            merge_percent: 0,
        };
        let network = self.best.network;
        for network in [
            quiet,
            Network { split_percent: 0, merge_percent: 0, ..network },
            Network { delay_min: quiet.delay_min, delay_max: quiet.delay_max, ..network },
        ] {
            if self.best.network == quiet || self.take(Script { network, ..self.best.clone() }) {
                break;
            }
        }
        self.take(Script { seed: 0, ..self.best.clone() });
    }

    fn plainer(&mut self) {
        for place in 0..self.best.clients.len() {
            for edit in CONNECT_EDITS {
                let mut candidate = self.best.clone();
                edit(&mut candidate.clients[place].connect);
                self.take(candidate);
            }
            let mut candidate = self.best.clone();
            candidate.clients[place].acknowledges = true;
            self.take(candidate);
        }
        for place in 0..self.best.steps.len() {
            for kind in 0..EDITS {
                let mut candidate = self.best.clone();
                edit(&mut candidate.steps[place], kind);
                self.take(candidate);
            }
        }
    }
}

/// The script without a client: the numbers of those behind it move up.
fn without_client(script: &Script, place: usize) -> Script {
    let mut script = script.clone();
    script.clients.remove(place);
    let moved = |client: ClientNo| match client.index() {
        at if client == ClientNo::NOBODY || at < place => Some(client),
        at if at == place => None,
        _ => Some(ClientNo(client.0 - 1)),
    };
    script.steps = script
        .steps
        .into_iter()
        .filter_map(|step| match step {
            Step::Client(client, action) => moved(client).map(|client| Step::Client(client, action)),
            other => Some(other),
        })
        .collect();
    script.schedule.retain_mut(|timed| moved(timed.client).map(|client| timed.client = client).is_some());
    script
}

const CONNECT_EDITS: [fn(&mut Connect); 6] = [
    |connect| connect.properties = PropertyList::new(),
    |connect| connect.will = None,
    |connect| connect.keep_alive = 0,
    |connect| connect.client_id = None,
    |connect| connect.clean_start = true,
    |connect| {
        if let Some(will) = &mut connect.will {
            will.properties = PropertyList::new();
        }
    },
];

/// How many ways there are to make a step plainer.
const EDITS: usize = 8;

/// Makes a step plainer, in one of several ways.
fn edit(step: &mut Step, kind: usize) {
    match (step, kind) {
        (Step::Wait(time), 0) => *time = Duration::from_secs(time.as_secs()),
        (Step::Wait(time), 1) => *time /= 2,
        (Step::Client(_, Action::Connect(connect)), 0) => *connect = None,
        (Step::Client(_, Action::Connect(Some(connect))), kind) => {
            if let Some(edit) = CONNECT_EDITS.get(kind - 1) {
                edit(connect);
            }
        }
        (Step::Client(_, Action::Send(send, split)), kind) => {
            if kind == 0 {
                split.clear();
            }
            plainer_packet(send, kind);
        }
        _ => {}
    }
}

fn plainer_packet(send: &mut Send, kind: usize) {
    match (send, kind) {
        (
            Send::Publish { properties, .. }
            | Send::Ack { properties, .. }
            | Send::Subscribe { properties, .. }
            | Send::Unsubscribe { properties, .. }
            | Send::Disconnect { properties, .. },
            1,
        ) => *properties = PropertyList::new(),
        (Send::Publish { qos, .. }, 2) => *qos = Qos::AtMostOnce,
        (Send::Publish { qos, .. }, 3) if *qos == Qos::ExactlyOnce => *qos = Qos::AtLeastOnce,
        (Send::Publish { retain, .. }, 4) => *retain = false,
        (Send::Publish { id, .. }, 5) => *id = None,
        (Send::Publish { payload, .. }, 6) => payload.truncate(3),
        (Send::Subscribe { filters, .. }, 2) if filters.len() > 1 => {
            filters.remove(0);
        }
        (Send::Subscribe { filters, .. }, 3) if filters.len() > 1 => {
            filters.pop();
        }
        (Send::Subscribe { filters, .. }, 4) => {
            for (_, options) in filters {
                *options = SubscriptionOptions::qos(options.qos);
            }
        }
        (Send::Unsubscribe { filters, .. }, 2) if filters.len() > 1 => {
            filters.remove(0);
        }
        (Send::Unsubscribe { filters, .. }, 3) if filters.len() > 1 => {
            filters.pop();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;

    fn publishes(script: &Script) -> usize {
        let is_publish = |step: &&Step| {
            matches!(step, Step::Client(_, Action::Send(Send::Publish { qos: Qos::ExactlyOnce, .. }, _)))
        };
        script.steps.iter().filter(is_publish).count()
    }

    #[test]
    fn leaves_what_matters_and_nothing_else() {
        let script = (0..).map(|seed| Workload::default().script(seed)).find(|s| publishes(s) > 2).unwrap();
        let small = shrink(script, 10_000, |script| publishes(script) > 1);
        assert_eq!(small.steps.len(), 2);
        assert_eq!(publishes(&small), 2);
        assert_eq!((small.seed, small.network.split_percent), (0, 0));
        assert!(small.clients.len() <= 2 && !small.clients.is_empty());
        assert!(
            small
                .clients
                .iter()
                .all(|client| client.connect == Connect { clean_start: true, ..Connect::default() })
        );
    }

    #[test]
    fn asks_no_more_often_than_allowed() {
        let mut asked = 0;
        let script = Workload::default().script(1);
        shrink(script, 25, |_| {
            asked += 1;
            false
        });
        assert_eq!(asked, 25);
    }
}
