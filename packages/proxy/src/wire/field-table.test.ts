import { expect, test } from 'vitest'

import { FieldTable } from './field-table.ts'

const TABLE = new FieldTable({ host: 1, 'x-forwarded-for': 2, te: 3 })

test.each([
  ['host', 1],
  ['HOST', 1],
  ['X-Forwarded-For', 2],
  ['TE', 3],
  ['hots', undefined],
  ['Xost', undefined],
  ['', undefined],
  ['__proto__', undefined],
  [`host${'t'.repeat(64)}`, undefined],
])('%j is %j, whatever stands around it', (name, entry) => {
  expect(TABLE.find(`a: b\r\n${name}: c\r\n`, 6, 6 + name.length)).toBe(entry)
})

test('every name of a table is found', () => {
  const names = Array.from(
    { length: 500 },
    (_, index) => `${String.fromCharCode(97 + (index % 26))}-${'z'.repeat(index % 90)}${index}`,
  )
  const table = new FieldTable(Object.fromEntries(names.map((name, index) => [name, index])))

  expect(names.map((name) => table.find(name.toUpperCase(), 0, name.length))).toEqual(names.map((_, index) => index))
})
