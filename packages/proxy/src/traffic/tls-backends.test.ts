import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket, TlsOptions } from 'node:tls'

import { describe, expect, test, vi } from 'vitest'
import { newcomer } from '../affinity/sessions.test-support.ts'
import type { Session } from '../affinity/strategy.ts'
import type { BackendTls } from '../upstream/backend.ts'
import { certificateText, keyPairTexts, type TestCertificate } from './certificates.test-support.ts'
import { exchange, type RawBackend, RawClient, rawBackend, testTraffic } from './traffic.test-support.ts'

const GET_LAST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

/** `local` is for localhost and 127.0.0.1. */
const tlsBackend = (
  serve: (socket: Socket) => void,
  certificate: TestCertificate = 'local',
  more: TlsOptions = {},
): Promise<RawBackend> => {
  const { cert, key } = keyPairTexts(certificate)
  return rawBackend(serve, { cert: cert!, key: key!, ...more })
}

const authority = { ca: certificateText('authority.pem'), cert: undefined, key: undefined }
const trusted: BackendTls = { serverName: undefined, verified: true, pems: authority }

const answering = (answer: Buffer | string): Promise<RawBackend> =>
  tlsBackend((socket) => socket.on('data', () => socket.write(answer)))

const withBody = (body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body])

describe('a backend over TLS whose certificate is trusted', () => {
  test.each(['localhost', '127.0.0.1'])('is reached as %s, and its connection kept', async (hostname) => {
    await using backend = await answering(withBody(Buffer.from('hello')))
    await using proxy = await testTraffic({
      backends: [{ port: backend.port, scheme: 'https', hostname, tls: trusted }],
    })

    const first = await exchange(proxy.port, GET_LAST)
    const second = await exchange(proxy.port, GET_LAST)

    expect([first, second].map((text) => text.endsWith('hello'))).toEqual([true, true])
    expect(backend.sockets).toHaveLength(1)
  })

  test('gives a slow reader every byte as it was', async () => {
    const body = randomBytes(20_000_000)
    await using backend = await answering(withBody(body))
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https', tls: trusted }] })
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
    await using proxy = await testTraffic({
      backends: [{ port: backend.port, scheme: 'https', tls: trusted }],
      session,
    })
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
    await using proxy = await testTraffic({
      backends: [{ port: backend.port, scheme: 'https', tls: trusted }],
      session,
    })
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
    await using proxy = await testTraffic({
      backends: [{ port: backend.port, scheme: 'https', tls: trusted }],
      session,
    })
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
      backends: [{ port: backend.port, scheme: 'https', hostname: '127.0.0.2', tls: trusted }],
    })

    expect(await exchange(proxy.port, GET_LAST)).toContain('502 Bad Gateway')
  })
})

describe('a backend over TLS', () => {
  const hello = withBody(Buffer.from('hello'))
  const answer = (socket: Socket): void => void socket.on('data', () => socket.write(hello))

  test.each([
    ['nobody vouches for', 'local', { ...trusted, pems: undefined }, /self-signed certificate|unable to (get|verify)/],
    ['has another name', 'shop', trusted, /does not match certificate's altnames/],
    ['has not the name it should have', 'local', { ...trusted, serverName: 'shop.example.com' }, /does not match/],
    ['is past its time', 'expired', { ...trusted, serverName: 'shop.example.com' }, /certificate has expired/],
  ] as const)('whose certificate %s is a 502, and the reason is told', async (_, certificate, tls, reason) => {
    await using backend = await tlsBackend(answer, certificate)
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https', tls }] })

    expect(await exchange(proxy.port, GET_LAST)).toContain('502 Bad Gateway')
    expect(proxy.insecure.join()).toMatch(reason)
    expect(proxy.records).toMatchObject([{ refusal: 'backend-refused' }])
    expect(proxy.store.load.local('p', 'b0')).toBe(0)
  })

  test('that speaks no TLS is a 502, and the reason is told', async () => {
    await using backend = await rawBackend((socket) => socket.on('data', () => socket.write('HTTP/1.1 400 No\r\n\r\n')))
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https', tls: trusted }] })

    expect(await exchange(proxy.port, GET_LAST)).toContain('502 Bad Gateway')
    expect(proxy.insecure.join()).toMatch(/wrong version number|packet length/)
  })

  test('that closes during the handshake is a 502 like any other', async () => {
    await using backend = await rawBackend((socket) => socket.destroy())
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https', tls: trusted }] })

    expect(await exchange(proxy.port, GET_LAST)).toContain('502 Bad Gateway')
    expect(proxy.insecure).toEqual([])
  })

  test('that does not end its handshake is passed over after timeouts.connect', async () => {
    await using silent = await rawBackend((socket) => socket.resume())
    await using backend = await tlsBackend(answer)
    const places = [silent, backend].map(({ port }) => ({ port, scheme: 'https', tls: trusted }) as const)
    await using proxy = await testTraffic({ backends: places, timeouts: { connect: 200 } })

    expect(await exchange(proxy.port, GET_LAST)).toContain('200 OK')
    expect(proxy.records).toMatchObject([{ backend: 'b1', retries: 1 }])
    await vi.waitUntil(() => silent.sockets[0]!.destroyed, { interval: 5 })
  })

  test('may have another name than its host, which it is asked for', async () => {
    const asked: unknown[] = []
    await using backend = await tlsBackend((socket) => {
      asked.push((socket as TLSSocket).servername)
      answer(socket)
    }, 'shop')
    const tls = { ...trusted, serverName: 'a.shop.example.com' }
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https', tls }] })

    expect(await exchange(proxy.port, GET_LAST)).toContain('200 OK')
    expect(asked).toEqual(['a.shop.example.com'])
  })

  test('is believed whoever it is, if it is to be', async () => {
    await using backend = await tlsBackend(answer, 'expired')
    const tls = { serverName: undefined, verified: false, pems: undefined }
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https', tls }] })

    expect(await exchange(proxy.port, GET_LAST)).toContain('200 OK')
  })

  const asking = { requestCert: true, rejectUnauthorized: true, ca: certificateText('authority.pem') }

  test('that asks for a certificate is shown ours', async () => {
    await using backend = await tlsBackend(answer, 'local', asking)
    const tls = { ...trusted, pems: { ...keyPairTexts('client'), ca: authority.ca } }
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https', tls }] })

    expect(await exchange(proxy.port, GET_LAST)).toContain('200 OK')
    expect((backend.sockets[0] as TLSSocket).authorized).toBe(true)
  })

  test('that asks for a certificate and gets none is a 502, and the reason is told', async () => {
    await using backend = await tlsBackend(answer, 'local', asking)
    backend.server.on('tlsClientError', () => {})
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https', tls: trusted }] })

    expect(await exchange(proxy.port, GET_LAST)).toContain('502 Bad Gateway')
    expect(proxy.insecure.join()).toMatch(/certificate required/)
  })

  test('is greeted again with the session of the connection before', async () => {
    const resumed: boolean[] = []
    await using backend = await tlsBackend((socket) => {
      resumed.push((socket as TLSSocket).isSessionReused())
      socket.on('data', () => socket.end(hello))
    })
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https', tls: trusted }] })

    await exchange(proxy.port, GET_LAST)
    await exchange(proxy.port, GET_LAST)

    expect(resumed).toEqual([false, true])
  })

  test('whose authority is another one from now on is greeted anew', async () => {
    await using backend = await tlsBackend((socket) => socket.on('data', () => socket.end(hello)))
    let pems = authority
    const tls: BackendTls = {
      ...trusted,
      get pems() {
        return pems
      },
    }
    await using proxy = await testTraffic({ backends: [{ port: backend.port, scheme: 'https', tls }] })

    await exchange(proxy.port, GET_LAST)
    pems = { ...authority, ca: certificateText('shop.cert.pem') }

    expect(await exchange(proxy.port, GET_LAST)).toContain('502 Bad Gateway')
  })
})

/** Waits until a number no longer changes. */
async function stillness(read: () => number): Promise<void> {
  let before = Number.NaN
  while (read() !== before || before <= 0) {
    before = read()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
