import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'

import { describe, expect, test } from 'vitest'

import { certificateText } from './certificates.test-support.ts'
import { RawClient, rawBackend, scriptedBackend, testTraffic } from './traffic.test-support.ts'

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n'
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** Sends a byte every 20 ms, until the connection is over or so much time is. */
async function trickle(client: RawClient, time: number): Promise<void> {
  for (const end = performance.now() + time; performance.now() < end && !client.closed; ) {
    client.send('x')
    await delay(20)
  }
}

describe('a body that comes slowly, though never silent for timeouts.body', () => {
  test('is a 408 below limits.minRate', async () => {
    await using backend = await rawBackend((socket) => socket.resume())
    await using proxy = await testTraffic({
      ...{ backends: [backend.port], timeouts: { body: 300 }, limits: { minRate: 1_000 } },
    })
    await using client = new RawClient(proxy.port)
    client.send(POST)

    await trickle(client, 3_000)

    expect(await client.toEnd()).toContain('408 Request Timeout')
    expect(proxy.records).toMatchObject([{ refusal: 'body-timeout' }])
    expect(proxy.store.load.local('p', 'b0')).toBe(0)
  })

  test.each([10, 0])('is relayed with a limits.minRate of %i', async (minRate) => {
    await using backend = await rawBackend((socket) => socket.resume())
    await using proxy = await testTraffic({ backends: [backend.port], timeouts: { body: 300 }, limits: { minRate } })
    await using client = new RawClient(proxy.port)
    client.send(POST)

    await trickle(client, 1_200)

    expect(client.received).toBe('')
    expect(client.closed).toBe(false)
  })

  test('is a 408 when it falls silent, however fast it was', async () => {
    await using backend = await rawBackend((socket) => socket.resume())
    await using proxy = await testTraffic({
      ...{ backends: [backend.port], timeouts: { body: 300 }, limits: { minRate: 10 } },
    })
    await using client = new RawClient(proxy.port)
    client.send(POST + 'x'.repeat(50_000))
    const begun = performance.now()

    expect(await client.toEnd()).toContain('408 Request Timeout')
    expect(performance.now() - begun).toBeLessThan(700)
  })
})

const body = Buffer.alloc(30_000_000)
const ways: [string, (port: number) => Socket, readonly 'local'[]][] = [
  ['in clear', (port) => connectTcp(port, '127.0.0.1'), []],
  ['over TLS', (port) => connectTls({ port, host: '127.0.0.1', ca: certificateText('authority.pem') }), ['local']],
]

describe.each(ways)('an answer that is read slowly, %s,', (_, dial, tls) => {
  const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body.toString('latin1')}`

  test('is cut below limits.minRate, though some of it is taken', async () => {
    await using backend = await scriptedBackend(answer)
    await using proxy = await testTraffic({
      ...{ backends: [backend.port], tls, timeouts: { write: 300 }, limits: { minRate: 100_000_000 } },
    })
    const socket = dial(proxy.port)
    socket.on('error', () => {})
    await once(socket, tls.length > 0 ? 'secureConnect' : 'connect')
    const record = proxy.nextRecord()
    socket.write(GET)
    const reading = setInterval(() => socket.read(), 50)

    const { refusal, bytesSent } = await record
    clearInterval(reading)
    socket.destroy()

    expect(refusal).toBe('client-stalled')
    expect(bytesSent).toBeGreaterThan(0)
  })
})
