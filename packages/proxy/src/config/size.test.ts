import { expect, test } from 'vitest'

import { Flaw } from './flaw.ts'
import { parseSize } from './size.ts'

test.each([
  ['512', 512],
  ['512B', 512],
  ['16Ki', 16_384],
  ['16KiB', 16_384],
  ['10k', 10_000],
  ['10KB', 10_000],
  ['1Mi', 1_048_576],
  ['10MB', 10_000_000],
  ['2Gi', 2_147_483_648],
])('%s is a size', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test.each(['', '0', '0Ki', '-1', '1.5Mi', '16 Ki', '16kib', '16Q', 'Ki', '999999999999Gi'])('%j is none', (text) => {
  expect(parseSize(text)).toBeInstanceOf(Flaw)
})
