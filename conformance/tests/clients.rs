//! The reference broker serves a client library of somebody else's, in both versions.

use mqtt_assay::serve::Served;
use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn rumqttc_speaks_3_1_1_with_it() {
    use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
    let broker = Served::start(None).await.expect("a free loopback port");
    let address = broker.address();
    let mut options = MqttOptions::new("rumqttc3", address.ip().to_string(), address.port());
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut connection) = AsyncClient::new(options, 10);
    client.subscribe("lamps/+", QoS::ExactlyOnce).await.expect("queued");
    let story = async {
        let mut got = Vec::new();
        while got.len() < 3 {
            match connection.poll().await.expect("the connection lives") {
                Event::Incoming(Packet::SubAck(_)) => {
                    for (n, qos) in
                        [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce].into_iter().enumerate()
                    {
                        client.publish("lamps/1", qos, false, [n as u8]).await.expect("queued");
                    }
                }
                Event::Incoming(Packet::Publish(publish)) => got.push((publish.payload[0], publish.qos)),
                _ => {}
            }
        }
        got.sort_by_key(|(n, _)| *n);
        assert_eq!(got, [(0, QoS::AtMostOnce), (1, QoS::AtLeastOnce), (2, QoS::ExactlyOnce)]);
    };
    timeout(PATIENCE, story).await.expect("three messages in time");
}

#[tokio::test]
async fn rumqttc_speaks_5_0_with_it() {
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::mqttbytes::v5::{Packet, PublishProperties};
    use rumqttc::v5::{AsyncClient, Event, MqttOptions};
    let broker = Served::start(None).await.expect("a free loopback port");
    let address = broker.address();
    let mut options = MqttOptions::new("rumqttc5", address.ip().to_string(), address.port());
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut connection) = AsyncClient::new(options, 10);
    client.subscribe("lamps/+", QoS::ExactlyOnce).await.expect("queued");
    let properties = PublishProperties {
        user_properties: vec![("a".into(), "1".into()), ("a".into(), "2".into())],
        content_type: Some("text/plain".into()),
        ..PublishProperties::default()
    };
    let story = async {
        let mut got = Vec::new();
        while got.len() < 3 {
            match connection.poll().await.expect("the connection lives") {
                Event::Incoming(Packet::SubAck(_)) => {
                    for (n, qos) in
                        [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce].into_iter().enumerate()
                    {
                        client
                            .publish_with_properties("lamps/1", qos, false, vec![n as u8], properties.clone())
                            .await
                            .expect("queued");
                    }
                }
                Event::Incoming(Packet::Publish(publish)) => {
                    let has = publish.properties.expect("properties are forwarded");
                    assert_eq!(has.user_properties, properties.user_properties);
                    assert_eq!(has.content_type, properties.content_type);
                    got.push((publish.payload[0], publish.qos));
                }
                _ => {}
            }
        }
        got.sort_by_key(|(n, _)| *n);
        assert_eq!(got, [(0, QoS::AtMostOnce), (1, QoS::AtLeastOnce), (2, QoS::ExactlyOnce)]);
    };
    timeout(PATIENCE, story).await.expect("three messages in time");
}
