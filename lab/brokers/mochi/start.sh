#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
mapfile -t wanted < <(wanted)
exec "$lab/$name/mochi" "$certificates" "${wanted[@]}"
