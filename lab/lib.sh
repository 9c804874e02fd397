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

# state FOLDER: makes the folder of the broker's state, and sets $state to its whole path.
state() {
    if [ $# -ne 1 ]; then
        echo "usage: start.sh FOLDER    where FOLDER keeps the broker's state" >&2
        exit 2
    fi
    mkdir -p "$1"
    state=$(cd "$1" && pwd)
    "$root/lab/certificates.sh"
}
