//! rumqttc against a broker: rumqttc-client VERSION TRANSPORT PORT CA
//!
//! Prints a line per step, and ends with 1 if one failed. The library has a module for each version of MQTT; `v3` and
//! `v5` make one of both.

mod v3;
mod v5;

use std::process::ExitCode;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);
const MESSAGES: usize = 20;

type Outcome<T = ()> = Result<T, String>;

/// A message that came.
struct Came {
    payload: String,
    qos: u8,
    retain: bool,
}

/// What the run is about.
#[derive(Clone)]
struct Run {
    version: String,
    transport: String,
    port: u16,
    authority: Vec<u8>,
}

impl Run {
    fn prefix(&self) -> String {
        format!("lab/rumqttc/{}/{}", self.version, self.transport)
    }

    fn topic(&self, step: &str) -> String {
        format!("{}/{step}", self.prefix())
    }

    /// The host as the library wants it: for a WebSocket it is the whole URL.
    fn host(&self) -> String {
        match self.transport.as_str() {
            "ws" | "wss" => format!("{}://127.0.0.1:{}/mqtt", self.transport, self.port),
            _ => "127.0.0.1".to_owned(),
        }
    }

    fn carrier(&self) -> rumqttc::Transport {
        let secure = || rumqttc::TlsConfiguration::Simple {
            ca: self.authority.clone(),
            alpn: None,
            client_auth: None,
        };
        match self.transport.as_str() {
            "tls" => rumqttc::Transport::Tls(secure()),
            "ws" => rumqttc::Transport::Ws,
            "wss" => rumqttc::Transport::Wss(secure()),
            _ => rumqttc::Transport::Tcp,
        }
    }

    async fn connect(&self, name: &str, lasting: bool, will: Option<&str>) -> Outcome<Client> {
        if self.version == "5.0" {
            v5::Connected::new(self, name, lasting, will).await.map(Client::Five)
        } else {
            v3::Connected::new(self, name, lasting, will).await.map(Client::Three)
        }
    }
}

/// A connected client, in either version.
enum Client {
    Three(v3::Connected),
    Five(v5::Connected),
}

impl Client {
    fn session_present(&self) -> bool {
        match self {
            Client::Three(client) => client.session_present,
            Client::Five(client) => client.session_present,
        }
    }

    async fn subscribe(&mut self, topic: &str, qos: u8) -> Outcome {
        match self {
            Client::Three(client) => client.subscribe(topic, qos).await,
            Client::Five(client) => client.subscribe(topic, qos, None).await,
        }
    }

    async fn publish(&mut self, topic: &str, payload: &str, qos: u8, retain: bool) -> Outcome {
        match self {
            Client::Three(client) => client.publish(topic, payload, qos, retain).await,
            Client::Five(client) => client.publish(topic, payload, qos, retain, None).await,
        }
    }

    async fn expect(&mut self, payload: &str) -> Outcome<Came> {
        let came = match self {
            Client::Three(client) => client.next().await?,
            Client::Five(client) => client.next().await?.0,
        };
        if came.payload != payload {
            return Err(format!("{:?} came instead of {payload:?}", came.payload));
        }
        Ok(came)
    }

    async fn close(self) -> Outcome {
        match self {
            Client::Three(client) => client.close().await,
            Client::Five(client) => client.close().await,
        }
    }
}

async fn both_ways(run: &Run, qos: u8) -> Outcome {
    let name = format!("qos{qos}");
    let topic = run.topic(&name);
    let mut client = run.connect(&name, false, None).await?;
    client.subscribe(&topic, qos).await?;
    for number in 0..MESSAGES {
        client.publish(&topic, &number.to_string(), qos, false).await?;
    }
    for number in 0..MESSAGES {
        let came = client.expect(&number.to_string()).await?;
        if came.qos != qos {
            return Err(format!("QoS {} came", came.qos));
        }
    }
    client.close().await
}

async fn retained(run: &Run) -> Outcome {
    let topic = run.topic("retained");
    let mut client = run.connect("retained", false, None).await?;
    client.publish(&topic, "kept", 1, true).await?;
    client.subscribe(&topic, 1).await?;
    if !client.expect("kept").await?.retain {
        return Err("RETAIN is 0".to_owned());
    }
    client.publish(&topic, "", 1, true).await?;
    client.close().await
}

async fn will(run: &Run) -> Outcome {
    let topic = run.topic("will");
    let mut watcher = run.connect("watcher", false, None).await?;
    watcher.subscribe(&topic, 1).await?;
    // Its connection ends with it, without DISCONNECT.
    drop(run.connect("will", false, Some(&topic)).await?);
    watcher.expect("gone").await?;
    watcher.close().await
}

async fn resumption(run: &Run) -> Outcome {
    let topic = run.topic("resumption");
    let mut first = run.connect("resumption", true, None).await?;
    first.subscribe(&topic, 1).await?;
    first.close().await?;
    let mut sender = run.connect("sender", false, None).await?;
    sender.publish(&topic, "meanwhile", 1, false).await?;
    sender.close().await?;
    let mut second = run.connect("resumption", true, None).await?;
    if !second.session_present() {
        return Err("Session Present is 0".to_owned());
    }
    second.expect("meanwhile").await?;
    second.close().await?;
    run.connect("resumption", false, None).await?.close().await
}

async fn step(run: &Run, name: &str) -> Outcome {
    match name {
        "connect" => run.connect("connect", false, None).await?.close().await,
        "qos0" => both_ways(run, 0).await,
        "qos1" => both_ways(run, 1).await,
        "qos2" => both_ways(run, 2).await,
        "retained" => retained(run).await,
        "will" => will(run).await,
        "resumption" => resumption(run).await,
        _ => v5::properties(run).await,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [version, transport, port, ca] = arguments.as_slice() else {
        eprintln!("usage: rumqttc-client VERSION TRANSPORT PORT CA");
        return ExitCode::from(2);
    };
    let (Ok(port), Ok(authority)) = (port.parse(), std::fs::read(ca)) else {
        eprintln!("{port} is no port, or {ca} cannot be read");
        return ExitCode::from(2);
    };
    let run = Run { version: version.clone(), transport: transport.clone(), port, authority };
    let mut steps = vec!["connect", "qos0", "qos1", "qos2", "retained", "will", "resumption"];
    if version == "5.0" {
        steps.push("properties");
    }
    let mut code = ExitCode::SUCCESS;
    for name in steps {
        match step(&run, name).await {
            Ok(()) => println!("rumqttc {version} {transport} {name} ok"),
            Err(why) => {
                code = ExitCode::from(1);
                println!("rumqttc {version} {transport} {name} FAILED {why}");
            }
        }
    }
    code
}
