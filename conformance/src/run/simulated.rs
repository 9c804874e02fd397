//! One check on a simulated network, in virtual time.

use super::preflight::{self, Found};
use super::{Planned, Stage, play};
use crate::check::Check;
use crate::net::sim::{Conditions, Simulation, Trouble};
use crate::outcome::CheckResult;
use crate::rng::Rng;
use crate::story::{Abilities, Credentials};
use crate::target::Target;
use mqtt_assay_codec::Version;
use std::sync::Arc;
use std::time::Duration;

/// What a check needs that waits for timers of the specification, which count in seconds.
const TIMER_TICK: Duration = Duration::from_millis(10);

/// The most that a check may take, its timers apart.
const DEADLINE: Duration = Duration::from_secs(30);

/// Plays a check against a broker of its own, on a network of its own: the seed of the conditions, the names of the
/// check and of the version decide everything. A check that waits for timers has coarser ticks.
///
/// # Errors
///
/// The simulation cannot begin or go on, or the broker accepts no CONNECT: no verdict.
pub fn simulated(
    check: &'static Check,
    version: Version,
    conditions: &Conditions,
) -> Result<CheckResult, Trouble> {
    let seed = conditions.seed;
    let mut conditions = Conditions {
        seed: Rng::named(seed, &format!("{version} {}", check.name)).next_u64(),
        setup: check.setup,
        ..conditions.clone()
    };
    if !check.timers(&check.setup.profile()).is_zero() {
        conditions.tick = conditions.tick.max(TIMER_TICK);
    }
    let target = Target::Reference { mutant: conditions.mutant };
    let story = |address| async move {
        let credentials = Credentials::default();
        let found = preflight::run(&target, &address, &credentials, &[version], &[check], seed).await;
        let Found { mut abilities, .. } = found.map_err(|error| error.to_string())?;
        let Some((version, abilities)) = abilities.pop() else {
            return Err("the preflight found no version".to_owned());
        };
        let abilities = Abilities { profile: check.setup.profile(), ..abilities };
        let plan = Planned { check, version, abilities, address };
        let patience = super::PATIENCE;
        let begun = tokio::time::Instant::now();
        let stage = Stage { credentials, seed, deadline: DEADLINE, patience, clock: None, begun, room: None };
        Ok(play(&plan, &Arc::new(stage)).await)
    };
    Simulation::new(conditions)?.play(story)?.map_err(Trouble::Broker)
}
