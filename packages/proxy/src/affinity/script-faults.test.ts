import { expect, test } from 'vitest'

import { ScriptFaults } from './script-faults.ts'

const name = { pool: 'shop', script: './persist.ts' }

test('a fault is logged once a minute and kind, with how many there were', () => {
  const { faults, facts, clock } = begin()

  for (let count = 0; count < 5; count++) faults.add('error', new Error('oops'))
  faults.add('busy', undefined)
  clock.now += 60_000
  faults.add('error', new Error('again'))

  expect(facts.map(({ event, fields }) => [event, fields.kind, fields.faults])).toEqual([
    ['script failed', 'error', 1],
    ['script failed', 'busy', 1],
    ['script failed', 'error', 5],
  ])
  expect(faults.counts).toEqual({ error: 6, timeout: 0, busy: 1, load: 0 })
})

test('three time-outs in 10 s switch a script off for 30 s', () => {
  const { faults, facts, clock } = begin()

  for (const wait of [0, 5000, 4999]) {
    clock.now += wait
    expect(faults.off).toBe(false)
    faults.add('timeout', undefined)
  }

  expect(faults.off).toBe(true)
  clock.now += 29_999
  expect(faults.off).toBe(true)
  clock.now += 1
  expect(faults.off).toBe(false)
  expect(facts.map(({ event }) => event)).toEqual(['script failed', 'script switched off', 'script switched on'])
})

test('time-outs further apart, and other faults, do not', () => {
  const { faults, clock } = begin()

  for (let count = 0; count < 6; count++) {
    faults.add('timeout', undefined)
    faults.add('error', undefined)
    faults.add('error', undefined)
    clock.now += 5000
  }

  expect(faults.off).toBe(false)
})

test('a new version is on again', () => {
  const { faults } = begin()
  for (let count = 0; count < 3; count++) faults.add('timeout', undefined)

  faults.forgive()

  expect(faults.off).toBe(false)
})

function begin() {
  const clock = { now: 1000 }
  const facts: { event: string; fields: Record<string, unknown> }[] = []
  const note = (fields: object, event: string): void => {
    facts.push({ event, fields: { ...fields } })
  }
  return { clock, facts, faults: new ScriptFaults(name, { info: note, warn: note }, () => clock.now) }
}
