// Node-RED for the lab: no editor, no accounts to ask for, one broker node without TLS and one with it.
module.exports = {
  uiHost: '127.0.0.1',
  uiPort: 21098,
  httpAdminRoot: false,
  credentialSecret: false,
  telemetry: { enabled: false },
  logging: { console: { level: 'info' } }
}
