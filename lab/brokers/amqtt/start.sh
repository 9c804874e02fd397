#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
{
    listeners 2110
    cat <<CONF
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: false
CONF
} >"$state/amqtt.yaml"
exec "$lab/$name/bin/amqtt" -c "$state/amqtt.yaml"
