//! The checks of MQTT 3.1.1, each a test case:
//!
//!     cargo test --test mqtt
//!     cargo test --test mqtt -- 3.1.1::retained/

use mqtt_assay::testing::{Suite, Version};
use mqtt_assay_example_rumqttd::serve;
use std::process::ExitCode;

fn main() -> ExitCode {
    Suite::in_process(serve)
        .version(Version::V3_1_1)
        // The broker's one router panics on a Topic Filter that begins with U+FEFF, and serves nobody any more.
        .skip("topics/leading_byte_order_mark_is_kept")
        // It grants `a#` as if it were `#`, and what then comes of the other checks' messages differs from run to run.
        .skip("table/topic_filter_multi_level")
        // Nothing can be told about these: it fails before they come to their point. MQTT_ASSAY_ACCEPT=1 names such ones.
        .skip("will/published_after_protocol_error")
        .skip("unsubscribe/only_the_identical_filter_is_removed")
        .skip("ordering/pubrels_follow_pubrecs")
        .skip("topics/dollar_is_not_matched_by_leading_wildcard")
        .skip("topics/dollar_is_not_for_clients")
        .baseline(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/known.toml"))
        .main()
}
