#!/usr/bin/env bash
. "$(dirname "$0")/../../lib.sh"
state "$@"
# Node-RED looks for nodes below its user folder, and for the certificate in the file of credentials.
ln -sfn "$lab/$name/node_modules" "$state/node_modules"
cp "$lab/$name/package.json" "$here/settings.js" "$here/flows.json" "$state/"
node - "$certificates" >"$state/flows_cred.json" <<'NODE'
const fs = require('fs')
const [folder] = process.argv.slice(2)
const read = (name) => fs.readFileSync(`${folder}/${name}`, 'utf8')
console.log(JSON.stringify({ secure: { certdata: read('server.crt'), keydata: read('server.key') } }))
NODE
exec node "$lab/$name/node_modules/node-red/red.js" --userDir "$state" --settings "$state/settings.js" flows.json
