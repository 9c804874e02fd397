#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
# Modules are looked for beside the program.
cp "$here/server.mjs" "$lab/$name/"
exec node "$lab/$name/server.mjs" "$certificates"
