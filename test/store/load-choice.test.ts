import fc from 'fast-check'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'

import { leastLoaded } from '../../packages/store/src/least-loaded.ts'
import { groupByCandidates, LoadPick, pickArguments } from '../../packages/store/src/load-pick.ts'
import { loadScripts } from '../../packages/store/src/load-scripts.ts'
import type { Candidate } from '../../packages/store/src/store.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'

const candidate: fc.Arbitrary<Candidate & { total: number }> = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
  weight: fc.integer({ min: 1, max: 1000 }),
  limit: fc.option(fc.nat(8), { nil: undefined, freq: 3 }),
  total: fc.oneof(fc.constant(0), fc.nat(6), fc.nat(1_000_000)),
})

test('Redis and memory choose alike', async () => {
  const redis = new Redis(redisUrl())
  const keys = [`${freshPrefix()}{p}:load`, `${freshPrefix()}{p}:load:w`] as const
  const candidates = fc.uniqueArray(candidate, { selector: ({ id }) => id, minLength: 1, maxLength: 80 })

  await fc.assert(
    fc.asyncProperty(candidates, fc.nat(2 ** 40), fc.integer({ min: 1, max: 20 }), async (list, turn, picks) => {
      const totals = new Map(list.map(({ id, total }) => [id, total]))
      const expected = Array.from({ length: picks }, (_none, at) => {
        const chosen = leastLoaded(list, (id) => totals.get(id)!, turn + at + 1)
        if (chosen) totals.set(chosen.id, totals.get(chosen.id)! + 1)
        return chosen?.id ?? ''
      })

      await redis.del(...keys)
      const counts = list.flatMap(({ id, total }) => (total > 0 ? [id, total] : []))
      const [ticket] = (await redis.eval(loadScripts.open.lua, 2, ...keys, 'w', 1, 1000, ...counts)) as [string]
      await redis.hset(keys[0], '#r', turn)
      const granted = await redis.eval(loadScripts.call.lua, 2, ...keys, ticket, 1, 0, ...pickArguments(picks, list))

      expect(granted).toEqual(expected)
    }),
    { numRuns: 150 },
  )

  await redis.del(...keys)
  redis.disconnect()
})

test('picks are grouped by equal lists of candidates', () => {
  const list: Candidate[] = [{ id: 'a', weight: 1 }]
  const picks = [
    list,
    [{ id: 'a', weight: 1 }],
    [{ id: 'a', weight: 2 }],
    list,
    [{ id: 'a', weight: 1, limit: 3 }],
  ].map((candidates) => new LoadPick(candidates, () => () => {}))

  expect(groupByCandidates(picks).map((group) => group.items.map((pick) => picks.indexOf(pick)))).toEqual([
    [0, 1, 3],
    [2],
    [4],
  ])
})
