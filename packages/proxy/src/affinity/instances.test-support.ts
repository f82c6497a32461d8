import { MemoryStore } from '@sticky/store'

import { backend } from '../balancing/fakes.test-support.ts'
import type { AffinityConfig, BackendConfig, InstanceCookieConfig, InstancePathConfig } from '../config/config.ts'
import { backendConfig } from '../config/parts.test-support.ts'
import { type Fields, requestHead, responseHead } from '../wire/heads.test-support.ts'
import type { ParsedResponse } from '../wire/response-head.ts'
import { Fingerprints } from './fingerprint.ts'
import { Keyring, keyId } from './keyring.ts'
import { createStrategy } from './registry.ts'
import { type AffinityStrategy, type Session, wholeSite } from './strategy.ts'

/** Three instances, each with a prefix of its own. */
export const farm: readonly BackendConfig[] = [
  backendConfig('g1', { prefix: '/GAS1' }),
  backendConfig('g2', { prefix: '/GAS2' }),
  backendConfig('g10', { prefix: '/GAS10' }),
]

/** A keyring whose keys every node opens. */
export function keyringOf(...secrets: string[]): Keyring {
  return new Keyring({ secrets, openedByAll: secrets.map(keyId) })
}

/** The strategy of a pool `shop` of these instances. */
export function strategyOf(
  affinity: readonly AffinityConfig[],
  members: readonly BackendConfig[] = farm,
  keyring: Keyring = keyringOf('secret'),
): AffinityStrategy {
  return createStrategy(affinity, {
    pool: 'shop',
    backends: new Set(members.map(({ id }) => id)),
    members,
    store: new MemoryStore(),
    keyring,
    fingerprints: new Fingerprints('fingerprint'),
  })
}

/** One exchange as strategies see it. */
export interface InstanceVisit {
  readonly session: Session
  /** The target and Cookie field that the backend got. */
  readonly target: string
  readonly cookie: string | undefined
  readonly taken: boolean
  readonly response: ParsedResponse
}

/** A request of that target, and an answer with those fields by its home, or by `by`. */
export async function visit(
  strategy: AffinityStrategy,
  target: string,
  { cookie, by, answer = {}, secure = false }: { cookie?: string; by?: string; answer?: Fields; secure?: boolean } = {},
): Promise<InstanceVisit> {
  const request = requestHead(`GET ${target}`, { Cookie: cookie })
  const session = await strategy.locate(request, { address: '192.0.2.1', secure }, wholeSite)
  const to = backend(by ?? session.home[0] ?? 'g1')
  const outgoing = { target: request.target, cookie, lines: '' }
  session.dispatched?.(to, outgoing)
  const response = responseHead(answer)
  const taken = await session.served(to, response)
  return { session, target: outgoing.target, cookie: outgoing.cookie, taken, response }
}

export function instanceCookieConfig(parts: Partial<InstanceCookieConfig> = {}): InstanceCookieConfig {
  return {
    strategy: 'instance-cookie',
    name: 'instance',
    value: 'sealed',
    start: '/',
    path: '/',
    domain: undefined,
    secure: 'auto',
    httpOnly: true,
    sameSite: 'Lax',
    partitioned: false,
    prefix: 'auto',
    cachePrivate: true,
    ...parts,
  }
}

export function instancePathConfig(parts: Partial<InstancePathConfig> = {}): InstancePathConfig {
  return { strategy: 'instance-path', start: '/gas', whenAway: 'refuse', mapResponses: false, ...parts }
}
