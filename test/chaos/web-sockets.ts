import { WebSocket } from 'ws'

import type { ProxyNode } from '../support/proxy-node.ts'
import { POOL, type Stage, sessionOn } from './stage.ts'
import type { Trial } from './trial.ts'

/** So many WebSockets of one session, so that all of them are on one backend, open on that node until the trial is over. */
export async function openSockets(
  trial: Trial,
  stage: Stage,
  node: ProxyNode,
  count: number,
): Promise<readonly WebSocket[]> {
  const target = stage.targetOf(node)
  const cookie = await sessionOn(target)
  return Promise.all(
    Array.from({ length: count }, async () => {
      const headers = { Cookie: cookie, Host: 'shop.example' }
      const socket = new WebSocket(`ws://${target.host}:${target.port}/chat`, { headers })
      trial.stack.defer(() => socket.terminate())
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
      socket.on('error', () => undefined)
      return socket
    }),
  )
}

/** Asks a node for its counts until the trial is over; tells how often one was negative. */
export function watchForNegatives(trial: Trial, node: ProxyNode): () => number {
  let negative = 0
  const timer = setInterval(async () => {
    const counts = Object.values(await node.load(POOL).catch(() => ({})))
    if (counts.some((count) => count < 0)) negative++
  }, 200)
  trial.stack.defer(() => clearInterval(timer))
  return () => negative
}
