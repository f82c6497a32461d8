import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { parseCookieDate } from './cookie-date.ts'
import { parseSetCookie, printSetCookie } from './set-cookie.ts'

const now = Date.UTC(2027, 0, 1)
const day = 24 * 60 * 60 * 1000

describe('a Set-Cookie field', () => {
  test.for([
    ['a=1', { name: 'a', value: '1', attributes: '' }],
    ['a=', { name: 'a', value: '', attributes: '' }],
    [' a = 1 ; Path=/', { name: 'a', value: '1', attributes: 'Path=/' }],
    ['a="1, 2"; Path=/; HttpOnly', { name: 'a', value: '"1, 2"', attributes: 'Path=/; HttpOnly' }],
    ['a=b=c;secure;;SameSite=Lax ;', { name: 'a', value: 'b=c', attributes: 'secure; SameSite=Lax' }],
    ['__proto__=1; Path=/', { name: '__proto__', value: '1', attributes: 'Path=/' }],
    ['a=1; Path=/; max-age=5; Domain=b.c', { name: 'a', value: '1', attributes: 'Path=/; Domain=b.c' }],
  ] as const)('%j names, values and dresses a cookie', ([field, cookie]) => {
    expect(parseSetCookie(field, now)).toMatchObject(cookie)
  })

  test.for(['', ';', 'a', '=1', ' =1; Path=/', 'flag; Path=/'])('%j names no cookie', (field) => {
    expect(parseSetCookie(field, now)).toBeUndefined()
  })

  test('whose Expires has a comma is one cookie', () => {
    const cookie = parseSetCookie('a=1; Expires=Sat, 02 Jan 2027 00:00:00 GMT; Path=/', now)

    expect(cookie).toEqual({ name: 'a', value: '1', lifetime: day, attributes: 'Path=/' })
  })

  test('that we print is read as it was meant', () => {
    const name = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)
    const value = fc.stringMatching(/^[!#-+--:<-[\]-~]*$/)
    fc.assert(
      fc.property(name, value, fc.constantFrom('', 'Path=/', 'Path=/; HttpOnly; Secure'), (name, value, attributes) => {
        const read = parseSetCookie(printSetCookie(name, value, attributes), now)

        expect(read).toEqual({ name, value, attributes, lifetime: undefined })
      }),
    )
  })
})

describe('the lifetime of a cookie', () => {
  test.for([
    ['', undefined],
    ['Max-Age=60', 60_000],
    ['max-age=60', 60_000],
    ['MAX-AGE = 60', 60_000],
    ['Max-Age="60"', 60_000],
    ['Max-Age=0', 0],
    ['Max-Age=-1', -1000],
    ['Max-Age=99999999999999999999', 400 * day],
    ['Max-Age=', undefined],
    ['Max-Age=soon', undefined],
    ['Max-Age=1e3', undefined],
    ['Max-Age=+60', undefined],
    ['Max-Age=1.5', undefined],
    ['Max-Age=60; Max-Age=30', 30_000],
    ['Max-Age=60; Max-Age=soon', 60_000],
    ['Expires=Sat, 02 Jan 2027 00:00:00 GMT', day],
    ['expires=Thu, 01 Jan 1970 00:00:00 GMT', -now],
    ['Expires=never', undefined],
    ['Expires=Sat, 02 Jan 2027 00:00:00 GMT; Max-Age=60', 60_000],
    ['Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 60_000],
    ['Max-Age=soon; Expires=Sat, 02 Jan 2027 00:00:00 GMT', day],
    ['Expires=Fri, 31 Dec 9999 23:59:59 GMT', 400 * day],
  ] as const)('with %j is %s ms', ([attributes, lifetime]) => {
    expect(parseSetCookie(`a=1; ${attributes}`, now)?.lifetime).toBe(lifetime)
  })
})

describe('a cookie date', () => {
  test.for([
    ['Sun, 06 Nov 1994 08:49:37 GMT'],
    ['Sunday, 06-Nov-94 08:49:37 GMT'],
    ['Sun Nov  6 08:49:37 1994'],
    ['Sun, 06-Nov-1994 08:49:37 GMT'],
    ['6 nov 1994 8:49:37'],
    ['1994 NOV 6 08:49:37 GMT+1'],
  ] as const)('%s is read as browsers do', ([text]) => {
    expect(parseCookieDate(text)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37))
  })

  test('of two digits is of this century up to 69', () => {
    expect(parseCookieDate('1 Jan 69 00:00:00')).toBe(Date.UTC(2069, 0, 1))
    expect(parseCookieDate('1 Jan 70 00:00:00')).toBe(0)
  })

  test.for([
    '',
    '0',
    '-1',
    'Session',
    '31 Feb 2027 00:00:00',
    '1 Jan 1600 00:00:00',
    '1 Jan 2027 24:00:00',
    '1 Jan 2027',
  ])('%j is none', (text) => {
    expect(parseCookieDate(text)).toBeUndefined()
  })

  test('printed by any application is read again', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date(8e12), noInvalidDate: true }), (date) => {
        const seconds = Math.floor(date.getTime() / 1000) * 1000

        expect(parseCookieDate(date.toUTCString())).toBe(seconds)
      }),
    )
  })
})
