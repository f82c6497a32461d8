import { expect, test } from 'vitest'

import { load, mistakesIn, withAffinity } from './load.test-support.ts'
import { showPath } from './mistakes.ts'

const pools = 'pools: { shop: { backends: [{ id: a, url: http://a }] } }'
const twoPools =
  'pools: { shop: { backends: [{ id: a, url: http://a }] }, cart: { backends: [{ id: a, url: http://a }] } }'
const companion = (rest: string) => withAffinity(`{ strategy: companion-cookie, ${rest} }`)
const checked = (check: string, own = '') =>
  `pools: { shop: { healthCheck: { ${check} }, backends: [{ id: a, url: http://a, healthCheck: { ${own} } }] } }`
const cookie = (rest: string) => withAffinity(`{ strategy: session-cookie, ${rest} }`)

test.each([
  ['a route to a pool that is not there', `${pools}\nroutes: [{ pool: cart }]`, 'routes[0].pool'],
  ['two pools and no routes', twoPools, 'routes'],
  ['a route behind one for everything', `${pools}\nroutes: [{ pool: shop }, { path: /x, pool: shop }]`, 'routes[1]'],
  ['the same route twice', `${pools}\nroutes: [{ path: /x, pool: shop }, { path: /x, pool: shop }]`, 'routes[1]'],
  [
    'a route behind one for its domain',
    `${pools}\nroutes: [{ host: "*.a.com", pool: shop }, { host: B.A.com, path: /x, pool: shop }]`,
    'routes[1]',
  ],
  [
    'a route before one for everything, where the last counts',
    `${pools}\nrouteMatch: bottom-up\nroutes: [{ path: /x, pool: shop }, { pool: shop }]`,
    'routes[0]',
  ],
  [
    'a route as specific as an earlier one, where the best counts',
    `${pools}\nrouteMatch: best\nroutes: [{ path: [/x, /y], pool: shop }, { path: /y, pool: shop }]`,
    'routes[1]',
  ],
  ['a fallback that is not there', `${pools}\nfallback: cart`, 'fallback'],
  [
    'a backend that its pool does not have',
    `${pools}\nroutes: [{ pool: shop, backends: [a, b] }]`,
    'routes[0].backends[1]',
  ],
  ['a pattern that looks ahead', `${pools}\nroutes: [{ pattern: "^(?!/admin)", pool: shop }]`, 'routes[0].pattern'],
  ['a port that is none', `${pools}\nroutes: [{ host: [a.com, "a.com:http"], pool: shop }]`, 'routes[0].host[1]'],
  ['a path with a query', `${pools}\nroutes: [{ path: [{ path: /x?y }], pool: shop }]`, 'routes[0].path[0].path'],
  [
    'two backends of one id',
    'pools: { shop: { backends: [{ id: a, url: http://a }, { id: a, url: http://b }] } }',
    'pools.shop.backends[1].id',
  ],
  [
    'one backend twice',
    'pools: { shop: { backends: [{ id: a, url: http://a }, { id: b, url: http://A:80/ }] } }',
    'pools.shop.backends[1].url',
  ],
  [
    'a longest pause that is shorter than the first',
    'pools: { shop: { backends: [{ id: a, url: http://a }], ejection: { for: 2m } } }',
    'pools.shop.ejection.for',
  ],
  ['a path where only a connection is made', checked('type: tcp, path: /x'), 'pools.shop.healthCheck.path'],
  ['a body where no request is made', checked('body: ok'), 'pools.shop.healthCheck.body'],
  ['the body of an answer that has none', checked('path: /x, method: HEAD, body: ok'), 'pools.shop.healthCheck.body'],
  [
    'a path of one backend where only connections are made',
    checked('type: tcp', 'path: /x'),
    'pools.shop.backends[0].healthCheck.path',
  ],
  [
    'a check of one backend in a pool without any',
    'pools: { shop: { backends: [{ id: a, url: http://a, healthCheck: { port: 81 } }] } }',
    'pools.shop.backends[0].healthCheck',
  ],
  [
    'counting known sessions where nobody counts turns',
    'pools: { shop: { backends: [{ id: a, url: http://a }], countsKnown: true } }',
    'pools.shop.countsKnown',
  ],
  ['several workers on a store in memory', `${pools}\nnode: { workers: 2 }`, 'node.workers'],
  ['a lease of less than two heartbeats', `${pools}\nstore: { lease: 3s }`, 'store.lease'],
  ['a heartbeat of more than half the lease', `${pools}\nstore: { heartbeat: 5s }`, 'store.heartbeat'],
  ['an admin API that others reach without a token', `${pools}\nadmin: { address: ":9901" }`, 'admin.address'],
  [
    'PROXY protocol from anybody',
    `${pools}\nlisten: [{ address: :80, proxyProtocol: true }]`,
    'listen[0].proxyProtocol',
  ],
  [
    'PROXY protocol from nobody',
    `${pools}\nlisten: [{ address: :80, proxyProtocol: true, from: [] }]`,
    'listen[0].proxyProtocol',
  ],
  ['ranges without PROXY protocol', `${pools}\nlisten: [{ address: :80, from: [10.0.0.0/8] }]`, 'listen[0].from'],
  ['one address twice', `${pools}\nlisten: [{ address: :80 }, { address: 127.0.0.1:80 }]`, 'listen[1].address'],
  [
    "clients' address for the admin API",
    `${pools}\nlisten: [{ address: 127.0.0.1:9901 }]\nadmin: { address: 127.0.0.1:9901 }`,
    'admin.address',
  ],
  ['a cookie for other sites without Secure', cookie('sameSite: None'), 'pools.shop.affinity[0].sameSite'],
  ['a partitioned cookie without Secure', cookie('partitioned: true'), 'pools.shop.affinity[0].partitioned'],
  ['a __Secure- cookie without Secure', cookie('prefix: secure'), 'pools.shop.affinity[0].prefix'],
  ['a __Host- cookie without Secure', cookie('prefix: host, secure: false'), 'pools.shop.affinity[0].prefix'],
  [
    'a __Host- cookie with a domain',
    cookie('prefix: host, secure: true, domain: a.com'),
    'pools.shop.affinity[0].domain',
  ],
  ['a __Host- cookie for another path', cookie('prefix: host, secure: true, path: /x'), 'pools.shop.affinity[0].path'],
  ['a cookie whose name is none', cookie('name: "a b"'), 'pools.shop.affinity[0].name'],
  ['a lifetime shorter than the age', cookie('age: 30m, lifetime: 10m'), 'pools.shop.affinity[0].lifetime'],
  ['a lifetime shorter than the usual age', cookie('lifetime: 10m'), 'pools.shop.affinity[0].lifetime'],
  [
    'two strategies on one cookie',
    withAffinity('{ strategy: session-cookie }, { strategy: persistence-key, from: [{ cookie: sticky }] }'),
    'pools.shop.affinity[1].from[0].cookie',
  ],
  [
    'two backends that cookies call the same',
    'pools: { shop: { backends: [{ id: a, url: http://a }, { id: b, url: http://b, instance: a }] } }',
    'pools.shop.backends[1].instance',
  ],
  ['a companion of itself', companion('triggers: [__VCAP_ID__]'), 'pools.shop.affinity[0].triggers[0]'],
  [
    'a companion of what keeps it',
    companion('triggers: [a, where_META], name: where'),
    'pools.shop.affinity[0].triggers[1]',
  ],
  [
    'two strategies on one companion',
    withAffinity('{ strategy: companion-cookie }, { strategy: session-cookie, name: __VCAP_ID__ }'),
    'pools.shop.affinity[1].name',
  ],
  [
    'a cookie that another strategy keeps its companion in',
    withAffinity('{ strategy: companion-cookie }, { strategy: session-cookie, name: __VCAP_ID_META__ }'),
    'pools.shop.affinity[1].name',
  ],
  ['a session that its own cookie begins', cookie('begin: { cookies: [sticky] }'), 'pools.shop.affinity[0].begin'],
])('%s is a mistake', (_, yaml, path) => {
  expect(mistakesIn(yaml).map((mistake) => showPath(mistake.path))).toEqual([path])
})

test.each([
  [
    'routes from the narrow to the wide',
    `${pools}\nroutes: [{ path: /x, pool: shop }, { path: /x/*, pool: shop }, { pool: shop }]`,
  ],
  [
    'a route after one that leaves it newcomers',
    `${pools}\nroutes: [{ pool: shop, backends: [a], whenDrained: next }, { pool: shop }]`,
  ],
  [
    'routes from the wide to the narrow, where the best counts',
    `${pools}\nrouteMatch: best\nroutes: [{ pool: shop }, { path: /x/*, pool: shop }, { host: "*:9080", pool: shop }]`,
  ],
  [
    'a route after one for another port',
    `${pools}\nroutes: [{ host: "a.com:80", pool: shop }, { host: a.com, path: [{ path: /x/*, cookie: XID }], pool: shop }]`,
  ],
  [
    'patterns before all',
    `${pools}\nroutes: [{ pattern: ^/a, pool: shop }, { pattern: ^/ab, pool: shop }, { pool: shop }]`,
  ],
  ['one backend in two pools', `${twoPools}\nroutes: [{ path: /cart/*, pool: cart }, { pool: shop }]`],
  ['an admin API for others with a token', `${pools}\nadmin: { address: ":9901", token: 0123456789abcdef }`],
  ['an admin API on a socket', `${pools}\nadmin: { address: "unix:/run/sticky.sock" }`],
  ['PROXY protocol from some', `${pools}\nlisten: [{ address: :80, proxyProtocol: true, from: [10.0.0.0/8] }]`],
  ['several ports of the system’s choice', `${pools}\nlisten: [{ address: 127.0.0.1:0 }, { address: 127.0.0.1:0 }]`],
  ['a check of connections, elsewhere for one backend', checked('interval: 5s', 'port: 81')],
  ['a check of answers, of another path for one backend', checked('path: /x?y=1, status: [204, 3xx]', 'path: /y')],
  ['a cookie for other sites', cookie('sameSite: None, secure: true, partitioned: true, prefix: host')],
  ['a cookie without SameSite', cookie('sameSite: false')],
  ['a lifetime of exactly the age', cookie('age: 30m, lifetime: 30m')],
  [
    'a key that once was the application’s',
    withAffinity(
      '{ strategy: session-cookie, begin: { cookies: [SID] } }, { strategy: persistence-key, from: [{ cookie: SID }] }',
    ),
  ],
  ['a session that one of several cookies begins', cookie('begin: { cookies: [JSESSIONID, PHPSESSID] }')],
])('%s is none', (_, yaml) => {
  expect(mistakesIn(yaml)).toEqual([])
  expect(load(yaml).pools).not.toHaveLength(0)
})

test.each([
  [
    'whether a listener demands PROXY protocol',
    `${pools}\nlisten: [{ address: :80, proxyProtocol: yess, from: [10.0.0.0/8] }]`,
    'listen[0].proxyProtocol',
  ],
  ['a path', `${pools}\nroutes: [{ path: x, pool: shop }, { path: /x, pool: shop }]`, 'routes[0].path'],
  ['what a check asks for', checked('path: x, body: ok'), 'pools.shop.healthCheck.path'],
  ['what a check expects', checked('type: tcp, status: 2xx'), 'pools.shop.healthCheck.status'],
  ['an age', cookie('age: 5, lifetime: 10m'), 'pools.shop.affinity[0].age'],
  ['a lease', `${pools}\nstore: { lease: 3, heartbeat: 5s }`, 'store.lease'],
  ['a token', `${pools}\nadmin: { address: ":9901", token: short }`, 'admin.token'],
  ['whether a cookie is secure', cookie('secure: yes, sameSite: None'), 'pools.shop.affinity[0].secure'],
  ['the store', `${pools}\nnode: { workers: 2 }\nstore: { url: reddis://redis }`, 'store.url'],
])('where %s is a mistake itself, its consequences are not told', (_, yaml, path) => {
  expect(mistakesIn(yaml).map((mistake) => showPath(mistake.path))).toEqual([path])
})
