#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
needs javac default-jdk-headless
needs mvn maven
newest=$(cat "$here/pom.xml" "$here/Broker.java" | cksum)
[ "$newest" = "$(cat "$lab/$name/installed" 2>/dev/null)" ] && exit
rm -rf "${lab:?}/$name"
mvn --quiet --batch-mode --file "$here/pom.xml" -Dlab="$lab/$name" compile dependency:copy-dependencies
echo "$newest" >"$lab/$name/installed"
