import { connect, type Server } from 'node:net'

import type { Address } from '../config/config.ts'

/** What Node's sockets are beneath: nothing else leads to listen(2) and getpeername(2) once they exist. */
interface Handled {
  readonly _handle?: { listen(backlog: number): number; getpeername(into: object): number } | null
}

// Node's own.
const BACKLOG = 511

// A flood of connections may leave the queue no moment in which it is empty. Turns, as a busy machine may allow few of them in any time.
const MOST_TURNS = 500

/**
 * Resolves when nobody waits to be accepted any more and nobody can begin to: a server that closes in that turn resets nobody, and
 * whoever comes is refused. For sockets that nobody goes on accepting from.
 */
export async function lastCall(server: Server, address: Address): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS && server.listening && !(await isFullOfUs(server, address)); turn++) {
    // One is accepted in each.
    await new Promise(setImmediate)
  }
}

/**
 * The system ignores who knocks while a queue is full, and has them knock again a second later. So there is room for one, and that
 * is to be ourselves, which we can be only when nobody else waits.
 */
async function isFullOfUs(server: Server, { host, port }: Address): Promise<boolean> {
  const queue = (server as Handled)._handle
  queue?.listen(0)
  const own = connect(port, host).on('error', () => {})
  // Node connects in the next tick; over the loopback that is done when the call returns.
  await new Promise<void>((resolve) => process.nextTick(resolve))
  const isIn = (own as Handled)._handle?.getpeername({}) === 0
  own.destroy()
  if (!isIn) queue?.listen(BACKLOG)
  return isIn
}
