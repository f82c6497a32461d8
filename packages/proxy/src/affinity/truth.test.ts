import type { Row } from '@sticky/store'
import { expect, test } from 'vitest'

import type { Seal } from './seal.ts'
import { truthOf } from './truth.ts'

const age = 1000
const seal: Seal = { keyId: 0, id: '', hint: 0, version: 50, epoch: 7, sealed: 10_000, end: 11_000, provisional: false }
const cookie = (parts: Partial<Seal> = {}): Seal => ({ ...seal, ...parts })
const bound = (version: number): Row => ({
  state: 'bound',
  backend: 'a',
  version,
  epoch: 7,
  created: 0,
  age,
  deadline: 0,
  end: 0,
})
const ended: Row = { state: 'ended', version: 60, epoch: 7 }
const absent = (epoch = 7): Row => ({ state: 'absent', version: 0, epoch })

test.for([
  ['a row of the same version', bound(50), cookie(), 10_000, 'row'],
  ['a row of a higher version', bound(51), cookie(), 10_000, 'row'],
  ['a row of a higher version, cookie provisional', bound(51), cookie({ provisional: true }), 10_000, 'row'],
  ['a row of a lower version', bound(49), cookie(), 10_000, 'cookie'],
  ['a row, cookie long past its natural end', bound(50), cookie(), 99_000, 'row'],
  ['a tombstone', ended, cookie(), 10_000, 'over'],
  ['a tombstone of a lower version', { ...ended, version: 1 }, cookie(), 10_000, 'over'],
  ['a tombstone, cookie provisional', ended, cookie({ provisional: true }), 10_000, 'over'],
  ['no row before the natural end', absent(), cookie(), 10_999, 'cookie'],
  ['no row at the natural end', absent(), cookie(), 11_000, 'over'],
  ['no row after the natural end, cookie provisional', absent(), cookie({ provisional: true }), 99_000, 'cookie'],
  ['no row after the natural end, another epoch', absent(8), cookie(), 11_499, 'cookie'],
  ['no row after the natural end, no epoch at all', absent(0), cookie(), 11_499, 'cookie'],
  ['no row 1.5 ages after sealing, another epoch', absent(8), cookie(), 11_500, 'over'],
  ['no row after the end of a lifetime, another epoch', absent(8), cookie({ end: 10_500 }), 10_600, 'over'],
  ['no row, sealed by a clock ahead of ours', absent(), cookie({ sealed: 20_000, end: 21_000 }), 10_000, 'cookie'],
] as const)('%s: %s', ([, row, seal, now, truth]) => {
  expect(truthOf(row, seal, age, { now: () => now })).toBe(truth)
})
