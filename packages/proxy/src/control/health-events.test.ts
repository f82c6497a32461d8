import { StoreUnavailable } from '@sticky/store'
import { expect, test } from 'vitest'

import { HealthEvents } from './health-events.ts'
import type { Log } from './log.ts'

function watched(tellRecovery: () => Promise<void> = async () => {}) {
  const lines: [event: string, fields: object][] = []
  const note = (fields: object, event: string): void => void lines.push([event, fields])
  const log: Pick<Log, 'info' | 'warn' | 'error'> = { info: note, warn: note, error: note }
  return { events: new HealthEvents(log as Log, { tellRecovery }), lines }
}

test('each ejection is logged and counted, and so is the way back', () => {
  const { events, lines } = watched()

  events.ejected('shop', 'a', 5_000, '3 in a row: no connection')
  events.readmitted('shop', 'a')
  events.ejected('shop', 'a', 5_000, '3 in a row: no connection')

  expect(lines).toEqual([
    ['backend ejected', { pool: 'shop', backend: 'a', reason: '3 in a row: no connection', pause_ms: 5_000 }],
    ['backend readmitted', { pool: 'shop', backend: 'a' }],
    expect.anything(),
  ])
  expect(valuesOf(events, 'sticky_backend_ejections_total')).toEqual([
    { labels: { pool: 'shop', backend: 'a' }, value: 2 },
  ])
})

test('a panic is shown while it lasts', () => {
  const { events, lines } = watched()
  expect(valuesOf(events, 'sticky_pool_panic')).toEqual([])

  events.panicked('shop', true, 1, 3)
  expect(valuesOf(events, 'sticky_pool_panic')).toEqual([{ labels: { pool: 'shop' }, value: 1 }])
  events.panicked('shop', false, 2, 3)

  expect(valuesOf(events, 'sticky_pool_panic')).toEqual([{ labels: { pool: 'shop' }, value: 0 }])
  expect(lines.map(([event]) => event)).toEqual(['pool panicked', 'pool calmed'])
})

test('that nobody else can be told of a recovery while the store is away is no news', async () => {
  const { events, lines } = watched(() => Promise.reject(new StoreUnavailable('away')))

  events.recovered('shop', 'a')
  await new Promise(setImmediate)

  expect(lines).toEqual([])
})

function valuesOf(events: HealthEvents, name: string): unknown {
  return events.metrics().find((metric) => metric.name === name)?.values
}
