import { expect, test } from 'vitest'

import { Flaw } from './flaw.ts'
import { parseCookieName, parseFieldPattern, parseId, parseOwnCookieName } from './names.ts'
import { parseSecret, parseToken } from './secret.ts'

test('an id can stand in keys, logs and metrics', () => {
  expect(parseId('shop-1.eu_west')).toBe('shop-1.eu_west')
  for (const text of ['', 'a b', 'ä', '{shop}', 'a:b', 'x'.repeat(65), '__proto__'])
    expect(parseId(text)).toBeInstanceOf(Flaw)
})

test('a cookie name is a token', () => {
  expect(parseCookieName('JSESSIONID')).toBe('JSESSIONID')
  for (const text of ['', 'a b', 'a=b', 'a;b', '"a"', 'ä']) expect(parseCookieName(text)).toBeInstanceOf(Flaw)
})

test('header fields are named in any case, whole or by how they begin', () => {
  expect(parseFieldPattern('X-Internal')).toBe('x-internal')
  expect(parseFieldPattern('$WS*')).toBe('$ws*')
  for (const text of ['', '*', '*-Id', 'a*b', 'a**', 'a b', 'a:']) expect(parseFieldPattern(text)).toBeInstanceOf(Flaw)
})

test('our cookie gets its prefix from a key of its own', () => {
  expect(parseOwnCookieName('__Host-sticky')).toMatchObject({ instead: 'sticky with prefix: host' })
})

test('a secret is too long to be guessed, and a token can stand in a header', () => {
  expect(parseSecret('0123456789abcdef')).toBe('0123456789abcdef')
  expect(parseSecret('0123456789abcde')).toBeInstanceOf(Flaw)
  expect(parseToken('0123456789abcdef 0')).toBeInstanceOf(Flaw)
})
