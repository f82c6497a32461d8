import type { Script } from './redis-scripts.ts'

/** Errors of a server that reads and does not write: no memory left, no disk, no replica, or no master any more. */
const refusal = /^(OOM|MISCONF|READONLY|NOREPLICAS)\b/

/** Does Redis take writes? A full one answers reads, and refuses whatever needs memory. */
export class WriteState {
  /** How many writes were refused. */
  refused = 0
  /** Why writes are refused at present; undefined: they are not. */
  reason: string | undefined

  /** Notes an error reply. */
  failed(error: unknown): void {
    if (!(error instanceof Error) || !refusal.test(error.message)) return
    this.refused++
    this.reason = error.message
  }

  /** Notes that a command was done, scripts excepted. */
  did(command: string): void {
    if (this.reason !== undefined && command === 'SET') this.reason = undefined
  }

  /** Notes that a script ran: one that a full Redis refuses shows that it is not full any more. */
  ran({ lua }: Script): void {
    if (this.reason !== undefined && lua.startsWith('#!lua\n')) this.reason = undefined
  }
}
