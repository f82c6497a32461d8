import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { ProxyNode } from '../support/proxy-node.ts'
import { VisitedApp } from '../support/visited-app.ts'

/** What has broken lines of logs, or those who read them. */
const values = {
  'a line end and a line of its own': '\r\n{"level":"error","msg":"forged"}',
  'a line feed alone': '\n{"msg":"forged"}',
  'a carriage return alone': '\r{"msg":"forged"}',
  'a quote and a field': '","msg":"forged","x":"',
  'a closing brace': '"}{"msg":"forged"}',
  'a backslash': '\\',
  'a backslash before what ends a text': '\\"',
  'an escape of JSON': '\\u0022,"msg":"forged',
  'an encoded line end': '%0d%0a{"msg":"forged"}',
  'an encoded NUL': '%00',
  'what clears a terminal': '\x1b[2J\x1b]0;forged\x07',
  NUL: '\0',
  'a tab': '\t',
  'a vertical tab and a form feed': '\v\f',
  'a backspace': 'x\b\b\b',
  DEL: '\x7f',
  'C1, NEL among it': '\x80\x85\x9b2J',
  'bytes that are no UTF-8': '\xff\xfe\xc3\x28',
  'a line separator in UTF-8': '\xe2\x80\xa8',
  'text turned round in UTF-8': '\xe2\x80\xae',
  'a byte order mark': '\xef\xbb\xbf',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what people send
  'what Log4j looked up': '${jndi:ldap://127.0.0.1/x}',
  'what printf expands': '%s%n%x',
  'what templates expand': '{{7*7}}',
  markup: '<script>alert(1)</script>',
  'a label of a metric': 'x"} 1\nsticky_forged{pool="',
  'what objects have': '__proto__',
  nothing: '',
  'a great deal': '\\"'.repeat(2_000),
  'a great deal of bytes': '\xff'.repeat(4_000),
}

const places: Readonly<Record<string, (value: string) => string>> = {
  method: (value) => `G${value}T / HTTP/1.1\r\nHost: shop.example\r\n`,
  target: (value) => `GET /x${value} HTTP/1.1\r\nHost: shop.example\r\n`,
  query: (value) => `GET /?x=${value} HTTP/1.1\r\nHost: shop.example\r\n`,
  host: (value) => `GET / HTTP/1.1\r\nHost: ${value}.example\r\n`,
  agent: (value) => `GET / HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: ${value}\r\n`,
  cookie: (value) => `GET / HTTP/1.1\r\nHost: shop.example\r\nCookie: sticky=${value}; app=${value}\r\n`,
  'request id': (value) => `GET / HTTP/1.1\r\nHost: shop.example\r\nX-Request-Id: ${value}\r\n`,
  client: (value) => `GET / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: ${value}\r\n`,
}

const opened = new AsyncDisposableStack()
let node: ProxyNode

beforeAll(async () => {
  const app = opened.use(await VisitedApp.start('a'))
  node = opened.use(
    await ProxyNode.start({
      store: { url: 'memory:' },
      accessLog: true,
      trustedProxies: ['127.0.0.0/8'],
      pools: {
        shop: {
          backends: [app.backend],
          affinity: [{ strategy: 'persistence-key', from: [{ cookie: 'app' }] }, { strategy: 'session-cookie' }],
        },
      },
    }),
  )
})

afterAll(() => opened.disposeAsync())

test.each(Object.entries(places))('each request with a hostile %s is one line of the log', async (_, request) => {
  const before = exchanges().length

  await Promise.all(Object.values(values).map((value) => send(`${request(value)}Connection: close\r\n\r\n`)))
  // Lines are written in the order of their requests' ends: with this one's, all have come.
  const { id } = await send('GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n')
  await node.logged('exchange', ({ request_id }) => request_id === id)

  expect(exchanges().length - before).toBe(Object.keys(values).length + 1)
})

test('after all of that the log has our events alone, and metrics our labels alone', async () => {
  const metrics = await (await fetch(`${node.admin}/metrics`)).text()

  expect(new Set(node.lines.map(({ msg }) => msg))).toEqual(new Set(['listening', 'exchange']))
  const ours = metrics.split('\n').filter((line) => line.startsWith('sticky_requests_total'))
  const labels = /^sticky_requests_total\{pool="(?:shop)?",backend="a?",code="\d{1,3}"\} \d+$/
  expect(ours.filter((line) => !labels.test(line))).toEqual([])
  expect(metrics).not.toMatch(/forged|jndi|<script|__proto__/)
})

function exchanges(): readonly object[] {
  return node.lines.filter(({ msg }) => msg === 'exchange')
}

async function send(bytes: string): Promise<{ readonly id: string | undefined }> {
  const socket = connect(node.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(bytes, 'latin1')
  const answer = await text(socket).catch(() => '')
  return { id: /^x-request-id: (.*)\r$/im.exec(answer)?.[1] }
}
