import { expect, test } from 'vitest'

import { type CompanionAttributes, noAttributes } from './companion-attributes.ts'
import { printMeta, readMeta } from './companion-meta.ts'

const now = Date.UTC(2020, 0, 1)

test.for<[attributes: Partial<CompanionAttributes>, value: string]>([
  [{}, ''],
  [{ secure: true, partitioned: true, sameSite: 'None' }, 'secure&partitioned&samesite=none'],
  [{ secure: true, sameSite: 'Strict', expires: now }, 'secure&samesite=strict&expires=1577836800'],
  [{ maxAge: 3600 }, 'maxage=1577840400'],
  [{ maxAge: -1 }, 'maxage=-1'],
  [{ maxAge: 60, expires: now + 60_000 }, 'maxage=1577836860&expires=1577836860'],
])('%o is kept as "%s" and read again', ([attributes, value]) => {
  expect(printMeta({ ...noAttributes, ...attributes }, now)).toBe(value)
  expect(readMeta(value, now)).toEqual({ ...noAttributes, ...attributes })
})

test('of a Max-Age what remains counts, and nothing but its end once that is past', () => {
  expect(readMeta('maxage=1577840400', now + 1_500).maxAge).toBe(3599)
  expect(readMeta('maxage=1577836800', now).maxAge).toBe(-1)
  expect(readMeta('maxage=1577830000', now).maxAge).toBe(-1)
})

test.for<[value: string, read: Partial<CompanionAttributes>]>([
  ['partitioned=%ZZ', {}],
  ['secure&samesite=lax&%', {}],
  ['secure&maxage=soon', { secure: true }],
  ['secure&maxage=1e9&samesite=none', { secure: true, sameSite: 'None' }],
  ['partitioned&expires=9999999999999999', { partitioned: true }],
  ['partitioned&expires=-99999999999', { partitioned: true }],
  ['secure&expires=', { secure: true }],
  ['secure&samesite=bogus', { secure: true }],
  ['secure&samesite=lax; Domain=evil.example', { secure: true }],
  ['SECURE&httponly&domain=evil.example&path=/x', {}],
  ['secure=0&SameSite=strict&samesite=STRICT', { secure: true, sameSite: 'Strict' }],
  ['maxage=99999999999', { maxAge: 34_560_000 }],
  ['&&=&', {}],
])('of "%s" only what makes sense is taken', ([value, read]) => {
  expect(readMeta(value, now)).toEqual({ ...noAttributes, ...read })
})
