import type { Redis } from 'ioredis'
import { openClient } from './redis-client.ts'
import { readyIdentity } from './redis-identity.ts'
import type { RedisLink, RedisLinks } from './redis-link.ts'
import type { Script } from './redis-scripts.ts'
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
const probeIntervalWhenSilent: Milliseconds = 200
/** After so long without an answer a new connection is tried: this one may lead nowhere. */
const patience: Milliseconds = 2000

/**
 * One connection to one Redis: never queues, never resends, never waits longer than its time limit.
 *
 * A Redis that is not there when it is built is no error: the connection starts unavailable and goes on trying.
 */
export class RedisConnection implements RedisLink, RedisLinks {
  readonly client: Redis
  readonly #scripts: readonly Script[]
  readonly #replies: ReplyLimit
  readonly #onReady = new Set<() => void>()
  readonly #onLost = new Set<() => void>()
  readonly #onAvailability = new Set<(available: boolean) => void>()
  #probe: NodeJS.Timeout | undefined
  #corked: Redis['stream'] | undefined
  #lastError: unknown
  #lastAnswer = performance.now()
  #identified = false
  #answering = false
  #closed = false
  #offset = 0
  #runId = ''

  constructor(url: string, { commandTimeout = 1000, name = 'sticky', scripts = [] }: RedisConnectionOptions = {}) {
    this.#scripts = scripts
    this.#replies = new ReplyLimit(commandTimeout, () => this.#answers(false))
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

  /** Did Redis answer lately? While it does not, `run` fails at once and only the probe asks. */
  get available(): boolean {
    return this.#identified && this.#answering
  }

  /** The master's run id as of this connection; empty until the first one stands, and where INFO is not allowed. */
  get runId(): string {
    return this.#runId
  }

  /** One master holds every key. */
  at(_key: string): RedisLink {
    return this
  }

  /** Redis' clock: our monotonic one plus the offset seen last. */
  now(): Milliseconds {
    return performance.timeOrigin + performance.now() + this.#offset
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
    if (!this.#identified) throw new StoreUnavailable('Redis is not connected', { cause: this.#lastError })
    const rest = [keys.length, ...keys, ...args]
    try {
      return await this.#send('EVALSHA', [script.sha, ...rest])
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearTimeout(this.#probe)
    this.#lost()
    this.#replies.giveUp(new StoreUnavailable('the connection to Redis was closed'))
    this.client.disconnect()
    this.client.stream?.destroy()
  }

  #within(ask: () => Promise<unknown>): Promise<unknown> {
    if (this.available) return this.#replies.within(ask())
    return Promise.reject(new StoreUnavailable('Redis does not answer', { cause: this.#lastError }))
  }

  async #send(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    try {
      this.#cork()
      const reply = await this.client.callBuffer(command, args as RedisArgument[])
      this.#answers(true)
      return reply
    } catch (error) {
      throw new StoreUnavailable(describe(command, error), { cause: error })
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
      const runId = await this.#replies.within(readyIdentity(send, this.#scripts))
      await this.#readClock()
      if (this.client.stream === stream && this.client.status === 'ready') this.#stands(runId)
    } catch (error) {
      this.#lastError = error
      if (this.client.stream === stream) this.client.disconnect(true)
    }
  }

  #stands(runId: string): void {
    if (this.#closed) return
    this.#runId = runId
    this.#identified = true
    this.#answering = true
    for (const listener of this.#onReady) listener()
    this.#tellAvailability(true)
  }

  #lost(): void {
    if (!this.#identified) return
    const wasAvailable = this.available
    this.#identified = false
    for (const listener of this.#onLost) listener()
    if (wasAvailable) this.#tellAvailability(false)
  }

  #answers(answering: boolean): void {
    if (answering) this.#lastAnswer = performance.now()
    if (this.#answering === answering) return
    this.#answering = answering
    if (this.#identified) this.#tellAvailability(answering)
    if (!answering) this.#scheduleProbe()
  }

  #tellAvailability(available: boolean): void {
    for (const listener of this.#onAvailability) listener(available)
  }

  #scheduleProbe(): void {
    clearTimeout(this.#probe)
    if (this.#closed) return
    this.#probe = setTimeout(() => this.#check(), this.available ? probeInterval : probeIntervalWhenSilent).unref()
  }

  async #check(): Promise<void> {
    if (this.#identified) await this.#readClock().catch(() => {})
    if (this.#closed) return
    const silence = performance.now() - this.#lastAnswer
    if (silence > patience && !this.available) this.#startAfresh()
    this.#scheduleProbe()
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

  async #readClock(): Promise<void> {
    const sent = performance.now()
    const [seconds, microseconds] = (await this.#replies.within(this.#send('TIME', []))) as [Buffer, Buffer]
    const middle = (sent + performance.now()) / 2
    this.#offset = Number(seconds) * 1000 + Number(microseconds) / 1000 - performance.timeOrigin - middle
  }
}

function isNoScript(failure: unknown): boolean {
  return (
    failure instanceof StoreUnavailable && failure.cause instanceof Error && /^NOSCRIPT/.test(failure.cause.message)
  )
}

function describe(command: string, error: unknown): string {
  if (error instanceof Error && error.name === 'ReplyError') return `Redis refused ${command}: ${error.message}`
  return `no reply to ${command}: the connection to Redis is lost`
}
