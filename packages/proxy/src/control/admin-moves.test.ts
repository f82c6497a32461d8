import { MemoryStore } from '@sticky/store'
import { describe, expect, test } from 'vitest'
import { persistenceKeyConfig } from '../config/parts.test-support.ts'
import type { BulkProgress } from './admin-api.ts'
import { backendOperations } from './admin-backends.ts'
import { moveOperations } from './admin-moves.ts'
import { BackendOrders } from './backend-orders.ts'
import { testLog, testPool } from './fixtures.test-support.ts'
import { MoveCounts } from './move-counts.ts'
import { Verdicts } from './verdicts.ts'

const sharing = { ...testPool('api', ['e']), affinity: [persistenceKeyConfig({ share: 'legacy' })] }
const pools = [testPool('shop', ['a', 'b', 'c']), testPool('legacy', ['c', 'd']), sharing]
const id = (letter: string): string => letter.repeat(22)

describe('backends', () => {
  test('show what operators want of them, since when, and whether they are empty', async () => {
    const { api, bind } = admin()
    await bind('shop', 'A', 'a')

    const before = await api.backend('shop', 'a')
    const drained = await api.changeBackend('shop', 'b', { state: 'drain', weight: 4 })
    const carrying = await api.changeBackend('shop', 'a', { state: 'maint' })

    expect(before).toMatchObject({ wanted: 'ready', since: null, drained: false, keepsSessions: true, sessions: 1 })
    expect(drained).toMatchObject({
      id: 'b',
      wanted: 'drain',
      since: expect.stringMatching(/Z$/),
      drained: true,
      unacknowledged: [],
    })
    expect(carrying).toMatchObject({ id: 'a', drained: false, sessions: 1 })
  })

  test('are not empty while an exchange that ended just now has begun a session', async () => {
    const { api, bind, store } = admin()
    await api.changeBackend('shop', 'b', { state: 'drain' })
    const { totals } = store.operators
    const lastExchange = async (pool: string) => {
      const before = await totals(pool)
      await bind('shop', 'A', 'b')
      return before
    }
    Object.assign(store.operators, { totals: lastExchange })

    expect(await api.backend('shop', 'b')).toMatchObject({ drained: false, sessions: 1, inFlight: 0 })
  })

  test.each([
    ['nowhere', 'a', 'no-such-pool'],
    ['shop', 'd', 'no-such-backend'],
  ])('that nobody has cannot be changed: %s/%s is %s', async (pool, backend, code) => {
    const { api, store } = admin()

    await expect(api.changeBackend(pool, backend, { state: 'drain' })).rejects.toMatchObject({ code })
    expect(await store.cluster.orders()).toEqual([])
  })
})

describe('sessions', () => {
  test('that leave a backend go to where the fewest live by weight, and to none that takes no newcomers', async () => {
    const { api, bind, homes } = admin()
    await api.changeBackend('shop', 'c', { state: 'drain' })
    for (const letter of 'ABCD') await bind('shop', letter, 'a')
    await bind('shop', 'E', 'b')

    const last = await lastOf(api.moveSessions({ pool: 'shop', from: 'a' }))

    expect(last).toMatchObject({ done: true, changed: 4, skipped: 0, gone: 0, unacknowledged: [] })
    expect(await homes('shop')).toEqual({ b: 5 })
  })

  test('are only counted when that is all that is asked for', async () => {
    const { api, bind, homes } = admin()
    await bind('shop', 'A', 'a')

    expect(await lastOf(api.moveSessions({ from: 'a', dryRun: true }))).toMatchObject({ changed: 1 })
    expect(await homes('shop')).toEqual({ a: 1 })
  })

  test('of a backend that is configured no more move as well', async () => {
    const { api, bind, homes } = admin()
    await bind('legacy', 'A', 'old')

    expect(await lastOf(api.moveSessions({ from: 'old', to: 'd' }))).toMatchObject({ changed: 1 })
    expect(await homes('legacy')).toEqual({ d: 1 })
  })

  test('that are in the table of the pool with which theirs shares keys are found there', async () => {
    const { api, bind, homes, moves } = admin()
    await bind('legacy', 'A', 'e')

    expect(await api.changeBackend('api', 'e', { state: 'drain' })).toMatchObject({ sessions: 1, drained: false })
    expect(await api.moveSession(id('A'), { backend: 'd' }, {})).toMatchObject({ backend: 'd', pool: 'legacy' })
    await api.changeBackend('api', 'e', { state: 'ready' })
    expect(await api.moveSession(id('A'), { backend: 'e' }, {})).toMatchObject({ backend: 'e' })
    expect(await lastOf(api.endSessions({ from: 'e' }))).toMatchObject({ changed: 1 })
    expect(await homes('legacy')).toEqual({})
    expect(moves.metrics()[0]!.values).toHaveLength(1)
  })

  test('end with their backend', async () => {
    const { api, bind, homes } = admin()
    for (const letter of 'ABC') await bind('shop', letter, 'a')

    expect(await lastOf(api.endSessions({ from: 'a', limit: 2 }))).toMatchObject({ changed: 2 })
    expect(await homes('shop')).toEqual({ a: 1 })
  })

  test('go nowhere that operators have closed since the move began, and the move breaks off where nothing is open', async () => {
    const { api, bind, homes } = admin()
    for (const letter of 'ABCDEF') await bind('shop', letter, 'a')
    const move = api.moveSessions({ pool: 'shop', from: 'a', rate: 10 })[Symbol.asyncIterator]()
    await move.next()

    await api.changeBackend('shop', 'b', { state: 'drain' })
    await api.changeBackend('shop', 'c', { weight: 0 })

    await expect(move.next()).rejects.toMatchObject({ code: 'backend-not-ready' })
    expect(await homes('shop')).toEqual({ a: 5, b: 1 })
  })

  test('move only if they may, and not at all where that is all that is asked', async () => {
    const { api, bind, homes } = admin()
    await bind('shop', 'A', 'a')
    await api.changeBackend('shop', 'b', { weight: 0 })
    const { version } = (await api.moveSession(id('A'), { backend: 'c', dryRun: true }, {}))!

    expect(await api.moveSession(id('A'), { backend: 'c', ifVersion: version, dryRun: true }, {})).toMatchObject({
      backend: 'a',
      unacknowledged: [],
    })
    await expect(api.moveSession(id('A'), { backend: 'c', ifVersion: 1, dryRun: true }, {})).rejects.toMatchObject({
      code: 'version-conflict',
    })
    await expect(api.moveSession(id('A'), { backend: 'b' }, {})).rejects.toMatchObject({ code: 'backend-not-ready' })
    expect(await homes('shop')).toEqual({ a: 1 })
  })

  test('that have moved by themselves meanwhile do not end with the backend they left', async () => {
    const { api, bind, homes, store } = admin()
    for (const letter of 'AB') await bind('shop', letter, 'a')
    const ending = api.endSessions({ pool: 'shop', from: 'a', rate: 10 })[Symbol.asyncIterator]()
    await ending.next()
    const rest = { [Symbol.asyncIterator]: () => ending }
    const end = store.sessions.end.bind(store.sessions)
    store.sessions.end = async (key, version) => {
      await store.sessions.move(key, 'b')
      return await end(key, version)
    }

    expect(await lastOf(rest)).toMatchObject({ done: true, changed: 1, skipped: 1, gone: 0 })
    expect(await homes('shop')).toEqual({ b: 1 })
  })

  test('that were asked for have their tunnels looked at', async () => {
    const { api, bind, store } = admin()
    const recalled: string[] = []
    store.onRecall((key) => recalled.push(key.id))
    for (const letter of 'ABC') await bind('shop', letter, 'a')

    await lastOf(api.moveSessions({ from: 'a', to: 'b', limit: 1, close: true }))
    await api.moveSession(id('A'), { backend: 'c', close: true }, {})
    await api.moveSession(id('B'), { backend: 'c' }, {})
    await api.endSession(id('C'), { close: true })

    expect(recalled).toHaveLength(3)
    expect(recalled.slice(1)).toEqual([id('A'), id('C')])
  })

  test.each([
    [{ from: 'c' }, 'ambiguous-backend'],
    [{ from: 'x' }, 'no-such-backend'],
    [{ pool: 'shop', from: 'a', to: 'a' }, 'invalid-request'],
    [{ pool: 'shop', from: 'a', to: 'd' }, 'no-such-backend'],
    [{ pool: 'nowhere', from: 'a' }, 'no-such-pool'],
  ])('are not moved by %j: %s', async (move, code) => {
    const { api } = admin()

    await expect(lastOf(api.moveSessions(move))).rejects.toMatchObject({ code })
  })

  test('stay where nobody else takes newcomers', async () => {
    const { api, bind, homes } = admin()
    await bind('legacy', 'A', 'c')
    await api.changeBackend('legacy', 'd', { state: 'maint' })

    const move = lastOf(api.moveSessions({ pool: 'legacy', from: 'c' }))

    await expect(move).rejects.toMatchObject({ code: 'backend-not-ready' })
    expect(await homes('legacy')).toEqual({ c: 1 })
  })

  test('are counted by why they moved', async () => {
    const { api, bind, moves } = admin()
    for (const letter of 'ABC') await bind('shop', letter, 'a')
    await lastOf(api.moveSessions({ from: 'a', to: 'b', limit: 2, reason: 'drain' }))
    await api.moveSession(id('C'), { backend: 'b' }, {})
    await api.moveSession(id('C'), { backend: 'b' }, {})

    expect(moves.metrics()[0]!.values).toEqual([
      { labels: { pool: 'shop', reason: 'drain' }, value: 2 },
      { labels: { pool: 'shop', reason: 'operator' }, value: 1 },
    ])
  })
})

async function lastOf(progress: AsyncIterable<BulkProgress>): Promise<BulkProgress | undefined> {
  let last: BulkProgress | undefined
  for await (const each of progress) last = each
  return last
}

/** The operators' part of a node whose one worker sees backends as it was told. */
function admin() {
  const store = new MemoryStore()
  const verdicts = new Verdicts(() => {})
  const orders = new BackendOrders({ store, verdicts, pools: () => pools, log: testLog().log, heartbeat: 1_000_000 })
  const moves = new MoveCounts()
  const reports = async () => [
    {
      metrics: [],
      backends: pools.flatMap((pool) =>
        pool.backends.map(({ id: backend, weight }) => {
          const { state, weight: wanted } = verdicts.of(pool.id, backend)
          const open = { canServe: state !== 'maint', takesNewcomers: state === 'ready' }
          const seen = { inFlight: 0, ejected: false, share: 1, ...open }
          return { pool: pool.id, backend, ...seen, state, weight: wanted ?? weight }
        }),
      ),
    },
  ]
  const checks = { of: () => undefined }
  const acknowledgements = { missing: async () => [] }
  const sources = { store, pools, orders, acknowledgements, checks, moves, reports }
  const bind = (pool: string, letter: string, backend: string) =>
    store.sessions.bind({ pool, id: id(letter) }, backend, 0, { age: 60_000, source: 'test' })
  const homes = async (pool: string) => Object.fromEntries(await store.sessions.count(pool))
  return { api: { ...moveOperations(sources), ...backendOperations(sources) }, store, bind, homes, moves }
}
