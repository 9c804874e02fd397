#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
# section NAME PORT: one listener, as the file that rumqttd comes with has it.
section() {
    cat <<CONF
[$1]
name = "$1"
listen = "127.0.0.1:$2"
next_connection_delay_ms = 1
[$1.connections]
connection_timeout_ms = 60000
max_payload_size = 268435455
max_inflight_count = 100
dynamic_filters = true
CONF
}
{
    cat <<CONF
id = 0
[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
CONF
    ! offers tcp || section v4.1 21120
    if offers tls; then
        section v4.2 21121
        cat <<CONF
[v4.2.tls]
certpath = "$certificates/server.crt"
keypath = "$certificates/server.key"
capath = "$certificates/ca.crt"
CONF
    fi
    ! offers ws || section ws.1 21122
    ! offers 5-tcp || section v5.1 21124
} >"$state/rumqttd.toml"
cd "$state"
exec "$lab/$name/bin/rumqttd" -q -c "$state/rumqttd.toml"
