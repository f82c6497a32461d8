import type * as z from 'zod'

import { backendSchema } from './backend-schema.ts'
import type { BalanceName, PoolConfig } from './config.ts'
import { defaults } from './defaults.ts'
import { list, map, oneOf } from './schema-shapes.ts'
import { strategySchema } from './strategies/strategies.ts'

/** A pool as the file has it: its id is its key. */
export type PoolContents = Omit<PoolConfig, 'id'>

const balances = ['leastLoad', 'leastSessions', 'roundRobin', 'random', 'powerOfTwo'] as const satisfies BalanceName[]

/** One pool. */
export const poolSchema: z.ZodType<PoolContents> = map({
  backends: list(backendSchema, 'must be a list of backends such as { id: a, url: http://10.0.0.1:8080 }', 1).describe(
    'The instances of one application.',
  ),
  balance: oneOf(balances)
    .prefault(defaults.balance)
    .describe(
      'Who gets a newcomer: `leastLoad` (fewest exchanges in flight in the whole cluster), `leastSessions`, `roundRobin`, `random`, `powerOfTwo`; all by weight.',
    ),
  affinity: list(strategySchema, 'must be a list of strategies such as { strategy: session-cookie }')
    .prefault([...defaults.affinity])
    .describe('How a session is recognised: the first strategy that knows the request wins. `[]`: no sessions at all.'),
  hostHeader: oneOf(['preserve', 'backend'])
    .prefault(defaults.hostHeader)
    .describe('The Host that backends see: the client’s, or the backend’s own.'),
})
