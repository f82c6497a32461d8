import type * as z from 'zod'

import { backendSchema, backendTls } from './backend-schema.ts'
import type { BalanceName, PoolConfig } from './config.ts'
import { defaults } from './defaults.ts'
import { presetNames } from './presets.ts'
import { flag, list, map, oneOf, optional, whole } from './schema-shapes.ts'
import { duration, fieldPattern, size, sizeOrNone } from './schema-values.ts'
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
export const poolSchema: z.ZodType<PoolContents> = contents.transform(({ preset: _, ...pool }) => pool)
