#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
# A WebSocket listener binds to all addresses unless its family is given, and does not do as the first listener: that one
# is a file.
{
    cat <<CONF
user root
persistence false
allow_anonymous true
log_dest stdout
log_type error
log_type warning
sys_interval 0
listener 0 $state/socket
CONF
    secure=("certfile $certificates/server.crt" "keyfile $certificates/server.key")
    over_websocket=("protocol websockets" "socket_domain ipv4")
    ! offers tcp || printf '%s\n' "listener 21000 127.0.0.1"
    ! offers tls || printf '%s\n' "listener 21001 127.0.0.1" "${secure[@]}"
    ! offers ws || printf '%s\n' "listener 21002 127.0.0.1" "${over_websocket[@]}"
    ! offers wss || printf '%s\n' "listener 21003 127.0.0.1" "${over_websocket[@]}" "${secure[@]}"
} >"$state/mosquitto.conf"
PATH=$PATH:/usr/sbin
exec mosquitto -c "$state/mosquitto.conf"
