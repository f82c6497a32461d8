import { expect, test } from 'vitest'

import { FieldPatterns } from './field-patterns.ts'

const lines = 'Accept: */*\r\n$WSRA: 1.2.3.4\r\nX-Internal: a: b\r\n$wsis: true\r\nX-Internal-Too: 1\r\n'

test.each([
  [['$ws*'], 'Accept: */*\r\nX-Internal: a: b\r\nX-Internal-Too: 1\r\n'],
  [['x-internal'], 'Accept: */*\r\n$WSRA: 1.2.3.4\r\n$wsis: true\r\nX-Internal-Too: 1\r\n'],
  [['x-*', '$wsra', 'accept'], '$wsis: true\r\n'],
  [['a'], lines],
])('lines without %j', (patterns, left) => {
  expect(new FieldPatterns(patterns).without(lines)).toBe(left)
  expect(new FieldPatterns(patterns).without('')).toBe('')
})
