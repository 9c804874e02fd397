// MQTT.js against a broker: node client.mjs VERSION TRANSPORT PORT CA
//
// Prints a line per step, and ends with 1 if one failed.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import mqtt from 'mqtt'

const [version, transport, port, ca] = process.argv.slice(2)
const five = version === '5.0'
const prefix = `lab/mqtt.js/${version}/${transport}`
const scheme = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' }[transport]
const url = `${scheme}://127.0.0.1:${port}${transport.startsWith('ws') ? '/mqtt' : ''}`

const within = (promise, what) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within 10 s`)), 10_000)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

// A connected client; what it receives is in `received`, and `next` waits for it.
async function connect (name, { clean = true, will } = {}) {
  const client = mqtt.connect(url, {
    clientId: `${prefix}/${name}`,
    protocolVersion: five ? 5 : 4,
    clean,
    will,
    ca: fs.readFileSync(ca),
    reconnectPeriod: 0,
    resubscribe: false,
    properties: five ? { sessionExpiryInterval: clean ? 0 : 600 } : undefined
  })
  const received = []
  const waiting = []
  client.on('message', (_topic, payload, packet) => {
    const message = { ...packet, text: payload.toString() }
    waiting.length ? waiting.shift()(message) : received.push(message)
  })
  client.next = async (text) => {
    const message = await within(received.length ? received.shift() : new Promise((resolve) => waiting.push(resolve)), 'message')
    assert.equal(message.text, text)
    return message
  }
  client.connack = await within(new Promise((resolve, reject) => {
    client.once('connect', resolve)
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed without CONNACK')))
  }), 'CONNACK')
  client.on('error', () => {})
  return client
}

async function bothWays (qos) {
  const client = await connect(`qos${qos}`)
  const topic = `${prefix}/qos${qos}`
  const [granted] = await client.subscribeAsync(topic, { qos })
  assert.equal(granted.qos, qos)
  for (let number = 0; number < 20; number++) await within(client.publishAsync(topic, `${number}`, { qos }), 'acknowledgement')
  for (let number = 0; number < 20; number++) assert.equal((await client.next(`${number}`)).qos, qos)
  await client.endAsync()
}

const steps = {
  async connect () {
    await (await connect('connect')).endAsync()
  },
  qos0: () => bothWays(0),
  qos1: () => bothWays(1),
  qos2: () => bothWays(2),
  async retained () {
    const client = await connect('retained')
    const topic = `${prefix}/retained`
    await client.publishAsync(topic, 'kept', { qos: 1, retain: true })
    await client.subscribeAsync(topic, { qos: 1 })
    assert.equal((await client.next('kept')).retain, true)
    await client.publishAsync(topic, '', { qos: 1, retain: true })
    await client.endAsync()
  },
  async will () {
    const topic = `${prefix}/will`
    const watcher = await connect('watcher')
    await watcher.subscribeAsync(topic, { qos: 1 })
    const lost = await connect('will', { will: { topic, payload: Buffer.from('gone'), qos: 1, retain: false } })
    lost.stream.destroy()
    await watcher.next('gone')
    await watcher.endAsync()
  },
  async resumption () {
    const topic = `${prefix}/resumption`
    const first = await connect('resumption', { clean: false })
    await first.subscribeAsync(topic, { qos: 1 })
    await first.endAsync()
    const sender = await connect('sender')
    await sender.publishAsync(topic, 'meanwhile', { qos: 1 })
    await sender.endAsync()
    const second = await connect('resumption', { clean: false })
    assert.equal(second.connack.sessionPresent, true)
    await second.next('meanwhile')
    await second.endAsync()
    await (await connect('resumption')).endAsync()
  }
}
if (five) {
  steps.properties = async () => {
    const client = await connect('properties')
    const topic = `${prefix}/properties`
    await client.subscribeAsync(topic, { qos: 1, properties: { subscriptionIdentifier: 7 } })
    const sent = {
      payloadFormatIndicator: true,
      contentType: 'text/plain',
      responseTopic: `${prefix}/answers`,
      correlationData: Buffer.from([0, 1]),
      userProperties: { a: ['1', '2'] }
    }
    await client.publishAsync(topic, 'told', { qos: 1, properties: { ...sent, messageExpiryInterval: 100 } })
    const { properties: came } = await client.next('told')
    for (const [name, value] of Object.entries(sent)) assert.deepEqual(JSON.stringify(came[name]), JSON.stringify(value), name)
    assert.ok(came.messageExpiryInterval <= 100, 'messageExpiryInterval')
    assert.equal(came.subscriptionIdentifier, 7)
    await client.endAsync()
  }
}

let failed = 0
for (const [name, step] of Object.entries(steps)) {
  try {
    await step()
    console.log(`mqtt.js ${version} ${transport} ${name} ok`)
  } catch (error) {
    failed = 1
    console.log(`mqtt.js ${version} ${transport} ${name} FAILED ${error.message.replaceAll('\n', ' ')}`)
  }
}
process.exit(failed)
