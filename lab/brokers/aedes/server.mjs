// aedes with the listeners that are wanted: node server.mjs CERTIFICATES tcp|tls|ws|wss...
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import { Aedes } from 'aedes'
import { WebSocketServer, createWebSocketStream } from 'ws'

const [certificates, ...wanted] = process.argv.slice(2)
const host = '127.0.0.1'
const broker = await Aedes.createBroker()
const secure = {
  key: fs.readFileSync(`${certificates}/server.key`),
  cert: fs.readFileSync(`${certificates}/server.crt`)
}

const overWebSocket = (server) => {
  const handleProtocols = (offered) => offered.has('mqtt') ? 'mqtt' : false
  new WebSocketServer({ server, handleProtocols }).on('connection', (socket, request) => {
    broker.handle(createWebSocketStream(socket), request)
  })
  return server
}

const listeners = {
  tcp: () => net.createServer(broker.handle).listen(21080, host),
  tls: () => tls.createServer(secure, broker.handle).listen(21081, host),
  ws: () => overWebSocket(http.createServer()).listen(21082, host),
  wss: () => overWebSocket(https.createServer(secure)).listen(21083, host)
}
for (const name of wanted) {
  listeners[name]()
}
