import { describe, expect, test, vi } from 'vitest'

import { type PlayedExchange, type PlayedTraffic, playedTraffic, RawClient } from './traffic.test-support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const UPLOAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n'
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
// More than the kernel takes for a client that does not read.
const MUCH = 30_000_000

const holding = (exchange: PlayedExchange, body: string): Promise<unknown> =>
  vi.waitUntil(() => exchange.body === body, { interval: 5 })

const recorded = (proxy: PlayedTraffic, refusal: string): Promise<unknown> =>
  vi.waitUntil(() => proxy.records.some((record) => record.refusal === refusal), { interval: 10, timeout: 3_000 })

describe('a client that sends a body', () => {
  test('and falls silent after the backend held it back is told so', async () => {
    await using proxy = await playedTraffic({ body: 200 })
    await using client = new RawClient(proxy.port)
    client.send(UPLOAD)
    const exchange = await proxy.begun(0)
    exchange.takes = false
    client.send('half.')
    await holding(exchange, 'half.')

    exchange.sink.drained()

    expect(await client.toEnd()).toContain('408 Request Timeout')
  })

  test('owes nothing while the backend holds it back, nor when all was sent', async () => {
    await using proxy = await playedTraffic({ body: 200 })
    await using client = new RawClient(proxy.port)
    client.send(UPLOAD)
    const exchange = await proxy.begun(0)
    exchange.takes = false
    client.send('half.')
    await holding(exchange, 'half.')
    await new Promise((resolve) => setTimeout(resolve, 500))
    exchange.sink.drained()
    client.send('whole')
    await holding(exchange, 'half.whole')
    exchange.sink.drained()
    await new Promise((resolve) => setTimeout(resolve, 500))

    exchange.head(OK)
    exchange.sink.data(Buffer.from('ok'))
    exchange.sink.end('')

    expect(await client.until((text) => text.endsWith('ok'))).toContain('200 OK')
  })

  test('is read again when the answer came before the backend had taken all', async () => {
    await using proxy = await playedTraffic()
    await using client = new RawClient(proxy.port)
    client.send(UPLOAD)
    const exchange = await proxy.begun(0)
    exchange.takes = false
    client.send('0123456789')
    await holding(exchange, '0123456789')

    exchange.head(OK)
    exchange.sink.data(Buffer.from('ok'))
    exchange.sink.end('')
    await client.until((text) => text.endsWith('ok'))
    client.send(GET)

    expect((await proxy.begun(1)).request.method).toBe('GET')
  })

  test('and does not read the answer is cut in time', async () => {
    await using proxy = await playedTraffic({ write: 200 })
    await using client = new RawClient(proxy.port)
    client.send(UPLOAD)
    const exchange = await proxy.begun(0)
    client.socket.pause()
    exchange.head(`HTTP/1.1 200 OK\r\nContent-Length: ${2 * MUCH}\r\n\r\n`)
    expect(exchange.sink.data(Buffer.alloc(MUCH))).toBe(false)

    client.send('0123456789')

    await recorded(proxy, 'client-stalled')
    expect(exchange.aborted).toBe(true)
  })

  test('still owes it after a stall of the answer', async () => {
    await using proxy = await playedTraffic({ body: 200 })
    await using client = new RawClient(proxy.port)
    client.send(UPLOAD)
    const exchange = await proxy.begun(0)
    exchange.head(`HTTP/1.1 200 OK\r\nContent-Length: ${2 * MUCH}\r\n\r\n`)
    expect(exchange.sink.data(Buffer.alloc(MUCH))).toBe(false)

    await recorded(proxy, 'body-timeout')
    expect(exchange.resumed).toBe(1)
  })

  test('that cannot be one has nothing after it taken for a request', async () => {
    await using proxy = await playedTraffic()
    await using client = new RawClient(proxy.port)
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    const exchange = await proxy.begun(0)
    exchange.head('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')

    client.send('5\r\nfirst\r\nG\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3))
    await client.toEnd()

    expect(proxy.exchanges).toHaveLength(1)
    expect(proxy.records).toHaveLength(1)
  })
})

test('a client that ends its side in the middle is reset, for our end would look like that of the response', async () => {
  await using proxy = await playedTraffic()
  await using client = new RawClient(proxy.port)
  client.send(GET)
  const exchange = await proxy.begun(0)
  exchange.head('HTTP/1.1 200 OK\r\n\r\n')
  exchange.sink.data(Buffer.from('half'))
  exchange.sink.flush()
  await client.until((text) => text.endsWith('half'))

  client.socket.end()
  await client.toEnd()

  expect(client.reset).toBe(true)
  expect(exchange.aborted).toBe(true)
  expect(proxy.records).toMatchObject([{ refusal: 'client-gone' }])
})

describe('a client of a tunnel', () => {
  test('that sends and sends but does not read is cut in time', async () => {
    await using proxy = await playedTraffic({ write: 200 })
    await using client = new RawClient(proxy.port)
    client.send(UPGRADE)
    const exchange = await proxy.begun(0)
    exchange.head(SWITCHING)
    await client.until((text) => text.startsWith('HTTP/1.1 101'))
    client.socket.pause()
    expect(exchange.sink.data(Buffer.alloc(MUCH))).toBe(false)
    const sending = setInterval(() => client.send('more'), 20)

    await recorded(proxy, 'client-stalled')

    clearInterval(sending)
    expect(exchange.aborted).toBe(true)
  })
})

describe('a client that reads slowly', () => {
  const last = (length: number) => `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ${length}\r\n\r\n`

  test('the last response gets all of it, however long it takes', async () => {
    await using proxy = await playedTraffic()
    await using client = new RawClient(proxy.port)
    client.send(last(MUCH))
    const exchange = await proxy.begun(0)
    client.socket.pause()

    exchange.head('HTTP/1.1 200 OK\r\n\r\n')
    expect(exchange.sink.data(Buffer.alloc(MUCH, 'x'))).toBe(false)
    exchange.sink.end('')
    await new Promise((resolve) => setTimeout(resolve, 2_300))
    client.socket.resume()
    const text = await client.toEnd()

    expect(text.length - text.indexOf('\r\n\r\n') - 4).toBe(MUCH)
  })

  test('but goes on reading is never cut', async () => {
    await using proxy = await playedTraffic({ write: 300 })
    await using client = new RawClient(proxy.port)
    client.send(last(MUCH))
    const exchange = await proxy.begun(0)
    client.socket.on('data', () => {
      client.socket.pause()
      setTimeout(() => client.socket.resume(), 2)
    })
    const begun = performance.now()

    exchange.head(`HTTP/1.1 200 OK\r\nContent-Length: ${MUCH}\r\n\r\n`)
    expect(exchange.sink.data(Buffer.alloc(MUCH, 'x'))).toBe(false)
    await vi.waitUntil(() => exchange.resumed > 0, { timeout: 10_000, interval: 5 })

    expect(performance.now() - begun).toBeGreaterThan(500)
    expect(proxy.records).toHaveLength(0)
  })

  test('and stops is reset, for the end would look like that of the response', async () => {
    await using proxy = await playedTraffic({ write: 200 })
    await using client = new RawClient(proxy.port)
    client.send(last(MUCH))
    const exchange = await proxy.begun(0)
    client.socket.pause()

    exchange.head('HTTP/1.1 200 OK\r\n\r\n')
    exchange.sink.data(Buffer.alloc(MUCH, 'x'))
    exchange.sink.end('')
    await new Promise((resolve) => setTimeout(resolve, 600))
    client.socket.resume()
    await client.toEnd()

    expect(client.reset).toBe(true)
  })

  test('is asked for no further request until it has read', async () => {
    await using proxy = await playedTraffic()
    await using client = new RawClient(proxy.port)
    client.socket.pause()
    client.send(GET + GET)
    const exchange = await proxy.begun(0)

    exchange.head(`HTTP/1.1 200 OK\r\nContent-Length: ${MUCH}\r\n\r\n`)
    exchange.sink.data(Buffer.alloc(MUCH, 'x'))
    exchange.sink.end('')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(proxy.exchanges).toHaveLength(1)
    client.socket.resume()

    await proxy.begun(1)
  })

  test('no more is cut in time, between its requests too', async () => {
    await using proxy = await playedTraffic({ write: 200 })
    await using client = new RawClient(proxy.port)
    client.socket.pause()
    client.send(GET + GET)
    const exchange = await proxy.begun(0)

    exchange.head(`HTTP/1.1 200 OK\r\nContent-Length: ${MUCH}\r\n\r\n`)
    exchange.sink.data(Buffer.alloc(MUCH, 'x'))
    exchange.sink.end('')
    await new Promise((resolve) => setTimeout(resolve, 600))
    client.socket.resume()
    await client.toEnd()

    expect(client.reset).toBe(true)
    expect(proxy.exchanges).toHaveLength(1)
  })
})
