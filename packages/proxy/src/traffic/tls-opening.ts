import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

import type { Milliseconds } from '@sticky/store'

import type { Deadlines, Timed } from '../upstream/deadlines.ts'
import type { HandshakeEvents, TlsListener } from './tls-listener.ts'

// RFC 8446 5.1: what a client says first is a handshake record.
const HANDSHAKE = 0x16

const PLAIN = 'bad request: this port speaks TLS\n'
const PLAIN_ANSWER = `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ${PLAIN.length}\r\nConnection: close\r\n\r\n${PLAIN}`

/** A connection whose client is to speak TLS, until that is agreed on; one that takes too long is closed. */
export class TlsOpening implements Timed, HandshakeEvents {
  deadline: Milliseconds
  readonly #socket: Socket
  readonly #listener: TlsListener
  readonly #deadlines: Deadlines
  readonly #events: HandshakeEvents

  constructor(
    socket: Socket,
    listener: TlsListener,
    deadlines: Deadlines,
    wait: Milliseconds,
    events: HandshakeEvents,
  ) {
    this.#socket = socket
    this.#listener = listener
    this.#deadlines = deadlines
    this.#events = events
    this.deadline = deadlines.in(wait)
    deadlines.add(this)
    socket.once('data', (bytes: Buffer) => this.#greeted(bytes))
    socket.once('close', () => deadlines.delete(this))
  }

  /** Nothing is made for a client before it speaks. */
  #greeted(bytes: Buffer): void {
    if (bytes[0] !== HANDSHAKE) return this.#tellPlain()
    this.#socket.pause()
    this.#socket.unshift(bytes)
    this.#listener.begin(this.#socket, this)
  }

  /** Who was given `http://` sees what is wrong. */
  #tellPlain(): void {
    this.failed()
    this.#socket.resume()
    this.#socket.end(PLAIN_ANSWER)
  }

  secured(socket: TLSSocket): void {
    this.#deadlines.delete(this)
    this.#events.secured(socket)
  }

  failed(): void {
    this.#events.failed()
  }

  expired(): void {
    this.destroy()
  }

  /** The worker drains: a client that has said nothing yet has little time left. */
  drain(grace: Milliseconds): void {
    this.deadline = this.#deadlines.in(grace)
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy()
  }
}
