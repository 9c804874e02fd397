#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
# Node-RED looks for nodes below its user folder.
ln -sfn "$lab/$name/node_modules" "$state/node_modules"
cp "$lab/$name/package.json" "$here/settings.js" "$state/"
node "$here/flows.js" "$certificates" "$state" "$listener"
exec node "$lab/$name/node_modules/node-red/red.js" --userDir "$state" --settings "$state/settings.js" flows.json
