import type { RedisArgument } from './redis-connection.ts'
import type { Script } from './redis-scripts.ts'
import type { Milliseconds } from './store.ts'

/** The way to one master: of the whole store, or of whatever shares a hash tag in a Redis Cluster. */
export interface RedisLink {
  readonly commandTimeout: Milliseconds
  /** Did it answer lately? While it does not, `run` and `call` fail at once. */
  readonly available: boolean
  /** Run id of the master that answers here; empty until one has, and where INFO is not allowed. */
  readonly runId: string
  /** The master's clock. */
  now(): Milliseconds
  /** Calls back each time a connection, or another master, stands. */
  onReady(listener: () => void): void
  /** Calls back when what was under way may or may not have taken effect. */
  onLost(listener: () => void): void
  /** Calls back at each change of `available`, until `off` is called. */
  onAvailability(listener: (available: boolean) => void): { off(): void }
  /** Runs a script; rejects with `StoreUnavailable` on any failure and when no reply came within the time limit. */
  run(script: Script, keys: readonly RedisArgument[], args: readonly RedisArgument[]): Promise<unknown>
  /** Runs a script with no time limit: settles by the reply, however late, or by the loss of the connection. */
  runUntimed(script: Script, keys: readonly RedisArgument[], args: readonly RedisArgument[]): Promise<unknown>
  /** Sends one command; replies are Buffers; the same promises as `run`. */
  call(command: string, args: readonly RedisArgument[]): Promise<unknown>
  /** A reply that somebody waits for by a limit of their own is overdue: nobody else is to wait. */
  overdue(): void
}

/** How a way to Redis fares. */
export interface LinkState {
  readonly available: boolean
  /** Why it is not, or why writes are refused; undefined: all is well. */
  readonly reason: string | undefined
  /** Are writes refused that need memory? */
  readonly readOnly: boolean
  /** Answers that did not come in time, since the start. */
  readonly late: number
  /** Writes that were refused, since the start. */
  readonly refusedWrites: number
  /** How long it was not available, since the start. */
  readonly away: Milliseconds
}

/** The ways to all keys: one master's, whoever that is just now, or those of a cluster. */
export interface RedisLinks extends AsyncDisposable {
  readonly commandTimeout: Milliseconds
  /** Did any master answer lately? */
  readonly available: boolean
  /** How it fares, for metrics and logs. */
  readonly state: LinkState
  /** The way to whatever shares the key's hash tag; the same object each time. */
  at(key: string): RedisLink
  /** Calls back at each change of `available`, until `off` is called. */
  onAvailability(listener: (available: boolean) => void): { off(): void }
}
