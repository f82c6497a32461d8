import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ClosingApp } from './support/closing-app.ts'
import { eventually } from './support/eventually.ts'
import { HoldingApp } from './support/holding-app.ts'
import type { LocalRedis } from './support/local-redis.ts'
import { type Ask, Pair, type Reply, seenBy } from './support/pair.ts'
import { configXml, listXml, serverXml } from './support/plugin-cfg.ts'
import { startRedis } from './support/redis.ts'
import { ScriptedApp } from './support/scripted-app.ts'

const UUID = '6e4d3c2b-1a09-4f8e-9d7c-5b4a39281706'
const stack = new AsyncDisposableStack()
let redis: LocalRedis
/** Everything that runs from one plugin-cfg.xml, and a file of version 4.0. */
let pair: Pair
let version4: Pair
const apps = new Map<string, ScriptedApp>()
let silent: HoldingApp
let closing: ClosingApp

beforeAll(async () => {
  redis = stack.use(await startRedis())
  for (const id of ['a', 'b', 'c', 'retried', 'primary', 'front']) apps.set(id, await ScriptedApp.start(id))
  stack.defer(async () => void (await Promise.all([...apps.values()].map((app) => app[Symbol.asyncDispose]()))))
  silent = stack.use(await HoldingApp.start('silent'))
  closing = stack.use(await ClosingApp.start())
  pair = stack.use(await Pair.startXml(configXml(clusters(), routing()), redis.url))
  version4 = stack.use(await Pair.startXml(bottomUp(), `${redis.url}/1`))
})

afterAll(() => stack.disposeAsync())

const a = (clone = 'c1', attributes = '') => ({ name: 'a', port: apps.get('a')!.port, clone, attributes })
const b = (clone = 'c2', attributes = '') => ({ name: 'b', port: apps.get('b')!.port, clone, attributes })
const c = (clone = UUID, attributes = '') => ({ name: 'c', port: apps.get('c')!.port, clone, attributes })

function clusters() {
  const [retried, primary] = ['retried', 'primary'].map((id) => ({ name: id, port: apps.get(id)!.port, clone: id }))
  const hanging = (seconds: number) => ({
    name: 'silent',
    port: silent.port,
    clone: 'silent',
    attributes: `ServerIOTimeout="${seconds}"`,
  })
  const broken = { name: 'broken', port: closing.port, clone: 'broken' }
  const away = { name: 'away', port: 1, clone: 'away' }
  return [
    { name: 'plain', servers: [a(), b(), c()] },
    { name: 'plus', attributes: 'CloneSeparatorChange="true"', servers: [a(), b(), c()] },
    { name: 'half', servers: [away, a(), b(), c()] },
    { name: 'twins', servers: [a('same'), b('same')] },
    {
      name: 'weights',
      servers: [a('c1', 'LoadBalanceWeight="2"'), b('c2', 'LoadBalanceWeight="1"'), c(UUID, 'LoadBalanceWeight="1"')],
    },
    {
      name: 'counting',
      attributes: 'IgnoreAffinityRequests="false"',
      servers: [a('c1', 'LoadBalanceWeight="2"'), b('c2', 'LoadBalanceWeight="1"'), c(UUID, 'LoadBalanceWeight="1"')],
    },
    { name: 'random', attributes: 'LoadBalance="Random"', servers: [a(), b()] },
    { name: 'retried', attributes: 'RetryInterval="1"', servers: [retried!, a()] },
    {
      name: 'backups',
      attributes: 'RetryInterval="1"',
      servers: [b(), primary!, c(), a()],
      more: listXml('PrimaryServers', ['primary']) + listXml('BackupServers', ['c', 'b']),
    },
    { name: 'patient', servers: [hanging(1), a()] },
    { name: 'strict', servers: [hanging(-1), a()] },
    { name: 'endless', servers: [hanging(0), a()] },
    { name: 'once', attributes: 'PostBufferSize="0"', servers: [broken, a()] },
    { name: 'again', attributes: 'PostBufferSize="1"', servers: [broken, a()] },
    { name: 'limited', servers: [{ ...hanging(0), attributes: 'MaxConnections="1"' }, a()] },
    { name: 'clean', servers: [a()] },
    { name: 'open', attributes: 'RemoveSpecialHeaders="false"', servers: [a()] },
    { name: 'short', attributes: 'PostSizeLimit="10"', servers: [a()] },
    {
      name: 'addressed',
      servers: [a(), b()],
      more: serverXml({ name: 'front', port: apps.get('front')!.port }, 'ClusterAddress'),
    },
  ]
}

/** Three Routes of `sites.example` and `*:9080`, told apart by their Uris and hosts. */
function routing(): string {
  return `
<ServerCluster Name="to-a">${serverXml(a())}${serverXml(b())}</ServerCluster>
<ServerCluster Name="to-b">${serverXml(b())}</ServerCluster>
<ServerCluster Name="to-c">${serverXml(c())}</ServerCluster>
<VirtualHostGroup Name="sites"><VirtualHost Name="sites.example"/></VirtualHostGroup>
<VirtualHostGroup Name="ports"><VirtualHost Name="*:9081"/><VirtualHost Name="[::1]:9080"/></VirtualHostGroup>
<UriGroup Name="wide"><Uri Name="/x/*"/></UriGroup>
<UriGroup Name="narrow"><Uri Name="/x/y/*"/><Uri Name="/x/only"/></UriGroup>
<UriGroup Name="pages"><Uri Name="*.jsp"/></UriGroup>
<UriGroup Name="two_cookies">
  <Uri Name="/one/*" AffinityCookie="ONE" AffinityURLIdentifier="one"/>
  <Uri Name="/two/*" AffinityCookie="TWO" AffinityURLIdentifier="two"/>
</UriGroup>
<Route ServerCluster="to-c" UriGroup="narrow" VirtualHostGroup="sites"/>
<Route ServerCluster="to-b" UriGroup="wide" VirtualHostGroup="sites"/>
<Route ServerCluster="to-c" UriGroup="pages" VirtualHostGroup="sites"/>
<Route ServerCluster="to-a" UriGroup="two_cookies" VirtualHostGroup="sites"/>
<Route ServerCluster="to-b" VirtualHostGroup="ports"/>
<Route ServerCluster="nobody" VirtualHostGroup="sites"/>`
}

/** Of 4.0: the last Route that matches counts. */
function bottomUp(): string {
  return `<Config>
<ServerGroup Name="to-a">${serverXml(a())}</ServerGroup>
<ServerGroup Name="to-b">${serverXml(b())}</ServerGroup>
<ServerGroup Name="to-c">${serverXml(c())}</ServerGroup>
<VirtualHostGroup Name="other"><VirtualHost Name="other.example:80"/></VirtualHostGroup>
<VirtualHostGroup Name="shop"><VirtualHost Name="shop.example:80"/></VirtualHostGroup>
<UriGroup Name="narrow"><Uri Name="/x/y/*"/></UriGroup>
<UriGroup Name="wide"><Uri Name="/x/*"/></UriGroup>
<Route ServerGroup="to-c" VirtualHostGroup="shop"/>
<Route ServerGroup="to-a" UriGroup="narrow"/>
<Route ServerGroup="to-b" UriGroup="wide" VirtualHostGroup="shop"/>
<Route ServerGroup="to-c" UriGroup="narrow" VirtualHostGroup="other"/>
</Config>`
}

/** Who answered, on either node. */
async function onBoth(ask: Ask, nodes = pair): Promise<string[]> {
  const replies = await Promise.all(([0, 1] as const).map((node) => nodes.ask({ ...ask, node })))
  return replies.map(arrival)
}

/** Who answered so many requests one after the other, on the nodes in turn unless one is named. */
async function inTurn(count: number, ask: Ask): Promise<string[]> {
  const arrivals: string[] = []
  for (let asked = 0; asked < count; asked++) arrivals.push(arrival(await pair.ask(ask)))
  return arrivals
}

function arrival({ status, app }: Reply): string {
  return status === 200 && app !== undefined ? app : `${status}`
}

const twice = (app: string): string[] => [app, app]
const session = (clones: string): string => `JSESSIONID=0000abc:${clones}`

describe('which Route', () => {
  test.each([
    ['/x/y/z', 'c'],
    ['/x/only', 'c'],
    ['/x/other', 'b'],
  ])('5d.1 of several that match the one with the longest literal counts: %s', async (target, app) => {
    expect(await onBoth({ host: 'sites.example', target })).toEqual(twice(app))
  })

  test.each([
    ['/x/y/z', 'b'],
    ['/x/other', 'b'],
    ['/', 'c'],
  ])('5d.1 of several that match the last counts, in a file of 4.0: %s', async (target, app) => {
    expect(await onBoth({ host: 'shop.example', target }, version4)).toEqual(twice(app))
  })

  test('5d.2 a Route whose UriGroup matches and whose VirtualHostGroup does not is passed by', async () => {
    expect(await onBoth({ host: 'other.example', target: '/x/y/z' }, version4)).toEqual(twice('c'))
    expect(await onBoth({ host: 'third.example', target: '/x/y/z' }, version4)).toEqual(twice('a'))
    expect(await onBoth({ host: 'third.example', target: '/x/z' }, version4)).toEqual(twice('404'))
  })

  test('5d.3 a Route without VirtualHostGroup serves every host, one without UriGroup every path', async () => {
    expect(await onBoth({ host: 'anything.example', target: '/x/y/' }, version4)).toEqual(twice('a'))
    expect(await onBoth({ host: 'shop.example', target: '/anything' }, version4)).toEqual(twice('c'))
  })

  test.each([
    ['/x', 'b'],
    ['/x/', 'b'],
    ['/x/z', 'b'],
    ['/xy', '404'],
    ['/X/z', '404'],
    ['/x;jsessionid=0000abc:c1', 'b'],
    ['/x;v=1/y;jsessionid=0000abc:c1', 'c'],
    ['/hello.jsp', 'c'],
    ['/deep/er/hello.jsp;jsessionid=0', 'c'],
    ['/hello.jsp/x', '404'],
    ['/hello?x=/x/y', '404'],
    ['/x?y=.jsp', 'b'],
  ])('5d.4 %s is matched without its parameters and query: %s', async (target, app) => {
    expect(await onBoth({ host: 'sites.example', target })).toEqual(twice(app))
  })

  test.each([
    ['SITES.example', 'b'],
    ['sites.example:80', 'b'],
    ['sites.example:81', '404'],
    ['[::1]:9080', 'b'],
    ['[::1]:9082', '404'],
    ['[::2]:9081', 'b'],
    ['whoever.example:9081', 'b'],
    ['plain.example:12345', 'a|b|c'],
  ])('5d.5 of Host %s: %s', async (host, app) => {
    for (const answered of await onBoth({ host, target: '/x/z' })) expect(app.split('|')).toContain(answered)
  })
})

describe('whose session', () => {
  test('5d.6 goes to its first clone, and to the next before any other when that is down', async () => {
    expect(await onBoth({ host: 'plain.example', cookie: session('c1:c2') })).toEqual(twice('a'))
    for (let round = 0; round < 3; round++)
      expect(await onBoth({ host: 'half.example', cookie: session(`away:${UUID}`) })).toEqual(twice('c'))
  })

  test('5d.6 is balanced when none of its clones is up, and the application may name another', async () => {
    const cookie = session('away')
    const moved = await pair.ask({
      host: 'half.example',
      cookie,
      answer: { headers: { 'set-cookie': `${cookie}:c2` } },
    })

    expect(moved).toMatchObject({ status: 200, cookies: [`${cookie}:c2`] })
    expect(await onBoth({ host: 'half.example', cookie: `${cookie}:c2` })).toEqual(twice('b'))
  })

  test.each([
    ['with a + after CloneSeparatorChange', 'plus.example', 'JSESSIONID=0000abc+c2', 'b'],
    ['with a UUID', 'plain.example', session(UUID), 'c'],
    ['in quotes', 'plain.example', 'JSESSIONID="0000abc:c2"', 'b'],
    ['in the second cookie of the name', 'plain.example', 'JSESSIONID=0000old:gone; JSESSIONID=0000abc:c2', 'b'],
  ])('5d.7 %s is known', async (_, host, cookie, app) => {
    for (let round = 0; round < 2; round++) expect(await onBoth({ host, cookie })).toEqual(twice(app))
  })

  test.each([
    ['an empty clone id', session('')],
    ['no separator', 'JSESSIONID=0000abc'],
    ['the other separator', 'JSESSIONID=0000abc+c2'],
    ['an unknown clone', session('gone')],
    ['8 KiB of separators', session(':'.repeat(8000))],
  ])('5d.7 with %s is balanced as a newcomer', async (_, cookie) => {
    expect(new Set(await inTurn(9, { host: 'plain.example', cookie }))).toEqual(new Set(['a', 'b', 'c']))
  })

  test('5d.8 is that of the cookie when the path says another; without a cookie, that of the path', async () => {
    const target = '/cart;jsessionid=0000abc:c1'

    expect(await onBoth({ host: 'plain.example', target, cookie: session('c2') })).toEqual(twice('b'))
    expect(await onBoth({ host: 'plain.example', target })).toEqual(twice('a'))
    expect(seenBy(await pair.ask({ host: 'plain.example', target })).url).toBe(target)
  })

  test.each([
    ['/one/', 'ONE=0:c2; TWO=0:c1', 'b'],
    ['/two/', 'ONE=0:c2; TWO=0:c1', 'a'],
    ['/two', 'ONE=0:c2; TWO=0:c1', 'a'],
    ['/one/;one=0:c2;two=0:c1', undefined, 'b'],
    ['/two/;one=0:c2;two=0:c1', undefined, 'a'],
  ])('5d.9 is told by the cookie of the Uri that decided: %s with %s', async (target, cookie, app) => {
    expect(await onBoth({ host: 'sites.example', target, ...(cookie && { cookie }) })).toEqual(twice(app))
  })

  test('5d.10 whose clone id two servers claim belongs to the first, and the file is warned about', async () => {
    for (let round = 0; round < 2; round++)
      expect(await onBoth({ host: 'twins.example', cookie: session('same') })).toEqual(twice('a'))

    expect(pair.nodes[0].errors).toMatch(/plugin-cfg.xml:\d+:\d+: warning: CloneID same belongs to Server a already/)
  })

  test('nothing is stored of it, and nothing added to answers', async () => {
    const reply = await pair.ask({
      host: 'plain.example',
      answer: { headers: { 'set-cookie': 'JSESSIONID=0000abc:c1' } },
    })

    expect(reply.cookies).toEqual(['JSESSIONID=0000abc:c1'])
    expect(await pair.nodes[0].sessionCount('plain')).toBe(0)
  })
})

describe('who gets a newcomer', () => {
  test('5d.11 by weights that count down for both nodes: 2, 1, 1', async () => {
    for (let period = 0; period < 3; period++)
      expect((await inTurn(4, { host: 'weights.example' })).sort()).toEqual(['a', 'a', 'b', 'c'])
  })

  test('5d.11 sessions use up no weight', async () => {
    expect(await inTurn(3, { host: 'weights.example', cookie: session('c1') })).toEqual(['a', 'a', 'a'])
    expect((await inTurn(4, { host: 'weights.example' })).sort()).toEqual(['a', 'a', 'b', 'c'])
  })

  test('5d.11 sessions use up weight with IgnoreAffinityRequests=false', async () => {
    const known = 40
    await inTurn(known, { host: 'counting.example', cookie: session('c1') })
    const newcomers = await inTurn(12, { host: 'counting.example' })

    expect(newcomers.filter((app) => app === 'a').length).toBeLessThan(4)
  })

  test('5d.11 Random honours sessions', async () => {
    expect(new Set(await inTurn(40, { host: 'random.example' }))).toEqual(new Set(['a', 'b']))
    expect(new Set(await inTurn(10, { host: 'random.example', cookie: session('c2') }))).toEqual(new Set(['b']))
  })

  test('5d.12 a server that is down gets nobody, is tried again after RetryInterval, and is back when it answers', async () => {
    const { port } = apps.get('retried')!
    await apps.get('retried')![Symbol.asyncDispose]()

    expect(new Set(await inTurn(8, { host: 'retried.example' }))).toEqual(new Set(['a']))
    expect(new Set(await inTurn(4, { host: 'retried.example', cookie: session('retried') }))).toEqual(new Set(['a']))
    apps.set('retried', await ScriptedApp.start('retried', port))
    await eventually(
      () => inTurn(4, { host: 'retried.example' }),
      (answered) => answered.includes('retried'),
    )
  })

  test('5d.13 backups get newcomers only while every primary is down, in their order; their sessions stay', async () => {
    const host = 'backups.example'
    const { port } = apps.get('primary')!
    expect(new Set(await inTurn(6, { host }))).toEqual(new Set(['primary']))
    expect(await onBoth({ host, cookie: session('c1') })).toEqual(twice('a'))

    await apps.get('primary')![Symbol.asyncDispose]()
    expect(new Set(await inTurn(6, { host }))).toEqual(new Set(['c']))
    expect(await onBoth({ host, cookie: session('c2') })).toEqual(twice('b'))

    apps.set('primary', await ScriptedApp.start('primary', port))
    await eventually(
      () => inTurn(4, { host }),
      (answered) => answered.every((app) => app === 'primary'),
    )
    expect(await onBoth({ host, cookie: session(UUID) })).toEqual(twice('c'))
  })

  test('5d.18 a ClusterAddress gets newcomers, a member its sessions', async () => {
    const host = 'addressed.example'

    expect(new Set(await inTurn(5, { host }))).toEqual(new Set(['front']))
    expect(await onBoth({ host, cookie: session('c2') })).toEqual(twice('b'))
  })
})

describe('limits', () => {
  test('5d.14 ServerIOTimeout: positive, the server stays; negative, it is marked down; 0, there is none', async () => {
    const cookie = session('silent')
    const endless = pair.ask({ host: 'endless.example', cookie, node: 0 })
    const [patient, strict] = await Promise.all([
      inTurn(2, { host: 'patient.example', cookie, node: 0 }),
      eventually(
        // Each worker learns by itself.
        () => inTurn(1, { host: 'strict.example', cookie, node: 0 }),
        ([app]) => app === 'a',
      ),
    ])
    silent.releaseAll()

    expect(patient).toEqual(['504', '504'])
    expect(strict).toEqual(['a'])
    expect((await endless).status).toBe(200)
  })

  test.each([
    ['once', 'body', '502'],
    ['again', 'body', 'a'],
    ['again', 'x'.repeat(2000), '502'],
  ])('5d.14 a POST whose server closes: cluster %s, %.8s: %s', async (name, body, answered) => {
    const node = body === 'body' ? 0 : 1
    const ask: Ask = { host: `${name}.example`, cookie: session('broken'), method: 'POST', body, node }

    expect(arrival(await pair.ask(ask))).toBe(answered)
  })

  test('5d.15 a server at MaxConnections is passed by, even by its own sessions', async () => {
    const ask: Ask = { host: 'limited.example', cookie: session('silent') }
    const held = pair.ask({ ...ask, node: 0 })
    await eventually(
      () => silent.inFlight,
      (count) => count > 0,
    )

    expect(await onBoth(ask)).toEqual(twice('a'))
    silent.releaseAll()
    expect((await held).status).toBe(200)
  })

  test('5d.16 a bad file changes nothing; a good one keeps sessions, and those of a server it has no more go elsewhere', async () => {
    const { nodes } = pair
    const [plain] = clusters()
    const withoutB = { ...plain!, servers: plain!.servers.filter(({ name }) => name !== 'b') }
    const logged = (event: string, count: number) =>
      Promise.all(
        nodes.map((node) =>
          eventually(
            () => node.lines.filter(({ msg }) => msg === event).length,
            (seen) => seen >= count,
          ),
        ),
      )
    const rewrite = (xml: string) => Promise.all(nodes.map((node) => writeFile(node.file, xml)))
    const homes = async () => [
      ...(await onBoth({ host: 'plain.example', cookie: session('c1') })),
      ...(await onBoth({ host: 'plain.example', cookie: session('c2') })),
    ]

    await rewrite('<Config><ServerCluster')
    await logged('configuration refused', 1)
    const kept = await homes()
    await rewrite(configXml([withoutB, ...clusters().slice(1)], routing()))
    await logged('configuration reloaded', 1)
    const moved = await homes()
    await rewrite(configXml(clusters(), routing()))
    await logged('configuration reloaded', 2)

    expect(kept).toEqual(['a', 'a', 'b', 'b'])
    expect(moved.slice(0, 2)).toEqual(['a', 'a'])
    expect(moved.slice(2)).not.toContain('b')
    expect(await homes()).toEqual(['a', 'a', 'b', 'b'])
  })

  test('5d.17 private headers of clients never reach a server, unless RemoveSpecialHeaders is false', async () => {
    const headers = { $WSRA: '10.0.0.1', $wssc: 'https', 'X-$WS': 'kept' }
    const clean = seenBy(await pair.ask({ host: 'clean.example', headers }))
    const open = seenBy(await pair.ask({ host: 'open.example', headers }))

    expect(clean.headers).not.toHaveProperty('$wsra')
    expect(clean.headers).not.toHaveProperty('$wssc')
    expect(clean.headers).toMatchObject({ 'x-$ws': 'kept' })
    expect(open.headers).toMatchObject({ $wsra: '10.0.0.1', $wssc: 'https' })
  })

  test('a body above PostSizeLimit is refused', async () => {
    const ask: Ask = { host: 'short.example', method: 'POST' }

    expect((await pair.ask({ ...ask, body: 'x'.repeat(10) })).status).toBe(200)
    expect((await pair.ask({ ...ask, body: 'x'.repeat(11) })).status).toBe(413)
  })
})

describe('without Redis', () => {
  test('sessions go home, and newcomers get turns that each worker counts', async () => {
    await redis.kill()

    expect(await onBoth({ host: 'weights.example', cookie: session('c2') })).toEqual(twice('b'))
    expect(new Set(await inTurn(20, { host: 'weights.example' }))).toEqual(new Set(['a', 'b', 'c']))
    await redis.start()
  })
})

describe('the command line', () => {
  const main = fileURLToPath(new URL('../packages/proxy/src/main.ts', import.meta.url))
  const fixture = (name: string) => fileURLToPath(new URL(`fixtures/plugin-cfg/${name}`, import.meta.url))
  const sticky = (...args: string[]) => promisify(execFile)(process.execPath, [main, ...args])

  test('convert prints the YAML, and its warnings apart from it', async () => {
    const { stdout, stderr } = await sticky('convert', fixture('missing-cluster.xml'))

    expect(stdout).toBe(await readFile(fixture('missing-cluster.yaml'), 'utf8'))
    expect(stderr).toContain('missing-cluster.xml:19:11: warning: Route ServerCluster names orders')
  })

  test('check tells warnings and is content; of what is no plugin-cfg.xml it tells one error', async () => {
    expect((await sticky('check', '-c', fixture('no-server-at-all.xml'))).stdout).toContain('is valid')
    await expect(sticky('convert', fixture('../../websphere.test.ts'))).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('must be a file named *.xml'),
    })
  })
})
