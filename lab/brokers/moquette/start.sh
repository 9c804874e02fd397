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

# An exception in one of its session loops ends that loop, but not the broker: Clients whose identifiers belong to the
# loop are never answered again. That is the end of the broker as far as they can see, and is made so.
java -Xmx512m -Dlog4j.configuration="file:$here/log4j.properties" -Dmoquette.path="$state" \
    -cp "$lab/$name/lib/*" io.moquette.broker.Server >"$state/out" 2>&1 &
broker=$!
trap 'kill "$broker" 2>/dev/null; wait "$broker"; exit 143' TERM INT
tail -n +1 -F --pid="$broker" "$state/out" 2>/dev/null | while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in
        *"reached exception in processing command"*) ended=1 ;;
        "Caused by:"*) [ -z "${ended:-}" ] || { echo "A session loop has ended, and with it the broker for its Clients."; kill -KILL "$broker"; break; } ;;
    esac
done &
watcher=$!
code=0
wait "$broker" 2>/dev/null || code=$?
wait "$watcher" || true
[ "$code" != 137 ] || exit 70
exit "$code"
