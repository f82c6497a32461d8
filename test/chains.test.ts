import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { eventually } from './support/eventually.ts'
import type { LocalRedis } from './support/local-redis.ts'
import { type Ask, Pair, seenBy } from './support/pair.ts'
import { startRedis } from './support/redis.ts'
import { ScriptedApp } from './support/scripted-app.ts'

const key = { strategy: 'persistence-key', from: [{ cookie: 'JSESSIONID' }] }
const ours = { strategy: 'session-cookie', begin: { cookies: ['cart'] } }
const clone = { strategy: 'clone-id', cookie: 'APPSESSION' }
const instance = { strategy: 'instance-cookie', value: 'plain', start: '/start' }
const prefix = { strategy: 'instance-path', start: '/gas' }

/** Every pool by its chain; `HOST.example` leads to it. */
const chains = {
  keyfirst: [key, ours, clone],
  cookiefirst: [ours, clone, key],
  clonefirst: [clone, key, ours],
  always: [{ ...ours, begin: 'always' }, key, instance],
  instances: [prefix, instance, ours],
  key: [key],
}

const opened = new AsyncDisposableStack()
let redis: LocalRedis
let pair: Pair

beforeAll(async () => {
  redis = opened.use(await startRedis())
  const apps = await Promise.all(['a', 'b', 'c'].map(async (id) => opened.use(await ScriptedApp.start(id))))
  const backends = apps.map(({ id, url }) => ({ id, url, cloneIds: [`clone${id}`], prefix: `/GAS-${id}` }))
  const pools = Object.entries(chains).map(([name, affinity]) => [name, { affinity, backends }])
  const routes = Object.keys(chains).map((pool) => ({ host: `${pool}.example`, pool }))
  const store = { url: redis.url, commandTimeout: '500ms' }
  pair = opened.use(await Pair.start({ store, pools: Object.fromEntries(pools), routes }))
})

afterAll(() => opened.disposeAsync())

describe('the first strategy that recognises a request wins', () => {
  test.each([
    ['keyfirst', 'a', 'persistence-key, which stands first'],
    ['cookiefirst', 'b', 'session-cookie, which stands first'],
    ['clonefirst', 'c', 'clone-id, which stands first'],
  ])('%s: of three that name a, b and c it is %s, by %s', async (pool, app) => {
    const host = `${pool}.example`
    const keyed = await beginAt('a', host, 'JSESSIONID')
    const sealed = await beginAt('b', host, 'cart')
    const cookie = [keyed, sealed, 'APPSESSION=0001:clonec'].join('; ')

    expect(await appsFor({ host, cookie })).toEqual([app, app])
  })

  test.each([
    ['keyfirst', 'JSESSIONID=nobody; APPSESSION=x', 'b'],
    ['cookiefirst', 'sticky=forged; APPSESSION=x', 'b'],
    ['clonefirst', 'APPSESSION=0001:nobody', 'b'],
  ])('%s: what a strategy does not recognise is left to the next', async (pool, unknown, app) => {
    const host = `${pool}.example`
    const known = pool === 'keyfirst' ? 'cart' : 'JSESSIONID'
    const cookie = await beginAt(app, host, known)

    expect(await appsFor({ host, cookie: `${unknown}; ${cookie}` })).toEqual([app, app])
  })

  test('a prefix in the path comes before the cookie of an instance, and both before a session', async () => {
    const host = 'instances.example'
    const sealed = await beginAt('c', host, 'cart')

    expect(await appsFor({ host, target: '/GAS-a/x', cookie: `instance=b; ${sealed}` })).toEqual(['a', 'a'])
    expect(await appsFor({ host, target: '/x', cookie: `instance=b; ${sealed}` })).toEqual(['b', 'b'])
    expect(await appsFor({ host, target: '/x', cookie: sealed })).toEqual(['c', 'c'])
  })
})

describe('the first strategy, in order, that takes the answer begins the session', () => {
  test.each([
    ['keyfirst', ['JSESSIONID=1', 'cart=1'], ['JSESSIONID', 'cart'], 'the key, so that our cookie is not set'],
    ['cookiefirst', ['JSESSIONID=2', 'cart=1'], ['JSESSIONID', 'cart', 'sticky'], 'our cookie'],
    ['keyfirst', ['cart=1'], ['cart', 'sticky'], 'our cookie, where no key is set'],
    ['cookiefirst', ['APPSESSION=1:clonea', 'JSESSIONID=3'], ['APPSESSION', 'JSESSIONID'], 'the clone id'],
    ['keyfirst', ['theme=dark'], ['theme'], 'nobody'],
    ['always', ['JSESSIONID=4'], ['JSESSIONID', 'sticky'], 'our cookie, which takes every answer'],
  ])('%s: an answer that sets %j has %j of %s', async (pool, sets, expected) => {
    const { cookies } = await pair.ask({ host: `${pool}.example`, answer: { headers: { 'Set-Cookie': sets } } })

    expect(cookies.map((cookie) => cookie.split('=')[0])).toEqual(expected)
  })

  test('keyfirst: of a key and a clone id in one answer the key counts, and follows its backend', async () => {
    const host = 'keyfirst.example'
    const cookie = await beginAt('b', host, 'JSESSIONID', 'APPSESSION=1:clonea')

    expect(await appsFor({ host, cookie })).toEqual(['b', 'b'])
  })

  test('a session that one strategy recognised teaches the others nothing', async () => {
    const host = 'cookiefirst.example'
    const sealed = await beginAt('b', host, 'cart')
    const rows = await pair.nodes[0].sessionCount('cookiefirst')

    await pair.ask({ host, cookie: sealed, answer: { headers: { 'Set-Cookie': 'JSESSIONID=untaught' } } })

    expect(await pair.nodes[0].sessionCount('cookiefirst')).toBe(rows)
  })
})

describe('backends see nothing of ours, whoever recognised the request', () => {
  test.each([
    ['keyfirst', 'JSESSIONID=nobody; sticky=forged; x=1', 'JSESSIONID=nobody; x=1', 'a newcomer'],
    ['keyfirst', 'APPSESSION=1:clonea; sticky=forged; x=1', 'APPSESSION=1:clonea; x=1', 'clone-id'],
    ['clonefirst', 'sticky=forged; APPSESSION=1:clonea', 'APPSESSION=1:clonea', 'clone-id, which stands first'],
    ['instances', 'x=1; sticky=forged; instance=b', 'x=1', 'instance-cookie'],
    ['always', 'sticky=forged; __Host-sticky=forged; instance=b; x=1', 'x=1', 'instance-cookie, which stands last'],
  ])('%s: of %s it sees %s, recognised by %s', async (pool, cookie, expected) => {
    const reply = await pair.ask({ host: `${pool}.example`, cookie })

    expect(seenBy(reply).headers.cookie).toBe(expected)
  })

  test('a key and our cookie: our cookie is hidden', async () => {
    const host = 'keyfirst.example'
    const keyed = await beginAt('a', host, 'JSESSIONID')
    const sealed = await beginAt('b', host, 'cart')

    const reply = await pair.ask({ host, cookie: `${sealed}; ${keyed}` })

    const [cart] = sealed.split('; ')
    expect(seenBy(reply)).toMatchObject({ app: 'a', headers: { cookie: `${cart}; ${keyed}` } })
  })

  test('a starting request that our cookie recognised gets the prefix of its home', async () => {
    const host = 'instances.example'
    const cookie = await beginAt('c', host, 'cart')

    expect(seenBy(await pair.ask({ host, target: '/gas/wa', cookie })).url).toBe('/GAS-c/wa')
  })
})

test('the same key in two pools is two sessions', async () => {
  let cookie = ''
  for (let app: string | undefined; app !== 'b'; ) {
    cookie = await beginAt('a', 'key.example', 'JSESSIONID')
    app = (await pair.ask({ host: 'keyfirst.example', answer: { headers: { 'Set-Cookie': cookie } } })).app
  }

  expect(await appsFor({ host: 'key.example', cookie })).toEqual(['a', 'a'])
  expect(await appsFor({ host: 'keyfirst.example', cookie })).toEqual(['b', 'b'])
})

describe('while Redis is away', () => {
  let sealed = ''

  beforeAll(async () => {
    sealed = await beginAt('b', 'keyfirst.example', 'cart')
    await redis.kill()
    for (const node of pair.nodes) {
      const readiness = async () => (await fetch(new URL('/readyz', node.admin))).status
      await eventually(readiness, (status) => status === 503)
    }
  })

  test('a chain goes on by the strategies that need no store, past those that cannot tell', async () => {
    const host = 'keyfirst.example'

    expect(await appsFor({ host, cookie: `JSESSIONID=unseen; ${sealed}` })).toEqual(['b', 'b'])
    expect(await appsFor({ host, cookie: 'JSESSIONID=unseen; APPSESSION=1:clonec' })).toEqual(['c', 'c'])
    expect(await appsFor({ host: 'instances.example', target: '/GAS-a/x' })).toEqual(['a', 'a'])
    expect(await appsFor({ host: 'instances.example', cookie: 'instance=b' })).toEqual(['b', 'b'])
  })

  test('whoever no strategy can tell is served as a newcomer', async () => {
    const reply = await pair.ask({ host: 'keyfirst.example', cookie: 'JSESSIONID=unseen' })

    expect(reply).toMatchObject({ status: 200, cookies: [] })
  })
})

/** The applications that both nodes send the request to. */
async function appsFor(ask: Ask): Promise<(string | undefined)[]> {
  return [(await pair.ask({ ...ask, node: 0 })).app, (await pair.ask({ ...ask, node: 1 })).app]
}

let values = 0

/** Begins a session at home on that application, by an answer that sets this cookie; the Cookie field of its client from then on. */
async function beginAt(app: string, host: string, name: string, ...more: string[]): Promise<string> {
  for (;;) {
    const answer = { headers: { 'Set-Cookie': [`${name}=v${values++}`, ...more] } }
    const reply = await pair.ask({ host, answer })
    if (reply.app === app) return reply.cookies.map((cookie) => cookie.split(';')[0]).join('; ')
  }
}
