//! `serve`: the reference broker for real clients.

use super::{Trouble, mutant, say};
use crate::serve::Served;
use mqtt_assay_broker_model::Mutant;
use std::net::SocketAddr;

/// Serve the reference broker on a real port until Ctrl-C
#[derive(clap::Args, Debug)]
pub(super) struct Arguments {
    /// Address and port to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1883", value_parser = address)]
    listen: SocketAddr,

    /// Serve a deliberately broken broker, to see what the checks make of it
    #[arg(long, value_name = "NAME", value_parser = mutant::parse)]
    mutant: Option<Mutant>,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an IP address and a port, such as 127.0.0.1:1883".to_owned())
}

/// Serves until the first Ctrl-C.
pub(super) fn run(arguments: &Arguments) -> Result<(), Trouble> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Trouble::new(format!("cannot start the broker's threads: {error}")))?;
    runtime.block_on(async {
        let served = Served::listen(arguments.listen, arguments.mutant).await.map_err(|error| {
            Trouble::new(format!(
                "cannot listen on {}: {error}; choose another address or port with --listen",
                arguments.listen
            ))
        })?;
        if let Some(mutant) = arguments.mutant {
            say(&format!("Broken on purpose ({}): this broker {}.", mutant.name(), mutant.summary()));
        }
        say(&format!("The reference broker listens on mqtt://{}; Ctrl-C ends it.", served.address()));
        tokio::signal::ctrl_c()
            .await
            .map_err(|error| Trouble::new(format!("cannot wait for Ctrl-C: {error}")))
    })
}
