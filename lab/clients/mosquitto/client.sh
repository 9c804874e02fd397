#!/usr/bin/env bash
# mosquitto_pub and mosquitto_sub against a broker: client.sh VERSION TRANSPORT PORT CA
#
# Prints a line per step, and ends with 1 if one failed.
set -uo pipefail
version=$1 transport=$2 port=$3 ca=$4
prefix=lab/mosquitto/$version/$transport
options=(-h 127.0.0.1 -p "$port" -V "$([ "$version" = 5.0 ] && echo 5 || echo 311)")
[ "$transport" = tcp ] || options+=(--cafile "$ca")
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"; jobs -p | xargs -r kill 2>/dev/null' EXIT

pub() { timeout 10 mosquitto_pub "${options[@]}" "$@"; }
# sub_behind FILE ARGUMENTS: subscribes in the background, and returns when SUBACK is there.
sub_behind() {
    local file=$1
    shift
    : >"$file" >"$file.log"
    timeout 20 stdbuf -oL mosquitto_sub "${options[@]}" -d "$@" >"$file.log" 2>&1 &
    behind=$!
    for _ in $(seq 100); do
        grep -q 'SUBACK' "$file.log" && return
        sleep 0.1
    done
    echo "no SUBACK within 10 s" >&2
    return 1
}

step_connect() { pub -t "$prefix/connect" -n -d | grep -q 'received CONNACK (0)'; }
both_ways() {
    sub_behind "$work/qos$1" -t "$prefix/qos$1" -q "$1" -C 20 -F "came %q %p" || return 1
    seq 20 | pub -t "$prefix/qos$1" -q "$1" -l || return 1
    wait "$behind" || return 1
    [ "$(grep '^came' "$work/qos$1.log")" = "$(seq -f "came $1 %g" 20)" ]
}
step_qos0() { both_ways 0; }
step_qos1() { both_ways 1; }
step_qos2() { both_ways 2; }
step_retained() {
    pub -t "$prefix/retained" -m kept -q 1 -r || return 1
    [ "$(timeout 10 mosquitto_sub "${options[@]}" -t "$prefix/retained" -q 1 -C 1 -F '%r %p')" = "1 kept" ] || return 1
    pub -t "$prefix/retained" -n -q 1 -r
}
step_will() {
    sub_behind "$work/watcher" -t "$prefix/will" -q 1 -C 1 -F "came %p" || return 1
    local watcher=$behind lost
    sub_behind "$work/lost" -t "$prefix/none" --will-topic "$prefix/will" --will-payload gone --will-qos 1 || return 1
    lost=$(pgrep -P "$behind") || return 1
    kill -KILL "$lost"
    wait "$watcher" && grep -q '^came gone' "$work/watcher.log"
}
step_resumption() {
    local lasting=(-i "$prefix/resumption" -c -t "$prefix/resumption" -q 1)
    [ "$version" = 5.0 ] && lasting+=(-x 600)
    timeout 10 mosquitto_sub "${options[@]}" "${lasting[@]}" -E || return 1
    pub -t "$prefix/resumption" -m meanwhile -q 1 || return 1
    [ "$(timeout 10 mosquitto_sub "${options[@]}" "${lasting[@]}" -C 1)" = meanwhile ] || return 1
    # Ends the Session.
    timeout 10 mosquitto_sub "${options[@]}" -i "$prefix/resumption" -t "$prefix/none" -E
}
step_properties() {
    sub_behind "$work/properties" -t "$prefix/properties" -q 1 -D subscribe subscription-identifier 7 -C 1 \
        -F "came %p %F %C %R %D %P %S" || return 1
    pub -t "$prefix/properties" -q 1 -m told -D publish payload-format-indicator 1 -D publish content-type text/plain \
        -D publish response-topic "$prefix/answers" -D publish correlation-data 01 -D publish user-property a 1 \
        -D publish message-expiry-interval 100 || return 1
    wait "$behind"
    grep -q "^came told 1 text/plain $prefix/answers 01 a:1 7" "$work/properties.log"
}

steps=(connect qos0 qos1 qos2 retained will resumption)
[ "$version" != 5.0 ] || steps+=(properties)
for step in "${steps[@]}"; do
    if why=$("step_$step" 2>&1); then
        echo "mosquitto $version $transport $step ok"
    else
        failed=1
        echo "mosquitto $version $transport $step FAILED $(tail -n 1 <<<"$why")"
    fi
done
exit "$failed"
