//! What a rule accuses, looked into: does it come again, and how little does it take?

use super::form::{Form, Tempo};
use super::stage::{Play, Stage};
use futures_util::future::join_all;
use mqtt_assay_fuzz_engine::Case;
use mqtt_assay_fuzz_engine::minimise::{Effort, minimise};
use std::sync::Arc;
use std::time::Instant;

/// So often a case has to show it again before it is made small.
const AGAIN: usize = 2;
/// While nothing else is played: so many plays, of which so many have to show it.
const ALONE: (usize, usize) = (5, 3);
/// So many smaller cases are tried.
const TRIES: usize = 600;

/// A finding that is to be tried.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: String,
    /// The case that has shown it.
    pub(super) case: u64,
    pub(super) form: Form,
}

/// What came of the inquiry.
#[derive(Debug)]
pub(super) struct Inquired {
    pub(super) name: String,
    /// The case that was asked for.
    pub(super) case: u64,
    /// The smallest form of it that shows it.
    pub(super) form: Form,
    /// A play that shows it; `None`: it has not come again.
    pub(super) shown: Option<Play>,
    /// How many cases were tried.
    pub(super) tries: usize,
}

/// Whether the case shows it every time; gives the last play that does.
async fn shows_again(stage: &Stage, name: &str, form: &Form, times: usize) -> Option<Play> {
    // Names of their own keep the plays apart.
    let plays = join_all((0..times).map(|_| stage.play(form))).await;
    let all = plays.iter().all(|play| play.shows(name));
    plays.into_iter().next_back().filter(|_| all)
}

/// Finds out whether a finding comes again, and makes its case small: in haste if it shows then, and in the end with all
/// the time that a broker may take, which may have more to do by now.
pub(super) async fn inquire(stage: Arc<Stage>, asked: Asked) -> Inquired {
    let Asked { name, case, form } = asked;
    let deadline = Instant::now() + stage.minimising;
    let mut tries = 0;
    for tempo in [Tempo::Hasty, Tempo::Brisk, Tempo::Patient] {
        let quicker = Form { tempo, ..form.clone() };
        tries += AGAIN;
        let Some(play) = shows_again(&stage, &name, &quicker, AGAIN).await else { continue };
        let (smaller, tried) = smaller(&stage, &name, &quicker, deadline).await;
        tries += tried;
        // What half a second has shown has to stand when answers may take as long as they may.
        let tempo = if tempo == Tempo::Hasty { tempo } else { Tempo::Patient };
        let smaller = Form { tempo, ..smaller };
        if let Some(play) = shows_again(&stage, &name, &smaller, AGAIN).await {
            return Inquired { name, case, form: smaller, shown: Some(play), tries };
        }
        if quicker.tempo != Tempo::Brisk {
            return Inquired { name, case, form: quicker, shown: Some(play), tries };
        }
    }
    Inquired { name, case, form, shown: None, tries }
}

/// The smallest case that still shows it, found within bounds.
async fn smaller(stage: &Arc<Stage>, name: &str, form: &Form, deadline: Instant) -> (Form, usize) {
    let Some(case) = Case::new(form.script.clone()) else { return (form.clone(), 0) };
    let tempo = form.tempo;
    let (stage, name) = (Arc::clone(stage), name.to_owned());
    let runtime = tokio::runtime::Handle::current();
    let search = move || {
        minimise(&case, Effort { confirmations: 1, tries: TRIES }, |case| {
            Instant::now() < deadline && runtime.block_on(stage.play(&Form::new(case, tempo))).shows(&name)
        })
    };
    match tokio::task::spawn_blocking(search).await {
        Ok(small) if small.reproduced => (Form::new(&small.case, tempo), small.tried),
        Ok(small) => (form.clone(), small.tried),
        Err(_) => (form.clone(), 0),
    }
}

/// The last word: with nothing else to do, the broker shows it more often than not.
pub(super) async fn confirm_alone(stage: &Stage, inquired: Inquired) -> Inquired {
    let (plays, needed) = ALONE;
    let (mut shown, mut last) = (0, None);
    for played in 0..plays {
        if shown == needed || shown + (plays - played) < needed {
            break;
        }
        let play = stage.play(&inquired.form).await;
        if play.shows(&inquired.name) {
            shown += 1;
            last = Some(play);
        }
    }
    Inquired { shown: last.filter(|_| shown >= needed), ..inquired }
}
