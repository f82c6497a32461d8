import fc from 'fast-check'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { loadScripts } from '../../packages/store/src/load-scripts.ts'
import { RedisStore } from '../../packages/store/src/redis-store.ts'
import type { Candidate } from '../../packages/store/src/store.ts'
import { WeightedTurns } from '../../packages/store/src/weighted-turns.ts'
import { freshPrefix, redisUrl, startRedis } from '../support/redis.ts'

const weights: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 })
const candidatesOf = (weights: readonly number[]): Candidate[] =>
  weights.map((weight, at) => ({ id: `b${at}`, weight }))

test('two nodes give exactly each weight of turns in every period, however they mix', async () => {
  const prefix = freshPrefix()
  await using one = new RedisStore(redisUrl(), { prefix })
  await using other = new RedisStore(redisUrl(), { prefix })
  await expect.poll(() => one.available && other.available).toBe(true)
  let pools = 0

  await fc.assert(
    fc.asyncProperty(weights, fc.array(fc.boolean(), { minLength: 360, maxLength: 360 }), async (weights, mix) => {
      const pool = `p${pools++}`
      const candidates = candidatesOf(weights)
      const period = weights.reduce((sum, weight) => sum + weight, 0)

      for (let past = 0; past < 3; past++) {
        const nodes = mix.slice(past * period, (past + 1) * period).map((first) => (first ? one : other))
        const turns = await Promise.all(nodes.map((node) => node.load.turn(pool, candidates)))
        expect(countsOf(turns)).toEqual(Object.fromEntries(candidates.map(({ id, weight }) => [id, weight])))
      }
    }),
    { numRuns: 40 },
  )
})

test('without Redis a process counts turns of its own, and goes on with those of all when it is back', async () => {
  await using redis = await startRedis()
  await using store = new RedisStore(redis.url, { commandTimeout: 100 })
  await expect.poll(() => store.available).toBe(true)
  const candidates = candidatesOf([2, 1, 1])
  const period = async () => {
    const turns = await Promise.all([1, 2, 3, 4].map(() => store.load.turn('p', candidates)))
    return countsOf(turns)
  }
  expect(await period()).toEqual({ b0: 2, b1: 1, b2: 1 })

  await redis.kill()
  for (let past = 0; past < 3; past++) expect(await period()).toEqual({ b0: 2, b1: 1, b2: 1 })

  await redis.start()
  await expect.poll(() => store.available, { timeout: 5000 }).toBe(true)
  expect(await period()).toEqual({ b0: 2, b1: 1, b2: 1 })
})

const b0: Candidate = { id: 'b0', weight: 2 }
const id = fc.integer({ min: 1, max: 4 }).map((number) => `b${number}`)
const step = fc.record({
  charges: fc.array(fc.tuple(fc.oneof(id, fc.constant('b0')), fc.integer({ min: -1, max: 9 })), { maxLength: 3 }),
  turns: fc.integer({ min: 1, max: 5 }),
  among: fc.uniqueArray(fc.record({ id, weight: fc.integer({ min: 1, max: 4 }) }), { selector: (one) => one.id }),
})

test('Redis and memory give turns alike, whoever comes, goes and is charged', async () => {
  const redis = new Redis(redisUrl())
  const key = `${freshPrefix()}{p}:turns`

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      await redis.del(key)
      const memory = new WeightedTurns()
      for (const { charges, turns, among } of steps) {
        // Where turns begin after a backend that is none of these is anybody's guess: b0 has just had one.
        const candidates = [b0, ...among]
        for (const [id, by] of charges) memory.charge(id, by)
        const expected = [memory.take([b0], 0), ...Array.from({ length: turns }, () => memory.take(candidates, 0))]

        const groups = [
          1,
          1,
          b0.id,
          b0.weight,
          turns,
          candidates.length,
          ...candidates.flatMap(({ id, weight }) => [id, weight]),
        ]
        const given = await redis.eval(loadScripts.turn.lua, 1, key, charges.length, ...charges.flat(), ...groups)

        expect(given).toEqual(expected)
      }
    }),
    { numRuns: 150 },
  )

  await redis.del(key)
  redis.disconnect()
})

function countsOf(ids: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1
  return counts
}
