#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
{
    cat <<CONF
loglevel: error
hosts: [localhost]
certfiles: [$certificates/server.pem]
auth_method: [anonymous]
anonymous_protocol: login_anon
allow_multiple_connections: true
acl: {local: {user_regexp: ""}}
listen:
CONF
    common='ip: "127.0.0.1", backlog: 1000'
    ! offers tcp || echo "  - {port: 21130, $common, module: mod_mqtt}"
    ! offers tls || echo "  - {port: 21131, $common, module: mod_mqtt, tls: true}"
    ! offers ws || echo "  - {port: 21132, $common, module: ejabberd_http, request_handlers: {/mqtt: mod_mqtt}}"
    ! offers wss || echo "  - {port: 21133, $common, module: ejabberd_http, tls: true, request_handlers: {/mqtt: mod_mqtt}}"
    cat <<CONF
modules:
  mod_mqtt: {}
CONF
} >"$state/ejabberd.yml"
export EJABBERD_CONFIG_PATH=$state/ejabberd.yml EJABBERD_LOG_PATH=$state/ejabberd.log
export ERL_LIBS=/usr/lib/x86_64-linux-gnu HOME=$state ERL_CRASH_DUMP=/dev/null
exec erl +K true -noinput -mnesia dir "\"$state/mnesia\"" -s ejabberd
