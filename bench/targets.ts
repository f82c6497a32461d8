import type { Kind } from './proxies/contender.ts'
import { type RowResults, spreadOf } from './results.ts'

/** A promise about a row's first measure: ours, or ours in terms of another's, is at most this. */
interface Target {
  readonly row: string
  readonly ours: Kind
  readonly against?: Kind
  readonly atMost: number
  readonly says: string
}

const targets: readonly Target[] = [
  { row: 'known-session', ours: 'sticky', against: 'haproxy-insert', atMost: 1.5, says: 'known session, of HAProxy' },
  {
    row: 'new-session',
    ours: 'sticky-pair',
    against: 'haproxy-peers',
    atMost: 1.2,
    says: 'new session, of HAProxy with peers',
  },
  { row: '64k', ours: 'sticky', against: 'haproxy-insert', atMost: 1.3, says: '64 KiB, of HAProxy' },
  { row: '1m', ours: 'sticky', against: 'haproxy-insert', atMost: 1, says: '1 MiB, of HAProxy' },
  { row: 'known-session', ours: 'sticky', against: 'caddy', atMost: 1 / 3, says: 'known session, of Caddy' },
  { row: 'known-session', ours: 'sticky', against: 'http-proxy', atMost: 1 / 3, says: 'known session, of http-proxy' },
  {
    row: 'known-session',
    ours: 'sticky',
    against: 'fastify-http-proxy',
    atMost: 1 / 3,
    says: 'known session, of @fastify/http-proxy',
  },
  ...strategyTargets(1.3, 'sticky-companion-cookie', 'sticky-persistence-key', 'sticky-clone-id'),
  ...strategyTargets(1.3, 'sticky-instance-cookie', 'sticky-instance-path'),
  ...strategyTargets(1.5, 'sticky-script'),
  { row: 'idle-connections', ours: 'sticky', atMost: 16, says: 'KiB per idle connection' },
  { row: 'redis-memory', ours: 'sticky', atMost: 350, says: 'bytes of Redis per session' },
  { row: 'follow-ups', ours: 'sticky-pair', atMost: 0, says: 'follow-ups on a wrong backend in any round' },
]

/** What a strategy may cost in terms of session-cookie. */
function strategyTargets(atMost: number, ...kinds: readonly Kind[]): Target[] {
  return kinds.map((ours) => ({
    row: 'strategies',
    ours,
    against: 'sticky',
    atMost,
    says: `${ours.slice('sticky-'.length)}, of session-cookie`,
  }))
}

/** A target beside what was measured. */
export interface Outcome {
  readonly says: string
  readonly atMost: number
  readonly measured: number
  readonly met: boolean
}

/** Every target whose rows and contenders ran. */
export function outcomes(rows: readonly RowResults[]): Outcome[] {
  return targets.flatMap((target) => {
    const row = rows.find(({ id }) => id === target.row)
    const measured = row && measuredFor(target, row)
    return measured === undefined
      ? []
      : [{ says: target.says, atMost: target.atMost, measured, met: measured <= target.atMost }]
  })
}

function measuredFor({ ours, against }: Target, row: RowResults): number | undefined {
  const our = spreadFor(row, ours)
  if (!against) return our?.most
  const their = spreadFor(row, against)
  return our && their && our.median / their.median
}

function spreadFor({ lanes, measures }: RowResults, kind: Kind) {
  const lane = lanes.find((lane) => lane.kind === kind)
  return lane && spreadOf(lane, measures[0]!.key)
}
