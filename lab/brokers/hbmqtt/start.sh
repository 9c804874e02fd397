#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
{
    listeners 2111
    cat <<CONF
sys_interval: 0
auth:
  allow-anonymous: true
  plugins: [auth_anonymous]
topic-check:
  enabled: true
  plugins: [topic_taboo]
CONF
} >"$state/hbmqtt.yaml"
exec "$lab/$name/bin/hbmqtt" -c "$state/hbmqtt.yaml"
