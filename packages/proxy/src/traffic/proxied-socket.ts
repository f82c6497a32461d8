import type { Socket } from 'node:net'

import type { Milliseconds } from '@sticky/store'

import type { Deadlines, Timed } from '../upstream/deadlines.ts'
import { type ProxiedConnection, readProxyHeader } from '../wire/proxy-protocol.ts'

/** Waits for a connection's PROXY protocol header; a missing, malformed or late one closes it. */
export class ProxiedSocket implements Timed {
  deadline: Milliseconds
  readonly #socket: Socket
  readonly #deadlines: Deadlines
  readonly #accepted: (connection: ProxiedConnection) => void
  readonly #onData = (bytes: Buffer): void => this.#read(bytes)
  #bytes: Buffer = Buffer.alloc(0)

  constructor(
    socket: Socket,
    deadlines: Deadlines,
    wait: Milliseconds,
    accepted: (connection: ProxiedConnection) => void,
  ) {
    this.#socket = socket
    this.#deadlines = deadlines
    this.#accepted = accepted
    this.deadline = deadlines.in(wait)
    deadlines.add(this)
    socket.on('data', this.#onData)
    socket.once('close', () => deadlines.delete(this))
  }

  #read(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    const header = readProxyHeader(this.#bytes)
    if (header === undefined) return
    this.#deadlines.delete(this)
    this.#socket.off('data', this.#onData)
    if (header === 'malformed') {
      this.#socket.destroy()
      return
    }
    const rest = this.#bytes.subarray(header.length)
    this.#accepted(header.connection)
    if (rest.length > 0) this.#socket.emit('data', rest)
  }

  expired(): void {
    this.destroy()
  }

  /** The worker drains: a balancer that has said nothing yet has little time left. */
  drain(grace: Milliseconds): void {
    this.deadline = this.#deadlines.in(grace)
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy()
  }
}
