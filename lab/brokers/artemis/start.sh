#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
"$lab/$name/apache-artemis-2.40.0/bin/artemis" create "$state/instance" --silent --user admin --password admin \
    --allow-anonymous --host 127.0.0.1 --no-autotune --no-web --no-fsync --nio \
    --no-amqp-acceptor --no-hornetq-acceptor --no-stomp-acceptor >"$state/create.log"
# The acceptors that are not wanted are left out; each has a line of its own.
cp "$here/broker.xml" "$state/instance/etc/"
for one in tcp tls ws wss; do
    offers $one || sed -i "/<acceptor name=\"$one\">/d" "$state/instance/etc/broker.xml"
done
export JAVA_ARGS_APPEND="-Dlab.certificates=$certificates ${java_briefly[*]}"
exec "$state/instance/bin/artemis" run
