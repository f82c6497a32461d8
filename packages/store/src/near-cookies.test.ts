import { expect, test } from 'vitest'

import { areToldAlready, toldCookies } from './near-cookies.ts'
import type { CookieRecord } from './store.ts'

function cookie(age: number, name = 'sid'): CookieRecord {
  return { name, age, attributes: '; Path=/', fingerprint: 'f' }
}

test('sessions share what is held of cookies whose dates come from one second', () => {
  const told = toldCookies([cookie(1_799_700)])

  expect(toldCookies([cookie(1_800_300)])).toBe(told)
  expect(toldCookies([cookie(1_799_700, 'other')])).not.toBe(told)
  expect(toldCookies([cookie(1_801_300)])).not.toBe(told)
})

test('a short age is held to the millisecond', () => {
  expect(toldCookies([cookie(900)])).toMatchObject([{ age: 900 }])
})

test('a cookie set again is told already while a tenth of its age has not passed', () => {
  const told = toldCookies([cookie(1_799_700)])

  expect(areToldAlready([cookie(1_799_900)], told, 179_000)).toBe(true)
  expect(areToldAlready([cookie(1_799_900)], told, 181_000)).toBe(false)
})
