// Node-RED for the lab: no editor, no accounts to ask for, of all its nodes only the broker's, which makes it start soon.
module.exports = {
  httpAdminRoot: false,
  httpNodeRoot: false,
  nodesIncludes: ['node-red-contrib-aedes'],
  credentialSecret: false,
  telemetry: { enabled: false },
  logging: { console: { level: 'info' } }
}
