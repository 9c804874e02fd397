#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
cat >"$state/amqtt.yaml" <<CONF
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:21100
  tls:
    type: tcp
    bind: 127.0.0.1:21101
    ssl: on
    certfile: $certificates/server.crt
    keyfile: $certificates/server.key
  ws:
    type: ws
    bind: 127.0.0.1:21102
  wss:
    type: ws
    bind: 127.0.0.1:21103
    ssl: on
    certfile: $certificates/server.crt
    keyfile: $certificates/server.key
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
CONF
exec "$lab/$name/bin/amqtt" -c "$state/amqtt.yaml"
