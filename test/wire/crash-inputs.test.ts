import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ProxyNode } from '../support/proxy-node.ts'

/** Header lines that have ended other Node proxies with an uncaught error, or hidden other lines from them. */
const LINES: Readonly<Record<string, string>> = {
  'Trailer without chunks': 'Trailer: X-T',
  'an unknown expectation': 'Expect: 200-ok',
  'an expectation': 'Expect: 100-continue',
  ['__proto__']: '__proto__: x',
  constructor: 'constructor: x',
  'a name that is no token': 'Bad(Name): x',
  'a name beyond ASCII': 'N\xe4me: x',
  'an empty name': ': x',
  'a name of 255 bytes': `${'n'.repeat(255)}: x`,
  'a name of 256 bytes': `${'n'.repeat(256)}: x`,
  'a name of 270 bytes': `${'n'.repeat(270)}: x`,
  'a name of 65535 bytes': `${'n'.repeat(65_535)}: x`,
  'an empty Connection': 'Connection:',
  'an odd Connection': 'Connection: a b',
  'an Upgrade alone': 'Upgrade: h2c',
  'a cookie named __proto__': 'Cookie: __proto__=x; constructor=y; toString=z; sticky=__proto__',
  'a second Host': 'Host: other',
  'bytes beyond ASCII in a value': 'X-A: \xff\xfe',
}

const STARTS: Readonly<Record<string, string>> = {
  GET: 'GET /a?__proto__=x HTTP/1.1\r\nHost: a\r\n',
  POST: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n',
  HEAD: 'HEAD / HTTP/1.1\r\nHost: a\r\n',
  upgrade: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n',
}

let app: Server
let node: ProxyNode

beforeAll(async () => {
  app = createServer((request, response) => response.end(request.rawHeaders.join('|')))
  app.listen(0, '127.0.0.1')
  await once(app, 'listening')
  const { port } = app.address() as AddressInfo
  node = await ProxyNode.start({
    // One process that would end with any error nobody caught.
    store: { url: 'memory:' },
    pools: { shop: { backends: [{ id: 'a', url: `http://127.0.0.1:${port}` }] } },
    routes: [{ pool: 'shop' }],
  })
})

afterAll(async () => {
  await node[Symbol.asyncDispose]()
  app.closeAllConnections()
  app.close()
})

/** All that is answered to these bytes until the connection closes. */
async function answer(bytes: string): Promise<string> {
  const socket = connect(node.port, '127.0.0.1')
  socket.write(bytes, 'latin1')
  let text = ''
  for await (const piece of socket.setEncoding('latin1')) text += piece
  return text
}

const CASES = Object.entries(STARTS).flatMap(([kind, start]) =>
  Object.entries(LINES).map(([name, line]) => [name, kind, `${start}${line}\r\n`] as const),
)

describe('a node survives', () => {
  test.each(CASES)('%s on %s', async (_, __, head) => {
    // A second request, so that the connection ends whatever the first is answered.
    const text = await answer(`${head}\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)

    expect(text).toMatch(/^HTTP\/1\.1 [1-5][0-9]{2} /)
    expect(node.ended).toBe(false)
  })
})

test('names of objects reach the backend as any other', async () => {
  const text = await answer(`${STARTS.GET}__proto__: p\r\nconstructor: c\r\nConnection: close\r\n\r\n`)

  expect(text).toContain('|__proto__|p|constructor|c|')
})
