#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
# Everything that is usual for the one broker of a machine is moved aside: its state, its ports, its user.
export HOME=$state
export RABBITMQ_NODENAME=lab-rabbitmq-${listener:-all}@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
declare -A distribution=([tcp]=21013 [tls]=21015 [ws]=21017)
export RABBITMQ_DIST_PORT=${distribution[${listener:-tcp}]}
export RABBITMQ_MNESIA_BASE=$state/mnesia RABBITMQ_LOG_BASE=$state/log RABBITMQ_LOGS=-
export RABBITMQ_PID_FILE=$state/pid RABBITMQ_FEATURE_FLAGS_FILE=$state/features
export RABBITMQ_CONFIG_FILE=$state/rabbitmq RABBITMQ_ENABLED_PLUGINS_FILE=$state/plugins
export RABBITMQ_CONF_ENV_FILE=/dev/null
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
export ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((RABBITMQ_DIST_PORT + 1))
plugins=rabbitmq_mqtt
! offers ws || plugins+=,rabbitmq_web_mqtt
echo "[$plugins]." >"$RABBITMQ_ENABLED_PLUGINS_FILE"
{
    cat <<CONF
log.console.level = error
listeners.tcp = none
mqtt.allow_anonymous = true
mqtt.default_user = guest
mqtt.default_pass = guest
ssl_options.certfile = $certificates/server.crt
ssl_options.keyfile = $certificates/server.key
ssl_options.cacertfile = $certificates/ca.crt
CONF
    if offers tcp; then echo "mqtt.listeners.tcp.1 = 127.0.0.1:21010"; else echo "mqtt.listeners.tcp = none"; fi
    ! offers tls || echo "mqtt.listeners.ssl.1 = 127.0.0.1:21011"
    ! offers ws || printf '%s\n' "web_mqtt.tcp.ip = 127.0.0.1" "web_mqtt.tcp.port = 21012"
} >"$state/rabbitmq.conf"
# Erlang would start this in the background, where it outlives the broker.
epmd &
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
trap 'exit 143' TERM INT
# Debian's wrapper would change the user.
server=(/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server)
"${server[0]}" &
wait $!
