//! PINGREQ, as 3.1 has it. [3.1 §3.12]

use crate::check;
use crate::check::Check;
use crate::checks::common::s3_12_ping::three_answers;

/// In the order of the document.
pub const CHECKS: &[Check] = &[PINGREQ_IS_ANSWERED];

check! {
    /// A PINGREQ is answered with a PINGRESP.
    ///
    /// Sends     three PINGREQ and, to see that the broker goes on, a SUBSCRIBE, in one segment.
    /// Demands   three PINGRESP.
    /// Leaves    nothing.
    PINGREQ_IS_ANSWERED "v3_1/pingreq_is_answered",
    covers: [V3_1 / "M31-PING-1"],
    needs: [],
    proved: ["pingresp_missing"],
    run: async |w| { three_answers(w).await }
}
