#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
"$lab/$name/apache-artemis-2.40.0/bin/artemis" create "$state/instance" --silent --user admin --password admin \
    --allow-anonymous --host 127.0.0.1 --no-autotune --no-web --no-fsync --nio \
    --no-amqp-acceptor --no-hornetq-acceptor --no-stomp-acceptor >"$state/create.log"
cp "$here/broker.xml" "$state/instance/etc/"
export JAVA_ARGS_APPEND="-Dlab.certificates=$certificates"
exec "$state/instance/bin/artemis" run
