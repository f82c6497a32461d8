import { describe, expect, test } from 'vitest'

import { readProxyHeader } from './proxy-protocol.ts'

const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** A version 2 header: command and version, family, addresses. */
function v2(command: number, family: number, ...addresses: number[]): Buffer {
  return Buffer.from([...V2, command, family, addresses.length >> 8, addresses.length & 255, ...addresses])
}

const IPV4 = [10, 0, 0, 1, 192, 168, 0, 255, 0x30, 0x39, 0x01, 0xbb]
const IPV6 = [
  ...[0x20, 1, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1],
  ...[...Array<number>(15).fill(0), 1],
  0xff,
  0xff,
  0,
  80,
]

describe('version 1', () => {
  test.each([
    ['PROXY TCP4 10.0.0.1 192.168.0.255 12345 443\r\n', '10.0.0.1', 12345, 443],
    ['PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n', '0.0.0.0', 0, 65_535],
    ['PROXY TCP6 2001:db8::1 ::1 65535 80\r\n', '2001:db8::1', 65_535, 80],
    ['PROXY TCP6 ::ffff:10.0.0.1 ::1 1 2\r\n', '::ffff:10.0.0.1', 1, 2],
    ['PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::1 1 2\r\n', '2001:db8::1', 1, 2],
  ])('%j', (text, address, port, destinationPort) => {
    expect(readProxyHeader(Buffer.from(`${text}GET /`))).toEqual({
      connection: { source: { address, port }, destinationPort },
      length: text.length,
    })
  })

  test.each(['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n'])(
    '%j names nobody',
    (text) => {
      expect(readProxyHeader(Buffer.from(text))).toEqual({
        connection: { source: undefined, destinationPort: undefined },
        length: text.length,
      })
    },
  )

  test.each([
    ...[
      'GET / HTTP/1.1\r\n',
      'proxy TCP4 10.0.0.1 10.0.0.2 1 2\r\n',
      'PROXY  TCP4 10.0.0.1 10.0.0.2 1 2\r\n',
      'PROXY TCP4 10.0.0.1 10.0.0.2 1\r\n',
    ],
    ...[
      'PROXY TCP4 ::1 ::1 1 2\r\n',
      'PROXY TCP6 10.0.0.1 10.0.0.2 1 2\r\n',
      'PROXY TCP4 10.0.0.256 10.0.0.2 1 2\r\n',
      'PROXY TCP4 10.0.0.1 10.0.0.2 1 65536\r\n',
    ],
    ...[
      'PROXY TCP4 10.0.0.1 10.0.0.2 -1 2\r\n',
      'PROXY TCP4 10.0.0.1 10.0.0.2 1 2 3\r\n',
      'PROXY TCP4 10.0.0.1 10.0.0.2 1 2 \r\n',
      'PROXY UDP4 10.0.0.1 10.0.0.2 1 2\r\n',
    ],
    ...[
      'PROXY \r\n',
      'PROXY UNKNOWNX\r\n',
      `PROXY UNKNOWN ${'x'.repeat(100)}\r\n`,
      `PROXY TCP4 ${'1'.repeat(200)}`,
      'PROXY TCP4 10.0.0.1 nonsense 1 2\r\n',
    ],
    ...[
      'PROXY TCP4 010.0.0.1 10.0.0.2 1 2\r\n',
      'PROXY TCP4 10.0.0.1 10.0.0.2 1 2\n',
      'PROXY TCP4 10.0.0.1 ::1 1 2\r\n',
    ],
  ])('%j is malformed', (text) => {
    expect(readProxyHeader(Buffer.from(text.padEnd(120, ' ')))).toBe('malformed')
  })

  test('is awaited whole', () => {
    const text = 'PROXY TCP4 10.0.0.1 192.168.0.255 12345 443\r\n'

    for (let length = 0; length < text.length; length++)
      expect(readProxyHeader(Buffer.from(text.slice(0, length)))).toBeUndefined()
  })
})

describe('version 2', () => {
  test.each([
    ['TCP over IPv4', v2(0x21, 0x11, ...IPV4), { address: '10.0.0.1', port: 12_345 }, 443],
    ['TCP over IPv6', v2(0x21, 0x21, ...IPV6), { address: '2001:db8::1', port: 65_535 }, 80],
    [
      'extras after the addresses',
      v2(0x21, 0x11, ...IPV4, 0x03, 0, 4, 1, 2, 3, 4),
      { address: '10.0.0.1', port: 12_345 },
      443,
    ],
    ['LOCAL', v2(0x20, 0x00), undefined, undefined],
    ['LOCAL with addresses', v2(0x20, 0x11, ...IPV4), undefined, undefined],
    ['PROXY of an unspecified family', v2(0x21, 0x00), undefined, undefined],
  ])('%s', (_, bytes, source, destinationPort) => {
    expect(readProxyHeader(Buffer.concat([bytes, Buffer.from('GET /')]))).toEqual({
      connection: { source, destinationPort },
      length: bytes.length,
    })
  })

  test.each([
    ['another version', v2(0x11, 0x11, ...IPV4)],
    ['an unknown command', v2(0x22, 0x11, ...IPV4)],
    ['UDP', v2(0x21, 0x12, ...IPV4)],
    ['a unix socket', v2(0x21, 0x31, ...Array<number>(216).fill(0))],
    ['addresses cut short', v2(0x21, 0x11, ...IPV4.slice(0, 11))],
    ['addresses of the other family', v2(0x21, 0x21, ...IPV4)],
    ['more extras than anyone sends', v2(0x21, 0x11, ...Array<number>(5000).fill(0))],
    ['a torn signature', Buffer.from('\r\n\r\n\0\r\nQUIT\r'.padEnd(20, 'x'))],
  ])('%s is malformed', (_, bytes) => {
    expect(readProxyHeader(bytes)).toBe('malformed')
  })

  test('is awaited whole', () => {
    const bytes = v2(0x21, 0x11, ...IPV4)

    for (let length = 0; length < bytes.length; length++)
      expect(readProxyHeader(bytes.subarray(0, length))).toBeUndefined()
  })
})
