import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Malformed } from './malformed.ts'
import { get, request } from './parsing.test-support.ts'
import type { ParsedRequest } from './request-head.ts'
import type { ParsedResponse } from './response-head.ts'
import { type ResponseEvents, ResponseReader } from './response-reader.ts'

const GET = get()
const HEAD = request('HEAD / HTTP/1.1', 'Host: a')
const UPGRADE = get('Connection: Upgrade', 'Upgrade: websocket')
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/** Writes down what a reader tells: heads as status, content as its text, the end as `.` with its trailers. */
class Told implements ResponseEvents {
  readonly events: string[] = []
  #content = ''

  interim = (head: ParsedResponse): void => this.#tell(`interim ${head.status}`)
  head = (head: ParsedResponse): void => this.#tell(`head ${head.status}`)
  switched = (head: ParsedResponse): void => this.#tell(`switched to ${head.upgrade}`)
  complete = (trailers: string): void => this.#tell(`.${trailers}`)

  data(piece: Buffer): void {
    this.#content += piece.toString('latin1')
  }

  #tell(event: string): void {
    this.flush()
    this.events.push(event)
  }

  flush(): void {
    if (this.#content !== '') this.events.push(`"${this.#content}"`)
    this.#content = ''
  }
}

interface Outcome {
  readonly told: readonly string[]
  readonly fault: Malformed | undefined
  readonly phase: string
  readonly endedByClose: boolean
}

/** What is told of the answers to one request after the other, the connection's end included. */
function read(requests: readonly ParsedRequest[], ...pieces: (string | Buffer)[]): Outcome {
  const told = new Told()
  const reader = new ResponseReader(told)
  const waiting = [...requests]
  reader.expect(waiting.shift()!)
  const fault = pieces
    .map((piece) => readPiece(reader, waiting, Buffer.from(piece as string, 'latin1')))
    .find((one) => one !== undefined)
  const { phase } = reader
  const endedByClose = reader.readEnd()
  told.flush()
  return { told: told.events, fault, phase, endedByClose }
}

function readPiece(reader: ResponseReader, waiting: ParsedRequest[], bytes: Buffer): Malformed | undefined {
  for (let at = 0; at < bytes.length; ) {
    if (reader.phase === 'none' && waiting.length > 0) reader.expect(waiting.shift()!)
    const next = reader.read(bytes, at)
    if (next instanceof Malformed) return next
    at = next
  }
  return undefined
}

describe('where a response ends', () => {
  test.each<[string, ParsedRequest, string, string[]]>([
    ['by its length', GET, 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', ['head 200', '"abc"', '.']],
    ['at once, with length 0', GET, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', ['head 200', '.']],
    [
      'by its last chunk',
      GET,
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      ['head 200', '"abc"', '.'],
    ],
    [
      'by its trailers',
      GET,
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T: 1\r\n\r\n',
      ['head 200', '.X-T: 1\r\n'],
    ],
    ['after its head, to HEAD with a length', HEAD, 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n', ['head 200', '.']],
    [
      'after its head, to HEAD with chunks announced',
      HEAD,
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      ['head 200', '.'],
    ],
    ['after its head, to HEAD without any framing', HEAD, 'HTTP/1.1 200 OK\r\n\r\n', ['head 200', '.']],
    ['after its head, with 204', GET, 'HTTP/1.1 204 No Content\r\n\r\n', ['head 204', '.']],
    [
      'after its head, with 304 and a length',
      GET,
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n',
      ['head 304', '.'],
    ],
    [
      'after interim responses',
      GET,
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 X\r\n\r\n',
      ['interim 100', 'interim 103', 'head 204', '.'],
    ],
    ['never, after a switch', UPGRADE, `${SWITCH}\x81\x00HTTP/1.1`, ['switched to websocket', '"\x81\x00HTTP/1.1"']],
    [
      'as any other, when a switch is declined',
      UPGRADE,
      'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno',
      ['head 426', '"no"', '.'],
    ],
  ])('%s', (_, asked, bytes, told) => {
    expect(read([asked], bytes)).toEqual({ told, fault: undefined, phase: expect.any(String), endedByClose: false })
  })

  test('with the connection, without length or chunks', () => {
    const outcome = read([GET], 'HTTP/1.1 200 OK\r\n\r\nabc', 'def')

    expect(outcome).toEqual({
      told: ['head 200', '"abcdef"', '.'],
      fault: undefined,
      phase: 'body',
      endedByClose: true,
    })
  })

  test.each([
    ['in its head', 'HTTP/1.1 200 OK\r\n'],
    ['in a counted body', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab'],
    ['before the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
    ['before the end of the trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T: 1\r\n'],
  ])('not by the connection ending %s', (_, bytes) => {
    const outcome = read([GET], bytes)

    expect(outcome.endedByClose).toBe(false)
    expect(outcome.told).not.toContainEqual(expect.stringMatching(/^\./))
  })
})

test('one response after the other is told for each request', () => {
  const bytes =
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 \r\n\r\n'

  expect(read([GET, HEAD, GET], bytes).told).toEqual(['head 200', '"a"', '.', 'head 200', '.', 'head 204', '.'])
})

describe('a backend is not believed', () => {
  test.each<[string, ParsedRequest, string, Malformed]>([
    [
      'when it answers what nobody asked',
      GET,
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabHTTP/1.1 200 OK\r\n\r\n',
      Malformed.unasked,
    ],
    [
      'when a body follows the answer to HEAD',
      HEAD,
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na',
      Malformed.unasked,
    ],
    ['when a body follows 204', GET, 'HTTP/1.1 204 OK\r\nContent-Length: 1\r\n\r\na', Malformed.unasked],
    ['when it switches unasked', GET, SWITCH, Malformed.switchUnasked],
    ['when it switches to something else', UPGRADE, SWITCH.replace('websocket', 'h2c'), Malformed.switchUnasked],
    [
      'when it switches to two protocols',
      UPGRADE,
      SWITCH.replace('websocket', 'h2c\r\nUpgrade: websocket'),
      Malformed.switchUnasked,
    ],
    [
      'when it switches without naming a protocol',
      UPGRADE,
      'HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n',
      Malformed.switchUnasked,
    ],
    [
      'when it switches without a Connection field',
      UPGRADE,
      'HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n',
      Malformed.switchUnasked,
    ],
    [
      'when it switches and closes',
      UPGRADE,
      SWITCH.replace('Connection: Upgrade', 'Connection: Upgrade, close'),
      Malformed.interim,
    ],
    ['when it switches on HTTP/1.0', UPGRADE, SWITCH.replace('HTTP/1.1', 'HTTP/1.0'), Malformed.interim],
    ['when an interim response closes', GET, 'HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n', Malformed.interim],
    ['when an interim response is of HTTP/1.0', GET, 'HTTP/1.0 100 Continue\r\n\r\n', Malformed.interim],
    ['when interim responses do not end', GET, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17), Malformed.interim],
    [
      'when trailers are no header lines',
      GET,
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX : 1\r\n\r\n',
      Malformed.spaceBeforeColon,
    ],
    [
      'when trailers frame',
      GET,
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 1\r\n\r\n',
      Malformed.trailerField,
    ],
  ])('%s', (_, asked, bytes, fault) => {
    expect(read([asked], bytes).fault).toBe(fault)
  })

  test('and no response whose trailers are refused is told to be whole', () => {
    const { told } = read([GET], 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX : 1\r\n\r\n')

    expect(told).toEqual(['head 200', '"a"'])
  })
})

test('pieces of any size tell the same', () => {
  const bytes = Buffer.from(
    'HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhe\r\nl\r\n1\r\no\r\n0\r\nX-T: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody',
    'latin1',
  )
  const whole = read([GET, GET], bytes)

  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (places) => {
      const cuts = [0, ...places.toSorted((a, b) => a - b), bytes.length]
      const pieces = cuts.slice(1).map((to, index) => bytes.subarray(cuts[index], to))

      expect(read([GET, GET], ...pieces)).toEqual(whole)
    }),
  )
})
