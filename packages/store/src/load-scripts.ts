import { loadScript, type Script } from './redis-scripts.ts'

/** The load table's scripts; the head of each Lua file is its contract. */
export const loadScripts: Readonly<Record<'open' | 'call' | 'beat' | 'reap' | 'close' | 'turn', Script>> = {
  open: loadScript('load-open', 'load-ledger'),
  call: loadScript('load-call', 'load-ledger'),
  beat: loadScript('load-beat', 'load-ledger'),
  reap: loadScript('load-reap', 'load-ledger'),
  close: loadScript('load-close', 'load-ledger'),
  turn: loadScript('load-turn'),
}
