import { expect, test } from 'vitest'

import { attributesToCopy, type CompanionAttributes, noAttributes, printAttributes } from './companion-attributes.ts'

const expires = Date.UTC(2020, 0, 1)

test.for<[field: string, read: Partial<CompanionAttributes>]>([
  ['JSESSIONID=abc', {}],
  ['JSESSIONID=abc; Path=/x; Domain=example.com; HttpOnly; Priority=High', {}],
  ['JSESSIONID=abc; secure; PARTITIONED', { secure: true, partitioned: true }],
  ['JSESSIONID=abc;Secure=yes;Partitioned=', { secure: true, partitioned: true }],
  ['JSESSIONID=abc; SameSite=strict', { sameSite: 'Strict' }],
  ['JSESSIONID=abc; SameSite=Sometimes', {}],
  ['JSESSIONID=abc; Expires=Wed, 01-Jan-20 00:00:00 GMT', { expires }],
  ['JSESSIONID=abc; Expires=never', {}],
  ['JSESSIONID=abc; Max-Age=3600', { maxAge: 3600 }],
  ['JSESSIONID=abc; Max-Age="3600"; Max-Age=soon', { maxAge: 3600 }],
  ['JSESSIONID=abc; Max-Age=0', { maxAge: -1 }],
  ['JSESSIONID=abc; Max-Age=-5', { maxAge: -1 }],
  ['JSESSIONID=abc; Max-Age=99999999999999999999', { maxAge: 34_560_000 }],
  ['JSESSIONID=Secure; ; =; Max-Age; Expires', {}],
])('of %s it copies %o', ([field, read]) => {
  expect(attributesToCopy(field)).toEqual({ ...noAttributes, ...read })
})

test('prints what it copied, and always HttpOnly', () => {
  const all = attributesToCopy(
    'JSESSIONID=a; Partitioned; SameSite=none; Secure; Max-Age=60; Expires=Wed, 01 Jan 2020 00:00:00 GMT',
  )

  expect(printAttributes('/shop', all)).toBe(
    'Path=/shop; Expires=Wed, 01 Jan 2020 00:00:00 GMT; Max-Age=60; HttpOnly; Secure; SameSite=None; Partitioned',
  )
  expect(printAttributes('/', { ...noAttributes, maxAge: -1 })).toBe('Path=/; Max-Age=0; HttpOnly')
})
