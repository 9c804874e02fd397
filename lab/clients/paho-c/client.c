/* Paho for C against a broker: client VERSION TRANSPORT PORT CA
 *
 * Prints a line per step, and ends with 1 if one failed. */
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLISECONDS 10000
#define MESSAGES 20

static const char *version, *transport;
static int five;
static char uri[64], prefix[64], why[256];
static MQTTClient_SSLOptions secure = MQTTClient_SSLOptions_initializer;

/* Says what went wrong, for the line of the step. */
#define FAIL(...) return snprintf(why, sizeof why, __VA_ARGS__), 0
#define TRY(step) \
  do { \
    if (!(step)) return 0; \
  } while (0)

static int opened(MQTTClient *client, const char *name, int clean, const char *will_topic, int *session_present) {
  char id[96];
  snprintf(id, sizeof id, "%s/%s", prefix, name);
  MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
  create.MQTTVersion = five ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  int code = MQTTClient_createWithOptions(client, uri, id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &create);
  if (code != MQTTCLIENT_SUCCESS) FAIL("create %d", code);

  MQTTClient_connectOptions three = MQTTClient_connectOptions_initializer;
  MQTTClient_connectOptions fifth = MQTTClient_connectOptions_initializer5;
  MQTTClient_connectOptions *options = five ? &fifth : &three;
  MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
  options->connectTimeout = MILLISECONDS / 1000;
  options->MQTTVersion = create.MQTTVersion;
  if (five)
    options->cleanstart = clean;
  else
    options->cleansession = clean;
  if (strcmp(transport, "tls") == 0 || strcmp(transport, "wss") == 0) options->ssl = &secure;
  if (will_topic) {
    will.topicName = will_topic;
    will.message = "gone";
    will.qos = 1;
    options->will = &will;
  }
  if (!five) {
    code = MQTTClient_connect(*client, options);
    if (session_present) *session_present = options->returned.sessionPresent;
  } else {
    MQTTProperties list = MQTTProperties_initializer;
    MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL};
    expiry.value.integer4 = clean ? 0 : 600;
    MQTTProperties_add(&list, &expiry);
    MQTTResponse answer = MQTTClient_connect5(*client, options, &list, NULL);
    code = answer.reasonCode;
    if (session_present) *session_present = options->returned.sessionPresent;
    MQTTResponse_free(answer);
    MQTTProperties_free(&list);
  }
  if (code != MQTTCLIENT_SUCCESS) FAIL("connect %d", code);
  return 1;
}

static int ended(MQTTClient *client) {
  int code = five ? MQTTClient_disconnect5(*client, 1000, MQTTREASONCODE_SUCCESS, NULL) : MQTTClient_disconnect(*client, 1000);
  MQTTClient_destroy(client);
  if (code != MQTTCLIENT_SUCCESS) FAIL("disconnect %d", code);
  return 1;
}

static int subscribed(MQTTClient client, const char *topic, int qos, int identifier) {
  int code;
  if (five) {
    MQTTProperties list = MQTTProperties_initializer;
    MQTTProperty property = {.identifier = MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER};
    property.value.integer4 = (unsigned)identifier;
    if (identifier) MQTTProperties_add(&list, &property);
    MQTTResponse answer = MQTTClient_subscribe5(client, topic, qos, NULL, &list);
    code = answer.reasonCode == (enum MQTTReasonCodes)qos ? 0 : (int)answer.reasonCode;
    MQTTResponse_free(answer);
    MQTTProperties_free(&list);
  } else {
    code = MQTTClient_subscribe(client, topic, qos);
  }
  if (code != MQTTCLIENT_SUCCESS) FAIL("subscribe %d", code);
  return 1;
}

static int published(MQTTClient client, const char *topic, const char *payload, int qos, int retain, MQTTProperties *list) {
  MQTTClient_message message = MQTTClient_message_initializer;
  message.payload = (void *)payload;
  message.payloadlen = (int)strlen(payload);
  message.qos = qos;
  message.retained = retain;
  if (list) message.properties = *list;
  MQTTClient_deliveryToken token;
  int code;
  if (five) {
    MQTTResponse answer = MQTTClient_publishMessage5(client, topic, &message, &token);
    code = answer.reasonCode;
    MQTTResponse_free(answer);
  } else {
    code = MQTTClient_publishMessage(client, topic, &message, &token);
  }
  if (code != MQTTCLIENT_SUCCESS) FAIL("publish %d", code);
  code = qos ? MQTTClient_waitForCompletion(client, token, MILLISECONDS) : MQTTCLIENT_SUCCESS;
  if (code != MQTTCLIENT_SUCCESS) FAIL("the publication is not completed, %d", code);
  return 1;
}

/* Waits for a message, which is the caller's if it is asked for. */
static int came(MQTTClient client, const char *payload, int qos, MQTTClient_message **wanted) {
  MQTTClient_message *message = NULL;
  char *topic = NULL;
  int length, good = 1;
  int code = MQTTClient_receive(client, &topic, &length, &message, MILLISECONDS);
  if (!message) FAIL("%s does not come, %d", payload, code);
  if ((size_t)message->payloadlen != strlen(payload) || memcmp(message->payload, payload, strlen(payload)) != 0) {
    snprintf(why, sizeof why, "%.*s came instead of %s", message->payloadlen, (char *)message->payload, payload);
    good = 0;
  } else if (message->qos != qos) {
    snprintf(why, sizeof why, "QoS %d came instead of %d", message->qos, qos);
    good = 0;
  }
  MQTTClient_free(topic);
  if (good && wanted)
    *wanted = message;
  else
    MQTTClient_freeMessage(&message);
  return good;
}

static int step_connect(void) {
  MQTTClient client;
  TRY(opened(&client, "connect", 1, NULL, NULL));
  return ended(&client);
}

static int both_ways(int qos) {
  MQTTClient client;
  char name[8], topic[96], payload[8];
  snprintf(name, sizeof name, "qos%d", qos);
  snprintf(topic, sizeof topic, "%s/%s", prefix, name);
  TRY(opened(&client, name, 1, NULL, NULL));
  TRY(subscribed(client, topic, qos, 0));
  for (int number = 0; number < MESSAGES; number++) {
    snprintf(payload, sizeof payload, "%d", number);
    TRY(published(client, topic, payload, qos, 0, NULL));
  }
  for (int number = 0; number < MESSAGES; number++) {
    snprintf(payload, sizeof payload, "%d", number);
    TRY(came(client, payload, qos, NULL));
  }
  return ended(&client);
}

static int step_qos0(void) { return both_ways(0); }
static int step_qos1(void) { return both_ways(1); }
static int step_qos2(void) { return both_ways(2); }

static int step_retained(void) {
  MQTTClient client;
  MQTTClient_message *message;
  char topic[96];
  snprintf(topic, sizeof topic, "%s/retained", prefix);
  TRY(opened(&client, "retained", 1, NULL, NULL));
  TRY(published(client, topic, "kept", 1, 1, NULL));
  TRY(subscribed(client, topic, 1, 0));
  TRY(came(client, "kept", 1, &message));
  int retained = message->retained;
  MQTTClient_freeMessage(&message);
  if (!retained) FAIL("RETAIN is 0");
  TRY(published(client, topic, "", 1, 1, NULL));
  return ended(&client);
}

/* The connection of the one with the Will is taken over: in this library nothing else ends it without DISCONNECT. */
static int step_will(void) {
  MQTTClient watcher, lost, successor;
  char topic[96];
  snprintf(topic, sizeof topic, "%s/will", prefix);
  TRY(opened(&watcher, "watcher", 1, NULL, NULL));
  TRY(subscribed(watcher, topic, 1, 0));
  TRY(opened(&lost, "will", 1, topic, NULL));
  TRY(opened(&successor, "will", 1, NULL, NULL));
  TRY(came(watcher, "gone", 1, NULL));
  MQTTClient_destroy(&lost);
  TRY(ended(&successor));
  return ended(&watcher);
}

static int step_resumption(void) {
  MQTTClient first, sender, second;
  int session_present = 0;
  char topic[96];
  snprintf(topic, sizeof topic, "%s/resumption", prefix);
  TRY(opened(&first, "resumption", 0, NULL, NULL));
  TRY(subscribed(first, topic, 1, 0));
  TRY(ended(&first));
  TRY(opened(&sender, "sender", 1, NULL, NULL));
  TRY(published(sender, topic, "meanwhile", 1, 0, NULL));
  TRY(ended(&sender));
  TRY(opened(&second, "resumption", 0, NULL, &session_present));
  /* The library does not hand on what a CONNACK of 5.0 says (1.3.12); that the message comes shows the Session, too. */
  if (!five && !session_present) FAIL("Session Present is 0");
  TRY(came(second, "meanwhile", 1, NULL));
  TRY(ended(&second));
  TRY(opened(&second, "resumption", 1, NULL, NULL));
  return ended(&second);
}

static void text(MQTTProperties *list, enum MQTTPropertyCodes identifier, char *data, int length) {
  MQTTProperty property = {.identifier = identifier};
  property.value.data.data = data;
  property.value.data.len = length;
  MQTTProperties_add(list, &property);
}

static int same_text(MQTTProperties *list, enum MQTTPropertyCodes identifier, const char *data, int length) {
  MQTTProperty *property = MQTTProperties_getProperty(list, identifier);
  return property && property->value.data.len == length && memcmp(property->value.data.data, data, (size_t)length) == 0;
}

static int step_properties(void) {
  MQTTClient client;
  MQTTClient_message *message;
  char topic[96], answers[96];
  snprintf(topic, sizeof topic, "%s/properties", prefix);
  snprintf(answers, sizeof answers, "%s/answers", prefix);
  TRY(opened(&client, "properties", 1, NULL, NULL));
  TRY(subscribed(client, topic, 1, 7));
  MQTTProperties sent = MQTTProperties_initializer;
  MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL};
  expiry.value.integer4 = 100;
  MQTTProperties_add(&sent, &expiry);
  text(&sent, MQTTPROPERTY_CODE_CONTENT_TYPE, "text/plain", 10);
  text(&sent, MQTTPROPERTY_CODE_RESPONSE_TOPIC, answers, (int)strlen(answers));
  text(&sent, MQTTPROPERTY_CODE_CORRELATION_DATA, "\0\1", 2);
  MQTTProperty user = {.identifier = MQTTPROPERTY_CODE_USER_PROPERTY};
  user.value.data.data = "a";
  user.value.data.len = 1;
  user.value.value.data = "1";
  user.value.value.len = 1;
  MQTTProperties_add(&sent, &user);
  TRY(published(client, topic, "told", 1, 0, &sent));
  TRY(came(client, "told", 1, &message));
  MQTTProperties *list = &message->properties;
  const char *wrong = NULL;
  if (!same_text(list, MQTTPROPERTY_CODE_CONTENT_TYPE, "text/plain", 10)) wrong = "Content Type";
  if (!same_text(list, MQTTPROPERTY_CODE_RESPONSE_TOPIC, answers, (int)strlen(answers))) wrong = "Response Topic";
  if (!same_text(list, MQTTPROPERTY_CODE_CORRELATION_DATA, "\0\1", 2)) wrong = "Correlation Data";
  if (!same_text(list, MQTTPROPERTY_CODE_USER_PROPERTY, "a", 1)) wrong = "User Property";
  MQTTProperty *left = MQTTProperties_getProperty(list, MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL);
  if (!left || left->value.integer4 > 100) wrong = "Message Expiry Interval";
  MQTTProperty *identifier = MQTTProperties_getProperty(list, MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER);
  if (!identifier || identifier->value.integer4 != 7) wrong = "Subscription Identifier";
  MQTTClient_freeMessage(&message);
  MQTTProperties_free(&sent);
  if (wrong) FAIL("%s is not what was sent", wrong);
  return ended(&client);
}

int main(int count, char **arguments) {
  if (count != 5) return fprintf(stderr, "usage: client VERSION TRANSPORT PORT CA\n"), 2;
  version = arguments[1];
  transport = arguments[2];
  five = strcmp(version, "5.0") == 0;
  const char *scheme = strcmp(transport, "tls") == 0 ? "ssl" : transport;
  snprintf(uri, sizeof uri, "%s://127.0.0.1:%s%s", scheme, arguments[3], transport[0] == 'w' ? "/mqtt" : "");
  snprintf(prefix, sizeof prefix, "lab/paho-c/%s/%s", version, transport);
  secure.trustStore = arguments[4];
  secure.verify = 1;

  const struct {
    const char *name;
    int (*step)(void);
  } steps[] = {{"connect", step_connect},   {"qos0", step_qos0}, {"qos1", step_qos1},
               {"qos2", step_qos2},         {"retained", step_retained}, {"will", step_will},
               {"resumption", step_resumption}, {"properties", step_properties}};
  int failed = 0;
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    if (!five && steps[i].step == step_properties) continue;
    if (steps[i].step()) {
      printf("paho-c %s %s %s ok\n", version, transport, steps[i].name);
    } else {
      failed = 1;
      printf("paho-c %s %s %s FAILED %s\n", version, transport, steps[i].name, why);
    }
    fflush(stdout);
  }
  return failed;
}
