#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
mapfile -t wanted < <(wanted)
exec node "$lab/$name/server.mjs" "$certificates" "${wanted[@]}"
