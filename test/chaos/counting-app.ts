/**
 * An application instance as a process: `node counting-app.ts ID HOST PORT`. It counts each session's requests in its own memory,
 * found by its own cookie; it takes uploads, answers bodies of any length and echoes over WebSocket.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { WebSocketServer } from 'ws'

/** What it answers. */
export interface Count {
  readonly app: string
  readonly count: number
}

const [id = 'a', host = '127.0.0.1', port = '0'] = process.argv.slice(2)
const counts = new Map<string, number>()
/** How many of them it was asked for. */
let bodies = 0

const server = createServer(async (request, response) => {
  try {
    for await (const _ of request); // Until the whole body has come: a cut upload ends here.
    answer(request, response)
  } catch {
    response.destroy()
  }
})
const sockets = new WebSocketServer({ server })
sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(`${id}: ${message}`)))
server.keepAliveTimeout = 60_000
server.listen(Number(port), host, () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url!, 'http://app')
  if (pathname === '/health') return void response.end('well\n')
  if (pathname === '/body') return sendBody(response, Number(searchParams.get('bytes')), searchParams.has('chunked'))
  if (pathname === '/bodies') return void response.end(`${bodies}`)
  const session = sessionOf(request, response)
  const count: Count = { app: id, count: (counts.get(session) ?? 0) + 1 }
  counts.set(session, count.count)
  response.setHeader('content-type', 'application/json').end(JSON.stringify(count))
}

function sessionOf(request: IncomingMessage, response: ServerResponse): string {
  const known = /(?:^|;\s*)app=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
  if (known !== undefined && counts.has(known)) return known
  const fresh = randomUUID()
  response.setHeader('set-cookie', `app=${fresh}; Path=/; HttpOnly`)
  return fresh
}

function sendBody(response: ServerResponse, bytes: number, isChunked: boolean): void {
  bodies++
  if (!isChunked) response.setHeader('content-length', bytes)
  response.write(Buffer.alloc(bytes, 'x'))
  response.end()
}
