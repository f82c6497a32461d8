import { type BackendOrder, MemoryStore, type Store, StoreUnavailable } from '@sticky/store'
import { expect, test } from 'vitest'

import type { NamedStanding } from '../upstream/standings.ts'
import { BackendOrders } from './backend-orders.ts'
import { testLog, testPool } from './fixtures.test-support.ts'
import { Verdicts } from './verdicts.ts'

test('what operators say is passed on to the workers, and said once in the log', async () => {
  const { store, orders, said, events } = knowing()

  await store.cluster.order('shop', 'a', { state: 'drain', weight: 3 })
  await orders.refresh()
  await orders.refresh()

  expect(said()).toEqual([{ pool: 'shop', backend: 'a', state: 'drain', weight: 3, up: true }])
  expect(orders.of('shop', 'a')).toMatchObject({ state: 'drain' })
  expect(events).toEqual([
    { level: 'info', event: 'backend ordered', fields: { pool: 'shop', backend: 'a', state: 'drain', weight: 3 } },
  ])
})

test('what health checks say of a backend stays', async () => {
  const { store, orders, said, verdicts } = knowing()
  verdicts.say('shop', 'a', { up: false })

  await store.cluster.order('shop', 'a', { state: 'maint' })
  await orders.refresh()

  expect(said()).toMatchObject([{ state: 'maint', up: false }])
})

test('news are read at once, and what was known last stays while the store is away', async () => {
  const { store, orders, said, away } = knowing()

  await store.cluster.order('shop', 'a', { state: 'drain' })
  await orders.refresh()
  away(true)

  await expect(orders.refresh()).rejects.toBeInstanceOf(StoreUnavailable)
  expect(said()).toMatchObject([{ state: 'drain' }])
})

test('who asks while a reading is under way waits for the next one, which has seen all that came before', async () => {
  const { store, orders, said, slow } = knowing()
  const release = slow()
  const early = orders.refresh()
  await store.cluster.order('shop', 'a', { state: 'drain' })

  const late = orders.refresh()
  release()
  await Promise.all([early, late])

  expect(said()).toMatchObject([{ state: 'drain' }])
})

test('a store that answers an older order is told the newer one, and changes nothing here', async () => {
  const { store, orders, said, known } = knowing()
  const first = await store.cluster.order('shop', 'a', { state: 'drain' })
  await orders.refresh()
  const second = await store.cluster.order('shop', 'a', { state: 'maint' })
  await orders.refresh()

  known.answer = [first]
  await orders.refresh()

  expect(said()).toMatchObject([{ state: 'maint' }])
  expect(known.asked).toEqual([second])
})

test('of a backend that is not configured an order is known as long as the store has it', async () => {
  const { store, orders, said, known } = knowing()
  await store.cluster.order('shop', 'a', { state: 'drain' })
  const gone = await store.cluster.order('shop', 'gone', { state: 'maint', weight: 2 })
  await orders.refresh()
  expect(orders.of('shop', 'gone')).toEqual(gone)

  known.answer = []
  await orders.refresh()

  expect(known.asked.map(({ backend }) => backend)).toEqual(['a'])
  expect(orders.of('shop', 'gone')).toBeUndefined()
  expect(orders.of('shop', 'a')).toMatchObject({ state: 'drain' })
  expect(said().map(({ backend }) => backend)).toEqual(['a'])
})

/** A node's orders over a store in memory that can be away, slow, or answer something else. */
function knowing() {
  const memory = new MemoryStore()
  const known: { asked: readonly BackendOrder[]; answer: readonly BackendOrder[] | undefined } = {
    asked: [],
    answer: undefined,
  }
  let isAway = false
  let slowness: Promise<void> | undefined
  const cluster = Object.assign(Object.create(memory.cluster) as Store['cluster'], {
    order: memory.cluster.order.bind(memory.cluster),
    onOrders: memory.cluster.onOrders.bind(memory.cluster),
    async orders(asked: readonly BackendOrder[]) {
      if (isAway) throw new StoreUnavailable('away')
      known.asked = asked
      const orders = known.answer ?? (await memory.cluster.orders())
      await slowness
      return orders
    },
  })
  const store = Object.assign(Object.create(memory) as Store, { cluster, onAvailability: () => {} })
  let standings: readonly NamedStanding[] = []
  const verdicts = new Verdicts((all) => {
    standings = all
  })
  const { log, events } = testLog()
  const orders = new BackendOrders({
    store,
    verdicts,
    pools: () => [testPool('shop', ['a'])],
    log,
    heartbeat: 1_000_000,
  })
  const slow = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    slowness = promise
    return () => {
      slowness = undefined
      resolve()
    }
  }
  const away = (is: boolean) => {
    isAway = is
  }
  return { store, orders, verdicts, said: () => standings, events, known, away, slow }
}
