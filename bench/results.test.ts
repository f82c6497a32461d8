import { expect, test } from 'vitest'

import { quick } from './plan.ts'
import type { Kind } from './proxies/contender.ts'
import { report } from './report.ts'
import { faultsIn, type Results, type RowResults, spreadOf } from './results.ts'
import { outcomes } from './targets.ts'

test('the median of an even number of rounds lies between the two in the middle', () => {
  const { median, least, most } = spreadOf(lane('sticky', 9, 1, 2, 4), 'cpu')

  expect({ median, least, most }).toEqual({ median: 3, least: 1, most: 9 })
})

test('a target in terms of another proxy compares medians', () => {
  const row = rowOf('known-session', lane('sticky', 13, 15, 14), lane('haproxy-insert', 10, 10, 90))

  expect(outcomes([row])).toEqual([{ says: 'known session, of HAProxy', atMost: 1.5, measured: 1.4, met: true }])
})

test('an absolute target judges the worst round', () => {
  const row = rowOf('follow-ups', lane('sticky-pair', 0, 0, 1))

  expect(outcomes([row])).toMatchObject([{ measured: 1, met: false }])
})

test('a target is silent when its row or the other proxy did not run', () => {
  expect(outcomes([rowOf('64k', lane('sticky', 1))])).toEqual([])
})

test('beside another revision of ourselves each kind is compared with its own', () => {
  const row = rowOf(
    'new-session',
    lane('sticky', 30),
    lane('sticky-pair', 40),
    lane('sticky', 60),
    lane('sticky-pair', 50),
  )

  const ratios = report(resultsOf(row)).match(/(?<=\) +\| +)\d\.\d\d/g)

  expect(ratios).toEqual(['0.50', '0.80', '1.00', '1.00'])
})

test('every wrong reply is a sentence of the report', () => {
  const row = rowOf('64k', { ...lane('caddy', 1), faults: ['caddy, round 1: status 502'] })

  expect(faultsIn([row])).toEqual(['64k: caddy, round 1: status 502'])
  expect(report(resultsOf(row))).toContain('- 64k: caddy, round 1: status 502')
})

function lane(kind: Kind, ...cpu: number[]) {
  return { contender: kind, kind, rounds: cpu.map((value) => ({ cpu: value })), faults: [] as string[] }
}

function rowOf(id: string, ...lanes: ReturnType<typeof lane>[]): RowResults {
  return { id, title: id, reference: 'haproxy-peers', measures: [{ key: 'cpu', title: 'CPU', digits: 1 }], lanes }
}

function resultsOf(row: RowResults): Results {
  const machine = { cpu: 'a processor', cores: 2, memoryGiB: 1, kernel: '6', node: 'v26', loadBefore: 0 }
  const about = { date: '2026-01-01T00:00:00Z', minutes: 1, plan: quick, machine, stolenSeconds: 0 }
  return { ...about, versions: {}, leftOut: [], configurations: {}, rows: [row] }
}
