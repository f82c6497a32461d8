import { createHash, randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'

import { describe, expect, test, vi } from 'vitest'

import { exchange, httpBackend, RawClient, rawBackend, scriptedBackend, testTraffic } from './traffic.test-support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n'
const GET_LAST = 'GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n'
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

describe('a response', () => {
  test('with a length keeps both connections for the next request', async () => {
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)

    client.send(GET)
    await client.until((text) => text.endsWith('hello'))
    client.send(GET_LAST)
    const text = await client.toEnd()

    expect(text.split('hello')).toHaveLength(3)
    expect(text).toContain('Connection: close\r\n')
    expect(backend.sockets).toHaveLength(1)
  })

  test('in chunks is relayed in chunks, trailers included', async () => {
    await using backend = await scriptedBackend(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n',
    )
    await using proxy = await testTraffic({ backends: [backend.port] })

    const text = await exchange(proxy.port, GET_LAST)

    expect(text).toContain('Transfer-Encoding: chunked\r\n')
    expect(text).toContain('Trailer: X-Sum\r\n')
    expect(text.endsWith('\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n')).toBe(true)
  })

  test('in chunks reaches an HTTP/1.0 client as plain bytes until the close', async () => {
    await using backend = await scriptedBackend(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    )
    await using proxy = await testTraffic({ backends: [backend.port] })

    const text = await exchange(proxy.port, 'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n')

    expect(text).not.toContain('chunked')
    expect(text).toContain('Connection: close\r\n')
    expect(text.endsWith('\r\n\r\nabc')).toBe(true)
  })

  test('without length ends with the connection', async () => {
    await using backend = await scriptedBackend((_, socket) => {
      socket.end('HTTP/1.1 200 OK\r\n\r\nto the end')
      return undefined
    })
    await using proxy = await testTraffic({ backends: [backend.port] })

    const text = await exchange(proxy.port, GET)

    expect(text).toContain('Connection: close\r\n')
    expect(text.endsWith('\r\n\r\nto the end')).toBe(true)
    expect(proxy.records[0]).toMatchObject({ status: 200, refusal: undefined, bytesSent: 10 })
  })

  test.each([
    ['to HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n', 'Content-Length: 500\r\n'],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n', 'Content-Length: 500\r\n'],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n', '204 No Content'],
  ])('%s has no body, and the connection goes on', async (_, method, answer, expected) => {
    await using backend = await scriptedBackend(answer)
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)

    client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    const text = await client.toEnd()

    expect(text.split(expected)).toHaveLength(3)
    expect(backend.sockets).toHaveLength(1)
  })

  test.each([
    ['to HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'],
    ['in chunks to HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n'],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n'],
  ])('%s has none of the body that its backend sends, at once or later', async (_, method, head) => {
    await using backend = await rawBackend((socket, index) => {
      socket.once('data', () => {
        socket.write(index === 0 ? `${head}evil` : head)
        if (index === 1) setTimeout(() => socket.write('evil'), 20)
        socket.on('data', () => socket.write(HELLO))
      })
    })
    await using proxy = await testTraffic({ backends: [backend.port] })
    const request = `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`

    const atOnce = await exchange(proxy.port, request)
    const later = await exchange(proxy.port, request)
    await vi.waitUntil(() => backend.sockets[1]!.destroyed, { interval: 5 })

    for (const text of [atOnce, later]) expect(text.endsWith('Connection: close\r\n\r\n')).toBe(true)
    expect(backend.sockets[0]!.destroyed).toBe(true)
  })

  test('to HTTP/1.0 keeps the connection where its client asks for it', async () => {
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)

    client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    expect(await client.until((text) => text.endsWith('hello'))).toContain('\r\nConnection: keep-alive\r\n')
    client.send('GET / HTTP/1.0\r\n\r\n')
    const text = await client.toEnd()

    expect(text.split('hello')).toHaveLength(3)
    expect(text).toContain('\r\nConnection: close\r\n')
  })

  test('is preceded by the interim responses of the backend', async () => {
    await using backend = await scriptedBackend(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${HELLO}`)
    await using proxy = await testTraffic({ backends: [backend.port] })

    const text = await exchange(proxy.port, GET_LAST)

    expect(text).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
  })

  test('that is cut reaches the client as cut, never as whole', async () => {
    await using backend = await scriptedBackend((_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', () => socket.resetAndDestroy())
      return undefined
    })
    await using proxy = await testTraffic({ backends: [backend.port] })

    const text = await exchange(proxy.port, GET)

    expect(text).not.toContain('0\r\n\r\n')
    expect(proxy.records[0]).toMatchObject({ refusal: 'backend-failed' })
  })
})

describe('pipelined requests', () => {
  test('are answered in order, one at a time', async () => {
    let underway = 0
    let most = 0
    await using backend = await httpBackend((request, response) => {
      most = Math.max(most, ++underway)
      setTimeout(
        () => {
          underway--
          response.end(request.url)
        },
        request.url === '/0' ? 30 : 0,
      )
    })
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)

    client.send([0, 1, 2, 3, 4].map((n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
    const text = await client.until((all) => all.endsWith('/4'))

    expect([...text.matchAll(/\r\n\r\n(\/\d)/g)].map((match) => match[1])).toEqual(['/0', '/1', '/2', '/3', '/4'])
    expect(most).toBe(1)
  })

  test('are answered up to the one that is malformed, and nothing after it is read', async () => {
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [backend.port] })

    const text = await exchange(proxy.port, `${GET}${GET}GET /\n HTTP/1.1\r\nHost: a\r\n\r\n${GET}`)

    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '200', '400'])
    expect(proxy.records.map(({ status }) => status)).toEqual([200, 200, 400])
  })
})

describe('a request body', () => {
  test('of any size and framing arrives as it was sent', async () => {
    await using backend = await httpBackend((request, response) => {
      const hash = createHash('sha256')
      request.on('data', (bytes) => hash.update(bytes))
      request.on('end', () => response.end(`${hash.digest('hex')} ${JSON.stringify(request.trailers)}`))
    })
    await using proxy = await testTraffic({ backends: [backend.port] })
    const body = randomBytes(3_000_000)
    const expected = createHash('sha256').update(body).digest('hex')

    const counted = await upload(proxy.port, body, { 'Content-Length': body.length })
    const chunked = await upload(proxy.port, body, { 'Transfer-Encoding': 'chunked', Trailer: 'X-End' })

    expect(counted).toBe(`${expected} {}`)
    expect(chunked).toBe(`${expected} {"x-end":"yes"}`)
  })

  test('waits for the 100 of the backend itself', async () => {
    await using backend = await rawBackend((socket) => {
      let text = ''
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1')
        if (text.endsWith('Expect: 100-continue\r\nContent-Length: 4\r\n\r\n'))
          socket.write('HTTP/1.1 100 Continue\r\n\r\n')
        if (text.endsWith('body')) socket.write(HELLO)
      })
    })
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)

    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n')
    await client.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n')
    client.send('body')

    expect(await client.until((text) => text.endsWith('hello'))).toContain('200 OK')
  })

  test('that the backend does not want is answered early, and neither connection is used again', async () => {
    await using backend = await scriptedBackend('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno\n')
    await using proxy = await testTraffic({ backends: [backend.port] })

    const text = await exchange(proxy.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nsome')
    await exchange(proxy.port, GET_LAST)

    expect(text).toContain('413')
    expect(text).toContain('Connection: close\r\n')
    expect(backend.sockets).toHaveLength(2)
  })

  test('cut by its client frees the backend and its count at once', async () => {
    await using backend = await rawBackend((socket) => socket.resume())
    await using proxy = await testTraffic({ backends: [backend.port] })
    const client = new RawClient(proxy.port)
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf')
    const record = proxy.nextRecord()

    while (proxy.store.load.local('p', 'b0') === 0) await new Promise(setImmediate)
    client.socket.destroy()

    expect(await record).toMatchObject({ refusal: 'client-gone' })
    expect(proxy.store.load.local('p', 'b0')).toBe(0)
  })

  test('over the limit is refused, counted or chunked', async () => {
    await using backend = await rawBackend((socket) => socket.resume())
    await using proxy = await testTraffic({ backends: [backend.port], limits: { body: 10 } })

    const counted = await exchange(proxy.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n')
    const chunked = await exchange(
      proxy.port,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n',
    )

    expect(counted).toContain('413')
    expect(chunked).toContain('413')
  })
})

test('a refusal reaches a client that is still sending its body', async () => {
  await using proxy = await testTraffic({ backends: [1], limits: { body: 10 } })
  await using client = new RawClient(proxy.port)

  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n')
  for (let sent = 0; sent < 20_000_000; sent += 1_000_000) client.send('x'.repeat(1_000_000))

  expect(await client.toEnd()).toContain('413 Content Too Large')
  expect(client.reset).toBe(false)
})

describe('an upgrade', () => {
  const UPGRADE =
    'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n'

  test('that the backend grants is a tunnel both ways', async () => {
    await using backend = await rawBackend((socket) => {
      socket.once('data', (head) => {
        expect(head.toString('latin1')).toContain('Connection: Upgrade\r\nUpgrade: websocket\r\n')
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst')
        socket.pipe(socket)
      })
    })
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)
    const record = proxy.nextRecord()

    client.send(UPGRADE)
    await client.until((text) => text.endsWith('first'))
    expect(proxy.store.load.local('p', 'b0')).toBe(1)
    client.send('GET / HTTP/1.1\r\n\r\nno request at all')
    const text = await client.until((all) => all.endsWith('at all'))
    client.socket.end()

    expect(text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(await record).toMatchObject({ tunnel: true, status: 101, refusal: undefined })
    expect(proxy.store.load.local('p', 'b0')).toBe(0)
  })

  test('that the backend declines goes on as HTTP', async () => {
    await using backend = await scriptedBackend('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n')
    await using proxy = await testTraffic({ backends: [backend.port] })
    await using client = new RawClient(proxy.port)

    client.send(UPGRADE)
    await client.until((text) => text.includes('426'))
    client.send('\x81\x05hello\r\n\r\n')

    expect(await client.toEnd()).toContain('HTTP/1.1 400')
    expect(backend.sockets).toHaveLength(1)
  })

  test('to anything but a WebSocket is not passed on', async () => {
    let seen = ''
    await using backend = await scriptedBackend((head) => {
      seen = head
      return HELLO
    })
    await using proxy = await testTraffic({ backends: [backend.port] })

    await exchange(
      proxy.port,
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n\r\n',
    )

    expect(seen).not.toMatch(/upgrade|h2c|http2-settings/i)
  })

  test('nobody asked for is a failure of the backend', async () => {
    await using backend = await scriptedBackend(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    await using proxy = await testTraffic({ backends: [backend.port] })

    expect(await exchange(proxy.port, GET_LAST)).toContain('502')
  })
})

describe('a slow reader', () => {
  test('holds back the backend instead of filling memory, and gets every byte in order', async () => {
    const body = randomBytes(24 * 1024 * 1024)
    let sent = 0
    await using backend = await rawBackend((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`)
        const pump = () => {
          while (sent < body.length) {
            const more = socket.write(body.subarray(sent, sent + 65_536))
            sent += 65_536
            if (!more) return void socket.once('drain', pump)
          }
        }
        pump()
      })
    })
    await using proxy = await testTraffic({ backends: [backend.port] })
    const hash = createHash('sha256')
    const socket = connect(proxy.port, '127.0.0.1')
    socket.write(GET)
    socket.pause()

    let before = -1
    while (sent !== before) {
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const sentWhilePaused = sent
    let head = ''
    for await (const bytes of socket) {
      const chunk = bytes as Buffer
      if (head.includes('\r\n\r\n')) hash.update(chunk)
      else {
        head += chunk.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end !== -1) hash.update(Buffer.from(head.slice(end + 4), 'latin1'))
      }
      if (proxy.records.length > 0 && socket.readableLength === 0 && socket.bytesRead >= body.length) {
        if (socket.bytesRead >= head.indexOf('\r\n\r\n') + 4 + body.length) break
      }
    }

    expect(sentWhilePaused).toBeLessThan(body.length)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(body).digest('hex'))
  })

  test('among many never gets bytes of another', async () => {
    await using backend = await httpBackend((request, response) => {
      const mark = Buffer.alloc(700_000, request.url!.slice(1))
      response.end(mark)
    })
    await using proxy = await testTraffic({ backends: [backend.port] })

    const wrong = await Promise.all(
      Array.from({ length: 40 }, (_, n) => foreignBytes(proxy.port, String.fromCharCode(97 + (n % 26)))),
    )

    expect(wrong).toEqual(wrong.map(() => 0))
  })
})

describe('the head sent to a backend', () => {
  test('has our framing and forwarding fields, whatever the client says', async () => {
    let seen = ''
    await using backend = await scriptedBackend((head) => {
      seen = head
      return HELLO
    })
    await using proxy = await testTraffic({ backends: [backend.port] })

    const text = await exchange(
      proxy.port,
      'GET /a?b HTTP/1.1\r\nHost: Shop.example:80\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX_Forwarded_For: 7.7.7.7\r\nX-Request-Id: mine\r\nAccept: a\r\nConnection: close, cookie, x-forwarded-for, x-gone\r\nX-Gone: 1\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n',
    )

    const id = /X-Request-Id: ([^\r]+)\r\n/.exec(text)![1]!
    expect(seen.split('\r\n')).toEqual([
      'GET /a?b HTTP/1.1',
      'Host: Shop.example:80',
      'Accept: a',
      'Cookie: a=1; b=2',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: Shop.example:80',
      `X-Forwarded-Port: ${proxy.port}`,
      `X-Request-Id: ${id}`,
      '',
      '',
    ])
  })

  test('keeps what a trusted proxy says, and adds to it', async () => {
    let seen = ''
    await using backend = await scriptedBackend((head) => {
      seen = head
      return HELLO
    })
    await using proxy = await testTraffic({ backends: [backend.port], trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] })

    const text = await exchange(
      proxy.port,
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 5.5.5.5, 10.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 5.5.5.5\r\nX-Request-Id: its-own.id\r\nConnection: close\r\n\r\n',
    )

    expect(seen).toContain('X-Forwarded-For: 6.6.6.6, 5.5.5.5, 10.1.1.1, 127.0.0.1\r\n')
    expect(seen).toContain('X-Forwarded-Proto: https\r\n')
    expect(seen).toContain('X-Real-IP: 5.5.5.5\r\n')
    expect(seen).toContain('X-Request-Id: its-own.id\r\n')
    expect(text).toContain('X-Request-Id: its-own.id\r\n')
    expect(proxy.records[0]!.client).toBe('5.5.5.5')
  })
})

function upload(port: number, body: Buffer, headers: Record<string, string | number>): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers }, async (response) => {
      let text = ''
      for await (const bytes of response) text += bytes
      resolve(text)
    })
    request.on('error', reject)
    if (headers.Trailer !== undefined) request.addTrailers({ 'X-End': 'yes' })
    for (let at = 0; at < body.length; at += 100_001) request.write(body.subarray(at, at + 100_001))
    request.end()
  })
}

/** Reads slowly what should be one letter over and over; answers how many bytes were others. */
async function foreignBytes(port: number, letter: string): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /${letter} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  let foreign = 0
  let inBody = false
  for await (const bytes of socket) {
    let text = (bytes as Buffer).toString('latin1')
    if (!inBody) {
      inBody = true
      text = text.slice(text.indexOf('\r\n\r\n') + 4)
    }
    foreign += text.replaceAll(letter, '').length
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return foreign
}
