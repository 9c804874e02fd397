#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
needs python3 python3-venv
[ -x "$lab/$name/bin/amqtt" ] && [ "$(cat "$lab/$name/installed")" = 0.12.1 ] && exit
python3 -m venv "$lab/$name"
"$lab/$name/bin/pip" install -q --disable-pip-version-check amqtt==0.12.1
echo 0.12.1 >"$lab/$name/installed"
