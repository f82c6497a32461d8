import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { LoadList } from '@sticky/proxy/admin-api'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { Pair } from '../support/pair.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'
import { ScriptedApp } from '../support/scripted-app.ts'
import { explained as explainedBy } from './explained.ts'
import { stickyCli } from './sticky-cli.ts'

const store = { url: redisUrl(), prefix: freshPrefix() }
const SCRIPT = `
export const request = (ctx) => {
  if (ctx.header.get('x-forever')) for (;;);
  if (ctx.header.get('x-user') === 'ada') ctx.use('b')
  ctx.persist.add(ctx.header.get('x-key'))
}
export const response = ({ setCookie, persist }) => persist.add(setCookie.get('JSESSIONID'))
`

const opened = new AsyncDisposableStack()
let pair: Pair

beforeAll(async () => {
  const apps = await Promise.all(['a', 'b'].map(async (id) => opened.use(await ScriptedApp.start(id))))
  const backends = (parts: (id: string) => object = () => ({})) =>
    apps.map(({ id, url }) => ({ id, url, ...parts(id) }))
  const script = join(opened.adopt(mkdtempSync(join(tmpdir(), 'sticky-explain-')), removeFolder), 'decide.ts')
  writeFileSync(script, SCRIPT)
  const pools = {
    cookie: { affinity: [{ strategy: 'session-cookie', begin: 'on-cookie' }] },
    newcomers: { affinity: [{ strategy: 'session-cookie', begin: 'on-cookie' }] },
    keyed: { affinity: [{ strategy: 'persistence-key', from: [{ cookie: 'JSESSIONID' }], age: '5m' }] },
    chained: {
      affinity: [
        { strategy: 'persistence-key', from: [{ cookie: 'JSESSIONID' }] },
        { strategy: 'session-cookie', begin: 'always' },
      ],
    },
    clones: {
      backends: backends((id) => ({ cloneIds: [`clone${id}`] })),
      affinity: [{ strategy: 'clone-id', cookie: 'JSESSIONID' }],
    },
    instances: { affinity: [{ strategy: 'instance-cookie', value: 'plain' }] },
    paths: {
      backends: backends((id) => ({ prefix: `/GAS-${id}` })),
      affinity: [{ strategy: 'instance-path', start: '/gas' }],
    },
    companions: { affinity: [{ strategy: 'companion-cookie', triggers: ['JSESSIONID'], value: 'plain' }] },
    scripted: { affinity: [{ strategy: 'script', script }] },
    turns: { affinity: [], balance: 'roundRobin' },
    drained: { backends: backends(() => ({ weight: 0 })) },
    shared: { affinity: [], balance: 'sharedRoundRobin' },
    recovered: { affinity: [{ strategy: 'session-cookie', begin: 'on-cookie', recoverBy: ['JSESSIONID'] }] },
    fading: { affinity: [{ strategy: 'session-cookie', begin: 'on-cookie', ends: 'last-cookie' }] },
    returning: {
      affinity: [{ strategy: 'session-cookie', begin: 'on-cookie' }],
      onUnavailable: 'temporary',
    },
    waiting: { affinity: [{ strategy: 'instance-cookie', value: 'plain' }], onUnavailable: 'wait' },
    failing: { affinity: [{ strategy: 'instance-cookie', value: 'plain' }], onUnavailable: 'fail' },
  }
  const named = Object.entries(pools).map(([name, pool]) => [name, { backends: backends(), ...pool }])
  const routes = Object.keys(pools).map((pool) => ({ host: `${pool}.example`, pool }))
  const trustedProxies = ['192.0.2.0/24']
  pair = opened.use(await Pair.start({ store, pools: Object.fromEntries(named), routes, trustedProxies }))
})

afterAll(() => opened.disposeAsync())

describe('sticky-cli explain', () => {
  test('session-cookie: a known session', async () => {
    const cookie = await beginAtB('cookie.example', 'theme')

    expect(await explained('http://cookie.example/cart', '--cookie', `${cookie}; lang=en`)).toMatchInlineSnapshot(`
      "request:   GET /cart at cookie.example, from 127.0.0.1
      route:     routes[0], for host cookie.example
      pool:      cookie
      session:   known; session-cookie: cookie sticky names session <id>, at home on b; its row tells
                 began <time> ago, ends in <time> unless it is used
      to:        b, its home
      sent:      without Cookie: sticky=…
      response:  as it came
                 in the session, persist VN
      if away:   a, the only one it can go to
      "
    `)
  })

  test('session-cookie: a session that ends with its last cookie', async () => {
    const cookie = await beginAtB('fading.example', 'theme')

    expect(await explained('http://fading.example/', '--cookie', cookie)).toContain(
      'ends in <time> unless it is used, and with its last cookie\n',
    )
  })

  test('session-cookie: a newcomer whose answer begins a session', async () => {
    const answer = ['--response-header', 'Set-Cookie: cart=1', '--response-header', 'Cache-Control: public']

    expect(await explained('https://newcomers.example/cart', ...answer)).toMatchInlineSnapshot(`
      "request:   GET /cart at newcomers.example, from 127.0.0.1 over TLS
      route:     routes[1], for host newcomers.example
      pool:      newcomers
      session:   new; session-cookie: no cookie of ours
      to:        a or b, by leastLoad among a (0 in flight, 0 sessions, weight 1), b (0 in flight, 0 sessions, weight 1)
      sent:      as it came
      response:  without Cache-Control: public
                 with Cache-Control: private
                 with Set-Cookie: __Host-sticky=…; Path=/; HttpOnly; Secure; SameSite=Lax
                 in the session, persist NI
      if away:   instead of a: b, the only one it can go to
      "
    `)
  })

  test('session-cookie: a cookie we did not seal', async () => {
    expect(await explained('http://newcomers.example/', '--cookie', 'sticky=forged')).toMatchInlineSnapshot(`
      "request:   GET / at newcomers.example, from 127.0.0.1
      route:     routes[1], for host newcomers.example
      pool:      newcomers
      session:   new; session-cookie: a cookie of our name that does not open
      to:        a or b, by leastLoad among a (0 in flight, 0 sessions, weight 1), b (0 in flight, 0 sessions, weight 1)
      sent:      without Cookie: sticky=…
      response:  as it came
                 no session begins, persist IN
      if away:   instead of a: b, the only one it can go to
      "
    `)
  })

  test('persistence-key: a known key', async () => {
    const cookie = await beginAtB('keyed.example', 'JSESSIONID')

    expect(await explained('http://keyed.example/', '--cookie', cookie)).toMatchInlineSnapshot(`
      "request:   GET / at keyed.example, from 127.0.0.1
      route:     routes[2], for host keyed.example
      pool:      keyed
      session:   known; persistence-key: cookie:JSESSIONID is the key of session <id>, at home on b
                 began <time> ago, ends in <time> unless it is used
      to:        b, its home
      sent:      as it came
      response:  as it came
                 in the session, persist VN
      if away:   a, the only one it can go to
      "
    `)
  })

  test('a chain: what each strategy says of a newcomer', async () => {
    expect(await explained('http://chained.example/', '--cookie', 'JSESSIONID=B1')).toMatchInlineSnapshot(`
      "request:   GET / at chained.example, from 127.0.0.1
      route:     routes[3], for host chained.example
      pool:      chained
      session:   new; persistence-key: the key of cookie:JSESSIONID leads nowhere
                 session-cookie: no cookie of ours
      to:        a or b, by leastLoad among a (0 in flight, 0 sessions, weight 1), b (0 in flight, 0 sessions, weight 1)
      sent:      as it came
      response:  with Cache-Control: private
                 with Set-Cookie: sticky=…; Path=/; HttpOnly; SameSite=Lax
                 in the session, persist NI
      if away:   instead of a: b, the only one it can go to
      "
    `)
  })

  test('clone-id: the clone that the session id names', async () => {
    expect(await explained('http://clones.example/', '--cookie', 'JSESSIONID=0000A:cloneb')).toMatchInlineSnapshot(`
      "request:   GET / at clones.example, from 127.0.0.1
      route:     routes[4], for host clones.example
      pool:      clones
      session:   known; clone-id: the cookie names the clone of b
      to:        b, its home
      sent:      as it came
      response:  as it came
                 in the session, persist VN
      if away:   a, the only one it can go to
      "
    `)
  })

  test('instance-cookie: the instance that the cookie names', async () => {
    expect(await explained('http://instances.example/', '--cookie', 'instance=b')).toMatchInlineSnapshot(`
      "request:   GET / at instances.example, from 127.0.0.1
      route:     routes[5], for host instances.example
      pool:      instances
      session:   known; instance-cookie: cookie instance names b
      to:        b, its home
      sent:      without Cookie: instance=…
      response:  as it came
                 in the session, persist VN
      if away:   a, the only one it can go to
      "
    `)
  })

  test('instance-path: a starting request is sent under a prefix', async () => {
    expect(await explained('http://paths.example/gas/wa/r/app?x=1')).toMatchInlineSnapshot(`
      "request:   GET /gas/wa/r/app?x=1 at paths.example, from 127.0.0.1
      route:     routes[6], for host paths.example
      pool:      paths
      session:   new; instance-path: a starting request, within /gas
      to:        a or b, by leastLoad among a (0 in flight, 0 sessions, weight 1), b (0 in flight, 0 sessions, weight 1)
      sent:      with target /GAS-a/wa/r/app?x=1
      response:  as it came
                 no session begins, persist NN
      if away:   instead of a: b, the only one it can go to
      "
    `)
  })

  test('instance-path: a prefixed request, whose instance nobody replaces', async () => {
    expect(await explained('http://paths.example/GAS-b/wa/r/app')).toMatchInlineSnapshot(`
      "request:   GET /GAS-b/wa/r/app at paths.example, from 127.0.0.1
      route:     routes[6], for host paths.example
      pool:      paths
      session:   known; instance-path: the prefix /GAS-b is that of b
      to:        b, its home
      sent:      as it came
      response:  as it came
                 in the session, persist VN
      if away:   nobody: 503 the backend of this session is away (home-away)
      "
    `)
  })

  test('companion-cookie: the instance that it names beside the application’s own', async () => {
    const cookie = 'JSESSIONID=1; __VCAP_ID__=b'

    expect(await explained('http://companions.example/', '--cookie', cookie)).toMatchInlineSnapshot(`
      "request:   GET / at companions.example, from 127.0.0.1
      route:     routes[7], for host companions.example
      pool:      companions
      session:   known; companion-cookie: cookie __VCAP_ID__ names b
      to:        b, its home
      sent:      as it came
      response:  as it came
                 in the session, persist VN
      if away:   a, the only one it can go to
      "
    `)
  })

  test('companion-cookie: what an answer that sets a trigger gets beside it', async () => {
    const answer = 'Set-Cookie: JSESSIONID=1; Path=/; Secure; SameSite=Strict'

    expect(await explained('http://companions.example/', '--response-header', answer)).toMatchInlineSnapshot(`
      "request:   GET / at companions.example, from 127.0.0.1
      route:     routes[7], for host companions.example
      pool:      companions
      session:   new; companion-cookie: no companion
      to:        a or b, by leastLoad among a (0 in flight, 0 sessions, weight 1), b (0 in flight, 0 sessions, weight 1)
      sent:      as it came
      response:  with Cache-Control: private
                 with Set-Cookie: __VCAP_ID__=a; Path=/; HttpOnly; Secure; SameSite=Strict
                 with Set-Cookie: __VCAP_ID_META__=secure&samesite=strict; Path=/; HttpOnly; Secure; SameSite=Strict
                 in the session, persist NI
      if away:   instead of a: b, the only one it can go to
      "
    `)
  })

  test('script: whom it chose', async () => {
    expect(await explained('http://scripted.example/', '-H', 'X-User: ada')).toMatchInlineSnapshot(`
      "request:   GET / at scripted.example, from 127.0.0.1
      route:     routes[8], for host scripted.example
      pool:      scripted
      session:   known; script: it chose backend b
      to:        b, its home
      sent:      as it came
      response:  as it came
                 in the session, persist VN
      if away:   a, the only one it can go to
      "
    `)
  })

  test('script: one that loops costs its time limit and decides nothing', async () => {
    const told = await explained('http://scripted.example/', '-H', 'X-Forever: 1')

    expect(told).toContain('session:   new; script: it did not run\n')
  })

  test('no affinity: whom the policy might choose', async () => {
    expect(await explained('http://turns.example/', '-X', 'POST')).toMatchInlineSnapshot(`
      "request:   POST / at turns.example, from 127.0.0.1
      route:     routes[9], for host turns.example
      pool:      turns
      session:   new; the pool has no affinity
      to:        a or b, by roundRobin among a (0 in flight, 0 sessions, weight 1), b (0 in flight, 0 sessions, weight 1)
      sent:      as it came
      response:  as it came
                 no session begins, persist NN
      if away:   instead of a: b, the only one it can go to
      "
    `)
  })

  test('a pool that takes nobody', async () => {
    expect(await explained('http://drained.example/')).toMatchInlineSnapshot(`
      "request:   GET / at drained.example, from 127.0.0.1
      route:     routes[10], for host drained.example
      pool:      drained
      session:   new; session-cookie: no cookie of ours
      to:        nobody: 503 no backend can serve (no-backend)
      "
    `)
  })

  test.each([
    ['temporary', 'returning', 'a, which stands in for its home'],
    ['wait', 'waiting', 'nobody: 503 the backend of this session is away, after at most 5s in the queue (home-away)'],
    ['fail', 'failing', 'nobody: 503 the backend of this session is away (home-away)'],
  ])('onUnavailable: %s', async (_, pool, instead) => {
    const host = `${pool}.example`
    const cookie = pool === 'returning' ? await beginAtB(host, 'theme') : 'instance=b'

    expect(await explained(`http://${host}/`, '--cookie', cookie)).toContain(`\nif away:   ${instead}\n`)
  })

  test('no route', async () => {
    expect(await explained('http://nobody.example/')).toMatchInlineSnapshot(`
      "request:   GET / at nobody.example, from 127.0.0.1
      to:        nobody: 404 no route (no-route)
      "
    `)
  })

  test('a malformed request', async () => {
    expect(await explained('http://keyed.example/../etc/passwd')).toMatchInlineSnapshot(`
      "request:   malformed
      to:        nobody: 400 dot segments in the request target (bad-request)
      "
    `)
  })

  test('a client as a trusted proxy tells it, and a Host of its own', async () => {
    const words = ['-H', 'X-Forwarded-For: 198.51.100.7', '-H', 'X-Forwarded-Proto: https', '-H', 'Host: turns.example']

    const [request] = (await explained('/path', '--client', '192.0.2.1', ...words)).split('\n')

    expect(request).toBe('request:   GET /path at turns.example, from 198.51.100.7 over TLS')
  })

  test('is a document for programs', async () => {
    const { code, stdout } = await cli('-o', 'json', 'explain', 'http://paths.example/GAS-a')

    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      apiVersion: 'sticky/v1',
      route: { index: 6, match: { host: ['paths.example'] } },
      session: { known: true, home: ['a'], id: null, row: null, persistence: 'VN' },
      to: { backend: 'a', why: 'home', certain: true },
      sent: { target: '/GAS-a', removed: [], added: [] },
      ifAway: { refusal: 'home-away', status: 503 },
    })
  })

  test.each([
    ['a URL that is none', ['ftp://shop.example/']],
    ['a client that is no address', ['http://shop.example/', '--client', 'somebody']],
    ['a header without a colon', ['http://shop.example/', '-H', 'Nothing']],
    ['a header of two lines', ['http://shop.example/', '-H', 'A: b\r\nC: d']],
    ['an answer no backend may give', ['http://shop.example/', '--response-header', 'bad name: x']],
    ['a format that is none', ['http://shop.example/', '-o', 'xml']],
  ])('%s is wrong usage', async (_, words) => {
    const { code, stdout, stderr } = await cli('explain', ...words)

    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^sticky-cli: .+\n$/)
  })
})

test('nothing is stored, renewed or counted for an explanation', async () => {
  await using redis = disposable(new Redis(store.url))
  const cookie = await beginAtB('cookie.example', 'cart')
  const key = await beginAtB('keyed.example', 'JSESSIONID')
  const recovered = await beginAtB('recovered.example', 'JSESSIONID')
  await pair.ask({ host: 'scripted.example', headers: { 'X-Key': 'kept' } })
  await pair.ask({ host: 'shared.example' })
  const sets = (field: string) => ['--response-header', `Set-Cookie: ${field}`]
  const load = await eventually(loads, (told) => told.load.every(({ cluster }) => cluster === 0))
  const before = { stored: await storedIn(redis), load }

  await Promise.all(
    [
      ['http://cookie.example/', '--cookie', cookie, ...sets('cart=2')],
      ['http://cookie.example/', ...sets('cart=3')],
      ['http://keyed.example/', '--cookie', key, ...sets('JSESSIONID=C2')],
      ['http://keyed.example/', '--cookie', key, ...sets('JSESSIONID=; Max-Age=0')],
      ['http://chained.example/'],
      ['http://newcomers.example/', ...sets('cart=4')],
      ['http://instances.example/', ...sets('cart=5')],
      ['http://paths.example/gas', ...sets('cart=6')],
      ['http://clones.example/', ...sets('JSESSIONID=1:cloneb')],
      ['http://companions.example/', ...sets('JSESSIONID=7')],
      ['http://scripted.example/', '-H', 'X-Key: kept'],
      ['http://scripted.example/', '-H', 'X-Key: given', ...sets('JSESSIONID=8')],
      ['http://shared.example/'],
      ['http://recovered.example/', '--cookie', recovered, ...sets('JSESSIONID=9')],
      ['http://recovered.example/', '--cookie', recovered.split('; ')[0]!, ...sets('JSESSIONID=; Max-Age=0')],
    ].map((ask) => explained(...ask)),
  )

  expect({ stored: await storedIn(redis), load: await loads() }).toEqual(before)
})

test('an explanation takes nobody’s turn', async () => {
  const turn = async () => (await pair.ask({ host: 'turns.example', node: 1 })).app
  const first = await turn()
  await explained('http://turns.example/')

  const [second, third] = [await turn(), await turn()]

  expect(second).not.toBe(first)
  expect(third).toBe(first)
})

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true })
}

async function cli(...words: string[]): ReturnType<typeof stickyCli> {
  return await stickyCli(['--admin', pair.nodes[1].admin, ...words])
}

function explained(...words: string[]): Promise<string> {
  return explainedBy(pair.nodes[1].admin, ...words)
}

/** Begins a session at home on b with an answer that sets this cookie; answers the Cookie field of its client from then on. */
async function beginAtB(host: string, name: string): Promise<string> {
  for (let value = 1; ; value++) {
    const answer = { headers: { 'Set-Cookie': `${name}=${value}` } }
    const { app, cookies } = await pair.ask({ host, node: 0, answer })
    if (app === 'b') return cookies.map((set) => set.split(';')[0]).join('; ')
  }
}

/** All that is in Redis with when it expires, but for what nodes write of themselves as time goes by: leases, and who lives. */
async function storedIn(redis: Redis): Promise<Record<string, unknown>> {
  const keys = (await redis.keys(`${store.prefix}:*`))
    .filter((key) => !/\}:load(:|$)|\{:cluster\}:nodes$/.test(key))
    .sort()
  const told = await Promise.all(
    keys.map(async (key) => [await redis.dumpBuffer(key), await redis.call('PEXPIRETIME', key)]),
  )
  const stored = Object.fromEntries(keys.map((key, at) => [key.slice(store.prefix.length), told[at]]))
  expect(Object.keys(stored)).toEqual(
    expect.arrayContaining([expect.stringMatching(/\{keyed:\d+\}:on:b$/), expect.stringMatching(/\{shared\}:turns$/)]),
  )
  return stored
}

function loads(): Promise<LoadList> {
  return pair.nodes[0].ask('/v1/load')
}

function disposable(redis: Redis): Redis & AsyncDisposable {
  return Object.assign(redis, { [Symbol.asyncDispose]: async () => void (await redis.quit()) })
}
