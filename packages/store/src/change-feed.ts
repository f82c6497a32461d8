import type { SessionKey } from './store.ts'

/** Tells a near cache what other processes changed, and whether it would be told. */
export interface ChangeFeed {
  /** Would a change made anywhere be heard here soon? */
  readonly live: boolean
  /** Grows whenever changes may have gone unheard: what was read before is to be read again. */
  readonly generation: number
  /** Calls back for each change: what is held of the session below that version is not in force. */
  onChange(listener: (key: SessionKey, below: number) => void): void
  /** Calls back when `live` ceases to be true. */
  onSilence(listener: () => void): void
}
