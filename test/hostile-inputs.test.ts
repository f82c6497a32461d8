import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server } from 'node:net'

import { beforeAll, describe, expect, test } from 'vitest'

import { Browser } from './support/browser.ts'
import { ProxyNode } from './support/proxy-node.ts'

// What has crashed proxies on Node (node-http-proxy 1647 and 1679, GHSA-6x33-pw7p-hmpq, CVE-2024-21536, CVE-2026-21710) and its like.
const FIELDS = {
  'a Trailer field without trailers': 'Trailer: X-Sum',
  'an expectation': 'Expect: 100-continue',
  'an expectation nobody meets': 'Expect: 200-ok',
  'a field named __proto__': '__proto__: polluted',
  'fields named like what objects have': 'constructor: a\r\ntoString: b\r\nhasOwnProperty: c\r\nthen: d',
  'cookies named like what objects have': 'Cookie: __proto__=a; constructor=b; sticky=__proto__; JSESSIONID=toString',
  'a cookie with half a quote': 'Cookie: a="; sticky="x; JSESSIONID="',
  'cookies of our own name': `Cookie: sticky=a; sticky=${'b'.repeat(2_000)}; sticky=`,
  'a field name that is no token': 'bad name: x',
  'a field name beyond ASCII': 'h\xe9ader: x',
  'a field without a name': ': x',
  'values beyond ASCII': 'X: \xff\xfe\x80',
  'forwarding fields that name nobody':
    'X-Forwarded-For: unknown, fe80::1%eth0, [::1]:80, ,\r\nX-Forwarded-Proto: gopher',
  'a request id to inject with': 'X-Request-Id: "a b"',
  'an upgrade to HTTP/2': 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ',
  'a Connection field that names everything': 'Connection: close, host, cookie, content-length, __proto__',
  'a keep-alive without end': 'Keep-Alive: timeout=999999999999, max=0',
}

const HEADS = {
  GET: 'GET / HTTP/1.1\r\n',
  HEAD: 'HEAD / HTTP/1.1\r\n',
  POST: 'POST /__proto__?__proto__=constructor HTTP/1.1\r\nContent-Length: 4\r\n',
  'an upgrade': 'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n',
}

const CASES = Object.entries(HEADS).flatMap(([kind, head]) =>
  Object.entries(FIELDS).map(([what, fields]) => {
    const body = kind === 'POST' ? 'body' : ''
    return [`${kind} with ${what}`, `${head}Host: shop.example\r\n${fields}\r\n\r\n${body}`] as const
  }),
)

const BYTES = [
  ['nothing but line ends', '\r\n'.repeat(1_000)],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/0.9', 'GET /\r\n'],
  ['a TLS client', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'.repeat(20)],
  ['CONNECT', 'CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n'],
  ['a Host of its own', 'GET / HTTP/1.1\r\nHost: __proto__\r\n\r\n'],
  ['a PROXY protocol header nobody asked for', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a chunk without end', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;${'x'.repeat(65_536)}`],
  ['trailers that would route', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n'],
] as const

// Not what an application should say, and none of it may end a node.
const ANSWERS = {
  '/pollution': 'HTTP/1.1 200 OK\r\n__proto__: a\r\nconstructor: b\r\nContent-Length: 0\r\n\r\n',
  '/cookies':
    'HTTP/1.1 200 OK\r\nSet-Cookie: __proto__=a; Max-Age=__proto__\r\nSet-Cookie: =\r\nSet-Cookie:\r\nContent-Length: 0\r\n\r\n',
  '/session': `HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=${'x'.repeat(8_000)}; Expires=never\r\nContent-Length: 0\r\n\r\n`,
  '/hint': 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=999999999\r\nContent-Length: 0\r\n\r\n',
  '/nominated': 'HTTP/1.1 200 OK\r\nConnection: close, __proto__, content-length\r\nContent-Length: 0\r\n\r\n',
  '/trailer': 'HTTP/1.1 200 OK\r\nTrailer: __proto__\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n__proto__: a\r\n\r\n',
  '/switch': 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: __proto__\r\n\r\n',
  '/interim': 'HTTP/1.1 199 What\r\nSet-Cookie: a=b\r\n\r\nHTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n',
  '/body-of-204': 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nbody',
  '/twice': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
  '/nothing': '\r\n\r\n\r\n',
  '/noise': '\0\xff\x16\x03',
}

// Which targets lead to /admin/*, and which are refused since somebody might take them for it.
const TARGETS = {
  '/admin': 'admin',
  '/admin/x': 'admin',
  '/admin?x': 'admin',
  '/admin//x': 'admin',
  '/admin;v=1/x': 'admin',
  '/admin/%2e%2e%2e': 'admin',
  '/admin/x%2fy': 'admin',
  'http://shop.example/admin/x': 'admin',
  '/administrator': 'shop',
  '/ADMIN/x': 'shop',
  '//admin/x': 'shop',
  '/%61dmin/x': 'shop',
  '/admin%2fx': 'shop',
  '/admin%20/x': 'shop',
  '/admin./x': 'shop',
  '/admin%3bv=1/x': 'shop',
  '/x;/admin': 'shop',
  '/x?/../admin': 'shop',
  'http://shop.example//admin': 'shop',
  '/./admin/x': 'refused',
  '/x/../admin/x': 'refused',
  '/x/..%2fadmin/x': 'refused',
  '/x/%2e%2e/admin/x': 'refused',
  '/x/.%2E/admin/x': 'refused',
  '/x/..;/admin/x': 'refused',
  '/x/..;a=b/admin/x': 'refused',
  '/x%5c..%5cadmin': 'refused',
  '/x\\..\\admin': 'refused',
  '\\admin': 'refused',
  '/admin/../x': 'refused',
  '/admin%2f..%2fx': 'refused',
  '/admin/.': 'refused',
  '/x#/admin': 'refused',
  '/admin#': 'refused',
  '/admin%00': 'refused',
  'http://shop.example/x/../admin': 'refused',
  'http://shop.example\\admin': 'refused',
}

// Not for a terminal, nor for whoever takes a line for more than one.
const TEXTS = [
  ...[
    '"',
    '\\',
    '\\"',
    '\\n',
    '\\u0000',
    "'",
    '`',
    '{}',
    '","msg":"forged","x":"',
    '{"msg":"forged"}',
    '%0d%0a',
    '%00',
  ],
  ...[
    '\x24{jndi:ldap://x}',
    '$(reboot)',
    '<script>',
    '../../etc/passwd',
    '%s%n',
    '\x85',
    '\xa0',
    '\xff\xfe',
    '\xe2\x80\xa8',
    '\xc0\xaf',
  ],
  ...['\x1b[2J', '\x07', '\0', '\r', '\n', '\t', '\x7f', 'x'.repeat(5_000)],
]

let app: Server
let admin: Server
let node: ProxyNode

/** Answers with bytes laid out beforehand, else with its name and the target that it was asked for. */
async function application(name: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      const [, target = ''] = /^\S+ (\S+) /.exec(bytes.toString('latin1')) ?? []
      const seen = `${name} ${target}`
      const usual = `HTTP/1.1 200 OK\r\nContent-Length: ${seen.length}\r\n\r\n${seen}`
      socket.write(ANSWERS[target as keyof typeof ANSWERS] ?? usual, 'latin1')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

beforeAll(async () => {
  app = await application('shop')
  admin = await application('admin')
  const url = urlOf(app)
  node = await ProxyNode.start({
    store: { url: 'memory:' },
    accessLog: true,
    trustedProxies: ['127.0.0.0/8'],
    timeouts: { head: '500ms', idle: '50ms', body: '500ms', response: '500ms' },
    pools: {
      shop: {
        backends: [{ id: 'a', url }],
        affinity: [{ strategy: 'session-cookie', name: 'sticky', begin: 'always', age: '30m' }],
      },
      legacy: {
        backends: [{ id: 'b', url }],
        affinity: [{ strategy: 'persistence-key', from: [{ cookie: 'JSESSIONID' }], age: '300s' }],
      },
      admin: { backends: [{ id: 'c', url: urlOf(admin) }] },
    },
    routes: [
      { host: 'legacy.example.com', pool: 'legacy' },
      { path: '/admin/*', pool: 'admin' },
      { path: '/*', pool: 'shop' },
    ],
  })
  return async () => {
    await node[Symbol.asyncDispose]()
    app.close()
    admin.close()
  }
})

/** The status line that came back, or nothing. */
async function send(bytes: string): Promise<string> {
  return (await receive(bytes)).split('\r\n')[0]!
}

/** All that came back until the connection was closed. */
function receive(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(node.port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.setTimeout(3_000, () => socket.destroy())
    socket.on('data', (data) => (received += data.toString('latin1')))
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
}

describe('a node goes on when it is sent', () => {
  test.concurrent.each(CASES)('%s', async (_, request) => {
    expect(await send(request)).toMatch(/^HTTP\/1\.1 (?:200|400|417) /)
  })

  test.concurrent.each(BYTES)('%s', async (_, bytes) => {
    expect(await send(bytes)).toMatch(/^(?:HTTP\/1\.1 (?:200|400|404|408|431|501|505) .*)?$/)
  })
})

describe('a node goes on when an application answers', () => {
  const answers = Object.keys(ANSWERS).flatMap((path) => [
    [path, 'shop.example'],
    [path, 'legacy.example.com'],
  ])

  test.concurrent.each(answers)('%s in %s', async (path, host) => {
    expect(await send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 (?:199|20[04]|50[24]) /)
  })
})

describe.each([
  ['a request', ''],
  ['an upgrade', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n'],
])('%s is routed by the path that its application sees:', (_, fields) => {
  test.concurrent.each(Object.entries(TARGETS))('%s: %s', async (target, pool) => {
    const answer = await receive(`GET ${target} HTTP/1.1\r\nHost: shop.example\r\n${fields}\r\n`)

    const seen = target.replace('http://shop.example', '')
    if (pool === 'refused') expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    else expect(answer.endsWith(`\r\n\r\n${pool} ${seen}`)).toBe(true)
  })
})

test('each request is one line of the log, whatever its client sends', async () => {
  const requests = TEXTS.flatMap((text) => [
    `GET /${text} HTTP/1.1\r\nHost: shop.example\r\n\r\n`,
    `GET /x?${text} HTTP/1.1\r\nHost: shop.example\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: ${text}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: ${text}\r\nCookie: JSESSIONID=${text}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: shop.example\r\nX-Request-Id: ${text}\r\nX-Forwarded-For: ${text}\r\n\r\n`,
    `${text} / HTTP/1.1\r\nHost: shop.example\r\n\r\n`,
  ])

  const answers = await Promise.all(requests.map(receive))
  const ids = answers.map((answer) => /^X-Request-Id: (.*)\r$/m.exec(answer)?.[1])
  await Promise.all(ids.map((id) => node.logged('exchange', ({ request_id }) => request_id === id)))

  const lines = node.lines.filter(({ request_id }) => ids.includes(request_id as string))
  // A node whose output were no JSON would have ended this test.
  expect([lines.length, new Set(ids).size]).toEqual([requests.length, requests.length])
  expect(node.lines.filter(({ msg }) => msg === 'forged')).toEqual([])
})

test('after all of that it is the same process, and nothing in it failed', async () => {
  expect((await new Browser().get(node.port)).body).toBe('shop /')
  expect(node.ended).toBe(false)
  expect(node.lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([])
})
