import { StoreUnavailable } from '@sticky/store'
import { expect, test } from 'vitest'

import { backend, FakeLoad } from './fakes.test-support.ts'
import { loadSkew } from './skew.ts'

const [a, b, c] = [backend('a'), backend('b'), backend('c', { weight: 2 })]

test.each([
  ['no more than the mean', { a: 2, b: 2, c: 4 }, 1, false],
  ['more than twice the mean', { a: 7, b: 1, c: 2 }, 2, true],
  ['just twice the mean', { a: 4, b: 1, c: 2 }, 2, false],
  ['the only exchange there is', { a: 1 }, 1.5, false],
  ['nothing', {}, 1, false],
])('a home with %s', async (_, loads, times, above) => {
  const { skew } = skewOf(loads)

  expect(await skew.isAbove(a, times)).toBe(above)
})

test('a load is weighed by its backend’s weight', async () => {
  const { skew } = skewOf({ a: 2, b: 2, c: 9 })

  expect(await skew.isAbove(c, 1.5)).toBe(false)
  expect(await skew.isAbove(c, 1.25)).toBe(true)
})

test('backups and backends that cannot serve count for nothing, and are never above', async () => {
  const idle = [
    backend('down', { canServe: false }),
    backend('spare', { backup: true }),
    backend('drained', { weight: 0 }),
  ]
  const { skew } = skewOf({ a: 3, b: 3, spare: 9, drained: 9 }, [a, b, ...idle])

  expect(await skew.isAbove(a, 1)).toBe(false)
  for (const one of idle) expect(await skew.isAbove(one, 1)).toBe(false)
})

test('totals are asked for once a second at most, and before they are old without making anybody wait', async () => {
  const parts = skewOf({ a: 7, b: 1, c: 2 })
  await Promise.all([parts.skew.isAbove(a, 2), parts.skew.isAbove(b, 2)])
  expect(parts.asked()).toBe(1)

  parts.advance(499)
  expect(parts.skew.isAbove(a, 2)).toBe(true)
  expect(parts.asked()).toBe(1)
  parts.advance(1)
  expect(parts.skew.isAbove(a, 2)).toBe(true)
  expect(parts.asked()).toBe(2)
})

test('nothing is above while nobody knows the totals', async () => {
  const parts = skewOf({ a: 7 })
  parts.fail()

  expect(await parts.skew.isAbove(a, 1)).toBe(false)
})

const skewOf = (loads: Record<string, number>, backends = [a, b, c]) => {
  let now = 0
  let asked = 0
  let failing = false
  const totals = async () => {
    asked++
    if (failing) throw new StoreUnavailable('test')
    return new Map(Object.entries(loads))
  }
  const load = Object.assign(new FakeLoad(), { totals })
  return {
    skew: loadSkew(backends, load, () => now),
    asked: () => asked,
    advance: (by: number) => {
      now += by
    },
    fail: () => {
      failing = true
    },
  }
}
