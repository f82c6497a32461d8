import type { RedisArgument, RedisConnection } from './redis-connection.ts'
import type { RedisLink } from './redis-link.ts'
import { type Redirection, redirectionIn } from './redis-redirection.ts'
import type { Script } from './redis-scripts.ts'
import { untilAvailable } from './redis-until-available.ts'
import { type Milliseconds, StoreUnavailable } from './store.ts'

/** What the way to a slot needs of the cluster. */
export interface SlotHost {
  readonly commandTimeout: Milliseconds
  /** Heeds an answer that leads elsewhere: the connection it leads to. */
  redirected(slot: number, from: RedisConnection, redirection: Redirection): RedisConnection
}

/** How often one command goes on to another node; a cluster that is settled needs one. */
const mostRedirections = 3

/** The way to one slot, over whichever master has it: another master is like another connection. */
export class SlotLink implements RedisLink {
  readonly #slot: number
  readonly #host: SlotHost
  readonly #onReady = new Set<() => void>()
  readonly #onLost = new Set<() => void>()
  readonly #onAvailability = new Set<(available: boolean) => void>()
  #master: RedisConnection | undefined
  #standing = false
  #available = false

  constructor(slot: number, host: SlotHost, master: RedisConnection | undefined) {
    this.#slot = slot
    this.#host = host
    this.follow(master)
  }

  get commandTimeout(): Milliseconds {
    return this.#host.commandTimeout
  }

  get available(): boolean {
    return this.#master?.available ?? false
  }

  get runId(): string {
    return this.#master?.runId ?? ''
  }

  get master(): RedisConnection | undefined {
    return this.#master
  }

  now(): Milliseconds {
    return this.#master?.now() ?? performance.timeOrigin + performance.now()
  }

  onReady(listener: () => void): void {
    this.#onReady.add(listener)
  }

  onLost(listener: () => void): void {
    this.#onLost.add(listener)
  }

  onAvailability(listener: (available: boolean) => void): { off(): void } {
    this.#onAvailability.add(listener)
    return { off: () => this.#onAvailability.delete(listener) }
  }

  run(script: Script, keys: readonly RedisArgument[], args: readonly RedisArgument[]): Promise<unknown> {
    return this.#ask((master) => master.run(script, keys, args))
  }

  runUntimed(script: Script, keys: readonly RedisArgument[], args: readonly RedisArgument[]): Promise<unknown> {
    return this.#ask((master) => master.runUntimed(script, keys, args))
  }

  call(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    return this.#ask((master) => master.call(command, args))
  }

  overdue(): void {
    this.#master?.overdue()
  }

  /** The slot is that master's from now on. */
  follow(master: RedisConnection | undefined): void {
    if (master === this.#master) return
    this.lost()
    this.#master = master
    this.availabilityChanged()
  }

  /** The master's connection stands. */
  ready(): void {
    if (this.#standing) return
    this.#standing = true
    for (const listener of this.#onReady) listener()
  }

  /** The master's connection is gone. */
  lost(): void {
    if (!this.#standing) return
    this.#standing = false
    for (const listener of this.#onLost) listener()
  }

  /** The master may answer now, or answer no more. */
  availabilityChanged(): void {
    const { available } = this
    if (available) this.ready()
    if (available === this.#available) return
    this.#available = available
    for (const listener of this.#onAvailability) listener(available)
  }

  #ask(ask: Ask): Promise<unknown> {
    const master = this.#master
    if (!master)
      return Promise.reject(new StoreUnavailable('no master of the Redis Cluster is known to have this slot'))
    return this.#goOn(master, ask, mostRedirections, ask(master))
  }

  /** A redirection says that nothing was done, so asking elsewhere does nothing twice. */
  #goOn(master: RedisConnection, ask: Ask, left: number, answer: Promise<unknown>): Promise<unknown> {
    return answer.catch((failure: unknown) => {
      const redirection = left > 0 && redirectionIn(failure)
      if (!redirection) throw failure
      const next = this.#host.redirected(this.#slot, master, redirection)
      return this.#goOn(next, ask, left - 1, this.#askThere(next, ask, redirection))
    })
  }

  /** Whoever has just become a master is not connected to yet. */
  async #askThere(master: RedisConnection, ask: Ask, { kind }: Redirection): Promise<unknown> {
    await untilAvailable(master, this.commandTimeout)
    // A slot that is on its way is served to whoever says so right before.
    if (kind === 'ASK') master.call('asking', []).catch(() => {})
    return ask(master)
  }
}

type Ask = (master: RedisConnection) => Promise<unknown>
