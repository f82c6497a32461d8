import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { stringify } from 'yaml'

import { stickyCli } from '../cli/sticky-cli.ts'
import { startedWorkers, workersStarted } from '../control/nodes.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'
import { VisitedApp } from '../support/visited-app.ts'
import { Visitors } from '../support/visitors.ts'

const stack = new AsyncDisposableStack()
const store = { url: redisUrl(), prefix: freshPrefix() }
let a: VisitedApp
let b: VisitedApp
let c: VisitedApp
let node: ProxyNode

beforeAll(async () => {
  ;[a, b, c] = (await Promise.all(['a', 'b', 'c'].map((id) => VisitedApp.start(id)))) as [
    VisitedApp,
    VisitedApp,
    VisitedApp,
  ]
  for (const app of [a, b, c]) stack.use(app)
  node = stack.use(await ProxyNode.start(usual()))
})

afterAll(() => stack.disposeAsync())

beforeEach(async () => {
  await node.write(usual())
  expect(await node.reload()).toMatchObject({ status: 200 })
})

/** What the node runs by unless a test changes it; what `more` names stands in its place. */
function usual(more: object = {}): object {
  return { node: { id: 'n1', workers: 2 }, store, pools: { shop: { backends: [a.backend, b.backend] } }, ...more }
}

async function reloadedWith(config: object): Promise<Record<string, unknown>> {
  await node.write(config)
  const { status, document } = await node.reload()
  expect(document).toMatchObject({ apiVersion: 'sticky/v1' })
  expect(status).toBe(200)
  return document
}

test('19 a reload every 500 ms under load, every third one invalid: no error, nobody moved', async () => {
  const variants = [
    usual({ pools: { shop: { backends: [a.backend, b.backend, c.backend], timeouts: { response: '20s' } } } }),
    usual({ timeouts: { idle: '30s' }, pools: { shop: { backends: [{ ...a.backend, weight: 3 }, b.backend] } } }),
    usual({ pools: { shop: { backends: [{ ...a.backend, weight: -1 }] } } }),
  ]
  await using visitors = await Visitors.begin(20, [node.port])
  const socket = new WebSocket(`ws://127.0.0.1:${node.port}/`)
  await once(socket, 'open')
  const stream = await openStream(node.port)
  const results: number[] = []

  for (let round = 0; round < 9; round++) {
    await node.write(variants[round % 3]!)
    results.push((await node.reload()).status)
    await delay(500)
  }
  const seen = await visitors.stop()
  const echo = once(socket, 'message')
  socket.send('still here')
  a.say(' and goes on')
  b.say(' and goes on')
  c.say(' and goes on')

  expect(results).toEqual([200, 200, 422, 200, 200, 422, 200, 200, 422])
  expect(seen).toMatchObject({ faults: [], moves: [] })
  expect(seen.visits).toBeGreaterThan(20 * 20)
  expect(String((await echo)[0])).toMatch(/^[abc]: still here$/)
  await eventually(
    () => stream.text(),
    (text) => text === 'begun and goes on',
  )
  for (const app of [a, b, c]) app.endStreams()
  await once(stream.response, 'close')
  expect(stream.response.complete).toBe(true)
  socket.close()
})

test('sessions of a backend that is taken out live elsewhere from then on, all others where they were', async () => {
  await using visitors = await Visitors.begin(12, [node.port])
  const homes = visitors.seen.homes
  const ofB = homes.filter((home) => home === 'b').length

  const changes = await reloadedWith(usual({ pools: { shop: { backends: [a.backend, c.backend] } } }))
  await eventually(
    () => visitors.seen.homes,
    (now) => !now.includes('b'),
  )
  const { visits } = visitors.seen
  await eventually(
    () => visitors.seen.visits,
    (now) => now > visits + 12 * 8,
  )
  const seen = await visitors.stop()

  expect(changes).toMatchObject({ backends: { added: ['shop/c'], removed: ['shop/b'], changed: [] } })
  expect(seen.faults).toEqual([])
  expect(seen.moves).toHaveLength(ofB)
  expect(seen.moves.every((move) => /^b -> [ac]$/.test(move))).toBe(true)
  await eventually(
    () => b.connections,
    (open) => open === 0,
    2_000,
  )
})

test('idle connections to backends that stay are kept, those to one that is taken out are closed', async () => {
  const pool = (backends: object[]): object => usual({ timeouts: { backendIdle: '1m' }, pools: { shop: { backends } } })
  await reloadedWith(pool([a.backend, b.backend]))
  await (await Visitors.begin(8, [node.port])).stop()
  await eventually(
    () => Math.min(a.connections, b.connections),
    (least) => least > 0,
  )
  const kept = a.connections

  await reloadedWith(pool([a.backend]))

  await eventually(
    () => b.connections,
    (open) => open === 0,
    2_000,
  )
  expect(a.connections).toBe(kept)
})

test('a listener that is added accepts when the reload is answered, one that is taken out lets its connections end', async () => {
  const [port] = await freePorts(1)
  const first = { address: '127.0.0.1:0' }
  const listeners = [first, { address: `127.0.0.1:${port}` }]

  const added = await reloadedWith(usual({ listen: listeners }))
  const page = await new Browser().get(port!)
  const stream = await openStream(port!)
  const removed = await reloadedWith(usual())
  const late = await new Browser().get(port!).catch((error: NodeJS.ErrnoException) => error.code)
  a.say(' still')
  b.say(' still')
  await eventually(
    () => stream.text(),
    (text) => text === 'begun still',
  )
  for (const app of [a, b]) app.endStreams()
  await once(stream.response, 'close')

  expect(added).toMatchObject({ listeners: { added: [`127.0.0.1:${port}`], removed: [] } })
  expect(page.status).toBe(200)
  expect(removed).toMatchObject({ listeners: { added: [], removed: [`127.0.0.1:${port}`] } })
  expect(late).toBe('ECONNREFUSED')
  expect(stream.response.complete).toBe(true)
  expect((await new Browser().get(node.port)).status).toBe(200)
})

test('a listener that cannot be bound refuses the whole configuration', async () => {
  const [port] = await freePorts(1)
  const squatter = createServer().listen(port, '127.0.0.1')
  await once(squatter, 'listening')
  await node.write(
    usual({
      listen: [{ address: '127.0.0.1:0' }, { address: `127.0.0.1:${port}` }],
      pools: { shop: { backends: [c.backend] } },
    }),
  )

  const { status, document } = await node.reload()

  expect(status).toBe(422)
  expect(document.detail).toBe(`cannot listen on 127.0.0.1:${port}: another process listens there already`)
  expect(await appsOf(8)).not.toContain('c')
  squatter.close()
})

test('an address that overlaps one the node listens on is refused with what to do', async () => {
  const [port] = await freePorts(1)
  const first = { address: '127.0.0.1:0' }
  await reloadedWith(usual({ listen: [first, { address: `127.0.0.1:${port}` }] }))
  await node.write(usual({ listen: [first, { address: `:${port}` }] }))

  const { status, document } = await node.reload()

  expect(status).toBe(422)
  expect(document.detail).toBe(
    `this node cannot listen on :${port} while it listens on 127.0.0.1:${port}: take that out first`,
  )
  expect((await new Browser().get(port!)).status).toBe(200)
})

test('a script goes on as it is while file and options stay, and one that cannot be loaded refuses the whole configuration', async () => {
  const script = await writtenScript('counts.ts', `let asked = 0\n${answering('asked++')}`)
  const broken = await writtenScript('broken.ts', 'export const request = (')
  const scripted = (file: string, more: object = {}): object =>
    usual({ node: { id: 'n1', workers: 2 }, pools: { shop: { ...shopOf(file), ...more } } })
  await reloadedWith(scripted(script))
  const first = await answers(6)

  await reloadedWith(scripted(script, { backends: [a.backend, b.backend, c.backend] }))
  const second = await answers(6)
  await node.write(scripted(broken, { backends: [c.backend] }))
  const { status, document } = await node.reload()
  const third = await answers(2)

  // Two workers count for themselves.
  const counts = [...first, ...second, ...third].toSorted((one, other) => one - other)
  expect(Math.max(...first)).toBeLessThan(Math.max(...second, ...third))
  expect(counts.filter((count) => count === 0).length).toBeLessThanOrEqual(2)
  expect(status).toBe(422)
  expect(document.detail).toMatch(/^script .*broken\.ts of pool shop cannot be used: /)
})

test('what a running node cannot change is told, and refuses nothing else', async () => {
  const config = usual({ node: { id: 'n2', workers: 3 }, pools: { shop: { backends: [c.backend] } } })

  const changes = await reloadedWith(config)

  expect(changes).toMatchObject({ node: 'n1', needRestart: ['node.id', 'node.workers'] })
  expect(await appsOf(4)).toEqual(['c', 'c', 'c', 'c'])
  await node.logged('configuration needs a restart', (line) => String(line.keys) === 'node.id,node.workers')
})

test('a worker that starts later runs by the configuration in force, and the node announces it', async () => {
  const hash = async (): Promise<string> =>
    (await node.ask<{ nodes: { configHash: string }[] }>('/v1/nodes')).nodes[0]!.configHash
  const before = await hash()
  await reloadedWith(usual({ pools: { shop: { backends: [c.backend] } } }))
  const after = await hash()
  for (const pid of await node.workerPids()) {
    const begun = startedWorkers(node).length
    process.kill(pid, 'SIGKILL')
    await workersStarted(node, begun + 1)
  }

  expect(after).not.toBe(before)
  expect(await appsOf(6)).toEqual(Array(6).fill('c'))
  expect(await node.ask('/v1/backends')).toMatchObject({ backends: [{ id: 'c' }] })
})

test('sticky-cli reload tells what changed, or every mistake as check does, and then ends with 1', async () => {
  await node.write(usual({ pools: { shop: { backends: [a.backend, c.backend] } } }))
  const done = await stickyCli(['reload', '--admin', node.admin])
  await node.write(usual({ pools: { shop: { backends: [{ ...a.backend, weight: -1 }], balance: 'lottery' } } }))
  const refused = await stickyCli(['reload', '--admin', node.admin])

  expect(done).toEqual({
    code: 0,
    stderr: '',
    stdout: 'n1: reloaded\n  backend shop/c added\n  backend shop/b removed\n',
  })
  expect(refused.code).toBe(1)
  expect(refused.stdout).toBe('')
  expect(refused.stderr).toMatch(/^sticky-cli: .*sticky\.yaml:\d+:\d+: pools\.shop\.backends\[0\]\.weight: must be/)
  expect(refused.stderr).toMatch(/^.*sticky\.yaml:\d+:\d+: pools\.shop\.balance: must be/m)
  const metrics = await (await fetch(`${node.admin}/metrics`)).text()
  expect(metrics).toMatch(/^sticky_config_last_reload_success 0$/m)
  expect(metrics).toMatch(/^sticky_config_reloads_total\{result="failure"\} [1-9]/m)
})

test('SIGHUP reloads', async () => {
  await node.write(usual({ pools: { shop: { backends: [b.backend, c.backend] } } }))

  node.signal('SIGHUP')

  await node.logged(
    'configuration reloaded',
    (line) => String(line.backends_added) === 'shop/c' && String(line.backends_removed) === 'shop/a',
  )
  expect(await appsOf(4)).not.toContain('a')
})

test('so does one that comes while the node starts, once it serves', async () => {
  // As soon as the first bit says that the signal is caught.
  const early = `me=$$; (until [ $((0x$(sed -n 's/SigCgt:\\t//p' /proc/$me/status) & 1)) = 1 ]; do sleep 0.01; done; kill -HUP $me) & exec "$@"`
  await using starting = await ProxyNode.start(usual({ node: { id: 'n2', workers: 1 } }), [], {
    under: ['bash', '-c', early, 'bash'],
  })

  await starting.logged('configuration unchanged')
})

test('with watch, a file that is written, or put in place as editors do, is read by itself', async () => {
  await reloadedWith(usual({ watch: true }))

  await node.write(usual({ watch: true, pools: { shop: { backends: [c.backend] } } }))
  await eventually(
    () => appsOf(1),
    ([app]) => app === 'c',
  )
  await writeFile(`${node.file}~`, text(usual({ watch: true, pools: { shop: { backends: [a.backend] } } })))
  await rename(`${node.file}~`, node.file)
  await eventually(
    () => appsOf(1),
    ([app]) => app === 'a',
  )
})

test('sessions of a backend that is taken out on one node after the other move once, whichever node they come by', async () => {
  const before = { pools: { shop: { backends: [a.backend, b.backend, c.backend] } } }
  await reloadedWith(usual(before))
  await using other = await ProxyNode.start(usual({ node: { id: 'n2', workers: 2 }, ...before }))
  await using visitors = await Visitors.begin(12, [node.port, other.port])
  const ofB = visitors.seen.homes.filter((home) => home === 'b').length
  const everybodyCameOften = async () => {
    const { visits } = visitors.seen
    await eventually(
      () => visitors.seen.visits,
      (now) => now > visits + 12 * 6,
    )
  }

  await reloadedWith(usual({ pools: { shop: { backends: [a.backend, c.backend] } } }))
  await everybodyCameOften()
  await other.write(usual({ node: { id: 'n2', workers: 2 }, pools: { shop: { backends: [a.backend, c.backend] } } }))
  expect(await other.reload()).toMatchObject({ status: 200 })
  await everybodyCameOften()

  const { faults, moves } = await visitors.stop()
  expect(faults).toEqual([])
  expect(moves).toHaveLength(ofB)
})

/** A pool that begins with a script. */
function shopOf(script: string): object {
  return { backends: [a.backend, b.backend], affinity: [{ strategy: 'script', script }] }
}

/** A script that answers every request with the value of that expression. */
function answering(value: string): string {
  return `export const request = (context) => context.refuse(403, String(${value}))\n`
}

async function writtenScript(name: string, text: string): Promise<string> {
  const file = node.file.replace(/[^/]+$/, name)
  await writeFile(file, text)
  return file
}

/** The numbers that a script answered. */
async function answers(count: number): Promise<number[]> {
  const pages = await Promise.all(Array.from({ length: count }, () => new Browser().get(node.port)))
  return pages.map(({ body }) => Number(/\d+/.exec(body)?.[0]))
}

/** Who serves so many newcomers. */
async function appsOf(count: number): Promise<string[]> {
  const pages = await Promise.all(Array.from({ length: count }, () => new Browser().get(node.port)))
  return pages.map(({ body }) => (JSON.parse(body) as { app: string }).app)
}

function text(config: object): string {
  return stringify({
    listen: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0' },
    accessLog: false,
    ...config,
  })
}

/** A response that does not end by itself. */
async function openStream(port: number): Promise<{ readonly response: IncomingMessage; text(): string }> {
  const call = request({ host: '127.0.0.1', port, path: '/stream', agent: false })
  call.end()
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  let read = ''
  response.setEncoding('utf8').on('data', (piece: string) => {
    read += piece
  })
  return { response, text: () => read }
}

/** Ports that nobody listens on now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
