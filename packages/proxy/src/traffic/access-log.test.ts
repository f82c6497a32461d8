import { expect, test } from 'vitest'

import { accessLog } from './access-log.ts'
import type { ExchangeRecord } from './exchange-record.ts'

const exchange: ExchangeRecord = {
  requestId: '4f1c',
  client: '192.0.2.7',
  method: 'GET',
  host: 'shop.example.com',
  path: '/cart',
  status: 200,
  bytesSent: 12,
  bytesReceived: 0,
  started: Date.UTC(2026, 4, 1, 12),
  duration: 3.25,
  upstreamDuration: 2.1251,
  route: 1,
  pool: 'shop',
  backend: 'a',
  retries: 0,
  isRetryDenied: false,
  queued: undefined,
  session: 'AAAAAAAAAAAAAAAAAAAAAA',
  persistence: 'VN',
  refusal: undefined,
  tunnel: false,
}

test('an exchange is one JSON line with its facts', () => {
  const [line] = written(exchange)

  expect(JSON.parse(line!)).toEqual({
    time: '2026-05-01T12:00:00.000Z',
    level: 'info',
    node: 'n1',
    msg: 'exchange',
    request_id: '4f1c',
    client: '192.0.2.7',
    method: 'GET',
    host: 'shop.example.com',
    path: '/cart',
    status: 200,
    bytes: 12,
    bytes_received: 0,
    duration_ms: 3.25,
    upstream_ms: 2.125,
    pool: 'shop',
    backend: 'a',
    route: 1,
    retries: 0,
    session: 'AAAAAAAAAAAAAAAAAAAAAA',
    persist: 'VN',
  })
})

test.each([0, 999.9, 1000, 61_001.25, Date.UTC(2026, 11, 31, 23, 59, 59, 999)])(
  '%d is a moment of RFC 3339',
  (started) => {
    const [line] = written({ ...exchange, started })

    expect(JSON.parse(line!).time).toBe(new Date(started).toISOString())
  },
)

test('an exchange we refused says why and leaves out what it never had', () => {
  const [line] = written({
    ...exchange,
    status: 404,
    upstreamDuration: undefined,
    route: undefined,
    pool: undefined,
    backend: undefined,
    session: undefined,
    persistence: 'NN',
    refusal: 'no-route',
  })

  const fields = JSON.parse(line!)
  expect(fields).toMatchObject({ status: 404, refusal: 'no-route', persist: 'NN' })
  expect(Object.keys(fields)).not.toEqual(expect.arrayContaining(['pool']))
})

test.each([
  ['a line end', '/x\r\n{"forged":true}'],
  ['a quote', '/x","status":999,"y":"'],
  ['a backslash', '/x\\'],
  ['an escape sequence', '/x\u001b[2J'],
  ['a next-line character', '/x\u0085y'],
  ['a line separator', '/x\u2028y'],
  ['a lone surrogate', '/x\ud800'],
  ['NUL', '/x\0y'],
  ['bytes over ASCII', '/x\u00ff\u0080'],
])('%s in a path breaks no line', (_, path) => {
  const [line] = written({ ...exchange, path, host: path })

  expect(line).toMatch(/^[\x20-\x7e]*\n$/)
  expect(JSON.parse(line!)).toMatchObject({ path, host: path, status: 200 })
})

test.each([
  ['/shop;jsessionid=A1B2', '/shop;jsessionid'],
  ['/a;v=1;sid="x=y"/b;c/d;e=/f=g', '/a;v;sid/b;c/d;e/f=g'],
  ['/a=b', '/a=b'],
  ['/;=x;', '/;;'],
])('of the parameters in %s the log has the names alone: they may be sessions', (path, shown) => {
  expect(JSON.parse(written({ ...exchange, path })[0]!).path).toBe(shown)
})

test.each(['\u0000', '"', '\u00ff', 'x'])('a line never exceeds what a pipe takes whole: %j repeated', (character) => {
  const long = character.repeat(16_000)

  const [line] = written({
    ...exchange,
    path: long,
    host: long,
    requestId: long,
    client: long,
    method: long,
    session: long,
  })

  expect(Buffer.byteLength(line!)).toBeLessThanOrEqual(4096)
  expect(JSON.parse(line!).path).toMatch(/\.\.\.$/)
})

function written(record: ExchangeRecord): string[] {
  const lines: string[] = []
  accessLog({ write: (line) => void lines.push(line) }, 'n1')(record)
  return lines
}
