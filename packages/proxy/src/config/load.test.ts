// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configurations look like templates
import { availableParallelism } from 'node:os'

import { expect, test } from 'vitest'

import { showMistake } from './config-errors.ts'
import { load, mistakesIn } from './load.test-support.ts'
import { loadConfig } from './load.ts'
import { persistenceKeyConfig } from './parts.test-support.ts'

/** As the manual has it. */
const everything = `
listen: [{ address: 127.0.0.1:8080 }]          # port 0 allowed; a \`listening\` log line tells the real one
admin: { address: 127.0.0.1:9901 }
node: { id: n1, workers: 1 }
store: { url: redis://127.0.0.1:6379 }          # budget 50ms, commandTimeout 1s, lease 6s, heartbeat 2s, prefix sticky
secrets: ["\${STICKY_SECRET}"]                   # optional: else the cluster makes one and shares it through the store
accessLog: false                                # default true
timeouts: { head: 10s, idle: 75s, body: 30s, write: 30s, connect: 2s, response: 60s, backendIdle: 4s, tunnel: 1h }
shutdownTimeout: 25s
pools:
  shop:
    backends:
      - { id: a, url: http://127.0.0.1:3001 }
      - { id: b, url: http://127.0.0.1:3002, weight: 2 }
    balance: leastLoad
    affinity:
      - { strategy: session-cookie, name: sticky, begin: on-cookie, age: 30m }
        # begin: always | on-cookie | { cookies: [JSESSIONID, …] }; age (idle), cookieAge (default age), lifetime; ends: age | last-cookie
        # path, domain, secure: auto | true | false, httpOnly, sameSite, partitioned, prefix
  legacy:
    backends: [{ id: c, url: http://127.0.0.1:3003 }, { id: d, url: http://127.0.0.1:3004 }]
    affinity:
      - { strategy: persistence-key, from: [{ cookie: JSESSIONID }], age: 300s }
routes:
  - { host: legacy.example.com, pool: legacy }
  - { path: /*, pool: shop }
`

const smallest = 'pools: { shop: { backends: [{ id: a, url: http://127.0.0.1:3001 }] } }'

const tenMistakes = `listen: [{ adress: 127.0.0.1:8080 }]
admin: { address: 0.0.0.0:9901 }
secrets: ["\${STICKY_MISSING}"]
timeouts: { head: 10 }
pools:
  shop:
    backends:
      - { id: a, url: http://127.0.0.1:3001/app }
      - { id: a, url: http://127.0.0.1:3002, weight: -1 }
    balance: leastload
routes:
  - { path: /*, pool: shp }
  - { path: /x, pool: shop }
`

test('a whole configuration is read as it is written', () => {
  const config = load(everything, {}, { STICKY_SECRET: 'a secret that is long enough' })

  expect(config).toMatchObject({
    listen: [{ address: { host: '127.0.0.1', port: 8080 }, proxyProtocolFrom: undefined }],
    admin: { address: { host: '127.0.0.1', port: 9901 } },
    node: { id: 'n1', workers: 1 },
    store: {
      url: 'redis://127.0.0.1:6379',
      budget: 50,
      commandTimeout: 1000,
      lease: 6000,
      heartbeat: 2000,
      prefix: 'sticky',
    },
    secrets: ['a secret that is long enough'],
    accessLog: false,
    timeouts: { head: 10_000, idle: 75_000, backendIdle: 4000, tunnel: 3_600_000 },
    shutdownTimeout: 25_000,
    drain: { grace: 5_000 },
    watch: false,
    routes: [
      { host: ['legacy.example.com'], pool: 'legacy' },
      { path: [{ path: '/*' }], pool: 'shop' },
    ],
  })
  expect(config.pools.map(({ id }) => id)).toEqual(['shop', 'legacy'])
  expect(config.pools[0]).toMatchObject({
    backends: [
      { id: 'a', url: 'http://127.0.0.1:3001', weight: 1 },
      { id: 'b', url: 'http://127.0.0.1:3002', weight: 2 },
    ],
    affinity: [
      { strategy: 'session-cookie', name: 'sticky', begin: 'on-cookie', age: 1_800_000, cookieAge: 1_800_000 },
    ],
  })
  expect(config.pools[1]!.affinity).toEqual([persistenceKeyConfig()])
})

test('a pool of one backend is a configuration: the rest has defaults', () => {
  const config = load(smallest)

  expect(config).toMatchObject({
    listen: [{ address: { host: '127.0.0.1', port: 8080 } }],
    admin: { address: { host: '127.0.0.1', port: 9901 } },
    node: { workers: 1 },
    store: { url: 'memory:' },
    accessLog: true,
    limits: { head: 16_384, fields: 100, target: 8192 },
    routes: [{ host: undefined, path: undefined, pool: 'shop' }],
    trustedProxies: [],
    secrets: [],
  })
  expect(config.pools[0]).toMatchObject({ balance: 'leastLoad', hostHeader: 'preserve' })
  expect(config.pools[0]!.affinity).toMatchObject([{ strategy: 'session-cookie', name: 'sticky', begin: 'always' }])
})

test('a node works on all cores when it shares a Redis, and is called like its host', () => {
  const { node } = load(`${smallest}\nstore: { url: redis://redis }`)

  expect(node.workers).toBe(availableParallelism())
  expect(node.id).toMatch(/^[A-Za-z0-9._-]{1,64}$/)
})

test('without sessions is asked for in so many words, and so is being without an admin API', () => {
  const config = load('admin: false\npools: { shop: { backends: [{ id: a, url: http://a }], affinity: [] } }')

  expect(config.admin).toBeUndefined()
  expect(config.pools[0]!.affinity).toEqual([])
})

test('ten different mistakes are told in one run, each with its place and what would be right', () => {
  const told = mistakesIn(tenMistakes).map((mistake) => showMistake({ ...mistake, source: 'f' }))

  expect(told).toEqual([
    'f:1:12: listen[0].adress: unknown key; did you mean address?',
    'f:2:19: admin.address: needs admin.token beside it, or an address on loopback: others can reach it here',
    'f:3:11: secrets[0]: needs the environment variable STICKY_MISSING, which is not set',
    'f:4:19: timeouts.head: must be a duration such as 250ms, 30s, 5m, 4h or 7d, got 10',
    'f:8:23: pools.shop.backends[0].url: must be without a path, which requests bring along: write http://127.0.0.1:3001',
    'f:9:15: pools.shop.backends[1].id: must differ from the id of backends[0]: sessions follow ids',
    'f:9:54: pools.shop.backends[1].weight: must be a whole number from 0 to 1000, got -1',
    'f:10:14: pools.shop.balance: must be one of leastLoad, leastSessions, roundRobin, sharedRoundRobin, random, powerOfTwo, got "leastload"; did you mean leastLoad?',
    'f:12:23: routes[0].pool: must be one of the pools: shop, got "shp"; did you mean shop?',
    'f:13:5: routes[1]: can never be reached: routes[0] before it matches all that this one does; move this one up or remove it',
  ])
})

test.each([
  ['', '1:1', 'is empty'],
  ['[]', '1:1', 'must be a map of listen'],
  ['listen: []', '1:1', 'pools: is missing'],
  [`${smallest}\ntimeouts:`, '2:1', 'timeouts: is empty'],
  [`${smallest}\nlisten: []`, '2:9', 'at least 1'],
  [`${smallest}\npools: {}`, '2:1', 'stands here twice'],
  ['pools: { shop: { backends: [{ id: a, ulr: http://a }] } }', '1:38', 'did you mean url?'],
  ['pools: { shop: { backends: [{ url: http://a }] } }', '1:29', 'id: is missing'],
  ['pools: { "a b": { backends: [{ id: a, url: http://a }] } }', '1:17', 'must be 1 to 64'],
  ['pools: {}', '1:8', 'at least one pool'],
  ['pools: { shop: { backends: [{ id: a, url: http://a ] } }', '1:52', 'not valid YAML'],
  [`${smallest}\nadmin: { adress: 127.0.0.1:1 }`, '2:10', 'did you mean address?'],
  ['x: &b { id: a, url: a }\npools: { shop: { backends: [*b] } }', '1:1', 'x: unknown key'],
])('%j is told at its place', (yaml, where, problem) => {
  const told = mistakesIn(yaml).map((mistake) => showMistake({ ...mistake, source: 'f' }))

  expect(told).toContainEqual(expect.stringMatching(new RegExp(`^f:${where}: .*${problem.replace('?', '\\?')}`)))
})

test('a misspelled key is one mistake, not an unknown and a missing one', () => {
  expect(mistakesIn('pools: { shop: { backends: [{ id: a, ulr: http://a }] } }')).toHaveLength(1)
})

test('flags win over the file, and keep what else a listener says', () => {
  const yaml = `${smallest}\nlisten: [{ address: :80, proxyProtocol: true, from: [10.0.0.0/8] }, { address: :81 }]`

  const config = load(yaml, { nodeId: 'n2', listen: ['127.0.0.1:8082'], admin: 'unix:/run/s', store: 'redis://redis' })

  expect(config).toMatchObject({
    listen: [{ address: { host: '127.0.0.1', port: 8082 }, proxyProtocolFrom: ['10.0.0.0/8'] }],
    admin: { address: { socket: '/run/s' } },
    node: { id: 'n2' },
    store: { url: 'redis://redis' },
  })
  expect(config.listen).toHaveLength(1)
})

test('more addresses may be given than the file has listeners', () => {
  const { listen } = load(smallest, { listen: [':80', ':81'] })

  expect(listen.map(({ address }) => address.port)).toEqual([80, 81])
})

test('a mistake in a flag names the flag', () => {
  const mistakes = mistakesIn(smallest, { nodeId: 'n 2', listen: ['nowhere'], admin: '::', store: 'redis' })

  expect(mistakes.map(({ source }) => source)).toEqual(['--listen', '--admin', '--node-id', '--store'])
})

test('what came from elsewhere or may be secret is never printed', () => {
  const yaml = `
secrets: ["\${WORD}", plainword]
admin: { address: ":1", token: plainword }
store: { url: "redis:plainword" }
node: { id: "\${WORD} x" }
pools:
  shop:
    backends: [{ id: a, url: "http://u:plainword@a" }, { id: "\${WORD} x", url: "http://\${WORD}/x" }]
    balance: "\${WORD}"
    affinity: [{ strategy: "\${WORD}" }]
routes: [{ host: "\${WORD}:80", path: "\${WORD}", pool: "\${WORD}" }]
`
  const mistakes = mistakesIn(yaml, { store: 'redis:${WORD}', nodeId: '${WORD} x' }, { WORD: 'secretword' })
  const told = mistakes.map(showMistake).join('\n')

  expect(mistakes.length).toBeGreaterThan(10)
  expect(told).not.toMatch(/plainword|secretword/)
})

test('a file that is not there is told by name', () => {
  expect(() => loadConfig('/nowhere/sticky.yaml')).toThrow(
    '/nowhere/sticky.yaml: no such file; name another with --config',
  )
})
