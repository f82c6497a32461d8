import type { MaybePromise } from '@sticky/store'

import type { RequestHead } from '../wire/request-head.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import type { Decision } from './script-decision.ts'
import type { Facts } from './script-facts.ts'
import type { ScriptHooks } from './script-hooks-of.ts'
import type { ExchangeKeys } from './script-persist.ts'

/** One exchange as its script's hooks are told of it. */
export interface ScriptExchange {
  readonly head: RequestHead
  readonly facts: Facts
  readonly keys: ExchangeKeys
}

/** A backend's answer as a response hook is told of it. */
export interface ScriptAnswer {
  readonly head: ResponseHead
  readonly backend: string
  /** Store time. */
  readonly now: number
}

/** One version of a script, loaded. Its hooks' failures and time-outs are thrown. */
export interface LoadedScript extends AsyncDisposable {
  readonly hooks: ScriptHooks
  request(exchange: ScriptExchange): MaybePromise<Decision>
  response(exchange: ScriptExchange, answer: ScriptAnswer): MaybePromise<void>
}

/** What may go wrong with a script, as its metric counts it. */
export type ScriptFault = 'error' | 'timeout' | 'busy' | 'load'

/** A hook that took longer than its time limit. */
export class ScriptTimeout extends Error {
  override readonly name = 'ScriptTimeout'
}

/** No thread was free for a hook in time: other hooks took them all. */
export class ScriptBusy extends Error {
  override readonly name = 'ScriptBusy'
}
