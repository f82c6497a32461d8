import { type SessionTable, StoreUnavailable } from '@sticky/store'
import { describe, expect, test } from 'vitest'

import type { BalanceName } from '../config/config.ts'
import type { Backend } from '../upstream/backend.ts'
import { backend, FakeLoad } from './fakes.test-support.ts'
import { policies } from './policies.ts'
import { heedingLimits } from './room.ts'

describe.each(Object.keys(policies) as BalanceName[])('any policy, %s', (name) => {
  test('takes one of the candidates and counts it', async () => {
    const { policy, load } = policyOf(name)
    const candidates = [backend('a'), backend('b'), backend('c')]

    const taken = await policy.take(candidates)

    expect(candidates).toContain(taken)
    expect([...load.inFlight]).toEqual([[taken!.id, 1]])
  })

  test('takes the only candidate', async () => {
    const { policy } = policyOf(name)
    const only = backend('only', { weight: 7 })

    expect(await policy.take([only])).toBe(only)
  })

  test('follows the candidates as they come and go', async () => {
    const { policy } = policyOf(name)
    const [a, b, c] = [backend('a'), backend('b'), backend('c')]

    for (const candidates of [[a, b, c], [b], [a, c], [c, a, b], [a]]) {
      expect(candidates).toContain(await policy.take(candidates))
    }
  })

  test('shares newcomers out by weight', async () => {
    const { policy } = policyOf(name)
    const candidates = [backend('a', { weight: 1 }), backend('b', { weight: 2 }), backend('c', { weight: 5 })]

    const shares = await sharesOf(policy, candidates, 4000)

    expect(shares.a).toBeCloseTo(1 / 8, 1)
    expect(shares.b).toBeCloseTo(2 / 8, 1)
    expect(shares.c).toBeCloseTo(5 / 8, 1)
  })

  test('copes with more candidates than one reservation looks at', async () => {
    const { policy } = policyOf(name)
    const candidates = Array.from({ length: 200 }, (_, number) => backend(`b${number}`))

    const shares = await sharesOf(policy, candidates, 4000)

    expect(Object.keys(shares)).toHaveLength(200)
  })
})

test('leastLoad leaves the choice to the load table, for the whole cluster', () => {
  const { policy, load } = policyOf('leastLoad')
  load.inFlight.set('a', 5).set('b', 1).set('c', 7)

  expect(policy.take([backend('a'), backend('b'), backend('c', { weight: 10 })])).toMatchObject({ id: 'c' })
})

test('leastLoad finds nobody when the load table says that all are full', () => {
  const load = Object.assign(new FakeLoad(), { reserve: () => undefined })
  const policy = policies.leastLoad({ ...services(), load })

  expect(policy.take([backend('a')])).toBeUndefined()
})

test('roundRobin interleaves by weight, exactly', async () => {
  const { policy } = policyOf('roundRobin')
  const candidates = [backend('a', { weight: 2 }), backend('b'), backend('c')]

  const turns = await Promise.all(Array.from({ length: 8 }, () => policy.take(candidates)))

  expect(turns.map((turn) => turn!.id).join('')).toBe('abcaabca')
})

test('sharedRoundRobin gives turns by weights without their common divisor', async () => {
  const candidates = [
    backend('a', { weight: 20 }),
    backend('b', { weight: 10 }),
    backend('z', { weight: 7, backup: true }),
  ]
  const policy = policies.sharedRoundRobin({ ...services(), backends: candidates })

  for (let period = 0; period < 4; period++) {
    expect(await idsOf(policy, candidates.slice(0, 2), 3)).toEqual({ a: 2, b: 1 })
  }
})

test('sharedRoundRobin counts known sessions only where it is told to', () => {
  const candidates = [backend('a', { weight: 4 }), backend('b', { weight: 4 })]

  expect(policies.sharedRoundRobin({ ...services(), backends: candidates }).known).toBeUndefined()
  const policy = policies.sharedRoundRobin({ ...services(), backends: candidates, countsKnown: true })
  const first = policy.take(candidates) as Backend
  for (let exchange = 0; exchange < 2; exchange++) policy.known!(first)
  const next = [1, 2, 3].map(() => (policy.take(candidates) as Backend).id)
  expect(next).not.toContain(first.id)
})

test('a policy that looks at no limits is asked again, without those that are full', async () => {
  const candidates = [backend('a', { limit: 1, weight: 9 }), backend('b', { limit: 2 }), backend('c', { limit: 0 })]
  const parts = services()
  const policy = heedingLimits(policies.random(parts), parts.load)

  const taken = [1, 2, 3, 4].map(() => policy.take(candidates) as Promise<Backend | undefined>)

  const ids = (await Promise.all(taken)).map((one) => one?.id ?? 'none')
  expect(ids.sort()).toEqual(['a', 'b', 'b', 'none'])
  expect([...parts.load.inFlight].filter(([, count]) => count > 0)).toEqual([
    ['a', 1],
    ['b', 2],
  ])
})

test('a turn that cannot be taken is given back', async () => {
  const candidates = [backend('a', { limit: 0, weight: 3 }), backend('b')]
  const parts = services()
  const inner = policies.sharedRoundRobin({ ...parts, backends: candidates })
  const policy = heedingLimits(inner, parts.load)
  for (let turn = 0; turn < 4; turn++) expect(await policy.take(candidates)).toMatchObject({ id: 'b' })

  expect(await idsOf(inner, candidates, 3)).toEqual({ a: 3 })
})

test('powerOfTwo prefers the lesser of two by what this process has in flight', () => {
  const { policy, load } = policyOf('powerOfTwo')
  load.inFlight.set('a', 5).set('b', 4)

  expect(policy.take([backend('a'), backend('b')])).toMatchObject({ id: 'b' })
})

describe('leastSessions', () => {
  test('counts the sessions of the cluster and those it placed since', async () => {
    const { policy } = policyOf('leastSessions', { counts: { a: 5, b: 3, c: 9 } })
    const candidates = [backend('a'), backend('b'), backend('c')]

    expect(await idsOf(policy, candidates, 4)).toEqual({ a: 1, b: 3 })
  })

  test('asks the store once a second, however many newcomers come', async () => {
    const parts = policyOf('leastSessions')
    const candidates = [backend('a'), backend('b')]

    await Promise.all([parts.policy.take(candidates), parts.policy.take(candidates)])
    parts.advance(999)
    await parts.policy.take(candidates)
    expect(parts.asked()).toBe(1)

    parts.advance(1)
    await parts.policy.take(candidates)
    expect(parts.asked()).toBe(2)
  })

  test('cannot choose while the store is away, and can when it is back', async () => {
    const parts = policyOf('leastSessions')
    parts.fail(true)
    await expect(parts.policy.take([backend('a')])).rejects.toBeInstanceOf(StoreUnavailable)

    parts.fail(false)
    expect(await parts.policy.take([backend('a')])).toMatchObject({ id: 'a' })
  })
})

const policyOf = (name: BalanceName, { counts = {} as Record<string, number> } = {}) => {
  let now = 0
  let asked = 0
  let failing = false
  const load = new FakeLoad()
  const count = async (): Promise<Map<string, number>> => {
    asked++
    if (failing) throw new StoreUnavailable('test')
    return new Map(Object.entries(counts))
  }
  const policy = policies[name]({
    ...services(),
    load,
    sessions: { count } as unknown as SessionTable,
    clock: () => now,
  })
  return {
    policy,
    load,
    asked: () => asked,
    fail: (fails: boolean) => {
      failing = fails
    },
    advance: (by: number) => {
      now += by
    },
  }
}

const services = () => ({
  pool: 'shop',
  backends: [],
  countsKnown: false,
  load: new FakeLoad(),
  sessions: {} as SessionTable,
  clock: () => 0,
  random: pseudoRandom(),
})

/** The same lots in every run (mulberry32). */
const pseudoRandom = (): (() => number) => {
  let state = 1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Taking = { take(candidates: readonly Backend[]): unknown }

const idsOf = async (
  policy: Taking,
  candidates: readonly Backend[],
  newcomers: number,
): Promise<Record<string, number>> => {
  const ids: Record<string, number> = {}
  for (let number = 0; number < newcomers; number++) {
    const { id } = (await policy.take(candidates)) as Backend
    ids[id] = (ids[id] ?? 0) + 1
  }
  return ids
}

const sharesOf = async (policy: Taking, candidates: readonly Backend[], newcomers: number) => {
  const ids = await idsOf(policy, candidates, newcomers)
  return Object.fromEntries(Object.entries(ids).map(([id, number]) => [id, number / newcomers]))
}
