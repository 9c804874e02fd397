#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
needs java default-jre-headless
needs mvn maven
[ -x "$lab/$name/apache-artemis-2.40.0/bin/artemis" ] && exit
mvn --quiet --batch-mode --file "$here/pom.xml" -Dlab="$lab/$name" dependency:unpack
