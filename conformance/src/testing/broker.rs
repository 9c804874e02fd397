//! The broker of a suite: where it is, or how it comes to be there.

use crate::cli::{self, Named};
use std::fmt;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How long a broker in this process may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two looks whether it does.
const PAUSE: Duration = Duration::from_millis(10);

/// Where the broker is.
#[derive(Debug)]
pub(super) enum Broker {
    /// At this URL, or as this profile says.
    At(String),
    /// Where this command starts it.
    Spawned(String),
    /// In this process.
    InProcess(InProcess),
}

/// What serves a broker in this process.
pub(super) struct InProcess(Box<dyn FnOnce(u16) + Send>);

impl InProcess {
    pub(super) fn new(serve: impl FnOnce(u16) + Send + 'static) -> Self {
        InProcess(Box::new(serve))
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl Broker {
    /// Finds the broker as the command line does; one in this process is started.
    pub(super) fn meant(self, flags: &[String]) -> Result<Named, String> {
        match self {
            Broker::At(target) => cli::named(Some(&target), flags),
            Broker::Spawned(command) => {
                let mut all = vec!["--spawn".to_owned(), command];
                all.extend_from_slice(flags);
                cli::named(None, &all)
            }
            Broker::InProcess(in_process) => {
                let port = in_process.start()?;
                let named = cli::named(Some(&format!("mqtt://127.0.0.1:{port}")), flags)?;
                // No command of ours brings it back.
                Ok(Named { command: None, ..named })
            }
        }
    }
}

impl InProcess {
    /// Starts the broker, and waits until it listens.
    fn start(self) -> Result<u16, String> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| format!("there is no free port: {error}"))?.port();
        let serve = self.0;
        let thread = std::thread::Builder::new()
            .name("broker".to_owned())
            .spawn(move || serve(port))
            .map_err(|error| format!("cannot start the broker's thread: {error}"))?;
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if thread.is_finished() {
                return Err(format!("the broker ended before it listened on 127.0.0.1:{port}"));
            }
            if begun.elapsed() > START_TIMEOUT {
                let seconds = START_TIMEOUT.as_secs();
                return Err(format!("the broker does not listen on 127.0.0.1:{port} after {seconds} s"));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(port)
    }
}
