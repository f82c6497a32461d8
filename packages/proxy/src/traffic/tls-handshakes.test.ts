import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

import { describe, expect, test, vi } from 'vitest'

import { certificateText } from './certificates.test-support.ts'
import { RawClient, rawBackend, scriptedBackend, type TestTraffic, testTraffic } from './traffic.test-support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
/** The beginning of a handshake, whose rest does not come. */
const BEGINNING = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'

const inFront = (port: number, options: Partial<Parameters<typeof testTraffic>[0]> = {}): Promise<TestTraffic> =>
  testTraffic({ backends: [port], tls: ['local'], ...options })

async function dial(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: certificateText('authority.pem'), ...options })
  await once(socket, 'secureConnect')
  return socket
}

/** Is a client served that does everything right? */
async function serves(port: number): Promise<boolean> {
  const socket = await dial(port)
  socket.write(GET)
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return bytes.toString().startsWith('HTTP/1.1 200')
}

const held = (proxy: TestTraffic, count: number): Promise<unknown> =>
  vi.waitUntil(() => proxy.traffic.connections() === count, { interval: 5, timeout: 5_000 })

describe('handshakes that do not end', () => {
  test.each([
    ['of their client', { connectionsPerClient: 2 }, 'client-limit'],
    ['of all there are', { connections: 2 }, 'limit'],
  ] as const)('count among the connections %s, until they are closed', async (_, limits, reason) => {
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await inFront(backend.port, { limits })
    const begun = [new RawClient(proxy.port), new RawClient(proxy.port)] as const
    for (const client of begun) client.send(BEGINNING)
    await held(proxy, 2)

    await using third = new RawClient(proxy.port)
    expect(await third.toEnd()).toBe('')
    expect(proxy.traffic.turnedAway()[reason]).toBe(1)
    for (const client of begun) client.socket.destroy()
    await held(proxy, 0)

    expect(await serves(proxy.port)).toBe(true)
  })

  test('by the hundred are closed in time, and others are served meanwhile', async () => {
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await inFront(backend.port, { timeouts: { head: 1_000 } })
    const clients = Array.from({ length: 300 }, () => new RawClient(proxy.port))
    for (const [index, client] of clients.entries()) client.send(BEGINNING.slice(0, 1 + (index % BEGINNING.length)))
    await held(proxy, 300)

    expect(await serves(proxy.port)).toBe(true)
    const received = await Promise.all(clients.map((client) => client.toEnd()))
    await held(proxy, 0)

    expect(new Set(received)).toEqual(new Set(['']))
    expect(proxy.traffic.turnedAway().handshake).toBe(300)
  })
})

const NAME = 'name.example.com'

/** What a client says first that asks for these 16 bytes instead of a name. */
async function greeting(name: string): Promise<string> {
  const { promise: said, resolve: hear } = Promise.withResolvers<Buffer>()
  await using listener = await rawBackend((socket) => socket.once('data', hear))
  const client = connect({ port: listener.port, host: '127.0.0.1', servername: NAME, maxVersion: 'TLSv1.2' })
  client.on('error', () => {})
  const bytes = (await said).toString('latin1')
  client.destroy()
  expect([name.length, bytes.includes(NAME)]).toEqual([NAME.length, true])
  return bytes.replace(NAME, name)
}

describe('a client that asks by SNI for', () => {
  test.each([
    ['NUL', '\0'.repeat(16)],
    ['a name with NUL in it', 'local\0host.a.com'],
    ['bytes beyond ASCII', '\xff\xfe\x80\xc3'.repeat(4)],
    ['line ends', '\r\nGET / HTTP/1\r\n'],
    ['dots', '.'.repeat(16)],
    ['a wildcard', '*.*.*.*.shop.com'],
    ['an address', '[::ffff:1.2.3.4]'],
    ['what objects have', 'constructor.call'],
  ])('%s is answered or refused, and others are served', async (_, name) => {
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await inFront(backend.port)
    await using client = new RawClient(proxy.port)

    client.send(await greeting(name))
    // A handshake record, or an alert.
    await client.until((received) => ['\x16\x03', '\x15\x03'].includes(received.slice(0, 2)))

    expect(await serves(proxy.port)).toBe(true)
  })
})

describe('a connection that was secure', () => {
  test('and then gets bytes that are no TLS is closed, and its exchange given up', async () => {
    await using silent = await rawBackend((socket) => socket.resume())
    await using proxy = await inFront(silent.port)
    const beneath = connectTcp(proxy.port, '127.0.0.1')
    const socket = await dial(proxy.port, { socket: beneath })
    socket.on('error', () => {})
    socket.write(GET)
    await vi.waitUntil(() => proxy.store.load.local('p', 'b0') === 1, { interval: 5 })
    const record = proxy.nextRecord()

    beneath.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')

    expect(await record).toMatchObject({ refusal: 'client-gone' })
    await held(proxy, 0)
    expect(proxy.store.load.local('p', 'b0')).toBe(0)
    socket.destroy()
  })
})
