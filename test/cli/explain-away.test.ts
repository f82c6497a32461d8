import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import type { LocalRedis } from '../support/local-redis.ts'
import { Pair } from '../support/pair.ts'
import { startRedis } from '../support/redis.ts'
import { ScriptedApp } from '../support/scripted-app.ts'
import { explained } from './explained.ts'
import { stickyCli } from './sticky-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'sticky-explain-'))
const script = join(folder, 'decide.ts')
const opened = new AsyncDisposableStack()
let redis: LocalRedis
let pair: Pair
/** The cookies of sessions that live on b, which is away; and of one that lives on a. */
let orphans: { readonly moving: string; readonly gone: string }
let sealed: string

beforeAll(async () => {
  redis = opened.use(await startRedis())
  writeFileSync(script, 'export const request = (ctx) => ctx.use("a")')
  const apps = await Promise.all(['a', 'b', 'c'].map(async (id) => opened.use(await ScriptedApp.start(id))))
  const [a, b, c] = apps.map(({ id, url }) => ({ id, url }))
  const key = { strategy: 'persistence-key', from: [{ cookie: 'JSESSIONID' }] }
  const pools = {
    moving: { backends: [a, b], affinity: [key] },
    gone: { backends: [a, b], affinity: [{ ...key, whenGone: 'gone' }] },
    backed: { backends: [b, { ...c, backup: true }], affinity: [key] },
    drained: { backends: [{ ...a, weight: 0, cloneIds: ['clonea'] }, c], affinity: [{ strategy: 'clone-id' }] },
    sealed: { backends: [a] },
    scripted: { backends: [a], affinity: [{ strategy: 'script', script }] },
    rest: { backends: [c], affinity: [] },
  }
  const ejection = { failures: 1, for: '1h', longest: '1h' }
  const named = Object.entries(pools).map(([id, pool]) => [id, { ejection, balance: 'roundRobin', ...pool }])
  const routes = named.slice(0, -1).map(([pool]) => ({ host: `${pool}.example`, pool }))
  const store = { url: redis.url, commandTimeout: '500ms' }
  pair = opened.use(await Pair.start({ store, pools: Object.fromEntries(named), routes, fallback: 'rest' }))
  sealed = await beginAt('a', 'sealed')
  await orphan(apps[1]!)
})

afterAll(async () => {
  await opened.disposeAsync()
  rmSync(folder, { recursive: true })
})

/** Leaves sessions on b, which node 0 finds to be away and node 1 does not. */
async function orphan(b: ScriptedApp): Promise<void> {
  const scouts = { moving: await beginAt('b', 'moving'), gone: await beginAt('b', 'gone') }
  orphans = { moving: await beginAt('b', 'moving'), gone: await beginAt('b', 'gone') }
  await b[Symbol.asyncDispose]()
  for (const [pool, cookie] of Object.entries(scouts)) await pair.ask({ host: `${pool}.example`, cookie, node: 0 })
  await pair.ask({ host: 'backed.example', node: 0 })
}

describe('explain, of a backend that is away', () => {
  test('on the node that has ejected it: where its session goes instead', async () => {
    expect(await explainedOn(0, 'http://moving.example/', '--cookie', orphans.moving)).toMatchInlineSnapshot(`
      "request:   GET / at moving.example, from 127.0.0.1
      route:     routes[0], for host moving.example
      pool:      moving
      session:   known; persistence-key: cookie:JSESSIONID is the key of session <id>, at home on b
                 began <time> ago, ends in <time> unless it is used
      home:      b, which is down
      to:        a, the only one it can go to
      sent:      as it came
      response:  as it came
                 in the session, persist DU
      if away:   nobody: 503 no backend can serve (no-backend)
      "
    `)
  })

  test('on a node that does not know it yet: its home, and what becomes of the session then', async () => {
    expect(await explainedOn(1, 'http://moving.example/', '--cookie', orphans.moving)).toMatchInlineSnapshot(`
      "request:   GET / at moving.example, from 127.0.0.1
      route:     routes[0], for host moving.example
      pool:      moving
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

  test('whose sessions end with it: what their clients are told', async () => {
    expect(await explainedOn(0, 'http://gone.example/', '--cookie', orphans.gone)).toMatchInlineSnapshot(`
      "request:   GET / at gone.example, from 127.0.0.1
      route:     routes[1], for host gone.example
      pool:      gone
      session:   known; persistence-key: cookie:JSESSIONID is the key of session <id>, at home on b
                 began <time> ago, ends in <time> unless it is used
      home:      b, which is down
      to:        nobody: 404 this session is gone (session-gone)
      "
    `)
  })

  test('and has a backup', async () => {
    expect(await explainedOn(0, 'http://backed.example/')).toMatchInlineSnapshot(`
      "request:   GET / at backed.example, from 127.0.0.1
      route:     routes[2], for host backed.example
      pool:      backed
      session:   new; persistence-key: no key in cookie:JSESSIONID
      to:        c, a backup
      sent:      as it came
      response:  as it came
                 no session begins, persist NN
      if away:   nobody: 503 no backend can serve (no-backend)
      "
    `)
    expect(await explainedOn(1, 'http://backed.example/')).toMatchInlineSnapshot(`
      "request:   GET / at backed.example, from 127.0.0.1
      route:     routes[2], for host backed.example
      pool:      backed
      session:   new; persistence-key: no key in cookie:JSESSIONID
      to:        b, the only one it can go to
      sent:      as it came
      response:  as it came
                 no session begins, persist NN
      if away:   c, a backup
      "
    `)
  })
})

test('explain, of a drained backend: it keeps its sessions', async () => {
  expect(await explainedOn(0, 'http://drained.example/', '--cookie', 'JSESSIONID=1:clonea')).toMatchInlineSnapshot(`
    "request:   GET / at drained.example, from 127.0.0.1
    route:     routes[3], for host drained.example
    pool:      drained
    session:   known; clone-id: the cookie names the clone of a
    to:        a, its home
    sent:      as it came
    response:  as it came
               in the session, persist VN
    if away:   c, the only one it can go to
    "
  `)
})

test('explain, where no route matches: the fallback pool', async () => {
  expect(await explainedOn(0, 'http://nobody.example/')).toMatchInlineSnapshot(`
    "request:   GET / at nobody.example, from 127.0.0.1
    route:     none: the pool is the fallback
    pool:      rest
    session:   new; the pool has no affinity
    to:        c, the only one it can go to
    sent:      as it came
    response:  as it came
               no session begins, persist NN
    if away:   nobody: 503 no backend can serve (no-backend)
    "
  `)
})

test('explain, of a script that cannot be loaded any more: says so, and explains what needs no script', async () => {
  writeFileSync(script, 'export const request = (')

  const { code, stdout, stderr } = await explain(1, 'http://scripted.example/')

  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(
    /^sticky-cli: script \S+decide\.ts of pool scripted cannot be used: .+; workers go on with .+\n$/,
  )
  expect((await pair.ask({ host: 'scripted.example', node: 1 })).app).toBe('a')
  expect(await explainedOn(1, 'http://nobody.example/')).toContain('pool:      rest\n')
})

describe('explain, while the store is away', () => {
  beforeAll(async () => {
    await redis.kill()
    const readiness = async () => (await fetch(new URL('/readyz', pair.nodes[1].admin))).status
    await eventually(readiness, (status) => status === 503)
  })

  test('session-cookie: the cookie tells', async () => {
    expect(await explainedOn(1, 'http://sealed.example/', '--cookie', sealed)).toMatchInlineSnapshot(`
      "request:   GET / at sealed.example, from 127.0.0.1
      route:     routes[4], for host sealed.example
      pool:      sealed
      session:   known; session-cookie: cookie sticky names session <id>, at home on a; the store cannot be asked
      to:        a, its home
      sent:      without Cookie: sticky=…
      response:  as it came
                 in the session, persist VN
      if away:   nobody: 503 no backend can serve (no-backend)
      "
    `)
  })

  test('session-cookie: a newcomer is let in', async () => {
    expect(await explainedOn(1, 'http://sealed.example/')).toMatchInlineSnapshot(`
      "request:   GET / at sealed.example, from 127.0.0.1
      route:     routes[4], for host sealed.example
      pool:      sealed
      session:   new; session-cookie: no cookie of ours
      to:        a, the only one it can go to
      sent:      as it came
      response:  with Cache-Control: private
                 with Set-Cookie: sticky=…; Path=/; HttpOnly; SameSite=Lax
                 in the session, persist NI
      if away:   nobody: 503 no backend can serve (no-backend)
      "
    `)
  })

  test('persistence-key: a key not seen before is a newcomer’s', async () => {
    expect(await explainedOn(1, 'http://moving.example/', '--cookie', 'JSESSIONID=unseen')).toMatchInlineSnapshot(`
      "request:   GET / at moving.example, from 127.0.0.1
      route:     routes[0], for host moving.example
      pool:      moving
      session:   new; persistence-key: the key of cookie:JSESSIONID cannot be asked for
      to:        a or b, by roundRobin among a (- in flight, - sessions, weight 1), b (- in flight, - sessions, weight 1)
      sent:      as it came
      response:  as it came
                 no session begins, persist IN
      if away:   instead of a: b, the only one it can go to
      "
    `)
  })

  test('clone-id: nothing is stored', async () => {
    expect(await explainedOn(1, 'http://drained.example/', '--cookie', 'JSESSIONID=1:clonea')).toMatchInlineSnapshot(`
      "request:   GET / at drained.example, from 127.0.0.1
      route:     routes[3], for host drained.example
      pool:      drained
      session:   known; clone-id: the cookie names the clone of a
      to:        a, its home
      sent:      as it came
      response:  as it came
                 in the session, persist VN
      if away:   c, the only one it can go to
      "
    `)
  })
})

function explain(node: 0 | 1, ...words: string[]): ReturnType<typeof stickyCli> {
  return stickyCli(['--admin', pair.nodes[node].admin, 'explain', ...words])
}

function explainedOn(node: 0 | 1, ...words: string[]): Promise<string> {
  return explained(pair.nodes[node].admin, ...words)
}

let values = 0

/** Begins a session there, with an answer that sets a cookie; the Cookie field of its client from then on. */
async function beginAt(app: string, pool: string): Promise<string> {
  for (;;) {
    const answer = { headers: { 'Set-Cookie': `JSESSIONID=v${values++}` } }
    const reply = await pair.ask({ host: `${pool}.example`, answer })
    if (reply.app === app) return reply.cookies.map((set) => set.split(';')[0]).join('; ')
  }
}
