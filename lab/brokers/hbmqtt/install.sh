#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
[ -x "$lab/$name/bin/hbmqtt" ] && [ "$(cat "$lab/$name/installed")" = 0.9.6 ] && exit
# pyenv has a python3.8 that works once it is told which.
python3.8 --version >/dev/null 2>&1 || export PYENV_VERSION=$(pyenv versions --bare 2>/dev/null | grep '^3\.8\.' | tail -1)
if ! python3.8 --version >/dev/null 2>&1; then
    echo "$name runs on Python 3.8 only, and there is no python3.8 here (pyenv install 3.8 gets it)" >&2
    exit 2
fi
python3.8 -m venv "$lab/$name"
"$lab/$name/bin/pip" install -q --disable-pip-version-check hbmqtt==0.9.6 websockets==8.1
echo 0.9.6 >"$lab/$name/installed"
