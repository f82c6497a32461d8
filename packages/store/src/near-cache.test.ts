import { describe, expect, test, vi } from 'vitest'
import { type ChangeFeed, unheard } from './change-feed.ts'
import { MemoryStore } from './memory-store.ts'
import { NearCache } from './near-cache.ts'
import {
  type Binding,
  type CookieRecord,
  type CookieTable,
  type MaybePromise,
  type Row,
  type SessionKey,
  type SessionTable,
  type Store,
  StoreUnavailable,
  type Terms,
} from './store.ts'

const minute = 60_000
const terms: Terms = { age: 30 * minute, source: 'session-cookie' }
const keyOf = (id: string): SessionKey => ({ pool: 'shop', id })
const key = keyOf('a session')

const start = 1_800_000_000_000

/** A store far away, that may be gone, counts what it is asked, and can be made to take its time. */
class FarStore implements Store {
  time = start
  available = true
  finds = 0
  touches = 0
  recordings = 0
  slowness: Promise<void> | undefined
  /** Does it answer, and refuse what needs memory? */
  full = false
  /** Pools whose master is dead. */
  readonly dead = new Set<string>()
  readonly #onAvailability: ((available: boolean) => void)[] = []
  /** What it holds, without the way there. */
  here: MemoryStore = new MemoryStore({ now: () => this.time })
  readonly load = this.here.load
  readonly cluster = this.here.cluster
  readonly operators = this.here.operators
  readonly sessions: SessionTable = {
    find: (key) => {
      this.finds++
      return this.#ask(() => this.here.sessions.find(key))
    },
    bind: (...bind) => this.#ask(() => this.here.sessions.bind(...bind), this.full || this.dead.has(bind[0].pool)),
    touch: (key, binding) => {
      this.touches++
      if (this.available) this.here.sessions.touch(key, binding)
    },
    end: (key) => this.#ask(() => this.here.sessions.end(key)),
    move: (...move) => this.#ask(() => this.here.sessions.move(...move)),
    show: (key) => this.#ask(() => this.here.sessions.show(key)),
    list: (pool, filter) => this.here.sessions.list(pool, filter),
    count: (pool) => this.#ask(() => this.here.sessions.count(pool)),
  }
  readonly cookies: CookieTable = {
    record: (key, cookies) => {
      this.recordings++
      this.here.cookies.record(key, cookies)
    },
    of: (key) => this.here.cookies.of(key),
  }

  now(): number {
    return this.time
  }

  onAvailability(listener: (available: boolean) => void): void {
    this.#onAvailability.push(listener)
  }

  comesBack(): void {
    this.available = true
    for (const listener of this.#onAvailability) listener(true)
  }

  forgets(): void {
    this.here = new MemoryStore({ now: () => this.time })
  }

  onStale(): void {}

  async recall(): Promise<void> {}

  onRecall(): void {}

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.here[Symbol.asyncDispose]()
  }

  async #ask<T>(answer: () => MaybePromise<T>, refused = false): Promise<T> {
    if (!this.available || refused) throw new StoreUnavailable('gone')
    const answered = await answer()
    await this.slowness
    if (!this.available) throw new StoreUnavailable('gone meanwhile')
    return answered
  }
}

class Feed implements ChangeFeed {
  live = true
  generation = 1
  readonly #listeners: ((key: SessionKey, below: number) => void)[] = []

  hearing(): number {
    return this.live ? this.generation : unheard
  }

  onChange(listener: (key: SessionKey, below: number) => void): void {
    this.#listeners.push(listener)
  }

  onSilence(): void {}

  tell(key: SessionKey, below: number): void {
    for (const listener of this.#listeners) listener(key, below)
  }
}

function setUp(entries?: number) {
  const far = new FarStore()
  const feed = new Feed()
  return { far, feed, near: new NearCache(far, feed, { entries }) }
}

const begin = async (near: Store, id = key) => (await near.sessions.bind(id, 'a', 0, terms)) as Binding
const asked = (row: MaybePromise<Row>) => row instanceof Promise

test('a session bound here costs no promise afterwards', async () => {
  const { far, near } = setUp()
  const row = await begin(near)

  expect(near.sessions.find(key)).toEqual(row)
  expect(far.finds).toBe(0)
})

test('a session found once costs no promise afterwards', async () => {
  const { far, near } = setUp()
  await far.here.sessions.bind(key, 'a', 0, terms)

  const row = await near.sessions.find(key)

  expect(near.sessions.find(key)).toEqual(row)
  expect(far.finds).toBe(1)
})

test('neither absence nor a tombstone is held', async () => {
  const { far, near } = setUp()
  await near.sessions.find(key)
  await near.sessions.find(key)
  expect(far.finds).toBe(2)

  const { version } = (await far.here.sessions.bind(key, 'a', 0, terms)) as Binding
  await far.here.sessions.end(key)
  expect(await near.sessions.find(key, version)).toMatchObject({ state: 'ended' })
  expect(asked(near.sessions.find(key))).toBe(true)
})

test('a row below the version asked for is read again', async () => {
  const { far, near } = setUp()
  const row = await begin(near)
  const moved = (await far.here.sessions.bind(key, 'b', row.version, terms)) as Binding

  expect(near.sessions.find(key)).toEqual(row)
  expect(await near.sessions.find(key, moved.version)).toEqual(moved)
  expect(near.sessions.find(key)).toEqual(moved)
})

test('a change told drops what is older, and nothing newer', async () => {
  const { feed, near } = setUp()
  const row = await begin(near)

  feed.tell(keyOf('another'), row.version + 1)
  feed.tell(key, row.version)
  expect(near.sessions.find(key)).toEqual(row)

  feed.tell(key, row.version + 1)
  expect(asked(near.sessions.find(key))).toBe(true)
})

test('whoever listens for stale rows is told after they are dropped', async () => {
  const { feed, near } = setUp()
  const row = await begin(near)
  const held: boolean[] = []
  near.onStale(() => held.push(!asked(near.sessions.find(key))))

  feed.tell(key, row.version + 1)

  expect(held).toEqual([false])
})

test('an answer is not held when a change of its key was told while it was on its way', async () => {
  const { far, feed, near } = setUp()
  const row = (await far.here.sessions.bind(key, 'a', 0, terms)) as Binding
  const { promise, resolve } = Promise.withResolvers<void>()
  far.slowness = promise

  const finding = near.sessions.find(key)
  feed.tell(key, row.version + 1)
  resolve()

  expect(await finding).toEqual(row)
  expect(asked(near.sessions.find(key))).toBe(true)
})

test('an answer asked for before changes could be heard is read again', async () => {
  const { far, feed, near } = setUp()
  await far.here.sessions.bind(key, 'a', 0, terms)
  feed.live = false
  const finding = near.sessions.find(key)
  feed.live = true
  await finding

  expect(asked(near.sessions.find(key))).toBe(true)
})

test('while changes go unheard a row is read again before it is used', async () => {
  const { far, feed, near } = setUp()
  await begin(near)

  feed.live = false
  await near.sessions.find(key)
  await near.sessions.find(key)
  expect(far.finds).toBe(2)

  feed.live = true
  await near.sessions.find(key)
  expect(asked(near.sessions.find(key))).toBe(false)
})

test('what was held before changes went unheard is read again once they are heard anew', async () => {
  const { feed, near } = setUp()
  await begin(near)

  feed.generation++

  expect(asked(near.sessions.find(key))).toBe(true)
  await near.sessions.find(key)
  expect(asked(near.sessions.find(key))).toBe(false)
})

test('while the store is away a row is used until it ends, and touches by its requests count', async () => {
  const { far, feed, near } = setUp()
  const row = await begin(near)
  far.available = false
  feed.live = false

  for (let passed = 0; passed < 90; passed += 15) {
    far.time += 15 * minute
    expect(near.sessions.find(key)).toMatchObject({ backend: 'a', version: row.version })
    near.sessions.touch(key, row)
  }
  far.time += 34 * minute
  await expect(Promise.resolve(near.sessions.find(key))).rejects.toBeInstanceOf(StoreUnavailable)
})

test('a store that goes away while a row is read again leaves the row in use', async () => {
  const { far, feed, near } = setUp()
  const row = await begin(near)
  const { promise, resolve } = Promise.withResolvers<void>()
  far.slowness = promise
  feed.live = false

  const finding = near.sessions.find(key)
  far.available = false
  resolve()

  expect(await finding).toEqual(row)
})

test('past its deadline a row is read again', async () => {
  const { far, near } = setUp()
  await begin(near)

  far.time += 33 * minute

  expect(await near.sessions.find(key)).toMatchObject({ state: 'absent' })
})

test('touches are told to the store a tenth of the age apart', async () => {
  const { far, near } = setUp()
  const row = await begin(near)

  for (let passed = 0; passed < 30; passed++) {
    far.time += minute
    near.sessions.touch(key, row)
  }

  expect(far.touches).toBe(10)
  expect((near.sessions.find(key) as Binding).deadline).toBe(far.time + 33 * minute)
})

test('a session that is not held is touched whenever it is asked', async () => {
  const { far, feed, near } = setUp()
  const row = await begin(near)
  feed.tell(key, row.version + 1)

  near.sessions.touch(key, row)
  near.sessions.touch(key, row)

  expect(far.touches).toBe(2)
})

const cookieOf = (fingerprint: string, age = 10 * minute): CookieRecord => ({
  name: 'sid',
  fingerprint,
  age,
  attributes: 'Path=/',
})

test('the same cookie set again is recorded when its expiry has moved by a tenth of its age', async () => {
  const { far, near } = setUp()
  await near.sessions.bind(key, 'a', 0, { ...terms, cookies: [cookieOf('one')] })

  near.cookies.record(key, [cookieOf('one')])
  expect(far.recordings).toBe(0)
  far.time += minute
  near.cookies.record(key, [cookieOf('one', 10 * minute - 7)])
  expect(far.recordings).toBe(0)
  far.time += 7
  near.cookies.record(key, [cookieOf('one')])
  near.cookies.record(key, [cookieOf('one', 10 * minute - 7)])
  expect(far.recordings).toBe(1)
})

test('another value, a shorter life or a drop of a cookie is recorded at once', async () => {
  const { far, near } = setUp()
  await near.sessions.bind(key, 'a', 0, { ...terms, cookies: [cookieOf('one')] })

  near.cookies.record(key, [cookieOf('two')])
  near.cookies.record(key, [cookieOf('two', 5 * minute)])
  near.cookies.record(key, [cookieOf('two', 0)])
  near.cookies.record(key, [cookieOf('two', 0)])

  expect(far.recordings).toBe(4)
})

test('of several cookies each is looked at', async () => {
  const { far, near } = setUp()
  const [one, two] = [cookieOf('one'), { ...cookieOf('two'), name: 'theme' }]
  await near.sessions.bind(key, 'a', 0, { ...terms, cookies: [one, two] })

  near.cookies.record(key, [one, two])
  expect(far.recordings).toBe(0)
  near.cookies.record(key, [two, one])
  near.cookies.record(key, [two])
  near.cookies.record(key, [{ ...two, attributes: 'Path=/shop' }])

  expect(far.recordings).toBe(3)
})

test('a session that ends with its last cookie is told of each, and read again at its deadline', async () => {
  const { far, near } = setUp()
  const cookie = cookieOf('one')
  const row = await near.sessions.bind(key, 'a', 0, { ...terms, endsWithLastCookie: true, cookies: [cookie] })

  far.time += 9 * minute
  near.cookies.record(key, [cookie])
  near.sessions.touch(key, row as Binding)
  expect(near.sessions.find(key)).toMatchObject({ deadline: start + 10 * minute })

  far.time += minute
  expect(await near.sessions.find(key)).toMatchObject({ deadline: start + 19 * minute })
})

test('an ended session is forgotten at once', async () => {
  const { near } = setUp()
  await begin(near)

  await near.sessions.end(key)

  expect(await near.sessions.find(key)).toMatchObject({ state: 'ended' })
})

test('the session not used for longest makes room', async () => {
  const { near } = setUp(3)
  for (const id of ['1', '2', '3']) await begin(near, keyOf(id))
  near.sessions.find(keyOf('1'))
  await begin(near, keyOf('4'))

  const held = ['1', '2', '3', '4'].filter((id) => !asked(near.sessions.find(keyOf(id))))

  expect(held).toEqual(['1', '3', '4'])
})

describe('what is bound while the store is away', () => {
  test('is in force here, and written when the store is back', async () => {
    const { far, near } = setUp()
    far.available = false
    await expect(near.sessions.bind(key, 'a', 0, terms)).rejects.toBeInstanceOf(StoreUnavailable)
    expect(near.sessions.find(key)).toMatchObject({ backend: 'a', version: 1 })

    far.comesBack()

    await eventually(() => far.here.sessions.find(key), { state: 'bound', backend: 'a' })
    expect(near.sessions.find(key)).toMatchObject({ backend: 'a', source: terms.source })
  })

  test('gives way to whoever bound the session before', async () => {
    const { far, near } = setUp()
    far.available = false
    await near.sessions.bind(key, 'a', 0, terms).catch(() => {})
    await far.here.sessions.bind(key, 'b', 0, terms)

    far.comesBack()

    await eventually(() => near.sessions.find(key), { backend: 'b' })
    expect(await far.here.sessions.find(key)).toMatchObject({ backend: 'b' })
  })

  test('replaces the row only in the version that was seen', async () => {
    const { far, near } = setUp()
    const { version } = await begin(near)
    const other = keyOf('another')
    const { version: otherVersion } = await begin(near, other)
    far.available = false
    for (const [each, seen] of [
      [key, version],
      [other, otherVersion],
    ] as const) {
      await near.sessions.bind(each, 'b', seen, terms).catch(() => {})
    }
    expect(near.sessions.find(key, version + 1)).toMatchObject({ backend: 'b' })
    await far.here.sessions.bind(other, 'c', otherVersion, terms)

    far.comesBack()

    await eventually(() => far.here.sessions.find(key), { backend: 'b' })
    await eventually(() => near.sessions.find(other), { backend: 'c' })
  })

  test('is not lost to an older row that is read before it is written', async () => {
    const { far, near } = setUp()
    const { version } = await begin(near)
    far.available = false
    await near.sessions.bind(key, 'b', version, terms).catch(() => {})
    far.available = true

    expect(await near.sessions.find(key)).toMatchObject({ backend: 'b' })
  })

  test('begins nothing where the session has ended', async () => {
    const { far, near } = setUp()
    const { version } = await begin(near)
    far.available = false
    await near.sessions.bind(key, 'b', version, terms).catch(() => {})
    await far.here.sessions.end(key)

    far.comesBack()

    await eventually(() => near.sessions.find(key), { state: 'ended' })
  })

  test('is not written when the session was ended here since', async () => {
    const { far, near } = setUp()
    far.available = false
    await near.sessions.bind(key, 'a', 0, terms).catch(() => {})
    await near.sessions.end(key).catch(() => {})

    far.comesBack()
    await begin(near, keyOf('another'))

    expect(await far.here.sessions.find(key)).toMatchObject({ state: 'absent' })
  })

  test('is tried again when the store takes no writes yet', async () => {
    const { far, near } = setUp()
    far.full = true
    await near.sessions.bind(key, 'a', 0, terms).catch(() => {})
    expect(await near.sessions.find(key)).toMatchObject({ backend: 'a' })

    far.full = false

    await eventually(() => far.here.sessions.find(key), { backend: 'a' })
  })

  test('waits for no other pool, whose part of the store does not come back', async () => {
    const { far, near } = setUp()
    far.available = false
    const lost = { pool: 'lost', id: 'another' }
    for (const each of [lost, key]) await near.sessions.bind(each, 'a', 0, terms).catch(() => {})
    far.dead.add('lost')

    far.comesBack()

    await eventually(() => far.here.sessions.find(key), { backend: 'a' })
    far.dead.clear()
    await eventually(() => far.here.sessions.find(lost), { backend: 'a' })
  })

  test('is given up beyond 10,000, the oldest first', async () => {
    const { far, near } = setUp()
    far.available = false
    for (let n = 0; n <= 10_000; n++) await near.sessions.bind(keyOf(`${n}`), 'a', 0, terms).catch(() => {})

    far.comesBack()

    await eventually(async () => (await far.here.sessions.count('shop')).get('a'), 10_000)
    expect(await far.here.sessions.find(keyOf('0'))).toMatchObject({ state: 'absent' })
  })
})

describe('a store that forgets', () => {
  test('is told again of a session that is held and has not ended', async () => {
    const { far, feed, near } = setUp()
    await near.sessions.bind(key, 'a', 0, { ...terms, lifetime: 60 * minute })
    far.forgets()
    feed.tell(key, 0)

    expect(await near.sessions.find(key)).toMatchObject({ backend: 'a' })

    await eventually(() => far.here.sessions.find(key), {
      backend: 'a',
      end: start + 60 * minute,
      source: terms.source,
    })
  })

  test('is not told of one that has passed its deadline', async () => {
    const { far, feed, near } = setUp()
    await begin(near)
    far.forgets()
    far.time += 33 * minute
    feed.tell(key, 0)

    expect(await near.sessions.find(key)).toMatchObject({ state: 'absent' })
  })

  test('is not told of one that ends with its last cookie, for only the store knew of that', async () => {
    const { far, feed, near } = setUp()
    await near.sessions.bind(key, 'a', 0, { ...terms, endsWithLastCookie: true, cookies: [cookieOf('one')] })
    far.forgets()
    feed.tell(key, 0)

    expect(await near.sessions.find(key)).toMatchObject({ state: 'absent' })
  })
})

/** Waits until the answer matches. */
async function eventually(ask: () => unknown, expected: unknown): Promise<void> {
  await vi.waitFor(async () => {
    const answer = await ask()
    if (typeof expected === 'object') expect(answer).toMatchObject(expected as object)
    else expect(answer).toBe(expected)
  }, 3000)
}
