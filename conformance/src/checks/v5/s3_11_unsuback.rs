//! UNSUBACK: its Reason Codes. [5.0 §3.10.4, §3.11.3]

use crate::check;
use crate::check::Check;
use crate::story::{Received, Stop, World, unsuback};
use mqtt_assay_codec::{Qos, TopicFilterList};

/// In the order of the specification.
pub const CHECKS: &[Check] = &[ONE_CODE_FOR_EACH_FILTER, CODES_ARE_IN_ORDER, REPEATED_FILTER_IS_REMOVED_ONCE];

/// Subscribes to `t`, unsubscribes from these filters in one packet, and gives the UNSUBACK.
async fn unsubscribe(w: &World, filters: &[&str]) -> Result<Received, Stop> {
    let mut a = w.connect("a").await?;
    a.subscribe(&w.topic("t"), Qos::AtMostOnce).await?;
    let mut list = TopicFilterList::new();
    for filter in filters {
        list.push(&w.topic(filter));
    }
    let id = a.send_unsubscribe(&list).await?;
    a.await_message(unsuback(id)).await
}

check! {
    /// UNSUBACK has one listed Reason Code for each filter of its UNSUBSCRIBE.
    ///
    /// Sends     UNSUBSCRIBE with a filter that was subscribed to and four that were not.
    /// Demands   five listed codes.
    /// Leaves    which of them.
    ONE_CODE_FOR_EACH_FILTER "unsuback/one_code_for_each_filter",
    covers: [V5 / "MQTT-3.11.3-2", V5 / "U5-RC-5"],
    needs: [],
    proved: ["unsuback_codes_short", "unsuback_code_unlisted"],
    run: async |w| {
        let answer = unsubscribe(w, &["t", "u", "v", "w", "x"]).await?;
        if answer.codes().len() == 5 {
            return Ok(());
        }
        Err(Stop::violates("five codes for five filters", answer.line()).at(answer.index))
    }
}

/// The codes tell which filters there were; 0x00 for one that was not is the lesser mistake.
fn judge(w: &World, answer: &Received, existed: &[bool]) -> Result<(), Stop> {
    if answer.codes().len() != existed.len() {
        let (codes, filters) = (answer.codes().len(), existed.len());
        let why = format!("UNSUBACK has {codes} codes for {filters} filters: another check answers for that");
        return Err(Stop::inconclusive(why).at(answer.index));
    }
    for (&existed, &code) in existed.iter().zip(answer.codes()) {
        match (existed, code) {
            (true, 0x11) => {
                return Err(Stop::violates("0x00 for the filter that was subscribed to", answer.line())
                    .at(answer.index));
            }
            (false, 0x00) => w.deviates(None, "0x11 for a filter that was not subscribed to", answer.line()),
            _ => {}
        }
    }
    Ok(())
}

check! {
    /// The Reason Codes of UNSUBACK stand in the order of the filters.
    ///
    /// Sends     UNSUBSCRIBE with a filter that was subscribed to and two that were not, in this order.
    /// Demands   0x00 for the first: it was there.
    /// Leaves    0x11 for the others is due; 0x00 is a deviation.
    CODES_ARE_IN_ORDER "unsuback/codes_are_in_order",
    covers: [V5 / "MQTT-3.11.3-1"],
    needs: [],
    proved: ["unsuback_codes_reversed"],
    run: async |w| {
        let answer = unsubscribe(w, &["t", "u", "v"]).await?;
        judge(w, &answer, &[true, false, false])
    }
}

check! {
    /// Of two identical filters in one UNSUBSCRIBE the first removes the subscription, as if sent one by one.
    ///
    /// Sends     UNSUBSCRIBE with an unknown filter, twice with one that was subscribed to, and with another
    ///           unknown.
    /// Demands   0x00 for the first of the two.
    /// Leaves    0x11 for the others is due; 0x00 is a deviation.
    REPEATED_FILTER_IS_REMOVED_ONCE "unsuback/repeated_filter_is_removed_once",
    covers: [V5 / "MQTT-3.10.4-6", V5 / "MQTT-3.11.3-1"],
    needs: [],
    proved: ["unsubscribe_only_first_filter", "unsuback_codes_reversed"],
    run: async |w| {
        let answer = unsubscribe(w, &["u", "t", "t", "v"]).await?;
        judge(w, &answer, &[false, true, false, false])
    }
}
