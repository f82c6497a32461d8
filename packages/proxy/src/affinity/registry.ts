import type { Milliseconds, Store } from '@sticky/store'

import type { AffinityConfig, BackendConfig } from '../config/config.ts'
import { chain } from './chain.ts'
import { cloneId } from './clone-id.ts'
import { companionCookie } from './companion-cookie.ts'
import type { Fingerprints } from './fingerprint.ts'
import { instanceCookie } from './instance-cookie.ts'
import { instancePath } from './instance-path.ts'
import type { Keyring } from './keyring.ts'
import { persistenceKey } from './persistence-key.ts'
import { script } from './script.ts'
import type { ScriptHosts } from './script-service.ts'
import { sessionCookie } from './session-cookie.ts'
import type { SessionRefusal } from './session-quota.ts'
import type { AffinityStrategy } from './strategy.ts'

/** What the strategies of a pool draw on. */
export interface AffinityServices {
  readonly pool: string
  /** Ids of the backends this node knows. */
  readonly backends: ReadonlySet<string>
  /** Since when it knows these and no others, in store time; undefined: from now on. */
  readonly since?: Milliseconds | undefined
  /** The same, with the names by which requests may ask for them. */
  readonly members: readonly BackendConfig[]
  readonly store: Pick<Store, 'sessions' | 'cookies' | 'now'>
  readonly keyring: Keyring
  readonly fingerprints: Fingerprints
  /** Runs scripts; undefined where none are to run. */
  readonly scripts?: ScriptHosts | undefined
  /** Is told when a session may not begin. */
  readonly sessionRefused?: ((reason: SessionRefusal) => void) | undefined
}

/** Every strategy by its name in the configuration. */
const strategies: {
  readonly [Name in AffinityConfig['strategy']]: (
    config: Extract<AffinityConfig, { strategy: Name }>,
    services: AffinityServices,
  ) => AffinityStrategy
} = {
  'session-cookie': sessionCookie,
  'persistence-key': persistenceKey,
  'instance-cookie': instanceCookie,
  'instance-path': instancePath,
  'clone-id': cloneId,
  'companion-cookie': companionCookie,
  script,
}

/** Those whose requests tell by themselves where they belong: nothing of their sessions is stored. */
const storeless: ReadonlySet<AffinityConfig['strategy']> = new Set([
  'instance-cookie',
  'instance-path',
  'clone-id',
  'companion-cookie',
])

/** Do sessions of this chain begin with a row in the store? */
export function storesSessions(configs: readonly AffinityConfig[]): boolean {
  return configs.some(({ strategy }) => !storeless.has(strategy))
}

/** Makes the strategy of a pool from its chain. */
export function createStrategy(configs: readonly AffinityConfig[], services: AffinityServices): AffinityStrategy {
  return chain(configs.map((config) => create(config, services)))
}

function create<Name extends AffinityConfig['strategy']>(
  config: Extract<AffinityConfig, { strategy: Name }>,
  services: AffinityServices,
): AffinityStrategy {
  return strategies[config.strategy as Name](config, services)
}
