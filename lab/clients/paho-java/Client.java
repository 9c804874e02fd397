import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.mqttv5.client.IMqttToken;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.MqttDisconnectResponse;
import org.eclipse.paho.mqttv5.common.MqttSubscription;
import org.eclipse.paho.mqttv5.common.packet.MqttProperties;
import org.eclipse.paho.mqttv5.common.packet.UserProperty;

/**
 * The two clients of Paho for Java, for 3.1.1 and for 5.0, against a broker: Client VERSION TRANSPORT PORT CA. Prints a
 * line per step, and ends with 1 if one failed.
 */
public final class Client {
  private static final int MESSAGES = 20;
  private static final int MILLISECONDS = 10_000;

  private static String uri;
  private static String prefix;
  private static boolean five;
  private static SSLSocketFactory sockets;

  private record Came(String payload, int qos, boolean retain, MqttProperties properties) {}

  /** A connected client, in either version. */
  private abstract static class Connected {
    final BlockingQueue<Came> received = new LinkedBlockingQueue<>();
    boolean sessionPresent;

    abstract void subscribe(String topic, int qos) throws Exception;

    abstract void publish(String topic, String payload, int qos, boolean retain) throws Exception;

    abstract void close() throws Exception;

    Came expect(final String payload) throws Exception {
      final Came came = received.poll(MILLISECONDS, TimeUnit.MILLISECONDS);
      check(came != null, payload + " does not come within 10 s");
      check(came.payload().equals(payload), came.payload() + " came instead of " + payload);
      return came;
    }
  }

  private static final class Three extends Connected {
    final org.eclipse.paho.client.mqttv3.MqttAsyncClient client;

    Three(final String name, final boolean lasting, final String will) throws Exception {
      client =
          new org.eclipse.paho.client.mqttv3.MqttAsyncClient(
              uri, prefix + "/" + name, new org.eclipse.paho.client.mqttv3.persist.MemoryPersistence());
      final MqttConnectOptions options = new MqttConnectOptions();
      options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
      options.setCleanSession(!lasting);
      if (sockets != null) {
        options.setSocketFactory(sockets);
      }
      if (will != null) {
        options.setWill(will, "gone".getBytes(StandardCharsets.UTF_8), 1, false);
      }
      client.setCallback(
          new org.eclipse.paho.client.mqttv3.MqttCallback() {
            @Override
            public void connectionLost(final Throwable cause) {}

            @Override
            public void messageArrived(
                final String topic, final org.eclipse.paho.client.mqttv3.MqttMessage message) {
              received.add(new Came(message.toString(), message.getQos(), message.isRetained(), null));
            }

            @Override
            public void deliveryComplete(final IMqttDeliveryToken token) {}
          });
      final org.eclipse.paho.client.mqttv3.IMqttToken token = client.connect(options);
      token.waitForCompletion(MILLISECONDS);
      sessionPresent = token.getSessionPresent();
    }

    @Override
    void subscribe(final String topic, final int qos) throws Exception {
      final org.eclipse.paho.client.mqttv3.IMqttToken token = client.subscribe(topic, qos);
      token.waitForCompletion(MILLISECONDS);
      check(token.getGrantedQos()[0] == qos, "SUBACK " + token.getGrantedQos()[0]);
    }

    @Override
    void publish(final String topic, final String payload, final int qos, final boolean retain) throws Exception {
      client.publish(topic, payload.getBytes(StandardCharsets.UTF_8), qos, retain).waitForCompletion(MILLISECONDS);
    }

    @Override
    void close() throws Exception {
      client.disconnect().waitForCompletion(MILLISECONDS);
      client.close();
    }
  }

  private static final class Five extends Connected {
    final org.eclipse.paho.mqttv5.client.MqttAsyncClient client;

    Five(final String name, final boolean lasting, final String will) throws Exception {
      client =
          new org.eclipse.paho.mqttv5.client.MqttAsyncClient(
              uri, prefix + "/" + name, new org.eclipse.paho.mqttv5.client.persist.MemoryPersistence());
      final MqttConnectionOptions options = new MqttConnectionOptions();
      options.setCleanStart(!lasting);
      options.setSessionExpiryInterval(lasting ? 600L : 0L);
      if (sockets != null) {
        options.setSocketFactory(sockets);
      }
      if (will != null) {
        options.setWill(
            will,
            new org.eclipse.paho.mqttv5.common.MqttMessage("gone".getBytes(StandardCharsets.UTF_8), 1, false, null));
      }
      client.setCallback(
          new org.eclipse.paho.mqttv5.client.MqttCallback() {
            @Override
            public void disconnected(final MqttDisconnectResponse response) {}

            @Override
            public void mqttErrorOccurred(final org.eclipse.paho.mqttv5.common.MqttException error) {}

            @Override
            public void messageArrived(
                final String topic, final org.eclipse.paho.mqttv5.common.MqttMessage message) {
              received.add(
                  new Came(message.toString(), message.getQos(), message.isRetained(), message.getProperties()));
            }

            @Override
            public void deliveryComplete(final IMqttToken token) {}

            @Override
            public void connectComplete(final boolean reconnect, final String server) {}

            @Override
            public void authPacketArrived(final int code, final MqttProperties properties) {}
          });
      final IMqttToken token = client.connect(options);
      token.waitForCompletion(MILLISECONDS);
      sessionPresent = token.getSessionPresent();
    }

    @Override
    void subscribe(final String topic, final int qos) throws Exception {
      subscribe(topic, qos, new MqttProperties());
    }

    void subscribe(final String topic, final int qos, final MqttProperties properties) throws Exception {
      final IMqttToken token =
          client.subscribe(new MqttSubscription[] {new MqttSubscription(topic, qos)}, null, null, properties);
      token.waitForCompletion(MILLISECONDS);
      check(token.getReasonCodes()[0] == qos, "SUBACK " + token.getReasonCodes()[0]);
    }

    @Override
    void publish(final String topic, final String payload, final int qos, final boolean retain) throws Exception {
      client.publish(topic, payload.getBytes(StandardCharsets.UTF_8), qos, retain).waitForCompletion(MILLISECONDS);
    }

    @Override
    void close() throws Exception {
      client.disconnect().waitForCompletion(MILLISECONDS);
      client.close();
    }
  }

  private static Connected connected(final String name, final boolean lasting, final String will) throws Exception {
    return five ? new Five(name, lasting, will) : new Three(name, lasting, will);
  }

  private static void check(final boolean holds, final String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  private static Void bothWays(final int qos) throws Exception {
    final String topic = prefix + "/qos" + qos;
    final Connected client = connected("qos" + qos, false, null);
    client.subscribe(topic, qos);
    for (int number = 0; number < MESSAGES; number++) {
      client.publish(topic, Integer.toString(number), qos, false);
    }
    for (int number = 0; number < MESSAGES; number++) {
      final Came came = client.expect(Integer.toString(number));
      check(came.qos() == qos, "QoS " + came.qos() + " came");
    }
    client.close();
    return null;
  }

  private static Void retained() throws Exception {
    final String topic = prefix + "/retained";
    final Connected client = connected("retained", false, null);
    client.publish(topic, "kept", 1, true);
    client.subscribe(topic, 1);
    check(client.expect("kept").retain(), "RETAIN is 0");
    client.publish(topic, "", 1, true);
    client.close();
    return null;
  }

  /** The connection of the one with the Will is taken over by another. */
  private static Void will() throws Exception {
    final String topic = prefix + "/will";
    final Connected watcher = connected("watcher", false, null);
    watcher.subscribe(topic, 1);
    connected("will", false, topic);
    final Connected successor = connected("will", false, null);
    watcher.expect("gone");
    successor.close();
    watcher.close();
    return null;
  }

  private static Void resumption() throws Exception {
    final String topic = prefix + "/resumption";
    final Connected first = connected("resumption", true, null);
    first.subscribe(topic, 1);
    first.close();
    final Connected sender = connected("sender", false, null);
    sender.publish(topic, "meanwhile", 1, false);
    sender.close();
    final Connected second = connected("resumption", true, null);
    check(second.sessionPresent, "Session Present is 0");
    second.expect("meanwhile");
    second.close();
    connected("resumption", false, null).close();
    return null;
  }

  private static Void properties() throws Exception {
    final String topic = prefix + "/properties";
    final Five client = new Five("properties", false, null);
    final MqttProperties subscription = new MqttProperties();
    subscription.setSubscriptionIdentifiers(Arrays.asList(7));
    client.subscribe(topic, 1, subscription);
    final MqttProperties sent = new MqttProperties();
    sent.setMessageExpiryInterval(100L);
    sent.setPayloadFormat(true);
    sent.setContentType("text/plain");
    sent.setResponseTopic(prefix + "/answers");
    sent.setCorrelationData(new byte[] {0, 1});
    sent.setUserProperties(List.of(new UserProperty("a", "1"), new UserProperty("a", "2")));
    final byte[] told = "told".getBytes(StandardCharsets.UTF_8);
    client.client
        .publish(topic, new org.eclipse.paho.mqttv5.common.MqttMessage(told, 1, false, sent))
        .waitForCompletion(MILLISECONDS);
    final MqttProperties came = client.expect("told").properties();
    check(came.getMessageExpiryInterval() <= 100, "Message Expiry Interval is not what was sent");
    check(came.getPayloadFormat(), "Payload Format Indicator is not what was sent");
    check("text/plain".equals(came.getContentType()), "Content Type is not what was sent");
    check((prefix + "/answers").equals(came.getResponseTopic()), "Response Topic is not what was sent");
    check(Arrays.equals(came.getCorrelationData(), new byte[] {0, 1}), "Correlation Data is not what was sent");
    check(came.getUserProperties().equals(sent.getUserProperties()), "User Property is not what was sent");
    check(came.getSubscriptionIdentifiers().equals(List.of(7)), "Subscription Identifier is not the subscription's");
    client.close();
    return null;
  }

  public static void main(final String[] arguments) throws Exception {
    java.util.logging.LogManager.getLogManager().reset();
    final String version = arguments[0];
    final String transport = arguments[1];
    five = version.equals("5.0");
    prefix = "lab/paho-java/" + version + "/" + transport;
    final String scheme = transport.equals("tls") ? "ssl" : transport;
    uri = scheme + "://127.0.0.1:" + arguments[2] + (transport.startsWith("ws") ? "/mqtt" : "");
    if (transport.equals("tls") || transport.equals("wss")) {
      final KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null);
      try (FileInputStream ca = new FileInputStream(arguments[3])) {
        store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(ca));
      }
      final TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trusted.init(store);
      final SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trusted.getTrustManagers(), null);
      sockets = context.getSocketFactory();
    }

    final Map<String, Callable<Void>> steps = new LinkedHashMap<>();
    steps.put(
        "connect",
        () -> {
          connected("connect", false, null).close();
          return null;
        });
    steps.put("qos0", () -> bothWays(0));
    steps.put("qos1", () -> bothWays(1));
    steps.put("qos2", () -> bothWays(2));
    steps.put("retained", Client::retained);
    steps.put("will", Client::will);
    steps.put("resumption", Client::resumption);
    if (five) {
      steps.put("properties", Client::properties);
    }
    int failed = 0;
    for (final Map.Entry<String, Callable<Void>> step : steps.entrySet()) {
      final String line = "paho-java " + version + " " + transport + " " + step.getKey();
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
