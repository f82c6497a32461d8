import type { Malformed } from './malformed.ts'
import { LIMITS } from './parsing.test-support.ts'

/** The name of a reason. */
export type Refusal = Exclude<keyof typeof Malformed, 'prototype'>

type OfResponses = 'statusLine' | 'interim' | 'switchUnasked' | 'unasked'

const HOST = 'Host: example.com\r\n'
const GET = `GET / HTTP/1.1\r\n${HOST}`
const CHUNKS = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`

const words = (list: string): string[] => list.split(' ')

const target = (text: string): string => `GET ${text} HTTP/1.1\r\n${HOST}\r\n`
const field = (line: string): string => `${GET}${line}\r\n\r\n`
const host = (value: string): string => `GET / HTTP/1.1\r\nHost:${value}\r\n\r\n`
const trailer = (line: string): string => `${CHUNKS}0\r\n${line}\r\n\r\n`

/** Bytes from clients that are refused, at least some for every reason there is. */
export const REQUESTS: Readonly<Record<Exclude<Refusal, OfResponses | 'headSlow'>, readonly string[]>> = {
  controlByte: [
    field('A: \0'),
    field('A: a\x01b'),
    field('A: \x7f'),
    field('A\0: a'),
    field('A: \x0b'),
    field('A: \x1b[2J'),
    'GET /\0 HTTP/1.1\r\n',
    '\0',
    `${GET}A: \0`,
    trailer('A: \0'),
  ],
  bareLineEnd: [
    `GET / HTTP/1.1\n${HOST}\r\n`,
    `${GET}\n`,
    `${GET}A: b\n\r\n`,
    field('A: b\rc'),
    field('A: b\r'),
    `${GET}\r\r\n\r\n`,

    `GET / HTTP/1.1\r\n${HOST}\n\r\n`,
    'GET / HTTP/1.1\n',
    '\n',
    `${CHUNKS}1\na\r\n0\r\n\r\n`,
    `${CHUNKS}0\r\nA: b\n\r\n`,
  ],
  leadingSpace: [
    `GET / HTTP/1.1\r\n ${HOST}\r\n`,
    `GET / HTTP/1.1\r\n\tA: b\r\n${HOST}\r\n`,
    'GET / HTTP/1.1\r\n \r\n\r\n',
    trailer(' A: b'),
  ],
  folded: [field('A: b\r\n c'), field('A: b\r\n\tc: d'), field('A:\r\n b'), `${GET} \r\n\r\n`, trailer('A: b\r\n c')],
  requestLine: [
    '\r\n\r\n',
    `\r\n${target('/')}`,
    'GET\r\n\r\n',
    `GET / http/1.1\r\n${HOST}\r\n`,
    `GET / HTTP/1.1 \r\n${HOST}\r\n`,

    `GET  / HTTP/1.1\r\n${HOST}\r\n`,
    `GET /  HTTP/1.1\r\n${HOST}\r\n`,
    ` GET / HTTP/1.1\r\n${HOST}\r\n`,
    `GET / a HTTP/1.1\r\n${HOST}\r\n`,

    `G(T / HTTP/1.1\r\n${HOST}\r\n`,
    `GET / HTTP/11\r\n${HOST}\r\n`,
    `GET / HTTP/1.10\r\n${HOST}\r\n`,
    `GET\t/ HTTP/1.1\r\n${HOST}\r\n`,
    `GET / ICE/1.0\r\n${HOST}\r\n`,
    'hello\r\n\r\n',
    'GET  HTTP/1.1\r\n\r\n',
    `G\xcbT / HTTP/1.1\r\n${HOST}\r\n`,
  ],
  fieldName: [
    field(': b'),
    field('A'),
    field('A(b): c'),
    field('A\xe9: b'),
    field('"A": b'),
    field('A,B: c'),
    field('A/B: c'),
    field('A[]: b'),
    field('A@: b'),
    field('{A}: b'),
    field('A=b'),
    trailer('A'),
    trailer(': b'),
  ],
  spaceBeforeColon: [
    field('A : b'),
    field('A\t: b'),
    field('Content-Length : 1'),
    field('A B: c'),
    trailer('A : b'),
    `GET / HTTP/1.1\r\nHost : a\r\n\r\n`,
  ],
  method: words('FOO get Get GETT DESCRIBE PRI BREW __proto__ constructor').map(
    (name) => `${name} / HTTP/1.1\r\n${HOST}\r\n`,
  ),
  connect: [`CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`],
  version: ['GET / HTTP/2.0', 'GET / HTTP/1.2', 'GET / HTTP/0.9', 'GET / HTTP/3.0', 'GET /', 'PRI * HTTP/2.0'].map(
    (line) => `${line}\r\n${HOST}\r\n`,
  ),
  targetForm: words('a * example.com:80 ftp://example.com/ http:/a http:a http:// http:///a ?a . file:///etc %2f').map(
    target,
  ),
  targetByte: words('/# /a#b /\\ /a\\..\\b /\x80 /caf\xe9 http://example.com/# http://example.com\\a').map(target),
  targetDots: words(
    '/.. /. /../ /a/./b /a/../b /a/..?b /%2e%2e/ /%2E./ /.%2e /a%2f..%2fb /a/..%2fb /a%5c../ /..;/a /a/..;b=c/d /%2e /a/.;b /a%2F%2e%2E /..%5ca /..%3bb http://example.com/.. http://example.com/%2e/a',
  ).map(target),
  targetNul: ['/%00', '/a%00.jpg', '/?a=%00', 'http://example.com/%00'].map(target),
  targetLong: [target(`/${'a'.repeat(LIMITS.target)}`)],
  headLong: [
    field(`A: ${'b'.repeat(LIMITS.head)}`),
    `GET /${'a'.repeat(2 * LIMITS.head)}`,
    field(`${'a'.repeat(65_535)}: b`),
    field(`:${'a'.repeat(65_535)}`),
  ],
  headFields: [`${GET}${'A: b\r\n'.repeat(LIMITS.fields)}\r\n`],
  hostMissing: ['GET / HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1\r\nX-Host: a\r\n\r\n', 'GET http://a/ HTTP/1.1\r\n\r\n'],
  hostRepeated: [`${GET}${HOST}\r\n`, `${GET}host: other\r\n\r\n`, `GET / HTTP/1.0\r\n${HOST}${HOST}\r\n`],
  hostInvalid: [
    '',
    ' a b',
    ' a,b',
    ' u@a',
    ' a/b',
    ' a?b',
    ' a#b',
    ' a:',
    ' a:b',
    ' a:123456',
    ' [::1',
    ' [g]',
    ' ::1',
    ' caf\xe9',
    ' a\\b',
    ' "a"',
    ' %61',
    ' http://a',
  ]
    .map(host)
    .concat('GET http://u@example.com/ HTTP/1.1\r\nHost: u@example.com\r\n\r\n', 'GET http://u@a/ HTTP/1.0\r\n\r\n'),
  hostMismatch: ['http://other/', 'http://example.com:80/', 'http://example.com./'].map(target),
  lengthRepeated: [field('Content-Length: 1\r\nContent-Length: 1'), field('Content-Length: 1\r\ncontent-length: 2')],
  lengthInvalid: [
    '',
    '+1',
    '-1',
    '0x1',
    '1, 1',
    '1 1',
    '1.0',
    '1e1',
    '1_0',
    '0b1',
    'one',
    'NaN',
    'Infinity',
    '9007199254740992',
    '18446744073709551617',
    '"1"',
    '1;',
    '\xb2',
    `${'0'.repeat(16)}1`,
  ].map((value) => field(`Content-Length: ${value}`)),
  lengthAndCoding: [
    field('Content-Length: 1\r\nTransfer-Encoding: chunked'),
    field('Transfer-Encoding: chunked\r\nContent-Length: 0'),
  ],
  codingRepeated: [
    field('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
    field('Transfer-Encoding: chunked\r\ntransfer-encoding: x'),
  ],
  codingOnOldVersion: [`POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`],
  codingInvalid: [
    ...words('Chunked CHUNKED chunked, ,chunked "chunked" chunked;q=1'),
    'chunked, chunked',
    'gzip, chunked',
    '',
    'chunked ',
    'chunked\t',
    'chunked chunked',
  ].map((value) => field(`Transfer-Encoding: ${value}`)),
  codingUnknown: ['gzip', 'identity', 'xchunked', 'chunkedx', 'x-chunked'].map((value) =>
    field(`Transfer-Encoding: ${value}`),
  ),
  connectionInvalid: ['a b', 'keep-alive;q=1', '"close"', '@', 'close, b c'].map((value) =>
    field(`Connection: ${value}`),
  ),
  expectation: ['', '200-ok', '100-continue, x', '100'].map((value) => field(`Expect: ${value}`)),
  upgradeWithBody: [
    field('Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1'),
    field('Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked'),
  ],
  chunkSize: [
    ...words('0x1 0X1 +1 -1 1_0 g 1g 1.0 1,1 "1" 00000000000001 fffffffffffffff \xb2'),
    ' 1',
    '1 ',
    '1\t',
    '',
    '1 ;a',
  ].map((size) => `${CHUNKS}${size}\r\na\r\n0\r\n\r\n`),
  chunkExtension: [
    ';',
    '; a',
    ';a=',
    ';a="',
    ';a="b"c',
    ';a b',
    ';;a',
    ';a=b=c',
    ';a=\xff',
    ';a="\0"',
    ';a="\\"',
    ';a\r',
    `;${'a'.repeat(256)}`,
    `;${'a'.repeat(65_536)}`,
  ]
    .map((extension) => `${CHUNKS}1${extension}\r\na\r\n0\r\n\r\n`)
    .concat(`${CHUNKS}1;${'a'.repeat(65_536)}`),
  chunkEnd: ['a0\r\n\r\n', 'a\n0\r\n\r\n', 'a\r0\r\n\r\n', 'aa\r\n0\r\n\r\n', 'a\r\r\n0\r\n\r\n'].map(
    (rest) => `${CHUNKS}1\r\n${rest}`,
  ),
  trailerField: [
    'Content-Length: 1',
    'Transfer-Encoding: chunked',
    'Host: a',
    'Connection: close',
    'Cookie: a=b',
    'Set-Cookie: a=b',
    'Authorization: x',
    'content_length: 1',
    'Transfer_Encoding: x',
    'X-Forwarded-For: a',
    'X_Forwarded_Host: a',
    'Forwarded: for=a',
    'Expect: x',
    'If-Match: x',
    'Upgrade: x',
    'TE: x',
    'Trailer: x',
    'X-Request-Id: x',
    'X-Real-IP: x',
    'Proxy-Authorization: x',
    'Content-Type: x',
    'Cache-Control: x',
  ].map(trailer),
  trailerLong: [
    trailer(`A: ${'b'.repeat(16 * 1024)}`),
    trailer('A: b\r\n'.repeat(4 * 1024)),
    `${CHUNKS}0\r\n${'a'.repeat(17 * 1024)}`,
  ],
  bodyLong: [
    field('Content-Length: 101'),
    `${CHUNKS}65\r\n${'a'.repeat(101)}`,
    `${CHUNKS}40\r\n${'a'.repeat(64)}\r\n40\r\n${'a'.repeat(64)}\r\n0\r\n\r\n`,
  ],
}

/** Bytes from backends that are refused for reasons that requests do not have. */
export const RESPONSES: Readonly<Record<OfResponses, readonly string[]>> = {
  statusLine: ['HTTP/2.0 200 OK\r\n\r\n', 'hello\r\n\r\n', 'HTTP/1.1 20\r\n\r\n', '\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n'],
  interim: [
    'HTTP/1.0 100 Continue\r\n\r\n',
    'HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17),
  ],
  switchUnasked: ['HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', 'HTTP/1.1 101 X\r\n\r\n'],
  unasked: ['HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab'],
}
