import { once } from 'node:events'
import { rm, symlink, writeFile } from 'node:fs/promises'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'

import type { NodeList } from '@sticky/proxy/admin-api'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { startedWorkers, workersStarted } from '../control/nodes.ts'
import { Browser, type Page } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'
import { VisitedApp } from '../support/visited-app.ts'
import { Visitors } from '../support/visitors.ts'

// What is under way while a configuration changes, and configurations that cannot be read.

const stack = new AsyncDisposableStack()
const store = { url: redisUrl(), prefix: freshPrefix() }
let a: VisitedApp
let b: VisitedApp
let node: ProxyNode

beforeAll(async () => {
  a = stack.use(await VisitedApp.start('a'))
  b = stack.use(await VisitedApp.start('b'))
  node = stack.use(await ProxyNode.start(usual()))
})

afterAll(() => stack.disposeAsync())

beforeEach(async () => {
  expect(await reloadedWith(usual())).toBe(200)
})

/** What the node runs by unless a test changes it; what `more` names stands in its place. */
function usual(more: object = {}): object {
  return { node: { id: 'n1', workers: 2 }, store, pools: { shop: { backends: [a.backend, b.backend] } }, ...more }
}

async function reloadedWith(config: object): Promise<number> {
  await node.write(config)
  return (await node.reload()).status
}

/** A request whose body goes on as long as one likes. */
function upload(): { readonly call: ClientRequest; readonly page: Promise<Page> } {
  const call = request({ host: '127.0.0.1', port: node.port, method: 'POST', agent: false })
  const page = once(call, 'response').then(async ([response]: IncomingMessage[]) => {
    let body = ''
    for await (const bytes of response!) body += bytes
    return { status: response!.statusCode!, headers: response!.headers, body }
  })
  return { call, page }
}

describe('whoever is under way', () => {
  test('goes on sending to a backend that is taken out, and to one of a pool that is gone', async () => {
    const uploads = Array.from({ length: 8 }, upload)
    for (const { call } of uploads) call.write('begun')
    await eventually(
      () => a.connections + b.connections,
      (open) => open >= 8,
    )

    const statuses = [
      await reloadedWith(usual({ pools: { shop: { backends: [a.backend] } } })),
      await reloadedWith(usual({ pools: { store: { backends: [b.backend] } } })),
    ]
    for (const { call } of uploads) call.end(' and ended')
    const pages = await Promise.all(uploads.map(({ page }) => page))

    expect(statuses).toEqual([200, 200])
    expect(pages.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(new Set(pages.map(({ body }) => (JSON.parse(body) as { app: string }).app))).toEqual(new Set(['a', 'b']))
  })

  test('keeps its place in the queue, and is served when there is room', async () => {
    const full = { backends: [{ ...a.backend, maxConnections: 1 }], queue: { max: 10, timeout: '20s' } }
    await reloadedWith(usual({ pools: { shop: full } }))
    const stream = new Browser().get(node.port, '/stream')
    await eventually(
      () => node.load('shop'),
      (load) => load.a === 1,
    )
    const waiting = [new Browser().get(node.port), new Browser().get(node.port)]
    const queued = async () => /^sticky_queue_length\{pool="shop"\} (\d+)$/m.exec(await metrics())?.[1]
    await eventually(queued, (length) => length === '2')

    await reloadedWith(usual({ pools: { shop: { ...full, balance: 'roundRobin' } } }))
    const still = await queued()
    a.endStreams()

    expect(still).toBe('2')
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200])
    expect((await stream).body).toBe('begun')
  })

  test.each([
    ['in the process', false],
    ['in threads of its own', true],
  ])('waits for its script to end, %s, though there is none any more', async (_, isolate) => {
    const script = node.file.replace(/[^/]+$/, 'slow.ts')
    await writeFile(
      script,
      `export const request = async (context) => {
        if (context.path !== '/slow') return
        await new Promise((done) => setTimeout(done, 500))
        context.use('b')
      }`,
    )
    const affinity = [{ strategy: 'script', script, isolate, timeLimit: '5s' }]
    await reloadedWith(usual({ pools: { shop: { backends: [a.backend, b.backend], affinity } } }))

    const slow = Promise.all(Array.from({ length: 6 }, () => new Browser().get(node.port, '/slow')))
    const status = await reloadedWith(usual())
    const pages = await slow

    expect(status).toBe(200)
    expect(pages.map(({ body }) => (JSON.parse(body) as { app: string }).app)).toEqual(Array(6).fill('b'))
  })

  test('finds its session while the secrets in a file rotate, whose configuration stays as it is', async () => {
    const secret = (age: string) => `the ${age} of the secrets that this cluster has had`
    const keep = async (...ages: readonly string[]): Promise<void> => {
      for (const [place, age] of ages.entries()) await writeFile(`${node.file}.${place}`, secret(age))
    }
    await keep('oldest', 'older')
    await reloadedWith(usual({ secrets: [`file:${node.file}.0`, `file:${node.file}.1`] }))
    await using visitors = await Visitors.begin(10, [node.port])

    const settings: unknown[] = []
    for (const ages of [
      ['newer', 'oldest'],
      ['newest', 'newer'],
    ] as const) {
      await keep(...ages)
      settings.push((await node.reload()).document.settings)
      const { visits } = visitors.seen
      await eventually(
        () => visitors.seen.visits,
        (now) => now > visits + 10 * 8,
      )
    }

    expect(settings).toEqual([['secrets'], ['secrets']])
    expect(await visitors.stop()).toMatchObject({ faults: [], moves: [] })
  })
})

describe('workers', () => {
  test('that are killed or replaced between reloads serve by the newest configuration, and nobody is refused', async () => {
    const variants = [usual({ pools: { shop: { backends: [a.backend] } } }), usual()]
    const begun = startedWorkers(node).length
    const replaced = fetch(new URL('/v1/nodes:restart', node.admin), { method: 'POST' })
    const statuses: number[] = []

    for (let round = 0; round < 8; round++) {
      await node.write(variants[round % 2]!)
      const both = [node.reload(), node.reload()]
      if (round === 5) process.kill(startedWorkers(node).at(-1)!, 'SIGKILL')
      for (const { status } of await Promise.all(both)) statuses.push(status)
    }
    statuses.push(await reloadedWith(usual({ pools: { shop: { backends: [b.backend] } } })))
    const restarted = await replaced
    await workersStarted(node, begun + 3)
    const pages = await Promise.all(Array.from({ length: 12 }, () => new Browser().get(node.port)))

    expect(statuses).toEqual(Array(17).fill(200))
    expect(restarted.status).toBe(200)
    expect(pages.map(({ body }) => (JSON.parse(body) as { app: string }).app)).toEqual(Array(12).fill('b'))
  })
})

test('a worker that starts later listens where the others do, on ports that nobody chose, whatever came and went', async () => {
  const any = { address: '127.0.0.1:0' }
  const addresses = async () => (await node.ask<NodeList>('/v1/nodes')).nodes[0]!.addresses

  const seen: (readonly string[])[] = []
  for (const listen of [[any, any], [any], [any, any, any]]) {
    await reloadedWith(usual({ listen }))
    seen.push(await addresses())
  }
  for (const pid of await node.workerPids()) {
    const begun = startedWorkers(node).length
    process.kill(pid, 'SIGKILL')
    await workersStarted(node, begun + 1)
  }
  const ports = seen[2]!.map((address) => Number(address.split(':')[1]))
  const pages = await Promise.all([...ports, ...ports].map((port) => new Browser().get(port)))

  expect(pages.map(({ status }) => status)).toEqual(Array(6).fill(200))
  expect(seen.map(({ length }) => length)).toEqual([2, 1, 3])
  expect(new Set(seen.map(([first]) => first))).toEqual(new Set([`127.0.0.1:${node.port}`]))
  expect(await addresses()).toEqual(seen[2])
  expect(new Set(seen[2]).size).toBe(3)
})

test('without Redis a node is reloaded as ever, and nobody moves', async () => {
  await using way = await FaultProxy.to({ port: Number(new URL(redisUrl()).port) })
  const cut = { ...store, url: `redis://127.0.0.1:${way.port}`, budget: '50ms' }
  await using node = await ProxyNode.start(usual({ store: cut }))
  await using visitors = await Visitors.begin(10, [node.port])

  await way.refuse()
  way.cut()
  await node.logged('store lost')
  await node.write(usual({ store: cut, pools: { shop: { backends: [a.backend, b.backend], balance: 'random' } } }))
  const began = performance.now()
  const { status, document } = await node.reload()
  const took = performance.now() - began
  const { visits } = visitors.seen
  await eventually(
    () => visitors.seen.visits,
    (now) => now > visits + 10 * 8,
  )

  expect([status, document.pools]).toEqual([200, { added: [], removed: [], changed: ['shop'] }])
  expect(took).toBeLessThan(5_000)
  expect(await visitors.stop()).toMatchObject({ faults: [], moves: [] })
})

describe('a configuration that one worker cannot use', () => {
  test('is used by none, and binds nothing', async () => {
    const folder = node.file.replace(/[^/]+$/, '')
    const script = `${folder}once.ts`
    await writeFile(
      script,
      `import { mkdirSync } from 'node:fs'\nmkdirSync('${folder}once')\nexport const request = () => {}\n`,
    )
    const port = await freePort()
    const pool = { backends: [b.backend], affinity: [{ strategy: 'script', script }] }
    await node.write(
      usual({ listen: [{ address: '127.0.0.1:0' }, { address: `127.0.0.1:${port}` }], pools: { shop: pool } }),
    )

    const { status, document } = await node.reload()
    const others = await Promise.all(Array.from({ length: 12 }, () => new Browser().get(node.port)))
    const added = await new Browser().get(port).catch((error: NodeJS.ErrnoException) => error.code)
    const again = await reloadedWith(usual({ listen: [{ address: '127.0.0.1:0' }, { address: `127.0.0.1:${port}` }] }))

    expect([status, document.detail]).toEqual([422, expect.stringMatching(/^script .*once\.ts of pool shop .*EEXIST/)])
    expect(new Set(others.map(({ body }) => (JSON.parse(body) as { app: string }).app))).toEqual(new Set(['a', 'b']))
    expect(added).toBe('ECONNREFUSED')
    expect([again, (await new Browser().get(port)).status]).toEqual([200, 200])
  })
})

describe('a file', () => {
  const whole = () =>
    `store: { url: "${store.url}" }\npools:\n  shop:\n    backends:\n      - { url: "${a.backend.url}" }\n`

  test.each<[string, () => Promise<void>, RegExp]>([
    ['that is gone', () => rm(node.file), /no such file/],
    ['that is empty', () => writeFile(node.file, ''), /pools/],
    ['that is a folder', () => rm(node.file).then(() => symlink('/tmp', node.file)), /cannot be read \(EISDIR\)/],
    ['that is no YAML', () => writeFile(node.file, 'pools: [\n'), /not valid YAML/],
    ['that is no text', () => writeFile(node.file, Buffer.from([0, 0xff, 0xfe, 0x80])), /sticky\.yaml/],
    ['that ends within a word', () => writeFile(node.file, whole().slice(0, -14)), /not valid YAML/],
    ['with a key that nobody knows', () => writeFile(node.file, `${whole()}nonsense: 1\n`), /nonsense: .*unknown/],
    [
      'with a secret that is nowhere',
      () => writeFile(node.file, `${whole()}secrets: ["file:/nowhere"]\n`),
      /needs the file \/nowhere/,
    ],
  ])('%s is refused with what is wrong, and the node goes on', async (_, write, told) => {
    await write()

    const { status, document } = await node.reload()
    const page = await new Browser().get(node.port)
    await rm(node.file, { force: true })

    expect([status, page.status]).toEqual([422, 200])
    expect(String(document.detail)).toMatch(told)
  })
})

/** A port that nobody listens on now. */
async function freePort(): Promise<number> {
  await using server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function metrics(): Promise<string> {
  return (await fetch(`${node.admin}/metrics`)).text()
}
