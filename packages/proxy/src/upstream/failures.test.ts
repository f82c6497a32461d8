import { beforeEach, describe, expect, test } from 'vitest'

import { CHUNKED } from '../wire/framing.ts'
import { Ejection, type Failure, isRepeatable, mayReplay, mayRetry } from './failures.ts'

describe('passive ejection', () => {
  let now: number
  let health: Ejection
  let told: string[]
  /** May no other be out? */
  let full: boolean
  const terms = { failures: 3, for: 5_000, longest: 60_000, mostShare: 1, statuses: [] }

  beforeEach(() => {
    now = 1_000_000
    told = []
    full = false
    health = new Ejection(terms, () => now, {
      mayEject: () => !full,
      ejected: (pause, reason) => told.push(`ejected for ${pause}: ${reason}`),
      readmitted: () => told.push('readmitted'),
    })
  })

  function fail(times: number): void {
    for (let n = 0; n < times; n++) {
      health.failed(health.attempted(), 'no connection')
    }
  }

  /** As many exchanges that were under way when the first of them failed. */
  function failTogether(many: number): void {
    const attempts = Array.from({ length: many }, () => health.attempted())
    for (const attempt of attempts) health.failed(attempt)
  }

  test('leaves out after three failures in a row, and not before', () => {
    fail(2)
    expect(health.canServe).toBe(true)

    fail(1)

    expect(health.canServe).toBe(false)
    expect(health.ejected).toBe(true)
  })

  test('counts only failures in a row', () => {
    fail(2)
    health.attempted()
    health.succeeded()

    fail(2)

    expect(health.canServe).toBe(true)
  })

  test('lets one at a time probe when the pause is over', () => {
    fail(3)
    now += 4_999
    expect(health.canServe).toBe(false)

    now += 1

    expect(health.canServe).toBe(true)
    health.attempted()
    expect(health.canServe).toBe(false)
  })

  test('ends with a probe that succeeds, and forgets all', () => {
    fail(3)
    now += 5_000
    health.attempted()

    health.succeeded()

    expect(health.ejected).toBe(false)
    fail(2)
    expect(health.canServe).toBe(true)
  })

  test('lets the next one probe when the probe told nothing', () => {
    fail(3)
    now += 5_000
    const probe = health.attempted()

    health.abandoned(probe)

    expect(health.canServe).toBe(true)
    expect(health.ejected).toBe(true)
  })

  test('lets nobody else probe because an earlier attempt ends', () => {
    const earlier = health.attempted()
    fail(3)
    now += 5_000
    health.attempted()

    health.abandoned(earlier)
    expect(health.canServe).toBe(false)
    health.failed(earlier)
    expect(health.canServe).toBe(false)
  })

  test('knows one probe from the next', () => {
    fail(3)
    now += 5_000
    const first = health.attempted()
    health.failed(first)
    now += 10_000
    const second = health.attempted()

    health.abandoned(first)
    expect(health.canServe).toBe(false)
    health.abandoned(second)
    expect(health.canServe).toBe(true)
  })

  test('pauses twice as long after each failed probe, up to the longest', () => {
    fail(3)
    for (const pause of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      now += pause - 1
      expect(health.canServe).toBe(false)
      now += 1
      expect(health.canServe).toBe(true)
      fail(1)
    }
  })

  test('pauses no longer because many failed together', () => {
    failTogether(64)

    now += 5_000

    expect(health.canServe).toBe(true)
  })

  test('is told once each time, with its reason, and so is its end', () => {
    failTogether(5)
    now += 5_000
    fail(1)
    now += 10_000
    health.attempted()
    health.succeeded()
    health.succeeded()

    expect(told).toEqual(['ejected for 5000: 3 in a row: failed', 'readmitted'])
  })

  test('waits while as many others are out as may be', () => {
    full = true
    fail(20)
    expect(health.canServe).toBe(true)

    full = false
    fail(1)

    expect(health.canServe).toBe(false)
  })

  test('lets nobody who is sent there before its time be the probe', () => {
    fail(3)

    expect(health.attempted()).toBe(0)
    fail(5)

    now += 5_000
    expect(health.canServe).toBe(true)
  })

  test('is lifted by a late success, wherever it came from', () => {
    health.attempted()
    fail(3)

    health.succeeded()

    expect(health.canServe).toBe(true)
  })
})

describe('a retry', () => {
  const failure = (phase: Failure['phase'], cause: Failure['cause']): Failure => ({ phase, cause })

  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'PATCH', 'TRACE'])(
    'of %s is harmless when no connection was made',
    (method) => {
      expect(mayRetry(failure('connect', 'refused'), method, false)).toBe(true)
      expect(mayRetry(failure('connect', 'timeout'), method, false)).toBe(true)
    },
  )

  test.each([
    ['GET', true],
    ['HEAD', true],
    ['OPTIONS', true],
    ['PUT', true],
    ['DELETE', true],
    ['POST', false],
    ['PATCH', false],
    ['TRACE', false],
  ])('of %s when the backend may have acted: %s', (method, may) => {
    expect(mayRetry(failure('before-head', 'reset'), method, false)).toBe(may)
    expect(mayRetry(failure('unheard', 'reset'), method, false)).toBe(may)
  })

  test.each([
    ['a slow backend', failure('before-head', 'timeout'), false],
    ['an answer out of order', failure('before-head', 'invalid'), false],
    ['a response already begun', failure('mid-body', 'reset'), false],
    ['a body given away', failure('before-head', 'reset'), true],
    ['a body given away to nobody', failure('connect', 'refused'), true],
  ])('never follows %s', (_, failed, bodyTaken) => {
    expect(mayRetry(failed, 'GET', bodyTaken)).toBe(false)
  })
})

test.each([
  ['no connection', 'connect', 'refused', true],
  ['a kept connection that closed', 'unheard', 'reset', true],
  ['a backend that died before it answered', 'before-head', 'reset', true],
  ['a backend that took too long', 'before-head', 'timeout', true],
  ['an answer out of order', 'before-head', 'invalid', false],
  ['a response that broke off', 'mid-body', 'reset', false],
] as const)('a body that was kept may be sent again after %s', (_, phase, cause, may) => {
  expect(mayReplay({ phase, cause })).toBe(may)
})

test.each([
  ['GET', 0, true],
  ['DELETE', 0, true],
  ['PUT', 0, true],
  ['PUT', 1, false],
  ['PUT', CHUNKED, false],
  ['POST', 0, false],
])('%s with framing %i may be sent again: %s', (method, framing, may) => {
  expect(isRepeatable({ method, framing })).toBe(may)
})
