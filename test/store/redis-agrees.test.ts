import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type CookieRecord,
  MemoryStore,
  type SessionKey,
  type Store,
  type Terms,
} from '../../packages/store/src/index.ts'
import { RedisStore } from '../../packages/store/src/redis-store.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'
import { eventually, freshKey } from './store-contract.ts'

const hour = 3_600_000
const pick = <const T>(...values: T[]) => fc.constantFrom(...values)

const cookies: fc.Arbitrary<CookieRecord[]> = fc.array(
  fc.record({
    name: pick('JSESSIONID', 'cart', 'x'),
    fingerprint: pick('AAAAAAAAAAA', 'BBBBBBBBBBA'),
    age: pick(0, hour, 2 * hour),
    attributes: pick('', 'Path=/; HttpOnly'),
  }),
  { maxLength: 3 },
)
const terms: fc.Arbitrary<Terms> = fc.record({
  age: pick(hour, 2 * hour),
  lifetime: pick(undefined, 3 * hour),
  endsWithLastCookie: fc.boolean(),
  source: pick('session-cookie', 'cookie:x'),
  cookies,
})
const steps = fc.array(
  fc.record({
    key: pick(0, 1),
    step: fc.oneof(
      fc.record({ bind: pick('a', 'b'), seen: pick('nothing', 'row', 'older'), terms }),
      fc.record({ record: cookies }),
      fc.constant({ touch: true }),
      fc.constant({ end: true }),
    ),
  }),
  { minLength: 1, maxLength: 12 },
)
type Step = (typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never)['step']

async function take(store: Store, key: SessionKey, step: Step): Promise<unknown> {
  const row = await store.sessions.find(key)
  if ('bind' in step) {
    const seen = { nothing: 0, row: row.version, older: row.version - 1 }[step.seen]
    return (await store.sessions.bind(key, step.bind, Math.max(0, seen), step.terms)).state
  }
  if ('end' in step) return store.sessions.end(key)
  if ('record' in step) store.cookies.record(key, step.record)
  else if (row.state === 'bound') store.sessions.touch(key, row)
  return undefined
}

/** All one can see of sessions but clocks. */
async function view(store: Store, keys: readonly SessionKey[]): Promise<unknown> {
  const sessions = await Promise.all(
    keys.map(async (key) => {
      const row = await store.sessions.find(key)
      const shown = await store.sessions.show(key)
      if (row.state !== 'bound' || !shown) return { state: row.state, shown }
      const cookies = shown.cookies.map((cookie) => ({ ...cookie, expires: rounded(cookie.expires - shown.created) }))
      return {
        backend: row.backend,
        age: row.age,
        lifetime: row.end && row.end - row.created,
        left: rounded(row.deadline - row.created),
        endsWithLastCookie: row.endsWithLastCookie,
        source: shown.source,
        cookies: cookies.sort((a, b) => (a.name < b.name ? -1 : 1)),
      }
    }),
  )
  return { sessions, counts: [...(await store.sessions.count(keys[0]!.pool))].sort() }
}

/** To the minute: the two stores' clocks read a little apart. */
const rounded = (time: number) => Math.round(time / 60_000)

test('whatever is done to sessions, Redis and memory show the same', async () => {
  await using redis = new RedisStore(redisUrl(), { prefix: freshPrefix() })
  await using memory = new MemoryStore()
  await eventually(() => redis.available)
  let pools = 0

  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const pool = `pool-${pools++}`
      const [marker, ...keys] = [freshKey(pool), freshKey(pool), freshKey(pool)]
      for (const store of [redis, memory]) await store.sessions.bind(marker, 'marker', 0, markerTerms)
      for (const { key, step } of taken) {
        const [there, here] = [await take(redis, keys[key]!, step), await take(memory, keys[key]!, step)]
        expect(there).toEqual(here)
        await settled(redis, marker)
        expect(await view(redis, keys)).toEqual(await view(memory, keys))
      }
    }),
    { numRuns: 40 },
  )
})

const markerTerms: Terms = { age: hour, source: '' }
let marks = 0

/** Renewals go later than what is waited for, in order: once a last one has arrived, so have those before it. */
async function settled(store: Store, marker: SessionKey): Promise<void> {
  const name = `mark-${marks++}`
  store.cookies.record(marker, [{ name, fingerprint: 'AAAAAAAAAAA', age: hour, attributes: '' }])
  await eventually(async () => (await store.cookies.of(marker)).some((cookie) => cookie.name === name))
}
