import { expect, test } from 'vitest'
import { MemoryStore } from './memory-store.ts'
import { NearCache } from './near-cache.ts'
import { openStore } from './open-store.ts'

test('memory: is a store inside this process', async () => {
  await using store = openStore('memory:')

  expect(store).toBeInstanceOf(MemoryStore)
  expect(store.available).toBe(true)
})

test.each(['redis://127.0.0.1:1', 'rediss://user:password@127.0.0.1:1/3'])('%s is held near', async (url) => {
  await using store = openStore(url)

  expect(store).toBeInstanceOf(NearCache)
  expect(store.available).toBe(false)
})

test('any other URL is refused with what would be right', () => {
  expect(() => openStore('http://127.0.0.1')).toThrow('store URL must begin with redis://')
})
