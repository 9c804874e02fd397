#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
debian mosquitto=2.0.11-1.2+deb12u2
