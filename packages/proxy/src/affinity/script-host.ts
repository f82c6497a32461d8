import type { MaybePromise } from '@sticky/store'

import type { ScriptConfig } from '../config/config.ts'
import { FileWatch } from '../config/file-watch.ts'
import { type Decision, faultOf, type Namable } from './script-decision.ts'
import {
  type LoadedScript,
  type ScriptAnswer,
  ScriptBusy,
  type ScriptExchange,
  type ScriptFault,
  ScriptTimeout,
} from './script-exchange.ts'
import type { ScriptFaults, ScriptLog } from './script-faults.ts'
import { isAway } from './script-keys.ts'
import { loadModule } from './script-module.ts'
import { loadThreads } from './script-threads.ts'

/** Runs a script's hooks in its newest version that loads. Whatever goes wrong with them is counted here and goes no further. */
export class ScriptHost implements AsyncDisposable {
  readonly faults: ScriptFaults
  readonly #config: ScriptConfig
  readonly #named: Namable
  readonly #log: ScriptLog
  readonly #watch: FileWatch
  #opening: Promise<void> | undefined
  #script: LoadedScript | undefined

  constructor(config: ScriptConfig, named: Namable, faults: ScriptFaults, log: ScriptLog) {
    this.#config = config
    this.#named = named
    this.faults = faults
    this.#log = log
    this.#watch = new FileWatch(config.file, () => this.#replace())
  }

  /** Loads the script, once; rejects when that fails. */
  open(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  async #open(): Promise<void> {
    await this.#watch.open()
    this.#script = await this.#load()
  }

  /** What the request hook decided; undefined: the exchange goes on without the script. */
  request(exchange: ScriptExchange): MaybePromise<Decision | undefined> {
    const script = this.#script
    if (script === undefined || this.faults.off) return undefined
    if (!script.hooks.request) return nothing
    try {
      const decision = script.request(exchange)
      return decision instanceof Promise ? this.#decideLater(decision, exchange) : this.#checked(decision, exchange)
    } catch (cause) {
      return this.#undecided(cause, exchange)
    }
  }

  /** Runs the response hook; what it began with keys goes on by itself. Never throws. */
  response(exchange: ScriptExchange, answer: ScriptAnswer): MaybePromise<void> {
    const script = this.#script
    if (!script?.hooks.response || this.faults.off) return
    try {
      const seen = script.response(exchange, answer)
      if (seen instanceof Promise) return seen.catch((cause: unknown) => this.failed(cause, exchange))
    } catch (cause) {
      this.failed(cause, exchange)
    }
  }

  /** Counts what a hook failed of, be it by what it began and did not wait for; that the store is away is no fault of its. */
  failed(cause: unknown, { keys }: ScriptExchange): void {
    if (keys.failure === undefined && !isAway(cause)) this.faults.add(kindOf(cause), cause)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What is still being loaded would have nobody to end it.
    await this.#opening?.catch(() => {})
    await this.#watch.close()
    await this.#script?.[Symbol.asyncDispose]()
  }

  get #name(): { pool: string; script: string } {
    return { pool: this.#named.pool, script: this.#config.script }
  }

  async #load(): Promise<LoadedScript> {
    const { file, isolate, timeLimit } = this.#config
    return isolate ? loadThreads(file, timeLimit) : loadModule(file, timeLimit)
  }

  /** One that does not load leaves the old version where it is. */
  async #replace(): Promise<void> {
    try {
      const script = await this.#load()
      const old = this.#script
      this.#script = script
      this.faults.forgive()
      this.#log.info(this.#name, 'script replaced')
      await old?.[Symbol.asyncDispose]()
    } catch (cause) {
      this.faults.add('load', cause)
    }
  }

  async #decideLater(pending: Promise<Decision>, exchange: ScriptExchange): Promise<Decision | undefined> {
    try {
      return this.#checked(await pending, exchange)
    } catch (cause) {
      return this.#undecided(cause, exchange)
    }
  }

  #checked(decision: Decision, { keys }: ScriptExchange): Decision {
    if (decision.choice === undefined && decision.edits.length === 0) return nothing
    const fault = faultOf(decision, this.#named, keys)
    if (fault !== undefined) throw new TypeError(fault)
    return decision
  }

  #undecided(cause: unknown, exchange: ScriptExchange): undefined {
    this.failed(cause, exchange)
  }
}

const nothing: Decision = { choice: undefined, edits: [] }

function kindOf(cause: unknown): ScriptFault {
  if (cause instanceof ScriptTimeout) return 'timeout'
  return cause instanceof ScriptBusy ? 'busy' : 'error'
}
