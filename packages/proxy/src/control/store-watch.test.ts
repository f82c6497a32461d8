import { MemoryStore, type Store, type StoreRole, StoreUnavailable } from '@sticky/store'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'

import { testLog } from './fixtures.test-support.ts'
import { StoreWatch } from './store-watch.ts'

beforeEach(() => {
  vi.useFakeTimers()
  return () => vi.useRealTimers()
})

const well: StoreRole = {
  ...{ role: 'requests', available: true, reason: undefined, readOnly: false },
  ...{ late: 0, refusedWrites: 0, away: 0 },
}

function watched(warnings: readonly string[] = []) {
  const { log, events } = testLog()
  const state = { role: well, refusals: 0 }
  const store: Store = Object.assign(new MemoryStore(), {
    roles: () => [state.role],
    async warnings() {
      if (state.refusals-- > 0) throw new StoreUnavailable('it does not answer yet')
      return warnings
    },
  })
  const watch = new StoreWatch(store, log)
  onTestFinished(() => watch[Symbol.dispose]())
  const becomes = async (role: Partial<StoreRole>) => {
    state.role = { ...well, ...role }
    await vi.advanceTimersByTimeAsync(1000)
  }
  return { watch, events, becomes, state }
}

test('each change of the store is told once', async () => {
  const { events, becomes } = watched()

  await becomes({})
  await becomes({ available: false, reason: 'silence' })
  await becomes({})
  await becomes({ readOnly: true, reason: 'OOM' })
  await becomes({})

  expect(events).toMatchObject([
    { level: 'warn', event: 'store lost' },
    { level: 'info', event: 'store found' },
    { level: 'error', event: 'store refuses writes' },
    { level: 'info', event: 'store takes writes again' },
  ])
})

test('a store that is away from the start is told of', async () => {
  const { events, becomes } = watched()

  await becomes({ available: false })

  expect(events).toMatchObject([{ level: 'warn', event: 'store lost' }])
})

test('what is to be known of its set-up is told once, however often it comes back', async () => {
  const { watch, events, becomes } = watched(['it evicts'])
  await becomes({ role: 'upkeep', available: false })
  await becomes({ role: 'upkeep' })

  expect(events.filter(({ event }) => event === 'store set-up')).toHaveLength(1)
  expect(watch.warnings).toBe(1)
})

test('a store that comes back and does not answer yet is examined as soon as it does', async () => {
  const warnings: string[] = []
  const { watch, becomes, state } = watched(warnings)
  await becomes({ role: 'upkeep', available: false })

  warnings.push('it evicts')
  state.refusals = 2
  await becomes({ role: 'upkeep' })

  expect(state.refusals).toBeLessThan(0)
  expect(watch.warnings).toBe(1)
})
