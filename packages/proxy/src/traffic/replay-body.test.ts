import { expect, test } from 'vitest'

import { CHUNKED } from '../wire/framing.ts'
import { ReplayBody } from './replay-body.ts'

test.each([
  ['a small one', 10, 10, true],
  ['none', 0, 10, true],
  ['one in chunks', CHUNKED, 10, true],
  ['one that is too large', 11, 10, false],
  ['any at all, where none are', 0, 0, false],
])('a body is kept: %s', (_, framing, most, kept) => {
  expect(ReplayBody.of(framing, most) !== undefined).toBe(kept)
})

test('what was kept stays as it was', () => {
  const body = ReplayBody.of(CHUNKED, 10)!
  const lent = Buffer.from('hello')
  body.add(lent)
  lent.fill(0)

  expect(body.pieces).toEqual([Buffer.from('hello')])
})

test('a body that grows too large is kept no more', () => {
  const body = ReplayBody.of(CHUNKED, 10)!
  for (const piece of ['hello', 'world', '!', '']) body.add(Buffer.from(piece))

  expect(body.pieces).toBeUndefined()
})
