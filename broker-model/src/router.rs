//! Who subscribes to a topic: a tree of filter levels. [3.1.1 §4.7] [5.0 §4.7]
//!
//! The nodes live in one vector and are walked without recursion: a filter may have as many levels as a string
//! has bytes.

use crate::mutant::{Fault, Mutant};
use crate::session::SessionId;
use crate::share::Share;
use mqtt_assay_codec::{SubscriptionOptions, Version, topic};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a session has asked for with one filter, its QoS being the granted one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Subscription {
    pub(crate) options: SubscriptionOptions,
    /// Subscription Identifier. [5.0 §3.8.2.1.2]
    pub(crate) identifier: Option<u32>,
}

/// A Topic Filter taken apart; before 5.0 `$share/` is a level like any other. [5.0 §4.8.2]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Filter<'a> {
    /// The whole of it.
    pub(crate) text: &'a str,
    pub(crate) share_name: Option<&'a str>,
    /// What Topic Names are matched against.
    pub(crate) levels: &'a str,
}

impl<'a> Filter<'a> {
    pub(crate) fn new(text: &'a str, version: Version) -> Self {
        match topic::shared(text).filter(|_| version == Version::V5) {
            Some(shared) => Filter { text, share_name: Some(shared.share_name), levels: shared.filter },
            None => Filter { text, share_name: None, levels: text },
        }
    }
}

/// Index of a node.
pub(crate) type NodeId = usize;

const ROOT: NodeId = 0;

#[derive(Default, Debug)]
struct Node {
    parent: NodeId,
    level: Box<str>,
    /// The next levels, `+` and `#` among them: no level of a Topic Name can look like these.
    children: BTreeMap<Box<str>, NodeId>,
    subscribers: Vec<(SessionId, Subscription)>,
    shares: BTreeMap<Box<str>, Share>,
}

/// What a Topic Name has matched.
#[derive(Default, Debug)]
pub(crate) struct Matches {
    /// Non-shared subscriptions, one entry for each.
    pub(crate) plain: Vec<(SessionId, Subscription)>,
    /// The nodes that have Shared Subscriptions.
    pub(crate) shared: Vec<NodeId>,
}

/// All subscriptions.
#[derive(Debug)]
pub(crate) struct Router {
    nodes: Vec<Node>,
    free: Vec<NodeId>,
}

impl Default for Router {
    fn default() -> Self {
        Router { nodes: vec![Node::default()], free: Vec::new() }
    }
}

impl Router {
    /// Adds a subscription, or replaces the one with the identical filter, which it returns. [5.0/MQTT-3.8.4-3]
    pub(crate) fn subscribe(
        &mut self,
        filter: Filter<'_>,
        session: SessionId,
        mut new: Subscription,
        fault: Fault,
    ) -> Option<Subscription> {
        let node = self.insert(filter.levels, fault);
        if let Some(share_name) = filter.share_name {
            let share = self.nodes[node].shares.entry(share_name.into());
            let share = share.or_insert_with(|| Share::new(filter.text));
            return share.join(session, new, fault);
        }
        let subscribers = &mut self.nodes[node].subscribers;
        match subscribers.iter_mut().find(|(id, _)| *id == session) {
            Some((_, old)) if !fault.is(Mutant::ResubscribeAdds) => {
                if fault.is(Mutant::ResubscribeKeepsOldOptions) {
                    new = *old;
                }
                Some(core::mem::replace(old, new))
            }
            found => {
                let old = found.map(|(_, old)| *old);
                subscribers.push((session, new));
                old
            }
        }
    }

    /// Removes the subscription with the identical filter; tells whether there was one. [5.0/MQTT-3.10.4-1]
    pub(crate) fn unsubscribe(&mut self, filter: Filter<'_>, session: SessionId, fault: Fault) -> bool {
        let Some(node) = self.find(filter.levels, fault) else {
            return false;
        };
        let removed = match filter.share_name {
            None => {
                let before = self.nodes[node].subscribers.len();
                self.nodes[node].subscribers.retain(|(id, _)| *id != session);
                self.nodes[node].subscribers.len() < before
            }
            Some(share_name) => {
                let shares = &mut self.nodes[node].shares;
                let share = shares.get_mut(share_name);
                let removed = share.is_some_and(|share| share.leave(session, fault));
                shares.retain(|_, share| !share.is_empty());
                removed
            }
        };
        self.prune(node);
        removed
    }

    /// The shares at a node that [`Matches`] names.
    pub(crate) fn shares(&mut self, node: NodeId) -> impl Iterator<Item = &mut Share> {
        self.nodes[node].shares.values_mut()
    }

    /// The share that a shared filter names.
    pub(crate) fn share(&mut self, filter: Filter<'_>, fault: Fault) -> Option<&mut Share> {
        let node = self.find(filter.levels, fault)?;
        self.nodes[node].shares.get_mut(filter.share_name?)
    }

    /// Changes a session's subscription in place: for faulty brokers that forget.
    pub(crate) fn amend(
        &mut self,
        filter: Filter<'_>,
        session: SessionId,
        fault: Fault,
        change: impl Fn(&mut Subscription),
    ) {
        if let Some(node) = self.find(filter.levels, fault) {
            let own = self.nodes[node].subscribers.iter_mut().filter(|(id, _)| *id == session);
            own.for_each(|(_, subscription)| change(subscription));
        }
    }

    /// Every subscription whose filter matches the Topic Name, level by level.
    pub(crate) fn matches(&self, name: &str, fault: Fault) -> Matches {
        let mut found = Matches::default();
        let mut current = vec![ROOT];
        let mut next = Vec::new();
        // A leading wildcard matches no topic that begins with `$`. [3.1.1/MQTT-4.7.2-1] [5.0/MQTT-4.7.2-1]
        let dollar = name.starts_with('$');
        let wild = !fault.is(Mutant::WildcardsNeverMatch);
        let folded = fold(name, fault);
        for (depth, level) in levels(&folded, fault).enumerate() {
            let hash = wild && (depth > 0 || !dollar || fault.is(Mutant::HashMatchesDollar));
            let plus = wild
                && (depth > 0 || !dollar || fault.is(Mutant::PlusMatchesDollar))
                && !(level.is_empty() && fault.is(Mutant::PlusExcludesEmptyLevel));
            for &node in &current {
                let children = &self.nodes[node].children;
                if hash && let Some(&child) = children.get("#") {
                    self.collect(child, &mut found);
                }
                if plus && let Some(&child) = children.get("+") {
                    next.push(child);
                }
                if let Some(&child) = children.get(level) {
                    next.push(child);
                }
                if fault.is(Mutant::PlusSpansLevels) && &*self.nodes[node].level == "+" {
                    next.push(node);
                }
            }
            core::mem::swap(&mut current, &mut next);
            next.clear();
            if current.is_empty() {
                return found;
            }
        }
        for &node in &current {
            self.collect(node, &mut found);
            // `sport/#` matches `sport`. [3.1.1 §4.7.1.2] [5.0 §4.7.1.2]
            if let Some(&child) = self.nodes[node].children.get("#")
                && !fault.is(Mutant::HashExcludesParent)
            {
                self.collect(child, &mut found);
            }
        }
        found
    }

    fn collect(&self, node: NodeId, found: &mut Matches) {
        found.plain.extend_from_slice(&self.nodes[node].subscribers);
        if !self.nodes[node].shares.is_empty() {
            found.shared.push(node);
        }
    }

    fn insert(&mut self, filter: &str, fault: Fault) -> NodeId {
        let mut node = ROOT;
        for level in levels(&fold(filter, fault), fault) {
            node = match self.nodes[node].children.get(level) {
                Some(&child) => child,
                None => {
                    let new = Node { parent: node, level: level.into(), ..Node::default() };
                    let child = match self.free.pop() {
                        Some(child) => {
                            self.nodes[child] = new;
                            child
                        }
                        None => {
                            self.nodes.push(new);
                            self.nodes.len() - 1
                        }
                    };
                    self.nodes[node].children.insert(level.into(), child);
                    child
                }
            };
        }
        node
    }

    fn find(&self, filter: &str, fault: Fault) -> Option<NodeId> {
        levels(&fold(filter, fault), fault)
            .try_fold(ROOT, |node, level| self.nodes[node].children.get(level).copied())
    }

    /// Gives up the node and its ancestors as far as nobody needs them.
    fn prune(&mut self, mut node: NodeId) {
        while node != ROOT {
            let this = &mut self.nodes[node];
            if !(this.children.is_empty() && this.subscribers.is_empty() && this.shares.is_empty()) {
                return;
            }
            let parent = this.parent;
            let level = core::mem::take(&mut this.level);
            self.nodes[parent].children.remove(&level);
            self.free.push(node);
            node = parent;
        }
    }
}

/// The levels of a name or filter; an empty one is a level like any other. [5.0 §4.7.1.1]
fn levels(text: &str, fault: Fault) -> impl Iterator<Item = &str> {
    text.split('/').filter(move |level| !(level.is_empty() && fault.is(Mutant::SlashesNormalised)))
}

/// Names and filters are compared byte for byte. [3.1.1/MQTT-4.7.3-4] [5.0/MQTT-4.7.3-4]
fn fold(text: &str, fault: Fault) -> Cow<'_, str> {
    match () {
        () if fault.is(Mutant::TopicsCaseFolded) => text.to_lowercase().into(),
        () if fault.is(Mutant::DotsAreSlashes) => text.replace('.', "/").into(),
        () => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_assay_codec::Qos;
    use proptest::prelude::*;

    fn add(router: &mut Router, filter: &str, session: u64) {
        let any = Subscription { options: SubscriptionOptions::qos(Qos::AtMostOnce), identifier: None };
        router.subscribe(Filter::new(filter, Version::V5), SessionId(session), any, Fault::default());
    }

    proptest! {
        /// The tree finds what comparing filter by filter finds, and forgets what is unsubscribed.
        #[test]
        fn agrees_with_plain_matching(
            filters in proptest::collection::vec("(\\$|a|b|\\+|)(/(a|b|\\+|)){0,3}(/#)?", 1..12),
            name in "(\\$|a|b|)(/(a|b|)){0,4}",
        ) {
            let filters: Vec<String> = filters.into_iter().filter(|f| topic::check_filter(f, Version::V5).is_ok()).collect();
            prop_assume!(!name.is_empty());
            let mut router = Router::default();
            for (id, filter) in filters.iter().enumerate() {
                add(&mut router, filter, id as u64);
            }
            let mut found: Vec<u64> = router.matches(&name, Fault::default()).plain.iter().map(|(id, _)| id.0).collect();
            found.sort_unstable();
            let expected: Vec<u64> =
                (0..filters.len()).filter(|&i| topic::matches(&filters[i], &name)).map(|i| i as u64).collect();
            prop_assert_eq!(found, expected);
            for (id, filter) in filters.iter().enumerate() {
                prop_assert!(router.unsubscribe(Filter::new(filter, Version::V5), SessionId(id as u64), Fault::default()));
            }
            prop_assert_eq!(router.nodes.len(), router.free.len() + 1);
        }
    }

    #[test]
    fn a_filter_of_many_levels_needs_no_stack() {
        let deep = "/".repeat(65_535);
        let mut router = Router::default();
        add(&mut router, &deep, 1);
        assert_eq!(router.matches(&deep, Fault::default()).plain.len(), 1);
    }

    #[test]
    fn shared_filters_are_special_in_5_only() {
        let old = Filter::new("$share/g/t", Version::V3_1_1);
        assert_eq!(old, Filter { text: "$share/g/t", share_name: None, levels: "$share/g/t" });
        let new = Filter::new("$share/g/t", Version::V5);
        assert_eq!(new, Filter { text: "$share/g/t", share_name: Some("g"), levels: "t" });
    }
}
