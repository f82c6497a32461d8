import type { MaybePromise, SessionKey } from '@sticky/store'

import type { Backend } from '../upstream/backend.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { type Choice, type Decision, editedLines } from './script-decision.ts'
import type { ScriptExchange } from './script-exchange.ts'
import type { ScriptKeys } from './script-keys.ts'
import type { ScriptRunner } from './script-service.ts'
import type { OutgoingRequest, PersistenceCode, Session, Verdict } from './strategy.ts'

const nowhere: readonly string[] = []

/** A request as its script decided about it. */
export class ScriptSession implements Session {
  readonly known: boolean
  readonly home: readonly string[]
  readonly verdict: Verdict | undefined
  readonly #host: ScriptRunner
  readonly #keys: ScriptKeys
  readonly #exchange: ScriptExchange
  readonly #decision: Decision
  readonly #led: SessionKey | undefined
  #by: string | undefined

  constructor(host: ScriptRunner, keys: ScriptKeys, exchange: ScriptExchange, decision: Decision) {
    const { choice } = decision
    const used = choice !== undefined && 'use' in choice ? choice.use : undefined
    this.known = choice !== undefined
    this.home = used === undefined ? nowhere : keys.homes.at(used)
    this.verdict = choice && verdictOf(choice)
    this.#host = host
    this.#keys = keys
    this.#exchange = exchange
    this.#decision = decision
    this.#led = used === undefined ? undefined : exchange.keys.leadingTo(used)
  }

  /** The key that led home, or that was bound last. */
  get key(): SessionKey | undefined {
    return this.#led ?? this.#exchange.keys.bound
  }

  get persistence(): PersistenceCode {
    const { became, cameEnded } = this.#exchange.keys
    if (!this.known) return `${cameEnded ? 'E' : 'N'}${became}`
    const isElsewhere = this.#by !== undefined && this.home.length > 0 && this.#by !== this.home[0]
    return `${isElsewhere ? 'D' : 'V'}${became}`
  }

  get reason(): string {
    const { choice } = this.#decision
    if (choice === undefined) return 'script: it decided nothing'
    if ('pool' in choice) return `script: it chose pool ${choice.pool}`
    if ('refuse' in choice) return `script: it refused with ${choice.refuse.status}`
    const led = this.#led === undefined ? '' : `, where session ${this.#led.id} is at home`
    return `script: it chose backend ${choice.use}${led}`
  }

  dispatched(_to: Backend, request: OutgoingRequest): void {
    const { edits } = this.#decision
    if (edits.length > 0) request.lines = editedLines(request.lines, edits)
  }

  served(by: Backend, response: ResponseHead): MaybePromise<boolean> {
    const { keys } = this.#exchange
    this.#by = by.id
    keys.servedBy(by.id, this.home[0])
    const seen = this.#host.response(this.#exchange, { head: response, backend: by.id, now: this.#keys.now() })
    if (seen !== undefined) return seen.then(() => this.#settle())
    const settled = keys.settled()
    return settled === undefined ? this.#tookIt : this.#settleLater(settled)
  }

  /** Bindings are in force before the head leaves; what the store could not do then is lost. */
  async #settleLater(settled: Promise<unknown>): Promise<boolean> {
    try {
      await settled
    } catch (cause) {
      this.#host.failed(cause, this.#exchange)
    }
    return this.#tookIt
  }

  #settle(): MaybePromise<boolean> {
    const settled = this.#exchange.keys.settled()
    return settled === undefined ? this.#tookIt : this.#settleLater(settled)
  }

  get #tookIt(): boolean {
    return this.known || this.#exchange.keys.bound !== undefined
  }
}

function verdictOf(choice: Choice): Verdict | undefined {
  if ('use' in choice) return undefined
  if ('pool' in choice) return choice
  const { status, text } = choice.refuse
  // Messages of ours are a byte for each character.
  return { refuse: { status, text: Buffer.from(text).toString('latin1') } }
}
