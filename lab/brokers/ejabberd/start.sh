#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
cat >"$state/ejabberd.yml" <<CONF
loglevel: error
hosts: [localhost]
certfiles: [$certificates/server.pem]
auth_method: [anonymous]
anonymous_protocol: login_anon
allow_multiple_connections: true
acl: {local: {user_regexp: ""}}
listen:
  - {port: 21130, ip: "127.0.0.1", module: mod_mqtt, backlog: 1000}
  - {port: 21131, ip: "127.0.0.1", module: mod_mqtt, backlog: 1000, tls: true}
  - {port: 21132, ip: "127.0.0.1", module: ejabberd_http, backlog: 1000, request_handlers: {/mqtt: mod_mqtt}}
  - {port: 21133, ip: "127.0.0.1", module: ejabberd_http, backlog: 1000, tls: true, request_handlers: {/mqtt: mod_mqtt}}
modules:
  mod_mqtt: {}
CONF
export EJABBERD_CONFIG_PATH=$state/ejabberd.yml EJABBERD_LOG_PATH=$state/ejabberd.log
export ERL_LIBS=/usr/lib/x86_64-linux-gnu HOME=$state ERL_CRASH_DUMP=/dev/null
exec erl +K true -noinput -mnesia dir "\"$state/mnesia\"" -s ejabberd
