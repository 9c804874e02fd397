#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
# Everything that is usual for the one broker of a machine is moved aside: its state, its ports, its user.
export HOME=$state
export RABBITMQ_NODENAME=lab-rabbitmq@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
export RABBITMQ_NODE_PORT=21015 RABBITMQ_DIST_PORT=21016
export RABBITMQ_MNESIA_BASE=$state/mnesia RABBITMQ_LOG_BASE=$state/log RABBITMQ_LOGS=-
export RABBITMQ_PID_FILE=$state/pid RABBITMQ_FEATURE_FLAGS_FILE=$state/features
export RABBITMQ_CONFIG_FILE=$state/rabbitmq RABBITMQ_ENABLED_PLUGINS_FILE=$state/plugins
export RABBITMQ_CONF_ENV_FILE=/dev/null
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
export ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=21017
echo '[rabbitmq_mqtt,rabbitmq_web_mqtt].' >"$RABBITMQ_ENABLED_PLUGINS_FILE"
cat >"$state/rabbitmq.conf" <<CONF
log.console.level = error
mqtt.allow_anonymous = true
mqtt.default_user = guest
mqtt.default_pass = guest
mqtt.listeners.tcp.1 = 127.0.0.1:21010
mqtt.listeners.ssl.1 = 127.0.0.1:21011
ssl_options.certfile = $certificates/server.crt
ssl_options.keyfile = $certificates/server.key
ssl_options.cacertfile = $certificates/ca.crt
web_mqtt.tcp.ip = 127.0.0.1
web_mqtt.tcp.port = 21012
CONF
# Erlang would start this in the background, where it outlives the broker.
epmd &
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
trap 'exit 143' TERM INT
# Debian's wrapper would change the user.
server=(/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server)
"${server[0]}" &
wait $!
