import { describe, expect, test } from 'vitest'

import { type Delivery, interimLines, type Origin, requestLines, responseLines, switchingLines } from './forwarding.ts'
import { get, request, response } from './parsing.test-support.ts'
import type { ParsedRequest } from './request-head.ts'

const CLIENT: Origin = { address: '192.0.2.7', scheme: 'http', port: 8080, trusted: false }
const TRUSTED: Origin = { ...CLIENT, trusted: true }

/** The lines a backend gets. */
function sent(
  head: ParsedRequest,
  origin: Origin = CLIENT,
  changed: { target?: string; cookie?: string | undefined } = {},
): string[] {
  const outgoing = { target: head.target, cookie: head.cookie, lines: head.passed, ...changed }
  const text = requestLines(head, outgoing, head.host, origin, 'id-1')
  expect(text.endsWith('\r\n\r\n')).toBe(true)
  return text.slice(0, -4).split('\r\n')
}

const FORWARDED = [
  'X-Forwarded-For: 192.0.2.7',
  'X-Forwarded-Proto: http',
  'X-Forwarded-Host: example.com',
  'X-Forwarded-Port: 8080',
]

describe('a request on its way to a backend', () => {
  test('has its Host first, its own fields, then ours', () => {
    expect(sent(get('A: 1', 'Cookie: a=b', 'B:2'))).toEqual([
      ...['GET / HTTP/1.1', 'Host: example.com', 'A: 1', 'B: 2', 'Cookie: a=b', ...FORWARDED, 'X-Request-Id: id-1'],
    ])
  })

  test('is of HTTP/1.1 whatever the client spoke, and tells no host that was not sent', () => {
    const lines = sent(request('GET / HTTP/1.0'))

    expect(lines[0]).toBe('GET / HTTP/1.1')
    expect(lines.join()).not.toContain('X-Forwarded-Host')
  })

  test('has the target and the cookie a strategy left it', () => {
    expect(sent(get('Cookie: a=b; sticky=x'), CLIENT, { target: '/shop/', cookie: 'a=b' })).toEqual(
      expect.arrayContaining(['GET /shop/ HTTP/1.1', 'Cookie: a=b']),
    )
    expect(sent(get('Cookie: sticky=x'), CLIENT, { cookie: undefined }).join()).not.toContain('Cookie')
  })

  test.each([
    ['nothing for no body', [], []],
    ['a length', ['content-length:  007'], ['Content-Length: 7']],
    ['a length of zero that was sent', ['Content-Length: 0'], ['Content-Length: 0']],
    ['chunks', ['transfer-encoding:chunked'], ['Transfer-Encoding: chunked']],
  ])('is framed by what was parsed: %s', (_, fields, framing) => {
    expect(sent(get(...fields)).filter((line) => /^(?:content-length|transfer-encoding)/i.test(line))).toEqual(framing)
  })

  test.each([
    [['Connection: keep-alive', 'Keep-Alive: 5'], []],
    [['Connection: close'], []],
    [
      ['TE: trailers, gzip', 'Connection: TE'],
      ['Connection: TE', 'TE: trailers'],
    ],
    [
      ['Connection: Upgrade', 'Upgrade: WebSocket', 'Sec-WebSocket-Key: x'],
      ['Connection: Upgrade', 'Upgrade: websocket'],
    ],
    [['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: x'], []],
    [['Proxy-Connection: keep-alive', 'Proxy-Authorization: x'], []],
    [['Expect: 100-continue', 'Content-Length: 1'], ['Expect: 100-continue']],
  ])('has the hop-by-hop fields of our hop only: %j', (fields, lines) => {
    const hopByHop = /^(?:connection|keep-alive|te|upgrade|proxy-.*|expect|http2-settings):/i

    expect(
      sent(get(...fields))
        .filter((line) => hopByHop.test(line))
        .toSorted(),
    ).toEqual(lines.toSorted())
  })
})

describe('forwarding fields', () => {
  const claimed = get(
    'X-Forwarded-For: 10.0.0.9',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: shop.example',
    'X-Forwarded-Port: 443',
    'X-Real-IP: 10.0.0.9',
    'Forwarded: for=10.0.0.9',
    'X-Request-Id: theirs',
  )
  const told = (head: ParsedRequest, origin: Origin): string[] =>
    sent(head, origin).filter((line) => /^(?:x-forwarded|x-real|forwarded|x-request)/i.test(line))

  test('of a client are replaced', () => {
    expect(told(claimed, CLIENT)).toEqual([...FORWARDED, 'X-Request-Id: id-1'])
  })

  test('of a client are replaced though Connection names them', () => {
    expect(told(get('X-Forwarded-For: 10.0.0.9', 'Connection: X-Forwarded-For, X-Request-Id'), CLIENT)).toEqual([
      ...FORWARDED,
      'X-Request-Id: id-1',
    ])
  })

  test('of a trusted proxy are kept, and its address added', () => {
    expect(told(claimed, TRUSTED)).toEqual([
      ...[
        'X-Forwarded-For: 10.0.0.9, 192.0.2.7',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Host: shop.example',
        'X-Forwarded-Port: 443',
      ],
      ...['X-Real-IP: 10.0.0.9', 'Forwarded: for=10.0.0.9', 'X-Request-Id: id-1'],
    ])
  })

  test('a trusted proxy does not send are ours', () => {
    expect(told(get(), TRUSTED)).toEqual([...FORWARDED, 'X-Request-Id: id-1'])
    expect(told(get('X-Forwarded-Proto: https'), TRUSTED)).toEqual([
      'X-Forwarded-For: 192.0.2.7',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: example.com',
      'X-Forwarded-Port: 8080',
      'X-Request-Id: id-1',
    ])
    expect(told(get('X-Forwarded-For:'), TRUSTED)).toEqual([...FORWARDED, 'X-Request-Id: id-1'])
  })
})

const PERSISTENT: Delivery = { body: 'length', persistent: true }

describe('a response on its way to a client', () => {
  const ok = response('HTTP/1.1 200 OK', 'A: 1', 'Content-Length: 3', 'Connection: keep-alive')
  const lines = (delivery: Delivery, to: ParsedRequest = get(), head = ok): string[] =>
    responseLines(head, to, delivery, 'id-1').slice(0, -4).split('\r\n')

  test.each<[Delivery['body'], boolean, string[]]>([
    ['length', true, ['Content-Length: 3']],
    ['none', true, ['Content-Length: 3']],
    ['length', false, ['Content-Length: 3', 'Connection: close']],
  ])('with its body told by %s, going on %j', (body, persistent, framing) => {
    expect(lines({ body, persistent })).toEqual(['HTTP/1.1 200 OK', 'A: 1', 'X-Request-Id: id-1', ...framing])
  })

  test('in chunks or until the connection closes', () => {
    const chunked = response('HTTP/1.1 200 ', 'Transfer-Encoding: chunked')

    expect(lines({ body: 'chunked', persistent: true }, get(), chunked)).toEqual([
      'HTTP/1.1 200 ',
      'X-Request-Id: id-1',
      'Transfer-Encoding: chunked',
    ])
    expect(lines({ body: 'until-close', persistent: false }, get(), chunked)).toEqual([
      'HTTP/1.1 200 ',
      'X-Request-Id: id-1',
      'Connection: close',
    ])
  })

  test('announces trailers only where they may follow', () => {
    const head = response('HTTP/1.1 200 OK', 'Trailer: X-T', 'Trailer: X-U', 'Transfer-Encoding: chunked')

    expect(lines({ body: 'chunked', persistent: true }, get(), head)).toContain('Trailer: X-T, X-U')
    expect(lines({ body: 'until-close', persistent: false }, get(), head).join()).not.toContain('Trailer')
    expect(lines({ body: 'none', persistent: true }, get(), head).join()).not.toContain('Trailer')
  })

  test('tells a client of HTTP/1.0 that the connection stays', () => {
    expect(lines(PERSISTENT, request('GET / HTTP/1.0', 'Connection: keep-alive'))).toContain('Connection: keep-alive')
  })

  test('has no length with 204, and keeps it with 304', () => {
    expect(lines(PERSISTENT, get(), response('HTTP/1.1 204 No Content', 'Content-Length: 3')).join()).not.toContain(
      'Content-Length',
    )
    expect(lines(PERSISTENT, get(), response('HTTP/1.1 304 Not Modified', 'Content-Length: 3'))).toContain(
      'Content-Length: 3',
    )
  })

  test('shows the id of the exchange, not one the backend made up', () => {
    expect(
      lines(PERSISTENT, get(), response('HTTP/1.1 200 OK', 'X-Request-Id: theirs', 'Content-Length: 0')).join(),
    ).not.toContain('theirs')
  })
})

test('an interim response has its own fields and no framing', () => {
  const head = response('HTTP/1.1 103 Early Hints', 'Link: </a>', 'Content-Length: 5', 'Connection: keep-alive')

  expect(interimLines(head)).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
})

test('a switch names the protocol once', () => {
  const head = response(
    'HTTP/1.1 101 Switching',
    'upgrade: websocket',
    'connection: upgrade',
    'Sec-WebSocket-Accept: x',
  )

  expect(switchingLines(head, 'id-1')).toBe(
    'HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: x\r\nX-Request-Id: id-1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
})
