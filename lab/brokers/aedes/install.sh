#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
npm_packages
# Modules are looked for beside the program.
cp "$here/server.mjs" "$lab/$name/"
