import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { type Backends, startBackends } from '../backends.ts'
import { residentBytes } from '../cpu.ts'
import type { Contender } from '../proxies/contender.ts'
import { enter, interleave, type Measured } from '../rounds.ts'
import { learnSessions } from '../sessions.ts'
import { warmUp } from '../wrk.ts'
import type { Lane, Row, Stage } from './row.ts'

/** What a client costs that asked for one page and keeps its connection open. */
export const idleConnections: Row = {
  id: 'idle-connections',
  title: 'Idle client connections',
  kinds: ['sticky', 'haproxy-insert', 'nginx', 'caddy', 'http-proxy', 'fastify-http-proxy'],
  reference: 'haproxy-insert',
  measures: [
    { key: 'kib', title: 'KiB/connection', digits: 1 },
    { key: 'before', title: 'MiB before', digits: 1 },
    { key: 'after', title: 'MiB after', digits: 1 },
    { key: 'connections', title: 'connections', digits: 0 },
  ],
  run,
}

const request = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n'
const atOnce = 50

async function run(stage: Stage): Promise<Lane[]> {
  await using backends = await startBackends()
  const subjects = stage.contenders.map((contender) => ({ contender }))
  return await interleave(stage.plan.idleRounds, subjects, stage, ({ contender }) =>
    measure(contender, backends, stage),
  )
}

/** In a process of its own each time: memory once taken is rarely given back. */
async function measure(contender: Contender, backends: Backends, stage: Stage): Promise<Measured> {
  await using proxy = await enter(contender, backends.list, stage)
  const port = proxy.ports[0]!
  const { idleConnections: count, connections } = stage.plan
  const cookies = await learnSessions(proxy.ports, connections, `${stage.folder}/cookies-${port}`)
  await warmUp({ ports: proxy.ports, path: '/', cookies, connections, seconds: stage.plan.warmUp })
  await calm()
  const before = residentBytes(proxy.pids)
  const sockets = await openConnections(port, count)
  await calm()
  const after = residentBytes(proxy.pids)
  const faults = await closedAmong(sockets)
  for (const socket of sockets) socket.destroy()
  const mib = 1024 * 1024
  const round = { kib: (after - before) / count / 1024, before: before / mib, after: after / mib, connections: count }
  return { round, faults }
}

function calm(): Promise<void> {
  return delay(1000)
}

async function openConnections(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  const open = async () => {
    while (sockets.length < count) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      sockets.push(socket)
      await page(socket)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, open))
  return sockets
}

/** The small page comes in one piece. */
async function page(socket: Socket): Promise<string> {
  socket.write(request)
  const [reply] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
  return reply.toString('latin1')
}

/** Every connection must still be of use. */
async function closedAmong(sockets: readonly Socket[]): Promise<string[]> {
  let unanswered = 0
  for (const socket of sockets) {
    const reply = await page(socket).catch(() => '')
    if (!reply.startsWith('HTTP/1.1 200 ')) unanswered++
  }
  return unanswered > 0 ? [`${unanswered} of ${sockets.length} idle connections did not answer any more`] : []
}
