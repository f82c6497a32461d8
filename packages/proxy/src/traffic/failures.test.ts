import { once } from 'node:events'
import { createServer } from 'node:net'

import { describe, expect, test, vi } from 'vitest'

import { exchange, RawClient, rawBackend, scriptedBackend, testTraffic } from './traffic.test-support.ts'

const GET_LAST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const POST_LAST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody'
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

describe('a backend that cannot be reached', () => {
  test('is passed over, body and all, since it saw nothing', async () => {
    let received = ''
    await using backend = await rawBackend((socket) =>
      socket.on('data', (bytes) => {
        received += bytes.toString('latin1')
        if (received.endsWith('body')) socket.write(HELLO)
      }),
    )
    await using proxy = await testTraffic({ backends: [await deadPort(), backend.port] })

    expect(await exchange(proxy.port, POST_LAST)).toContain('200 OK')
    expect(proxy.records[0]).toMatchObject({ retries: 1, backend: 'b1', refusal: undefined })
    expect(proxy.store.load.local('p', 'b0')).toBe(0)
  })

  test('is a 502 when there is no other', async () => {
    await using proxy = await testTraffic({ backends: [await deadPort()] })

    const text = await exchange(proxy.port, GET_LAST)

    expect(text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\nX-Request-Id: /)
    expect(proxy.records[0]).toMatchObject({ refusal: 'backend-refused' })
  })

  test('is left out after three failures, and one request later brings it back', async () => {
    const port = await deadPort()
    await using proxy = await testTraffic({ backends: [port] })
    for (let n = 0; n < 3; n++) await exchange(proxy.port, GET_LAST)

    expect(await exchange(proxy.port, GET_LAST)).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n.*\r\nRetry-After: /)

    await using _ = await revive(port)
    let text = ''
    while (!text.includes('200 OK')) text = await exchange(proxy.port, GET_LAST)
    expect(await exchange(proxy.port, GET_LAST)).toContain('200 OK')
  })
})

async function revive(port: number): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('data', () => socket.write(HELLO))
    socket.on('error', () => socket.destroy())
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { [Symbol.asyncDispose]: async () => void server.close() }
}

describe('a backend that closes without an answer', () => {
  test('costs another try where the method may be repeated', async () => {
    await using closing = await rawBackend((socket) => socket.once('data', () => socket.destroy()))
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [closing.port, backend.port] })

    expect(await exchange(proxy.port, GET_LAST)).toContain('200 OK')
    expect(proxy.records[0]).toMatchObject({ retries: 1 })
  })

  test('is a 502 where it may have acted', async () => {
    await using closing = await rawBackend((socket) => socket.once('data', () => socket.destroy()))
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [closing.port, backend.port] })

    expect(await exchange(proxy.port, POST_LAST)).toContain('502')
    expect(backend.sockets).toHaveLength(0)
  })

  test('is a 502 where a body was given, and be it an empty one', async () => {
    await using closing = await rawBackend((socket) =>
      socket.on('data', (bytes) => bytes.includes('0\r\n\r\n') && socket.destroy()),
    )
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [closing.port, backend.port] })

    const text = await exchange(
      proxy.port,
      'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
    )

    expect(text).toContain('502')
    expect(backend.sockets).toHaveLength(0)
  })
})

describe('a connection kept from before that its backend closes', () => {
  const closingSecond = () =>
    rawBackend((socket, index) => {
      socket.once('data', () => {
        socket.write(HELLO)
        socket.on('data', () => (index === 0 ? socket.destroy() : socket.write(HELLO)))
      })
    })

  test('moves no session: the same backend is asked over a fresh one', async () => {
    await using home = await closingSecond()
    await using other = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [home.port, other.port] })

    await exchange(proxy.port, GET_LAST)
    const text = await exchange(proxy.port, GET_LAST)

    expect(text).toContain('200 OK')
    expect(proxy.records[1]).toMatchObject({ backend: 'b0', retries: 1 })
    expect(other.sockets).toHaveLength(0)
    expect(proxy.store.load.local('p', 'b0')).toBe(0)
  })

  test('takes away none of the tries that other backends are owed', async () => {
    await using home = await closingSecond()
    await using other = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [home.port, await deadPort(), other.port] })

    await exchange(proxy.port, GET_LAST)
    home.server.close()
    const text = await exchange(proxy.port, GET_LAST)

    expect(text).toContain('200 OK')
    expect(proxy.records[1]).toMatchObject({ backend: 'b2', retries: 3 })
  })

  test('is a 502 for what may not be repeated', async () => {
    await using home = await closingSecond()
    await using other = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [home.port, other.port] })

    await exchange(proxy.port, GET_LAST)

    expect(await exchange(proxy.port, POST_LAST)).toContain('502')
    expect(other.sockets).toHaveLength(0)
  })
})

describe('an answer out of order', () => {
  test.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na'],
    ['length and coding', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\na'],
    ['a CR in a value', 'HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 1\r\n\r\na'],
    ['a head of 1 MB', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(1_000_000)}\r\n\r\n`],
    ['a flood of interim answers', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(50)],
  ])('%s: a 502, and the connection is not used again', async (_, answer) => {
    let calls = 0
    await using backend = await scriptedBackend(() => (calls++ === 0 ? answer : HELLO))
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)

    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until((text) => text.includes('502 Bad Gateway'))
    client.send(GET_LAST)

    expect(await client.toEnd()).toContain('200 OK')
    expect(backend.sockets).toHaveLength(2)
  })

  test('bytes after the answer poison nobody', async () => {
    await using backend = await scriptedBackend(`${HELLO}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`)
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)

    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until((text) => text.endsWith('hello'))
    client.send(GET_LAST)
    const text = await client.toEnd()

    expect(text).not.toContain('evil')
    expect(backend.sockets).toHaveLength(2)
  })
})

describe('time-outs', () => {
  test('a silent backend is a 504', async () => {
    await using backend = await rawBackend((socket) => socket.resume())
    await using proxy = await testTraffic({ backends: [backend.port], timeouts: { response: 200 } })

    expect(await exchange(proxy.port, GET_LAST)).toContain('504 Gateway Timeout')
    expect(proxy.store.load.local('p', 'b0')).toBe(0)
  })

  test('a slow head is a 408', async () => {
    await using proxy = await testTraffic({ backends: [1], timeouts: { head: 200 } })

    expect(await exchange(proxy.port, 'GET / HTTP/1.1\r\nHost:')).toContain('408 Request Timeout')
  })

  test('a slow body is a 408, and its backend is free again', async () => {
    await using backend = await rawBackend((socket) => socket.resume())
    await using proxy = await testTraffic({ backends: [backend.port], timeouts: { body: 200 } })

    expect(await exchange(proxy.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf')).toContain('408')
    expect(proxy.store.load.local('p', 'b0')).toBe(0)
  })

  test('an idle connection is closed without a word', async () => {
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [backend.port], timeouts: { idle: 200 } })

    const text = await exchange(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')

    expect(text.endsWith('hello')).toBe(true)
  })

  test('a backend whose hint is short is not trusted longer', async () => {
    await using backend = await scriptedBackend(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=1\r\n\r\nok',
    )
    await using proxy = await testTraffic({ backends: [backend.port] })

    await exchange(proxy.port, GET_LAST)
    await exchange(proxy.port, GET_LAST)

    expect(backend.sockets).toHaveLength(2)
  })
})

describe('PROXY protocol', () => {
  test('tells the client behind a balancer', async () => {
    let seen = ''
    await using backend = await scriptedBackend((head) => {
      seen = head
      return HELLO
    })
    await using proxy = await testTraffic({ backends: [backend.port], proxyProtocolFrom: ['127.0.0.1/32'] })

    const text = await exchange(proxy.port, `PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n${GET_LAST}`)

    expect(text).toContain('200 OK')
    expect(seen).toContain('X-Forwarded-For: 203.0.113.7\r\n')
    expect(seen).toContain('X-Forwarded-Port: 443\r\n')
  })

  test.each([
    ['missing', GET_LAST],
    ['malformed', `PROXY TCP4 203.0.113.7 nowhere 5000 443\r\n${GET_LAST}`],
  ])('%s closes', async (_, request) => {
    await using proxy = await testTraffic({ backends: [1], proxyProtocolFrom: ['127.0.0.1/32'] })

    expect(await exchange(proxy.port, request)).toBe('')
  })

  test('is read in whatever pieces it comes, and the request right behind it', async () => {
    let seen = ''
    await using backend = await scriptedBackend((head) => {
      seen = head
      return HELLO
    })
    await using proxy = await testTraffic({ backends: [backend.port], proxyProtocolFrom: ['127.0.0.1/32'] })
    await using client = new RawClient(proxy.port)
    client.socket.setNoDelay(true)

    for (const byte of 'PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r') {
      client.send(byte)
      await new Promise(setImmediate)
    }
    client.send(`\n${GET_LAST}`)

    expect(await client.toEnd()).toContain('200 OK')
    expect(seen).toContain('X-Forwarded-For: 203.0.113.7\r\n')
  })

  test('that does not come in time closes', async () => {
    await using proxy = await testTraffic({
      backends: [1],
      proxyProtocolFrom: ['127.0.0.1/32'],
      timeouts: { head: 200 },
    })

    expect(await exchange(proxy.port, 'PROXY TCP4 203.0.113.7')).toBe('')
  })

  test('is believed of nobody else', async () => {
    await using proxy = await testTraffic({ backends: [1], proxyProtocolFrom: ['192.0.2.0/24'] })

    expect(await exchange(proxy.port, `PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n${GET_LAST}`)).toBe('')
  })
})

describe('draining', () => {
  test('finishes what is underway, says close, and accepts nobody new', async () => {
    let answer: (() => void) | undefined
    await using backend = await rawBackend((socket) => {
      socket.on('data', () => {
        answer = () => socket.write(HELLO)
      })
    })
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    while (answer === undefined) await new Promise(setImmediate)

    const drained = proxy.traffic.drain({ accepting: 0, grace: 1_000, longest: 5_000, shared: false })
    answer()
    const text = await client.toEnd()
    await drained

    expect(text).toContain('Connection: close\r\n')
    expect(text.endsWith('hello')).toBe(true)
    await using late = new RawClient(proxy.port)
    await late.toEnd()
    expect(late.reset).toBe(true)
  })

  test('cuts what is left when its time is over', async () => {
    await using backend = await rawBackend((socket) => socket.resume())
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    while (proxy.store.load.local('p', 'b0') === 0) await new Promise(setImmediate)

    await proxy.traffic.drain({ accepting: 0, grace: 1_000, longest: 200, shared: false })

    expect(await client.toEnd()).toBe('')
    expect(proxy.store.load.local('p', 'b0')).toBe(0)
  })

  test('closes a connection whose response had begun before, too', async () => {
    await using backend = await rawBackend((socket) =>
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel')),
    )
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until((text) => text.endsWith('hel'))

    const drained = proxy.traffic.drain({ accepting: 0, grace: 1_000, longest: 5_000, shared: false })
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    backend.sockets[0]!.write('lo')
    await client.until((text) => text.endsWith('hello'))

    const longest = new Promise((resolve) => setTimeout(resolve, 2_000, 'too long'))
    expect(await Promise.race([drained, longest])).toBeUndefined()
  })

  test('still answers a request that was on its way, then closes', async () => {
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until((text) => text.endsWith('hello'))

    const drained = proxy.traffic.drain({ accepting: 0, grace: 1_000, longest: 5_000, shared: false })
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const text = await client.toEnd()
    await drained

    expect(text.split('hello')).toHaveLength(3)
    expect(text.split('Connection: close')).toHaveLength(2)
  })

  test('does not wait for balancers that say nothing', async () => {
    await using proxy = await testTraffic({ backends: [1], proxyProtocolFrom: ['127.0.0.1/32'] })
    await using client = new RawClient(proxy.port)
    await vi.waitUntil(() => proxy.traffic.connections() === 1, { interval: 5 })
    const begun = performance.now()

    await proxy.traffic.drain({ accepting: 0, grace: 1_000, longest: 300, shared: false })

    expect(performance.now() - begun).toBeLessThan(1_000)
    expect(await client.toEnd()).toBe('')
  })

  test('cuts a response without length so that it cannot be taken for whole', async () => {
    await using backend = await rawBackend((socket) =>
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\nhalf')),
    )
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until((text) => text.endsWith('half'))

    await proxy.traffic.drain({ accepting: 0, grace: 1_000, longest: 200, shared: false })
    await client.toEnd()

    expect(client.reset).toBe(true)
  })
})
