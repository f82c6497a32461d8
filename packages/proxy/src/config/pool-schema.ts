import * as z from 'zod'

import { backendSchema, backendTls } from './backend-schema.ts'
import type { BalanceName, PoolConfig } from './config.ts'
import { defaults } from './defaults.ts'
import { healthCheck, percent, statuses } from './health-schema.ts'
import { presetNames } from './presets.ts'
import { flag, list, map, oneOf, optional, whole } from './schema-shapes.ts'
import { duration, fieldPattern, ownFieldName, size, sizeOrNone } from './schema-values.ts'
import { strategySchema } from './strategies/strategies.ts'

/** A pool as the file has it: its id is its key. */
export type PoolContents = Omit<PoolConfig, 'id'>

const balances = [
  'leastLoad',
  'leastSessions',
  'roundRobin',
  'sharedRoundRobin',
  'random',
  'powerOfTwo',
] as const satisfies BalanceName[]

const ejection = map({
  failures: whole(1, 100).prefault(defaults.ejection.failures).describe('After so many failures in a row.'),
  for: duration
    .prefault(defaults.ejection.for)
    .describe('The first pause, after which one request tries the backend again; doubled each time that fails.'),
  longest: duration.prefault(defaults.ejection.longest).describe('The longest pause.'),
  mostShare: percent
    .prefault(defaults.ejection.mostShare)
    .describe(
      'The most of the pool’s backends that may be out at once. One always may; the last that can serve is never put out.',
    ),
  statuses: statuses
    .prefault([...defaults.ejection.statuses])
    .describe(
      'Answers that count as failures, such as `[502-504]`; a mere connection brings a backend back no longer then. By default whatever is answered is well.',
    ),
})

const temporary = map({ temporary: duration.describe('So long a session whose backend is away keeps it as its home.') })

const onUnavailable = z.union([oneOf(['rebind', 'temporary', 'wait', 'fail']), temporary], {
  error: 'must be one of rebind, temporary, wait, fail, or a map such as { temporary: 30s }',
})

const queue = map({
  max: whole(1, 100_000).prefault(defaults.queue.max).describe('So many requests may wait, in each worker.'),
  timeout: duration
    .prefault(defaults.queue.timeout)
    .describe('The longest that a request waits, after which it is refused.'),
})

const retry = map({
  attempts: whole(0, 10)
    .prefault(defaults.retry.attempts)
    .describe('So many other backends are tried at most. At 0 every failure is answered.'),
  budget: percent
    .prefault(defaults.retry.budget)
    .describe(
      'The share of a worker’s requests of the last 10 s that may be sent again; further failures are answered. Leaving a backend that took no connection costs nothing of it.',
    ),
  minPerSecond: whole(0, 10_000)
    .prefault(defaults.retry.minPerSecond)
    .describe('So many may be sent again all the same, on an average of these 10 s.'),
})

const timeouts = map({
  connect: optional(duration).describe('For a connection to a backend of this pool. By default the general one.'),
  response: optional(duration).describe('For the head of its answer. By default the general one.'),
  ejects: flag()
    .prefault(defaults.poolTimeouts.ejects)
    .describe('An answer that took too long counts as a failure of its backend, as a failed connection does.'),
})

const contents = map({
  preset: optional(oneOf(presetNames)).describe(
    'What the pool does not say itself is as this system or application wants it: see [presets](affinity.md#presets).',
  ),
  backends: list(backendSchema, 'must be a list of backends such as { id: a, url: http://10.0.0.1:8080 }', 1).describe(
    'The instances of one application.',
  ),
  balance: oneOf(balances)
    .prefault(defaults.balance)
    .describe(
      'Who gets a newcomer: `leastLoad` (fewest exchanges in flight in the whole cluster), `leastSessions`, `roundRobin`, `sharedRoundRobin` (turns that all nodes count together), `random`, `powerOfTwo`; all by weight.',
    ),
  affinity: list(strategySchema, 'must be a list of strategies such as { strategy: session-cookie }')
    .prefault([...defaults.affinity])
    .describe('How a session is recognised: the first strategy that knows the request wins. `[]`: no sessions at all.'),
  hostHeader: oneOf(['preserve', 'backend'])
    .prefault(defaults.hostHeader)
    .describe('The Host that backends see: the client’s, or the backend’s own.'),
  countsKnown: flag()
    .prefault(defaults.countsKnown)
    .describe(
      'With `sharedRoundRobin`: requests of known sessions use up their backend’s turns too, so that newcomers make up for them.',
    ),
  ejection: ejection.prefault({}).describe('When a backend that fails is left out, and for how long.'),
  healthCheck: optional(healthCheck).describe(
    'How each node asks the backends whether they are well, such as `{ path: /healthz }`. By default it does not.',
  ),
  panicBelow: percent
    .prefault(defaults.panicBelow)
    .describe(
      'While a lesser share of the backends is well, all but those in `maint` are used as if they were. At `0%` that is never done.',
    ),
  slowStart: optional(duration).describe(
    'So long the share of a backend that is well again grows, from a tenth to its weight, in the whole cluster. By default it has it at once.',
  ),
  onUnavailable: onUnavailable
    .prefault(defaults.onUnavailable)
    .describe(
      'What becomes of a session whose backend cannot serve: `rebind` (another one serves and is its home from then on), `temporary` (another one serves, and the session returns), `{ temporary: 30s }` (for so long, then `rebind`), `wait` (in the `queue`, which it brings along), `fail` (503). A strategy that refuses such sessions itself does so whatever is said here.',
    ),
  movedHeader: optional(ownFieldName).describe(
    'A request field such as `X-Sticky-Moved` that tells a backend whose session it gets instead of its home, and why: `from=a; reason=down`. Taken out of what clients send. By default there is none.',
  ),
  queue: optional(queue).describe('Who may wait while all backends are full. By default nobody does.'),
  retry: retry.prefault({}).describe('How often requests are sent to other backends when the first one failed.'),
  timeouts: timeouts.prefault({}).describe('How long the backends of this pool may take.'),
  tls: backendTls.describe(
    'How backends with an `https://` url are known: by default by the authorities Node trusts and their host names.',
  ),
  maxBody: optional(size).describe('Bytes of a request’s body, where this pool takes less than `limits.body`.'),
  replayBody: sizeOrNone
    .prefault(defaults.replayBody)
    .describe(
      'A request whose body is at most so large may be sent to a second backend although the first may have acted on it, POST included. At 0 that is never done.',
    ),
  removeHeaders: list(fieldPattern, 'must be a list of header names such as [X-Internal, "$WS*"]')
    .prefault([])
    .describe(
      'Header fields of clients that backends never see, in any case of letters; a `*` at the end stands for anything. Host, Cookie and what we write ourselves are not among them.',
    ),
})

/** One pool. What its preset says was put in before. */
export const poolSchema: z.ZodType<PoolContents> = contents.transform(({ preset: _, ...pool }) => withQueue(pool))

/** Who waits, waits in a queue. */
function withQueue(pool: PoolContents): PoolContents {
  const { onUnavailable, queue: written } = pool
  return onUnavailable === 'wait' && written === undefined ? { ...pool, queue: queue.parse({}) } : pool
}
