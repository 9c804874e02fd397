#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
debian ejabberd=23.01-1
