import { setTimeout as delay } from 'node:timers/promises'

import type { BackendList } from '@sticky/proxy/admin-api'

import { expectQuiet } from './counts.ts'
import { openDescriptors, processorSeconds, residentMiB } from './memory.ts'
import { rawConnection } from './raw-exchange.ts'
import type { Row } from './row.ts'
import { metric, POOL, readiness, Stage, sessions } from './stage.ts'
import { expectUsualTimes } from './times.ts'
import type { Trial } from './trial.ts'
import { openSockets, stillOpen } from './web-sockets.ts'

const UPLOADS = 500
const SESSIONS = 100_000
const IDLE = 10_000
const SOCKETS = 200

/** Clients that leave, or are too many. */
export const clientRows: readonly Row[] = [
  {
    number: 17,
    name: 'Uploads cut half-way',
    does: `${UPLOADS} clients send half of what they announced, and reset`,
    passes: 'no socket and no count is left after 2 s, no backend is punished, nobody else notices',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open({ config: { timeouts: { backendIdle: '1s' } } }))
      const descriptors = () => Promise.all(stage.nodes.map(openDescriptors))
      const idle = await descriptors()
      await trial.under(stage.load())
      const usual = await descriptors()
      await trial.fault(() => cutUploads(stage))
      await trial.heal(() => undefined)
      // The load's own connections to backends come and go with how many of its requests fall together.
      const left = (counts: readonly number[]) => counts.every((count, n) => count <= usual[n]! + 12)
      await trial.recovers('no socket is left', descriptors, left, 2_000)
      await expectNoPenalty(trial, stage)
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
      await expectQuiet(trial, stage.nodes, { within: 2_000 })
      const none = (counts: readonly number[]) => counts.every((count, n) => count <= idle[n]! + 2)
      await trial.within('no socket at all is left when the load is over', descriptors, none, 5_000)
      trial.note(`descriptors of workers: ${idle} as they began, ${await descriptors()} in the end`)
    },
  },
  {
    number: 22,
    name: 'Descriptors run out',
    does: 'one of two nodes may open 256; 1000 clients connect to it at once and stay for 5 s',
    passes:
      'it lives, says so meanwhile and burns no processor, serves at once when they are gone; the other notices nothing',
    isLong: true,
    async run(trial) {
      const surroundings = [{ under: ['prlimit', '--nofile=256'] }]
      const stage = trial.stack.use(await Stage.open({ surroundings }))
      const [narrow, wide] = stage.nodes
      stage.nodes = [wide!]
      await trial.under(stage.load())
      const pid = narrow!.pid
      const sockets = await Promise.all(Array.from({ length: 1_000 }, () => rawConnection(narrow!.port)))
      await trial.fault(() => sockets.forEach((socket) => void socket.write('GET /count HTTP/1.1\r\nHost: x\r\n\r\n')))
      const used = await processorSeconds(narrow!)
      await delay(5_000)
      const share = ((await processorSeconds(narrow!)) - used) / 5
      const { status } = await readiness(narrow!)
      trial.expect('/readyz answers meanwhile', status === 200, status)
      trial.note(`${(100 * share).toFixed(0)} % of a processor while its descriptors were used up`)
      trial.expectInTime('it burns no processor meanwhile', share < 0.5, share)
      await trial.heal(() => sockets.forEach((socket) => void socket.destroy()))
      const answers = async () => (await fetch(`http://127.0.0.1:${narrow!.port}/count`)).status
      await trial.recovers('it serves again', answers, (status) => status === 200, 3_000)
      trial.expect('it is the same process', narrow!.pid === pid && !narrow!.ended)
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
    },
  },
  {
    number: 23,
    name: '100,000 sessions',
    does: 'begun through one node as fast as it can, after 10,000 to warm it up, while the load goes on',
    passes:
      'a node takes at most 64 MB more, Redis 36 MB: 22 for rows, which the matrix gives 25, and 14 for the index by backend; no error, nobody moved',
    isLong: true,
    async run(trial) {
      const affinity = [{ strategy: 'session-cookie', name: 'sticky', begin: 'always', age: '30m' }]
      const stage = trial.stack.use(await Stage.open({ pool: { affinity } }))
      await trial.under(stage.load())
      const [node] = stage.nodes
      await beginSessions(node!.port, SESSIONS / 10)
      const [before, used, count] = [await residentMiB(node!), await stage.redisMemory(), await sessions(node!)]
      await trial.fault(() => beginSessions(node!.port, SESSIONS))
      await trial.heal(() => undefined)
      await trial.stands()
      const grown = (await residentMiB(node!)) - before
      const each = ((await stage.redisMemory()) - used) / ((await sessions(node!)) - count)
      trial.note(`the node took ${grown.toFixed(0)} MiB more, Redis ${each.toFixed(0)} bytes a session`)
      trial.expect('the node takes at most 64 MB more', grown <= 64, grown)
      trial.expect('Redis takes at most 36 MB for 100,000', each <= 360, each)
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
    },
  },
  {
    number: 24,
    name: '10,000 idle connections',
    does: `kept alive on one node, which may open 18,000 descriptors, beside ${SOCKETS} WebSockets and the load`,
    passes:
      'the node stays below 350 MB; no error, nobody moved; once they stand, p99 is at most twice the usual; every WebSocket lives on',
    isLong: true,
    async run(trial) {
      const surroundings = [{ under: ['prlimit', '--nofile=18000'] }]
      const stage = trial.stack.use(await Stage.open({ surroundings, config: { timeouts: { idle: '10m' } } }))
      const open = await openSockets(trial, stage, stage.nodes[0]!, SOCKETS)
      await trial.under(stage.load())
      const sockets: { destroy(): void }[] = []
      trial.stack.defer(() => sockets.forEach((socket) => void socket.destroy()))
      await trial.fault(async () => {
        for (let n = 0; n < IDLE; n += 100) {
          const some = await Promise.all(Array.from({ length: 100 }, () => idleConnection(stage.nodes[0]!.port)))
          sockets.push(...some)
        }
      })
      const since = performance.now()
      await trial.stands()
      const resident = await residentMiB(stage.nodes[0]!)
      trial.note(`the node has ${resident.toFixed(0)} MiB with ${sockets.length} of them`)
      trial.expect('the node stays below 350 MB', resident < 350, resident)
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
      trial.expect('every WebSocket lives on', stillOpen(open) === SOCKETS, stillOpen(open))
      expectUsualTimes(trial, ({ began }) => began < trial.faultAt || began > since)
    },
  },
]

async function expectNoPenalty(trial: Trial, { nodes }: Stage): Promise<void> {
  for (const node of nodes) {
    const { backends } = await node.ask<BackendList>(`/v1/backends?pool=${POOL}`)
    const areReady = backends.every(({ state }) => state === 'ready')
    trial.expect('every backend is ready', areReady, backends)
    const ejections = await metric(node, 'sticky_backend_ejections_total')
    trial.expect('none was put out', ejections === 0, ejections)
  }
}

/** Every upload of its own connection; half of the body has left when it is reset. */
async function cutUploads({ nodes }: Stage): Promise<void> {
  const head = 'POST /upload HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 20000\r\n\r\n'
  for (let n = 0; n < UPLOADS; n += 50) {
    const sockets = await Promise.all(Array.from({ length: 50 }, (_, m) => rawConnection(nodes[m % 2]!.port)))
    for (const socket of sockets) socket.write(head + 'x'.repeat(10_000))
    await delay(50)
    for (const socket of sockets) socket.resetAndDestroy()
  }
}

async function beginSessions(port: number, count: number): Promise<void> {
  let left = count
  const begin = async () => {
    const socket = await rawConnection(port)
    while (left-- > 0) await exchange(socket)
    socket.destroy()
  }
  await Promise.all(Array.from({ length: 16 }, begin))
}

/** One request, and the whole small answer to it. */
async function exchange(socket: Awaited<ReturnType<typeof rawConnection>>): Promise<void> {
  const answered = new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve())
    socket.once('close', () => reject(new Error('the connection was closed instead of an answer')))
  })
  socket.write('GET /count HTTP/1.1\r\nHost: shop.example\r\n\r\n')
  await answered
  socket.removeAllListeners('close')
}

async function idleConnection(port: number): Promise<{ destroy(): void }> {
  const socket = await rawConnection(port)
  await exchange(socket)
  return socket
}
