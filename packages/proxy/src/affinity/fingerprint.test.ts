import { expect, test } from 'vitest'

import { Fingerprints } from './fingerprint.ts'

test('a cookie has 8 bytes of fingerprint, a key 16', () => {
  const fingerprints = new Fingerprints('secret')

  expect(fingerprints.ofCookie('a', '1')).toMatch(/^[A-Za-z0-9_-]{11}$/)
  expect(fingerprints.keysOf('shop', 'cookie:a')('1')).toEqual({
    pool: 'shop',
    id: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
  })
})

test('fingerprints are the same on every node of one secret and on no other', () => {
  const [one, other, foreign] = [new Fingerprints('secret'), new Fingerprints('secret'), new Fingerprints('foreign')]

  expect(one.ofCookie('a', '1')).toBe(other.ofCookie('a', '1'))
  expect(one.ofCookie('a', '1')).not.toBe(foreign.ofCookie('a', '1'))
  expect(one.keysOf('p', 's')('1')).toEqual(other.keysOf('p', 's')('1'))
  expect(one.keysOf('p', 's')('1').id).not.toBe(foreign.keysOf('p', 's')('1').id)
})

test('a value is another key from another source, in another pool', () => {
  const fingerprints = new Fingerprints('secret')
  const ids = [
    ['shop', 'cookie:a'],
    ['shop', 'cookie:b'],
    ['other', 'cookie:a'],
  ] as const

  expect(new Set(ids.map(([pool, source]) => fingerprints.keysOf(pool, source)('1').id)).size).toBe(3)
})

test('the same value gives the same key object', () => {
  const keyOf = new Fingerprints('secret').keysOf('shop', 'cookie:a')

  expect(keyOf('1')).toBe(keyOf('1'))
})
