import { expect, test } from 'vitest'

import { type Column, facts, Table, table } from './tables.ts'

const columns: readonly Column<{ name: string; size: number }>[] = [
  { title: 'NAME', value: (row) => row.name },
  { title: 'SIZE', value: (row) => row.size, align: 'right' },
]

test('a table has no borders and nothing after its last word', () => {
  const text = table(
    columns,
    [
      { name: 'a', size: 12345 },
      { name: 'backend', size: 7 },
    ],
    false,
  )

  expect(text).toBe(['NAME      SIZE', 'a        12345', 'backend      7', ''].join('\n'))
})

test('later pages keep the columns and repeat no titles', () => {
  const paged = new Table(columns, false)

  paged.page([{ name: 'a-long-name', size: 1 }])
  const second = paged.page([{ name: 'b', size: 2 }])

  expect(second).toBe('b               2\n')
})

test('a cell wider than its column is never cut', () => {
  const paged = new Table(columns, false)

  paged.page([{ name: 'a', size: 1 }])

  expect(paged.page([{ name: 'x'.repeat(64), size: 2 }])).toContain('x'.repeat(64))
})

test('control characters of an application do not reach the terminal', () => {
  const text = table(columns, [{ name: '\u001b[31mred\n\u009b', size: 1 }], false)

  expect(text).toContain('\\x1b[31mred\\x0a\\x9b')
  expect(text.split('\n')).toHaveLength(3)
})

test('titles are bold only where colour is wanted', () => {
  expect(table(columns, [], true)).toContain('\u001b[1mNAME')
  expect(table(columns, [], false)).not.toContain('\u001b')
})

test('facts are one line each, values below each other', () => {
  expect(
    facts([
      ['id', 'x'],
      ['backend', 'a'],
    ]),
  ).toBe('id:       x\nbackend:  a\n')
})
