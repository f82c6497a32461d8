import { randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BackendOrder, SessionKey, Store, Terms } from '../../packages/store/src/index.ts'
import { bound, eventually, freshKey, type StoreUnderTest } from './store-contract.ts'

const hour = 3_600_000

/** What every store promises of what operators do: moves, orders, barriers and recalls. */
export function operatorsContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let tested: StoreUnderTest
    let store: Store
    let other: Store
    let pools = 0
    const freshPool = () => `operated-${pools++}`

    beforeAll(async () => {
      tested = await open()
      store = tested.store
      other = tested.other
    })
    afterAll(() => tested[Symbol.asyncDispose]())

    const begin = async (terms: Partial<Terms> = {}, backend = 'a') => {
      const key = freshKey(freshPool())
      const row = bound(await store.sessions.bind(key, backend, 0, { age: hour, source: 'session-cookie', ...terms }))
      return { key, row }
    }

    describe('moving', () => {
      test('a moved session is at home elsewhere on every node, and is not renewed by that', async () => {
        const cookies = [{ name: 'cart', fingerprint: 'AAAAAAAAAAA', age: hour, attributes: 'Path=/' }]
        const { key, row } = await begin({ lifetime: 2 * hour, cookies })
        await other.sessions.find(key)
        const before = await store.sessions.show(key)
        await tested.pass(5)

        const moved = bound(await store.sessions.move(key, 'b'))

        expect(moved).toEqual({ ...row, backend: 'b', version: moved.version })
        expect(moved.version).toBeGreaterThan(row.version)
        expect(await store.sessions.find(key)).toEqual(moved)
        await eventually(async () => bound(await other.sessions.find(key)).version === moved.version)
        expect(await other.sessions.find(key)).toEqual(moved)
        expect(await store.sessions.show(key)).toEqual({ ...before, backend: 'b', version: moved.version })
        expect(Object.fromEntries(await store.sessions.count(key.pool))).toEqual({ b: 1 })
      })

      test('a session that ends with its last cookie still does', async () => {
        const cookies = [{ name: 'cart', fingerprint: 'AAAAAAAAAAA', age: 1000, attributes: 'Path=/' }]
        const { key, row } = await begin({ endsWithLastCookie: true, cookies })

        expect(await store.sessions.move(key, 'b')).toMatchObject({ deadline: row.deadline, endsWithLastCookie: true })

        await tested.pass(1050)
        expect(await store.sessions.show(key)).toBeUndefined()
        expect(Object.fromEntries(await store.sessions.count(key.pool))).toEqual({})
      })

      test('with a version a session moves only if its row still has that', async () => {
        const { key, row } = await begin()

        expect(await store.sessions.move(key, 'b', row.version - 1)).toEqual(row)
        const moved = bound(await other.sessions.move(key, 'b', row.version))
        expect(moved.backend).toBe('b')
        expect(await store.sessions.move(key, 'c', row.version)).toEqual(moved)
      })

      test('of two moves of one version one wins, and both are told which', async () => {
        const { key, row } = await begin()

        const [one, two] = await Promise.all([
          store.sessions.move(key, 'b', row.version),
          other.sessions.move(key, 'c', row.version),
        ])

        expect(one).toEqual(two)
      })

      test('a session that lives there already keeps its version', async () => {
        const { key, row } = await begin()

        expect(await store.sessions.move(key, 'a')).toEqual(row)
      })

      test('nothing is made or undone by a move: absent stays absent, ended stays ended', async () => {
        const { key } = await begin()
        const absent = freshKey(freshPool())
        await store.sessions.end(key)

        expect(await store.sessions.move(absent, 'b')).toMatchObject({ state: 'absent' })
        expect(await store.sessions.move(key, 'b')).toMatchObject({ state: 'ended' })
        expect(await store.sessions.find(absent)).toMatchObject({ state: 'absent' })
        expect(await store.sessions.find(key)).toMatchObject({ state: 'ended' })
      })

      test('a late re-binding of the version before does not undo a move', async () => {
        const { key, row } = await begin()
        const moved = await store.sessions.move(key, 'b')

        const late = await other.sessions.bind(key, 'a', row.version, { age: hour, source: 'session-cookie' })

        expect(late).toEqual(moved)
      })
    })

    test('with a version a session ends only if its row still has that', async () => {
      const { key, row } = await begin()
      const moved = bound(await other.sessions.move(key, 'b'))

      expect(await store.sessions.end(key, row.version)).toBe(false)
      expect(await store.sessions.show(key)).toMatchObject({ backend: 'b' })
      expect(await store.sessions.end(key, moved.version)).toBe(true)
      expect(await store.sessions.show(key)).toBeUndefined()
    })

    describe('orders', () => {
      const orderOf = async (from: Store, pool: string): Promise<BackendOrder | undefined> =>
        (await from.cluster.orders()).find((order) => order.pool === pool)

      test('what is said of a backend is known to all, what is not mentioned stays', async () => {
        const pool = freshPool()

        const drained = await store.cluster.order(pool, 'a', { state: 'drain' })
        const weighed = await other.cluster.order(pool, 'a', { weight: 3 })

        expect(drained).toMatchObject({ pool, backend: 'a', state: 'drain', weight: undefined })
        expect(Math.abs(drained.since - store.now())).toBeLessThan(2000)
        expect(weighed).toMatchObject({ state: 'drain', weight: 3, since: drained.since })
        expect(weighed.version).toBeGreaterThan(drained.version)
        expect(await orderOf(store, pool)).toEqual(weighed)
        expect(await store.cluster.order(pool, 'a', { weight: null })).toMatchObject({ weight: undefined })
      })

      test('a state is dated by when it began', async () => {
        const pool = freshPool()
        const first = await store.cluster.order(pool, 'a', { state: 'drain' })
        await tested.pass(20)

        expect(await store.cluster.order(pool, 'a', { state: 'drain' })).toMatchObject({ since: first.since })
        expect((await store.cluster.order(pool, 'a', { state: 'ready' })).since).toBeGreaterThan(first.since)
      })

      test('every process hears that there is something new', async () => {
        const heard = [store, other].map((one) => new Promise<void>((resolve) => one.cluster.onOrders(resolve)))

        await store.cluster.order(freshPool(), 'a', { state: 'maint' })

        await Promise.all(heard)
      })
    })

    test('the totals have what a process has begun as soon as it knows that it has reported', async () => {
      const pool = freshPool()
      store.load.begin(pool, 'a')

      await store.load.reported()

      expect((await other.operators.totals(pool)).get('a')).toBe(1)
      store.load.end(pool, 'a')
    })

    describe('barriers', () => {
      test('who has reached a barrier has heard of what was changed before', async () => {
        const { key } = await begin()
        await other.sessions.find(key)
        const ended = await store.sessions.end(key)

        const barrier = await store.cluster.raiseBarrier()
        await other.cluster.reached(barrier)

        expect(ended).toBe(true)
        expect(await other.sessions.find(key)).toMatchObject({ state: 'ended' })
      })

      test('every process is told of a barrier, and who passed it is known to all', async () => {
        const told = new Promise<string>((resolve) => other.cluster.onBarrier(resolve))

        const barrier = await store.cluster.raiseBarrier()

        expect(await told).toBe(barrier)
        await other.cluster.passBarrier(barrier, 'one')
        await store.cluster.passBarrier(barrier, 'two')
        expect([...(await store.cluster.passed(barrier))].filter(Boolean).sort()).toEqual(['one', 'two'])
      })

      test('a barrier nobody raised cannot be passed', async () => {
        const made = randomBytes(16).toString('base64url')

        await store.cluster.passBarrier(made, 'one')

        expect([...(await store.cluster.passed(made))].filter(Boolean)).toEqual([])
      })
    })

    test('every process hears of a backend that is well again', async () => {
      const pool = freshPool()
      const heard = [store, other].map(
        (one) => new Promise<string[]>((resolve) => one.cluster.onRecovery((...named) => resolve(named))),
      )

      await store.cluster.tellRecovery(pool, 'a')

      expect(await Promise.all(heard)).toEqual([
        [pool, 'a'],
        [pool, 'a'],
      ])
    })

    test('a recall reaches every process', async () => {
      const key = freshKey(freshPool())
      const recalled = [store, other].map((one) => new Promise<SessionKey>((resolve) => one.onRecall(resolve)))

      await store.recall(key.pool, [key.id])

      expect(await Promise.all(recalled)).toEqual([key, key])
    })
  })
}
