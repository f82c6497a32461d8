import { expect, test } from 'vitest'

import { type NamedStanding, Standings } from './standings.ts'

const ejection = { failures: 1, for: 1_000, longest: 1_000, mostShare: 1, statuses: [] }

function healthOf(standings: Standings, weight = 2) {
  return standings.of('shop', 'a', weight, ejection)
}

function said(parts: Partial<NamedStanding>): NamedStanding {
  return { pool: 'shop', backend: 'a', state: 'ready', up: true, weight: undefined, ...parts }
}

test.for([
  [{}, { state: 'ready', weight: 2, canServe: true, takesNewcomers: true }],
  [{ state: 'drain' }, { state: 'drain', weight: 2, canServe: true, takesNewcomers: false }],
  [{ state: 'maint' }, { state: 'maint', weight: 2, canServe: false, takesNewcomers: false }],
  [{ up: false }, { state: 'down', weight: 2, canServe: false, takesNewcomers: false }],
  [{ weight: 5 }, { state: 'ready', weight: 5, canServe: true, takesNewcomers: true }],
  [{ weight: 0 }, { state: 'drain', weight: 0, canServe: true, takesNewcomers: false }],
] as const)('said %o, a backend is %o', ([parts, expected]) => {
  const standings = new Standings(() => 0)
  const health = healthOf(standings)

  standings.take([said(parts)])

  expect(health).toMatchObject(expected)
})

test('a backend of which nothing is said any more is as configured', () => {
  const standings = new Standings(() => 0)
  const health = healthOf(standings)
  standings.take([said({ state: 'maint', weight: 7 })])

  standings.take([])

  expect(health).toMatchObject({ state: 'ready', weight: 2 })
})

test('a new topology meets a backend as it was, with its new weight', () => {
  const standings = new Standings(() => 0)
  const before = healthOf(standings)
  before.failed(before.attempted())
  standings.take([said({ state: 'drain' })])

  const after = healthOf(standings, 3)

  expect(after).toMatchObject({ state: 'down', ejected: true, weight: 3 })
  after.succeeded()
  expect(before).toMatchObject({ state: 'drain', ejected: false, weight: 2 })
})

test('since when a backend is away is counted from what took it out until what brought it back, in every topology', () => {
  const time = { now: 1_000 }
  const standings = new Standings(() => time.now)
  const before = healthOf(standings)
  expect(before.awaySince).toBeUndefined()

  standings.take([said({ up: false })])
  time.now = 2_000
  before.failed(before.attempted())
  standings.take([])
  const after = healthOf(standings, 3)
  after.attempted()

  expect([before.awaySince, after.awaySince]).toEqual([1_000, 1_000])
  after.succeeded()
  expect([before.awaySince, after.awaySince]).toEqual([undefined, undefined])
})

test('what is said before a backend is known holds for it', () => {
  const standings = new Standings(() => 0)
  standings.take([said({ state: 'drain' })])

  expect(healthOf(standings).state).toBe('drain')
})
