import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { askPool, companion, companionPool, sentBack, setting as settingIn, together } from './support/companions.ts'
import { type Ask, Pair, type Reply, seenBy } from './support/pair.ts'
import { ScriptedApp } from './support/scripted-app.ts'

const session = 'JSESSIONID=1'
const gone = 'JSESSIONID=1; __VCAP_ID__=gone'
const negotiate = { Authorization: 'Negotiate YII=' }
const newYear = 'Expires=Wed, 01 Jan 2020 00:00:00 GMT'
const plain = 'Path=/; HttpOnly'
const sealed = /(?<=^__VCAP_ID__)=[\w-]{44};/

let apps: ScriptedApp[]
let doomed: ScriptedApp
let sockets: Awaited<ReturnType<typeof webSocketApps>>
let pair: Pair

beforeAll(async () => {
  apps = await Promise.all(Array.from({ length: 10 }, (_, index) => ScriptedApp.start(`id-${index + 1}`)))
  doomed = await ScriptedApp.start('doomed')
  sockets = await webSocketApps(['ws-1', 'ws-2', 'ws-3'])
  pair = await Pair.start(configuration())
}, 30_000)

afterAll(async () => {
  await Promise.all([pair, doomed, ...apps, sockets].map((each) => each?.[Symbol.asyncDispose]()))
})

function configuration(): object {
  const [one] = apps as [ScriptedApp]
  const backend = ({ id, url }: { id: string; url: string }) => ({ id: `b-${id}`, url, instance: id })
  const few = apps.slice(0, 3).map(backend)
  const crowded = sockets.backends.map((each) => ({ ...backend(each), maxConnections: 1 }))
  const byTenant = { strategy: 'persistence-key', from: [{ header: 'X-Tenant', learn: 'request' }] }
  const { pools, routes } = together([
    companionPool('ten', apps.map(backend), { value: 'sealed' }),
    companionPool('plain', few),
    companionPool('secure', few, { secure: true }),
    companionPool('sealed', few, { value: 'sealed' }),
    companionPool('must', [backend(doomed), ...few], { negotiate: true }),
    companionPool('moving', [backend(doomed), backend(one)], { value: 'sealed' }),
    companionPool('names', few, { triggers: ['PHPSESSID', '_app_session'], name: 'instance' }),
    companionPool('unnamed', [{ ...backend(one), instance: false }]),
    companionPool('default', [{ id: 'b-1', url: one.url }], {}, { affinity: [{ strategy: 'companion-cookie' }] }),
    companionPool('address', few, { addressHeader: 'X-CF-APP-INSTANCE' }),
    companionPool('paths_1', few, {}, { path: '/path1/*' }),
    companionPool('paths_2', apps.slice(3, 6).map(backend), {}, { path: '/path2/*' }),
    companionPool('paths_bare', apps.slice(6, 9).map(backend)),
    companionPool('hash', few, {}, { affinity: [{ strategy: 'companion-cookie' }, byTenant] }),
    companionPool('full', crowded, { negotiate: true }),
    companionPool('sockets', sockets.backends.map(backend), { value: 'sealed' }),
  ])
  const example = exampleOn(apps)
  return { pools: { ...pools, ...example.pools }, routes: [...example.routes, ...routes] }
}

/** The example, on these applications. */
function exampleOn(some: readonly ScriptedApp[]): Example {
  const text = readFileSync(new URL('../examples/gorouter.yaml', import.meta.url), 'utf8')
  let next = 0
  return parse(text.replace(/http:[^ ,]+/g, () => some[next++]!.url)) as Example
}

interface Example {
  readonly pools: Record<string, object>
  readonly routes: readonly object[]
}

const ask = (pool: string, asked: Ask = {}) => askPool(pair, pool, asked)
const setting = (pool: string, cookies: readonly string[], asked: Ask = {}) => settingIn(pair, pool, cookies, asked)

describe('2b, the old suite', () => {
  test('context paths: two requests for one path reach the same instance, and the cookie is of that path', async () => {
    const first = await setting('paths', [session], { target: '/path1/one' })
    const cookie = sentBack(first)

    expect(first.cookies[1]).toBe(`__VCAP_ID__=${first.app}; Path=/path1; HttpOnly`)
    for (let turn = 0; turn < 4; turn++) {
      expect((await ask('paths', { target: '/path1/two', cookie })).app).toBe(first.app)
    }
  })

  test('context paths: different paths have instances and cookies of their own', async () => {
    const [one, two] = await Promise.all(
      ['/path1', '/path2/x'].map((target) => setting('paths', [session], { target })),
    )

    expect(one!.cookies[1]).toBe(`__VCAP_ID__=${one!.app}; Path=/path1; HttpOnly`)
    expect(two!.cookies[1]).toBe(`__VCAP_ID__=${two!.app}; Path=/path2; HttpOnly`)
    expect(one!.app).not.toBe(two!.app)
  })

  test('context paths: a request without one gets Path=/', async () => {
    const bare = await setting('paths', [session], { target: '/path10' })

    expect(bare.cookies[1]).toBe(`__VCAP_ID__=${bare.app}; ${plain}`)
  })

  test.for<[name: string, pool: string, set: string[], expected: string[]]>([
    ['no JSESSIONID in the response: no VCAP_ID', 'plain', [], []],
    ['JSESSIONID: VCAP_ID without Secure, Max-Age, Expires', 'plain', [session], [plain]],
    ['JSESSIONID Expires: the same', 'plain', [`${session}; ${newYear}`], [`Path=/; ${newYear}; HttpOnly`]],
    ['JSESSIONID Secure: Secure', 'plain', [`${session}; Secure`], [`${plain}; Secure`]],
    ['secure on, plain cookie: Secure', 'secure', [session], [`${plain}; Secure`]],
    ['SameSite=Strict: the same', 'plain', [`${session}; SameSite=Strict`], [`${plain}; SameSite=Strict`]],
  ])('first request, %s', async ([, pool, set, expected]) => {
    const { app, cookies } = await setting(pool, set)

    const ours = cookies.filter((cookie) => cookie.startsWith('__VCAP_ID__='))
    expect(ours).toEqual(expected.map((attributes) => `__VCAP_ID__=${app}; ${attributes}`))
  })

  test('subsequent requests, no JSESSIONID in the response: no cookies', async () => {
    const cookie = sentBack(await setting('ten', [session]))

    expect((await ask('ten', { cookie })).cookies).toEqual([])
  })

  test('subsequent requests, JSESSIONID in the response: VCAP_ID of the same instance', async () => {
    const first = await setting('plain', [session])
    const second = await setting('plain', ['JSESSIONID=2'], { cookie: sentBack(first) })

    expect(companion(second)).toBe(first.app)
  })

  test('subsequent requests, JSESSIONID with Max-Age=0: VCAP_ID with Max-Age=0', async () => {
    const cookie = sentBack(await setting('plain', [session]))
    const last = await setting('plain', ['JSESSIONID=; Max-Age=0'], { cookie })

    expect(last.cookies[1]).toBe(`__VCAP_ID__=${last.app}; Path=/; Max-Age=0; HttpOnly`)
  })

  test('consecutive requests reach the same of ten instances, on either node', async () => {
    const visitors = await Promise.all(Array.from({ length: 10 }, () => setting('ten', [session])))

    expect(new Set(visitors.map(({ app }) => app)).size).toBeGreaterThan(1)
    for (const first of visitors) {
      for (const node of [0, 1, 0] as const) {
        expect((await ask('ten', { cookie: sentBack(first), node })).app).toBe(first.app)
      }
    }
  })

  test('other cookie names: any that the pool names counts, and JSESSIONID does not', async () => {
    for (const trigger of ['PHPSESSID', '_app_session']) {
      const first = await setting('names', [`${trigger}=1`])
      expect(first.cookies[1]).toBe(`instance=${first.app}; ${plain}`)
      for (const node of [0, 1] as const) {
        expect((await ask('names', { cookie: sentBack(first), node })).app).toBe(first.app)
      }
    }
    expect((await setting('names', [session])).cookies).toEqual([session])
  })
})

describe('2b, the iterators', () => {
  test('the initial endpoint is found by private id and by canonical address', async () => {
    for (const node of [0, 1] as const) {
      expect((await ask('plain', { cookie: `${session}; __VCAP_ID__=id-2`, node })).app).toBe('id-2')
      const byAddress = await ask('plain', { cookie: `${session}; __VCAP_ID__=127.0.0.1:${apps[1]!.port}`, node })
      expect(byAddress.app).toBe('id-2')
      expect(companion(byAddress)).toBe('id-2')
    }
  })

  test('initial not found, non-sticky: the next available, whose id the client then gets', async () => {
    const found = await ask('plain', { cookie: gone })

    expect(found.status).toBe(200)
    expect(companion(found)).toBe(found.app)
  })

  test('initial not found, must be sticky: nobody serves', async () => {
    const refused = await ask('must', { cookie: '__VCAP_ID__=gone', headers: negotiate })

    expect([refused.status, refused.body]).toEqual([503, 'the backend of this session is away\n'])
  })

  test('initial failed: another serves unless it must be sticky, and the next request follows the new id', async () => {
    const moving = await begunOn('moving', 'doomed')
    const must = await begunOn('must', 'doomed', { answer: { headers: { 'WWW-Authenticate': 'Negotiate' } } })
    await doomed[Symbol.asyncDispose]()

    const moved = await ask('moving', { cookie: sentBack(moving) })
    expect(moved.app).toBe('id-1')
    expect(moved.cookies).toEqual([expect.stringMatching(sealed)])
    expect((await ask('moving', { cookie: `${session}; ${sentBack(moved)}` })).cookies).toEqual([])
    expect((await ask('must', { cookie: sentBack(must), headers: negotiate })).status).toBe(503)
    expect((await ask('must', { cookie: `${session}; ${sentBack(must)}` })).status).toBe(200)
  })

  test('initial overloaded: another serves unless it must be sticky', async () => {
    const cookie = `${session}; __VCAP_ID__=ws-1`
    const holding = await upgrade(pair.nodes[0].port, { host: 'full.example.com', cookie })
    expect(holding.app).toBe('ws-1')

    const moved = await ask('full', { cookie, node: 0 })
    expect(moved.app).not.toBe('ws-1')
    expect(companion(moved)).toBe(moved.app)
    expect((await ask('full', { cookie, node: 0, headers: negotiate })).status).toBe(503)
    holding.socket.destroy()
  })

  test('the session cookie or the companion alone: balanced like any newcomer', async () => {
    for (const cookie of [session, '__VCAP_ID__=id-1', '__HostJSESSIONID=1; __VCAP_ID__=id-1']) {
      const replies = await Promise.all(Array.from({ length: 6 }, () => ask('plain', { cookie })))
      expect(new Set(replies.map(({ app }) => app)).size).toBeGreaterThan(1)
      expect(replies.flatMap(({ cookies }) => cookies)).toEqual([])
    }
  })

  test('the look-up is in the pool of the route: an instance of another pool is not found', async () => {
    const reply = await ask('paths', { target: '/path2/', cookie: `${session}; __VCAP_ID__=id-1` })

    expect(['id-4', 'id-5', 'id-6']).toContain(reply.app)
    expect(companion(reply)).toBe(reply.app)
  })
})

describe('2b, hash', () => {
  test('a companion has precedence over a header that is a key; without it the header decides', async () => {
    const first = await setting('hash', [session], { headers: { 'X-Tenant': 'one' } })
    const tenants = Array.from({ length: 20 }, (_, index) => `tenant-${index}`)
    const known = await Promise.all(
      tenants.map((tenant) => ask('hash', { cookie: sentBack(first), headers: { 'X-Tenant': tenant } })),
    )
    const others = await Promise.all(tenants.map((tenant) => ask('hash', { headers: { 'X-Tenant': tenant } })))
    const again = await Promise.all(tenants.map((tenant) => ask('hash', { headers: { 'X-Tenant': tenant } })))

    expect(new Set(known.map(({ app }) => app))).toEqual(new Set([first.app]))
    expect(new Set(others.map(({ app }) => app)).size).toBeGreaterThan(1)
    expect(again.map(({ app }) => app)).toEqual(others.map(({ app }) => app))
  })
})

describe('2c, what users asked for', () => {
  test('#89: a request may ask for an instance, whatever its cookies say', async () => {
    for (const address of ['address:id-3', 'id-3', `127.0.0.1:${apps[2]!.port}`]) {
      const cookie = `${session}; __VCAP_ID__=id-1`
      const reply = await ask('address', { cookie, headers: { 'X-CF-APP-INSTANCE': address } })
      expect(reply.app).toBe('id-3')
      expect(companion(reply)).toBe('id-3')
      expect(seenBy(reply).headers['x-cf-app-instance']).toBe(address)
    }
  })

  test.for([
    ['an unknown instance', 'address:id-9', 404],
    ['another application', 'shop:id-1', 404],
    ['no index', 'address:', 400],
    ['no guid', ':id-1', 400],
    ['nonsense', 'id-1 id-2', 400],
  ] as const)('#89: %s is refused', async ([, address, status]) => {
    expect((await ask('address', { headers: { 'X-CF-APP-INSTANCE': address } })).status).toBe(status)
    expect((await ask('plain', { headers: { 'X-CF-APP-INSTANCE': address } })).status).toBe(200)
  })

  test('#225, #259: of companions of several applications the one that names an instance here counts', async () => {
    const cookie = `${session}; __VCAP_ID__=of-the-proxy-app; __VCAP_ID__=id-2`

    for (const node of [0, 1] as const) expect((await ask('plain', { cookie, node })).app).toBe('id-2')
  })

  test('#351: a WebSocket sticks, too', async () => {
    const first = await setting('sockets', [session])
    expect(sockets.backends.map(({ id }) => id)).toContain(first.app)

    for (const node of [0, 1, 0, 1] as const) {
      const port = pair.nodes[node].port
      const { app, socket } = await upgrade(port, { host: 'sockets.example.com', cookie: sentBack(first) })
      expect(app).toBe(first.app)
      socket.destroy()
    }
  })

  test('the cookies of backends that have no instance id, or none but their own', async () => {
    expect((await setting('unnamed', [session])).cookies).toEqual([session])
    expect(sentBack(await setting('default', [session]))).toMatch(
      /^JSESSIONID=1; __VCAP_ID__=[\w-]{44}; __VCAP_ID_META__=$/,
    )
  })

  test('applications see plain companions as at gorouter, and sealed ones never', async () => {
    const cookie = `a=1; ${gone}; __VCAP_ID_META__=secure; b=2`

    expect(seenBy(await ask('plain', { cookie })).headers.cookie).toBe(cookie)
    expect(seenBy(await ask('sealed', { cookie })).headers.cookie).toBe('a=1; JSESSIONID=1; b=2')
    expect(seenBy(await ask('sealed', { cookie: 'a=1; __VCAP_ID_META__=secure' })).headers.cookie).toBe('a=1')
  })

  test('an answer with our cookie is kept out of shared caches', async () => {
    const reply = await ask('plain', {
      cookie: gone,
      answer: { headers: { 'Cache-Control': 'public, max-age=60' } },
    })

    expect(reply.headers['cache-control']).toBe('private, max-age=60')
  })
})

describe('examples/gorouter.yaml', () => {
  test('one pool does as gorouter does, the other as we would', async () => {
    const billing = await setting('apps', [session], { target: '/billing/' })
    const shop = await setting('apps', ['PHPSESSID=1'])

    expect(billing.cookies[1]).toMatch(/^__VCAP_ID__=5a1b7b8e-000[01]-[\w-]+; Path=\/billing; HttpOnly$/)
    expect(shop.cookies[1]).toMatch(/^shop_instance=[\w-]{44}; Path=\/; HttpOnly; Secure$/)
    for (const node of [0, 1] as const) {
      const cookie = `${sentBack(billing)}; ${sentBack(shop)}`
      expect((await ask('apps', { target: '/billing/', cookie, node })).app).toBe(billing.app)
      expect((await ask('apps', { cookie, node })).app).toBe(shop.app)
    }
  })
})

test.for([
  ['unbalanced quotes', '__VCAP_ID__="id-1; JSESSIONID="'],
  ['hundreds of pairs', `${'a=1; '.repeat(400)}${gone}`],
  ['a value of 8 KiB', `${session}; __VCAP_ID__=${'x'.repeat(8000)}`],
  ['duplicates', `${gone}; ${gone}; ${gone}`],
  ['names that are no tokens', `${session}; (a)=1; =2; ; ${gone}`],
  ['a cut sealed value', `${session}; __VCAP_ID__=${'A'.repeat(43)}`],
  ['a forged sealed value', `${session}; __VCAP_ID__=${'A'.repeat(44)}`],
] as const)('malformed: %s finds nobody, is answered, and leaves no row', async ([, cookie]) => {
  const reply = await ask('ten', { cookie })

  expect(reply.status).toBe(200)
  expect(reply.cookies.length).toBeLessThanOrEqual(1)
  expect(await pair.nodes[0].sessionCount('ten')).toBe(0)
})

/** A session that begins on that instance: the pool takes turns. */
async function begunOn(pool: string, app: string, asked: Ask = {}): Promise<Reply> {
  for (;;) {
    const reply = await setting(pool, [session], asked)
    if (reply.app === app) return reply
  }
}

/** Applications that answer with their id, to WebSocket handshakes too. */
async function webSocketApps(
  ids: readonly string[],
): Promise<AsyncDisposable & { backends: { id: string; url: string }[] }> {
  const servers = ids.map((id) => {
    const server = createServer((_, response) => response.setHeader('X-App', id).setHeader('Set-Cookie', session).end())
    server.on('upgrade', (_, socket) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-App: ${id}\r\n\r\n`,
      )
      socket.on('end', () => socket.end()).on('error', () => socket.destroy())
    })
    return server.listen(0, '127.0.0.1')
  })
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const urls = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return {
    backends: ids.map((id, index) => ({ id, url: urls[index]! })),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => once(server.close(), 'close')))
    },
  }
}

/** A WebSocket's tunnel, and the application at its end. */
async function upgrade(
  port: number,
  { host, cookie }: { host: string; cookie: string },
): Promise<{ app: string; socket: Socket }> {
  const handshake = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13 }
  const headers = { Host: host, Cookie: cookie, ...handshake, 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' }
  const [response, socket] = await once(request({ host: '127.0.0.1', port, headers }).end(), 'upgrade')
  return { app: response.headers['x-app'], socket }
}
