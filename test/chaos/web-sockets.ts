import { WebSocket } from 'ws'

import type { ProxyNode } from '../support/proxy-node.ts'
import { type Stage, sessionOn } from './stage.ts'
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

/** How many of them are. */
export function stillOpen(sockets: readonly WebSocket[]): number {
  return sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length
}
