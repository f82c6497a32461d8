import { describe, expect, test } from 'vitest'

import { livingOn } from '../affinity/sessions.test-support.ts'
import type { Session } from '../affinity/strategy.ts'
import type { UnavailableAction } from '../config/config.ts'
import type { Backend, BackendHealth } from '../upstream/backend.ts'
import { type Choice, createBalancer } from './balancer.ts'
import { Elsewhere, HomeBarred } from './elsewhere.ts'
import { type BackendParts, backend, FakeLoad, healthy } from './fakes.test-support.ts'
import { localChoice } from './local-choice.ts'

const down: BackendParts = { canServe: false }

describe('onUnavailable: rebind', () => {
  test('another backend is the home of a session whose home is down', async () => {
    const pool = poolOf('rebind', [backend('a', down), backend('b')])

    expect(await pool.choose(keyed('a'))).toEqual(new Elsewhere(pool.at('b'), 'a', 'down', undefined))
    expect([...pool.load.inFlight]).toEqual([['b', 1]])
  })

  test('so it is where the home failed in this exchange, is full, or is none of the pool', async () => {
    const pool = poolOf('rebind', [backend('a', { limit: 0 }), backend('b')])

    expect(await pool.choose(keyed('b'), 'b')).toBe('all-full')
    expect(await pool.choose(keyed('a'))).toEqual(new Elsewhere(pool.at('b'), 'a', 'full', undefined))
    expect(await pool.choose(keyed('x'))).toEqual(new Elsewhere(pool.at('b'), 'x', 'removed', undefined))
    expect(await poolOf('rebind', [backend('a'), backend('b')]).choose(keyed('a'), 'a')).toMatchObject({
      reason: 'failed',
    })
  })

  test('300 sessions of a dead backend spread over the others', async () => {
    const pool = poolOf('rebind', [backend('a', down), backend('b'), backend('c'), backend('d')])

    const homes = await Promise.all(Array.from({ length: 300 }, () => pool.choose(keyed('a'))))

    expect(countsOf(homes)).toEqual({ b: 100, c: 100, d: 100 })
  })
})

describe('onUnavailable: temporary', () => {
  test('another backend serves, and the home is kept', async () => {
    const pool = poolOf('temporary', [backend('a', down), backend('b')])

    expect(await pool.choose(keyed('a'))).toEqual(new Elsewhere(pool.at('b'), 'a', 'down', pool.at('a')))
  })

  test('the session goes home as soon as that can serve', async () => {
    const home = changing()
    const pool = poolOf('temporary', [{ ...backend('a'), health: home }, backend('b')])
    home.canServe = false
    expect(await pool.choose(keyed('a'))).toBeInstanceOf(Elsewhere)

    home.canServe = true

    expect(await pool.choose(keyed('a'))).toBe(pool.at('a'))
  })

  test('a session with a key has the same stand-in each time, on every node', async () => {
    const backends = [backend('a', down), backend('b'), backend('c'), backend('d')]
    const one = poolOf('temporary', backends)
    const other = poolOf('temporary', backends.toReversed())

    for (const id of ['s1', 's2', 's3', 's4', 's5']) {
      const first = idOf(await one.choose(keyed('a', id)))
      expect([await one.choose(keyed('a', id)), await other.choose(keyed('a', id))].map(idOf)).toEqual([first, first])
    }
  })

  test('300 sessions of a dead backend spread over their stand-ins, by weight', async () => {
    const pool = poolOf('temporary', [backend('a', down), backend('b'), backend('c'), backend('d', { weight: 2 })])

    const stand = await Promise.all(Array.from({ length: 300 }, (_, at) => pool.choose(keyed('a', `session ${at}`))))

    const { b = 0, c = 0, d = 0 } = countsOf(stand)
    expect([b, c, d].map((count) => Math.round(count / 25))).toEqual([3, 3, 6])
  })

  test('a full stand-in is passed over, and backups stand in last', async () => {
    const pool = poolOf('temporary', [
      backend('a', down),
      backend('b', { limit: 1 }),
      backend('z', { backup: true, limit: 1 }),
    ])

    expect(idOf(await pool.choose(keyed('a')))).toBe('b')
    expect(idOf(await pool.choose(keyed('a')))).toBe('z')
    expect(await pool.choose(keyed('a'))).toBe('all-full')
    expect(await poolOf('temporary', [backend('a', down)]).choose(keyed('a'))).toBe('no-backend')
  })

  test('a session without a key is placed by the policy', async () => {
    const pool = poolOf('temporary', [backend('a', down), backend('b'), backend('c')])

    expect(countsOf([await pool.choose(livingOn('a')), await pool.choose(livingOn('a'))])).toEqual({ b: 1, c: 1 })
  })

  test('after its time the session moves, counted from when its home went away', async () => {
    const home = changing()
    const time = { now: 0 }
    const pool = poolOf({ temporary: 30_000 }, [{ ...backend('a'), health: home }, backend('b')], time)
    Object.assign(home, { canServe: false, awaySince: 0 })
    const isKept = async (): Promise<boolean> => ((await pool.choose(keyed('a'))) as Elsewhere).home !== undefined
    expect(await isKept()).toBe(true)
    time.now = 29_999
    expect(await isKept()).toBe(true)
    time.now = 30_000
    expect(await isKept()).toBe(false)

    // It was well for a while, and nobody came who lives there.
    home.awaySince = 29_000

    expect(await isKept()).toBe(true)
  })

  test('one whose home is not away, but failed in this exchange, is kept', async () => {
    const pool = poolOf({ temporary: 30_000 }, [backend('a'), backend('b')], { now: 90_000 })

    expect(await pool.choose(keyed('a'), 'a')).toMatchObject({ reason: 'failed', home: pool.at('a') })
  })

  test('a session that leaves its home for want of balance moves', async () => {
    const pool = poolOf('temporary', [backend('a'), backend('b')])
    pool.load.inFlight.set('a', 9)

    const soft: Session = { ...keyed('a'), maxSkew: 1.5 }

    expect(await pool.choose(soft)).toEqual(new Elsewhere(pool.at('b'), 'a', 'load', undefined))
  })
})

describe('onUnavailable: fail and wait', () => {
  test.each([
    ['fail', 'a home that is down', down, [], 'home-away'],
    ['fail', 'a home that failed', {}, ['a'], 'home-away'],
    ['fail', 'a home that is full', { limit: 0 }, [], new HomeBarred('home-away')],
    ['wait', 'a home that is down', down, [], new HomeBarred('home-away')],
    ['wait', 'a home that failed', {}, ['a'], new HomeBarred('home-away')],
    ['wait', 'a home that is full', { limit: 0 }, [], new HomeBarred('home-away')],
  ] as const)('%s: nobody else serves for %s', async (action, _, home, tried, choice) => {
    const pool = poolOf(action, [backend('a', home), backend('b')])

    expect(await pool.choose(keyed('a'), ...tried)).toEqual(choice)
    expect([...pool.load.inFlight.values()]).toEqual([])
  })

  test.each(['fail', 'wait'] as const)('%s: a home that is none of the pool is none to stick to', async (action) => {
    const pool = poolOf(action, [backend('b')])

    expect(await pool.choose(keyed('x'))).toEqual(new Elsewhere(pool.at('b'), 'x', 'removed', undefined))
  })

  test.each(['fail', 'wait'] as const)('%s: whoever may live on several backends goes to the next', async (action) => {
    const pool = poolOf(action, [backend('a', down), backend('b', { limit: 0 }), backend('c')])

    expect(await pool.choose(livingOn('a', 'b', 'c'))).toBe(pool.at('c'))
  })
})

describe('a strategy that refuses sessions whose home is away', () => {
  test.each([
    ['rebind', 'session-gone'],
    ['temporary', 'session-gone'],
    ['fail', 'session-gone'],
    ['wait', new HomeBarred('session-gone')],
  ] as const)('has its way with %s', async (action, choice) => {
    const pool = poolOf(action, [backend('a', down), backend('b')])

    expect(await pool.choose({ ...keyed('a'), whenAway: 'session-gone' })).toEqual(choice)
  })

  test('lets nobody wait who names no backend of the pool', async () => {
    const pool = poolOf('wait', [backend('b')])

    expect(await pool.choose({ ...livingOn(), whenAway: 'bad-request' })).toBe('bad-request')
  })
})

function keyed(home: string, id = 'a session'): Session {
  return { ...livingOn(home), key: { pool: 'shop', id } }
}

function changing(): BackendHealth & { canServe: boolean; awaySince?: number | undefined } {
  return healthy()
}

function idOf(choice: Choice): string {
  if (choice instanceof Elsewhere) return choice.backend.id
  return typeof choice === 'object' && 'id' in choice ? choice.id : String(choice)
}

function countsOf(choices: readonly Choice[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const id of choices.map(idOf)) counts[id] = (counts[id] ?? 0) + 1
  return counts
}

/** A pool that places by least load. */
function poolOf(onUnavailable: UnavailableAction, backends: readonly Backend[], time = { now: 0 }) {
  const byId = new Map(backends.map((each) => [each.id, each]))
  const load = new FakeLoad()
  const policy = {
    heedsLimits: true,
    take: (candidates: readonly Backend[]) => byId.get(load.reserve('shop', candidates) ?? ''),
  }
  const whenAway = localChoice({ pool: 'shop', load, random: () => 0.5 })
  const clock = (): number => time.now
  const balancer = createBalancer({ backends, byId, policy, whenAway, load, onUnavailable, clock })
  const at = (id: string): Backend => byId.get(id)!
  const choose = async (session: Session, ...tried: string[]): Promise<Choice> =>
    balancer.choose(session, new Set(tried.map(at)))
  return { load, at, choose }
}
