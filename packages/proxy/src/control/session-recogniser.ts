import type { MaybePromise, SessionKey, Store } from '@sticky/store'

import type { Fingerprints } from '../affinity/fingerprint.ts'
import type { Keyring } from '../affinity/keyring.ts'
import { createStrategy } from '../affinity/registry.ts'
import { type AffinityStrategy, wholeSite } from '../affinity/strategy.ts'
import type { PoolConfig } from '../config/config.ts'
import { fieldOf } from '../wire/fields.ts'
import type { RequestHead } from '../wire/request-head.ts'
import { dryStore } from './explain-store.ts'

/** What recognising a session takes. */
export interface RecogniserServices {
  readonly store: Store
  readonly keyring: Keyring
  readonly fingerprints: Fingerprints
}

/** Tells which session of a pool a request with this Cookie field would be recognised as, by the pool's own strategies. */
export function sessionRecogniser(
  pools: readonly PoolConfig[],
  services: RecogniserServices,
): (pool: string, cookie: string) => Promise<SessionKey | undefined> {
  const dry = { ...services, store: dryStore(services.store, () => 0) }
  const strategies = new Map(pools.map((pool) => [pool.id, strategyOf(pool, dry)]))
  return async (pool, cookie) => {
    const strategy = strategies.get(pool)
    // What our cookie is called may depend on whether the request came over TLS.
    return strategy && ((await keyIn(strategy, cookie, true)) ?? (await keyIn(strategy, cookie, false)))
  }
}

function strategyOf(pool: PoolConfig, services: RecogniserServices): AffinityStrategy {
  const backends = new Set(pool.backends.map((backend) => backend.id))
  return createStrategy(pool.affinity, { pool: pool.id, backends, members: pool.backends, ...services })
}

async function keyIn(strategy: AffinityStrategy, cookie: string, secure: boolean): Promise<SessionKey | undefined> {
  const located: MaybePromise<{ readonly key: SessionKey | undefined }> = strategy.locate(
    requestWith(cookie),
    { address: '', secure },
    wholeSite,
  )
  return (await located).key
}

function requestWith(cookie: string): RequestHead {
  const fields = ['Host', 'localhost', 'Cookie', cookie]
  return {
    method: 'GET',
    target: '/',
    path: '/',
    minorVersion: 1,
    fields,
    host: 'localhost',
    cookie,
    header: (name) => fieldOf(fields, name),
  }
}
