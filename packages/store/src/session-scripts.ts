import { loadScript, type Script } from './redis-scripts.ts'

/** The session table's scripts; the head of each Lua file is its contract. */
export const sessionScripts: Readonly<
  Record<'bind' | 'touch' | 'record' | 'end' | 'move' | 'count' | 'sweep', Script>
> = {
  bind: loadScript('bind', 'row'),
  touch: loadScript('touch', 'row'),
  record: loadScript('record', 'row'),
  end: loadScript('end', 'row'),
  move: loadScript('move', 'row'),
  count: loadScript('count'),
  sweep: loadScript('sweep'),
}
