import { StoreBudget, StoreUnavailable } from '@sticky/store'
import { expect, test, vi } from 'vitest'
import { livingOn, newcomer } from '../affinity/sessions.test-support.ts'
import type { Session } from '../affinity/strategy.ts'
import type { Backend } from '../upstream/backend.ts'
import { type Choice, createBalancer, type SelectionPolicy } from './balancer.ts'
import { Elsewhere, HomeBarred } from './elsewhere.ts'
import { backend, FakeLoad } from './fakes.test-support.ts'
import { localChoice } from './local-choice.ts'

test('a known session goes home, and is counted there', () => {
  const pool = poolOf([backend('a'), backend('b')])

  expect(pool.choose(livingOn('b'))).toBe('b')
  expect([...pool.load.inFlight]).toEqual([['b', 1]])
})

test('homes are tried in their order', () => {
  const pool = poolOf([backend('a'), backend('b'), backend('c')])

  expect(pool.choose(livingOn('b', 'c'))).toBe('b')
  expect(pool.choose(livingOn('b', 'c'), 'b')).toBe('c')
})

test('a draining backend keeps its sessions and gets no newcomers', () => {
  const pool = poolOf([backend('a', { weight: 0 }), backend('b')])

  expect(pool.choose(livingOn('a'))).toBe('a')
  expect(pool.choose(newcomer)).toBe('b')
  expect(pool.offered).toEqual([['b']])
})

test('a session whose home is away is placed by the policy', () => {
  const pool = poolOf([backend('a', { canServe: false }), backend('b')])

  expect(pool.choose(livingOn('a'))).toBe('b')
})

test('a session whose home was tried already is placed by the policy', () => {
  const pool = poolOf([backend('a'), backend('b')])

  expect(pool.choose(livingOn('a'), 'a')).toBe('b')
})

test('a session whose home this node does not know is placed by the policy', () => {
  const pool = poolOf([backend('b')])

  expect(pool.choose(livingOn('a'))).toBe('b')
})

test('when nobody can take a newcomer there is no backend', () => {
  const pool = poolOf([backend('a', { weight: 0 }), backend('b', { canServe: false }), backend('c')])

  expect(pool.choose(newcomer, 'c')).toBe('no-backend')
  expect(pool.offered).toEqual([])
})

test('when the policy finds everybody full, all are full', async () => {
  const pool = poolOf([backend('a')], { take: async () => undefined })

  expect(await pool.choose(newcomer)).toBe('all-full')
})

test('while the store is away, newcomers go where this process itself has least', async () => {
  const away = () => Promise.reject(new StoreUnavailable('test'))
  const pool = poolOf([backend('a'), backend('b')], { take: away })

  expect(pool.choose(livingOn('a'))).toBe('a')
  expect(await pool.choose(newcomer)).toBe('b')
  expect([await pool.choose(newcomer), await pool.choose(newcomer)].sort()).toEqual(['a', 'b'])
})

test('an exchange that has waited long enough has its choice made here, and the one that comes later is given back', async () => {
  const [a, b] = [backend('a'), backend('b')]
  const late = Promise.withResolvers<Backend>()
  const pool = poolOf([a, b], { take: () => late.promise })
  pool.load.begin('shop', 'b')

  const chosen = await pool.within(new StoreBudget(10)).choose(newcomer)
  pool.load.begin('shop', 'b')
  late.resolve(b)

  expect(chosen).toBe('a')
  await vi.waitFor(() => expect(Object.fromEntries(pool.load.inFlight)).toEqual({ a: 1, b: 1 }))
})

test('a full home that says too late that it has room is not counted twice', async () => {
  const pool = poolOf([backend('a', { limit: 2 })])
  const late = Promise.withResolvers<string>()
  pool.load.reserve = () => late.promise as unknown as string

  expect(await pool.within(new StoreBudget(10)).choose(livingOn('a'))).toBe('a')
  pool.load.begin('shop', 'a')
  late.resolve('a')

  await vi.waitFor(() => expect(pool.load.local('shop', 'a')).toBe(1))
})

test('while the store is away, nobody is given more than its limit from here', async () => {
  const away = () => Promise.reject(new StoreUnavailable('test'))
  const pool = poolOf([backend('a', { limit: 1 }), backend('b', { limit: 1 })], { take: away })

  const chosen = [await pool.choose(newcomer), await pool.choose(newcomer), await pool.choose(newcomer)]

  expect(chosen.slice(0, 2).sort()).toEqual(['a', 'b'])
  expect(chosen[2]).toBe('all-full')
})

test('backups get newcomers only while nobody else can take them, the first one written first', async () => {
  const spares = [backend('z', { backup: true, weight: 9 }), backend('y', { backup: true })]
  const pool = poolOf([...spares, backend('a'), backend('b')])

  expect(await pool.choose(newcomer)).toBe('a')
  expect(await pool.choose(newcomer, 'a')).toBe('b')
  expect(await pool.choose(newcomer, 'a', 'b')).toBe('z')
  expect(await pool.choose(newcomer, 'a', 'b', 'z')).toBe('y')
  expect(pool.offered).toEqual([['a', 'b'], ['b']])
})

test('backups take over when all others are full, and keep their sessions', async () => {
  const pool = poolOf([backend('z', { backup: true }), backend('a')], { take: async () => undefined })

  expect(await pool.choose(newcomer)).toBe('z')
  expect(pool.choose(livingOn('z'))).toBe('z')
})

test('a session whose home is full goes elsewhere, or nowhere', async () => {
  const pool = poolOf([backend('a', { limit: 1 }), backend('b', { limit: 1 })])

  expect(await pool.choose(livingOn('a'))).toBe('a')
  expect(await pool.choose(livingOn('a'))).toBe('b')
  expect(await pool.choose({ ...livingOn('a'), whenAway: 'home-away' })).toBe('home-away')
  expect(await poolOf([backend('a', { limit: 0 })]).choose(livingOn('a'))).toBe('all-full')
})

test('a backend that drains keeps its sessions within its limit', async () => {
  const pool = poolOf([backend('a', { weight: 0, limit: 1 })])

  expect(await pool.choose(livingOn('a'))).toBe('a')
  expect(await pool.choose(livingOn('a'))).toBe('all-full')
})

test('without the store a limit is held by what this process knows', async () => {
  const pool = poolOf([backend('a', { limit: 2 })])
  pool.load.reserve = () => {
    throw new StoreUnavailable('test')
  }

  expect([await pool.choose(livingOn('a')), await pool.choose(livingOn('a'))]).toEqual(['a', 'a'])
  expect(await pool.choose(livingOn('a'))).toBe('all-full')
})

test('a session leaves a home that carries too much when it says so, and stays when nobody else can serve', async () => {
  const soft: Session = { ...livingOn('a'), maxSkew: 1.5 }
  const pool = poolOf([backend('a'), backend('b')], { take: ([first]) => first })
  pool.load.inFlight.set('a', 9)

  expect(pool.choose(livingOn('a'))).toBe('a')
  expect(await pool.choose(soft)).toBe('b')
  expect(await pool.choose(soft, 'b')).toBe('a')
})

interface PoolParts {
  readonly take?: SelectionPolicy['take']
}

function named(chosen: Choice): string {
  if (chosen instanceof HomeBarred) return chosen.code
  if (chosen instanceof Elsewhere) return chosen.backend.id
  return typeof chosen === 'string' ? chosen : chosen.id
}

/** A pool whose policy takes the first candidate unless told otherwise; choices come as ids. */
const poolOf = (backends: readonly Backend[], { take = ([first]) => first }: PoolParts = {}) => {
  const byId = new Map(backends.map((each) => [each.id, each]))
  const load = new FakeLoad()
  const offered: string[][] = []
  const policy = {
    take(candidates: readonly Backend[]) {
      offered.push(candidates.map(({ id }) => id))
      return take(candidates)
    },
  }
  const whenAway = localChoice({ pool: 'shop', load, random: Math.random })
  const balancer = createBalancer({ backends, byId, policy, whenAway, load, onUnavailable: 'rebind', clock: () => 0 })
  const within = (budget?: StoreBudget) => ({
    choose(session: Session, ...tried: string[]): string | Promise<string> {
      const chosen = balancer.choose(session, new Set(tried.map((id) => byId.get(id)!)), budget)
      return chosen instanceof Promise ? chosen.then(named) : named(chosen)
    },
  })
  return { choose: within().choose, within, load, offered }
}
