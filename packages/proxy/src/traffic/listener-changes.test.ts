import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { connect } from 'node:tls'

import { expect, test } from 'vitest'

import type { Config, KeyPairConfig } from '../config/config.ts'
import { certificateText, keyPair, tlsSecrets } from './certificates.test-support.ts'
import { exchange, RawClient, scriptedBackend, type TestTraffic, testTraffic } from './traffic.test-support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

/** Its one listener shows these certificates instead. */
function showing({ config }: TestTraffic, ...tls: readonly KeyPairConfig[]): Config {
  return { ...config, listen: config.listen.map((listener) => ({ ...listener, tls })) }
}

/** With a second listener, on that port. */
function wider({ config }: TestTraffic, port: number): Config {
  const [listener] = config.listen
  return { ...config, listen: [listener!, { ...listener!, address: { host: '127.0.0.1', port } }] }
}

/** A port that nobody listens on now. */
async function freePort(): Promise<number> {
  await using server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function shownOn(port: number): Promise<string> {
  const ca = certificateText('authority.pem')
  const socket = connect({ port, host: '127.0.0.1', servername: 'shop.example.com', ca })
  await once(socket, 'secureConnect')
  const shown = socket.getPeerX509Certificate()!.toString()
  socket.destroy()
  return shown
}

test('a certificate that cannot be used refuses the next configuration before anything has changed', async () => {
  await using backend = await scriptedBackend(OK)
  await using proxy = await testTraffic({ backends: [backend.port] })
  const unread = { cert: '/nowhere.cert.pem', key: '/nowhere.key.pem' }

  await expect(proxy.traffic.prepare(showing(proxy, unread))).rejects.toThrow()

  expect(await exchange(proxy.port, GET)).toContain('hello')
})

test('a listener begins to speak TLS, with the certificates of the moment it does', async () => {
  await using backend = await scriptedBackend(OK)
  await using proxy = await testTraffic({ backends: [backend.port] })
  proxy.traffic.secure(tlsSecrets(['shop']))

  const prepared = await proxy.traffic.prepare(showing(proxy, keyPair('shop')))
  proxy.traffic.secure(tlsSecrets(['shop'], { shop: 'renewed' }))
  const before = await exchange(proxy.port, GET)
  prepared.adopt(proxy.topology)

  expect(before).toContain('hello')
  expect(certificateText('renewed.cert.pem')).toContain(await shownOn(proxy.port))
})

test('one that has closed needs the certificates no more that it showed', async () => {
  await using backend = await scriptedBackend(() => undefined)
  await using proxy = await testTraffic({ backends: [backend.port], tls: ['shop'] })
  await using held = new RawClient(proxy.port)
  await expect.poll(() => proxy.traffic.connections()).toBe(1)

  const draining = proxy.traffic.drain({ accepting: 0, grace: 100, longest: 5_000, shared: false })
  await expect.poll(() => shownOn(proxy.port).catch(({ code }) => code)).toBe('ECONNREFUSED')
  proxy.traffic.secure(tlsSecrets([]))

  await draining
  expect(await held.toEnd()).toBe('')
})

test.each([
  [
    'has begun',
    (proxy: TestTraffic) => void proxy.traffic.drain({ accepting: 5_000, grace: 5_000, longest: 5_000, shared: false }),
  ],
  ['is over', (proxy: TestTraffic) => proxy.traffic[Symbol.asyncDispose]()],
])('nothing listens that is adopted when a drain %s', async (_, drain) => {
  await using backend = await scriptedBackend(OK)
  await using proxy = await testTraffic({ backends: [backend.port] })

  const port = await freePort()
  const prepared = await proxy.traffic.prepare(wider(proxy, port))
  await drain(proxy)
  prepared.adopt(proxy.topology)

  expect(proxy.traffic.addresses).toHaveLength(1)
  expect(await exchange(port, GET)).toBe('')
})

test('whoever connects to a listener before it is adopted is served by what is adopted', async () => {
  await using older = await scriptedBackend(OK.replace('hello', 'older'))
  await using newer = await scriptedBackend(OK.replace('hello', 'newer'))
  await using proxy = await testTraffic({ backends: [older.port] })
  await using next = await testTraffic({ backends: [newer.port] })
  const port = await freePort()

  const prepared = await proxy.traffic.prepare(wider(proxy, port))
  await using gone = new RawClient(port)
  await once(gone.socket, 'connect')
  gone.socket.destroy()
  const answers = [exchange(port, GET), exchange(port, GET)]
  const meanwhile = await exchange(proxy.port, GET)
  prepared.adopt(next.topology)

  expect(meanwhile).toContain('older')
  for (const answer of await Promise.all(answers)) expect(answer).toContain('newer')
  await expect.poll(() => proxy.traffic.connections()).toBe(0)
})

test('whoever connects to a listener that is not adopted after all is told by its end', async () => {
  await using backend = await scriptedBackend(OK)
  await using proxy = await testTraffic({ backends: [backend.port] })
  const port = await freePort()

  const prepared = await proxy.traffic.prepare(wider(proxy, port))
  await using client = new RawClient(port)
  await once(client.socket, 'connect')
  client.send(GET)
  await exchange(proxy.port, GET)
  await prepared.abandon()

  expect(await client.toEnd()).toBe('')
  expect(await exchange(proxy.port, GET)).toContain('hello')
})
