import type { Milliseconds } from '@sticky/store'

import type { Session } from '../affinity/strategy.ts'
import { HomeBarred } from '../balancing/elsewhere.ts'
import type { Waiter } from '../balancing/queue.ts'
import type { Pool } from '../routing/topology.ts'
import type { Backend } from '../upstream/backend.ts'
import type { RefusalCode } from './exchange-record.ts'

/** The exchange that waits. */
export interface WaitHost {
  readonly pool: Pool | undefined
  readonly session: Session | undefined
  /** Whom its route sends newcomers to. */
  readonly among: readonly Backend[]
  /** Chooses again; says so with `end`, or with `begin` when there was no room after all. */
  tryAgain(): void
  /** It has waited in vain. */
  refuse(code: RefusalCode): void
}

const FIRST_PAUSE: Milliseconds = 100
const MOST_DOUBLINGS = 5

/** What one exchange waits for in its pool's queue, room anywhere or its home, and for how long it has. */
export class Wait implements Waiter {
  readonly #host: WaitHost
  #what: 'all-full' | HomeBarred | undefined
  #waited: Milliseconds = 0
  /** How often its home failed in this exchange. */
  #setbacks = 0

  constructor(host: WaitHost) {
    this.#host = host
  }

  /** Is it in the queue? */
  get isOn(): boolean {
    return this.#what !== undefined
  }

  /** In all, without the time it waits now. */
  get waited(): Milliseconds {
    return this.#waited
  }

  get takesAny(): boolean {
    return this.#what === 'all-full'
  }

  get awaited(): readonly Backend[] {
    const { pool, session, among } = this.#host
    const homes = session!.home.flatMap((id) => pool!.byId.get(id) ?? []).filter(({ health }) => health.canServe)
    return this.takesAny ? [...homes, ...among.filter(({ health }) => health.takesNewcomers)] : homes
  }

  /** Takes a place in the queue, if there is one, or keeps the one it has. A home that has `failed` is not asked again at once. */
  begin(what: 'all-full' | HomeBarred, failed: boolean): void {
    const { queue, config } = this.#host.pool!
    const wasOn = this.isOn
    this.#what = what
    if (wasOn) return queue.stays(this)
    if (failed) this.#setbacks++
    if (config.queue === undefined || !queue.join(this, config.queue, this.#waited, this.#pause)) this.timedOut()
  }

  get #pause(): Milliseconds {
    return this.#setbacks === 0 ? 0 : FIRST_PAUSE * 2 ** Math.min(this.#setbacks - 1, MOST_DOUBLINGS)
  }

  tryAgain(): void {
    this.#host.tryAgain()
  }

  timedOut(): void {
    const code = this.#what instanceof HomeBarred ? this.#what.code : 'all-full'
    this.end()
    this.#host.refuse(code)
  }

  /** Leaves the queue. */
  end(): void {
    if (!this.isOn) return
    this.#what = undefined
    this.#waited += this.#host.pool!.queue.leave(this)
  }
}
