import type { SessionKey } from './store.ts'

/** Tells a near cache what other processes changed, and whether it would be told. */
export interface ChangeFeed {
  /**
   * Would a change of the session made anywhere be heard here soon? Then a number that grows whenever changes may have
   * gone unheard, so that what was read under another is to be read again; else `unheard`.
   */
  hearing(key: SessionKey): number
  /** Calls back for each change: what is held of the session below that version is not in force; 0: it is to be read again. */
  onChange(listener: (key: SessionKey, below: number) => void): void
  /** Calls back when changes that would have been heard no longer are. */
  onSilence(listener: () => void): void
}

/** What a feed answers that hears nothing: it equals no number, itself included. */
export const unheard: number = Number.NaN
