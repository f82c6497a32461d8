import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { HealthCheckConfig } from '../config/config.ts'
import { type Finding, HealthCheck } from './health-check.ts'

const usual: HealthCheckConfig = {
  type: 'tcp',
  path: '/',
  method: 'GET',
  host: undefined,
  status: [],
  body: undefined,
  interval: 10_000,
  timeout: 1_000,
  rise: 2,
  fall: 3,
  jitter: 0,
  initially: 'up',
}

/** A backend that answers what it is told to, or nothing. */
class Asked {
  answer: string | undefined | 'silence'
  asked = 0
  resting = false
  readonly concluded: Finding[] = []

  check(terms: Partial<HealthCheckConfig> = {}, random = 0.5): HealthCheck {
    return new HealthCheck({
      check: { ...usual, ...terms },
      ask: (signal) => this.#ask(signal),
      isResting: () => this.resting,
      isUpAtFirst: terms.initially !== 'down',
      concluded: (finding) => this.concluded.push(finding),
      random: () => random,
    })
  }

  #ask(signal: AbortSignal): Promise<string | undefined> {
    this.asked++
    if (this.answer !== 'silence') return Promise.resolve(this.answer)
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(String(signal.reason)))
    })
  }

  /** So many rounds with that answer. */
  async answers(answer: string | undefined, times: number): Promise<void> {
    this.answer = answer
    for (let round = 0; round < times; round++) await vi.advanceTimersByTimeAsync(10_000)
  }
}

let backend: Asked

beforeEach(() => {
  vi.useFakeTimers()
  backend = new Asked()
})

afterEach(() => {
  vi.useRealTimers()
})

test('finds a backend well with the first good check', async () => {
  using check = backend.check()
  expect(check.finding.well).toBeUndefined()

  await backend.answers(undefined, 1)

  expect(check.finding).toEqual({ well: true, trouble: undefined })
})

test('takes as many bad checks in a row as it should to find it unwell, and good ones to find it well again', async () => {
  using check = backend.check()

  await backend.answers(undefined, 1)
  await backend.answers('status 503', 2)
  expect(check.finding).toEqual({ well: true, trouble: '2 of 3 failed: status 503' })
  await backend.answers(undefined, 1)
  await backend.answers('status 503', 3)
  expect(check.finding).toEqual({ well: false, trouble: '3 of 3 failed: status 503' })
  await backend.answers(undefined, 1)
  expect(check.finding.well).toBe(false)
  await backend.answers(undefined, 1)

  expect(backend.concluded.map(({ well }) => well)).toEqual([true, false, true])
})

test('of one that counts as down until it is checked, the first check decides', async () => {
  using check = backend.check({ initially: 'down' })

  await backend.answers('connection refused', 1)
  expect(check.finding.well).toBe(false)
})

test('of one that counts as up until it is checked, one bad check says nothing yet', async () => {
  using check = backend.check()

  await backend.answers('connection refused', 2)
  expect(check.finding).toEqual({ well: undefined, trouble: '2 of 3 failed: connection refused' })
  await backend.answers('connection refused', 1)
  expect(check.finding.well).toBe(false)
})

test('gives a silent backend as long as it may take, and asks nothing meanwhile', async () => {
  using check = backend.check({ interval: 100 })
  backend.answer = 'silence'

  await vi.advanceTimersByTimeAsync(1_049)
  expect(backend.asked).toBe(1)
  await vi.advanceTimersByTimeAsync(1)

  expect(check.finding.trouble).toBe('1 of 3 failed: no answer within 1s')
})

test('asks nothing of a backend that rests, and forgets what it knew', async () => {
  using check = backend.check()
  await backend.answers('status 500', 3)
  backend.resting = true

  await backend.answers('status 500', 3)

  expect(backend.asked).toBe(3)
  expect(check.finding).toEqual({ well: undefined, trouble: undefined })
})

test('is silent once it is disposed of, whatever is still answered', async () => {
  const check = backend.check({ fall: 1 })
  backend.answer = 'silence'
  await vi.advanceTimersByTimeAsync(1_000)

  check[Symbol.dispose]()
  await vi.advanceTimersByTimeAsync(60_000)

  expect(backend.asked).toBe(1)
  expect(backend.concluded).toEqual([])
})

test.each([
  [0, 9_000],
  [0.999_999, 11_000],
])('asks by a tenth earlier or later: %f', async (random, until) => {
  using _ = backend.check({ jitter: 0.1 }, random)
  await vi.advanceTimersByTimeAsync(1_000 * random)
  expect(backend.asked).toBe(1)

  await vi.advanceTimersByTimeAsync(until - 2)
  expect(backend.asked).toBe(1)
  await vi.advanceTimersByTimeAsync(3)

  expect(backend.asked).toBe(2)
})
