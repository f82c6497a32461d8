import { describe, expect, test } from 'vitest'

import type { Candidate, LoadTable } from '../../packages/store/src/store.ts'

const candidates: Candidate[] = [
  { id: 'a', weight: 1 },
  { id: 'b', weight: 2 },
  { id: 'c', weight: 1 },
  { id: 'd', weight: 3 },
]

/** What every load table promises to one process. */
export function loadTableContract(name: string, open: () => Promise<LoadTable & Partial<AsyncDisposable>>): void {
  describe(name, () => {
    const inPool = (title: string, body: (table: LoadTable) => Promise<void>) =>
      test(title, async () => {
        const table = await open()
        await body(table)
        await table[Symbol.asyncDispose]?.()
      })

    inPool('counts what it chose until it ends', async (table) => {
      const chosen = (await table.reserve('p', candidates))!

      expect(table.local('p', chosen)).toBe(1)
      expect(await table.totals('p')).toEqual(new Map([[chosen, 1]]))
      table.end('p', chosen)
      expect(table.local('p', chosen)).toBe(0)
      expect(await table.totals('p')).toEqual(new Map())
    })

    inPool('chooses the least load for its weight', async (table) => {
      for (const backend of ['a', 'b', 'b', 'c', 'd', 'd']) table.begin('p', backend)

      expect(await table.reserve('p', candidates)).toBe('d')
      table.end('p', 'b')
      expect(await table.reserve('p', candidates)).toBe('b')
    })

    inPool('spreads the newcomers of one turn as if they had come one after another', async (table) => {
      const chosen = await Promise.all(Array.from({ length: 14 }, () => table.reserve('p', candidates)))

      expect(chosen.sort().join('')).toBe('aabbbbccdddddd')
    })

    inPool('rotates by weight while all are idle', async (table) => {
      const picks: Record<string, number> = {}
      for (let pick = 0; pick < 7000; pick++) {
        const chosen = (await table.reserve('p', candidates))!
        table.end('p', chosen)
        picks[chosen] = (picks[chosen] ?? 0) + 1
      }

      expect(picks).toEqual({ a: 1000, b: 2000, c: 1000, d: 3000 })
    })

    inPool('chooses none beyond its limit, and says when all are full', async (table) => {
      const limited = candidates.slice(0, 2).map((candidate) => ({ ...candidate, limit: 2 }))

      const chosen = await Promise.all(Array.from({ length: 5 }, () => table.reserve('p', limited)))

      expect(chosen.map(String).sort()).toEqual(['a', 'a', 'b', 'b', 'undefined'])
      expect(await table.reserve('p', [])).toBeUndefined()
    })

    inPool('gives turns by weight, exactly in every period, to the next in order', async (table) => {
      const turns: string[] = []
      for (let period = 0; period < 3; period++) {
        const taken = await Promise.all(Array.from({ length: 7 }, () => table.turn('p', candidates)))
        expect(taken.toSorted().join('')).toBe('abbcddd')
        turns.push(...taken)
      }

      expect(turns.slice(0, 4).sort().join('')).toBe('abcd')
      expect(await table.totals('p')).toEqual(new Map())
    })

    inPool('skips who has had its turns, and who may not be chosen', async (table) => {
      const [a, b] = [
        { id: 'a', weight: 1 },
        { id: 'b', weight: 3 },
      ]
      await table.turn('p', [a])

      const turns = [await table.turn('p', [a, b]), await table.turn('p', [a, b]), await table.turn('p', [a, b])]

      expect(turns.join('')).toBe('bbb')
      expect([await table.turn('p', [a]), await table.turn('p', [a])].join('')).toBe('aa')
    })

    inPool('charges for what was served out of turn, and gives back', async (table) => {
      const two = [
        { id: 'a', weight: 2 },
        { id: 'b', weight: 2 },
      ]
      for (let turn = 0; turn < 4; turn++) await table.turn('p', two)

      table.charge('p', 'a', 2)
      table.charge('p', 'b', 1)
      table.charge('p', 'b', -1)
      const next = [await table.turn('p', two), await table.turn('p', two)]

      expect(next.join('')).toBe('bb')
    })

    inPool('keeps pools apart', async (table) => {
      table.begin('p', 'a')
      table.begin('q', 'a')
      table.begin('q', 'a')

      expect(await table.totals('p')).toEqual(new Map([['a', 1]]))
      expect(await table.totals('q')).toEqual(new Map([['a', 2]]))
      expect(await table.totals('unused')).toEqual(new Map())
      expect(table.local('q', 'a')).toBe(2)
    })

    inPool('never counts below nothing', async (table) => {
      table.end('p', 'a')
      table.begin('p', 'a')

      expect(await table.totals('p')).toEqual(new Map([['a', 1]]))
      expect(table.local('p', 'a')).toBe(1)
    })
  })
}
