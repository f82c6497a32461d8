import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { cookieValue, cookieValueAt, findCookie, unquoted, withoutCookie } from './cookies.ts'

describe('the value of cookie `sticky`', () => {
  test.for([
    ['alone', 'sticky=x', 'x'],
    ['first', 'sticky=x; a=1', 'x'],
    ['last', 'a=1; sticky=x', 'x'],
    ['without a space', 'a=1;sticky=x;b=2', 'x'],
    ['with tabs and spaces', 'a=1;\t sticky \t= x \t; b=2', 'x'],
    ['with an equals sign', 'sticky=x=y==; b=2', 'x=y=='],
    ['empty', 'sticky=; a=1', ''],
    ['the first of two', 'sticky=x; sticky=y', 'x'],
    ['after a quote that never ends', 'a="1; sticky=x', 'x'],
    ['inside a cookie sandwich', '$Version=1; a="1; sticky=x; b=2"', 'x'],
    ['after a nameless cookie', '=1; sticky=x', 'x'],
    ['after one without equals sign', 'flag; sticky=x', 'x'],
    ['after empty pairs', ';;; ; sticky=x', 'x'],
    ['after a value with commas', 'a=1, 2; sticky=x', 'x'],
    ['after its own name in a value', 'a=sticky=y; sticky=x', 'x'],
    ['after longer and shorter names', 'my-sticky=1; sticky2=2; stick=3; __Host-sticky=4; sticky=x', 'x'],
    ['after prototype names', '__proto__=1; constructor=2; sticky=x', 'x'],
    ['after control and high bytes', 'a=\x01\xff; sticky=x', 'x'],
  ] as const)('is found %s', ([, field, value]) => {
    expect(cookieValue(field, 'sticky')).toBe(value)
  })

  test.for([
    ['', 'sticky'],
    ['sticky', 'sticky'],
    ['sticky; a=1', 'sticky'],
    ['Sticky=x', 'sticky'],
    ['a=sticky=x', 'sticky'],
    ['a=1, sticky=x', 'sticky'],
    ['a="sticky=x"', 'sticky'],
    ['a b sticky=x', 'sticky'],
  ] as const)('is not found in %j', ([field, name]) => {
    expect(cookieValue(field, name)).toBeUndefined()
  })
})

describe('removing cookie `sticky`', () => {
  test.for([
    ['sticky=x', undefined],
    ['sticky=x;', undefined],
    ['sticky=x; sticky=y', undefined],
    ['  sticky=x ', undefined],
    ['sticky=; sticky=', undefined],
    ['a=1; sticky=; b=2', 'a=1; b=2'],
    ['sticky=x; a=1', 'a=1'],
    ['a=1; sticky=x', 'a=1'],
    ['a=1; sticky=x; b=2', 'a=1; b=2'],
    ['a=1;sticky=x;b=2', 'a=1;b=2'],
    ['sticky=x; a=1; sticky=y; b=2; sticky=z', 'a=1; b=2'],
    ['a="1; sticky=x; b=2"', 'a="1; b=2"'],
    ['a=  1 ;\tsticky =x;  b = "2"', 'a=  1 ;  b = "2"'],
    ['a=1; my-sticky=x; sticky2=y', 'a=1; my-sticky=x; sticky2=y'],
    ['a=1', 'a=1'],
    ['', ''],
  ] as const)('turns %j into %j', ([field, rest]) => {
    expect(withoutCookie(field, 'sticky')).toBe(rest)
  })

  test('keeps every other cookie byte for byte, in order', () => {
    fc.assert(
      fc.property(fc.array(anyPair, { maxLength: 8 }), (pairs) => {
        const rest = withoutCookie(pairs.join('; '), 'sticky')

        const others = pairs.filter((pair) => !pair.startsWith('sticky='))
        expect(rest ?? '').toBe(others.join('; '))
        expect(rest === undefined || findCookie(rest, 'sticky') < 0).toBe(true)
      }),
    )
  })
})

test('what is printed is found again, each of several of one name in its order', () => {
  fc.assert(
    fc.property(fc.array(anyPair, { maxLength: 8 }), (pairs) => {
      const field = pairs.join('; ')
      const found: string[] = []
      for (let at = findCookie(field, 'sticky'); at >= 0; at = findCookie(field, 'sticky', at)) {
        found.push(cookieValueAt(field, at))
      }

      expect(found).toEqual(pairs.filter((pair) => pair.startsWith('sticky=')).map((pair) => pair.slice(7)))
    }),
  )
})

test.for([
  ['"x"', 'x'],
  ['x', 'x'],
  ['""', ''],
  ['"', '"'],
  ['"x', '"x'],
  ['x"', 'x"'],
  ['"x"y"', 'x"y'],
] as const)('%s without quotes is %s', ([value, bare]) => {
  expect(unquoted(value)).toBe(bare)
})

/** A hostile but printable value: everything but what ends a pair, and blanks at its ends. */
const anyValue = fc.stringMatching(/^([!-:<-~]([ -:<-~]*[!-:<-~])?)?$/)
const anyPair = fc
  .tuple(
    fc.oneof(fc.constant('sticky'), fc.constantFrom('a', 'stick', 'sticky2', 'my-sticky', '$Path', '__proto__')),
    anyValue,
  )
  .map(([name, value]) => `${name}=${value}`)
