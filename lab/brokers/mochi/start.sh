#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
exec "$lab/$name/mochi" "$certificates"
