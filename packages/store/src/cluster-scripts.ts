import { loadScript, type Script } from './redis-scripts.ts'

/** The cluster table's scripts; the head of each Lua file is its contract. */
export const clusterScripts: Readonly<Record<'join' | 'nodes' | 'order' | 'orders' | 'pass' | 'rights', Script>> = {
  join: loadScript('join'),
  nodes: loadScript('nodes'),
  order: loadScript('order'),
  orders: loadScript('orders'),
  pass: loadScript('pass'),
  rights: loadScript('rights'),
}
