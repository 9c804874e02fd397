#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
[ -x "$lab/$name/bin/rumqttd" ] && exit
needs cargo cargo
# Without --locked: its lock file names versions that newer compilers refuse.
cargo install --quiet --root "$lab/$name" rumqttd --version 0.20.0
