#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
debian rabbitmq-server=3.10.8-1.1+deb12u1
