#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
mkdir -p "$state/config" "$state/data"
cat >"$state/config/moquette.conf" <<CONF
host 127.0.0.1
port 21050
ssl_port 21051
websocket_port 21052
secure_websocket_port 21053
websocket_path /mqtt
jks_path $certificates/server.p12
key_store_type pkcs12
key_store_password changeit
key_manager_password changeit
allow_anonymous true
data_path $state/data
telemetry_enabled false
CONF
cd "$state"
exec java -Xmx512m -Dlog4j.configuration="file:$here/log4j.properties" -Dmoquette.path="$state" \
    -cp "$lab/$name/lib/*" io.moquette.broker.Server
