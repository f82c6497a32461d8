import { describe, expect, test } from 'vitest'

import { Malformed } from './malformed.ts'
import { REQUESTS, RESPONSES, type Refusal } from './malformed-examples.test-support.ts'
import { get, LIMITS } from './parsing.test-support.ts'
import { RequestReader } from './request-reader.ts'
import { ResponseReader } from './response-reader.ts'

type Row = readonly [name: Refusal, shown: string, text: string]

const rowsOf = (examples: Readonly<Record<string, readonly string[]>>): Row[] =>
  Object.entries(examples).flatMap(([name, texts]) =>
    texts.map((text): Row => [name as Refusal, JSON.stringify(text.slice(0, 120)), text]),
  )

function requestFault(text: string, size: number): Malformed | undefined {
  const reader = new RequestReader({ ...LIMITS, body: 100 })
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; at = reader.next + at) {
    const piece = bytes.subarray(at, at + size)
    const fault = reader.bodyDone ? reader.readHead(piece, 0) : reader.readBody(piece, 0, { data: () => {} })
    if (fault instanceof Malformed) return fault
  }
  return undefined
}

function responseFault(text: string, size: number): Malformed | undefined {
  const reader = new ResponseReader({ interim() {}, head() {}, switched() {}, complete() {}, data() {} })
  reader.expect(get())
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; ) {
    const next = reader.read(bytes.subarray(at, at + size), 0)
    if (next instanceof Malformed) return next
    at += next
  }
  return undefined
}

const WHOLE = 1 << 20

describe('what a client may not send', () => {
  test.each(rowsOf(REQUESTS))('%s: %s', (name, _, text) => {
    expect(requestFault(text, WHOLE)).toBe(Malformed[name])
  })

  test.each(rowsOf(REQUESTS).filter(([, , text]) => text.length < 1000))('%s byte by byte: %s', (_, __, text) => {
    expect(requestFault(text, 1)).toBeInstanceOf(Malformed)
  })
})

describe('what a backend may not send', () => {
  test.each(rowsOf(RESPONSES))('%s: %s', (name, _, text) => {
    expect(responseFault(text, WHOLE)).toBe(Malformed[name])
    expect(responseFault(text, 1)).toBeInstanceOf(Malformed)
  })
})

test('every refusal but the one by the clock has an example', () => {
  const examples: Readonly<Record<string, readonly string[]>> = { ...REQUESTS, ...RESPONSES }

  expect(Object.keys(Malformed).filter((name) => !examples[name]?.length)).toEqual(['headSlow'])
})

test.each([
  ['method', 501],
  ['connect', 501],
  ['codingUnknown', 501],
  ['version', 505],
  ['targetLong', 414],
  ['headLong', 431],
  ['headFields', 431],
  ['trailerLong', 431],
  ['headSlow', 408],
  ['bodyLong', 413],
  ['expectation', 417],
  ['hostMissing', 400],
  ['lengthAndCoding', 400],
  ['bareLineEnd', 400],
] as const)('%s is answered %i', (name, status) => {
  expect(Malformed[name].status).toBe(status)
})
