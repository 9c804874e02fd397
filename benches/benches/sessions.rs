//! Sessions of five packets with Debian's Mosquitto over loopback: judged by all rules, as `mqtt-assay fuzz` plays its
//! cases, next to a bare socket loop in the same run. Prints a table; a number as argument is the seconds for each row.

use mqtt_assay::campaign::{self, Options, pace};
use mqtt_assay::target::{Target, TcpTarget, Transport};
use mqtt_assay_benches::sessions::{Busy, Mosquitto, PACKETS, SESSION, bare_loop};
use std::error::Error;
use std::time::{Duration, Instant};

/// The bare loop has so many threads, each with one connection: as many as a campaign plays side by side, since Mosquitto
/// leaves it to the kernel when its second answer goes out, which then waits for 40 ms.
const THREADS: u64 = 128;

/// What a row is made of.
struct Row {
    what: &'static str,
    sessions: u64,
    packets: u64,
    elapsed: Duration,
    ours: Busy,
    brokers: Busy,
}

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(10);
    let time = Duration::from_secs(seconds);
    let broker = match Mosquitto::start() {
        Ok(broker) => broker,
        Err(error) => {
            eprintln!("Mosquitto cannot be started ({error}): nothing is measured");
            return Ok(());
        }
    };
    let address = broker.address;
    let rows = [
        row("bare socket loop", &broker, || {
            let sessions = bare_loop(address, THREADS, time)?;
            Ok((sessions, sessions * PACKETS))
        })?,
        row("**judged by all rules**", &broker, || {
            let folder = std::env::temp_dir();
            let options = Options { time: Some(time), ..options(&broker, folder) };
            let case = SESSION.parse()?;
            let pace = tokio::runtime::Runtime::new()?.block_on(pace(&options, &case))?;
            if pace.accusations > 0 {
                return Err("a rule accuses a session that is in order".into());
            }
            Ok((pace.plays, pace.packets))
        })?,
        row("a campaign's own cases", &broker, || {
            let folder = std::env::temp_dir().join(format!("mqtt-assay-campaign-{}", std::process::id()));
            let options = Options { time: Some(time), ..options(&broker, folder.clone()) };
            let (_keep, stop) = tokio::sync::watch::channel(false);
            let runtime = tokio::runtime::Runtime::new()?;
            let summary = runtime.block_on(campaign::run(&options, stop, &mut |_| {}));
            std::fs::remove_dir_all(folder)?;
            let summary = summary?;
            Ok((summary.cases, summary.packets))
        })?,
    ];
    print(&rows);
    Ok(())
}

fn options(broker: &Mosquitto, out: std::path::PathBuf) -> Options {
    let target = Target::Tcp(TcpTarget {
        host: broker.address.ip().to_string(),
        port: broker.address.port(),
        transport: Transport::default(),
        user_name: None,
        password: None,
    });
    Options {
        seed: 1,
        // Findings cost time of their own, and are none of this.
        minimising: Duration::from_millis(1),
        nonce: u64::from(std::process::id()) << 20,
        ..Options::new(target, out)
    }
}

fn row(
    what: &'static str,
    broker: &Mosquitto,
    work: impl FnOnce() -> Result<(u64, u64), Box<dyn Error>>,
) -> Result<Row, Box<dyn Error>> {
    let own = std::process::id();
    let (ours, brokers, begun) = (Busy::of(own)?, Busy::of(broker.pid())?, Instant::now());
    let (sessions, packets) = work()?;
    let elapsed = begun.elapsed();
    let (ours, brokers) = (Busy::of(own)?.since(ours), Busy::of(broker.pid())?.since(brokers));
    Ok(Row { what, sessions, packets, elapsed, ours, brokers })
}

fn print(rows: &[Row]) {
    println!(
        "| what | sessions/s | packets/s | sessions/s per core of ours | our own code | kernel, for us | Mosquitto | kernel, for it |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for row in rows {
        let per_second = |count: u64| count as f64 / row.elapsed.as_secs_f64();
        let each = |time: Duration| time.as_secs_f64() * 1e6 / row.sessions.max(1) as f64;
        let own = row.ours.user + row.ours.kernel;
        let all = [row.ours.user, row.ours.kernel, row.brokers.user, row.brokers.kernel];
        let sum: Duration = all.iter().sum();
        let shares: Vec<String> = all
            .into_iter()
            .map(|time| {
                let share = 100.0 * time.as_secs_f64() / sum.as_secs_f64().max(1e-9);
                format!("{:.0} µs, {share:.0} %", each(time))
            })
            .collect();
        println!(
            "| {} | {:.0} | {:.0} | {:.0} | {} |",
            row.what,
            per_second(row.sessions),
            per_second(row.packets),
            row.sessions as f64 / own.as_secs_f64().max(1e-9),
            shares.join(" | ")
        );
    }
}
