import { LoadCaller, type LoadCallerContext } from './load-caller.ts'
import { LoadLedger } from './load-ledger.ts'
import { groupByCandidates, LoadPick, pickArguments, rotatingSample } from './load-pick.ts'
import type { After } from './load-timers.ts'
import { type Candidate, type Milliseconds, StoreUnavailable } from './store.ts'

/** What a pool's load needs of its process. */
export interface LoadPoolContext extends LoadCallerContext {
  /** Longest wait for a pick. */
  readonly timeout: Milliseconds
  /** Is told of each pick that waited so long. */
  readonly overdue?: (() => void) | undefined
  readonly after: After
}

const reportInterval: Milliseconds = 10

/**
 * One worker's part in one pool's load: what it counts, who waits for a pick, and when calls leave.
 *
 * A call leaves at the end of a turn of the event loop that wants picks, else 10 ms after the first change.
 */
export class LoadPool {
  readonly #ledger = new LoadLedger()
  readonly #caller: LoadCaller
  readonly #context: LoadPoolContext
  readonly #sample = rotatingSample()
  #waiting: LoadPick[] = []
  readonly #underWay = new Set<readonly LoadPick[]>()
  #turnEnding = false
  #reporting = false
  #overdue = false
  #lost = false
  #left = false
  #stopBeating: () => void = () => {}

  constructor(pool: string, context: LoadPoolContext) {
    this.#context = context
    this.#caller = new LoadCaller(pool, context, {
      unknown: () => this.reopen(),
      failed: (cause) => this.lose(cause),
    })
    this.#beatIn(this.#beatInterval)
    this.#reportSoon()
  }

  begin(backend: string): void {
    this.#ledger.begin(backend)
    if (!this.#reporting) this.#reportSoon()
  }

  end(backend: string): void {
    this.#ledger.end(backend)
    if (!this.#reporting) this.#reportSoon()
  }

  /** What this worker has in flight. */
  count(backend: string): number {
    return this.#ledger.count(backend)
  }

  /** Chooses and counts; rejects with `StoreUnavailable` when in doubt, and at once while a reply is overdue. */
  reserve(candidates: readonly Candidate[]): Promise<string | undefined> {
    if (this.#left) return Promise.reject(new StoreUnavailable('the load table is closed'))
    if (this.#overdue) return Promise.reject(new StoreUnavailable('a reply to the load table is overdue'))
    const { after, timeout } = this.#context
    const pick = new LoadPick(candidates, (late) => after(timeout, () => this.#giveUp(late)))
    this.#waiting.push(pick)
    if (!this.#turnEnding) this.#sendAtEndOfTurn()
    return pick.answer
  }

  /** Sends what there is to say now. */
  send(): void {
    if (this.#caller.phase !== 'open') {
      this.#open()
      return
    }
    const groups = groupByCandidates(this.#waiting)
    const changes = this.#ledger.takeChanges()
    this.#waiting = []
    if (groups.length === 0 && changes.length === 0) return
    const picks = groups.flatMap((group) => group.items)
    const choices = groups.flatMap((group) => pickArguments(group.items.length, this.#sample(group.candidates)))
    this.#underWay.add(picks)
    this.#caller.call(changes, choices, (backends) => this.#answered(picks, backends.map(String)))
  }

  /** A new connection stands, or Redis lost track: says how things are, and then asks for the picks that still wait. */
  reopen(): void {
    this.#lost = false
    this.#waiting = this.#doubt()
    this.#open()
  }

  /** The connection is gone: whoever waits hears it now. */
  lose(cause: unknown): void {
    this.#lost = true
    for (const pick of this.#doubt()) pick.fail(new StoreUnavailable('the load table is out of reach', { cause }))
  }

  /** Takes this worker out of the totals, whatever it still has in flight. */
  async leave(): Promise<void> {
    const { after, timeout } = this.#context
    this.#left = true
    this.#stopBeating()
    const leaving = this.#caller.leave()
    this.lose(new Error('the load table was closed'))
    const { promise: tooLate, resolve: giveUp } = Promise.withResolvers<void>()
    const stopTimer = after(timeout, giveUp)
    await Promise.race([leaving, tooLate])
    stopTimer()
  }

  #sendAtEndOfTurn(): void {
    this.#turnEnding = true
    this.#context.after(0, () => {
      this.#turnEnding = false
      this.send()
    })
  }

  #reportSoon(): void {
    this.#reporting = true
    this.#context.after(reportInterval, () => {
      this.#reporting = false
      // While a call is under way changes gather, and go after its reply; without a connection, with the next open.
      if (this.#underWay.size === 0 && !this.#lost) this.send()
    })
  }

  #answered(picks: readonly LoadPick[], backends: readonly string[]): void {
    this.#overdue = false
    this.#underWay.delete(picks)
    picks.forEach((pick, at) => {
      this.#grant(pick, backends[at]!)
    })
    if (this.#ledger.hasChanges && !this.#reporting) this.#reportSoon()
  }

  #grant(pick: LoadPick, backend: string): void {
    if (backend !== '') {
      if (pick.settled) this.#ledger.grantedInVain(backend)
      else this.#ledger.granted(backend)
    }
    pick.grant(backend === '' ? undefined : backend)
  }

  #giveUp(pick: LoadPick): void {
    // A reply that is due ends this; a pick that never left, in a turn that took too long, makes none due.
    this.#overdue = this.#underWay.size > 0 || this.#caller.phase === 'opening'
    if (this.#overdue) this.#context.overdue?.()
    this.#waiting = this.#waiting.filter((other) => other !== pick)
    pick.fail(new StoreUnavailable(`no choice from Redis within ${this.#context.timeout} ms`))
  }

  /** Every number under way is void from here on; answers the picks that still wait. */
  #doubt(): LoadPick[] {
    this.#caller.doubt()
    const picks = [...this.#underWay].flat().concat(this.#waiting)
    this.#overdue = false
    this.#underWay.clear()
    this.#waiting = []
    return picks.filter((pick) => !pick.settled)
  }

  #open(): void {
    if (this.#left || this.#caller.phase !== 'closed') return
    this.#caller.open(this.#ledger.takeCounts(), () => {
      this.#lost = false
      this.#overdue = false
      this.send()
    })
  }

  get #beatInterval(): Milliseconds {
    return this.#context.lease / 5
  }

  #beatIn(delay: Milliseconds): void {
    this.#stopBeating()
    this.#stopBeating = this.#context.after(delay, () => this.#beat())
  }

  #beat(): void {
    this.#beatIn(this.#beatInterval)
    this.#ledger.forgetIdle()
    if (this.#caller.phase !== 'open') {
      this.#open()
      return
    }
    this.#caller.beat((nextLook) => {
      const delay = Math.max(nextLook, this.#beatInterval / 4)
      if (delay < this.#beatInterval && !this.#left) this.#beatIn(delay)
    })
  }
}
