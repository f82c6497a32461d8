import * as z from 'zod'

import type { PersistenceKeyConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { list, map, oneOf, optional } from '../schema-shapes.ts'
import { age, id, method } from '../schema-values.ts'
import { keySource } from './key-source.ts'
import { lifetime } from './lifetime.ts'
import { sessionQuota } from './session-quota.ts'
import type { StrategySchema } from './strategy-schema.ts'

const usual = defaults.persistenceKey

const contents = map({
  strategy: z
    .literal('persistence-key')
    .describe('A value that the application or its client chose is the session’s key.'),
  from: list(keySource, 'must be a list such as [{ cookie: JSESSIONID }]', 1).describe(
    'Where the key is found, in this order: the first that leads to a session decides.',
  ),
  age: age.prefault(usual.age).describe('A session ends when it was not used for this long.'),
  lifetime,
  endOn: list(method, 'must be a list of methods such as [DELETE]')
    .prefault([...usual.endOn])
    .describe('Methods of requests that end their session when they are answered with 2xx.'),
  whenGone: oneOf(['rebind', 'gone'])
    .prefault(usual.whenGone)
    .describe('When its backend is away a session goes on at another (`rebind`), or its client is told 404 (`gone`).'),
  maxSkew: optional(z.number({ error: skewExpectation() }).min(1, { error: skewExpectation() })).describe(
    'A backend that carries more than so many times its pool’s mean load gives sessions away. By default none is given away.',
  ),
  share: optional(id).describe('The pool among whose sessions these are, so that each honours the other’s keys.'),
  newPerClient: sessionQuota.newPerClient
    .prefault(usual.newPerClient)
    .describe(
      'How many sessions the values of one address’ requests (of one /64 of IPv6) may begin, per worker; `false`: any.',
    ),
  maxSessions: sessionQuota.maxSessions
    .prefault(usual.maxSessions)
    .describe('With so many sessions in the pool none begins, until some have ended.'),
  backup: optional(oneOf(['cookie'])).describe(
    '`cookie`: a sealed cookie of ours, `sticky-key-<pool>`, goes with the key, by which any node finds the session while the store is away, and after it forgot. By default none: then a worker knows what it has seen lately.',
  ),
})

function skewExpectation(): string {
  return 'must be a number of at least 1, such as 2'
}

/** A persistence-key strategy. */
export const persistenceKey: StrategySchema<PersistenceKeyConfig> = contents
