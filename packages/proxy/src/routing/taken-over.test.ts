import { MemoryStore } from '@sticky/store'
import { expect, test } from 'vitest'

import { Fingerprints } from '../affinity/fingerprint.ts'
import { Keyring } from '../affinity/keyring.ts'
import { newcomer } from '../affinity/sessions.test-support.ts'
import { healthy } from '../balancing/fakes.test-support.ts'
import type { BackendConfig, PoolConfig } from '../config/config.ts'
import { backendConfig, poolConfig, routeConfig } from '../config/parts.test-support.ts'
import type { Backend } from '../upstream/backend.ts'
import { buildTopology, type Topology, type TopologyServices } from './topology.ts'

const [a, b, c] = ['a', 'b', 'c'].map((id) => backendConfig(id))
const shop = (backends: readonly BackendConfig[] = [a!, b!], parts: Partial<PoolConfig> = {}): PoolConfig =>
  poolConfig(
    'shop',
    backends.map((backend) => ({ ...backend })),
    parts,
  )

function services(): TopologyServices {
  return {
    store: new MemoryStore(),
    keyring: new Keyring({ secrets: ['secret'], openedByAll: [] }),
    fingerprints: new Fingerprints('secret'),
    health: () => healthy(),
    clock: () => 0,
    random: () => 0,
  }
}

function topology(pools: readonly PoolConfig[], drawn: TopologyServices, before?: Topology): Topology {
  const config = {
    pools,
    routes: [routeConfig('shop')],
    routeMatch: 'first',
    vhostPort: 'host-header',
    fallback: undefined,
  } as const
  return buildTopology(config, drawn, before)
}

async function newcomersOf({ pools }: Topology, count: number): Promise<string> {
  const chosen: string[] = []
  for (let came = 0; came < count; came++) {
    chosen.push(((await pools.get('shop')!.balancer.choose(newcomer, new Set())) as Backend).id)
  }
  return chosen.join('')
}

test('a pool that is made of the same is the same, with what its strategy and its policy remember', async () => {
  const drawn = services()
  const before = topology([shop()], drawn)
  const first = await newcomersOf(before, 1)

  const after = topology([shop(), poolConfig('legacy', [c!])], drawn, before)

  expect(after.pools.get('shop')).toBe(before.pools.get('shop'))
  expect(first + (await newcomersOf(after, 3))).toMatch(/^(abab|baba)$/)
})

test('of a pool whose backends change those that stay are the same, so that their connections are kept', () => {
  const drawn = services()
  const before = topology([shop([a!, b!])], drawn)

  const after = topology([shop([c!, a!])], drawn, before)

  const [was, is] = [before.pools.get('shop')!, after.pools.get('shop')!]
  expect(is).not.toBe(was)
  expect(is.byId.get('a')).toBe(was.byId.get('a'))
  expect(is.backends.map(({ id }) => id)).toEqual(['c', 'a'])
})

test.each<[string, PoolConfig]>([
  ['itself', shop([{ ...a!, url: 'http://elsewhere' }, b!])],
  ['by what its pool says of all', shop([a!, b!], { timeouts: { connect: 1, response: 1, ejects: true } })],
])('a backend that changes %s is another one', (_, changed) => {
  const drawn = services()
  const before = topology([shop()], drawn)

  const after = topology([changed], drawn, before)

  expect(after.pools.get('shop')!.byId.get('a')).not.toBe(before.pools.get('shop')!.byId.get('a'))
})

test('of a pool that changes the queue is the same, so that whoever waits keeps the place', () => {
  const drawn = services()
  const before = topology([shop()], drawn)

  const after = topology([shop([c!], { queue: { max: 1, timeout: 1_000 } })], drawn, before)

  expect(after.pools.get('shop')!.queue).toBe(before.pools.get('shop')!.queue)
})

test('of a pool that changes the budget of retries is the same, unless that is what changes', () => {
  const drawn = services()
  const before = topology([shop()], drawn)
  const { retry } = before.pools.get('shop')!.config

  const weighed = topology([shop([c!])], drawn, before)
  const thrifty = topology([shop([c!], { retry: { ...retry, budget: 0 } })], drawn, weighed)

  expect(weighed.pools.get('shop')!.retries).toBe(before.pools.get('shop')!.retries)
  expect(thrifty.pools.get('shop')!.retries).not.toBe(before.pools.get('shop')!.retries)
})

test('a pool has its backends since one came or went, whatever else has changed', () => {
  let now = 1_000
  const drawn = { ...services(), store: new MemoryStore({ now: () => now }) }
  const since = ({ pools }: Topology): number => pools.get('shop')!.since
  const first = topology([shop()], drawn)

  now = 2_000
  const weighed = topology([shop([b!, { ...a!, weight: 7 }], { balance: 'random' })], drawn, first)
  const grown = topology([shop([a!, b!, c!])], drawn, weighed)
  now = 3_000
  const other = topology([shop([a!, b!, backendConfig('d')])], drawn, grown)

  expect([first, weighed, grown, other].map(since)).toEqual([1_000, 1_000, 2_000, 3_000])
})

test('whoever holds the topology before finds it as it was', () => {
  const drawn = services()
  const before = topology([shop()], drawn)

  topology([shop([c!])], drawn, before)

  expect(before.pools.get('shop')!.backends.map(({ id }) => id)).toEqual(['a', 'b'])
  expect(before.routes).toBeDefined()
})
