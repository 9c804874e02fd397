#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
# A WebSocket listener binds to all addresses unless its family is given, and does not do as the first listener.
cat >"$state/mosquitto.conf" <<CONF
user root
persistence false
allow_anonymous true
log_dest stdout
log_type error
log_type warning
sys_interval 0
listener 21000 127.0.0.1
listener 21001 127.0.0.1
certfile $certificates/server.crt
keyfile $certificates/server.key
listener 21002 127.0.0.1
protocol websockets
socket_domain ipv4
listener 21003 127.0.0.1
protocol websockets
socket_domain ipv4
certfile $certificates/server.crt
keyfile $certificates/server.key
CONF
PATH=$PATH:/usr/sbin
exec mosquitto -c "$state/mosquitto.conf"
