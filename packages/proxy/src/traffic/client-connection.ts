import type { Socket } from 'node:net'

import type { Milliseconds } from '@sticky/store'

import type { Client } from '../affinity/strategy.ts'
import type { Timed } from '../upstream/deadlines.ts'
import type { ChunkSink } from '../wire/chunked.ts'
import type { Origin } from '../wire/forwarding.ts'
import { Malformed } from '../wire/malformed.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import { RequestReader } from '../wire/request-reader.ts'
import { clientOf, requestIdOf } from './client.ts'
import { ClientWriter } from './client-writer.ts'
import { Exchange } from './exchange.ts'
import type { ExchangeHost } from './exchange-host.ts'
import { malformedRecord } from './malformed-record.ts'
import { refusalAnswer } from './refusals.ts'
import type { Traffic } from './traffic.ts'

// How long a client may go on sending what nobody reads after our last word, so that a reset does not swallow that word.
const LINGER: Milliseconds = 2_000

// So much of what cannot be used yet is read all the same: that a client has left is seen only behind all that it sent.
const READ_AHEAD = 64 * 1024

/** RFC 6455, section 7.4.1. */
const GOING_AWAY = 1001

// How long a connection that drains is read after an exchange whose answer could not announce that it closes.
const LAST_WAIT: Milliseconds = 1_000

/** One client's connection: its requests in order, one exchange at a time. */
export class ClientConnection implements ExchangeHost, Timed, ChunkSink {
  readonly origin: Origin
  readonly writer: ClientWriter
  deadline: Milliseconds
  draining = false
  readonly #traffic: Traffic
  readonly #socket: Socket
  /** The connection itself, should the socket speak TLS over it. */
  readonly #beneath: Socket
  readonly #client: Client
  readonly #reader: RequestReader
  #exchange: Exchange | undefined
  /** Bytes that wait for the exchange before them, or for a backend that takes them. */
  #unread: Buffer | undefined
  /** The backend takes no more of the body for now. */
  #held = false
  /** The client is slow to read. */
  #stalled = false
  #closing = false
  /** When it will have been silent for too long in the middle of a body. */
  #silence: Milliseconds = 0
  /** Until when the pace of its body is watched, and what was there of it when that began; 0: it is not. */
  #spell: Milliseconds = 0
  #had = 0
  /** How long it waits for a request while it drains. */
  #lastWait: Milliseconds = LAST_WAIT

  constructor(traffic: Traffic, socket: Socket, origin: Origin, beneath: Socket = socket) {
    this.#traffic = traffic
    this.#socket = socket
    this.#beneath = beneath
    this.origin = origin
    this.#client = { address: origin.address, secure: origin.scheme === 'https' }
    this.#reader = new RequestReader(traffic.config.limits)
    this.writer = new ClientWriter(socket, () => this.#progress(), beneath)
    this.deadline = traffic.deadlines.in(traffic.config.timeouts.head)
    traffic.deadlines.add(this)
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
    socket.on('end', () => this.#ended())
    socket.on('close', () => this.#closed())
  }

  // Reading.

  #read(bytes: Buffer): void {
    if (this.#unread !== undefined) return this.#keep(Buffer.concat([this.#unread, bytes]), 0)
    let at = 0
    while (at < bytes.length && !this.#closing) {
      const exchange = this.#exchange
      if (!this.#mayRead(exchange)) return this.#keep(bytes, at)
      at = exchange === undefined ? this.#readHead(bytes, at) : this.#readBody(exchange, bytes, at)
    }
  }

  /** A client that does not read its responses is asked for no further request. */
  #mayRead(exchange: Exchange | undefined): boolean {
    if (exchange === undefined) return !this.#stalled
    return exchange.takesBody && (exchange.tunnel || !this.#reader.bodyDone)
  }

  #keep(bytes: Buffer, at: number): void {
    this.#unread = at === 0 ? bytes : bytes.subarray(at)
    if (this.#unread.length >= READ_AHEAD) this.#socket.pause()
  }

  #goOn(): void {
    if (this.#socket.isPaused()) this.#socket.resume()
    const bytes = this.#unread
    if (bytes === undefined) return
    this.#unread = undefined
    this.#read(bytes)
  }

  #readHead(bytes: Buffer, at: number): number {
    const begunBefore = this.#reader.headBegun
    const request = this.#reader.readHead(bytes, at)
    const next = this.#reader.next
    if (request instanceof Malformed) this.#refuse(request)
    else if (request !== undefined) this.#begin(request)
    else if (!begunBefore) this.#await()
    return next
  }

  #begin(request: ParsedRequest): void {
    this.deadline = 0
    this.#spell = 0
    const client = clientOf(this.#client, this.origin, request, this.#traffic.trusted)
    const requestId = requestIdOf(this.origin, request) ?? this.#traffic.requestIds.next()
    this.#exchange = new Exchange(this.#traffic, this, request, client, requestId)
    this.#exchange.begin()
  }

  #readBody(exchange: Exchange, bytes: Buffer, at: number): number {
    if (exchange.tunnel) {
      this.data(at === 0 ? bytes : bytes.subarray(at))
      return bytes.length
    }
    const trailers = this.#reader.readBody(bytes, at, this)
    const next = this.#reader.next
    if (trailers instanceof Malformed) exchange.bodyMalformed(trailers)
    else if (trailers !== undefined) this.#bodyEnd(exchange, trailers)
    return next
  }

  data(piece: Buffer): void {
    this.#held = this.#exchange?.body(piece) === false
    if (this.#held) this.#socket.pause()
    if (!this.#closing) this.#await()
  }

  #bodyEnd(exchange: Exchange, trailers: string): void {
    this.#await()
    exchange.bodyEnd(trailers)
  }

  bodyWanted(): void {
    this.#await()
    this.#goOn()
  }

  bodyDrained(): void {
    this.#held = false
    this.#await()
    if (this.#unread === undefined) this.#socket.resume()
  }

  // Writing.

  stalled(): void {
    this.#stalled = true
    this.writer.taken()
    this.deadline = this.#traffic.deadlines.in(this.#traffic.config.timeouts.write)
  }

  #progress(): void {
    if (!this.#stalled) return
    this.#stalled = false
    if (this.#closing) return this.#linger()
    this.#await()
    if (this.#exchange === undefined) this.#goOn()
    else this.#exchange.progress()
  }

  exchangeOver(persistent: boolean): void {
    this.#exchange = undefined
    this.#stalled = false
    this.#held = false
    if (!persistent) return this.close()
    if (this.#socket.writableNeedDrain) return this.stalled()
    this.#await()
    this.#goOn()
  }

  exchangeCut(): void {
    this.#exchange = undefined
    this.#cut()
  }

  /** A reset, since to a client a mere end could be the end of the response. */
  #cut(): void {
    this.#closing = true
    this.#beneath.resetAndDestroy()
  }

  #refuse(fault: Malformed): void {
    const requestId = this.#traffic.requestIds.next()
    const answer = refusalAnswer(
      fault.code,
      { requestId, withoutBody: false, persistent: false },
      fault.reason,
      fault.status,
    )
    this.writer.text(answer.text)
    this.writer.flush()
    this.#traffic.observe(malformedRecord(this.#client.address, requestId, fault.code, answer))
    this.close()
  }

  // Waiting and ending.

  /** Sets the limit of what the client owes now; while it is slow to read, that comes first. */
  #await(): void {
    if (this.#stalled) return
    const exchange = this.#exchange
    if (exchange === undefined) this.deadline = this.#traffic.deadlines.in(this.#requestLimit)
    else this.#awaitBody(exchange)
  }

  #awaitBody(exchange: Exchange): void {
    const { deadlines, config } = this.#traffic
    if (!this.#owesBody(exchange)) {
      this.deadline = 0
      this.#spell = 0
      return
    }
    this.#silence = deadlines.in(config.timeouts.body)
    if (this.#spell === 0) this.#beginSpell(exchange)
    this.deadline = Math.min(this.#silence, this.#spell)
  }

  #beginSpell(exchange: Exchange): void {
    const { deadlines, config } = this.#traffic
    this.#spell = deadlines.in(config.timeouts.body)
    this.#had = exchange.bytesReceived
  }

  /** Was it never silent for too long, and has it sent enough since its pace is watched? */
  #sendsOn(exchange: Exchange): boolean {
    const { deadlines, config } = this.#traffic
    const least = this.#least(config.timeouts.body)
    const goesOn = this.#silence > deadlines.now && exchange.bytesReceived - this.#had >= least
    if (!goesOn) return false
    this.#beginSpell(exchange)
    this.deadline = Math.min(this.#silence, this.#spell)
    return true
  }

  get #requestLimit(): Milliseconds {
    const { head, idle } = this.#traffic.config.timeouts
    if (this.#reader.headBegun) return head
    return this.draining ? Math.min(idle, this.#lastWait) : idle
  }

  /** A tunnel's silence is its backend connection's affair. */
  #owesBody(exchange: Exchange): boolean {
    return exchange.takesBody && !exchange.tunnel && !this.#held && !this.#reader.bodyDone
  }

  expired(): void {
    if (this.#readsOn) this.stalled()
    else if (this.#closing) this.destroy()
    else if (this.#exchange !== undefined) this.#expiredIn(this.#exchange)
    else if (this.#stalled) this.#cut()
    else if (this.#reader.headBegun) this.#refuse(Malformed.headSlow)
    else this.close()
  }

  /** A backend may have failed since it asked for a body: then nobody takes it for now. */
  #expiredIn(exchange: Exchange): void {
    if (this.#stalled) exchange.clientTimeout('client-stalled')
    else if (!this.#owesBody(exchange)) this.#await()
    else if (!this.#sendsOn(exchange)) exchange.clientTimeout('body-timeout')
  }

  /** A slow client is not cut as long as it reads, and fast enough. */
  get #readsOn(): boolean {
    const { write } = this.#traffic.config.timeouts
    return this.#stalled && this.#socket.writableLength > 0 && this.writer.taken() >= Math.max(1, this.#least(write))
  }

  /** Bytes that a client has to send or take within a time. */
  #least(time: Milliseconds): number {
    return (this.#traffic.config.limits.minRate * time) / 1000
  }

  /** Closes once what was written has left; what the client still sends is thrown away for a while. */
  close(): void {
    this.#closing = true
    this.#unread = undefined
    if (this.#socket.writableLength > 0) this.stalled()
    else this.#linger()
    this.#socket.end()
    this.#socket.resume()
  }

  #linger(): void {
    this.deadline = this.#traffic.deadlines.in(LINGER)
  }

  /** Closes at once. */
  destroy(): void {
    if (this.#exchange !== undefined || this.#socket.writableLength > 0) this.#cut()
    else this.#socket.destroy()
  }

  /** Its time is up: a WebSocket is told so, whatever else is underway is cut. */
  leave(): void {
    if (this.#exchange?.tunnel === true) this.#exchange.closeTunnel(GOING_AWAY)
    else this.destroy()
  }

  /** It is to close: lets what is underway end, and waits so long for a request that may be on its way. */
  drain(grace: Milliseconds): void {
    this.draining = true
    const idle = this.#exchange === undefined && !this.#reader.headBegun && !this.#closing
    if (!idle) return
    this.#lastWait = grace
    this.#await()
    this.#lastWait = LAST_WAIT
  }

  /** Nobody ends only one side of HTTP in earnest; our own end could be taken for that of the response. */
  #ended(): void {
    if (this.#exchange?.tunnel === false) this.#cut()
  }

  #closed(): void {
    this.#closing = true
    this.#traffic.deadlines.delete(this)
    this.#exchange?.clientGone()
    this.#exchange = undefined
  }
}
