import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { eventually } from './support/eventually.ts'
import { type Ask, Pair, type Reply, seenBy } from './support/pair.ts'
import { ProxyNode } from './support/proxy-node.ts'
import { ScriptedApp } from './support/scripted-app.ts'

const persist = fileURLToPath(new URL('../examples/aflex/persist.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sticky-aflex-'))
const stack = new AsyncDisposableStack()
let pair: Pair
let apps: readonly ScriptedApp[]
let mortal: ScriptedApp

const choosing = `
import type { RequestHook, ResponseHook } from '@sticky/proxy'

export const request: RequestHook = async (context) => {
  if (context.path === '/use') context.use('c')
  if (context.path === '/pool') context.pool('aflex')
  if (context.path === '/refuse') context.refuse(429, 'später')
  if (context.path === '/throw') throw new Error('oops')
  if (context.path === '/unknown') context.use('z')
  if (context.path === '/never') await new Promise(() => {})
  context.header.set('X-Group', 'blue')
}

export const response: ResponseHook = ({ request }) => {
  if (request.path === '/throw-late') throw new Error('oops')
}`

const looping = `
export const request = (context) => {
  while (context.path === '/loop');
  context.use('b')
}`

const shortLived = `
export const request = (context) => { context.use(context.persist.lookup(context.cookie.get('sid'))) }
export const response = ({ setCookie, persist }) => { persist.add(setCookie.get('sid'), { age: '300ms' }) }`

const sendingTo = (backend: string): string => `export const request = (context) => { context.use('${backend}') }`

beforeAll(async () => {
  apps = await Promise.all(['a', 'b', 'c'].map(async (id) => stack.use(await ScriptedApp.start(id))))
  mortal = await ScriptedApp.start('d')
  const backends = apps.map(({ id, url }) => ({ id, url }))
  const script = (file: string, parts: object = {}): object => ({ strategy: 'script', script: file, ...parts })
  const cookie = { strategy: 'session-cookie' }
  const pools = {
    aflex: { backends, affinity: [script(persist)] },
    twin: { backends, affinity: [script(persist)] },
    mortal: { backends: [{ id: 'd', url: mortal.url }, backends[0]], affinity: [script(persist)] },
    short: { backends, affinity: [script(write('short.ts', shortLived))] },
    choosing: { backends, affinity: [script(write('choosing.ts', choosing)), cookie] },
    isolated: {
      backends,
      affinity: [script(write('choosing.ts', choosing), { isolate: true, timeLimit: '5s' }), cookie],
    },
    looping: {
      backends,
      affinity: [script(write('looping.js', looping), { isolate: true, timeLimit: '100ms' }), cookie],
    },
    swapped: { backends, affinity: [script(write('swapped.ts', sendingTo('a')))] },
  }
  pair = stack.use(
    await Pair.start({
      trustedProxies: ['127.0.0.1'],
      pools: Object.fromEntries(Object.entries(pools).map(([id, pool]) => [id, { balance: 'roundRobin', ...pool }])),
      routes: Object.keys(pools).map((pool) => ({ host: `${pool}.example`, pool })),
    }),
  )
})

afterAll(async () => {
  await stack.disposeAsync()
  rmSync(folder, { recursive: true, force: true })
})

describe('the script of the source document', () => {
  test('a first request goes where the balance says, and its answer makes the server’s cookie a key (prose, step 2)', async () => {
    const first = await ask({ from: '10.0.1.1', answer: sets('JSESSIONID=prose-1; Path=/') })

    await expectHome(first, { from: '10.0.1.2', cookie: 'JSESSIONID=prose-1' })
  })

  test('the value of a request’s cookie is the key, added by the answer where it is missing', async () => {
    const first = await ask({ from: '10.0.2.1', cookie: 'JSESSIONID=script-1' })

    await expectHome(first, { from: '10.0.2.2', cookie: 'a=1; JSESSIONID=script-1' })
  })

  test('without the cookie the client’s address is the key', async () => {
    const first = await ask({ from: '10.0.3.1' })
    const others = await Promise.all([2, 3, 4].map((last) => ask({ from: `10.0.3.${last}` })))

    await expectHome(first, { from: '10.0.3.1', cookie: 'other=1' })
    expect(new Set(others.map(({ app }) => app)).size).toBeGreaterThan(1)
  })

  test('keys are kept for 300 s without requests', async () => {
    await ask({ from: '10.0.4.1', cookie: 'JSESSIONID=aged' })

    const lines = await fetch(new URL('/v1/sessions?pool=aflex&limit=1', pair.nodes[0].admin))
    const [session] = (await lines.text()).split('\n')
    expect(JSON.parse(session!)).toMatchObject({ source: 'script:persist.ts', age: 300 })
  })

  test('3b.2 a changed value is bound where its session lives, and the old one ages', async () => {
    const first = await ask({ from: '10.0.5.1', answer: sets('JSESSIONID=before') })
    const login = await ask({ from: '10.0.5.1', cookie: 'JSESSIONID=before', answer: sets('JSESSIONID=after') })

    expect(login.app).toBe(first.app)
    await expectHome(first, { from: '10.0.5.2', cookie: 'JSESSIONID=after' })
    await expectHome(first, { from: '10.0.5.3', cookie: 'JSESSIONID=before' })
  })

  test.each(['JSESSIONID=', 'JSESSIONID=""'])('3b.3 %s is no key: the address counts', async (cookie) => {
    const one = await ask({ from: '10.0.6.1', cookie })
    const homes = await Promise.all([2, 3, 4].map((last) => ask({ from: `10.0.6.${last}`, cookie })))

    await expectHome(one, { from: '10.0.6.1' })
    expect(new Set(homes.map(({ app }) => app)).size).toBeGreaterThan(1)
  })

  test('3b.4 a key that nobody used for its age is forgotten', async () => {
    await pair.ask({ host: 'short.example', answer: sets('sid=1') })
    expect(await pair.nodes[0].sessionCount('short')).toBe(1)

    await eventually(
      () => pair.nodes[0].sessionCount('short'),
      (count) => count === 0,
    )
    const apps = await inTurn(3, { host: 'short.example', cookie: 'sid=1', node: 0 })
    expect(new Set(apps).size).toBe(3)
  })

  test('3b.6 an IPv4 address mapped into IPv6 is the same client', async () => {
    const first = await ask({ from: '10.0.7.1' })

    await expectHome(first, { from: '::ffff:10.0.7.1' })
  })

  test('3b.7 the same value in two pools is two keys', async () => {
    const taken = await ask({ from: '10.0.8.1', cookie: 'JSESSIONID=same' })
    const seen = new Set<string | undefined>()
    // A key of its own in the twin: its first request is balanced there.
    for (const value of ['same', 'x', 'y']) {
      seen.add((await ask({ from: '10.0.8.1', host: 'twin.example', cookie: `JSESSIONID=${value}`, node: 0 })).app)
    }

    expect(seen.size).toBe(3)
    await expectHome(taken, { from: '10.0.8.2', cookie: 'JSESSIONID=same' })
  })

  test('3b.8 the key of a server that is down is bound to the one that answers, and stays there', async () => {
    const host = 'mortal.example'
    const key = await keyOn('d', host)
    const { port } = mortal
    await mortal[Symbol.asyncDispose]()

    const moved = await ask({ from: '10.0.9.1', host, cookie: key })
    mortal = stack.use(await ScriptedApp.start('d', port))

    expect(moved.app).toBe('a')
    expect(await inTurn(4, { host, cookie: key })).toEqual(['a', 'a', 'a', 'a'])
  })

  test.each(['JSESSIONID="quoted"', 'JSESSIONID=quoted; JSESSIONID=other', 'x="; JSESSIONID=quoted'])(
    '3b.9 %s means the first value, with or without quotes',
    async (cookie) => {
      const first = await ask({ from: '10.0.10.1', cookie: 'JSESSIONID=quoted' })

      await expectHome(first, { from: '10.0.10.2', cookie })
    },
  )

  test('3b.10 deleting the cookie ends the key', async () => {
    const host = 'twin.example'
    const key = await keyOn('b', host)
    await ask({ from: '10.0.11.1', host, cookie: key, answer: sets('JSESSIONID=; Max-Age=0') })

    const rows = await pair.nodes[1].sessionCount('twin')
    const again = await ask({ from: '10.0.11.1', host, cookie: key, answer: { status: 204 } })
    expect(again.status).toBe(204)
    expect(await pair.nodes[1].sessionCount('twin')).toBe(rows + 1)
  })

  test('3b.11 two nodes that add one key at once agree', async () => {
    for (let race = 0; race < 5; race++) {
      const cookie = `JSESSIONID=race-${race}`
      await Promise.all([ask({ from: '10.0.12.1', cookie, node: 0 }), ask({ from: '10.0.12.2', cookie, node: 1 })])

      expect(new Set(await inTurn(4, { host: 'aflex.example', cookie })).size).toBe(1)
    }
  })
})

describe.each(['choosing', 'isolated'])('a script (pool %s)', (pool) => {
  const host = `${pool}.example`

  test('chooses a backend', async () => {
    expect(await inTurn(4, { host, target: '/use' })).toEqual(['c', 'c', 'c', 'c'])
  })

  test('has another pool serve, with that pool’s own sessions', async () => {
    const headers = { 'X-Forwarded-For': '10.1.0.1' }
    const apps = await inTurn(4, { host, target: '/pool', headers })

    expect(new Set(apps).size).toBe(1)
  })

  test('hides our cookie of its own pool from that pool’s backends', async () => {
    const cookie = (await pair.ask({ host })).cookies[0]!.split(';')[0]!

    const reply = await pair.ask({ host, target: '/pool', cookie: `a=1; ${cookie}; b=2` })

    expect(seenBy(reply).headers.cookie).toBe('a=1; b=2')
  })

  test('refuses', async () => {
    const reply = await pair.ask({ host, target: '/refuse' })

    expect([reply.status, reply.body, reply.app]).toEqual([429, 'später\n', undefined])
  })

  test('changes what the backend gets', async () => {
    const reply = await pair.ask({ host, target: '/', headers: { 'X-Group': 'red' } })

    expect(seenBy(reply).headers['x-group']).toBe('blue')
  })

  test('leaves the other strategies their sessions', async () => {
    const first = await pair.ask({ host })
    const cookie = first.cookies[0]!.split(';')[0]!

    expect(await inTurn(3, { host, cookie })).toEqual([first.app, first.app, first.app])
  })

  test.each(['/throw', '/throw-late', '/unknown'])(
    'that fails for %s leaves the exchange to the rest of the chain',
    async (target) => {
      const reply = await pair.ask({ host, target, node: 0 })

      expect(reply.status).toBe(200)
      expect(reply.cookies).toHaveLength(1)
      const fact = await pair.nodes[0].logged('script failed', (line) => line.pool === pool)
      expect(fact).toMatchObject({ kind: 'error', script: expect.stringContaining('choosing.ts') })
      expect(await metrics()).toMatch(new RegExp(`sticky_script_errors_total\\{pool="${pool}",kind="error"\\} [1-9]`))
    },
  )
})

test('a hook that never ends costs its exchange the limit', async () => {
  const reply = await pair.ask({ host: 'choosing.example', target: '/never', node: 1 })

  expect([reply.status, reply.cookies.length]).toEqual([200, 1])
  await pair.nodes[1].logged('script failed', (line) => line.kind === 'timeout')
})

describe('an isolated script that loops for ever on one path', () => {
  const host = 'looping.example'

  test('costs that exchange its limit, and others are answered meanwhile', async () => {
    expect((await pair.ask({ host, node: 0 })).app).toBe('b')
    const ended: string[] = []
    const looped = pair.ask({ host, target: '/loop', node: 0 }).finally(() => ended.push('looped'))
    const others = await Promise.all(
      ['aflex.example', 'swapped.example', host].map((other) => pair.ask({ host: other, node: 0 })),
    )
    ended.push('others')
    const reply = await looped

    expect(others.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(ended).toEqual(['others', 'looped'])
    // The session cookie is the rest of the chain.
    expect([reply.status, reply.cookies.length]).toEqual([200, 1])
  })

  test('is off after three of them, and the rest of the chain serves everybody', async () => {
    await eventually(
      () => pair.ask({ host, target: '/loop', node: 0 }),
      () => pair.nodes[0].lines.some(({ msg }) => msg === 'script switched off'),
    )

    const off = await pair.ask({ host, target: '/loop', node: 0 })
    const on = await pair.ask({ host, node: 1 })

    expect([off.status, off.cookies.length]).toEqual([200, 1])
    expect([on.app, on.cookies.length]).toEqual(['b', 0])
    expect(await metrics()).toContain('sticky_script_errors_total{pool="looping",kind="timeout"} 3')
  })
})

test('a new version of a script takes over without a restart, and a broken one does not', async () => {
  const host = 'swapped.example'
  expect(await inTurn(2, { host })).toEqual(['a', 'a'])

  write('swapped.ts', sendingTo('b'))
  await bothLogged('script replaced')
  const replaced = await inTurn(2, { host })
  write('swapped.ts', 'export const request = (')
  await bothLogged('script failed', 'load')
  const kept = await inTurn(2, { host })

  expect([replaced, kept]).toEqual([
    ['b', 'b'],
    ['b', 'b'],
  ])
})

test.each([
  ['that is not there', './nowhere.ts', /pools\.shop\.affinity\[0\]\.script: must be a file that can be read/],
  ['that is no script', './README.md', /pools\.shop\.affinity\[0\]\.script: must be the path of a script/],
  [
    'without hooks',
    write('empty.ts', 'export {}'),
    /script .*empty\.ts of pool shop cannot be used: it exports neither/,
  ],
])('a node with a script %s does not start, and says why', async (_, script, told) => {
  const pools = {
    shop: { backends: [{ id: 'a', url: 'http://127.0.0.1:1' }], affinity: [{ strategy: 'script', script }] },
  }

  await expect(ProxyNode.start({ pools })).rejects.toThrow(told)
})

/** Writes a script, or its new version. */
function write(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

function sets(...cookies: string[]): { headers: { 'set-cookie': string[] } } {
  return { headers: { 'set-cookie': cookies } }
}

/** A request of a client with that address. */
async function ask({ from, ...parts }: Ask & { from: string }): Promise<Reply> {
  return pair.ask({ host: 'aflex.example', headers: { 'X-Forwarded-For': from }, ...parts })
}

/** Who answers so many requests, one after the other. */
async function inTurn(count: number, parts: Ask): Promise<(string | undefined)[]> {
  const apps: (string | undefined)[] = []
  for (let turn = 0; turn < count; turn++) apps.push((await pair.ask(parts)).app)
  return apps
}

/** Both nodes send such requests there. */
async function expectHome({ app }: Reply, { from, ...parts }: Ask & { from: string }): Promise<void> {
  expect(app).toBeDefined()
  for (let turn = 0; turn < 4; turn++) expect((await ask({ from, ...parts })).app).toBe(app)
}

/** A cookie whose value is bound there. */
async function keyOn(backend: string, host: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const cookie = `JSESSIONID=${backend}-${attempt}`
    if ((await ask({ from: '10.2.0.1', host, cookie, node: 0 })).app === backend) return cookie
  }
}

async function metrics(): Promise<string> {
  return (await fetch(new URL('/metrics', pair.nodes[0].admin))).text()
}

async function bothLogged(event: string, kind?: string): Promise<void> {
  await Promise.all(
    pair.nodes.map((node) => node.logged(event, (line) => line.pool === 'swapped' && line.kind === kind)),
  )
}
