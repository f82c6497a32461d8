import { expect, test } from 'vitest'

import type { Config } from '../config/config.ts'
import { backendConfig, poolConfig } from '../config/parts.test-support.ts'
import { configChanges, liveConfig } from './config-changes.ts'
import { testConfig } from './fixtures.test-support.ts'

const none = { added: [], removed: [], changed: [] }
const nothing = { pools: none, backends: none, listeners: none, settings: [], needRestart: [] }
const [shop] = testConfig().pools
const [a, b] = shop!.backends
const here = { host: '127.0.0.1', port: 80 }

test('the same configuration read twice changes nothing', () => {
  expect(configChanges(testConfig(), testConfig())).toEqual(nothing)
})

test.each<[string, Partial<Config>, object]>([
  [
    'a pool that comes, with its backends',
    { pools: [shop!, poolConfig('legacy', [backendConfig('l')])] },
    { pools: { ...none, added: ['legacy'] }, backends: { ...none, added: ['legacy/l'] } },
  ],
  [
    'a pool that goes',
    { pools: [] },
    { pools: { ...none, removed: ['shop'] }, backends: { ...none, removed: ['shop/a', 'shop/b'] } },
  ],
  ['a setting of a pool', { pools: [{ ...shop!, balance: 'random' }] }, { pools: { ...none, changed: ['shop'] } }],
  [
    'a backend that takes the place of another',
    { pools: [{ ...shop!, backends: [a!, backendConfig('c')] }] },
    { backends: { added: ['shop/c'], removed: ['shop/b'], changed: [] } },
  ],
  [
    'the weight of a backend',
    { pools: [{ ...shop!, backends: [a!, { ...b!, weight: 7 }] }] },
    { backends: { ...none, changed: ['shop/b'] } },
  ],
  [
    'the order of backends, which counts for backups',
    { pools: [{ ...shop!, backends: [b!, a!] }] },
    { pools: { ...none, changed: ['shop'] } },
  ],
  [
    'a listener',
    { listen: [{ address: here, proxyProtocolFrom: undefined, tls: [] }] },
    { listeners: { added: ['127.0.0.1:80'], removed: ['127.0.0.1:0'], changed: [] } },
  ],
  [
    'what a listener asks of connections',
    { listen: [{ address: { ...here, port: 0 }, proxyProtocolFrom: ['10.0.0.0/8'], tls: [] }] },
    { listeners: { ...none, changed: ['127.0.0.1:0'] } },
  ],
  ['settings', { accessLog: true, routes: [] }, { settings: ['accessLog', 'routes'] }],
  [
    'what a node is bound to',
    { node: { id: 'n1', workers: 9 }, admin: undefined },
    { needRestart: ['node.workers', 'admin'] },
  ],
])('it tells of %s', (_, parts, told) => {
  expect(configChanges(testConfig(), testConfig(parts))).toEqual({ ...nothing, ...told })
})

test('a store, an id, a number of workers and an admin address of another file are not taken over', () => {
  const { store } = testConfig()
  const next = testConfig({
    node: { id: 'other', workers: 4 },
    store: { ...store, url: 'redis://other' },
    admin: undefined,
    accessLog: true,
  })

  const live = liveConfig(testConfig(), next)

  expect(live).toEqual({ ...testConfig(), accessLog: true })
})
