import { PassThrough } from 'node:stream'

import { expect, test } from 'vitest'

import { jsonLine, outputTo, visible } from './output.ts'

test('JSON keeps its value and carries nothing a terminal obeys', () => {
  const value = { attributes: '\u001b[2J \u007f \u009b31m ä' }

  const line = jsonLine(value)

  expect(JSON.parse(line)).toEqual(value)
  expect(line).toMatch(/^[^\p{Cc}]+\n$/u)
})

test('control characters in tables and messages are shown instead of obeyed', () => {
  expect(visible('a\r\n\u001b]0;b\u0007')).toBe('a\\x0d\\x0a\\x1b]0;b\\x07')
})

test('data waits for a slow reader', async () => {
  const slow = new PassThrough({ highWaterMark: 4 })
  const output = outputTo(slow, new PassThrough(), 'text', false)
  let printed = false

  const printing = output.print('more than four bytes').then(() => {
    printed = true
  })
  await Promise.resolve()
  expect(printed).toBe(false)
  slow.resume()
  await printing

  expect(printed).toBe(true)
})
