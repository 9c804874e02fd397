//! Null and hostile brokers: whatever they do, a run must end in time and memory, and no check may conform that
//! was not truly shown.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What a hostile broker does with each connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Manner {
    /// Closes at once.
    Closes,
    /// Reads and never answers.
    Silent,
    /// Sends back what it gets.
    Echoes,
    /// Answers every chunk with bytes that are no MQTT.
    Garbage,
    /// Writes packets without end from the start.
    Floods,
    /// Announces a packet of 256 MiB and sends zeros.
    Huge,
    /// Accepts every CONNECT, then is silent.
    AcceptsThenSilent,
    /// Accepts every CONNECT, then closes.
    AcceptsThenCloses,
    /// Accepts every CONNECT, then answers every chunk with bytes that are no MQTT.
    AcceptsThenGarbage,
    /// Accepts every CONNECT, then writes PINGRESP without end.
    AcceptsThenFloods,
    /// Accepts every CONNECT and answers PINGREQ, and nothing else.
    AcceptsAndPings,
}

/// A running hostile broker; it ends when dropped.
pub(crate) struct Hostile {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Hostile {
    pub(crate) async fn start(manner: Manner) -> Hostile {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("the address just bound");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // A broken pipe ends a connection: that is its end.
                connections.spawn(async move { drop(behave(stream, manner).await) });
            }
        });
        Hostile { address, _tasks: tasks }
    }
}

const GARBAGE: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";

async fn behave(mut stream: TcpStream, manner: Manner) -> std::io::Result<()> {
    let mut chunk = vec![0; 64 << 10];
    match manner {
        Manner::Closes => Ok(()),
        Manner::Silent => loop {
            if stream.read(&mut chunk).await? == 0 {
                return Ok(());
            }
        },
        Manner::Echoes => loop {
            match stream.read(&mut chunk).await? {
                0 => return Ok(()),
                count => stream.write_all(&chunk[..count]).await?,
            }
        },
        Manner::Garbage => loop {
            if stream.read(&mut chunk).await? == 0 {
                return Ok(());
            }
            stream.write_all(GARBAGE).await?;
        },
        Manner::Floods => loop {
            stream.write_all(&[0xD0, 0x00].repeat(4096)).await?;
        },
        Manner::Huge => {
            stream.write_all(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F]).await?;
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        Manner::AcceptsThenSilent
        | Manner::AcceptsThenCloses
        | Manner::AcceptsThenGarbage
        | Manner::AcceptsThenFloods
        | Manner::AcceptsAndPings => {
            let count = stream.read(&mut chunk).await?;
            if count < 9 {
                return Ok(());
            }
            // Protocol name MQTT: the level is the byte behind it.
            let level = chunk[..count].windows(4).position(|w| w == b"MQTT").and_then(|at| chunk.get(at + 4));
            let connack: &[u8] = if level == Some(&5) { &[0x20, 3, 0, 0, 0] } else { &[0x20, 2, 0, 0] };
            stream.write_all(connack).await?;
            loop {
                let count = match manner {
                    Manner::AcceptsThenCloses => return Ok(()),
                    Manner::AcceptsThenFloods => 1,
                    _ => stream.read(&mut chunk).await?,
                };
                match manner {
                    _ if count == 0 => return Ok(()),
                    Manner::AcceptsThenGarbage => stream.write_all(GARBAGE).await?,
                    Manner::AcceptsThenFloods => stream.write_all(&[0xD0, 0x00].repeat(4096)).await?,
                    Manner::AcceptsAndPings if chunk[..count].ends_with(&[0xC0, 0x00]) => {
                        stream.write_all(&[0xD0, 0x00]).await?;
                    }
                    _ => {}
                }
            }
        }
    }
}
