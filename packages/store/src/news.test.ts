import { randomBytes } from 'node:crypto'

import { expect, test } from 'vitest'

import { type News, newsIn, newsMessage } from './news.ts'

const id = (): string => randomBytes(16).toString('base64url')

test.each<News>([
  { kind: 'orders' },
  { kind: 'recovery', pool: 'shop', backend: 'a.b-c_d' },
  { kind: 'barrier', barrier: id() },
  { kind: 'recall', pool: 'shop', ids: [id(), id()] },
])('news of kind $kind are read as they were told', (news) => {
  expect(newsIn(newsMessage(news))).toEqual(news)
})

test('a beat and a changed session are no news', () => {
  expect(newsIn(Buffer.alloc(0))).toBeUndefined()
  expect(newsIn(Buffer.concat([Buffer.of(4), Buffer.from('shop'), randomBytes(24)]))).toBeUndefined()
})

test.each([
  ['an unknown letter', Buffer.from('\0z')],
  ['a barrier that is too short', Buffer.from('\0bshort')],
  ['a recovery of nobody', Buffer.from('\0ushop')],
  ['nothing behind the sign', Buffer.of(0)],
])('%s is no news either', (_, message) => {
  expect(newsIn(message)).toBeUndefined()
})

test('a recall that was cut short names the sessions that are whole', () => {
  const message = newsMessage({ kind: 'recall', pool: 'shop', ids: [id(), id()] })

  expect(newsIn(message.subarray(0, -1))).toMatchObject({ pool: 'shop', ids: [expect.any(String)] })
  expect(newsIn(message.subarray(0, 3))).toEqual({ kind: 'recall', pool: '', ids: [] })
})
