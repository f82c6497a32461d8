import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { chunkedEnd, chunkStart } from './body.ts'
import { ChunkedDecoder } from './chunked.ts'
import { Malformed } from './malformed.ts'

interface Decoded {
  readonly content: string
  readonly trailers: string
  /** The bytes after the body. */
  readonly rest: string
}

function decode(...pieces: readonly Buffer[]): Decoded | Malformed | 'unfinished' {
  const decoder = new ChunkedDecoder()
  let content = ''
  for (const [index, piece] of pieces.entries()) {
    const next = decoder.decode(piece, 0, piece.length, { data: (bytes) => (content += bytes.toString('latin1')) })
    if (next instanceof Malformed) return next
    const rest = Buffer.concat([piece.subarray(next), ...pieces.slice(index + 1)]).toString('latin1')
    if (decoder.done) return { content, trailers: decoder.trailers, rest }
  }
  return 'unfinished'
}

const decodeText = (text: string): Decoded | Malformed | 'unfinished' => decode(Buffer.from(text, 'latin1'))

describe('a chunked body', () => {
  test.each([
    ['of no content', '0\r\n\r\n', ''],
    ['of one chunk', '3\r\nabc\r\n0\r\n\r\n', 'abc'],
    ['of several', '1\r\na\r\n2\r\nbc\r\n0\r\n\r\n', 'abc'],
    ['with sizes in capitals', 'A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
    ['with leading zeros', '0000000000003\r\nabc\r\n0000\r\n\r\n', 'abc'],
    ['with line ends in its content', '6\r\n\r\n0\r\n\r\r\n0\r\n\r\n', '\r\n0\r\n\r'],
    ['with an extension', '3;a\r\nabc\r\n0;last\r\n\r\n', 'abc'],
    ['with extensions', '3;a=b;c="d e;f";g\r\nabc\r\n0\r\n\r\n', 'abc'],
    ['with an extension of 256 bytes', `3;${'a'.repeat(255)}\r\nabc\r\n0\r\n\r\n`, 'abc'],
  ])('%s is read', (_, text, content) => {
    expect(decodeText(`${text}next`)).toEqual({ content, trailers: '', rest: 'next' })
  })

  test.each([
    'X-T: 1\r\n',
    'X-T: 1\r\nDigest:x\r\n',
    'Server-Timing: a;dur=1\r\n',
    'X: \xff\r\n',
    '__proto__: x\r\n',
    'Empty:\r\n',
  ])('may have trailers: %j', (trailers) => {
    expect(decodeText(`1\r\na\r\n0\r\n${trailers}\r\nnext`)).toEqual({ content: 'a', trailers, rest: 'next' })
  })

  test.each([
    '',
    '3',
    '3\r',
    '3\r\n',
    '3\r\nab',
    '3\r\nabc',
    '3\r\nabc\r',
    '3\r\nabc\r\n',
    '3\r\nabc\r\n0',
    '3\r\nabc\r\n0\r\n',
    '0\r\nX-T: 1\r\n',
    '0\r\n\r',
  ])('goes on after %j', (text) => {
    expect(decodeText(text)).toBe('unfinished')
  })

  test('a line without an end is refused before it fills memory', () => {
    expect(decodeText('1;'.padEnd(300, 'a'))).toBe(Malformed.chunkExtension)
    expect(decodeText('0\r\n'.padEnd(17_000, 'a'))).toBe(Malformed.trailerLong)
  })
})

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 })
const trailers = fc.constantFrom('', 'X-T: 1\r\n', 'A: b\r\nC: \r\n')

test('what is encoded is decoded, in pieces of any size, and nothing after it is taken', () => {
  fc.assert(
    fc.property(chunks, trailers, fc.array(fc.nat(400), { maxLength: 10 }), (contents, lines, places) => {
      const parts = contents.map((bytes) => `${chunkStart(bytes.length)}${Buffer.from(bytes).toString('latin1')}\r\n`)
      const encoded = Buffer.from(`${parts.join('')}${chunkedEnd(lines)}next`, 'latin1')
      const cuts = [0, ...places.map((place) => Math.min(place, encoded.length)).sort((a, b) => a - b), encoded.length]
      const pieces = cuts.slice(1).map((to, index) => encoded.subarray(cuts[index], to))

      expect(decode(...pieces)).toEqual({
        content: Buffer.concat(contents).toString('latin1'),
        trailers: lines,
        rest: 'next',
      })
    }),
  )
})

test('a body is the same in pieces of any size, also one that is refused', () => {
  const part = fc.constantFrom('3', '\r\n', 'abc', '0', ';a', '="b"', '\n', '\r', ' ', 'X-T', ': 1', 'Host', 'f', '\0')

  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      const bytes = Buffer.from(`3\r\nabc\r\n${parts.join('')}`, 'latin1')
      const whole = decode(bytes)
      const single = decode(...Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))

      expect(single instanceof Malformed).toBe(whole instanceof Malformed)
      if (!(whole instanceof Malformed)) expect(single).toEqual(whole)
    }),
    { numRuns: 2000 },
  )
})
