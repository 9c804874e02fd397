#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
needs go golang
mkdir -p "$lab/$name"
newest=$(cat "$here/go.mod" "$here/go.sum" "$here/main.go" | cksum)
[ "$newest" = "$(cat "$lab/$name/installed" 2>/dev/null)" ] && exit
go build -C "$here" -trimpath -o "$lab/$name/mochi" .
echo "$newest" >"$lab/$name/installed"
