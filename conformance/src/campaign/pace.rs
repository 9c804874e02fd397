//! How fast cases are played: one case, again and again, as a campaign plays those that it does not wait for.

use super::form::{Form, Tempo};
use super::ground::Ground;
use super::stage::Stage;
use super::{CampaignTrouble, Options};
use mqtt_assay_codec::Version;
use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::place::Mark;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Pace {
    /// How many plays have ended.
    pub plays: u64,
    /// How many packets their clients have sent or received.
    pub packets: u64,
    /// How often a rule has accused.
    pub accusations: u64,
    /// In how much time.
    pub elapsed: Duration,
}

/// Plays the case for the campaign's [time](Options::time), as many side by side as it has
/// [connections](Options::connections), each under names of its own, each judged by all rules.
///
/// # Errors
///
/// The broker cannot be reached, or does not start.
pub async fn pace(options: &Options, case: &Case) -> Result<Pace, CampaignTrouble> {
    let (ground, address, credentials) = Ground::prepare(options, Vec::new()).await?;
    let stage = Arc::new(Stage {
        address,
        credentials,
        version: case.script().clients.first().map_or(Version::V3_1_1, |client| client.version),
        promptness: options.promptness,
        marks: AtomicU64::new(options.nonce % Mark::COUNT),
        strict: options.strict,
        minimising: options.minimising,
    });
    let form = Arc::new(Form::new(case, Tempo::Hasty));
    let begun = Instant::now();
    let end = options.time.and_then(|time| begun.checked_add(time));
    let mut pace = Pace::default();
    let mut plays = JoinSet::new();
    loop {
        let over = end.is_none_or(|end| Instant::now() >= end);
        while !over && plays.len() < options.connections {
            let (stage, form) = (Arc::clone(&stage), Arc::clone(&form));
            plays.spawn(async move {
                let play = stage.play(&form).await;
                // A campaign wants it of each.
                let signature = std::hint::black_box(play.signature());
                (play, signature)
            });
        }
        match plays.join_next().await {
            Some(Ok((play, _))) => {
                pace.plays += 1;
                pace.packets += play.history.packets() as u64;
                pace.accusations += play.accusations.len() as u64;
            }
            Some(Err(_)) => {}
            None => break,
        }
    }
    pace.elapsed = begun.elapsed();
    ground.end().await;
    Ok(pace)
}
