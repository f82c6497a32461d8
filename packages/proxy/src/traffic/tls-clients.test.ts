import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

import { describe, expect, test, vi } from 'vitest'

import { certificateText, type TestCertificate, tlsSecrets } from './certificates.test-support.ts'
import {
  exchange,
  RawClient,
  rawBackend,
  scriptedBackend,
  type TestTraffic,
  type TestTrafficOptions,
  testTraffic,
} from './traffic.test-support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n'
const GET_LAST = 'GET / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

/** A connection that was made secure; Node ends the test where nobody vouches for the certificate. */
async function dial(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    ...{ port, host: '127.0.0.1', servername: 'shop.example.com', ca: certificateText('authority.pem') },
    ...options,
  })
  await once(socket, 'secureConnect')
  return socket
}

async function ask(socket: Socket, request: string): Promise<string> {
  let text = ''
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
  socket.write(request)
  await new Promise((resolve) => socket.on('close', resolve))
  return text
}

const shopAndBlog: readonly TestCertificate[] = ['shop', 'blog']

const inFront = (port: number, options: Partial<TestTrafficOptions> = {}): Promise<TestTraffic> =>
  testTraffic({ backends: [port], tls: shopAndBlog, ...options })

describe('a listener with certificates', () => {
  test('serves over TLS 1.3 and HTTP/1.1, with the chain that leads to the authority', async () => {
    await using backend = await scriptedBackend(OK)
    await using proxy = await inFront(backend.port)

    const socket = await dial(proxy.port, { ALPNProtocols: ['h2', 'http/1.1'] })
    const spoken = [socket.getProtocol(), socket.alpnProtocol]
    const text = await ask(socket, GET_LAST)

    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n.*hello$/s)
    expect(socket.authorized).toBe(true)
    expect(spoken).toEqual(['TLSv1.3', 'http/1.1'])
  })

  test.each([
    ['its name', 'blog.example.com', 'blog.example.com'],
    ['its name in capitals', 'BLOG.Example.com', 'blog.example.com'],
    ['a name that a wildcard covers', 'a.shop.example.com', 'shop.example.com'],
  ])('shows the certificate that has %s', async (_, servername, name) => {
    await using proxy = await inFront(1)

    const socket = await dial(proxy.port, { servername })

    expect(socket.getPeerCertificate().subjectaltname).toContain(`DNS:${name}`)
    socket.destroy()
  })

  test.each([
    ['a name nobody has', { servername: 'nobody.example.com' }],
    ['a name two labels below a wildcard', { servername: 'a.b.shop.example.com' }],
    ['__proto__', { servername: '__proto__' }],
    ['the longest name there may be', { servername: `${'a'.repeat(63)}.`.repeat(3) + 'b'.repeat(61) }],
    ['no name', { servername: '' }],
  ])('shows the first certificate to a client that asks for %s', async (_, options) => {
    await using proxy = await inFront(1)

    const socket = await dial(proxy.port, { ...options, checkServerIdentity: () => undefined })

    expect(socket.getPeerCertificate().subject.CN).toBe('shop')
    socket.destroy()
  })

  test('tells backends that the client came over TLS', async () => {
    let head = ''
    await using backend = await scriptedBackend((text) => {
      head = text
      return OK
    })
    await using proxy = await inFront(backend.port)

    await ask(await dial(proxy.port), GET_LAST)

    expect(head).toContain('X-Forwarded-Proto: https\r\n')
    expect(head).toContain(`X-Forwarded-Port: ${proxy.port}\r\n`)
  })

  test('relays a large body each way, byte by byte as it was', async () => {
    const body = Buffer.alloc(3_000_000, 'abcdefghijk')
    await using backend = await scriptedBackend((head) => (head.startsWith('GET') ? undefined : ''))
    backend.server.removeAllListeners('connection')
    backend.server.on('connection', (socket: Socket) => {
      let received = 0
      socket.on('data', (bytes) => {
        received += bytes.length
        if (received < body.length) return
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`)
        socket.end(body)
      })
    })
    await using proxy = await inFront(backend.port)
    const socket = await dial(proxy.port)
    const answer = ask(
      socket,
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body.toString('latin1')}`,
    )

    const text = await answer

    expect(text.slice(text.indexOf('\r\n\r\n') + 4) === body.toString('latin1')).toBe(true)
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'resumes a session of %s, whichever certificate it began with',
    async (version) => {
      await using backend = await scriptedBackend(OK)
      await using proxy = await inFront(backend.port)
      const servername = 'blog.example.com'
      const limits = { minVersion: version, maxVersion: version, servername } as const
      const first = await dial(proxy.port, limits)
      let session: Buffer | undefined = first.getSession()
      first.on('session', (given: Buffer) => (session = given))
      await ask(first, GET_LAST)

      const second = await dial(proxy.port, { ...limits, session: session! })

      expect(second.isSessionReused()).toBe(true)
      second.destroy()
    },
  )

  test('accepts PROXY protocol before the handshake', async () => {
    await using backend = await scriptedBackend(OK)
    await using proxy = await inFront(backend.port, { proxyProtocolFrom: ['127.0.0.1'] })
    const beneath = connectTcp(proxy.port, '127.0.0.1')
    beneath.write('PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n')

    const text = await ask(await dial(proxy.port, { socket: beneath }), GET_LAST)

    expect(text).toContain('200 OK')
    expect(proxy.records[0]?.client).toBe('192.0.2.7')
  })

  test('resets the connection where a response fails half-way', async () => {
    await using backend = await rawBackend((socket) =>
      socket.on('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () => socket.destroy()),
      ),
    )
    await using proxy = await inFront(backend.port)
    const socket = await dial(proxy.port)
    let ended = false
    let error: Error | undefined
    socket.on('end', () => (ended = true))
    socket.on('error', (failure) => (error = failure))

    await ask(socket, GET)

    expect(ended).toBe(false)
    expect(error).toBeDefined()
    expect(proxy.records).toMatchObject([{ refusal: 'backend-failed' }])
  })

  test('tunnels WebSockets both ways', async () => {
    const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
    await using backend = await rawBackend((socket) =>
      socket.once('data', () => {
        socket.write(switching)
        socket.on('data', (bytes) => socket.write(`echo of ${bytes}`))
      }),
    )
    await using proxy = await inFront(backend.port)
    const socket = await dial(proxy.port)
    let text = ''
    socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))

    socket.write('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    await vi.waitUntil(() => text.includes('101'), { interval: 5 })
    socket.write('hello')
    await vi.waitUntil(() => text.endsWith('echo of hello'), { interval: 5 })

    expect(text).toMatch(/^HTTP\/1.1 101 /)
    socket.destroy()
  })

  test('drains: idle connections and handshakes that do not end are closed', async () => {
    await using proxy = await inFront(1)
    const idle = await dial(proxy.port)
    await using silent = new RawClient(proxy.port)
    silent.send('\x16')
    await vi.waitUntil(() => proxy.traffic.connections() === 2, { interval: 5 })

    await proxy.traffic.drain({ accepting: 0, grace: 200, longest: 3_000, shared: false })

    expect(proxy.traffic.connections()).toBe(0)
    await vi.waitUntil(() => idle.destroyed, { interval: 5 })
  })

  test('takes a client that ends its side before the answer for gone', async () => {
    const { promise: asked, resolve: hear } = Promise.withResolvers<Socket>()
    await using backend = await rawBackend((socket) => socket.on('data', () => hear(socket)))
    await using proxy = await inFront(backend.port)
    const socket = await dial(proxy.port)
    socket.on('error', () => {})
    socket.write(GET)
    await asked
    const record = proxy.nextRecord()

    socket.end()

    expect(await record).toMatchObject({ refusal: 'client-gone' })
  })
})

describe('what is not TLS, or no more than its beginning', () => {
  test('is a 400 in clear, if it is HTTP', async () => {
    await using proxy = await inFront(1)

    const text = await exchange(proxy.port, GET)

    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n.*speaks TLS\n$/s)
    expect(proxy.traffic.turnedAway().handshake).toBe(1)
  })

  test.each([
    ['nothing', ''],
    ['one byte of a record', '\x16'],
    ['half a record', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('is closed after timeouts.head, be it %s', async (_, bytes) => {
    await using proxy = await inFront(1, { timeouts: { head: 300 } })
    await using client = new RawClient(proxy.port)
    client.send(bytes)

    await client.toEnd()
    await vi.waitUntil(() => proxy.traffic.connections() === 0, { interval: 5 })

    expect(client.received).toBe('')
  })

  test.each([
    ['a record that is no handshake', '\x16\x03\x01\x00\x05hello'],
    ['a record of all there is', `\x16\x03\x03\xff\xff${'\xff'.repeat(65_535)}`],
    ['SSL 2', '\x80\x2e\x01\x00\x02'],
  ])('is closed, and others are served, after %s', async (_, bytes) => {
    await using backend = await scriptedBackend(OK)
    await using proxy = await inFront(backend.port)
    await using client = new RawClient(proxy.port)

    client.socket.write(bytes, 'latin1')
    await client.toEnd()

    expect(proxy.traffic.turnedAway().handshake).toBe(1)
    expect(await ask(await dial(proxy.port), GET_LAST)).toContain('200 OK')
  })

  test('TLS 1.1 and a client that speaks HTTP/2 alone are refused', async () => {
    await using proxy = await inFront(1)
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const

    await expect(dial(proxy.port, old)).rejects.toThrow(/version/)
    await expect(dial(proxy.port, { ALPNProtocols: ['h2'] })).rejects.toThrow(/application protocol/)
  })

  test('a client that renegotiates is told that it may not, and is served', async () => {
    await using backend = await scriptedBackend(OK)
    await using proxy = await inFront(backend.port)
    const socket = await dial(proxy.port, { maxVersion: 'TLSv1.2' })
    const refused = new Promise((resolve) => socket.on('error', resolve))

    socket.renegotiate({}, () => {})

    expect(await refused).toMatchObject({ message: expect.stringContaining('no renegotiation') })
    expect(await ask(await dial(proxy.port), GET_LAST)).toContain('200 OK')
  })
})

describe('other certificates', () => {
  test('are shown to whoever comes next, and open connections go on', async () => {
    await using backend = await scriptedBackend(OK)
    await using proxy = await inFront(backend.port)
    const before = await dial(proxy.port)
    const old = before.getPeerCertificate().fingerprint256

    proxy.traffic.secure(tlsSecrets(shopAndBlog, { shop: 'renewed' }))
    const after = await dial(proxy.port)

    expect(after.getPeerCertificate().fingerprint256).not.toBe(old)
    expect(after.authorized).toBe(true)
    expect(await ask(before, GET_LAST)).toContain('200 OK')
    after.destroy()
  })

  test('sealed by another ticket key, sessions begin anew without an error', async () => {
    await using backend = await scriptedBackend(OK)
    await using proxy = await inFront(backend.port)
    const first = await dial(proxy.port)
    let session: Buffer | undefined
    first.on('session', (given: Buffer) => (session = given))
    await ask(first, GET_LAST)

    proxy.traffic.secure(tlsSecrets(shopAndBlog, {}, new Uint8Array(48).fill(7)))
    const second = await dial(proxy.port, { session: session! })

    expect(second.isSessionReused()).toBe(false)
    expect(await ask(second, GET_LAST)).toContain('200 OK')
  })
})
