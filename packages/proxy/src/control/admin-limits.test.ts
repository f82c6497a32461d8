import { setTimeout as delay } from 'node:timers/promises'

import { describe, expect, test } from 'vitest'

import { exchange, RawClient } from '../traffic/traffic.test-support.ts'
import { type AdminApi, apiVersion, type SessionResource } from './admin-api.ts'
import { type AdminLimits, openAdminServer } from './admin-server.ts'
import { adminSubject } from './fixtures.test-support.ts'

const config = { address: { host: '127.0.0.1', port: 0 }, token: undefined }
const patient: AdminLimits = { connections: 256, head: 5_000, request: 10_000, stalled: 30_000 }
const alive = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'

describe('a client that takes its time', () => {
  test.each([
    ['sends nothing', ''],
    ['does not end its head', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: '],
  ])('and %s is closed', async (_, bytes) => {
    await using server = await serverWith({ head: 100 })

    const answer = await exchange(server.port, bytes)

    expect(answer).toMatch(/^(HTTP\/1\.1 408 .*)?$/s)
  })

  test('and does not send the body it announced is closed', async () => {
    await using server = await serverWith({ head: 100, request: 200 })

    const answer = await exchange(
      server.port,
      'POST /v1/explain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{',
    )

    expect(answer).toMatch(/^(HTTP\/1\.1 408 .*)?$/s)
  })

  test('to read its list is cut, and nothing reads on for it', async () => {
    const read = Promise.withResolvers<void>()
    await using server = await serverWith({ stalled: 100 }, { sessions: () => endless(read.resolve) })
    await using client = new RawClient(server.port)
    client.socket.pause()

    client.send('GET /v1/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n')

    await read.promise
    client.socket.resume()
    await client.toEnd()
    expect(client.reset || !client.received.endsWith('0\r\n\r\n')).toBe(true)
  })

  test('because the list does is left alone', async () => {
    const api: Partial<AdminApi> = {
      async *sessions() {
        yield session
        await delay(300)
        yield session
      },
    }
    await using server = await serverWith({ stalled: 50 }, api)

    const answer = await exchange(
      server.port,
      'GET /v1/sessions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    )

    expect(answer).toMatch(/^HTTP\/1\.1 200 .*\r\n0\r\n\r\n$/s)
  })
})

test('connections beyond the limit are closed at once, and there is room again when one has left', async () => {
  await using server = await serverWith({ connections: 1 })
  await using first = new RawClient(server.port)
  first.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await first.until((received) => received.includes('alive\n'))

  expect(await exchange(server.port, alive)).toBe('')

  first.send(alive)
  await first.toEnd()
  expect(await exchange(server.port, alive)).toMatch(/^HTTP\/1\.1 200 /)
})

describe('a node goes on when its admin API is sent', () => {
  test.each([
    ['a Trailer field without trailers', 'GET /v1/nodes HTTP/1.1\r\nHost: localhost\r\nTrailer: X-Sum\r\n\r\n'],
    ['an expectation nobody meets', 'POST /v1/explain HTTP/1.1\r\nHost: localhost\r\nExpect: 200-ok\r\n\r\n'],
    [
      'fields named like what objects have',
      'GET /v1/nodes HTTP/1.1\r\nHost: localhost\r\n__proto__: a\r\nthen: b\r\n\r\n',
    ],
    [
      'parameters named like what objects have',
      'GET /v1/load?__proto__=a&constructor=b HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ],
    ['a body named like what objects have', bodied('{"__proto__":{"from":"a"},"from":"a"}')],
    ['a field name that is no token', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nb(a)d: x\r\n\r\n'],
    ['a path that is no text', 'GET /v1/sessions/%ff%00%zz HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a target that is no path', 'GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['CONNECT', 'CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['an upgrade', 'GET /v1/nodes HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['two lengths', 'POST /v1/explain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}'],
    ['a head of 100 KB', `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['a body of 100 KB', bodied(`"${'x'.repeat(100_000)}"`)],
    ['a body of nothing but brackets', bodied('['.repeat(10_000))],
    ['a body that is no text', bodied('\xff\xfe\x00')],
    ['bytes', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\0\r\n\r\n'],
  ])('%s', async (_, bytes) => {
    const failures: unknown[] = []
    await using server = await serverWith({}, nodes, (error) => failures.push(error))

    const answer = await exchange(server.port, bytes.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))

    expect(answer).toMatch(/^(HTTP\/1\.1 (200|4\d\d) .*)?$/s)
    expect(failures).toEqual([])
    expect(await exchange(server.port, alive)).toMatch(/^HTTP\/1\.1 200 /)
  })
})

const session = { apiVersion, id: 'A'.repeat(22), pool: 'shop' } as SessionResource
const nodes: Partial<AdminApi> = {
  nodes: async () => ({ apiVersion, complete: true, agree: true, nodes: [] }),
  session: async () => undefined,
}

function bodied(text: string): string {
  return `POST /v1/sessions:move HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${text.length}\r\n\r\n${text}`
}

async function* endless(onEnd: () => void): AsyncGenerator<SessionResource> {
  try {
    for (;;) yield session
  } finally {
    onEnd()
  }
}

async function serverWith(
  limits: Partial<AdminLimits>,
  api: Partial<AdminApi> = nodes,
  onError: (error: unknown) => void = () => {},
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = await openAdminServer(config, { ...adminSubject(api), onError }, { ...patient, ...limits })
  return { port: Number(server.address.split(':').at(-1)), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
