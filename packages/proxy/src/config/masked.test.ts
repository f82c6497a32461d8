import { expect, test } from 'vitest'

import { mask, masked } from './masked.ts'

// biome-ignore lint/suspicious/noTemplateCurlyInString: what files say
const reference = '${SECRET}'

test.each([
  ['a secret that is long', mask],
  [reference, reference],
  ['file:/run/secrets/sticky', 'file:/run/secrets/sticky'],
  [`half of it ${reference}`, mask],
  [`${reference}, and more`, mask],
  ['$${SECRET}', mask],
])('the secret %s is printed as %s', (secret, printed) => {
  expect(masked({ secrets: [secret], admin: { address: ':1', token: secret } })).toEqual({
    secrets: [printed],
    admin: { address: ':1', token: printed },
  })
})

test.each([
  ['memory:', 'memory:'],
  ['redis://redis.internal:6379/2', 'redis://redis.internal:6379/2'],
  ['redis://:password@redis.internal', `redis://:${mask}@redis.internal`],
  ['rediss://user:p@ss:word@redis.internal:1/3', `rediss://user:${mask}@redis.internal:1/3`],
  [`redis://:${reference}@redis.internal`, `redis://:${reference}@redis.internal`],
  [`redis://:password@${reference}`, `redis://:${mask}@${reference}`],
  [
    'redis+sentinel://app:password@h1:1,h2:2/master?sentinelPassword=secret',
    `redis+sentinel://app:${mask}@h1:1,h2:2/master?sentinelPassword=${mask}`,
  ],
  ['redis+cluster://h1:6379,h2:6379', 'redis+cluster://h1:6379,h2:6379'],
  [reference, reference],
  ['redis://h?password=secret&db=1', `redis://h?password=${mask}&db=1`],
])('the store %s is printed as %s', (url, printed) => {
  expect(masked({ store: { url, prefix: 'x' } })).toEqual({ store: { url: printed, prefix: 'x' } })
})

test('whatever else there is stays, and nothing is added', () => {
  const data = { admin: false, store: { prefix: 'x' }, pools: { a: {} } }

  expect(masked(data)).toEqual(data)
})
