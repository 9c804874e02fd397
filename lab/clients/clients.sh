# What run.sh knows of each client: what it needs, how it is installed, what it can, how it is run.
all=(mosquitto paho-python mqtt.js paho-c paho-go paho-java hivemq rumqttc mqttx)

kept() { echo "$lab/clients/$1"; }

# install_of NAME: gets it from its package registry, in its pinned version.
install_of() (
    set -e
    into=$(kept "$1")
    mkdir -p "$into"
    case $1 in
        mosquitto) apt-get install -y -qq --no-install-recommends mosquitto-clients ;;
        paho-python) python3 -m venv "$into" && "$into/bin/pip" install -q paho-mqtt==2.1.0 ;;
        mqtt.js)
            cp "$here/mqtt.js/package.json" "$into/"
            npm install --prefix "$into" --no-fund --no-audit --loglevel error
            ;;
        paho-c)
            apt-get install -y -qq --no-install-recommends libpaho-mqtt-dev
            cc -Wall -Wextra -Werror -O1 -o "$into/client" "$here/paho-c/client.c" -lpaho-mqtt3cs
            ;;
        paho-go) go build -C "$here/paho-go" -o "$into/client" . ;;
        paho-java | hivemq)
            mvn --quiet --batch-mode --file "$here/$1/pom.xml" -Dlab="$into" compile dependency:copy-dependencies
            ;;
        mqttx) ;; # lacks tells why
        rumqttc) cargo build --quiet --manifest-path "$here/rumqttc/Cargo.toml" --target-dir "$into" ;;
    esac
)

# lacks NAME: says what is missing, and succeeds if nothing is.
lacks() {
    local into there
    into=$(kept "$1")
    case $1 in
        mosquitto)
            command -v mosquitto_sub >/dev/null && return
            echo "mosquitto_sub is not installed (Debian's package mosquitto-clients)"
            return 1
            ;;
        paho-python) there=$into/bin/python ;;
        mqtt.js) there=$into/node_modules/mqtt ;;
        paho-c | paho-go) there=$into/client ;;
        paho-java | hivemq) there=$into/lib ;;
        rumqttc) there=$into/debug/rumqttc-client ;;
        mqttx)
            echo "its command line is in no package registry: npm knows neither mqttx-cli nor @emqx/mqttx-cli"
            return 1
            ;;
    esac
    [ -e "$there" ] && return
    echo "it is not installed; run.sh --install $1 gets it"
    return 1
}

versions() {
    echo 3.1.1 5.0
}

# transports NAME VERSION: mosquitto_pub and mosquitto_sub speak no WebSocket in 2.0.
transports() {
    case $1 in
        mosquitto) echo tcp tls ;;
        *) echo tcp tls ws wss ;;
    esac
}

# run NAME VERSION TRANSPORT PORT CA
run() {
    local name=$1 into
    into=$(kept "$1")
    shift
    case $name in
        mosquitto) "$here/mosquitto/client.sh" "$@" ;;
        paho-python) "$into/bin/python" "$here/paho-python/client.py" "$@" ;;
        mqtt.js)
            # Modules are looked for beside the program.
            cp "$here/mqtt.js/client.mjs" "$into/"
            node "$into/client.mjs" "$@"
            ;;
        paho-c | paho-go) "$into/client" "$@" ;;
        paho-java | hivemq) java -cp "$into/classes:$into/lib/*" Client "$@" ;;
        rumqttc) "$into/debug/rumqttc-client" "$@" ;;
    esac
}
