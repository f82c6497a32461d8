import { beforeEach, describe, expect, test } from 'vitest'

import type { PoolConfig } from '../config/config.ts'
import { backendConfig, poolConfig } from '../config/parts.test-support.ts'
import type { BackendHealth } from './backend.ts'
import { type NamedStanding, Standings } from './standings.ts'

let now: number
let told: string[]
let standings: Standings

beforeEach(() => {
  now = 1_000
  told = []
  standings = new Standings(() => now, {
    ejected: (pool, backend, pause, reason) => told.push(`${pool}/${backend} ejected for ${pause}: ${reason}`),
    readmitted: (pool, backend) => told.push(`${pool}/${backend} readmitted`),
    recovered: (pool, backend) => told.push(`${pool}/${backend} recovered`),
    panicked: (pool, panics, well, of) => told.push(`${pool} ${panics ? 'panics' : 'is calm'}: ${well} of ${of}`),
  })
})

/** The backends a, b … of pool shop, each of weight 2; one failure puts one of them out. */
function backends(ids: string, parts: Partial<PoolConfig> = {}, mostShare = 1): BackendHealth[] {
  const ejection = { failures: 1, for: 5_000, longest: 60_000, mostShare, statuses: [] }
  const configs = Array.from(ids, (id) => backendConfig(id, { weight: 2 }))
  const pool = poolConfig('shop', configs, { ejection, ...parts })
  const healths = configs.map(({ id, weight }) => standings.of('shop', id, weight, pool.ejection))
  standings.adopt([pool])
  return healths
}

function fail(backend: BackendHealth): void {
  backend.failed(backend.attempted(), 'no connection')
}

function say(said: Readonly<Record<string, Partial<NamedStanding>>>): void {
  const usual = { state: 'ready', up: true, weight: undefined } as const
  standings.take(Object.entries(said).map(([backend, parts]) => ({ pool: 'shop', backend, ...usual, ...parts })))
}

describe('of the backends of a pool', () => {
  test.each([
    [0.5, 'abcd', 2],
    [0.5, 'abc', 1],
    [0.5, 'ab', 1],
    [0.1, 'abcd', 1],
    [0.3, 'abcdefghij', 3],
    [1, 'abcd', 3],
    [1, 'a', 0],
    [0, 'abcd', 1],
  ])('with mostShare %f of %s at most %i are put out by failures', (mostShare, ids, most) => {
    const all = backends(ids, {}, mostShare)

    for (const backend of [...all, ...all]) fail(backend)

    expect(all.filter(({ ejected }) => ejected)).toHaveLength(most)
  })

  test('the last that can serve is not put out, whoever says that the others cannot', () => {
    const [a, b, c] = backends('abc')
    say({ a: { up: false }, b: { state: 'maint' } })

    fail(c!)

    expect([a!.canServe, b!.canServe, c!.canServe]).toEqual([false, false, true])
  })

  test('each that is put out is told once, and when it is back', () => {
    const [a] = backends('ab')

    fail(a!)
    now += 5_000
    fail(a!)
    a!.succeeded()

    expect(told).toEqual(['shop/a ejected for 5000: 1 in a row: no connection', 'shop/a readmitted'])
  })
})

describe('a pool that panics', () => {
  test('uses all backends again but those in maintenance, and is told once', () => {
    const [a, b, c, d] = backends('abcd', { panicBelow: 0.5 })

    say({ a: { up: false }, d: { state: 'maint' } })
    expect(a!.canServe).toBe(false)
    fail(b!)

    expect([a, b, c, d].map((backend) => backend!.canServe)).toEqual([true, true, true, false])
    expect([a, b, c, d].map((backend) => backend!.takesNewcomers)).toEqual([true, true, true, false])
    expect([a!.state, b!.state]).toEqual(['down', 'down'])
    expect(told.slice(1)).toEqual(['shop panics: 1 of 3'])
  })

  test('ends when enough of them are well', () => {
    const [a, b] = backends('ab', { panicBelow: 0.5 })
    say({ a: { up: false }, b: { up: false } })

    say({ a: { up: false } })

    expect([a!.canServe, b!.canServe]).toEqual([false, true])
    expect(told).toEqual(['shop panics: 0 of 2', 'shop is calm: 1 of 2'])
  })

  test('goes on sending to a backend that failures have put out, and a success there brings it back', () => {
    const [a] = backends('ab', { panicBelow: 1 })
    fail(a!)
    expect(a!.canServe).toBe(true)

    a!.attempted()
    a!.succeeded()

    expect(told.at(-1)).toBe('shop is calm: 2 of 2')
  })

  test('ends with the pool, and is that of no pool that comes by its name', () => {
    backends('ab', { panicBelow: 0.5 })
    say({ a: { up: false }, b: { up: false } })

    standings.adopt([])
    const [a] = backends('ab', { panicBelow: 0 })

    expect(told).toEqual(['shop panics: 0 of 2', 'shop is calm: 0 of 0'])
    expect(a!.canServe).toBe(false)
  })

  test('is never one where that is not wanted', () => {
    const [a, b] = backends('ab')

    say({ a: { up: false }, b: { up: false } })

    expect([a!.canServe, b!.canServe]).toEqual([false, false])
  })
})

describe('a backend that is well again', () => {
  const slowly = { slowStart: 30_000 }

  function shares(all: readonly BackendHealth[]): number[] {
    return all.map(({ share }) => share)
  }

  test('begins with a tenth of its weight, and has all of it in the end', () => {
    const all = backends('ab', slowly)
    say({ a: { up: false } })
    say({})

    const seen = [0, 3_000, 9_000, 15_000, 29_999, 30_000].map((elapsed) => {
      now = 1_000 + elapsed
      return shares(all)
    })

    expect(seen).toEqual([
      [2, 20],
      [2, 20],
      [6, 20],
      [10, 20],
      [19, 20],
      [2, 2],
    ])
    expect(all[0]!.weight).toBe(2)
    expect(told).toEqual(['shop/a recovered'])
  })

  test.each([
    ['its checks', { a: { up: false } }],
    ['an operator', { a: { state: 'maint' } }],
  ] as const)('begins slowly when %s had taken it out', (_, said) => {
    const [a] = backends('ab', slowly)

    say(said)
    say({})

    expect(a!.share).toBe(2)
  })

  test('begins slowly when its failures had put it out', () => {
    const [a] = backends('ab', slowly)
    fail(a!)
    now += 5_000

    a!.attempted()
    a!.succeeded()

    expect(a!.share).toBe(2)
    expect(told.at(-2)).toBe('shop/a recovered')
  })

  test('begins slowly here too when another process has seen it first, and then only once', () => {
    const [a, b] = backends('ab', slowly)
    say({ a: { up: false } })

    standings.recovered('shop', 'a')
    now += 15_000
    say({})

    expect(shares([a!, b!])).toEqual([10, 20])
    expect(told).toEqual([])
  })

  test('has all of it at once when it is no longer to begin slowly, and none of its pool is', () => {
    backends('ab', slowly)
    say({ a: { up: false } })
    say({})

    expect(shares(backends('ab'))).toEqual([2, 2])
    expect(shares(backends('ab', slowly))).toEqual([2, 2])
  })

  test('begins anew when it was away again', () => {
    const [a] = backends('ab', slowly)
    say({ a: { up: false } })
    say({})
    now += 15_000

    say({ a: { up: false } })
    say({})

    expect(a!.share).toBe(2)
  })

  test('has all of its weight at once when it was never away since the process began, drained, or weighed anew', () => {
    say({ a: { up: false } })
    const all = backends('abc', slowly)

    say({ b: { state: 'drain' }, c: { weight: 0 } })
    say({})

    expect(shares(all)).toEqual([2, 2, 2])
    expect(told).toEqual([])
  })

  test('takes nobody while it has weight 0, and the least of shares while it is light', () => {
    const [a, b] = backends('ab', slowly)
    say({ a: { up: false, weight: 0 } })
    say({ a: { weight: 0 } })

    expect([a!.share, b!.share]).toEqual([0, 20])
  })
})

test('a topology that was made in vain leaves those in use alone', () => {
  const [a] = backends('a')
  standings.of('shop', 'a', 2, { failures: 7, for: 1, longest: 1, mostShare: 1, statuses: [] })

  say({ a: { state: 'maint' } })

  expect(a!.state).toBe('maint')
})
