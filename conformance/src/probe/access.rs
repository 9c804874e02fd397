//! Who is let in.

use super::{Contradiction, Outcome};
use crate::story::{Attempt, World};

/// Tries to connect without credentials, and with wrong ones.
pub(super) async fn find(base: &World, outcome: &mut Outcome) {
    let without = base.fork();
    // Who has no credentials has come in already.
    outcome.profile.credentials.anonymous = match &base.credentials.user_name {
        None => Some(true),
        Some(_) => let_in(&without, None, outcome, "a CONNECT without User Name").await,
    };
    let wrong = base.fork();
    let users = &outcome.profile.credentials;
    let (user, password) = match users.wrong_user.clone().zip(users.wrong_password.clone()) {
        Some(pair) => pair,
        None => match &base.credentials.user_name {
            Some(user) => (user.clone(), "not this one".to_owned()),
            None => (wrong.client_id("nobody"), "not this one".to_owned()),
        },
    };
    let claimed = users.checks_passwords || users.wrong_user.is_some();
    let accepted = let_in(&wrong, Some((&user, &password)), outcome, "a CONNECT with a wrong password").await;
    if let Some(accepted) = accepted {
        if accepted && claimed {
            let id = if base.is_v5() { "MQTT-3.1.4-2" } else { "U3-CON-1" };
            outcome.contradictions.push(Contradiction {
                statement: base.cite(id),
                announced: "the profile says that wrong passwords are refused".to_owned(),
                found: "a CONNECT with a wrong password is accepted".to_owned(),
                log: wrong.history.log(),
            });
        }
        outcome.profile.credentials.checks_passwords = !accepted;
    }
}

/// Whether a CONNECT with these credentials is accepted; `None` if nothing can be told.
async fn let_in(
    world: &World,
    pair: Option<(&str, &str)>,
    outcome: &mut Outcome,
    what: &str,
) -> Option<bool> {
    let (user, password) = pair.unzip();
    let client = world.client("stranger").credentials(user, password.map(str::as_bytes));
    match client.attempt().await {
        Ok(Attempt::Accepted(mut client)) => {
            outcome.remarks.push(format!("{what} is accepted"));
            client.disconnect().await;
            Some(true)
        }
        Ok(refused) => {
            outcome.remarks.push(format!("{what} gets {}", refused.line()));
            Some(false)
        }
        Err(stop) => {
            outcome.remarks.push(format!("what becomes of {what} is not found out: {}", stop.0.observed));
            None
        }
    }
}
