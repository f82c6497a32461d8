import { MemoryStore } from '@sticky/store'
import { expect, test } from 'vitest'

import { Fingerprints } from '../affinity/fingerprint.ts'
import { Keyring } from '../affinity/keyring.ts'
import { type Session, wholeSite } from '../affinity/strategy.ts'
import { healthy } from '../balancing/fakes.test-support.ts'
import type { AffinityConfig, PoolConfig } from '../config/config.ts'
import { backendConfig, persistenceKeyConfig, poolConfig, routeConfig } from '../config/parts.test-support.ts'
import { requestHead, responseHead } from '../wire/heads.test-support.ts'
import type { RequestHead } from '../wire/request-head.ts'
import { newcomerFrom } from './routes.test-support.ts'
import { buildTopology } from './topology.ts'

test('routes lead to the pools they name, in file order', () => {
  const { routes, pools } = topologyOf({
    pools: [pool('shop'), pool('legacy')],
    routes: [routeConfig('legacy', { host: ['legacy.example.com'] }), routeConfig('shop')],
  })

  expect(routes.match(request('legacy.example.com'), newcomerFrom, 80)).toMatchObject({
    index: 0,
    to: pools.get('legacy'),
  })
  expect(routes.match(request('example.com'), newcomerFrom, 80)).toMatchObject({ index: 1, to: pools.get('shop') })
})

test.for([
  ['http://127.0.0.1:3001', 'http', '127.0.0.1', 3001, '127.0.0.1:3001'],
  ['http://app.internal', 'http', 'app.internal', 80, 'app.internal'],
  ['https://app.internal', 'https', 'app.internal', 443, 'app.internal'],
  ['https://app.internal:8443', 'https', 'app.internal', 8443, 'app.internal:8443'],
  ['http://[::1]:3001', 'http', '::1', 3001, '[::1]:3001'],
] as const)('backend %s is reached over %s at %s, port %i', ([url, scheme, hostname, port, authority]) => {
  const { pools } = topologyOf({ pools: [pool('shop', { backends: [backendConfig('a', { url, weight: 2 })] })] })

  expect(pools.get('shop')!.byId.get('a')).toMatchObject({ pool: 'shop', scheme, hostname, port, authority, weight: 2 })
})

test('a backend’s own time-outs come before those of its pool', () => {
  const timeouts = { connect: 1000, response: 2000, ejects: true }
  const own = backendConfig('a', { timeouts: { connect: undefined, response: 50 }, maxConnections: 7, backup: true })

  const { pools } = topologyOf({ pools: [pool('shop', { backends: [own], timeouts })] })

  const patience = { connect: 1000, response: 50, ejects: true }
  expect(pools.get('shop')!.byId.get('a')).toMatchObject({ patience, limit: 7, backup: true })
})

test('a topology is frozen, down to its backends', () => {
  const topology = topologyOf({ pools: [pool('shop')] })
  const shop = topology.pools.get('shop')!

  for (const part of [topology, shop, shop.backends, shop.backends[0]]) expect(Object.isFrozen(part)).toBe(true)
})

test('a pool without affinity knows nobody and binds nothing', async () => {
  const { pools } = topologyOf({ pools: [pool('shop', { affinity: [] })] })
  const { strategy, backends } = pools.get('shop')!

  const session = (await strategy.locate(
    request('example.com'),
    { address: '127.0.0.1', secure: false },
    wholeSite,
  )) as Session

  expect(session).toMatchObject({ known: false, home: [], key: undefined, persistence: 'NN' })
  expect(session.served(backends[0]!, responseHead({ 'Set-Cookie': 'a=1' }))).toBe(false)
})

const persistence: AffinityConfig = persistenceKeyConfig({ age: 1000 })

const a = backendConfig('a', { url: 'http://127.0.0.1:3001' })

function pool(id: string, parts: Partial<PoolConfig> = {}): PoolConfig {
  return poolConfig(id, [a], { affinity: [persistence], ...parts })
}

function topologyOf(
  { pools, routes = [] }: Partial<Parameters<typeof buildTopology>[0]> & { pools: PoolConfig[] },
  store = new MemoryStore(),
) {
  return buildTopology(
    { pools, routes, routeMatch: 'first', vhostPort: 'host-header', fallback: undefined },
    {
      store,
      keyring: new Keyring({ secrets: ['secret'], openedByAll: [] }),
      fingerprints: new Fingerprints('secret'),
      health: (_pool, { weight }) => ({ ...healthy(), weight, share: weight }),
      clock: () => 0,
      random: () => 0,
    },
  )
}

function request(host: string): RequestHead {
  return requestHead('GET /', { Host: host })
}
