import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Malformed } from './malformed.ts'
import { LIMITS } from './parsing.test-support.ts'
import { RequestReader } from './request-reader.ts'

const COUNTED = 'POST /counted HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'
const CHUNKED =
  'POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-T: 1\r\n\r\n'
const PLAIN = 'GET /plain HTTP/1.1\r\nHost: a\r\n\r\n'

/** What a reader tells of a connection: targets, content in quotes, the end of a body as `.` with its trailers, or a refusal. */
function read(pieces: readonly Buffer[], body: number | undefined): string[] {
  const reader = new RequestReader({ ...LIMITS, body })
  const told: string[] = []
  let content = ''
  const end = (how: string): void => {
    told.push(`"${content}"`, how)
    content = ''
  }
  const readNext = (piece: Buffer, at: number): Malformed | undefined => {
    if (reader.bodyDone) {
      const head = reader.readHead(piece, at)
      if (head instanceof Malformed) return head
      if (head !== undefined) told.push(head.target)
      return undefined
    }
    const trailers = reader.readBody(piece, at, { data: (bytes) => (content += bytes.toString('latin1')) })
    if (trailers instanceof Malformed) return trailers
    if (trailers !== undefined) end(`.${trailers}`)
    return undefined
  }
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at = reader.next) {
      const fault = readNext(piece, at)
      if (fault !== undefined) return [...told, fault.reason]
    }
  }
  return told
}

const readText = (text: string, body?: number): string[] => read([Buffer.from(text, 'latin1')], body)

describe('requests in a row', () => {
  test('are read one after the other, each with its own body', () => {
    expect(readText(PLAIN + COUNTED + CHUNKED + PLAIN)).toEqual([
      '/plain',
      '/counted',
      '"hello"',
      '.',
      '/chunked',
      '"hello"',
      '.X-T: 1\r\n',
      '/plain',
    ])
  })

  test('cannot be hidden in a body', () => {
    const hidden = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${PLAIN.length}\r\n\r\n${PLAIN}`

    expect(readText(hidden + COUNTED)).toEqual(['/', `"${PLAIN}"`, '.', '/counted', '"hello"', '.'])
  })

  test('may have bodies whatever their method', () => {
    expect(readText(COUNTED.replace('POST', 'GET') + CHUNKED.replace('POST', 'DELETE'))).toHaveLength(6)
  })

  test('are the same in pieces of any size', () => {
    const bytes = Buffer.from(COUNTED + PLAIN + CHUNKED + CHUNKED + PLAIN + COUNTED, 'latin1')
    const whole = read([bytes], undefined)

    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (places) => {
        const cuts = [0, ...places.sort((a, b) => a - b), bytes.length]

        expect(
          read(
            cuts.slice(1).map((to, index) => bytes.subarray(cuts[index], to)),
            undefined,
          ),
        ).toEqual(whole)
      }),
    )
  })
})

describe('a limit of the body', () => {
  test('lets a body of that size pass', () => {
    expect(readText(COUNTED + CHUNKED, 5)).toHaveLength(6)
  })

  test('refuses a longer length before any of it', () => {
    expect(readText(COUNTED, 4)).toEqual([Malformed.bodyLong.reason])
  })

  test('refuses the chunk that exceeds it', () => {
    expect(readText(CHUNKED, 4)).toEqual(['/chunked', Malformed.bodyLong.reason])
  })

  test('counts each body alone', () => {
    expect(readText(COUNTED + COUNTED + CHUNKED + CHUNKED, 5)).not.toContain(Malformed.bodyLong.reason)
  })
})

test('a head has begun from its first byte until it is read', () => {
  const reader = new RequestReader({ ...LIMITS, body: undefined })

  expect(reader.headBegun).toBe(false)
  reader.readHead(Buffer.from('G'), 0)
  expect(reader.headBegun).toBe(true)
  reader.readHead(Buffer.from(PLAIN.slice(1)), 0)
  expect(reader.headBegun).toBe(false)
})
