import type { MessagePort } from 'node:worker_threads'

import type { Duration } from './script-hooks.ts'

// What crosses between an exchange and the thread that runs its script; plain data, and a port for its keys.

/** What a thread is asked to do. */
export type ThreadTask =
  | { readonly hook: undefined }
  | { readonly hook: 'request'; readonly asked: AskedFacts; readonly port: MessagePort }
  | { readonly hook: 'response'; readonly asked: AskedFacts; readonly answer: AnswerFacts; readonly port: MessagePort }

/** A request. */
export interface AskedFacts {
  readonly method: string
  readonly target: string
  readonly path: string
  readonly host: string
  readonly cookie: string | undefined
  /** Name, value, name, value …. */
  readonly fields: readonly string[]
  readonly clientAddress: string
}

/** An answer to it. */
export interface AnswerFacts {
  readonly status: number
  readonly fields: readonly string[]
  readonly setCookies: readonly string[]
  readonly backend: string
  /** Store time. */
  readonly now: number
}

/** What a thread tells the exchange while its hook runs. */
export type FromHook =
  | { readonly begun: true }
  | {
      readonly begun?: never
      readonly call: number
      readonly operation: 'lookup' | 'add' | 'delete'
      readonly key: string | undefined
      readonly age: Duration | undefined
    }

/** The answer to one of its calls. */
export interface ToHook {
  readonly call: number
  readonly backend?: string | undefined
  /** Why it failed. */
  readonly problem?: string | undefined
}
