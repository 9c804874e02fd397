#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
mkdir -p "$state/conf" "$state/data" "$state/extensions"
cp "$here/config.xml" "$state/conf/"
export LAB_KEYSTORE=$certificates/server.p12
# The packages are opened as its own bin/run.sh does it.
exec java -Xmx512m -Djava.net.preferIPv4Stack=true -Dhivemq.log.folder="$state/log" \
    --add-opens java.base/java.lang=ALL-UNNAMED --add-opens java.base/java.nio=ALL-UNNAMED \
    --add-opens java.base/sun.nio.ch=ALL-UNNAMED --add-opens jdk.management/com.sun.management.internal=ALL-UNNAMED \
    --add-exports java.base/jdk.internal.misc=ALL-UNNAMED \
    -cp "$lab/$name/classes:$lab/$name/lib/*" Broker "$state"
