import { expect, test } from 'vitest'

import { livingOn, newcomer } from '../affinity/sessions.test-support.ts'
import type { Session } from '../affinity/strategy.ts'
import { backend, FakeLoad } from '../balancing/fakes.test-support.ts'
import type { Pool, Topology } from '../routing/topology.ts'
import type { Backend, BackendHealth } from '../upstream/backend.ts'
import type { RequestHead } from '../wire/request-head.ts'
import { Placement } from './placement.ts'

test('a newcomer does not go to a backend that was drained while the choice was made, and is not counted there', async () => {
  const { placed, load, choose, a } = placing(newcomer)

  const answer = choose(a)
  a.health.takesNewcomers = false
  answer()

  expect((await placed).id).toBe('b')
  expect(Object.fromEntries(load.inFlight)).toEqual({ a: 0, b: 1 })
})

test('a session goes to its home, drained or not, unless that gets nothing any more', async () => {
  const drained = placing(livingOn('a'))
  const answer = drained.choose(drained.a)
  drained.a.health.takesNewcomers = false
  answer()
  expect((await drained.placed).id).toBe('a')

  const gone = placing(livingOn('a'))
  const late = gone.choose(gone.a)
  gone.a.health.takesNewcomers = false
  gone.a.health.canServe = false
  late()
  expect((await gone.placed).id).toBe('b')
})

test('a session whose home is away is a newcomer elsewhere', async () => {
  const { placed, choose, a } = placing(livingOn('c'))

  const answer = choose(a)
  a.health.takesNewcomers = false
  answer()

  expect((await placed).id).toBe('b')
})

type Settable<T> = { -readonly [Name in keyof T]: T[Name] }

/** A placement among `a` and `b` whose first choice is made by the test; the next one is what was not tried. */
function placing(session: Session) {
  const load = new FakeLoad()
  const [a, b] = [backend('a'), backend('b')].map((each) => ({ ...each, health: { ...each.health } }))
  const first = Promise.withResolvers<Backend>()
  const counted = (chosen: Backend): Backend => {
    load.begin(chosen.pool, chosen.id)
    return chosen
  }
  const balancer = {
    choose: (_: Session, tried: ReadonlySet<Backend>) => (tried.size === 0 ? first.promise.then(counted) : counted(b!)),
  }
  // What a placement looks at.
  const pool = { id: 'shop', strategy: { locate: () => session }, balancer, queue: { length: 0 } } as unknown as Pool
  const topology = { routes: { match: () => undefined }, fallback: pool, pools: new Map() } as unknown as Topology
  const placed = new Promise<Backend>((resolve, reject) => {
    const host = { placed: resolve, unplaced: reject, broken: reject }
    const sources = { topology, store: { load }, config: { store: { budget: 50 } } }
    new Placement(host, sources, {} as RequestHead, { address: '127.0.0.1', secure: false }).begin()
  })
  const choose = (chosen: Backend) => () => first.resolve(chosen)
  return { placed, load, choose, a: a as Omit<Backend, 'health'> & { readonly health: Settable<BackendHealth> } }
}
