import { describe, expect, test } from 'vitest'

import { CHUNKED, UNTIL_CLOSE } from './framing.ts'
import { Malformed } from './malformed.ts'
import { response, responseFault } from './parsing.test-support.ts'

const ok = (...fields: string[]) => response('HTTP/1.1 200 OK', ...fields)

describe('the status line', () => {
  test.each([
    ['HTTP/1.1 200 OK', 200, 'OK'],
    ['HTTP/1.1 200 ', 200, ''],
    ['HTTP/1.1 200', 200, ''],
    ['HTTP/1.0 404 Not Found', 404, 'Not Found'],
    ['HTTP/1.1 299 d\xe9j\xe0 vu', 299, 'd\xe9j\xe0 vu'],
    ['HTTP/1.1 999 a\tb', 999, 'a\tb'],
  ])('%j is accepted', (line, status, reason) => {
    expect(response(line)).toMatchObject({ status, reason })
  })

  test.each([
    ...[
      '',
      'HTTP/1.1',
      'HTTP/1.1 ',
      'HTTP/1.1 20',
      'HTTP/1.1 2000',
      'HTTP/1.1 099 X',
      'HTTP/1.1  200 OK',
      'HTTP/1.1 200OK',
    ],
    ...[
      'HTTP/2.0 200 OK',
      'HTTP/1.2 200 OK',
      'http/1.1 200 OK',
      'ICY 200 OK',
      ' HTTP/1.1 200 OK',
      'HTTP/1.1 -20 OK',
      'HTTP/1.1\t200 OK',
    ],
  ])('%j is refused', (line) => {
    expect(responseFault(line)).toBe(Malformed.statusLine)
  })
})

describe('the framing', () => {
  test.each([
    ['a length', ['Content-Length: 5'], { framing: 5, length: 5 }],
    ['a length with leading zeros', ['Content-Length: 005'], { framing: 5, length: 5 }],
    ['chunks', ['Transfer-Encoding: chunked'], { framing: CHUNKED, length: undefined }],
    ['neither', [], { framing: UNTIL_CLOSE, length: undefined }],
  ])('is read from %s', (_, fields, framing) => {
    expect(ok(...fields)).toMatchObject(framing)
  })

  test.each([
    ['two lengths', ['Content-Length: 5', 'Content-Length: 5'], Malformed.lengthRepeated],
    ['a list of lengths', ['Content-Length: 5, 5'], Malformed.lengthInvalid],
    ['an empty length', ['Content-Length:'], Malformed.lengthInvalid],
    ['length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked'], Malformed.lengthAndCoding],
    ['chunks twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], Malformed.codingRepeated],
    ['another coding', ['Transfer-Encoding: gzip'], Malformed.codingUnknown],
    ['a list of codings', ['Transfer-Encoding: gzip, chunked'], Malformed.codingInvalid],
    ['white space after the coding', ['Transfer-Encoding: chunked\t'], Malformed.codingInvalid],
  ])('is refused for %s', (_, fields, fault) => {
    expect(responseFault('HTTP/1.1 200 OK', ...fields)).toBe(fault)
  })

  test('is refused for chunks on HTTP/1.0', () => {
    expect(responseFault('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked')).toBe(Malformed.codingOnOldVersion)
  })
})

describe('the connection', () => {
  test.each([
    ['HTTP/1.1', [], true],
    ['HTTP/1.1', ['Connection: close'], false],
    ['HTTP/1.1', ['Connection: Close'], false],
    ['HTTP/1.1', ['Connection: keep-alive', 'Connection: close'], false],
    ['HTTP/1.0', [], false],
    ['HTTP/1.0', ['Connection: keep-alive'], true],
    ['HTTP/1.0', ['Connection: keep-alive, close'], false],
  ])('of %s with %j: may be used again is %j', (version, fields, persistent) => {
    expect(response(`${version} 200 OK`, ...fields).persistent).toBe(persistent)
  })

  test.each([
    ['timeout=5, max=100', 5],
    ['max=100, timeout=5', 5],
    ['max=100', undefined],
    ['timeout=x', undefined],
  ])('may be promised to stay open: Keep-Alive: %s', (value, idleHint) => {
    expect(ok(`Keep-Alive: ${value}`).idleHint).toBe(idleHint)
  })
})

describe('the lines for the client', () => {
  test('are the fields as they came, in order, case and duplicates kept, white space made canonical', () => {
    const lines = ['Date: x', 'x-A:1', 'Set-Cookie: a=1', 'ETAG:  "e" ', 'set-cookie: b=2', 'Empty:', 'X: \x80\xff']

    expect(ok(...lines).lines()).toBe(
      'Date: x\r\nx-A: 1\r\nSet-Cookie: a=1\r\nETAG: "e"\r\nset-cookie: b=2\r\nEmpty: \r\nX: \x80\xff\r\n',
    )
  })

  test('leave out framing, hop-by-hop fields and what Connection names', () => {
    const head = ok(
      ...[
        'A: 1',
        'Content-Length: 5',
        'Connection: X-Hop, keep-alive',
        'Keep-Alive: timeout=5',
        'Upgrade: h2c',
        'TE: trailers',
      ],
      ...['B: 2', 'Proxy-Authenticate: Basic', 'Proxy-Connection: close', 'x-hop: 1', 'C: 3'],
    )

    expect(head.lines()).toBe('A: 1\r\nB: 2\r\nC: 3\r\n')
  })

  test.each(['Set-Cookie', 'Content-Type', 'Cache-Control'])('keep %s though Connection names it', (name) => {
    expect(ok(`${name}: x`, `Connection: ${name}`).lines()).toBe(`${name}: x\r\n`)
  })

  test('end with the cookies added', () => {
    const head = ok('Set-Cookie: a=1')
    head.addCookie('sticky=x', { keepPrivate: false })

    expect(head.lines()).toBe('Set-Cookie: a=1\r\nSet-Cookie: sticky=x\r\n')
    expect(head.setCookies).toEqual(['a=1'])
  })
})

describe('a response kept private', () => {
  test.each([
    [[], 'private'],
    [['Cache-Control: public, max-age=60'], 'private, max-age=60'],
    [['Cache-Control: PUBLIC', 'cache-control: s-maxage=60, must-revalidate'], 'private, must-revalidate'],
    [['Cache-Control: private'], 'private'],
    [['Cache-Control: private="x-a, public"'], 'private'],
    [['Cache-Control: no-store'], 'no-store'],
    [['Cache-Control: public, no-store'], 'no-store'],
    [['Cache-Control: no-cache="set-cookie, x", max-age=1'], 'private, no-cache="set-cookie, x", max-age=1'],
    [['Cache-Control:'], 'private'],
  ])('with %j says %s', (fields, directives) => {
    const head = ok('A: 1', ...fields, 'B: 2')
    head.addCookie('s=1', { keepPrivate: true })

    expect(head.lines()).toBe(`A: 1\r\nB: 2\r\nCache-Control: ${directives}\r\nSet-Cookie: s=1\r\n`)
  })
})

test('the fields are told as received', () => {
  expect(ok('A: 1', 'a:2 ', 'Content-Length: 0', '__proto__: x').fields).toEqual([
    'A',
    '1',
    'a',
    '2',
    'Content-Length',
    '0',
    '__proto__',
    'x',
  ])
})
