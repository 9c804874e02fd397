//! rumqttd as a library, as a program would embed it. A broker of your own stands here.

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};

/// Serves MQTT 3.1.1 on this port of the loopback interface until the process ends.
///
/// # Panics
///
/// The broker does not start.
pub fn serve(port: u16) {
    let config = Config {
        router: RouterConfig {
            max_connections: 10_000,
            max_outgoing_packet_count: 200,
            max_segment_size: 100 << 20,
            max_segment_count: 10,
            ..RouterConfig::default()
        },
        v4: Some(HashMap::from([("1".to_owned(), settings(port))])),
        ..Config::default()
    };
    Broker::new(config).start().expect("the broker starts");
}

fn settings(port: u16) -> ServerSettings {
    ServerSettings {
        name: "mqtt".to_owned(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        tls: None,
        next_connection_delay_ms: 0,
        connections: ConnectionSettings {
            connection_timeout_ms: 60_000,
            max_payload_size: 256 << 10,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    }
}
