import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'

import { beforeAll, describe, expect, test, vi } from 'vitest'
import { newcomer } from '../affinity/sessions.test-support.ts'
import type { Session } from '../affinity/strategy.ts'
import { exchange, type RawBackend, RawClient, rawBackend, testTraffic } from './traffic.test-support.ts'

const GET_LAST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const fixture = (name: string): string =>
  readFileSync(new URL(`../upstream/fixtures/test-only.${name}.pem`, import.meta.url), 'utf8')
const certificates = getCACertificates('default')

// A key and a certificate for `localhost` and 127.0.0.1 that nobody else uses.
const tlsBackend = (serve: (socket: Socket) => void): Promise<RawBackend> =>
  rawBackend(serve, { key: fixture('key'), cert: fixture('cert') })

const answering = (answer: Buffer | string): Promise<RawBackend> =>
  tlsBackend((socket) => socket.on('data', () => socket.write(answer)))

const withBody = (body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body])

describe('a backend over TLS whose certificate is trusted', () => {
  beforeAll(() => {
    setDefaultCACertificates([...certificates, fixture('cert')])
    return () => setDefaultCACertificates(certificates)
  })

  test.each(['localhost', '127.0.0.1'])('is reached as %s, and its connection kept', async (hostname) => {
    await using backend = await answering(withBody(Buffer.from('hello')))
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https', hostname }] })

    const first = await exchange(proxy.port, GET_LAST)
    const second = await exchange(proxy.port, GET_LAST)

    expect([first, second].map((text) => text.endsWith('hello'))).toEqual([true, true])
    expect(backend.sockets).toHaveLength(1)
  })

  test('gives a slow reader every byte as it was', async () => {
    const body = randomBytes(20_000_000)
    await using backend = await answering(withBody(body))
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https' }] })
    await using client = new RawClient(proxy.port)
    client.send(GET_LAST)
    client.socket.pause()
    while (proxy.store.load.local('p', 'b0') === 0) await new Promise(setImmediate)
    await stillness(() => backend.sockets[0]?.bytesWritten ?? -1)
    client.socket.resume()

    const text = await client.toEnd()

    expect(Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1').equals(body)).toBe(true)
  })

  test('loses nothing of a response that a binding holds back', async () => {
    const body = randomBytes(200_000)
    const { promise: bound, resolve: bind } = Promise.withResolvers<boolean>()
    const session: Session = { ...newcomer, served: () => bound }
    await using backend = await answering(withBody(body))
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https' }], session })
    await using client = new RawClient(proxy.port)

    client.send(GET_LAST)
    await stillness(() => backend.sockets[0]?.bytesWritten ?? -1)
    bind(true)
    const text = await client.toEnd()

    expect(Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1').equals(body)).toBe(true)
  })

  test.each([
    ['a body', 'HTTP/1.1 200 OK\r\n\r\nto the end', 'to the end'],
    ['no body', 'HTTP/1.1 200 OK\r\n\r\n', ''],
    ['a whole body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole', 'whole'],
  ])('may end its connection while a binding holds back %s', async (_, answer, body) => {
    const { promise: bound, resolve: bind } = Promise.withResolvers<boolean>()
    const session: Session = { ...newcomer, served: () => bound }
    await using backend = await tlsBackend((socket) => socket.on('data', () => socket.end(answer)))
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https' }], session })
    await using client = new RawClient(proxy.port)

    client.send(GET_LAST)
    await vi.waitUntil(() => backend.sockets[0]?.destroyed, { interval: 5 })
    bind(true)
    const text = await client.toEnd()

    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(body)
    expect(client.reset).toBe(false)
    expect(proxy.records).toMatchObject([{ refusal: undefined }])
  })

  test('that ends its connection too soon while a binding holds the response is a failure', async () => {
    const { promise: bound, resolve: bind } = Promise.withResolvers<boolean>()
    const session: Session = { ...newcomer, served: () => bound }
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal'
    await using backend = await tlsBackend((socket) => socket.on('data', () => socket.end(answer)))
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https' }], session })
    await using client = new RawClient(proxy.port)

    client.send(GET_LAST)
    await vi.waitUntil(() => backend.sockets[0]?.destroyed, { interval: 5 })
    bind(true)
    await client.toEnd()

    expect(proxy.records).toMatchObject([{ refusal: 'backend-failed' }])
  })

  test('is not taken for another host', async () => {
    await using backend = await answering(withBody(Buffer.from('hello')))
    await using proxy = await testTraffic({
      backends: [{ port: backend.port, scheme: 'https', hostname: '127.0.0.2' }],
    })

    expect(await exchange(proxy.port, GET_LAST)).toContain('502 Bad Gateway')
  })
})

test('a backend whose certificate nobody vouches for is a 502', async () => {
  await using backend = await answering(withBody(Buffer.from('hello')))
  await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https' }] })

  expect(await exchange(proxy.port, GET_LAST)).toContain('502 Bad Gateway')
  expect(proxy.store.load.local('p', 'b0')).toBe(0)
})

/** Waits until a number no longer changes. */
async function stillness(read: () => number): Promise<void> {
  let before = Number.NaN
  while (read() !== before || before <= 0) {
    before = read()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
