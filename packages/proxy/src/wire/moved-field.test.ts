import { expect, test } from 'vitest'

import { MovedField } from './moved-field.ts'

const field = new MovedField('X-Sticky-Moved')

test('tells where a session is at home, and why it is not served there', () => {
  expect(field.line('a-1', 'down')).toBe('X-Sticky-Moved: from=a-1; reason=down\r\n')
})

test('tells nothing of what is no id', () => {
  expect(field.line('a\r\nX-Other: b', 'removed')).toBe('')
})

test.each([
  ['X-Sticky-Moved: from=a\r\nAccept: */*\r\n', 'Accept: */*\r\n'],
  ['Accept: */*\r\nx-sticky-moved: 1\r\nX-STICKY-MOVED: 2\r\n', 'Accept: */*\r\n'],
  ['X_Sticky-Moved: 1\r\nx_sticky_moved: 2\r\n', ''],
  ['X-Sticky-Moved-Not: 1\r\nNot-X-Sticky-Moved: 2\r\n', 'X-Sticky-Moved-Not: 1\r\nNot-X-Sticky-Moved: 2\r\n'],
  ['Accept: X-Sticky-Moved: 1\r\n', 'Accept: X-Sticky-Moved: 1\r\n'],
])('takes what clients say out of %j', (lines, left) => {
  expect(field.without(lines)).toBe(left)
  expect(field.without(lines)).toBe(left)
})
