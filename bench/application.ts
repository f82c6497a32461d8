import { randomBytes } from 'node:crypto'
import { type AddressInfo, createServer, Socket, type SocketConstructorOpts } from 'node:net'

import { bodyOf, type Counts, type Path, pages, sessionCookie } from './pages.ts'

// The application behind every proxy of the bench: `node application.ts a b c` listens once for each backend and
// tells its parent the ports. Bare sockets because it shares core 1 with the load generator, where node:http would
// cost more than HAProxy does; it knows what the bench sends, GET over keep-alive, and nothing else.

interface Page {
  /** Without the empty line, so that a cookie can follow. */
  readonly head: string
  readonly body: string
  /** Head and body as one flat string, for the reply that is asked for most. */
  readonly whole: string
  readonly renewsSession: boolean
}

const endOfHead = '\r\n\r\n'
const misdirected = 'HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n'
const unknown = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'

const instance = randomBytes(8).toString('hex')
const sessionLength = 'a.'.length + instance.length + 8 + '.a'.length
const counts = { served: 0, refused: 0 }
const scratch = Buffer.alloc(64 * 1024)
let begun = 0
let expires = inHalfAnHour()

setInterval(() => {
  expires = inHalfAnHour()
}, 1000)
process.on('disconnect', () => process.exit())
process.on('message', () => process.send?.(counts satisfies Counts))
process.send?.(await Promise.all(process.argv.slice(2).map(listen)))

function inHalfAnHour(): string {
  return new Date(Date.now() + 1_800_000).toUTCString()
}

function listen(backend: string): Promise<number> {
  const pagesOfBackend = new Map(Object.keys(pages).map((path) => [path, pageOf(backend, path as Path)]))
  const answer = (head: string) => reply(backend, pagesOfBackend, head)
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => converse(socket, answer))
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', 4096, () => resolve((server.address() as AddressInfo).port))
  })
}

function pageOf(backend: string, path: Path): Page {
  const body = bodyOf(backend, path)
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Backend: ${backend}\r\nContent-Length: ${body.length}\r\n`
  const whole = Buffer.concat([Buffer.from(`${head}\r\n`), body]).toString('latin1')
  return { head, body: body.toString('latin1'), whole, renewsSession: path === '/rolling' }
}

function converse(accepted: Socket, answer: (head: string) => string): void {
  let pending = ''
  const socket = readingInto(scratch, accepted, (bytes) => {
    pending += scratch.toString('latin1', 0, bytes)
    for (let end = pending.indexOf(endOfHead); end >= 0; end = pending.indexOf(endOfHead)) {
      socket.write(answer(pending.slice(0, end + 2)), 'latin1')
      pending = pending.slice(end + endOfHead.length)
    }
    return true
  })
  socket.on('error', () => socket.destroy())
}

// Only sockets that connect may be given a buffer to read into; one accepted gives its handle to a new socket.
// It saves 1.4 of 8.6 µs per request, which the load core needs to keep HAProxy's core busy.
function readingInto(buffer: Buffer, accepted: Socket, callback: (bytes: number) => boolean): Socket {
  const owner = accepted as unknown as { _handle: unknown }
  const handle = owner._handle
  owner._handle = null
  return new Socket({ handle, onread: { buffer, callback }, readable: true, writable: true } as SocketConstructorOpts)
}

/** A session of another backend is refused: so the load generator, which reads only statuses, notices each wrong choice. */
function reply(backend: string, pagesOfBackend: ReadonlyMap<string, Page>, head: string): string {
  const page = pagesOfBackend.get(head.slice(4, head.indexOf(' ', 4)))
  if (!page) return unknown
  const session = head.indexOf(sessionCookie) + sessionCookie.length + 1
  const known = session > sessionCookie.length
  if (known && !head.startsWith(backend, session)) {
    counts.refused++
    return misdirected
  }
  counts.served++
  if (known && !page.renewsSession) return page.whole
  const value = known ? head.slice(session, session + sessionLength) : newSession(backend)
  return `${page.head}${setCookie(value)}\r\n${page.body}`
}

function newSession(backend: string): string {
  return `${backend}.${instance}${(++begun).toString(36).padStart(8, '0')}.${backend}`
}

function setCookie(session: string): string {
  return `Set-Cookie: ${sessionCookie}=${session}; Path=/; Expires=${expires}; HttpOnly\r\n`
}
