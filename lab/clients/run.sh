#!/usr/bin/env bash
# Lets real clients meet the reference broker: run.sh [NAME...]
#
# Serves it over TCP, TLS, WebSocket and both, and runs each client that is installed over what it can, in 3.1.1 and
# 5.0. A line for each step: NAME VERSION TRANSPORT STEP ok, or FAILED and why. Ends with 1 if one failed, with 3 if no
# client ran. What is got from package registries goes into $MQTT_ASSAY_LAB/clients; without --install nothing is got.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
lab=${MQTT_ASSAY_LAB:-$root/target/lab}
mkdir -p "$lab/clients"
lab=$(cd "$lab" && pwd)
ca=$lab/certificates/ca.crt
command=${MQTT_ASSAY:-$root/target/release/mqtt-assay}
. "$here/clients.sh"

install=
[ "${1:-}" != --install ] || { install=1; shift; }
names=("$@")
[ "${#names[@]}" -gt 0 ] || names=("${all[@]}")
for name in "${names[@]}"; do
    [[ " ${all[*]} " == *" $name "* ]] || { echo "there is no client $name; there are ${all[*]}" >&2; exit 2; }
done
if [ ! -x "$command" ]; then
    echo "there is no $command: build it with cargo build --release, or name another in MQTT_ASSAY" >&2
    exit 2
fi
"$root/lab/certificates.sh" || exit 2

declare -A port
brokers=()
trap '[ "${#brokers[@]}" = 0 ] || kill "${brokers[@]}"' EXIT
# serve TRANSPORT SCHEME PATH
serve() {
    local out=$lab/clients/serve-$1.log
    : >"$out"
    local secure=()
    [[ $1 == tcp || $1 == ws ]] || secure=(--cert "$lab/certificates/server.crt" --key "$lab/certificates/server.key")
    "$command" serve --no-colour --listen "$2://127.0.0.1:0$3" ${secure[@]+"${secure[@]}"} >"$out" 2>&1 &
    brokers+=($!)
    for _ in $(seq 100); do
        port[$1]=$(sed -nE 's/.*127\.0\.0\.1:([0-9]+).*/\1/p' "$out" | head -n 1)
        [ -z "${port[$1]}" ] || return
        sleep 0.1
    done
    echo "the reference broker does not listen over $1: $(tail -n 1 "$out")" >&2
    exit 2
}
serve tcp mqtt ''
serve tls mqtts ''
serve ws ws /mqtt
serve wss wss /mqtt

failed=0 ran=0
for name in "${names[@]}"; do
    if [ -n "$install" ] && ! why=$(install_of "$name" 2>&1); then
        echo "$name could not be installed: $(tail -n 1 <<<"$why")"
        continue
    fi
    if ! why=$(lacks "$name"); then
        echo "$name is not run: $why"
        continue
    fi
    ran=1
    for version in $(versions "$name"); do
        for transport in $(transports "$name" "$version"); do
            run "$name" "$version" "$transport" "${port[$transport]}" "$ca" || failed=1
        done
    done
done
[ "$ran" = 1 ] || exit 3
exit "$failed"
