import { readFileSync } from 'node:fs'
import { request } from 'node:http'

import type { AdminApi, BackendResource } from '@sticky/proxy/admin-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { AilingApp } from '../support/ailing-app.ts'
import { CannedApp } from '../support/canned-app.ts'
import { eventually } from '../support/eventually.ts'
import { Pair, type Reply } from '../support/pair.ts'

const ids = [
  ...['well', 'refusing', 'silent', 'failing', 'wrong', 'p1', 'p2', 'p3', 's1', 's2', 'e1', 'e2'],
  ...['c1', 'c2', 'c3', 'c4', 'slow', 'fast', 'hanging', 'uploads'],
] as const

type Id = (typeof ids)[number]

const pem = (part: string): string =>
  readFileSync(new URL(`../../packages/proxy/src/upstream/fixtures/test-only.${part}.pem`, import.meta.url), 'utf8')

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-App: poison\r\n\r\nok'

/** Answers that nobody can relay. */
const poison = {
  'a head of 1 MB': `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(1_000_000)}\r\n\r\n`,
  'a bad status line': 'HTTP/1.1 abc OK\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
  'a length and chunks':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'no HTTP': '220 smtp.example ready\r\n',
}

let apps: Readonly<Record<Id, AilingApp>>
let untrusted: AilingApp
let poisoned: CannedApp
let pair: Pair

beforeAll(async () => {
  const started = await Promise.all(ids.map((id) => AilingApp.start(id)))
  apps = Object.fromEntries(started.map((app) => [app.id, app])) as Record<Id, AilingApp>
  untrusted = await AilingApp.start('untrusted', { cert: pem('cert'), key: pem('key') })
  const answers = Object.values(poison).map((answer, index) => [`/${index}`, answer])
  poisoned = await CannedApp.start({ ...Object.fromEntries(answers), '/': ok })
  pair = await Pair.start(configuration())
})

afterAll(async () => {
  const opened: readonly (AsyncDisposable | undefined)[] = [pair, poisoned, untrusted, ...Object.values(apps ?? {})]
  await Promise.all(opened.map((each) => each?.[Symbol.asyncDispose]()))
})

describe('a backend whose checks fail', () => {
  test.concurrent.each<
    [what: Id, reason: string | RegExp, fall: (app: AilingApp) => unknown, rise: (app: AilingApp) => unknown]
  >([
    ['refusing', 'connection refused', (app) => app.close(), (app) => app.open()],
    ['silent', 'no answer within 300ms', (app) => (app.ailment = 'silence'), recover],
    ['failing', 'status 500', (app) => (app.ailment = 'status 500'), recover],
    ['wrong', 'its body does not match', (app) => (app.ailment = 'wrong body'), recover],
  ])('%s: gets nobody on any node, with the reason told, until it is well again', async (id, reason, fall, rise) => {
    const trouble = `2 of 2 failed: ${reason}`
    await bothSee(id, id, ({ check }) => check?.up === true)

    await fall(apps[id])
    await bothSee(id, id, ({ state, check }) => state === 'down' && check?.reason === trouble)
    expect(await appsOf(id, 10)).toEqual(Array(10).fill('well'))
    await rise(apps[id])
    await bothSee(id, id, ({ state, check }) => state === 'ready' && check?.reason === null)

    expect(await appsOf(id, 10)).toContain(id)
    for (const node of pair.nodes) {
      await node.logged('backend down', (line) => line.backend === id && line.reason === trouble)
      await node.logged('backend up', (line) => line.backend === id)
    }
  })

  test('over TLS, since nobody vouches for it, gets nobody either, and explain says why', async () => {
    await bothSee('tls', 'untrusted', ({ state }) => state === 'down')

    const explanation = await explained('tls')

    expect(explanation.backends).toMatchObject([
      {
        id: 'untrusted',
        state: 'down',
        check: { up: false, reason: expect.stringMatching(/^2 of 2 failed: .*self.signed/) },
      },
      { id: 'well', state: 'ready', check: { up: true, reason: null } },
    ])
    expect(await metric(0, 'sticky_backend_up', 'untrusted')).toBe(0)
    expect(await metric(0, 'sticky_backend_checks_total', 'untrusted')).toBeGreaterThan(1)
  })
})

test('failures put out half of the backends at most, and each time is logged and counted once', async () => {
  for (const id of ['c1', 'c2', 'c3'] as const) apps[id].answers = 'status 500'

  await appsOf('capped', 60)

  for (const node of [0, 1] as const) {
    const out = (await backends(node, 'capped')).filter(({ state }) => state === 'down')
    expect(out).toHaveLength(2)
    const { lines } = pair.nodes[node]
    const ejections = await eventually(
      () => lines.filter(({ msg, pool }) => msg === 'backend ejected' && pool === 'capped'),
      (found) => found.length >= 2,
    )
    expect(ejections).toHaveLength(2)
    expect(ejections[0]).toMatchObject({ reason: '3 in a row: status 500', pause_ms: 60_000 })
    expect(await metric(node, 'sticky_backend_ejections_total', 'capped')).toBe(2)
  }
  expect(await appsOf('capped', 20)).toContain('c4')
})

test('a pool of which too few backends are well ignores health, as is said once, until enough are', async () => {
  await eventually(
    () => appsOf('panicking', 12),
    (seen) => new Set(seen).size === 3,
  )
  apps.p1.ailment = 'status 500'
  await bothSee('panicking', 'p1', ({ state }) => state === 'down')
  expect(await appsOf('panicking', 12)).not.toContain('p1')

  apps.p2.ailment = 'status 500'
  await Promise.all(pair.nodes.map((node) => node.logged('pool panicked', ({ pool }) => pool === 'panicking')))
  expect(new Set(await appsOf('panicking', 12))).toEqual(new Set(['p1', 'p2', 'p3']))
  expect(await metric(1, 'sticky_pool_panic', 'panicking')).toBe(1)

  apps.p2.ailment = undefined
  await Promise.all(pair.nodes.map((node) => node.logged('pool calmed', ({ pool }) => pool === 'panicking')))
  expect(await appsOf('panicking', 12)).not.toContain('p1')
  for (const { lines } of pair.nodes) expect(lines.filter(({ msg }) => msg === 'pool panicked')).toHaveLength(1)
})

describe('a backend that is back', () => {
  test('begins with a tenth of its share on each node when its checks had found it down', async () => {
    expect(countOf(await appsOf('slowly', 24), 's1')).toBeGreaterThan(8)

    apps.s1.ailment = 'status 500'
    await bothSee('slowly', 's1', ({ state }) => state === 'down')
    apps.s1.ailment = undefined
    await bothSee('slowly', 's1', ({ state }) => state === 'ready')

    const seen = await appsOf('slowly', 66)
    expect(countOf(seen, 's1')).toBeGreaterThan(1)
    expect(countOf(seen, 's1')).toBeLessThan(14)
  })

  test('begins so even on a node that never missed it', async () => {
    expect(countOf(await appsOf('ejected', 24, 1), 'e1')).toBeGreaterThan(8)

    await apps.e1.close()
    await appsOf('ejected', 8, 0)
    await pair.nodes[0].logged('backend ejected', ({ backend }) => backend === 'e1')
    await apps.e1.open()
    await eventually(
      () => appsOf('ejected', 2, 0),
      () => pair.nodes[0].lines.some(({ msg, backend }) => msg === 'backend readmitted' && backend === 'e1'),
    )

    // The other node hears of it a moment later.
    const seen = await eventually(
      () => appsOf('ejected', 66, 1),
      (apps) => countOf(apps, 'e1') < 14,
    )
    expect(countOf(seen, 'e1')).toBeGreaterThan(1)
    expect(pair.nodes[1].lines.some(({ backend }) => backend === 'e1')).toBe(false)
  })
})

test('row 13: who hangs is given up after its time, gets no POST twice, and costs the others nothing', async () => {
  apps.hanging.answers = 'silence'

  const replies = await Promise.all(
    Array.from({ length: 12 }, () => timed(pair.ask({ host: 'hanging', method: 'POST' }))),
  )

  const late = replies.filter(({ reply }) => reply.status === 504)
  const served = replies.filter(({ reply }) => reply.status === 200)
  expect(late).toHaveLength(6)
  expect(served).toHaveLength(6)
  expect(apps.hanging.requests).toBe(6)
  for (const { took } of late) expect(took).toBeGreaterThan(990)
  for (const { took } of served) expect(took).toBeLessThan(900)
})

test('row 14: who is slow gets few of the newcomers', async () => {
  apps.slow.delay = 500
  const seen: (string | undefined)[] = []
  const end = performance.now() + 1_500
  const visitor = async (): Promise<void> => {
    while (performance.now() < end) seen.push(...(await appsOf('laggard', 1)))
  }

  await Promise.all(Array.from({ length: 8 }, visitor))

  expect(seen.length).toBeGreaterThan(200)
  expect(countOf(seen, 'slow')).toBeLessThan(seen.length / 10)
})

test.each(Object.keys(poison))('row 16: %s is answered 502 however often, and puts nobody out', async (what) => {
  const target = `/${Object.keys(poison).indexOf(what)}`

  for (let time = 0; time < 4; time++) {
    const reply = await pair.ask({ host: 'poisoned', target })
    expect(reply).toMatchObject({ status: 502 })
  }

  expect(await pair.ask({ host: 'poisoned' })).toMatchObject({ status: 200, app: 'poison' })
  expect((await backends(0, 'poisoned')).map(({ state }) => state)).toEqual(['ready', 'drain'])
})

test('row 17: uploads that are cut short are no fault of the backend', async () => {
  await Promise.all(Array.from({ length: 40 }, cutUpload))

  await eventually(
    () => pair.nodes[0].load('uploads'),
    ({ uploads }) => uploads === 0,
  )
  for (const node of [0, 1] as const)
    expect((await backends(node, 'uploads')).map(({ state }) => state)).toEqual(['ready', 'ready'])
  expect(await pair.ask({ host: 'uploads' })).toMatchObject({ status: 200 })
})

function configuration(): object {
  const at = (...named: Id[]) => named.map((id) => ({ id, url: `http://127.0.0.1:${apps[id].port}` }))
  const dead = { id: 'dead', url: 'http://127.0.0.1:9', weight: 0 }
  const healthCheck = { path: '/healthz', body: 'well$', interval: '100ms', timeout: '1s', fall: 2, jitter: '0%' }
  const checked = (id: Id) => ({ healthCheck, backends: at(id, 'well') })
  const once = { failures: 1, for: '60s', longest: '60s' }
  const pools = {
    refusing: { ...checked('refusing'), ejection: { failures: 100 } },
    silent: { ...checked('silent'), healthCheck: { ...healthCheck, timeout: '300ms' } },
    failing: checked('failing'),
    wrong: checked('wrong'),
    tls: { healthCheck, backends: [{ id: 'untrusted', url: `https://127.0.0.1:${untrusted.port}` }, ...at('well')] },
    capped: { ejection: { ...once, failures: 3, statuses: ['5xx'] }, backends: at('c1', 'c2', 'c3', 'c4') },
    panicking: { healthCheck, panicBelow: '50%', backends: at('p1', 'p2', 'p3') },
    slowly: { healthCheck, balance: 'roundRobin', slowStart: '10m', backends: at('s1', 's2') },
    ejected: { ejection: { ...once, for: '100ms' }, slowStart: '10m', backends: at('e1', 'e2') },
    hanging: { balance: 'sharedRoundRobin', timeouts: { response: '1s' }, backends: at('hanging', 'well') },
    laggard: { backends: at('slow', 'fast', 'well') },
    poisoned: { ejection: once, backends: [{ id: 'poison', url: poisoned.url }, dead] },
    uploads: { ejection: once, timeouts: { ejects: true }, backends: at('uploads', 'well') },
  }
  const each = Object.entries(pools).map(([id, pool]) => [id, { affinity: [], ...pool }])
  return { pools: Object.fromEntries(each), routes: Object.keys(pools).map((pool) => ({ host: pool, pool })) }
}

function recover(app: AilingApp): void {
  app.ailment = undefined
}

/** Resolves when each node sees a backend so. */
async function bothSee(pool: string, id: string, as: (backend: BackendResource) => boolean): Promise<void> {
  for (const node of [0, 1] as const) {
    await eventually(
      async () => (await backends(node, pool)).find((backend) => backend.id === id)!,
      (backend) => as(backend),
    )
  }
}

async function backends(node: 0 | 1, pool: string): Promise<readonly BackendResource[]> {
  type List = Awaited<ReturnType<AdminApi['backends']>>
  return (await pair.nodes[node].ask<List>(`/v1/backends?pool=${pool}`)).backends
}

async function explained(host: string): ReturnType<AdminApi['explain']> {
  const response = await fetch(new URL('/v1/explain', pair.nodes[0].admin), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url: `http://${host}/` }),
  })
  return (await response.json()) as Awaited<ReturnType<AdminApi['explain']>>
}

/** The sum of a metric's samples that name the pool or backend. */
async function metric(node: 0 | 1, name: string, of: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', pair.nodes[node].admin))).text()
  const samples = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(`"${of}"`))
  return samples.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

async function appsOf(host: string, newcomers: number, node?: 0 | 1): Promise<(string | undefined)[]> {
  const seen = []
  for (let newcomer = 0; newcomer < newcomers; newcomer++) {
    const reply = await pair.ask({ host, ...(node !== undefined && { node }) })
    seen.push(reply.app)
  }
  return seen
}

function countOf(seen: readonly (string | undefined)[], app: string): number {
  return seen.filter((one) => one === app).length
}

async function timed(asked: Promise<Reply>): Promise<{ reply: Reply; took: number }> {
  const began = performance.now()
  const reply = await asked
  return { reply, took: performance.now() - began }
}

/** Half an upload, whose client is gone then. */
function cutUpload(_: unknown, at: number): Promise<void> {
  return new Promise((resolve) => {
    const call = request({
      host: '127.0.0.1',
      port: pair.nodes[at % 2 === 0 ? 0 : 1].port,
      method: 'POST',
      headers: { host: 'uploads', 'content-length': 20_000 },
      agent: false,
    })
    call.on('error', () => {})
    call.on('close', () => resolve())
    call.write('x'.repeat(10_000), () => setImmediate(() => call.destroy()))
  })
}
