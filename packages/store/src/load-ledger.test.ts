import { expect, test } from 'vitest'

import { LoadLedger } from './load-ledger.ts'

test('changes are taken once, and those that cancel out are none', () => {
  const ledger = new LoadLedger()
  ledger.begin('a')
  ledger.begin('a')
  ledger.begin('b')
  ledger.end('b')

  expect(ledger.hasChanges).toBe(true)
  expect(ledger.takeChanges()).toEqual(['a', 2])
  expect(ledger.hasChanges).toBe(false)
  expect(ledger.takeChanges()).toEqual([])
})

test('what Redis granted is counted and not reported, its end is', () => {
  const ledger = new LoadLedger()
  ledger.granted('a')

  expect(ledger.count('a')).toBe(1)
  expect(ledger.takeChanges()).toEqual([])

  ledger.end('a')

  expect(ledger.count('a')).toBe(0)
  expect(ledger.takeChanges()).toEqual(['a', -1])
})

test('what Redis granted in vain is given back', () => {
  const ledger = new LoadLedger()
  ledger.grantedInVain('a')

  expect(ledger.count('a')).toBe(0)
  expect(ledger.takeChanges()).toEqual(['a', -1])
})

test('the counts hold the changes before them', () => {
  const ledger = new LoadLedger()
  ledger.begin('a')
  ledger.granted('a')
  ledger.begin('b')
  ledger.end('b')

  expect(ledger.takeCounts()).toEqual(['a', 2])
  expect(ledger.takeChanges()).toEqual([])
})

test('an end without a beginning changes nothing', () => {
  const ledger = new LoadLedger()
  ledger.end('a')

  expect(ledger.count('a')).toBe(0)
  expect(ledger.takeChanges()).toEqual([])
})

test('idle backends are forgotten, unreported changes are not', () => {
  const ledger = new LoadLedger()
  ledger.granted('a')
  ledger.end('a')
  ledger.begin('b')

  ledger.forgetIdle()

  expect(ledger.count('b')).toBe(1)
  expect(ledger.takeChanges()).toEqual(['a', -1, 'b', 1])
})
