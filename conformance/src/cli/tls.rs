//! The options of TLS on the command line.

use super::{Trouble, quoted};
use crate::profile::TlsFiles;
use crate::target::Tls;
use std::path::PathBuf;

/// Whom to trust, and as whom to come.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "TLS (mqtts:// and wss://)")]
pub(super) struct TlsArguments {
    /// The certificate authorities to trust, in PEM form [default: those that the system trusts]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// A client certificate, with those that lead from it to its authority, in PEM form
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// The key of the client certificate, in PEM form
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// The name to ask for and to expect in the broker's certificate [default: the target's host]
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,

    /// Accept whatever certificate the broker shows
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,
}

impl TlsArguments {
    /// The options as they are given.
    pub(super) fn tls(&self) -> Tls {
        Tls {
            ca: self.ca.clone(),
            identity: self.cert.clone().zip(self.key.clone()),
            server_name: self.server_name.clone(),
            insecure: self.insecure,
        }
    }

    /// The options as they are given, the profile's where none is.
    pub(super) fn over(&self, files: &TlsFiles) -> Tls {
        let given = self.tls();
        // Either trusts an authority or takes everything: what is given replaces both.
        let trust = given.ca.is_some() || given.insecure;
        Tls {
            ca: if trust { given.ca } else { files.ca.clone() },
            identity: given.identity.or_else(|| files.cert.clone().zip(files.key.clone())),
            server_name: given.server_name.or_else(|| files.server_name.clone()),
            insecure: if trust { given.insecure } else { files.insecure },
        }
    }

    /// For targets without TLS: nothing that was asked for is ignored.
    pub(super) fn refuse(&self) -> Result<(), Trouble> {
        let given = [
            ("--ca", self.ca.is_some()),
            ("--cert", self.cert.is_some()),
            ("--server-name", self.server_name.is_some()),
            ("--insecure", self.insecure),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Trouble::new(format!(
                "{flag} is for TLS, which the target does not speak; name a broker as mqtts:// or wss://, or leave \
                 the option out"
            ))),
            None => Ok(()),
        }
    }

    /// The options as a command has them, each with a space before it.
    pub(super) fn command(&self) -> String {
        let mut command = String::new();
        let cert = self.cert.as_ref().map(|file| file.display().to_string());
        let key = self.key.as_ref().map(|file| file.display().to_string());
        let ca = self.ca.as_ref().map(|file| file.display().to_string());
        for (flag, value) in
            [("--ca", ca), ("--cert", cert), ("--key", key), ("--server-name", self.server_name.clone())]
        {
            if let Some(value) = value {
                command.push_str(&format!(" {flag} {}", quoted(&value)));
            }
        }
        if self.insecure {
            command.push_str(" --insecure");
        }
        command
    }
}
