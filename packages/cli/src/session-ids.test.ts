import { expect, test } from 'vitest'

import { protectIds } from './session-ids.ts'

const plain = 'AAAAAAAAAAAAAAAAAAAAAA'
const dashed = '-AAAAAAAAAAAAAAAAAAAA_'

test('an id that begins with a dash is no option', () => {
  expect(protectIds(['sessions', 'show', dashed, '--json'])).toEqual(['sessions', 'show', '--json', '--', dashed])
})

test.each([
  [['sessions', 'show', plain]],
  [['sessions', 'show', '--', dashed]],
  [['sessions', 'list', '--idle-gt', '5m', '--json']],
])('%j stays as it is', (words) => {
  expect(protectIds(words)).toEqual(words)
})
