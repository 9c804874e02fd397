"""Paho for Python against a broker: client.py VERSION TRANSPORT PORT CA

Prints a line per step, and ends with 1 if one failed.
"""

import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

VERSION, TRANSPORT, PORT, CA = sys.argv[1:5]
V5 = VERSION == "5.0"
PREFIX = f"lab/paho-python/{VERSION}/{TRANSPORT}"
SECONDS = 10


class Client:
    """A connected client; what it receives is in a queue."""

    def __init__(self, name, clean=True, will=None):
        self.received = queue.Queue()
        self.answers = queue.Queue()
        self.paho = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=f"{PREFIX}/{name}",
            clean_session=None if V5 else clean,
            protocol=mqtt.MQTTv5 if V5 else mqtt.MQTTv311,
            transport="websockets" if TRANSPORT.startswith("ws") else "tcp",
            reconnect_on_failure=False,
        )
        self.paho.on_connect = lambda _c, _u, flags, code, _p: self.answers.put((code, flags.session_present))
        self.paho.on_message = lambda _c, _u, message: self.received.put(message)
        self.paho.on_subscribe = lambda _c, _u, _id, codes, _p: self.answers.put(codes)
        if TRANSPORT in ("tls", "wss"):
            self.paho.tls_set(ca_certs=CA)
        if TRANSPORT.startswith("ws"):
            self.paho.ws_set_options(path="/mqtt")
        if will:
            self.paho.will_set(*will, qos=1)
        lasting = {}
        if V5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 0 if clean else 600
            lasting = {"clean_start": clean, "properties": properties}
        self.paho.connect("127.0.0.1", int(PORT), keepalive=30, **lasting)
        self.paho.loop_start()
        code, self.session_present = self.answers.get(timeout=SECONDS)
        assert not code.is_failure, f"CONNACK {code}"

    def subscribe(self, topic, qos, identifier=None):
        properties = None
        if identifier is not None:
            properties = Properties(PacketTypes.SUBSCRIBE)
            properties.SubscriptionIdentifier = identifier
        self.paho.subscribe(topic, qos, properties=properties)
        codes = self.answers.get(timeout=SECONDS)
        assert codes[0].value == qos, f"SUBACK {codes[0]}"

    def publish(self, topic, payload, qos, retain=False, properties=None):
        self.paho.publish(topic, payload, qos, retain, properties).wait_for_publish(SECONDS)

    def expect(self, payload):
        message = self.received.get(timeout=SECONDS)
        assert message.payload == payload, f"{message.payload} came instead of {payload}"
        return message

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()


def connect():
    Client("connect").close()


def both_ways(qos):
    client = Client(f"qos{qos}")
    client.subscribe(f"{PREFIX}/qos{qos}", qos)
    for number in range(20):
        client.publish(f"{PREFIX}/qos{qos}", b"%d" % number, qos)
    for number in range(20):
        message = client.expect(b"%d" % number)
        assert message.qos == qos, f"QoS {message.qos} came"
    client.close()


def retained():
    client = Client("retained")
    topic = f"{PREFIX}/retained"
    client.publish(topic, b"kept", 1, retain=True)
    client.subscribe(topic, 1)
    assert client.expect(b"kept").retain, "RETAIN is 0"
    client.publish(topic, b"", 1, retain=True)
    client.close()


def will():
    watcher = Client("watcher")
    watcher.subscribe(f"{PREFIX}/will", 1)
    lost = Client("will", will=(f"{PREFIX}/will", b"gone"))
    successor = Client("will")
    watcher.expect(b"gone")
    lost.paho.loop_stop()
    successor.close()
    watcher.close()


def resumption():
    topic = f"{PREFIX}/resumption"
    first = Client("resumption", clean=False)
    first.subscribe(topic, 1)
    first.close()
    sender = Client("sender")
    sender.publish(topic, b"meanwhile", 1)
    sender.close()
    second = Client("resumption", clean=False)
    assert second.session_present, "Session Present is 0"
    second.expect(b"meanwhile")
    second.close()
    Client("resumption").close()


def properties():
    client = Client("properties")
    client.subscribe(f"{PREFIX}/properties", 1, identifier=7)
    sent = Properties(PacketTypes.PUBLISH)
    sent.PayloadFormatIndicator = 1
    sent.MessageExpiryInterval = 100
    sent.ContentType = "text/plain"
    sent.ResponseTopic = f"{PREFIX}/answers"
    sent.CorrelationData = b"\x00\x01"
    sent.UserProperty = [("a", "1"), ("a", "2")]
    client.publish(f"{PREFIX}/properties", b"told", 1, properties=sent)
    came = client.expect(b"told").properties
    for name in ("PayloadFormatIndicator", "ContentType", "ResponseTopic", "CorrelationData", "UserProperty"):
        assert getattr(came, name) == getattr(sent, name), f"{name} is {getattr(came, name, None)}"
    assert came.MessageExpiryInterval <= 100, f"MessageExpiryInterval is {came.MessageExpiryInterval}"
    assert came.SubscriptionIdentifier == [7], f"SubscriptionIdentifier is {came.SubscriptionIdentifier}"
    client.close()


STEPS = {
    "connect": connect,
    "qos0": lambda: both_ways(0),
    "qos1": lambda: both_ways(1),
    "qos2": lambda: both_ways(2),
    "retained": retained,
    "will": will,
    "resumption": resumption,
}
if V5:
    STEPS["properties"] = properties

failed = False
for name, step in STEPS.items():
    try:
        step()
        print(f"paho-python {VERSION} {TRANSPORT} {name} ok", flush=True)
    except Exception as error:  # whatever goes wrong is the result
        failed = True
        print(f"paho-python {VERSION} {TRANSPORT} {name} FAILED {type(error).__name__} {error}", flush=True)
sys.exit(failed)
