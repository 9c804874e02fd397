//! Short sessions with a broker in a process of its own: the broker, a bare socket loop, and what processors did.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What each session says, as the bare loop does: it asks before it goes on, three times.
pub const SESSION: &str = "\
mqtt 3.1.1
client a clean_start=1

a > SUBSCRIBE thiscase0/t qos=0
a settle
a > PUBLISH thiscase0/t \"on\" qos=1
a barrier
a > DISCONNECT
";

/// Packets of such a session, both ways: five that the client sends, CONNACK, SUBACK, PUBLISH, PUBACK, PINGRESP.
pub const PACKETS: u64 = 10;

/// A Mosquitto on a loopback port, which takes anybody; it is killed when dropped.
pub struct Mosquitto {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    folder: std::path::PathBuf,
}

impl Mosquitto {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not listen.
    pub fn start() -> io::Result<Mosquitto> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let folder = std::env::temp_dir().join(format!("mqtt-assay-sessions-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let file = folder.join("mosquitto.conf");
        fs::write(
            &file,
            format!("listener {} 127.0.0.1\nallow_anonymous true\nlog_type none\n", address.port()),
        )?;
        // Debian has it where only root looks.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(&file).env("PATH", path).stdout(Stdio::null()).stderr(Stdio::null());
        let mosquitto = Mosquitto { address, child: command.spawn()?, folder };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begun.elapsed() > Duration::from_secs(10) {
                return Err(io::Error::other("it does not listen"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(mosquitto)
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// How long a process has run on processors: in its own code, and in the kernel for it.
#[derive(Clone, Copy, Default, Debug)]
pub struct Busy {
    /// In its own code.
    pub user: Duration,
    /// In the kernel.
    pub kernel: Duration,
}

impl Busy {
    /// That of the process so far, as Linux tells it.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn of(pid: u32) -> io::Result<Busy> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name, in parentheses, may hold anything; the times are in hundredths of a second.
        let fields: Vec<&str> =
            text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let time = |place: usize| {
            let ticks = fields.get(place).and_then(|field| field.parse::<u64>().ok());
            ticks.map(|ticks| Duration::from_millis(10 * ticks)).ok_or(io::ErrorKind::InvalidData)
        };
        Ok(Busy { user: time(11)?, kernel: time(12)? })
    }

    /// What has been added since.
    #[must_use]
    pub fn since(self, before: Busy) -> Busy {
        Busy {
            user: self.user.saturating_sub(before.user),
            kernel: self.kernel.saturating_sub(before.kernel),
        }
    }
}

/// The bytes of a session, ready to be sent.
struct Said {
    connect: Vec<u8>,
    subscribe: Vec<u8>,
    publish: Vec<u8>,
    /// Lengths of CONNACK; of SUBACK; of PUBLISH, PUBACK and PINGRESP.
    answers: [usize; 3],
}

impl Said {
    fn new(number: u64) -> Said {
        let name = format!("b{number:08}");
        let topic = format!("{name}/t");
        let text = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
        let packet = |first: u8, body: &[u8]| [&[first, body.len() as u8][..], body].concat();
        Said {
            connect: packet(0x10, &[&text("MQTT")[..], &[4, 2, 0, 0], &text(&name)].concat()),
            subscribe: packet(0x82, &[&[0, 1][..], &text(&topic), &[0]].concat()),
            publish: packet(0x32, &[&text(&topic)[..], &[0, 1], b"on"].concat()),
            answers: [4, 5, 2 + 2 + topic.len() + 2 + 4 + 2],
        }
    }
}

/// One session: nothing is looked at but how many bytes come.
fn session(address: SocketAddr, said: &Said) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut buffer = [0; 256];
    let [connack, suback, rest] = said.answers;
    stream.write_all(&said.connect)?;
    stream.read_exact(&mut buffer[..connack])?;
    stream.write_all(&said.subscribe)?;
    stream.read_exact(&mut buffer[..suback])?;
    stream.write_all(&said.publish)?;
    stream.write_all(&[0xC0, 0])?;
    stream.read_exact(&mut buffer[..rest])?;
    stream.write_all(&[0xE0, 0])?;
    stream.shutdown(Shutdown::Write)?;
    while stream.read(&mut buffer)? > 0 {}
    Ok(())
}

/// A loop over plain sockets for so long, in so many threads; gives the number of sessions.
///
/// # Errors
///
/// A session fails.
pub fn bare_loop(address: SocketAddr, threads: u64, time: Duration) -> io::Result<u64> {
    let (sessions, begun) = (AtomicU64::new(0), Instant::now());
    std::thread::scope(|scope| {
        let run = |thread: u64| {
            let (sessions, begun) = (&sessions, &begun);
            move || {
                let said = Said::new(thread);
                while begun.elapsed() < time {
                    session(address, &said)?;
                    sessions.fetch_add(1, Ordering::Relaxed);
                }
                io::Result::Ok(())
            }
        };
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(run(thread))).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread has panicked")))
        })
    })?;
    Ok(sessions.into_inner())
}
