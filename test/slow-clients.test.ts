import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { certificateFile, certificateText } from '../packages/proxy/src/traffic/certificates.test-support.ts'
import { residentMiB } from './chaos/memory.ts'
import { Browser } from './support/browser.ts'
import { eventually } from './support/eventually.ts'
import { ProxyNode } from './support/proxy-node.ts'
import { freshPrefix, redisUrl } from './support/redis.ts'

// What slowhttptest does (-H, -B and -X), from 500 clients at once, in clear and over TLS; each limit is two seconds here.

const POST = 'POST / HTTP/1.1\r\nHost: a\r\n'
// More than the kernel takes for a client that does not read.
const large = Buffer.alloc(30_000_000)

interface Attack {
  readonly clients: number
  readonly begins: string
  /** What it sends ten times a second. */
  readonly goesOn?: string
  /** It reads nothing, and hears of a reset only as it writes. */
  readonly isDeaf?: boolean
  /** The connection alone, whatever the listener speaks. */
  readonly isBare?: boolean
  /** All that is answered. */
  readonly answered: RegExp
}

const late = /^HTTP\/1\.1 408 Request Timeout\r\n/

const attacks: Readonly<Record<string, Attack>> = {
  'nothing at all': { clients: 40, begins: '', isBare: true, answered: /^$/ },
  'half a handshake': {
    clients: 40,
    begins: '\x16\x03\x01\x02\x00',
    isBare: true,
    answered: /^(?:HTTP\/1\.1 400 .*)?$/s,
  },
  'a head, line by line': {
    clients: 60,
    begins: 'GET / HTTP/1.1\r\nHost: a\r\n',
    goesOn: 'X-A: b\r\n',
    answered: late,
  },
  'a body, byte by byte': { clients: 60, begins: `${POST}Content-Length: 100000\r\n\r\n`, goesOn: 'x', answered: late },
  'chunks of a byte': {
    ...{ clients: 40, begins: `${POST}Transfer-Encoding: chunked\r\n\r\n`, goesOn: '1\r\nx\r\n', answered: late },
  },
  'an answer unread': {
    clients: 10,
    begins: 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n',
    goesOn: '\r\n',
    isDeaf: true,
    answered: /^$/,
  },
}

/** A slow client, and what came of it. */
interface Attacker {
  readonly name: string
  readonly attack: Attack
  readonly socket: Socket
  received: string
  closed: boolean
}

let app: Server
let node: ProxyNode

beforeAll(async () => {
  app = createServer(answer).listen(0, '127.0.0.1')
  await once(app, 'listening')
  const tls = [{ cert: certificateFile('local.cert.pem'), key: certificateFile('local.key.pem') }]
  node = await ProxyNode.start({
    store: { url: redisUrl(), prefix: freshPrefix() },
    node: { workers: 1 },
    listen: [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0', tls }],
    timeouts: { head: '2s', idle: '2s', body: '2s', write: '2s' },
    pools: { shop: { backends: [{ id: 'a', url: `http://127.0.0.1:${(app.address() as AddressInfo).port}` }] } },
  })
})

afterAll(async () => {
  await node[Symbol.asyncDispose]()
  app.closeAllConnections()
  app.close()
})

function answer(request: IncomingMessage, response: ServerResponse): void {
  request.on('error', () => {}).resume()
  request.on('end', () => response.end(request.url === '/large' ? large : 'hello'))
}

const secureContext = createSecureContext({ ca: certificateText('authority.pem') })

async function begin(name: string, attack: Attack, port: number, secure: boolean): Promise<Attacker> {
  const isTls = secure && attack.isBare !== true
  const socket = isTls ? connectTls({ port, host: '127.0.0.1', secureContext }) : connectTcp(port, '127.0.0.1')
  const attacker: Attacker = { name, attack, socket, received: '', closed: false }
  socket.on('error', () => {})
  socket.on('close', () => Object.assign(attacker, { closed: true }))
  await once(socket, isTls ? 'secureConnect' : 'connect')
  socket.write(attack.begins, 'latin1')
  if (attack.isDeaf !== true) socket.on('data', (bytes: Buffer) => (attacker.received += bytes.toString('latin1')))
  return attacker
}

/** A few at a time, so that none of them is late by itself. */
async function beginAll(ports: readonly number[], attackers: Attacker[]): Promise<void> {
  const all = Object.entries(attacks).flatMap(([name, attack]) =>
    Array.from({ length: attack.clients }, () => [name, attack] as const),
  )
  for (let begun = 0; begun < all.length; begun += 10) {
    const some = all.slice(begun, begun + 10)
    const pairs = some.flatMap(([name, attack]) => ports.map((port, index) => begin(name, attack, port, index === 1)))
    attackers.push(...(await Promise.all(pairs)))
  }
}

test('slow clients are closed in time, and cost nobody else an answer, nor the node memory', async () => {
  const clear = node.port
  await new Browser().get(clear)
  const before = await residentMiB(node)

  const attackers: Attacker[] = []
  const dripping = setInterval(() => {
    for (const { attack, socket } of attackers) if (attack.goesOn && socket.writable) socket.write(attack.goesOn)
  }, 100)
  await beginAll(node.ports, attackers)
  const served: string[] = []
  await eventually(
    async () => {
      served.push((await new Browser().get(clear)).body)
      return attackers.filter(({ closed }) => !closed).map(({ name }) => name)
    },
    (open) => open.length === 0,
  )
  clearInterval(dripping)

  const wrong = attackers.filter(({ attack, received }) => !attack.answered.test(received))
  expect(wrong.map(({ name, received }) => [name, received.slice(0, 80)])).toEqual([])
  expect(served.length).toBeGreaterThan(3)
  expect(new Set(served)).toEqual(new Set(['hello']))
  await eventually(
    () => open(),
    (connections) => connections === 0,
  )
  expect(
    await eventually(
      () => node.load('shop'),
      ({ a = 0 }) => a === 0,
    ),
  ).toBeDefined()
  expect((await residentMiB(node)) - before).toBeLessThan(150)
})

/** Client connections that the node counts. */
async function open(): Promise<number> {
  const text = await (await fetch(new URL('/metrics', node.admin))).text()
  return Number(/^sticky_client_connections (\d+)$/m.exec(text)![1])
}
