import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { HoldingApp } from '../support/holding-app.ts'
import { Pair } from '../support/pair.ts'

const opened = new AsyncDisposableStack()
let app: HoldingApp
let pair: Pair

beforeAll(async () => {
  app = opened.use(await HoldingApp.start('a'))
  const backends = [{ id: 'a', url: `http://127.0.0.1:${app.port}`, maxConnections: 2 }]
  const pools = {
    patient: { backends, queue: { max: 3, timeout: '30s' } },
    hasty: { backends: [{ ...backends[0], maxConnections: 1 }], queue: { timeout: '300ms' } },
    unqueued: { backends: [{ ...backends[0], maxConnections: 1 }] },
    sticky: { backends, queue: {}, affinity: [{ strategy: 'instance-cookie', value: 'plain' }] },
  }
  const routes = Object.keys(pools).map((pool) => ({ host: `${pool}.example`, pool }))
  pair = opened.use(await Pair.start({ pools, routes, accessLog: true }))
}, 30_000)

afterAll(() => opened.disposeAsync())

test('while all are full requests of both nodes wait, and are served as room is made anywhere', async () => {
  const held = await hold('patient', 2, 0)
  const waiting = [ask('patient', 0), ask('patient', 1)]
  await eventually(
    () => waitingIn('patient'),
    (length) => length === 2,
  )
  expect(app.inFlight).toBe(2)

  app.release()
  await eventually(
    () => waitingIn('patient'),
    (length) => length === 1,
  )
  // Both end on the first node: the second one sees it in the totals.
  app.release()
  await eventually(
    () => waitingIn('patient'),
    (length) => length === 0,
  )
  await eventually(
    () => app.inFlight,
    (count) => count === 2,
  )
  app.releaseAll()

  expect(await statuses([...held, ...waiting])).toEqual([200, 200, 200, 200])
  await nothingLeft('patient')
  for (const node of pair.nodes) {
    const line = await node.logged(
      'exchange',
      ({ host, queue_ms }) => host === 'patient.example' && queue_ms !== undefined,
    )
    expect(line).toMatchObject({ status: 200, backend: 'a', queue_ms: expect.any(Number) })
    expect(await metricOf(node.admin, 'sticky_queue_wait_seconds_count', 'patient')).toBe(1)
  }
})

test('there is room for so many, and the others are told to come again', async () => {
  const held = await hold('patient', 2)
  const waiting = [0, 0, 0].map(() => ask('patient', 0))
  await eventually(
    () => waitingIn('patient'),
    (length) => length === 3,
  )

  const { statusCode, headers } = await ask('patient', 0).response
  expect([statusCode, headers['retry-after']]).toEqual([503, '2'])

  for (const { call } of waiting) call.destroy()
  await eventually(
    () => waitingIn('patient'),
    (length) => length === 0,
    1_000,
  )
  app.releaseAll()
  expect(await statuses(held)).toEqual([200, 200])
  await nothingLeft('patient')
})

test('who waits too long is refused, as is everybody where nobody may wait', async () => {
  const held = [...(await hold('hasty', 1)), ...(await hold('unqueued', 1))]

  const refused = await Promise.all([pair.ask({ host: 'hasty.example' }), pair.ask({ host: 'unqueued.example' })])

  expect(refused.map(({ status, headers, body }) => [status, headers['retry-after'], body])).toEqual([
    [503, '2', 'all backends are full\n'],
    [503, '2', 'all backends are full\n'],
  ])
  app.releaseAll()
  expect(await statuses(held)).toEqual([200, 200])
  await nothingLeft('hasty')
})

test('a known session whose home is full waits in the same line as newcomers', async () => {
  const held = await hold('sticky', 2)
  const known = ask('sticky', 0, 'instance=a')
  await eventually(
    () => waitingIn('sticky'),
    (length) => length === 1,
  )
  const newcomer = ask('sticky', 0)
  await eventually(
    () => waitingIn('sticky'),
    (length) => length === 2,
  )

  app.release()
  await eventually(
    () => waitingIn('sticky'),
    (length) => length === 1,
  )
  app.releaseAll()
  expect((await known.response).statusCode).toBe(200)
  await eventually(
    () => app.inFlight,
    (count) => count === 1,
  )
  app.releaseAll()

  expect(await statuses([...held, newcomer])).toEqual([200, 200, 200])
  await nothingLeft('sticky')
})

test('a crowd on both nodes is served to the last, never more at once than may be', async () => {
  let most = 0
  const crowd = Array.from({ length: 8 }, (_, at) => ask('sticky', at % 2 === 0 ? 0 : 1))
  const all = statuses(crowd)
  let served = false
  all.then(() => {
    served = true
  })
  while (!served) {
    await Promise.race([app.changed(), all])
    most = Math.max(most, app.inFlight)
    app.release()
  }

  expect(await all).toEqual(crowd.map(() => 200))
  expect(most).toBeLessThanOrEqual(2)
  await nothingLeft('sticky')
})

/** Requests that are in the application by the time this resolves. */
async function hold(pool: string, count: number, node?: 0): Promise<Asked[]> {
  const before = app.inFlight
  const held = Array.from({ length: count }, (_, at) => ask(pool, node ?? (at % 2 === 0 ? 0 : 1)))
  await eventually(
    () => app.inFlight,
    (now) => now === before + count,
  )
  return held
}

/** A request that was sent. */
interface Asked {
  readonly call: ClientRequest
  readonly response: Promise<IncomingMessage>
}

function ask(pool: string, node: 0 | 1, cookie?: string): Asked {
  const headers = { Host: `${pool}.example`, ...(cookie && { Cookie: cookie }) }
  const call = request({ host: '127.0.0.1', port: pair.nodes[node].port, headers, agent: false }).end()
  const response = once(call, 'response').then(([answer]) => (answer as IncomingMessage).resume())
  // Some leave before they are answered.
  response.catch(() => {})
  return { call, response }
}

async function statuses(asked: readonly Asked[]): Promise<(number | undefined)[]> {
  return Promise.all(asked.map(async ({ response }) => (await response).statusCode))
}

async function waitingIn(pool: string): Promise<number> {
  const lengths = await Promise.all(pair.nodes.map(({ admin }) => metricOf(admin, 'sticky_queue_length', pool)))
  return lengths.reduce((sum, length) => sum + length, 0)
}

async function metricOf(admin: string, name: string, pool: string): Promise<number> {
  const page = await (await fetch(new URL('/metrics', admin))).text()
  return Number(new RegExp(`^${name}\\{pool="${pool}"\\} (.*)$`, 'm').exec(page)?.[1] ?? Number.NaN)
}

async function nothingLeft(pool: string): Promise<void> {
  const load = await eventually(
    () => pair.nodes[0].load(pool),
    ({ a = 0 }) => a === 0,
  )
  expect([load.a ?? 0, await waitingIn(pool)]).toEqual([0, 0])
}
