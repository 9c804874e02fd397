#!/usr/bin/env bash
# fresh.sh START FOLDER: starts a broker with nothing of what one before has stored in the folder of its state: a campaign
# goes on with a fresh one, and what was killed may take minutes to read its files again.
set -eu
rm -rf -- "$2"
exec "$@"
