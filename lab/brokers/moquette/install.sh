#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
needs java default-jre-headless
needs mvn maven
cmp -s "$here/pom.xml" "$lab/$name/installed.xml" && exit
rm -rf "${lab:?}/$name"
mvn --quiet --batch-mode --file "$here/pom.xml" -Dlab="$lab/$name" dependency:copy-dependencies
cp "$here/pom.xml" "$lab/$name/installed.xml"
