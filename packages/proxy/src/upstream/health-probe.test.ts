import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'

import { describe, expect, onTestFinished, test } from 'vitest'

import { checkedPattern } from '../wire/linear-pattern.ts'
import type { BackendTls } from './backend.ts'
import { type ProbeTarget, probe } from './health-probe.ts'

const usual: ProbeTarget['check'] = {
  type: 'http',
  path: '/healthz?full=1',
  method: 'GET',
  status: [{ from: 200, to: 399 }],
}

interface Asked extends Partial<ProbeTarget['check']> {
  readonly body?: string
  readonly tls?: BackendTls
}

async function serving(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function application(answer: RequestListener): Promise<number> {
  return serving(createServer(answer))
}

function speaking(say: (socket: Socket) => void): Promise<number> {
  return serving(createTcpServer((socket) => say(socket.on('error', () => {}))))
}

function ask(port: number, { body, tls, ...check }: Asked = {}, signal = new AbortController().signal) {
  const place = { scheme: tls === undefined ? 'http' : 'https', hostname: '127.0.0.1', port, tls } as const
  const pattern = body === undefined ? undefined : checkedPattern(body)
  return probe({ place, authority: `127.0.0.1:${port}`, check: { ...usual, ...check }, body: pattern }, signal)
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('asks as it was told, for the path with its query', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const port = await application((request, response) => {
    resolve(`${request.method} ${request.url} ${request.headers.host}`)
    response.end()
  })

  expect(await ask(port, { method: 'HEAD' })).toBeUndefined()
  expect(await promise).toBe(`HEAD /healthz?full=1 127.0.0.1:${port}`)
})

test.each([
  [200, [{ from: 200, to: 299 }], undefined],
  [302, [{ from: 200, to: 399 }], undefined],
  [404, [{ from: 404, to: 404 }], undefined],
  [
    204,
    [
      { from: 404, to: 404 },
      { from: 200, to: 200 },
    ],
    'status 204',
  ],
  [503, [{ from: 200, to: 399 }], 'status 503'],
])('of status %i, with %o as good ones, it thinks: %s', async (answered, status, verdict) => {
  const port = await application((_, response) => response.writeHead(answered).end())

  expect(await ask(port, { status })).toBe(verdict)
})

test.each([
  ['all is well', undefined],
  ['all is lost', 'its body does not match'],
  [`${'x'.repeat(64 * 1024)}well`, 'its body does not match'],
  ['', 'its body does not match'],
])('looks for its pattern in the beginning of the body', async (body, verdict) => {
  const port = await application((_, response) => response.end(body))

  expect(await ask(port, { body: 'well$' })).toBe(verdict)
})

test('does not wait for a body that never ends', async () => {
  const port = await application((_, response) => response.write('x'.repeat(80_000)))

  expect(await ask(port)).toBeUndefined()
  expect(await ask(port, { body: '^x' })).toBeUndefined()
})

test('finds nobody where nobody listens', async () => {
  const port = await freePort()

  expect(await ask(port)).toBe('connection refused')
  expect(await ask(port, { type: 'tcp' })).toBe('connection refused')
})

test('of a backend that closes it thinks nothing good', async () => {
  const port = await speaking((socket) => socket.once('data', () => socket.end()))

  expect(await ask(port)).toBe('connection closed without an answer')
})

test('of one that speaks no HTTP neither', async () => {
  const port = await speaking((socket) => socket.end('220 smtp.example ready\r\n'))

  expect(await ask(port)).toBe('its answer breaks HTTP')
  expect(await ask(port, { type: 'tcp' })).toBeUndefined()
})

test.each([
  ['takes no request', {}],
  ['ends no body', { body: 'never' }],
])('is given up at once when its time is over: a backend that %s', async (what, check) => {
  const says = what === 'ends no body' ? 'HTTP/1.1 200 OK\r\n\r\nnot yet' : ''
  const port = await speaking((socket) => socket.write(says))
  const time = new AbortController()
  const asked = ask(port, check, time.signal)

  time.abort('no answer within 1s')

  expect(await asked).toBe('no answer within 1s')
})

describe('over TLS', () => {
  const pem = (part: string): string =>
    readFileSync(new URL(`./fixtures/test-only.${part}.pem`, import.meta.url), 'utf8')
  const known: BackendTls = {
    serverName: 'localhost',
    verified: true,
    pems: { ca: pem('cert'), cert: undefined, key: undefined },
  }
  const application = () =>
    serving(createTlsServer({ cert: pem('cert'), key: pem('key') }, (_, response) => response.end('well')))

  test('it believes the authority and the name it was told of, whatever the Host field says', async () => {
    expect(await ask(await application(), { tls: known })).toBeUndefined()
  })

  test.each([
    ['nobody vouches for it', { ...known, pems: undefined }, /self.signed/],
    ['it has another name', { ...known, serverName: 'shop.example' }, /does not match/],
  ])('a backend is not well when %s', async (_, tls, reason) => {
    expect(await ask(await application(), { tls })).toMatch(reason)
  })

  test('it believes anybody where nobody is to be asked', async () => {
    expect(await ask(await application(), { tls: { ...known, verified: false, pems: undefined } })).toBeUndefined()
  })
})
