#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
# The second has the classes of MQTT that the first lacks.
debian activemq=5.17.2+dfsg-2+deb12u1 libmqtt-client-java=1.16-1
