import { LoadLedger } from './load-ledger.ts'
import { groupArguments, groupPicks, LoadPick } from './load-pick.ts'
import { loadScripts } from './load-scripts.ts'
import type { After } from './load-timers.ts'
import type { RedisArgument } from './redis-connection.ts'
import type { RedisKeys } from './redis-keys.ts'
import type { Script } from './redis-scripts.ts'
import { type Candidate, type Milliseconds, StoreUnavailable } from './store.ts'

/** What a load caller needs of its process. */
export interface LoadCallerContext {
  /** Runs a script without a time limit: settles by the reply, however late, or by the loss of the connection. */
  readonly run: (script: Script, keys: readonly string[], args: readonly RedisArgument[]) => Promise<unknown>
  readonly keys: RedisKeys
  /** Names one process start. */
  readonly worker: string
  readonly lease: Milliseconds
  /** Longest wait for a pick. */
  readonly timeout: Milliseconds
  readonly after: After
}

const reportInterval: Milliseconds = 10
/** A larger choice costs Redis too much; a rotating sample finds the least of all nearly always, and is fair. */
const mostCandidates = 64

/**
 * One worker's side of one pool's load table: numbered calls, and after any doubt a new incarnation with absolute counts.
 *
 * `lua/load-*.lua` are the other side. Nothing is ever sent twice: what a doubt leaves unanswered is counted afresh by the
 * next `open`, and picks that had no effect then go out under new numbers.
 */
export class LoadCaller {
  readonly ledger: LoadLedger = new LoadLedger()
  readonly #context: LoadCallerContext
  readonly #pool: string
  readonly #keys: readonly string[]
  #phase: 'new' | 'opening' | 'open' | 'lost' | 'left' = 'new'
  #incarnation = 1
  /** Names the open that is in force. */
  #ticket = ''
  #sequence = 0
  #waiting: LoadPick[] = []
  readonly #underWay = new Set<readonly LoadPick[]>()
  #turnEnding = false
  #reporting = false
  #beating = 0
  #overdue = false
  #sampled = 0
  #cancelBeat: () => void = () => {}

  constructor(pool: string, context: LoadCallerContext) {
    this.#pool = pool
    this.#context = context
    this.#keys = [context.keys.load(pool), context.keys.ledger(pool, context.worker)]
    this.#beatIn(this.#beatInterval)
  }

  begin(backend: string): void {
    this.ledger.begin(backend)
    if (!this.#reporting) this.#reportSoon()
  }

  end(backend: string): void {
    this.ledger.end(backend)
    if (!this.#reporting) this.#reportSoon()
  }

  /** Chooses and counts; rejects with `StoreUnavailable` when in doubt, and at once while a reply is overdue. */
  reserve(candidates: readonly Candidate[]): Promise<string | undefined> {
    if (this.#phase === 'left') return Promise.reject(new StoreUnavailable('the load table is closed'))
    if (this.#overdue) return Promise.reject(new StoreUnavailable('a reply to the load table is overdue'))
    const { after, timeout } = this.#context
    const pick = new LoadPick(candidates, (late) => after(timeout, () => this.#giveUp(late)))
    this.#waiting.push(pick)
    if (!this.#turnEnding) this.#sendAtEndOfTurn()
    return pick.answer
  }

  /** Sends at once what is to be reported; Redis then shows this worker's counts as they are. */
  report(): void {
    this.#send()
  }

  /** A new connection stands: how things are is said on it. */
  reopen(): void {
    if (this.#phase === 'left') return
    this.#waiting = this.#doubt()
    this.#open()
  }

  /** The connection is gone: whoever waits hears it now. */
  lose(cause: unknown): void {
    if (this.#phase === 'left') return
    for (const pick of this.#doubt()) pick.fail(new StoreUnavailable('the load table is out of reach', { cause }))
  }

  /** Takes this worker out of the totals, whatever it still has in flight. */
  async leave(): Promise<void> {
    const { after, run, timeout, worker } = this.#context
    const known = this.#phase === 'open' || this.#phase === 'opening'
    const incarnation = this.#incarnation
    this.lose(new Error('the load table was closed'))
    this.#phase = 'left'
    this.#cancelBeat()
    if (!known) return
    await new Promise<void>((resolve) => {
      after(timeout, resolve)
      run(loadScripts.close, this.#keys, [worker, incarnation]).then(
        () => resolve(),
        () => resolve(),
      )
    })
  }

  #sendAtEndOfTurn(): void {
    this.#turnEnding = true
    this.#context.after(0, () => {
      this.#turnEnding = false
      this.#send()
    })
  }

  #reportSoon(): void {
    if (this.#phase !== 'open' && this.#phase !== 'new') return
    this.#reporting = true
    this.#context.after(reportInterval, () => {
      this.#reporting = false
      // One call under way is enough when nobody waits: what gathers meanwhile goes after its reply.
      if (this.#underWay.size === 0) this.#send()
    })
  }

  #send(): void {
    if (this.#phase !== 'open') {
      this.#open()
      return
    }
    const groups = groupPicks(this.#waiting)
    const changes = this.ledger.takeChanges()
    this.#waiting = []
    if (groups.length === 0 && changes.length === 0) return
    const args: RedisArgument[] = [this.#ticket, ++this.#sequence, changes.length / 2, ...changes]
    for (const { candidates, picks } of groups) args.push(...groupArguments(this.#sample(candidates), picks.length))
    this.#call(
      args,
      groups.flatMap(({ picks }) => picks),
    )
  }

  #call(args: readonly RedisArgument[], picks: readonly LoadPick[]): void {
    this.#underWay.add(picks)
    this.#ask(loadScripts.call, args, (granted) => {
      this.#underWay.delete(picks)
      picks.forEach((pick, at) => {
        this.#granted(pick, String(granted[at]))
      })
      if (this.ledger.hasChanges && !this.#reporting) this.#reportSoon()
    })
  }

  /** Asks Redis as the present incarnation. A reply to an earlier one is void: the open in between has settled it. */
  #ask(script: Script, args: readonly RedisArgument[], answered: (reply: readonly unknown[]) => void): void {
    const incarnation = this.#incarnation
    this.#context.run(script, this.#keys, args).then(
      (reply) => {
        if (incarnation !== this.#incarnation) return
        this.#overdue = false
        if (!Array.isArray(reply)) this.reopen()
        else answered(reply)
      },
      (failure) => {
        if (incarnation === this.#incarnation) this.lose(failure)
      },
    )
  }

  #granted(pick: LoadPick, backend: string): void {
    if (backend === '') {
      if (!pick.settled) pick.grant(undefined)
      return
    }
    if (pick.settled) {
      this.ledger.grantedInVain(backend)
      return
    }
    this.ledger.granted(backend)
    pick.grant(backend)
  }

  #giveUp(pick: LoadPick): void {
    this.#overdue = true
    this.#waiting = this.#waiting.filter((other) => other !== pick)
    pick.fail(new StoreUnavailable(`no choice from Redis within ${this.#context.timeout} ms`))
  }

  /** Every number under way is void from here on; answers the picks that still wait. */
  #doubt(): LoadPick[] {
    const picks = [...this.#underWay].flat().concat(this.#waiting)
    this.#phase = 'lost'
    this.#incarnation += 1
    this.#sequence = 0
    this.#overdue = false
    this.#underWay.clear()
    this.#waiting = []
    return picks.filter((pick) => !pick.settled)
  }

  #open(): void {
    if (this.#phase !== 'new' && this.#phase !== 'lost') return
    this.#phase = 'opening'
    const { lease, worker } = this.#context
    this.#ask(loadScripts.open, [worker, this.#incarnation, lease, ...this.ledger.takeCounts()], ([ticket]) => {
      this.#ticket = String(ticket)
      this.#phase = 'open'
      this.#send()
    })
  }

  get #beatInterval(): Milliseconds {
    return this.#context.lease / 5
  }

  #beatIn(delay: Milliseconds): void {
    this.#cancelBeat()
    this.#cancelBeat = this.#context.after(delay, () => this.#beat())
  }

  /** Renews the lease, and looks for dead workers when Redis says that it is time. */
  #beat(): void {
    this.#beatIn(this.#beatInterval)
    this.ledger.forgetIdle()
    if (this.#phase !== 'open') {
      this.#open()
      return
    }
    if (this.#beating === this.#incarnation) return
    this.#beating = this.#incarnation
    const { lease, worker } = this.#context
    this.#ask(loadScripts.beat, [worker, this.#ticket, lease], ([nextLook, ...lapsed]) => {
      this.#beating = 0
      for (const dead of lapsed) this.#reap(String(dead))
      const delay = Math.max(Number(nextLook), this.#beatInterval / 4)
      if (delay < this.#beatInterval) this.#beatIn(delay)
    })
  }

  #reap(dead: string): void {
    const { keys, run } = this.#context
    // Whoever is named next will do it if this fails.
    run(loadScripts.reap, [keys.load(this.#pool), keys.ledger(this.#pool, dead)], [dead]).catch(() => {})
  }

  /** Rotates, so that every candidate has its turn. A full sample would refuse what others could take: limits forbid it. */
  #sample(candidates: readonly Candidate[]): readonly Candidate[] {
    if (candidates.length <= mostCandidates || candidates.some(({ limit }) => limit !== undefined)) return candidates
    const from = this.#sampled % candidates.length
    this.#sampled = from + mostCandidates
    return [...candidates.slice(from), ...candidates.slice(0, from)].slice(0, mostCandidates)
  }
}
