import com.hivemq.client.mqtt.MqttClient;
import com.hivemq.client.mqtt.MqttClientBuilder;
import com.hivemq.client.mqtt.MqttGlobalPublishFilter;
import com.hivemq.client.mqtt.datatypes.MqttQos;
import com.hivemq.client.mqtt.mqtt3.Mqtt3BlockingClient;
import com.hivemq.client.mqtt.mqtt3.message.publish.Mqtt3Publish;
import com.hivemq.client.mqtt.mqtt5.Mqtt5BlockingClient;
import com.hivemq.client.mqtt.mqtt5.datatypes.Mqtt5UserProperties;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5PayloadFormatIndicator;
import com.hivemq.client.mqtt.mqtt5.message.publish.Mqtt5Publish;
import java.io.FileInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.TrustManagerFactory;

/**
 * The HiveMQ client against a broker: Client VERSION TRANSPORT PORT CA. Prints a line per step, and ends with 1 if one
 * failed.
 */
public final class Client {
  private static final int MESSAGES = 20;
  private static final String SUBJECT = "hivemq";

  private static String version;
  private static String transport;
  private static int port;
  private static TrustManagerFactory trusted;
  private static String prefix;

  /** A connected client, in either version. */
  private interface Connected {
    boolean sessionPresent();

    void subscribe(String topic, MqttQos qos);

    void publish(String topic, String payload, MqttQos qos, boolean retain);

    /** The next message: its payload, QoS and RETAIN. */
    Came next() throws Exception;

    void close();
  }

  private record Came(String payload, MqttQos qos, boolean retain, Mqtt5Publish five) {}

  private static MqttClientBuilder builder(final String name) {
    MqttClientBuilder builder = MqttClient.builder().identifier(prefix + "/" + name).serverHost("127.0.0.1").serverPort(port);
    if (transport.startsWith("ws")) {
      builder = builder.webSocketConfig().serverPath("mqtt").applyWebSocketConfig();
    }
    if (transport.equals("tls") || transport.equals("wss")) {
      builder = builder.sslConfig().trustManagerFactory(trusted).applySslConfig();
    }
    return builder;
  }

  private static String text(final byte[] payload) {
    return new String(payload, StandardCharsets.UTF_8);
  }

  private static byte[] bytes(final String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static <T> T within(final Optional<T> came) {
    return came.orElseThrow(() -> new AssertionError("no message within 10 s"));
  }

  private static final class Three implements Connected {
    final Mqtt3BlockingClient client;
    final Mqtt3BlockingClient.Mqtt3Publishes publishes;
    final boolean present;

    Three(final String name, final boolean lasting, final String will) {
      client = builder(name).useMqttVersion3().buildBlocking();
      publishes = client.publishes(MqttGlobalPublishFilter.ALL);
      var connect = client.connectWith().cleanSession(!lasting);
      if (will != null) {
        connect = connect.willPublish().topic(will).payload(bytes("gone")).qos(MqttQos.AT_LEAST_ONCE).applyWillPublish();
      }
      present = connect.send().isSessionPresent();
    }

    public boolean sessionPresent() {
      return present;
    }

    public void subscribe(final String topic, final MqttQos qos) {
      client.subscribeWith().topicFilter(topic).qos(qos).send();
    }

    public void publish(final String topic, final String payload, final MqttQos qos, final boolean retain) {
      client.publishWith().topic(topic).payload(bytes(payload)).qos(qos).retain(retain).send();
    }

    public Came next() throws Exception {
      final Mqtt3Publish came = within(publishes.receive(10, TimeUnit.SECONDS));
      return new Came(text(came.getPayloadAsBytes()), came.getQos(), came.isRetain(), null);
    }

    public void close() {
      publishes.close();
      client.disconnect();
    }
  }

  private static final class Five implements Connected {
    final Mqtt5BlockingClient client;
    final Mqtt5BlockingClient.Mqtt5Publishes publishes;
    final boolean present;

    Five(final String name, final boolean lasting, final String will) {
      client = builder(name).useMqttVersion5().buildBlocking();
      publishes = client.publishes(MqttGlobalPublishFilter.ALL);
      var connect = client.connectWith().cleanStart(!lasting).sessionExpiryInterval(lasting ? 600 : 0);
      if (will != null) {
        connect = connect.willPublish().topic(will).payload(bytes("gone")).qos(MqttQos.AT_LEAST_ONCE).applyWillPublish();
      }
      present = connect.send().isSessionPresent();
    }

    public boolean sessionPresent() {
      return present;
    }

    public void subscribe(final String topic, final MqttQos qos) {
      client.subscribeWith().topicFilter(topic).qos(qos).send();
    }

    public void publish(final String topic, final String payload, final MqttQos qos, final boolean retain) {
      client.publishWith().topic(topic).payload(bytes(payload)).qos(qos).retain(retain).send();
    }

    public Came next() throws Exception {
      final Mqtt5Publish came = within(publishes.receive(10, TimeUnit.SECONDS));
      return new Came(text(came.getPayloadAsBytes()), came.getQos(), came.isRetain(), came);
    }

    public void close() {
      publishes.close();
      client.disconnect();
    }
  }

  private static Connected connected(final String name, final boolean lasting, final String will) {
    return version.equals("5.0") ? new Five(name, lasting, will) : new Three(name, lasting, will);
  }

  private static void check(final boolean holds, final String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  private static Came expect(final Connected client, final String payload) throws Exception {
    final Came came = client.next();
    check(came.payload().equals(payload), came.payload() + " came instead of " + payload);
    return came;
  }

  private static Void bothWays(final MqttQos qos) throws Exception {
    final String name = "qos" + qos.getCode();
    final String topic = prefix + "/" + name;
    final Connected client = connected(name, false, null);
    client.subscribe(topic, qos);
    for (int number = 0; number < MESSAGES; number++) {
      client.publish(topic, Integer.toString(number), qos, false);
    }
    for (int number = 0; number < MESSAGES; number++) {
      final Came came = expect(client, Integer.toString(number));
      check(came.qos() == qos, "QoS " + came.qos() + " came");
    }
    client.close();
    return null;
  }

  private static Void retained() throws Exception {
    final String topic = prefix + "/retained";
    final Connected client = connected("retained", false, null);
    client.publish(topic, "kept", MqttQos.AT_LEAST_ONCE, true);
    client.subscribe(topic, MqttQos.AT_LEAST_ONCE);
    check(expect(client, "kept").retain(), "RETAIN is 0");
    client.publish(topic, "", MqttQos.AT_LEAST_ONCE, true);
    client.close();
    return null;
  }

  /** The connection of the one with the Will is taken over: in this library nothing else ends it without DISCONNECT. */
  private static Void will() throws Exception {
    final String topic = prefix + "/will";
    final Connected watcher = connected("watcher", false, null);
    watcher.subscribe(topic, MqttQos.AT_LEAST_ONCE);
    connected("will", false, topic);
    final Connected successor = connected("will", false, null);
    expect(watcher, "gone");
    successor.close();
    watcher.close();
    return null;
  }

  private static Void resumption() throws Exception {
    final String topic = prefix + "/resumption";
    final Connected first = connected("resumption", true, null);
    first.subscribe(topic, MqttQos.AT_LEAST_ONCE);
    first.close();
    final Connected sender = connected("sender", false, null);
    sender.publish(topic, "meanwhile", MqttQos.AT_LEAST_ONCE, false);
    sender.close();
    final Connected second = connected("resumption", true, null);
    check(second.sessionPresent(), "Session Present is 0");
    expect(second, "meanwhile");
    second.close();
    connected("resumption", false, null).close();
    return null;
  }

  private static Void properties() throws Exception {
    final String topic = prefix + "/properties";
    final Five client = new Five("properties", false, null);
    client.subscribe(topic, MqttQos.AT_LEAST_ONCE);
    final Mqtt5UserProperties user = Mqtt5UserProperties.builder().add("a", "1").add("a", "2").build();
    client.client
        .publishWith()
        .topic(topic)
        .payload(bytes("told"))
        .qos(MqttQos.AT_LEAST_ONCE)
        .messageExpiryInterval(100)
        .payloadFormatIndicator(Mqtt5PayloadFormatIndicator.UTF_8)
        .contentType("text/plain")
        .responseTopic(prefix + "/answers")
        .correlationData(new byte[] {0, 1})
        .userProperties(user)
        .send();
    final Mqtt5Publish came = expect(client, "told").five();
    check(came.getMessageExpiryInterval().orElse(101) <= 100, "Message Expiry Interval is not what was sent");
    check(came.getPayloadFormatIndicator().isPresent(), "Payload Format Indicator is not what was sent");
    check(came.getContentType().map(Object::toString).orElse("").equals("text/plain"), "Content Type is not what was sent");
    check(
        came.getResponseTopic().map(Object::toString).orElse("").equals(prefix + "/answers"),
        "Response Topic is not what was sent");
    check(
        came.getCorrelationData().orElse(ByteBuffer.allocate(0)).equals(ByteBuffer.wrap(new byte[] {0, 1})),
        "Correlation Data is not what was sent");
    check(came.getUserProperties().equals(user), "User Property is not what was sent");
    client.close();
    return null;
  }

  public static void main(final String[] arguments) throws Exception {
    version = arguments[0];
    transport = arguments[1];
    port = Integer.parseInt(arguments[2]);
    prefix = "lab/" + SUBJECT + "/" + version + "/" + transport;
    final KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null);
    try (FileInputStream ca = new FileInputStream(arguments[3])) {
      store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(ca));
    }
    trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trusted.init(store);

    final Map<String, Callable<Void>> steps = new LinkedHashMap<>();
    steps.put(
        "connect",
        () -> {
          connected("connect", false, null).close();
          return null;
        });
    steps.put("qos0", () -> bothWays(MqttQos.AT_MOST_ONCE));
    steps.put("qos1", () -> bothWays(MqttQos.AT_LEAST_ONCE));
    steps.put("qos2", () -> bothWays(MqttQos.EXACTLY_ONCE));
    steps.put("retained", Client::retained);
    steps.put("will", Client::will);
    steps.put("resumption", Client::resumption);
    if (version.equals("5.0")) {
      steps.put("properties", Client::properties);
    }
    int failed = 0;
    for (final Map.Entry<String, Callable<Void>> step : steps.entrySet()) {
      final String line = SUBJECT + " " + version + " " + transport + " " + step.getKey();
      try {
        step.getValue().call();
        System.out.println(line + " ok");
      } catch (final Throwable error) {
        failed = 1;
        System.out.println(line + " FAILED " + error);
      }
    }
    System.exit(failed);
  }
}
