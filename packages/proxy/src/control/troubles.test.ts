import { expect, test } from 'vitest'

import { backendOn } from '../upstream/transport.test-support.ts'
import { ConnectionTroubles } from './troubles.ts'

function troubles() {
  const lines: object[] = []
  const note = (fields: object, event: string): void => void lines.push({ event, ...fields })
  let now = 0
  const log = { info: note, warn: note, error: note }
  return { lines, pass: (time: number) => (now += time), seen: new ConnectionTroubles(log, () => now) }
}

test('what happens often is logged once a minute, with how often it happened meanwhile', () => {
  const { lines, pass, seen } = troubles()

  for (let turn = 0; turn < 5; turn++) seen.turnedAway('descriptors')
  pass(59_999)
  seen.turnedAway('descriptors')
  pass(1)
  seen.turnedAway('descriptors')

  expect(lines).toEqual([
    { event: 'connections refused', reason: 'descriptors' },
    { event: 'connections refused', reason: 'descriptors', unlogged: 5 },
  ])
})

test('each kind has a line of its own', () => {
  const { lines, seen } = troubles()

  seen.turnedAway('limit')
  seen.turnedAway('client-limit')
  seen.acceptFailed(Object.assign(new Error(), { code: 'EMFILE' }))
  seen.acceptFailed(Object.assign(new Error(), { code: 'EMFILE' }))

  expect(lines).toHaveLength(3)
  expect(lines).toContainEqual({ event: 'accept failed', code: 'EMFILE' })
})

test('handshakes that fail are not logged, since any client can make them', () => {
  const { lines, seen } = troubles()

  seen.turnedAway('handshake')

  expect(lines).toEqual([])
})

test('a backend that is not secure is told with the reason, and counted', () => {
  const { lines, seen } = troubles()

  for (let turn = 0; turn < 3; turn++) seen.insecure(backendOn(1), 'certificate has expired')

  expect(lines).toEqual([{ event: 'backend not secure', pool: 'p', backend: 'b0', reason: 'certificate has expired' }])
  expect(seen.insecureSamples()).toEqual([{ labels: { pool: 'p', backend: 'b0' }, value: 3 }])
})
