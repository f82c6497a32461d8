import { createHmac, randomBytes } from 'node:crypto'

import { expect, test } from 'vitest'

import { KeyedHash } from './keyed-hash.ts'

test.each([0, 1, 50, 63, 64, 65, 200, 959, 960, 961, 5_000])(
  'is HMAC-SHA256 of %i bytes under keys of any length',
  (length) => {
    for (const keyLength of [1, 32, 64, 65, 200]) {
      const key = randomBytes(keyLength)
      const message = randomBytes(length)

      const digest = new KeyedHash(key).of(message.toString('latin1'))

      expect(Buffer.from(digest, 'latin1')).toEqual(createHmac('sha256', key).update(message).digest())
    }
  },
)

test('nothing of one message is left in the next', () => {
  const key = randomBytes(32)
  const used = new KeyedHash(key)
  used.of('a long message before a short one')

  expect(used.of('short')).toBe(new KeyedHash(key).of('short'))
})
