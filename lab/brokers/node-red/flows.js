// Writes the flow with the listeners that are wanted, and the certificate, which has its place in the file of credentials:
// node flows.js CERTIFICATES FOLDER [LISTENER]
const fs = require('fs')
const [certificates, folder, listener] = process.argv.slice(2)
const port = (name, number) => !listener || listener === name ? number : ''
const broker = (id, usetls, mqttPort, wsPort) => ({
  id,
  type: 'aedes broker',
  z: 'lab',
  name: '',
  wires: [[], []],
  mqtt_port: mqttPort,
  mqtt_ws_bind: 'port',
  mqtt_ws_port: wsPort,
  mqtt_ws_path: '',
  usetls
})
const flows = [
  { id: 'lab', type: 'tab', label: 'lab' },
  broker('plain', false, port('tcp', '21090'), port('ws', '21092')),
  broker('secure', true, port('tls', '21091'), port('wss', '21093'))
]
const read = (name) => fs.readFileSync(`${certificates}/${name}`, 'utf8')
const credentials = { secure: { certdata: read('server.crt'), keydata: read('server.key') } }
fs.writeFileSync(`${folder}/flows.json`, JSON.stringify(flows))
fs.writeFileSync(`${folder}/flows_cred.json`, JSON.stringify(credentials))
