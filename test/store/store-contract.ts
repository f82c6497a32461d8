import { randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type {
  Binding,
  CookieRecord,
  NodeAnnouncement,
  Row,
  SessionFilter,
  SessionKey,
  SessionRow,
  Store,
  Terms,
} from '../../packages/store/src/index.ts'

/** A store under test and how time passes in it. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: Store
  /** The same tables as another process sees them; the store itself where there is but one process. */
  readonly other: Store
  /** Lets so much of the store's time pass. */
  pass(time: number): Promise<void>
}

/** An age that is short enough to wait for, and long enough that a busy machine does not let it pass unasked. */
const short = 1_000
const hour = 3_600_000
const source = 'session-cookie'

export const freshKey = (pool: string): SessionKey => ({ pool, id: randomBytes(16).toString('base64url') })

const cookie = (name: string, age = hour, attributes = 'Path=/; HttpOnly'): CookieRecord => ({
  name,
  fingerprint: randomBytes(8).toString('base64url'),
  age,
  attributes,
})

/** What every store promises of sessions, cookies and the cluster; `concurrent` where time passes by itself. */
export function storeContract(
  name: string,
  { concurrent }: { readonly concurrent: boolean },
  open: () => Promise<StoreUnderTest>,
): void {
  describe(name, { concurrent }, () => {
    let tested: StoreUnderTest
    let store: Store
    let other: Store
    let pools = 0
    const freshPool = () => `pool-${pools++}`

    beforeAll(async () => {
      tested = await open()
      store = tested.store
      other = tested.other
    })
    afterAll(() => tested[Symbol.asyncDispose]())

    const begin = async (terms: Partial<Terms> = {}, backend = 'a', pool = freshPool()) => {
      const key = freshKey(pool)
      const row = await store.sessions.bind(key, backend, 0, { age: hour, source, ...terms })
      return { key, row: bound(row) }
    }

    describe('binding', () => {
      test('a session never begun is absent', async () => {
        const row = await store.sessions.find(freshKey(freshPool()))

        expect(row).toEqual({ state: 'absent', version: 0, epoch: 0 })
      })

      test('a promise kept means that every look-up sees the binding', async () => {
        const before = store.now()
        const { key, row } = await begin({ lifetime: 2 * hour })

        expect(await store.sessions.find(key)).toEqual(row)
        expect(await other.sessions.find(key)).toEqual(row)
        expect(row).toMatchObject({ state: 'bound', backend: 'a', age: hour, end: row.created + 2 * hour })
        expect(Math.abs(row.created - before)).toBeLessThan(2000)
        expect(Math.abs(row.version / 1000 - row.created)).toBeLessThan(2)
        expect(row.deadline).toBe(row.created + hour * 1.1)
      })

      test('of two first bindings one wins and both are told which', async () => {
        const key = freshKey(freshPool())
        const terms = { age: hour, source }
        const [one, two] = await Promise.all([
          store.sessions.bind(key, 'a', 0, terms),
          other.sessions.bind(key, 'b', 0, terms),
        ])

        expect(one).toEqual(two)
        expect(await store.sessions.find(key)).toEqual(one)
      })

      test('two first bindings in one turn of the event loop are told the same winner', async () => {
        const key = freshKey(freshPool())
        const terms = { age: hour, source }
        const [one, two] = await Promise.all([
          store.sessions.bind(key, 'a', 0, terms),
          store.sessions.bind(key, 'b', 0, terms),
        ])

        expect(bound(one).backend).toBe('a')
        expect(two).toEqual(one)
      })

      test('a re-binding of the version seen moves the session, keeps created, end and cookies, and raises the version', async () => {
        const { key, row } = await begin({ lifetime: 2 * hour, cookies: [cookie('JSESSIONID'), cookie('cart')] })
        const moved = bound(
          await other.sessions.bind(key, 'b', row.version, { age: hour / 2, source, cookies: [cookie('JSESSIONID')] }),
        )

        expect(moved).toMatchObject({ backend: 'b', created: row.created, end: row.end, age: hour / 2 })
        expect(moved.version).toBeGreaterThan(row.version)
        expect(await store.sessions.find(key, moved.version)).toEqual(moved)
        expect((await other.cookies.of(key)).map(({ name }) => name).sort()).toEqual(['JSESSIONID', 'cart'])
        expect(Object.fromEntries(await store.sessions.count(key.pool))).toEqual({ b: 1 })
      })

      test('a binding that saw another version changes nothing and is told the row in force', async () => {
        const { key, row } = await begin()

        expect(await store.sessions.bind(key, 'b', 0, { age: hour, source })).toEqual(row)
        expect(await store.sessions.bind(key, 'b', row.version - 1, { age: hour, source })).toEqual(row)
        expect(await store.sessions.find(key)).toEqual(row)
      })

      test('a re-binding of a session that is gone is told that it is absent', async () => {
        const { row } = await begin()
        const gone = freshKey(freshPool())

        const answer = await store.sessions.bind(gone, 'b', row.version, { age: hour, source })

        expect(answer).toMatchObject({ state: 'absent', version: 0 })
        expect(await store.sessions.find(gone)).toMatchObject({ state: 'absent' })
      })

      test('a thousand sessions begun at once are all found', async () => {
        const pool = freshPool()
        const begun = await Promise.all(Array.from({ length: 1000 }, (_, i) => begin({}, `b${i % 3}`, pool)))

        const found = await Promise.all(begun.map(({ key }) => other.sessions.find(key)))

        expect(found).toEqual(begun.map(({ row }) => row))
      })

      test('the epoch of a shard is the same for all its rows and known with their absence', async () => {
        const { key, row } = await begin()
        const absent = await store.sessions.find({ pool: key.pool, id: sameShard(key.id) })

        expect(row.epoch).toBeGreaterThan(0)
        expect(absent).toEqual({ state: 'absent', version: 0, epoch: row.epoch })
      })
    })

    describe('ageing', () => {
      test('an untouched session ends after its age, at most a tenth of it late', async () => {
        const { key, row } = await begin({ age: short })
        expect(row.deadline).toBe(row.created + short * 1.1)

        await tested.pass(short * 1.1 + 20)

        expect(await store.sessions.find(key)).toMatchObject({ state: 'absent' })
        expect(await store.sessions.show(key)).toBeUndefined()
        expect(Object.fromEntries(await store.sessions.count(key.pool))).toEqual({})
        expect(await rows(store, key.pool)).toEqual([])
      })

      test('a touched session lives on, under the same version', async () => {
        const { key, row } = await begin({ age: short })
        for (let i = 0; i < 4; i++) {
          await tested.pass(short / 2)
          store.sessions.touch(key, bound(await store.sessions.find(key)))
        }
        await tested.pass(20)

        const shown = (await other.sessions.show(key))!
        expect(shown.version).toBe(row.version)
        expect(shown.touched).toBeGreaterThan(row.created + short)
        expect(shown.deadline).toBe(shown.touched + short * 1.1)
      })

      test('a touch prolongs no session past its absolute end', async () => {
        const { key, row } = await begin({ age: short, lifetime: short * 1.5 })
        expect(row.end).toBe(row.created + short * 1.5)

        await tested.pass(short * 0.8)
        store.sessions.touch(key, row)
        await tested.pass(short * 0.7 + 20)

        expect(await store.sessions.find(key)).toMatchObject({ state: 'absent' })
      })

      test('a touch creates no session, and tells that the row is gone', async () => {
        const { row } = await begin()
        const key = freshKey(freshPool())
        const stale = nextStale(store, key)

        store.sessions.touch(key, row)

        await stale
        expect(await store.sessions.find(key)).toMatchObject({ state: 'absent' })
      })

      test('neither show, list, count nor find renews', async () => {
        const { key, row } = await begin({ age: short })
        await tested.pass(short / 2)

        await store.sessions.show(key)
        await rows(store, key.pool)
        await store.sessions.count(key.pool)
        await other.sessions.find(key)

        expect((await store.sessions.show(key))!.deadline).toBe(row.deadline)
        expect((await store.sessions.show(key))!.touched).toBe(row.created)
      })
    })

    describe('ending', () => {
      test('an ended session is a tombstone on every node', async () => {
        const { key, row } = await begin()
        await other.sessions.find(key)

        expect(await store.sessions.end(key)).toBe(true)

        const ended = await store.sessions.find(key)
        expect(ended).toMatchObject({ state: 'ended', epoch: row.epoch })
        expect(ended.version).toBeGreaterThan(row.version)
        await eventually(async () => (await other.sessions.find(key)).state === 'ended')
        expect(await store.sessions.show(key)).toBeUndefined()
        expect(Object.fromEntries(await store.sessions.count(key.pool))).toEqual({})
        expect(await rows(store, key.pool)).toEqual([])
      })

      test('nothing under way undoes the end of a session', async () => {
        const { key, row } = await begin()
        await store.sessions.end(key)
        const ended = await store.sessions.find(key)

        store.sessions.touch(key, row)
        store.cookies.record(key, [cookie('JSESSIONID')])
        await tested.pass(50)

        expect(await store.sessions.bind(key, 'b', row.version, { age: hour, source })).toEqual(ended)
        expect(await store.sessions.bind(key, 'b', 0, { age: hour, source })).toEqual(ended)
        expect(await store.sessions.find(key)).toEqual(ended)
      })

      test('who has seen the tombstone may begin another session under the key', async () => {
        const { key, row } = await begin({ lifetime: hour, cookies: [cookie('old')] })
        await store.sessions.end(key)
        const ended = await store.sessions.find(key)
        await tested.pass(5)

        const next = bound(await store.sessions.bind(key, 'b', ended.version, { age: hour, source }))

        expect(next.created).toBeGreaterThan(row.created)
        expect(next).toMatchObject({ backend: 'b', end: 0 })
        expect(next.version).toBeGreaterThan(ended.version)
        expect(await store.cookies.of(key)).toEqual([])
        expect(await store.sessions.find(key)).toEqual(next)
      })

      test('a tombstone stands for one and a half ages', async () => {
        const { key } = await begin({ age: short })
        await store.sessions.end(key)

        await tested.pass(short * 1.15)
        expect(await store.sessions.find(key)).toMatchObject({ state: 'ended' })
        await tested.pass(short * 0.35 + 20)
        expect(await store.sessions.find(key)).toMatchObject({ state: 'absent' })
      })

      test('there is nothing to end where no session lives', async () => {
        const { key } = await begin()
        await store.sessions.end(key)

        expect(await store.sessions.end(key)).toBe(false)
        expect(await store.sessions.end(freshKey(key.pool))).toBe(false)
      })
    })

    describe('cookies', () => {
      test('the cookies a session begins with are shown with their expiry', async () => {
        const set = [cookie('JSESSIONID', hour), cookie('thème', 2 * hour, 'Path=/café; Secure')]
        const { key, row } = await begin({ cookies: set })

        expect(await other.cookies.of(key)).toEqual(
          set.map(({ name, fingerprint, attributes, age }) => ({
            name,
            fingerprint,
            attributes,
            expires: row.created + age,
          })),
        )
      })

      test('recorded cookies join, replace and leave, each by its name, without a new version', async () => {
        const { key, row } = await begin({ cookies: [cookie('kept'), cookie('replaced'), cookie('dropped')] })
        const replaced = cookie('replaced', 2 * hour)

        store.cookies.record(key, [replaced, cookie('dropped', 0), cookie('joined')])

        await eventually(async () => (await other.cookies.of(key)).some(({ name }) => name === 'joined'))
        const cookies = await other.cookies.of(key)
        expect(cookies.map(({ name }) => name).sort()).toEqual(['joined', 'kept', 'replaced'])
        expect(cookies.find(({ name }) => name === 'replaced')!.fingerprint).toBe(replaced.fingerprint)
        expect((await other.sessions.show(key))!.version).toBe(row.version)
      })

      test('a cookie ages alone', async () => {
        const { key } = await begin({ cookies: [cookie('long'), cookie('short', short)] })

        await tested.pass(short + 20)

        expect((await store.cookies.of(key)).map(({ name }) => name)).toEqual(['long'])
        expect(await store.sessions.find(key)).toMatchObject({ state: 'bound' })
      })

      test('recording creates no session', async () => {
        const key = freshKey(freshPool())

        store.cookies.record(key, [cookie('JSESSIONID')])
        await tested.pass(50)

        expect(await store.cookies.of(key)).toEqual([])
        expect(await store.sessions.find(key)).toMatchObject({ state: 'absent' })
      })

      test('a session that ends with its last cookie ends when that expires', async () => {
        const terms = { endsWithLastCookie: true, cookies: [cookie('one', short / 2), cookie('two', short)] }
        const { key, row } = await begin(terms)
        expect(row.deadline).toBe(row.created + short)

        await tested.pass(short + 20)

        expect(await store.sessions.find(key)).toMatchObject({ state: 'absent' })
      })

      test('a cookie set anew prolongs the session that ends with it', async () => {
        const { key } = await begin({ endsWithLastCookie: true, cookies: [cookie('JSESSIONID', short)] })

        store.cookies.record(key, [cookie('JSESSIONID', hour / 2)])
        await tested.pass(short + 20)

        const row = bound(await store.sessions.find(key))
        expect(row.deadline).toBeGreaterThan(store.now() + hour / 2 - 2000)
        expect(row.deadline).toBeLessThan(store.now() + hour / 2)
      })

      test('a session that ends with its last cookie is ended when that is dropped', async () => {
        const { key, row } = await begin({ endsWithLastCookie: true, cookies: [cookie('one'), cookie('two')] })

        store.cookies.record(key, [cookie('one', 0)])
        store.cookies.record(key, [cookie('two', 0)])

        await eventually(async () => (await store.sessions.find(key)).state === 'ended')
        expect((await store.sessions.find(key)).version).toBeGreaterThan(row.version)
      })

      test('a session that was never given a cookie does not end for want of one', async () => {
        const { row } = await begin({ endsWithLastCookie: true })

        expect(row.deadline).toBe(row.created + hour * 1.1)
      })

      test('no number or length of cookies makes a row grow without bound', async () => {
        const long = 'x'.repeat(5000)
        const many = (n: number) => Array.from({ length: 100 }, (_, i) => cookie(`${n}-${i}-${long}`, hour + i, long))
        const { key } = await begin({ cookies: many(0), source: long })
        for (let n = 1; n < 4; n++) store.cookies.record(key, many(n))
        await tested.pass(100)

        expect((await store.cookies.of(key)).length).toBeLessThanOrEqual(64)
      })
    })

    describe('showing', () => {
      test('a session is shown whole', async () => {
        const { key, row } = await begin({ source: 'cookie:JSESSIONID', cookies: [cookie('JSESSIONID')] })

        const shown = await other.sessions.show(key)

        expect(shown).toMatchObject({ ...row, key, source: 'cookie:JSESSIONID', touched: row.created })
        expect(shown!.cookies).toHaveLength(1)
      })

      test('lists give every live session of the pool, and no other', async () => {
        const pool = freshPool()
        const begun = await Promise.all(Array.from({ length: 700 }, (_, i) => begin({}, `b${i % 3}`, pool)))
        await begin()

        const listed = new Set((await rows(other, pool)).map(({ key }) => key.id))

        expect(listed).toEqual(new Set(begun.map(({ key }) => key.id)))
        expect(Object.fromEntries(await other.sessions.count(pool))).toEqual({ b0: 234, b1: 233, b2: 233 })
      })

      test('lists keep to a backend and to an idle time', async () => {
        const pool = freshPool()
        const old = await begin({}, 'a', pool)
        await tested.pass(short)
        const young = await begin({}, 'a', pool)
        await begin({}, 'b', pool)

        const ids = async (filter: SessionFilter) => new Set((await rows(store, pool, filter)).map(({ key }) => key.id))
        expect(await ids({ backend: 'a' })).toEqual(new Set([old.key.id, young.key.id]))
        expect(await ids({ backend: 'a', idleGreaterThan: short * 0.8 })).toEqual(new Set([old.key.id]))
        expect(await ids({ backend: 'none' })).toEqual(new Set())
      })

      test('a pool nobody uses has nothing to show', async () => {
        const pool = freshPool()

        expect(await rows(store, pool)).toEqual([])
        expect((await store.sessions.count(pool)).size).toBe(0)
        expect(await store.sessions.show(freshKey(pool))).toBeUndefined()
      })
    })

    describe('the cluster', () => {
      test('nodes are announced until they leave, and two of one id are kept apart', async () => {
        const first = await store.cluster.join(announcement('n1', 'x', 1))
        const twin = await other.cluster.join(announcement('n1', 'y', 2))
        const second = await other.cluster.join(announcement('n0', 'z', 3))

        const nodes = await store.cluster.nodes()
        expect(nodes.map(({ id, instance }) => `${id}/${instance}`)).toEqual(['n0/z', 'n1/x', 'n1/y'])
        expect(nodes[1]).toMatchObject(announcement('n1', 'x', 1))
        expect(nodes[1]!.lease).toBeGreaterThan(store.now())
        expect(Math.abs(nodes[1]!.heard - store.now())).toBeLessThan(2_000)

        await first.announce({ ...announcement('n1', 'x', 1), configHash: 'other' })
        expect((await other.cluster.nodes())[1]!.configHash).toBe('other')

        for (const membership of [first, twin, second]) await membership[Symbol.asyncDispose]()
        expect(await store.cluster.nodes()).toEqual([])
      })

      test('a secret is the first proposal, for all', async () => {
        const name = randomBytes(4).toString('hex')

        const first = await store.cluster.secret(name, 'mine')

        expect(first).toBe('mine')
        expect(await other.cluster.secret(name, 'yours')).toBe('mine')
        expect(await store.cluster.secret(`${name}-2`, 'yours')).toBe('yours')
      })
    })

    test('what is begun and ended is counted', async () => {
      const pool = freshPool()
      const chosen = await store.load.reserve(pool, [{ id: 'a', weight: 1 }])
      store.load.begin(pool, 'b')

      expect(chosen).toBe('a')
      expect(store.load.local(pool, 'b')).toBe(1)
      await eventually(async () => (await other.load.totals(pool)).get('b') === 1)
      store.load.end(pool, 'a')
      store.load.end(pool, 'b')
      await eventually(async () => (await other.load.totals(pool)).size === 0)
    })
  })
}

export function bound(row: Row): Binding {
  expect(row).toMatchObject({ state: 'bound' })
  return row as Binding
}

/** Asks again until it is so; the test's own time limit ends the wait. */
export async function eventually(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}

async function rows(store: Store, pool: string, filter?: SessionFilter): Promise<SessionRow[]> {
  const listed: SessionRow[] = []
  for await (const row of store.sessions.list(pool, filter)) listed.push(row)
  return listed
}

function nextStale(store: Store, key: SessionKey): Promise<void> {
  return new Promise((resolve) => {
    store.onStale((stale) => {
      if (stale !== 'all' && stale.pool === key.pool && stale.id === key.id) resolve()
    })
  })
}

/** Another id whose first bits, which choose its shard, are the same. */
function sameShard(id: string): string {
  return id.slice(0, 8) + randomBytes(16).toString('base64url').slice(8)
}

function announcement(id: string, instance: string, started: number): NodeAnnouncement {
  return {
    id,
    instance,
    started,
    host: 'host',
    pid: 1,
    version: '0.1.0',
    workers: 2,
    configHash: 'abc',
    opens: ['k1'],
    addresses: ['127.0.0.1:8080'],
  }
}
