//! Debian's Mosquitto on a loopback port, for tests that want a broker of somebody else's.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running Mosquitto; it is killed when dropped.
pub(crate) struct Mosquitto {
    pub(crate) address: SocketAddr,
    pub(crate) version: String,
    child: Child,
    folder: PathBuf,
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Finds a program, or tells that the test is skipped; where `MQTT_ASSAY_REQUIRE_MOSQUITTO` is set, that fails.
pub(crate) fn required(name: &str) -> Option<PathBuf> {
    let found = program(name);
    if found.is_none() {
        let skipped = format!("{name} is not installed: the tests against Mosquitto are SKIPPED");
        assert!(std::env::var_os("MQTT_ASSAY_REQUIRE_MOSQUITTO").is_none(), "{skipped}");
        eprintln!("{skipped}");
    }
    found
}

impl Mosquitto {
    /// Starts an anonymous listener; `None` (told on standard error) if Mosquitto is not installed.
    pub(crate) fn start(test: &str) -> Option<Mosquitto> {
        Mosquitto::start_as(test, false)
    }

    /// As [`Mosquitto::start`], with a listener for WebSocket.
    pub(crate) fn start_websocket(test: &str) -> Option<Mosquitto> {
        Mosquitto::start_as(test, true)
    }

    fn start_as(test: &str, websocket: bool) -> Option<Mosquitto> {
        let binary = required("mosquitto")?;
        let help = Command::new(&binary).arg("-h").output().expect("mosquitto -h runs");
        let version = String::from_utf8_lossy(&help.stdout)
            .split_whitespace()
            .skip_while(|word| *word != "version")
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        // The port is free when asked for; another test gets another one.
        let free = || TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a free port");
        let address = free();
        // It does not start with a listener for WebSocket alone.
        let listener = if websocket {
            format!("protocol websockets\nlistener {} 127.0.0.1\n", free().port())
        } else {
            String::new()
        };
        let folder = std::env::temp_dir().join(format!("mqtt-assay-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the configuration");
        let configuration = folder.join("mosquitto.conf");
        let text = format!(
            "listener {} 127.0.0.1\n{listener}allow_anonymous true\npersistence false\nlog_dest none\n",
            address.port()
        );
        fs::write(&configuration, text).expect("the configuration is written");
        let child = Command::new(binary)
            .arg("-c")
            .arg(&configuration)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto starts");
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "mosquitto does not listen on {address}");
            std::thread::yield_now();
        }
        Some(Mosquitto { address, version, child, folder })
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
