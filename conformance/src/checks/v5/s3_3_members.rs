//! Subscription Identifiers of Shared Subscriptions. [5.0 §3.3.4, §4.8.2]

use super::s4_8_shared::{shared, taken};
use crate::check;
use crate::check::Check;
use crate::story::Stop;
use mqtt_assay_codec::{Property, PropertyId, Qos, SubscriptionOptions};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[SUBSCRIPTION_IDENTIFIER_IS_THE_MEMBERS];

check! {
    /// A delivery to a member of a group carries this member's Subscription Identifier, and no other.
    ///
    /// Sends     A joins a group with Subscription Identifier 1, B with 2; C publishes 12 messages.
    /// Demands   1 and nothing else with what A receives, 2 with what B receives.
    /// Leaves    who receives which.
    SUBSCRIPTION_IDENTIFIER_IS_THE_MEMBERS "shared/subscription_identifier_is_the_members",
    covers: [V5 / "U5-PUB-12"],
    needs: [Qos1, SharedSubscriptions, SubscriptionIdentifiers],
    proved: ["shared_ids_of_all_members"],
    run: async |w| {
        let topic = w.topic("work");
        let (mut a, mut b, mut c) = (w.connect("a").await?, w.connect("b").await?, w.connect("c").await?);
        let options = SubscriptionOptions::qos(Qos::AtLeastOnce);
        a.subscribe_identified(&shared("g", &topic), options, 1).await?;
        b.subscribe_identified(&shared("g", &topic), options, 2).await?;
        for n in 0..12u8 {
            c.publish(&topic, &[b'a' + n]).qos1().acknowledged().await?;
        }
        let mut came = 0;
        for (member, own) in [(&mut a, 1), (&mut b, 2)] {
            for delivery in taken(member, &mut c, &topic).await? {
                came += 1;
                let packet = delivery.packet();
                let ids: Vec<u32> = packet
                    .properties()
                    .into_iter()
                    .flat_map(|list| list.iter())
                    .filter_map(|property| match property {
                        Property::SubscriptionIdentifier(id) => Some(id),
                        _ => None,
                    })
                    .collect();
                if ids != [own] {
                    let expected = format!("{} {own} and no other", PropertyId::SubscriptionIdentifier.name());
                    return Err(Stop::violates(expected, delivery.line()).at(delivery.index));
                }
            }
        }
        if came == 0 {
            return Err(Stop::inconclusive("no member of the group got a message"));
        }
        Ok(())
    }
}
