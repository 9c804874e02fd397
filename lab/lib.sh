# Sourced by the install.sh and the start.sh of each broker.
set -euo pipefail

# The broker's own folder, its name, and the root of the repository.
here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
name=$(basename "$here")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What is installed goes here, each broker into a folder of its name.
lab=${MQTT_ASSAY_LAB:-$root/target/lab}
mkdir -p "$lab"
lab=$(cd "$lab" && pwd)
certificates=$lab/certificates

# needs COMMAND PACKAGE: refuses in one sentence what cannot be installed from here.
needs() {
    command -v "$1" >/dev/null && return
    echo "$name needs $1, which is not installed (Debian's package $2)" >&2
    exit 2
}

# debian PACKAGE=VERSION...: has the packages installed, in just these versions.
debian() {
    local wanted=() package version have
    for package in "$@"; do
        version=${package#*=} package=${package%%=*}
        have=$(dpkg-query -W -f '${Version} ${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$have" = "$version installed" ] || wanted+=("$package=$version")
    done
    [ "${#wanted[@]}" -gt 0 ] || return 0
    local sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    if ! DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${wanted[@]}"; then
        echo "Debian has no ${wanted[*]} here: the lab's results are of these versions (Debian 12)" >&2
        exit 2
    fi
}

# npm_packages: has what package.json names installed, unless it is.
npm_packages() {
    needs node nodejs
    needs npm npm
    cmp -s "$here/package.json" "$lab/$name/installed.json" && return
    mkdir -p "$lab/$name"
    cp "$here/package.json" "$lab/$name/"
    npm install --prefix "$lab/$name" --no-fund --no-audit --loglevel error
    cp "$here/package.json" "$lab/$name/installed.json"
}

# state FOLDER [LISTENER]: makes the folder of the broker's state, sets $state to its whole path, and keeps which listener
# is wanted.
state() {
    if [ $# -ne 1 ] && [ $# -ne 2 ]; then
        echo "usage: start.sh FOLDER [LISTENER]    where FOLDER keeps the broker's state; LISTENER is tcp, tls, ws, wss" >&2
        exit 2
    fi
    mkdir -p "$1"
    state=$(cd "$1" && pwd)
    listener=${2:-}
    local profile=$here/profile.toml
    case $listener in *-*) profile=$here/profile-${listener%%-*}.toml ;; esac
    if [ -n "$listener" ] && ! grep -qs "^${listener##*-} = " "$profile"; then
        echo "$name has no listener $listener; the [addresses] of $here/profile*.toml name those that it has" >&2
        exit 2
    fi
    "$root/lab/certificates.sh"
}

# Java compiles for the long run otherwise, with more work than the few minutes of a run give back.
java_briefly=(-XX:TieredStopAtLevel=1)

# offers LISTENER: whether it is wanted. All are, unless one was named.
offers() {
    [ -z "$listener" ] || [ "$1" = "$listener" ]
}

# wanted: of the four usual listeners, those that are.
wanted() {
    local one
    for one in tcp tls ws wss; do
        ! offers "$one" || echo "$one"
    done
}

# listeners DECADE: the part of HBMQTT's or aMQTT's configuration that names the wanted listeners. There has to be one called
# `default`, which is the first.
listeners() {
    local one name=default secure="    ssl: on
    certfile: $certificates/server.crt
    keyfile: $certificates/server.key"
    echo "listeners:"
    for one in $(wanted); do
        case $one in
            tcp) set -- "$1" tcp 0 "" ;;
            tls) set -- "$1" tcp 1 "$secure" ;;
            ws) set -- "$1" ws 2 "" ;;
            wss) set -- "$1" ws 3 "$secure" ;;
        esac
        printf '  %s:\n    type: %s\n    bind: 127.0.0.1:%s%s\n%s\n' "$name" "$2" "$1" "$3" "$4"
        name=beside-$one
    done
}
