#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
needs node nodejs
needs npm npm
cmp -s "$here/package.json" "$lab/$name/installed.json" && exit
mkdir -p "$lab/$name"
cp "$here/package.json" "$lab/$name/"
npm install --prefix "$lab/$name" --no-fund --no-audit --loglevel error
cp "$here/package.json" "$lab/$name/installed.json"
