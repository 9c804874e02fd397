#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
cat >"$state/amqtt.yaml" <<CONF
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:21100
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
CONF
exec "$lab/$name/bin/amqtt" -c "$state/amqtt.yaml"
