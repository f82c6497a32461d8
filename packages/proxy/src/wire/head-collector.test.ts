import { describe, expect, test } from 'vitest'

import { HeadCollector } from './head-collector.ts'
import { Malformed } from './malformed.ts'

const HEAD = 'GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n'
const TEXT = HEAD.slice(0, -2)

/** What the last piece made of it, having asked for more until then. */
function collect(limit: number, ...pieces: string[]): { head: string | Malformed | undefined; next: number } {
  const collector = new HeadCollector(limit)
  for (const piece of pieces.slice(0, -1)) expect(collector.collect(Buffer.from(piece, 'latin1'), 0)).toBeUndefined()
  const head = collector.collect(Buffer.from(pieces.at(-1)!, 'latin1'), 0)
  return { head, next: collector.next }
}

describe('a head in pieces', () => {
  test.each(Array.from({ length: HEAD.length - 1 }, (_, index) => index + 1))(
    'cut at byte %i is the same head',
    (at) => {
      const { head, next } = collect(1024, HEAD.slice(0, at), `${HEAD.slice(at)}rest`)

      expect(head).toBe(TEXT)
      expect(next).toBe(HEAD.length - at)
    },
  )

  test('byte by byte is the same head', () => {
    expect(collect(1024, ...HEAD).head).toBe(TEXT)
  })

  test('cut after a line end goes on in further pieces', () => {
    expect(collect(1024, 'GET / HTTP/1.1\r\n', 'Host: ', 'a\r\n', 'X: y\r\n', '\r\n').head).toBe(TEXT)
  })

  test.each([
    ['a bare LF', ['GET / HTTP/1.1', '\nHost: a'], Malformed.bareLineEnd],
    ['a bare LF as the first byte', ['\n'], Malformed.bareLineEnd],
    ['a second LF', ['GET / HTTP/1.1\r\n', '\n'], Malformed.bareLineEnd],
    ['a bare CR', ['GET / HTTP/1.1\r', 'Host: a'], Malformed.bareLineEnd],
    ['a control byte', ['GET /', '\0'], Malformed.controlByte],
  ] as const)('with %s is refused at once', (_, pieces, fault) => {
    expect(collect(1024, ...pieces).head).toBe(fault)
  })
})

describe('a head beyond the limit', () => {
  test('is refused when it comes whole, and one at the limit is not', () => {
    expect(collect(TEXT.length - 2, HEAD).head).toBe(TEXT)
    expect(collect(TEXT.length - 3, HEAD).head).toBe(Malformed.headLong)
  })

  test('is refused when it comes in pieces, and one at the limit is not', () => {
    expect(collect(TEXT.length - 2, ...HEAD).head).toBe(TEXT)
    expect(collect(TEXT.length - 3, ...HEAD).head).toBe(Malformed.headLong)
  })

  test('is refused before its end came', () => {
    expect(collect(16, 'x'.repeat(21)).head).toBe(Malformed.headLong)
  })
})

test('a head found behind other bytes begins where it was told to', () => {
  const collector = new HeadCollector(1024)

  const head = collector.collect(Buffer.from(`body${HEAD}next`), 4)

  expect(head).toBe(TEXT)
  expect(collector.next).toBe(4 + HEAD.length)
  expect(collector.begun).toBe(false)
})
