#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
mkdir -p "$state/conf" "$state/data" "$state/extensions"
# The listeners that are not wanted are left out.
cp "$here/config.xml" "$state/conf/"
declare -A named=([tcp]=tcp-listener [tls]=tls-tcp-listener [ws]=websocket-listener [wss]=tls-websocket-listener)
for one in "${!named[@]}"; do
    offers "$one" || sed -i "/<${named[$one]}>/,/<\/${named[$one]}>/d" "$state/conf/config.xml"
done
export LAB_KEYSTORE=$certificates/server.p12
# The packages are opened as its own bin/run.sh does it.
exec java "${java_briefly[@]}" -Xmx512m -Djava.net.preferIPv4Stack=true -Dhivemq.log.folder="$state/log" \
    --add-opens java.base/java.lang=ALL-UNNAMED --add-opens java.base/java.nio=ALL-UNNAMED \
    --add-opens java.base/sun.nio.ch=ALL-UNNAMED --add-opens jdk.management/com.sun.management.internal=ALL-UNNAMED \
    --add-exports java.base/jdk.internal.misc=ALL-UNNAMED \
    -cp "$lab/$name/classes:$lab/$name/lib/*" Broker "$state"
