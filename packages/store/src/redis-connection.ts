import type { Redis } from 'ioredis'
import { Breaker } from './breaker.ts'
import { openClient } from './redis-client.ts'
import { RedisClock } from './redis-clock.ts'
import { readyIdentity } from './redis-identity.ts'
import type { LinkState, RedisLink, RedisLinks } from './redis-link.ts'
import type { Script } from './redis-scripts.ts'
import { WriteState } from './redis-writes.ts'
import { ReplyLimit } from './reply-limit.ts'
import { type Milliseconds, StoreUnavailable } from './store.ts'

/** A key or argument of a command; Buffers pass byte for byte. */
export type RedisArgument = string | Buffer | number

export interface RedisConnectionOptions {
  /** Longest wait for the reply to a command, 1 s by default. */
  readonly commandTimeout?: Milliseconds | undefined
  /** Name shown by CLIENT LIST. */
  readonly name?: string | undefined
  /** Scripts loaded at each connect, before the store counts as available. */
  readonly scripts?: readonly Script[] | undefined
}

const probeInterval: Milliseconds = 1000
const probeIntervalWhenAway: Milliseconds = 100
/** How long a new connection may take to be ready, whatever its commands may take then. */
const setupTime: Milliseconds = 1000
/** Commands without a reply; more would only wait, and take memory. */
const mostInFlight = 1000
/** After so long without an answer a new connection is tried: this one may lead nowhere. */
const patience: Milliseconds = 2000

/**
 * One connection to one Redis: never queues, never resends, never waits longer than its time limit. One reply that is
 * late, and nobody is made to wait until a probe is answered in time.
 *
 * A Redis that is not there when it is built is no error: the connection starts unavailable and goes on trying.
 */
export class RedisConnection implements RedisLink, RedisLinks {
  readonly client: Redis
  readonly #scripts: readonly Script[]
  readonly #replies: ReplyLimit
  readonly #setup = new ReplyLimit(setupTime, () => {})
  readonly #breaker = new Breaker()
  readonly #writes = new WriteState()
  readonly #clock = new RedisClock()
  readonly #onReady = new Set<() => void>()
  readonly #onLost = new Set<() => void>()
  readonly #onAvailability = new Set<(available: boolean) => void>()
  #probe: NodeJS.Timeout | undefined
  #corked: Redis['stream'] | undefined
  #lastError: unknown
  #lastAnswer = performance.now()
  #identified = false
  #closed = false
  #probing = false
  #inFlight = 0
  #runId = ''

  constructor(url: string, { commandTimeout = 1000, name = 'sticky', scripts = [] }: RedisConnectionOptions = {}) {
    this.#scripts = scripts
    this.#replies = new ReplyLimit(commandTimeout, () => this.overdue())
    this.client = openClient(url, name)
    this.client.on('ready', () => this.#identify())
    this.client.on('close', () => this.#lost())
    this.client.on('error', (error) => {
      this.#lastError = error
    })
    this.#scheduleProbe()
  }

  get commandTimeout(): Milliseconds {
    return this.#replies.limit
  }

  /** Does Redis answer in time? While it does not, `run` fails at once and only the probe asks. */
  get available(): boolean {
    return this.#identified && this.#breaker.closed
  }

  get state(): LinkState {
    const { available } = this
    const { late, away } = this.#breaker
    const { refused: refusedWrites, reason: refusal } = this.#writes
    const reason = available ? refusal : this.#whyAway()
    return { available, reason, readOnly: refusal !== undefined, late, refusedWrites, away }
  }

  /** The master's run id as of this connection; empty until the first one stands, and where INFO is not allowed. */
  get runId(): string {
    return this.#runId
  }

  /** One master holds every key. */
  at(_key: string): RedisLink {
    return this
  }

  /** Redis' clock. */
  now(): Milliseconds {
    return this.#clock.now()
  }

  /** Calls back each time a new connection stands and its scripts are loaded. */
  onReady(listener: () => void): void {
    this.#onReady.add(listener)
  }

  /** Calls back each time a connection that stood is gone: what was under way on it may or may not have taken effect. */
  onLost(listener: () => void): void {
    this.#onLost.add(listener)
  }

  /** Calls back at each change of `available`, until `off` is called. */
  onAvailability(listener: (available: boolean) => void): { off(): void } {
    this.#onAvailability.add(listener)
    return { off: () => this.#onAvailability.delete(listener) }
  }

  /** Runs a script; rejects with `StoreUnavailable` on any failure and when no reply came within the time limit. */
  run(script: Script, keys: readonly RedisArgument[], args: readonly RedisArgument[]): Promise<unknown> {
    return this.#within(() => this.runUntimed(script, keys, args))
  }

  /** Runs a script with no time limit: settles by the reply, however late, or by the loss of the connection. */
  async runUntimed(script: Script, keys: readonly RedisArgument[], args: readonly RedisArgument[]): Promise<unknown> {
    if (!this.#identified) throw this.#unavailable()
    if (this.#inFlight >= mostInFlight) throw tooMany()
    const rest = [keys.length, ...keys, ...args]
    try {
      const reply = await this.#send('EVALSHA', [script.sha, ...rest])
      this.#writes.ran(script)
      return reply
    } catch (failure) {
      if (!isNoScript(failure)) throw failure
      return this.#send('EVAL', [script.lua, ...rest])
    }
  }

  /** Sends one command; replies are Buffers; the same promises as `run`. */
  call(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    // ioredis makes objects of some replies, of commands it knows by their lower-case name.
    return this.#within(() => this.#send(command.toUpperCase(), args))
  }

  overdue(): void {
    if (this.available) this.#breaker.late++
    this.#turn(() => this.#breaker.open())
    this.#scheduleProbe()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearTimeout(this.#probe)
    this.#lost()
    const closed = new StoreUnavailable('the connection to Redis was closed')
    for (const limit of [this.#replies, this.#setup]) limit.giveUp(closed)
    this.client.disconnect()
    this.client.stream?.destroy()
  }

  #within(ask: () => Promise<unknown>): Promise<unknown> {
    if (!this.available) return Promise.reject(this.#unavailable())
    if (this.#inFlight >= mostInFlight) return Promise.reject(tooMany())
    return this.#replies.within(ask())
  }

  #unavailable(): StoreUnavailable {
    return new StoreUnavailable(this.#whyAway(), { cause: this.#lastError })
  }

  #whyAway(): string {
    if (this.#identified) return `Redis does not answer within ${this.commandTimeout} ms`
    const reason = this.#lastError instanceof Error ? `: ${this.#lastError.message}` : ''
    return `Redis is not connected${reason}`
  }

  async #send(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    this.#inFlight++
    try {
      this.#cork()
      const reply = await this.client.callBuffer(command, args as RedisArgument[])
      this.#lastAnswer = performance.now()
      this.#writes.did(command)
      return reply
    } catch (error) {
      if (isReply(error)) this.#lastAnswer = performance.now()
      this.#writes.failed(error)
      throw new StoreUnavailable(describe(command, error), { cause: error })
    } finally {
      this.#inFlight--
    }
  }

  /** What one callback sends leaves with one system call, which costs more than anything else here. */
  #cork(): void {
    const { stream } = this.client
    if (this.#corked === stream || !stream) return
    this.#corked = stream
    stream.cork()
    process.nextTick(() => {
      stream.uncork()
      if (this.#corked === stream) this.#corked = undefined
    })
  }

  async #identify(): Promise<void> {
    const { stream } = this.client
    const send = (command: string, args: readonly RedisArgument[]) => this.#send(command, args)
    try {
      const runId = await this.#setup.within(readyIdentity(send, this.#scripts))
      const inTime = await this.#ask().catch(() => false)
      if (this.client.stream === stream && this.client.status === 'ready') this.#stands(runId, inTime)
    } catch (error) {
      this.#lastError = error
      if (this.client.stream === stream) this.client.disconnect(true)
    }
  }

  #stands(runId: string, inTime: boolean): void {
    if (this.#closed) return
    this.#runId = runId
    this.#turn(() => {
      this.#identified = true
      if (inTime) this.#breaker.close()
      for (const listener of this.#onReady) listener()
    })
  }

  #lost(): void {
    if (!this.#identified) return
    this.#turn(() => {
      this.#identified = false
      this.#breaker.open()
      for (const listener of this.#onLost) listener()
    })
  }

  /** Does what may change `available`, and tells if it did. */
  #turn(change: () => void): void {
    const before = this.available
    change()
    const { available } = this
    if (available !== before) for (const listener of this.#onAvailability) listener(available)
  }

  #scheduleProbe(): void {
    clearTimeout(this.#probe)
    if (this.#closed) return
    const interval = this.available ? probeInterval : probeIntervalWhenAway
    this.#probe = setTimeout(() => this.#check(), interval * (0.8 + Math.random() / 5)).unref()
  }

  #check(): void {
    if (this.#identified && !this.#probing) void this.#try()
    const silence = performance.now() - this.#lastAnswer
    if (silence > patience && !this.available) this.#startAfresh()
    this.#scheduleProbe()
  }

  async #try(): Promise<void> {
    const inTime = await this.#ask().catch(() => false)
    if (inTime && this.#identified) this.#turn(() => this.#breaker.close())
  }

  /** Asks for the time; was it told in time? One question at a time: a slow server must not be asked ever more. */
  async #ask(): Promise<boolean> {
    this.#probing = true
    const sent = performance.now()
    const asked = this.#send('TIME', [])
    const over = () => {
      this.#probing = false
    }
    asked.then(over, over)
    // Half of a second's delay is as much as the clock is then wrong: better than no clock at all.
    asked.then(
      (time) => this.#clock.heed(time as [Buffer, Buffer], sent),
      () => {},
    )
    await this.#replies.within(asked)
    return true
  }

  /** ioredis waits for ever in its handshake, and gives up for good when a connect fails in its first tick. */
  #startAfresh(): void {
    const { status, stream } = this.client
    this.#lastAnswer = performance.now()
    if (status === 'end') this.client.connect().catch(() => {})
    if (status === 'end' || status === 'reconnecting' || status === 'connecting') return
    this.client.disconnect(true)
    stream?.destroy()
  }
}

function tooMany(): StoreUnavailable {
  return new StoreUnavailable(`${mostInFlight} commands wait for Redis already`)
}

function isNoScript(failure: unknown): boolean {
  return (
    failure instanceof StoreUnavailable && failure.cause instanceof Error && /^NOSCRIPT/.test(failure.cause.message)
  )
}

function describe(command: string, error: unknown): string {
  if (isReply(error)) return `Redis refused ${command}: ${error.message}`
  return `no reply to ${command}: the connection to Redis is lost`
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}
