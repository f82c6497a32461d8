import { expect, test } from 'vitest'

import { suggestion } from './suggestion.ts'

const keys = ['listen', 'admin', 'timeouts', 'pools', 'routes', 'url', 'id']

test.each([
  ['lisen', 'listen'],
  ['timeout', 'timeouts'],
  ['TimeOuts', 'timeouts'],
  ['adimn', 'admin'],
  ['uri', 'url'],
])('%s was meant to be %s', (written, meant) => {
  expect(suggestion(written, keys)).toBe(meant)
})

test.each(['servers', 'x', 'poolsandmore', ''])('nobody knows what %j was meant to be', (written) => {
  expect(suggestion(written, keys)).toBeUndefined()
})
