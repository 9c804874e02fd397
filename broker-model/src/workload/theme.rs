//! What a script is about.

use super::{Draw, Profile};
use mqtt_assay_codec::Version;

/// A group of features that a script uses often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Theme {
    /// QoS 1 and 2 with clients that acknowledge late, or refuse.
    Flow,
    /// Sessions resumed, discarded, expired.
    Session,
    /// Two clients with one Client Identifier.
    Takeover,
    /// Client Identifiers, users, and packets sent right behind CONNECT.
    Identity,
    /// Retained messages.
    Retained,
    /// Wills.
    Will,
    /// Keep Alive.
    KeepAlive,
    /// Odd topics and filters.
    Topics,
    /// Packets that break a rule.
    Errors,
    /// Shared Subscriptions, 5.0.
    Shared,
    /// Subscription options and identifiers, 5.0.
    Options,
    /// Message Expiry Interval, 5.0.
    Expiry,
    /// Properties that travel with a message, 5.0.
    Properties,
    /// Topic Aliases, 5.0.
    Aliases,
    /// Receive Maximum, Maximum Packet Size, 5.0.
    Limits,
    /// The broker crashes.
    Restart,
}

/// The themes of one script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Themes(u32);

impl Themes {
    pub(super) fn draw(draw: &mut Draw, profile: Profile, versions: [Version; 2]) -> Self {
        const BOTH: &[Theme] = &[
            Theme::Flow,
            Theme::Session,
            Theme::Takeover,
            Theme::Identity,
            Theme::Retained,
            Theme::Will,
            Theme::KeepAlive,
            Theme::Topics,
            // There are many rules to break.
            Theme::Errors,
            Theme::Errors,
        ];
        const V5: &[Theme] =
            &[Theme::Shared, Theme::Options, Theme::Expiry, Theme::Properties, Theme::Aliases, Theme::Limits];
        let mut list = BOTH.to_vec();
        if versions.contains(&Version::V5) {
            list.extend(V5);
        }
        if profile == Profile::Storm {
            list.push(Theme::Restart);
        }
        let mut themes = Themes(0);
        for _ in 0..1 + draw.below(4) {
            themes.0 |= 1 << *draw.one(&list) as u32;
        }
        themes
    }

    pub(super) const fn has(self, theme: Theme) -> bool {
        self.0 & 1 << theme as u32 != 0
    }
}
