#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
cat >"$state/hbmqtt.yaml" <<CONF
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:21110
  tls:
    type: tcp
    bind: 127.0.0.1:21111
    ssl: on
    certfile: $certificates/server.crt
    keyfile: $certificates/server.key
  ws:
    type: ws
    bind: 127.0.0.1:21112
  wss:
    type: ws
    bind: 127.0.0.1:21113
    ssl: on
    certfile: $certificates/server.crt
    keyfile: $certificates/server.key
sys_interval: 0
auth:
  allow-anonymous: true
  plugins: [auth_anonymous]
topic-check:
  enabled: true
  plugins: [topic_taboo]
CONF
exec "$lab/$name/bin/hbmqtt" -c "$state/hbmqtt.yaml"
