import type { Numbers } from './load-ledger.ts'
import { loadScripts } from './load-scripts.ts'
import type { RedisArgument } from './redis-connection.ts'
import type { RedisKeys } from './redis-keys.ts'
import type { Script } from './redis-scripts.ts'
import type { Milliseconds } from './store.ts'

/** What a load caller needs of its process. */
export interface LoadCallerContext {
  /** Runs a script without a time limit: settles by the reply, however late, or by the loss of the connection. */
  readonly run: (script: Script, keys: readonly string[], args: readonly RedisArgument[]) => Promise<unknown>
  readonly keys: RedisKeys
  /** Names one process start. */
  readonly worker: string
  readonly lease: Milliseconds
}

/** What makes a caller's numbers void. */
export interface Doubts {
  /** Redis does not know the caller as it is, or refused a call out of turn: surely without effect. */
  unknown(): void
  /** Nobody knows whether the call had effect. */
  failed(cause: unknown): void
}

/**
 * One worker's numbered calls on one pool's load table; `lua/load-*.lua` are the other side.
 *
 * Each incarnation opens with absolute counts and numbers its calls from 1. After any doubt the next incarnation begins, and
 * replies to an earlier one are void: its open has settled what they would have said. So nothing is ever sent twice.
 */
export class LoadCaller {
  readonly #context: LoadCallerContext
  readonly #pool: string
  readonly #keys: readonly string[]
  readonly #doubts: Doubts
  #phase: 'closed' | 'opening' | 'open' = 'closed'
  #incarnation = 1
  /** Names the open that is in force. */
  #ticket = ''
  #sequence = 0
  #beating = false

  constructor(pool: string, context: LoadCallerContext, doubts: Doubts) {
    this.#pool = pool
    this.#context = context
    this.#keys = [context.keys.load(pool), context.keys.ledger(pool, context.worker)]
    this.#doubts = doubts
  }

  get phase(): 'closed' | 'opening' | 'open' {
    return this.#phase
  }

  /** Says how many exchanges are in flight, whatever Redis held of this worker. */
  open(counts: Numbers, opened: () => void): void {
    this.#phase = 'opening'
    const { lease, worker } = this.#context
    this.#ask(loadScripts.open, [worker, this.#incarnation, lease, ...counts], ([ticket]) => {
      this.#ticket = String(ticket)
      this.#phase = 'open'
      opened()
    })
  }

  /** The next call: reports changes, asks for picks. */
  call(changes: Numbers, picks: Numbers, granted: (backends: readonly unknown[]) => void): void {
    this.#sequence += 1
    this.#ask(loadScripts.call, [this.#ticket, this.#sequence, changes.length / 2, ...changes, ...picks], granted)
  }

  /** Renews the lease unless that is under way, reaps workers that died, and tells when Redis wants to look for more. */
  beat(nextLook: (delay: Milliseconds) => void): void {
    if (this.#beating) return
    this.#beating = true
    const { lease, worker } = this.#context
    this.#ask(loadScripts.beat, [worker, this.#ticket, lease], ([delay, ...lapsed]) => {
      this.#beating = false
      for (const dead of lapsed) this.#reap(String(dead))
      nextLook(Number(delay))
    })
  }

  /** Makes every number under way void, until the next `open`. */
  doubt(): void {
    this.#phase = 'closed'
    this.#incarnation += 1
    this.#sequence = 0
    this.#beating = false
  }

  /** Takes this worker out of the totals; its lease does so later if Redis is not there. */
  async leave(): Promise<void> {
    const args = [this.#context.worker, this.#incarnation]
    const wasKnown = this.#phase !== 'closed'
    this.doubt()
    if (wasKnown) await this.#context.run(loadScripts.close, this.#keys, args).catch(() => {})
  }

  #ask(script: Script, args: readonly RedisArgument[], answered: (reply: readonly unknown[]) => void): void {
    const incarnation = this.#incarnation
    this.#context.run(script, this.#keys, args).then(
      (reply) => {
        if (incarnation !== this.#incarnation) return
        if (Array.isArray(reply)) answered(reply)
        else this.#doubts.unknown()
      },
      (cause) => {
        if (incarnation === this.#incarnation) this.#doubts.failed(cause)
      },
    )
  }

  #reap(dead: string): void {
    const { keys, run } = this.#context
    // Whoever is told next will do it if this fails.
    run(loadScripts.reap, [keys.load(this.#pool), keys.ledger(this.#pool, dead)], [dead]).catch(() => {})
  }
}
