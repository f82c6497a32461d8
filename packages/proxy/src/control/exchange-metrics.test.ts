import { expect, test } from 'vitest'

import type { ExchangeRecord } from '../traffic/exchange-record.ts'
import { ExchangeMetrics } from './exchange-metrics.ts'
import { testExchange, testPool } from './fixtures.test-support.ts'
import { countersOf, exposition, merged } from './metrics.ts'

test('exchanges are counted by pool, backend and status', async () => {
  const text = await exported([{ status: 200 }, { status: 200 }, { status: 404 }, { status: 502, backend: 'b' }])

  expect(text).toContain('sticky_requests_total{pool="shop",backend="a",code="200"} 2\n')
  expect(text).toContain('sticky_requests_total{pool="shop",backend="a",code="404"} 1\n')
  expect(text).toContain('sticky_requests_total{pool="shop",backend="b",code="502"} 1\n')
})

test('an exchange without a route, or before a backend, is counted without them', async () => {
  const text = await exported([
    { pool: undefined, backend: undefined, status: 404, refusal: 'no-route' },
    { backend: undefined, status: 503, refusal: 'no-backend' },
    { backend: undefined, status: 0, refusal: 'client-gone' },
  ])

  expect(text).toContain('sticky_requests_total{pool="",backend="",code="404"} 1\n')
  expect(text).toContain('sticky_requests_total{pool="shop",backend="",code="503"} 1\n')
  expect(text).toContain('sticky_requests_total{pool="shop",backend="",code="0"} 1\n')
  expect(text).toContain('sticky_refusals_total{code="no-route"} 1\n')
})

test('durations fall into cumulative buckets, in seconds, their bounds included', async () => {
  const text = await exported([{ duration: 0.5 }, { duration: 0.75 }, { duration: 1 }, { duration: 90_000 }])

  expect(text).toContain('sticky_request_duration_seconds_bucket{pool="shop",le="0.0005"} 1\n')
  expect(text).toContain('sticky_request_duration_seconds_bucket{pool="shop",le="0.001"} 3\n')
  expect(text).toContain('sticky_request_duration_seconds_bucket{pool="shop",le="60"} 3\n')
  expect(text).toContain('sticky_request_duration_seconds_bucket{pool="shop",le="+Inf"} 4\n')
  expect(text).toContain('sticky_request_duration_seconds_sum{pool="shop"} 90.00225\n')
  expect(text).toContain('sticky_request_duration_seconds_count{pool="shop"} 4\n')
})

test('sessions that were not begun are counted by pool and reason', async () => {
  const metrics = new ExchangeMetrics([testPool('shop', ['a'])])
  for (const reason of ['client-limit', 'pool-limit', 'client-limit'] as const) metrics.refuseSession('shop', reason)

  const { text } = await exposition([await merged([metrics.metrics()])])

  expect(text).toContain('sticky_sessions_refused_total{pool="shop",reason="client-limit"} 2\n')
  expect(text).toContain('sticky_sessions_refused_total{pool="shop",reason="pool-limit"} 1\n')
})

test('a tunnel is counted but not timed', async () => {
  const text = await exported([{ tunnel: true, status: 101, duration: 3_600_000, upstreamDuration: 2 }])

  expect(text).toContain('code="101"} 1\n')
  expect(text).not.toContain('sticky_request_duration_seconds_count')
  expect(text).toContain('sticky_upstream_duration_seconds_count{pool="shop",backend="a"} 1\n')
})

test.each([
  ['VN', 'hit'],
  ['VU', 'hit'],
  ['NI', 'new'],
  ['NP', 'learned'],
  ['NN', 'none'],
  ['DI', 'rebound'],
  ['DN', 'temporary'],
  ['EI', 'expired_idle'],
  ['OI', 'expired_absolute'],
  ['II', 'invalid'],
  ['UN', 'ignored'],
  ['VD', 'ended'],
] as const)('persistence %s is the decision %s', async (persistence, result) => {
  const text = await exported([{ persistence }])

  expect(text).toContain(`sticky_session_decisions_total{pool="shop",result="${result}"} 1\n`)
})

test('what affinity never decided is no decision, except that all were full', async () => {
  const text = await exported([
    { backend: undefined, refusal: 'no-backend' },
    { backend: undefined, refusal: 'all-full' },
  ])

  expect(text.match(/sticky_session_decisions_total\{.*/g)).toEqual([
    'sticky_session_decisions_total{pool="shop",result="full"} 1',
  ])
})

test('pools and backends that are gone stay counted, but no more than a hundred', async () => {
  const metrics = new ExchangeMetrics([testPool('shop', ['a'])])
  const observe = (pool: string, backend: string) => metrics.observe(testExchange({ pool, backend }))
  observe('shop', 'a')
  for (let turn = 0; turn < 150; turn++) {
    metrics.adopt([testPool('shop', [`s${turn}`]), testPool(`p${turn}`, ['p'])])
    observe('shop', `s${turn}`)
    observe(`p${turn}`, 'p')
  }

  const { text } = await exposition([await merged([metrics.metrics()])])
  const counted = Array.from(text.matchAll(/^sticky_requests_total\{pool="(\w+)",backend="(\w+)"/gm), ([, ...names]) =>
    names.join(),
  )

  expect(counted).toHaveLength(2 * 101)
  expect(counted).toEqual(expect.arrayContaining(['shop,s149', 'shop,s49', 'p149,p', 'p49,p']))
})

test('a pool or backend that was not configured adds no series', async () => {
  const text = await exported([{ pool: 'unheard-of' }, { backend: 'unheard-of' }])

  expect(text).not.toContain('unheard-of')
})

test('workers are summed, and what ended workers counted stays', async () => {
  const [one, other] = [metricsOf([{}, {}]), metricsOf([{}])]

  const departed = await merged([[], countersOf(one)])
  const { text } = await exposition([departed, other, metricsOf([{}, {}, {}])])

  expect(text).toContain('sticky_requests_total{pool="shop",backend="a",code="200"} 6\n')
  expect(text).toContain('sticky_request_duration_seconds_bucket{pool="shop",le="+Inf"} 6\n')
})

function metricsOf(exchanges: readonly Partial<ExchangeRecord>[]): object[] {
  const metrics = new ExchangeMetrics([testPool('shop', ['a', 'b'])])
  for (const exchange of exchanges) metrics.observe(testExchange(exchange))
  return metrics.metrics()
}

async function exported(exchanges: readonly Partial<ExchangeRecord>[]): Promise<string> {
  return (await exposition([metricsOf(exchanges)])).text
}
