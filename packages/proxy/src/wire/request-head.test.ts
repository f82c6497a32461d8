import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { CHUNKED } from './framing.ts'
import { get, LIMITS, request } from './parsing.test-support.ts'
import { parseRequestHead } from './request-head.ts'

/** The header lines that go to the backend as they are, without their line ends. */
const passed = (...fields: string[]): string[] =>
  get(...fields)
    .passed.split('\r\n')
    .slice(0, -1)

describe('the request line', () => {
  test.each([
    ['GET / HTTP/1.1', { method: 'GET', target: '/', path: '/', minorVersion: 1 }],
    ['POST /a?b=c HTTP/1.0', { method: 'POST', target: '/a?b=c', path: '/a', minorVersion: 0 }],
    ['OPTIONS * HTTP/1.1', { method: 'OPTIONS', target: '*', path: '*' }],
    ['QUERY / HTTP/1.1', { method: 'QUERY' }],
    ['M-SEARCH / HTTP/1.1', { method: 'M-SEARCH' }],
    ['GET http://example.com/a?b HTTP/1.1', { target: '/a?b', path: '/a', host: 'example.com' }],
    ['GET HTTPS://EXAMPLE.com HTTP/1.1', { target: '/', path: '/', host: 'example.com' }],
    ['GET http://example.com?a=/b HTTP/1.1', { target: '/?a=/b', path: '/', host: 'example.com' }],
  ])('%s is accepted', (line, head) => {
    expect(request(line, 'Host: example.com')).toMatchObject(head)
  })

  test('of HTTP/1.0 needs no Host, and takes that of an absolute target', () => {
    expect(request('GET / HTTP/1.0').host).toBe('')
    expect(request('GET http://a:80/ HTTP/1.0').host).toBe('a:80')
  })
})

describe('the fields', () => {
  test('are told as received: case, order and duplicates kept, white space around values not', () => {
    const { fields } = get('x-A:1', 'X-a:  2\t', 'Empty:', 'Cookie: a=b', '__proto__: p', 'constructor: c')

    expect(fields).toEqual([
      ...[
        'Host',
        'example.com',
        'x-A',
        '1',
        'X-a',
        '2',
        'Empty',
        '',
        'Cookie',
        'a=b',
        '__proto__',
        'p',
        'constructor',
        'c',
      ],
    ])
  })

  test.each([
    'x'.repeat(255),
    'x'.repeat(256),
    'x'.repeat(270),
    'x'.repeat(16_000),
    "!#$%&'*+-.^`|~0aZ",
    '__proto__',
    'toString',
    'hasOwnProperty',
  ])('pass whatever their name: %.40s', (name) => {
    expect(passed(`${name}: a`)).toEqual([`${name}: a`])
  })

  test.each(['\x80\xff\xa0', 'a\tb', 'a  b', '"', '"a\\"', '%00', ':', '; , =', 'a'.repeat(16_000)])(
    'pass whatever their value: %j',
    (value) => {
      expect(passed(`A: ${value}`)).toEqual([`A: ${value}`])
    },
  )

  test('pass with one space after the colon and none at the end', () => {
    expect(passed('A:b', 'C:\t d \t', 'E: f', 'G:', 'H:\ti', 'J: ')).toEqual([
      'A: b',
      'C: d',
      'E: f',
      'G: ',
      'H: i',
      'J: ',
    ])
  })

  test('up to the limit are accepted', () => {
    expect(passed(...Array.from({ length: LIMITS.fields - 1 }, (_, index) => `A-${index}: b`))).toHaveLength(
      LIMITS.fields - 1,
    )
  })

  test('of one length with ours pass', () => {
    expect(passed('Hots: a', 'Content-Lengtb: 1', 'Transfer-Encodinh: x')).toEqual([
      'Hots: a',
      'Content-Lengtb: 1',
      'Transfer-Encodinh: x',
    ])
  })

  test.each(['Host: example.com', 'HOST:example.com', 'host: \texample.com '])('name the host: %j', (line) => {
    expect(request('GET / HTTP/1.1', line)).toMatchObject({ host: 'example.com', passed: '' })
  })

  test.each(['a', 'a.b-c.example', 'a_b', 'a~', '10.0.0.1:65535', '[::1]', '[::ffff:10.0.0.1]:80', 'EXAMPLE.com.'])(
    'may name the host %s',
    (host) => {
      expect(request('GET / HTTP/1.1', `Host: ${host}`).host).toBe(host)
    },
  )

  test('of cookies are joined and do not pass', () => {
    expect(get('Cookie: a=1; b=2', 'cookie: c="3')).toMatchObject({ cookie: 'a=1; b=2; c="3', passed: '' })
    expect(get('Cookie:', 'Cookie: a=1', 'Cookie: ').cookie).toBe('a=1')
    expect(get('Cookie:').cookie).toBeUndefined()
    expect(get().cookie).toBeUndefined()
  })
})

describe('the framing', () => {
  test.each([
    [[], { framing: 0, hasLength: false }],
    [['Content-Length: 0'], { framing: 0, hasLength: true }],
    [['content-length: 12'], { framing: 12, hasLength: true }],
    [['Content-Length:  0012 '], { framing: 12, hasLength: true }],
    [['Content-Length: 9007199254740991'], { framing: Number.MAX_SAFE_INTEGER }],
    [['Transfer-Encoding: chunked'], { framing: CHUNKED, hasLength: false }],
    [['TRANSFER-ENCODING:\tchunked'], { framing: CHUNKED, hasLength: false }],
  ])('of %j', (fields, framing) => {
    expect(get(...fields)).toMatchObject({ ...framing, passed: '' })
  })

  test('keeps the announcement of trailers with chunks only', () => {
    expect(passed('Trailer: X-T', 'Transfer-Encoding: chunked')).toEqual(['Trailer: X-T'])
    expect(passed('Trailer: X-T')).toEqual([])
    expect(passed('Trailer: X-T', 'Content-Length: 0')).toEqual([])
  })
})

describe('the connection', () => {
  test.each([
    ['HTTP/1.1', [], true],
    ['HTTP/1.1', ['Connection: close'], false],
    ['HTTP/1.1', ['Connection: CLOSE'], false],
    ['HTTP/1.1', ['Connection: x, close'], false],
    ['HTTP/1.1', ['Connection: keep-alive', 'connection: close'], false],
    ['HTTP/1.1', ['Connection: , ,keep-alive,'], true],
    ['HTTP/1.0', [], false],
    ['HTTP/1.0', ['Connection: Keep-Alive'], true],
    ['HTTP/1.0', ['Connection: keep-alive, close'], false],
  ])('of %s with %j serves another request: %j', (version, fields, persistent) => {
    expect(request(`GET / ${version}`, 'Host: a', ...fields).persistent).toBe(persistent)
  })

  test('takes away the fields it names, whatever their case', () => {
    expect(passed('A: 1', 'X-Hop: 1', 'B: 2', 'x-hop: 2', 'Connection: x-HOP, close, absent', 'C: 3')).toEqual([
      'A: 1',
      'B: 2',
      'C: 3',
    ])
  })

  test.each(['Authorization', 'Content-Type', 'Content-Encoding', 'Cache-Control', 'content-anything'])(
    'cannot take %s away',
    (name) => {
      expect(passed(`${name}: x`, `Connection: ${name}`)).toEqual([`${name}: x`])
    },
  )

  test('cannot take away what is ours to write', () => {
    const head = get(
      'Cookie: a=b',
      'X-Forwarded-For: a',
      'Content-Length: 3',
      'Connection: host, cookie, x-forwarded-for, content-length',
    )

    expect(head).toMatchObject({
      host: 'example.com',
      cookie: 'a=b',
      framing: 3,
      forwarded: { 'x-forwarded-for': 'a' },
    })
  })

  test.each([
    'Keep-Alive: 1',
    'Proxy-Connection: close',
    'Proxy-Authorization: x',
    'Proxy-Authenticate: x',
    'TE: trailers',
    'Upgrade: h2c',
    'Expect: 100-continue',
  ])('keeps %s to itself', (line) => {
    expect(passed('A: 1', line, 'B: 2')).toEqual(['A: 1', 'B: 2'])
  })
})

describe('look-alikes with underscores', () => {
  test.each([
    ...[
      'Content_Length: 5',
      'Transfer_Encoding: chunked',
      'transfer_ENCODING: x',
      'X_Forwarded_For: a',
      'X-Forwarded_For: a',
      'X_Real_IP: a',
    ],
    ...['X_Request_Id: a', 'Keep_Alive: x', 'Proxy_Connection: x'],
  ])('are dropped: %s', (line) => {
    expect(get('A: 1', line, 'B: 2')).toMatchObject({ passed: 'A: 1\r\nB: 2\r\n', framing: 0, forwarded: undefined })
  })

  test.each(['X_A: 1', '_: 1', 'a_b_c: 1', '__proto__: 1'])('of nothing of ours pass: %s', (line) => {
    expect(passed(line)).toEqual([line])
  })
})

describe('what else is read', () => {
  test.each([
    [['Expect: 100-continue'], true],
    [['Expect: 100-Continue'], true],
    [[], false],
  ])('an expectation: %j', (fields, expectsContinue) => {
    expect(get(...fields).expectsContinue).toBe(expectsContinue)
  })

  test('no expectation on HTTP/1.0', () => {
    expect(request('GET / HTTP/1.0', 'Expect: 100-continue').expectsContinue).toBe(false)
  })

  test.each([
    ['trailers', true],
    ['gzip;q=0.5, Trailers', true],
    ['gzip', false],
    ['"', false],
    ['', false],
  ])('TE: %s', (value, acceptsTrailers) => {
    expect(get(`TE: ${value}`).acceptsTrailers).toBe(acceptsTrailers)
  })

  test.each([
    [['Connection: Upgrade', 'Upgrade: websocket'], 'websocket'],
    [['Upgrade: WebSocket', 'Connection: keep-alive, upgrade'], 'websocket'],
    [['Upgrade: websocket'], undefined],
    [['Connection: Upgrade'], undefined],
    [['Connection: Upgrade', 'Upgrade: h2c'], undefined],
    [['Connection: Upgrade', 'Upgrade: websocket, h2c'], undefined],
    [['Connection: Upgrade', 'Upgrade: h2c', 'Upgrade: websocket'], undefined],
    [['Connection: Upgrade', 'Upgrade: TLS/1.0'], undefined],
  ])('an upgrade: %j is %j', (fields, upgrade) => {
    expect(get(...fields)).toMatchObject({ upgrade, passed: '' })
  })

  test('no upgrade on HTTP/1.0', () => {
    expect(request('GET / HTTP/1.0', 'Connection: Upgrade', 'Upgrade: websocket').upgrade).toBeUndefined()
  })

  test('forwarding fields, joined where they are repeated', () => {
    const head = get('X-Forwarded-For: a', 'Forwarded: for=x', 'x-forwarded-for: b, c', 'X-Request-Id: 1')

    expect(head).toMatchObject({
      forwarded: { 'x-forwarded-for': 'a, b, c', forwarded: 'for=x', 'x-request-id': '1' },
      passed: '',
    })
  })
})

const token = fc
  .string({ unit: fc.constantFrom(..."!#$%&'*+-.^_`|~09azAZ"), minLength: 1, maxLength: 12 })
  .map((text) => `x-${text}`)
const value = fc
  .string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((code) => code !== 0x7f)
      .map((code) => String.fromCharCode(code)),
    maxLength: 20,
  })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''))

test('what is printed is what is parsed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(token, value), { maxLength: 20 }), (fields) => {
      const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`)
      const head = parseRequestHead(`GET / HTTP/1.1\r\nHost: a\r\n${lines.join('')}`, LIMITS)

      expect(head).toMatchObject({ fields: ['Host', 'a', ...fields.flat()], passed: lines.join('') })
    }),
  )
})

test('no text makes the parser throw', () => {
  const part = fc.constantFrom(
    '\r\n',
    '\r',
    '\n',
    ' ',
    ':',
    'GET',
    '/',
    'HTTP/1.1',
    'Host',
    'a',
    '\0',
    '\xff',
    'Content-Length',
    '1',
    ',',
    '__proto__',
    'Transfer-Encoding',
    'chunked',
  )

  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      expect(() => parseRequestHead(`${parts.join('')}\r\n`, LIMITS)).not.toThrow()
    }),
  )
})
