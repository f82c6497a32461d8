import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

import { ConfigErrors, loadConfig } from '@sticky/proxy'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'

import { Pair } from './support/pair.ts'
import { freshPrefix, redisUrl } from './support/redis.ts'
import { ScriptedApp } from './support/scripted-app.ts'

const store = { url: redisUrl(), prefix: freshPrefix() }
const redis = new Redis(store.url, { lazyConnect: true })

/** It does with what clients send all that a script can, but for making keys of it. */
const script = join(mkdtempSync(join(tmpdir(), 'sticky-bad-')), 'reading.ts')
const reading = `
const names = ['JSESSIONID', 'sticky', 'instance', '__VCAP_ID__']
export const request = ({ cookie, header, persist, use, target }) => {
  for (const name of names) {
    use(persist.lookup(cookie.get(name)))
    persist.delete(cookie.get(name))
  }
  use(persist.lookup(header.get('X-Session')))
  use(persist.lookup(target))
  header.set('X-Seen', String(names.filter((name) => cookie.exists(name)).length))
}
export const response = ({ request, setCookie, persist }) => {
  persist.add(setCookie.get('JSESSIONID'))
  persist.delete(request.path)
}`

const learn = { body: '^sid=(\\w+)' }
const key = { strategy: 'persistence-key', from: [{ cookie: 'JSESSIONID' }] }

/** Every strategy in a pool of its own; `POOL.example` leads to it. */
const chains = {
  cookie: [{ strategy: 'session-cookie', begin: 'on-cookie' }],
  key: [key],
  // Learnt from answers alone: what is learnt from requests is limited instead (newPerClient).
  parameters: [
    { ...key, from: [{ header: 'X-Session' }, { query: 'sid', learn }, { pathParam: 'jsessionid', learn }] },
  ],
  clone: [{ strategy: 'clone-id', cookie: 'JSESSIONID' }],
  instance: [{ strategy: 'instance-cookie', start: '/start' }],
  plain: [{ strategy: 'instance-cookie', start: '/start', value: 'plain' }],
  path: [{ strategy: 'instance-path', start: '/gas' }],
  companion: [{ strategy: 'companion-cookie', triggers: ['JSESSIONID'] }],
  named: [{ strategy: 'companion-cookie', triggers: ['JSESSIONID'], value: 'plain', addressHeader: 'X-App-Instance' }],
  recover: [{ strategy: 'session-cookie', begin: 'on-cookie', recoverBy: ['JSESSIONID', 'instance'] }],
  script: [{ strategy: 'script', script }],
  isolated: [{ strategy: 'script', script, isolate: true, timeLimit: '5s' }],
  chain: [key, { strategy: 'clone-id', cookie: 'APPSESSION' }, { strategy: 'session-cookie', begin: 'on-cookie' }],
} as const

type PoolName = keyof typeof chains
const poolNames = Object.keys(chains) as PoolName[]

const opened = new AsyncDisposableStack()
let pair: Pair

beforeAll(async () => {
  writeFileSync(script, reading)
  const apps = await Promise.all(['a', 'b'].map(async (id) => opened.use(await ScriptedApp.start(id))))
  const backends = apps.map(({ id, url }) => ({ id, url, cloneIds: [`clone${id}`], prefix: `/GAS-${id}` }))
  const pools = Object.entries(chains).map(([name, affinity]) => [name, { affinity, backends }])
  const hosts = Object.keys(chains).map((pool) => ({ host: `${pool}.example`, pool }))
  const patterns = ['(a+)+$', '^/(.*)*!$', '(x?){40}x{40}y']
  const routes = [...hosts, ...patterns.map((pattern) => ({ host: 'pattern.example', pattern, pool: 'cookie' }))]
  pair = opened.use(await Pair.start({ store, pools: Object.fromEntries(pools), routes, accessLog: true }))
})

afterAll(async () => {
  await opened.disposeAsync()
  await redis.quit()
  rmSync(dirname(script), { recursive: true })
})

const replacing = { companion: true, named: true }

const many = (count: number, pair: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => pair(n)).join('; ')
const long = 'x'.repeat(8192)

/** What the Cookie field is, by what is wrong with it. */
const cookies = {
  'an unbalanced quote': 'a="; sticky="x; JSESSIONID="y; instance="; __VCAP_ID__="a',
  'quotes within quotes': 'JSESSIONID="a\\"b"; sticky=""""; instance="\\""; __VCAP_ID__="\\"a\\""',
  'hundreds of pairs': many(700, (n) => `JSESSIONID${n}=${n}`),
  'hundreds of one name': many(200, (n) => `JSESSIONID=v${n}; sticky=${n}; instance=${n}`),
  'hundreds of another': many(250, (n) => `__VCAP_ID__=v${n}; JSESSIONID=:c${n}`),
  'a value of 8 KiB': `JSESSIONID=${long}`,
  'a value of 8 KiB for us': `sticky=${long}`,
  'a value of 8 KiB for an instance': `instance=${long}`,
  'a value of 8 KiB for a companion': `JSESSIONID=1; __VCAP_ID__=${long}`,
  'a name of 8 KiB': `${long}=1; sticky=2`,
  'the same name again and again':
    'sticky=a; sticky=b; JSESSIONID=a; JSESSIONID=b; instance=a; instance=b; JSESSIONID=c',
  'names that are no tokens': 'a b=1; (x)=2; [JSESSIONID]=3; JSESSIONID =4; =5; ;; sticky\t=6; {instance}=7',
  'names without values': 'JSESSIONID; sticky; instance; __VCAP_ID__; JSESSIONID=; sticky=; instance=; __VCAP_ID__=',
  'nothing but separators': '; ; ;;; = ; == ;=;',
  'what objects have by themselves': 'JSESSIONID=__proto__; sticky=constructor; instance=toString; __VCAP_ID__=valueOf',
  'bytes beyond ASCII': 'JSESSIONID=\xff\xfe; sticky=\x80; instance=\xe9; __VCAP_ID__=\xf1',
  'null and its like': 'JSESSIONID=null; sticky=undefined; instance=NaN; __VCAP_ID__=0',
  'a clone that nobody is': 'JSESSIONID=0000abc:nobody:cloneX; APPSESSION=0000:nobody',
  'thousands of clones': `JSESSIONID=0000${':nobody'.repeat(1000)}; APPSESSION=0${':x'.repeat(500)}`,
  'an instance that nobody is': 'JSESSIONID=1; instance=nobody; __VCAP_ID__=nobody',
  'a prefix as an instance': 'instance=/GAS-a; JSESSIONID=1; __VCAP_ID__=/GAS-a',
} as const

/** A request that keeps its session whatever is sent beside it. */
const healthy = { cookie: '', app: '' as string | undefined }
/** Rows that are there by right. */
let rows = 0

beforeAll(async () => {
  const begun = await pair.ask({ host: 'cookie.example', answer: { headers: { 'Set-Cookie': 'theme=dark' } } })
  Object.assign(healthy, { cookie: cookieOf(begun.cookies), app: begun.app })
  rows = await countRows()
})

describe.each(poolNames)('%s', (pool) => {
  test.each(Object.entries(cookies))(
    'a Cookie field with %s is a newcomer’s, or names whom it names',
    async (_, cookie) => {
      const { status, sets } = await sent(`GET / HTTP/1.1\r\nHost: ${pool}.example\r\nCookie: ${cookie}\r\n`)

      expect(status).toBe(200)
      // A companion that names nobody is replaced, as gorouter does; nothing else is set.
      expect(sets.filter((set) => !(pool in replacing && set.startsWith('__VCAP_ID__=')))).toEqual([])
    },
  )
})

describe('forged and truncated values', () => {
  const sealed = {
    cookie: { name: 'sticky', target: '/', sets: 'theme=dark' },
    chain: { name: 'sticky', target: '/', sets: 'theme=dark' },
    recover: { name: 'sticky', target: '/', sets: 'theme=dark' },
    instance: { name: 'instance', target: '/start', sets: 'theme=dark' },
    companion: { name: '__VCAP_ID__', target: '/', sets: 'JSESSIONID=1' },
  } as const
  const forgeries = {
    'without its last character': (value: string) => value.slice(0, -1),
    'without its first character': (value: string) => value.slice(1),
    'the first half of it': (value: string) => value.slice(0, value.length / 2),
    'with one character more': (value: string) => `${value}A`,
    'with one character changed': (value: string) => value.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
    'with its beginning changed': (value: string) => value.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
    'turned round': (value: string) => value.split('').reverse().join(''),
    'twice over': (value: string) => value + value,
    'in capitals': (value: string) => value.toUpperCase(),
    'all zero': (value: string) => 'A'.repeat(value.length),
    'in another alphabet': (value: string) => `${value.replaceAll('-', '+').replaceAll('_', '/')}=`,
    'percent-encoded': (value: string) => value.replace(/./g, (one) => `%${one.charCodeAt(0).toString(16)}`),
    'with half a quote': (value: string) => `"${value}`,
  }

  describe.each(Object.entries(sealed))('%s', (pool, { name, target, sets }) => {
    const told = new Map<string, unknown>()
    // A companion that names nobody is replaced.
    const invalid = pool === 'companion' ? 'II' : 'IN'

    beforeAll(async () => {
      const begun = await pair.ask({ host: `${pool}.example`, target, answer: { headers: { 'Set-Cookie': sets } } })
      const set = begun.cookies.find((cookie) => cookie.startsWith(`${name}=`))!
      const value = set.slice(name.length + 1).split(';')[0]!
      rows = await countRows()
      const values = Object.entries({ true: (as: string) => as, ...forgeries })
      // At once, for the log is written now and then.
      await Promise.all(
        values.map(async ([what, forged]) => {
          told.set(what, await persistOf(pool, `JSESSIONID=1; ${name}=${forged(value)}`))
        }),
      )
      await harmless()
    })

    test('the true value is recognised', () => {
      expect(told.get('true')).toEqual(['VN', 'VN'])
    })

    test.each(Object.keys(forgeries))('%s it is invalid: a newcomer’s', (what) => {
      expect(told.get(what)).toEqual([invalid, invalid])
    })
  })

  test('the value of one pool is nothing in another', async () => {
    const begun = await pair.ask({ host: 'cookie.example', answer: { headers: { 'Set-Cookie': 'theme=dark' } } })
    rows = await countRows()

    expect(await persistOf('chain', cookieOf(begun.cookies))).toEqual(['IN', 'IN'])
    await harmless()
  })
})

describe('targets that name nobody', () => {
  test.each([
    ['path', 'a prefix nobody has', '/GAS-nobody/x', 200],
    ['path', 'a prefix that goes on', '/GAS-ab/x', 200],
    ['path', 'a prefix in other letters', '/gas-a/x', 200],
    ['path', 'a prefix after two slashes', '//GAS-a/x', 200],
    ['path', 'an encoded letter', '/%47AS-a/x', 200],
    ['path', 'an encoded slash', '/GAS-a%2fx', 200],
    ['path', 'dots to another', '/GAS-a/../GAS-b/x', 400],
    ['path', 'encoded dots to another', '/GAS-a/%2e%2e/GAS-b/x', 400],
    ['path', 'dots and an encoded slash', '/GAS-a/..%2fGAS-b/x', 400],
    ['path', 'backslashes', '/GAS-a\\..\\GAS-b', 400],
    ['path', 'thousands of segments', `/GAS-a${'/x'.repeat(4000)}`, 200],
    ['clone', 'a clone that nobody is', '/x;jsessionid=0000abc:nobody', 200],
    ['clone', 'no value', '/x;jsessionid=', 200],
    ['clone', 'hundreds of parameters', `/x${';jsessionid=0:nobody'.repeat(300)}`, 200],
    ['clone', 'what objects have by themselves', '/x;jsessionid=0000:__proto__', 200],
    ['parameters', 'a value of 8,000 bytes', `/x?sid=${'s'.repeat(8000)}`, 200],
    ['parameters', 'a thousand without a value', `/x?${'sid=&'.repeat(1500)}`, 200],
    ['parameters', 'half an encoding', '/x?sid=%', 200],
    ['parameters', 'an encoded NUL', '/x?sid=%00', 400],
    ['parameters', 'hundreds of path parameters', `/x${';jsessionid'.repeat(700)}`, 200],
    ['script', '8,000 bytes', `/${'x'.repeat(8000)}`, 200],
    ['isolated', 'what objects have by themselves', '/__proto__?constructor', 200],
  ])('%s: a target with %s', async (pool, _, target, status) => {
    expect(await sent(`GET ${target} HTTP/1.1\r\nHost: ${pool}.example\r\n`)).toMatchObject({ status, sets: [] })
  })

  test.each([
    ['nobody', 'nobody'],
    ['nothing', ''],
    ['what objects have by themselves', '__proto__'],
    ['a colon', ':'],
    ['too many colons', 'a:b:c'],
    ['8,000 bytes', 'x'.repeat(8000)],
  ])('a header that asks for instance %s is refused, or a newcomer’s', async (_, instance) => {
    const { status } = await sent(`GET / HTTP/1.1\r\nHost: named.example\r\nX-App-Instance: ${instance}\r\n`)

    expect([200, 400, 404]).toContain(status)
  })
})

describe('patterns that take others for ever', () => {
  test.each([
    ['a run that does not end as it should', `/${'a'.repeat(8000)}!`, 200],
    ['a run of anything', `/${'x'.repeat(8000)}`, 404],
    ['hundreds of perhaps', `/${'x'.repeat(900)}z`, 404],
  ])('%s', async (_, target, status) => {
    const begun = performance.now()

    const outcome = await sent(`GET ${target} HTTP/1.1\r\nHost: pattern.example\r\n`)

    expect(outcome).toMatchObject({ status })
    expect(performance.now() - begun).toBeLessThan(2000)
  })

  test.each([
    ['(a', 'missing closing )'],
    ['[z-a]', 'invalid character class range'],
    ['(a)\\1', 'invalid escape sequence'],
    ['(?=a)', 'regular expression'],
    ['(?<!a)b', 'regular expression'],
    ['a{100000}', 'regular expression'],
    ['((a{1000}){1000}){1000}', 'regular expression'],
    ['*', 'missing argument'],
    ['', 'regular expression'],
  ])('check refuses the pattern %j', async (pattern, why) => {
    const said = await refused('sticky.yaml', stringify({ ...oneShop, routes: [{ pattern, pool: 'shop' }] }))

    expect(said).toContain('routes[0].pattern')
    expect(said).toContain(why)
  })
})

describe('a plugin-cfg.xml that is none', () => {
  const entities = '<!DOCTYPE a [<!ENTITY l0 "ha"><!ENTITY l1 "&l0;&l0;&l0;&l0;"><!ENTITY l2 "&l1;&l1;&l1;">]>'
  test.each([
    ['nothing', ''],
    ['an element that does not end', '<Config><ServerCluster Name="c">'],
    ['elements that cross', '<Config><A><B></A></B></Config>'],
    ['an attribute without quotes', '<Config a=b/>'],
    ['an attribute twice', '<Config a="1" a="2"/>'],
    ['two roots', '<Config/><Config/>'],
    ['another root', '<html/>'],
    ['entities of its own', `${entities}<Config Name="&l2;"/>`],
    ['an entity from outside', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Config Name="&x;"/>'],
    ['an entity nobody knows', '<Config Name="&x;"/>'],
    ['control bytes', '<Config Name="\x01"/>'],
    ['100,000 elements deep', '<a>'.repeat(100_000)],
    ['text before it', 'x<Config/>'],
  ])('%s: check says where', async (_, xml) => {
    const said = await refused('plugin-cfg.xml', xml)

    expect(said).toMatch(/^\S*plugin-cfg\.xml(:\d+:\d+)?: .+/)
    expect(said).not.toContain('root:')
    expect(said).not.toMatch(/\bat .*\.ts:\d+/)
  })
})

const oneShop = { pools: { shop: { backends: [{ id: 'a', url: 'http://127.0.0.1:1' }] } } }

/** What became of a request over both nodes, each with a healthy one beside it; its first answer. */
async function sent(
  head: string,
): Promise<{ readonly status: number; readonly sets: readonly string[]; readonly id: string }> {
  const [first, second] = await Promise.all(
    ([0, 1] as const).map(async (node) => {
      const [answer, beside] = await Promise.all([
        ask(pair.nodes[node].port, `${head}Connection: close\r\n\r\n`),
        pair.ask({ host: 'cookie.example', cookie: healthy.cookie, node }),
      ])
      expect(beside).toMatchObject({ status: 200, app: healthy.app })
      return answer
    }),
  )
  expect(second!.status).toBe(first!.status)
  await harmless()
  return first!
}

async function persistOf(pool: string, cookie: string): Promise<unknown[]> {
  const head = `GET / HTTP/1.1\r\nHost: ${pool}.example\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`
  return await Promise.all(
    pair.nodes.map(async (node) => {
      const { id } = await ask(node.port, head)
      return (await node.logged('exchange', ({ request_id }) => request_id === id)).persist
    }),
  )
}

/** Nothing was stored, and nothing of ours failed. */
async function harmless(): Promise<void> {
  expect(await countRows()).toBe(rows)
  for (const node of pair.nodes) {
    // Of a Redis that lets everybody do everything the log warns.
    expect(node.lines.filter(({ level, msg }) => level !== 'info' && msg !== 'store set-up')).toEqual([])
    expect(node).toMatchObject({ ended: false, errors: '' })
  }
}

/** Of every table there is, those by which sessions are found again among them. */
async function countRows(): Promise<number> {
  const indexes = await redis.keys(`${store.prefix}:*:on:*`)
  const counts = await Promise.all(indexes.map((index) => redis.zcard(index)))
  return counts.reduce((total, count) => total + count, 0)
}

/** Sends these bytes as they stand. */
async function ask(port: number, head: string): Promise<{ status: number; sets: string[]; id: string }> {
  const socket = connect(port, '127.0.0.1')
  socket.write(Buffer.from(head, 'latin1'))
  const answer = await text(socket)
  const sets = Array.from(answer.matchAll(/^set-cookie: (.*)\r$/gim), ([, set]) => set!)
  return { status: Number(answer.slice(9, 12)), sets, id: /^x-request-id: (.*)\r$/im.exec(answer)?.[1] ?? '' }
}

/** What `sticky-proxy check` would say of a file: it loads it so. */
async function refused(name: string, content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sticky-bad-'))
  try {
    await writeFile(join(folder, name), content)
    loadConfig(join(folder, name), {}, {})
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigErrors)
    return (error as Error).message
  } finally {
    await rm(folder, { recursive: true })
  }
  throw new Error('it was accepted')
}

function cookieOf(cookies: readonly string[]): string {
  return cookies.map((cookie) => cookie.split(';')[0]).join('; ')
}
